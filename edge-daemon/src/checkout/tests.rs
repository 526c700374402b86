//! What only happens when something breaks at the wrong moment.

use std::time::{Duration, Instant};

use pos_domain::command::{Command, TenderDraft};
use pos_domain::money::Money;
use pos_domain::shift::MovementKind;
use pos_domain::tender::Method;
use uuid::Uuid;

use super::{CommandKey, Done, Origin, ReadError, SaleFilter, Shop, SubmitError};
use crate::trial;
use crate::views::TreeError;

fn keyed(shop: &Shop, key: u8, command: Command) -> Result<Done, SubmitError> {
    let key = CommandKey { key: [key; 16], request: [key; 32] };
    shop.submit_blocking(Some(key), command, Origin::default())
}

/// Asks until the answer is another than "not ready".
fn patiently<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "never ready");
        std::thread::yield_now();
    }
}

#[test]
fn the_shop_goes_on_selling_when_sled_is_lost_and_shows_no_half_lists() {
    let folder = tempfile::tempdir().unwrap();
    let (shop, running, _clock) = trial::open(folder.path());
    trial::put_pen(&shop);
    let sold: Vec<Uuid> = (0..50).map(|_| trial::sell(&shop, trial::sale_of_a_pen())).collect();
    let first = trial::sale_of_a_pen();
    keyed(&shop, 1, Command::Sell(first.clone())).unwrap();
    shop.shared.views.failed(&TreeError::Panicked);
    // Each of these either has its answer at once or is told to ask again; none waits for ever.
    let again = patiently(|| keyed(&shop, 1, Command::Sell(first.clone())).ok());
    assert!(again.repeated);
    patiently(|| keyed(&shop, 2, Command::Sell(trial::sale_of_a_pen())).ok());
    let filter = SaleFilter { limit: 500, ..SaleFilter::default() };
    let list = patiently(|| match shop.sales(&filter) {
        Ok(page) => Some(page),
        Err(ReadError::NotReady(_)) => None,
        Err(error) => panic!("{error}"),
    });
    assert_eq!((list.items.len(), list.next), (sold.len() + 2, None));
    running.stop().unwrap();
}

#[test]
fn a_page_that_ends_with_the_last_item_is_the_last() {
    let folder = tempfile::tempdir().unwrap();
    let (shop, running, _clock) = trial::open(folder.path());
    trial::put_pen(&shop);
    (0..4).for_each(|_| _ = trial::sell(&shop, trial::sale_of_a_pen()));
    let page = |cursor, limit| shop.sales(&SaleFilter { cursor, limit, ..SaleFilter::default() }).unwrap();
    let first = page(None, 3);
    let second = page(first.next.clone(), 3);
    assert_eq!((first.items.len(), second.items.len(), second.next), (3, 1, None));
    assert_eq!(page(None, 4).next, None);
    let pen = shop.state().catalog.by_sku("PEN").unwrap().id;
    let moved = shop.movements(pen, None, 3).unwrap();
    let rest = shop.movements(pen, moved.next.as_deref(), 1).unwrap();
    assert_eq!((moved.items.len(), rest.items.len(), rest.next), (3, 1, None));
    running.stop().unwrap();
}

#[test]
fn an_id_is_used_once_for_whatever_it_names() {
    let folder = tempfile::tempdir().unwrap();
    let (shop, running, _clock) = trial::open(folder.path());
    trial::put_pen(&shop);
    let id = Uuid::now_v7();
    let open = || Command::OpenShift { id, drawer: "till-1".into(), cashier: None, float: Money(0) };
    let close = || Command::CloseShift { shift: id, cashier: None, counted: Money(0), confirm_clock: false };
    keyed(&shop, 1, open()).unwrap();
    let movement = Uuid::now_v7();
    let pay_in = || Command::MoveCash {
        shift: id,
        id: movement,
        kind: MovementKind::PaidIn,
        amount: Money(100),
        reason: None,
    };
    keyed(&shop, 2, pay_in()).unwrap();
    let code = |done: Result<Done, SubmitError>| match done {
        Err(SubmitError::Refused(refusal)) => refusal.code,
        other => panic!("{other:?}"),
    };
    assert!(keyed(&shop, 2, pay_in()).unwrap().repeated);
    assert_eq!(code(keyed(&shop, 3, pay_in())), "duplicate-id");
    keyed(&shop, 4, close()).unwrap();
    assert_eq!(code(keyed(&shop, 5, open())), "duplicate-id", "its Z would be lost");
    assert_eq!(shop.z_report(id).unwrap().unwrap().number, 1);
    running.stop().unwrap();
}

#[test]
fn a_z_names_the_last_record_before_it_and_counts_all_up_to_there() {
    let folder = tempfile::tempdir().unwrap();
    let (shop, running, _clock) = trial::open(folder.path());
    trial::put_pen(&shop);
    let shift = Uuid::now_v7();
    keyed(
        &shop,
        1,
        Command::OpenShift { id: shift, drawer: "till-1".into(), cashier: None, float: Money(0) },
    )
    .unwrap();
    let close = Command::CloseShift { shift, cashier: None, counted: Money(0), confirm_clock: false };
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                (0..40).for_each(|_| {
                    let mut draft = trial::sale_of_a_pen();
                    draft.tenders = vec![TenderDraft {
                        method: Method::Cash,
                        amount: Money(250),
                        reference: None,
                        foreign: None,
                    }];
                    trial::sell(&shop, draft);
                });
            });
        }
        scope.spawn(|| keyed(&shop, 2, close).unwrap());
    });
    let z = shop.z_report(shift).unwrap().unwrap();
    let (position, _) = z.head.split_once(' ').unwrap();
    let before = position.split_once('.').unwrap().1.parse::<u64>().unwrap();
    let epoch = shop.head().unwrap().position.epoch;
    let start = pos_journal::Position { epoch, seq: 0 };
    let mut sold = 0;
    let mut from = start;
    'all: loop {
        let happened = shop.happenings_after(from).unwrap().unwrap();
        let Some(last) = happened.last() else { break };
        from = last.position;
        for happening in happened {
            if happening.position.seq > before {
                break 'all;
            }
            if let pos_domain::event::Event::Sale { .. } = &*happening.event {
                sold += 1;
            }
        }
    }
    assert_eq!(z.shift.totals.sales, sold, "the Z counts what is after the record that it names");
    running.stop().unwrap();
}
