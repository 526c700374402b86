//! A scanner that types, on a real keyboard of the kernel, where the kernel lets one be made.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::time::Duration;

use device_drivers::{
    Device, Kind, Layout, Scanner, ScannerFault, VirtualScanner, VirtualWedge, WedgeScanner,
};
use tokio::time::timeout;

/// Nothing here takes nearly so long; a hang is to fail.
const LONG: Duration = Duration::from_secs(30);

async fn next(scanner: &mut Scanner) -> Result<String, ScannerFault> {
    timeout(LONG, scanner.next()).await.expect("no scan came")
}

/// A wedge, or why there is none.
async fn wedge(layout: Layout) -> Option<VirtualWedge> {
    let uinput = Path::new("/dev/uinput").metadata();
    if !uinput.is_ok_and(|data| data.file_type().is_char_device()) {
        println!("SKIPPED: this kernel has no /dev/uinput; load the module, or run scripts/hil-linux");
        return None;
    }
    match VirtualWedge::plug(layout).await {
        Ok(wedge) => Some(wedge),
        Err(error) => {
            println!("SKIPPED: no keyboard can be made here: {error}; run this test as root");
            None
        }
    }
}

#[tokio::test]
async fn what_is_typed_is_a_scan_and_nobody_else_sees_it() {
    for layout in [Layout::Us, Layout::German] {
        let Some(mut there) = wedge(layout).await else { return };
        let scanner = WedgeScanner { layout, ..WedgeScanner::new(there.path().to_owned()) };
        let mut here = scanner.open().unwrap();
        let others = scanner.open().unwrap_err();
        assert!(matches!(others, ScannerFault::Refused { device: Device::Scanner, .. }), "{others}");
        for code in ["]E04006381333931", "]C10104006381333931-Zy/+", "96385074"] {
            let (typed, seen) = tokio::join!(there.scan(code), next(&mut here));
            assert_eq!((typed.unwrap(), seen.unwrap().as_str()), ((), code));
        }
        // Nobody reads for a while, and the kernel loses keys: the scan is spoilt, and no part of it comes.
        there.scan(&"7".repeat(40)).await.unwrap();
        let (typed, seen) = tokio::join!(there.scan("5449000000996"), next(&mut here));
        assert_eq!((typed.unwrap(), seen.unwrap().as_str()), ((), "5449000000996"));
        assert_eq!(here.refused().garbled, 1);
        assert!(matches!(here.say(b"beep").await, Err(ScannerFault::Refused { .. })));
        drop(here);
        let mut here = scanner.open().expect("it was given back");
        drop(there);
        let fault = next(&mut here).await.unwrap_err();
        assert!(matches!(fault, ScannerFault::Lost { .. }) && fault.kind() == Kind::Operator, "{fault}");
    }
}

#[tokio::test]
async fn what_is_missing_or_no_keyboard_is_said_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let missing = WedgeScanner::new(folder.path().join("nothing")).open().unwrap_err();
    assert!(matches!(missing, ScannerFault::Missing { .. }) && missing.kind() == Kind::Operator, "{missing}");
    let line = VirtualScanner::plug(&folder.path().join("line")).unwrap();
    let refused = WedgeScanner::new(line.path().to_owned()).open().unwrap_err();
    assert!(
        matches!(refused, ScannerFault::Refused { .. }) && refused.kind() == Kind::Technician,
        "{refused}"
    );
}
