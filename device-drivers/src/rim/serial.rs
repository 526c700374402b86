//! Serial lines, USB ones too: opened by their stable name, read until they are lost.
//!
//! An unplugged port may give an error, an endless row of empty reads, or nothing at all: an empty read is the end here,
//! and who waits for nothing needs a heartbeat of its own. The descriptor is closed before a port is opened again.

use std::io;
use std::path::Path;
use std::time::Duration;

use embedded_io_async::{ErrorType, Read, Write};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::sleep;
use tokio_serial::{
    ClearBuffer, DataBits, FlowControl, Parity, SerialPort as _, SerialPortBuilderExt as _, SerialStream,
    StopBits,
};

use super::exchange::{Moved, exchange};

/// Between two looks at what is still to be sent.
const DRAIN_LOOK: Duration = Duration::from_millis(5);

/// How a line is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Bits a second, from 300.
    pub baud: u32,
    /// Seven data bits instead of eight.
    pub seven_bits: bool,
    /// With a parity bit.
    pub parity: Option<Evenness>,
    /// XON/XOFF.
    pub xon_xoff: bool,
}

/// Which parity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evenness {
    /// Even.
    Even,
    /// Odd.
    Odd,
}

impl Default for Line {
    /// 9600 baud, eight bits, no parity, no flow control.
    fn default() -> Self {
        Self { baud: 9600, seven_bits: false, parity: None, xon_xoff: false }
    }
}

/// An open line.
#[derive(Debug)]
pub(crate) struct Port(SerialStream);

/// Opens a line for this process alone.
pub(crate) fn open(path: &Path, line: Line) -> io::Result<Port> {
    let name =
        path.to_str().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the name is not UTF-8"))?;
    let port = tokio_serial::new(name, line.baud)
        .data_bits(if line.seven_bits { DataBits::Seven } else { DataBits::Eight })
        .parity(match line.parity {
            None => Parity::None,
            Some(Evenness::Even) => Parity::Even,
            Some(Evenness::Odd) => Parity::Odd,
        })
        .stop_bits(StopBits::One)
        .flow_control(if line.xon_xoff { FlowControl::Software } else { FlowControl::None })
        .timeout(Duration::ZERO)
        .open_native_async();
    Ok(Port(port.map_err(io::Error::from)?))
}

impl Port {
    /// Says some of `output`, or reads what is there: see [`exchange()`].
    pub(crate) async fn exchange(&mut self, into: &mut [u8], output: &[u8]) -> io::Result<Moved> {
        exchange(&mut self.0, into, output).await
    }

    /// Forgets what came and was not read.
    pub(crate) fn forget(&mut self) -> io::Result<()> {
        Ok(self.0.clear(ClearBuffer::Input)?)
    }

    /// Throws away what was written and has not left this machine yet.
    pub(crate) fn discard(&mut self) -> io::Result<()> {
        Ok(self.0.clear(ClearBuffer::Output)?)
    }
}

impl ErrorType for Port {
    type Error = io::Error;
}

impl Read for Port {
    /// Reads what is there; nothing at the line's end, when it was unplugged. Safe to cancel.
    async fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into).await
    }
}

impl Write for Port {
    /// Hands some bytes to the system. Safe to cancel.
    async fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).await
    }

    /// Waits until all that was written has left this machine. Safe to cancel.
    async fn flush(&mut self) -> io::Result<()> {
        // The system tells how much is left, but not when it is gone.
        while self.0.bytes_to_write()? > 0 {
            sleep(DRAIN_LOOK).await;
        }
        Ok(())
    }
}
