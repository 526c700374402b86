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
//! A character is a point: where its three inner edges are. Ink spread moves the edges where bars begin against those
//! where they end; how far, the guards say, and the characters that are told by distances between similar edges alone
//! (1 and 7, 2 and 8 share theirs). The sets of a half are chosen together: those of the permitted parities whose points
//! are nearest to what was measured. How much nearer than the next ones they are is how sure it is.

use heapless::Vec;

use super::quality::Quality;
use super::symbol::{Code, DOUBTFUL, LIKELY, Read, Symbology, checked, text};
use super::width::{MODULE, SQUARE, share, spread, square, steady};

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

/// How far a character may lie from its point, the mean of a half: half a module. A wide spot that makes one digit of
/// another in every scan gives more than that.
const FAR: u32 = SQUARE / 4;
/// How sure a symbol has to be for one scan to be enough: with 13 digits, EAN-8, UPC-E.
const SURE: u32 = 8;
const SURE_SHORT: u32 = 8;
const SURE_UPC_E: u32 = 20;
/// Else it is doubtful: its check digit is its parity, which is all that there is to check.
const CLEAR_UPC_E: u32 = 4;
/// How sure a UPC-E has to be for a scan to count at all.
const LIKELY_UPC_E: u32 = 2;

/// One half, its digits in the order in which they are printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Half {
    /// Seven digits, the first from the parity; or the four of EAN-8.
    Left(Vec<u8, 7>),
    /// Six digits or four.
    Right(Vec<u8, 7>),
}

/// EAN-13 and UPC-A, read from both ends.
pub(super) fn ean13(halves: ((Half, Quality), (Half, Quality))) -> Option<Read> {
    let (digits, quality) = whole(halves)?;
    joined(&digits).map(|code| Read { code, weight: quality.weight(SURE) })
}

/// Thirteen digits as a code, if they are right.
pub(super) fn joined(digits: &[u8]) -> Option<Code> {
    let symbology = if digits.first() == Some(&0) { Symbology::UpcA } else { Symbology::Ean13 };
    let right = digits.len() == 13 && checked(digits);
    let text = text(digits.iter().copied())?;
    right.then_some(Code { symbology, identifier: "]E0", text })
}

/// EAN-8, read from both ends.
pub(super) fn ean8(halves: ((Half, Quality), (Half, Quality))) -> Option<Read> {
    let (digits, quality) = whole(halves)?;
    let code = Code { symbology: Symbology::Ean8, identifier: "]E4", text: text(digits.iter().copied())? };
    checked(&digits).then_some(Read { code, weight: quality.weight(SURE_SHORT) })
}

/// UPC-E of number system 0, read from both ends. Only one is its front, and what is read from behind may be a UPC-E
/// by chance: the better one counts.
pub(super) fn upc_e((one, other): (Option<Short>, Option<Short>)) -> Option<Read> {
    let ends = [one, other];
    let Short { check, digits, quality } =
        ends.into_iter().flatten().min_by_key(|end| end.quality.distance())?;
    let [a, b, c, d, e, last] = *digits.as_slice() else { return None };
    // The last digit says where the zeros were, annex B.
    let body = match last {
        0..=2 => [a, b, last, 0, 0, 0, 0, c, d, e],
        3 => [a, b, c, 0, 0, 0, 0, 0, d, e],
        4 => [a, b, c, d, 0, 0, 0, 0, 0, e],
        _ => [a, b, c, d, e, 0, 0, 0, 0, last],
    };
    let all: Vec<u8, 13> = [0, 0].into_iter().chain(body).chain([check]).collect();
    let code = Code { symbology: Symbology::UpcE, identifier: "]E0", text: text(all.iter().copied())? };
    let weight = match quality.weight(SURE_UPC_E) {
        LIKELY if !quality.sure(CLEAR_UPC_E) => DOUBTFUL,
        weight => weight,
    };
    (checked(&all) && quality.sure(LIKELY_UPC_E)).then_some(Read { code, weight })
}

/// A UPC-E as it stands there.
pub(super) struct Short {
    check: u8,
    digits: Vec<u8, 6>,
    quality: Quality,
}

/// Reads a UPC-E from this end.
pub(super) fn short(elements: &[u32]) -> Option<Short> {
    let Choice { set, digits, quality } = Measured::of::<6>(elements)?.ended()?.parity(&UPC_E_CHECK)?;
    Some(Short { check: u8::try_from(set).ok()?, digits, quality })
}

impl Half {
    /// Whether it is the same side with other digits.
    pub(super) fn is_other(&self, half: &Self) -> bool {
        core::mem::discriminant(self) == core::mem::discriminant(half) && self != half
    }
}

/// Reads half an EAN-13 from its outer edge inwards. Says how sure it is.
pub(super) fn half(elements: &[u32]) -> Option<(Half, Quality)> {
    let half = Measured::of::<6>(elements)?.centred()?;
    let [p0, p1, p2, p3, p4, p5, p6, p7, p8, p9] = FIRST;
    let Choice { set, digits, quality } = half.parity(&[p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, 0b111111])?;
    let first = u8::try_from(set).ok()?;
    Some((sided(first < 10, Some(first), digits), quality))
}

/// Reads half an EAN-13, if it is sure enough to be joined with another one.
///
/// Nobody has counted its elements: a bar that is lost may leave other digits which are as sure as the right ones. But the
/// character that lost it has taken in two elements of the next one, and is too wide beside its neighbours.
pub(super) fn sure_half(elements: &[u32]) -> Option<Half> {
    let measured = Measured::of::<6>(elements)?;
    let (half, quality) = half(elements)?;
    (measured.is_even(elements) && quality.sure(SURE_SHORT)).then_some(half)
}

/// Reads half an EAN-8 likewise.
pub(super) fn short_half(elements: &[u32]) -> Option<(Half, Quality)> {
    let half = Measured::of::<4>(elements)?.centred()?;
    let Choice { set, digits, quality } = half.parity(&[0b0000, 0b1111])?;
    Some((sided(set == 0, None, digits), quality))
}

fn sided(left: bool, first: Option<u8>, digits: Vec<u8, 6>) -> Half {
    if left {
        Half::Left(first.into_iter().chain(digits).collect())
    } else {
        Half::Right(digits.into_iter().rev().collect())
    }
}

fn whole(((one, sure), (other, also)): ((Half, Quality), (Half, Quality))) -> Option<(Vec<u8, 13>, Quality)> {
    let (left, right) = match (one, other) {
        (Half::Left(left), Half::Right(right)) | (Half::Right(right), Half::Left(left)) => (left, right),
        _ => return None,
    };
    Some((left.into_iter().chain(right).collect(), sure.with(also)))
}

/// Where the three inner edges of a character are, in 64ths of a module behind the first one.
#[derive(Debug, Clone, Copy)]
struct Point([i32; 3]);

impl Point {
    /// The square of the distance between points, by what ink spread does not move: the second edge, and how far the
    /// first is from the third.
    fn similar(self, other: Self) -> u32 {
        let (Self([a, b, c]), Self([x, y, z])) = (self, other);
        let across = c.saturating_sub(a).saturating_sub(z.saturating_sub(x));
        square(b.saturating_sub(y)).saturating_add(square(across))
    }

    /// What ink spread adds to a bar if it is that character.
    fn ink(self, ideal: Self) -> i32 {
        let (Self([a, _, c]), Self([x, _, z])) = (self, ideal);
        x.saturating_sub(a).saturating_add(z.saturating_sub(c)) / 2
    }

    /// The same without the ink.
    fn dry(self, ink: i32) -> Self {
        let Self([a, b, c]) = self;
        Self([a.saturating_add(ink), b, c.saturating_add(ink)])
    }

    fn distance(self, other: Self) -> u32 {
        let (Self(one), Self(other)) = (self, other);
        let off = one.into_iter().zip(other).map(|(one, other)| square(one.saturating_sub(other)));
        off.fold(0, u32::saturating_add)
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
    /// What ink spread adds to a bar, as guards and characters say: the sum and their number.
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
            let [second, third] = [a.saturating_add(b), width.saturating_sub(d)];
            points.push(Point([a, second, third].map(|edge| share(edge, width, 7)))).ok()?;
        }
        Some(Self { points, ink, last: last?, rest })
    }

    /// Whether each character is about as wide as its neighbours in the mean, which a hand that goes faster or slower leaves so.
    /// Before the first stands the outer guard, behind the last the centre one.
    fn is_even(&self, elements: &[u32]) -> bool {
        let wide = |elements: Option<&[u32]>, modules: u32| {
            let sum = elements?.iter().fold(0u32, |sum, width| sum.saturating_add(*width));
            sum.saturating_mul(7).checked_div(modules)
        };
        let mut widths: Vec<u32, 8> = Vec::new();
        let characters = (0..6_usize).map(|at| (at.saturating_mul(4).saturating_add(3), 4, 7));
        for (from, count, modules) in [(0, 3, 3)].into_iter().chain(characters).chain([(27, 5, 5)]) {
            let Some(width) = wide(elements.get(from..from.saturating_add(count)), modules) else {
                return false;
            };
            // There are eight.
            let _ = widths.push(width);
        }
        widths.windows(3).enumerate().all(|(at, three)| {
            let [before, width, after] = *three else { return false };
            let neighbours = before.saturating_add(after);
            // A guard is short, so its width says less.
            let part = if (1..5).contains(&at) { 6 } else { 5 };
            width.saturating_mul(2).abs_diff(neighbours).saturating_mul(part) <= neighbours
        })
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

    /// Chooses among parities the one that fits best.
    fn parity(&self, parities: &[u8]) -> Option<Choice> {
        let ink = self.ink()?;
        let near: Vec<[Nearest; 2], 6> = self
            .points
            .iter()
            .map(|point| [IDEAL_A, IDEAL_B].map(|set| nearest(point.dry(ink), &set)))
            .collect();
        let chosen = |parity: u8| {
            let places = (0..near.len()).rev().map(move |place| parity >> place & 1 == 1);
            near.iter().zip(places).map(|([a, b], is_b)| if is_b { *b } else { *a })
        };
        let far = |parity| chosen(parity).fold(0u32, |sum, near| sum.saturating_add(near.distance));
        let (set, parity) = parities.iter().copied().enumerate().min_by_key(|(_, parity)| far(*parity))?;
        let distance = far(parity);
        if distance > FAR.saturating_mul(u32::try_from(near.len()).ok()?) {
            return None;
        }
        let others = parities.iter().filter(|other| **other != parity);
        let next = others.map(|other| far(*other).saturating_sub(distance)).min().unwrap_or(u32::MAX);
        let quality =
            chosen(parity).fold(Quality::NONE, |all, near| all.and(near.distance, near.margin.min(next)));
        let digits = chosen(parity).map(|near| near.digit).collect();
        quality.counts().then_some(Choice { set, digits, quality })
    }

    /// What ink spread adds to a bar. `None` when that is more than three quarters of a module.
    fn ink(&self) -> Option<i32> {
        let mut ink = self.ink;
        for point in &self.points {
            let both = || IDEAL_A.into_iter().chain(IDEAL_B);
            let best = both().map(|ideal| point.similar(ideal)).min()?;
            let mut same = both().filter(|ideal| point.similar(*ideal) == best);
            if let (Some(ideal), None) = (same.next(), same.next()) {
                add(&mut ink, point.ink(ideal));
            }
        }
        let mean = ink.0.checked_div(ink.1)?;
        (mean.abs() <= MODULE.saturating_mul(3) / 4).then_some(mean)
    }
}

/// What a row of characters says.
struct Choice {
    /// The place of its parity in the list.
    set: usize,
    digits: Vec<u8, 6>,
    /// How sure that is, also beside the next best parity.
    quality: Quality,
}

/// The points of set A and set B by digit, worked out when this is compiled.
const IDEAL_A: [Point; 10] = ideal(false);
const IDEAL_B: [Point; 10] = ideal(true);

#[allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "the compiler would stop at it")]
const fn ideal(is_b: bool) -> [Point; 10] {
    let mut points = [Point([0; 3]); 10];
    let mut digit = 0;
    while digit < points.len() {
        let [a, b, c, d] = SET_A[digit];
        let edges = if is_b { [d, d + c, d + c + b] } else { [a, a + b, a + b + c] };
        points[digit] = Point([edges[0] * MODULE, edges[1] * MODULE, edges[2] * MODULE]);
        digit += 1;
    }
    points
}

fn nearest(point: Point, set: &[Point; 10]) -> Nearest {
    let mut best = Nearest { digit: 0, distance: u32::MAX, margin: 0 };
    for (digit, ideal) in (0..).zip(set) {
        let distance = point.distance(*ideal);
        if distance < best.distance {
            best = Nearest { digit, distance, margin: best.distance.saturating_sub(distance) };
        } else {
            best.margin = best.margin.min(distance.saturating_sub(best.distance));
        }
    }
    best
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Two lines over a UPC-A 588876 424361 that lost the bar between its fifth and sixth digit (`TILLBOX_SEED=1936283293027439526`): both
    /// say 588883 with the best of margins.
    const LOST_A_BAR: [[u32; 40]; 2] = [
        [
            169, 95, 155, 112, 268, 352, 174, 116, 256, 121, 437, 120, 283, 113, 448, 88, 299, 128, 462, 141,
            448, 109, 625, 121, 641, 105, 194, 149, 163, 115, 169, 153, 461, 261, 299, 80, 271, 264, 144,
            106,
        ],
        [
            59, 70, 72, 68, 124, 178, 70, 50, 131, 61, 181, 66, 118, 44, 176, 76, 99, 37, 174, 51, 167, 43,
            213, 64, 225, 53, 71, 64, 73, 45, 94, 46, 236, 129, 179, 68, 185, 141, 92, 90,
        ],
    ];

    /// A line over the same that lost a bar elsewhere.
    const WHOLE: [u32; 40] = [
        45, 55, 66, 42, 145, 161, 57, 57, 115, 67, 191, 58, 136, 57, 205, 54, 146, 65, 202, 66, 214, 74, 164,
        51, 92, 72, 323, 93, 85, 64, 104, 76, 95, 71, 307, 183, 177, 95, 213, 184,
    ];

    #[test]
    fn a_half_that_lost_a_bar_is_not_sure_however_well_its_digits_fit() {
        for elements in LOST_A_BAR {
            let (half, quality) = half(&elements).expect("it reads as another label");
            assert!(matches!(half, Half::Left(digits) if digits[1..] == [5, 8, 8, 8, 8, 3]));
            assert!(quality.sure(SURE_SHORT));
            assert_eq!(sure_half(&elements), None);
        }
        assert!(matches!(sure_half(&WHOLE), Some(Half::Left(digits)) if digits[1..] == [5, 8, 8, 8, 7, 6]));
    }
}
