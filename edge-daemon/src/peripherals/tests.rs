//! Receipts against a virtual printer on the real wire.

use std::sync::Arc;
use std::time::Duration;

use device_drivers::{Faults, Patience, Profile, VirtualPrinter};
use pos_domain::command::{Command, SaleDraft};
use pos_domain::event::{Event, PrintOutcome};
use pos_domain::time::Millis;
use tokio::sync::broadcast;
use tokio::time::timeout;
use uuid::Uuid;

use super::*;
use crate::checkout::{Happening, Origin, Running, Shop};
use crate::clock::HandClock;
use crate::config::PrinterConfig;
use crate::trial;

/// Nothing in these tests takes nearly so long; a hang is to fail.
const LONG: Duration = Duration::from_secs(30);

struct Counter {
    _dir: tempfile::TempDir,
    shop: Shop,
    running: Running,
    clock: HandClock,
    printer: VirtualPrinter,
    config: PrinterConfig,
    happenings: broadcast::Receiver<Arc<Happening>>,
}

async fn counter() -> Counter {
    let dir = tempfile::tempdir().unwrap();
    let (shop, running, clock) = tokio::task::block_in_place(|| {
        let opened = trial::open(dir.path());
        trial::put_pen(&opened.0);
        opened
    });
    let printer = VirtualPrinter::start(([127, 0, 0, 1], 0).into(), Profile::epson_80_mm()).await.unwrap();
    let config = PrinterConfig {
        name: "receipts".into(),
        address: printer.address(),
        profile: Profile::epson_80_mm(),
        auto_print: true,
    };
    let happenings = shop.subscribe();
    Counter { _dir: dir, shop, running, clock, printer, config, happenings }
}

impl Counter {
    fn start(&self) -> Printing {
        let patience = Patience {
            connect: Duration::from_secs(5),
            status: Duration::from_millis(300),
            confirm: Duration::from_millis(600),
            look: Duration::from_millis(100),
        };
        Printing::start(self.shop.clone(), &self.config, patience)
    }

    fn sell(&self, change: impl FnOnce(&mut SaleDraft)) -> Uuid {
        let mut draft = trial::sale_of_a_pen();
        change(&mut draft);
        tokio::task::block_in_place(|| trial::sell(&self.shop, draft))
    }

    fn ask(&self, sale: Uuid, printer: &str, copy: bool) {
        let command = Command::AskPrint { id: Uuid::now_v7(), sale, printer: printer.into(), copy };
        tokio::task::block_in_place(|| self.shop.submit_blocking(None, command, Origin::default())).unwrap();
    }

    /// The next outcome of a print job.
    async fn outcome(&mut self) -> (PrintOutcome, String) {
        let next = async {
            loop {
                let happening = self.happenings.recv().await.unwrap();
                if let Event::PrintEnded { outcome, detail, .. } = &*happening.event {
                    return (*outcome, detail.clone());
                }
            }
        };
        timeout(LONG, next).await.expect("no print job ended")
    }

    async fn wait(&self, printing: &Printing, what: impl Fn(&PrinterCondition) -> bool) {
        let watch = printing.watch();
        let reached = async {
            while !what(&watch.condition()) {
                tokio::task::yield_now().await;
            }
        };
        timeout(LONG, reached).await.expect("the printer never got there");
    }

    fn paper(&self) -> Vec<String> {
        self.printer.receipts().iter().map(|receipt| receipt.paper.to_text()).collect()
    }

    async fn end(self, printing: Printing) {
        printing.stop().await;
        tokio::task::block_in_place(|| self.running.stop()).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_at_the_counter_is_printed_and_opens_the_drawer() {
    let mut counter = counter().await;
    let printing = counter.start();
    let sale = counter.sell(|_| {});
    assert_eq!(counter.outcome().await.0, PrintOutcome::Printed);
    let paper = counter.paper();
    assert!(paper[0].contains("Füller") && paper[0].contains("3.00"), "{paper:?}");
    assert_eq!(counter.printer.drawer_kicks(), 1);
    counter.ask(sale, "receipts", true);
    assert_eq!(counter.outcome().await.0, PrintOutcome::Printed);
    assert!(counter.paper()[1].contains("COPY"));
    assert_eq!(counter.printer.drawer_kicks(), 1, "a copy opens no drawer");
    assert!(counter.shop.state().printing.is_empty());
    counter.wait(&printing, |condition| condition.printed == 2).await;
    counter.end(printing).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_made_elsewhere_is_not_printed_again() {
    let mut counter = counter().await;
    let printing = counter.start();
    let now = counter.shop.now().time;
    counter.sell(|draft| draft.provisional_number = Some("T1-0007".into()));
    counter.sell(|draft| draft.started_at = Some(Millis(now.0 - 3_600_000)));
    // A cashier who took his time is at the counter all the same.
    counter.sell(|draft| draft.started_at = Some(Millis(now.0 - 60_000)));
    assert_eq!(counter.outcome().await.0, PrintOutcome::Printed);
    assert_eq!(counter.paper().len(), 1);
    counter.end(printing).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sales_go_on_without_paper_and_their_receipts_come_when_there_is_some() {
    let mut counter = counter().await;
    counter.printer.set_faults(Faults { paper_out: true, ..Faults::default() });
    let printing = counter.start();
    for _ in 0..3 {
        counter.sell(|_| {});
    }
    counter
        .wait(&printing, |condition| condition.state == PrinterState::Waiting && condition.jobs == 3)
        .await;
    assert!(printing.watch().condition().detail.contains("out of paper"));
    assert!(counter.paper().is_empty());
    counter.clock.advance(120_000);
    counter.printer.set_faults(Faults::default());
    for _ in 0..3 {
        assert_eq!(counter.outcome().await.0, PrintOutcome::Printed);
    }
    assert_eq!(counter.paper().len(), 3);
    assert_eq!(counter.printer.drawer_kicks(), 0, "nobody stands at the drawer two minutes later");
    counter.end(printing).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_printer_that_is_silent_for_a_while_prints_when_it_answers_again() {
    let mut counter = counter().await;
    counter.printer.set_faults(Faults { silent: true, ..Faults::default() });
    let printing = counter.start();
    counter.sell(|_| {});
    counter.wait(&printing, |condition| condition.state == PrinterState::Waiting).await;
    assert!(printing.watch().condition().detail.contains("did not answer"));
    counter.printer.set_faults(Faults::default());
    assert_eq!(counter.outcome().await.0, PrintOutcome::Printed);
    assert_eq!(counter.paper().len(), 1);
    counter.end(printing).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_nobody_waits_for_any_more_is_given_up() {
    let mut counter = counter().await;
    counter.printer.set_faults(Faults { cover_open: true, ..Faults::default() });
    let printing = counter.start();
    counter.sell(|_| {});
    counter.wait(&printing, |condition| condition.state == PrinterState::Waiting).await;
    counter.clock.advance(3_600_000);
    let (outcome, detail) = counter.outcome().await;
    assert_eq!(outcome, PrintOutcome::NotPrinted);
    assert!(detail.contains("cover is open"), "{detail}");
    counter.end(printing).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_confirms_is_unknown_and_never_sent_again() {
    let mut counter = counter().await;
    counter.printer.set_faults(Faults { drop_after: Some(200), ..Faults::default() });
    let printing = counter.start();
    counter.sell(|_| {});
    assert_eq!(counter.outcome().await.0, PrintOutcome::Unknown);
    counter.printer.set_faults(Faults::default());
    counter.sell(|_| {});
    assert_eq!(counter.outcome().await.0, PrintOutcome::Printed);
    let whole = counter.paper().iter().filter(|paper| paper.contains("TOTAL")).count();
    assert_eq!(whole, 1, "{:?}", counter.paper());
    counter.end(printing).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_a_stop_left_open_becomes_unknown_at_the_next_start() {
    let mut counter = counter().await;
    let sale = counter.sell(|_| {});
    counter.ask(sale, "receipts", false);
    let printing = counter.start();
    let (outcome, detail) = counter.outcome().await;
    assert_eq!(outcome, PrintOutcome::Unknown);
    assert!(detail.contains("look at the printer"), "{detail}");
    assert!(counter.paper().is_empty());
    counter.ask(sale, "other", false);
    let (outcome, detail) = counter.outcome().await;
    assert_eq!((outcome, detail.as_str()), (PrintOutcome::NotPrinted, "there is no printer called other"));
    counter.end(printing).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_what_waits_as_not_printed() {
    let mut counter = counter().await;
    counter.printer.set_faults(Faults { paper_out: true, ..Faults::default() });
    let printing = counter.start();
    counter.sell(|_| {});
    counter.sell(|_| {});
    counter
        .wait(&printing, |condition| condition.state == PrinterState::Waiting && condition.jobs == 2)
        .await;
    printing.stop().await;
    for _ in 0..2 {
        let (outcome, detail) = counter.outcome().await;
        assert_eq!(
            (outcome, detail.as_str()),
            (PrintOutcome::NotPrinted, "the box was stopped before it was printed")
        );
    }
    assert!(counter.shop.state().printing.is_empty());
    tokio::task::block_in_place(|| counter.running.stop()).unwrap();
}
