//! Code 128 and GS1-128 (ISO/IEC 15417).
//!
//! | word | meaning |
//! |---|---|
//! | character | three bars and three spaces, eleven modules together: a value from 0 to 105, or the stop |
//! | code set | what values stand for: A (upper case and controls), B (upper and lower case), C (two digits each) |
//! | FNC1 | first behind the start: the data are GS1's; elsewhere: the end of an element, sent as GS |
//!
//! A character is a point of four distances between similar edges, which ink spread does not move, and its bars
//! together less what ink spread adds to three bars in this symbol. The bars of a character are an even number of
//! modules: a single edge that is off by a module is seen by that.
//!
//! Symbols with FNC2 (keep and wait for more), FNC3 (commands to the reader) or FNC4 (letters beyond ASCII) are not read:
//! nobody prints them for a shop, and nobody but its technician should command a reader.

use heapless::Vec;

use super::symbol::{Code, MAX_TEXT, Read, Symbology};
use super::width::{MODULE, share, square, steady};

/// Elements of a character, and one more behind the stop.
const CHARACTER: usize = 6;
/// Start, one character, check character, stop.
const SHORTEST: usize = 4 * CHARACTER + 1;
/// Characters from start to check character.
const CHARACTERS: usize = 52;
/// Elements of the longest symbol that is read.
pub(super) const LONGEST_SYMBOL: usize = (CHARACTERS + 1) * CHARACTER + 1;

/// How far a character may lie from its point, in squares of 64ths of a module.
const FAR: u32 = 4096;
/// How far for one scan to be enough.
const CLEAR: u32 = 4096 / 3;

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
const POINTS: [Point; 107] = {
    let mut points = [Point { edges: [0; 4], bars: 0 }; 107];
    let mut value = 0;
    while value < points.len() {
        let widths = WIDTHS[value];
        let [a, b, c] = [widths / 100_000, widths / 10_000 % 10, widths / 1000 % 10];
        let [d, e] = [widths / 100 % 10, widths / 10 % 10];
        points[value] = Point {
            edges: [(a + b) as i16 * 64, (b + c) as i16 * 64, (c + d) as i16 * 64, (d + e) as i16 * 64],
            bars: (a + c + e) as i16 * 64,
        };
        value += 1;
    }
    points
};

/// A character as it was measured, in 64ths of a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Point {
    /// From each of the first four edges to the next but one.
    edges: [i16; 4],
    /// The three bars, with what ink spread adds to three bars.
    bars: i16,
}

impl Point {
    fn of(elements: &[u32; CHARACTER]) -> Self {
        let width = elements.iter().copied().fold(0, u32::saturating_add);
        let part = |part: u32| i16::try_from(share(part, width, 11)).unwrap_or(i16::MAX);
        let [a, b, c, d, e, _] = *elements;
        let edges = [(a, b), (b, c), (c, d), (d, e)].map(|(one, next)| part(one.saturating_add(next)));
        Self { edges, bars: part(a.saturating_add(c).saturating_add(e)) }
    }

    /// The same four distances in whole modules.
    fn rounded(self) -> [i16; 4] {
        self.edges.map(|edge| edge.saturating_add(32) & !63)
    }

    fn distance(self, ideal: Self, ink: i32) -> u32 {
        let off = |one: i16, other: i16| i32::from(one).saturating_sub(i32::from(other));
        let edges = self.edges.iter().zip(ideal.edges);
        let edges = edges.fold(0u32, |sum, (one, other)| sum.saturating_add(square(off(*one, other))));
        edges.saturating_add(square(off(self.bars, ideal.bars).saturating_sub(ink)))
    }
}

/// Reads Code 128 in this direction.
pub(super) fn read(elements: &[u32]) -> Option<Read> {
    if elements.len() < SHORTEST || elements.len() > LONGEST_SYMBOL || elements.len() % CHARACTER != 1 {
        return None;
    }
    let (characters, &[end]) = elements.as_chunks::<CHARACTER>() else { return None };
    // Most of what is no Code 128, or one from behind, ends here.
    let first = Point::of(characters.first()?);
    if !(START_A..=START_C).contains(&nearest(first, None)?.0) {
        return None;
    }
    let ink = spread(characters)?;
    let mut clear = true;
    let mut last = None;
    let mut values = Vec::<u8, { CHARACTERS + 1 }>::new();
    for character in characters {
        let width = total(character);
        if !steady(last.unwrap_or(width), width) {
            return None;
        }
        last = Some(width);
        let (value, distance) = nearest(Point::of(character), Some(ink))?;
        if distance > FAR {
            return None;
        }
        clear &= distance <= CLEAR;
        values.push(value).ok()?;
    }
    // The stop's last bar: two modules, and what ink spread adds to one.
    let end = share(end, last?, 11).saturating_sub(ink / 3).saturating_sub(2 * MODULE);
    let [start @ START_A..=START_C, data @ .., check, STOP] = values.as_slice() else { return None };
    if end.abs() > MODULE || checksum(*start, data) != u32::from(*check) {
        return None;
    }
    let (identifier, text) = translated(*start, data)?;
    Some(Read { code: Code { symbology: Symbology::Code128, identifier, text }, strong: clear })
}

/// What ink spread adds to three bars, the mean of the characters that are beyond doubt. `None` when that is more than
/// two modules.
fn spread(characters: &[[u32; CHARACTER]]) -> Option<i32> {
    let (mut sum, mut number) = (0i32, 0i32);
    for point in characters.iter().map(Point::of) {
        let rounded = point.rounded();
        if let Some(ideal) = POINTS.iter().find(|ideal| ideal.edges == rounded) {
            sum = sum.saturating_add(i32::from(point.bars)).saturating_sub(i32::from(ideal.bars));
            number = number.saturating_add(1);
        }
    }
    let mean = sum.checked_div(number)?;
    (mean.abs() <= 2 * MODULE).then_some(mean)
}

/// The value whose point is nearest, and the square of the distance; by the edges alone when the ink is unknown.
fn nearest(point: Point, ink: Option<i32>) -> Option<(u8, u32)> {
    let far = |ideal: &Point| match ink {
        Some(ink) => point.distance(*ideal, ink),
        None => point.distance(Point { bars: point.bars, ..*ideal }, 0),
    };
    let rounded = point.rounded();
    let ranked = (0..).zip(&POINTS);
    // No point is nearer than the one that rounding gives, if the bars agree, too.
    let at_once = ranked.clone().find(|(_, ideal)| ideal.edges == rounded);
    if let Some((value, distance)) = at_once.map(|(value, ideal)| (value, far(ideal)))
        && distance <= CLEAR
    {
        return Some((value, distance));
    }
    ranked.map(|(value, ideal)| (value, far(ideal))).min_by_key(|(_, distance)| *distance)
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
            let same = POINTS.iter().filter(|point| point.edges == POINTS[value as usize].edges);
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
