//! Code 128 and GS1-128 (ISO/IEC 15417).
//!
//! | word | meaning |
//! |---|---|
//! | character | three bars and three spaces, eleven modules together: a value from 0 to 105, or the stop |
//! | code set | what values stand for: A (upper case and controls), B (upper and lower case), C (two digits each) |
//! | FNC1 | first behind the start: the data are GS1's; elsewhere: the end of an element, sent as GS |
//!
//! A character is a point: where its five inner edges are. Ink spread moves the edges where bars end against those
//! where they begin; how far, the characters say that are told by distances between similar edges alone. The bars of a
//! character are an even number of modules, so that any two points are two edges apart.
//!
//! Symbols with FNC2 (keep and wait for more), FNC3 (commands to the reader) or FNC4 (letters beyond ASCII) are not read:
//! nobody prints them for a shop, and nobody but its technician should command a reader.

use heapless::Vec;

use super::quality::Quality;
use super::symbol::{Code, ENOUGH, LIKELY, MAX_TEXT, Read, Symbology};
use super::width::{MODULE, SQUARE, share, square, steady};

/// Elements of a character, and one more behind the stop.
const CHARACTER: usize = 6;
/// Start, one character, check character, stop.
const SHORTEST: usize = 4 * CHARACTER + 1;
/// Characters from start to check character.
const CHARACTERS: usize = 52;
/// Elements of the longest symbol that is read.
pub(super) const LONGEST_SYMBOL: usize = (CHARACTERS + 1) * CHARACTER + 1;

/// How far a character may lie from its point.
const FAR: u32 = SQUARE * 3 / 2;
/// How sure a symbol has to be for one scan to be enough.
const SURE: u32 = 4;

const CODE_C: u8 = 99;
const CODE_B: u8 = 100;
const CODE_A: u8 = 101;
const FNC1: u8 = 102;
const START_A: u8 = 103;
const START_B: u8 = 104;
const START_C: u8 = 105;
const STOP: u8 = 106;
const SHIFT: u8 = 98;
const MODULUS: u32 = 103;
/// What FNC1 is sent as within data.
const GS: u8 = 29;

/// The widths of each value, first bar first (table 1). The stop's last bar, of two modules, is left out.
const WIDTHS: [u32; 107] = [
    212222, 222122, 222221, 121223, 121322, 131222, 122213, 122312, 132212, 221213, 221312, 231212, 112232,
    122132, 122231, 113222, 123122, 123221, 223211, 221132, 221231, 213212, 223112, 312131, 311222, 321122,
    321221, 312212, 322112, 322211, 212123, 212321, 232121, 111323, 131123, 131321, 112313, 132113, 132311,
    211313, 231113, 231311, 112133, 112331, 132131, 113123, 113321, 133121, 313121, 211331, 231131, 213113,
    213311, 213131, 311123, 311321, 331121, 312113, 312311, 332111, 314111, 221411, 431111, 111224, 111422,
    121124, 121421, 141122, 141221, 112214, 112412, 122114, 122411, 142112, 142211, 241211, 221114, 413111,
    241112, 134111, 111242, 121142, 121241, 114212, 124112, 124211, 411212, 421112, 421211, 212141, 214121,
    412121, 111143, 111341, 131141, 114113, 114311, 411113, 411311, 113141, 114131, 311141, 411131, 211412,
    211214, 211232, 233111,
];

/// Where each value lies, worked out when this is compiled.
#[allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "the compiler would stop at it")]
const POINTS: [Point; 107] = {
    let mut points = [Point([0; 5]); 107];
    let mut value = 0;
    while value < points.len() {
        let (mut edge, mut place, mut widths) = (11, 5, WIDTHS[value]);
        while place > 0 {
            edge -= (widths % 10) as i16;
            widths /= 10;
            place -= 1;
            points[value].0[place] = edge * MODULE as i16;
        }
        value += 1;
    }
    points
};

/// Where the five inner edges of a character are, in 64ths of a module behind the first one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Point([i16; 5]);

impl Point {
    fn of(elements: &[u32; CHARACTER]) -> Self {
        let width = total(elements);
        let mut edge = 0u32;
        let [a, b, c, d, e, _] = elements.map(|element| {
            edge = edge.saturating_add(element);
            i16::try_from(share(edge, width, 11)).unwrap_or(i16::MAX)
        });
        Self([a, b, c, d, e])
    }

    /// The distances from each of the first four edges to the next similar one. Ink spread does not move them.
    fn similar(self) -> [i16; 4] {
        let Self([a, b, c, d, e]) = self;
        [b, c.saturating_sub(a), d.saturating_sub(b), e.saturating_sub(c)]
    }

    /// The three bars together.
    fn bars(self) -> i16 {
        let Self([a, b, c, d, e]) = self;
        a.saturating_add(c).saturating_sub(b).saturating_add(e).saturating_sub(d)
    }

    /// The same without what ink spread adds to each bar.
    fn dry(self, ink: i16) -> Self {
        let Self([a, b, c, d, e]) = self;
        Self([a.saturating_sub(ink), b, c.saturating_sub(ink), d, e.saturating_sub(ink)])
    }
}

/// Reads Code 128 in this direction.
pub(super) fn read(elements: &[u32]) -> Option<Read> {
    if elements.len() < SHORTEST || elements.len() > LONGEST_SYMBOL || elements.len() % CHARACTER != 1 {
        return None;
    }
    let (characters, &[end]) = elements.as_chunks::<CHARACTER>() else { return None };
    let ink = spread(characters)?;
    let mut quality = Quality::NONE;
    let mut last = None;
    let mut values = Vec::<u8, { CHARACTERS + 1 }>::new();
    for character in characters {
        let width = total(character);
        if !steady(last.unwrap_or(width), width) {
            return None;
        }
        last = Some(width);
        let (value, distance, margin) = nearest(Point::of(character).dry(ink))?;
        if values.is_empty() && !(START_A..=START_C).contains(&value) {
            return None;
        }
        quality = quality.and(distance, margin);
        values.push(value).ok()?;
    }
    // The stop's last bar: two modules, and what ink spread adds to one.
    let end = share(end, last?, 11).saturating_sub(ink.into()).saturating_sub(2 * MODULE);
    let [start @ START_A..=START_C, data @ .., check, STOP] = values.as_slice() else { return None };
    if !quality.counts() || end.abs() > MODULE || checksum(*start, data) != u32::from(*check) {
        return None;
    }
    let (identifier, text) = translated(*start, data)?;
    let weight = if quality.sure(SURE) { ENOUGH } else { LIKELY };
    Some(Read { code: Code { symbology: Symbology::Code128, identifier, text }, weight })
}

/// What ink spread adds to a bar, the mean of the characters that are beyond doubt. `None` when that is more than two
/// thirds of a module.
fn spread(characters: &[[u32; CHARACTER]]) -> Option<i16> {
    let (mut sum, mut number) = (0i32, 0i32);
    for point in characters.iter().map(Point::of) {
        let similar = point.similar().map(|distance| distance.saturating_add(32) & !63);
        if let Some(ideal) = POINTS.iter().find(|ideal| ideal.similar() == similar) {
            sum = sum.saturating_add(i32::from(point.bars())).saturating_sub(i32::from(ideal.bars()));
            number = number.saturating_add(3);
        }
    }
    let mean = sum.checked_div(number)?;
    i16::try_from(mean).ok().filter(|_| mean.abs() <= MODULE * 2 / 3)
}

/// The value whose point is nearest, how far it is, and how much further the next one. `None` when it is too far.
fn nearest(Point(edges): Point) -> Option<(u8, u32, u32)> {
    let (mut nearest, mut next, mut best) = (u32::MAX, u32::MAX, None);
    for (value, Point(ideal)) in (0..).zip(&POINTS) {
        let mut distance = 0u32;
        for (edge, ideal) in edges.iter().zip(ideal) {
            distance = distance.saturating_add(square(i32::from(edge.saturating_sub(*ideal))));
            if distance >= next {
                break;
            }
        }
        if distance < nearest {
            (nearest, next, best) = (distance, nearest, Some(value));
        } else {
            next = next.min(distance);
        }
    }
    (nearest <= FAR).then_some((best?, nearest, next.saturating_sub(nearest)))
}

fn total(elements: &[u32; CHARACTER]) -> u32 {
    elements.iter().copied().fold(0, u32::saturating_add)
}

/// The check character (annex A): start, and each value times its place.
fn checksum(start: u8, data: &[u8]) -> u32 {
    let weighted = (1u32..).zip(data).map(|(place, value)| place.saturating_mul(u32::from(*value)));
    weighted.fold(u32::from(start), u32::saturating_add) % MODULUS
}

/// The data's characters, with their symbology identifier. `None` when it says something else than data.
fn translated(start: u8, data: &[u8]) -> Option<(&'static str, Vec<u8, MAX_TEXT>)> {
    let (identifier, data) = match data {
        [FNC1, rest @ ..] => ("]C1", rest),
        _ => ("]C0", data),
    };
    let mut text = Vec::new();
    let mut set = match start {
        START_A => CODE_A,
        START_B => CODE_B,
        _ => CODE_C,
    };
    let mut shifted = false;
    for value in data {
        let now = match (set, shifted) {
            (CODE_A, true) => CODE_B,
            (CODE_B, true) => CODE_A,
            _ => set,
        };
        shifted = false;
        match (now, *value) {
            (_, FNC1) => text.push(GS).ok()?,
            (CODE_C, pair @ 0..=99) => {
                text.push((pair / 10).saturating_add(b'0')).ok()?;
                text.push((pair % 10).saturating_add(b'0')).ok()?;
            }
            (CODE_A, value @ 64..=95) => text.push(value.saturating_sub(64)).ok()?,
            (_, value @ 0..=95) => text.push(value.saturating_add(32)).ok()?,
            (_, SHIFT) => shifted = true,
            (_, other @ (CODE_A | CODE_B | CODE_C)) if other != now => set = other,
            _ => return None,
        }
    }
    (!text.is_empty()).then_some((identifier, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_is_eleven_modules_with_an_even_number_of_dark_ones_and_alone_at_its_point() {
        for (value, widths) in (0u32..).zip(WIDTHS) {
            let digits: std::vec::Vec<u32> =
                (0..6).rev().map(|place| widths / 10u32.pow(place) % 10).collect();
            assert_eq!(digits.iter().sum::<u32>(), 11, "{value}");
            assert_eq!((digits[0] + digits[2] + digits[4]) % 2, 0, "{value}");
            let same = POINTS.iter().filter(|point| point.similar() == POINTS[value as usize].similar());
            assert_eq!(same.count(), 1, "{value}");
        }
    }

    #[test]
    fn the_check_character_weighs_by_place() {
        // "PJJ123C" from start B, worked out by hand: 104 + 48*1 + 42*2 + 42*3 + 17*4 + 18*5 + 19*6 + 35*7 = 879.
        assert_eq!(checksum(START_B, &[48, 42, 42, 17, 18, 19, 35]), 879 % 103);
    }

    #[test]
    fn sets_change_and_shift_and_functions_are_refused() {
        let says = |start, data: &[u8]| translated(start, data).map(|(id, text)| (id, text.to_vec()));
        assert_eq!(says(START_A, &[33, SHIFT, 65, 33, 64]), Some(("]C0", b"AaA\0".to_vec())));
        assert_eq!(says(START_C, &[FNC1, 10, CODE_B, 33, FNC1, 34]), Some(("]C1", b"10A\x1dB".to_vec())));
        for function in [96, 97, 100] {
            assert_eq!(says(START_B, &[33, function]), None, "{function}");
        }
        assert_eq!(says(START_C, &[FNC1]), None, "nothing in it");
    }
}
