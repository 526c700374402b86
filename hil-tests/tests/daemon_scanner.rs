//! The real daemon and the scanner's board: what is shown to the sensor, heard at the API and on the sale.
//!
//! `TILLBOX_FIRMWARE_SCANNER` names the scanner's firmware and `TILLBOX_DAEMON` the daemon (`scripts/hil` builds both); without the
//! former each scenario is skipped and says so. `TILLBOX_SCANS` says how many scans are timed (15).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

#[allow(unreachable_pub, dead_code, reason = "a part of several test programs")]
mod counter;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use counter::cable::Cable;
use counter::{Counter, LONG, built, section};
use serde_json::json;
use tillbox_hil::{Emulator, Input, Label, Output, Rig};
use tillbox_tests::patiently;
use uuid::Uuid;

const SCANNER: &[u8; 8] = b"scanner1";

struct Bench {
    counter: Counter,
    board: Emulator,
    bars: Box<dyn Write>,
}

/// A shop with a scanner on a board, whose scans go onto its till's sale.
fn bench() -> Option<Bench> {
    bench_with(|board, line| board.plug(Some(line)).unwrap()).map(|(bench, ())| bench)
}

/// The same, with the board plugged in like this.
fn bench_with<P>(plug: impl FnOnce(&mut Emulator, &Path) -> P) -> Option<(Bench, P)> {
    let levels = [(Input::LooksAlways, true)];
    let firmware = built("TILLBOX_FIRMWARE_SCANNER")?;
    let mut board = Emulator::start_with(firmware, SCANNER, &levels).expect("the emulator starts");
    let scanner = section("scanner", "scanner", SCANNER, "adds_to_sale = true");
    let counter = Counter::begin(&["line"], &scanner);
    let plugged = plug(&mut board, &counter.line("line"));
    counter.wait_for("scanner", "ready");
    let bars = board.bars().unwrap();
    Some((Bench { counter, board, bars }, plugged))
}

impl Bench {
    /// Puts the article of a label into the catalogue.
    fn article(&self, number: u64) -> Label {
        let label = Label::of(number);
        let key = Uuid::now_v7().to_string();
        let body = json!({"name": format!("Article {number}"), "price": 100, "taxClass": "standard", "barcode": label.digits});
        let path = format!("/api/v1/products/a{number}");
        self.counter.daemon().client().change("PUT", &path, &key, &[], &body).ok(201);
        label
    }

    fn show(&mut self, label: &Label) {
        self.bars.write_all(&label.bytes).unwrap();
    }

    /// Waits until the sale has so many lines.
    fn wait_for_lines(&self, sale: Uuid, lines: usize) {
        let client = self.counter.daemon().client();
        patiently(LONG, "the sale has its lines", || {
            let sale = client.when_ready(&format!("/api/v1/transactions/{sale}"));
            (sale["items"].as_array().unwrap().len() >= lines).then_some(())
        });
    }

    fn lines(&self, sale: Uuid) -> usize {
        let sale = self.counter.daemon().client().when_ready(&format!("/api/v1/transactions/{sale}"));
        sale["items"].as_array().unwrap().len()
    }

    fn open_sale(&self) -> Uuid {
        let id = Uuid::now_v7();
        let body = json!({"id": id, "terminalId": "till-1", "items": []});
        self.counter.daemon().client().post("/api/v1/transactions", &body).ok(201);
        id
    }

    /// The board's light, which may have gone out again when it is looked at: so it is waited for from before.
    fn wait_for_light(&mut self, output: Output) {
        patiently(LONG, "the light is on", || self.board.drives(output).unwrap().then_some(()));
    }

    fn wait_until_it_is_out(&mut self, output: Output) {
        patiently(LONG, "the light goes out", || (!self.board.drives(output).unwrap()).then_some(()));
    }
}

#[test]
fn what_the_sensor_sees_is_heard_at_the_api_and_signalled_when_it_is_on_the_sale() {
    let Some(mut bench) = bench() else { return };
    let scans: usize = std::env::var("TILLBOX_SCANS").map_or(15, |text| text.parse().expect("a number"));
    let sale = bench.open_sale();
    let mut took = Vec::new();
    for scan in 0..scans {
        let label = bench.article(4_000_000_000 + scan as u64);
        bench.show(&label);
        let shown = Instant::now();
        bench.counter.wait_for_scans(scan + 1);
        let (at, heard) = &bench.counter.scans[scan];
        assert_eq!(heard["data"], json!(format!("]E0{}", label.digits)));
        assert_eq!(heard["transactionId"], json!(sale));
        took.push(at.saturating_duration_since(shown));
        bench.wait_for_light(Output::Green);
        assert_eq!(bench.lines(sale), scan + 1, "the signal comes when it is in the journal");
        bench.wait_until_it_is_out(Output::Green);
    }
    took.sort_unstable();
    let at = |part: usize| took[(took.len() * part / 100).min(took.len() - 1)];
    println!("hil: last run in to scan at the API, {scans} scans: p50 {:?}, p99 {:?}", at(50), at(99));
    let unknown = Label::of(77);
    bench.show(&unknown);
    bench.wait_for_light(Output::Red);
    assert_eq!(bench.lines(sale), scans);
}

#[test]
fn what_is_scanned_while_the_daemon_is_dead_is_on_the_sale_once_when_it_is_back() {
    let Some(mut bench) = bench() else { return };
    let labels: Vec<_> = (1..=9).map(|number| bench.article(number)).collect();
    let sale = bench.open_sale();
    let mut ids = BTreeSet::new();
    for (at, three) in labels.chunks(3).enumerate() {
        // The first within the daemon's life, perhaps not on the sale when it dies; the others while it is dead.
        bench.show(&three[0]);
        bench.counter.kill();
        bench.show(&three[1]);
        bench.show(&three[2]);
        bench.counter.start();
        bench.wait_for_lines(sale, 3 * at + 3);
        bench.wait_for_light(Output::Green);
        bench.counter.wait_for_scans(2);
        ids.extend(bench.counter.scans.iter().map(|(_, scan)| scan["scanId"].to_string()));
    }
    assert_eq!(bench.lines(sale), 9, "none is lost, none is there twice");
    assert!((6..=9).contains(&ids.len()), "{ids:?}");
}

#[test]
fn a_scan_whose_acceptance_the_controller_never_heard_is_told_again_and_is_on_the_sale_once() {
    let plug = |board: &mut Emulator, line: &Path| Cable::plug(board.line().unwrap(), line);
    let Some((mut bench, cable)) = bench_with(plug) else { return };
    let labels: Vec<_> = (1..=3).map(|number| bench.article(number)).collect();
    let sale = bench.open_sale();
    for (at, label) in labels.iter().enumerate() {
        bench.counter.wait_for("scanner", "ready");
        bench.wait_until_it_is_out(Output::Green);
        cable.cut();
        bench.show(label);
        bench.wait_for_lines(sale, at + 1);
        bench.counter.wait_for_scans(1);
        let first = bench.counter.scans[0].1["scanId"].clone();
        assert!(!bench.board.drives(Output::Green).unwrap(), "the controller knows of nothing");
        bench.counter.kill();
        bench.counter.start();
        // Only now, so that nothing is told before anybody listens.
        cable.mend();
        bench.wait_for_light(Output::Green);
        bench.counter.wait_for_scans(1);
        assert_eq!(bench.counter.scans[0].1["scanId"], first, "it is the same scan");
        assert_eq!(bench.lines(sale), at + 1, "it is there once");
        bench.counter.scans.clear();
    }
}

#[test]
fn a_board_that_loses_its_power_within_a_scan_loses_no_more_than_that() {
    let Some(mut bench) = bench() else { return };
    let labels: Vec<_> = (1..=6).map(|number| bench.article(number)).collect();
    let sale = bench.open_sale();
    let mut lines = 0;
    for pair in labels.chunks(2) {
        let (half, _) = pair[0].bytes.split_at(pair[0].bytes.len() / 2);
        bench.bars.write_all(half).unwrap();
        bench.board.cut_power().unwrap();
        bench.bars = bench.board.bars().unwrap();
        let boots = |bench: &Bench| bench.counter.device("scanner")["state"] == "ready";
        patiently(LONG, "it is back", || boots(&bench).then_some(()));
        bench.show(&pair[1]);
        lines += 1;
        bench.wait_for_lines(sale, lines);
        bench.wait_for_light(Output::Green);
    }
    assert_eq!(bench.lines(sale), lines);
    let said: BTreeSet<_> = bench.counter.scans.iter().map(|(_, scan)| scan["data"].to_string()).collect();
    assert!(said.len() <= lines, "{said:?}");
}
