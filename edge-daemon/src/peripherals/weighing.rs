//! Scales: what lies on them, told as it changes.

use device_drivers::{Gate, Kind, Reading, Scale, ScaleFault, SerialScale, Unsettled};
use tokio::time::timeout;

use super::condition::{DeviceState, News, OfClass, Order};
use super::device::{Device, Ordered};
use super::supervisor::{BEAT, Driver, Life, Trouble};
use crate::config::ScaleConfig;

#[derive(Clone)]
pub(super) struct Weighing(SerialScale);

impl Weighing {
    pub(super) fn new(config: &ScaleConfig, path: std::path::PathBuf) -> Self {
        Self(SerialScale { line: config.line, ..SerialScale::new(path, config.talk) })
    }
}

impl Driver for Weighing {
    type Open = Scale;

    fn open(&self) -> Result<Scale, Trouble> {
        self.0.open().map_err(|fault| Trouble::of(&fault))
    }

    async fn serve(&self, mut scale: Scale, life: &Life) -> Trouble {
        let mut orders = life.orders.lock().await;
        let (mut gate, mut refused) = (Gate::default(), 0);
        loop {
            life.beat();
            tokio::select! {
                reading = timeout(BEAT, scale.next()) => match reading {
                    Ok(Ok(reading)) => weighed(&life.device, reading, &mut gate),
                    Ok(Err(fault @ ScaleFault::Silent { .. })) => {
                        show(&life.device, None);
                        life.device.unwell(DeviceState::Faulty, fault.kind(), fault.to_string());
                    }
                    Ok(Err(fault)) => {
                        show(&life.device, None);
                        return Trouble::of(&fault);
                    }
                    Err(_) => {}
                },
                Some(Ordered { order, reply }) = orders.recv() => {
                    if reply.is_closed() {
                        // Who asked has given up: it must not happen later.
                        continue;
                    }
                    let done = match order {
                        Order::Zero => scale.zero().await.map_err(|fault| fault.to_string()),
                        Order::Show(_) | Order::Open(_) => Err("a scale can be set to zero only".to_owned()),
                    };
                    // Who asked may have gone.
                    let _ = reply.send(done);
                }
            }
            let now = scale.refused();
            life.device.count(|counters| counters.refused += now - std::mem::replace(&mut refused, now));
        }
    }
}

fn weighed(device: &Device, reading: Reading, gate: &mut Gate) {
    let passed = gate.take(reading);
    match reading {
        Reading::Stable(weight) => {
            device.well(DeviceState::Ready);
            let above_zero = weight.kilograms().filter(|_| weight.thousandths > 0);
            show(device, above_zero.map(|kilograms| kilograms.to_string()));
        }
        Reading::Unsettled(Unsettled::Motion) => {
            device.well(DeviceState::Ready);
            show(device, None);
        }
        Reading::Unsettled(reason) => {
            show(device, None);
            let what = match reason {
                Unsettled::OverCapacity => "more lies on the scale than it can bear; take something off",
                Unsettled::UnderZero => {
                    "the scale shows less than zero; take everything off and set it to zero"
                }
                Unsettled::OutsideZero | Unsettled::Motion => {
                    "the scale cannot be set to zero with so much on it"
                }
            };
            device.unwell(DeviceState::Faulty, Kind::Operator, what);
        }
    }
    let Some(kilograms) = passed.and_then(|weight| weight.kilograms()).filter(|_| device.enabled()) else {
        return;
    };
    device.count(|counters| counters.done += 1);
    device.tell(News::Weighed { device: device.config.id.clone(), terminal: device.claimed_by(), kilograms });
}

fn show(device: &Device, now: Option<String>) {
    device.change(|condition| {
        if let OfClass::Scale { weight } = &mut condition.of_class {
            *weight = now;
        }
    });
}
