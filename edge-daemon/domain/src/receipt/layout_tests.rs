//! Whole receipts, as they come out of the printer.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;

use super::*;
use crate::cart::Discount;
use crate::command::Command;
use crate::decide::tests::shop::{Shop, config, product};
use crate::money::Currency;
use crate::receipt::{COLUMNS_58_MM, COLUMNS_80_MM, order_slip, render_text, test_page};
use crate::tax::{Rate, TaxClass};
use crate::tender::{Foreign, Tender};
use crate::time::{FixedZone, Millis};

/// Two tax rates, a weighed line at a discount, a line taken off, card and cash, cash rounding and change.
fn sale() -> Sale {
    let mut shop = Shop::with(|store| {
        store.tax_classes =
            vec![TaxClass::new("standard", Rate(19_000)), TaxClass::new("reduced", Rate(7_000))];
        store.cash_increment = 5;
    });
    let named = |sku: &str, name: &str, price, class| {
        let mut draft = product(sku, price, class);
        draft.name = Some(name.into());
        draft
    };
    shop.put(vec![
        named("bread", "Crème fraîche", 149, "reduced"),
        named("12345", "Bergkäse, 12 Monate gereift, am Stück", 1290, "reduced"),
        named("wine", "Grüner Veltliner", 799, "standard"),
    ]);
    shop.now.time = Millis(1_795_449_900_000);
    let mut ring =
        shop.ring().item("bread", "1").item("12345", "0.475").line_discount(Discount::Percent(Rate(10_000)));
    ring = ring.item("wine", "2").item("pen", "1");
    ring.0.cashier = Some("Jürgen".into());
    let open = shop.sell(ring);
    shop.run(Command::VoidLine { sale: open.id, line: open.line_id(4) });
    shop.pay(open.id, Method::Card, 1000);
    Sale::clone(&shop.pay(open.id, Method::Cash, 2000))
}

fn tender(method: Method, amount: i64) -> Tender {
    Tender {
        number: 1,
        method,
        amount: Money(amount),
        status: PaymentStatus::Approved,
        reference: None,
        foreign: None,
        at: Millis(0),
    }
}

fn text(sale: &Sale, columns: usize, marks: Marks) -> String {
    render_text(&layout(sale, &config(), &FixedZone(3600), marks), columns)
}

#[test]
fn eighty_millimetres() {
    let expected = "               Käse & Mehr
             Große Straße 12
               10115 Berlin

Receipt 01-000001              Till till-1
2026-11-23 17:05            Cashier Jürgen
------------------------------------------
Crème fraîche                         1.49
Bergkäse, 12 Monate gereift, am Stück 6.13
  0.475 × 12.90
  Discount                           -0.61
Grüner Veltliner                     15.98
  2 × 7.99
------------------------------------------
TOTAL EUR                            22.99
Cash rounding                         0.01
Card                                 10.00
Cash                                 20.00
Change                                7.00
------------------------------------------
Tax                Net          Tax amount
7.00 %            6.55                0.46
19.00 %          13.43                2.55
You saved                             0.61

               Vielen Dank!
   01900000-0000-7000-8000-000100000000
";
    assert_eq!(text(&sale(), COLUMNS_80_MM, Marks::default()), expected);
}

#[test]
fn fifty_eight_millimetres() {
    let expected = "          Käse & Mehr
        Große Straße 12
          10115 Berlin

Receipt 01-000001    Till till-1
2026-11-23 17:05  Cashier Jürgen
--------------------------------
Crème fraîche               1.49
Bergkäse, 12 Monate
gereift, am Stück           6.13
  0.475 × 12.90
  Discount                 -0.61
Grüner Veltliner           15.98
  2 × 7.99
--------------------------------
TOTAL EUR                  22.99
Cash rounding               0.01
Card                       10.00
Cash                       20.00
Change                      7.00
--------------------------------
Tax           Net     Tax amount
7.00 %       6.55           0.46
19.00 %     13.43           2.55
You saved                   0.61

          Vielen Dank!
       01900000-0000-7000
       -8000-000100000000
";
    assert_eq!(text(&sale(), COLUMNS_58_MM, Marks::default()), expected);
}

fn has(sale: &Sale, words: &str) -> bool {
    text(sale, COLUMNS_80_MM, Marks::default())
        .lines()
        .any(|line| line.split_whitespace().eq(words.split_whitespace()))
}

#[test]
fn what_must_not_be_overlooked_stands_out() {
    let mut sale = sale();
    assert!(text(&sale, 42, Marks { copy: true, kick: false }).contains("*** COPY ***"));
    assert!(!has(&sale, "*** COPY ***"));
    (sale.training, sale.status, sale.kind) = (true, Status::Voided, Kind::Return);
    for banner in ["*** TRAINING ***", "*** VOID ***", "*** RETURN ***"] {
        assert!(has(&sale, banner), "{banner}");
    }
}

#[test]
fn the_drawer_is_kicked_behind_the_cut_and_only_when_asked() {
    let page = |kick| layout(&sale(), &config(), &FixedZone(0), Marks { copy: false, kick });
    assert!(!page(false).kicks_drawer());
    assert!(page(true).blocks.ends_with(&[Block::Cut, Block::KickDrawer]));
}

#[test]
fn a_return_pays_out_and_promises_no_savings() {
    let mut back = sale();
    (back.kind, back.change, back.points) = (Kind::Return, Money::ZERO, 3);
    back.tenders = vec![tender(Method::Cash, 2300)];
    assert!(has(&back, "Cash paid out 23.00"));
    assert!(has(&back, "Points taken back 3"));
    assert!(!text(&back, 42, Marks::default()).contains("You saved"));
}

#[test]
fn what_a_tender_was_is_told_and_a_declined_one_is_not() {
    let mut sale = sale();
    let mut declined = tender(Method::Mobile, 2300);
    declined.status = PaymentStatus::Declined;
    let mut dollars = tender(Method::Cash, 2000);
    dollars.foreign = Some(Foreign {
        currency: Currency::parse("USD").unwrap(),
        amount: Money(2150),
        rate: "1.075".into(),
    });
    sale.tenders = vec![declined, dollars, tender(Method::Voucher, 500), tender(Method::Points, 100)];
    sale.points = 14;
    for row in ["Cash 20.00", "USD 21.50 at 1.075", "Voucher 5.00", "Points 1.00", "Points earned 14"] {
        assert!(has(&sale, row), "{row}");
    }
    assert!(!text(&sale, 42, Marks::default()).contains("Mobile"));
}

#[test]
fn tax_that_was_added_stands_before_the_total() {
    let mut sale = sale();
    for line in sale.lines.iter_mut() {
        line.mode = TaxMode::Exclusive;
    }
    let tax: Money = sale.live_lines().map(|line| line.tax).sum();
    assert!(has(&sale, &alloc::format!("Tax {}", Currency::EUR.format(tax))));
    assert!(!has(&self::sale(), &alloc::format!("Tax {}", Currency::EUR.format(tax))));
}

#[test]
fn an_offline_tills_number_and_an_open_sale_are_named() {
    let mut sale = sale();
    sale.provisional_number = Some("till-1-0007".into());
    sale.receipt = None;
    sale.cashier = Some(Arc::from("Zoë"));
    assert!(has(&sale, "Printed before as till-1-0007"));
    assert!(has(&sale, "Receipt not completed Till till-1"));
    assert!(has(&sale, "2026-11-23 17:05 Cashier Zoë"));
}

#[test]
fn an_order_slip_has_what_its_departments_prepare_and_no_price() {
    let sale = sale();
    let zone = FixedZone(60);
    let kitchen = "kitchen".into();
    let mut mixed = sale.clone();
    mixed.lines.iter_mut().take(1).for_each(|line| line.department = "kitchen".into());
    let slip = render_text(&order_slip(&mixed, &zone, &[kitchen], false).unwrap(), COLUMNS_58_MM);
    assert!(slip.contains("1 × Crème") && !slip.contains("Veltliner") && !slip.contains("1.49"), "{slip}");
    assert_eq!(order_slip(&sale, &zone, &["nothing of this".into()], false), None);
    let all = render_text(&order_slip(&sale, &zone, &[], true).unwrap(), COLUMNS_58_MM);
    assert!(all.contains("C O P Y") || all.contains("COPY"), "{all}");
    assert!(all.contains("Veltliner"), "{all}");
}

#[test]
fn a_test_page_names_its_printer() {
    let page = test_page(&config(), "kitchen", Millis(0), &FixedZone(0));
    let text = render_text(&page, COLUMNS_80_MM);
    assert!(text.contains("Printer kitchen") && text.contains('ł'), "{text}");
}
