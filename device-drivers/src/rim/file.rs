//! A device's own file, such as the one that the system makes for a printer on USB.
//!
//! Unlike elsewhere an empty read is not the end: a USB printer that has nothing to say may well say just that. Its end is
//! an error, at the latest of the next write. A printer that cannot answer at all refuses to be read.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::time::{Instant, sleep_until};

use super::exchange::Moved;

/// How long a device that had nothing to say is left alone.
const PAUSE: Duration = Duration::from_millis(20);

/// An open device file.
#[derive(Debug)]
pub(crate) struct DeviceFile {
    reader: Receiver,
    writer: Sender,
    ear: Ear,
}

/// Whether the device is to be read.
#[derive(Debug, Clone, Copy)]
enum Ear {
    Open,
    ClosedUntil(Instant),
    /// The device cannot say anything.
    Closed,
}

/// Opens the file for reading and writing. It must exist, and be a device.
pub(crate) fn open(path: &Path) -> io::Result<DeviceFile> {
    let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    // Not a pipe, but read and written like two. A file on a disk is refused.
    let reader = Receiver::from_file_unchecked(file.try_clone()?)?;
    Ok(DeviceFile { reader, writer: Sender::from_file_unchecked(file)?, ear: Ear::Open })
}

impl DeviceFile {
    /// Says some of `output`, or reads what is there. Safe to cancel.
    pub(crate) async fn exchange(&mut self, into: &mut [u8], output: &[u8]) -> io::Result<Moved> {
        let Self { reader, writer, ear } = self;
        let saying = async {
            match output {
                [] => std::future::pending().await,
                output => writer.write(output).await.map(Moved::Written),
            }
        };
        let hearing = async {
            loop {
                match *ear {
                    Ear::Closed => std::future::pending().await,
                    Ear::ClosedUntil(at) => sleep_until(at).await,
                    Ear::Open => {}
                }
                *ear = Ear::Open;
                match reader.read(into).await {
                    Ok(0) => *ear = Ear::ClosedUntil(Instant::now() + PAUSE),
                    Ok(count) => return Ok(Moved::Read(count)),
                    Err(error) if error.kind() == io::ErrorKind::InvalidInput => *ear = Ear::Closed,
                    Err(error) => return Err(error),
                }
            }
        };
        tokio::select! {
            biased;
            said = saying => match said? {
                Moved::Written(0) => Err(io::Error::new(io::ErrorKind::WriteZero, "the device takes no more bytes")),
                moved => Ok(moved),
            },
            heard = hearing => heard,
        }
    }
}
