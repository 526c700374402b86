//! Keeps a device's driver alive: opens, watches, reopens.
//!
//! ```text
//!  open ──> serve ──fault──> wait, a little longer each time ──> open
//!    │        ├──panic──> counted, the same
//!    │        └──no sign of life──> ended, the same
//!    └──not there──> look again soon: it goes on within a second of being plugged in
//! ```
//!
//! Each life of a driver is a task of its own, so that one that panics or hangs takes nobody along.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use device_drivers::{DeviceFault, Kind};
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use pos_domain::event::DrawerOutcome;

use super::condition::{DeviceState, Order};
use super::device::{Device, Ordered};
use super::outcomes::Outcomes;

/// A driver gives a sign of life at least so often.
pub(super) const BEAT: Duration = Duration::from_secs(1);
/// A driver without one for so long has hung.
const HUNG: Duration = Duration::from_secs(10);
/// What opening may take.
const OPENING: Duration = Duration::from_secs(5);
/// Between two looks for a device that is not there.
const LOOK: Duration = Duration::from_millis(250);
/// The first wait after a fault that a look does not settle; it doubles up to the last.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LAST_WAIT: Duration = Duration::from_secs(10);
/// How long a driver that is ended may take to let go of its device.
const LAST_BREATH: Duration = Duration::from_secs(1);
/// A driver that lived so long begins with the first wait again.
const SOUND: Duration = Duration::from_secs(30);

/// What keeps a device from working.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    /// Whose job it is.
    pub(super) kind: Kind,
    /// What to do, in words.
    pub(super) detail: String,
    /// Whether the device is gone, and not just unwell.
    pub(super) gone: bool,
}

impl Trouble {
    pub(super) fn of(fault: &DeviceFault) -> Self {
        let gone = matches!(fault, DeviceFault::Missing { .. } | DeviceFault::Lost { .. });
        Self { kind: fault.kind(), detail: fault.to_string(), gone }
    }
}

/// Where a driver gets its orders and gives its signs of life.
pub(super) struct Life {
    pub(super) device: Arc<Device>,
    pub(super) orders: Arc<Mutex<mpsc::Receiver<Ordered>>>,
    beats: Arc<AtomicU64>,
}

impl Life {
    /// A sign of life.
    pub(super) fn beat(&self) {
        self.beats.fetch_add(1, Ordering::Relaxed);
    }
}

/// A device's driver, as its supervisor sees it.
pub(super) trait Driver: Clone + Send + 'static {
    /// The open device.
    type Open: Send + 'static;

    /// Opens it. May block, for a little.
    fn open(&self) -> Result<Self::Open, Trouble>;

    /// Serves it until it is lost; gives a beat at least each [`BEAT`].
    fn serve(&self, open: Self::Open, life: &Life) -> impl Future<Output = Trouble> + Send;
}

/// Runs a driver until the daemon stops.
pub(super) async fn supervise<D: Driver>(
    driver: D,
    device: Arc<Device>,
    orders: mpsc::Receiver<Ordered>,
    mut stopped: watch::Receiver<bool>,
) {
    let orders = Arc::new(Mutex::new(orders));
    let life = Arc::default();
    tokio::select! {
        () = live_on(&driver, &device, &orders, &life) => {}
        _ = stopped.wait_for(|stopped| *stopped) => {}
    }
    // Whoever serves the device has its port and its orders until it has really ended.
    let serving = life.lock().await.take();
    if let Some(mut serving) = serving {
        serving.0.abort();
        let _ = timeout(LAST_BREATH, &mut serving.0).await;
    }
    settle(&device).await;
    refuse_all(&device, &orders).await;
}

/// One life after the other.
async fn live_on<D: Driver>(
    driver: &D,
    device: &Arc<Device>,
    orders: &Arc<Mutex<mpsc::Receiver<Ordered>>>,
    serving: &Mutex<Option<AbortOnDrop<Trouble>>>,
) {
    let (mut wait, mut opening) = (FIRST_WAIT, None);
    loop {
        let begun = Instant::now();
        let trouble = live(driver, device, orders, serving, &mut opening).await;
        settle(device).await;
        if begun.elapsed() > SOUND {
            wait = FIRST_WAIT;
        }
        tracing::debug!(device = device.config.id, detail = trouble.detail, "the device is lost");
        let state = if trouble.gone { DeviceState::Absent } else { DeviceState::Faulty };
        device.lost(state, trouble.kind, trouble.detail);
        let pause = if trouble.gone { LOOK } else { wait };
        wait = if trouble.gone { FIRST_WAIT } else { (wait * 2).min(LAST_WAIT) };
        sleep(jittered(pause)).await;
    }
}

/// The drawer whose driver ended while it opened it.
async fn settle(device: &Device) {
    if let Some(opening) = device.opening(None) {
        let detail = "the drawer's driver ended while it opened it; look at the drawer";
        Outcomes::new(device.shop.clone()).opened(opening, DrawerOutcome::Unknown, detail).await;
    }
}

/// What was asked of a device that is not served any more.
async fn refuse_all(device: &Device, orders: &Mutex<mpsc::Receiver<Ordered>>) {
    let Ok(mut orders) = orders.try_lock() else { return };
    let outcomes = Outcomes::new(device.shop.clone());
    while let Ok(Ordered { order, .. }) = orders.try_recv() {
        if let Order::Open(asked) = order {
            outcomes
                .opened(asked.job.id, DrawerOutcome::NotOpened, "the drawer's driver was stopped before")
                .await;
        }
    }
}

/// One life of a driver, and what ended it.
async fn live<D: Driver>(
    driver: &D,
    device: &Arc<Device>,
    orders: &Arc<Mutex<mpsc::Receiver<Ordered>>>,
    serving: &Mutex<Option<AbortOnDrop<Trouble>>>,
    opening: &mut Option<JoinHandle<Result<D::Open, Trouble>>>,
) -> Trouble {
    // One that hangs is waited for: another would hang, too, and take one more thread.
    let task = opening.get_or_insert_with(|| {
        let driver = driver.clone();
        tokio::task::spawn_blocking(move || driver.open())
    });
    let opened = timeout(OPENING, &mut *task).await;
    if opened.is_ok() {
        *opening = None;
    }
    let open = match opened {
        Ok(Ok(Ok(open))) => open,
        Ok(Ok(Err(trouble))) => return trouble,
        Ok(Err(_)) => {
            device.count(|counters| counters.panicked += 1);
            return fault("its driver broke down while opening it; tell us what is in the log");
        }
        Err(_) => {
            device.count(|counters| counters.hung += 1);
            return fault("it cannot be opened: its port hangs; unplug it and plug it in again");
        }
    };
    device.count(|counters| counters.opened += 1);
    device.well(DeviceState::Ready);
    let beats = Arc::new(AtomicU64::new(0));
    let life = Life { device: device.clone(), orders: orders.clone(), beats: beats.clone() };
    let served = driver.clone();
    let mut serving = serving.lock().await;
    let task = serving.insert(AbortOnDrop(tokio::spawn(async move { served.serve(open, &life).await })));
    let mut seen = 0;
    let ended = loop {
        match timeout(HUNG, &mut task.0).await {
            Ok(ended) => break Some(ended),
            Err(_) if beats.load(Ordering::Relaxed) == seen => break None,
            Err(_) => seen = beats.load(Ordering::Relaxed),
        }
    };
    if ended.is_none() {
        task.0.abort();
        let _ = timeout(LAST_BREATH, &mut task.0).await;
    }
    *serving = None;
    device.count(|counters| counters.lost += 1);
    match ended {
        Some(Ok(trouble)) => trouble,
        Some(Err(_)) => {
            device.count(|counters| counters.panicked += 1);
            fault("its driver broke down and was started again; tell us what is in the log")
        }
        None => {
            device.count(|counters| counters.hung += 1);
            fault("its driver hung and was ended; unplug the device and plug it in again")
        }
    }
}

fn fault(detail: &str) -> Trouble {
    Trouble { kind: Kind::Technician, detail: detail.to_owned(), gone: false }
}

/// Ends its task when the supervisor goes.
struct AbortOnDrop<T>(JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Three quarters to five quarters of a time, so that devices that were lost together do not come back in step.
fn jittered(pause: Duration) -> Duration {
    // The last bits of a fresh id are random.
    let [.., random] = uuid::Uuid::now_v7().into_bytes();
    pause * (192 + u32::from(random) / 2) / 256
}
