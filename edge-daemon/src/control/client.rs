//! The command line's end of the socket.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;
use tokio::io::{AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use super::{Reply, Request, server, wire};

/// The daemon cannot be asked.
#[derive(Debug, Error)]
pub enum ClientError {
    /// Nobody listens.
    #[error("no edge-daemon answers at {path}: {error}")]
    Absent {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// It went away, or speaks another language.
    #[error("the connection to the edge-daemon broke: {0}; look at its log, then ask again")]
    Broken(#[from] io::Error),
}

/// A connection to the daemon that has a data directory.
#[derive(Debug)]
pub struct Client {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// [`ClientError::Absent`].
    pub async fn connect(root: &Path) -> Result<Self, ClientError> {
        let path = root.join("control.sock");
        let stream = async {
            let (reachable, _folder) = server::reachable(&path)?;
            UnixStream::connect(reachable).await
        };
        let (reader, writer) =
            stream.await.map_err(|error| ClientError::Absent { path, error })?.into_split();
        Ok(Self { reader: BufReader::new(reader), writer })
    }

    /// Asks, hands `content` over, and hears everything that is answered; the last reply is returned.
    ///
    /// # Errors
    /// [`ClientError::Broken`]; then whether it was done is not known.
    pub async fn ask(
        mut self,
        request: &Request,
        content: &[u8],
        mut hear: impl FnMut(Reply),
    ) -> Result<Reply, ClientError> {
        wire::write(&mut self.writer, request).await?;
        // A daemon that refuses closes before it has read all: what it said matters more than the failed write.
        let sent = self.writer.write_all(content).await;
        loop {
            match wire::read::<Reply>(&mut self.reader).await {
                Ok(Some(reply)) if reply.is_last() => return Ok(reply),
                Ok(Some(reply)) => hear(reply),
                Ok(None) => {
                    sent?;
                    return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
                }
                Err(error) => {
                    sent?;
                    return Err(error.into());
                }
            }
        }
    }
}
