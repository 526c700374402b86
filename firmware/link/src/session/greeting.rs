//! How a session begins: hellos, what they prove, and who is refused.

use core::borrow::BorrowMut;

use super::{FIRST_GREETING, Session};
use crate::Micros;
use crate::event::News;
use crate::outbox::Outbox;
use crate::packet::{Hello, Mark, SPOKEN, Versions};
use crate::sending::Stale;
use crate::side::Side;
use crate::stream::StreamId;

impl<S: Side, O: BorrowMut<Outbox<OUT>>, const OUT: usize, const IN: usize> Session<S, O, OUT, IN> {
    pub(super) fn hello(&mut self) -> Hello {
        let outbox = self.sending.outbox();
        Hello {
            versions: SPOKEN,
            answer: self.peer != Some(self.theirs.nonce),
            mark: self.ours,
            echo: self.theirs,
            stream: outbox.stream(),
            first: outbox.first(),
            cursor: self.receiving.cursor().map(|cursor| cursor.stream),
            tidings: self.receiving.tidings(),
        }
    }

    pub(super) fn handle_hello(&mut self, hello: &Hello, now: Micros) {
        self.theirs = hello.mark;
        self.due.hello |= hello.answer;
        if hello.echo == self.ours {
            self.begin(hello, now);
        } else if self.peer == Some(hello.mark.nonce) && hello.echo.nonce == self.ours.nonce {
            // Of the same two boots: within them, where an outbox begins only grows.
            self.adopt(hello);
        }
    }

    /// The other side answered this side's present mark: it is there.
    fn begin(&mut self, hello: &Hello, now: Micros) {
        self.ours.handshake = self.ours.handshake.wrapping_add(1);
        let boot = hello.mark.nonce;
        let another = self.last_peer != Some(boot);
        if let Err(Stale) = self.sending.resume(hello, another) {
            // As if this side had booted anew: the other one may be in a session with this boot already, and then
            // nothing else would make it look at the stream again.
            self.ours = Mark { nonce: self.ours.nonce.wrapping_add(0x9e37_79b9), handshake: 1 };
            self.sending.rename(StreamId(self.ours.nonce));
            self.hang_up(now);
            self.tell(News::OutboxStale);
            return;
        }
        let was_up = self.peer.is_some() && !another;
        let rebooted = another && self.last_peer.is_some();
        (self.peer, self.last_peer, self.refused) = (Some(boot), Some(boot), None);
        (self.heard, self.spoke) = (now, now);
        if !was_up {
            self.tell(News::Up { boot, rebooted });
        }
        self.adopt(hello);
    }

    fn adopt(&mut self, hello: &Hello) {
        if let Some(news) = self.receiving.adopt(hello.stream, hello.first) {
            self.tell(news);
        }
    }

    pub(super) fn hang_up(&mut self, now: Micros) {
        (self.peer, self.datagram_out) = (None, None);
        (self.greet, self.greeting) = (now, FIRST_GREETING);
    }

    pub(super) fn refuse(&mut self, theirs: Versions) {
        if self.refused.replace(theirs) != Some(theirs) {
            self.tell(News::Refused { theirs });
        }
    }
}
