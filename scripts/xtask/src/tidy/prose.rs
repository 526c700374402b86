//! Every module starts by saying what it is.

use super::{Finding, Rule, house::House};

pub(super) const RULE: Rule = Rule {
    name: "prose",
    why: "a reader who opens the file must learn from its first lines what it is for and what always holds in it",
    remedy: "start the file with `//!`: one sentence, then the invariants",
    check,
};

fn check(house: &House) -> Vec<Finding> {
    let silent = |text: &str| {
        let first = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with("#!["));
        first.is_none_or(|line| line.strip_prefix("//!").is_none_or(|prose| prose.trim().is_empty()))
    };
    let files = house.files.iter().filter(|file| file.is_rust() && silent(&file.text));
    files.map(|file| Finding::new(&file.path, 1, "does not start with `//!`")).collect()
}

#[cfg(test)]
mod tests {
    use super::super::house::example::files;
    use super::*;

    #[test]
    fn the_first_line_is_prose() {
        let house = files(&[
            ("edge-daemon/src/a.rs", "//! Sales.\nfn a() {}"),
            ("edge-daemon/src/b.rs", "#![no_std]\n\n//! Sales."),
            ("README.md", "# Tillbox"),
        ]);
        assert_eq!(check(&house), []);
        let house = files(&[
            ("edge-daemon/src/a.rs", "fn a() {}\n//! Late."),
            ("edge-daemon/src/b.rs", "//!\nfn b() {}"),
            ("edge-daemon/src/c.rs", ""),
            ("tests/system/d.rs", "// No prose."),
        ]);
        assert_eq!(check(&house).len(), 4);
    }
}
