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
        reader.handle(bytes, now);
        rest = after;
        if pause & 1 == 1 {
            check(&mut reader);
        }
    }
    now += HALF * 2;
    reader.handle_timeout(now);
    check(&mut reader);
    // Later: the same scan at once would be an echo.
    now += HALF;
    reader.handle(b"\r4006381333931\r", now);
    assert_eq!(reader.poll_scan().as_deref(), Some("4006381333931"));
});

fn check(reader: &mut ScanReader) {
    while let Some(scan) = reader.poll_scan() {
        assert!(!scan.is_empty() && scan.len() <= MAX_SCAN);
        assert!(scan.chars().all(|letter| !letter.is_control() || letter == '\u{1d}'));
    }
}
