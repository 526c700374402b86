//! Scanners and drawers on our own controllers, over the real link.

mod drawers;
mod scans;
mod updates;

use device_drivers::{PluggedController, VirtualController};
use pos_domain::event::{DrawerOutcome, DrawerReason};
use pos_link::{Identity, Kind, ScanRefusal, Stamp, ToController, ToHost, Version};

use super::*;
use crate::config::Hardware;

const SCANNER: Hardware = Hardware([0x5c, 0, 0, 0, 0, 0, 0, 1]);
const DRAWER: Hardware = Hardware([0xd4, 0, 0, 0, 0, 0, 0, 2]);
const KEY: [u8; 32] = [7; 32];

fn identity(kind: Kind, hardware: Hardware) -> Identity {
    let key = match kind {
        Kind::Drawer => sha2::Digest::finalize(sha2::Digest::chain_update(sha2::Sha256::default(), KEY))
            [..16]
            .try_into()
            .unwrap(),
        _ => [0; 16],
    };
    let firmware = Version { major: 1, minor: 2, patch: 3 };
    Identity { kind, hardware: hardware.0, firmware, key }
}

fn controller(kind: Kind, hardware: Hardware) -> VirtualController {
    VirtualController::new(identity(kind, hardware))
}

fn scan_of(at: Stamp, data: &str, more: bool) -> ToHost {
    let data = data.bytes().collect();
    ToHost::Scan { at, symbology: *b"E0", more, data }
}

/// The next thing that is said to a controller and is looked for.
async fn said<T>(controller: &mut PluggedController, wanted: impl Fn(&ToController) -> Option<T>) -> T {
    let next = async {
        loop {
            let said = controller.hear().await.expect("the controller broke down");
            if let Some(found) = wanted(&said) {
                return found;
            }
        }
    };
    timeout(LONG, next).await.expect("it was never said")
}

/// What is said to a scan.
async fn verdict(controller: &mut PluggedController) -> (pos_link::Id, Result<(), ScanRefusal>) {
    said(controller, |said| match said {
        ToController::ScanAccepted { scan } => Some((*scan, Ok(()))),
        ToController::ScanRefused { scan, reason } => Some((*scan, Err(*reason))),
        _ => None,
    })
    .await
}

async fn scan(news: &mut broadcast::Receiver<News>) -> Arc<Scan> {
    let next = async {
        loop {
            if let News::Scanned(scan) = news.recv().await.expect("news") {
                return scan;
            }
        }
    };
    timeout(LONG, next).await.expect("no scan came")
}

/// It is served, and it is known by what.
fn ready(condition: &Condition) -> bool {
    condition.state == DeviceState::Ready && condition.controller.is_some()
}

fn absent(condition: &Condition) -> bool {
    condition.state == DeviceState::Absent
}

impl Counter {
    /// A line that a controller may be plugged in at.
    fn line(&mut self, name: &str) -> PathBuf {
        let path = self.port(name);
        self.lines.lines.push(path.clone());
        path
    }

    fn scanner_on_controller(&mut self, adds_to_sale: bool) {
        let port = Some(ScannerPort::Controller(SCANNER));
        let model = Model::Scanner(ScannerConfig { adds_to_sale, ..ScannerConfig::at(port) });
        self.devices.push(DeviceConfig { id: "scanner".into(), terminal: Some("till-1".into()), model });
    }

    fn drawer_on_controller(&mut self) {
        let model = Model::Drawer(DrawerConfig::at(DrawerPort::Controller(DRAWER)));
        self.devices.push(DeviceConfig { id: "drawer".into(), terminal: None, model });
    }

    fn barcode(&self) -> String {
        self.shop.state().catalog.iter().next().unwrap().barcode.clone().unwrap().to_string()
    }

    fn open_sale(&self) -> Uuid {
        self.sell(|draft| {
            draft.lines.clear();
            draft.tenders.clear();
        })
    }

    /// The wall's clock does.
    fn goes_on(&self) {
        self.clock.set(Millis(self.shop.now().time.0 + 600_000), true);
    }

    fn lines_of(&self, sale: Uuid) -> usize {
        self.shop.state().open_sales.get(&sale).unwrap().lines.len()
    }

    fn ask_open(&self) {
        let reason = DrawerReason::Asked("change".into());
        let (id, drawer) = (Uuid::now_v7(), "drawer".into());
        self.submit(Command::OpenDrawer { id, drawer, terminal: None, reason });
    }

    async fn opened(&mut self) -> (DrawerOutcome, String) {
        self.event(|event| match event {
            Event::DrawerEnded { outcome, detail, .. } => Some((*outcome, detail.clone())),
            _ => None,
        })
        .await
    }
}
