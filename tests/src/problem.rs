//! What every error must look like: RFC 9457, with a stable type and a detail that says something.

use serde_json::Value;

use crate::client::Reply;

/// What `type` starts with.
const PREFIX: &str = "urn:tillbox:problem:";

impl Reply {
    /// The code of the problem that this must be, with this status.
    ///
    /// # Panics
    /// If it is no problem, or another status.
    pub fn refused(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.text());
        let problem = self.json();
        assert_eq!(problem["status"], status, "{problem}");
        let filled = |name: &str| problem[name].as_str().is_some_and(|text| !text.trim().is_empty());
        assert!(filled("title") && filled("detail"), "{problem}");
        code(&problem)
    }
}

fn code(problem: &Value) -> String {
    let code = problem["type"].as_str().and_then(|name| name.strip_prefix(PREFIX));
    let code = code.unwrap_or_else(|| panic!("the type is not one of ours: {problem}"));
    let kebab = |c: char| c.is_ascii_lowercase() || c == '-';
    assert!(!code.is_empty() && code.chars().all(kebab), "{problem}");
    code.to_owned()
}
