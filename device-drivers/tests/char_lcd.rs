//! A character display on a bus: the exact bytes, on a mock, and a bus of this machine where it has one to try with.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use device_drivers::{
    CharLcd, Device, Display, DisplayFault, DisplayLine, Glass, I2cDisplay, Kind, SHOWN_WITHIN,
};
use embedded_hal::i2c::{ErrorKind, ErrorType, I2c, Operation};
use embedded_hal_mock::eh1::delay::NoopDelay;
use embedded_hal_mock::eh1::delay::{CheckedDelay, Transaction as Delay};
use embedded_hal_mock::eh1::i2c::{Mock, Transaction};

const ADDRESS: u8 = 0x27;

/// Four bits as they go over the bus, with the backlight on: with E, then without.
fn half(bits: u8, kind: u8) -> Vec<u8> {
    let pins = bits << 4 | 0x08 | kind;
    vec![pins | 0x04, pins]
}

fn byte(byte: u8, kind: u8) -> Transaction {
    Transaction::write(ADDRESS, [half(byte >> 4, kind), half(byte & 15, kind)].concat())
}

fn start() -> Vec<Transaction> {
    let wake = [3, 3, 3, 2].map(|bits| Transaction::write(ADDRESS, half(bits, 0)));
    wake.into_iter().chain([0x28, 0x08, 0x01, 0x06, 0x0c].map(|command| byte(command, 0))).collect()
}

fn lines(upper: &[u8], lower: &[u8]) -> Vec<Transaction> {
    let line = |address, letters: &[u8]| {
        let letters = letters.iter().map(|letter| byte(*letter, 1)).collect::<Vec<_>>();
        [vec![byte(address, 0)], letters].concat()
    };
    [line(0x80, upper), line(0xc0, lower)].concat()
}

fn shown() -> [DisplayLine; 2] {
    [DisplayLine::new("Käse, gereift, am Stück", "6,13 €"), DisplayLine::new("Summe", "12,07 €")]
}

#[test]
fn the_bus_gets_exactly_these_bytes() {
    // Spelt out once: `A` on the upper line of a display that is started.
    assert_eq!(byte(b'A', 1), Transaction::write(ADDRESS, vec![0x4d, 0x49, 0x1d, 0x19]));
    assert_eq!(Transaction::write(ADDRESS, half(3, 0)), Transaction::write(ADDRESS, vec![0x3c, 0x38]));
    for (glass, upper, lower) in [
        (Glass::TwoByTwenty, b"K\xe1se, gereift 6,13 E".as_slice(), b"Summe        12,07 E".as_slice()),
        (Glass::TwoBySixteen, b"K\xe1se, ger 6,13 E".as_slice(), b"Summe    12,07 E".as_slice()),
    ] {
        assert_eq!((upper.len(), lower.len()), (glass.columns(), glass.columns()));
        // Started once, then only written to.
        let expected = [start(), lines(upper, lower), lines(upper, lower)].concat();
        let mut bus = Mock::new(&expected);
        let mut lcd = CharLcd::new(bus.clone(), NoopDelay, ADDRESS, glass);
        lcd.show(&shown()).unwrap();
        lcd.show(&shown()).unwrap();
        bus.done();
    }
}

#[test]
fn it_is_given_the_time_that_it_needs() {
    let long = Delay::delay_us(4_500);
    let short = Delay::delay_us(150);
    let mut delay =
        CheckedDelay::new(&[Delay::delay_ms(50), long.clone(), short.clone(), short.clone(), short, long]);
    let blank = [b' '; 20];
    let mut bus = Mock::new(&[start(), lines(&blank, &blank)].concat());
    CharLcd::new(bus.clone(), delay.clone(), ADDRESS, Glass::TwoByTwenty).show(&Default::default()).unwrap();
    bus.done();
    delay.done();
}

#[test]
fn after_an_error_it_is_started_again() {
    let blank = [b' '; 20];
    let mut broken = [start(), lines(&blank, &blank)].concat();
    broken.truncate(15);
    let last = broken.pop().unwrap().with_error(ErrorKind::Other);
    let expected = [broken, vec![last], start(), lines(&blank, &blank)].concat();
    let mut bus = Mock::new(&expected);
    let mut lcd = CharLcd::new(bus.clone(), NoopDelay, ADDRESS, Glass::TwoByTwenty);
    assert!(lcd.show(&Default::default()).is_err());
    lcd.show(&Default::default()).unwrap();
    bus.done();
}

#[tokio::test]
async fn it_is_a_display_like_any_other() {
    let upper = b"Milch           1,09";
    let missing = Transaction::write(ADDRESS, half(3, 0)).with_error(ErrorKind::Other);
    let expected = [start(), lines(upper, &[b' '; 20]), lines(upper, &[b' '; 20])].concat();
    let mut bus = Mock::new(&[vec![missing], expected].concat());
    let mut here = Display::on(CharLcd::new(bus.clone(), NoopDelay, ADDRESS, Glass::TwoByTwenty)).unwrap();
    let milk = || [DisplayLine::new("Milch", "1,09"), DisplayLine::default()];
    let fault = here.show(milk()).await.unwrap_err();
    assert!(matches!(fault, DisplayFault::Lost { device: Device::Display, .. }), "{fault}");
    here.show(milk()).await.unwrap();
    here.show(milk()).await.unwrap();
    bus.done();
}

/// A bus that somebody holds down until he is told to let go.
struct Held(mpsc::Receiver<()>);

impl ErrorType for Held {
    type Error = ErrorKind;
}

impl I2c for Held {
    fn transaction(&mut self, _: u8, _: &mut [Operation<'_>]) -> Result<(), ErrorKind> {
        let _ = self.0.recv();
        Ok(())
    }
}

#[tokio::test]
async fn a_bus_that_is_held_down_is_a_fault_within_a_second() {
    let (let_go, held) = mpsc::channel();
    let mut here = Display::on(CharLcd::new(Held(held), NoopDelay, ADDRESS, Glass::TwoByTwenty)).unwrap();
    for _ in 0..3 {
        let begun = Instant::now();
        let fault = here.show(["Milch", "1,09"]).await.unwrap_err();
        assert_eq!(fault, DisplayFault::Silent { device: Device::Display, waited: SHOWN_WITHIN });
        assert!(begun.elapsed() < SHOWN_WITHIN * 5, "{:?}", begun.elapsed());
    }
    drop(let_go);
    let mut tries = 0;
    while here.show(["Milch", "1,09"]).await.is_err() {
        tries += 1;
        assert!(tries < 100, "it never came back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[test]
fn a_bus_that_is_not_there_is_said_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let missing = I2cDisplay::new(folder.path().join("i2c-1"), ADDRESS).open().unwrap_err();
    assert!(matches!(missing, DisplayFault::Missing { .. }) && missing.kind() == Kind::Operator, "{missing}");
    let file = folder.path().join("file");
    std::fs::write(&file, "no bus").unwrap();
    let refused = I2cDisplay::new(file, ADDRESS).open().unwrap_err();
    assert!(
        matches!(refused, DisplayFault::Refused { .. }) && refused.kind() == Kind::Technician,
        "{refused}"
    );
}

/// The module i2c-stub simulates a chip that takes SMBus commands only, and a character display is written to without
/// them: all that can be tried there is that the bus is opened, and that its refusal is told.
#[tokio::test]
async fn a_bus_of_the_kernel_is_opened_and_what_it_refuses_is_told() {
    let Some(bus) = bus_called("SMBus stub") else {
        println!(
            "SKIPPED: no bus of i2c-stub; load i2c-dev and i2c-stub (chip_addr=0x27), or run scripts/hil-linux"
        );
        return;
    };
    let mut here = I2cDisplay::new(bus, ADDRESS).open().unwrap();
    let fault = here.show(["Milch", "1,09"]).await.unwrap_err();
    assert!(matches!(fault, DisplayFault::Lost { .. }), "{fault}");
}

/// A bus that only notes what it is told.
struct Noted(Vec<u8>);

impl ErrorType for Noted {
    type Error = ErrorKind;
}

impl I2c for Noted {
    fn transaction(&mut self, _: u8, operations: &mut [Operation<'_>]) -> Result<(), ErrorKind> {
        for operation in operations {
            let Operation::Write(bytes) = operation else { return Err(ErrorKind::Other) };
            self.0.extend_from_slice(bytes);
        }
        Ok(())
    }
}

/// The module `hil-tests/linux/i2c-display.c` simulates a bus with a display that can be unplugged, and keeps what it was
/// written.
#[tokio::test]
async fn a_display_on_a_bus_of_the_kernel_gets_the_same_bytes() {
    let Some(bus) = bus_called("simulated display") else {
        println!("SKIPPED: no bus of i2c-display; scripts/hil-linux runs this test where there is one");
        return;
    };
    let present = Path::new("/sys/module/i2c_display/parameters/present");
    let written = || std::fs::read("/sys/kernel/debug/i2c-display/written").unwrap();
    let mut expected = written();
    let mut add = |times: usize| {
        let mut lcd = CharLcd::new(Noted(Vec::new()), NoopDelay, ADDRESS, Glass::TwoByTwenty);
        (0..times).for_each(|_| lcd.show(&shown()).unwrap());
        expected.extend(lcd.release().0.0);
        expected.clone()
    };
    let mut here = I2cDisplay::new(bus.clone(), ADDRESS).open().unwrap();
    here.show(shown()).await.unwrap();
    here.show(shown()).await.unwrap();
    assert_eq!(written(), add(2));
    let mut nobody = I2cDisplay::new(bus, 0x3f).open().unwrap();
    let fault = nobody.show(shown()).await.unwrap_err();
    assert!(matches!(fault, DisplayFault::Lost { .. }), "{fault}");
    std::fs::write(present, "N").unwrap();
    let fault = here.show(shown()).await.unwrap_err();
    assert!(matches!(fault, DisplayFault::Lost { device: Device::Display, .. }), "{fault}");
    // It may have been another's glass meanwhile, or without power: it is started again.
    std::fs::write(present, "Y").unwrap();
    here.show(shown()).await.unwrap();
    assert_eq!(written(), add(1));
}

/// A simulated bus of the kernel, by its name: others belong to real devices.
fn bus_called(name: &str) -> Option<PathBuf> {
    let called = |bus: &str| {
        let file = Path::new("/sys/class/i2c-dev").join(bus).join("name");
        std::fs::read_to_string(file).is_ok_and(|text| text.contains(name))
    };
    (0..32).map(|n| format!("i2c-{n}")).find(|bus| called(bus)).map(|bus| Path::new("/dev").join(bus))
}
