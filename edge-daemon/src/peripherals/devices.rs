//! All devices of the store: what is known of each, who has it claimed, and the news about them.
//!
//! The life cycle is UnifiedPOS's. The box opens a device by itself and keeps it open; a till *claims* it, and from then on
//! is the only one that it acts for; it can be *disabled* and enabled. How it is, everybody may see.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use tokio::sync::{broadcast, mpsc};

use super::condition::{Condition, DeviceError, News, OfClass, Order};
use super::controllers::{self, ControllerKey, Controllers};
use super::device::{Device, Ordered};
use crate::checkout::{CommandKey, Shop};
use crate::config::{DeviceConfig, DrawerConfig, DrawerPort, Model, PrinterRole};

/// News that a slow listener may fall behind.
const NEWS: usize = 1_024;
/// Keys that are remembered: of the last minutes, as nobody asks again later.
const REMEMBERED: usize = 1_000;

/// A device, and where the orders for it come out.
pub(super) type Attended = (Arc<Device>, mpsc::Receiver<Ordered>);

/// All devices. A cheap handle.
#[derive(Clone)]
pub struct Devices {
    /// In the order of the configuration.
    devices: Arc<RwLock<Vec<Arc<Device>>>>,
    pub(super) controllers: Controllers,
    news: broadcast::Sender<News>,
    /// Keys of the last orders that were carried out, the oldest first.
    carried_out: Arc<Mutex<VecDeque<CommandKey>>>,
}

impl Devices {
    /// No devices.
    #[must_use]
    pub fn none() -> Self {
        Self::new(Controllers::new(PathBuf::new()))
    }

    /// No devices yet, with these controllers for those that hang on one.
    pub(super) fn new(controllers: Controllers) -> Self {
        let (devices, news, carried_out) = (Arc::default(), broadcast::channel(NEWS).0, Arc::default());
        Self { devices, controllers, news, carried_out }
    }

    /// Devices that nobody drives: they can be looked at and claimed.
    #[cfg(test)]
    pub(crate) fn unattended(shop: &Shop, configs: &[DeviceConfig]) -> Self {
        let devices = Self::none();
        for config in configs {
            devices.add(shop, config, true);
        }
        devices
    }

    /// Has a scale that nobody drives show a weight.
    #[cfg(test)]
    pub(crate) fn lay_on(&self, id: &str, kilograms: &str) {
        let weight = Some(kilograms.to_owned());
        let device = self.device(id).unwrap();
        device.well(super::DeviceState::Ready);
        device.change(|condition| condition.of_class = OfClass::Scale { weight });
    }

    /// Adds a device, and gives where the orders for it come out.
    pub(super) fn add(&self, shop: &Shop, config: &DeviceConfig, fixed: bool) -> Attended {
        let (device, inbox) = Device::new(shop, config, fixed, self.news.clone());
        let device = Arc::new(device);
        self.devices.write().unwrap_or_else(PoisonError::into_inner).push(device.clone());
        device.tell(News::Changed(Arc::new(device.condition())));
        (device, inbox)
    }

    /// Forgets a device.
    pub(super) fn remove(&self, id: &str) {
        let mut devices = self.devices.write().unwrap_or_else(PoisonError::into_inner);
        devices.retain(|device| {
            let stays = device.config.id != id;
            if !stays {
                device.go();
            }
            stays
        });
    }

    /// Whether there is such a device in the configuration file.
    #[must_use]
    pub fn is_fixed(&self, id: &str) -> bool {
        self.get(id).is_ok_and(|condition| condition.fixed)
    }

    /// Whether a device can be configured beside the others; else why not.
    ///
    /// # Errors
    /// The reason, in words.
    pub fn fits(&self, config: &DeviceConfig) -> Result<(), String> {
        let port = config.port();
        if self.iter().any(|other| other.config.id != config.id && other.config.port() == port) {
            return Err(format!("another device is at \"{port}\" already"));
        }
        let line = port.strip_prefix("serial:").map(Path::new);
        if line.is_some_and(|line| self.controllers.has_line(line)) {
            return Err(format!("\"{port}\" is a line of [controllers]; name the controller instead"));
        }
        match &config.model {
            Model::Drawer(DrawerConfig { port: DrawerPort::Printer(id), .. }) => {
                let there =
                    self.device(id).is_ok_and(|device| matches!(device.config.model, Model::Printer(_)));
                if there { Ok(()) } else { Err(format!("there is no printer called \"{id}\"")) }
            }
            _ => Ok(()),
        }
    }

    /// The drawers on a printer's connector.
    pub(super) fn drawers_on(&self, printer: &str) -> Vec<Arc<Device>> {
        let hangs_here = |device: &Arc<Device>| match &device.config.model {
            Model::Drawer(DrawerConfig { port: DrawerPort::Printer(id), .. }) => id == printer,
            _ => false,
        };
        self.iter().filter(hangs_here).collect()
    }

    /// All, in the order of the configuration.
    #[must_use]
    pub fn all(&self) -> Vec<Condition> {
        self.iter().map(|device| device.condition()).collect()
    }

    /// One of them.
    ///
    /// # Errors
    /// [`DeviceError::Unknown`].
    pub fn get(&self, id: &str) -> Result<Condition, DeviceError> {
        self.device(id).map(|device| device.condition())
    }

    pub(super) fn tell(&self, news: News) {
        // Nobody needs to listen.
        let _ = self.news.send(news);
    }

    /// News from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<News> {
        self.news.subscribe()
    }

    /// Gives a device to a till; `adds_to_sale` changes what a scanner does with its scans.
    ///
    /// # Errors
    /// When there is none, or another till has it.
    pub fn claim(
        &self,
        id: &str,
        terminal: &str,
        adds_to_sale: Option<bool>,
    ) -> Result<Condition, DeviceError> {
        let device = self.device(id)?;
        let scans = matches!(device.config.model, Model::Scanner(_));
        if adds_to_sale.is_some() && !scans {
            return Err(device.wrong_class());
        }
        let mut refused = None;
        device.change(|condition| match &condition.claimed_by {
            Some(by) if **by != *terminal => refused = Some(by.clone()),
            _ => {
                condition.claimed_by = Some(terminal.into());
                if let Some(adds_to_sale) = adds_to_sale {
                    condition.of_class = OfClass::Scanner { adds_to_sale };
                }
            }
        });
        match refused {
            Some(by) => Err(DeviceError::Claimed { id: id.to_owned(), by }),
            None => Ok(device.condition()),
        }
    }

    /// Takes a device back from a till. One that nobody has stays so.
    ///
    /// # Errors
    /// When there is none, or another till has it.
    pub fn release(&self, id: &str, terminal: &str) -> Result<Condition, DeviceError> {
        let device = self.device(id)?;
        let mut refused = None;
        device.change(|condition| match &condition.claimed_by {
            Some(by) if **by != *terminal => refused = Some(by.clone()),
            _ => condition.claimed_by = None,
        });
        match refused {
            Some(by) => Err(DeviceError::Claimed { id: id.to_owned(), by }),
            None => Ok(device.condition()),
        }
    }

    /// Lets a device be used, or not.
    ///
    /// # Errors
    /// When there is none.
    pub fn enable(&self, id: &str, enabled: bool) -> Result<Condition, DeviceError> {
        let device = self.device(id)?;
        device.enable(enabled);
        Ok(device.condition())
    }

    /// Has a till's device do something at once, and waits for the outcome. The same key again does nothing again, as long
    /// as it is remembered.
    ///
    /// # Errors
    /// When it is not the till's, is disabled, cannot do that, or could not now.
    pub async fn order(
        &self,
        id: &str,
        terminal: &str,
        order: Order,
        key: CommandKey,
    ) -> Result<Condition, DeviceError> {
        if let Some(first) = self.carried_out().iter().find(|first| first.key == key.key) {
            return if *first == key { self.get(id) } else { Err(DeviceError::KeyReused) };
        }
        let device = self.usable(id, terminal)?;
        let condition = device.order(order).await?;
        let mut carried_out = self.carried_out();
        if carried_out.len() >= REMEMBERED {
            carried_out.pop_front();
        }
        carried_out.push_back(key);
        drop(carried_out);
        Ok(condition)
    }

    /// Enrols the key of the controller that a device hangs on. May block, for a little.
    ///
    /// # Errors
    /// When there is none, it hangs on no controller, or the disk does not take the key.
    pub fn enrol(&self, id: &str, key: &ControllerKey) -> Result<Condition, DeviceError> {
        let device = self.device(id)?;
        let hardware = device.config.controller().ok_or_else(|| DeviceError::NoController(id.to_owned()))?;
        self.controllers.enrol(hardware, key).map_err(|error| {
            let reason = format!("its key cannot be stored: {error}; look at the data directory");
            DeviceError::Unable { id: id.to_owned(), reason }
        })?;
        if let Some(about) = self.controllers.about(hardware) {
            device.know(about);
        }
        Ok(device.condition())
    }

    /// Sends a signed image to the controller that a device hangs on, now or when it is there.
    ///
    /// # Errors
    /// When there is none, it hangs on no controller, or on one that was not there since the start, or these bytes are no image
    /// for it.
    pub fn update(&self, id: &str, image: &[u8]) -> Result<Condition, DeviceError> {
        let device = self.device(id)?;
        let hardware = device.config.controller().ok_or_else(|| DeviceError::NoController(id.to_owned()))?;
        let unable = |reason: &str| DeviceError::Unable { id: id.to_owned(), reason: reason.to_owned() };
        let about = self.controllers.about(hardware);
        let kind = about.ok_or_else(|| unable("its controller was not there since the start"))?.kind;
        let image = controllers::image(image, kind).map_err(DeviceError::BadImage)?;
        device.know(self.controllers.update(hardware, image).map_err(unable)?);
        Ok(device.condition())
    }

    fn carried_out(&self) -> MutexGuard<'_, VecDeque<CommandKey>> {
        self.carried_out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has a display show its own name.
    ///
    /// # Errors
    /// When there is none, or it cannot now.
    pub async fn test_display(&self, id: &str) -> Result<Condition, DeviceError> {
        let text = [(id.to_owned(), String::new()), ("Test".to_owned(), "12.34".to_owned())];
        self.device(id)?.order(Order::Show(text)).await
    }

    /// Whether this till may print on it.
    ///
    /// # Errors
    /// When it is not the till's, or no printer.
    pub fn printer_for(&self, id: &str, terminal: &str) -> Result<(), DeviceError> {
        let device = self.usable(id, terminal)?;
        if matches!(device.config.model, Model::Printer(_)) { Ok(()) } else { Err(device.wrong_class()) }
    }

    /// Whether this till may open it.
    ///
    /// # Errors
    /// When it is not the till's, or no drawer.
    pub fn drawer_for(&self, id: &str, terminal: &str) -> Result<(), DeviceError> {
        let device = self.usable(id, terminal)?;
        if matches!(device.config.model, Model::Drawer(_)) { Ok(()) } else { Err(device.wrong_class()) }
    }

    /// A scale of this till.
    ///
    /// # Errors
    /// When it is not the till's, or no scale.
    pub fn scale_for(&self, id: &str, terminal: &str) -> Result<Condition, DeviceError> {
        let device = self.usable(id, terminal)?;
        if matches!(device.config.model, Model::Scale(_)) {
            Ok(device.condition())
        } else {
            Err(device.wrong_class())
        }
    }

    /// A device that this till may act with.
    ///
    /// # Errors
    /// When there is none, it is disabled, or not the till's.
    fn usable(&self, id: &str, terminal: &str) -> Result<Arc<Device>, DeviceError> {
        let device = self.device(id)?;
        match device.claimed_by() {
            Some(by) if *by != *terminal => Err(DeviceError::Claimed { id: id.to_owned(), by }),
            None => Err(DeviceError::Unclaimed(id.to_owned())),
            Some(_) if !device.enabled() => Err(DeviceError::Disabled(id.to_owned())),
            Some(_) => Ok(device),
        }
    }

    pub(super) fn device(&self, id: &str) -> Result<Arc<Device>, DeviceError> {
        let found = self.iter().find(|device| device.config.id == id);
        found.ok_or_else(|| DeviceError::Unknown(id.to_owned()))
    }

    /// The printer of a till's receipts, and whether they are printed by themselves: its own, or one for all.
    #[must_use]
    pub fn receipt_printer(&self, terminal: &str) -> Option<(String, bool)> {
        let printers = self.iter().filter_map(|device| match &device.config.model {
            Model::Printer(printer) => match printer.role {
                PrinterRole::Receipts { auto_print } => Some((device, auto_print)),
                PrinterRole::Orders { .. } => None,
            },
            _ => None,
        });
        let of_till = nearest(printers, terminal, |(device, _)| device);
        of_till.map(|(device, auto_print)| (device.config.id.clone(), auto_print))
    }

    /// A till's drawer: its own, or one for all.
    #[must_use]
    pub fn drawer_of(&self, terminal: &str) -> Option<String> {
        let drawers = self.iter().filter(|device| matches!(device.config.model, Model::Drawer(_)));
        nearest(drawers, terminal, |device| device).map(|device| device.config.id.clone())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Arc<Device>> {
        self.devices.read().unwrap_or_else(PoisonError::into_inner).clone().into_iter()
    }
}

/// A till's own device, or else the first that stands at no till.
fn nearest<T>(
    devices: impl Iterator<Item = T>,
    terminal: &str,
    device: impl Fn(&T) -> &Arc<Device>,
) -> Option<T> {
    let mut shared = None;
    for candidate in devices {
        match device(&candidate).claimed_by() {
            Some(by) if *by == *terminal => return Some(candidate),
            None if shared.is_none() => shared = Some(candidate),
            _ => {}
        }
    }
    shared
}
