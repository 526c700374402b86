//! What happens in the shop, as work for its devices: receipts, order slips, drawers.

use std::sync::Arc;

use pos_domain::command::{Command, PrintWish};
use pos_domain::event::{
    DeviceSetup, DrawerJob, DrawerOutcome, DrawerReason, Event, PrintJob, PrintOutcome, Sheet, Step,
};
use pos_domain::receipt::is_ordered;
use pos_domain::sale::{Kind, Sale};
use pos_domain::time::Millis;
use pos_journal::Position;
use tokio::sync::{broadcast, watch};
use uuid::Uuid;

use super::condition::Asked;
use super::outcomes::Outcomes;
use super::plant::Plant;
use crate::checkout::Happening;
use crate::config::{DrawerConfig, DrawerPort, Model, PrinterRole};

/// A sale that began so long before it came here, in milliseconds, was made elsewhere: its receipt is out already.
const BROUGHT_IN: i64 = 900_000;

/// Records before the head that are looked through at a start.
const TAIL: u64 = 500;
/// The last moments before a stop, in milliseconds.
const MOMENTS: i64 = 60_000;

/// What a stop of the box left without an outcome.
pub(super) struct Left {
    pub(super) sheets: Vec<Uuid>,
    pub(super) openings: Vec<Uuid>,
}

pub(super) struct Listener {
    pub(super) plant: Plant,
    pub(super) outcomes: Outcomes,
    /// The last happening that was looked at.
    pub(super) seen: Option<Position>,
}

impl Listener {
    pub(super) async fn run(
        mut self,
        left: Left,
        setups: Vec<DeviceSetup>,
        mut happenings: broadcast::Receiver<Arc<Happening>>,
        mut stopped: watch::Receiver<bool>,
    ) {
        for setup in &setups {
            self.plant.put(setup);
        }
        for job in left.sheets {
            let detail = "the box stopped while it was printing; look at the printer";
            self.outcomes.printed(job, PrintOutcome::Unknown, detail).await;
        }
        for job in left.openings {
            let detail = "the box stopped while it was opening the drawer";
            self.outcomes.opened(job, DrawerOutcome::Unknown, detail).await;
        }
        self.make_up().await;
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

    /// Asks for the sheets of sales that the box acknowledged, and was stopped before it asked for them.
    async fn make_up(&self) {
        let Some(head) = self.seen else { return };
        let from = Position { seq: head.seq.saturating_sub(TAIL).max(1), ..head };
        let shop = self.plant.shop.clone();
        let read = tokio::task::spawn_blocking(move || shop.happenings_after(from)).await;
        let Ok(Ok(Some(mut tail))) = read else { return };
        tail.retain(|happening| happening.position.seq <= head.seq);
        for sale in not_asked_for(&tail, self.plant.shop.now().time) {
            // Not by its printer: the till may have another one now.
            let asked =
                |wish: &PrintWish| asked_for(&tail).any(|job| job.sale == sale.id && job.sheet == wish.sheet);
            for wish in self.sheets_of(&sale).into_iter().filter(|wish| !asked(wish)) {
                // Whoever paid had the drawer opened by hand meanwhile.
                self.ask_print(PrintWish { may_kick: false, ..wish }).await;
            }
        }
    }

    /// Reads from the journal what came too fast.
    async fn catch_up(&mut self) {
        while let Some(position) = self.seen {
            let shop = self.plant.shop.clone();
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
            Event::PrintAsked(job) => self.print(job).await,
            Event::DrawerAsked(job) => self.open(job).await,
            Event::DevicePut(setup) => self.plant.put(setup),
            Event::DeviceRemoved(id) => self.plant.remove(id),
            Event::Sale { step, sale } if is_waited_for(*step, sale, happening) => self.sold(sale).await,
            Event::CashMoved { movement, shift } => {
                let drawer = self
                    .plant
                    .shop
                    .state()
                    .shifts
                    .values()
                    .find(|open| open.id == *shift)
                    .map(|open| open.drawer.clone());
                if let Some(terminal) = drawer {
                    self.ask_open(&terminal, DrawerReason::Movement(movement.id)).await;
                }
            }
            _ => {}
        }
    }

    /// Somebody stands at the counter: the drawer first, then the receipt, then the kitchen.
    async fn sold(&self, sale: &Sale) {
        if sale.moved_cash() {
            self.ask_open(&sale.terminal, DrawerReason::Sale(sale.id)).await;
        }
        for wish in self.sheets_of(sale) {
            self.ask_print(wish).await;
        }
    }

    /// The sheets that a sale makes: its receipt, and a slip for each printer that prepares some of it.
    fn sheets_of(&self, sale: &Sale) -> Vec<PrintWish> {
        let mut sheets = Vec::new();
        if let Some((printer, true)) = self.plant.devices.receipt_printer(&sale.terminal) {
            let wish = PrintWish::receipt(Uuid::now_v7(), sale.id, printer);
            sheets
                .push(PrintWish { may_kick: self.plant.devices.drawer_of(&sale.terminal).is_none(), ..wish });
        }
        for device in self.plant.devices.iter() {
            let Model::Printer(printer) = &device.config.model else { continue };
            let PrinterRole::Orders { departments } = &printer.role else { continue };
            let at_till =
                device.config.terminal.as_deref().is_none_or(|terminal| *terminal == *sale.terminal);
            let prepares = sale.live_lines().any(|line| is_ordered(line, departments));
            if sale.kind == Kind::Sale && at_till && prepares {
                let sheet = Sheet::Orders(departments.clone());
                let wish = PrintWish::receipt(Uuid::now_v7(), sale.id, &*device.config.id);
                sheets.push(PrintWish { sheet, may_kick: false, ..wish });
            }
        }
        sheets
    }

    async fn ask_print(&self, wish: PrintWish) {
        self.outcomes.ask(Command::AskPrint(wish), None).await;
    }

    async fn ask_open(&self, terminal: &Arc<str>, reason: DrawerReason) {
        let Some(drawer) = self.plant.devices.drawer_of(terminal) else { return };
        let command =
            Command::OpenDrawer { id: Uuid::now_v7(), drawer, terminal: Some(terminal.clone()), reason };
        self.outcomes.ask(command, Some(terminal)).await;
    }

    async fn print(&self, job: &PrintJob) {
        if !self.plant.shop.state().printing.contains_key(&job.id) {
            // Taken back before it was queued.
            return;
        }
        let Err(refused) = self.plant.jobs.push(self.now(job)) else { return };
        self.outcomes.printed(job.id, PrintOutcome::NotPrinted, &refused).await;
    }

    fn now<J: Clone>(&self, job: &J) -> Asked<J> {
        Asked { job: job.clone(), at: self.plant.shop.uptime() }
    }

    async fn open(&self, job: &DrawerJob) {
        let device = self.plant.devices.device(&job.drawer).ok();
        let opened = match device.as_ref().map(|device| (device, &device.config.model)) {
            Some((_, Model::Drawer(DrawerConfig { port: DrawerPort::Printer(printer), .. }))) => {
                match self.plant.jobs.queue(printer).map(|queue| queue.open(self.now(job))) {
                    Some(Ok(())) => Ok(()),
                    Some(Err(_)) => Err("too many openings wait already".to_owned()),
                    None => Err(format!("there is no printer called {printer}")),
                }
            }
            Some((device, Model::Drawer(_))) => device.ask_open(self.now(job)),
            _ => Err(format!("there is no drawer called {}", job.drawer)),
        };
        let Err(refused) = opened else { return };
        self.outcomes.opened(job.id, DrawerOutcome::NotOpened, &refused).await;
    }
}

/// The sheets of sales that were asked for, not as copies.
fn asked_for(tail: &[Happening]) -> impl DoubleEndedIterator<Item = &PrintJob> {
    tail.iter().filter_map(|happening| match &*happening.event {
        Event::PrintAsked(job) if !job.copy && job.sheet != Sheet::Test => Some(job),
        _ => None,
    })
}

/// Sales whose sheets were not all asked for, perhaps. Sheets are asked for in the order of their sales: so it can be the
/// last one that was asked for, and those after it; and only those of the last moments before the stop, for else nothing was
/// to be printed then. Where none was asked for, the printer may be new here, and the stop must be of just now.
fn not_asked_for(tail: &[Happening], now: Millis) -> Vec<Arc<Sale>> {
    let last = asked_for(tail).next_back().map(|job| job.sale);
    let stop = tail.last().map_or(now, |happening| happening.time);
    let sold = tail.iter().filter_map(|happening| match &*happening.event {
        Event::Sale { step, sale } if is_waited_for(*step, sale, happening) => Some((happening.time, sale)),
        _ => None,
    });
    let sold: Vec<_> = sold.collect();
    let from = last.and_then(|last| sold.iter().position(|(_, sale)| sale.id == last)).unwrap_or(0);
    let counts = |time: &Millis| stop.0 - time.0 < MOMENTS && (last.is_some() || now.0 - time.0 < MOMENTS);
    sold.iter().skip(from).filter(|(time, _)| counts(time)).map(|(_, sale)| Arc::clone(sale)).collect()
}

/// Whether somebody stands at the counter and waits for this sale's receipt.
fn is_waited_for(step: Step, sale: &Sale, happening: &Happening) -> bool {
    let elsewhere = sale.late
        || sale.provisional_number.is_some()
        || (step == Step::Sold && happening.time.0 - sale.started_at.0 > BROUGHT_IN);
    matches!(step, Step::Sold | Step::Completed) && sale.receipt.is_some() && !elsewhere
}
