//! A scanner on one of our own controllers: each scan once, and the good-read signal only when it counts.

use std::time::Duration;

use pos_domain::barcode::Barcode;
use pos_link::{Id, ScanRefusal, Settings, ToController, ToHost};
use tokio::time::timeout;
use uuid::{Builder, Uuid};

use super::about::ControllerKind;
use super::clock::Age;
use super::seat::{Over, Seat, Told};
use super::{Controllers, first_half, name_of};
use crate::checkout::{CommandKey, SubmitError};
use crate::config::Hardware;
use crate::peripherals::condition::News;
use crate::peripherals::device::Device;
use crate::peripherals::scanning::{Heard, Scan, add, hear, refuse};
use crate::peripherals::supervisor::{BEAT, Driver, Life, Trouble};

/// A scan that is older counts for nothing: the goods are in the bag, and whoever scanned them has helped themselves.
const LATE: Duration = Duration::from_secs(60);

/// The driver.
#[derive(Clone)]
pub(in super::super) struct ControllerScanner {
    pub(in super::super) controllers: Controllers,
    pub(in super::super) hardware: Hardware,
    pub(in super::super) settings: Settings,
}

/// Whether a scan counts.
type Verdict = Result<(), ScanRefusal>;

/// A scan that comes in parts.
#[derive(Default)]
struct Parts {
    ids: Vec<Id>,
    data: Vec<u8>,
    /// It is longer than any scan: its parts are dropped as they come.
    long: bool,
}

impl Driver for ControllerScanner {
    type Open = Seat;

    fn open(&self) -> Result<Seat, Trouble> {
        self.controllers.attach(self.hardware, ControllerKind::Scanner)
    }

    async fn serve(&self, mut seat: Seat, life: &Life) -> Trouble {
        let Err(Over) = self.scan(&mut seat, life).await;
        super::seat::gone(self.hardware)
    }
}

impl ControllerScanner {
    async fn scan(&self, seat: &mut Seat, life: &Life) -> Result<std::convert::Infallible, Over> {
        seat.say(ToController::Configure(self.settings)).await?;
        let mut parts = Parts::default();
        loop {
            life.beat();
            let about = seat.about();
            life.device.know(about);
            if let Ok(told) = timeout(BEAT, seat.next()).await
                && let Some(told) = told?
            {
                self.told(seat, &life.device, &mut parts, told).await?;
            }
        }
    }

    async fn told(&self, seat: &Seat, device: &Device, parts: &mut Parts, told: Told) -> Result<(), Over> {
        let ToHost::Scan { symbology, more, data, .. } = told.message else {
            return seat.done(told.id).await;
        };
        parts.ids.push(told.id);
        parts.data.extend_from_slice(&data);
        parts.long |= parts.data.len() > device_drivers::MAX_SCAN;
        if more {
            if parts.long {
                parts.data.clear();
                for id in parts.ids.drain(..) {
                    seat.done(id).await?;
                }
            }
            return Ok(());
        }
        let Parts { ids, data, long } = std::mem::take(parts);
        let age = match told.age {
            Some(Age::Of(age)) => Some(age),
            _ => None,
        };
        let verdict = match text(symbology, data) {
            Some(text) if !long => self.scanned(device, text, told.id, age).await?,
            _ => {
                device.count(|counters| counters.refused += 1);
                Err(ScanRefusal::Unreadable)
            }
        };
        for id in ids {
            seat.done(id).await?;
        }
        let scan = told.id;
        seat.say(match verdict {
            Ok(()) => ToController::ScanAccepted { scan },
            Err(reason) => ToController::ScanRefused { scan, reason },
        })
        .await
    }

    /// What becomes of a scan. When it is accepted, what follows from it is in the journal; where that is not known, it is to
    /// come again with the next seat.
    async fn scanned(
        &self,
        device: &Device,
        data: String,
        id: Id,
        age: Option<Duration>,
    ) -> Result<Verdict, Over> {
        let late = age.is_none_or(|age| age > LATE);
        let name = name_of(self.hardware, id, &[]);
        let Some(scan) = hear(device, Heard { id: scan_id(name), data, age, late }) else {
            return Ok(Err(ScanRefusal::NotNow));
        };
        device.tell(News::Scanned(scan.clone()));
        if scan.barcode.is_err() {
            return Ok(Err(ScanRefusal::Unreadable));
        }
        if scan.late {
            device.count(|counters| counters.refused += 1);
            return Ok(Err(ScanRefusal::NotNow));
        }
        if scan.transaction.is_some() {
            let key = CommandKey { key: first_half(name), request: request(self.hardware, id, &scan) };
            return match add(device, &scan, Some(key)).await {
                // In the second case it went onto a sale that was open when it came first.
                Ok(()) | Err(SubmitError::KeyReused) => Ok(Ok(())),
                Err(SubmitError::OutcomeUnknown | SubmitError::Stopping) => Err(Over),
                Err(error) => {
                    refuse(device, scan, error.to_string());
                    Ok(Err(ScanRefusal::NotNow))
                }
            };
        }
        let unknown = scan.product.is_none() && !matches!(scan.barcode, Ok(Barcode::Text(_)));
        Ok(if unknown && device.adds_to_sale() { Err(ScanRefusal::UnknownArticle) } else { Ok(()) })
    }
}

/// With its symbology identifier, as a scanner sends it; an engine that gives none has zeros there.
fn text(symbology: [u8; 2], data: Vec<u8>) -> Option<String> {
    let mut whole = Vec::with_capacity(data.len() + 3);
    if symbology != [0; 2] {
        whole.push(b']');
        whole.extend_from_slice(&symbology);
    }
    whole.extend_from_slice(&data);
    String::from_utf8(whole).ok()
}

/// The same scan has the same id whenever it comes.
fn scan_id(name: [u8; 32]) -> Uuid {
    Builder::from_custom_bytes(first_half(name)).into_uuid()
}

fn request(hardware: Hardware, id: Id, scan: &Scan) -> [u8; 32] {
    let sale = scan.transaction.unwrap_or_default();
    name_of(hardware, id, &[sale.as_bytes(), scan.data.as_bytes()].concat())
}
