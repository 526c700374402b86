//! Pulling the plug, over and over. Alone in its process: it counts descriptors.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use std::time::Duration;

use device_drivers::{Scanner, ScannerFault, SerialScanner, VirtualScanner};
use tokio::time::timeout;

/// Nothing here takes nearly so long; a hang is to fail.
const LONG: Duration = Duration::from_secs(30);

async fn next(scanner: &mut Scanner) -> Result<String, ScannerFault> {
    timeout(LONG, scanner.next()).await.expect("no scan came")
}

/// How many descriptors this process has open.
fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Half of the scans are made right before the plug is pulled: such a one may be lost with the line, but it must never
/// come twice, nor a part of it.
#[tokio::test]
async fn a_scanner_that_is_pulled_out_and_plugged_in_again_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().join("scanner");
    let scanner = SerialScanner::new(name.clone());
    let mut seen = Vec::new();
    let mut before = None;
    for cycle in 0..500_u32 {
        let mut there = VirtualScanner::plug(&name).unwrap();
        let mut here = scanner.open().unwrap();
        let (first, second) = (format!("{:013}", cycle * 2), format!("{:013}", cycle * 2 + 1));
        there.scan(&first).await.unwrap();
        assert_eq!(next(&mut here).await.unwrap(), first);
        seen.push(first);
        there.scan(&second).await.unwrap();
        drop(there);
        loop {
            match next(&mut here).await {
                Ok(scan) => {
                    assert_eq!(scan, second);
                    seen.push(scan);
                }
                Err(fault) => {
                    assert!(matches!(fault, ScannerFault::Lost { .. }), "{fault}");
                    break;
                }
            }
        }
        assert!(matches!(scanner.open(), Err(ScannerFault::Missing { .. })));
        drop(here);
        let open = descriptors();
        assert_eq!(*before.get_or_insert(open), open, "descriptors leak");
    }
    let mut once = seen.clone();
    once.dedup();
    assert_eq!(once, seen);
}
