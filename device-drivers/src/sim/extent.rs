//! How long an ESC/POS command is, judged by its first bytes.

/// What the first bytes of a command say about its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// Not enough bytes to tell.
    Unknown,
    /// So many bytes in all.
    Bytes(usize),
}

use Extent::{Bytes, Unknown};

/// Bytes across, and rows, that a picture of `GS v 0` has at most: some 2,000 by 4,000 dots.
const ACROSS_MAX: usize = 255;
const ROWS_MAX: usize = 4095;
/// Cells of eight by eight dots that a downloaded picture has at most, by Epson's guide.
const DOWNLOAD_MAX: usize = 1536;

/// The extent of the command that starts with these bytes. A byte that starts no command is one by itself.
/// Commands that this table does not have are taken to be two bytes long.
pub(super) fn extent(start: &[u8]) -> Extent {
    match start {
        [] | [0x1b | 0x1c | 0x1d | 0x10] => Unknown,
        [0x1b, rest @ ..] => escape(rest),
        [0x1c, rest @ ..] => field(rest),
        [0x1d, rest @ ..] => group(rest),
        [0x10, 0x04 | 0x05, ..] => Bytes(3),
        [0x10, 0x14, ..] => Bytes(5),
        [0x10, _, ..] => Bytes(2),
        _ => Bytes(1),
    }
}

/// `ESC …`, without its first byte.
fn escape(rest: &[u8]) -> Extent {
    match rest {
        [b'$' | b'\\', ..] => Bytes(4),
        [b'c', ..] => Bytes(4),
        [b'p', ..] => Bytes(5),
        [b'W', ..] => Bytes(10),
        [b'*', mode, low, high, ..] => {
            let rows = if *mode >= 32 { 3 } else { 1 };
            Bytes(5 + rows * word(*low, *high))
        }
        [b'*', ..] => Unknown,
        [b'D', stops @ ..] => ended_by_zero(2, stops, 32),
        [
            b' ' | b'!' | b'%' | b'-' | b'3' | b'=' | b'?' | b'E' | b'G' | b'J' | b'M' | b'R' | b'T' | b'V'
            | b'a' | b'd' | b'e' | b'r' | b't' | b'{',
            ..,
        ] => Bytes(3),
        _ => Bytes(2),
    }
}

/// `FS …`, without its first byte.
fn field(rest: &[u8]) -> Extent {
    match rest {
        [b'!' | b'-' | b'C' | b'W', ..] => Bytes(3),
        [b'S' | b'p', ..] => Bytes(4),
        [b'(', _, low, high, ..] => Bytes(5 + word(*low, *high)),
        [b'(', ..] => Unknown,
        _ => Bytes(2),
    }
}

/// `GS …`, without its first byte.
fn group(rest: &[u8]) -> Extent {
    match rest {
        [b'(', _, low, high, ..] => Bytes(5 + word(*low, *high)),
        [b'8', b'L', a, b, c, d, ..] => {
            let length = usize::try_from(u32::from_le_bytes([*a, *b, *c, *d])).unwrap_or(usize::MAX);
            Bytes(length.saturating_add(7))
        }
        [b'v', b'0', _, x_low, x_high, y_low, y_high, ..] => {
            let (across, rows) = (word(*x_low, *x_high), word(*y_low, *y_high));
            // Beyond what any of them takes, the size is damage: the rest is no picture then.
            if across > ACROSS_MAX || rows > ROWS_MAX { Bytes(8) } else { Bytes(8 + across * rows) }
        }
        [b'*', x, y, ..] => {
            let size = usize::from(*x) * usize::from(*y);
            if size > DOWNLOAD_MAX { Bytes(4) } else { Bytes(4 + size * 8) }
        }
        [b'k', 0..=6, data @ ..] => ended_by_zero(3, data, 255),
        [b'k', _, length, ..] => Bytes(4 + usize::from(*length)),
        [b'V', 65 | 66 | 97 | 98 | 103 | 104, ..] => Bytes(4),
        [b'V', _, ..] => Bytes(3),
        [b'(' | b'8' | b'v' | b'*' | b'k' | b'V', ..] => Unknown,
        [b'$' | b'L' | b'P' | b'W' | b'\\', ..] => Bytes(4),
        [
            b'!' | b'#' | b'/' | b'B' | b'E' | b'H' | b'I' | b'T' | b'a' | b'b' | b'c' | b'f' | b'h' | b'r'
            | b'w',
            ..,
        ] => Bytes(3),
        _ => Bytes(2),
    }
}

/// Data that a zero byte ends, of at most `most` bytes.
fn ended_by_zero(before: usize, data: &[u8], most: usize) -> Extent {
    match data.iter().take(most).position(|byte| *byte == 0) {
        Some(place) => Bytes(before + place + 1),
        None if data.len() >= most => Bytes(before + data.len()),
        None => Unknown,
    }
}

fn word(low: u8, high: u8) -> usize {
    usize::from(u16::from_le_bytes([low, high]))
}
