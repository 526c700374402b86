//! No wrong code is believed, however bad the lines are. And how much memory that takes.
//!
//! `TILLBOX_SCANS=1000000` takes a million lines, `TILLBOX_SEED` the same ones again.

use std::time::Instant;

use device_drivers::Moment;
use firmware::{BarReader, Reading};

use super::label::{Day, Kind, Label, Line, Random};
use super::{MS, pass};

/// Lines over each label, one after another.
const LINES: u64 = 5;

impl Day {
    /// A day between good and hopeless.
    fn bad(random: &mut Random) -> Self {
        Self {
            jitter: random.between(0.0, 0.35),
            ink: random.between(0.0, 0.5),
            blur: if random.below(2) == 1 { random.between(0.3, 1.6) } else { 0.0 },
            hand: random.below(4) > 0,
            dropped: [0, 10, 60][random.below(3)],
        }
    }
}

#[test]
fn no_wrong_code_is_believed() {
    let mut random = Random::new();
    let asked = std::env::var("TILLBOX_SCANS").ok().map(|count| count.parse().expect("TILLBOX_SCANS"));
    let scans: u64 = asked.unwrap_or(20_000);
    let begun = Instant::now();
    let mut told = [0u32; Kind::ALL.len()];
    let mut wrong = Vec::new();
    let mut reader = BarReader::new(Reading::default());
    let mut now = Moment::default();
    for number in 0..scans / LINES {
        let kind = random.below(Kind::ALL.len());
        let label = Label::any(Kind::ALL[kind], &mut random);
        let day = Day::bad(&mut random);
        let ink = random.between(-day.ink, day.ink);
        // The next article comes half a second after the one before, and the reader remembers that one.
        now += MS * 500;
        for _ in 0..LINES {
            now += MS * 20;
            let line = Line::over(&label, ink, &day, &mut random);
            for code in pass(&mut reader, &line, now) {
                if (code.identifier, code.text.as_slice()) == (label.identifier, label.text.as_slice()) {
                    told[kind] += 1;
                } else {
                    wrong.push(format!(
                        "label {number}, {:?} {}: {code:?} on {day:?}",
                        label.symbology, label.plain
                    ));
                }
            }
        }
    }
    println!("{scans} lines in {} ms; told: {:?} {told:?}", begun.elapsed().as_millis(), Kind::ALL);
    assert!(wrong.is_empty(), "{} wrong: {wrong:#?}", wrong.len());
}

#[test]
fn a_reader_fits_into_a_small_controller() {
    let size = size_of::<BarReader>();
    println!("BarReader: {size} bytes");
    assert!(size <= 2048, "{size} bytes");
}
