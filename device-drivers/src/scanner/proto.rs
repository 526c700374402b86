//! What a scanner sends over a serial line, as scans: a state machine without I/O.
//!
//! A scan ends with CR, LF, both, or, for scanners that send the bare data ([`Framing::Idle`]), when nothing more comes
//! for a moment. A symbology identifier in front (`]E0`, `]C1` …) stays in the data: the barcode's reader understands it.
//!
//! | byte | what |
//! |------|------|
//! | 02, 03 (STX, ETX), 00 | framing of some models: dropped |
//! | 0A, 0D | end of a scan |
//! | 1D (GS) | FNC1 within GS1 data: kept |
//! | 20–7E, and valid UTF-8 | data |
//! | all else | the scan is refused |
//!
//! Bounded: a scan of more than [`MAX_SCAN`] bytes is refused up to its end. Half a scan is dropped when nothing comes for
//! [`HALF`]: it would be put in front of the next one.
//!
//! A scan that comes again within the *echo* time is one report sent twice, not two scans: nobody scans so quickly.

use core::time::Duration;
use std::collections::VecDeque;

use crate::moment::Moment;

/// The longest scan, in bytes.
pub const MAX_SCAN: usize = 512;
/// How long half a scan waits for its end.
pub const HALF: Duration = Duration::from_millis(500);
/// Scans that wait to be taken; more are refused.
const MOST_WAITING: usize = 256;

/// How the end of a scan is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// By CR, LF or both.
    Line,
    /// By a pause of this length.
    Idle(Duration),
}

/// What was refused so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Refused {
    /// Too long.
    pub long: u64,
    /// Not text.
    pub garbled: u64,
    /// Without an end.
    pub half: u64,
    /// Sent twice.
    pub echoes: u64,
    /// More than anybody took.
    pub crowded: u64,
}

/// Makes scans of bytes.
#[derive(Debug)]
pub struct ScanReader {
    framing: Framing,
    echo: Duration,
    buffer: Vec<u8>,
    /// The scan at hand is too long already: wait for its end.
    long: bool,
    /// When the last byte came.
    heard: Option<Moment>,
    last: Option<(String, Moment)>,
    scans: VecDeque<String>,
    refused: Refused,
}

impl ScanReader {
    /// A reader of a line that was just opened. `echo` is the time within which the same scan is the same report.
    #[must_use]
    pub fn new(framing: Framing, echo: Duration) -> Self {
        Self {
            framing,
            echo,
            buffer: Vec::new(),
            long: false,
            heard: None,
            last: None,
            scans: VecDeque::new(),
            refused: Refused::default(),
        }
    }

    /// Bytes came.
    pub fn handle(&mut self, bytes: &[u8], now: Moment) {
        self.handle_timeout(now);
        for byte in bytes {
            match byte {
                b'\r' | b'\n' => self.end(now),
                0x00 | 0x02 | 0x03 => {}
                _ if self.long => {}
                _ if self.buffer.len() == MAX_SCAN => {
                    self.long = true;
                    self.buffer.clear();
                }
                byte => self.buffer.push(*byte),
            }
        }
        self.heard = (!self.buffer.is_empty() || self.long).then_some(now);
    }

    /// When [`ScanReader::handle_timeout`] wants to be called, if nothing comes.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Moment> {
        let pause = match self.framing {
            Framing::Line => HALF,
            Framing::Idle(pause) => pause,
        };
        self.heard.map(|heard| heard + pause)
    }

    /// Time went by.
    pub fn handle_timeout(&mut self, now: Moment) {
        if self.poll_timeout().is_none_or(|at| now < at) {
            return;
        }
        self.heard = None;
        match self.framing {
            Framing::Idle(_) => self.end(now),
            Framing::Line => {
                self.refused.half += 1;
                self.buffer.clear();
                self.long = false;
            }
        }
    }

    /// The next scan.
    pub fn poll_scan(&mut self) -> Option<String> {
        self.scans.pop_front()
    }

    /// What was refused since the line was opened.
    #[must_use]
    pub fn refused(&self) -> Refused {
        self.refused
    }

    /// The line was lost: what came by half will not be finished.
    pub fn reset(&mut self) {
        self.buffer.clear();
        (self.long, self.heard) = (false, None);
    }

    fn end(&mut self, now: Moment) {
        let bytes = std::mem::take(&mut self.buffer);
        if std::mem::take(&mut self.long) {
            self.refused.long += 1;
            return;
        }
        if bytes.is_empty() {
            return;
        }
        let text = String::from_utf8(bytes).ok();
        let text = text.filter(|text| text.chars().all(|c| !c.is_control() || c == '\u{1d}'));
        let Some(text) = text else {
            self.refused.garbled += 1;
            return;
        };
        let echoed = |(last, at): &(String, Moment)| *last == text && now.since(*at) < self.echo;
        if self.last.as_ref().is_some_and(echoed) {
            self.refused.echoes += 1;
            return;
        }
        if self.scans.len() == MOST_WAITING {
            self.refused.crowded += 1;
            return;
        }
        self.last = Some((text.clone(), now));
        self.scans.push_back(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ECHO: Duration = Duration::from_millis(50);

    fn reader(framing: Framing) -> (ScanReader, Moment) {
        (ScanReader::new(framing, ECHO), Moment::default())
    }

    fn all(reader: &mut ScanReader) -> Vec<String> {
        std::iter::from_fn(|| reader.poll_scan()).collect()
    }

    #[test]
    fn a_scan_ends_with_cr_or_lf_or_both_in_whatever_pieces_it_comes() {
        let sent = b"]E04006381333931\r\n96385074\r]C1010400638133393110LOT\x1d21X\n\x0212345\x03\r\n";
        for size in [1, 3, 7, sent.len()] {
            let (mut reader, now) = reader(Framing::Line);
            sent.chunks(size).for_each(|piece| reader.handle(piece, now));
            let expected = ["]E04006381333931", "96385074", "]C1010400638133393110LOT\u{1d}21X", "12345"];
            assert_eq!(all(&mut reader), expected, "in pieces of {size}");
            assert_eq!((reader.refused(), reader.poll_timeout()), (Refused::default(), None));
        }
    }

    #[test]
    fn bare_data_ends_with_a_pause() {
        let pause = Duration::from_millis(30);
        let (mut reader, now) = reader(Framing::Idle(pause));
        reader.handle(b"4006", now);
        reader.handle(b"381333931", now + pause / 2);
        reader.handle_timeout(now + pause);
        assert_eq!(reader.poll_scan(), None, "the last byte came later");
        reader.handle_timeout(reader.poll_timeout().unwrap());
        assert_eq!(reader.poll_scan().as_deref(), Some("4006381333931"));
        // The next begins a new scan, though nobody told of the time between.
        reader.handle(b"111", now + pause * 10);
        reader.handle(b"222", now + pause * 20);
        assert_eq!(reader.poll_scan().as_deref(), Some("111"));
    }

    #[test]
    fn half_a_scan_is_not_put_in_front_of_the_next() {
        let (mut reader, now) = reader(Framing::Line);
        reader.handle(b"40063", now);
        reader.handle(b"96385074\r", now + HALF);
        assert_eq!((all(&mut reader), reader.refused().half), (vec!["96385074".to_owned()], 1));
        reader.handle(b"40063", now);
        reader.reset();
        reader.handle(b"111\r", now);
        assert_eq!(all(&mut reader), ["111"]);
    }

    #[test]
    fn what_is_too_long_or_no_text_is_refused_and_the_next_is_understood() {
        let (mut reader, now) = reader(Framing::Line);
        reader.handle(&[b'7'; 3 * MAX_SCAN], now);
        reader.handle(b"\r12\xff3\r\x1b[A\r", now);
        reader.handle(&[[b'8'; MAX_SCAN].as_slice(), b"\r\n"].concat(), now);
        assert_eq!(all(&mut reader), ["8".repeat(MAX_SCAN)]);
        assert_eq!(reader.refused(), Refused { long: 1, garbled: 2, ..Refused::default() });
    }

    #[test]
    fn a_report_that_is_sent_twice_is_one_scan() {
        let (mut reader, now) = reader(Framing::Line);
        reader.handle(b"111\r\n111\r\n222\r\n", now);
        reader.handle(b"222\r\n", now + ECHO);
        assert_eq!(
            (all(&mut reader), reader.refused().echoes),
            (["111", "222", "222"].map(Into::into).into(), 1)
        );
    }

    #[test]
    fn nobody_who_takes_them_is_no_reason_to_grow() {
        let (mut reader, now) = reader(Framing::Line);
        for number in 0..1_000 {
            reader.handle(format!("{number}\r").as_bytes(), now);
        }
        assert_eq!((reader.refused().crowded, all(&mut reader).len()), (1_000 - 256, 256));
    }
}
