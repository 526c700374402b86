//! Reading bar codes from a sensor that tells dark from light: runs in, codes out.
//!
//! | word | meaning |
//! |---|---|
//! | run | how long the sensor saw one level, in ticks of any clock, or pixels of a row |
//! | module | the narrowest element; a symbol has no other ruler |
//! | quiet zone | the light run on either side of a symbol |
//! | scan | what lies between two quiet zones |
//! | weight | how much of what is enough to believe a code one scan brings |
//!
//! Runs wait in a row until a light one is a quiet zone. Then all between it and an earlier one that may be a quiet zone
//! is given to the symbologies whose number of elements fits, from both ends. Whatever they read goes to the vote.
//!
//! What always holds: integers only, no heap, no clock. The quiet zones are on both sides (ISO/IEC 15420 wants seven
//! modules or more, 15417 and 16390 ten; five and seven are enough here). Every check digit and check character is right.
//! What is not sure was read twice, and an ITF without a check digit always.

mod code128;
mod ean;
mod edges;
mod itf;
mod quality;
mod symbol;
mod vote;
mod width;

pub use edges::Edges;
pub use itf::ItfLengths;
pub use symbol::{Code, MAX_TEXT, Symbologies, Symbology};
pub use vote::Patience;

use device_drivers::Moment;
use heapless::Vec;

use self::ean::Half;
use self::symbol::Read;
use self::vote::Vote;

/// Elements of an EAN-13 that lost or won some edges.
const DAMAGED: core::ops::RangeInclusive<usize> = ean::EAN13 - 16..=ean::EAN13 + 16;

/// Runs that are kept: the longest symbol and its quiet zones.
const ROW: usize = code128::LONGEST_SYMBOL + 2;

/// What the sensor sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// A bar.
    Dark,
    /// A space, or the paper around a symbol.
    Light,
}

/// One level for some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Which.
    pub level: Level,
    /// How long, in ticks of the caller's clock or pixels of a row; above 262,143 it is as long as that. A module
    /// should have ten or more.
    pub ticks: u32,
}

/// What is read, and how soon it is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Which symbologies.
    pub symbologies: Symbologies,
    /// Which lengths of ITF.
    pub itf: ItfLengths,
    /// What is remembered for how long.
    pub patience: Patience,
}

impl Default for Reading {
    /// All symbologies, of ITF fourteen digits only.
    fn default() -> Self {
        Self { symbologies: Symbologies::ALL, itf: ItfLengths::ITF14, patience: Patience::default() }
    }
}

/// Makes codes of runs; it takes some 2 KiB.
///
/// ```
/// use device_drivers::Moment;
/// use firmware::{BarReader, Level, Reading, Run, Symbology};
///
/// // The modules of an EAN-13, 1 for dark, with the paper on either side.
/// let paper = "0".repeat(11);
/// let bars = "10100011010100111010111101111010001001011001101010\
///             100001010000101000010111010010000101100110101";
/// let mut reader = BarReader::new(Reading::default());
/// let mut told = None;
/// for module in [&paper, bars, &paper].concat().bytes() {
///     let level = if module == b'1' { Level::Dark } else { Level::Light };
///     told = reader.handle(Run { level, ticks: 100 }, Moment::default()).cloned().or(told);
/// }
/// let code = told.unwrap();
/// assert_eq!((code.symbology, code.identifier), (Symbology::Ean13, "]E0"));
/// assert_eq!(code.text, b"4006381333931");
/// ```
#[derive(Debug)]
pub struct BarReader {
    symbologies: Symbologies,
    itf: ItfLengths,
    /// Light, dark, light, … in turns; the first is light.
    row: Vec<u32, ROW>,
    /// The light run at the end was a quiet zone, and what lies before it was looked at.
    judged: bool,
    vote: Vote,
}

impl BarReader {
    /// A reader that has seen nothing.
    #[must_use]
    pub const fn new(reading: Reading) -> Self {
        let Reading { symbologies, itf, patience } = reading;
        Self { symbologies, itf, row: Vec::new(), judged: false, vote: Vote::new(patience) }
    }

    /// The sensor saw this. Gives a code that is now believed, once for as long as it stays in sight.
    ///
    /// A run may come in pieces of the same level. While the sensor looks at paper, a piece from time to time ends a
    /// symbol that nothing dark comes after.
    pub fn handle(&mut self, run: Run, now: Moment) -> Option<&Code> {
        let ticks = run.ticks.min(width::LONGEST);
        let light_ends = self.row.len() % 2 == 1;
        match (run.level, light_ends, self.row.last_mut()) {
            (Level::Dark, _, None) => return None,
            (Level::Light, true, Some(last)) | (Level::Dark, false, Some(last)) => {
                *last = last.saturating_add(ticks).min(width::LONGEST);
            }
            _ => self.append(ticks),
        }
        match run.level {
            Level::Dark => {
                self.judged = false;
                None
            }
            Level::Light => self.judge(now),
        }
    }

    /// What was seen so far has nothing to do with what comes: another row of an imager, a sensor switched on again.
    pub fn cut(&mut self) {
        self.row.clear();
        self.judged = false;
    }

    /// A new run. When there is no room the oldest quarter goes.
    fn append(&mut self, ticks: u32) {
        if self.row.is_full() {
            // An even number, so that the first stays a light one.
            let old = ROW / 8 * 2;
            self.row.drain(..old);
        }
        // There is room now.
        let _ = self.row.push(ticks);
    }

    /// A light run ends the row. If it is a quiet zone, looks for a symbol before it.
    fn judge(&mut self, now: Moment) -> Option<&Code> {
        let [.., a, b, c, light] = *self.row.as_slice() else { return None };
        if self.judged || !width::quiet(light, [c, b, a]) {
            return None;
        }
        self.judged = true;
        let (_, mut before) = self.row.split_last_mut()?;
        let mut halves = None;
        // Each run that may be a quiet zone, from the oldest on: what is longer cannot be a part of something else.
        while let [quiet, elements @ ..] = before {
            if let [a, b, c, ..] = *elements
                && width::quiet(*quiet, [a, b, c])
            {
                if let Some(read) = self.symbologies.read(elements, self.itf) {
                    // The quiet zone is the one before the next symbol, too.
                    self.row.clear();
                    self.append(light);
                    return self.vote.take(read, now);
                }
                halves = self.symbologies.halves(elements).or(halves);
            }
            before = elements.get_mut(1..).unwrap_or_default();
        }
        self.vote.take_halves(halves?, self.symbologies, now)
    }
}

impl Symbologies {
    /// Reads a scan from both ends. Leaves the elements as they were.
    fn read(self, elements: &mut [u32], itf: ItfLengths) -> Option<Read> {
        let read = match elements.len() {
            ean::EAN13 => both(each_end(elements, ean::half)).and_then(ean::ean13),
            ean::EAN8 => both(each_end(elements, ean::short_half)).and_then(ean::ean8),
            ean::UPC_E => ean::upc_e(each_end(elements, ean::short)),
            _ => None,
        };
        read.or_else(|| {
            either_end(elements, |elements| code128::read(elements).or_else(|| itf::read(elements, itf)))
        })
        .filter(|read| self.has(read.code.symbology))
    }

    /// Reads what is left of an EAN-13 of which some edges are lost.
    fn halves(self, elements: &mut [u32]) -> Option<[Option<Half>; 2]> {
        let ean13 = self.has(Symbology::Ean13) || self.has(Symbology::UpcA);
        if !ean13 || !DAMAGED.contains(&elements.len()) {
            return None;
        }
        Some(<[_; 2]>::from(each_end(elements, ean::sure_half)))
    }
}

fn either_end<T>(elements: &mut [u32], read: impl Fn(&[u32]) -> Option<T>) -> Option<T> {
    let one = read(elements);
    if one.is_some() {
        return one;
    }
    elements.reverse();
    let other = read(elements);
    elements.reverse();
    other
}

fn each_end<T>(elements: &mut [u32], read: impl Fn(&[u32]) -> Option<T>) -> (Option<T>, Option<T>) {
    let one = read(elements);
    elements.reverse();
    let other = read(elements);
    elements.reverse();
    (one, other)
}

fn both<T>((one, other): (Option<T>, Option<T>)) -> Option<(T, T)> {
    Some((one?, other?))
}
