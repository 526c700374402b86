//! When a code that a scan has is believed, and when it is told again.
//!
//! A read that is sure is believed at once; of others, two that are likely or three that are doubtful, equal and within
//! [`Patience::equal`]. A code that was told is not told again until it was out of sight for [`Patience::gone`].

use core::time::Duration;

use device_drivers::Moment;
use heapless::Vec;

use super::ean::{Half, joined};
use super::symbol::{Code, ENOUGH, Read, Symbologies};

/// How long what was read is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Equal reads within this time add up.
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
    weight: u8,
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
                self.seen.push(Seen { code: read.code, at: now, weight: 0, told: false }).ok()?;
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
        seen.weight = if again { seen.weight.saturating_add(read.weight) } else { read.weight };
        seen.told = seen.weight >= ENOUGH;
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
        self.take(Read { code, weight: ENOUGH }, now)
    }
}

#[cfg(test)]
mod tests {
    use super::super::symbol::{DOUBTFUL, LIKELY, Symbology, text};
    use super::*;

    /// Whether reads of these weights, a scan each, are believed after the last.
    fn believed(weights: &[u8]) -> bool {
        let mut vote = Vote::new(Patience::default());
        let mut told = false;
        for (weight, at) in weights.iter().zip((1..).map(|scan| Moment::from_micros(scan * 20_000))) {
            let code = Code { symbology: Symbology::Ean13, identifier: "]E0", text: text([4, 2]).unwrap() };
            assert!(!told, "the last one told it");
            told = vote.take(Read { code, weight: *weight }, at).is_some();
        }
        told
    }

    /// Two doubtful reads in a row took the same wrong parity (`TILLBOX_SEED=12`).
    #[test]
    fn what_is_doubtful_has_to_be_seen_three_times() {
        assert!(believed(&[ENOUGH]));
        assert!(!believed(&[LIKELY]) && believed(&[LIKELY, LIKELY]));
        assert!(!believed(&[DOUBTFUL, DOUBTFUL]) && believed(&[DOUBTFUL, DOUBTFUL, DOUBTFUL]));
        assert!(!believed(&[DOUBTFUL, LIKELY]) && believed(&[DOUBTFUL, LIKELY, DOUBTFUL]));
    }
}
