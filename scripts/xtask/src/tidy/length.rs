//! Files stay readable; `lib.rs` is a page.

use super::house::{File, House};
use super::{Finding, Rule};

pub(super) const RULE: Rule = Rule {
    name: "length",
    why: "a file that fits a reader's head is read; one that does not is searched",
    remedy: "split it by idea, not by size: each part gets a name and a sentence of its own",
    check,
};

/// Lines that no source file may exceed.
const LIMIT: usize = 500;
/// Lines that most files stay below.
const USUAL: usize = 300;
/// Lines of a `lib.rs`: prose and a list of exports.
const PAGE: usize = 120;

fn check(house: &House) -> Vec<Finding> {
    let over = |file: &File| {
        let (lines, limit) = (file.text.lines().count(), if file.name() == "lib.rs" { PAGE } else { LIMIT });
        (lines > limit)
            .then(|| Finding::new(&file.path, 0, format!("has {lines} lines, at most {limit} are allowed")))
    };
    house.files.iter().filter(|file| is_source(file)).filter_map(over).collect()
}

/// The files that are longer than usual, for the record.
pub(super) fn notes(house: &House) -> Vec<String> {
    let sources = house.files.iter().filter(|file| is_source(file));
    let mut long: Vec<_> = sources.map(|file| (file.text.lines().count(), &file.path)).collect();
    long.retain(|(lines, _)| (USUAL + 1..=LIMIT).contains(lines));
    long.sort();
    long.iter()
        .rev()
        .map(|(lines, path)| format!("{path} has {lines} lines, most files stay below {USUAL}"))
        .collect()
}

fn is_source(file: &File) -> bool {
    [".rs", ".ts", ".tsx"].iter().any(|end| file.path.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::super::house::example::files;
    use super::*;

    #[test]
    fn limits_are_inclusive() {
        let lines = |count| "x\n".repeat(count);
        let (at, over, usual, page) = (lines(500), lines(501), lines(301), lines(121));
        let house = files(&[
            ("a/at.rs", &at),
            ("a/over.tsx", &over),
            ("a/usual.ts", &usual),
            ("a/lib.rs", &page),
            ("a/data.csv", &over),
        ]);
        let findings = check(&house);
        let paths: Vec<_> = findings.iter().map(|finding| finding.path.as_str()).collect();
        assert_eq!(paths, ["a/over.tsx", "a/lib.rs"]);
        let notes = notes(&house);
        assert_eq!(notes.len(), 2);
        assert!(notes.first().is_some_and(|note| note.starts_with("a/at.rs has 500")));
    }
}
