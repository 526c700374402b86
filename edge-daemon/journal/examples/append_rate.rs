//! How fast groups become durable: the journal beside a plain append and `fdatasync` of as many bytes to a growing
//! file, interleaved, medians. `append_rate FOLDER` (default: the system's temporary folder).

use std::error::Error;
use std::fs::OpenOptions;
use std::io::Write;
use std::time::{Duration, Instant};

use pos_journal::{Disk, Journal, Options, Reader, Room, Start, verify};

const RECORD_BYTES: usize = 1200;
const ROUNDS: usize = 31;
const ROUND_TIME: Duration = Duration::from_millis(60);

/// Runs for a while and gives records a second.
fn rate(records: usize, mut once: impl FnMut() -> Result<(), Box<dyn Error>>) -> Result<f64, Box<dyn Error>> {
    let start = Instant::now();
    let mut done = 0;
    while start.elapsed() < ROUND_TIME {
        once()?;
        done += records;
    }
    Ok(done as f64 / start.elapsed().as_secs_f64())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn main() -> Result<(), Box<dyn Error>> {
    let parent = std::env::args().nth(1).map_or_else(std::env::temp_dir, Into::into);
    let folder = tempfile::tempdir_in(parent)?;
    let disk = Disk::new(folder.path().to_owned());
    let (mut journal, _) = Journal::open(disk.clone(), Options::default(), &[])?;
    journal.start_epoch(None)?;
    let mut plain = OpenOptions::new().create_new(true).append(true).open(folder.path().join("plain"))?;
    // Warmed up, and with its spares made.
    while journal.condition()?.spares < 2 {
        journal.append(&[b"warm"], Room::Ordinary)?;
    }
    let body: Vec<u8> = (0..RECORD_BYTES).map(|n| (n * 31 % 251) as u8).collect();
    println!("records per group | journal records/s | plain records/s | ratio");
    for group in [1, 4, 16, 64] {
        let bodies = vec![body.as_slice(); group];
        let before = journal.head().map_or(0, |head| head.bytes);
        journal.append(&bodies, Room::Ordinary)?;
        let bytes = vec![7; (journal.head().map_or(0, |head| head.bytes) - before) as usize];
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            ours.push(rate(group, || Ok(journal.append(&bodies, Room::Ordinary).map(drop)?))?);
            theirs.push(rate(group, || {
                plain.write_all(&bytes)?;
                Ok(plain.sync_data()?)
            })?);
        }
        let (ours, theirs) = (median(ours), median(theirs));
        println!("{group:>17} | {ours:>17.0} | {theirs:>15.0} | {:>5.2}", ours / theirs);
    }
    let bytes = journal.head().map_or(0, |head| head.bytes) as f64 / 1e6;
    let megabytes = |start: Instant| bytes / start.elapsed().as_secs_f64();
    let start = Instant::now();
    let records = Reader::open(disk.clone()).records_from(Start::Beginning)?.count();
    println!("read {records} records, {bytes:.0} MB: {:.0} MB/s", megabytes(start));
    let start = Instant::now();
    verify(&disk, |_| {})?;
    println!("verified: {:.0} MB/s", megabytes(start));
    drop(journal);
    let start = Instant::now();
    Journal::open(disk, Options::default(), &[])?;
    println!("opened after a kill: {:.0} ms", start.elapsed().as_secs_f64() * 1000.0);
    Ok(())
}
