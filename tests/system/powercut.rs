//! Power cuts on a real ext4: what was not synced is gone, what was acknowledged is there.
//!
//! `TILLBOX_CUTS_EXT4` says how many (5); `scripts/powercut` makes 50.

use std::time::Duration;

use tillbox_tests::{Dice, Ledger, LoopDisk, Place, Selling, Setup};

const TILLS: usize = 6;
const PRODUCTS: usize = 40;

#[test]
fn a_power_cut_takes_nothing_that_was_acknowledged() {
    let Some(disk) = LoopDisk::new("powercut", 96) else { return };
    let cuts = std::env::var("TILLBOX_CUTS_EXT4");
    let cuts = cuts.map_or(5, |text| text.parse().expect("TILLBOX_CUTS_EXT4 is a number"));
    let mut dice = Dice::new("powercut");
    let place = Place::on(disk.path().join("data"), &Setup::default().segments(1));
    place.stock_up(PRODUCTS);
    let mut ledger = Ledger::default();
    let mut unanswered = 0;
    let mut daemon = place.start();
    for _ in 0..cuts {
        let selling = Selling::begin(daemon.address(), TILLS, PRODUCTS, &mut dice);
        selling.until_acknowledged(dice.below(200));
        disk.cut();
        // It sees the disk fail and ends by itself, or is killed here.
        drop(daemon);
        let notes = selling.end();
        disk.remount();
        place.verify();
        daemon = place.start();
        assert!(daemon.took < Duration::from_secs(5), "a start took {:?}", daemon.took);
        unanswered += notes.unanswered.len();
        ledger.take(&daemon.client(), notes);
    }
    ledger.compare(&daemon.client(), &mut dice);
    daemon.stop();
    place.verify();
    println!("{cuts} power cuts, {} sales, {unanswered} sent again", ledger.len());
}
