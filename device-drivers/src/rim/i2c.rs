//! I2C buses of the kernel.

use std::io;
use std::path::Path;

use linux_embedded_hal::{Delay, I2cdev};

/// Opens a bus.
pub(crate) fn open(bus: &Path) -> io::Result<(I2cdev, Delay)> {
    // The library does not tell a bus that is missing from others that it cannot open.
    bus.metadata()?;
    Ok((I2cdev::new(bus).map_err(io::Error::other)?, Delay))
}
