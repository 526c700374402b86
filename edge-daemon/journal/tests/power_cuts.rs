//! What must hold whenever the power goes, the process dies, a sync fails or the disk is full: at every operation.
//!
//! A seeded workload runs once to count its operations, then once for each operation and each fault. A failure
//! prints seed, fault and operation. `TILLBOX_SEED` sets the first seed, `TILLBOX_CUTS` the number of faults.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{HashMap, HashSet};

use pos_journal::sim::{Dice, Fault, SimDisk};
use pos_journal::{
    AppendError, EpochId, Evidence, Journal, KeyError, KeyStore, Options, Outcome, Preparation, Reader, Room,
    Sealed, Start, Storage, Subject, UnsealError, checkpoint, verify,
};

const OPTIONS: Options = Options { segment_bytes: 8 << 10, preparation: Preparation::Inline };
const VERSION: u32 = 3;
const STEPS: usize = 14;

/// The process must end: it died, or it does not know what is on disk.
struct Ended;

/// What was acknowledged, and what may have happened besides.
#[derive(Default)]
struct Model {
    acknowledged: Vec<Vec<u8>>,
    /// A group whose writer never heard of it again.
    unknown: Vec<Vec<u8>>,
    sealed: Vec<(Subject, Sealed, Vec<u8>)>,
    erased: HashSet<Subject>,
    perhaps_erased: HashSet<Subject>,
    /// Keys of those who were erased.
    destroyed: Vec<Vec<u8>>,
    checkpoint: Option<(Evidence, Vec<u8>)>,
    /// Those that failed since, newest last: each is there or not.
    perhaps_checkpoints: Vec<(Evidence, Vec<u8>)>,
    /// Nothing has failed so far.
    untroubled: bool,
}

struct Shop {
    disk: SimDisk,
    dice: Dice,
    model: Model,
}

/// One run of the daemon.
struct Process {
    journal: Journal<SimDisk>,
    keys: KeyStore<SimDisk>,
}

impl Shop {
    fn new(seed: u64) -> Self {
        let model = Model { untroubled: true, ..Model::default() };
        Self { disk: SimDisk::new(seed), dice: Dice::new(seed ^ 0x5eed), model }
    }

    /// Tells an error that ends the process from one that it lives with.
    fn survives(&mut self, must_end: bool) -> Result<(), Ended> {
        self.model.untroubled = false;
        if must_end || self.disk.is_dead() { Err(Ended) } else { Ok(()) }
    }

    fn end_unless_ok<T, E: std::fmt::Display>(&mut self, result: Result<T, E>) -> Result<T, Ended> {
        result.map_err(|error| {
            if !self.disk.is_dead() {
                eprintln!("ended: {error}");
            }
            self.model.untroubled = false;
            Ended
        })
    }

    fn start(&mut self) -> Result<Process, Ended> {
        let loaded = checkpoint::load_latest(&self.disk, VERSION);
        let Ok(loaded) = loaded else {
            return Err(self.survives(true).unwrap_err());
        };
        let saved = loaded == self.model.checkpoint
            || loaded.as_ref().is_some_and(|loaded| self.model.perhaps_checkpoints.contains(loaded));
        assert!(saved, "the last acknowledged checkpoint is gone");
        for slot in self.slots() {
            let gone = self.model.destroyed.iter().all(|key| slot[20..52] != key[..]);
            assert!(gone, "a destroyed key is still on disk");
        }
        let evidence: Vec<Evidence> = loaded.iter().map(|(evidence, _)| *evidence).collect();
        let keys = self.end_unless_ok(KeyStore::open(self.disk.clone()))?;
        let opened = Journal::open(self.disk.clone(), OPTIONS, &evidence);
        let (mut journal, opened) = self.end_unless_ok(opened)?;
        assert!(!matches!(opened.outcome, Outcome::Damaged { .. }), "{opened:?}");
        assert!(!self.model.untroubled || !matches!(opened.outcome, Outcome::TornTail { .. }), "{opened:?}");
        self.check_records();
        self.check_keys(&keys);
        assert_eq!(opened.head.map_or(0, |head| head.records), self.model.acknowledged.len() as u64);
        while journal.next_position().is_none() {
            match journal.start_epoch_as(EpochId(self.dice.any() | 1), None) {
                Ok(()) => {}
                Err(AppendError::NoSpace(_)) => self.survives(false)?,
                Err(AppendError::SyncFailed(_)) => self.survives(true)?,
                Err(other) => panic!("{other}"),
            }
        }
        Ok(Process { journal, keys })
    }

    /// All that was acknowledged is there, with the same bytes in the same order; what was not is there whole or not.
    fn check_records(&mut self) {
        let records = Reader::open(self.disk.clone()).records_from(Start::Beginning).unwrap();
        let records: Vec<_> = records.map(|record| record.unwrap().1).collect();
        assert!(records.iter().zip(1..).all(|(record, seq)| record.seq == seq), "numbers have gaps");
        let bodies: Vec<Vec<u8>> = records.into_iter().map(|record| record.body).collect();
        let unknown = std::mem::take(&mut self.model.unknown);
        if bodies.len() > self.model.acknowledged.len() {
            self.model.acknowledged.extend(unknown);
        }
        let (found, expected) = (bodies.len(), self.model.acknowledged.len());
        assert!(
            bodies == self.model.acknowledged,
            "{found} records found, {expected} expected, or bytes differ"
        );
    }

    fn check_keys(&self, keys: &KeyStore<SimDisk>) {
        for (subject, sealed, plaintext) in &self.model.sealed {
            let opened = keys.unseal(*subject, b"record", sealed);
            if self.model.erased.contains(subject) {
                assert_eq!(opened, Err(UnsealError::Erased));
            } else if opened != Err(UnsealError::Erased) || !self.model.perhaps_erased.contains(subject) {
                assert_eq!(opened.as_ref(), Ok(plaintext), "the key of an acknowledged record is gone");
            }
        }
    }

    fn append(&mut self, process: &mut Process, bodies: Vec<Vec<u8>>) -> Result<bool, Ended> {
        let room = if self.dice.coin() { Room::Ordinary } else { Room::Reserve };
        let slices: Vec<&[u8]> = bodies.iter().map(Vec::as_slice).collect();
        let error = match process.journal.append(&slices, room) {
            Ok(appended) => {
                self.model.acknowledged.extend(bodies);
                assert_eq!(appended.head.records, self.model.acknowledged.len() as u64);
                return Ok(true);
            }
            Err(error) => error,
        };
        let unknown = matches!(error, AppendError::SyncFailed(_));
        assert!(unknown || matches!(error, AppendError::NoSpace(_)), "{error}");
        if unknown {
            assert!(matches!(process.journal.append(&slices, room), Err(AppendError::Poisoned)));
        }
        if unknown || self.disk.is_dead() {
            self.model.unknown = bodies;
        }
        self.survives(unknown)?;
        Ok(false)
    }

    fn group(&mut self) -> Vec<Vec<u8>> {
        let longest = [40, 700, 3000][self.dice.upto(2)];
        let count = 1 + self.dice.upto(4);
        let body = |dice: &mut Dice| (0..dice.upto(longest)).map(|_| dice.any() as u8).collect();
        (0..count).map(|_| body(&mut self.dice)).collect()
    }

    fn seal(&mut self, process: &mut Process) -> Result<(), Ended> {
        let subject = Subject([self.dice.upto(5) as u8; 16]);
        let plaintext = self.dice.any().to_le_bytes().to_vec();
        match process.keys.seal(subject, b"record", &plaintext) {
            Ok(sealed) => {
                assert!(!self.model.erased.contains(&subject));
                if self.append(process, vec![sealed.ciphertext.clone()])? {
                    self.model.sealed.push((subject, sealed, plaintext));
                }
                Ok(())
            }
            Err(KeyError::Erased(_)) => {
                assert!(self.model.erased.contains(&subject) || self.model.perhaps_erased.contains(&subject));
                Ok(())
            }
            Err(error) => self.survives(matches!(error, KeyError::SyncFailed(_))),
        }
    }

    /// The used slots of the key file.
    fn slots(&self) -> impl Iterator<Item = Vec<u8>> + use<> {
        let bytes = self.disk.read_all("keys/persons.keys", 1 << 20).unwrap_or_default();
        let slots: Vec<Vec<u8>> = bytes.chunks(64).skip(1).map(<[u8]>::to_vec).collect();
        slots.into_iter().filter(|slot| slot.iter().any(|byte| *byte != 0))
    }

    fn erase(&mut self, process: &Process) -> Result<(), Ended> {
        let subject = Subject([self.dice.upto(5) as u8; 16]);
        self.model.perhaps_erased.insert(subject);
        let key = self.slots().find(|slot| slot[4..20] == subject.0).map(|slot| slot[20..52].to_vec());
        match process.keys.erase(subject) {
            Ok(()) => {
                self.model.erased.insert(subject);
                self.model.destroyed.extend(key.filter(|key| key.iter().any(|byte| *byte != 0)));
                self.check_keys(&process.keys);
                Ok(())
            }
            Err(error) => self.survives(matches!(error, KeyError::SyncFailed(_))),
        }
    }

    fn save_checkpoint(&mut self, process: &Process) -> Result<(), Ended> {
        let Some(head) = process.journal.head() else {
            return Ok(());
        };
        let snapshot = vec![self.dice.any() as u8; self.dice.upto(2000)];
        let evidence = head.evidence();
        self.model.perhaps_checkpoints.push((evidence, snapshot.clone()));
        if checkpoint::save(&self.disk, &evidence, VERSION, &snapshot).is_err() {
            return self.survives(false);
        }
        self.model.checkpoint = self.model.perhaps_checkpoints.pop();
        self.model.perhaps_checkpoints.clear();
        Ok(())
    }

    fn stop(&mut self, process: Process) -> Result<Process, Ended> {
        let Process { journal, keys } = process;
        drop(keys);
        if self.dice.coin() {
            if journal.close().is_err() {
                self.survives(false)?;
            }
        } else {
            drop(journal);
        }
        self.start()
    }

    fn work(&mut self) -> Result<(), Ended> {
        let process = self.start()?;
        self.steps(process, STEPS)
    }

    fn steps(&mut self, mut process: Process, count: usize) -> Result<(), Ended> {
        for _ in 0..count {
            match self.dice.upto(11) {
                0 => process = self.stop(process)?,
                1 => self.save_checkpoint(&process)?,
                2 => self.erase(&process)?,
                3 | 4 => self.seal(&mut process)?,
                5 => {
                    if process.journal.prepare().is_err() {
                        self.survives(false)?;
                    }
                }
                _ => {
                    let bodies = self.group();
                    self.append(&mut process, bodies)?;
                }
            }
        }
        Ok(())
    }

    /// The machine comes back, perhaps dies once more while it mends, and must then be as if nothing had been.
    fn come_back(&mut self, with_power_cut: bool, mut chance: Dice) {
        let again = |shop: &Self, cut: bool| {
            if cut { shop.disk.cut_power() } else { shop.disk.restart() }
        };
        again(self, with_power_cut);
        if chance.coin() {
            let soon = self.disk.operations() + chance.upto(16) as u64;
            self.disk.fail_at(soon, Fault::Death);
            let process = self.start();
            drop(process);
            again(self, chance.coin());
        }
        let Ok(process) = self.start() else { panic!("does not start") };
        // What a start has shown is durable, and so is what is built on it.
        let Ok(()) = self.steps(process, chance.upto(4)) else { panic!("does not work") };
        self.disk.cut_power();
        let Ok(mut process) = self.start() else { panic!("does not start again") };
        let body = vec![b"more".to_vec()];
        let Ok(true) = self.append(&mut process, body) else { panic!("does not go on") };
        let report = verify(&self.disk, |_| {}).unwrap();
        assert_eq!(report.records, self.model.acknowledged.len() as u64);
        assert_eq!((report.unfinished, report.left_behind.len()), (None, 0));
        process.journal.close().unwrap();
        self.disk.cut_power();
        self.model.untroubled = true;
        let (_, opened) = Journal::open(self.disk.clone(), OPTIONS, &[]).unwrap();
        assert_eq!(opened.outcome, Outcome::SealedStop);
        self.check_records();
    }
}

/// One fault at one operation; on failure the test's output says which.
fn trial(seed: u64, operation: u64, fault: Fault, power_cut: bool) {
    let context =
        Context(format!("TILLBOX_SEED={seed}, operation {operation}, {fault:?}, power cut: {power_cut}"));
    let mut shop = Shop::new(seed);
    shop.disk.fail_at(operation, fault);
    let ended = shop.work().is_err();
    assert!(ended || fault != Fault::Death, "the fault never happened");
    shop.model.untroubled = false;
    shop.come_back(power_cut, Dice::new(seed.wrapping_mul(31).wrapping_add(operation)));
    drop(context);
}

struct Context(String);

impl Drop for Context {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("failed with {}", self.0);
        }
    }
}

fn number_from(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().expect("a number"))
}

#[test]
fn nothing_acknowledged_is_lost_at_any_operation() {
    let first_seed = number_from("TILLBOX_SEED", 1);
    let wanted = number_from("TILLBOX_CUTS", 5000);
    let mut trials = HashMap::new();
    let mut total = 0;
    let mut seed = first_seed;
    while total < wanted {
        let context = Context(format!("TILLBOX_SEED={seed}, no fault"));
        let mut shop = Shop::new(seed);
        assert!(shop.work().is_ok());
        let operations = shop.disk.operations();
        shop.come_back(false, Dice::new(seed));
        drop(context);
        for operation in 0..operations {
            for fault in [Fault::Death, Fault::NoSpace, Fault::Broken] {
                for power_cut in [false, true] {
                    trial(seed, operation, fault, power_cut);
                    *trials.entry(format!("{fault:?}, power cut: {power_cut}")).or_insert(0) += 1;
                    total += 1;
                }
            }
        }
        seed += 1;
    }
    println!("seeds {first_seed} to {}: {total} trials, {trials:?}", seed - 1);
}
