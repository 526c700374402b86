//! The domain, the link and the firmware have no clock, no environment, no files, no network, no float.

use super::{Finding, Rule, house::House, source};

pub(super) const RULE: Rule = Rule {
    name: "purity",
    why: "the same input must give the same cents in the daemon, in the browser and in the verifier",
    remedy: "take the value as an argument from the rim; compute with integers of minor units or thousandths",
    check,
};

/// Crates that compute and do nothing else.
const PURE: [&str; 3] = ["pos-domain", "pos-link", "firmware"];

/// What they may not name outside their tests. `std` as a whole is among it: they are `no_std`.
const IMPURE: [&str; 9] = [
    "std::time",
    "SystemTime",
    "Instant::now",
    "std::env",
    "std::fs",
    "std::net",
    "extern crate std",
    "f32",
    "f64",
];

fn check(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, _) in house.product_sources().filter(|(_, package)| PURE.contains(&package.name.as_str())) {
        for name in IMPURE {
            let lines = source::lines_with(&file.code, name);
            findings
                .extend(lines.iter().map(|line| Finding::new(&file.path, *line, format!("names `{name}`"))));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::house::example::files;
    use super::*;

    #[test]
    fn the_domain_is_pure_and_the_rim_is_not() {
        let house = files(&[
            ("edge-daemon/domain/src/time.rs", "//! No std::time here.\nuse core::time::Duration;\n/// f64"),
            ("edge-daemon/domain/src/tests.rs", "use std::env;"),
            (
                "edge-daemon/domain/src/lib.rs",
                "#[cfg(test)]\nmod tests;\n#[cfg(test)]\nmod more { use std::fs; }",
            ),
            ("edge-daemon/src/clock.rs", "use std::time::SystemTime;"),
        ]);
        assert_eq!(check(&house), []);
    }

    #[test]
    fn each_impurity_is_found_on_its_line() {
        for name in IMPURE {
            let text = format!("//! Prose.\nfn a() {{ {name}; }}");
            let findings = check(&files(&[("edge-daemon/domain/src/a.rs", text.as_str())]));
            assert_eq!(findings, [Finding::new("edge-daemon/domain/src/a.rs", 2, format!("names `{name}`"))]);
        }
    }
}
