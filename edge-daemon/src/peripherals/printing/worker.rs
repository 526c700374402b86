//! One printer's worker: prints what waits, opens the drawer on its connector, and looks at both when nothing does.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use device_drivers::{Fault, Kind, Outcome, Patience, PosPrinter, Profile, Route, Status, encode};
use pos_domain::event::{DrawerOutcome, PrintJob, PrintOutcome, Sheet};
use pos_domain::receipt::{Document, Marks, layout, order_slip, test_page};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::connector::forget;
use super::queue::{Next, Orphans, Queue};
use crate::checkout::ReadError;
use crate::peripherals::condition::{Asked, DeviceState, OfClass};
use crate::peripherals::device::Device;
use crate::peripherals::devices::Devices;
use crate::peripherals::drawers::OPEN_WITHIN;
use crate::peripherals::outcomes::Outcomes;

/// A job that could not be printed for so long is given up: nobody waits for that receipt any more.
const GIVE_UP: Duration = Duration::from_secs(600);
/// The first wait between two attempts; it doubles up to the last.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LAST_WAIT: Duration = Duration::from_secs(15);
/// How long a printer that stopped in the middle of a receipt is waited for: who stands there puts in a new roll, and it
/// goes on. After that nobody knows what is on the paper. The drawer cannot be opened meanwhile.
const AT_HAND: Duration = Duration::from_secs(30);
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
    pub(super) born: Instant,
    /// When the last pulse for a drawer was sent, in milliseconds after `born`; 0: never.
    pub(super) pulse: Arc<AtomicU64>,
}

/// How work on a sheet ended.
enum Ended {
    /// With an outcome.
    So(PrintOutcome, String),
    /// Somebody took it back, and it has its outcome.
    TakenBack,
    /// Nothing was sent of it, and the worker is to stop.
    Stopped,
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

    /// Works from when what was `before` it has ended until it is stopped, then ends what waits as *not printed*, or gives it
    /// to the printer in its place. A driver that panics takes one job along, whose outcome nobody knows then.
    pub(in crate::peripherals) async fn run(self, before: impl Future<Output = ()>) {
        let work = async {
            before.await;
            self.live_on().await;
        };
        tokio::select! {
            () = work => {}
            () = self.count() => {}
        }
        let detail = "the printer was stopped before";
        let (openings, jobs) = self.queue.leave();
        for opening in openings {
            self.outcomes.opened(opening.job.id, DrawerOutcome::NotOpened, detail).await;
        }
        for sheet in jobs {
            self.outcomes.printed(sheet.job.id, PrintOutcome::NotPrinted, detail).await;
        }
    }

    async fn live_on(&self) {
        while let Err(error) = tokio::spawn(self.clone().work()).await {
            tracing::error!(printer = self.device.config.id, %error, "the printer's driver broke down");
            self.device.count(|counters| counters.panicked += 1);
            let Orphans { opening, sheet } = self.queue.orphans();
            if let Some(opening) = opening {
                let detail = "the printer's driver broke down while it opened the drawer";
                self.outcomes.opened(opening, DrawerOutcome::Unknown, detail).await;
            }
            if let Some(sheet) = sheet {
                let detail = "the printer's driver broke down while it printed; look at the paper";
                self.outcomes.printed(sheet, PrintOutcome::Unknown, detail).await;
            }
            sleep(FIRST_WAIT).await;
        }
    }

    /// Says at any time how many sheets wait.
    async fn count(&self) {
        let mut count = self.queue.count();
        loop {
            let waiting = *count.borrow_and_update();
            self.device.change(|condition| {
                if let OfClass::Printer { jobs, .. } = &mut condition.of_class {
                    *jobs = waiting;
                }
            });
            if count.changed().await.is_err() {
                return;
            }
        }
    }

    async fn work(mut self) {
        let mut stopped = self.stopped.clone();
        let first_look = async {
            if !*self.stopped.borrow() {
                self.look().await;
            }
        };
        tokio::select! {
            () = first_look => {}
            _ = stopped.wait_for(|stopped| *stopped) => {}
        }
        while !*self.stopped.borrow() {
            let next = tokio::select! {
                next = self.queue.next() => next,
                () = sleep(LOOK) => { self.look().await; continue }
                _ = self.stopped.changed() => continue,
            };
            match next {
                Next::Open(asked) => self.open(&asked).await,
                Next::Print(asked) => {
                    let ended = self.print(&asked).await;
                    if matches!(ended, Ended::Stopped) {
                        return;
                    }
                    if let Ended::So(outcome, detail) = ended {
                        self.outcomes.printed(asked.job.id, outcome, &detail).await;
                        let printed = outcome == PrintOutcome::Printed;
                        self.device.count(|counters| {
                            *(if printed { &mut counters.done } else { &mut counters.refused }) += 1
                        });
                    }
                    self.queue.done();
                }
            }
        }
    }

    /// Prints a job, with as many attempts as it takes.
    async fn print(&mut self, asked: &Asked<PrintJob>) -> Ended {
        let job = &asked.job;
        let mut wait = FIRST_WAIT;
        loop {
            if !self.queue.begin(job.id) || !self.device.shop.state().printing.contains_key(&job.id) {
                return Ended::TakenBack;
            }
            if *self.stopped.borrow() {
                return Ended::Stopped;
            }
            // Each time anew: what opens a drawer does so for a minute only.
            let age = self.age(asked.at);
            let document = match self.document(job, age) {
                _ if !self.device.enabled() => {
                    Err("the printer is disabled; enable it, or move its sheets to another")
                }
                Ok(document) => Ok(document),
                Err(Unready::Later) => Err("the index of sales is being made again; it is printed then"),
                Err(Unready::Never(detail)) => return Ended::So(PrintOutcome::NotPrinted, detail),
            };
            let reason = match document {
                Err(why) => Err(why),
                Ok(document) => {
                    self.device.well(DeviceState::Busy);
                    let Some(outcome) = self.attempt(&document).await else {
                        let detail = "the box was stopped while it printed; look at the paper";
                        return Ended::So(PrintOutcome::Unknown, detail.to_owned());
                    };
                    match outcome {
                        Outcome::Printed => {
                            self.device.well(DeviceState::Ready);
                            return Ended::So(PrintOutcome::Printed, String::new());
                        }
                        Outcome::Unknown { reason } => {
                            self.device.unwell(state_of(&reason), reason.kind(), reason.to_string());
                            return Ended::So(PrintOutcome::Unknown, reason.to_string());
                        }
                        Outcome::NotPrinted { reason } => Ok(reason),
                    }
                }
            };
            // Before anybody is told that it waits: from here on it can be taken back.
            self.queue.wait();
            let detail = match &reason {
                Ok(reason) => {
                    self.device.unwell(DeviceState::Waiting, reason.kind(), reason.to_string());
                    reason.to_string()
                }
                Err(why) => {
                    self.device.change(|condition| condition.state = DeviceState::Waiting);
                    (*why).to_owned()
                }
            };
            if reason.is_ok_and(|reason| !may_mend(&reason)) || self.age(asked.at) + wait > GIVE_UP {
                return Ended::So(PrintOutcome::NotPrinted, detail);
            }
            tracing::warn!(job = %job.id, detail, "the sheet waits for the printer");
            self.pause(wait).await;
            wait = (wait * 2).min(LAST_WAIT);
        }
    }

    fn age(&self, asked: Duration) -> Duration {
        self.device.shop.uptime().saturating_sub(asked)
    }

    /// Waits; a drawer is opened and watched meanwhile. A job that was taken back ends it, and a printer that was enabled.
    async fn pause(&mut self, wait: Duration) {
        let until = Instant::now() + wait;
        let mut look = Instant::now() + LOOK;
        loop {
            if let Some(opening) = self.queue.opening() {
                self.open(&opening).await;
                continue;
            }
            tokio::select! {
                () = tokio::time::sleep_until(until) => return,
                () = tokio::time::sleep_until(look) => {
                    look = Instant::now() + LOOK;
                    if self.printer.profile().answers_status
                        && let Ok(status) = self.printer.status().await
                    {
                        self.sense(status).await;
                    }
                }
                () = self.queue.bell() => {
                    if self.queue.is_free() {
                        return;
                    }
                }
                () = self.device.rung() => return,
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

    fn document(&self, job: &PrintJob, age: Duration) -> Result<Document, Unready> {
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
                let marks = Marks { copy: job.copy, kick: job.kick && age <= OPEN_WITHIN };
                Ok(layout(&*sale()?, &shop.store(), shop.zone(), marks))
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
        self.sense_drawers(status).await;
    }
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
