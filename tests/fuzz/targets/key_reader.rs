//! Keys of a scanner that types. Whatever was pressed, a scan after a pause is understood.
#![no_main]

use std::time::Duration;

use device_drivers::{HALF, KeyEvent, KeyReader, Layout, MAX_SCAN, Moment};
use libfuzzer_sys::fuzz_target;

/// Keys of `407`, which no Caps Lock changes, and Enter.
const GOOD: [u16; 4] = [5, 11, 8, 28];

fuzz_target!(|input: &[u8]| {
    let Some((first, rest)) = input.split_first() else { return };
    let layout = if first & 1 == 0 { Layout::Us } else { Layout::German };
    let mut reader = KeyReader::new(layout, Duration::from_millis(50));
    let mut now = Moment::default();
    // What, which key, and a pause.
    for step in rest.chunks_exact(3) {
        let code = u16::from(step[1]) | u16::from(step[0] & 0x80) << 1;
        let event = match step[0] & 3 {
            0 => KeyEvent::Up(code),
            3 => KeyEvent::Gap,
            _ => KeyEvent::Down(code),
        };
        now += Duration::from_millis(u64::from(step[2]) * 4);
        check(reader.handle(event, now));
    }
    now += HALF * 2;
    reader.handle_timeout(now);
    // Later: the same scan at once would be an echo.
    now += HALF;
    let mut scans = 0;
    for code in GOOD {
        for event in [KeyEvent::Down(code), KeyEvent::Up(code)] {
            scans += usize::from(reader.handle(event, now).is_some());
        }
    }
    assert_eq!((scans, reader.last()), (1, "407"));
});

fn check(scan: Option<&str>) {
    let Some(scan) = scan else { return };
    assert!(!scan.is_empty() && scan.len() <= MAX_SCAN);
    assert!(scan.chars().all(|letter| !letter.is_control() || letter == '\u{1d}'));
}
