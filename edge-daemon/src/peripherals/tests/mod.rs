//! A counter whose devices are virtual, on the real wire.

mod controllers;
mod drawers;
mod printing;
mod scanning;
mod supervising;
mod weighing;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use device_drivers::{Faults, Line, Patience, Profile, VirtualPrinter, VirtualScanner};
use pos_domain::command::{Command, PrintWish, SaleDraft};
use pos_domain::event::{Event, PrintOutcome};
use pos_domain::time::Millis;
use tokio::sync::broadcast;
use tokio::time::timeout;
use uuid::Uuid;

use super::*;
use crate::checkout::{Happening, Origin, Running, Shop};
use crate::clock::HandClock;
use crate::config::{
    DrawerConfig, DrawerPort, Model, PrinterConfig, PrinterRole, ScannerConfig, ScannerPort,
};
use crate::trial;

/// Nothing in these tests takes nearly so long; a hang is to fail.
const LONG: Duration = Duration::from_secs(30);

struct Counter {
    dir: tempfile::TempDir,
    shop: Shop,
    running: Running,
    clock: HandClock,
    printer: VirtualPrinter,
    devices: Vec<DeviceConfig>,
    lines: ControllerLines,
    happenings: broadcast::Receiver<Arc<Happening>>,
}

fn printer_config(id: &str, printer: &VirtualPrinter, role: PrinterRole) -> DeviceConfig {
    let (route, profile) = (Some(printer.address().into()), Profile::epson_80_mm());
    let model = Model::Printer(PrinterConfig { route, profile, role });
    DeviceConfig { id: id.into(), terminal: None, model }
}

async fn virtual_printer() -> VirtualPrinter {
    VirtualPrinter::start(([127, 0, 0, 1], 0).into(), Profile::epson_80_mm()).await.unwrap()
}

/// A shop with one printer for all tills.
async fn counter() -> Counter {
    let dir = tempfile::tempdir().unwrap();
    let (shop, running, clock) = tokio::task::block_in_place(|| {
        let data = dir.path().join("data");
        std::fs::create_dir(&data).unwrap();
        let opened = trial::open(&data);
        trial::put_pen(&opened.0);
        opened
    });
    let printer = virtual_printer().await;
    let devices = vec![printer_config("receipts", &printer, PrinterRole::Receipts { auto_print: true })];
    let happenings = shop.subscribe();
    let lines = ControllerLines { lines: Vec::new(), keys: dir.path().join("keys") };
    Counter { dir, shop, running, clock, printer, devices, lines, happenings }
}

impl Counter {
    fn start(&self) -> Peripherals {
        let patience = Patience {
            connect: Duration::from_secs(5),
            status: Duration::from_millis(300),
            confirm: Duration::from_millis(600),
            look: Duration::from_millis(100),
        };
        Peripherals::start(&self.shop, &self.devices, &self.lines, patience)
    }

    /// A scanner under a name of its own.
    fn scanner(&mut self, id: &str, terminal: Option<&str>, adds_to_sale: bool) -> VirtualScanner {
        let path = self.port(id);
        let scanner = VirtualScanner::plug(&path).unwrap();
        let port = Some(ScannerPort::Serial(path));
        let model = Model::Scanner(ScannerConfig { adds_to_sale, ..ScannerConfig::at(port) });
        self.devices.push(DeviceConfig { id: id.into(), terminal: terminal.map(Into::into), model });
        scanner
    }

    fn drawer(&mut self, terminal: Option<&str>) {
        let port = DrawerPort::Printer("receipts".into());
        let model = Model::Drawer(DrawerConfig { open_when_high: Some(true), ..DrawerConfig::at(port) });
        self.devices.push(DeviceConfig { id: "drawer".into(), terminal: terminal.map(Into::into), model });
    }

    fn port(&self, id: &str) -> PathBuf {
        self.dir.path().join(id)
    }

    fn sell(&self, change: impl FnOnce(&mut SaleDraft)) -> Uuid {
        let mut draft = trial::sale_of_a_pen();
        change(&mut draft);
        tokio::task::block_in_place(|| trial::sell(&self.shop, draft))
    }

    fn ask(&self, sale: Uuid, printer: &str, copy: bool) -> Uuid {
        let wish = PrintWish { copy, ..PrintWish::receipt(Uuid::now_v7(), sale, printer) };
        let id = wish.id;
        self.submit(Command::AskPrint(wish));
        id
    }

    fn submit(&self, command: Command) {
        tokio::task::block_in_place(|| self.shop.submit_blocking(None, command, Origin::default())).unwrap();
    }

    /// The next event of the journal that is looked for.
    async fn event<T>(&mut self, wanted: impl Fn(&Event) -> Option<T>) -> T {
        let next = async {
            loop {
                let happening = self.happenings.recv().await.unwrap();
                if let Some(found) = wanted(&happening.event) {
                    return found;
                }
            }
        };
        timeout(LONG, next).await.expect("it never happened")
    }

    /// The next outcome of a print job.
    async fn outcome(&mut self) -> (PrintOutcome, String) {
        self.event(|event| match event {
            Event::PrintEnded { outcome, detail, .. } => Some((*outcome, detail.clone())),
            _ => None,
        })
        .await
    }

    async fn wait(&self, running: &Peripherals, id: &str, what: impl Fn(&Condition) -> bool) {
        let devices = running.devices();
        let reached = async {
            while !what(&devices.get(id).unwrap()) {
                tokio::task::yield_now().await;
            }
        };
        if timeout(LONG, reached).await.is_err() {
            panic!("{id} never got there: {:?}", devices.get(id));
        }
    }

    fn paper(&self) -> Vec<String> {
        self.printer.receipts().iter().map(|receipt| receipt.paper.to_text()).collect()
    }

    async fn end(self, running: Peripherals) {
        running.stop().await;
        tokio::task::block_in_place(|| self.running.stop()).unwrap();
    }
}

/// Sheets that wait for a printer.
fn jobs(condition: &Condition) -> usize {
    match condition.of_class {
        OfClass::Printer { jobs, .. } => jobs,
        _ => 0,
    }
}
