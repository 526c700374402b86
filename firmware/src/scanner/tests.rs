//! A scanner on a desk: its unit with its retained memory, a box at the other end, and a clock that goes on by the millisecond.

use std::format;
use std::string::String;
use std::vec::Vec as List;

use device_drivers::Framing;
use pos_link::{Event, Host, Outbox, ScanRefusal, Session, StreamId, Tally, Version};

use super::*;
use crate::retained::tests::Ram;
use crate::{Boot, Level, Reading, Run, Unit};

const MS: Duration = Duration::from_millis(1);
/// An EAN-13 as modules, 1 for dark, and its digits.
pub(super) const BARS: &str = "10100011010100111010111101111010001001011001101010\
                    100001010000101000010111010010000101100110101";
const DIGITS: &str = "E04006381333931";

type Front = Both<Engine, Sensor>;
type Scanner = Unit<ScannerController<Front>, Ram>;

struct Till {
    ram: Ram,
    trigger: Trigger,
    scanner: Scanner,
    host: Session<Host, Outbox<1024>, 1024, 1024>,
    now: Moment,
    plugged: bool,
    /// What the daemon says of a scan; `None`: nothing.
    verdict: Option<Result<(), ScanRefusal>>,
    /// Codes as they came, whole, and how many parts the last one had.
    scans: List<String>,
    parts: List<u8>,
    last_parts: usize,
    tally: Option<Tally>,
    /// Times that the beeper began, by its tone.
    beeps: List<u16>,
    sounding: Option<u16>,
}

fn scanner(ram: &Ram, trigger: Trigger, now: Moment) -> Scanner {
    let boot = Boot {
        seed: [1; 32],
        key: [0; 32],
        hardware: *b"scanner1",
        firmware: Version { major: 0, minor: 1, patch: 0 },
        by_watchdog: false,
    };
    Unit::new(&boot, ram.clone(), now, |retained| {
        let front = Both(Engine::new(Framing::Line), Sensor::new(Reading::default()));
        ScannerController::new(front, trigger, retained)
    })
}

impl Till {
    fn new(trigger: Trigger) -> Self {
        let (ram, now) = (Ram::woken(0xa5), Moment::from_micros(1_000));
        let mut till = Self {
            scanner: scanner(&ram, trigger, now),
            ram,
            trigger,
            host: Session::new(77, Outbox::new(StreamId(7)), None, now.as_micros()),
            now,
            plugged: true,
            verdict: Some(Ok(())),
            scans: List::new(),
            parts: List::new(),
            last_parts: 0,
            tally: None,
            beeps: List::new(),
            sounding: None,
        };
        till.wait(500);
        till
    }

    fn reset(&mut self) {
        self.scanner = scanner(&self.ram, self.trigger, self.now);
    }

    fn wait(&mut self, ms: u32) {
        for _ in 0..ms {
            self.now += MS;
            let (now, micros) = (self.now, self.now.as_micros());
            self.scanner.handle_timeout(now);
            let tone = self.scanner.controller().tone(now);
            self.beeps.extend(tone.filter(|_| tone != self.sounding));
            self.sounding = tone;
            self.host.handle_timeout(micros);
            while let Some(bytes) = self.scanner.poll_output(now) {
                if self.plugged {
                    self.host.handle(bytes, micros);
                }
            }
            while let Some(bytes) = self.host.poll_output(micros) {
                if self.plugged {
                    self.scanner.hear(bytes, now);
                }
            }
            while let Some(event) = self.host.poll_event() {
                match event {
                    Event::Message { id, message } => self.hear(id, message),
                    Event::Datagram(ToHost::Counters { tally, .. }) => self.tally = Some(tally),
                    _ => {}
                }
            }
        }
    }

    fn hear(&mut self, id: Id, message: ToHost) {
        self.host.accept(id);
        let ToHost::Scan { symbology, more, data, .. } = message else { return };
        if self.parts.is_empty() {
            self.last_parts = 0;
            self.parts.extend(symbology);
        }
        self.parts.extend_from_slice(&data);
        self.last_parts += 1;
        if more {
            return;
        }
        self.scans.push(String::from_utf8(core::mem::take(&mut self.parts)).unwrap());
        let said = match self.verdict {
            None => return,
            Some(Ok(())) => ToController::ScanAccepted { scan: id },
            Some(Err(reason)) => ToController::ScanRefused { scan: id, reason },
        };
        self.host.send(&said).unwrap();
    }

    /// The engine sends this, a byte each millisecond at most, when the scanner is ready for it.
    fn engine(&mut self, line: &str) {
        for byte in line.bytes() {
            while !self.scanner.controller().is_ready() {
                self.wait(1);
            }
            let now = self.now;
            self.scanner.controller().see(OneOf::First(byte), now);
        }
        self.wait(1);
    }

    /// The sensor is moved over the label.
    fn sensor(&mut self) {
        let paper = "0".repeat(11);
        for module in [&paper, BARS, &paper].concat().bytes() {
            let level = if module == b'1' { Level::Dark } else { Level::Light };
            let now = self.now;
            self.scanner.controller().see(OneOf::Second(Run { level, ticks: 100 }), now);
        }
        self.wait(1);
    }

    fn lights(&mut self) -> Lights {
        let now = self.now;
        self.scanner.controller().lights(now)
    }

    fn tell(&mut self, said: &ToController) {
        self.host.send(said).unwrap();
        self.wait(20);
    }

    fn tally(&mut self) -> Tally {
        self.tell(&ToController::AskCounters);
        self.tally.take().unwrap()
    }
}

fn settings(symbologies: u32, double_read_ms: u16) -> ToController {
    ToController::Configure(Settings { symbologies, double_read_ms, ..Settings::default() })
}

#[test]
fn a_light_waits_until_the_daemons_word_which_alone_is_the_good_signal() {
    for by_engine in [true, false] {
        let mut till = Till::new(Trigger::Always);
        till.verdict = None;
        if by_engine {
            till.engine("]E04006381333931\r\n")
        } else {
            till.sensor()
        }
        till.wait(3_000);
        assert_eq!(till.scans, [DIGITS]);
        assert!(till.lights() == Lights { waiting: true, ..Lights::default() } && till.beeps.is_empty());
        till.verdict = Some(Ok(()));
        till.engine("]E496385074\r");
        till.wait(20);
        assert_eq!(
            till.lights(),
            Lights { green: true, ..Lights::default() },
            "it is judged, and so is all before it"
        );
        assert_eq!(till.beeps, [2_700]);
        till.verdict = Some(Err(ScanRefusal::UnknownArticle));
        till.engine("]C0what is this\r");
        till.wait(20);
        assert_eq!(till.lights(), Lights { red: true, ..Lights::default() });
        till.wait(2_000);
        assert_eq!((till.lights(), till.beeps.as_slice()), (Lights::default(), [2_700, 400, 400].as_slice()));
        assert_eq!(till.scans, [DIGITS, "E496385074", "C0what is this"]);
        let tally = till.tally();
        assert_eq!((tally.scans, tally.scans_refused, tally.repeats, tally.scans_full), (3, 1, 0, 0));
    }
}

#[test]
fn a_code_that_stays_in_sight_is_one_scan_and_one_that_comes_again_is_another() {
    let mut till = Till::new(Trigger::Always);
    for _ in 0..50 {
        // Two labels in sight, by turns.
        till.engine("]E04006381333931\r");
        till.engine("]E496385074\r");
        till.wait(100);
    }
    assert_eq!(till.scans, [DIGITS, "E496385074"]);
    till.wait(500);
    till.sensor();
    assert_eq!(till.scans, [DIGITS, "E496385074", DIGITS]);
    assert_eq!(till.tally().repeats, 98);
    till.tell(&settings(u32::MAX, 2_000));
    till.wait(1_900);
    till.sensor();
    till.wait(2_001);
    till.sensor();
    assert_eq!(till.scans.len(), 4, "what the settings say counts");
    till.tell(&settings(u32::MAX, 0));
    (0..3).for_each(|_| till.sensor());
    till.wait(20);
    assert_eq!(till.scans.len(), 7);
}

#[test]
fn scans_wait_for_the_host_and_when_there_is_no_room_none_is_read() {
    let mut till = Till::new(Trigger::Always);
    till.plugged = false;
    let code = |number: usize| format!("C0code number {number}");
    let mut taken = 0;
    while till.scanner.controller().aims() {
        till.engine(&format!("]{}\r", code(taken)));
        till.wait(200);
        taken += 1;
        assert!(taken < 100, "the outbox has no end");
    }
    assert!(taken >= 40, "only {taken}");
    assert!(
        till.lights() == Lights { red: true, waiting: true, ..Lights::default() } && till.beeps.is_empty()
    );
    // It stays before the scanner: it is refused once.
    for _ in 0..10 {
        till.engine("]C0one too many\r");
        till.wait(100);
    }
    assert_eq!(till.beeps, [400; 4]);
    till.plugged = true;
    till.wait(5_000);
    let expected: List<_> = (0..taken).map(code).collect();
    assert_eq!(till.scans, expected);
    assert!(till.scanner.controller().aims() && till.lights() == Lights::default());
    till.engine("]C0one too many\r");
    till.wait(20);
    assert_eq!(till.scans.last().map(String::as_str), Some("C0one too many"));
    let tally = till.tally();
    assert_eq!((tally.scans, tally.scans_full, tally.repeats), (taken as u32 + 1, 1, 0));
}

#[test]
fn what_was_refused_for_room_is_read_at_once_when_there_is_some() {
    let mut till = Till::new(Trigger::Always);
    till.plugged = false;
    for number in 0.. {
        till.engine(&format!("]C0{number}\r"));
        if !till.scanner.controller().aims() {
            break;
        }
    }
    till.engine("]C0again\r");
    till.plugged = true;
    while !till.scanner.controller().aims() {
        till.engine("]C0again\r");
        till.wait(50);
    }
    till.engine("]C0again\r");
    till.wait(1_000);
    assert_eq!(till.scans.iter().filter(|scan| *scan == "C0again").count(), 1);
}

#[test]
fn a_long_code_comes_in_parts_and_is_whole_or_not_there_after_a_reset() {
    let long: String = (0..MAX_SCAN - 3).map(|at| char::from(b'a' + (at % 26) as u8)).collect();
    let mut till = Till::new(Trigger::Always);
    till.engine(&format!("]Q3{long}\r"));
    till.wait(50);
    assert_eq!((till.scans.as_slice(), till.last_parts), ([format!("Q3{long}")].as_slice(), 4));
    assert_eq!(till.beeps, [2_700]);
    for bytes in (0..700).step_by(3) {
        let mut till = Till::new(Trigger::Always);
        till.plugged = false;
        *till.ram.left.borrow_mut() = bytes;
        till.engine(&format!("]Q3{long}\r"));
        let reset = *till.ram.left.borrow() == 0;
        *till.ram.left.borrow_mut() = usize::MAX;
        till.reset();
        assert_eq!(till.lights().waiting, !reset);
        till.plugged = true;
        till.wait(3_000);
        let expected: &[String] = if reset { &[] } else { &[format!("Q3{long}")] };
        assert_eq!(till.scans, expected, "reset after {bytes} bytes");
        till.engine("]E496385074\r");
        till.wait(50);
        assert_eq!((till.scans.last().unwrap().as_str(), till.last_parts), ("E496385074", 1));
    }
}

#[test]
fn only_what_is_wanted_is_read_also_after_a_reset() {
    let mut till = Till::new(Trigger::Always);
    till.tell(&settings(0b10, 0));
    for _ in 0..2 {
        till.sensor();
        till.engine("]E04006381333931\r]E496385074\r");
        till.wait(20);
        till.reset();
        till.wait(2_500);
    }
    assert_eq!(till.scans, ["E496385074", "E496385074"]);
    let tally = till.tally();
    assert_eq!((tally.scans, tally.boots), (2, 3));
    till.tell(&settings(0b11, 0));
    till.sensor();
    till.wait(20);
    assert_eq!(till.scans.last().unwrap(), DIGITS);
}

#[test]
fn it_looks_while_its_trigger_is_pulled_until_it_has_read() {
    let mut till = Till::new(Trigger::Pulled);
    let pull = |till: &mut Till, pulled| {
        let now = till.now;
        till.scanner.controller().trigger(pulled, now);
        till.wait(1);
        till.scanner.controller().aims()
    };
    assert!(!pull(&mut till, false) && pull(&mut till, true) && pull(&mut till, true));
    till.engine("]E496385074\r");
    assert!(!pull(&mut till, true) && !pull(&mut till, false) && pull(&mut till, true));
    assert!(!pull(&mut till, false));
    // Who pulls it when there is no room is told why it stays dark.
    till.plugged = false;
    for number in 0..100 {
        till.engine(&format!("]C0{number}\r"));
    }
    till.wait(2_000);
    till.beeps.clear();
    assert!(!pull(&mut till, true));
    till.wait(1_000);
    assert_eq!(till.beeps, [400; 4]);
}

#[test]
fn the_host_may_beep_and_light_up_and_what_is_for_a_drawer_is_not_for_a_scanner() {
    let mut till = Till::new(Trigger::Pulled);
    till.tell(&ToController::Signal { beep_ms: 100, tone_hz: 1_000, lights: 0b100, light_ms: 0 });
    assert_eq!(
        (till.lights(), till.beeps.as_slice()),
        (Lights { aim: true, ..Lights::default() }, [1_000].as_slice())
    );
    let now = till.now;
    assert!(!till.scanner.controller().handle(&ToController::AskChallenge, || [0; 16], now));
}
