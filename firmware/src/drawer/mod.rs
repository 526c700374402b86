//! The drawer controller: opens on the box's word alone, watches the drawer, and tells everything.
//!
//! ```text
//!  AskChallenge ──> Challenge ──> OpenDrawer ──authentic, fresh──> pulse ──switch──> OpenOutcome
//!                                     │ stale, forged, too often, supply low, open already
//!                                     └──> OpenOutcome, and no pulse
//!  switch, key, case, supply ──stayed──> DrawerOpened, DrawerClosed, Alarm; with the controller's own time
//! ```
//!
//! What always holds, whatever the host says:
//!
//! - A pulse is never longer than the wiring's cap and the lowest cap that the host ever set, and there is a rest after each, and
//!   no more than [`MOST_PER_MINUTE`](super::MOST_PER_MINUTE) of them in a minute, resets or not.
//! - No pulse without an answer to the challenge that is out, which is good once and for seconds.
//! - A reset, a host that is gone, or a supply that is too low begin no pulse. What has been reported waits until the host has
//!   accepted it; it is the link's affair to bring it there once.

pub(super) mod authority;
pub(super) mod budget;

use core::time::Duration;

use device_drivers::{Coil, DrawerEvent, DrawerWatch, Moment, Pulse, Sensing};
use embedded_hal::digital::OutputPin;
use heapless::{Deque, String};
use pos_link::{Alarm, Cause, Id, Kind, Level, Outcome, Settings, Stamp, ToController, ToHost};

use crate::contact::Contact;
use crate::retained::Retained;
use crate::unit::Behaviour;
use authority::Authority;
use budget::Budget;

/// Reports that wait for room in the link. More are not kept, and that is said.
const MOST_WAITING: usize = 24;
/// How long the switch may take to tell that the drawer opened, after the pulse.
const TELLS_WITHIN: Duration = Duration::from_secs(1);
/// How long after its key was turned an opening is the key's.
const KEY_GRACE: Duration = Duration::from_secs(5);
/// The warning that the drawer is open for too long: so long a beep each second.
const WARNING: Duration = Duration::from_millis(200);
const SECOND: Duration = Duration::from_secs(1);
/// No beep that the host asks for is longer.
const LONGEST_BEEP: Duration = Duration::from_secs(5);

/// How the drawer hangs on the board.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wiring {
    /// The solenoid; [`Pulse::on`] is the cap.
    pub pulse: Pulse,
    /// The switch.
    pub sensing: Sensing,
}

/// A drawer controller. The board tells it levels, messages and the time, and takes its reports to the link.
#[derive(Debug)]
pub struct DrawerController<P: OutputPin> {
    coil: Coil<P>,
    cap: Duration,
    budget: Budget,
    authority: Authority,
    watch: DrawerWatch,
    key: Contact,
    key_turned: Option<Moment>,
    case: Contact,
    supply: Contact,
    retained: Retained,
    /// `None`: the host wants no warning.
    too_long: Option<Duration>,
    opened: Option<Moment>,
    /// Since when it is open for too long.
    warning: Option<Moment>,
    /// It was opened without a command, and is open still.
    forced: bool,
    on: On,
    asked: Option<Asked>,
    beep_ends: Option<Moment>,
    reports: Deque<ToHost, MOST_WAITING>,
    missed: u32,
}

/// The alarms of contacts that are on.
#[derive(Debug, Default)]
struct On {
    key: bool,
    case: bool,
    supply: bool,
}

/// A request whose pulse was given, and whose outcome the switch will tell.
#[derive(Debug, Clone, Copy)]
struct Asked {
    request: u32,
    until: Moment,
}

impl<P: OutputPin> DrawerController<P> {
    /// That of a boot: lets the solenoid's pin go. `key` is shared with the box; `retained` is
    /// what [`Unit::new`](crate::Unit::new) hands in.
    pub fn new(pin: P, wiring: Wiring, key: [u8; 32], retained: Retained, now: Moment) -> Self {
        let Wiring { pulse, sensing } = wiring;
        let mut controller = Self {
            coil: Coil::new(pin, pulse),
            cap: pulse.on(),
            budget: Budget::new(pulse, retained.recent_pulses, now),
            authority: Authority::new(key),
            watch: DrawerWatch::new(sensing),
            key: Contact::default(),
            key_turned: None,
            case: Contact::default(),
            supply: Contact::default(),
            retained,
            too_long: None,
            opened: None,
            warning: None,
            forced: false,
            on: On::default(),
            asked: None,
            beep_ends: None,
            reports: Deque::new(),
            missed: 0,
        };
        controller.lower_cap(retained.pulse_cap_ms);
        if let Some(settings) = retained.settings {
            controller.work_by(settings);
        }
        controller
    }

    fn work_by(&mut self, settings: Settings) {
        self.retained.settings = Some(settings);
        let seconds = Duration::from_secs(settings.open_too_long_s.into());
        self.too_long = (!seconds.is_zero()).then_some(seconds);
        self.lower_cap(settings.pulse_cap_ms);
    }

    fn lower_cap(&mut self, cap_ms: u16) {
        let cap = Duration::from_millis(cap_ms.into());
        if !cap.is_zero() && cap < self.cap {
            self.cap = cap;
            self.retained.pulse_cap_ms = cap_ms;
        }
    }

    fn open(&mut self, request: u32, pulse_ms: u16, now: Moment) -> Result<(), Outcome> {
        if self.supply.level() == Some(true) {
            return Err(Outcome::Undervoltage);
        }
        if self.watch.is_open() == Some(true) {
            return Err(Outcome::WasOpen);
        }
        self.budget.begin(now).map_err(|_| Outcome::TooOften)?;
        let on = Duration::from_millis(pulse_ms.into()).min(self.cap);
        self.watch.commanded(now);
        self.retained.tally.pulses = self.retained.tally.pulses.saturating_add(1);
        self.coil.pull_for(on, now).map_err(|_| Outcome::DidNotOpen)?;
        if let Some(before) = self.asked.replace(Asked { request, until: now + on + TELLS_WITHIN }) {
            self.outcome(before.request, Outcome::DidNotOpen, now);
        }
        Ok(())
    }

    /// The drawer's switch has this level now.
    pub fn switch(&mut self, level: bool, now: Moment) {
        let known = self.watch.is_open();
        self.watch.handle(level, now);
        self.watched(known, now);
        self.handle_timeout(now);
    }

    /// The key is turned, or not.
    pub fn key_lock(&mut self, turned: bool, now: Moment) {
        let stayed = self.key.handle(turned, now);
        self.key_stayed(stayed, now);
    }

    /// The case is open, or not.
    pub fn case(&mut self, open: bool, now: Moment) {
        let stayed = self.case.handle(open, now);
        self.alarm_if_new(Alarm::Tamper, stayed, now);
    }

    /// The supply is too low for a solenoid, or not.
    pub fn supply(&mut self, low: bool, now: Moment) {
        let stayed = self.supply.handle(low, now);
        self.alarm_if_new(Alarm::Undervoltage, stayed, now);
    }

    /// When [`DrawerController::handle_timeout`] wants to be called, if nothing else happens.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Moment> {
        let too_long = self.opened.filter(|_| self.warning.is_none()).zip(self.too_long);
        let times = [
            self.coil.poll_timeout(),
            self.watch.poll_timeout(),
            self.key.poll_timeout(),
            self.case.poll_timeout(),
            self.supply.poll_timeout(),
            self.asked.map(|asked| asked.until),
            too_long.map(|(opened, too_long)| opened + too_long),
            self.beep_ends,
        ];
        times.into_iter().flatten().min()
    }

    /// Whether the beeper sounds.
    #[must_use]
    pub fn beeps(&self, now: Moment) -> bool {
        let within = |since: Moment| now.since(since).as_micros().checked_rem(SECOND.as_micros());
        let warns = self.warning.and_then(within).is_some_and(|at| at < WARNING.as_micros());
        warns || self.beep_ends.is_some_and(|end| now < end)
    }

    /// Whether the drawer is open for too long.
    #[must_use]
    pub fn warns(&self) -> bool {
        self.warning.is_some()
    }

    /// Takes in what the watch has seen; `known` is what was known of the drawer before.
    fn watched(&mut self, known: Option<bool>, now: Moment) {
        if known.is_none()
            && let Some(open) = self.watch.is_open()
        {
            // Nothing happened, but the host is to know how it is.
            self.opened = open.then_some(now);
            self.found(open, now);
        }
        while let Some(event) = self.watch.poll_event() {
            match event {
                DrawerEvent::Opened { commanded } => self.was_opened(commanded, now),
                DrawerEvent::Closed => self.was_closed(now),
            }
        }
    }

    /// Who configures it has just come to serve it.
    fn tell_how_it_is(&mut self, now: Moment) {
        if let Some(open) = self.watch.is_open() {
            self.found(open, now);
        }
        let on = [
            (Alarm::KeyLock, self.on.key),
            (Alarm::Tamper, self.on.case),
            (Alarm::Undervoltage, self.on.supply),
            (Alarm::OpenTooLong, self.warning.is_some()),
        ];
        for (alarm, _) in on.into_iter().filter(|(_, on)| *on) {
            self.alarm(alarm, true, now);
        }
    }

    /// Says how it stands, and not that anything happened.
    fn found(&mut self, open: bool, now: Moment) {
        let at = self.stamp(now);
        self.report(if open {
            ToHost::DrawerOpened { at, cause: Cause::FoundOpen }
        } else {
            ToHost::DrawerClosed { at, open_ms: 0 }
        });
    }

    fn was_opened(&mut self, commanded: bool, now: Moment) {
        let by_key = self.key.level() == Some(true)
            || self.key_turned.is_some_and(|turned| now.since(turned) <= KEY_GRACE);
        let cause = match (commanded, by_key) {
            (true, _) => Cause::Command,
            (false, true) => Cause::KeyLock,
            (false, false) => Cause::NoCommand,
        };
        self.opened = Some(now);
        self.report(ToHost::DrawerOpened { at: self.stamp(now), cause });
        if cause == Cause::NoCommand {
            self.forced = true;
            self.alarm(Alarm::OpenedWithoutCommand, true, now);
        }
        if let Some(asked) = self.asked.take() {
            self.outcome(asked.request, Outcome::Opened, now);
        }
    }

    fn was_closed(&mut self, now: Moment) {
        let open = self.opened.take().map_or(Duration::ZERO, |opened| now.since(opened));
        let open_ms = u32::try_from(open.as_millis()).unwrap_or(u32::MAX);
        self.report(ToHost::DrawerClosed { at: self.stamp(now), open_ms });
        if core::mem::take(&mut self.forced) {
            self.alarm(Alarm::OpenedWithoutCommand, false, now);
        }
        if self.warning.take().is_some() {
            self.alarm(Alarm::OpenTooLong, false, now);
        }
    }

    fn key_stayed(&mut self, stayed: Option<bool>, now: Moment) {
        if let Some(turned) = stayed {
            // Also when it is turned back: whoever opened with it does that at once.
            self.key_turned = (turned || self.key_turned.is_some()).then_some(now);
        }
        self.alarm_if_new(Alarm::KeyLock, stayed, now);
    }

    /// An alarm that began or ended; one that is off at the start is none.
    fn alarm_if_new(&mut self, alarm: Alarm, stayed: Option<bool>, now: Moment) {
        let was_on = match alarm {
            Alarm::KeyLock => &mut self.on.key,
            Alarm::Tamper => &mut self.on.case,
            _ => &mut self.on.supply,
        };
        if let Some(on) = stayed.filter(|on| *on != *was_on) {
            *was_on = on;
            self.alarm(alarm, on, now);
        }
    }

    fn alarm(&mut self, alarm: Alarm, on: bool, now: Moment) {
        self.report(ToHost::Alarm { at: self.stamp(now), alarm, on });
    }

    fn outcome(&mut self, request: u32, outcome: Outcome, now: Moment) {
        self.report(ToHost::OpenOutcome { at: self.stamp(now), request, outcome });
    }

    fn report(&mut self, report: ToHost) {
        if self.reports.push_back(report).is_err() {
            self.missed = self.missed.saturating_add(1);
        }
    }

    fn stamp(&self, now: Moment) -> Stamp {
        Stamp { boot: self.retained.tally.boots, micros: now.as_micros() }
    }
}

impl<P: OutputPin> Behaviour for DrawerController<P> {
    const KIND: Kind = Kind::Drawer;

    /// The solenoid is driven.
    fn is_busy(&self) -> bool {
        self.coil.poll_timeout().is_some()
    }

    /// It sees the drawer.
    fn is_well(&self) -> bool {
        self.watch.is_open().is_some()
    }

    fn handle(&mut self, said: &ToController, nonce: impl FnOnce() -> [u8; 16], now: Moment) -> bool {
        self.handle_timeout(now);
        match said {
            ToController::AskChallenge => {
                let nonce = nonce();
                self.authority.challenge(nonce, now);
                self.report(ToHost::Challenge { nonce });
            }
            ToController::OpenDrawer { request, pulse_ms, mac } => {
                let authentic = self.authority.check(*request, *pulse_ms, mac, now);
                if let Err(outcome) = authentic.and_then(|()| self.open(*request, *pulse_ms, now)) {
                    self.retained.tally.refused = self.retained.tally.refused.saturating_add(1);
                    self.outcome(*request, outcome, now);
                }
            }
            ToController::Configure(settings) => {
                self.work_by(*settings);
                self.handle_timeout(now);
                self.tell_how_it_is(now);
            }
            ToController::Signal { beep_ms, .. } => {
                let beep = Duration::from_millis((*beep_ms).into()).min(LONGEST_BEEP);
                self.beep_ends = (!beep.is_zero()).then_some(now + beep);
            }
            _ => return false,
        }
        true
    }

    fn host_gone(&mut self) {
        // The challenge that it had is over.
        self.authority.forget();
    }

    /// While [`DrawerController::warns`], call it ten times a second or so: the beeper follows it.
    fn handle_timeout(&mut self, now: Moment) {
        // A pin that cannot be let go is tried again, at the next call.
        let _ = self.coil.handle_timeout(now);
        let known = self.watch.is_open();
        self.watch.handle_timeout(now);
        self.watched(known, now);
        let stayed = self.key.handle_timeout(now);
        self.key_stayed(stayed, now);
        let stayed = self.case.handle_timeout(now);
        self.alarm_if_new(Alarm::Tamper, stayed, now);
        let stayed = self.supply.handle_timeout(now);
        self.alarm_if_new(Alarm::Undervoltage, stayed, now);
        if let Some(asked) = self.asked.take_if(|asked| now >= asked.until) {
            self.outcome(asked.request, Outcome::DidNotOpen, now);
        }
        let too_long =
            self.opened.zip(self.too_long).is_some_and(|(opened, after)| now.since(opened) >= after);
        if too_long && self.warning.is_none() {
            self.warning = Some(now);
            self.alarm(Alarm::OpenTooLong, true, now);
        }
        self.beep_ends.take_if(|end| now >= *end);
    }

    fn report_due(&self) -> Option<ToHost> {
        self.reports.front().cloned()
    }

    fn reported(&mut self, _: Option<Id>) {
        self.reports.pop_front();
        if self.missed > 0 {
            let mut text = String::new();
            // A number and these words fit.
            let _ =
                core::fmt::write(&mut text, format_args!("{} reports had no room and are lost", self.missed));
            self.missed = 0;
            self.report(ToHost::Log { level: Level::Warning, text });
        }
    }

    fn retained(&mut self, now: Moment) -> Retained {
        Retained { recent_pulses: self.budget.recent(now), ..self.retained }
    }
}

#[cfg(test)]
mod tests;
