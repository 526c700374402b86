//! Lines of the kernel's GPIO chips.

use std::io;
use std::path::Path;

use linux_embedded_hal::CdevPin;
use linux_embedded_hal::gpio_cdev::{Chip, LineRequestFlags};

/// Who has the line, as the system's tools show it.
const CONSUMER: &str = "tillbox";

/// Takes a line over to drive it, at the level that drives nothing.
pub(crate) fn output(chip: &Path, line: u32, active_low: bool) -> io::Result<CdevPin> {
    request(chip, line, LineRequestFlags::OUTPUT, u8::from(active_low))
}

/// Takes a line over to read it.
pub(crate) fn input(chip: &Path, line: u32) -> io::Result<CdevPin> {
    request(chip, line, LineRequestFlags::INPUT, 0)
}

fn request(chip: &Path, line: u32, flags: LineRequestFlags, level: u8) -> io::Result<CdevPin> {
    // The library does not tell a chip that is missing from others that it cannot open.
    chip.metadata()?;
    let line = Chip::new(chip).and_then(|mut chip| chip.get_line(line)).map_err(io::Error::other)?;
    let handle = line.request(flags, level, CONSUMER).map_err(io::Error::other)?;
    CdevPin::new(handle).map_err(io::Error::other)
}
