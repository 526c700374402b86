//! The demo's folder.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::{CONFIG, CONFIG_NAME};

/// The folder cannot be made.
#[derive(Debug, Error)]
#[error("cannot use {path} for the demo: {error}; name another folder by --data")]
pub struct DemoError {
    path: PathBuf,
    error: io::Error,
}

/// A folder with a demo's configuration in it; the data lies beside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The folder.
    pub dir: PathBuf,
    /// The configuration's file.
    pub config: PathBuf,
}

impl Place {
    /// Uses a folder, made if need be. A configuration that is there stays, so that it can be played with.
    ///
    /// # Errors
    /// [`DemoError`].
    pub fn at(dir: &Path) -> Result<Self, DemoError> {
        let wrong = |error| DemoError { path: dir.to_owned(), error };
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(wrong)?;
        let dir = dir.canonicalize().map_err(wrong)?;
        let config = dir.join(CONFIG_NAME);
        if !config.exists() {
            fs::write(&config, CONFIG).map_err(|error| DemoError { path: config.clone(), error })?;
        }
        Ok(Self { dir, config })
    }

    /// A new folder among the temporary files. It is not removed at the end.
    ///
    /// # Errors
    /// [`DemoError`].
    pub fn temporary() -> Result<Self, DemoError> {
        let base = std::env::temp_dir().join(format!("tillbox-demo-{}", std::process::id()));
        let mut number = 0;
        loop {
            let dir = if number == 0 { base.clone() } else { base.with_extension(number.to_string()) };
            match DirBuilder::new().mode(0o700).create(&dir) {
                Ok(()) => return Self::at(&dir),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(DemoError { path: dir, error }),
            }
        }
    }
}
