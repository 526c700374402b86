//! A scanner that is unplugged and plugged in again, over and over, while it scans and two tills sell: no scan comes twice, the
//! device comes back by itself, and the daemon does not grow.
//!
//! `TILLBOX_UNPLUGS` says how often (40).

use std::collections::BTreeMap;
use std::fs;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use device_drivers::VirtualScanner;
use tillbox_tests::{Client, Dice, Place, Selling, Setup, patiently};

const LONG: Duration = Duration::from_secs(60);

/// What the event stream tells of the scanner.
enum Heard {
    Ready,
    Scan(String),
}

fn descriptors(process: u32) -> usize {
    fs::read_dir(format!("/proc/{process}/fd")).unwrap().count()
}

fn threads(process: u32) -> usize {
    fs::read_dir(format!("/proc/{process}/task")).unwrap().count()
}

/// Tasks of its runtime, as it says itself.
fn tasks(client: &Client) -> usize {
    let text = client.get("/metrics").text();
    let line = text.lines().find_map(|line| line.strip_prefix("tillbox_tasks "));
    line.expect("it counts its tasks").parse().unwrap()
}

#[test]
fn a_scanner_that_is_unplugged_all_the_time_loses_no_whole_scan_and_doubles_none() {
    let cycles: usize = std::env::var("TILLBOX_UNPLUGS")
        .map_or(40, |text| text.parse().expect("TILLBOX_UNPLUGS is a number"));
    let mut dice = Dice::new("unplug");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let ports = tempfile::tempdir().unwrap();
    let port = ports.path().join("scanner");
    let section = format!("[[scanner]]\nport = \"serial:{}\"\n", port.display());
    let place = Place::new(&Setup::default().with(&section));
    place.stock_up(3);
    let daemon = place.start();
    let client = daemon.client();
    let mut events = client.events(None);
    let selling = Selling::begin(daemon.address(), 2, 3, &mut dice);
    let (sink, heard) = mpsc::channel();
    let listening = std::thread::spawn(move || {
        while let Some((_, name, data)) = events.next_if_any() {
            let news = match name.as_str() {
                "deviceChanged" if data["state"] == "ready" => Heard::Ready,
                "scan" => Heard::Scan(data["data"].as_str().unwrap().to_owned()),
                _ => continue,
            };
            // The test has ended.
            if sink.send(news).is_err() {
                return;
            }
        }
    });

    let plug = || runtime.block_on(async { VirtualScanner::plug(&port) }).unwrap();
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    let (mut before, mut slowest, mut returns) = ((0, 0, 0), Duration::ZERO, Vec::new());
    for cycle in 0..cycles {
        let mut scanner = plug();
        let plugged = Instant::now();
        loop {
            match heard.recv_timeout(LONG).expect("the scanner comes back") {
                Heard::Ready => break,
                Heard::Scan(code) => *times.entry(code).or_default() += 1,
            }
        }
        slowest = slowest.max(plugged.elapsed());
        returns.push(plugged.elapsed());
        let codes: Vec<_> = (0..=dice.below(4)).map(|number| format!("code-{cycle}-{number}")).collect();
        for code in &codes {
            runtime.block_on(scanner.scan(code)).unwrap();
        }
        // Half of the time in the middle of a scan.
        if dice.below(2) == 0 {
            scanner.faults.cut_after = Some(3);
            runtime.block_on(scanner.scan("half")).unwrap();
        } else {
            while !times.contains_key(codes.last().unwrap()) {
                if let Heard::Scan(code) = heard.recv_timeout(LONG).expect("a scan is told of") {
                    *times.entry(code).or_default() += 1;
                }
            }
            assert!(codes.iter().all(|code| times.contains_key(code)), "{codes:?} of {times:?}");
        }
        drop(scanner);
        if cycle == 9 {
            before = (descriptors(daemon.process()), threads(daemon.process()), tasks(&client));
        }
    }
    let doubled: Vec<_> = times.iter().filter(|(_, count)| **count > 1).collect();
    assert!(doubled.is_empty(), "{doubled:?}");
    assert!(times.keys().all(|code| code.starts_with("code-")), "half a scan was told of: {times:?}");
    let sold = selling.end().acknowledged.len();
    patiently(LONG, "the daemon has as many descriptors, threads and tasks as at first", || {
        let now = (descriptors(daemon.process()), threads(daemon.process()), tasks(&client));
        // A thread that may block comes and goes.
        (now.0 <= before.0 + 2 && now.1 <= before.1 + 2 && now.2 <= before.2).then_some(())
    });
    returns.sort();
    let median = returns.get(returns.len() / 2).copied().unwrap_or_default();
    let scans = times.len();
    println!(
        "{cycles} cycles, {scans} scans, {sold} sales; back after {median:?}, at the slowest {slowest:?}"
    );
    daemon.stop();
    listening.join().unwrap();
}
