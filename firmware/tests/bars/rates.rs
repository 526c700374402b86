//! How many labels are read, beside rxing on the same lines.

use std::collections::HashSet;

use device_drivers::Moment;
use firmware::{BarReader, Level, Reading};
use rxing::common::BitArray;
use rxing::oned::{MultiFormatOneDReader, OneDReader};
use rxing::{BarcodeFormat, DecodeHints};

use super::label::{Day, Kind, Label, Line, Random, line::TICKS};
use super::{MS, pass};

/// Lines over each label.
const LINES: usize = 4;
/// Pixels of a module at the usual speed.
const PIXELS: u64 = 16;

const DAYS: [(&str, Day); 9] = {
    let good = Day { jitter: 0.0, ink: 0.0, blur: 0.0, hand: false, dropped: 0 };
    [
        ("hand x0.5-2", Day { hand: true, ..good }),
        ("jitter 0.10", Day { jitter: 0.10, hand: true, ..good }),
        ("jitter 0.15", Day { jitter: 0.15, hand: true, ..good }),
        ("jitter 0.20", Day { jitter: 0.20, hand: true, ..good }),
        ("ink +-0.4", Day { ink: 0.4, jitter: 0.05, hand: true, ..good }),
        ("blur 1.0", Day { blur: 1.0, jitter: 0.05, hand: true, ..good }),
        ("blur 1.2", Day { blur: 1.2, jitter: 0.05, hand: true, ..good }),
        ("dropped 50%", Day { dropped: 50, jitter: 0.05, hand: true, ..good }),
        ("all", Day { jitter: 0.12, ink: 0.2, blur: 0.8, hand: true, dropped: 20 }),
    ]
};

#[derive(Default, Clone, Copy)]
struct Tally {
    first: u32,
    any: u32,
    wrong: u32,
}

#[test]
fn about_as_many_labels_are_read_as_by_rxing() {
    let mut random = Random::new();
    let asked = std::env::var("TILLBOX_LABELS").ok().map(|count| count.parse().expect("TILLBOX_LABELS"));
    let labels: u32 = asked.unwrap_or(100);
    let mut peer = Peer::new();
    println!("read of {labels} labels, in the first line / in {LINES} lines / wrong");
    println!("{:12} {:9} {:>20} {:>20}", "day", "kind", "ours", "rxing");
    let mut worse = Vec::new();
    for (name, day) in DAYS {
        for kind in Kind::ALL {
            let (mut ours, mut theirs) = (Tally::default(), Tally::default());
            for _ in 0..labels {
                let label = Label::any(kind, &mut random);
                let ink = random.between(-day.ink, day.ink);
                let lines: Vec<_> = (0..LINES).map(|_| Line::over(&label, ink, &day, &mut random)).collect();
                let mut reader = BarReader::new(Reading::default());
                let mut now = Moment::default();
                ours.count(lines.iter().map(|line| {
                    now += MS * 20;
                    let codes = pass(&mut reader, line, now);
                    codes
                        .into_iter()
                        .map(|code| {
                            (code.identifier, code.text.to_vec()) == (label.identifier, label.text.clone())
                        })
                        .collect()
                }));
                theirs.count(
                    lines
                        .iter()
                        .map(|line| peer.read(line).map(|text| text == label.plain).into_iter().collect()),
                );
            }
            let show = |tally: Tally| format!("{:5} {:5} {:5}", tally.first, tally.any, tally.wrong);
            println!("{name:12} {:9} {:>20} {:>20}", format!("{kind:?}"), show(ours), show(theirs));
            assert_eq!(ours.wrong, 0, "{name} {kind:?}");
            // Chance moves a hundred labels by some, and UPC-E, which is believed last, is a few behind. In the worst jitter
            // ours asks for a second read where rxing takes the first, and takes wrong ones with it: that is printed,
            // and not held against ours.
            if day.jitter < 0.2 && ours.any + labels / 8 < theirs.any {
                worse.push(format!("{name} {kind:?}"));
            }
        }
    }
    assert!(worse.is_empty(), "fewer than rxing: {worse:?}");
}

impl Tally {
    /// Counts a label by what each line over it was read as: right or wrong.
    fn count(&mut self, lines: impl Iterator<Item = Vec<bool>>) {
        let (mut right, mut wrong) = (false, false);
        for (at, line) in lines.enumerate() {
            right |= line.contains(&true);
            wrong |= line.contains(&false);
            self.first += u32::from(at == 0 && right);
        }
        self.any += u32::from(right);
        self.wrong += u32::from(wrong);
    }
}

/// rxing's readers of one row of pixels, for the symbologies that ours reads.
struct Peer {
    reader: MultiFormatOneDReader,
    hints: DecodeHints,
}

impl Peer {
    fn new() -> Self {
        use BarcodeFormat::{CODE_128, EAN_8, EAN_13, ITF, UPC_A, UPC_E};
        let formats = HashSet::from([EAN_13, EAN_8, UPC_A, UPC_E, CODE_128, ITF]);
        let hints = DecodeHints { PossibleFormats: Some(formats), ..DecodeHints::default() };
        Self { reader: MultiFormatOneDReader::new(&hints), hints }
    }

    /// Reads a line in one direction, then in the other.
    fn read(&mut self, line: &Line) -> Option<String> {
        let mut edges = vec![0usize];
        let mut at = 0;
        for run in &line.0 {
            at += u64::from(run.ticks);
            edges.push((at * PIXELS / TICKS as u64) as usize);
        }
        let mut row = BitArray::with_size(edges[edges.len() - 1]);
        for (ends, run) in edges.windows(2).zip(&line.0) {
            if run.level == Level::Dark {
                (ends[0]..ends[1]).for_each(|pixel| row.set(pixel));
            }
        }
        let one = self.reader.decode_row(0, &row, &self.hints);
        let read = one.or_else(|_| {
            row.reverse();
            self.reader.decode_row(0, &row, &self.hints)
        });
        read.ok().map(|read| read.getText().to_owned())
    }
}
