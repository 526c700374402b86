//! Bytes of a scale, through the reader and the gate. Whatever came, the next frame is understood.
#![no_main]

use device_drivers::{Gate, Reading, ScaleReader, Talk, Unit, Weight};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((first, rest)) = input.split_first() else { return };
    let unit = [Unit::Kilogram, Unit::Gram, Unit::Pound][usize::from(first >> 4) % 3];
    let (talk, good, thousandths) = match first & 1 {
        0 => (Talk::Polled { unit, places: first >> 1 & 3 }, b"\x02 1.500\r".as_slice(), 1_500),
        _ => (Talk::Continuous, b"\x02\x25\x30\x20  1500000000\r".as_slice(), 1_500),
    };
    let unit = if talk == Talk::Continuous { Unit::Kilogram } else { unit };
    let mut reader = ScaleReader::new(talk);
    let mut gate = Gate::default();
    for byte in rest {
        let Some(reading) = reader.take(*byte) else { continue };
        if let Some(weight) = gate.take(reading) {
            assert!(weight.thousandths > 0);
            let _ = weight.kilograms();
        }
    }
    let last: Vec<_> = good.iter().filter_map(|byte| reader.take(*byte)).collect();
    assert_eq!(last, [Reading::Stable(Weight { thousandths, unit })]);
});
