//! Bytes for a customer display. Whatever came, two lines that are shown anew stand there.
#![no_main]

use device_drivers::{COLUMNS, CodePage, Dialect, DisplayLine, Screen, begin, show};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((first, rest)) = input.split_first() else { return };
    let dialect = if first & 1 == 0 { Dialect::Cd5220 } else { Dialect::EscPos(CodePage::Pc858, first >> 1) };
    let mut screen = Screen::new(dialect);
    for byte in rest {
        screen.take(*byte);
        assert!(screen.lines().iter().all(|line| line.chars().count() == COLUMNS));
    }
    let lines = [DisplayLine::new("Milch", "1.09"), DisplayLine::new("Summe", "12.07")];
    // What is open is ended first, as the driver does.
    let shown = [b"\r\0\0".as_slice(), &begin(dialect), &show(&lines, dialect)].concat();
    shown.iter().for_each(|byte| screen.take(*byte));
    assert_eq!(screen.lines(), lines.map(|line| line.text()));
});
