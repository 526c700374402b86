//! The product has no stubs and does not stop on a surprise.

use super::{Finding, Rule, house::House, source};

pub(super) const RULE: Rule = Rule {
    name: "unfinished",
    why: "a till that stops in the middle of a sale costs the shop more than the error it met",
    remedy: "write what belongs there, and return a typed error that says what happened and what to do",
    check,
};

const SIGNS: [&str; 4] = ["todo!", "unimplemented!", "dbg!", ".unwrap()"];

fn check(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, _) in house.product_sources() {
        for sign in SIGNS {
            let lines = source::lines_with(&file.code, sign);
            findings
                .extend(lines.iter().map(|line| Finding::new(&file.path, *line, format!("has `{sign}`"))));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::house::example::files;
    use super::*;

    #[test]
    fn tests_and_prose_may() {
        let house = files(&[
            ("edge-daemon/src/a.rs", "//! Never `.unwrap()`.\nfn a() { b(\"todo!()\").unwrap_or(1); }"),
            ("edge-daemon/src/b.rs", "#[cfg(test)]\nmod tests {\n    fn a() { b().unwrap(); }\n}"),
            ("edge-daemon/tests/c.rs", "fn a() { b().unwrap(); }"),
            ("scripts/xtask/src/d.rs", "fn a() { b().unwrap(); }"),
        ]);
        assert_eq!(check(&house), []);
    }

    #[test]
    fn the_product_may_not() {
        let text =
            "fn a() { b().unwrap(); }\nfn c() {\n    todo!()\n}\nfn d() { unimplemented!(); dbg!(1); }";
        let findings = check(&files(&[("edge-daemon/src/a.rs", text)]));
        let lines: Vec<_> = findings.iter().map(|finding| finding.line).collect();
        assert_eq!(lines, [3, 5, 5, 1]);
    }
}
