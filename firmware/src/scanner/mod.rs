//! The scanner controller: what it reads, what it tells the host, and what it lets the cashier see and hear.
//!
//! ```text
//!  front end ──code──> wanted? ──> seen just now? ──> room in the outbox? ──> Scan, in parts ──> waiting light
//!                        │ no: nothing  │ yes: a repeat    │ no: the signal for full          │
//!                                                                     ScanAccepted: good ─────┤
//!                                                                     ScanRefused: refused ───┘
//! ```
//!
//! What always holds:
//!
//! - The good signal is the daemon's word only. Until it comes, or the refusal, the waiting light is on.
//! - A code that is taken is in the outbox, all its parts at once, before the next one is looked at. What finds no room there is not taken,
//!   and that is signalled; nothing that was taken is dropped for it.
//! - The same code is told again only when it was out of sight for as long as the settings say.

mod engine;
mod front;
mod recent;
mod runs;
mod sensor;
mod signals;

pub use engine::Engine;
pub use front::{Both, FrontEnd, OneOf, Seen, Wanted};
pub use runs::{RunReader, write_run};
pub use sensor::Sensor;
pub use signals::Lights;

use core::time::Duration;

use device_drivers::{MAX_SCAN, Moment};
use heapless::Vec;
use pos_link::{Id, Kind, Settings, Stamp, ToController, ToHost};

use crate::retained::{OUT, Retained};
use crate::unit::Behaviour;
use recent::Recent;
use signals::{Signal, Signals};

/// Until the host says something else: the same code within this time is the same scan.
const DOUBLE_READ: Duration = Duration::from_millis(500);
/// Codes in sight at once.
const IN_SIGHT: usize = 8;
/// A part of a scan takes so many bytes of the outbox beside its data: its length, its number, stamp, symbology, whether more comes, count.
const PART: usize = 18;
/// Bytes that the longest scan takes in the outbox.
const LONGEST: usize = MAX_SCAN + MAX_SCAN.div_ceil(ToHost::LONGEST_SCAN) * PART;

/// When the scanner looks for codes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Trigger {
    /// While its trigger is pulled, until it has read one.
    #[default]
    Pulled,
    /// Always: articles are shown to it.
    Always,
}

/// A scanner controller with its front end. The board tells it what that sees, and the trigger; it lets the pins do what
/// [`ScannerController::aims`], [`ScannerController::tone`] and [`ScannerController::lights`] say.
#[derive(Debug)]
pub struct ScannerController<F> {
    front: F,
    desk: Desk,
}

/// All but the front end.
#[derive(Debug)]
struct Desk {
    retained: Retained,
    wanted: Wanted,
    double_read: Duration,
    trigger: Trigger,
    pulled: bool,
    /// Something was read since the trigger was pulled.
    has_read: bool,
    in_sight: Recent<IN_SIGHT>,
    /// Codes for which there was no room: a label that stays in sight is signalled once.
    had_no_room: Recent<1>,
    /// Bytes that the outbox has room for.
    room: usize,
    taken: Option<Taken>,
    /// The last scan of this boot that the host has not judged.
    waiting: Option<Id>,
    /// Whether the outbox has held something ever since the boot: then scans of the boot before wait. `None`: not known yet.
    waited: Option<bool>,
    signals: Signals,
}

/// A scan on its way into the outbox.
#[derive(Debug)]
struct Taken {
    at: Stamp,
    symbology: [u8; 2],
    data: Vec<u8, MAX_SCAN>,
    /// So many bytes of it are there.
    told: usize,
}

impl Taken {
    /// The next part of the data, and whether more comes.
    fn part(&self) -> (&[u8], bool) {
        let rest = self.data.get(self.told..).unwrap_or_default();
        let part = rest.get(..ToHost::LONGEST_SCAN).unwrap_or(rest);
        (part, part.len() < rest.len())
    }
}

impl<F: FrontEnd> ScannerController<F> {
    /// That of a boot. `retained` is what [`Unit::new`](crate::Unit::new) hands in.
    pub fn new(front: F, trigger: Trigger, retained: Retained) -> Self {
        let desk = Desk {
            retained,
            wanted: Wanted::ALL,
            double_read: DOUBLE_READ,
            trigger,
            pulled: false,
            has_read: false,
            in_sight: Recent::default(),
            had_no_room: Recent::default(),
            room: 0,
            taken: None,
            waiting: None,
            waited: None,
            signals: Signals::default(),
        };
        let mut controller = Self { front, desk };
        if let Some(settings) = retained.settings {
            controller.work_by(settings);
        }
        controller
    }

    /// Whether it may be told what is seen: not while a scan is on its way into the outbox, which
    /// [`Unit::handle_timeout`](crate::Unit::handle_timeout) brings there.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.desk.taken.is_none()
    }

    /// The front end saw this.
    pub fn see(&mut self, sight: F::Sight, now: Moment) {
        if let Some(seen) = self.front.handle(sight, now) {
            self.desk.take(seen, now);
        }
    }

    /// The trigger is pulled, or not.
    pub fn trigger(&mut self, pulled: bool, now: Moment) {
        let desk = &mut self.desk;
        if pulled && !desk.pulled {
            desk.has_read = false;
            if desk.is_full() {
                desk.signals.give(Signal::Full, now);
            }
        }
        desk.pulled = pulled;
    }

    /// Whether the front end is to light up and look.
    #[must_use]
    pub fn aims(&self) -> bool {
        let desk = &self.desk;
        let looks = match desk.trigger {
            Trigger::Pulled => desk.pulled && !desk.has_read,
            Trigger::Always => true,
        };
        looks && !desk.is_full()
    }

    /// What the beeper sounds now, hertz.
    #[must_use]
    pub fn tone(&self, now: Moment) -> Option<u16> {
        self.desk.signals.tone(now)
    }

    /// Which lights are on now.
    #[must_use]
    pub fn lights(&self, now: Moment) -> Lights {
        let Desk { signals, waiting, taken, waited, .. } = &self.desk;
        let lights = signals.lights(now);
        Lights {
            red: lights.red || self.desk.is_full(),
            waiting: *waited == Some(true) || waiting.is_some() || taken.is_some(),
            ..lights
        }
    }

    fn work_by(&mut self, settings: Settings) {
        self.desk.retained.settings = Some(settings);
        self.desk.wanted = Wanted(settings.symbologies);
        self.desk.double_read = Duration::from_millis(settings.double_read_ms.into());
        self.front.select(self.desk.wanted);
    }
}

impl Desk {
    fn is_full(&self) -> bool {
        self.room < LONGEST
    }

    fn take(&mut self, seen: Seen<'_>, now: Moment) {
        if seen.data.is_empty() || !self.wanted.has(&seen) {
            return;
        }
        let tally = &mut self.retained.tally;
        if self.in_sight.has(&seen, self.double_read, now) {
            tally.repeats = tally.repeats.saturating_add(1);
            return;
        }
        let data = Vec::from_slice(seen.data).ok().filter(|_| self.taken.is_none() && self.room >= LONGEST);
        let Some(data) = data else {
            if !self.had_no_room.note(&seen, self.double_read, now) {
                tally.scans_full = tally.scans_full.saturating_add(1);
                self.signals.give(Signal::Full, now);
            }
            return;
        };
        self.in_sight.note(&seen, self.double_read, now);
        tally.scans = tally.scans.saturating_add(1);
        self.has_read = true;
        let at = Stamp { boot: tally.boots, micros: now.as_micros() };
        self.taken = Some(Taken { at, symbology: seen.symbology, data, told: 0 });
    }

    /// The host judged this scan, and all before it.
    fn judged(&mut self, scan: Id) {
        self.waiting.take_if(|waiting| waiting.stream != scan.stream || waiting.number <= scan.number);
    }
}

impl<F: FrontEnd> Behaviour for ScannerController<F> {
    const KIND: Kind = Kind::Scanner;

    fn handle(&mut self, said: &ToController, _: impl FnOnce() -> [u8; 16], now: Moment) -> bool {
        let desk = &mut self.desk;
        match said {
            ToController::ScanAccepted { scan } => {
                desk.judged(*scan);
                desk.signals.give(Signal::Good, now);
            }
            ToController::ScanRefused { scan, .. } => {
                desk.judged(*scan);
                let tally = &mut desk.retained.tally;
                tally.scans_refused = tally.scans_refused.saturating_add(1);
                desk.signals.give(Signal::Refused, now);
            }
            ToController::Configure(settings) => self.work_by(*settings),
            ToController::Signal { beep_ms, tone_hz, lights, light_ms } => {
                desk.signals.beep(*beep_ms, *tone_hz, now);
                desk.signals.light(*lights, *light_ms, now);
            }
            _ => return false,
        }
        true
    }

    /// What waits is judged when the host is back.
    fn host_gone(&mut self) {}

    fn handle_timeout(&mut self, now: Moment) {
        if self.desk.taken.is_none()
            && let Some(seen) = self.front.handle_timeout(now)
        {
            self.desk.take(seen, now);
        }
    }

    fn room(&mut self, bytes: usize) {
        self.desk.room = bytes;
        self.desk.waited = Some(self.desk.waited.unwrap_or(true) && bytes < OUT);
    }

    fn report_due(&self) -> Option<ToHost> {
        let taken = self.desk.taken.as_ref()?;
        let (part, more) = taken.part();
        let data = Vec::from_slice(part).ok()?;
        Some(ToHost::Scan { at: taken.at, symbology: taken.symbology, more, data })
    }

    fn reported(&mut self, name: Option<Id>) {
        let desk = &mut self.desk;
        let Some(taken) = &mut desk.taken else { return };
        let (part, more) = taken.part();
        taken.told = taken.told.saturating_add(part.len());
        if !more {
            desk.taken = None;
            desk.waiting = name;
        }
    }

    fn retained(&mut self, _: Moment) -> Retained {
        self.desk.retained
    }
}

#[cfg(test)]
mod tests;
