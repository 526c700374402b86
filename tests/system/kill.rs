//! `kill -9` at any moment, under load from several tills: nothing acknowledged is lost, doubled or changed.
//!
//! `TILLBOX_KILLS` says how often (100). The moments come from the seed; how the threads meet them does not.

use std::process::{Command, Stdio};
use std::time::Duration;

use tillbox_tests::{Dice, Ledger, Place, Selling, Setup, program};

const TILLS: usize = 6;
const PRODUCTS: usize = 60;
/// What is promised.
const START: Duration = Duration::from_secs(5);

/// Kills a daemon while it opens its journal and its views.
fn kill_at_the_start(place: &Place, dice: &mut Dice) {
    let mut command = Command::new(program());
    let mut child = command
        .args(["run", "--config"])
        .arg(place.config())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Any moment will do: this waits for nothing.
    std::thread::park_timeout(Duration::from_micros(dice.below(60_000)));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_killed_daemon_has_lost_nothing_that_it_acknowledged() {
    let kills =
        std::env::var("TILLBOX_KILLS").map_or(100, |text| text.parse().expect("TILLBOX_KILLS is a number"));
    let mut dice = Dice::new("kill");
    let place = Place::new(&Setup::default().segments(1));
    place.stock_up(PRODUCTS);
    let mut ledger = Ledger::default();
    let mut slowest = Duration::ZERO;
    let mut repeated = 0;
    let mut daemon = place.start();
    for _ in 0..kills {
        let selling = Selling::begin(daemon.address(), TILLS, PRODUCTS, &mut dice);
        selling.until_acknowledged(dice.below(200));
        daemon.kill();
        let notes = selling.end();
        place.verify();
        if dice.below(4) == 0 {
            kill_at_the_start(&place, &mut dice);
        }
        daemon = place.start();
        assert!(daemon.took < START, "a start took {:?}", daemon.took);
        slowest = slowest.max(daemon.took);
        repeated += notes.unanswered.len();
        ledger.take(&daemon.client(), notes);
    }
    ledger.compare(&daemon.client(), &mut dice);
    daemon.stop();
    let whole = place.verify();
    let daemon = place.start();
    ledger.compare(&daemon.client(), &mut dice);
    println!("{kills} kills, {} sales, {repeated} sent again, slowest start {slowest:?}", ledger.len());
    println!("{whole}");
}
