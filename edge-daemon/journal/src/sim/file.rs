//! One file: what programs see, what the platter has, and the changes between them.

use super::Dice;

const SECTOR: usize = 512;
/// With more changes than this, sectors are not mixed from all moments: it would cost too much memory.
const MIXED_MOMENTS: usize = 12;

#[derive(Debug, Clone)]
pub(super) enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Length(usize),
}

impl Change {
    fn apply(&self, to: &mut Vec<u8>) {
        match self {
            Self::Length(length) => to.resize(*length, 0),
            Self::Write { offset, bytes } => {
                let end = offset + bytes.len();
                if to.len() < end {
                    to.resize(end, 0);
                }
                if let Some(place) = to.get_mut(*offset..end) {
                    place.copy_from_slice(bytes);
                }
            }
        }
    }

    pub(super) fn end(&self) -> usize {
        match self {
            Self::Length(length) => *length,
            Self::Write { offset, bytes } => offset + bytes.len(),
        }
    }

    /// What an interrupted call may have done.
    pub(super) fn part(mut self, dice: &mut Dice) -> Option<Self> {
        if let Self::Write { bytes, .. } = &mut self {
            // Often nothing or all, else anything between.
            let keep = [0, bytes.len(), dice.upto(bytes.len())].get(dice.upto(2)).copied().unwrap_or(0);
            bytes.truncate(keep);
            return Some(self);
        }
        dice.coin().then_some(self)
    }

    /// Applies some of the sectors, or the first bytes.
    fn tear(&self, to: &mut Vec<u8>, dice: &mut Dice) {
        let Self::Write { offset, bytes } = self else {
            return;
        };
        if dice.coin() {
            let keep = bytes.get(..dice.upto(bytes.len())).unwrap_or_default();
            return Self::Write { offset: *offset, bytes: keep.to_vec() }.apply(to);
        }
        let mut at = *offset;
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let (sector, after) = rest.split_at((SECTOR - at % SECTOR).min(rest.len()));
            if dice.coin() {
                Self::Write { offset: at, bytes: sector.to_vec() }.apply(to);
            }
            at += sector.len();
            rest = after;
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct File {
    pub(super) cache: Vec<u8>,
    platter: Vec<u8>,
    changes: Vec<Change>,
}

impl File {
    pub(super) fn change(&mut self, change: Change) {
        change.apply(&mut self.cache);
        self.changes.push(change);
    }

    /// Applies only what changed: bytes that a failed sync lost stay lost although the cache shows them.
    pub(super) fn sync(&mut self) {
        for change in self.changes.drain(..) {
            change.apply(&mut self.platter);
        }
    }

    /// Some of the changes reach the platter; none is pending any more.
    pub(super) fn lose_changes(&mut self, dice: &mut Dice) {
        let changes = std::mem::take(&mut self.changes);
        let after = match dice.upto(3) {
            0 => return,
            1 => return changes.iter().for_each(|change| change.apply(&mut self.platter)),
            2 if changes.len() <= MIXED_MOMENTS => self.mix_moments(&changes, dice),
            _ => self.pick(&changes, dice),
        };
        self.platter = after;
    }

    /// After a power cut, programs see what the platter has.
    pub(super) fn cut_power(&mut self, dice: &mut Dice) {
        self.lose_changes(dice);
        self.cache.clone_from(&self.platter);
    }

    /// Each change is kept, dropped or torn.
    fn pick(&self, changes: &[Change], dice: &mut Dice) -> Vec<u8> {
        let mut content = self.platter.clone();
        for change in changes {
            match dice.upto(2) {
                0 => change.apply(&mut content),
                1 => change.tear(&mut content, dice),
                // The length may have been written, the bytes not.
                _ if dice.coin() && content.len() < change.end() => content.resize(change.end(), 0),
                _ => {}
            }
        }
        content
    }

    /// Each sector is as it was after some of the changes.
    fn mix_moments(&self, changes: &[Change], dice: &mut Dice) -> Vec<u8> {
        let mut moments = vec![self.platter.clone()];
        for change in changes {
            let mut next = moments.last().cloned().unwrap_or_default();
            change.apply(&mut next);
            moments.push(next);
        }
        let length = moments.get(dice.upto(changes.len())).map_or(0, Vec::len);
        let mut content = Vec::with_capacity(length);
        while content.len() < length {
            let moment = moments.get(dice.upto(changes.len())).map(Vec::as_slice).unwrap_or_default();
            let sector = moment.get(content.len()..).unwrap_or_default();
            let end = (content.len() + SECTOR).min(length);
            content.extend(sector.iter().take(end - content.len()));
            content.resize(end, 0);
        }
        content
    }
}
