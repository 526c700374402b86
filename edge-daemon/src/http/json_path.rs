//! Where in a JSON document an error is, as people write it: `items[3].quantity`. Looked for only after decoding
//! failed, so decoding itself pays nothing for it.

use std::fmt::Write as _;

/// The place that a decoding error of `document` speaks of; `None` for the document as a whole.
pub(super) fn of(document: &[u8], error: &serde_json::Error) -> Option<String> {
    let line_start = document
        .split_inclusive(|byte| *byte == b'\n')
        .take(error.line().saturating_sub(1))
        .map(<[u8]>::len)
        .sum::<usize>();
    let end = line_start.saturating_add(error.column()).min(document.len());
    let mut place = Walk::default();
    let mut last = Walk::default();
    for byte in document.get(..end)? {
        if matches!(byte, b'}' | b']') && !place.in_string {
            last = place.clone();
        }
        place.step(*byte);
    }
    let message = error.to_string();
    let missing = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
    match missing {
        // Noticed at the closing brace, which may have been taken already.
        Some(field) => {
            let closed = document.get(end.saturating_sub(1)) == Some(&b'}');
            let object = if closed { last } else { place };
            Some(object.path(Some(field)))
        }
        None => Some(place.path(None)).filter(|path| !path.is_empty()),
    }
}

#[derive(Debug, Clone)]
enum Level {
    Object { key: String, expects_key: bool },
    Array(usize),
}

#[derive(Debug, Clone, Default)]
struct Walk {
    levels: Vec<Level>,
    text: Vec<u8>,
    in_string: bool,
    escaped: bool,
}

impl Walk {
    fn step(&mut self, byte: u8) {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.end_string(),
                _ => self.text.push(byte),
            }
            return;
        }
        match (byte, self.levels.last_mut()) {
            (b'"', _) => {
                self.in_string = true;
                self.text.clear();
            }
            (b'{', _) => self.levels.push(Level::Object { key: String::new(), expects_key: true }),
            (b'[', _) => self.levels.push(Level::Array(0)),
            (b'}' | b']', _) => drop(self.levels.pop()),
            (b':', Some(Level::Object { expects_key, .. })) => *expects_key = false,
            (b',', Some(Level::Object { expects_key, .. })) => *expects_key = true,
            (b',', Some(Level::Array(index))) => *index += 1,
            _ => {}
        }
    }

    fn end_string(&mut self) {
        self.in_string = false;
        if let Some(Level::Object { key, expects_key: true }) = self.levels.last_mut() {
            *key = String::from_utf8_lossy(&self.text).chars().take(40).collect();
        }
    }

    /// The path; `last` takes the place of the innermost object's key.
    fn path(&self, last: Option<&str>) -> String {
        let mut path = String::new();
        for (depth, level) in self.levels.iter().enumerate() {
            let innermost = depth + 1 == self.levels.len();
            // Writing to a String cannot fail.
            let _ = match level {
                Level::Array(index) => write!(path, "[{index}]"),
                Level::Object { key, .. } => {
                    let dot = if path.is_empty() { "" } else { "." };
                    write!(path, "{dot}{}", last.filter(|_| innermost).unwrap_or(key))
                }
            };
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Cart {
        till: String,
        #[serde(default)]
        items: Vec<Item>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Item {
        sku: String,
        price: i64,
    }

    fn place(document: &str) -> Option<String> {
        let error = serde_json::from_str::<Cart>(document).unwrap_err();
        super::of(document.as_bytes(), &error)
    }

    #[test]
    fn names_the_place_of_a_wrong_type() {
        assert_eq!(place(r#"{"till": 5}"#).as_deref(), Some("till"));
        let nested = "{\"till\": \"a\",\n \"items\": [{\"sku\": \"x,]\\\"\", \"price\": 1},\n {\"sku\": \"y\", \"price\": \"2\"}]}";
        assert_eq!(place(nested).as_deref(), Some("items[1].price"));
        assert_eq!(
            place(r#"{"till":"a","items":[{"sku":"x","price":1.5}]}"#).as_deref(),
            Some("items[0].price")
        );
        assert_eq!(place(r#"{"till":"a","items":3}"#).as_deref(), Some("items"));
    }

    #[test]
    fn names_what_is_missing_and_what_is_too_much() {
        assert_eq!(place(r#"{"till":"a","items":[{"sku":"x"}]}"#).as_deref(), Some("items[0].price"));
        assert_eq!(place(r#"{"items":[]}"#).as_deref(), Some("till"));
        assert_eq!(
            place(r#"{"till":"a","items":[{"sku":"x","price":1},{"skew":"x"}]}"#).as_deref(),
            Some("items[1].skew")
        );
        assert_eq!(place("{}").as_deref(), Some("till"));
    }

    #[test]
    fn has_no_place_for_a_document_that_is_none() {
        for document in ["", "5", "[]", "nul"] {
            assert_eq!(place(document), None, "{document}");
        }
    }
}
