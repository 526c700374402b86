//! The drawer controller on a bench: a drawer that opens when it is pulled, and a clock that goes on by the millisecond.

use std::vec::Vec;

use embedded_hal::digital::ErrorType;

use super::authority::mac;
use super::*;

const MS: Duration = Duration::from_millis(1);
const KEY: [u8; 32] = [3; 32];

/// A pin that notes its level.
#[derive(Debug, Clone, Default)]
struct Pin(std::rc::Rc<std::cell::Cell<bool>>);

impl ErrorType for Pin {
    type Error = core::convert::Infallible;
}

impl OutputPin for Pin {
    fn set_low(&mut self) -> Result<(), Self::Error> {
        self.0.set(false);
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Self::Error> {
        self.0.set(true);
        Ok(())
    }
}

/// A controller on a bench: a drawer that opens when it is pulled, if it is not locked.
struct Bench {
    controller: DrawerController<Pin>,
    pin: Pin,
    now: Moment,
    nonces: u8,
    requests: u32,
    /// The drawer opens so long after the pulse began, if at all.
    opens_after: Option<Duration>,
    pulled: Option<Moment>,
    open: bool,
    /// Pulses: when they began and how long they were.
    pulses: Vec<(Moment, Duration)>,
    reports: Vec<ToHost>,
}

impl Bench {
    fn new() -> Self {
        Self::after(Retained::default())
    }

    fn after(retained: Retained) -> Self {
        let (pin, now) = (Pin::default(), Moment::from_micros(1_000_000));
        pin.0.set(true);
        let controller = DrawerController::new(pin.clone(), Wiring::default(), KEY, retained, now);
        assert!(!pin.0.get(), "a boot lets the solenoid go");
        let mut bench = Self {
            controller,
            pin,
            now,
            nonces: 0,
            requests: 0,
            opens_after: Some(MS * 60),
            pulled: None,
            open: false,
            pulses: Vec::new(),
            reports: Vec::new(),
        };
        bench.wait(100);
        assert!(matches!(bench.take()[..], [ToHost::DrawerClosed { open_ms: 0, .. }]));
        bench
    }

    /// Time goes by, a millisecond at a time.
    fn wait(&mut self, ms: u32) {
        for _ in 0..ms {
            self.now += MS;
            let opens =
                self.pulled.zip(self.opens_after).is_some_and(|(at, after)| self.now.since(at) >= after);
            if opens && self.pulled.take().is_some() {
                self.open = true;
            }
            self.controller.switch(!self.open, self.now);
            self.controller.handle_timeout(self.now);
            self.look();
        }
    }

    fn look(&mut self) {
        let driven = self.pin.0.get();
        match self.pulses.last_mut() {
            Some((begun, length)) if length.is_zero() && !driven => *length = self.now.since(*begun),
            Some((_, length)) if length.is_zero() => {}
            _ if driven => {
                self.pulses.push((self.now, Duration::ZERO));
                self.pulled = Some(self.now);
            }
            _ => {}
        }
        while let Some(report) = self.controller.report_due() {
            self.reports.push(report.clone());
            self.controller.reported(None);
        }
    }

    fn say(&mut self, said: &ToController) {
        self.nonces = self.nonces.wrapping_add(1);
        let nonce = [self.nonces; 16];
        assert!(self.controller.handle(said, || nonce, self.now));
        self.look();
    }

    fn take(&mut self) -> Vec<ToHost> {
        std::mem::take(&mut self.reports)
    }

    /// Asks for a challenge and answers it.
    fn ask(&mut self, pulse_ms: u16) -> ToController {
        self.say(&ToController::AskChallenge);
        let Some(ToHost::Challenge { nonce }) = self.reports.pop() else { panic!("no challenge") };
        self.requests += 1;
        let mac = mac(&KEY, &nonce, self.requests, pulse_ms);
        ToController::OpenDrawer { request: self.requests, pulse_ms, mac }
    }

    fn open(&mut self, pulse_ms: u16) -> Vec<Outcome> {
        let said = self.ask(pulse_ms);
        self.say(&said);
        self.wait(1_700);
        self.outcomes()
    }

    fn outcomes(&mut self) -> Vec<Outcome> {
        let outcome = |report| match report {
            ToHost::OpenOutcome { outcome, .. } => Some(outcome),
            _ => None,
        };
        self.take().into_iter().filter_map(outcome).collect()
    }

    fn close(&mut self) {
        self.open = false;
        self.wait(100);
    }

    fn alarms(&mut self) -> Vec<(Alarm, bool)> {
        let alarm = |report| match report {
            ToHost::Alarm { alarm, on, .. } => Some((alarm, on)),
            _ => None,
        };
        self.take().into_iter().filter_map(alarm).collect()
    }
}

#[test]
fn a_fresh_and_authentic_request_opens_the_drawer_once() {
    let mut bench = Bench::new();
    let said = bench.ask(120);
    bench.say(&said);
    bench.wait(300);
    let opened = bench.take();
    assert!(
        matches!(
            opened[..],
            [
                ToHost::DrawerOpened { cause: Cause::Command, .. },
                ToHost::OpenOutcome { request: 1, outcome: Outcome::Opened, .. }
            ]
        ),
        "{opened:?}"
    );
    assert_eq!(bench.pulses.iter().map(|(_, length)| *length).collect::<Vec<_>>(), [MS * 120]);
    bench.close();
    bench.wait(2_000);
    assert!(matches!(bench.take()[..], [ToHost::DrawerClosed { open_ms: 200..400, .. }]));
    // The same frame again, as somebody recorded it.
    bench.say(&said);
    assert_eq!((bench.outcomes(), bench.pulses.len()), (std::vec![Outcome::StaleChallenge], 1));
}

#[test]
fn what_is_forged_late_or_of_an_earlier_boot_opens_nothing() {
    let mut bench = Bench::new();
    let ToController::OpenDrawer { request, pulse_ms, mut mac } = bench.ask(120) else { panic!() };
    mac[0] ^= 1;
    bench.say(&ToController::OpenDrawer { request, pulse_ms, mac });
    assert_eq!(bench.outcomes(), [Outcome::NotAuthentic]);

    let said = bench.ask(120);
    bench.wait(5_001);
    bench.say(&said);
    assert_eq!(bench.outcomes(), [Outcome::StaleChallenge]);

    let said = bench.ask(120);
    bench.controller.host_gone();
    bench.say(&said);
    assert_eq!(bench.outcomes(), [Outcome::StaleChallenge]);

    let said = bench.ask(120);
    let kept = bench.controller.retained(bench.now);
    let mut rebooted = Bench::after(kept);
    rebooted.say(&said);
    assert_eq!(rebooted.outcomes(), [Outcome::StaleChallenge]);
    assert!(bench.pulses.is_empty() && rebooted.pulses.is_empty());
    assert_eq!(rebooted.controller.retained(rebooted.now).tally.refused, 4);
}

#[test]
fn no_request_drives_the_solenoid_for_longer_than_the_lowest_cap() {
    let mut bench = Bench::new();
    assert_eq!(bench.open(60_000), [Outcome::Opened]);
    bench.close();
    let settings = Settings { symbologies: 0, double_read_ms: 0, open_too_long_s: 0, pulse_cap_ms: 90 };
    bench.say(&ToController::Configure(settings));
    assert_eq!(bench.open(60_000), [Outcome::Opened]);
    bench.close();
    bench.say(&ToController::Configure(Settings { pulse_cap_ms: 400, ..settings }));
    assert_eq!(bench.open(60_000), [Outcome::Opened]);
    let lengths: Vec<_> = bench.pulses.iter().map(|(_, length)| *length).collect();
    assert_eq!(lengths, [MS * 150, MS * 90, MS * 90], "the wiring's, the host's, and no higher again");
    let kept = bench.controller.retained(bench.now);
    let mut rebooted = Bench::after(kept);
    rebooted.wait(60_000);
    rebooted.open(60_000);
    assert_eq!(rebooted.pulses[0].1, MS * 90, "a reboot does not raise it");
}

#[test]
fn a_drawer_that_stays_shut_is_said_to_and_one_that_is_open_is_not_pulled() {
    let mut bench = Bench::new();
    bench.opens_after = None;
    assert_eq!(bench.open(120), [Outcome::DidNotOpen]);
    bench.opens_after = Some(MS * 60);
    assert_eq!(bench.open(120), [Outcome::Opened]);
    assert_eq!(bench.open(120), [Outcome::WasOpen]);
    assert_eq!(bench.pulses.len(), 2);
}

#[test]
fn a_host_gone_wild_opens_it_no_more_often_than_a_minute_allows() {
    let mut bench = Bench::new();
    bench.opens_after = None;
    let mut refused = 0;
    for _ in 0..200 {
        let said = bench.ask(120);
        bench.say(&said);
        bench.wait(300);
        refused += bench.outcomes().iter().filter(|outcome| **outcome == Outcome::TooOften).count();
    }
    assert_eq!(
        (bench.pulses.len(), refused),
        (super::super::MOST_PER_MINUTE, 200 - super::super::MOST_PER_MINUTE)
    );
}

#[test]
fn a_drawer_that_is_forced_is_an_alarm_and_one_that_is_opened_with_its_key_is_told_so() {
    let mut bench = Bench::new();
    bench.open = true;
    bench.wait(100);
    let told = bench.take();
    assert!(matches!(told[0], ToHost::DrawerOpened { cause: Cause::NoCommand, .. }), "{told:?}");
    assert!(matches!(told[1], ToHost::Alarm { alarm: Alarm::OpenedWithoutCommand, on: true, .. }));
    bench.close();
    assert_eq!(bench.alarms(), [(Alarm::OpenedWithoutCommand, false)]);

    for turned in [true, false] {
        bench.controller.key_lock(turned, bench.now);
        bench.wait(50);
    }
    bench.open = true;
    bench.wait(100);
    let told = bench.take();
    assert!(
        matches!(
            told[..],
            [
                ToHost::Alarm { alarm: Alarm::KeyLock, on: true, .. },
                ToHost::Alarm { alarm: Alarm::KeyLock, on: false, .. },
                ToHost::DrawerOpened { cause: Cause::KeyLock, .. }
            ]
        ),
        "{told:?}"
    );
}

#[test]
fn a_drawer_that_is_open_for_too_long_beeps_until_it_is_closed() {
    let mut bench = Bench::new();
    let settings = Settings { symbologies: 0, double_read_ms: 0, open_too_long_s: 30, pulse_cap_ms: 0 };
    bench.say(&ToController::Configure(settings));
    bench.open(120);
    bench.wait(27_000);
    assert!(!bench.controller.warns() && bench.alarms().is_empty());
    bench.wait(2_000);
    assert_eq!(bench.alarms(), [(Alarm::OpenTooLong, true)]);
    let mut sounding = 0;
    for _ in 0..10_000 {
        bench.wait(1);
        sounding += u32::from(bench.controller.beeps(bench.now));
    }
    assert_eq!(sounding, 2_000, "a fifth of the time");
    bench.close();
    assert_eq!(bench.alarms(), [(Alarm::OpenTooLong, false)]);
    assert!(!bench.controller.beeps(bench.now));
}

#[test]
fn a_low_supply_and_an_opened_case_are_alarms_and_nothing_is_pulled_without_power() {
    let mut bench = Bench::new();
    bench.controller.supply(true, bench.now);
    bench.controller.case(true, bench.now);
    bench.wait(50);
    assert_eq!(bench.alarms(), [(Alarm::Tamper, true), (Alarm::Undervoltage, true)]);
    assert_eq!(bench.open(120), [Outcome::Undervoltage]);
    bench.controller.supply(false, bench.now);
    bench.wait(50);
    assert_eq!(bench.alarms(), [(Alarm::Undervoltage, false)]);
    assert_eq!(bench.open(120), [Outcome::Opened]);
}

#[test]
fn reports_for_which_there_is_no_room_are_counted_and_that_is_said() {
    let mut bench = Bench::new();
    for _ in 0..100 {
        bench.controller.handle(&ToController::AskChallenge, || [0; 16], bench.now);
    }
    bench.look();
    let told = bench.take();
    let log = told.iter().find_map(|report| match report {
        ToHost::Log { text, .. } => Some(text.as_str()),
        _ => None,
    });
    assert_eq!((told.len(), log), (MOST_WAITING + 1, Some("76 reports had no room and are lost")));
}

#[test]
fn what_is_for_other_parts_is_left_to_them_and_time_asks_for_itself() {
    let mut bench = Bench::new();
    assert!(!bench.controller.handle(&ToController::Reboot, || [0; 16], bench.now));
    assert_eq!(bench.controller.poll_timeout(), None);
    let said = bench.ask(120);
    bench.say(&said);
    assert_eq!(bench.controller.poll_timeout(), Some(bench.now + MS * 120));
    bench.say(&ToController::Signal { beep_ms: 50, tone_hz: 2_000, lights: 0, light_ms: 0 });
    assert!(bench.controller.beeps(bench.now));
    assert_eq!(bench.controller.poll_timeout(), Some(bench.now + MS * 50));
    bench.wait(50);
    assert!(!bench.controller.beeps(bench.now));
}

#[test]
fn who_configures_it_is_told_how_things_stand_and_that_nothing_happened() {
    let mut bench = Bench::new();
    bench.say(&ToController::Configure(Settings::default()));
    assert!(matches!(bench.take()[..], [ToHost::DrawerClosed { open_ms: 0, .. }]));
    bench.open(100);
    bench.controller.case(true, bench.now);
    bench.wait(100);
    bench.take();
    bench.say(&ToController::Configure(Settings::default()));
    let told = bench.take();
    assert!(
        matches!(
            told[..],
            [
                ToHost::DrawerOpened { cause: Cause::FoundOpen, .. },
                ToHost::Alarm { alarm: Alarm::Tamper, on: true, .. }
            ]
        ),
        "{told:?}"
    );
    // It goes on as before.
    bench.wait(900);
    bench.open = false;
    bench.wait(100);
    let closed = |told: &ToHost| matches!(told, ToHost::DrawerClosed { open_ms, .. } if *open_ms > 900);
    assert!(bench.take().iter().any(closed));
}
