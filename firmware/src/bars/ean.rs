//! EAN-13, EAN-8, UPC-A and UPC-E (ISO/IEC 15420).
//!
//! | word | meaning |
//! |---|---|
//! | character | two spaces and two bars, seven modules together: a digit in set A or B |
//! | set C | the right half's; read from the symbol's outer edge inwards it is set B |
//! | half | a guard of three elements, the characters up to the centre guard, and that guard's five |
//! | parity | which set each character of a half is of; says the digit that has no character of its own |
//!
//! Every half is read from its outer edge inwards. Then it starts with a guard, each character with a space, and the
//! sets say which half it is: all B is the right one, anything else a left one. So no direction needs to be tried.
//!
//! A character is a point: two distances between similar edges, and its bars together less what ink spread adds to
//! bars in this half. The spread is taken from the guards and from the characters whose two distances are of one digit
//! only (1 and 7, 2 and 8 share theirs). Any two digits are at least √2 modules apart then. The sets of a half are chosen
//! together: those of the permitted parities whose points are nearest to what was measured.

use heapless::Vec;

use super::symbol::{Code, Read, Symbology, checked, text};
use super::width::{MODULE, share, spread, square, steady};

/// Elements of a whole symbol.
pub(super) const EAN13: usize = 59;
pub(super) const EAN8: usize = 43;
pub(super) const UPC_E: usize = 33;

/// Set A by digit: the widths of space, bar, space, bar (table 1). Set B is the same from right to left.
const SET_A: [[i32; 4]; 10] = [
    [3, 2, 1, 1],
    [2, 2, 2, 1],
    [2, 1, 2, 2],
    [1, 4, 1, 1],
    [1, 1, 3, 2],
    [1, 2, 3, 1],
    [1, 1, 1, 4],
    [1, 3, 1, 2],
    [1, 2, 1, 3],
    [3, 1, 1, 2],
];

/// The thirteenth digit by the sets of the left half, first character first, 1 for B (table 3).
const FIRST: [u8; 10] =
    [0b000000, 0b001011, 0b001101, 0b001110, 0b010011, 0b011001, 0b011100, 0b010101, 0b010110, 0b011010];
/// The check digit of UPC-E by its sets, number system 0 (table 5).
const UPC_E_CHECK: [u8; 10] =
    [0b111000, 0b110100, 0b110010, 0b110001, 0b101100, 0b100110, 0b100011, 0b101010, 0b101001, 0b100101];

/// How far a character may lie from its point, the mean of a half, in squares of 64ths of a module.
const FAR: u32 = 3 * 4096 / 4;
/// How much nearer than any other a point has to be, in the same unit, for one scan to be enough.
const CLEAR: u32 = 4096 * 3 / 4;

/// One half, its digits in the order in which they are printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Half {
    /// Seven digits, the first from the parity; or the four of EAN-8.
    Left(Vec<u8, 7>),
    /// Six digits or four.
    Right(Vec<u8, 7>),
}

/// EAN-13 and UPC-A, read from both ends.
pub(super) fn ean13(halves: ((Half, bool), (Half, bool))) -> Option<Read> {
    let (digits, strong) = whole(halves)?;
    joined(&digits).map(|code| Read { code, strong })
}

/// Thirteen digits as a code, if they are right.
pub(super) fn joined(digits: &[u8]) -> Option<Code> {
    let symbology = if digits.first() == Some(&0) { Symbology::UpcA } else { Symbology::Ean13 };
    let right = digits.len() == 13 && checked(digits);
    let text = text(digits.iter().copied())?;
    right.then_some(Code { symbology, identifier: "]E0", text })
}

/// EAN-8, read from both ends. It has no parity to be wrong: one scan is never enough.
pub(super) fn ean8(halves: ((Half, bool), (Half, bool))) -> Option<Read> {
    let (digits, _) = whole(halves)?;
    let code = Code { symbology: Symbology::Ean8, identifier: "]E4", text: text(digits.iter().copied())? };
    checked(&digits).then_some(Read { code, strong: false })
}

/// Reads UPC-E of number system 0, in this direction. Its check digit is its parity: one scan is never enough.
pub(super) fn upc_e(elements: &[u32]) -> Option<Read> {
    let (set, digits, _) = Measured::of::<6>(elements)?.ended()?.parity(&UPC_E_CHECK)?;
    let [a, b, c, d, e, last] = *digits.as_slice() else { return None };
    let check = u8::try_from(set).ok()?;
    // The last digit says where the zeros were, annex B.
    let body = match last {
        0..=2 => [a, b, last, 0, 0, 0, 0, c, d, e],
        3 => [a, b, c, 0, 0, 0, 0, 0, d, e],
        4 => [a, b, c, d, 0, 0, 0, 0, 0, e],
        _ => [a, b, c, d, e, 0, 0, 0, 0, last],
    };
    let all: Vec<u8, 13> = [0, 0].into_iter().chain(body).chain([check]).collect();
    let code = Code { symbology: Symbology::UpcE, identifier: "]E0", text: text(all.iter().copied())? };
    checked(&all).then_some(Read { code, strong: false })
}

impl Half {
    /// Whether it is the same side with other digits.
    pub(super) fn is_other(&self, half: &Self) -> bool {
        core::mem::discriminant(self) == core::mem::discriminant(half) && self != half
    }
}

/// Reads half an EAN-13 from its outer edge inwards. Says whether it is clear.
pub(super) fn half(elements: &[u32]) -> Option<(Half, bool)> {
    let half = Measured::of::<6>(elements)?.centred()?;
    let [p0, p1, p2, p3, p4, p5, p6, p7, p8, p9] = FIRST;
    let (set, digits, strong) = half.parity(&[p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, 0b111111])?;
    let first = u8::try_from(set).ok()?;
    Some((sided(first < 10, Some(first), digits), strong))
}

/// Reads half an EAN-8 likewise.
pub(super) fn short_half(elements: &[u32]) -> Option<(Half, bool)> {
    let half = Measured::of::<4>(elements)?.centred()?;
    let (set, digits, strong) = half.parity(&[0b0000, 0b1111])?;
    Some((sided(set == 0, None, digits), strong))
}

fn sided(left: bool, first: Option<u8>, digits: Vec<u8, 6>) -> Half {
    if left {
        Half::Left(first.into_iter().chain(digits).collect())
    } else {
        Half::Right(digits.into_iter().rev().collect())
    }
}

fn whole(((one, clear), (other, also)): ((Half, bool), (Half, bool))) -> Option<(Vec<u8, 13>, bool)> {
    let (left, right) = match (one, other) {
        (Half::Left(left), Half::Right(right)) | (Half::Right(right), Half::Left(left)) => (left, right),
        _ => return None,
    };
    Some((left.into_iter().chain(right).collect(), clear && also))
}

/// A character as it was measured, in 64ths of a module.
#[derive(Debug, Clone, Copy)]
struct Point {
    /// From the first edge to the third.
    first: i32,
    /// From the second edge to the fourth.
    second: i32,
    /// Both bars, with what ink spread adds to two bars.
    bars: i32,
}

impl Point {
    fn of(widths: [i32; 4]) -> Self {
        let [a, b, c, d] = widths.map(|width| width.saturating_mul(MODULE));
        Self { first: a.saturating_add(b), second: b.saturating_add(c), bars: b.saturating_add(d) }
    }

    /// The square of the distance to another point, without the bars.
    fn edges(self, other: Self) -> u32 {
        square(self.first.saturating_sub(other.first))
            .saturating_add(square(self.second.saturating_sub(other.second)))
    }

    fn distance(self, other: Self, ink: i32) -> u32 {
        let bars = self.bars.saturating_sub(ink).saturating_sub(other.bars);
        self.edges(other).saturating_add(square(bars))
    }
}

/// The nearest digit of one set.
#[derive(Debug, Clone, Copy)]
struct Nearest {
    digit: u8,
    distance: u32,
    /// How much further the next one is.
    margin: u32,
}

/// A row of characters behind an outer guard, and what follows them.
struct Measured<'a> {
    points: Vec<Point, 6>,
    /// What ink spread adds to two bars, as the guards and characters so far say: their sum and number.
    ink: (i32, i32),
    /// The width of the last character, in ticks.
    last: u32,
    rest: &'a [u32],
}

impl<'a> Measured<'a> {
    fn of<const N: usize>(elements: &'a [u32]) -> Option<Self> {
        let (&[bar, space, other], mut rest) = elements.split_first_chunk()?;
        let mut points = Vec::new();
        let (mut ink, mut last) = ((0, 0), None);
        for _ in 0..N {
            let (&[a, b, c, d], after) = rest.split_first_chunk()?;
            rest = after;
            let width = [a, b, c, d].into_iter().fold(0u32, u32::saturating_add);
            match last {
                Some(last) if !steady(last, width) => return None,
                Some(_) => {}
                None => {
                    guarded(bar.saturating_add(space), width)?;
                    guarded(space.saturating_add(other), width)?;
                    add(&mut ink, spread(bar, space, other, width, 7));
                }
            }
            last = Some(width);
            let part = |one: u32, two: u32| share(one.saturating_add(two), width, 7);
            points.push(Point { first: part(a, b), second: part(b, c), bars: part(b, d) }).ok()?;
        }
        Some(Self { points, ink, last: last?, rest })
    }

    /// The centre guard follows.
    fn centred(mut self) -> Option<Self> {
        let (&[a, b, c, d, e], _) = self.rest.split_first_chunk()?;
        [(a, b), (b, c), (c, d), (d, e)]
            .into_iter()
            .try_for_each(|(one, next)| guarded(one.saturating_add(next), self.last))?;
        add(&mut self.ink, spread(b, c, d, self.last, 7));
        Some(self)
    }

    /// The end of a UPC-E follows.
    fn ended(mut self) -> Option<Self> {
        let &[a, b, c, d, e, f] = self.rest else { return None };
        [(a, b), (b, c), (c, d), (d, e), (e, f)]
            .into_iter()
            .try_for_each(|(one, next)| guarded(one.saturating_add(next), self.last))?;
        add(&mut self.ink, spread(b, c, d, self.last, 7));
        add(&mut self.ink, spread(d, e, f, self.last, 7));
        Some(self)
    }

    /// Chooses among parities the one that fits best. Gives its place in the list, the digits, and whether they are
    /// clear.
    fn parity(&self, parities: &[u8]) -> Option<(usize, Vec<u8, 6>, bool)> {
        let ink = self.spread()?;
        let near: Vec<[Nearest; 2], 6> =
            self.points.iter().map(|point| [false, true].map(|b| nearest(*point, ink, b))).collect();
        let chosen = |parity: u8| {
            let places = (0..near.len()).rev().map(move |place| parity >> place & 1 == 1);
            near.iter().zip(places).map(|([a, b], is_b)| if is_b { *b } else { *a })
        };
        let far = |parity| chosen(parity).fold(0u32, |sum, near| sum.saturating_add(near.distance));
        let (at, parity) = parities.iter().copied().enumerate().min_by_key(|(_, parity)| far(*parity))?;
        let distance = far(parity);
        let others = parities.iter().filter(|other| **other != parity).map(|other| far(*other)).min();
        if distance > FAR.saturating_mul(u32::try_from(near.len()).ok()?) {
            return None;
        }
        let clear = others.is_none_or(|other| other.saturating_sub(distance) >= CLEAR)
            && chosen(parity).all(|near| near.margin >= CLEAR);
        Some((at, chosen(parity).map(|near| near.digit).collect(), clear))
    }

    /// What ink spread adds to two bars. `None` when that is more than a module and a half.
    fn spread(&self) -> Option<i32> {
        let mut ink = self.ink;
        for point in &self.points {
            let both = SET_A.into_iter().flat_map(|widths| [widths, turned(widths)]).map(Point::of);
            let best = both.clone().map(|ideal| point.edges(ideal)).min()?;
            let mut same = both.filter(|ideal| point.edges(*ideal) == best);
            if let (Some(ideal), None) = (same.next(), same.next()) {
                add(&mut ink, point.bars.saturating_sub(ideal.bars));
            }
        }
        let mean = ink.0.checked_div(ink.1)?;
        (mean.abs() <= MODULE.saturating_mul(3) / 2).then_some(mean)
    }
}

fn nearest(point: Point, ink: i32, is_b: bool) -> Nearest {
    let mut best = Nearest { digit: 0, distance: u32::MAX, margin: 0 };
    for (digit, widths) in (0..).zip(SET_A) {
        let ideal = Point::of(if is_b { turned(widths) } else { widths });
        let distance = point.distance(ideal, ink);
        if distance < best.distance {
            best = Nearest { digit, distance, margin: best.distance.saturating_sub(distance) };
        } else {
            best.margin = best.margin.min(distance.saturating_sub(best.distance));
        }
    }
    best
}

fn turned([a, b, c, d]: [i32; 4]) -> [i32; 4] {
    [d, c, b, a]
}

/// Two elements of a guard are two modules, give or take three quarters of one.
fn guarded(pair: u32, character: u32) -> Option<()> {
    let off = share(pair, character, 7).saturating_sub(2 * MODULE);
    (off.abs() <= MODULE * 3 / 4).then_some(())
}

fn add((sum, number): &mut (i32, i32), value: i32) {
    *sum = sum.saturating_add(value);
    *number = number.saturating_add(1);
}
