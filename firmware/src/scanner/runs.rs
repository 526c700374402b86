//! Runs as bytes, as a sensor's chip sends them over a line: two bytes a run.
//!
//! | byte | bit 7 | bit 6 | bits 5–0 |
//! |---|---|---|---|
//! | first | 1 | 1 for dark | bits 12–7 of the ticks |
//! | second | 0 | bits 6–0 of the ticks ||
//!
//! A run of more than 8,191 ticks comes in pieces of the same level. Which byte is which shows in itself, so what comes after a lost
//! one is understood.

use crate::bars::{Level, Run};

const DARK: u8 = 0x40;
const FIRST: u8 = 0x80;
/// Ticks of the longest piece.
const LONGEST: u32 = 0x1fff;

/// Makes runs of bytes.
#[derive(Debug, Default)]
pub struct RunReader {
    first: Option<u8>,
}

impl RunReader {
    /// A byte came. Gives the run that it ends.
    pub fn take(&mut self, byte: u8) -> Option<Run> {
        if byte & FIRST != 0 {
            self.first = Some(byte);
            return None;
        }
        let first = self.first.take()?;
        let level = if first & DARK != 0 { Level::Dark } else { Level::Light };
        Some(Run { level, ticks: u32::from(first & 0x3f) << 7 | u32::from(byte) })
    }
}

/// A run as bytes; a long one in pieces.
pub fn write_run(run: Run) -> impl Iterator<Item = u8> {
    let first = FIRST | if run.level == Level::Dark { DARK } else { 0 };
    let mut left = Some(run.ticks);
    core::iter::from_fn(move || {
        let ticks = left?;
        let piece = ticks.min(LONGEST);
        left = ticks.checked_sub(piece).filter(|left| *left > 0);
        let [low, high, ..] = (piece << 1).to_le_bytes();
        Some([first | high, low >> 1])
    })
    .flatten()
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    fn read(bytes: impl IntoIterator<Item = u8>) -> Vec<Run> {
        let mut reader = RunReader::default();
        bytes.into_iter().filter_map(|byte| reader.take(byte)).collect()
    }

    #[test]
    fn a_run_is_these_bytes_and_comes_back() {
        let dark = |ticks| Run { level: Level::Dark, ticks };
        assert_eq!(write_run(dark(0x1234)).collect::<Vec<_>>(), [0xe4, 0x34]);
        let light = Run { level: Level::Light, ticks: 100 };
        assert_eq!(write_run(light).collect::<Vec<_>>(), [0x80, 100]);
        for ticks in [0, 1, 127, 128, 8_191] {
            assert_eq!(read(write_run(dark(ticks))), [dark(ticks)]);
        }
        assert_eq!(read(write_run(dark(20_000))), [dark(8_191), dark(8_191), dark(3_618)]);
    }

    #[test]
    fn after_a_lost_byte_the_next_run_is_understood() {
        let runs = [100, 200, 300].map(|ticks| Run { level: Level::Dark, ticks });
        let bytes: Vec<_> = runs.into_iter().flat_map(write_run).collect();
        for lost in 0..bytes.len() {
            let came = bytes.iter().enumerate().filter(|(at, _)| *at != lost).map(|(_, byte)| *byte);
            let expected: Vec<_> =
                runs.into_iter().enumerate().filter(|(at, _)| *at != lost / 2).map(|(_, run)| run).collect();
            assert_eq!(read(came), expected);
        }
    }
}
