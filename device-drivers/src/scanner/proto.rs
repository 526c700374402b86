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
//! Bounded: no heap, and no queue, as each scan is given when it ends. One of more than [`MAX_SCAN`] bytes is refused up to its end. Half a scan is dropped when nothing comes for
//! [`HALF`]: it would be put in front of the next one.
//!
//! A scan that comes again within the *echo* time is one report sent twice, not two scans: nobody scans so quickly.

use core::time::Duration;

use heapless::{String, Vec};

use crate::moment::Moment;

/// The longest scan, in bytes.
pub const MAX_SCAN: usize = 512;
/// How long half a scan waits for its end.
pub const HALF: Duration = Duration::from_millis(500);

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
}

/// Makes scans of bytes; it takes some 1.1 KiB.
#[derive(Debug)]
pub struct ScanReader {
    framing: Framing,
    echo: Duration,
    buffer: Vec<u8, MAX_SCAN>,
    /// The scan at hand is too long already: wait for its end.
    long: bool,
    /// When the last byte came.
    heard: Option<Moment>,
    last: String<MAX_SCAN>,
    /// When the last scan came, if there was one.
    came: Option<Moment>,
    refused: Refused,
}

impl ScanReader {
    /// A reader of a line that was just opened. `echo` is the time within which the same scan is the same report.
    #[must_use]
    pub const fn new(framing: Framing, echo: Duration) -> Self {
        Self {
            framing,
            echo,
            buffer: Vec::new(),
            long: false,
            heard: None,
            last: String::new(),
            came: None,
            refused: Refused { long: 0, garbled: 0, half: 0, echoes: 0 },
        }
    }

    /// A byte came. It may end a scan: itself, or, with [`Framing::Idle`], by the time before it.
    pub fn take(&mut self, byte: u8, now: Moment) -> Option<&str> {
        // Never both: after the one there is nothing that the other could end.
        let mut ended = self.lapse(now);
        match byte {
            b'\r' | b'\n' => ended |= self.end(now),
            0x00 | 0x02 | 0x03 => {}
            _ if self.long => {}
            byte => {
                self.long = self.buffer.push(byte).is_err();
            }
        }
        self.heard = (!self.buffer.is_empty()).then_some(now);
        ended.then_some(self.last.as_str())
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

    /// Time went by. With [`Framing::Idle`] it may end a scan.
    pub fn handle_timeout(&mut self, now: Moment) -> Option<&str> {
        self.lapse(now).then_some(self.last.as_str())
    }

    /// The scan that was given last; empty before the first one.
    #[must_use]
    pub fn last(&self) -> &str {
        &self.last
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

    fn lapse(&mut self, now: Moment) -> bool {
        if self.poll_timeout().is_none_or(|at| now < at) {
            return false;
        }
        match self.framing {
            Framing::Idle(_) => self.end(now),
            Framing::Line => {
                self.refused.half += 1;
                self.reset();
                false
            }
        }
    }

    /// The scan at hand is at its end. Says whether it is one that counts, which is then the last one.
    fn end(&mut self, now: Moment) -> bool {
        let counts = self.judge(now);
        self.reset();
        counts
    }

    fn judge(&mut self, now: Moment) -> bool {
        if self.long {
            self.refused.long += 1;
            return false;
        }
        if self.buffer.is_empty() {
            return false;
        }
        let text = core::str::from_utf8(&self.buffer).ok();
        let Some(text) = text.filter(|text| text.chars().all(|c| !c.is_control() || c == '\u{1d}')) else {
            self.refused.garbled += 1;
            return false;
        };
        if self.last == text && self.came.is_some_and(|at| now < at + self.echo) {
            self.refused.echoes += 1;
            return false;
        }
        self.last.clear();
        // It has room for all that the buffer has room for.
        let _ = self.last.push_str(text);
        self.came = Some(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ECHO: Duration = Duration::from_millis(50);

    fn reader(framing: Framing) -> (ScanReader, Moment) {
        (ScanReader::new(framing, ECHO), Moment::default())
    }

    /// The scans that these bytes end.
    fn scans(reader: &mut ScanReader, bytes: &[u8], now: Moment) -> std::vec::Vec<std::string::String> {
        bytes.iter().filter_map(|byte| reader.take(*byte, now).map(Into::into)).collect()
    }

    #[test]
    fn a_scan_ends_with_cr_or_lf_or_both_in_whatever_pieces_it_comes() {
        let sent = b"]E04006381333931\r\n96385074\r]C1010400638133393110LOT\x1d21X\n\x0212345\x03\r\n";
        let expected = ["]E04006381333931", "96385074", "]C1010400638133393110LOT\u{1d}21X", "12345"];
        for pause in [0, 1, 7, 499].map(Duration::from_millis) {
            let (mut reader, mut now) = reader(Framing::Line);
            let mut found = std::vec::Vec::new();
            for byte in sent {
                found.extend(scans(&mut reader, &[*byte], now));
                now += pause;
            }
            assert_eq!(found, expected, "with pauses of {pause:?}");
            assert_eq!((reader.refused(), reader.poll_timeout()), (Refused::default(), None));
        }
    }

    #[test]
    fn bare_data_ends_with_a_pause() {
        let pause = Duration::from_millis(30);
        let (mut reader, now) = reader(Framing::Idle(pause));
        assert!(scans(&mut reader, b"4006", now).is_empty());
        assert!(scans(&mut reader, b"381333931", now + pause / 2).is_empty());
        assert_eq!(reader.handle_timeout(now + pause), None, "the last byte came later");
        assert_eq!(reader.handle_timeout(reader.poll_timeout().unwrap()), Some("4006381333931"));
        // The next begins a new scan, though nobody told of the time between.
        assert!(scans(&mut reader, b"111", now + pause * 10).is_empty());
        assert_eq!(scans(&mut reader, b"222\r", now + pause * 20), ["111", "222"]);
    }

    #[test]
    fn half_a_scan_is_not_put_in_front_of_the_next() {
        let (mut reader, now) = reader(Framing::Line);
        assert!(scans(&mut reader, b"40063", now).is_empty());
        assert_eq!(scans(&mut reader, b"96385074\r", now + HALF), ["96385074"]);
        assert_eq!(reader.refused().half, 1);
        assert!(scans(&mut reader, b"40063", now).is_empty());
        reader.reset();
        assert_eq!(scans(&mut reader, b"111\r", now), ["111"]);
    }

    #[test]
    fn what_is_too_long_or_no_text_is_refused_and_the_next_is_understood() {
        let (mut reader, now) = reader(Framing::Line);
        let long = [[b'7'; 3 * MAX_SCAN].as_slice(), b"\r12\xff3\r\x1b[A\r"].concat();
        assert!(scans(&mut reader, &long, now).is_empty());
        let longest = [[b'8'; MAX_SCAN].as_slice(), b"\r\n"].concat();
        assert_eq!(scans(&mut reader, &longest, now), ["8".repeat(MAX_SCAN)]);
        assert_eq!(reader.refused(), Refused { long: 1, garbled: 2, ..Refused::default() });
    }

    #[test]
    fn a_report_that_is_sent_twice_is_one_scan() {
        let (mut reader, now) = reader(Framing::Line);
        assert_eq!(scans(&mut reader, b"111\r\n111\r\n222\r\n", now), ["111", "222"]);
        assert_eq!(scans(&mut reader, b"222\r\n", now + ECHO), ["222"]);
        assert_eq!(reader.refused().echoes, 1);
    }
}
