//! The clocks, touched here only. What they say is judged by [`pos_domain::time::judge`].

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use pos_domain::time::{ClockReading, Millis};

/// What the clocks say at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// The wall clock. May jump either way, and stands in 1970 on a box without a battery clock.
    pub wall: Millis,
    /// Milliseconds since the clock was made, on the monotonic clock: never jumps, does not count suspension.
    pub monotonic: i64,
    /// Whether the system says that a time server has set the wall clock.
    pub synchronised: bool,
}

impl Reading {
    /// The form that the domain judges. `last` is [`Reading::monotonic`] at the last record's moment, 0 if there was
    /// none since the clock was made.
    #[must_use]
    pub fn since(self, last: i64) -> ClockReading {
        ClockReading {
            wall: self.wall,
            elapsed: self.monotonic.saturating_sub(last).max(0),
            synchronised: self.synchronised,
        }
    }
}

/// Something that knows the time.
pub trait Clock: Send + Sync + 'static {
    /// What it says now. Cheap: it is asked for each command.
    fn read(&self) -> Reading;
}

/// How long an answer about synchronisation is believed, in milliseconds.
const SYNCHRONISED_FOR: i64 = 5_000;

/// The machine's own clocks.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
    /// Exists as soon as a time server has set the clock since boot (systemd-timesyncd, and chrony by its
    /// `chrony-wait` drop-in of the appliance).
    marker: PathBuf,
    synchronised: AtomicBool,
    /// Monotonic milliseconds at which the marker was last looked for.
    looked: AtomicI64,
}

impl SystemClock {
    /// Starts to count.
    #[must_use]
    pub fn new() -> Self {
        Self::with_marker(PathBuf::from("/run/systemd/timesync/synchronized"))
    }

    fn with_marker(marker: PathBuf) -> Self {
        let synchronised = AtomicBool::new(marker.exists());
        Self { start: Instant::now(), marker, synchronised, looked: AtomicI64::new(0) }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn read(&self) -> Reading {
        let wall = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |early| -early),
        };
        let monotonic = i64::try_from(self.start.elapsed().as_millis()).unwrap_or(i64::MAX);
        if monotonic.saturating_sub(self.looked.load(Ordering::Relaxed)) > SYNCHRONISED_FOR {
            self.looked.store(monotonic, Ordering::Relaxed);
            self.synchronised.store(self.marker.exists(), Ordering::Relaxed);
        }
        Reading { wall: Millis(wall), monotonic, synchronised: self.synchronised.load(Ordering::Relaxed) }
    }
}

/// A clock that stands until it is moved, for tests and simulations. Clones are the same clock.
#[derive(Debug, Clone)]
pub struct HandClock(Arc<Mutex<Reading>>);

impl HandClock {
    /// Stands at `wall`, unsynchronised.
    #[must_use]
    pub fn at(wall: Millis) -> Self {
        Self(Arc::new(Mutex::new(Reading { wall, monotonic: 0, synchronised: false })))
    }

    /// Time goes by on both clocks.
    pub fn advance(&self, milliseconds: i64) {
        self.change(|reading| {
            reading.wall = Millis(reading.wall.0.saturating_add(milliseconds));
            reading.monotonic = reading.monotonic.saturating_add(milliseconds);
        });
    }

    /// Somebody sets the wall clock; the monotonic clock does not notice.
    pub fn set(&self, wall: Millis, synchronised: bool) {
        self.change(|reading| {
            reading.wall = wall;
            reading.synchronised = synchronised;
        });
    }

    fn change(&self, change: impl FnOnce(&mut Reading)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Clock for HandClock {
    fn read(&self) -> Reading {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_clock_counts_on_and_knows_the_year() {
        let dir = tempfile::tempdir().unwrap();
        let clock = SystemClock::with_marker(dir.path().join("synchronized"));
        let (first, second) = (clock.read(), clock.read());
        assert!(second.monotonic >= first.monotonic);
        assert!(first.wall.0 > 1_767_225_600_000, "this machine's clock stands before 2026");
        assert!(!first.synchronised);
        std::fs::write(dir.path().join("synchronized"), "").unwrap();
        clock.looked.store(-SYNCHRONISED_FOR - 1, Ordering::Relaxed);
        assert!(clock.read().synchronised);
    }

    #[test]
    fn a_clock_set_by_hand_moves_only_by_hand() {
        let clock = HandClock::at(Millis(1_000));
        let start = clock.read().monotonic;
        clock.advance(250);
        clock.set(Millis(5), true);
        let reading = clock.read().since(start);
        assert_eq!((reading.wall, reading.elapsed, reading.synchronised), (Millis(5), 250, true));
    }
}
