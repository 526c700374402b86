//! Waiting for a condition, never for a time.

use std::time::{Duration, Instant};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(5);

/// Looks until `look` sees something.
///
/// # Panics
/// If it does not within `patience`: `what` says what was waited for.
pub fn patiently<T>(patience: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < deadline, "waited {patience:?} in vain: {what}");
        std::thread::park_timeout(LOOK);
    }
}
