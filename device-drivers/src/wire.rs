//! A serial line of any machine, as the drivers of scanner, scale and display use it.
//!
//! A driver owns its line and its clock: in firmware a UART and a timer, on Linux a port and tokio, in tests a mock. It
//! needs nothing of the line but `Read` or `Write` of embedded-io-async, and never both at once.
//!
//! A read is dropped when time is over, and a driver may be dropped or cancelled at any place: a line whose reads lose bytes
//! then (one that reads by DMA into the caller's memory) belongs behind a buffer that fills by itself.

use core::future::poll_fn;
use core::pin::pin;
use core::task::Poll;
use core::time::Duration;

use embedded_io_async::{Read, Write};
use thiserror::Error;

/// Why a driver on a serial line has nothing to tell; `E` is the line's own error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WireFault<E> {
    /// The line has an end, and it was reached; a UART has none.
    #[error("the line ended")]
    Ended,
    /// The line failed.
    #[error("the line failed: {0:?}")]
    Failed(E),
    /// Nothing that makes sense came, or nothing was taken. The driver may be called on.
    #[error("silent for {} ms", .waited.as_millis())]
    Silent {
        /// How long was waited.
        waited: Duration,
    },
}

/// What comes of `work`, or nothing if the time is over first. What can be done counts before the time that went by.
pub(crate) async fn before<W: Future>(work: W, over: impl Future<Output = ()>) -> Option<W::Output> {
    let (mut work, mut over) = (pin!(work), pin!(over));
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => over.as_mut().poll(context).map(|()| None),
    })
    .await
}

/// Reads what is there, at least one byte.
pub(crate) async fn read<L: Read>(line: &mut L, into: &mut [u8]) -> Result<usize, WireFault<L::Error>> {
    match line.read(into).await {
        Ok(0) => Err(WireFault::Ended),
        read => read.map_err(WireFault::Failed),
    }
}

/// Hands all bytes over.
pub(crate) async fn write_all<L: Write>(line: &mut L, mut bytes: &[u8]) -> Result<(), WireFault<L::Error>> {
    while !bytes.is_empty() {
        match line.write(bytes).await {
            Ok(0) => return Err(WireFault::Ended),
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(error) => return Err(WireFault::Failed(error)),
        }
    }
    Ok(())
}
