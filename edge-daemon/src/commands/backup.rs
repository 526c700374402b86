//! `backup`

use std::path::{Path, PathBuf};

use super::bar::Bar;
use super::failure::{Code, Failure};
use super::{Place, data_dir, small_runtime};
use crate::backup::{self, Saved};
use crate::control::{Client, Reply, Request};
use crate::lock::{self, LockError};

pub(super) fn backup(place: &Place, to: &Path, keys: Option<&Path>) -> Result<(), Failure> {
    let dir = data_dir(place)?;
    if !dir.join("journal").is_dir() {
        let what = format!("{} holds no journal", dir.display());
        return Err(Failure::new(
            Code::Failed,
            what,
            "name the data directory by --data, or its file by --config",
        ));
    }
    let mut bar = Bar::new();
    let saved = match lock::take(&dir) {
        Err(LockError::Taken { .. }) => ask(&dir, to, keys, &mut bar)?,
        Err(error) => return Err(error.into()),
        Ok(_lock) => backup::save(&dir, to, keys, None, &mut |progress| bar.show(&progress))?,
    };
    drop(bar);
    println!("{} records up to {} are in {}", saved.records, saved.position, to.display());
    match (keys, saved.keys) {
        (Some(file), true) => println!("the persons' keys are in {}; keep it elsewhere", file.display()),
        (Some(_), false) => println!("there are no persons' keys yet"),
        (None, _) => println!("without --keys: after a restore on another box, no customer can be read"),
    }
    Ok(())
}

/// The daemon makes it. Paths are made absolute: it works in another directory.
fn ask(dir: &Path, to: &Path, keys: Option<&Path>, bar: &mut Bar) -> Result<Saved, Failure> {
    let absolute = |path: &Path| -> Result<PathBuf, Failure> {
        std::path::absolute(path).map_err(|error| Failure::new(Code::Failed, error, "give an absolute path"))
    };
    let request = Request::Backup { to: absolute(to)?, keys: keys.map(absolute).transpose()? };
    let last = small_runtime()?.block_on(async {
        let hear = |reply| {
            if let Reply::Progress(progress) = reply {
                bar.show(&progress);
            }
        };
        Client::connect(dir).await?.ask(&request, &[], hear).await
    })?;
    match last {
        Reply::Saved(saved) => Ok(saved),
        Reply::Failed(failed) => {
            Err(Failure::new(Code::Failed, failed.what, "mend that, then repeat the command"))
        }
        other => {
            Err(Failure::new(Code::Failed, format!("unexpected answer {other:?}"), "use the same version"))
        }
    }
}
