//! A scan engine on a UART, which decodes by itself and sends each code as a line, with its symbology identifier if it is set up to.

use core::time::Duration;

use device_drivers::{Framing, Moment, Refused, ScanReader};

use super::front::{FrontEnd, Seen};

/// The front end of a scan engine. It is shown bytes.
#[derive(Debug)]
pub struct Engine {
    reader: ScanReader,
}

impl Engine {
    /// An engine whose lines end with CR, LF or both, or, where it sends bare data, with a pause.
    #[must_use]
    pub const fn new(framing: Framing) -> Self {
        // The same line twice is a double read, which is not for the reader to judge.
        Self { reader: ScanReader::new(framing, Duration::ZERO) }
    }

    /// What of its lines were none.
    #[must_use]
    pub fn refused(&self) -> Refused {
        self.reader.refused()
    }
}

impl FrontEnd for Engine {
    type Sight = u8;

    fn handle(&mut self, byte: u8, now: Moment) -> Option<Seen<'_>> {
        self.reader.take(byte, now).map(seen)
    }

    fn handle_timeout(&mut self, now: Moment) -> Option<Seen<'_>> {
        self.reader.handle_timeout(now).map(seen)
    }
}

fn seen(line: &str) -> Seen<'_> {
    match line.as_bytes() {
        [b']', letter, digit, data @ ..] if letter.is_ascii_alphabetic() && digit.is_ascii_alphanumeric() => {
            Seen { symbology: [*letter, *digit], data }
        }
        data => Seen { symbology: [0, 0], data },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_code_with_or_without_an_identifier() {
        let mut engine = Engine::new(Framing::Line);
        let mut told = std::vec::Vec::new();
        for byte in b"]E04006381333931\r\n96385074\r]]x\r]Q3(01)\r" {
            let seen = engine.handle(*byte, Moment::default());
            told.extend(seen.map(|seen| (seen.symbology, seen.data.to_vec())));
        }
        let expected: [([u8; 2], &[u8]); 4] =
            [(*b"E0", b"4006381333931"), ([0, 0], b"96385074"), ([0, 0], b"]]x"), (*b"Q3", b"(01)")];
        assert_eq!(told, expected.map(|(symbology, data)| (symbology, data.to_vec())));
    }

    #[test]
    fn bare_data_ends_with_a_pause() {
        let mut engine = Engine::new(Framing::Idle(Duration::from_millis(30)));
        let now = Moment::default();
        b"123".iter().for_each(|byte| assert_eq!(engine.handle(*byte, now), None));
        assert_eq!(engine.handle_timeout(now + Duration::from_millis(29)), None);
        let seen = engine.handle_timeout(now + Duration::from_millis(30));
        assert_eq!(seen, Some(Seen { symbology: [0, 0], data: b"123" }));
    }
}
