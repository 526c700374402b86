//! Scans: understood, looked up, told to who listens, and put onto the sale of the till that has the scanner.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use device_drivers::{Scanner, SerialScanner, WedgeScanner};
use pos_domain::barcode::{Barcode, BarcodeError};
use pos_domain::catalog::Product;
use pos_domain::command::{Command, ItemRef, LineDraft};
use pos_domain::sale::{Sale, Status};
use pos_domain::time::Millis;
use tokio::sync::mpsc;
use tokio::time::timeout;
use uuid::Uuid;

use super::condition::{News, OfClass};
use super::device::Device;
use super::supervisor::{BEAT, Driver, Life, Trouble};
use crate::checkout::{CommandKey, Origin, SubmitError};
use crate::config::ScannerConfig;

/// Scans that may wait for their sale.
const ADDS: usize = 256;

/// One scan.
#[derive(Debug, Clone)]
pub struct Scan {
    /// Made by the box.
    pub id: Uuid,
    /// The scanner.
    pub device: String,
    /// The till that has it claimed.
    pub terminal: Option<Arc<str>>,
    /// As the scanner sent it.
    pub data: String,
    /// What it means, or why it means nothing.
    pub barcode: Result<Barcode, BarcodeError>,
    /// What the catalogue has of it.
    pub product: Option<Arc<Product>>,
    /// The open sale that it goes onto.
    pub transaction: Option<Uuid>,
    /// It waited for so long that it counts for nothing any more: more than a minute, or until its till had begun another sale.
    pub late: bool,
    /// When.
    pub at: Millis,
}

/// What a scanner sent.
pub(super) struct Heard {
    /// The scan's name.
    pub(super) id: Uuid,
    /// As the scanner sent it.
    pub(super) data: String,
    /// How long ago that was, if that is known.
    pub(super) age: Option<Duration>,
    /// It waited for too long.
    pub(super) late: bool,
}

#[derive(Clone)]
pub(super) enum Scanning {
    Serial(SerialScanner),
    Keyboard(WedgeScanner),
}

impl Scanning {
    /// One at a serial port.
    pub(super) fn on_line(config: &ScannerConfig, path: PathBuf) -> Self {
        let ScannerConfig { line, framing, .. } = *config;
        Self::Serial(SerialScanner { line, framing, ..SerialScanner::new(path) })
    }

    /// One that types.
    pub(super) fn keyboard(config: &ScannerConfig, path: PathBuf) -> Self {
        Self::Keyboard(WedgeScanner { layout: config.layout, ..WedgeScanner::new(path) })
    }
}

impl Driver for Scanning {
    type Open = Scanner;

    fn open(&self) -> Result<Scanner, Trouble> {
        let opened = match self {
            Self::Serial(scanner) => scanner.open(),
            Self::Keyboard(scanner) => scanner.open(),
        };
        opened.map_err(|fault| Trouble::of(&fault))
    }

    async fn serve(&self, mut scanner: Scanner, life: &Life) -> Trouble {
        // One after the other, in the order of the scans, and none waits for the disk before the next is heard.
        let (adds, to_add) = mpsc::channel(ADDS);
        tokio::spawn(add_all(life.device.clone(), to_add));
        let mut refused = 0;
        loop {
            match timeout(BEAT, scanner.next()).await {
                Ok(Ok(data)) => scanned(&life.device, data, &adds),
                Ok(Err(fault)) => return Trouble::of(&fault),
                Err(_) => {}
            }
            life.beat();
            let now = scanner.refused();
            let now = now.long + now.garbled + now.half;
            life.device.count(|counters| counters.refused += now - std::mem::replace(&mut refused, now));
        }
    }
}

/// A scan came.
fn scanned(device: &Device, data: String, adds: &mpsc::Sender<Arc<Scan>>) {
    let Some(scan) = hear(device, Heard { id: Uuid::now_v7(), data, age: Some(Duration::ZERO), late: false })
    else {
        return;
    };
    device.tell(News::Scanned(scan.clone()));
    if scan.transaction.is_some()
        && let Err(full) = adds.try_send(scan)
    {
        refuse(device, full.into_inner(), "too many scans wait for the sale; scan it again".to_owned());
    }
}

/// Understands a scan, and looks up what it means; `None` where the scanner is disabled.
pub(super) fn hear(device: &Device, heard: Heard) -> Option<Arc<Scan>> {
    let Heard { id, data, age, late } = heard;
    if !device.enabled() {
        device.count(|counters| counters.refused += 1);
        return None;
    }
    device.count(|counters| counters.done += 1);
    let shop = &device.shop;
    let condition = device.condition();
    let age = age.map_or(0, |age| i64::try_from(age.as_millis()).unwrap_or(i64::MAX));
    let at = Millis(shop.now().time.0.saturating_sub(age));
    let barcode = Barcode::parse(&data, &shop.store().embedded);
    let (product, open) = {
        let state = shop.state();
        let product = barcode.as_ref().ok().and_then(|barcode| state.catalog.by_barcode(barcode)).cloned();
        let adds = condition.of_class == OfClass::Scanner { adds_to_sale: true };
        let open = condition.claimed_by.as_deref().filter(|_| adds).and_then(|terminal| {
            // The one that was begun last, should there be several.
            let of_till = |sale: &&Arc<Sale>| is_open(sale, terminal);
            let last =
                state.open_sales.values().filter(of_till).max_by_key(|sale| (sale.started_at, sale.id));
            last.map(|sale| (sale.id, sale.started_at))
        });
        (product, open)
    };
    // A sale that was begun after the scan is another customer's, or has it already.
    let late = late || open.is_some_and(|(_, started_at)| started_at > at);
    let transaction = open.map(|(id, _)| id).filter(|_| product.is_some() && !late);
    Some(Arc::new(Scan {
        id,
        device: condition.id,
        terminal: condition.claimed_by,
        data,
        barcode,
        product,
        transaction,
        late,
        at,
    }))
}

fn is_open(sale: &Sale, terminal: &str) -> bool {
    sale.status == Status::Open && *sale.terminal == *terminal
}

/// Puts scans onto their sales; the sale's own event tells of it.
async fn add_all(device: Arc<Device>, mut scans: mpsc::Receiver<Arc<Scan>>) {
    while let Some(scan) = scans.recv().await {
        if let Err(error) = add(&device, &scan, None).await {
            refuse(&device, scan, error.to_string());
        }
    }
}

/// Puts a scan onto its sale; with a key once, however often it comes.
pub(super) async fn add(device: &Device, scan: &Scan, key: Option<CommandKey>) -> Result<(), SubmitError> {
    let Some(sale) = scan.transaction else { return Ok(()) };
    let lines = vec![LineDraft::of(ItemRef::Barcode(scan.data.clone()))];
    let origin = Origin { terminal: scan.terminal.clone(), device_time: Some(scan.at), ..Origin::default() };
    device.shop.submit(key, Command::AddLines { sale, lines }, origin).await.map(|_| ())
}

/// Says that a scan went nowhere.
pub(super) fn refuse(device: &Device, scan: Arc<Scan>, reason: String) {
    device.count(|counters| counters.refused += 1);
    device.tell(News::ScanRefused(scan, reason));
}
