//! A drawer on two pins: one drives its solenoid, the other hears its switch.

use std::path::PathBuf;
use std::time::Duration;

use embedded_hal::digital::{InputPin, OutputPin};
use linux_embedded_hal::CdevPin;
use tokio::time::sleep;

use super::duty::{Duty, Pulse};
use super::fault::DrawerFault;
use super::solenoid::Solenoid;
use super::watch::{DrawerEvent, DrawerWatch, Sensing};
use crate::fault::{Device, DeviceFault};
use crate::moment::Moment;
use crate::rim::gpio;

/// Between two looks at the switch.
const LOOK: Duration = Duration::from_millis(10);

/// Where a drawer's pins are on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrawerPins {
    /// The chip that they are on, such as `/dev/gpiochip0`.
    pub chip: PathBuf,
    /// The line that drives the solenoid.
    pub line: u32,
    /// The line that the switch hangs on, if there is one.
    pub sense_line: Option<u32>,
    /// How the solenoid is driven.
    pub pulse: Pulse,
    /// How the switch is read.
    pub sensing: Sensing,
}

impl DrawerPins {
    /// A drawer on these lines with the usual pulse and switch.
    #[must_use]
    pub fn new(chip: PathBuf, line: u32, sense_line: Option<u32>) -> Self {
        Self { chip, line, sense_line, pulse: Pulse::default(), sensing: Sensing::default() }
    }

    /// Takes the lines over.
    ///
    /// # Errors
    /// [`DrawerFault::Pins`].
    pub fn open(&self) -> Result<LinuxDrawer, DrawerFault> {
        let opening = |error: std::io::Error| {
            DrawerFault::Pins(DeviceFault::opening(Device::Drawer, &self.chip, &error))
        };
        let pin = gpio::output(&self.chip, self.line, self.pulse.active_low).map_err(opening)?;
        let sense = self.sense_line.map(|line| gpio::input(&self.chip, line)).transpose().map_err(opening)?;
        GpioDrawer::new(pin, sense, self.pulse, self.sensing).map_err(opening)
    }
}

/// A drawer on lines of this machine's own.
pub type LinuxDrawer = GpioDrawer<CdevPin>;

/// A drawer on pins, those of this machine or any others. Dropping it lets its solenoid go.
#[derive(Debug)]
pub struct GpioDrawer<S> {
    solenoid: Solenoid,
    duty: Duty,
    sense: Option<S>,
    watch: DrawerWatch,
}

impl<S: InputPin> GpioDrawer<S> {
    /// A drawer on these pins, and without a switch if there is none.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn new<P: OutputPin + Send + 'static>(
        pin: P,
        sense: Option<S>,
        pulse: Pulse,
        sensing: Sensing,
    ) -> std::io::Result<Self> {
        let solenoid = Solenoid::new(pin, pulse)?;
        Ok(Self { solenoid, duty: Duty::new(pulse), sense, watch: DrawerWatch::new(sensing) })
    }

    /// Drives the solenoid once, and returns when it is let go. That the drawer opened, only its switch can tell. When this
    /// is cancelled, the pulse goes on to its end all the same.
    ///
    /// # Errors
    /// [`DrawerFault::Resting`]: nothing was done. [`DrawerFault::Pin`]: it may or may not have opened.
    pub async fn kick(&mut self) -> Result<(), DrawerFault> {
        let now = Moment::now();
        self.duty.begin(now).map_err(|left| DrawerFault::Resting { left })?;
        self.watch.commanded(now);
        self.solenoid.pull().await.map_err(|reason| DrawerFault::Pin { reason })
    }

    /// What the drawer does next. One without a switch never does anything. Safe to cancel.
    ///
    /// # Errors
    /// [`DrawerFault::Pin`].
    pub async fn next(&mut self) -> Result<DrawerEvent, DrawerFault> {
        loop {
            if let Some(event) = self.look()? {
                return Ok(event);
            }
            match self.sense {
                Some(_) => sleep(LOOK).await,
                None => std::future::pending().await,
            }
        }
    }

    /// Looks at the switch now.
    fn look(&mut self) -> Result<Option<DrawerEvent>, DrawerFault> {
        if let Some(pin) = &mut self.sense {
            let level = pin.is_high().map_err(|error| DrawerFault::Pin { reason: format!("{error:?}") })?;
            self.watch.handle(level, Moment::now());
        }
        Ok(self.watch.poll_event())
    }

    /// Whether it is open, as far as [`GpioDrawer::next`] has seen.
    #[must_use]
    pub fn is_open(&self) -> Option<bool> {
        self.watch.is_open()
    }
}
