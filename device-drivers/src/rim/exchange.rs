//! Both directions of a connection at once.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::Poll;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What went over a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moved {
    /// So many bytes came.
    Read(usize),
    /// So many bytes were taken.
    Written(usize),
}

/// Hands over some of `output`, or reads what is there, whichever can be done first; with nothing to say it only reads.
/// The other side's end is an error. Safe to cancel: a byte that went over was told of.
pub(crate) async fn exchange<S>(stream: &mut S, into: &mut [u8], output: &[u8]) -> io::Result<Moved>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    poll_fn(|context| {
        if !output.is_empty()
            && let Poll::Ready(written) = Pin::new(&mut *stream).poll_write(context, output)
        {
            return Poll::Ready(match written? {
                0 => Err(io::Error::new(io::ErrorKind::WriteZero, "the system takes no more bytes")),
                count => Ok(Moved::Written(count)),
            });
        }
        let mut buffer = ReadBuf::new(into);
        match Pin::new(&mut *stream).poll_read(context, &mut buffer) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) => Poll::Ready(match buffer.filled().len() {
                0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the other side is gone")),
                count => Ok(Moved::Read(count)),
            }),
        }
    })
    .await
}
