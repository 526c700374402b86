//! Lines of the kernel's GPIO chips.

use std::fmt;
use std::io;
use std::path::Path;

use embedded_hal::digital::{InputPin as _, OutputPin as _};
use linux_embedded_hal::CdevPin;
use linux_embedded_hal::gpio_cdev::{Chip, LineRequestFlags};

/// Who has the line, as the system's tools show it.
const CONSUMER: &str = "tillbox";

/// A line that is driven. What it is when this is dropped is the kernel's matter.
pub struct GpioOutput(CdevPin);

impl GpioOutput {
    /// Takes a line of this chip (`/dev/gpiochip0`, say) over, and drives it at this level from the first moment on.
    ///
    /// # Errors
    /// When there is no such chip or line, when it may not be used, or when somebody has it.
    pub fn open(chip: &Path, line: u32, high: bool) -> io::Result<Self> {
        output(chip, line, high).map(Self)
    }

    /// Drives it high or low.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn set(&mut self, high: bool) -> io::Result<()> {
        if high { self.0.set_high() } else { self.0.set_low() }.map_err(io::Error::other)
    }
}

/// A line that is read.
pub struct GpioInput(CdevPin);

impl GpioInput {
    /// Takes a line of this chip over.
    ///
    /// # Errors
    /// As [`GpioOutput::open`].
    pub fn open(chip: &Path, line: u32) -> io::Result<Self> {
        input(chip, line).map(Self)
    }

    /// Whether it is high now.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn is_high(&mut self) -> io::Result<bool> {
        self.0.is_high().map_err(io::Error::other)
    }
}

impl fmt::Debug for GpioOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GpioOutput").finish_non_exhaustive()
    }
}

impl fmt::Debug for GpioInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GpioInput").finish_non_exhaustive()
    }
}

/// Takes a line over to drive it, at this level at first.
pub(crate) fn output(chip: &Path, line: u32, high: bool) -> io::Result<CdevPin> {
    request(chip, line, LineRequestFlags::OUTPUT, u8::from(high))
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
