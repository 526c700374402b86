//! What is read from clients, and what is written to them, to the byte.

use pos_domain::cart::Discount;
use pos_domain::money::{Currency, Money};
use pos_domain::quantity::Quantity;
use pos_domain::sale::{Kind, Line, ReceiptNumber, Returned, Sale, Status};
use pos_domain::tax::{Rate, TaxMode};
use pos_domain::tender::{Method, PaymentStatus, Tender};
use pos_domain::time::{Date, Millis};
use uuid::Uuid;

use super::draft::{DiscountIn, NewPayment, NewStatus, NewTransaction, Target};
use super::view::Transaction;

fn read(json: &str) -> Result<NewTransaction, String> {
    serde_json::from_str(json).map_err(|error| error.to_string())
}

#[test]
fn a_whole_sale_is_read() {
    let sale = read(
        r#"{ "id": "0197a1b2-0000-7000-8000-000000000001", "terminalId": "till-1", "type": "return", "cashierId": "c7",
            "customerId": "0197a1b2-0000-7000-8000-0000000000c1", "startedAt": "2026-11-23T17:05:00+01:00",
            "provisionalNumber": "O-17", "training": true,
            "items": [
                { "sku": "PEN", "quantity": 2, "discount": {"amount": 50}, "reason": "dented" },
                { "barcode": "4006381333931", "quantity": "0.475", "discount": {"percent": "10"},
                  "asSold": {"unitPrice": 1290, "taxRate": "7.00", "taxMode": "exclusive"}, "originalReference": "B-3" },
                { "sku": "X" } ],
            "discount": {"percent": 5}, "reason": "regular",
            "tenders": [ { "method": "cash", "amount": 2000 },
                { "method": "card", "amount": 5, "reference": "r", "foreign": {"currency": "USD", "amount": 6, "rate": "1.1"} } ] }"#,
    )
    .unwrap();
    assert_eq!((sale.kind, sale.training, sale.items.len(), sale.tenders.len()), (Kind::Return, true, 3, 2));
    assert_eq!(sale.started_at.unwrap().0.rfc3339(), "2026-11-23T16:05:00.000Z");
    assert!(sale.has_text());
    assert_eq!(sale.discount.map(Discount::from), Some(Discount::Percent(Rate(5000))));
}

#[test]
fn little_is_needed() {
    let sale = read(r#"{"terminalId":"t"}"#).unwrap();
    assert_eq!((sale.kind, sale.training, sale.has_text()), (Kind::Sale, false, false));
    assert!(read(r#"{"terminalId":"t","customerId":null,"reason":null,"discount":null}"#).is_ok());
}

#[test]
fn what_is_not_a_sale_is_refused_with_a_reason() {
    for (json, why) in [
        ("{}", "missing field `terminalId`"),
        (r#"{"terminalId":null}"#, "invalid type: null"),
        (r#"{"terminalId":"t","till":"t"}"#, "unknown field `till`"),
        (r#"{"terminalId":"t","terminalId":"u"}"#, "duplicate field `terminalId`"),
        (r#"{"terminalId":"t","id":"17"}"#, "UUID"),
        (r#"{"terminalId":"t","type":"refund"}"#, "unknown variant `refund`"),
        (r#"{"terminalId":"t","startedAt":"today"}"#, "RFC 3339"),
        (r#"{"terminalId":"t","training":1}"#, "invalid type: integer"),
        (r#"{"terminalId":"t","items":{}}"#, "invalid type: map"),
        (r#"{"terminalId":"t","items":[{"sku":"a","quantity":1.5}]}"#, "a quantity"),
        (r#"{"terminalId":"t","items":[{"sku":"a","quantity":"1,5"}]}"#, "a quantity"),
        (r#"{"terminalId":"t","items":[{"sku":"a","unitPrice":5}]}"#, "unknown field `unitPrice`"),
        (r#"{"terminalId":"t","items":[{"sku":"a","asSold":{"unitPrice":1}}]}"#, "missing field `taxRate`"),
        (r#"{"terminalId":"t","discount":{}}"#, "exactly one"),
        (r#"{"terminalId":"t","discount":{"amount":1,"percent":"2"}}"#, "exactly one"),
        (r#"{"terminalId":"t","discount":{"amount":1.5}}"#, "floating point"),
        (r#"{"terminalId":"t","tenders":[{"method":"gold","amount":1}]}"#, "unknown variant `gold`"),
        (r#"{"terminalId":"t","tenders":[{"method":"cash"}]}"#, "missing field `amount`"),
        (r#"{"terminalId":"t","tenders":[{"method":"cash","amount":"5"}]}"#, "invalid type: string"),
        (
            r#"{"terminalId":"t","tenders":[{"method":"cash","amount":99999999999999999999}]}"#,
            "invalid type: floating point",
        ),
    ] {
        let error = read(json).unwrap_err();
        assert!(error.contains(why), "{json}: {error}");
    }
}

#[test]
fn a_discount_is_an_amount_or_a_percent() {
    let discount = |json: &str| serde_json::from_str::<DiscountIn>(json).ok().map(Discount::from);
    assert_eq!(discount(r#"{"amount":50}"#), Some(Discount::Amount(Money(50))));
    assert_eq!(discount(r#"{"percent":"12.5"}"#), Some(Discount::Percent(Rate(12_500))));
    assert_eq!((discount("{}"), discount("50"), discount(r#"{"percent":"-1"}"#)), (None, None, None));
}

#[test]
fn a_status_and_a_payment_are_read() {
    let status = |json: &str| serde_json::from_str::<NewStatus>(json);
    assert_eq!(status(r#"{"status":"suspended","reason":"lunch"}"#).unwrap().status, Target::Suspended);
    assert!(
        status(r#"{"status":"partiallyRefunded"}"#).is_err(),
        "that is what becomes of it, not what is asked for"
    );
    assert!(status(r#"{"status":"voided"}"#).unwrap().return_id().is_none());
    let refund = status(r#"{"id":"0197a1b2-0000-7000-8000-000000000001","status":"refunded"}"#).unwrap();
    assert_eq!(refund.return_id().unwrap().to_string(), "0197a1b2-0000-7000-8000-000000000001");
    let payment = r#"{"transactionId":"0197a1b2-0000-7000-8000-000000000001","method":"voucher","amount":5}"#;
    let tender = serde_json::from_str::<NewPayment>(payment).unwrap().into_tender();
    assert_eq!((tender.method, tender.amount), (Method::Voucher, Money(5)));
}

fn sale() -> Sale {
    let line = Line {
        number: 1,
        product: Some(pos_domain::catalog::ProductId(17)),
        sku: "PEN".into(),
        name: "Füller \"fine\"".into(),
        department: "Office".into(),
        quantity: Quantity(2000),
        unit_price: Money(250),
        rate: Rate(19_000),
        mode: TaxMode::Inclusive,
        own_discount: None,
        discount: Money(50),
        tax: Money(72),
        total: Money(450),
        reason: None,
        list_price: None,
        original_reference: None,
        voided: false,
        returned: Returned::default(),
    };
    let tender = Tender {
        number: 1,
        method: Method::Cash,
        amount: Money(500),
        status: PaymentStatus::Approved,
        reference: None,
        foreign: None,
        at: Millis(1_795_428_000_000),
    };
    Sale {
        id: Uuid::from_u128(0x0197_a1b2_0000_7000_8000_0000_0000_0001),
        kind: Kind::Sale,
        status: Status::Completed,
        terminal: "till-1".into(),
        cashier: None,
        customer: None,
        started_at: Millis(1_795_428_000_000),
        business_date: Date(20_780),
        completed_at: Some(Millis(1_795_428_000_001)),
        currency: Currency::EUR,
        training: false,
        late: false,
        unlinked: false,
        provisional_number: None,
        receipt: Some(ReceiptNumber { series: 1, number: 42 }),
        lines: vec![line],
        receipt_discount: None,
        reason: None,
        tenders: vec![tender],
        total: Money(450),
        tax: Money(72),
        rounding: Money(0),
        change: Money(50),
        due: Money(0),
        original: None,
        shift: None,
        points: 0,
        tax_rounding: None,
        tax_mode: None,
        points_spent: None,
        returned_cash: Money::ZERO,
    }
}

#[test]
fn the_reply_is_pinned_to_its_bytes() {
    let sale = sale();
    let written = serde_json::to_string(&Transaction::new(&sale, "corner")).unwrap();
    let expected = concat!(
        r#"{"id":"0197a1b2-0000-7000-8000-000000000001","storeId":"corner","terminalId":"till-1","type":"sale","#,
        r#""receiptNumber":"01-000042","status":"completed","transactionDate":"2026-11-23T10:00:00.000Z","#,
        r#""businessDate":"2026-11-23","currency":"EUR","totalAmount":450,"taxAmount":72,"roundingAmount":0,"#,
        r#""changeAmount":50,"dueAmount":0,"customerId":null,"completedAt":"2026-11-23T10:00:00.001Z","items":["#,
        r#"{"id":"0197a1b2-0000-8000-8000-000000010002","productId":"17","sku":"PEN","name":"Füller \"fine\"","#,
        r#""quantity":"2.000","unitPrice":250,"discount":50,"taxRate":"19.00","taxAmount":72,"totalAmount":450}],"#,
        r#""payments":[{"id":"0197a1b2-0000-8000-8000-000000020002","method":"cash","amount":500,"status":"approved","#,
        r#""gatewayReference":null,"timestamp":"2026-11-23T10:00:00.000Z"}],"#,
        r#""taxes":[{"rate":"19.00","base":378,"amount":72}]}"#
    );
    assert_eq!(written, expected);
    assert_eq!(serde_json::to_string(&Transaction::new(&sale, "corner")).unwrap(), written);
}

#[test]
fn a_line_that_was_taken_off_stands_apart() {
    let mut sale = sale();
    let mut voided = sale.lines[0].clone();
    (voided.number, voided.voided) = (2, true);
    sale.lines.push(voided);
    let view = serde_json::to_value(Transaction::new(&sale, "corner")).unwrap();
    assert_eq!(view["items"].as_array().unwrap().len(), 1);
    assert_eq!(view["voidedItems"][0]["id"], sale.line_id(2).to_string());
}
