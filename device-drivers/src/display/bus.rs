//! A character display on an I2C bus of this machine.
//!
//! The kernel's calls to a bus wait, and a bus that is held down waits long: so a thread of its own has the display, and who
//! shows something waits for a second at most.

use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use embedded_hal::delay::DelayNs;
use embedded_hal::i2c::I2c;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::char_lcd::{CharLcd, Glass};
use super::driver::{Display, DisplayFault, Source};
use super::proto::DisplayLine;
use super::wire::SHOWN_WITHIN;
use crate::fault::Device;
use crate::rim::i2c;

/// Where a character display is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct I2cDisplay {
    /// Its bus, such as `/dev/i2c-1`.
    pub bus: PathBuf,
    /// Its address, 27 or 3F (hexadecimal) as a rule.
    pub address: u8,
    /// Its size.
    pub glass: Glass,
}

impl I2cDisplay {
    /// A display of two lines of twenty at this address of this bus.
    #[must_use]
    pub fn new(bus: PathBuf, address: u8) -> Self {
        Self { bus, address, glass: Glass::TwoByTwenty }
    }

    /// Opens the bus. Whether the display is there, showing something tells.
    ///
    /// # Errors
    /// [`DisplayFault::Missing`] or [`DisplayFault::Refused`].
    pub fn open(&self) -> Result<Display, DisplayFault> {
        let opening = |error: io::Error| DisplayFault::opening(Device::Display, &self.bus, &error);
        let (bus, delay) = i2c::open(&self.bus).map_err(opening)?;
        Clerk::new(CharLcd::new(bus, delay, self.address, self.glass)).map_err(opening).map(Display::on_a_bus)
    }
}

impl Display {
    /// A character display on any bus.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn on<I, D>(lcd: CharLcd<I, D>) -> io::Result<Self>
    where
        I: I2c + Send + 'static,
        D: DelayNs + Send + 'static,
    {
        Clerk::new(lcd).map(Self::on_a_bus)
    }

    fn on_a_bus(clerk: Clerk) -> Self {
        Self::of(Source::Bus(clerk))
    }
}

type Order = ([DisplayLine; 2], oneshot::Sender<Result<(), String>>);

/// Who has the display.
#[derive(Debug)]
pub(super) struct Clerk(SyncSender<Order>);

impl Clerk {
    fn new<I, D>(mut lcd: CharLcd<I, D>) -> io::Result<Self>
    where
        I: I2c + Send + 'static,
        D: DelayNs + Send + 'static,
    {
        // What waits behind a bus that is held down is soon old.
        let (orders, waiting) = sync_channel::<Order>(1);
        thread::Builder::new().name("display".into()).spawn(move || {
            while let Ok((lines, reply)) = waiting.recv() {
                let shown = lcd.show(&lines).map_err(|error| format!("{error:?}"));
                // Nobody may wait any more.
                let _ = reply.send(shown);
            }
        })?;
        Ok(Self(orders))
    }

    /// Shows two lines.
    pub(super) async fn show(&self, lines: [DisplayLine; 2]) -> Result<(), DisplayFault> {
        let silent = DisplayFault::Silent { device: Device::Display, waited: SHOWN_WITHIN };
        let lost = |reason: String| DisplayFault::Lost { device: Device::Display, reason };
        let (reply, answer) = oneshot::channel();
        // Full: it still tries to show what was before.
        self.0.try_send((lines, reply)).map_err(|_| silent.clone())?;
        match timeout(SHOWN_WITHIN, answer).await {
            Ok(Ok(shown)) => shown.map_err(lost),
            Ok(Err(_)) => Err(lost("its thread ended".to_owned())),
            Err(_) => Err(silent),
        }
    }
}
