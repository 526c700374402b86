//! Real-time status: `DLE EOT n`, answered by one byte each, even while the printer is offline.
//!
//! | n | Answer's bits |
//! |---|---|
//! | 1 | 2 drawer connector's pin 3 is high · 3 offline |
//! | 2 | 2 cover open · 3 fed by button · 5 stopped for lack of paper · 6 error |
//! | 3 | 2 recoverable error · 3 cutter error · 5 unrecoverable error · 6 will recover by itself |
//! | 4 | 2, 3 paper near end · 5, 6 paper end |
//!
//! In each of them bits 0 and 7 are 0, bits 1 and 4 are 1. That tells them from the answer to `GS r 1`, in
//! which bits 4 and 7 are 0. Some printers send four bytes unasked when something changes (*automatic status
//! back*): the first has bits 0, 1 and 7 at 0 and bit 4 at 1, the others look like answers to `GS r 1`.

use serde::{Deserialize, Serialize};

use super::fault::Fault;

/// Asks for all four answers.
pub(crate) const ASK: [u8; 12] = [0x10, 4, 1, 0x10, 4, 2, 0x10, 4, 3, 0x10, 4, 4];

/// `DLE ENQ 1`: go on where an error that a hand has mended stopped it, with the line that it stopped in. Without such an
/// error it is ignored.
pub(crate) const GO_ON: [u8; 3] = [0x10, 5, 1];

/// What the printer says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// It does not print at the moment, for one of the reasons below or because somebody pressed feed.
    pub offline: bool,
    /// The cover is open.
    pub cover_open: bool,
    /// There is no paper.
    pub paper_end: bool,
    /// The roll will soon be at its end; it still prints.
    pub paper_near_end: bool,
    /// The knife is jammed.
    pub cutter_error: bool,
    /// An error that goes away by itself, such as a print head too hot.
    pub recovering: bool,
    /// An error that needs a hand on the printer.
    pub error: bool,
    /// An error that needs a service technician.
    pub unrecoverable: bool,
    /// The level of the drawer connector's sense pin. Which level means *open* is a matter of the drawer.
    pub drawer_pin_high: bool,
}

impl Status {
    /// Reads the answers to `DLE EOT 1` to `4`, in that order.
    pub fn from_answers([printer, offline, error, paper]: [u8; 4]) -> Self {
        Self {
            offline: printer & 0x08 != 0,
            drawer_pin_high: printer & 0x04 != 0,
            cover_open: offline & 0x04 != 0,
            paper_end: offline & 0x20 != 0 || paper & 0x60 != 0,
            paper_near_end: paper & 0x0c != 0,
            cutter_error: error & 0x08 != 0,
            unrecoverable: error & 0x20 != 0,
            recovering: error & 0x40 != 0,
            error: offline & 0x40 != 0 || error & 0x04 != 0,
        }
    }

    /// The answers that a printer in this state gives.
    pub fn to_answers(self) -> [u8; 4] {
        let bits =
            |set: &[(bool, u8)]| set.iter().filter(|(on, _)| *on).fold(0x12, |answer, (_, bit)| answer | bit);
        let error = self.error || self.cutter_error || self.unrecoverable || self.recovering;
        [
            bits(&[(self.drawer_pin_high, 0x04), (self.offline, 0x08)]),
            bits(&[(self.cover_open, 0x04), (self.paper_end, 0x20), (error, 0x40)]),
            bits(&[
                (self.error, 0x04),
                (self.cutter_error, 0x08),
                (self.unrecoverable, 0x20),
                (self.recovering, 0x40),
            ]),
            bits(&[(self.paper_near_end, 0x0c), (self.paper_end, 0x60)]),
        ]
    }

    /// What keeps the printer from printing, the most telling reason first.
    pub fn blocked(self) -> Option<Fault> {
        if self.unrecoverable {
            Some(Fault::Unrecoverable)
        } else if self.cover_open {
            Some(Fault::CoverOpen)
        } else if self.paper_end {
            Some(Fault::PaperEnd)
        } else if self.cutter_error {
            Some(Fault::Cutter)
        } else if self.recovering {
            Some(Fault::Recovering)
        } else if self.error {
            Some(Fault::Error)
        } else if self.offline {
            Some(Fault::Offline)
        } else {
            None
        }
    }
}

/// Whether a byte is an answer to `DLE EOT n`.
pub(crate) fn is_real_time(byte: u8) -> bool {
    byte & 0x93 == 0x12
}

/// Whether a byte is the answer to `GS r 1`.
pub(crate) fn is_in_order(byte: u8) -> bool {
    byte & 0x90 == 0
}

/// Whether a byte is the first of the four that a printer sends unasked.
pub(crate) fn starts_unasked(byte: u8) -> bool {
    byte & 0x93 == 0x10
}
