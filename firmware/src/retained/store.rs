//! Records of what is kept, in two places.
//!
//! | bytes | what |
//! |---|---|
//! | 0–3 | `TBX2` |
//! | 4–7 | the record's number; the later one counts |
//! | 8–43 | the counters, in the order of [`ToHost::Counters`](pos_link::ToHost::Counters): u32 each |
//! | 44–53 | the settings, in the order of [`ToController::Configure`](pos_link::ToController::Configure): u32, three u16 |
//! | 54–55 | the lowest cap on pulses, milliseconds; 0: none |
//! | 56 | pulses of the last minute |
//! | 57 | bit 0: there are settings; bit 1: there is a cursor |
//! | 58–65 | the cursor: u32 stream, u32 accepted |
//! | 66–73 | the outbox: u32 stream, u32 first |
//! | 74–75 | bytes of the outbox's messages |
//! | 76–79 | CRC-32C of all before and of the messages |
//! | 80– | the messages |
//!
//! Numbers are little-endian. The head is written last: until then the checksum there is that of other messages.

use pos_link::{Cursor, Outbox, Settings, StreamId, Tally, checksum};

use super::{Memory, OUT, Place, Retained};

pub(super) const HEAD: usize = 80;
const SUMMED: usize = 76;
const MAGIC: [u8; 4] = *b"TBX2";

/// What was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) retained: Retained,
    pub(crate) cursor: Option<Cursor>,
    pub(crate) outbox: Outbox<OUT>,
}

/// Keeps records.
#[derive(Debug)]
pub(crate) struct Store<M> {
    memory: M,
    /// The number of the last record, and where it is.
    last: (u32, Place),
    /// What that record says, but for the messages: those are the same when their numbers are.
    says: Option<Says>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Says {
    retained: Retained,
    cursor: Option<Cursor>,
    stream: StreamId,
    first: u32,
    next: u32,
}

impl<M: Memory> Store<M> {
    /// Takes the memory, and gives what it keeps; `None` after the power was off.
    pub(crate) fn open(memory: M) -> (Self, Option<Kept>) {
        let one = read(&memory, Place::One);
        let other = read(&memory, Place::Other);
        let (last, kept) = match (one, other) {
            (Some((one, _)), Some((other, kept))) if later(other, one) => ((other, Place::Other), Some(kept)),
            (Some((number, kept)), _) => ((number, Place::One), Some(kept)),
            (None, Some((number, kept))) => ((number, Place::Other), Some(kept)),
            (None, None) => ((0, Place::Other), None),
        };
        (Self { memory, last, says: None }, kept)
    }

    pub(crate) fn memory(&mut self) -> &mut M {
        &mut self.memory
    }

    /// Keeps this, if it is not what was kept before. To be called before anything of it is told to anybody.
    pub(crate) fn keep(&mut self, retained: Retained, cursor: Option<Cursor>, outbox: &Outbox<OUT>) {
        let (stream, first, next) = (outbox.stream(), outbox.first(), outbox.next());
        let says = Says { retained, cursor, stream, first, next };
        if self.says == Some(says) {
            return;
        }
        self.says = Some(says);
        let (number, place) = self.last;
        let place = if place == Place::One { Place::Other } else { Place::One };
        self.last = (number.wrapping_add(1), place);
        let messages = outbox.as_bytes();
        let mut head = says.head(self.last.0, messages.len());
        let sum = sum(&head, messages);
        if let Some(at) = head.last_chunk_mut() {
            *at = sum.to_le_bytes();
        }
        self.memory.write(place, HEAD, messages);
        self.memory.write(place, 0, &head);
    }
}

fn later(one: u32, other: u32) -> bool {
    one.wrapping_sub(other) < u32::MAX / 2
}

fn sum(head: &[u8; HEAD], messages: &[u8]) -> u32 {
    // It is not in itself.
    checksum(&[head.get(..SUMMED).unwrap_or_default(), messages])
}

impl Says {
    fn head(&self, number: u32, length: usize) -> [u8; HEAD] {
        let Retained { tally, settings, pulse_cap_ms, recent_pulses } = self.retained;
        let has = u8::from(settings.is_some()) | u8::from(self.cursor.is_some()) << 1;
        let set = settings.unwrap_or_default();
        let cursor = self.cursor.unwrap_or(Cursor { stream: StreamId(0), accepted: 0 });
        let length = u16::try_from(length).unwrap_or(u16::MAX);
        let mut to = Writer { bytes: [0; HEAD], length: 0 };
        to.put(&MAGIC);
        to.put(&number.to_le_bytes());
        tally.fields().iter().for_each(|counter| to.put(&counter.to_le_bytes()));
        to.put(&set.symbologies.to_le_bytes());
        for time in [set.double_read_ms, set.open_too_long_s, set.pulse_cap_ms, pulse_cap_ms] {
            to.put(&time.to_le_bytes());
        }
        to.put(&[recent_pulses, has]);
        for number in [cursor.stream.0, cursor.accepted, self.stream.0, self.first] {
            to.put(&number.to_le_bytes());
        }
        to.put(&length.to_le_bytes());
        to.bytes
    }
}

/// Fields one behind the other.
struct Writer {
    bytes: [u8; HEAD],
    length: usize,
}

impl Writer {
    fn put(&mut self, field: &[u8]) {
        let rest = self.bytes.get_mut(self.length..).unwrap_or_default();
        rest.iter_mut().zip(field).for_each(|(to, from)| *to = *from);
        self.length = self.length.saturating_add(field.len());
    }
}

/// The number of the record in this place, and what it says; `None`: there is none that was ended.
fn read(memory: &impl Memory, place: Place) -> Option<(u32, Kept)> {
    let mut head = [0; HEAD];
    memory.read(place, 0, &mut head);
    let mut from = Reader(head.strip_prefix(&MAGIC)?);
    let number = from.u32()?;
    let mut counters = [0; Tally::FIELDS];
    for counter in &mut counters {
        *counter = from.u32()?;
    }
    let settings = Settings {
        symbologies: from.u32()?,
        double_read_ms: from.u16()?,
        open_too_long_s: from.u16()?,
        pulse_cap_ms: from.u16()?,
    };
    let pulse_cap_ms = from.u16()?;
    let [recent_pulses, has] = from.array()?;
    let cursor = Cursor { stream: StreamId(from.u32()?), accepted: from.u32()? };
    let (stream, first) = (StreamId(from.u32()?), from.u32()?);
    let mut messages = [0; OUT];
    let messages = messages.get_mut(..usize::from(from.u16()?))?;
    memory.read(place, HEAD, messages);
    if sum(&head, messages) != from.u32()? {
        return None;
    }
    let retained = Retained {
        tally: Tally::of(counters),
        settings: (has & 1 != 0).then_some(settings),
        pulse_cap_ms,
        recent_pulses,
    };
    let cursor = (has & 2 != 0).then_some(cursor);
    let outbox = Outbox::restore(stream, first, messages).ok()?;
    Some((number, Kept { retained, cursor, outbox }))
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*field)
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }
}

#[cfg(test)]
mod tests;
