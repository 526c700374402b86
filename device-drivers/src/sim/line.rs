//! A serial line without a cable: a pseudo-terminal under a name that stays, as `/dev/serial/by-id` has them.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use tokio::io::AsyncWriteExt as _;
use tokio::net::unix::pipe::Sender;

/// The device's end of a line; the other end is a name in the file system. Dropping it unplugs it.
#[derive(Debug)]
pub(crate) struct VirtualLine {
    master: Sender,
    name: PathBuf,
}

impl VirtualLine {
    /// Plugs a device in under `name`, which must not exist. Must be called within a tokio runtime.
    pub(crate) fn plug(name: &Path) -> io::Result<Self> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        // Raw: no echo, no line editing, and CR stays CR, also before anybody has opened the other end.
        let mut settings = tcgetattr(&master)?;
        settings.make_raw();
        tcsetattr(&master, OptionalActions::Now, &settings)?;
        let flags = rustix::fs::fcntl_getfl(&master)?;
        rustix::fs::fcntl_setfl(&master, flags | OFlags::NONBLOCK)?;
        let other = ptsname(&master, Vec::new())?;
        symlink(other.to_str().map_err(io::Error::other)?, name)?;
        // Not a pipe, but read and written like one.
        Ok(Self { master: Sender::from_file_unchecked(fs::File::from(master))?, name: name.to_owned() })
    }

    /// Sends bytes; waits while the line is full.
    pub(crate) async fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.master.write_all(bytes).await
    }
}

impl Drop for VirtualLine {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = fs::remove_file(&self.name);
    }
}
