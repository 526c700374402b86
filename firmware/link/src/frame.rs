//! Frames: what is written between two zero bytes of a serial line.
//!
//! A frame is its content and a checksum over it, stuffed by COBS (Cheshire and Baker, "Consistent Overhead Byte
//! Stuffing", 1999) so that no zero is left in it, with a zero before and behind. As a frame is shorter than 254 bytes,
//! stuffing adds one byte, always. The zero before it ends whatever garbage stands on the line; two zeros in a row are
//! nothing.
//!
//! ```text
//!  00 | COBS( content 1…210 | CRC-32C of the content, little-endian ) | 00
//! ```
//!
//! CRC-32C (Castagnoli) sees every burst of up to 32 bits and any five flipped bits in up to 5243 (Koopman 2002); a
//! frame has at most 1712. A sum of 16 bits would let one damaged frame in 65 536 pass, and a passed one is a sale of
//! something else. It is computed bit by bit: a table would cost a controller 1 KB of flash and save it 20 µs a frame.

use cobs::{CobsEncoder, DecodeResult, DecoderState};
use crc::{CRC_32_ISCSI, Crc, NoTable};
use heapless::Vec;

/// The longest content of a frame, bytes.
pub const LONGEST_CONTENT: usize = 210;

/// The longest frame on the line, bytes: with its checksum, the byte of COBS and both zeros.
pub const LONGEST_FRAME: usize = LONGEST_CONTENT + CHECKSUM + 3;

const CHECKSUM: usize = 4;
const CRC: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISCSI);

/// The checksum of these bytes, one part behind the other: CRC-32C, as at the end of a frame.
#[must_use]
pub fn checksum(parts: &[&[u8]]) -> u32 {
    let mut sum = CRC.digest();
    parts.iter().for_each(|part| sum.update(part));
    sum.finalize()
}

/// Finds frames among the bytes of a line, and the next one after any garbage.
#[derive(Debug, Default)]
pub struct FrameReader {
    state: DecoderState,
    frame: Vec<u8, { LONGEST_CONTENT + CHECKSUM }>,
    spoilt: bool,
    ended: bool,
    dropped: Dropped,
}

/// What a reader did not take for a frame; each number stays at its end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Runs of bytes that ended where COBS had more to come: torn frames, garbage.
    pub torn: u32,
    /// Runs of bytes longer than any frame.
    pub long: u32,
    /// Frames whose checksum is not that of their content, or that are shorter than one.
    pub damaged: u32,
}

impl FrameReader {
    /// A reader that has heard nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The line's next byte. It may end a frame: its content is given then, without the checksum.
    pub fn take(&mut self, byte: u8) -> Option<&[u8]> {
        if self.ended {
            (self.spoilt, self.ended) = (false, false);
            self.frame.clear();
        }
        self.ended = byte == 0;
        match self.state.feed(byte) {
            Ok(DecodeResult::NoData | DecodeResult::DataStart) => return None,
            Ok(DecodeResult::DataContinue(byte)) => {
                self.spoilt |= self.frame.push(byte).is_err();
                return None;
            }
            Ok(DecodeResult::DataComplete) => {}
            Err(_) => {
                let counted = if self.spoilt { &mut self.dropped.long } else { &mut self.dropped.torn };
                *counted = counted.saturating_add(1);
                return None;
            }
        }
        if self.spoilt {
            self.dropped.long = self.dropped.long.saturating_add(1);
            return None;
        }
        let content = whole(&self.frame);
        if content.is_none() {
            self.dropped.damaged = self.dropped.damaged.saturating_add(1);
        }
        content
    }

    /// What was dropped since it was made.
    #[must_use]
    pub const fn dropped(&self) -> Dropped {
        self.dropped
    }
}

/// The content, if the checksum behind it is its own.
fn whole(frame: &[u8]) -> Option<&[u8]> {
    let (content, checksum) = frame.split_last_chunk::<CHECKSUM>()?;
    let whole = !content.is_empty() && CRC.checksum(content) == u32::from_le_bytes(*checksum);
    whole.then_some(content)
}

/// Writes the frame of a content that is handed over in parts; nothing if it is longer than [`LONGEST_CONTENT`].
pub fn write<'a>(parts: &[&[u8]], into: &'a mut [u8; LONGEST_FRAME]) -> Option<&'a [u8]> {
    let (first, rest) = into.split_first_mut()?;
    *first = 0;
    let mut sum = CRC.digest();
    let mut stuffed = CobsEncoder::new(rest);
    for part in parts {
        sum.update(part);
        stuffed.push(part).ok()?;
    }
    stuffed.push(&sum.finalize().to_le_bytes()).ok()?;
    let end = stuffed.finalize().checked_add(1)?;
    *into.get_mut(end)? = 0;
    into.get(..=end)
}

#[cfg(test)]
mod tests {
    use super::*;

    extern crate std;
    use std::vec::Vec;

    fn framed(content: &[u8]) -> Vec<u8> {
        write(&[content], &mut [0; LONGEST_FRAME]).unwrap().to_vec()
    }

    fn read(reader: &mut FrameReader, bytes: &[u8]) -> Vec<Vec<u8>> {
        bytes.iter().filter_map(|byte| reader.take(*byte).map(<[u8]>::to_vec)).collect()
    }

    #[test]
    fn the_checksum_is_that_of_rfc_3720() {
        // Its appendix B.4, and the check value of the catalogue of Greg Cook.
        assert_eq!(CRC.checksum(&[0; 32]), 0x8a91_36aa);
        assert_eq!(CRC.checksum(&[0xff; 32]), 0x62a8_ab43);
        assert_eq!(CRC.checksum(b"123456789"), 0xe306_9283);
    }

    #[test]
    fn a_frame_is_these_bytes() {
        let frame = framed(&[0x83, 0x00, 0x11]);
        let sum = CRC.checksum(&[0x83, 0x00, 0x11]).to_le_bytes();
        assert_eq!(sum, [0x26, 0x50, 0x58, 0xe3]);
        assert_eq!(frame, [0x00, 0x02, 0x83, 0x06, 0x11, 0x26, 0x50, 0x58, 0xe3, 0x00]);
        assert_eq!(read(&mut FrameReader::new(), &frame), [[0x83, 0x00, 0x11]]);
    }

    #[test]
    fn every_length_comes_back_and_stuffing_costs_one_byte() {
        let mut reader = FrameReader::new();
        for filler in [0, 1, 0xff] {
            for length in 1..=LONGEST_CONTENT {
                let content = std::vec![filler; length];
                let frame = framed(&content);
                assert_eq!(frame.len(), length + CHECKSUM + 3);
                assert!(frame[1..frame.len() - 1].iter().all(|byte| *byte != 0));
                assert_eq!(read(&mut reader, &frame), [content]);
            }
        }
        assert_eq!(reader.dropped(), Dropped::default());
        let too_long = [1; LONGEST_CONTENT + 1];
        assert!(write(&[&too_long], &mut [0; LONGEST_FRAME]).is_none());
    }

    #[test]
    fn the_next_frame_is_read_after_any_garbage() {
        let good = framed(b"scan");
        let torn = &good[..good.len() - 3];
        let cases: [(&[u8], Dropped); 5] = [
            (&[0, 0, 0], Dropped::default()),
            (torn, Dropped { torn: 1, ..Dropped::default() }),
            (&[0xff; 300], Dropped { long: 1, ..Dropped::default() }),
            (&[1; 600], Dropped { long: 1, ..Dropped::default() }),
            (&[2, 7], Dropped { damaged: 1, ..Dropped::default() }),
        ];
        for (garbage, dropped) in cases {
            let mut reader = FrameReader::new();
            assert_eq!(read(&mut reader, garbage), Vec::<Vec<u8>>::new());
            assert_eq!(read(&mut reader, &good), [b"scan"], "after {garbage:?}");
            assert_eq!(reader.dropped(), dropped, "{garbage:?}");
        }
    }

    #[test]
    fn no_flipped_bit_passes() {
        let good = framed(b"]E04006381333931");
        for bit in 8..(good.len() - 1) * 8 {
            let mut frame = good.clone();
            frame[bit / 8] ^= 1 << (bit % 8);
            let mut reader = FrameReader::new();
            assert_eq!(read(&mut reader, &frame), Vec::<Vec<u8>>::new(), "bit {bit}");
            assert_ne!(reader.dropped(), Dropped::default());
        }
    }
}
