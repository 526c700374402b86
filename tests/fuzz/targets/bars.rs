//! Runs of a bar and space sensor, with pauses between them. Whatever came, a good label is read after it.
#![no_main]

use std::time::Duration;

use device_drivers::Moment;
use firmware::{BarReader, ItfLengths, Level, MAX_TEXT, Reading, Run};
use libfuzzer_sys::fuzz_target;

/// The modules of 4006381333931.
const GOOD: &[u8] =
    b"10100011010100111010111101111010001001011001101010100001010000101000010111010010000101100110101";

fuzz_target!(|input: &[u8]| {
    let Some((first, runs)) = input.split_first() else { return };
    // Widths of a module up to some that are above what is told apart.
    let scale = 1 << (first & 0x0f);
    let itf = (0..=30).fold(ItfLengths::ITF14, ItfLengths::and);
    let itf = if first & 0x10 == 0 { ItfLengths::ITF14 } else { itf };
    let mut reader = BarReader::new(Reading { itf, ..Reading::default() });
    let mut now = Moment::default();
    for byte in runs {
        let level = if byte & 1 == 0 { Level::Light } else { Level::Dark };
        let told = reader.handle(Run { level, ticks: u32::from(byte >> 1) * scale }, now);
        if let Some(code) = told {
            assert!(!code.text.is_empty() && code.text.len() <= MAX_TEXT && code.text.is_ascii());
            assert!(code.identifier.len() == 3 && code.identifier.starts_with(']'));
        }
        if byte >> 1 == 127 {
            now += Duration::from_millis(100);
        }
    }
    // Later: the same label before would still be in sight.
    now += Duration::from_secs(60);
    let paper = Run { level: Level::Light, ticks: 1 << 18 };
    let _ = reader.handle(paper, now);
    now += Duration::from_secs(60);
    for module in GOOD {
        let level = if *module == b'1' { Level::Dark } else { Level::Light };
        assert!(reader.handle(Run { level, ticks: 100 }, now).is_none());
    }
    let told = reader.handle(paper, now).is_some_and(|code| code.text == b"4006381333931");
    assert!(told);
});
