//! `journal verify`

use pos_journal::{Disk, VerifyError};

use super::bar::Bar;
use super::failure::{Code, Failure};
use super::{Place, data_dir};
use crate::backup::Progress;

pub(super) fn verify(place: &Place) -> Result<(), Failure> {
    let dir = data_dir(place)?;
    if !dir.join("journal").is_dir() {
        let what = format!("{} holds no journal", dir.display());
        return Err(Failure::new(
            Code::Failed,
            what,
            "name the data directory by --data, or its file by --config",
        ));
    }
    let mut bar = Bar::new();
    let checked = pos_journal::verify(&Disk::new(dir), |at| {
        bar.show(&Progress::new("verifying", at.done, at.total));
    });
    drop(bar);
    let report = checked.map_err(|error| match error {
        VerifyError::Damaged(_) => {
            let next = "keep the files as they are; restore a backup, or start the daemon: it goes on in a new epoch";
            Failure::new(Code::Found, error, next)
        }
        VerifyError::Io(_) => Failure::new(Code::Failed, error, "look at the disk and at the permissions"),
    })?;
    let (records, epochs, segments) = (report.records, report.epochs, report.segments);
    println!(
        "the journal is whole: {records} records in {epochs} epochs, {segments} segments, {} bytes",
        report.bytes
    );
    if let Some(head) = report.head {
        let hash: String = head.hash.iter().map(|byte| format!("{byte:02x}")).collect();
        println!("head: {} {hash}", head.position);
    }
    for bad in &report.left_behind {
        println!("left behind by a newer epoch: {bad}");
    }
    if let Some(unfinished) = &report.unfinished {
        println!("being written, or cut short by a crash (the next start cuts it): {unfinished}");
    }
    Ok(())
}
