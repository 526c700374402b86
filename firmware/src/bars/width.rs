//! Widths in modules, by comparing elements with their neighbours only.
//!
//! Ink that spread makes every bar wider and every space narrower by the same amount, and a hand that speeds up makes
//! all that follows narrower. What is measured here feels neither: a distance from one edge to the next *similar* edge
//! (a bar and the space after it) holds the spread once with each sign, and its share of the character around it holds
//! no speed.

/// One module, in the unit of this module.
pub(super) const MODULE: i32 = 64;

/// A module's square: the unit of distances between what was measured and what was meant.
pub(super) const SQUARE: u32 = 4096;

/// The longest run that is told from longer ones, in ticks. With it no sum or product of a character leaves 32 bits.
pub(super) const LONGEST: u32 = 1 << 18;

/// The width of `part`, in 64ths of a module, when `whole` is `modules` (at most 11) wide.
pub(super) fn share(part: u32, whole: u32, modules: u32) -> i32 {
    let scaled = part.saturating_mul(modules).saturating_mul(MODULE.unsigned_abs());
    let rounded = scaled.saturating_add(whole / 2).checked_div(whole).unwrap_or(0);
    i32::try_from(rounded).unwrap_or(i32::MAX)
}

/// What ink spread adds to a bar, in 64ths of a module, seen from a bar, space, bar of one module each beside a
/// character of `modules` in `whole` ticks.
pub(super) fn spread(bar: u32, space: u32, other: u32, whole: u32, modules: u32) -> i32 {
    let bars = share(bar.saturating_add(other), whole, modules) / 2;
    bars.saturating_sub(share(space, whole, modules)) / 2
}

/// Whether a light run is a quiet zone beside these three elements, the nearest first: five thirds of all three and
/// five halves of the first two, which is five modules beside a guard of EAN and more beside Code 128. No element within
/// a symbol is more than four. What ink spread adds to the three it takes from within, and the two do not feel it.
pub(super) fn quiet(light: u32, [first, second, third]: [u32; 3]) -> bool {
    let two = first.saturating_add(second);
    let three = two.saturating_add(third);
    light >= LONGEST
        || light.saturating_mul(3) >= three.saturating_mul(5)
            && light.saturating_mul(2) >= two.saturating_mul(5)
}

/// Whether a hand can have changed its speed so little from one character to the next: by two thirds at most.
pub(super) fn steady(one: u32, next: u32) -> bool {
    one.saturating_mul(3) <= next.saturating_mul(5) && next.saturating_mul(3) <= one.saturating_mul(5)
}

/// The square of a difference.
pub(super) fn square(difference: i32) -> u32 {
    let size = difference.unsigned_abs();
    size.saturating_mul(size)
}
