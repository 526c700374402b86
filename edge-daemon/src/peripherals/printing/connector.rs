//! The drawer on a printer's connector: opened by the printer's worker, and watched by what the printer says of its switch.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use device_drivers::{Fault, Kicked, Status};
use pos_domain::event::{DrawerJob, DrawerOutcome};

use super::worker::Worker;
use crate::config::{DrawerConfig, Model};
use crate::peripherals::condition::{Asked, DeviceState, OfClass};
use crate::peripherals::device::Device;
use crate::peripherals::drawers::too_late_or_disabled;

/// A drawer that opens so long after its pulse was opened by it: its lock is slow, and two looks lie between.
const LATE: Duration = Duration::from_secs(9);

impl Worker {
    pub(super) fn drawers(&self) -> Vec<Arc<Device>> {
        self.devices.drawers_on(&self.device.config.id)
    }

    /// Opens a drawer on this printer's connector.
    pub(super) async fn open(&self, asked: &Asked<DrawerJob>) {
        let job = &asked.job;
        let (outcome, detail) = self.opened(asked).await;
        self.outcomes.opened(job.id, outcome, &detail).await;
        self.queue.opened();
    }

    async fn opened(&self, asked: &Asked<DrawerJob>) -> (DrawerOutcome, String) {
        let Some(drawer) = self.drawers().into_iter().find(|drawer| drawer.config.id == asked.job.drawer)
        else {
            let detail = "the drawer was taken off this printer meanwhile";
            return (DrawerOutcome::NotOpened, detail.to_owned());
        };
        let (outcome, detail) = match too_late_or_disabled(&drawer, asked) {
            Some(detail) => (DrawerOutcome::NotOpened, detail),
            None => self.kick(&drawer).await,
        };
        let opened = outcome == DrawerOutcome::Opened;
        drawer.count(|counters| *(if opened { &mut counters.done } else { &mut counters.refused }) += 1);
        (outcome, detail)
    }

    async fn kick(&self, drawer: &Device) -> (DrawerOutcome, String) {
        let level = level_of(drawer);
        self.pulse.store(self.born.elapsed().as_millis().try_into().unwrap_or(u64::MAX), Ordering::Relaxed);
        match self.printer.kick(level).await {
            Kicked::Opened { .. } => {
                drawer.well(DeviceState::Ready);
                if level.is_some() {
                    set_open(drawer, true);
                }
                (DrawerOutcome::Opened, String::new())
            }
            Kicked::NotOpened { reason } => {
                drawer.unwell(DeviceState::Faulty, reason.kind(), reason.to_string());
                (DrawerOutcome::NotOpened, reason.to_string())
            }
            Kicked::Unknown { reason } => {
                if reason != Fault::NoConfirmation {
                    drawer.unwell(DeviceState::Faulty, reason.kind(), reason.to_string());
                }
                (DrawerOutcome::Unknown, reason.to_string())
            }
        }
    }

    /// Takes in what a status says of the switch.
    pub(super) async fn sense_drawers(&self, status: Status) {
        for drawer in self.drawers() {
            if drawer.condition().state == DeviceState::Absent {
                drawer.well(DeviceState::Ready);
            }
            let Some(level) = level_of(&drawer) else { continue };
            let open = status.drawer_pin_high == level;
            let before = set_open(&drawer, open);
            // One that opens late was asked to.
            let pulse = Duration::from_millis(self.pulse.load(Ordering::Relaxed));
            let asked = !pulse.is_zero() && self.born.elapsed() < pulse + LATE;
            if open && before == Some(false) && !asked {
                self.outcomes.alarm(&drawer.config.id).await;
            }
        }
    }
}

/// The level of the sense pin at which the drawer is open, if it has a switch.
fn level_of(drawer: &Device) -> Option<bool> {
    match &drawer.config.model {
        Model::Drawer(DrawerConfig { open_when_high, .. }) => *open_when_high,
        _ => None,
    }
}

/// Notes whether a drawer is open; says what was known before.
fn set_open(drawer: &Device, now: bool) -> Option<bool> {
    let mut before = None;
    drawer.change(|condition| {
        if let OfClass::Drawer { open } = &mut condition.of_class {
            before = open.replace(now);
        }
    });
    before
}

/// Nobody knows whether a drawer is open.
pub(super) fn forget(drawer: &Device) {
    drawer.change(|condition| condition.of_class = OfClass::Drawer { open: None });
}
