//! Reading while writing: every reader sees a growing prefix of exactly what was appended.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use pos_journal::{Disk, Journal, Options, Preparation, Reader, Room, Start, verify};

const OPTIONS: Options = Options { segment_bytes: 128 << 10, preparation: Preparation::Background };
const GROUPS: u64 = 1500;

fn body(number: u64) -> Vec<u8> {
    let mut body = number.to_le_bytes().to_vec();
    body.resize(8 + usize::try_from(number * 131 % 2000).unwrap(), number as u8);
    body
}

/// Reads on and on until the writer is done and nothing is left.
fn follow(reader: &Reader<Disk>, done: &AtomicBool, in_process: bool) -> u64 {
    let mut records = reader.records_from(Start::Beginning).unwrap();
    let mut number = 0;
    loop {
        let finished = done.load(Ordering::Acquire);
        for found in records.by_ref() {
            let (locator, record) = found.unwrap();
            assert_eq!(record.body, body(number));
            assert_eq!(record.seq, number + 1);
            if in_process {
                assert!(record.seq <= reader.head().unwrap().position.seq, "read before it was durable");
            }
            if number % 50 == 0 {
                assert_eq!(reader.read(locator).unwrap(), record);
            }
            number += 1;
        }
        if finished {
            return number;
        }
        thread::yield_now();
    }
}

#[test]
fn readers_in_this_process_and_in_others_see_a_growing_prefix() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::new(folder.path().to_owned());
    let (mut journal, _) = Journal::open(disk.clone(), OPTIONS, &[]).unwrap();
    journal.start_epoch(None).unwrap();
    let done = AtomicBool::new(false);
    let mut written = 0;
    thread::scope(|scope| {
        let inside = journal.reader();
        let outside = Reader::open(disk.clone());
        let (done, disk) = (&done, &disk);
        let following = [
            scope.spawn(move || follow(&inside, done, true)),
            scope.spawn(move || follow(&outside, done, false)),
        ];
        let verifying = scope.spawn(move || {
            let mut last = 0;
            while !done.load(Ordering::Acquire) {
                let records = verify(disk, |_| {}).unwrap().records;
                assert!(records >= last);
                last = records;
            }
        });
        for group in 0..GROUPS {
            let bodies: Vec<Vec<u8>> = (written..written + group % 5 + 1).map(body).collect();
            let slices: Vec<&[u8]> = bodies.iter().map(Vec::as_slice).collect();
            journal.append(&slices, Room::Ordinary).unwrap();
            written += slices.len() as u64;
        }
        done.store(true, Ordering::Release);
        for reader in following {
            assert_eq!(reader.join().unwrap(), written);
        }
        verifying.join().unwrap();
    });
    assert_eq!(verify(&disk, |_| {}).unwrap().records, written);
}
