//! TCP to a device that speaks raw bytes, such as a printer on port 9100.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

/// Connects within `patience`; taking longer is an error of kind `TimedOut`.
pub(crate) async fn connect(address: SocketAddr, patience: Duration) -> io::Result<TcpStream> {
    let connecting = timeout(patience, TcpStream::connect(address)).await;
    let stream = connecting.map_err(|_| {
        io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {} ms", patience.as_millis()))
    })??;
    stream.set_nodelay(true)?;
    Ok(stream)
}
