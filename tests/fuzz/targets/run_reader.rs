//! Bytes of a bar and space sensor's line, whatever they are: each pair that is a run is that run and no other, and a good label
//! is read after them.
#![no_main]

use device_drivers::Moment;
use firmware::{FrontEnd as _, Level, Reading, Run, RunReader, Sensor, write_run};
use libfuzzer_sys::fuzz_target;

/// The modules of 4006381333931.
const GOOD: &[u8] =
    b"10100011010100111010111101111010001001011001101010100001010000101000010111010010000101100110101";

fuzz_target!(|input: &[u8]| {
    let mut reader = RunReader::default();
    let mut sensor = Sensor::new(Reading::default());
    let now = Moment::default();
    let mut before = 0;
    for byte in input {
        let run = reader.take(*byte);
        assert_eq!(run.is_some(), before & 0x80 != 0 && byte & 0x80 == 0);
        if let Some(run) = run {
            assert!(write_run(run).eq([before, *byte]));
            let _ = sensor.handle(run, now);
        }
        before = *byte;
    }

    // A run of any length comes back in pieces.
    let ticks = input.first_chunk().map_or(0, |four| u32::from_le_bytes(*four) >> 8);
    let mut left = ticks;
    for piece in write_run(Run { level: Level::Dark, ticks }).filter_map(|byte| reader.take(byte)) {
        assert!(piece.level == Level::Dark && (piece.ticks > 0 || ticks == 0));
        left = left.checked_sub(piece.ticks).expect("no more than there was");
    }
    assert_eq!(left, 0);

    let paper = Run { level: Level::Light, ticks: 1 << 18 };
    let label = GOOD.chunk_by(|one, next| one == next).map(|module| {
        let level = if module[0] == b'1' { Level::Dark } else { Level::Light };
        Run { level, ticks: 100 * module.len() as u32 }
    });
    let mut show = |runs: &mut dyn Iterator<Item = Run>| {
        let runs = runs.flat_map(write_run).filter_map(|byte| reader.take(byte));
        runs.filter_map(|run| sensor.handle(run, now).map(|seen| seen.data.to_vec())).collect::<Vec<_>>()
    };
    // It ends what came, and that may be a label.
    show(&mut [paper].into_iter());
    assert_eq!(show(&mut label.chain([paper])), [b"4006381333931"]);
});
