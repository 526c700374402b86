//! Each event's bytes, pinned. Fields and variants are stored by position: whoever moves one sees it here. A new form gets
//! a new line; an old line never changes, for journals with these bytes are out there.
//!
//! To make the line of a new event, run this test: it prints what it found.

use std::sync::Arc;

use pos_domain::cart::Discount;
use pos_domain::catalog::{Product, ProductId};
use pos_domain::customer::Customer;
use pos_domain::delivery::{
    Coming, ComingPrice, Delivered, Field, Loss, PricesInForce, RefusedDocument, Written,
};
use pos_domain::event::{
    Adjustment, DeviceSetup, DrawerJob, DrawerOutcome, DrawerReason, Event, Instruction, InstructionOutcome,
    PrintJob, PrintOutcome, Sheet, Step,
};
use pos_domain::money::{Currency, Money};
use pos_domain::quantity::Quantity;
use pos_domain::sale::{Kind, Line, ReceiptNumber, Returned, Sale, Status};
use pos_domain::seal::Sealed;
use pos_domain::shift::{Movement, MovementKind, Shift, Totals, ZReport};
use pos_domain::store::{Loyalty, StoreConfig};
use pos_domain::tax::{Rate, TaxClass, TaxMode, TaxRounding};
use pos_domain::tender::{Foreign, Method, PaymentStatus, Tender};
use pos_domain::time::{Date, Millis};
use pos_journal::codec::{Author, CommandKey, Entry, Origin};
use uuid::Uuid;

mod pinned;

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn sealed() -> Sealed {
    Sealed { subject: [1; 16], nonce: [2; 24], ciphertext: vec![3, 4, 5] }
}

/// With the fields that came later.
fn by_its_rules() -> Sale {
    Sale {
        lines: vec![],
        tax_rounding: Some(TaxRounding::Receipt),
        tax_mode: Some(TaxMode::Exclusive),
        points_spent: Some(12),
        returned_cash: Money(7),
        ..sale()
    }
}

fn sale() -> Sale {
    Sale {
        id: id(0x51),
        kind: Kind::Return,
        status: Status::PartiallyRefunded,
        terminal: "till-1".into(),
        cashier: Some("ann".into()),
        customer: Some(id(0xC1)),
        started_at: Millis(1_000),
        business_date: Date(20_000),
        completed_at: Some(Millis(2_000)),
        currency: Currency::EUR,
        training: false,
        late: true,
        unlinked: true,
        provisional_number: Some("P-7".into()),
        receipt: Some(ReceiptNumber { series: 1, number: 42 }),
        lines: vec![Line {
            number: 1,
            product: Some(ProductId(7)),
            sku: "milk".into(),
            name: "Milch".into(),
            department: "dairy".into(),
            quantity: Quantity(2_000),
            unit_price: Money(119),
            rate: Rate(7_000),
            mode: TaxMode::Exclusive,
            own_discount: Some(Discount::Percent(Rate(10_000))),
            discount: Money(24),
            tax: Money(15),
            total: Money(229),
            reason: Some(sealed()),
            list_price: Some(Money(129)),
            original_reference: Some("01-000001".into()),
            voided: false,
            returned: Returned {
                quantity: Quantity(1_000),
                total: Money(115),
                tax: Money(8),
                discount: Money(12),
            },
        }],
        receipt_discount: Some(Discount::Amount(Money(5))),
        reason: Some(sealed()),
        tenders: vec![Tender {
            number: 1,
            method: Method::Voucher,
            amount: Money(229),
            status: PaymentStatus::Reversed,
            reference: Some("V1".into()),
            foreign: Some(Foreign { currency: Currency::EUR, amount: Money(229), rate: "1.0".into() }),
            at: Millis(1_500),
        }],
        total: Money(229),
        tax: Money(15),
        rounding: Money(1),
        change: Money(2),
        due: Money(3),
        original: Some(id(0x50)),
        shift: Some(id(0x5F)),
        points: -2,
        tax_rounding: None,
        tax_mode: None,
        points_spent: None,
        returned_cash: Money::ZERO,
    }
}

fn shift() -> Shift {
    let mut totals = Totals { sales: 1, sold: Money(229), ..Totals::default() };
    totals.taxes.entry(Rate(7_000)).or_default().amount = Money(15);
    totals.tenders.insert(Method::Cash, Money(229));
    Shift {
        id: id(0x5F),
        drawer: "till-1".into(),
        cashier: Some("ann".into()),
        opened_at: Millis(500),
        business_date: Date(20_000),
        float: Money(10_000),
        totals,
    }
}

fn store() -> StoreConfig {
    StoreConfig {
        tenant: "acme".into(),
        store: "corner".into(),
        box_name: "box-1".into(),
        name: "Corner Shop".into(),
        address: vec!["Street 1".into()],
        footer: vec!["Thanks".into()],
        currency: Currency::EUR,
        time_zone: "Europe/Berlin".into(),
        cut_off_minutes: 240,
        tax_mode: TaxMode::Exclusive,
        tax_rounding: TaxRounding::Receipt,
        tax_classes: vec![TaxClass::new("standard", Rate(19_000))],
        cash_increment: 5,
        require_shift: true,
        unlinked_cash_limit: Some(Money(5_000)),
        embedded: Default::default(),
        loyalty: Some(Loyalty { earn_per: Money(100), worth: Money(1) }),
    }
}

fn delivered(product: &Product) -> Delivered {
    let coming = ComingPrice { price: Money(129), from: Millis(9_000), at: Millis(5_800) };
    let losses = vec![
        Loss {
            sku: "milk".into(),
            field: Field::LowStockAt,
            kept: "3".into(),
            given_up: "2".into(),
            stores: true,
        },
        Loss {
            sku: "milk".into(),
            field: Field::Name,
            kept: "Milch".into(),
            given_up: "Milk".into(),
            stores: false,
        },
    ];
    Delivered {
        version: 300,
        base: Some(299),
        products: vec![
            Written {
                id: ProductId(7),
                product: Some(Arc::new(product.clone())),
                stamps: vec![(Field::LowStockAt, Millis(5_800))],
                coming: Coming::Price(coming),
            },
            Written { id: ProductId(8), product: None, stamps: vec![], coming: Coming::Left },
        ],
        losses,
        refused: vec![RefusedDocument { sku: "oil".into(), why: "no name".into() }],
        local_only: vec!["tea".into()],
        last: true,
    }
}

fn events() -> Vec<(&'static str, Event)> {
    let product = Product {
        id: ProductId(7),
        sku: "milk".into(),
        name: "Milch".into(),
        price: Money(119),
        tax_class: "reduced".into(),
        department: "dairy".into(),
        gtin: "4006381333931"
            .parse()
            .ok()
            .and_then(|n: u64| pos_domain::barcode::Gtin::with_check_digit(n / 10).ok()),
        barcode: Some("4006381333931".into()),
        description: Some("1 l".into()),
        by_weight: false,
        low_stock_at: Some(Quantity(3_000)),
        version: 2,
    };
    let adjustment = Adjustment {
        id: id(0xAD),
        product: ProductId(7),
        sku: "milk".into(),
        change: Quantity(-3_000),
        reason: "damage".into(),
        user: Some("ann".into()),
        note: Some(sealed()),
        at: Millis(3_000),
        level: Quantity(9_000),
    };
    let customer = Customer {
        id: id(0xC1),
        profile: sealed(),
        email_hash: Some([9; 16]),
        phone_hash: None,
        consent: Some("news".into()),
        version: 1,
    };
    let movement = Movement {
        id: id(0x30),
        kind: MovementKind::Drop,
        amount: Money(5_000),
        reason: None,
        at: Millis(4_000),
    };
    let report = ZReport {
        number: 3,
        shift: shift(),
        closed_by: None,
        closed_at: Millis(9_000),
        expected: Money(10_229),
        counted: Money(10_200),
        head: "0000000000000001.5 ab".into(),
        clock_trusted: true,
    };
    let job = PrintJob {
        id: id(0x70),
        sale: id(0x51),
        printer: "counter".into(),
        copy: true,
        kick: false,
        at: Millis(5_000),
        sheet: Sheet::Receipt,
        instead_of: None,
    };
    let slip =
        PrintJob { sheet: Sheet::Orders(vec!["bar".into()]), instead_of: Some(id(0x6F)), ..job.clone() };
    let drawer = DrawerJob {
        id: id(0xD0),
        drawer: "front".into(),
        terminal: Some("till-1".into()),
        reason: DrawerReason::Sale(id(0x51)),
        at: Millis(5_500),
    };
    let instruction = Instruction {
        id: id(0xC0),
        name: "message".into(),
        target: Some("till-1".into()),
        text: Some(sealed()),
        at: Millis(5_600),
    };
    vec![
        ("epochStarted", Event::EpochStarted { series: 2, reason: "restored".into() }),
        ("storeConfigured", Event::StoreConfigured(Arc::new(store()))),
        ("sale", Event::Sale { step: Step::Sold, sale: Arc::new(sale()) }),
        ("productsPut", Event::ProductsPut(vec![Arc::new(product.clone())])),
        ("stockAdjusted", Event::StockAdjusted(adjustment)),
        ("stockLow", Event::StockLow { product: ProductId(7), sku: "milk".into(), level: Quantity(2_000) }),
        ("customerPut", Event::CustomerPut(customer)),
        ("customerErased", Event::CustomerErased(id(0xC1))),
        ("shiftOpened", Event::ShiftOpened(shift())),
        ("cashMoved", Event::CashMoved { shift: id(0x5F), movement }),
        ("shiftClosed", Event::ShiftClosed(report)),
        ("terminalSeen", Event::TerminalSeen("till-1".into())),
        ("productKept", Event::ProductKept(Arc::new(product.clone()))),
        ("saleByItsRules", Event::Sale { step: Step::Sold, sale: Arc::new(by_its_rules()) }),
        ("printAsked", Event::PrintAsked(job)),
        (
            "printEnded",
            Event::PrintEnded { job: id(0x70), outcome: PrintOutcome::Unknown, detail: "no answer".into() },
        ),
        ("slipAsked", Event::PrintAsked(slip)),
        ("drawerAsked", Event::DrawerAsked(drawer)),
        (
            "drawerEnded",
            Event::DrawerEnded { job: id(0xD0), outcome: DrawerOutcome::Unknown, detail: "no answer".into() },
        ),
        (
            "devicePut",
            Event::DevicePut(DeviceSetup {
                id: "scanner-9".into(),
                section: "scanner".into(),
                settings: [("port".into(), "serial:/dev/ttyS0".into())].into(),
            }),
        ),
        ("deviceRemoved", Event::DeviceRemoved("scanner-9".into())),
        ("printSettled", Event::PrintSettled(id(0x70))),
        ("drawerAlarm", Event::DrawerAlarm { drawer: "front".into() }),
        ("instructionTaken", Event::InstructionTaken(instruction)),
        (
            "instructionEnded",
            Event::InstructionEnded {
                id: id(0xC0),
                outcome: InstructionOutcome::Unknown,
                detail: "the box was started anew".into(),
            },
        ),
        ("productsDelivered", Event::ProductsDelivered(delivered(&product))),
        (
            "pricesInForce",
            Event::PricesInForce(PricesInForce {
                products: vec![Written {
                    id: ProductId(7),
                    product: Some(Arc::new(product)),
                    stamps: vec![(Field::Price, Millis(5_900))],
                    coming: Coming::Gone,
                }],
                losses: vec![],
            }),
        ),
    ]
}

fn entry(event: Event) -> Entry {
    Entry {
        schema: event.version(),
        author: Author {
            tenant: "acme".into(),
            store: "corner".into(),
            box_name: "box-1".into(),
            software: "0.1.0".into(),
        },
        origin: Origin {
            terminal: Some("till-1".into()),
            device_time: Some(Millis(6_000)),
            ..Origin::default()
        },
        time: Millis(7_000),
        clock_trusted: true,
        business_date: Date(20_000),
        command: Some(CommandKey { key: [0xAA; 16], request: [0xBB; 32] }),
        part: 0,
        parts: 1,
        event,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn every_event_has_the_bytes_it_always_had() {
    let mut differ = Vec::new();
    for (name, event) in events() {
        let mut bytes = Vec::new();
        entry(event.clone()).encode_into(&mut bytes).unwrap();
        assert_eq!(Entry::decode(&bytes).unwrap(), entry(event), "{name} does not read back");
        let found = hex(&bytes);
        if pinned::EVENTS.iter().find(|(pinned, _)| *pinned == name).map(|(_, hex)| *hex) != Some(&*found) {
            println!("    (\"{name}\", \"{found}\"),");
            differ.push(name);
        }
    }
    assert!(
        differ.is_empty(),
        "these events changed their bytes: {differ:?}; append fields, never move them"
    );
}

#[test]
fn all_pinned_bytes_can_still_be_read() {
    let kinds: Vec<_> = events().into_iter().map(|(name, _)| name).collect();
    for (name, hex) in pinned::EVENTS {
        assert!(kinds.contains(name), "{name} is pinned but nobody makes it");
        let bytes: Vec<u8> =
            (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
        Entry::decode(&bytes).unwrap();
    }
}

#[test]
fn a_body_cut_anywhere_is_refused() {
    let mut bytes = Vec::new();
    entry(Event::Sale { step: Step::Sold, sale: Arc::new(sale()) }).encode_into(&mut bytes).unwrap();
    for end in 0..bytes.len() {
        assert!(Entry::decode(&bytes[..end]).is_err(), "{end} bytes of {} were taken", bytes.len());
    }
    bytes[0] = 99;
    assert!(Entry::decode(&bytes).is_err());
}
