//! One device: what is known of it, and what is asked of it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use device_drivers::{DisplayLine, Kind};
use pos_domain::event::DrawerJob;
use tokio::sync::{Notify, broadcast, mpsc, oneshot};
use tokio::time::timeout;
use uuid::Uuid;

use super::condition::{Asked, Condition, Counters, DeviceError, DeviceState, News, OfClass, Order};
use super::controllers::About;
use crate::checkout::Shop;
use crate::config::{DeviceConfig, Model};

/// How long an order may take, with those before it.
const ORDER_PATIENCE: Duration = Duration::from_secs(5);
/// Orders that may wait for one device.
const ORDERS: usize = 16;

/// An order and where its outcome is awaited.
pub(super) struct Ordered {
    pub(super) order: Order,
    pub(super) reply: oneshot::Sender<Result<(), String>>,
}

/// One device.
pub(super) struct Device {
    pub(super) config: DeviceConfig,
    pub(super) shop: Shop,
    condition: Mutex<Condition>,
    news: broadcast::Sender<News>,
    orders: mpsc::Sender<Ordered>,
    /// Rung when it is enabled.
    bell: Notify,
    /// It was taken away: nobody hears of it any more.
    gone: AtomicBool,
    /// The opening that its driver is about; of drawers.
    opening: Mutex<Option<Uuid>>,
}

impl Device {
    /// A device that is not there yet, and where the orders for it come out.
    pub(super) fn new(
        shop: &Shop,
        config: &DeviceConfig,
        fixed: bool,
        news: broadcast::Sender<News>,
    ) -> (Self, mpsc::Receiver<Ordered>) {
        let (orders, inbox) = mpsc::channel(ORDERS);
        let condition = Condition {
            id: config.id.clone(),
            class: config.class().to_owned(),
            port: config.port(),
            fixed,
            state: DeviceState::Absent,
            detail: String::new(),
            remedy: None,
            since: shop.now().time,
            enabled: true,
            claimed_by: config.terminal.as_deref().map(Into::into),
            counters: Counters::default(),
            controller: None,
            of_class: OfClass::of(&config.model),
        };
        let device = Self {
            config: config.clone(),
            shop: shop.clone(),
            condition: Mutex::new(condition),
            news,
            orders,
            bell: Notify::new(),
            gone: AtomicBool::new(false),
            opening: Mutex::default(),
        };
        (device, inbox)
    }

    /// Waits until it is enabled, the next time. Safe to cancel.
    pub(super) async fn rung(&self) {
        self.bell.notified().await;
    }

    /// Lets it be used, or not.
    pub(super) fn enable(&self, enabled: bool) {
        self.change(|condition| condition.enabled = enabled);
        if enabled {
            self.bell.notify_one();
        }
    }

    /// How it is now.
    pub(super) fn condition(&self) -> Condition {
        self.lock().clone()
    }

    pub(super) fn enabled(&self) -> bool {
        self.lock().enabled
    }

    /// Whether what it scans goes onto the open sale of its till; of scanners.
    pub(super) fn adds_to_sale(&self) -> bool {
        self.lock().of_class == OfClass::Scanner { adds_to_sale: true }
    }

    /// What is known of the controller that it hangs on.
    pub(super) fn know(&self, controller: About) {
        self.change(|condition| condition.controller = Some(Arc::new(controller)));
    }

    pub(super) fn claimed_by(&self) -> Option<Arc<str>> {
        self.lock().claimed_by.clone()
    }

    /// Changes what is known, and tells who listens where more than a counter changed.
    pub(super) fn change(&self, change: impl FnOnce(&mut Condition)) {
        let mut condition = self.lock();
        let before = condition.clone();
        change(&mut condition);
        if condition.state != before.state {
            condition.since = self.shop.now().time;
        }
        let same = before.is_like(&condition);
        if !same {
            self.tell(News::Changed(Arc::new(condition.clone())));
        }
    }

    /// Counts something.
    pub(super) fn count(&self, count: impl FnOnce(&mut Counters)) {
        count(&mut self.lock().counters);
    }

    /// It is there and well.
    pub(super) fn well(&self, state: DeviceState) {
        self.change(|condition| {
            (condition.state, condition.remedy) = (state, None);
            condition.detail.clear();
        });
    }

    /// It is not well.
    pub(super) fn unwell(&self, state: DeviceState, kind: Kind, detail: impl Into<String>) {
        let detail = detail.into();
        self.change(|condition| {
            (condition.state, condition.remedy, condition.detail) = (state, Some(kind.into()), detail);
        });
    }

    /// It is not served any more: what it said last may not be so now.
    pub(super) fn lost(&self, state: DeviceState, kind: Kind, detail: impl Into<String>) {
        self.change(|condition| match &mut condition.of_class {
            OfClass::Scale { weight } => *weight = None,
            OfClass::Drawer { open } => *open = None,
            _ => {}
        });
        self.unwell(state, kind, detail);
    }

    /// What a display shows, as lines to show again.
    pub(super) fn shown(&self) -> [DisplayLine; 2] {
        match &self.lock().of_class {
            OfClass::Display { lines } => lines.clone().map(|line| DisplayLine::new(line, "")),
            _ => Default::default(),
        }
    }

    pub(super) fn tell(&self, news: News) {
        if !self.gone.load(Ordering::Acquire) {
            // Nobody needs to listen.
            let _ = self.news.send(news);
        }
    }

    /// It was taken away.
    pub(super) fn go(&self) {
        self.gone.store(true, Ordering::Release);
    }

    /// Its driver is about this opening now, or about none; gives the one before.
    pub(super) fn opening(&self, now: Option<Uuid>) -> Option<Uuid> {
        std::mem::replace(&mut *self.opening.lock().unwrap_or_else(PoisonError::into_inner), now)
    }

    /// A panic elsewhere leaves a condition that is old at worst.
    fn lock(&self) -> MutexGuard<'_, Condition> {
        self.condition.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn wrong_class(&self) -> DeviceError {
        DeviceError::WrongClass { id: self.config.id.clone(), class: self.config.class() }
    }

    /// Whether its driver takes orders now; else why not.
    fn serves(&self) -> Result<(), String> {
        let condition = self.condition();
        match condition.state {
            DeviceState::Ready | DeviceState::Busy => Ok(()),
            _ if condition.detail.is_empty() => Err("it is not there".to_owned()),
            _ => Err(condition.detail),
        }
    }

    /// Asks a drawer's own driver to open it, which journals the outcome.
    pub(super) fn ask_open(&self, job: Asked<DrawerJob>) -> Result<(), String> {
        let condition = self.condition();
        if condition.state == DeviceState::Absent {
            return Err(if condition.detail.is_empty() {
                "it is not there".into()
            } else {
                condition.detail
            });
        }
        // Nobody waits for the reply.
        let (reply, _) = oneshot::channel();
        let ordered = Ordered { order: Order::Open(job), reply };
        self.orders.try_send(ordered).map_err(|_| "too many openings wait already".to_owned())
    }

    pub(super) async fn order(&self, order: Order) -> Result<Condition, DeviceError> {
        let fits = matches!(
            (&self.config.model, &order),
            (Model::Display(_), Order::Show(_)) | (Model::Scale(_), Order::Zero)
        );
        if !fits {
            return Err(self.wrong_class());
        }
        let unable = |reason: String| DeviceError::Unable { id: self.config.id.clone(), reason };
        self.serves().map_err(unable)?;
        let (reply, outcome) = oneshot::channel();
        let full = |_| unable("too much is asked of it already".into());
        self.orders.try_send(Ordered { order, reply }).map_err(full)?;
        let done = match timeout(ORDER_PATIENCE, outcome).await {
            Ok(Ok(done)) => done,
            Ok(Err(_)) => Err("it was lost meanwhile".to_owned()),
            Err(_) => Err("it did not do it in time".to_owned()),
        };
        done.map_err(unable)?;
        Ok(self.condition())
    }
}
