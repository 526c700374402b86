//! Reads ESC/POS as a printer does and says what comes out of it.
//!
//! The decoder knows the length of every command in Epson's guide that printers of the last decades share,
//! so that it stays in step with commands it does not draw (bar codes, page mode, pictures other than those of `GS v 0`);
//! these it counts. It holds at most one command of 32 KiB and one line, and takes any bytes.

use std::sync::Arc;

use crate::code_page::CodePage;
use crate::paper::{Look, Mark, Paper, Run, Side};
use crate::printer::logo::Logo;
use crate::printer::profile::{DrawerPin, Language, Profile};

use super::extent::{Extent, extent};

/// Longer commands are pictures larger than a logo: they are passed over without being kept.
const COMMAND_MAX: usize = 32 * 1024;
/// Dots from one line to the next, to turn a feed in dots into lines.
const DOTS_PER_LINE: u8 = 30;

/// What a printer does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Something is on the paper.
    Printed(Mark),
    /// The drawer connector is driven.
    Kick(Kick),
    /// `GS r n` asks for a status, in its turn.
    Asked(u8),
}

/// A pulse on the drawer connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kick {
    /// Which drawer.
    pub pin: DrawerPin,
    /// How long, in milliseconds.
    pub on_ms: u16,
}

/// All that a stream of bytes did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// The pieces of paper; all but perhaps the last were cut off.
    pub papers: Vec<Paper>,
    /// Drawer pulses.
    pub kicks: Vec<Kick>,
    /// Commands that were not understood or are not drawn.
    pub skipped: usize,
}

/// Decodes a whole job. Only the code page numbers and the columns of the profile matter.
pub fn decode(bytes: &[u8], profile: &Profile) -> Decoded {
    let mut decoder = Decoder::new(profile.clone());
    let mut events = Vec::new();
    let mut decoded = Decoded { papers: Vec::new(), kicks: Vec::new(), skipped: 0 };
    let mut paper = Paper::new(profile.columns);
    for byte in bytes {
        decoder.push(*byte, &mut events);
        for event in events.drain(..) {
            match event {
                Event::Printed(mark) => {
                    let cut = mark == Mark::Cut;
                    paper.push(mark);
                    if cut {
                        decoded.papers.push(std::mem::replace(&mut paper, Paper::new(profile.columns)));
                    }
                }
                Event::Kick(kick) => decoded.kicks.push(kick),
                Event::Asked(_) => {}
            }
        }
    }
    if !paper.marks.is_empty() {
        decoded.papers.push(paper);
    }
    decoded.skipped = decoder.skipped();
    decoded
}

/// The state of a printer between two bytes.
#[derive(Debug)]
pub struct Decoder {
    profile: Profile,
    command: Vec<u8>,
    /// Bytes of a long command that are still to be passed over.
    pass: usize,
    page: CodePage,
    look: Look,
    side: Side,
    line: Vec<Run>,
    cells: usize,
    qr: String,
    skipped: usize,
}

impl Decoder {
    /// A printer that was just switched on.
    pub fn new(profile: Profile) -> Self {
        let page = match profile.language {
            Language::EscPos => profile.page_numbered(0).code_page,
            Language::Lines => profile.first_page().code_page,
        };
        Self {
            profile,
            command: Vec::new(),
            pass: 0,
            page,
            look: Look::default(),
            side: Side::Left,
            line: Vec::new(),
            cells: 0,
            qr: String::new(),
            skipped: 0,
        }
    }

    /// Commands so far that were not understood or are not drawn.
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    /// Takes the next byte and appends what it brings about, at most a few hundred events.
    pub fn push(&mut self, byte: u8, events: &mut Vec<Event>) {
        if self.profile.language == Language::Lines {
            return self.write(byte, events);
        }
        if self.pass > 0 {
            self.pass -= 1;
            return;
        }
        self.command.push(byte);
        match extent(&self.command) {
            Extent::Unknown if self.command.len() < COMMAND_MAX => {}
            Extent::Bytes(total) if total > COMMAND_MAX => {
                self.pass = total - self.command.len();
                self.command.clear();
                self.skipped += 1;
            }
            Extent::Bytes(total) if self.command.len() < total => {}
            Extent::Bytes(_) => {
                let command = std::mem::take(&mut self.command);
                self.run(&command, events);
                self.command = command;
                self.command.clear();
            }
            Extent::Unknown => {
                self.command.clear();
                self.skipped += 1;
            }
        }
    }

    fn run(&mut self, command: &[u8], events: &mut Vec<Event>) {
        match *command {
            [b'\n'] => self.end_line(events),
            [0x1b, b'@'] => {
                let skipped = self.skipped;
                *self = Self { skipped, ..Self::new(self.profile.clone()) };
            }
            [0x1b, b't', number] => self.page = self.profile.page_numbered(number).code_page,
            [0x1b, b'E' | b'G', on] => self.look.bold = on & 1 == 1,
            [0x1b, b'-', dots] => self.look.underline = !matches!(dots, 0 | b'0'),
            [0x1b, b'!', bits] => {
                self.look = Look {
                    bold: bits & 0x08 != 0,
                    underline: bits & 0x80 != 0,
                    high: if bits & 0x10 != 0 { 2 } else { 1 },
                    wide: if bits & 0x20 != 0 { 2 } else { 1 },
                    inverse: self.look.inverse,
                }
            }
            [0x1b, b'a', side] => {
                self.side = match side {
                    1 | b'1' => Side::Center,
                    2 | b'2' => Side::Right,
                    _ => Side::Left,
                }
            }
            [0x1b, b'd', count] => self.feed(count, events),
            [0x1b, b'J', dots] => self.feed(dots / DOTS_PER_LINE, events),
            [0x1b, b'p', pin, on, _] => {
                let pin = if matches!(pin, 1 | b'1') { DrawerPin::Pin5 } else { DrawerPin::Pin2 };
                events.push(Event::Kick(Kick { pin, on_ms: u16::from(on) * 2 }));
            }
            [0x1d, b'!', size] => {
                self.look.wide = ((size >> 4) & 7) + 1;
                self.look.high = (size & 7) + 1;
            }
            [0x1d, b'B', on] => self.look.inverse = on & 1 == 1,
            [0x1d, b'V', ..] => {
                self.end_started_line(events);
                events.push(Event::Printed(Mark::Cut));
            }
            [0x1d, b'r', what] => events.push(Event::Asked(what)),
            [0x1d, b'(', b'k', _, _, b'1', function, ref data @ ..] => self.qr(function, data, events),
            [0x1d, b'v', b'0', 0 | b'0', x_low, x_high, y_low, y_high, ref dots @ ..] => {
                let width = u32::from(u16::from_le_bytes([x_low, x_high])) * 8;
                let height = u32::from(u16::from_le_bytes([y_low, y_high]));
                self.picture(width, height, dots, events);
            }
            // The international set, line spacing and the like change nothing that is drawn here.
            [0x1b, b'R' | b'3' | b'M' | b'2' | b' ', ..] | [b'\r'] => {}
            [byte] => self.print(byte, events),
            _ => self.skipped += 1,
        }
    }

    /// A byte for a printer of lines.
    fn write(&mut self, byte: u8, events: &mut Vec<Event>) {
        match byte {
            b'\n' => self.end_line(events),
            b'\r' => {}
            0x0c => {
                self.end_started_line(events);
                events.push(Event::Printed(Mark::Cut));
            }
            byte => self.print(byte, events),
        }
    }

    fn print(&mut self, byte: u8, events: &mut Vec<Event>) {
        match self.page.decode(byte) {
            Some(letter) => self.letter(letter, events),
            None => self.skipped += 1,
        }
    }

    fn letter(&mut self, letter: char, events: &mut Vec<Event>) {
        let wide = usize::from(self.look.wide);
        if self.cells > 0 && self.cells + wide > usize::from(self.profile.columns) {
            self.end_line(events);
        }
        self.cells += wide;
        match self.line.last_mut() {
            Some(run) if run.look == self.look => run.text.push(letter),
            _ => self.line.push(Run { text: letter.into(), look: self.look }),
        }
    }

    fn end_line(&mut self, events: &mut Vec<Event>) {
        self.cells = 0;
        events.push(Event::Printed(Mark::Line { runs: std::mem::take(&mut self.line), side: self.side }));
    }

    fn end_started_line(&mut self, events: &mut Vec<Event>) {
        if !self.line.is_empty() {
            self.end_line(events);
        }
    }

    fn feed(&mut self, lines: u8, events: &mut Vec<Event>) {
        let started = u8::from(!self.line.is_empty());
        self.end_started_line(events);
        for _ in started..lines {
            self.end_line(events);
        }
    }

    fn picture(&mut self, width: u32, height: u32, dots: &[u8], events: &mut Vec<Event>) {
        match Logo::new(width, height, dots.to_vec()) {
            Ok(logo) => {
                self.end_started_line(events);
                events.push(Event::Printed(Mark::Picture { logo: Arc::new(logo), side: self.side }));
            }
            Err(_) => self.skipped += 1,
        }
    }

    /// Functions of `GS ( k` for QR codes; size and error correction do not change what it says.
    fn qr(&mut self, function: u8, data: &[u8], events: &mut Vec<Event>) {
        match (function, data) {
            (0x50, [0x30, text @ ..]) => self.qr = String::from_utf8_lossy(text).into_owned(),
            (0x51, [0x30]) if !self.qr.is_empty() => {
                self.end_started_line(events);
                events.push(Event::Printed(Mark::Qr { data: self.qr.clone(), side: self.side }));
            }
            (0x41 | 0x43 | 0x45, _) => {}
            _ => self.skipped += 1,
        }
    }
}
