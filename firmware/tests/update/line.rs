//! An update over a line of 115200 baud of a controller that hears 32 bytes, and no more, while it erases: in virtual time, with a
//! flash as slow as they are.

use core::time::Duration;
use std::collections::VecDeque;

use device_drivers::Moment;
use firmware::update::Receiver;
use firmware::{Boot, Unit};
use pos_link::{Ended, Event, Host, News, Outbox, Session, StreamId, Upload};

use crate::flash::Flash;
use crate::random::Random;
use crate::serial::{Serial, boot, made};
use crate::shop::{Does, Image, image};
use crate::unit::{Idle, Ram};

/// What a UART keeps each way.
const FIFO: usize = 32;
/// Microseconds of a byte.
const BYTE: u64 = 87;

struct Line {
    flash: Flash,
    images: [Image; 2],
    unit: Unit<Idle, Ram, Receiver<Serial>>,
    ram: Ram,
    host: Session<Host, Outbox<2048>, 2048, 2048>,
    now: Moment,
    boots: u8,
    /// Of the host, on its way; and what the controller's UART has heard.
    host_says: VecDeque<u8>,
    heard: VecDeque<u8>,
    /// Of the controller, and what of it its UART has.
    saying: VecDeque<u8>,
    says: VecDeque<u8>,
    lost: u32,
    gone: u32,
}

impl Line {
    fn new(old: Image, new: Image) -> Self {
        let (flash, ram) = (made(&old, Random::new()), Ram::woken());
        let images = [old, new];
        let unit = start(&flash, &images, &ram, 1, Moment::default());
        let host = Session::new(77, Outbox::new(StreamId(7)), None, 0);
        let [host_says, heard, saying, says] = [(); 4].map(|()| VecDeque::new());
        let now = Moment::default();
        Self {
            flash,
            images,
            unit,
            ram,
            host,
            now,
            boots: 1,
            host_says,
            heard,
            saying,
            says,
            lost: 0,
            gone: 0,
        }
    }

    /// The line carries a byte each way, and the host looks.
    fn a_byte_later(&mut self, upload: &mut Upload<&[u8]>) {
        self.now += Duration::from_micros(BYTE);
        let micros = self.now.as_micros();
        if let Some(byte) = self.host_says.pop_front() {
            if self.heard.len() < FIFO {
                self.heard.push_back(byte);
            } else {
                self.lost += 1;
            }
        }
        if let Some(byte) = self.says.pop_front() {
            self.host.handle(&[byte], micros);
        }
        self.host.handle_timeout(micros);
        if self.host_says.is_empty()
            && let Some(bytes) = self.host.poll_output(micros)
        {
            self.host_says.extend(bytes);
        }
        while let Some(event) = self.host.poll_event() {
            match event {
                Event::Message { id, message } => {
                    upload.handle(&message);
                    self.host.accept(id);
                }
                Event::Datagram(message) => upload.handle(&message),
                Event::News(News::Gone) => self.gone += 1,
                Event::Skipped { .. } | Event::News(_) => {}
            }
        }
        while let Some(said) = upload.poll()
            && self.host.send(&said).is_ok()
        {
            upload.sent();
        }
    }

    /// As a board's loop goes around.
    fn go_around(&mut self, upload: &mut Upload<&[u8]>) {
        let (now, before) = (self.now, self.flash.0.borrow().still);
        let heard: Vec<u8> = self.heard.drain(..).collect();
        self.unit.hear(&heard, now);
        self.unit.handle_timeout(now);
        if self.saying.is_empty()
            && let Some(bytes) = self.unit.poll_output(now)
        {
            self.saying.extend(bytes);
        }
        while self.says.len() < FIFO
            && let Some(byte) = self.saying.pop_front()
        {
            self.says.push_back(byte);
        }
        let still = self.flash.0.borrow().still - before;
        assert!(still < 1_000_000, "the watchdog is fed in time, not after {still} µs");
        for _ in 0..still / BYTE + 2 {
            self.a_byte_later(upload);
        }
        if self.unit.wants_reboot() && self.saying.is_empty() {
            self.boots += 1;
            self.unit = start(&self.flash, &self.images, &self.ram, self.boots, self.now);
        }
    }
}

fn start(
    flash: &Flash,
    [old, new]: &[Image; 2],
    ram: &Ram,
    boots: u8,
    now: Moment,
) -> Unit<Idle, Ram, Receiver<Serial>> {
    let (receiver, _) = boot(flash, &[old, new], now).unwrap();
    let firmware = receiver.version();
    let boot = Boot { seed: [boots; 32], key: [5; 32], hardware: *b"drawer-1", firmware, by_watchdog: false };
    Unit::with_updates(&boot, ram.clone(), receiver, now, |_| Idle::new())
}

#[test]
fn what_is_lost_while_the_flash_is_erased_is_sent_again() {
    let mut line = Line::new(image(1, 2_000, Does::Well), image(2, 60_000, Does::Well));
    let new = line.images[1].clone();
    let mut upload = new.upload();
    while upload.ended().is_none() {
        line.go_around(&mut upload);
        assert!(line.now.as_micros() < 60_000_000, "it never ends: {upload:?}");
    }
    println!("{} µs, {} bytes lost, {} times gone", line.now.as_micros(), line.lost, line.gone);
    assert_eq!((upload.ended(), line.boots, line.gone), (Some(Ended::Confirmed), 2, 0));
    assert!(line.lost > 0, "nothing was lost: the line is not as it should be");
}
