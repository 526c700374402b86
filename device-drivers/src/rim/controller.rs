//! The box's end of a line to one of our own controllers: a session of `pos_link` over a serial port.

use std::io;
use std::path::Path;
use std::time::Duration;

use pos_link::{
    Cursor, Event, Host, Id, LONGEST_FRAME, Outbox, SendError, Session, StreamId, ToController, ToHost,
};
use tokio::time::timeout;

use super::exchange::Moved;
use super::serial::{self, Line, Port};
use crate::fault::{Device, DeviceFault};
use crate::moment::Moment;

/// Bytes of what is said that wait for the controller.
const OUT: usize = 4_096;
/// Bytes of what the controller tells that wait to be taken.
const IN: usize = 16_384;
/// Controllers talk so fast: 115200 8N1.
const LINE: Line = Line { baud: 115_200, seven_bits: false, parity: None, xon_xoff: false };

type HostSession = Session<Host, Outbox<OUT>, OUT, IN>;

/// An open line with the session on it, which outlives reboots of the controller, but not the line.
#[derive(Debug)]
pub struct ControllerLine {
    port: Port,
    session: Box<HostSession>,
    /// A frame on its way to the port, and how far it is.
    frame: heapless::Vec<u8, LONGEST_FRAME>,
    sent: usize,
    chance: fn() -> u32,
}

impl ControllerLine {
    /// Opens the port, and says hello. `chance` draws a random number, new each time: boots and streams are told apart by it.
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`DeviceFault::Missing`] or [`DeviceFault::Refused`].
    pub fn open(path: &Path, cursor: Option<Cursor>, chance: fn() -> u32) -> Result<Self, DeviceFault> {
        let opened = serial::open(path, LINE).and_then(|mut port| {
            // What was said to an earlier session says nothing to this one.
            port.forget()?;
            Ok(port)
        });
        let port = opened.map_err(|error| DeviceFault::opening(Device::Controller, path, &error))?;
        let session = session(cursor, chance);
        Ok(Self { port, session, frame: heapless::Vec::new(), sent: 0, chance })
    }

    /// Begins a new session that knows of this cursor. What was to be said is dropped; what the controller told and was not
    /// accepted comes again.
    pub fn restart(&mut self, cursor: Cursor) {
        self.session = session(Some(cursor), self.chance);
    }

    /// Moves some bytes, or waits until there is something to say again. Look for events after each call. Safe to cancel.
    ///
    /// # Errors
    /// [`DeviceFault::Lost`]: drop it, and open it again when the port is back.
    pub async fn work(&mut self) -> Result<(), DeviceFault> {
        let mut into = [0; 512];
        if self.sent >= self.frame.len() {
            self.sent = 0;
            self.frame.clear();
            if let Some(frame) = self.session.poll_output(now()) {
                // It fits: no frame is longer.
                let _ = self.frame.extend_from_slice(frame);
            }
        }
        let wait = Duration::from_micros(self.session.poll_timeout().saturating_sub(now()));
        let rest = self.frame.get(self.sent..).unwrap_or_default();
        match timeout(wait, self.port.exchange(&mut into, rest)).await {
            Ok(Ok(Moved::Read(count))) => {
                self.session.handle(into.get(..count).unwrap_or_default(), now());
            }
            Ok(Ok(Moved::Written(count))) => self.sent = self.sent.saturating_add(count),
            Ok(Err(error)) => return Err(lost(&error)),
            Err(_) => {}
        }
        if now() >= self.session.poll_timeout() {
            self.session.handle_timeout(now());
        }
        Ok(())
    }

    /// What happened next.
    pub fn poll_event(&mut self) -> Option<Event<ToHost>> {
        self.session.poll_event()
    }

    /// Says something to the controller: it is sent until it arrives, as long as the line is open.
    ///
    /// # Errors
    /// [`SendError`]: too much waits already.
    pub fn say(&mut self, said: &ToController) -> Result<Id, SendError> {
        self.session.send(said)
    }

    /// This message, and all before it, need not come again.
    pub fn accept(&mut self, id: Id) {
        self.session.accept(id);
    }

    /// Whether the controller is there.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.session.is_up()
    }

    /// How far the controller's messages were accepted.
    #[must_use]
    pub fn cursor(&self) -> Option<Cursor> {
        self.session.cursor()
    }
}

fn session(cursor: Option<Cursor>, chance: fn() -> u32) -> Box<HostSession> {
    Box::new(Session::new(chance(), Outbox::new(StreamId(chance())), cursor, now()))
}

fn lost(error: &io::Error) -> DeviceFault {
    DeviceFault::lost(Device::Controller, error)
}

fn now() -> pos_link::Micros {
    Moment::now().as_micros()
}
