//! A whole controller as a board runs it: the session with the box, what is decided, and what outlives a reset.
//!
//! A message of the box is accepted when what follows from it has begun: after a reboot in between it comes again, and a
//! request to open is stale then. Reports go to the session's outbox, which keeps them until the box has accepted them.
//!
//! Outbox, cursor and counters are kept as one record before a byte of what follows goes over the line. So a reset at any moment
//! loses no message, and none comes twice; a power cut loses those that the box had not accepted, and it learns of that by the new
//! stream.

use device_drivers::Moment;
use heapless::String;
use hmac::{Hmac, Mac as _};
use pos_link::{
    Controller, Event, Id, Identity, Kind, Level, News, Outbox, Session, Stamp, StreamId, Tally,
    ToController, ToHost, UpdateRefusal, Version,
};
use sha2::{Digest as _, Sha256};

use crate::retained::{Kept, LONGEST_LAST_WORDS, Memory, OUT, Retained, Store, take_last_words};
use crate::update::{NoSlot, Updates};

/// Bytes of the box's messages that wait.
const IN: usize = 512;

/// What a board knows when it has booted.
#[derive(Debug, Clone)]
pub struct Boot {
    /// Drawn by the best source of chance that the board has. The count of boots is mixed in.
    pub seed: [u8; 32],
    /// The key that the box has too.
    pub key: [u8; 32],
    /// The chip's own number.
    pub hardware: [u8; 8],
    /// What runs.
    pub firmware: Version,
    /// The watchdog was not fed.
    pub by_watchdog: bool,
}

/// What one kind of controller does, and another does not.
pub trait Behaviour {
    /// Which kind.
    const KIND: Kind;

    /// The host said this. `nonce` draws 16 random bytes. `false`: it is for another part of the firmware.
    fn handle(&mut self, said: &ToController, nonce: impl FnOnce() -> [u8; 16], now: Moment) -> bool;

    /// Nothing is heard of the host any more, or it booted anew.
    fn host_gone(&mut self);

    /// Time went by.
    fn handle_timeout(&mut self, now: Moment);

    /// The outbox has room for so many bytes of messages; each takes one more than its own.
    fn room(&mut self, _bytes: usize) {}

    /// The next report.
    fn report_due(&self) -> Option<ToHost>;

    /// The link has taken [`Behaviour::report_due`], under this name if it goes through the stream.
    fn reported(&mut self, name: Option<Id>);

    /// What is to be kept over a reset, as it is now.
    fn retained(&mut self, now: Moment) -> Retained;

    /// Whether it does something that must end at its time: nothing that takes long is begun meanwhile, and no reboot.
    fn is_busy(&self) -> bool {
        false
    }

    /// Whether its parts work, as far as it can tell: only then an update that is on trial stays.
    fn is_well(&self) -> bool {
        true
    }
}

/// A controller with its line.
#[derive(Debug)]
pub struct Unit<C, M, U = NoSlot> {
    session: Session<Controller, Outbox<OUT>, OUT, IN>,
    controller: C,
    updates: U,
    store: Store<M>,
    identity: Identity,
    /// The identity is to be told.
    introduce: bool,
    /// The counters are to be told.
    count: bool,
    /// What the boot before had to say when it came to its end.
    last_words: Option<String<LONGEST_LAST_WORDS>>,
    /// Frames that were dropped in the boots before.
    dropped: u32,
    nonces: Nonces,
    reboot: bool,
}

impl<C: Behaviour, M: Memory> Unit<C, M> {
    /// That of a boot, on a board that takes no updates. It says hello at once. `controller` makes one that goes on where the boot
    /// before was.
    pub fn new(boot: &Boot, memory: M, now: Moment, controller: impl FnOnce(Retained) -> C) -> Self {
        Self::with_updates(boot, memory, NoSlot::because(UpdateRefusal::NoRoom), now, controller)
    }
}

impl<C: Behaviour, M: Memory, U: Updates> Unit<C, M, U> {
    /// As [`Unit::new`], with what takes updates.
    pub fn with_updates(
        boot: &Boot,
        memory: M,
        updates: U,
        now: Moment,
        controller: impl FnOnce(Retained) -> C,
    ) -> Self {
        let (mut store, kept) = Store::open(memory);
        let before = kept.as_ref().map(|kept| kept.retained).unwrap_or_default();
        let retained = before.booted(boot.by_watchdog);
        let mut nonces = Nonces::new(boot.seed, retained.tally.boots);
        let [a, b, c, d, e, f, g, h, ..] = nonces.draw();
        let stream = StreamId(u32::from_le_bytes([a, b, c, d]));
        let (outbox, cursor) = match kept {
            Some(Kept { outbox, cursor, .. }) => (outbox, cursor),
            None => (Outbox::new(stream), None),
        };
        let mut fingerprint = [0; 16];
        fingerprint.iter_mut().zip(Sha256::digest(boot.key)).for_each(|(to, from)| *to = from);
        let identity =
            Identity { kind: C::KIND, hardware: boot.hardware, firmware: boot.firmware, key: fingerprint };
        let last_words = take_last_words(store.memory());
        let session = Session::new(u32::from_le_bytes([e, f, g, h]), outbox, cursor, now.as_micros());
        let mut unit = Self {
            session,
            controller: controller(retained),
            updates,
            store,
            identity,
            introduce: true,
            count: false,
            last_words,
            dropped: retained.tally.dropped,
            nonces,
            reboot: false,
        };
        unit.serve(now);
        unit
    }

    /// Bytes came over the line.
    pub fn hear(&mut self, bytes: &[u8], now: Moment) {
        self.session.handle(bytes, now.as_micros());
        self.serve(now);
    }

    /// What is decided: to tell it levels. Then comes [`Unit::handle_timeout`].
    pub fn controller(&mut self) -> &mut C {
        &mut self.controller
    }

    /// Time went by, or [`Unit::controller`] was told something. To be called often: each millisecond, say. It takes as long as one
    /// step with the flash, if an update comes in.
    pub fn handle_timeout(&mut self, now: Moment) {
        if now.as_micros() >= self.session.poll_timeout() {
            self.session.handle_timeout(now.as_micros());
        }
        self.controller.handle_timeout(now);
        self.updates.handle_timeout(now);
        if self.session.is_up() && self.controller.is_well() {
            self.updates.all_is_well();
        }
        if !self.controller.is_busy() {
            self.updates.work();
        }
        self.serve(now);
    }

    /// The next bytes for the line.
    pub fn poll_output(&mut self, now: Moment) -> Option<&[u8]> {
        self.session.poll_output(now.as_micros())
    }

    /// Whether the box wants a reboot, or an update does.
    #[must_use]
    pub fn wants_reboot(&self) -> bool {
        self.reboot || (self.updates.wants_reboot() && !self.controller.is_busy())
    }

    fn serve(&mut self, now: Moment) {
        while self.updates.has_room()
            && let Some(event) = self.session.poll_event()
        {
            match event {
                Event::Message { id, message } => {
                    self.do_what_is_said(&message, now);
                    self.session.accept(id);
                }
                Event::Skipped { id, .. } => {
                    self.session.accept(id);
                }
                Event::News(News::Gone | News::Up { rebooted: true, .. }) => self.controller.host_gone(),
                Event::News(_) | Event::Datagram(_) => {}
            }
        }
        let tally = self.retained(now).tally;
        self.say_beside_the_stream(tally, now);
        self.say_what_is_due();
        self.say_what_became_of_the_update();
        let retained = self.retained(now);
        self.store.keep(retained, self.session.cursor(), self.session.outbox());
    }

    /// One a frame: when the line has taken it, the next.
    fn say_beside_the_stream(&mut self, tally: Tally, now: Moment) {
        if self.introduce && self.session.send_datagram(&ToHost::Identity(self.identity)).is_ok() {
            self.introduce = false;
        }
        if let Some(text) = &self.last_words {
            let mut line = String::new();
            // A log's line is longer than the longest last words.
            let _ = line.push_str(text);
            let log = ToHost::Log { level: Level::Error, text: line };
            if self.session.send_datagram(&log).is_ok() {
                self.last_words = None;
            }
        }
        if self.count {
            let at = Stamp { boot: tally.boots, micros: now.as_micros() };
            self.count = self.session.send_datagram(&ToHost::Counters { at, tally }).is_err();
        }
    }

    fn say_what_is_due(&mut self) {
        loop {
            self.controller.room(self.session.outbox().room());
            let Some(report) = self.controller.report_due() else { return };
            let taken = match report {
                ToHost::Log { .. } => self.session.send_datagram(&report).map(|()| None),
                _ => self.session.send(&report).map(Some),
            };
            match taken {
                Ok(name) => self.controller.reported(name),
                Err(_) => return,
            }
        }
    }

    /// Only into a session: a controller that boots alone for years would fill its outbox with it.
    fn say_what_became_of_the_update(&mut self) {
        while self.session.is_up()
            && let Some(report) = self.updates.report_due()
            && self.session.send(&report).is_ok()
        {
            self.updates.reported();
        }
    }

    fn retained(&mut self, now: Moment) -> Retained {
        let mut retained = self.controller.retained(now);
        retained.tally.dropped = self.dropped_in_all();
        retained
    }

    fn dropped_in_all(&self) -> u32 {
        let dropped = self.session.counters().dropped;
        let now = dropped.torn.saturating_add(dropped.long).saturating_add(dropped.damaged);
        self.dropped.saturating_add(now)
    }

    fn do_what_is_said(&mut self, said: &ToController, now: Moment) {
        let Self { controller, nonces, .. } = self;
        if controller.handle(said, || nonces.draw(), now) || self.updates.handle(said) {
            return;
        }
        match said {
            ToController::AskIdentity => self.introduce = true,
            ToController::AskCounters => self.count = true,
            ToController::Reboot => self.reboot = true,
            // For the other kind of controller.
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
    /// Those of a boot.
    fn new(seed: [u8; 32], boots: u32) -> Self {
        let mut hash = Sha256::new();
        hash.update(seed);
        hash.update(boots.to_le_bytes());
        Self { seed: hash.finalize().into(), drawn: 0 }
    }

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
mod tests;
