//! A controller that is reset at any moment, also while it writes what is to outlive that: what it has taken is told once, in order.
//!
//! `TILLBOX_RESETS=100000` makes it a campaign, `TILLBOX_SEED` repeats a run.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "these are tests")]

#[path = "../link/tests/pair/random.rs"]
mod random;

use std::cell::RefCell;
use std::rc::Rc;

use device_drivers::Moment;
use firmware::{Behaviour, Boot, Memory, Place, Retained, Unit};
use pos_link::{
    Event, Host, Id, Kind, News, Outbox, Outcome, Session, Stamp, StreamId, ToController, ToHost, Version,
};
use random::Random;

/// Memory that all boots share.
#[derive(Clone)]
struct Ram(Rc<RefCell<Bytes>>);

struct Bytes {
    places: [[u8; Place::LEN]; 3],
    /// So many bytes are written until the reset comes.
    left: usize,
}

impl Memory for Ram {
    fn read(&self, place: Place, from: usize, into: &mut [u8]) {
        into.copy_from_slice(&self.0.borrow().places[place as usize][from..][..into.len()]);
    }

    fn write(&mut self, place: Place, from: usize, bytes: &[u8]) {
        let mut ram = self.0.borrow_mut();
        let written = bytes.len().min(ram.left);
        ram.left -= written;
        ram.places[place as usize][from..][..written].copy_from_slice(&bytes[..written]);
    }
}

/// A controller that counts what happens, and tells each.
struct Counts {
    retained: Retained,
    happened: Option<u32>,
}

impl Behaviour for Counts {
    const KIND: Kind = Kind::Drawer;

    fn handle(&mut self, _: &ToController, _: impl FnOnce() -> [u8; 16], _: Moment) -> bool {
        false
    }

    fn host_gone(&mut self) {}

    fn handle_timeout(&mut self, _: Moment) {}

    fn report_due(&self) -> Option<ToHost> {
        let at = Stamp::default();
        Some(ToHost::OpenOutcome { at, request: self.happened?, outcome: Outcome::Opened })
    }

    fn reported(&mut self, _: Option<Id>) {
        self.happened = None;
    }

    fn retained(&mut self, _: Moment) -> Retained {
        self.retained
    }
}

fn boot(ram: &Ram, random: &mut Random, now: u64) -> Unit<Counts, Ram> {
    let mut seed = [0; 32];
    seed.iter_mut().for_each(|byte| *byte = random.below(256) as u8);
    let version = Version { major: 0, minor: 1, patch: 0 };
    let boot = Boot { seed, key: [0; 32], hardware: [0; 8], firmware: version, by_watchdog: true };
    Unit::new(&boot, ram.clone(), Moment::from_micros(now), |retained| Counts { retained, happened: None })
}

#[test]
fn what_was_taken_is_told_once_and_in_order_whatever_is_reset() {
    let resets = std::env::var("TILLBOX_RESETS").map_or(300, |resets| resets.parse().unwrap());
    let mut random = Random::new();
    let ram = Ram(Rc::new(RefCell::new(Bytes { places: [[0xa5; Place::LEN]; 3], left: usize::MAX })));
    let mut now = 0;
    let mut unit = boot(&ram, &mut random, now);
    let mut host = Session::<Host, _, 1024, 1024>::new(1, Outbox::new(StreamId(1)), None, now);
    let (mut heard, mut taken, mut next, mut began) = (Vec::new(), Vec::new(), 0, 0);
    let (mut done, mut last_reset) = (0, 0);
    // After the last one, as long as the link may need.
    while done < resets || now < last_reset + 30_000_000 {
        now += 1_000;
        let at = Moment::from_micros(now);
        if done < resets && random.permille(20) {
            // Soon, at any byte of what is written then.
            ram.0.borrow_mut().left = random.below(2 * Place::LEN as u64) as usize;
        }
        let happens = done < resets && random.permille(100);
        if happens && unit.controller().happened.is_none() {
            unit.controller().happened = Some(next);
            next += 1;
        }
        let told = unit.controller().happened;
        unit.handle_timeout(at);
        let awake = |ram: &Ram| ram.0.borrow().left > 0;
        if awake(&ram) {
            taken.extend(told.filter(|_| unit.controller().happened.is_none()));
            // The cable is out for some of the time.
            let plugged = now / 3_000_000 % 2 == 0 || done >= resets;
            while let Some(bytes) = unit.poll_output(at).filter(|_| plugged) {
                host.handle(bytes, now);
            }
            host.handle_timeout(now);
            while let Some(bytes) = host.poll_output(now).filter(|_| plugged && awake(&ram)) {
                unit.hear(bytes, at);
            }
            while let Some(event) = host.poll_event() {
                match event {
                    Event::Message { id, message } => {
                        if let ToHost::OpenOutcome { request, .. } = message {
                            heard.push(request);
                        }
                        host.accept(id);
                    }
                    Event::News(News::StreamBegan { .. }) => began += 1,
                    _ => {}
                }
            }
        }
        if !awake(&ram) {
            ram.0.borrow_mut().left = usize::MAX;
            unit = boot(&ram, &mut random, now);
            (done, last_reset) = (done + 1, now);
        }
    }
    assert!(heard.is_sorted_by(|one, other| one < other), "none twice, none out of turn");
    let lost: Vec<_> = taken.iter().filter(|event| heard.binary_search(event).is_err()).collect();
    assert!(lost.is_empty(), "{lost:?} of {} are lost", taken.len());
    assert_eq!(began, 1, "it is one stream");
    println!("{done} resets, {} of {next} taken, {} told", taken.len(), heard.len());
}
