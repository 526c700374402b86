//! What the link costs: goodput on a line of 115200 baud, byte by byte, and a controller's memory. Virtual time: the same figures on every machine.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

use std::collections::VecDeque;
use std::mem::size_of;

use pos_link::{Controller, Event, Host, Id, Outbox, Session, Side, Stamp, StreamId, ToController, ToHost};

/// A byte on the line: a start bit, eight, a stop bit. Nanoseconds.
const BYTE: u64 = 10 * 1_000_000_000 / 115_200;
const SECONDS: u64 = 20;

type Scanner = Session<Controller, Outbox<2048>, 2048, 512>;
type Daemon = Session<Host, Outbox<4096>, 4096, 4096>;

/// An end whose UART shifts one byte at a time, and whose application needs a while for each message.
struct End<S: Side, const OUT: usize, const IN: usize> {
    session: Session<S, Outbox<OUT>, OUT, IN>,
    shifting: VecDeque<u8>,
    /// Microseconds to store what follows from a message.
    storing: u64,
    stored: VecDeque<(u64, Id)>,
}

impl<S: Side, const OUT: usize, const IN: usize> End<S, OUT, IN> {
    fn new(boot: u32, storing: u64) -> Self {
        let session = Session::new(boot, Outbox::new(StreamId(boot)), None, 0);
        Self { session, shifting: VecDeque::new(), storing, stored: VecDeque::new() }
    }

    /// The byte that it begins to shift out.
    fn shift(&mut self, now: u64) -> Option<u8> {
        if self.shifting.is_empty() {
            self.shifting.extend(self.session.poll_output(now).unwrap_or_default());
        }
        self.shifting.pop_front()
    }

    /// Gives the messages that were handed out.
    fn take(&mut self, byte: Option<u8>, now: u64) -> Vec<S::Hears> {
        self.session.handle(byte.as_slice(), now);
        if self.session.poll_timeout() <= now {
            self.session.handle_timeout(now);
        }
        let mut messages = Vec::new();
        while let Some(event) = self.session.poll_event() {
            if let Event::Message { id, message } = event {
                self.stored.push_back((now + self.storing, id));
                messages.push(message);
            }
        }
        while let Some((_, id)) = self.stored.pop_front_if(|(at, _)| *at <= now) {
            assert!(self.session.accept(id));
        }
        messages
    }
}

/// Bytes of data each way in a second of a line whose ends always have something to say, if they say anything.
fn goodput(up: Option<&ToHost>, down: Option<&ToController>) -> (u64, u64) {
    let (mut scanner, mut daemon) =
        (End::<Controller, 2048, 512>::new(1, 1_000), End::<Host, 4096, 4096>::new(2, 5_000));
    let (mut carried_up, mut carried_down) = (0, 0);
    for tick in 0..SECONDS * 115_200 / 10 {
        let now = tick * BYTE / 1_000;
        while up.is_some_and(|message| scanner.session.send(message).is_ok()) {}
        while down.is_some_and(|message| daemon.session.send(message).is_ok()) {}
        let (rising, falling) = (scanner.shift(now), daemon.shift(now));
        for message in daemon.take(rising, now + BYTE / 1_000) {
            let ToHost::Scan { data, .. } = message else { unreachable!() };
            carried_up += data.len();
        }
        for message in scanner.take(falling, now + BYTE / 1_000) {
            let ToController::UpdateChunk { data, .. } = message else { unreachable!() };
            carried_down += data.len();
        }
    }
    let again = scanner.session.counters().again + daemon.session.counters().again;
    assert_eq!(again, 0, "nothing was lost, so nothing is sent again");
    (carried_up as u64 / SECONDS, carried_down as u64 / SECONDS)
}

fn scan(length: usize) -> ToHost {
    let data = vec![b'8'; length].into_iter().collect();
    ToHost::Scan { at: Stamp::default(), symbology: *b"d2", more: false, data }
}

#[test]
fn seventy_per_cent_of_the_line_carry_data() {
    let chunk = ToController::UpdateChunk { offset: 0, data: [0x5a; 128].into_iter().collect() };
    let percent = |bytes: u64| bytes * 10 * 100 / 115_200;
    let (_, update) = goodput(None, Some(&chunk));
    let (codes, _) = goodput(Some(&scan(160)), None);
    let (both_up, both_down) = goodput(Some(&scan(160)), Some(&chunk));
    let (articles, _) = goodput(Some(&scan(13)), None);
    println!("update: {update} bytes/s, {} % of the line", percent(update));
    println!("scans of 160 bytes: {codes} bytes/s, {} %", percent(codes));
    println!("both at once: {} % up, {} % down", percent(both_up), percent(both_down));
    println!("scans of an EAN-13: {} a second", articles / 13);
    assert!(percent(update) >= 70 && percent(codes) >= 70);
    assert!(percent(both_up) >= 70 && percent(both_down) >= 70);
    assert!(articles / 13 > 250);
}

#[test]
fn a_session_of_a_controller_fits_into_little_memory() {
    let scanner = size_of::<Scanner>();
    let drawer = size_of::<Session<Controller, Outbox<512>, 512, 256>>();
    let elsewhere = size_of::<Session<Controller, &mut Outbox<2048>, 2048, 512>>();
    println!("scanner's session: {scanner} bytes, {elsewhere} beside an outbox that is kept elsewhere");
    println!("drawer's session: {drawer} bytes; daemon's: {} bytes", size_of::<Daemon>());
    assert!(scanner <= 4_096, "{scanner}: 2048 of outbox, 512 of inbox, and the rest");
    assert!(drawer <= 2_304, "{drawer}");
    assert!(elsewhere <= scanner - 2_048);
}
