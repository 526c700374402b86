//! The customer's displays: two lines, shown again after a loss.

use device_drivers::{Display, DisplayFault, DisplayLine, I2cDisplay, SerialDisplay};
use tokio::time::{Instant, sleep_until};

use super::condition::{DeviceState, OfClass, Order};
use super::device::Ordered;
use super::supervisor::{BEAT, Driver, Life, Trouble};
use crate::config::{DisplayConfig, DisplayPort};

#[derive(Clone)]
pub(super) enum Displaying {
    Serial(SerialDisplay),
    I2c(I2cDisplay),
}

impl Displaying {
    pub(super) fn new(config: &DisplayConfig, port: DisplayPort) -> Self {
        match port {
            DisplayPort::Serial(path) => {
                Self::Serial(SerialDisplay { line: config.line, ..SerialDisplay::new(path, config.dialect) })
            }
            DisplayPort::I2c(bus, address) => Self::I2c(I2cDisplay::new(bus, address)),
        }
    }
}

impl Driver for Displaying {
    type Open = Display;

    fn open(&self) -> Result<Display, Trouble> {
        let opened = match self {
            Self::Serial(display) => display.open(),
            Self::I2c(display) => display.open(),
        };
        opened.map_err(|fault| Trouble::of(&fault))
    }

    async fn serve(&self, mut display: Display, life: &Life) -> Trouble {
        let mut orders = life.orders.lock().await;
        // What it showed before it was lost.
        let mut shown = life.device.shown();
        loop {
            // The same lines again are a heartbeat: nothing flickers.
            match display.show(shown.clone()).await {
                Ok(()) => life.device.well(DeviceState::Ready),
                Err(fault @ DisplayFault::Silent { .. }) => {
                    life.device.unwell(DeviceState::Faulty, fault.kind(), fault.to_string());
                }
                Err(fault) => return Trouble::of(&fault),
            }
            life.beat();
            let next_beat = Instant::now() + BEAT;
            tokio::select! {
                fault = display.lost() => return Trouble::of(&fault),
                () = sleep_until(next_beat) => {}
                Some(Ordered { order, reply }) = orders.recv() => {
                    if reply.is_closed() {
                        // Who asked has given up: it must not happen later.
                        continue;
                    }
                    let done = match order {
                        Order::Show(lines) => {
                            let lines = lines.map(|(left, right)| DisplayLine::new(left, right));
                            let done = display.show(lines.clone()).await.map_err(|fault| fault.to_string());
                            if done.is_ok() {
                                shown = lines;
                                life.device.count(|counters| counters.done += 1);
                                let texts = shown.clone().map(|line| line.text());
                                life.device.change(|condition| condition.of_class = OfClass::Display { lines: texts });
                            }
                            done
                        }
                        Order::Zero | Order::Open(_) => Err("a display can show something only".to_owned()),
                    };
                    // Who asked may have gone.
                    let _ = reply.send(done);
                }
            }
        }
    }
}
