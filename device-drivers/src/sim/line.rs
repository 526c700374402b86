//! A serial line without a cable: a pseudo-terminal under a name that stays, as `/dev/serial/by-id` has them.

use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Action, OptionalActions, tcflow, tcgetattr, tcsetattr};
use tokio::net::unix::pipe::{Receiver, Sender};

/// The device's end of a line; the other end is a name in the file system. Dropping it unplugs it.
#[derive(Debug)]
pub(crate) struct VirtualLine {
    to_other: Sender,
    from_other: Receiver,
    /// Held open, so that a program that closes its end does not end the line for this one.
    other: OwnedFd,
    name: PathBuf,
    plugged: AtomicBool,
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
        let path = ptsname(&master, Vec::new())?;
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let other = rustix::fs::open(path.as_c_str(), flags, Mode::empty())?;
        // Not a pipe, but read and written like two.
        let master = File::from(master);
        let from_other = Receiver::from_file_unchecked(master.try_clone()?)?;
        let to_other = Sender::from_file_unchecked(master)?;
        symlink(path.to_str().map_err(io::Error::other)?, name)?;
        Ok(Self { to_other, from_other, other, name: name.to_owned(), plugged: AtomicBool::new(true) })
    }

    /// Its name.
    pub(crate) fn name(&self) -> &Path {
        &self.name
    }

    /// Reads what was sent to the device. Safe to cancel.
    pub(crate) async fn read(&self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            self.from_other.readable().await?;
            match self.from_other.try_read(into) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return read,
            }
        }
    }

    /// Sends bytes; waits while the line is full.
    pub(crate) async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            self.to_other.writable().await?;
            match self.to_other.try_write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => bytes = bytes.get(written?..).unwrap_or_default(),
            }
        }
        Ok(())
    }

    /// Sends bytes if all that was sent before has been read: a device that talks by itself does not wait for anybody,
    /// and what it said an hour ago is gone.
    pub(crate) async fn offer(&self, bytes: &[u8]) -> io::Result<()> {
        if rustix::io::ioctl_fionread(&self.other)? > 0 {
            return Ok(());
        }
        self.write_all(bytes).await
    }

    /// Lets the other end send nothing, as a device does that does not take anything any more, or lets it again.
    pub(crate) fn hold(&self, held: bool) -> io::Result<()> {
        Ok(tcflow(&self.other, if held { Action::OOff } else { Action::OOn })?)
    }

    /// Takes the name away, once. The other end learns of it when this one is dropped.
    pub(crate) fn unplug(&self) {
        if self.plugged.swap(false, Ordering::Relaxed) {
            // It may be gone already.
            let _ = fs::remove_file(&self.name);
        }
    }
}

impl Drop for VirtualLine {
    fn drop(&mut self) {
        self.unplug();
    }
}
