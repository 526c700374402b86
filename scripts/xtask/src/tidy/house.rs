//! The workspace as the rules see it: its crates (from `cargo metadata`) and its files (from `git ls-files`).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::source;

/// Folders whose crates check and measure the product but are no part of it.
const AROUND_THE_PRODUCT: [&str; 3] = ["tests", "scripts", "hil-tests"];

/// Files longer than this are data, not text; bytes.
const LONGEST_TEXT: u64 = 1 << 20;

/// Crates and files of the repository.
pub(super) struct House {
    pub(super) packages: Vec<Package>,
    pub(super) files: Vec<File>,
}

/// A crate of the workspace.
pub(super) struct Package {
    pub(super) name: String,
    /// Its folder from the repository's root, without a slash at the end; empty for the root.
    pub(super) folder: String,
    /// The crates that its Cargo.toml names, of every kind, by the name they have in the registry.
    pub(super) dependencies: Vec<String>,
}

impl Package {
    /// Whether it is shipped (or linked into what is shipped).
    pub(super) fn is_product(&self) -> bool {
        let top = self.folder.split('/').next().unwrap_or_default();
        !AROUND_THE_PRODUCT.contains(&top)
    }

    pub(super) fn manifest(&self) -> String {
        join(&self.folder, "Cargo.toml")
    }
}

/// A text file that is, or would be, in the repository.
pub(super) struct File {
    /// From the repository's root, with `/`.
    pub(super) path: String,
    pub(super) text: String,
    /// For Rust: the text with comments, strings and test code blanked out, line for line; else empty.
    pub(super) code: String,
    /// Rust that is compiled for tests, benches or examples only.
    pub(super) is_test: bool,
}

impl File {
    pub(super) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// The path's last part.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

/// Why the workspace could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum HouseError {
    #[error("cannot run `{command}`: {source}; install it, or run this inside the repository")]
    Start { command: String, source: std::io::Error },
    #[error("`{command}` failed: {message}; put that right first")]
    Failed { command: String, message: String },
    #[error("`cargo metadata` wrote what this program does not understand ({0}); update scripts/xtask")]
    Metadata(&'static str),
    #[error("cannot read {path}: {source}")]
    Read { path: PathBuf, source: std::io::Error },
}

impl House {
    /// Reads the workspace that the current directory belongs to.
    pub(super) fn read() -> Result<Self, HouseError> {
        let metadata = output("cargo", &["metadata", "--no-deps", "--format-version", "1"], None)?;
        let metadata: Value =
            serde_json::from_slice(&metadata).map_err(|_| HouseError::Metadata("no JSON"))?;
        let root = metadata.get("workspace_root").and_then(Value::as_str);
        let root = Path::new(root.ok_or(HouseError::Metadata("no workspace_root"))?);
        let packages = packages(&metadata, root)?;
        let listing = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
        let listing = output("git", &listing, Some(root))?;
        let paths: BTreeSet<_> = String::from_utf8_lossy(&listing)
            .split('\0')
            .filter(|path| !path.is_empty())
            .map(str::to_owned)
            .collect();
        let mut texts = Vec::new();
        for path in paths {
            let full = root.join(&path);
            // Deleted but still in the index, a symbolic link, or data.
            let is_text =
                full.symlink_metadata().is_ok_and(|data| data.is_file() && data.len() <= LONGEST_TEXT);
            if is_text {
                let bytes = std::fs::read(&full).map_err(|source| HouseError::Read { path: full, source })?;
                texts.extend(String::from_utf8(bytes).map(|text| (path, text)));
            }
        }
        Ok(Self::of(packages, texts))
    }

    /// Puts a house together from its parts.
    pub(super) fn of(packages: Vec<Package>, texts: Vec<(String, String)>) -> Self {
        let mut files: Vec<File> = texts
            .into_iter()
            .map(|(path, text)| {
                let code = if path.ends_with(".rs") { source::code(&text) } else { String::new() };
                File { path, text, code, is_test: false }
            })
            .collect();
        let test_modules: Vec<String> =
            files.iter().filter(|file| file.is_rust()).flat_map(test_modules).collect();
        let mut house = Self { packages, files: Vec::new() };
        for file in &mut files {
            let in_test_module = test_modules.iter().any(|module| {
                file.path == format!("{module}.rs") || file.path.starts_with(&format!("{module}/"))
            });
            file.is_test = file.is_rust() && (in_test_module || house.is_test_target(&file.path));
            if file.is_test {
                file.code = source::blank_all(&file.code);
            }
        }
        house.files = files;
        house
    }

    /// The crate that a file belongs to: the one whose folder is the longest that holds it.
    pub(super) fn package_of(&self, path: &str) -> Option<&Package> {
        self.packages
            .iter()
            .filter(|package| inside(path, &package.folder).is_some())
            .max_by_key(|package| package.folder.len())
    }

    /// Rust files of shipped crates, each with its crate.
    pub(super) fn product_sources(&self) -> impl Iterator<Item = (&File, &Package)> {
        let sources = self.files.iter().filter(|file| file.is_rust() && !file.is_test);
        sources.filter_map(|file| {
            let package = self.package_of(&file.path).filter(|package| package.is_product())?;
            Some((file, package))
        })
    }

    fn is_test_target(&self, path: &str) -> bool {
        let within = self.package_of(path).and_then(|package| inside(path, &package.folder));
        let top = within.and_then(|within| within.split_once('/')).map(|(top, _)| top);
        matches!(top, Some("tests" | "benches" | "examples"))
    }
}

/// The part of `path` below `folder`.
pub(super) fn inside<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    if folder.is_empty() { Some(path) } else { path.strip_prefix(folder)?.strip_prefix('/') }
}

/// Where the modules lie that a file declares for tests only, without `.rs`.
fn test_modules(file: &File) -> Vec<String> {
    let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
    let folder = match name {
        "mod.rs" | "lib.rs" | "main.rs" => folder.to_owned(),
        _ => join(folder, name.trim_end_matches(".rs")),
    };
    source::test_modules(&file.text).into_iter().map(|module| join(&folder, &module)).collect()
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

fn packages(metadata: &Value, root: &Path) -> Result<Vec<Package>, HouseError> {
    let list =
        metadata.get("packages").and_then(Value::as_array).ok_or(HouseError::Metadata("no packages"))?;
    let package = |value: &Value| {
        let folder = Path::new(value.get("manifest_path")?.as_str()?).parent()?.strip_prefix(root).ok()?;
        let dependencies = value.get("dependencies")?.as_array()?;
        Some(Package {
            name: value.get("name")?.as_str()?.to_owned(),
            folder: folder.to_str()?.to_owned(),
            dependencies: dependencies
                .iter()
                .filter_map(|dependency| dependency.get("name")?.as_str().map(str::to_owned))
                .collect(),
        })
    };
    list.iter().map(|value| package(value).ok_or(HouseError::Metadata("a package"))).collect()
}

fn output(program: &str, arguments: &[&str], folder: Option<&Path>) -> Result<Vec<u8>, HouseError> {
    let command = format!("{program} {}", arguments.join(" "));
    let mut process = Command::new(program);
    process.args(arguments);
    if let Some(folder) = folder {
        process.current_dir(folder);
    }
    let output = process.output().map_err(|source| HouseError::Start { command: command.clone(), source })?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(HouseError::Failed { command, message });
    }
    Ok(output.stdout)
}

#[cfg(test)]
pub(super) mod example {
    //! Small houses for the tests of the rules.

    use super::*;

    /// A house of crates `(name, folder, dependencies)` and files `(path, text)`.
    pub(crate) fn house(packages: &[(&str, &str, &[&str])], files: &[(&str, &str)]) -> House {
        let packages = packages.iter().map(|(name, folder, dependencies)| Package {
            name: (*name).to_owned(),
            folder: (*folder).to_owned(),
            dependencies: dependencies.iter().map(|name| (*name).to_owned()).collect(),
        });
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
        House::of(packages.collect(), files.collect())
    }

    /// A house with one product crate, `edge-daemon`, the pure crate inside it, and the given files.
    pub(crate) fn files(files: &[(&str, &str)]) -> House {
        house(
            &[
                ("edge-daemon", "edge-daemon", &["pos-domain"]),
                ("pos-domain", "edge-daemon/domain", &[]),
                ("xtask", "scripts/xtask", &[]),
            ],
            files,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::example::files;
    use super::*;

    #[test]
    fn a_file_belongs_to_the_innermost_crate() {
        let house = files(&[]);
        let owner = |path| house.package_of(path).map(|package| package.name.as_str());
        assert_eq!(owner("edge-daemon/src/main.rs"), Some("edge-daemon"));
        assert_eq!(owner("edge-daemon/domain/src/lib.rs"), Some("pos-domain"));
        assert_eq!(owner("edge-daemon-x/src/lib.rs"), None);
        assert!(!house.package_of("scripts/xtask/src/main.rs").unwrap().is_product());
    }

    #[test]
    fn test_code_is_found_by_declaration_and_by_folder() {
        let house = files(&[
            ("edge-daemon/src/main.rs", "#[cfg(test)]\nmod checks;\nmod sale;"),
            ("edge-daemon/src/checks.rs", "fn a() {}"),
            ("edge-daemon/src/checks/deep.rs", "fn a() {}"),
            ("edge-daemon/src/sale.rs", "#[cfg(test)]\nmod tests;\nfn a() {}"),
            ("edge-daemon/src/sale/tests.rs", "fn a() {}"),
            ("edge-daemon/src/sale/line.rs", "fn a() {}"),
            ("edge-daemon/tests/http.rs", "fn a() {}"),
        ]);
        let tests: Vec<_> =
            house.files.iter().filter(|file| file.is_test).map(|file| file.path.as_str()).collect();
        let expected = ["src/checks.rs", "src/checks/deep.rs", "src/sale/tests.rs", "tests/http.rs"];
        assert_eq!(tests, expected.map(|path| format!("edge-daemon/{path}")));
        assert_eq!(house.product_sources().count(), 3);
    }

    #[test]
    fn this_workspace_can_be_read() {
        let house = House::read().unwrap();
        assert!(house.packages.iter().any(|package| package.folder == "scripts/xtask"));
        assert!(house.files.iter().any(|file| file.path == "scripts/xtask/src/tidy/house.rs"));
    }
}
