//! What a scenario is played on.

use std::io;
use std::path::Path;

use pos_link::Kind;

use crate::dut::Dut;
use crate::emulator::Emulator;
use crate::rig::{HARDWARE, Input, Need, Rig};

/// The variable that names a real board.
const DUT: &str = "TILLBOX_DUT";

/// What a scenario needs.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// What the board is.
    pub kind: Kind,
    /// The variable that names its firmware, for an emulated one.
    pub firmware: &'a str,
    /// Levels at its boot, beside the usual ones.
    pub levels: &'a [(Input, bool)],
    /// What is done to it.
    pub needs: &'a [Need],
}

impl Scene<'_> {
    /// The rig: the real board that `TILLBOX_DUT` names, or else an emulated one. Without one, says that the scenario is skipped, and why.
    ///
    /// # Errors
    /// When there should be a rig, and it does not start.
    pub fn rig(&self) -> io::Result<Option<Box<dyn Rig>>> {
        let rig: Box<dyn Rig> = if let Some(file) = std::env::var_os(DUT) {
            let file = Path::new(&file);
            let levels = self.levels;
            match Dut::start(file, self.kind, levels)? {
                Some(dut) => Box::new(dut),
                None => {
                    let kind = self.kind;
                    return Ok(skipped(&format!("{} is no {kind:?}", file.display())));
                }
            }
        } else if let Some(firmware) = std::env::var_os(self.firmware) {
            Box::new(Emulator::start_with(firmware.into(), &HARDWARE, self.levels)?)
        } else {
            let why = format!("{} names no firmware; scripts/hil builds it", self.firmware);
            return Ok(skipped(&why));
        };
        let inputs = self.levels.iter().map(|(input, _)| Need::Set(*input));
        let lacks = inputs.chain(self.needs.iter().copied()).find_map(|need| rig.lacks(need));
        match lacks {
            Some(why) => Ok(skipped(&why)),
            None => Ok(Some(rig)),
        }
    }
}

/// Says that a scenario, or a part of it, is not played. `scripts/hil` counts these lines.
pub fn skipped<T>(why: &str) -> Option<T> {
    println!("SKIPPED: {why}");
    None
}
