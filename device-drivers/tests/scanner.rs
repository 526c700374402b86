//! A scanner on a real line: a pseudo-terminal that is plugged in, pulled out and plugged in again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::{Duration, Instant};

use device_drivers::{
    Framing, HALF, Kind, MAX_SCAN, Moment, ScanReader, Scanner, ScannerFault, SerialScanner, VirtualScanner,
};
use tokio::time::timeout;

/// Nothing here takes nearly so long; a hang is to fail.
const LONG: Duration = Duration::from_secs(30);

async fn next(scanner: &mut Scanner) -> Result<String, ScannerFault> {
    timeout(LONG, scanner.next()).await.expect("no scan came")
}

#[tokio::test]
async fn what_is_scanned_comes_out_once_and_in_order_whatever_is_wrong_with_the_line() {
    let folder = tempfile::tempdir().unwrap();
    let mut there = VirtualScanner::plug(&folder.path().join("scanner")).unwrap();
    // However slow this machine is just now, the second report is an echo.
    let echo = Duration::from_secs(60);
    let mut here = SerialScanner { echo, ..SerialScanner::new(there.path().to_owned()) }.open().unwrap();
    there.scan("]E04006381333931").await.unwrap();
    there.faults.double = true;
    there.scan("96385074").await.unwrap();
    there.faults.double = false;
    there.faults.noise = true;
    there.scan("]C101040063813339313103000125\u{1d}21X").await.unwrap();
    for expected in ["]E04006381333931", "96385074", "]C101040063813339313103000125\u{1d}21X"] {
        assert_eq!(next(&mut here).await.unwrap(), expected);
    }
    there.faults = device_drivers::ScannerFaults { cut_after: Some(4), ..Default::default() };
    there.scan("5449000000996").await.unwrap();
    // Until the half is dropped, nothing comes.
    assert!(timeout(HALF * 2, here.next()).await.is_err());
    there.faults.cut_after = None;
    there.scan("5449000000996").await.unwrap();
    assert_eq!(next(&mut here).await.unwrap(), "5449000000996");
    let refused = here.refused();
    assert_eq!((refused.echoes, refused.garbled, refused.half), (1, 1, 1));
}

#[tokio::test]
async fn a_port_that_is_missing_or_no_port_is_said_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let missing = SerialScanner::new(folder.path().join("nothing")).open().unwrap_err();
    assert!(matches!(missing, ScannerFault::Missing { .. }) && missing.kind() == Kind::Operator, "{missing}");
    let file = folder.path().join("file");
    std::fs::write(&file, "no port").unwrap();
    let refused = SerialScanner::new(file).open().unwrap_err();
    assert!(
        matches!(refused, ScannerFault::Refused { .. }) && refused.kind() == Kind::Technician,
        "{refused}"
    );
}

#[test]
fn no_bytes_stop_the_reader_or_swell_it_and_the_next_scan_is_understood() {
    let given = std::env::var("TILLBOX_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = given.unwrap_or_else(|| RandomState::new().hash_one(0));
    println!("TILLBOX_SEED={seed}");
    let mut state = seed;
    let mut random = move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 16
    };
    for framing in [Framing::Line, Framing::Idle(Duration::from_millis(30))] {
        let mut now = Moment::default();
        let mut reader = ScanReader::new(framing, Duration::from_millis(50));
        for frame in 0..20_000 {
            let mut bytes = b"]E04006381333931\r\n".to_vec();
            for _ in 0..random() % 4 {
                let at = random() as usize % bytes.len();
                match random() % 4 {
                    0 => bytes[at] ^= 1 << (random() % 8),
                    1 => bytes.truncate(at + 1),
                    2 => bytes = bytes.repeat(1 + random() as usize % 3),
                    _ => bytes.insert(at, random() as u8),
                }
            }
            now += Duration::from_millis(random() % 600);
            for byte in bytes {
                let scan = reader.take(byte, now);
                assert!(scan.is_none_or(|scan| !scan.is_empty() && scan.len() <= MAX_SCAN));
            }
            if frame % 100 == 0 {
                now += HALF;
                reader.handle_timeout(now);
                let good = format!("good {frame}");
                good.bytes().for_each(|byte| assert_eq!(reader.take(byte, now), None));
                assert_eq!(reader.take(b'\r', now), Some(good.as_str()));
            }
        }
    }
}

/// Nothing says that a scanner is there but its port: a plug that is pulled while nobody scans must be noticed all the
/// same, and soon.
#[tokio::test]
async fn a_silent_scanner_that_is_pulled_out_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    for framing in [Framing::Line, Framing::Idle(Duration::from_millis(30))] {
        let there = VirtualScanner::plug(&folder.path().join("scanner")).unwrap();
        let mut here =
            SerialScanner { framing, ..SerialScanner::new(there.path().to_owned()) }.open().unwrap();
        assert!(timeout(Duration::from_millis(50), here.next()).await.is_err(), "silent, but there");
        let pulled = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            drop(there);
            Instant::now()
        });
        let fault = next(&mut here).await.unwrap_err();
        let noticed = Instant::now();
        assert!(matches!(fault, ScannerFault::Lost { .. }) && fault.kind() == Kind::Operator, "{fault}");
        let late = noticed.saturating_duration_since(pulled.await.unwrap());
        assert!(late < Duration::from_secs(1), "noticed after {late:?}");
    }
}
