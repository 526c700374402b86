//! Updates of a board over its line, with its power cut, and with images that should not run.
//!
//! `TILLBOX_UPDATES` names a folder with a boot loader and images (`scripts/hil` makes it); without it each scenario is skipped and says
//! so. `TILLBOX_SEED` repeats a run's cuts, as far as the emulator's time repeats; `TILLBOX_CUTS` says how many.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use firmware::update::fingerprint;
use pos_link::{Ended, ToController, ToHost, UpdateRefusal, Upload, Version};
use tillbox_hil::{BoxEnd, Updated};

/// No update takes nearly so long.
const PATIENCE: Duration = Duration::from_secs(60);

struct Bench {
    folder: PathBuf,
    board: Updated,
    end: BoxEnd,
}

struct Image {
    bytes: Vec<u8>,
    version: Version,
}

impl Image {
    fn upload(&self) -> Upload<&[u8]> {
        let fingerprint = fingerprint(self.bytes.first_chunk().unwrap());
        Upload::new(self.bytes.as_slice(), self.version, fingerprint)
    }
}

/// A board that runs 1.0.0 of this controller, with the box's end of its line, or `None`, and why.
fn bench(kind: &str) -> Option<Bench> {
    let Some(folder) = std::env::var_os("TILLBOX_UPDATES") else {
        println!("SKIPPED: TILLBOX_UPDATES names no folder; scripts/hil makes it");
        return None;
    };
    let folder = PathBuf::from(folder);
    let first = std::fs::read(folder.join(format!("{kind}-1.0.0"))).unwrap();
    let board = Updated::start(folder.join(format!("boot-{kind}")), &first).expect("the emulator starts");
    let end = BoxEnd::new(board.line().unwrap(), None).unwrap();
    let mut bench = Bench { folder, board, end };
    assert_eq!(bench.runs(), version(1, 0, 0));
    Some(bench)
}

const fn version(major: u8, minor: u8, patch: u16) -> Version {
    Version { major, minor, patch }
}

impl Bench {
    fn image(&self, name: &str, version: Version) -> Image {
        Image { bytes: std::fs::read(self.folder.join(name)).unwrap(), version }
    }

    /// The version that the board says it runs, asked anew.
    fn runs(&mut self) -> Version {
        self.end.say(&ToController::AskIdentity).unwrap();
        let identity = |told: &ToHost| match told {
            ToHost::Identity(identity) => Some(identity.firmware),
            _ => None,
        };
        self.end.wait_for(identity).unwrap()
    }

    fn cut_power(&mut self) {
        let cursor = self.end.cursor();
        self.board.cut_power().unwrap();
        self.end = BoxEnd::new(self.board.line().unwrap(), cursor).unwrap();
    }

    /// Waits until all is told that waits in the stream.
    fn fence(&mut self) {
        // No image here is refused for its length, or begun in a trial.
        let nothing =
            ToController::UpdateBegin { length: u32::MAX, version: version(255, 0, 0), fingerprint: None };
        self.end.say(&nothing).unwrap();
        let refused = |told: &ToHost| match told {
            ToHost::UpdateRefused { reason: UpdateRefusal::NoRoom | UpdateRefusal::OnTrial, .. } => Some(()),
            _ => None,
        };
        self.end.wait_for(refused).unwrap();
    }

    fn update(&mut self, upload: &mut Upload<&[u8]>) -> Ended {
        // What it told of an update before has been told when it tells this.
        self.fence();
        let begun = Instant::now();
        while upload.ended().is_none() {
            self.end.go_on(upload).unwrap();
            assert!(
                begun.elapsed() < PATIENCE,
                "it never ends: {:?} of {}",
                upload.stored(),
                upload.length()
            );
        }
        upload.ended().unwrap()
    }
}

#[test]
fn an_update_comes_over_the_line_and_stays() {
    let Some(mut bench) = bench("drawer") else { return };
    let new = bench.image("drawer-1.1.0", version(1, 1, 0));
    let begun = Instant::now();
    assert_eq!(bench.update(&mut new.upload()), Ended::Confirmed);
    println!("{} bytes in {:?}", new.bytes.len(), begun.elapsed());
    assert_eq!(bench.runs(), version(1, 1, 0));
    bench.cut_power();
    assert_eq!(bench.runs(), version(1, 1, 0));
    // What ran before is older now.
    let old = bench.image("drawer-1.0.0", version(1, 0, 0));
    assert_eq!(bench.update(&mut old.upload()), Ended::Refused(UpdateRefusal::NotNewer));
    assert_eq!(bench.runs(), version(1, 1, 0));
}

#[test]
fn an_update_outlives_power_cuts_at_any_moment() {
    let Some(mut bench) = bench("drawer") else { return };
    let given = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let mut seed = given("TILLBOX_SEED").unwrap_or_else(|| RandomState::new().hash_one(0));
    println!("TILLBOX_SEED={seed}");
    let mut random = |end: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % end
    };
    let new = bench.image("drawer-1.1.0", version(1, 1, 0));
    let mut upload = new.upload();
    let mut furthest = 0;
    for _ in 0..given("TILLBOX_CUTS").unwrap_or(8) {
        // Anywhere on the way, or when it is checked, started, tried and confirmed.
        let begun = Instant::now();
        let late = random(2) == 0;
        while late && upload.stored() < new.bytes.len() && upload.ended().is_none() {
            bench.end.go_on(&mut upload).unwrap();
            assert!(begun.elapsed() < PATIENCE, "it is never sent: {} bytes", upload.stored());
        }
        for _ in 0..random(if late { 300 } else { 1_500 }) {
            bench.end.go_on(&mut upload).unwrap();
        }
        furthest = furthest.max(upload.stored());
        bench.cut_power();
        upload.interrupted();
        let runs = bench.runs();
        assert!([version(1, 0, 0), version(1, 1, 0)].contains(&runs), "{runs:?}");
        // Three cuts in the trial end it; and it may be over.
        match upload.ended() {
            Some(Ended::Refused(UpdateRefusal::DidNotStart)) => upload = new.upload(),
            Some(Ended::Confirmed) => break,
            Some(ended) => panic!("{ended:?}"),
            None => {}
        }
    }
    println!("cut at up to {furthest} of {} bytes", new.bytes.len());
    assert!(furthest > 0, "each cut came too early");
    let ended = match bench.update(&mut upload) {
        Ended::Refused(UpdateRefusal::DidNotStart) => bench.update(&mut new.upload()),
        ended => ended,
    };
    assert_eq!(ended, Ended::Confirmed);
    assert_eq!(bench.runs(), version(1, 1, 0));
}

#[test]
fn a_forged_and_an_older_image_do_not_run() {
    let Some(mut bench) = bench("drawer") else { return };
    let forged = bench.image("forged", version(1, 1, 0));
    assert_eq!(bench.update(&mut forged.upload()), Ended::Refused(UpdateRefusal::BadSignature));
    assert_eq!(bench.runs(), version(1, 0, 0));
    let older = bench.image("drawer-0.9.0", version(0, 9, 0));
    assert_eq!(bench.update(&mut older.upload()), Ended::Refused(UpdateRefusal::NotNewer));
    // Nor when it is announced as something else.
    let lie = Image { version: version(2, 0, 0), ..older };
    assert_eq!(bench.update(&mut lie.upload()), Ended::Refused(UpdateRefusal::Damaged));
    assert_eq!(bench.runs(), version(1, 0, 0));
}

#[test]
fn an_image_that_hangs_is_left_by_the_watchdog() {
    let Some(mut bench) = bench("drawer") else { return };
    let hangs = bench.image("hangs", version(1, 2, 0));
    assert_eq!(bench.update(&mut hangs.upload()), Ended::Refused(UpdateRefusal::DidNotStart));
    assert_eq!(bench.runs(), version(1, 0, 0));
    let new = bench.image("drawer-1.1.0", version(1, 1, 0));
    assert_eq!(bench.update(&mut new.upload()), Ended::Confirmed);
    assert_eq!(bench.runs(), version(1, 1, 0));
}

#[test]
fn a_scanner_is_updated_and_takes_no_image_of_a_drawer() {
    let Some(mut bench) = bench("scanner") else { return };
    let wrong = bench.image("drawer-1.1.0", version(1, 1, 0));
    assert_eq!(bench.update(&mut wrong.upload()), Ended::Refused(UpdateRefusal::WrongBoard));
    assert_eq!(bench.runs(), version(1, 0, 0));
    let new = bench.image("scanner-1.1.0", version(1, 1, 0));
    assert_eq!(bench.update(&mut new.upload()), Ended::Confirmed);
    assert_eq!(bench.runs(), version(1, 1, 0));
}
