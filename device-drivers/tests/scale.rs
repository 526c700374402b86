//! A scale on a real line: a pseudo-terminal with a virtual scale at its other end, and all that can be wrong with it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use std::time::{Duration, Instant};

use device_drivers::{
    Device, Gate, Kind, Reading, SILENT_AFTER, Scale, ScaleFault, ScaleFaults, SerialScale, Talk, Unit,
    Unsettled, VirtualScale, Weight,
};
use tokio::time::timeout;

/// Nothing here takes nearly so long; a hang is to fail.
const LONG: Duration = Duration::from_secs(30);
const POLLED: Talk = Talk::Polled { unit: Unit::Kilogram, places: 3 };
const BOTH: [Talk; 2] = [POLLED, Talk::Continuous];

struct Counter {
    there: VirtualScale,
    here: Scale,
    _folder: tempfile::TempDir,
}

fn counter(talk: Talk) -> Counter {
    let folder = tempfile::tempdir().unwrap();
    let there = VirtualScale::plug(&folder.path().join("scale"), talk).unwrap();
    let here = SerialScale::new(there.path().to_owned(), talk).open().unwrap();
    Counter { there, here, _folder: folder }
}

async fn next(scale: &mut Scale) -> Result<Reading, ScaleFault> {
    timeout(LONG, scale.next()).await.expect("the scale said nothing")
}

fn kilograms(thousandths: i64) -> Reading {
    Reading::Stable(Weight { thousandths, unit: Unit::Kilogram })
}

impl Counter {
    /// Reads on until the scale says this; no fault may come before.
    async fn until(&mut self, wanted: Reading) {
        let reached = async { while self.here.next().await.unwrap() != wanted {} };
        timeout(LONG, reached).await.unwrap_or_else(|_| panic!("the scale never said {wanted:?}"));
    }
}

#[tokio::test]
async fn what_lies_on_it_is_read_and_sold_by_once() {
    for talk in BOTH {
        let mut counter = counter(talk);
        let mut gate = Gate::default();
        let mut sold = Vec::new();
        for weight in [475, 1_200, 475] {
            counter.there.set(weight + 3, false);
            counter.until(Reading::Unsettled(Unsettled::Motion)).await;
            counter.there.put(weight);
            counter.until(kilograms(weight)).await;
            for _ in 0..5 {
                sold.extend(gate.take(next(&mut counter.here).await.unwrap()));
            }
            counter.there.put(0);
            counter.until(kilograms(0)).await;
            gate.take(kilograms(0));
        }
        let sold: Vec<_> = sold.iter().map(|weight| weight.thousandths).collect();
        assert_eq!(sold, [475, 1_200, 475], "{talk:?}");
        assert_eq!(counter.here.refused(), 0, "{talk:?}");
    }
}

#[tokio::test]
async fn zero_takes_what_is_on_it_for_nothing_unless_it_moves() {
    for talk in BOTH {
        let mut counter = counter(talk);
        counter.there.put(250);
        counter.until(kilograms(250)).await;
        counter.here.zero().await.unwrap();
        counter.until(kilograms(0)).await;
        counter.there.put(725);
        counter.until(kilograms(475)).await;
        counter.there.put(0);
        match talk {
            Talk::Continuous => counter.until(kilograms(-250)).await,
            Talk::Polled { .. } => counter.until(Reading::Unsettled(Unsettled::UnderZero)).await,
        }
        counter.there.set(300, false);
        counter.until(Reading::Unsettled(Unsettled::Motion)).await;
        let mut changes = counter.there.changes();
        counter.here.zero().await.unwrap();
        timeout(LONG, changes.changed()).await.expect("it never heard").unwrap();
        counter.there.put(20_000);
        counter.until(Reading::Unsettled(Unsettled::OverCapacity)).await;
        assert_eq!(counter.there.shown(), 19_750, "a scale that moved kept its zero");
    }
}

#[tokio::test]
async fn silence_noise_and_half_a_frame_are_silence_and_it_goes_on_after_them() {
    for talk in BOTH {
        let well = ScaleFaults::default();
        for (faults, refuses) in [
            (ScaleFaults { silent: true, ..well }, false),
            (ScaleFaults { garbage: true, ..well }, true),
            (ScaleFaults { half: true, ..well }, true),
        ] {
            let mut counter = counter(talk);
            counter.there.put(475);
            counter.until(kilograms(475)).await;
            counter.there.set_faults(faults);
            let begun = Instant::now();
            let fault = loop {
                if let Err(fault) = next(&mut counter.here).await {
                    break fault;
                }
            };
            assert_eq!(fault, ScaleFault::Silent { device: Device::Scale, waited: SILENT_AFTER }, "{talk:?}");
            assert_eq!(fault.kind(), Kind::Operator);
            assert!(begun.elapsed() >= SILENT_AFTER - Duration::from_millis(250), "{:?}", begun.elapsed());
            assert_eq!(counter.here.refused() > 0, refuses, "{talk:?} {faults:?}");
            counter.there.set_faults(well);
            counter.there.put(480);
            let reached = async { while counter.here.next().await != Ok(kilograms(480)) {} };
            timeout(LONG, reached).await.expect("it never came back");
        }
    }
}

#[tokio::test]
async fn a_slow_scale_is_waited_for() {
    for talk in BOTH {
        let mut counter = counter(talk);
        counter.there.put(475);
        counter.there.set_faults(ScaleFaults { slow: Duration::from_millis(400), ..ScaleFaults::default() });
        for _ in 0..3 {
            counter.until(kilograms(475)).await;
        }
    }
}

#[tokio::test]
async fn a_reading_that_nobody_waits_for_any_more_is_not_lost() {
    let mut counter = counter(POLLED);
    counter.there.put(475);
    // Cancelled over and over, at any place: the questions go on, and so do the answers.
    let mut readings = 0;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(1_500) {
        if let Ok(reading) = timeout(Duration::from_millis(3), counter.here.next()).await {
            assert_eq!(reading.unwrap(), kilograms(475));
            readings += 1;
        }
    }
    assert!((4..=9).contains(&readings), "{readings} readings of some seven");
    assert_eq!(counter.here.refused(), 0);
}

#[tokio::test]
async fn a_scale_that_is_pulled_out_is_lost_and_comes_back() {
    for talk in BOTH {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().join("scale");
        let scale = SerialScale::new(name.clone(), talk);
        let missing = scale.open().unwrap_err();
        assert_eq!(missing, ScaleFault::Missing { device: Device::Scale, path: name.clone() });
        assert!(missing.to_string().starts_with("there is no scale at "));
        for weight in 1..20 {
            let there = VirtualScale::plug(&name, talk).unwrap();
            let mut here = scale.open().unwrap();
            there.put(weight);
            let reached = async { while here.next().await != Ok(kilograms(weight)) {} };
            timeout(LONG, reached).await.expect("the weight never came");
            drop(there);
            let lost = async {
                loop {
                    if let Err(fault) = here.next().await {
                        break fault;
                    }
                }
            };
            let fault = timeout(LONG, lost).await.expect("nobody noticed");
            assert!(matches!(fault, ScaleFault::Lost { device: Device::Scale, .. }), "{fault}");
            assert!(matches!(here.zero().await, Err(ScaleFault::Lost { .. })));
        }
    }
}
