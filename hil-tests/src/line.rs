//! Serial lines of the test machine.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::termios::{ControlModes, OptionalActions, tcgetattr, tcsetattr};

/// Opens a terminal on which all bytes go as they are.
pub(crate) fn open(terminal: &Path) -> io::Result<File> {
    open_at(terminal, None)
}

/// The same at this speed, baud, with eight bits, no parity and one stop bit.
pub(crate) fn open_at(terminal: &Path, baud: impl Into<Option<u32>>) -> io::Result<File> {
    // Where no modem answers, opening would wait for one.
    let flags = OFlags::NOCTTY | OFlags::NONBLOCK;
    let flags = flags.bits().cast_signed();
    let terminal = OpenOptions::new().read(true).write(true).custom_flags(flags).open(terminal)?;
    let mut settings = tcgetattr(&terminal)?;
    settings.make_raw();
    if let Some(baud) = baud.into() {
        settings.set_speed(baud)?;
        settings.control_modes |= ControlModes::CLOCAL | ControlModes::CREAD;
        settings.control_modes -= ControlModes::CSTOPB | ControlModes::CRTSCTS;
    }
    tcsetattr(&terminal, OptionalActions::Now, &settings)?;
    fcntl_setfl(&terminal, fcntl_getfl(&terminal)? - OFlags::NONBLOCK)?;
    Ok(terminal)
}

/// A line that takes bytes as quickly as one of 115200 baud does. When more come than a UART's queue holds, the emulator stops to
/// look at the line until something else wakes it.
pub(crate) struct Paced(pub(crate) File);

/// Half a queue.
const PIECE: usize = 8;

impl Write for Paced {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.0.write(bytes.get(..PIECE).unwrap_or(bytes))?;
        if count == PIECE {
            std::thread::sleep(Duration::from_micros(700));
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
