//! What records make.
#![allow(clippy::indexing_slicing, reason = "a test that looks at what is not there has failed")]

use pos_domain::event::Event;
use pos_domain::money::{Currency, Money};
use pos_domain::sale::Kind;
use pos_domain::seal::Sealed;
use pos_domain::tender::{PaymentStatus, Tender};
use pos_domain::time::Millis;
use pos_journal::codec::{Author, Origin};
use pos_journal::{EpochId, Position};

use super::*;

const EPOCH: EpochId = EpochId(0xA1);

/// Records of these events, a second apart.
fn records(events: Vec<Event>) -> Vec<Record> {
    let body = |at: i64, event: Event| {
        let author =
            Author { tenant: "t".into(), store: "s".into(), box_name: "b".into(), software: "0".into() };
        let entry = Entry {
            schema: 1,
            author,
            origin: Origin::default(),
            time: Millis(1000 * at),
            clock_trusted: true,
            business_date: Date(20_000),
            command: None,
            part: 0,
            parts: 1,
            event,
        };
        let mut body = Vec::new();
        entry.encode_into(&mut body).unwrap();
        body
    };
    let mut previous = [0; 32];
    let mut records = Vec::new();
    for (seq, event) in (1_u32..).zip(events) {
        let position = Position { epoch: EPOCH, seq: seq.into() };
        let record = Record::new(position, previous, body(seq.into(), event)).unwrap();
        previous = record.hash;
        records.push(record);
    }
    records
}

fn sale(status: Status) -> Sale {
    Sale {
        id: Uuid::from_u128(7),
        kind: Kind::Sale,
        status,
        terminal: "till-1".into(),
        cashier: None,
        customer: Some(Uuid::from_u128(9)),
        started_at: Millis(1),
        business_date: Date(20_000),
        completed_at: None,
        currency: Currency::EUR,
        training: false,
        late: false,
        unlinked: false,
        provisional_number: None,
        receipt: None,
        lines: vec![],
        receipt_discount: None,
        reason: None,
        tenders: vec![],
        total: Money(0),
        tax: Money(0),
        rounding: Money(0),
        change: Money(0),
        due: Money(0),
        original: None,
        shift: None,
        points: 12,
        tax_rounding: None,
        tax_mode: None,
        points_spent: None,
        returned_cash: Money(0),
    }
}

fn event(step: Step, sale: Sale) -> Event {
    Event::Sale { step, sale: sale.into() }
}

fn of(events: Vec<Event>) -> Changes {
    Changes::of(&records(events), Ground { series: 3, point_worth: 5 })
}

#[test]
fn of_a_sale_the_last_version_is_kept_and_whether_it_began_here() {
    let id = sale(Status::Open).id;
    let begun = of(vec![
        event(Step::Opened, sale(Status::Open)),
        event(Step::Suspended, sale(Status::Suspended)),
        event(Step::Completed, sale(Status::Completed)),
    ]);
    let change = &begun.sales[&id];
    assert_eq!(
        (change.sale.status, change.version.seq, change.version.series, change.begun),
        (Status::Completed, 3, 3, true)
    );
    let taken_over =
        of(vec![event(Step::Paid, sale(Status::Open)), event(Step::Completed, sale(Status::Completed))]);
    assert!(!taken_over.sales[&id].begun);
}

#[test]
fn a_version_is_later_by_time_then_series_and_one_that_was_paid_is_later_than_one_that_was_not() {
    let at = |time, series, epoch, seq| Version { recorded_at: Millis(time).into(), series, epoch, seq };
    let ordered = [at(1, 9, 9, 9), at(2, 1, 9, 9), at(2, 2, 1, 9), at(2, 2, 2, 1), at(2, 2, 2, 2)];
    assert!(ordered.windows(2).all(|pair| pair[0] < pair[1]));
    let rank = |status, time| {
        let version = at(time, 1, 1, 1);
        SaleChange { sale: sale(status).into(), version, begun: false, points: 0 }.rank()
    };
    for unpaid in [Status::Open, Status::Suspended, Status::Cancelled] {
        for paid in [Status::Completed, Status::Voided, Status::PartiallyRefunded, Status::Refunded] {
            assert!(rank(unpaid, 2) < rank(paid, 1));
        }
    }
}

#[test]
fn points_follow_from_the_sale_and_for_old_ones_from_what_a_point_was_worth() {
    let points = |change: &dyn Fn(&mut Sale)| {
        let mut sale = sale(Status::Completed);
        change(&mut sale);
        of(vec![event(Step::Sold, sale)]).sales.into_values().next().map(|change| change.points)
    };
    let paid_by_points = Tender {
        number: 1,
        method: Method::Points,
        amount: Money(50),
        status: PaymentStatus::Approved,
        reference: None,
        foreign: None,
        at: Millis(1),
    };
    assert_eq!(points(&|_| ()), Some(12));
    assert_eq!(points(&|sale| sale.points_spent = Some(4)), Some(8));
    assert_eq!(points(&|sale| sale.tenders = vec![paid_by_points.clone()]), Some(2));
    assert_eq!(points(&|sale| (sale.kind, sale.points_spent) = (Kind::Return, Some(4))), Some(-8));
    assert_eq!(points(&|sale| sale.training = true), Some(0));
    assert_eq!(points(&|sale| sale.customer = None), Some(0));
}

#[test]
fn an_erasure_stands_whatever_comes_behind_it() {
    let id = Uuid::from_u128(9);
    let put = || {
        let profile = Sealed { subject: [1; 16], nonce: [2; 24], ciphertext: vec![3] };
        Event::CustomerPut(Customer {
            id,
            profile,
            email_hash: None,
            phone_hash: None,
            consent: None,
            version: 1,
        })
    };
    let changes = of(vec![put(), Event::CustomerErased(id), put(), Event::CustomerErased(id)]);
    assert!(matches!(&changes.customers[&id], (CustomerChange::Erased, version) if version.seq == 2));
}

#[test]
fn an_epochs_series_counts_from_its_first_record_on() {
    let started = Event::EpochStarted { series: 4, reason: "restored".into() };
    let changes = of(vec![started, event(Step::Sold, sale(Status::Completed))]);
    assert_eq!(changes.ground, Ground { series: 4, point_worth: 5 });
    assert!(changes.sales.values().all(|change| change.version.series == 4));
}

#[test]
fn what_cannot_be_read_is_counted_and_the_rest_is_read() {
    let mut records =
        records(vec![event(Step::Sold, sale(Status::Completed)), Event::TerminalSeen("till-1".into())]);
    records[1].body[0] = 2;
    let changes = Changes::of(&records, Ground::default());
    assert_eq!((changes.sales.len(), changes.not_understood.len()), (1, 1));
    assert_eq!(changes.not_understood[0].seq, 2);
}
