//! Receipts on their way to the printer.
//!
//! ```text
//! sale completed ──ask──> PrintAsked (journal) ──queue──> printer ──> PrintEnded (journal)
//!                                                  │ not printed, and time or a hand can mend it:
//!                                                  └── the same job again, later
//! ```
//!
//! The intent is journalled before anything is sent, the outcome after: *printed* when the printer confirmed it, *not
//! printed* when not a byte of it left, *unknown* for everything between, and then a person looks. Only a job that
//! was *not printed* is tried again. A sale never waits for any of this. Jobs that a stop of the box left without
//! an outcome become *unknown* at the next start.

use std::sync::Arc;
use std::time::Duration;

use device_drivers::{Fault, Kind, Outcome, Patience, PosPrinter};
use pos_domain::command::Command;
use pos_domain::event::{Event, PrintJob, PrintOutcome, Step};
use pos_domain::receipt::{Document, Marks, layout};
use pos_domain::sale::Sale;
use pos_journal::Position;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use super::condition::{PrinterCondition, PrinterState, PrinterWatch};
use crate::checkout::{Happening, Origin, Shop, SubmitError};
use crate::config::PrinterConfig;

/// Jobs that may wait. The next one is refused: not printed.
const QUEUE: usize = 1_000;
/// A job that could not be printed for so long is given up: nobody waits for that receipt any more.
const GIVE_UP: Duration = Duration::from_secs(600);
/// A drawer opens by itself only so long after the sale: later nobody stands there.
const KICK_WITHIN: i64 = 60_000;
/// A sale that began so long before it came here, in milliseconds, was made elsewhere: its receipt is out already.
const BROUGHT_IN: i64 = 900_000;
/// The first wait between two attempts; it doubles up to the last.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LAST_WAIT: Duration = Duration::from_secs(15);
/// What a stop grants to the receipt that is being printed.
const GRACE: Duration = Duration::from_secs(5);

/// The printer's two tasks: one listens to what happens in the shop, one prints.
pub struct Printing {
    watch: PrinterWatch,
    stop: watch::Sender<bool>,
    listener: JoinHandle<()>,
    worker: JoinHandle<()>,
}

impl Printing {
    /// Starts to print for a shop that was just opened. Must be called within a tokio runtime.
    #[must_use]
    pub fn start(shop: Shop, config: &PrinterConfig, patience: Patience) -> Self {
        let watch = PrinterWatch::new(PrinterCondition {
            name: config.name.clone(),
            address: config.address.to_string(),
            state: PrinterState::Idle,
            detail: String::new(),
            jobs: 0,
            printed: 0,
        });
        let (stop, stopped) = watch::channel(false);
        let (queue, jobs) = mpsc::channel(QUEUE);
        // From here on nothing is missed; what is in the state now is older.
        let happenings = shop.subscribe();
        let left: Vec<Uuid> = shop.state().printing.keys().copied().collect();
        let from = shop.head().map(|head| head.position);
        let printer = PosPrinter::new(config.address, config.profile.clone(), patience);
        let desk = Desk { shop, name: config.name.clone(), watch: watch.clone() };
        let listener = Listener { desk: desk.clone(), auto_print: config.auto_print, queue, seen: from };
        let worker = Worker { desk, printer, stopped: stopped.clone() };
        Self {
            watch,
            stop,
            listener: tokio::spawn(listener.run(left, happenings, stopped)),
            worker: tokio::spawn(worker.run(jobs)),
        }
    }

    /// Where the printer's condition can be read.
    #[must_use]
    pub fn watch(&self) -> PrinterWatch {
        self.watch.clone()
    }

    /// Finishes the receipt that is being printed, if that takes seconds only, and ends what waits as *not printed*. To
    /// be called before the shop is stopped.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        let ended = async {
            let _ = self.listener.await;
            let _ = self.worker.await;
        };
        if timeout(GRACE * 2, ended).await.is_err() {
            tracing::warn!(
                "the printer's tasks did not end in time; what they had becomes unknown at the next start"
            );
        }
    }
}

/// What both tasks know.
#[derive(Clone)]
struct Desk {
    shop: Shop,
    name: String,
    watch: PrinterWatch,
}

impl Desk {
    /// Journals an outcome. If that cannot be done, the job has none, and becomes unknown at the next start.
    async fn end(&self, job: Uuid, outcome: PrintOutcome, detail: &str) {
        tracing::info!(%job, ?outcome, detail, "print job ended");
        let command = || Command::EndPrint { job, outcome, detail: detail.to_owned() };
        for _ in 0..10 {
            match self.shop.submit(None, command(), Origin::default()).await {
                Ok(_) => return,
                Err(SubmitError::NotReady(_)) => sleep(FIRST_WAIT).await,
                Err(error) => {
                    tracing::warn!(%job, %error, "the outcome of a print job could not be recorded");
                    return;
                }
            }
        }
        tracing::warn!(%job, "the outcome of a print job could not be recorded: the box is busy");
    }
}

struct Listener {
    desk: Desk,
    auto_print: bool,
    queue: mpsc::Sender<PrintJob>,
    /// The last happening that was looked at.
    seen: Option<Position>,
}

impl Listener {
    async fn run(
        mut self,
        left: Vec<Uuid>,
        mut happenings: broadcast::Receiver<Arc<Happening>>,
        mut stopped: watch::Receiver<bool>,
    ) {
        for job in left {
            let detail = "the box stopped while it was printing; look at the printer";
            self.desk.end(job, PrintOutcome::Unknown, detail).await;
        }
        loop {
            let heard = tokio::select! {
                heard = happenings.recv() => heard,
                // Also when the sender is gone.
                _ = stopped.changed() => return,
            };
            match heard {
                Ok(happening) => self.take(&happening).await,
                Err(broadcast::error::RecvError::Lagged(_)) => self.catch_up().await,
                Err(broadcast::error::RecvError::Closed) => return,
            }
        }
    }

    /// Reads from the journal what came too fast.
    async fn catch_up(&mut self) {
        while let Some(position) = self.seen {
            let shop = self.desk.shop.clone();
            let read = tokio::task::spawn_blocking(move || shop.happenings_after(position)).await;
            match read {
                Ok(Ok(Some(happenings))) if !happenings.is_empty() => {
                    for happening in &happenings {
                        self.take(happening).await;
                    }
                }
                Ok(Ok(_)) => return,
                Ok(Err(error)) => {
                    tracing::warn!(%error, "sales may have gone by without a receipt");
                    return;
                }
                Err(_) => return,
            }
        }
    }

    async fn take(&mut self, happening: &Happening) {
        let seen = self.seen.filter(|seen| seen.epoch == happening.position.epoch);
        if seen.is_some_and(|seen| happening.position.seq <= seen.seq) {
            return;
        }
        self.seen = Some(happening.position);
        match &*happening.event {
            Event::PrintAsked(job) => self.queue(job).await,
            Event::Sale { step, sale } if self.auto_print && wants_receipt(*step, sale, happening) => {
                let printer = self.desk.name.clone();
                let ask = Command::AskPrint { id: Uuid::now_v7(), sale: sale.id, printer, copy: false };
                if let Err(error) = self.desk.shop.submit(None, ask, Origin::default()).await {
                    tracing::warn!(sale = %sale.id, %error, "a receipt is not printed; reprint it");
                }
            }
            _ => {}
        }
    }

    async fn queue(&self, job: &PrintJob) {
        if job.printer != self.desk.name {
            let detail = format!("there is no printer called {}", job.printer);
            return self.desk.end(job.id, PrintOutcome::NotPrinted, &detail).await;
        }
        self.desk.watch.change(|condition| condition.jobs += 1);
        if self.queue.try_send(job.clone()).is_err() {
            self.desk.watch.change(|condition| condition.jobs = condition.jobs.saturating_sub(1));
            let detail = format!("{QUEUE} receipts wait for the printer already");
            self.desk.end(job.id, PrintOutcome::NotPrinted, &detail).await;
        }
    }
}

/// Whether somebody stands at the counter and waits for this sale's receipt.
fn wants_receipt(step: Step, sale: &Sale, happening: &Happening) -> bool {
    let elsewhere = sale.late
        || sale.provisional_number.is_some()
        || (step == Step::Sold && happening.time.0 - sale.started_at.0 > BROUGHT_IN);
    matches!(step, Step::Sold | Step::Completed) && sale.receipt.is_some() && !elsewhere
}

struct Worker {
    desk: Desk,
    printer: PosPrinter,
    stopped: watch::Receiver<bool>,
}

impl Worker {
    /// Ends when the listener is gone and all that it queued has its outcome.
    async fn run(mut self, mut jobs: mpsc::Receiver<PrintJob>) {
        while let Some(job) = jobs.recv().await {
            if let Some((outcome, detail)) = self.print(&job).await {
                self.desk.end(job.id, outcome, &detail).await;
                self.desk.watch.change(|condition| {
                    condition.printed += u64::from(outcome == PrintOutcome::Printed);
                    condition.detail = detail;
                });
            }
            self.desk.watch.change(|condition| {
                condition.state = PrinterState::Idle;
                condition.jobs = condition.jobs.saturating_sub(1);
            });
        }
    }

    /// Prints a job, with as many attempts as it takes. `None`: stopped in the middle of it, the outcome is open.
    async fn print(&mut self, job: &PrintJob) -> Option<(PrintOutcome, String)> {
        let sale = match self.desk.shop.sale(job.sale) {
            Ok(Some(sale)) => sale,
            Ok(None) => return Some((PrintOutcome::NotPrinted, "its sale is not to be found".into())),
            Err(error) => return Some((PrintOutcome::NotPrinted, error.to_string())),
        };
        let begun = Instant::now();
        let mut wait = FIRST_WAIT;
        loop {
            if *self.stopped.borrow() {
                return Some((PrintOutcome::NotPrinted, "the box was stopped before it was printed".into()));
            }
            self.desk.watch.change(|condition| condition.state = PrinterState::Printing);
            let document = self.document(&sale, job);
            let reason = match self.attempt(&document).await? {
                Outcome::Printed => return Some((PrintOutcome::Printed, String::new())),
                Outcome::Unknown { reason } => return Some((PrintOutcome::Unknown, reason.to_string())),
                Outcome::NotPrinted { reason } => reason,
            };
            let age = self.desk.shop.now().time.0.saturating_sub(job.at.0);
            let waited = begun.elapsed().max(Duration::from_millis(age.max(0).unsigned_abs()));
            if !may_mend(&reason) || waited + wait > GIVE_UP {
                return Some((PrintOutcome::NotPrinted, reason.to_string()));
            }
            tracing::warn!(job = %job.id, %reason, "the receipt waits for the printer");
            self.desk.watch.change(|condition| {
                condition.state = PrinterState::Waiting;
                condition.detail = reason.to_string();
            });
            tokio::select! {
                () = sleep(wait) => wait = (wait * 2).min(LAST_WAIT),
                _ = self.stopped.changed() => {}
            }
        }
    }

    /// One attempt; a stop gives it a little time to end.
    async fn attempt(&mut self, document: &Document) -> Option<Outcome> {
        let mut printing = std::pin::pin!(self.printer.print(document));
        tokio::select! {
            report = &mut printing => return Some(report.outcome),
            _ = self.stopped.wait_for(|stopped| *stopped) => {}
        }
        timeout(GRACE, printing).await.map(|report| report.outcome).ok()
    }

    fn document(&self, sale: &Sale, job: &PrintJob) -> Document {
        let shop = &self.desk.shop;
        let age = shop.now().time.0.saturating_sub(job.at.0);
        let marks = Marks { copy: job.copy, kick: job.kick && age <= KICK_WITHIN };
        layout(sale, &shop.store(), shop.zone(), marks)
    }
}

/// Whether time, or the person at the counter, can mend it.
fn may_mend(fault: &Fault) -> bool {
    matches!(fault.kind(), Kind::Retry | Kind::Operator)
}
