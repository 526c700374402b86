//! Files are named for what they hold.

use std::collections::BTreeSet;

use super::{Finding, Rule, house::House};

pub(super) const RULE: Rule = Rule {
    name: "names",
    why: "a drawer labelled \"misc\" is where everything ends up and nothing is found",
    remedy: "name it for the one idea in it (`outbox`, `tender`, `debounce`), or move its parts to their ideas",
    check,
};

/// Names that say nothing.
const EMPTY_NAMES: [&str; 10] =
    ["utils", "util", "helpers", "helper", "common", "manager", "managers", "misc", "shared", "stuff"];

const SOURCES: [&str; 6] = [".rs", ".ts", ".tsx", ".js", ".sh", ".py"];

fn check(house: &House) -> Vec<Finding> {
    let mut findings = BTreeSet::new();
    for file in house.files.iter().filter(|file| SOURCES.iter().any(|end| file.path.ends_with(end))) {
        let mut upto = 0;
        for part in file.path.split('/') {
            upto += part.len();
            let stem = part.split('.').next().unwrap_or_default().to_lowercase();
            if EMPTY_NAMES.contains(&stem.as_str()) {
                let path = file.path.get(..upto).unwrap_or(&file.path);
                findings.insert(Finding::new(path, 0, format!("is called `{stem}`")));
            }
            upto += 1;
        }
    }
    findings.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::super::house::example::files;
    use super::*;

    #[test]
    fn names_that_say_nothing_are_found_once() {
        let house = files(&[
            ("edge-daemon/src/utils.rs", ""),
            ("edge-daemon/src/Common/a.rs", ""),
            ("edge-daemon/src/Common/b.rs", ""),
            ("edge-daemon/src/task_manager.rs", ""),
            ("docs/common.md", ""),
        ]);
        let paths: Vec<_> = check(&house).into_iter().map(|finding| finding.path).collect();
        assert_eq!(paths, ["edge-daemon/src/Common", "edge-daemon/src/utils.rs"]);
    }
}
