//! Codes that were seen a moment ago, by a part of their hash: the codes themselves may be long.

use core::time::Duration;

use device_drivers::Moment;
use heapless::Vec;
use sha2::{Digest as _, Sha256};

use super::front::Seen;

/// The last `N` codes. When there are more, the one that is out of sight for longest goes.
#[derive(Debug, Default)]
pub(super) struct Recent<const N: usize> {
    seen: Vec<([u8; 8], Moment), N>,
}

impl<const N: usize> Recent<N> {
    /// Whether this code is still in sight: it was seen less than `gone` ago. If so it is seen again now.
    pub(super) fn has(&mut self, code: &Seen<'_>, gone: Duration, now: Moment) -> bool {
        let hash = hash(code);
        let before = self.seen.iter_mut().find(|(other, at)| *other == hash && now.since(*at) < gone);
        if let Some((_, at)) = before {
            *at = now;
            return true;
        }
        false
    }

    /// It is in sight now. Says whether it was.
    pub(super) fn note(&mut self, code: &Seen<'_>, gone: Duration, now: Moment) -> bool {
        if self.has(code, gone, now) {
            return true;
        }
        let hash = hash(code);
        self.seen.retain(|(other, _)| *other != hash);
        if self.seen.is_full() {
            let oldest = self.seen.iter().enumerate().min_by_key(|(_, (_, at))| *at).map(|(at, _)| at);
            if let Some(oldest) = oldest {
                self.seen.swap_remove(oldest);
            }
        }
        // There is room now.
        let _ = self.seen.push((hash, now));
        false
    }
}

fn hash(code: &Seen<'_>) -> [u8; 8] {
    let mut hash = Sha256::new();
    hash.update(code.symbology);
    hash.update(code.data);
    let [a, b, c, d, e, f, g, h, ..]: [u8; 32] = hash.finalize().into();
    [a, b, c, d, e, f, g, h]
}
