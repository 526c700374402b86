//! When a code that a scan has is believed, and when it is told again.
//!
//! A *strong* read is believed at once. A weak one is believed when an equal one came within [`Patience::equal`]. A code
//! that was told is not told again until it was out of sight for [`Patience::gone`].

use core::time::Duration;

use device_drivers::Moment;
use heapless::Vec;

use super::ean::{Half, joined};
use super::symbol::{Code, Read, Symbologies};

/// How long what was read is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Two equal weak reads within this time are believed.
    pub equal: Duration,
    /// The halves of one EAN-13 come within this time. Zero: halves are never joined.
    pub halves: Duration,
    /// A code that was not seen for this time was taken away, and is told again when it comes again.
    pub gone: Duration,
}

impl Default for Patience {
    /// Two sweeps of a wand; a label that stays below an imager; an article that is scanned a second time.
    fn default() -> Self {
        Self {
            equal: Duration::from_secs(2),
            halves: Duration::from_millis(300),
            gone: Duration::from_millis(700),
        }
    }
}

/// Codes in sight that are remembered at once.
const CODES: usize = 4;
/// Reads of each half before two of them are joined.
const CONFIRMED: u8 = 2;

#[derive(Debug)]
struct Seen {
    code: Code,
    at: Moment,
    reads: u8,
    told: bool,
}

#[derive(Debug)]
pub(super) struct Vote {
    patience: Patience,
    seen: Vec<Seen, CODES>,
    left: Option<(Half, u8)>,
    right: Option<(Half, u8)>,
    halves_since: Moment,
}

impl Vote {
    pub(super) const fn new(patience: Patience) -> Self {
        let halves_since = Moment::from_micros(0);
        Self { patience, seen: Vec::new(), left: None, right: None, halves_since }
    }

    /// A scan has this code. Gives it when it is believed and news.
    pub(super) fn take(&mut self, read: Read, now: Moment) -> Option<&Code> {
        (self.left, self.right) = (None, None);
        let at = match self.seen.iter().position(|seen| seen.code == read.code) {
            Some(at) => at,
            None => {
                if self.seen.is_full() {
                    let oldest = self.seen.iter().enumerate().min_by_key(|(_, seen)| seen.at);
                    let (oldest, _) = oldest?;
                    self.seen.swap_remove(oldest);
                }
                self.seen.push(Seen { code: read.code, at: now, reads: 0, told: false }).ok()?;
                self.seen.len().checked_sub(1)?
            }
        };
        let seen = self.seen.get_mut(at)?;
        let away = now.since(seen.at);
        seen.at = now;
        if seen.told && away < self.patience.gone {
            return None;
        }
        let again = !seen.told && away < self.patience.equal;
        seen.reads = if again { seen.reads.saturating_add(1) } else { 1 };
        seen.told = read.strong || seen.reads >= 2;
        seen.told.then_some(&seen.code)
    }

    /// A scan has one or both halves of an EAN-13, and clearly. Gives the whole when both halves were seen twice, no
    /// other half between, and their check digit is right.
    pub(super) fn take_halves(
        &mut self,
        halves: [Option<Half>; 2],
        asked_for: Symbologies,
        now: Moment,
    ) -> Option<&Code> {
        for half in halves.into_iter().flatten() {
            let late = now.since(self.halves_since) >= self.patience.halves;
            // Of another label: what was seen of the first one must not meet it.
            let other =
                [&self.left, &self.right].into_iter().flatten().any(|(before, _)| before.is_other(&half));
            if late || other {
                (self.left, self.right) = (None, None);
                self.halves_since = now;
            }
            let side = if matches!(half, Half::Left(_)) { &mut self.left } else { &mut self.right };
            let reads = side.as_ref().map_or(0, |(_, reads)| *reads);
            *side = Some((half, reads.saturating_add(1)));
        }
        let (Some((Half::Left(left), lefts)), Some((Half::Right(right), rights))) = (&self.left, &self.right)
        else {
            return None;
        };
        if (*lefts).min(*rights) < CONFIRMED {
            return None;
        }
        let digits: Vec<u8, 13> = left.iter().chain(right).copied().collect();
        let code = joined(&digits).filter(|code| asked_for.has(code.symbology))?;
        self.take(Read { code, strong: true }, now)
    }
}
