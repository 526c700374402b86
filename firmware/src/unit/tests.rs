//! A drawer controller with its line and its retained memory, and a box at the other end.

use core::time::Duration;
use std::vec::Vec;

use embedded_hal::digital::{ErrorType, OutputPin};
use pos_link::{Alarm, Cause, Host, Outcome, Settings};

use super::*;
use crate::drawer::authority::mac;
use crate::drawer::{DrawerController, Wiring};
use crate::retained::tests::Ram;
use crate::retained::write_last_words;

/// A pin whose level nobody looks at.
#[derive(Debug)]
struct Pin;

impl ErrorType for Pin {
    type Error = core::convert::Infallible;
}

impl OutputPin for Pin {
    fn set_low(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

const KEY: [u8; 32] = [5; 32];
const MS: Duration = Duration::from_millis(1);

type Drawer = Unit<DrawerController<Pin>, Ram>;

struct Counter {
    ram: Ram,
    boots: u8,
    unit: Drawer,
    host: Session<Host, Outbox<1024>, 1024, 1024>,
    now: Moment,
    open: bool,
    accepts: bool,
    heard: Vec<ToHost>,
    /// Streams that began.
    began: u32,
}

fn boot(seed: u8) -> Boot {
    Boot {
        seed: [seed; 32],
        key: KEY,
        hardware: *b"drawer-1",
        firmware: Version { major: 0, minor: 1, patch: 0 },
        by_watchdog: false,
    }
}

fn drawer(seed: u8, ram: &Ram, now: Moment) -> Drawer {
    let make = |retained| DrawerController::new(Pin, Wiring::default(), KEY, retained, now);
    Unit::new(&boot(seed), ram.clone(), now, make)
}

impl Counter {
    fn new() -> Self {
        let now = Moment::from_micros(1_000);
        let ram = Ram::woken(0xa5);
        let unit = drawer(1, &ram, now);
        let host = Session::new(77, Outbox::new(StreamId(7)), None, now.as_micros());
        Self { ram, boots: 1, unit, host, now, open: false, accepts: true, heard: Vec::new(), began: 0 }
    }

    fn wait(&mut self, ms: u32) {
        for _ in 0..ms {
            self.now += MS;
            let (now, micros) = (self.now, self.now.as_micros());
            self.unit.controller().switch(!self.open, now);
            self.unit.handle_timeout(now);
            self.host.handle_timeout(micros);
            while let Some(bytes) = self.unit.poll_output(now) {
                self.host.handle(bytes, micros);
            }
            while let Some(bytes) = self.host.poll_output(micros) {
                self.unit.hear(bytes, now);
            }
            while let Some(event) = self.host.poll_event() {
                match event {
                    Event::Message { id, message } => {
                        self.heard.push(message);
                        if self.accepts {
                            self.host.accept(id);
                        }
                    }
                    Event::Datagram(message) => self.heard.push(message),
                    Event::News(News::StreamBegan { .. }) => self.began += 1,
                    Event::Skipped { .. } | Event::News(_) => {}
                }
            }
        }
    }

    /// The controller boots anew; the box goes on.
    fn reset(&mut self) {
        self.boots += 1;
        self.unit = drawer(self.boots, &self.ram, self.now);
    }

    fn ask(&mut self, request: u32) -> ToController {
        self.host.send(&ToController::AskChallenge).unwrap();
        self.wait(50);
        let nonce = self.heard.iter().rev().find_map(|message| match message {
            ToHost::Challenge { nonce } => Some(*nonce),
            _ => None,
        });
        let mac = mac(&KEY, &nonce.expect("a challenge"), request, 150);
        ToController::OpenDrawer { request, pulse_ms: 150, mac }
    }

    fn outcome(&self) -> Option<Outcome> {
        self.heard.iter().rev().find_map(|message| match message {
            ToHost::OpenOutcome { outcome, .. } => Some(*outcome),
            _ => None,
        })
    }
}

#[test]
fn a_box_and_a_controller_come_to_an_opened_drawer() {
    let mut counter = Counter::new();
    counter.wait(500);
    assert!(matches!(counter.heard[0], ToHost::Identity(identity) if identity.hardware == *b"drawer-1"));
    assert!(matches!(counter.heard[1], ToHost::DrawerClosed { open_ms: 0, .. }));
    let said = counter.ask(1);
    counter.host.send(&said).unwrap();
    counter.wait(60);
    counter.open = true;
    counter.wait(100);
    assert_eq!(counter.outcome(), Some(Outcome::Opened));
    let opened = |message: &ToHost| matches!(message, ToHost::DrawerOpened { cause: Cause::Command, .. });
    assert_eq!(counter.heard.iter().filter(|message| opened(message)).count(), 1);
    counter.host.send(&ToController::AskIdentity).unwrap();
    counter.host.send(&ToController::Reboot).unwrap();
    counter.wait(50);
    let identities = counter.heard.iter().filter(|message| matches!(message, ToHost::Identity(_))).count();
    assert!(identities == 2 && counter.unit.wants_reboot());
}

#[test]
fn what_happens_while_the_box_is_away_is_told_when_it_is_back() {
    let mut counter = Counter::new();
    counter.wait(500);
    let said = counter.ask(1);
    // The cable is out: only the controller goes on.
    for ms in 0..5_000 {
        counter.now += MS;
        counter.unit.controller().switch(ms < 1_000, counter.now);
        counter.unit.handle_timeout(counter.now);
        while counter.unit.poll_output(counter.now).is_some() {}
    }
    counter.open = true;
    counter.heard.clear();
    counter.host.send(&said).unwrap();
    counter.wait(5_000);
    let forced = |message: &ToHost| {
        matches!(message, ToHost::Alarm { alarm: Alarm::OpenedWithoutCommand, on: true, .. })
    };
    assert_eq!(counter.heard.iter().filter(|message| forced(message)).count(), 1, "{:?}", counter.heard);
    assert_eq!(counter.outcome(), Some(Outcome::StaleChallenge), "it was for a moment that is over");
}

#[test]
fn a_box_that_accepts_nothing_yet_hears_who_is_there_and_what_time_it_has() {
    let mut counter = Counter::new();
    // Until the outbox is full of what the box does not accept.
    counter.accepts = false;
    for _ in 0..200 {
        counter.open = !counter.open;
        counter.wait(100);
    }
    counter.heard.clear();
    counter.host.send(&ToController::AskIdentity).unwrap();
    counter.host.send(&ToController::AskCounters).unwrap();
    let asked = counter.now.as_micros();
    counter.wait(500);
    assert!(counter.heard.iter().any(|message| matches!(message, ToHost::Identity(_))));
    let told = counter.heard.iter().find_map(|message| match message {
        ToHost::Counters { at, .. } => Some(at.micros),
        _ => None,
    });
    assert!(told.is_some_and(|at| at >= asked));
}

#[test]
fn another_boot_draws_other_numbers() {
    let (mut one, mut other) = (Nonces::new([1; 32], 1), Nonces::new([1; 32], 2));
    let drawn: std::collections::BTreeSet<_> = (0..100).flat_map(|_| [one.draw(), other.draw()]).collect();
    assert_eq!(drawn.len(), 200);
}

#[test]
fn a_reset_loses_nothing_that_waits() {
    let mut counter = Counter::new();
    counter.wait(500);
    counter.heard.clear();
    // The cable is out; the drawer is forced, and then the controller is reset, often.
    for ms in 0..2_000 {
        counter.now += MS;
        counter.unit.controller().switch(ms < 1_000, counter.now);
        counter.unit.handle_timeout(counter.now);
        while counter.unit.poll_output(counter.now).is_some() {}
    }
    counter.open = true;
    (0..5).for_each(|_| counter.reset());
    counter.wait(5_000);
    let count = |wanted: fn(&ToHost) -> bool| counter.heard.iter().filter(|message| wanted(message)).count();
    let forced = |message: &ToHost| matches!(message, ToHost::Alarm { at, alarm: Alarm::OpenedWithoutCommand, on: true } if at.boot == 1);
    assert_eq!(count(forced), 1, "{:?}", counter.heard);
    assert_eq!(count(|message| matches!(message, ToHost::Identity(_))), 1, "{:?}", counter.heard);
    assert_eq!(counter.began, 1, "it is one stream");
}

#[test]
fn after_a_power_cut_the_box_knows_that_something_may_be_lost() {
    let mut counter = Counter::new();
    counter.wait(500);
    assert_eq!(counter.began, 1);
    counter.ram = Ram::woken(0x5a);
    counter.reset();
    counter.wait(5_000);
    assert_eq!(counter.began, 2);
    counter.host.send(&ToController::AskCounters).unwrap();
    counter.wait(50);
    assert!(matches!(counter.heard.last(), Some(ToHost::Counters { tally, .. }) if tally.boots == 1));
}

#[test]
fn settings_and_counters_outlive_a_reset_and_last_words_are_told_after_it() {
    let mut counter = Counter::new();
    counter.wait(500);
    let settings = Settings { open_too_long_s: 10, pulse_cap_ms: 90, ..Settings::default() };
    counter.host.send(&ToController::Configure(settings)).unwrap();
    counter.wait(50);
    // What is no frame is dropped, and counted.
    counter.unit.hear(&[0, 1, 2, 3, 4, 5, 6, 7, 0], counter.now);
    write_last_words(&mut counter.ram, format_args!("panic at {}:{}", "src/chip.rs", 7));
    counter.reset();
    counter.open = true;
    counter.wait(15_000);
    let warned =
        |message: &ToHost| matches!(message, ToHost::Alarm { alarm: Alarm::OpenTooLong, on: true, .. });
    assert!(counter.heard.iter().any(warned), "{:?}", counter.heard);
    let logs =
        |message: &ToHost| matches!(message, ToHost::Log { text, .. } if text == "panic at src/chip.rs:7");
    assert_eq!(counter.heard.iter().filter(|message| logs(message)).count(), 1);
    counter.host.send(&ToController::AskCounters).unwrap();
    counter.wait(50);
    let Some(ToHost::Counters { tally, .. }) = counter.heard.last() else { panic!("{:?}", counter.heard) };
    assert_eq!((tally.boots, tally.dropped), (2, 1));
}

#[test]
fn a_board_without_a_second_slot_says_so() {
    let mut counter = Counter::new();
    counter.wait(500);
    counter.heard.clear();
    let version = Version { major: 9, minor: 0, patch: 0 };
    let begin = ToController::UpdateBegin { length: 1_000, version, fingerprint: None };
    for said in [begin, ToController::UpdateEnd, ToController::AskChallenge] {
        counter.host.send(&said).unwrap();
        counter.wait(50);
    }
    let refused = ToHost::UpdateRefused { reason: UpdateRefusal::NoRoom, stored: 0 };
    assert_eq!(counter.heard[..2], [refused.clone(), refused]);
    assert!(matches!(counter.heard[2..], [ToHost::Challenge { .. }]), "{:?}", counter.heard);
}
