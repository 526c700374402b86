//! The inside of the virtual printer: bytes in, paper and answers out; no socket, no clock.

use std::collections::VecDeque;
use std::sync::Arc;

use super::decoder::{Decoder, Event};
use super::printer::{Faults, Receipt};
use crate::paper::{Mark, Paper};
use crate::printer::profile::{Language, Profile};
use crate::printer::status::Status;

/// Bytes that it takes while it cannot print.
const RECEIVE_BUFFER: usize = 64 * 1024;
/// The same of a printer on a line: beyond the mark at which it asks the other end to wait there is room for what is under
/// way already.
const LINE_BUFFER: usize = LINE_MARK + 16 * 1024;
const LINE_MARK: usize = 4 * 1024;
/// The pieces of paper that are kept, the last ones.
const RECEIPTS_KEPT: usize = 50;

/// What came of some bytes.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// To be sent back.
    pub(super) answers: Vec<u8>,
    /// Something was received or printed.
    pub(super) changed: bool,
    /// The connection is to be ended now.
    pub(super) hang_up: bool,
}

#[derive(Debug)]
pub(super) struct Machine {
    profile: Profile,
    decoder: Decoder,
    faults: Faults,
    /// The first bytes of what may become a real-time request.
    held: Vec<u8>,
    waiting: VecDeque<u8>,
    capacity: usize,
    overrun: u64,
    /// Bytes of jobs received on this connection.
    received: usize,
    roll: Paper,
    receipts: VecDeque<Arc<Receipt>>,
    printed: u64,
    kicks: u64,
    drawer_open: bool,
    /// The knife jammed, and nobody has told the printer to go on.
    stopped: bool,
    /// The knife jammed in this cut.
    owes_cut: bool,
}

impl Machine {
    pub(super) fn new(profile: Profile) -> Self {
        Self::with_room(RECEIVE_BUFFER, profile)
    }

    pub(super) fn on_a_line(profile: Profile) -> Self {
        Self::with_room(LINE_BUFFER, profile)
    }

    fn with_room(capacity: usize, profile: Profile) -> Self {
        Self {
            decoder: Decoder::new(profile.clone()),
            roll: Paper::new(profile.columns),
            profile,
            faults: Faults::default(),
            held: Vec::new(),
            waiting: VecDeque::new(),
            capacity,
            overrun: 0,
            received: 0,
            receipts: VecDeque::new(),
            printed: 0,
            kicks: 0,
            drawer_open: false,
            stopped: false,
            owes_cut: false,
        }
    }

    pub(super) fn set_faults(&mut self, faults: Faults) {
        self.faults = faults;
        self.stopped |= faults.cutter_jammed;
    }

    pub(super) fn faults(&self) -> Faults {
        self.faults
    }

    pub(super) fn receipts(&self) -> impl Iterator<Item = &Arc<Receipt>> {
        self.receipts.iter()
    }

    pub(super) fn uncut(&self) -> &Paper {
        &self.roll
    }

    pub(super) fn drawer_kicks(&self) -> u64 {
        self.kicks
    }

    pub(super) fn drawer_open(&self) -> bool {
        self.drawer_open
    }

    pub(super) fn move_drawer(&mut self, open: bool) {
        self.drawer_open = open;
    }

    pub(super) fn skipped(&self) -> usize {
        self.decoder.skipped()
    }

    pub(super) fn status(&self) -> Status {
        let Faults { paper_out, paper_near_end, cover_open, .. } = self.faults;
        Status {
            offline: paper_out || cover_open || self.stopped,
            cover_open,
            paper_end: paper_out,
            paper_near_end: paper_near_end || paper_out,
            cutter_error: self.stopped,
            drawer_pin_high: self.drawer_open,
            ..Status::default()
        }
    }

    /// How many more bytes fit into the receive buffer.
    pub(super) fn room(&self) -> usize {
        self.capacity.saturating_sub(self.waiting.len())
    }

    /// Whether the other end of a line is to wait, if it `waits` so far.
    pub(super) fn filling(&self, waits: bool) -> bool {
        self.waiting.len() > if waits { LINE_MARK / 2 } else { LINE_MARK }
    }

    /// Bytes that found no room.
    pub(super) fn overrun(&self) -> u64 {
        self.overrun
    }

    /// Takes bytes from the wire, prints what can be printed, and says what to answer. Without bytes it goes
    /// on with what waits.
    pub(super) fn receive(&mut self, bytes: &[u8]) -> Heard {
        let mut heard = Heard { changed: !bytes.is_empty(), ..Heard::default() };
        for byte in bytes {
            if heard.hang_up {
                break;
            }
            self.listen(*byte, &mut heard);
        }
        self.work(&mut heard);
        if self.faults.silent {
            heard.answers.clear();
        }
        heard
    }

    /// No client is there. What was sent is still printed; half a real-time request is not. Says whether
    /// anything happened.
    pub(super) fn go_on_alone(&mut self) -> bool {
        self.held.clear();
        self.received = 0;
        let before = self.printed;
        let mut heard = Heard::default();
        self.work(&mut heard);
        if !self.profile.cuts && self.waiting.is_empty() && !self.roll.marks.is_empty() {
            // A printer without a knife: the person at the counter tears it off.
            self.tear_off();
        }
        heard.changed || self.printed != before
    }

    /// Real-time requests are answered at once, wherever they stand; all else waits its turn.
    fn listen(&mut self, byte: u8, heard: &mut Heard) {
        if self.profile.language == Language::Lines {
            return self.store(byte, heard);
        }
        self.held.push(byte);
        match self.held[..] {
            [0x10] | [0x10, 0x04 | 0x05 | 0x14] => return,
            [0x10, 0x14, 1] | [0x10, 0x14, 1, _] => return,
            // A pulse for the drawer, whatever else keeps the printer from working.
            [0x10, 0x14, 1, 0 | 1, 1..=8] => {
                self.held.clear();
                self.kick();
                heard.changed = true;
                return;
            }
            [0x10, 0x04, which] => {
                let [printer, offline, error, paper] = self.status().to_answers();
                heard.answers.extend(match which {
                    1 => Some(printer),
                    2 => Some(offline),
                    3 => Some(error),
                    4 => Some(paper),
                    _ => None,
                });
                self.held.clear();
                return;
            }
            [0x10, 0x05, how] => {
                self.held.clear();
                self.recover(how, heard);
                return;
            }
            // The second one may begin a request.
            [0x10, 0x10] => {
                self.held.clear();
                self.store(0x10, heard);
                self.held.push(0x10);
                return;
            }
            _ => {}
        }
        for byte in std::mem::take(&mut self.held) {
            self.store(byte, heard);
        }
    }

    /// A byte that waits its turn.
    fn store(&mut self, byte: u8, heard: &mut Heard) {
        if heard.hang_up {
            return;
        }
        if self.room() == 0 {
            self.overrun += 1;
            return;
        }
        self.waiting.push_back(byte);
        self.received += 1;
        heard.hang_up = self.faults.drop_after.is_some_and(|after| self.received >= after);
    }

    /// `DLE ENQ`: 1 has it go on with what it stopped in, 2 has it throw away what waits; if the knife was cleared.
    fn recover(&mut self, how: u8, heard: &mut Heard) {
        if !self.stopped || self.faults.cutter_jammed || !matches!(how, 1 | 2) {
            return;
        }
        self.stopped = false;
        heard.changed = true;
        let owes_cut = std::mem::take(&mut self.owes_cut);
        match how {
            1 if owes_cut => self.happen(Event::Printed(Mark::Cut), heard),
            1 => {}
            _ => self.waiting.clear(),
        }
    }

    /// Prints what waits until something keeps it from printing.
    fn work(&mut self, heard: &mut Heard) {
        let mut events = Vec::new();
        while self.status().blocked().is_none() {
            let Some(byte) = self.waiting.pop_front() else {
                break;
            };
            heard.changed = true;
            self.decoder.push(byte, &mut events);
            for event in events.drain(..) {
                self.happen(event, heard);
            }
        }
    }

    fn happen(&mut self, event: Event, heard: &mut Heard) {
        match event {
            Event::Printed(Mark::Cut) if self.faults.jams_at_cut => {
                (self.faults.jams_at_cut, self.faults.cutter_jammed) = (false, true);
                (self.stopped, self.owes_cut) = (true, true);
            }
            Event::Printed(mark) => {
                let cut = mark == Mark::Cut;
                self.roll.push(mark);
                if cut {
                    self.tear_off();
                } else if let Some(left) = self.faults.lines_left {
                    let left = left.saturating_sub(1);
                    self.faults.lines_left = (left > 0).then_some(left);
                    self.faults.paper_out |= left == 0;
                }
            }
            Event::Kick(_) => self.kick(),
            Event::Asked(1 | b'1') => {
                let Status { paper_near_end, paper_end, .. } = self.status();
                let near = if paper_near_end { 0x03 } else { 0 };
                let end = if paper_end { 0x0c } else { 0 };
                heard.answers.push(near | end);
            }
            Event::Asked(2 | b'2') => heard.answers.push(u8::from(self.drawer_open)),
            Event::Asked(_) => {}
        }
    }

    fn kick(&mut self) {
        self.kicks += 1;
        self.drawer_open |= !self.faults.drawer_locked;
    }

    fn tear_off(&mut self) {
        let paper = std::mem::replace(&mut self.roll, Paper::new(self.profile.columns));
        self.printed += 1;
        if self.receipts.len() == RECEIPTS_KEPT {
            self.receipts.pop_front();
        }
        self.receipts.push_back(Arc::new(Receipt { number: self.printed, paper }));
    }
}
