//! The real daemon updates a board: over kills of either side, and with an image that somebody forged.
//!
//! `TILLBOX_UPDATES` names a folder with a boot loader and images, and `TILLBOX_DAEMON` the daemon (`scripts/hil` makes both); without
//! the former each scenario is skipped and says so.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

#[allow(unreachable_pub, dead_code, reason = "a part of several test programs")]
mod counter;

use std::path::PathBuf;
use std::time::Duration;

use counter::{Counter, built, section};
use serde_json::Value;
use tillbox_hil::Updated;
use tillbox_tests::patiently;
use uuid::Uuid;

/// No update takes nearly so long.
const PATIENCE: Duration = Duration::from_secs(120);

struct Bench {
    counter: Counter,
    board: Updated,
    images: PathBuf,
}

/// A shop with a drawer on a board that runs 1.0.0.
fn bench() -> Option<Bench> {
    let images = built("TILLBOX_UPDATES")?;
    let first = std::fs::read(images.join("drawer-1.0.0")).unwrap();
    let mut board = Updated::start(images.join("boot-drawer"), &first).expect("the emulator starts");
    let counter = Counter::begin(&["line"], &section("drawer", "drawer", b"hilboard", ""));
    board.plug(Some(&counter.line("line"))).unwrap();
    counter.wait_for("drawer", "ready");
    let bench = Bench { counter, board, images };
    assert_eq!(bench.controller()["firmware"], "1.0.0");
    Some(bench)
}

impl Bench {
    fn controller(&self) -> Value {
        self.counter.device("drawer")["controller"].clone()
    }

    /// Has the board updated to this image.
    fn send(&self, image: &str) {
        let bytes = std::fs::read(self.images.join(image)).unwrap();
        let key = Uuid::now_v7().to_string();
        let headers = [("content-type", "application/octet-stream"), ("idempotency-key", &*key)];
        let sent = self.counter.daemon().client().send(
            "POST",
            "/api/v1/devices/drawer/firmware",
            &headers,
            Some(&bytes),
        );
        assert_eq!(sent.unwrap().ok(202)["controller"]["update"]["state"], "sending");
    }

    fn stored(&self) -> u64 {
        self.controller()["update"]["stored"].as_u64().unwrap_or_default()
    }

    /// Waits until the board has stored more than so many bytes.
    fn wait_until_there_is_more_than(&self, stored: u64) {
        patiently(PATIENCE, "more of it is stored", || (self.stored() > stored).then_some(()));
    }

    /// Waits until the update has ended so, and gives what was said of it.
    fn wait_until_it_is(&self, state: &str) -> String {
        patiently(PATIENCE, "the update has ended", || {
            let update = self.controller()["update"].clone();
            (update["state"] == state).then(|| update["detail"].as_str().unwrap().to_owned())
        })
    }
}

#[test]
fn a_board_is_updated_over_kills_of_either_side() {
    let Some(mut bench) = bench() else { return };
    bench.send("drawer-1.1.0");
    bench.wait_until_there_is_more_than(4_096);
    bench.board.cut_power().unwrap();
    // What was on its way is told before the board is missed; it goes on by itself when it is back.
    bench.counter.wait_for("drawer", "absent");
    let before = bench.stored();
    bench.counter.wait_for("drawer", "ready");
    bench.wait_until_there_is_more_than(before);
    bench.counter.kill();
    bench.counter.start();
    bench.counter.wait_for("drawer", "ready");
    bench.send("drawer-1.1.0");
    assert_eq!(bench.wait_until_it_is("done"), "");
    bench.counter.wait_for("drawer", "ready");
    assert_eq!(bench.controller()["firmware"], "1.1.0");
}

#[test]
fn a_forged_image_does_not_run_and_that_is_said() {
    let Some(bench) = bench() else { return };
    bench.send("forged");
    let why = bench.wait_until_it_is("refused");
    assert!(why.contains("not signed"), "{why}");
    bench.counter.wait_for("drawer", "ready");
    assert_eq!(bench.controller()["firmware"], "1.0.0");
    bench.send("drawer-0.9.0");
    let why = bench.wait_until_it_is("refused");
    assert!(why.contains("never goes back"), "{why}");
}
