//! Bytes of a serial scanner, in pieces, with pauses between them. Whatever came, the next scan is understood.
#![no_main]

use std::time::Duration;

use device_drivers::{Framing, HALF, MAX_SCAN, Moment, ScanReader};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((first, mut rest)) = input.split_first() else { return };
    let framing = if first & 1 == 0 { Framing::Line } else { Framing::Idle(Duration::from_millis(30)) };
    let mut reader = ScanReader::new(framing, Duration::from_millis(50));
    let mut now = Moment::default();
    // A length and a pause, then so many bytes.
    while let [length, pause, more @ ..] = rest {
        let (bytes, after) = more.split_at(more.len().min(usize::from(*length)));
        now += Duration::from_millis(u64::from(*pause) * 4);
        bytes.iter().for_each(|byte| check(reader.take(*byte, now)));
        rest = after;
        if pause & 1 == 1 {
            check(reader.handle_timeout(now));
        }
    }
    now += HALF * 2;
    check(reader.handle_timeout(now));
    // Later: the same scan at once would be an echo.
    now += HALF;
    b"\r4006381333931".iter().for_each(|byte| check(reader.take(*byte, now)));
    assert_eq!(reader.take(b'\r', now), Some("4006381333931"));
});

fn check(scan: Option<&str>) {
    let Some(scan) = scan else { return };
    assert!(!scan.is_empty() && scan.len() <= MAX_SCAN);
    assert!(scan.chars().all(|letter| !letter.is_control() || letter == '\u{1d}'));
}
