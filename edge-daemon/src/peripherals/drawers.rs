//! Drawers on pins of the box: opened, and watched by their switch.

use std::time::Duration;

use device_drivers::{DrawerEvent, DrawerFault, DrawerPins, LinuxDrawer};
use pos_domain::event::{DrawerJob, DrawerOutcome};
use tokio::time::{Instant, timeout, timeout_at};

use super::condition::{Asked, DeviceState, OfClass, Order};
use super::device::{Device, Ordered};
use super::outcomes::Outcomes;
use super::supervisor::{BEAT, Driver, Life, Trouble};

/// A drawer opens by itself only so long after it was asked to: later nobody stands there.
pub(super) const OPEN_WITHIN: Duration = Duration::from_secs(60);
/// How long the switch may take to tell that the drawer opened.
const TELLS_WITHIN: Duration = Duration::from_secs(1);

#[derive(Clone)]
pub(super) struct OnPins(pub(super) DrawerPins);

impl Driver for OnPins {
    type Open = LinuxDrawer;

    fn open(&self) -> Result<LinuxDrawer, Trouble> {
        self.0.open().map_err(|fault| trouble(&fault))
    }

    async fn serve(&self, mut drawer: LinuxDrawer, life: &Life) -> Trouble {
        let outcomes = Outcomes::new(life.device.shop.clone());
        let mut orders = life.orders.lock().await;
        loop {
            life.beat();
            let now = drawer.is_open();
            life.device.change(|condition| condition.of_class = OfClass::Drawer { open: now });
            tokio::select! {
                event = timeout(BEAT, drawer.next()) => match event {
                    Ok(Ok(event)) => happened(&life.device, event, &outcomes).await,
                    Ok(Err(fault)) => return trouble(&fault),
                    Err(_) => {}
                },
                Some(Ordered { order, .. }) = orders.recv() => {
                    let Order::Open(asked) = order else { continue };
                    life.device.opening(Some(asked.job.id));
                    let (outcome, detail) = self.kick(&mut drawer, &life.device, &asked, &outcomes).await;
                    let opened = outcome == DrawerOutcome::Opened;
                    life.device.count(|counters| *(if opened { &mut counters.done } else { &mut counters.refused }) += 1);
                    outcomes.opened(asked.job.id, outcome, &detail).await;
                    life.device.opening(None);
                }
            }
        }
    }
}

impl OnPins {
    async fn kick(
        &self,
        drawer: &mut LinuxDrawer,
        device: &Device,
        asked: &Asked<DrawerJob>,
        outcomes: &Outcomes,
    ) -> (DrawerOutcome, String) {
        if let Some(detail) = too_late_or_disabled(device, asked) {
            return (DrawerOutcome::NotOpened, detail);
        }
        match drawer.kick().await {
            Ok(()) => {}
            Err(fault @ DrawerFault::Resting { .. }) => return (DrawerOutcome::NotOpened, fault.to_string()),
            Err(fault) => return (DrawerOutcome::Unknown, fault.to_string()),
        }
        if self.0.sense_line.is_none() {
            // The pin was driven: without a switch that is all there is to know.
            return (DrawerOutcome::Opened, String::new());
        }
        let deadline = Instant::now() + TELLS_WITHIN;
        while drawer.is_open() != Some(true) {
            match timeout_at(deadline, drawer.next()).await {
                Ok(Ok(event)) => happened(device, event, outcomes).await,
                Ok(Err(fault)) => return (DrawerOutcome::Unknown, fault.to_string()),
                Err(_) => {
                    let detail =
                        "the drawer stayed shut: is it locked by its key, or its cable out of the box?";
                    return (DrawerOutcome::NotOpened, detail.to_owned());
                }
            }
        }
        (DrawerOutcome::Opened, String::new())
    }
}

/// Why a drawer is not opened any more.
pub(super) fn too_late_or_disabled(device: &Device, asked: &Asked<DrawerJob>) -> Option<String> {
    if device.shop.uptime().saturating_sub(asked.at) > OPEN_WITHIN {
        return Some("it took so long that nobody stands there any more".to_owned());
    }
    (!device.enabled()).then(|| "the drawer is disabled; enable it first".to_owned())
}

async fn happened(device: &Device, event: DrawerEvent, outcomes: &Outcomes) {
    let now = matches!(event, DrawerEvent::Opened { .. });
    device.change(|condition| condition.of_class = OfClass::Drawer { open: Some(now) });
    device.well(DeviceState::Ready);
    if let DrawerEvent::Opened { commanded: false } = event {
        outcomes.alarm(&device.config.id).await;
    }
}

fn trouble(fault: &DrawerFault) -> Trouble {
    match fault {
        DrawerFault::Pins(fault) => Trouble::of(fault),
        other => Trouble { kind: other.kind(), detail: other.to_string(), gone: false },
    }
}
