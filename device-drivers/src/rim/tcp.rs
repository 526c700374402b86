//! TCP to a device that speaks raw bytes, such as a printer on port 9100.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

/// An open connection. Its halves may be used at the same time.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) reader: Reader,
    pub(crate) writer: Writer,
}

/// What the device says.
#[derive(Debug)]
pub(crate) struct Reader(OwnedReadHalf);

/// What is said to the device.
#[derive(Debug)]
pub(crate) struct Writer(OwnedWriteHalf);

/// Connects within `patience`; taking longer is an error of kind `TimedOut`.
pub(crate) async fn connect(address: SocketAddr, patience: Duration) -> io::Result<Connection> {
    let connecting = timeout(patience, TcpStream::connect(address)).await;
    let stream = connecting.map_err(|_| {
        io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {} ms", patience.as_millis()))
    })??;
    stream.set_nodelay(true)?;
    let (reader, writer) = stream.into_split();
    Ok(Connection { reader: Reader(reader), writer: Writer(writer) })
}

impl Reader {
    /// Reads what is there, at least one byte; the other side's end is an error. Safe to cancel.
    pub(crate) async fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.0.read(into).await? {
            0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "closed by the printer")),
            count => Ok(count),
        }
    }
}

impl Writer {
    /// Hands over as many bytes as the system takes and says how many. Safe to cancel.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.write(bytes).await? {
            0 => Err(io::Error::new(io::ErrorKind::WriteZero, "the system takes no more bytes")),
            count => Ok(count),
        }
    }

    /// Tells the other side that nothing follows; what was sent still arrives.
    pub(crate) async fn finish(&mut self) -> io::Result<()> {
        self.0.shutdown().await
    }
}
