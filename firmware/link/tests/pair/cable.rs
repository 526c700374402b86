//! One direction of a line, with all that a cable, a UART's buffer and a kernel's can do to bytes.

use std::collections::BTreeMap;

use super::random::Random;

/// How often a frame suffers, of a thousand.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Faults {
    pub(crate) lost: u64,
    /// One to eight bits of it.
    pub(crate) flipped: u64,
    pub(crate) doubled: u64,
    /// Comes up to 100 ms later than it should, behind others.
    pub(crate) reordered: u64,
    /// Comes up to three seconds later: out of a buffer that outlived a reboot.
    pub(crate) late: u64,
    pub(crate) torn: u64,
    /// Garbage before it.
    pub(crate) garbage: u64,
    /// A byte more or less within it.
    pub(crate) slipped: u64,
}

/// Microseconds that so many bytes take at 115200 baud, 8N1.
pub(crate) fn wire_time(bytes: usize) -> u64 {
    bytes as u64 * 10 * 1_000_000 / 115_200
}

#[derive(Default)]
pub(crate) struct Cable {
    under_way: BTreeMap<(u64, u64), Vec<u8>>,
    count: u64,
    free_at: u64,
    latest: u64,
}

impl Cable {
    /// When the sender may write again.
    pub(crate) fn free_at(&self) -> u64 {
        self.free_at
    }

    pub(crate) fn next_arrival(&self) -> Option<u64> {
        self.under_way.first_key_value().map(|((at, _), _)| *at)
    }

    pub(crate) fn arrived(&mut self, now: u64) -> Option<Vec<u8>> {
        let first = self.under_way.first_entry().filter(|entry| entry.key().0 <= now)?;
        Some(first.remove())
    }

    pub(crate) fn write(&mut self, frame: &[u8], now: u64, faults: &Faults, random: &mut Random) {
        let mut bytes = frame.to_vec();
        self.free_at = now + wire_time(bytes.len());
        if random.permille(faults.lost) {
            return;
        }
        if random.permille(faults.flipped) {
            for _ in 0..=random.below(8) {
                let bit = random.below(bytes.len() as u64 * 8) as usize;
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
        }
        if random.permille(faults.torn) {
            bytes.truncate(random.below(bytes.len() as u64) as usize);
        }
        if random.permille(faults.slipped) && !bytes.is_empty() {
            let place = random.below(bytes.len() as u64) as usize;
            if random.permille(500) {
                bytes.remove(place);
            } else {
                bytes.insert(place, random.next() as u8);
            }
        }
        if random.permille(faults.garbage) {
            let garbage: Vec<u8> = (0..random.below(300)).map(|_| random.next() as u8).collect();
            bytes.splice(0..0, garbage);
        }
        let mut at = self.free_at + 200 + random.below(300);
        if random.permille(faults.reordered) {
            at += random.below(100_000);
        } else if random.permille(faults.late) {
            at += random.below(3_000_000);
        } else {
            at = at.max(self.latest);
            self.latest = at;
        }
        if random.permille(faults.doubled) {
            self.put(at + random.below(50_000), bytes.clone());
        }
        self.put(at, bytes);
    }

    /// The sender's power goes: what it was writing ends anywhere.
    pub(crate) fn cut(&mut self, now: u64, random: &mut Random) {
        if self.free_at > now
            && let Some(mut last) = self.under_way.last_entry()
        {
            let end = random.below(last.get().len() as u64 + 1) as usize;
            last.get_mut().truncate(end);
        }
        self.free_at = now;
    }

    fn put(&mut self, at: u64, bytes: Vec<u8>) {
        self.count += 1;
        self.under_way.insert((at, self.count), bytes);
    }
}
