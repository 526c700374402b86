//! Reads HTTP/1.1 replies out of a byte stream, without any input or output of its own.
//!
//! Only what the contestants send is understood: a status line, fields, and a body of `Content-Length` bytes
//! (RFC 9112, sections 4 to 6). Anything else is an error, never a guess.

use std::io;

/// The largest reply that is read, head and body together, in bytes.
pub const MAX_REPLY: usize = 1 << 20;

/// Bytes asked of the socket at a time.
const CHUNK: usize = 16 << 10;

/// A stream of replies.
#[derive(Debug, Default)]
pub struct Replies {
    buffer: Vec<u8>,
    filled: usize,
}

/// The head of a reply that is there as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    head: usize,
    length: usize,
}

impl Replies {
    /// Where the next bytes from the socket go; say how many came with [`Self::advance`].
    pub fn space(&mut self) -> &mut [u8] {
        if self.buffer.len() < self.filled + CHUNK {
            self.buffer.resize(self.filled + CHUNK, 0);
        }
        self.buffer.get_mut(self.filled..).unwrap_or_default()
    }

    /// Counts `bytes` more as read. 0 is an error: the server has closed the connection.
    pub fn advance(&mut self, bytes: usize) -> io::Result<()> {
        if bytes == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection"));
        }
        self.filled = (self.filled + bytes).min(self.buffer.len());
        Ok(())
    }

    /// The reply at the front, once all of it is there.
    ///
    /// # Errors
    /// It is no HTTP/1.1 reply with a length, or longer than [`MAX_REPLY`].
    pub fn whole(&self) -> io::Result<Option<Reply>> {
        let seen = self.buffer.get(..self.filled).unwrap_or_default();
        let Some(end) = seen.windows(4).position(|four| four == b"\r\n\r\n") else {
            return if seen.len() > MAX_REPLY { Err(invalid("the head has no end")) } else { Ok(None) };
        };
        let reply = parse_head(seen.get(..end).unwrap_or_default(), end + 4)?;
        let total = reply.head.saturating_add(reply.length);
        if total > MAX_REPLY {
            return Err(invalid("the reply is longer than 1 MiB"));
        }
        Ok((seen.len() >= total).then_some(reply))
    }

    /// The body of the reply at the front.
    pub fn body(&self, reply: Reply) -> &[u8] {
        self.buffer.get(reply.head..reply.head + reply.length).unwrap_or_default()
    }

    /// Forgets the reply at the front.
    pub fn consume(&mut self, reply: Reply) {
        let total = (reply.head + reply.length).min(self.filled);
        self.buffer.copy_within(total..self.filled, 0);
        self.filled -= total;
    }
}

fn parse_head(head: &[u8], length_of_head: usize) -> io::Result<Reply> {
    let text = std::str::from_utf8(head).map_err(|_| invalid("the head is not text"))?;
    let mut lines = text.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.strip_prefix("HTTP/1.1 "))
        .and_then(|rest| rest.get(..3))
        .and_then(|code| code.parse().ok())
        .ok_or_else(|| invalid("no HTTP/1.1 status line"))?;
    let mut length = None;
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok();
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            return Err(invalid("a transfer coding: the bench reads replies with a length only"));
        }
    }
    let length = length.ok_or_else(|| invalid("no Content-Length"))?;
    Ok(Reply { status, head: length_of_head, length })
}

fn invalid(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(replies: &mut Replies, bytes: &[u8]) {
        replies.space()[..bytes.len()].copy_from_slice(bytes);
        replies.advance(bytes.len()).unwrap();
    }

    #[test]
    fn a_reply_cut_anywhere_is_read_whole() {
        let wire = b"HTTP/1.1 201 Created\r\ncontent-type: x\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
        let first = wire.len() - b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".len();
        for cut in 0..first {
            let mut replies = Replies::default();
            if cut > 0 {
                feed(&mut replies, &wire[..cut]);
            }
            assert_eq!(replies.whole().unwrap(), None, "whole after {cut} bytes");
            feed(&mut replies, &wire[cut..]);
            let reply = replies.whole().unwrap().unwrap();
            assert_eq!((reply.status, replies.body(reply)), (201, b"hello".as_slice()));
            replies.consume(reply);
            let reply = replies.whole().unwrap().unwrap();
            assert_eq!((reply.status, replies.body(reply)), (404, b"".as_slice()));
            replies.consume(reply);
            assert_eq!(replies.whole().unwrap(), None);
        }
    }

    #[test]
    fn what_has_no_length_is_refused() {
        for wire in [
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n",
        ] {
            let mut replies = Replies::default();
            feed(&mut replies, wire.as_bytes());
            assert!(replies.whole().is_err(), "{wire:?} was accepted");
        }
        assert!(Replies::default().advance(0).is_err());
    }
}
