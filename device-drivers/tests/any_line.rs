//! The serial drivers on lines that are not of this machine: mocks that know what must go over them, byte by byte, and a
//! clock on which waiting takes no time. As in firmware, there is no runtime: whatever is not done at once never would be.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use device_drivers::{
    Clock, Dialect, DisplayLine, DisplayWire, Framing, HALF, Moment, Reading, Refused, SHOWN_WITHIN,
    SILENT_AFTER, ScaleWire, ScannerWire, Talk, Unit, Weight, WireFault, begin, show,
};
use embedded_hal_async::delay::DelayNs;
use embedded_hal_mock::eh1::serial::{Mock, Transaction};
use embedded_hal_nb::nb;
use embedded_hal_nb::serial::{ErrorKind as UartError, Read as _, Write as _};
use embedded_io_async::{ErrorKind, ErrorType, Read, Write};

const ECHO: Duration = Duration::from_millis(50);
const POLLED: Talk = Talk::Polled { unit: Unit::Kilogram, places: 3 };

/// A UART of which each byte is expected.
struct Uart(Mock<u8>);

fn step<T>(done: nb::Result<T, UartError>) -> Poll<Result<T, ErrorKind>> {
    match done {
        Ok(done) => Poll::Ready(Ok(done)),
        Err(nb::Error::WouldBlock) => Poll::Pending,
        Err(nb::Error::Other(_)) => Poll::Ready(Err(ErrorKind::Other)),
    }
}

impl ErrorType for Uart {
    type Error = ErrorKind;
}

impl Read for Uart {
    async fn read(&mut self, into: &mut [u8]) -> Result<usize, ErrorKind> {
        into[0] = poll_fn(|_| step(self.0.read())).await?;
        Ok(1)
    }
}

impl Write for Uart {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        poll_fn(|_| step(self.0.write(bytes[0]))).await?;
        Ok(1)
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        poll_fn(|_| step(self.0.flush())).await
    }
}

/// A clock that is put on by whoever waits for it.
#[derive(Clone, Default)]
struct Hand(Rc<Cell<Moment>>);

impl Hand {
    fn ms(&self) -> u64 {
        self.now().as_micros() / 1_000
    }
}

impl Clock for Hand {
    fn now(&self) -> Moment {
        self.0.get()
    }
}

impl DelayNs for Hand {
    async fn delay_ns(&mut self, ns: u32) {
        self.0.set(self.now() + Duration::from_nanos(ns.into()));
    }
}

/// What a future comes to that waits for nothing but the clock.
fn at_once<T>(work: impl Future<Output = T>) -> T {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("it waits for ever"),
    }
}

/// Nothing comes.
fn nothing() -> Transaction<u8> {
    Transaction::read_error(nb::Error::WouldBlock)
}

/// This byte is not taken.
fn stuck(byte: u8) -> Transaction<u8> {
    Transaction::write_error(byte, nb::Error::WouldBlock)
}

fn broken() -> Transaction<u8> {
    Transaction::read_error(nb::Error::Other(UartError::Overrun))
}

fn uart(expected: &[Transaction<u8>]) -> (Uart, Mock<u8>, Hand) {
    let mock = Mock::new(expected);
    (Uart(mock.clone()), mock, Hand::default())
}

#[test]
fn a_scanner_is_read_and_time_ends_what_it_left_unfinished() {
    let (line, mut mock, hand) = uart(&[
        Transaction::read_many(b"96385074\r\n40063"),
        nothing(),
        Transaction::read_many(b"111\r"),
        Transaction::write_many(b"\x07"),
        broken(),
    ]);
    let mut scanner = ScannerWire::new(line, hand.clone(), Framing::Line, ECHO);
    assert_eq!(at_once(scanner.next()), Ok("96385074"));
    assert_eq!(hand.ms(), 0);
    assert_eq!(at_once(scanner.next()), Ok("111"));
    assert_eq!((hand.now().since(Moment::default()), scanner.refused().half), (HALF, 1));
    assert_eq!(at_once(scanner.say(b"\x07")), Ok(()));
    assert_eq!(at_once(scanner.next()), Err(WireFault::Failed(ErrorKind::Other)));
    mock.done();

    let (line, mut mock, hand) = uart(&[Transaction::read_many(b"4006"), nothing()]);
    let mut scanner = ScannerWire::new(line, hand.clone(), Framing::Idle(Duration::from_millis(30)), ECHO);
    assert_eq!((at_once(scanner.next()), hand.ms()), (Ok("4006"), 30));
    mock.done();
}

#[test]
fn scans_that_came_together_are_given_one_by_one_as_of_when_they_came() {
    let hand = Hand::default();
    let line = b"111\r111\r222\r3".as_slice();
    let mut scanner = ScannerWire::new(line, hand.clone(), Framing::Line, ECHO);
    assert_eq!(at_once(scanner.next()), Ok("111"));
    // Who takes them is slow; that makes no second scan of an echo.
    at_once(hand.clone().delay_ms(100));
    assert_eq!(at_once(scanner.next()), Ok("222"));
    assert_eq!(scanner.refused(), Refused { echoes: 1, ..Refused::default() });
    assert_eq!(at_once(scanner.next()), Err(WireFault::Ended));
}

#[test]
fn a_scale_is_asked_heard_and_found_silent() {
    let ask = || [nothing(), Transaction::write(b'W')];
    let mut expected = Vec::from(ask());
    expected.push(Transaction::read_many(b"\x0200475\r"));
    // Then it does not answer any more.
    (0..5).for_each(|_| expected.extend(ask()));
    expected.extend([nothing(), Transaction::write(b'Z'), Transaction::write(b'W'), broken()]);
    let (line, mut mock, hand) = uart(&expected);
    let mut scale = ScaleWire::new(line, hand.clone(), POLLED);
    let weight = Weight { thousandths: 475, unit: Unit::Kilogram };
    assert_eq!((at_once(scale.next()), hand.ms()), (Ok(Reading::Stable(weight)), 0));
    let silent = WireFault::Silent { waited: SILENT_AFTER };
    assert_eq!((at_once(scale.next()), hand.ms()), (Err(silent), 1_200));
    assert_eq!(at_once(scale.zero()), Ok(()));
    assert_eq!(at_once(scale.next()), Err(WireFault::Failed(ErrorKind::Other)));
    mock.done();
}

#[test]
fn a_scale_whose_line_takes_nothing_is_silent() {
    let asked = || stuck(b'W');
    let expected = [nothing(), asked(), asked(), asked(), asked(), asked(), stuck(b'Z')];
    let (line, mut mock, hand) = uart(&expected);
    let mut scale = ScaleWire::new(line, hand.clone(), POLLED);
    let silent = WireFault::Silent { waited: SILENT_AFTER };
    assert_eq!((at_once(scale.next()), hand.ms()), (Err(silent), 1_000));
    assert_eq!((at_once(scale.zero()), hand.ms()), (Err(silent), 2_000));
    mock.done();
}

#[test]
fn a_display_is_started_once_and_again_after_lines_that_got_stuck() {
    let lines = [DisplayLine::new("Milch", "1,09"), DisplayLine::default()];
    let shown = show(&lines, Dialect::Cd5220);
    let started = [b"\r".as_slice(), &begin(Dialect::Cd5220), &shown].concat();
    let (line, mut mock, hand) = uart(&[
        Transaction::write_many(&started),
        Transaction::flush(),
        Transaction::write_many(&shown),
        Transaction::flush(),
        Transaction::write_many(&shown[..7]),
        stuck(shown[7]),
        Transaction::write_many(&started),
        Transaction::flush_error(nb::Error::WouldBlock),
        Transaction::write_many(&started),
        Transaction::flush(),
        broken(),
    ]);
    let mut display = DisplayWire::new(line, hand.clone(), Dialect::Cd5220);
    let silent = Err(WireFault::Silent { waited: SHOWN_WITHIN });
    for (said, ms) in [(Ok(()), 0), (Ok(()), 0), (silent, 1_000), (silent, 2_000), (Ok(()), 2_000)] {
        assert_eq!((at_once(display.show(&lines)), hand.ms()), (said, ms));
    }
    assert_eq!(at_once(display.lost()), WireFault::Failed(ErrorKind::Other));
    mock.done();
}
