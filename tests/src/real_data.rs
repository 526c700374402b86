//! Real catalogues and sales. They are no part of the repository: `TILLBOX_SHARED` names their folder, else they are
//! looked for beside it.

use std::path::PathBuf;

use crate::place::{repository, skip};

/// A file of real data; `None`, and a printed line, where it is not there.
#[must_use]
pub fn find(test: &str, file: &str) -> Option<PathBuf> {
    let named = std::env::var_os("TILLBOX_SHARED").map(PathBuf::from);
    let path = named.unwrap_or_else(|| repository().join("../shared/data")).join(file);
    if path.is_file() {
        return Some(path);
    }
    skip(test, &format!("{} is not there; name its folder by TILLBOX_SHARED", path.display()));
    None
}
