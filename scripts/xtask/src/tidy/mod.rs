//! The rules of the house that no compiler checks. One module per rule; each says what it found, why the rule is
//! there and what to do, so that nobody has to ask.
//!
//! | module       | rule                                                                        |
//! |--------------|-----------------------------------------------------------------------------|
//! | `arrows`     | crates know only what lies below them                                       |
//! | `keepers`    | a library that we may want to replace is named in one place                 |
//! | `prose`      | every module starts by saying what it is                                    |
//! | `length`     | files stay readable; `lib.rs` is a page                                     |
//! | `purity`     | the domain has no clock, no environment, no files, no float                 |
//! | `names`      | files are named for what they hold                                          |
//! | `unfinished` | the product has no stubs and does not stop on a surprise                    |
//! | `places`     | nothing in the repository depends on where it lies                          |
//!
//! `house` reads the workspace, `source` tells code from comments, strings and tests.

mod arrows;
mod house;
mod keepers;
mod length;
mod names;
mod places;
mod prose;
mod purity;
mod source;
mod unfinished;

use std::collections::BTreeSet;
use std::process::ExitCode;

use house::House;

/// A rule: what is looked for, and what to tell the person who broke it.
struct Rule {
    /// One word, as its module.
    name: &'static str,
    why: &'static str,
    remedy: &'static str,
    check: fn(&House) -> Vec<Finding>,
}

/// One place where a rule is broken.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    /// Path from the repository's root.
    path: String,
    /// From 1; 0 when the whole file is meant.
    line: usize,
    what: String,
}

impl Finding {
    fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into() }
    }
}

const RULES: &[Rule] = &[
    arrows::RULE,
    keepers::RULE,
    prose::RULE,
    length::RULE,
    purity::RULE,
    names::RULE,
    unfinished::RULE,
    places::RULE,
];

/// Checks every rule and prints what is broken.
pub(crate) fn run() -> ExitCode {
    let house = match House::read() {
        Ok(house) => house,
        Err(error) => {
            eprintln!("tidy: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut broken = BTreeSet::new();
    let mut count = 0;
    for rule in RULES {
        let mut findings = (rule.check)(&house);
        findings.sort();
        print!("{}", report(rule, &findings));
        count += findings.len();
        broken.extend(findings.into_iter().map(|finding| finding.path));
    }
    for note in length::notes(&house) {
        println!("note: {note}");
    }
    let (files, crates) = (house.files.len(), house.packages.len());
    if count == 0 {
        println!("tidy: {files} files of {crates} crates, {} rules, nothing to say", RULES.len());
        return ExitCode::SUCCESS;
    }
    println!("tidy: {count} findings in {} files", broken.len());
    ExitCode::FAILURE
}

/// The findings of one rule, then its reason and remedy once.
fn report(rule: &Rule, findings: &[Finding]) -> String {
    let mut text = String::new();
    for Finding { path, line, what } in findings {
        let place = if *line == 0 { path.clone() } else { format!("{path}:{line}") };
        text += &format!("error[{}]: {place}: {what}\n", rule.name);
    }
    if !findings.is_empty() {
        text += &format!("  why: {}\n   do: {}\n\n", rule.why, rule.remedy);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_says_what_where_why_and_what_to_do() {
        let findings = [Finding::new("a/b.rs", 3, "is wrong"), Finding::new("c.rs", 0, "is long")];
        let text = report(&names::RULE, &findings);
        assert!(text.starts_with("error[names]: a/b.rs:3: is wrong\nerror[names]: c.rs: is long\n  why: "));
        assert!(text.contains("\n   do: "));
        assert_eq!(report(&names::RULE, &[]), "");
    }

    #[test]
    fn rules_have_names_of_their_own() {
        let names: BTreeSet<_> = RULES.iter().map(|rule| rule.name).collect();
        assert_eq!(names.len(), RULES.len());
    }
}
