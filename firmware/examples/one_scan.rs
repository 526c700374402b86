//! Reads an EAN-13 and a Code 128 so often, for counting instructions: `valgrind --tool=callgrind`.
//!
//! `one_scan 100 ean13` passes the one a hundred times, `one_scan 100 gs1-128` the other, `one_scan 100` both.
#![allow(clippy::expect_used, reason = "it is typed by a person")]

use std::hint::black_box;

use device_drivers::Moment;
use firmware::{BarReader, Level, Reading, Run};

/// The modules of 4006381333931.
const EAN_13: &str =
    "10100011010100111010111101111010001001011001101010100001010000101000010111010010000101100110101";
/// The widths of (01)04006381333931 as GS1-128.
const GS1_128: &str = "2112324111312221221213222122221112241211421113232113132123211113412331112";

fn main() {
    let times: usize = std::env::args().nth(1).map_or(1, |times| times.parse().expect("how often"));
    let only = std::env::args().nth(2);
    let ean_13: Vec<u32> =
        EAN_13.as_bytes().chunk_by(|one, next| one == next).map(|run| 100 * run.len() as u32).collect();
    let code_128: Vec<u32> = GS1_128.bytes().map(|width| 100 * u32::from(width - b'0')).collect();
    for (name, elements) in [("ean13", &ean_13), ("gs1-128", &code_128)] {
        if only.as_ref().is_some_and(|only| only != name) {
            continue;
        }
        let told =
            (0..times).filter(|_| pass(&mut BarReader::new(Reading::default()), black_box(elements))).count();
        println!("{name}: {told} of {times} told, {} runs", elements.len() + 2);
    }
}

fn pass(reader: &mut BarReader, elements: &[u32]) -> bool {
    let paper = Run { level: Level::Light, ticks: 1500 };
    let bars = elements
        .iter()
        .enumerate()
        .map(|(at, ticks)| Run { level: [Level::Dark, Level::Light][at % 2], ticks: *ticks });
    let mut told = false;
    for run in [paper].into_iter().chain(bars).chain([paper]) {
        told |= reader.handle(run, Moment::default()).is_some();
    }
    told
}
