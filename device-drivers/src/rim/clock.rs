//! The clock of this machine: monotonic, and begun when this process first looked at it.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use embedded_hal_async::delay::DelayNs;
use tokio::time::sleep;

use crate::moment::{Clock, Moment};

static BEGAN: OnceLock<Instant> = OnceLock::new();

impl Moment {
    /// Now, by this machine's clock.
    #[must_use]
    pub fn now() -> Self {
        let since = BEGAN.get_or_init(Instant::now).elapsed();
        Self::default() + since
    }
}

/// The clock, within a tokio runtime. Its waits end some milliseconds late, as the system lets them.
#[derive(Debug)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        Moment::now()
    }
}

impl DelayNs for SystemClock {
    async fn delay_ns(&mut self, ns: u32) {
        sleep(Duration::from_nanos(ns.into())).await;
    }

    async fn delay_us(&mut self, us: u32) {
        sleep(Duration::from_micros(us.into())).await;
    }
}
