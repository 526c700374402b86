//! The ways to a printer, and one connection for all of them.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use embedded_io_async::Write as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::exchange::{Moved, exchange};
use super::file::{self, DeviceFile};
use super::serial::{self, Line, Port};
use super::tcp;

/// Where a printer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// On the network, usually port 9100.
    Tcp(SocketAddr),
    /// On a serial line, also one that runs over USB.
    Serial {
        /// Its port, best by its stable name below `/dev/serial/by-id`.
        path: PathBuf,
        /// How the line is set: with XON/XOFF, or else long receipts lose bytes.
        line: Line,
    },
    /// A printer's own device file, such as `/dev/usb/lp0`.
    File(PathBuf),
}

impl From<SocketAddr> for Route {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(address)
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Serial { path, .. } | Self::File(path) => path.display().fmt(f),
        }
    }
}

/// An open connection.
#[derive(Debug)]
pub(crate) enum Link {
    Tcp(TcpStream),
    Serial(Port),
    File(DeviceFile),
}

impl Link {
    /// Connects within `patience`; taking longer is an error of kind `TimedOut`. Must be called within a tokio runtime.
    pub(crate) async fn open(route: &Route, patience: Duration) -> io::Result<Self> {
        match route {
            Route::Tcp(address) => Ok(Self::Tcp(tcp::connect(*address, patience).await?)),
            Route::Serial { path, line } => {
                let mut port = serial::open(path, *line)?;
                // Answers to questions of an earlier connection answer none of this one.
                port.forget()?;
                Ok(Self::Serial(port))
            }
            Route::File(path) => Ok(Self::File(file::open(path)?)),
        }
    }

    /// Says some of `output`, or reads what is there: see [`exchange()`].
    pub(crate) async fn exchange(&mut self, into: &mut [u8], output: &[u8]) -> io::Result<Moved> {
        match self {
            Self::Tcp(stream) => exchange(stream, into, output).await,
            Self::Serial(port) => port.exchange(into, output).await,
            Self::File(file) => file.exchange(into, output).await,
        }
    }

    /// Ends a connection on which all that was written is to arrive, within `patience`.
    ///
    /// Closing a TCP connection with unread answers would reset it and could take bytes from the printer that it has not
    /// read yet: so let it close first. A serial line is closed when it has sent everything.
    pub(crate) async fn finish(mut self, patience: Duration) {
        let mut buffer = [0; 64];
        let ending = async {
            match &mut self {
                Self::Tcp(stream) => {
                    stream.shutdown().await?;
                    while let Moved::Read(_) = exchange(stream, &mut buffer, &[]).await? {}
                    Ok(())
                }
                Self::Serial(port) => port.flush().await,
                Self::File(_) => Ok::<_, io::Error>(()),
            }
        };
        if timeout(patience, ending).await.is_err() {
            self.abandon();
        }
    }

    /// Ends a connection on which nothing more is to arrive. Closing a serial line would wait for what it has not sent.
    pub(crate) fn abandon(mut self) {
        if let Self::Serial(port) = &mut self {
            // The port is gone, or else it is closed a little later.
            let _ = port.discard();
        }
    }
}
