//! One printer's worker: prints what waits, opens the drawer on its connector, and looks at both when nothing does.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use device_drivers::{Fault, Kicked, Kind, Outcome, Patience, PosPrinter, Profile, Route, Status, encode};
use pos_domain::event::{DrawerJob, DrawerOutcome, PrintJob, PrintOutcome, Sheet};
use pos_domain::receipt::{Document, Marks, layout, order_slip, test_page};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::queue::{Next, Queue};
use crate::checkout::ReadError;
use crate::config::{DrawerConfig, Model};
use crate::peripherals::condition::{DeviceState, OfClass};
use crate::peripherals::devices::{Device, Devices};
use crate::peripherals::drawers::{OPEN_WITHIN, too_late_or_disabled};
use crate::peripherals::outcomes::Outcomes;

/// A job that could not be printed for so long is given up: nobody waits for that receipt any more.
const GIVE_UP: Duration = Duration::from_secs(600);
/// The first wait between two attempts; it doubles up to the last.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LAST_WAIT: Duration = Duration::from_secs(15);
/// How long a printer that stopped in the middle of a receipt is waited for: who stands there puts in a new roll, and it
/// goes on. After that nobody knows what is on the paper. The drawer cannot be opened meanwhile.
const AT_HAND: Duration = Duration::from_secs(30);
/// A drawer that opens so long after its pulse was opened by it: its lock is slow, and two looks lie between.
const LATE: Duration = Duration::from_secs(9);
/// What a stop grants to the receipt that is being printed.
pub(in crate::peripherals) const GRACE: Duration = Duration::from_secs(5);
/// Between two looks at an idle printer and its drawer.
const LOOK: Duration = Duration::from_secs(3);

/// A printer's worker.
#[derive(Clone)]
pub(in crate::peripherals) struct Worker {
    pub(in crate::peripherals) device: Arc<Device>,
    /// Among them the drawers on its connector.
    pub(in crate::peripherals) devices: Devices,
    pub(in crate::peripherals) queue: Arc<Queue>,
    pub(in crate::peripherals) printer: PosPrinter,
    pub(in crate::peripherals) outcomes: Outcomes,
    pub(in crate::peripherals) stopped: watch::Receiver<bool>,
    born: Instant,
    /// When the last pulse for a drawer was sent, in milliseconds after `born`; 0: never.
    pulse: Arc<AtomicU64>,
}

/// Why a sheet cannot be laid out.
enum Unready {
    /// It can be, in a moment.
    Later,
    /// It never will be.
    Never(String),
}

impl Worker {
    /// A worker for a printer at the end of a route.
    pub(in crate::peripherals) fn new(
        device: Arc<Device>,
        devices: Devices,
        reach: (Route, Profile, Patience),
        stopped: watch::Receiver<bool>,
    ) -> Self {
        let (route, profile, patience) = reach;
        let outcomes = Outcomes::new(device.shop.clone());
        let printer = PosPrinter::new(route, profile, patience).with_operator(AT_HAND);
        Self {
            device,
            devices,
            queue: Arc::default(),
            printer,
            outcomes,
            stopped,
            born: Instant::now(),
            pulse: Arc::default(),
        }
    }

    /// Works until the daemon stops, then ends what waits as *not printed*. A driver that panics takes one job along,
    /// whose outcome nobody knows then.
    pub(in crate::peripherals) async fn run(self) {
        while let Err(error) = tokio::spawn(self.clone().work()).await {
            tracing::error!(printer = self.device.config.id, %error, "the printer's driver broke down");
            self.device.count(|counters| counters.panicked += 1);
            if let Some(job) = self.queue.orphan() {
                let detail = "the printer's driver broke down while it printed; look at the paper";
                self.outcomes.printed(job, PrintOutcome::Unknown, detail).await;
            }
            sleep(FIRST_WAIT).await;
        }
        let detail = "the printer was stopped before";
        let (openings, jobs) = self.queue.drain();
        for job in openings {
            self.outcomes.opened(job.id, DrawerOutcome::NotOpened, detail).await;
        }
        for job in jobs {
            self.outcomes.printed(job.id, PrintOutcome::NotPrinted, detail).await;
        }
    }

    async fn work(mut self) {
        self.look().await;
        while !*self.stopped.borrow() {
            let next = tokio::select! {
                next = self.queue.next() => next,
                () = sleep(LOOK) => { self.look().await; continue }
                _ = self.stopped.changed() => continue,
            };
            match next {
                Next::Open(job) => self.open(&job).await,
                Next::Print(job) => {
                    self.count_jobs();
                    if let Some((outcome, detail)) = self.print(&job).await {
                        self.outcomes.printed(job.id, outcome, &detail).await;
                        let printed = outcome == PrintOutcome::Printed;
                        self.device.count(|counters| {
                            *(if printed { &mut counters.done } else { &mut counters.refused }) += 1
                        });
                    }
                    self.queue.done();
                    self.count_jobs();
                }
            }
        }
    }

    fn drawers(&self) -> Vec<Arc<Device>> {
        self.devices.drawers_on(&self.device.config.id)
    }

    fn count_jobs(&self) {
        let waiting = self.queue.len();
        self.device.change(|condition| {
            if let OfClass::Printer { jobs, .. } = &mut condition.of_class {
                *jobs = waiting;
            }
        });
    }

    /// Prints a job, with as many attempts as it takes. `None`: somebody took it back, and it has its outcome.
    async fn print(&mut self, job: &PrintJob) -> Option<(PrintOutcome, String)> {
        let begun = Instant::now();
        let mut wait = FIRST_WAIT;
        loop {
            if *self.stopped.borrow() {
                return Some((PrintOutcome::NotPrinted, "the printer was stopped before".into()));
            }
            if !self.queue.begin(job.id) || !self.device.shop.state().printing.contains_key(&job.id) {
                return None;
            }
            // Each time anew: what opens a drawer does so for a minute only.
            let document = match self.document(job) {
                Ok(document) => Some(document),
                // The index of sales is being made again: it comes.
                Err(Unready::Later) => None,
                Err(Unready::Never(detail)) => return Some((PrintOutcome::NotPrinted, detail)),
            };
            let reason = if let Some(document) = document.filter(|_| self.device.enabled()) {
                self.device.well(DeviceState::Busy);
                let Some(outcome) = self.attempt(&document).await else {
                    let detail = "the box was stopped while it printed; look at the paper";
                    return Some((PrintOutcome::Unknown, detail.to_owned()));
                };
                match outcome {
                    Outcome::Printed => {
                        self.device.well(DeviceState::Ready);
                        return Some((PrintOutcome::Printed, String::new()));
                    }
                    Outcome::Unknown { reason } => {
                        self.device.unwell(state_of(&reason), reason.kind(), reason.to_string());
                        return Some((PrintOutcome::Unknown, reason.to_string()));
                    }
                    Outcome::NotPrinted { reason } => Some(reason),
                }
            } else {
                None
            };
            let age = self.device.shop.now().time.0.saturating_sub(job.at.0);
            let waited = begun.elapsed().max(Duration::from_millis(age.max(0).unsigned_abs()));
            let detail = match &reason {
                Some(reason) => {
                    self.device.unwell(DeviceState::Waiting, reason.kind(), reason.to_string());
                    reason.to_string()
                }
                None => {
                    self.device.change(|condition| condition.state = DeviceState::Waiting);
                    "the printer is disabled; enable it, or move its sheets to another".to_owned()
                }
            };
            if !reason.as_ref().is_none_or(may_mend) || waited + wait > GIVE_UP {
                return Some((PrintOutcome::NotPrinted, detail));
            }
            tracing::warn!(job = %job.id, detail, "the sheet waits for the printer");
            self.queue.wait();
            self.pause(wait).await;
            wait = (wait * 2).min(LAST_WAIT);
        }
    }

    /// Waits; a drawer is opened meanwhile, and a job that was taken back ends it.
    async fn pause(&mut self, wait: Duration) {
        let until = Instant::now() + wait;
        loop {
            if let Some(opening) = self.queue.opening() {
                self.open(&opening).await;
                continue;
            }
            tokio::select! {
                () = tokio::time::sleep_until(until) => return,
                () = self.queue.bell() => {
                    self.count_jobs();
                    if self.queue.is_free() {
                        return;
                    }
                }
                _ = self.stopped.changed() => return,
            }
        }
    }

    /// One attempt; a stop gives it a little time to end.
    async fn attempt(&mut self, document: &Document) -> Option<Outcome> {
        let device = &self.device;
        let tell = |stopped: Option<&Fault>| match stopped {
            Some(fault) => device.unwell(DeviceState::Waiting, fault.kind(), fault.to_string()),
            None => device.well(DeviceState::Busy),
        };
        let job = encode(document, self.printer.profile());
        let mut printing = std::pin::pin!(self.printer.send_telling(job, tell));
        let report = tokio::select! {
            report = &mut printing => Some(report),
            _ = self.stopped.wait_for(|stopped| *stopped) => None,
        };
        let report = match report {
            Some(report) => report,
            None => timeout(GRACE, printing).await.ok()?,
        };
        if let Some(status) = report.status {
            self.sense(status).await;
        }
        Some(report.outcome)
    }

    fn document(&self, job: &PrintJob) -> Result<Document, Unready> {
        let shop = &self.device.shop;
        let sale = || match shop.sale(job.sale) {
            Ok(Some(sale)) => Ok(sale),
            Ok(None) => Err(Unready::Never("its sale is not to be found".to_owned())),
            Err(ReadError::NotReady(_)) => Err(Unready::Later),
            Err(error) => Err(Unready::Never(error.to_string())),
        };
        match &job.sheet {
            Sheet::Test => Ok(test_page(&shop.store(), &job.printer, job.at, shop.zone())),
            Sheet::Orders(departments) => order_slip(&*sale()?, shop.zone(), departments, job.copy)
                .ok_or_else(|| Unready::Never("nothing of the sale is prepared here".to_owned())),
            Sheet::Receipt => {
                let age = shop.now().time.0.saturating_sub(job.at.0);
                let marks = Marks { copy: job.copy, kick: job.kick && age <= OPEN_WITHIN };
                Ok(layout(&*sale()?, &shop.store(), shop.zone(), marks))
            }
        }
    }

    /// Opens a drawer on this printer's connector.
    async fn open(&self, job: &DrawerJob) {
        let Some(drawer) = self.drawers().into_iter().find(|drawer| drawer.config.id == job.drawer) else {
            let detail = "the drawer was taken off this printer meanwhile";
            return self.outcomes.opened(job.id, DrawerOutcome::NotOpened, detail).await;
        };
        let (outcome, detail) = match too_late_or_disabled(&drawer, job) {
            Some(detail) => (DrawerOutcome::NotOpened, detail),
            None => self.kick(&drawer).await,
        };
        let opened = outcome == DrawerOutcome::Opened;
        drawer.count(|counters| *(if opened { &mut counters.done } else { &mut counters.refused }) += 1);
        self.outcomes.opened(job.id, outcome, &detail).await;
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

    /// Looks at an idle printer, so that it is known to be unwell before somebody needs it.
    async fn look(&self) {
        if !self.printer.profile().answers_status {
            self.drawers().iter().for_each(|drawer| drawer.well(DeviceState::Ready));
            return self.device.well(DeviceState::Ready);
        }
        match self.printer.status().await {
            Ok(status) => {
                match status.blocked() {
                    None => self.device.well(DeviceState::Ready),
                    Some(reason) => self.device.unwell(state_of(&reason), reason.kind(), reason.to_string()),
                }
                self.sense(status).await;
            }
            Err(reason) => {
                self.device.unwell(state_of(&reason), reason.kind(), reason.to_string());
                for drawer in self.drawers() {
                    forget(&drawer);
                    drawer.unwell(DeviceState::Absent, reason.kind(), reason.to_string());
                }
            }
        }
    }

    /// Takes in what a status says of the paper and the drawer.
    async fn sense(&self, status: Status) {
        self.device.change(|condition| {
            if let OfClass::Printer { paper_near_end, .. } = &mut condition.of_class {
                *paper_near_end = status.paper_near_end;
            }
        });
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
fn forget(drawer: &Device) {
    drawer.change(|condition| condition.of_class = OfClass::Drawer { open: None });
}

fn state_of(fault: &Fault) -> DeviceState {
    match fault {
        Fault::Unreachable { .. } | Fault::NoAnswer { .. } | Fault::ConnectionLost { .. } => {
            DeviceState::Absent
        }
        _ => DeviceState::Faulty,
    }
}

/// Whether time, or the person at the counter, can mend it.
fn may_mend(fault: &Fault) -> bool {
    matches!(fault.kind(), Kind::Retry | Kind::Operator)
}
