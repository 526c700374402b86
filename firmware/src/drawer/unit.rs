//! The whole drawer controller as a board runs it: the session with the box, and what is decided.
//!
//! A message of the box is accepted when what follows from it has begun: after a reboot in between it comes again, and a
//! request to open is stale then. Reports go to the session's outbox, which keeps them until the box has accepted them.

use device_drivers::Moment;
use embedded_hal::digital::OutputPin;
use hmac::{Hmac, Mac as _};
use pos_link::{
    Controller, Cursor, Event, Identity, Kind, News, Outbox, Session, Stamp, StreamId, ToController, ToHost,
    Version,
};
use sha2::{Digest as _, Sha256};

use super::{DrawerController, Wiring};
use crate::retained::Retained;

/// Bytes of reports that wait for the box.
const OUT: usize = 1024;
/// Bytes of the box's messages that wait.
const IN: usize = 512;

/// What a board knows when it has booted.
#[derive(Debug, Clone)]
pub struct Boot {
    /// Drawn by the best source of chance that the board has; never the same again.
    pub seed: [u8; 32],
    /// The key that the box has too.
    pub key: [u8; 32],
    /// The chip's own number.
    pub hardware: [u8; 8],
    /// What runs.
    pub firmware: Version,
    /// What the reset left.
    pub retained: Retained,
    /// How the drawer hangs on the board.
    pub wiring: Wiring,
}

/// A drawer controller with its line.
#[derive(Debug)]
pub struct DrawerUnit<P: OutputPin> {
    session: Session<Controller, Outbox<OUT>, OUT, IN>,
    controller: DrawerController<P>,
    identity: Identity,
    /// The identity is to be told.
    introduce: bool,
    /// The counters are to be told.
    count: bool,
    nonces: Nonces,
    reboot: bool,
}

impl<P: OutputPin> DrawerUnit<P> {
    /// That of a boot. It says hello at once. `cursor` is what the board kept of [`DrawerUnit::cursor`], if anything.
    pub fn new(pin: P, boot: &Boot, cursor: Option<Cursor>, now: Moment) -> Self {
        let mut nonces = Nonces { seed: boot.seed, drawn: 0 };
        let [a, b, c, d, e, f, g, h, ..] = nonces.draw();
        let outbox = Outbox::new(StreamId(u32::from_le_bytes([a, b, c, d])));
        let session = Session::new(u32::from_le_bytes([e, f, g, h]), outbox, cursor, now.as_micros());
        let mut fingerprint = [0; 16];
        fingerprint.iter_mut().zip(Sha256::digest(boot.key)).for_each(|(to, from)| *to = from);
        let identity = Identity {
            kind: Kind::Drawer,
            hardware: boot.hardware,
            firmware: boot.firmware,
            key: fingerprint,
        };
        let controller = DrawerController::new(pin, boot.wiring, boot.key, boot.retained, now);
        let mut unit =
            Self { session, controller, identity, introduce: true, count: false, nonces, reboot: false };
        unit.serve(now);
        unit
    }

    /// Bytes came over the line.
    pub fn hear(&mut self, bytes: &[u8], now: Moment) {
        self.session.handle(bytes, now.as_micros());
        self.serve(now);
    }

    /// What is decided: to tell it levels.
    pub fn controller(&mut self) -> &mut DrawerController<P> {
        &mut self.controller
    }

    /// Time went by, or [`DrawerUnit::controller`] was told something. To be called often: each millisecond, say.
    pub fn handle_timeout(&mut self, now: Moment) {
        if now.as_micros() >= self.session.poll_timeout() {
            self.session.handle_timeout(now.as_micros());
        }
        self.controller.handle_timeout(now);
        self.serve(now);
    }

    /// The next bytes for the line.
    pub fn poll_output(&mut self, now: Moment) -> Option<&[u8]> {
        self.session.poll_output(now.as_micros())
    }

    /// Whether the box wants a reboot.
    #[must_use]
    pub fn wants_reboot(&self) -> bool {
        self.reboot
    }

    /// What is to be kept over a reset, as it is now; with it, [`DrawerUnit::cursor`].
    pub fn retained(&mut self, now: Moment) -> Retained {
        self.controller.retained(now)
    }

    /// How far the box's messages were accepted.
    #[must_use]
    pub fn cursor(&self) -> Option<Cursor> {
        self.session.cursor()
    }

    fn serve(&mut self, now: Moment) {
        while let Some(event) = self.session.poll_event() {
            match event {
                Event::Message { id, message } => {
                    self.do_what_is_said(&message, now);
                    self.session.accept(id);
                }
                Event::Skipped { id, .. } => {
                    self.session.accept(id);
                }
                Event::News(News::Gone) => self.controller.host_gone(),
                Event::News(News::Up { rebooted: true, .. }) => self.controller.host_gone(),
                Event::News(_) | Event::Datagram(_) => {}
            }
        }
        if self.introduce && self.session.send_datagram(&ToHost::Identity(self.identity)).is_ok() {
            self.introduce = false;
        }
        if self.count {
            let tally = self.controller.retained(now).tally;
            let at = Stamp { boot: tally.boots, micros: now.as_micros() };
            self.count = self.session.send_datagram(&ToHost::Counters { at, tally }).is_err();
        }
        while let Some(report) = self.controller.report_due() {
            let taken = match report {
                log @ ToHost::Log { .. } => self.session.send_datagram(log),
                report => self.session.send(report).map(|_| ()),
            };
            if taken.is_err() {
                break;
            }
            self.controller.reported();
        }
    }

    fn do_what_is_said(&mut self, said: &ToController, now: Moment) {
        let Self { controller, nonces, .. } = self;
        if controller.handle(said, || nonces.draw(), now) {
            return;
        }
        match said {
            ToController::AskIdentity => self.introduce = true,
            ToController::AskCounters => self.count = true,
            ToController::Reboot => self.reboot = true,
            // For a scanner, or for who takes updates.
            _ => {}
        }
    }
}

/// Numbers that nobody guesses who does not know the seed.
#[derive(Debug)]
struct Nonces {
    seed: [u8; 32],
    drawn: u64,
}

impl Nonces {
    fn draw(&mut self) -> [u8; 16] {
        self.drawn = self.drawn.wrapping_add(1);
        let mut nonce = [0; 16];
        if let Ok(mut code) = Hmac::<Sha256>::new_from_slice(&self.seed) {
            code.update(&self.drawn.to_le_bytes());
            nonce.iter_mut().zip(code.finalize().into_bytes()).for_each(|(to, from)| *to = from);
        }
        nonce
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;
    use std::vec::Vec;

    use embedded_hal::digital::ErrorType;
    use pos_link::{Alarm, Cause, Host, Outcome};

    use super::*;
    use crate::drawer::authority::mac;

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

    struct Counter {
        unit: DrawerUnit<Pin>,
        host: Session<Host, Outbox<1024>, 1024, 1024>,
        now: Moment,
        open: bool,
        accepts: bool,
        heard: Vec<ToHost>,
    }

    fn boot(seed: u8) -> Boot {
        Boot {
            seed: [seed; 32],
            key: KEY,
            hardware: *b"drawer-1",
            firmware: Version { major: 0, minor: 1, patch: 0 },
            retained: Retained::default(),
            wiring: Wiring::default(),
        }
    }

    impl Counter {
        fn new() -> Self {
            let now = Moment::from_micros(1_000);
            let unit = DrawerUnit::new(Pin, &boot(1), None, now);
            let host = Session::new(77, Outbox::new(StreamId(7)), None, now.as_micros());
            Self { unit, host, now, open: false, accepts: true, heard: Vec::new() }
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
                        _ => {}
                    }
                }
            }
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
        assert!(matches!(counter.heard[1], ToHost::DrawerClosed { open_ms: 0, .. }));
        assert!(matches!(counter.heard[0], ToHost::Identity(identity) if identity.hardware == *b"drawer-1"));
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
        let identities =
            counter.heard.iter().filter(|message| matches!(message, ToHost::Identity(_))).count();
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
        let (mut one, mut other) = (Nonces { seed: [1; 32], drawn: 0 }, Nonces { seed: [2; 32], drawn: 0 });
        let drawn: std::collections::BTreeSet<_> =
            (0..100).flat_map(|_| [one.draw(), other.draw()]).collect();
        assert_eq!(drawn.len(), 200);
    }
}
