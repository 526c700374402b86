//! Passes labels before a reader so often, for counting instructions; `scripts/bars` counts them.
//!
//! `one_scan ean13 100 2` prints a hundred labels of one kind and passes each twice; `one_scan ean13 100 2 bad` on a bad day. `TILLBOX_SEED`
//! makes the same labels again, and the same days. `nothing` is what is no label.
#![allow(
    dead_code,
    clippy::float_arithmetic,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "it is typed by a person, and prints what the tests print"
)]

#[path = "../tests/bars/label/mod.rs"]
mod label;

use std::hint::black_box;
use std::time::Duration;

use device_drivers::Moment;
use firmware::{BarReader, Level, Reading, Run};
use label::{Day, Kind, Label, Line, Random};

/// Elements of what is no label: as many as an EAN-13 has, so that it is looked at.
const ELEMENTS: usize = 59;

fn main() {
    let mut words = std::env::args().skip(1);
    let name = words.next().expect("which kind");
    let labels: usize = words.next().expect("how many labels").parse().expect("how many labels");
    let passes: usize = words.next().expect("how often").parse().expect("how often");
    let day = match words.next().as_deref() {
        Some("bad") => Day { jitter: 0.12, ink: 0.2, blur: 0.8, hand: true, dropped: 20 },
        _ => Day::default(),
    };
    let kind = Kind::ALL.into_iter().find(|kind| format!("{kind:?}").eq_ignore_ascii_case(&name));
    assert!(kind.is_some() || name == "nothing", "{name} is no kind of label: {:?}, nothing", Kind::ALL);
    let mut random = Random::new();
    let lines: Vec<_> = (0..labels).map(|_| line(kind, &day, &mut random)).collect();
    let mut reader = BarReader::new(Reading::default());
    let mut now = Moment::default();
    let (mut told, mut runs) = (0, 0);
    for line in &lines {
        for _ in 0..passes {
            // So long that nothing is left of the pass before.
            now += Duration::from_secs(60);
            for run in black_box(&line.0) {
                told += usize::from(reader.handle(*run, now).is_some());
            }
            runs += line.0.len();
        }
    }
    println!("{name}: {told} of {} passes told a code, {runs} runs", labels * passes);
}

/// A line over a label, and the paper behind it that says that it ended.
fn line(kind: Option<Kind>, day: &Day, random: &mut Random) -> Line {
    let mut line = match kind {
        Some(kind) => Line::over(&Label::any(kind, random), day.ink, day, random),
        None => Line(
            (0..ELEMENTS)
                .map(|at| Run {
                    level: if at % 2 == 0 { Level::Dark } else { Level::Light },
                    ticks: 100 * (1 + random.below(4) as u32),
                })
                .collect(),
        ),
    };
    line.0.push(Run { level: Level::Light, ticks: 4000 });
    line
}
