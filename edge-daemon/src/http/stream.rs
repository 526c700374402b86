//! Bodies that are made while they are sent: a bounded channel, so that a slow client slows its maker down and not
//! the memory up.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use hyper::body::{Body as HttpBody, Frame};
use tokio::sync::mpsc;

/// Pieces that may wait for the client.
const WAITING: usize = 16;

/// The making end and the body. The body ends, well or ill, with what the maker sent last.
pub(super) fn channel() -> (mpsc::Sender<Piece>, Body) {
    let (sender, receiver) = mpsc::channel(WAITING);
    (sender, Body::new(Pieces(receiver)))
}

/// A piece of a body, or the news that it cannot be finished: the client sees a body cut short.
pub(super) type Piece = Result<Bytes, CutShort>;

/// The body could not be finished.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the reply was cut short: {0}")]
pub(super) struct CutShort(pub(super) String);

struct Pieces(mpsc::Receiver<Piece>);

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = CutShort;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CutShort>>> {
        self.0.poll_recv(cx).map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}
