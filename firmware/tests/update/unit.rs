//! A whole controller that is updated over its session, in virtual time.

use core::time::Duration;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use device_drivers::Moment;
use firmware::update::{Receiver, TRIAL_PATIENCE};
use firmware::{Behaviour, Boot, Memory, Place, Retained, Unit};
use pos_link::{
    Ended, Event, Host, Id, Kind, Outbox, Session, StreamId, ToController, ToHost, UpdateRefusal, Upload,
};

use crate::flash::Flash;
use crate::random::Random;
use crate::shop::{Board, Does, Image, image, version};

/// Memory that all boots share.
#[derive(Clone)]
pub(crate) struct Ram(Rc<RefCell<[[u8; Place::LEN]; 3]>>);

impl Ram {
    /// After the power was off.
    pub(crate) fn woken() -> Self {
        Self(Rc::new(RefCell::new([[0xa5; Place::LEN]; 3])))
    }
}

impl Memory for Ram {
    fn read(&self, place: Place, from: usize, into: &mut [u8]) {
        into.copy_from_slice(&self.0.borrow()[place as usize][from..][..into.len()]);
    }

    fn write(&mut self, place: Place, from: usize, bytes: &[u8]) {
        self.0.borrow_mut()[place as usize][from..][..bytes.len()].copy_from_slice(bytes);
    }
}

/// A controller that has nothing to do, but is busy or not well at times.
#[derive(Clone)]
pub(crate) struct Idle(Rc<Cell<(bool, bool)>>);

impl Idle {
    /// Not busy, and well.
    pub(crate) fn new() -> Self {
        Self(Rc::new(Cell::new((false, true))))
    }
}

impl Behaviour for Idle {
    const KIND: Kind = Kind::Drawer;

    fn handle(&mut self, _: &ToController, _: impl FnOnce() -> [u8; 16], _: Moment) -> bool {
        false
    }

    fn host_gone(&mut self) {}

    fn handle_timeout(&mut self, _: Moment) {}

    fn report_due(&self) -> Option<ToHost> {
        None
    }

    fn reported(&mut self, _: Option<Id>) {}

    fn retained(&mut self, _: Moment) -> Retained {
        Retained::default()
    }

    fn is_busy(&self) -> bool {
        self.0.get().0
    }

    fn is_well(&self) -> bool {
        self.0.get().1
    }
}

struct Counter {
    board: Board,
    ram: Ram,
    idle: Idle,
    unit: Unit<Idle, Ram, Receiver<Flash>>,
    host: Session<Host, Outbox<2048>, 2048, 2048>,
    now: Moment,
    boots: u8,
    plugged: bool,
    bad_offsets: u32,
}

impl Counter {
    fn new(old: &Image, new: &Image) -> Self {
        let mut board = Board::new(old, Random::new());
        board.knows(new);
        let (ram, idle) = (Ram::woken(), Idle::new());
        let unit = boot(&mut board, &ram, &idle, 1, Moment::default());
        let host = Session::new(77, Outbox::new(StreamId(7)), None, 0);
        Self { board, ram, idle, unit, host, now: Moment::default(), boots: 1, plugged: true, bad_offsets: 0 }
    }

    fn wait(&mut self, ms: u32, upload: &mut Upload<&[u8]>) {
        for _ in 0..ms {
            self.now += Duration::from_millis(1);
            let (now, micros) = (self.now, self.now.as_micros());
            self.unit.handle_timeout(now);
            self.host.handle_timeout(micros);
            while let Some(bytes) = self.unit.poll_output(now) {
                if self.plugged {
                    self.host.handle(bytes, micros);
                }
            }
            while let Some(bytes) = self.host.poll_output(micros) {
                if self.plugged {
                    self.unit.hear(bytes, now);
                }
            }
            while let Some(event) = self.host.poll_event() {
                match event {
                    Event::Message { id, message } => {
                        if let ToHost::UpdateRefused { reason: UpdateRefusal::BadOffset, .. } = message {
                            self.bad_offsets += 1;
                        }
                        upload.handle(&message);
                        self.host.accept(id);
                    }
                    Event::Datagram(message) => upload.handle(&message),
                    Event::Skipped { .. } | Event::News(_) => {}
                }
            }
            while let Some(said) = upload.poll()
                && self.host.send(&said).is_ok()
            {
                upload.sent();
            }
            if self.unit.wants_reboot() {
                self.boots += 1;
                self.unit = boot(&mut self.board, &self.ram, &self.idle, self.boots, now);
            }
        }
    }
}

fn boot(
    board: &mut Board,
    ram: &Ram,
    idle: &Idle,
    boots: u8,
    now: Moment,
) -> Unit<Idle, Ram, Receiver<Flash>> {
    board.now = now;
    board.boot().unwrap();
    let receiver = board.on.take().unwrap().receiver;
    let boot = Boot {
        seed: [boots; 32],
        key: [5; 32],
        hardware: *b"drawer-1",
        firmware: receiver.version(),
        by_watchdog: false,
    };
    Unit::with_updates(&boot, ram.clone(), receiver, now, |_| idle.clone())
}

#[test]
fn an_image_comes_over_the_session_and_stays_when_the_box_is_heard() {
    let (old, new) = (image(1, 2_000, Does::Well), image(2, 7_000, Does::Well));
    let mut counter = Counter::new(&old, &new);
    let mut upload = new.upload();
    counter.wait(2_000, &mut upload);
    assert_eq!((upload.ended(), counter.boots), (Some(Ended::Confirmed), 2));
    counter.board.boot().unwrap();
    assert_eq!((counter.board.runs(), counter.board.state().floor), (version(2), version(2)));
}

#[test]
fn nothing_is_written_while_the_controller_is_busy_and_nothing_is_lost() {
    let (old, new) = (image(1, 2_000, Does::Well), image(2, 7_000, Does::Well));
    let mut counter = Counter::new(&old, &new);
    let mut upload = new.upload();
    while upload.ended().is_none() {
        counter.wait(7, &mut upload);
        counter.idle.0.set((true, true));
        let (changes, boots) = (counter.board.flash.0.borrow().changes, counter.boots);
        counter.wait(30, &mut upload);
        assert_eq!((counter.board.flash.0.borrow().changes, counter.boots), (changes, boots));
        counter.idle.0.set((false, true));
        assert!(counter.now.as_micros() < 60_000_000, "it never ends: {upload:?}");
    }
    assert_eq!((upload.ended(), counter.bad_offsets), (Some(Ended::Confirmed), 0));
}

#[test]
fn what_hears_no_box_or_is_not_well_goes_back() {
    let (old, new) = (image(1, 2_000, Does::Well), image(2, 7_000, Does::Well));
    for (plugged, well) in [(false, true), (true, false)] {
        let mut counter = Counter::new(&old, &new);
        let mut upload = new.upload();
        while counter.boots == 1 {
            counter.wait(1, &mut upload);
        }
        counter.plugged = plugged;
        counter.idle.0.set((true, well));
        let patience = u32::try_from(TRIAL_PATIENCE.as_millis()).unwrap();
        counter.wait(patience + 50, &mut upload);
        assert_eq!((counter.boots, upload.ended()), (2, None), "what it is busy with ends first");
        counter.idle.0.set((false, well));
        counter.wait(patience * 2 - 50, &mut upload);
        assert_eq!((counter.boots, upload.ended()), (4, None));
        counter.wait(200, &mut upload);
        counter.plugged = true;
        counter.wait(3_000, &mut upload);
        assert_eq!(upload.ended(), Some(Ended::Refused(UpdateRefusal::DidNotStart)));
        counter.wait(patience * 3, &mut upload);
        assert_eq!((counter.boots, counter.board.state().floor), (5, version(1)));
    }
}
