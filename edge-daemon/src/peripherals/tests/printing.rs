//! Receipts and slips against virtual printers.

use super::*;

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
    counter.wait(&printing, "receipts", |condition| condition.counters.done == 2).await;
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
        .wait(&printing, "receipts", |condition| {
            condition.state == DeviceState::Waiting && jobs(condition) == 3
        })
        .await;
    assert!(printing.devices().get("receipts").unwrap().detail.contains("out of paper"));
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
    counter.wait(&printing, "receipts", |condition| condition.state == DeviceState::Waiting).await;
    assert!(printing.devices().get("receipts").unwrap().detail.contains("did not answer"));
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
    counter.wait(&printing, "receipts", |condition| condition.state == DeviceState::Waiting).await;
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
        .wait(&printing, "receipts", |condition| {
            condition.state == DeviceState::Waiting && jobs(condition) == 2
        })
        .await;
    printing.stop().await;
    for _ in 0..2 {
        let (outcome, detail) = counter.outcome().await;
        assert_eq!((outcome, detail.as_str()), (PrintOutcome::NotPrinted, "the printer was stopped before"));
    }
    assert!(counter.shop.state().printing.is_empty());
    tokio::task::block_in_place(|| counter.running.stop()).unwrap();
}

fn order_printer(id: &str, printer: &VirtualPrinter, department: &str) -> DeviceConfig {
    printer_config(id, printer, PrinterRole::Orders { departments: vec![department.into()] })
}

#[tokio::test(flavor = "multi_thread")]
async fn each_till_prints_on_its_own_printer_and_the_kitchen_gets_its_slip() {
    let mut counter = counter().await;
    let (own, kitchen, bar) = (virtual_printer().await, virtual_printer().await, virtual_printer().await);
    let mut config = printer_config("till-2-receipts", &own, PrinterRole::Receipts { auto_print: true });
    config.terminal = Some("till-2".into());
    let department = counter.shop.state().catalog.iter().next().unwrap().department.to_string();
    counter.devices.extend([config, order_printer("kitchen", &kitchen, &department)]);
    counter.devices.push(order_printer("bar", &bar, "another department"));
    let printing = counter.start();
    counter.sell(|draft| draft.terminal = "till-2".into());
    for _ in 0..2 {
        assert_eq!(counter.outcome().await.0, PrintOutcome::Printed);
    }
    assert!(counter.paper().is_empty() && bar.receipts().is_empty());
    assert!(own.receipts()[0].paper.to_text().contains("TOTAL"));
    let slip = kitchen.receipts()[0].paper.to_text();
    assert!(slip.contains("1 × Füller") && !slip.contains("3.00"), "{slip}");
    counter.sell(|draft| draft.terminal = "till-1".into());
    for _ in 0..2 {
        assert_eq!(counter.outcome().await.0, PrintOutcome::Printed);
    }
    assert_eq!((counter.paper().len(), own.receipts().len(), kitchen.receipts().len()), (1, 1, 2));
    counter.end(printing).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sheet_that_waits_can_be_printed_elsewhere_or_taken_back() {
    let mut counter = counter().await;
    let other = virtual_printer().await;
    counter.devices.push(printer_config("other", &other, PrinterRole::Receipts { auto_print: false }));
    counter.printer.set_faults(Faults { paper_out: true, ..Faults::default() });
    let running = counter.start();
    counter.sell(|_| {});
    counter.sell(|_| {});
    counter
        .wait(&running, "receipts", |condition| {
            condition.state == DeviceState::Waiting && jobs(condition) == 2
        })
        .await;
    let jobs_now = running.jobs();
    let [first, second] = <[PrintView; 2]>::try_from(jobs_now.all()).unwrap();
    assert_eq!((first.state, first.job.printer.as_str()), (PrintState::Pending, "receipts"));

    assert!(matches!(jobs_now.retry(first.job.id, Some("none"), None).await, Err(JobError::NoPrinter(_))));
    jobs_now.retry(first.job.id, Some("other"), None).await.unwrap();
    let (outcome, detail) = counter.outcome().await;
    assert_eq!((outcome, detail.as_str()), (PrintOutcome::NotPrinted, "moved to other"));
    assert_eq!(counter.outcome().await.0, PrintOutcome::Printed);
    let moved = other.receipts()[0].paper.to_text();
    assert!(moved.contains("TOTAL") && !moved.contains("COPY"), "nothing of it was on paper: {moved}");

    jobs_now.cancel(second.job.id, None).await.unwrap();
    assert_eq!(counter.outcome().await.1, "taken back by hand");
    counter.wait(&running, "receipts", |condition| jobs(condition) == 0).await;
    assert!(jobs_now.all().is_empty());
    counter.printer.set_faults(Faults::default());
    counter.sell(|_| {});
    assert_eq!(counter.outcome().await.0, PrintOutcome::Printed);
    assert_eq!(counter.paper().len(), 1, "the one that was taken back is not printed");
    counter.end(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_perhaps_on_paper_is_printed_again_as_a_copy_and_only_once() {
    let mut counter = counter().await;
    counter.printer.set_faults(Faults { drop_after: Some(200), ..Faults::default() });
    let running = counter.start();
    counter.sell(|_| {});
    assert_eq!(counter.outcome().await.0, PrintOutcome::Unknown);
    counter.printer.set_faults(Faults::default());
    let [left] = <[PrintView; 1]>::try_from(running.jobs().all()).unwrap();
    assert_eq!(left.state, PrintState::Ended(PrintOutcome::Unknown));
    running.jobs().retry(left.job.id, None, None).await.unwrap();
    assert_eq!(counter.outcome().await.0, PrintOutcome::Printed);
    assert!(counter.paper().last().unwrap().contains("COPY"));
    let twice = running.jobs().retry(left.job.id, None, None).await;
    assert!(matches!(twice, Err(JobError::Submit(_))), "{twice:?}");
    assert!(running.jobs().all().is_empty());
    counter.end(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_that_a_stop_kept_from_being_asked_for_is_printed_at_the_next_start() {
    let mut counter = counter().await;
    // Nobody listens yet: as if the box had been stopped between the sale and what follows from it.
    counter.sell(|_| {});
    let first = counter.start();
    assert_eq!(counter.outcome().await.0, PrintOutcome::Printed);
    first.stop().await;
    counter.sell(|_| {});
    counter.sell(|draft| draft.provisional_number = Some("T1-0007".into()));
    counter.sell(|_| {});
    counter.clock.advance(3_600_000);
    let second = counter.start();
    for _ in 0..2 {
        assert_eq!(counter.outcome().await.0, PrintOutcome::Printed);
    }
    second.stop().await;
    let third = counter.start();
    counter.sell(|_| {});
    assert_eq!(counter.outcome().await.0, PrintOutcome::Printed);
    assert_eq!(counter.paper().len(), 4, "each once");
    assert_eq!(counter.printer.drawer_kicks(), 1, "of the sale that was made while somebody listened");
    counter.end(third).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_printer_that_is_new_does_not_print_yesterdays_sales() {
    let mut counter = counter().await;
    counter.sell(|_| {});
    counter.clock.advance(3_600_000);
    let running = counter.start();
    let sale = counter.sell(|_| {});
    assert_eq!(counter.outcome().await.0, PrintOutcome::Printed);
    assert_eq!(counter.paper().len(), 1);
    assert!(counter.shop.state().printing.is_empty(), "{sale}");
    counter.end(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_that_runs_out_of_paper_half_way_goes_on_with_a_new_roll() {
    let mut counter = counter().await;
    counter.printer.set_faults(Faults { lines_left: Some(4), ..Faults::default() });
    let running = counter.start();
    counter.sell(|_| {});
    counter
        .wait(&running, "receipts", |condition| {
            condition.state == DeviceState::Waiting && condition.detail.contains("out of paper")
        })
        .await;
    assert!(!counter.printer.uncut().marks.is_empty(), "half of it is on paper");
    counter.printer.set_faults(Faults::default());
    assert_eq!(counter.outcome().await.0, PrintOutcome::Printed);
    let paper = counter.paper();
    assert!(paper.len() == 1 && paper[0].contains("TOTAL") && !paper[0].contains("COPY"), "{paper:?}");
    counter.end(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_that_a_stop_meets_on_its_way_is_unknown_and_not_pending() {
    let counter = counter().await;
    counter.printer.set_faults(Faults { lines_left: Some(4), ..Faults::default() });
    let running = counter.start();
    counter.sell(|_| {});
    counter.wait(&running, "receipts", |condition| condition.state == DeviceState::Waiting).await;
    assert!(!counter.printer.uncut().marks.is_empty(), "half of it is on paper");
    running.stop().await;
    let state = counter.shop.state();
    let left: Vec<_> = state.unprinted.values().map(|left| left.outcome).collect();
    assert_eq!(
        (state.printing.len(), left),
        (0, vec![PrintOutcome::Unknown]),
        "somebody can decide about it"
    );
    drop(state);
    tokio::task::block_in_place(|| counter.running.stop()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_prints_nothing_again_though_the_till_has_another_printer_now() {
    let mut counter = counter().await;
    let own = virtual_printer().await;
    counter.devices.push(printer_config("own", &own, PrinterRole::Receipts { auto_print: true }));
    let running = counter.start();
    running.devices().claim("own", "till-1", None).unwrap();
    counter.sell(|_| {});
    assert_eq!(counter.outcome().await.0, PrintOutcome::Printed);
    assert_eq!((own.receipts().len(), counter.paper().len()), (1, 0));
    running.stop().await;
    // Claims are gone with the restart.
    let running = counter.start();
    counter.sell(|_| {});
    assert_eq!(counter.outcome().await.0, PrintOutcome::Printed);
    assert_eq!((own.receipts().len(), counter.paper().len()), (1, 1));
    counter.end(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sales_of_the_time_without_a_printer_are_not_printed_when_there_is_one_again() {
    let mut counter = counter().await;
    let running = counter.start();
    counter.sell(|_| {});
    assert_eq!(counter.outcome().await.0, PrintOutcome::Printed);
    running.stop().await;
    // Nobody prints.
    for _ in 0..3 {
        counter.sell(|_| {});
        counter.clock.advance(120_000);
    }
    counter.ask(counter.sell(|_| {}), "receipts", true);
    let running = counter.start();
    assert_eq!(
        counter.outcome().await.0,
        PrintOutcome::Unknown,
        "the copy that was asked for before the start"
    );
    assert_eq!(counter.outcome().await.0, PrintOutcome::Printed);
    counter.sell(|_| {});
    assert_eq!(counter.outcome().await.0, PrintOutcome::Printed);
    assert_eq!(counter.paper().len(), 3, "the first, the one of the last moments, and the new one");
    counter.end(running).await;
}
