//! Nothing in the repository depends on where it lies.

use super::{Finding, Rule, house::House};

pub(super) const RULE: Rule = Rule {
    name: "places",
    why: "a path of one machine works on one machine",
    remedy: "use a path from the repository's root, a temporary folder, or an argument",
    check,
};

/// First folders of paths that belong to a person's or a build machine, not to a box.
const FOLDERS: [&str; 4] = ["home", "root", "work", "Users"];

fn check(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &house.files {
        for (index, line) in file.text.lines().enumerate() {
            let named = FOLDERS.iter().find(|folder| names_folder(line, folder));
            findings.extend(
                named.map(|folder| {
                    Finding::new(&file.path, index + 1, format!("names a path below /{folder}"))
                }),
            );
        }
    }
    findings
}

/// Whether an absolute path through `folder` stands in the line; `a/home/b` and `./home/b` are none.
fn names_folder(line: &str, folder: &str) -> bool {
    line.match_indices(&format!("/{folder}/")).any(|(at, _)| {
        let before = line.get(..at).unwrap_or_default().chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "._-/}~*)".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::super::house::example::files;
    use super::*;

    #[test]
    fn only_absolute_paths_count() {
        let path = |folder: &str| format!("cd /{folder}/me");
        for folder in FOLDERS {
            let text = format!("first line\n{}", path(folder));
            let findings = check(&files(&[("scripts/setup", text.as_str())]));
            assert_eq!(findings.iter().map(|finding| finding.line).collect::<Vec<_>>(), [2], "{folder}");
        }
        for fine in
            ["src/home/mod.rs", "./work/x", "${DIR}/work/x", "/homework/x", "https://example.org/root/x"]
        {
            assert_eq!(check(&files(&[("scripts/setup", fine)])), [], "{fine}");
        }
    }
}
