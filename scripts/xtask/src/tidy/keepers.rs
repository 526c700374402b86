//! A library that we may want to replace is named in one place.

use super::house::{House, inside};
use super::{Finding, Rule, source};

pub(super) const RULE: Rule = Rule {
    name: "keepers",
    why: "a store engine, a codec, a broker client and a serial port are replaced one day; then one place changes",
    remedy: "call the module that keeps the library, or widen what it offers; the keepers are listed at the head of \
             scripts/xtask/src/tidy/keepers.rs",
    check,
};

/// A library, the crates that may depend on it (by folder, with all below), and the only sources that may name it.
struct Keeper {
    library: &'static str,
    folder: &'static str,
    /// Beginnings of paths from the repository's root.
    sources: &'static [&'static str],
}

const KEEPERS: &[Keeper] = &[
    Keeper { library: "rumqttc", folder: "cloud-bridge", sources: &["cloud-bridge/"] },
    Keeper { library: "tokio-serial", folder: "device-drivers", sources: &["device-drivers/"] },
    Keeper {
        library: "evdev",
        folder: "device-drivers",
        sources: &["device-drivers/src/rim/input.rs", "device-drivers/src/sim/wedge.rs"],
    },
    Keeper { library: "linux-embedded-hal", folder: "device-drivers", sources: &["device-drivers/"] },
    Keeper { library: "sled", folder: "edge-daemon", sources: &["edge-daemon/src/views/"] },
    Keeper {
        library: "serde_cbor",
        folder: "edge-daemon/journal",
        sources: &["edge-daemon/journal/src/codec"],
    },
];

fn check(house: &House) -> Vec<Finding> {
    KEEPERS.iter().flat_map(|keeper| check_keeper(house, keeper)).collect()
}

fn check_keeper(house: &House, keeper: &Keeper) -> Vec<Finding> {
    let Keeper { library, folder, sources } = keeper;
    // The innermost crate that holds the folder, so that a crate below `edge-daemon/` is not taken for it.
    let home = house.package_of(&format!("{folder}/Cargo.toml")).map(|package| package.name.as_str());
    let mut findings = Vec::new();
    for package in house.packages.iter().filter(|package| package.is_product()) {
        let at_home =
            Some(package.name.as_str()) == home || below_without_home(house, &package.folder, folder);
        if !at_home && package.dependencies.iter().any(|name| name == library) {
            let what = format!("`{}` depends on `{library}`, which only {folder} may", package.name);
            findings.push(Finding::new(&package.manifest(), 0, what));
        }
    }
    let name = library.replace('-', "_");
    for (file, _) in house.product_sources() {
        if sources.iter().any(|source| file.path.starts_with(source)) {
            continue;
        }
        for line in source::lines_naming_crate(&file.code, &name) {
            let what = format!("names `{name}`, which only {} may", sources.join(", "));
            findings.push(Finding::new(&file.path, line, what));
        }
    }
    findings
}

/// Whether a crate lies below a folder that belongs to its part of the product as a whole (`cloud-bridge/receiver`):
/// the daemon's folder holds the domain and the journal, which are parts of their own.
fn below_without_home(house: &House, package: &str, folder: &str) -> bool {
    let holds_parts =
        house.packages.iter().any(|other| other.name == "edge-daemon" && other.folder == folder);
    !holds_parts && inside(package, folder).is_some()
}

#[cfg(test)]
mod tests {
    use super::super::house::example::house;
    use super::*;

    const PACKAGES: [(&str, &str, &[&str]); 4] = [
        ("edge-daemon", "edge-daemon", &["sled"]),
        ("pos-journal", "edge-daemon/journal", &["serde_cbor"]),
        ("cloud-receiver", "cloud-bridge/receiver", &["rumqttc"]),
        ("tillbox-tests", "tests", &["sled", "rumqttc", "serde_cbor"]),
    ];

    #[test]
    fn keepers_and_tests_may() {
        let files = [
            ("edge-daemon/src/views/tree.rs", "use sled::Db;"),
            ("edge-daemon/src/main.rs", "// sled::open\nmod sled_view; use crate::views::sled::Thing;"),
            ("edge-daemon/journal/src/codec.rs", "serde_cbor::to_vec();"),
            ("edge-daemon/src/checkout.rs", "#[cfg(test)]\nmod tests { use sled::Db; }"),
            ("tests/src/lib.rs", "use sled::Db;"),
        ];
        assert_eq!(check(&house(&PACKAGES, &files)), []);
    }

    #[test]
    fn others_may_not() {
        let files = [
            ("edge-daemon/src/main.rs", "fn a() {}\nfn b() { sled::open(); }"),
            ("edge-daemon/journal/src/record.rs", "use serde_cbor as cbor;"),
        ];
        let mut packages = PACKAGES.to_vec();
        packages.push(("pos-domain", "edge-daemon/domain", &["sled"]));
        packages.push(("device-drivers", "device-drivers", &["rumqttc"]));
        let findings = check(&house(&packages, &files));
        let places: Vec<_> = findings.iter().map(|finding| (finding.path.as_str(), finding.line)).collect();
        let expected = [
            ("device-drivers/Cargo.toml", 0),
            ("edge-daemon/domain/Cargo.toml", 0),
            ("edge-daemon/src/main.rs", 2),
            ("edge-daemon/journal/src/record.rs", 1),
        ];
        assert_eq!(places, expected);
    }
}
