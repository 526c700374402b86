//! Bytes for a printer of either language. No command brings about more than a few hundred things.
#![no_main]

use device_drivers::{Decoder, Event, Mark, Paper, Profile};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((first, rest)) = input.split_first() else { return };
    let profile = match first & 3 {
        0 => Profile::epson_80_mm(),
        1 => Profile::epson_58_mm(),
        2 => Profile::line_printer(),
        _ => Profile { columns: first >> 2, pages: Vec::new(), ..Profile::epson_80_mm() },
    };
    let mut paper = Paper::new(profile.columns);
    let mut decoder = Decoder::new(profile);
    let mut events = Vec::new();
    for byte in rest {
        decoder.push(*byte, &mut events);
        assert!(events.len() <= 300);
        for event in events.drain(..) {
            if let Event::Printed(mark) = event {
                if let Mark::Line { runs, .. } = &mark {
                    assert!(runs.iter().map(|run| run.text.len()).sum::<usize>() < 4_096);
                }
                paper.push(mark);
            }
        }
    }
    let _ = paper.to_text();
    assert!(paper.to_svg().ends_with("</svg>\n"));
});
