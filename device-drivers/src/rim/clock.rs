//! The clock of this machine: monotonic, and begun when this process first looked at it.

use std::sync::OnceLock;
use std::time::Instant;

use tokio::time::sleep;

use crate::moment::Moment;

static BEGAN: OnceLock<Instant> = OnceLock::new();

impl Moment {
    /// Now, by this machine's clock.
    #[must_use]
    pub fn now() -> Self {
        let since = BEGAN.get_or_init(Instant::now).elapsed();
        Self::default() + since
    }
}

/// Waits until then, some milliseconds longer as the system lets it. Safe to cancel.
pub(crate) async fn until(at: Moment) {
    sleep(at.since(Moment::now())).await;
}
