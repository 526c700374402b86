//! A small ext4 file system of its own, in a file: to be filled up, or cut off as by a power cut.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::patience::patiently;
use crate::place::skip;

/// `FS_IOC_SHUTDOWN` with `NOLOGFLUSH`: from now on nothing reaches the disk, and what the file system's own log had not
/// written is gone. By perl, which is on every Debian: an ioctl cannot be had in safe Rust.
const SHUTDOWN: &str = r#"open(my $root, "<", $ARGV[0]) or die "$!"; my $how = pack("L", 2); ioctl($root, 0x8004587d, $how) or die "$!""#;

/// A mounted file system. Unmounted when dropped.
#[derive(Debug)]
pub struct LoopDisk {
    folder: TempDir,
}

impl LoopDisk {
    /// Makes and mounts one; `None`, and a printed line, where this machine does not allow it.
    #[must_use]
    pub fn new(test: &str, mib: u64) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            skip(test, "a file system of its own needs root");
            return None;
        }
        let disk = Self { folder: tempfile::tempdir().ok()? };
        let made = fs::create_dir(disk.path())
            .and_then(|()| fs::File::create(disk.image())?.set_len(mib << 20))
            .map_err(|error| error.to_string())
            .and_then(|()| run("mkfs.ext4", &["-q", "-F", "-m", "0", text(&disk.image())]))
            .and_then(|()| disk.mount());
        match made {
            Ok(()) => Some(disk),
            Err(error) => {
                skip(test, &format!("no loop file system here: {error}"));
                None
            }
        }
    }

    /// Where it is mounted.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    fn image(&self) -> PathBuf {
        self.folder.path().join("image")
    }

    fn mount(&self) -> Result<(), String> {
        run("mount", &["-o", "loop", text(&self.image()), text(&self.path())])
    }

    /// Cuts it off: what was not synced is lost.
    ///
    /// # Panics
    /// If it cannot be cut off.
    pub fn cut(&self) {
        run("perl", &["-e", SHUTDOWN, text(&self.path())]).expect("the file system can be shut down");
    }

    /// Mounts it again, as the next boot would. Nobody may have files open there.
    ///
    /// # Panics
    /// If it does not come back.
    pub fn remount(&self) {
        patiently(Duration::from_secs(20), "nobody uses the file system", || {
            run("umount", &[text(&self.path())]).ok()
        });
        self.mount().expect("the file system can be mounted again");
    }
}

impl Drop for LoopDisk {
    fn drop(&mut self) {
        // Lazily: a test that failed may have left a process there, which is about to be killed.
        let _ = run("umount", &["--lazy", text(&self.path())]);
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("temporary paths are text")
}

fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let path = std::env::var("PATH").unwrap_or_default();
    let output =
        Command::new(program).args(arguments).env("PATH", format!("{path}:/usr/sbin:/sbin")).output();
    let output = output.map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim()))
}
