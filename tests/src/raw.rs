//! Bytes as they are, for requests that no proper client sends.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::client::Reply;

/// No answer may take longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection.
///
/// # Panics
/// If nobody listens.
#[must_use]
pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Sends bytes and reads until the other side closes; `None`: it closed without a word.
///
/// # Panics
/// If it neither answers nor closes in time, or answers with something else than HTTP.
pub fn say(address: SocketAddr, bytes: &[u8]) -> Option<Reply> {
    let mut stream = connect(address);
    // It may have had enough before it has heard all.
    let _ = stream.write_all(bytes);
    let mut heard = Vec::new();
    match stream.read_to_end(&mut heard) {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
        Err(error) => panic!("neither an answer nor an end: {error}"),
    }
    if heard.is_empty() {
        return None;
    }
    let end = heard.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("an answer has a head");
    let head = String::from_utf8_lossy(heard.get(..end).unwrap_or_default()).into_owned();
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
    let headers = lines.filter_map(|line| line.split_once(':'));
    Some(Reply {
        status: status.expect("an answer has a status"),
        headers: headers.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned())).collect(),
        body: heard.get(end + 4..).unwrap_or_default().to_vec(),
    })
}
