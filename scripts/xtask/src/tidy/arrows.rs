//! Crates know only what lies below them.

use super::{Finding, Rule, house::House};

pub(super) const RULE: Rule = Rule {
    name: "arrows",
    why: "arrows go down only, so that the domain can be read, tested and reused without the daemon around it",
    remedy: "move the code down to where both may know it, or pass it in from above; the map is at the head of \
             scripts/xtask/src/tidy/arrows.rs and in ARCHITECTURE.md",
    check,
};

/// Each crate of the product and the crates of this workspace that it may name.
const MAP: &[(&str, &[&str])] = &[
    (
        "edge-daemon",
        &[
            "cloud-bridge",
            "cloud-trial",
            "device-drivers",
            "firmware",
            "pos-journal",
            "pos-domain",
            "pos-link",
        ],
    ),
    ("cloud-receiver", &["cloud-bridge", "cloud-trial", "pos-journal", "pos-domain"]),
    ("cloud-bridge", &["cloud-trial", "pos-journal", "pos-domain", "pos-link"]),
    ("cloud-trial", &[]),
    ("device-drivers", &["pos-journal", "pos-domain", "pos-link"]),
    ("firmware", &["device-drivers", "pos-link"]),
    ("pos-journal", &["pos-domain", "pos-link"]),
    ("pos-domain", &[]),
    ("pos-link", &[]),
];

fn check(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in house.packages.iter().filter(|package| package.is_product()) {
        let manifest = package.manifest();
        let Some((_, below)) = MAP.iter().find(|(name, _)| *name == package.name) else {
            let what = format!("crate `{}` is not on the map; say what it may know", package.name);
            findings.push(Finding::new(&manifest, 0, what));
            continue;
        };
        // A crate that names itself turns on a feature for its own tests.
        let ours = |name: &&String| {
            **name != package.name && house.packages.iter().any(|other| other.name == **name)
        };
        for dependency in package.dependencies.iter().filter(ours) {
            if !below.contains(&dependency.as_str()) {
                let what = format!("`{}` may not depend on `{dependency}`", package.name);
                findings.push(Finding::new(&manifest, 0, what));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::house::example::house;
    use super::*;

    fn says(packages: &[(&str, &str, &[&str])]) -> Vec<String> {
        check(&house(packages, &[]))
            .into_iter()
            .map(|finding| format!("{}: {}", finding.path, finding.what))
            .collect()
    }

    #[test]
    fn down_is_allowed() {
        let down: [(_, _, &[&str]); 4] = [
            ("edge-daemon", "edge-daemon", &["pos-journal", "pos-domain", "serde"]),
            ("pos-journal", "edge-daemon/journal", &["pos-domain", "pos-journal"]),
            ("pos-domain", "edge-daemon/domain", &[]),
            ("tillbox-tests", "tests", &["edge-daemon", "pos-domain"]),
        ];
        assert_eq!(says(&down), Vec::<String>::new());
    }

    #[test]
    fn up_and_sideways_are_not() {
        let wrong: [(_, _, &[&str]); 4] = [
            ("pos-domain", "edge-daemon/domain", &["pos-journal"]),
            ("pos-journal", "edge-daemon/journal", &["tillbox-tests"]),
            ("tillbox-tests", "tests", &[]),
            ("newcomer", "newcomer", &[]),
        ];
        let expected = [
            "edge-daemon/domain/Cargo.toml: `pos-domain` may not depend on `pos-journal`",
            "edge-daemon/journal/Cargo.toml: `pos-journal` may not depend on `tillbox-tests`",
            "newcomer/Cargo.toml: crate `newcomer` is not on the map; say what it may know",
        ];
        assert_eq!(says(&wrong), expected);
    }

    #[test]
    fn the_map_has_no_circle() {
        // Every crate names only crates further down in the list, or the rows say so by having no edge back.
        for (name, below) in MAP {
            for lower in *below {
                let back =
                    MAP.iter().find(|(other, _)| other == lower).map(|(_, below)| below.contains(name));
                assert_eq!(back, Some(false), "{name} and {lower}");
            }
        }
    }
}
