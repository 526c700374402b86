//! Packets: the contents of frames.
//!
//! The first byte is the packet's number, with the highest bit set if the host sent it: what comes back by a wire
//! that is joined to itself, or by a line that echoes, is known by it.
//!
//! | packet | number | fields |
//! |---|---|---|
//! | hello | 01 | u8 lowest version, u8 highest version, u8 flags, mark, echoed mark, u32 stream, u32 first, u32 cursor's stream, tidings |
//! | refusal | 02 | u8 lowest version, u8 highest version |
//! | tidings | 03 | u32 tag, tidings |
//! | messages | 04 | u32 tag, tidings, u32 number of the first, each message behind a byte with its length |
//! | datagram | 05 | u32 tag, tidings, a message |
//!
//! | field | what |
//! |---|---|
//! | mark | u32 nonce of the boot, u16 handshake; zeros while none is known |
//! | tidings | u32 accepted, u16 received beyond that, u16 window: bytes that there is room for |
//! | flags | bit 0: a hello is wanted in answer; bit 1: there is a cursor |
//! | stream, first | the sender's stream, and the first number that its outbox has or would have |
//! | tag | the controller's nonce turned by 16 bits, xor the host's: what is from before a reboot has another |
//!
//! The first three bytes of a hello, and the refusal, are the same in all versions, for ever. The hello settles the version;
//! nothing else says it.

use crate::field::{Bytes, Fields, Writer};
use crate::frame::LONGEST_CONTENT;
use crate::stream::{Cursor, StreamId};

/// Which end of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The box.
    Host,
    /// A scanner or a drawer.
    Controller,
}

/// The versions of the protocol that a side speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versions {
    /// The lowest.
    pub lowest: u8,
    /// The highest.
    pub highest: u8,
}

/// A handshake of a boot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) nonce: u32,
    pub(crate) handshake: u16,
}

/// How far a receiver is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tidings {
    /// Its application accepted up to this number.
    pub(crate) accepted: u32,
    /// So many more were received.
    pub(crate) ahead: u16,
    /// There is room for so many bytes beyond those.
    pub(crate) window: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hello {
    pub(crate) versions: Versions,
    pub(crate) answer: bool,
    pub(crate) mark: Mark,
    pub(crate) echo: Mark,
    pub(crate) stream: StreamId,
    pub(crate) first: u32,
    /// What the sender received, of the stream that its cursor is of.
    pub(crate) cursor: Option<StreamId>,
    pub(crate) tidings: Tidings,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packet<'a> {
    Hello(Hello),
    /// Of a hello whose versions this side does not speak, only they are read.
    Refusal(Versions),
    Session(u32, Tidings, Cargo<'a>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cargo<'a> {
    Nothing,
    Messages(u32, &'a [u8]),
    Datagram(&'a [u8]),
}

/// Why a packet is not for this side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotForUs {
    Echo,
    Malformed,
    /// A hello of versions that have nothing in common with ours.
    Foreign(Versions),
}

/// The bytes in front of messages.
const HEAD: usize = 17;

/// As many bytes of messages go into one packet.
pub(crate) const MOST_CARGO: usize = LONGEST_CONTENT - HEAD;

/// The versions that this code speaks.
pub const SPOKEN: Versions = Versions { lowest: 1, highest: 1 };

impl Versions {
    /// The highest that both speak.
    #[must_use]
    pub fn common(self, other: Self) -> Option<u8> {
        let highest = self.highest.min(other.highest);
        (highest >= self.lowest.max(other.lowest)).then_some(highest)
    }

    fn read(from: &mut Fields<'_>) -> Option<Self> {
        Some(Self { lowest: from.u8()?, highest: from.u8()? })
    }

    fn write(self, to: Writer) -> Writer {
        to.u8(self.lowest).u8(self.highest)
    }
}

impl Role {
    fn bit(self) -> u8 {
        match self {
            Self::Host => 0x80,
            Self::Controller => 0,
        }
    }

    /// The tag of the session between two boots.
    pub(crate) fn tag(self, ours: u32, theirs: u32) -> u32 {
        let (host, controller) = match self {
            Self::Host => (ours, theirs),
            Self::Controller => (theirs, ours),
        };
        controller.rotate_left(16) ^ host
    }

    /// The packet that came, sent by the other role.
    pub(crate) fn read(self, content: &[u8]) -> Result<Packet<'_>, NotForUs> {
        let Some((number, fields)) = content.split_first() else { return Err(NotForUs::Malformed) };
        if number & 0x80 == self.bit() {
            return Err(NotForUs::Echo);
        }
        let fields = Fields(fields);
        let packet = match number & 0x7f {
            0x01 => return Hello::read(fields),
            0x02 => Versions::read(&mut { fields }).map(Packet::Refusal),
            number => session(number, fields),
        };
        packet.ok_or(NotForUs::Malformed)
    }

    pub(crate) fn hello(self, hello: &Hello) -> Bytes {
        let flags = u8::from(hello.answer) | u8::from(hello.cursor.is_some()) << 1;
        let to = hello.versions.write(Writer::default().u8(self.bit() | 0x01)).u8(flags);
        let to = hello.echo.write(hello.mark.write(to)).u32(hello.stream.0).u32(hello.first);
        hello.tidings.write(to.u32(hello.cursor.map_or(0, |stream| stream.0))).0
    }

    pub(crate) fn refusal(self, versions: Versions) -> Bytes {
        versions.write(Writer::default().u8(self.bit() | 0x02)).0
    }

    /// What stands in front of the cargo's bytes.
    pub(crate) fn head(self, tag: u32, tidings: Tidings, cargo: Cargo<'_>) -> Bytes {
        let number = match cargo {
            Cargo::Nothing => 0x03,
            Cargo::Messages(..) => 0x04,
            Cargo::Datagram(_) => 0x05,
        };
        let to = tidings.write(Writer::default().u8(self.bit() | number).u32(tag));
        match cargo {
            Cargo::Messages(first, _) => to.u32(first).0,
            Cargo::Nothing | Cargo::Datagram(_) => to.0,
        }
    }
}

fn session(number: u8, mut from: Fields<'_>) -> Option<Packet<'_>> {
    let (tag, tidings) = (from.u32()?, Tidings::read(&mut from)?);
    let cargo = match number {
        0x03 => Cargo::Nothing,
        0x04 => Cargo::Messages(from.u32()?, from.0),
        0x05 => Cargo::Datagram(from.0),
        _ => return None,
    };
    Some(Packet::Session(tag, tidings, cargo))
}

impl Hello {
    fn read(mut from: Fields<'_>) -> Result<Packet<'_>, NotForUs> {
        let versions = Versions::read(&mut from).ok_or(NotForUs::Malformed)?;
        if SPOKEN.common(versions).is_none() {
            return Err(NotForUs::Foreign(versions));
        }
        Self::rest(versions, from).map(Packet::Hello).ok_or(NotForUs::Malformed)
    }

    fn rest(versions: Versions, mut from: Fields<'_>) -> Option<Self> {
        let flags = from.u8()?;
        let (mark, echo) = (Mark::read(&mut from)?, Mark::read(&mut from)?);
        let (stream, first, cursor) = (StreamId(from.u32()?), from.u32()?, StreamId(from.u32()?));
        let cursor = (flags & 2 != 0).then_some(cursor);
        let tidings = Tidings::read(&mut from)?;
        Some(Self { versions, answer: flags & 1 != 0, mark, echo, stream, first, cursor, tidings })
    }

    /// How far the other side's application accepted that stream, and the last number that it received.
    pub(crate) fn received(&self, stream: StreamId) -> Option<(u32, u32)> {
        (self.cursor == Some(stream)).then_some((self.tidings.accepted, self.tidings.received()))
    }
}

impl Mark {
    fn read(from: &mut Fields<'_>) -> Option<Self> {
        Some(Self { nonce: from.u32()?, handshake: from.u16()? })
    }

    fn write(self, to: Writer) -> Writer {
        to.u32(self.nonce).u16(self.handshake)
    }
}

impl Tidings {
    pub(crate) fn of(cursor: Cursor, received: u32, room: usize) -> Self {
        let ahead = u16::try_from(received.saturating_sub(cursor.accepted)).unwrap_or(u16::MAX);
        Self { accepted: cursor.accepted, ahead, window: u16::try_from(room).unwrap_or(u16::MAX) }
    }

    /// The last number that was received.
    pub(crate) fn received(&self) -> u32 {
        self.accepted.saturating_add(self.ahead.into())
    }

    fn read(from: &mut Fields<'_>) -> Option<Self> {
        Some(Self { accepted: from.u32()?, ahead: from.u16()?, window: from.u16()? })
    }

    fn write(self, to: Writer) -> Writer {
        to.u32(self.accepted).u16(self.ahead).u16(self.window)
    }
}

#[cfg(test)]
mod tests;
