//! What systemd is told: ready, how it goes, stopping; and the watchdog, fed only while real work moves.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::MissedTickBehavior;

/// Everything stands: terminals may come.
pub fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// A line for `systemctl status`.
pub fn status(status: &str) {
    tell(&[NotifyState::Status(status)]);
}

/// On the way out; what is running is finished.
pub fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("finishing what is running")]);
}

fn tell(states: &[NotifyState<'_>]) {
    // Without systemd there is nobody to tell; with it, a failure only means that it learns later.
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "systemd was not told");
    }
}

/// Feeds the watchdog, if systemd asks for it, at a third of its patience, but only when `progress` has moved since
/// the last time, both parts of it: a daemon whose writer or whose views hang is restarted. Never returns.
pub async fn watch(progress: impl Fn() -> (u64, u64)) {
    let Some(patience) = sd_notify::watchdog_enabled() else {
        return std::future::pending().await;
    };
    feed(patience, progress, || tell(&[NotifyState::Watchdog])).await;
}

async fn feed(patience: Duration, progress: impl Fn() -> (u64, u64), mut alive: impl FnMut()) {
    // The counters move at least once a second, so a shorter look would see it stand still.
    let period = (patience / 3).max(Duration::from_millis(1_500));
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut seen: Option<(u64, u64)> = None;
    loop {
        ticks.tick().await;
        let (writer, views) = progress();
        if seen.is_some_and(|seen| seen.0 == writer || seen.1 == views) {
            tracing::error!(writer, views, "one of them does not move: the watchdog is not fed");
        } else {
            alive();
        }
        seen = Some((writer, views));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[tokio::test(start_paused = true)]
    async fn the_watchdog_is_fed_only_while_both_parts_move() {
        let (writer, views) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let fed = Arc::new(AtomicU64::new(0));
        let (reading, feeding) = ((writer.clone(), views.clone()), fed.clone());
        let task = tokio::spawn(feed(
            Duration::from_secs(30),
            move || (reading.0.load(Ordering::Relaxed), reading.1.load(Ordering::Relaxed)),
            move || {
                feeding.fetch_add(1, Ordering::Relaxed);
            },
        ));
        // Virtual time: each step is one look of the watchdog.
        let step = Duration::from_secs(10);
        for _ in 0..3 {
            tokio::time::sleep(step).await;
            writer.fetch_add(1, Ordering::Relaxed);
            views.fetch_add(1, Ordering::Relaxed);
        }
        let moving = fed.load(Ordering::Relaxed);
        assert!(moving >= 3, "{moving}");
        for _ in 0..6 {
            tokio::time::sleep(step).await;
            writer.fetch_add(1, Ordering::Relaxed);
        }
        assert!(fed.load(Ordering::Relaxed) <= moving + 1, "fed while the views stood still");
        task.abort();
    }
}
