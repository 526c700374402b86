//! The calculator against worked examples, and what must hold for every cart.

use super::*;
use alloc::vec;
use proptest::prelude::*;

fn line(unit_price: i64, rate: u32, mode: TaxMode) -> CartLine {
    CartLine {
        unit_price: Money(unit_price),
        quantity: Quantity::ONE,
        discount: None,
        rate: Rate(rate),
        mode,
    }
}

#[test]
fn exclusive_21_percent_per_line_and_per_receipt() {
    let lines: Vec<_> =
        [148, 148, 148, 148, 152, 154, 39].iter().map(|net| line(*net, 21_000, TaxMode::Exclusive)).collect();
    assert_eq!(price(&lines, None, TaxRounding::Line).tax, Money(196));
    let receipt = price(&lines, None, TaxRounding::Receipt);
    assert_eq!(receipt.tax, Money(197));
    assert_eq!(receipt.total, Money(937 + 197));
    assert_eq!(receipt.taxes, vec![TaxLine { rate: Rate(21_000), base: Money(937), amount: Money(197) }]);
}

#[test]
fn inclusive_20_percent_per_line_and_per_receipt() {
    let lines = [line(99, 20_000, TaxMode::Inclusive); 3];
    assert_eq!(price(&lines, None, TaxRounding::Line).tax, Money(48));
    let receipt = price(&lines, None, TaxRounding::Receipt);
    assert_eq!(receipt.tax, Money(49));
    assert_eq!(receipt.total, Money(297));
}

#[test]
fn a_receipt_discount_is_shared_over_the_lines() {
    let lines = [
        line(1000, 20_000, TaxMode::Inclusive),
        line(500, 5_000, TaxMode::Inclusive),
        line(1, 0, TaxMode::Inclusive),
    ];
    let priced = price(&lines, Some(Discount::Amount(Money(100))), TaxRounding::Line);
    assert_eq!(
        priced.lines.iter().map(|l| l.discount).collect::<Vec<_>>(),
        vec![Money(67), Money(33), Money(0)]
    );
    assert_eq!(priced.total, Money(1401));
    let half = price(&lines, Some(Discount::Percent(Rate(50_000))), TaxRounding::Line);
    assert_eq!(half.total, Money(750));
}

#[test]
fn a_discount_never_exceeds_what_there_is() {
    let mut cheap = line(100, 20_000, TaxMode::Exclusive);
    cheap.discount = Some(Discount::Amount(Money(500)));
    let priced = price(&[cheap], Some(Discount::Amount(Money(500))), TaxRounding::Line);
    assert_eq!((priced.total, priced.tax), (Money(0), Money(0)));
    assert_eq!(price(&[], Some(Discount::Amount(Money(5))), TaxRounding::Receipt), Priced::default());
}

fn discounts() -> impl Strategy<Value = Option<Discount>> {
    prop_oneof![
        Just(None),
        (0_i64..5_000).prop_map(|amount| Some(Discount::Amount(Money(amount)))),
        (0_u32..=100_000).prop_map(|rate| Some(Discount::Percent(Rate(rate)))),
    ]
}

fn carts() -> impl Strategy<Value = Vec<CartLine>> {
    let one = (
        0_i64..100_000,
        1_i64..20_000,
        discounts(),
        prop::sample::select(vec![0, 5_500, 8_875, 20_000, 21_000]),
        any::<bool>(),
    );
    prop::collection::vec(one, 0..30).prop_map(|lines| {
        lines
            .into_iter()
            .map(|(price, quantity, discount, rate, inclusive)| CartLine {
                unit_price: Money(price),
                quantity: Quantity(quantity),
                discount,
                rate: Rate(rate),
                mode: if inclusive { TaxMode::Inclusive } else { TaxMode::Exclusive },
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn lines_sum_to_the_total_and_taxes_to_the_tax(cart in carts(), discount in discounts(), per_receipt: bool) {
        let rounding = if per_receipt { TaxRounding::Receipt } else { TaxRounding::Line };
        let priced = price(&cart, discount, rounding);
        prop_assert_eq!(priced.lines.iter().map(|l| l.total).sum::<Money>(), priced.total);
        prop_assert_eq!(priced.lines.iter().map(|l| l.tax).sum::<Money>(), priced.tax);
        prop_assert_eq!(priced.taxes.iter().map(|t| t.amount).sum::<Money>(), priced.tax);
        prop_assert_eq!(priced.taxes.iter().map(|t| t.base).sum::<Money>(), priced.total - priced.tax);
        for line in &priced.lines {
            prop_assert!(line.discount >= Money::ZERO && line.discount <= line.gross);
            prop_assert!(line.tax >= Money::ZERO && line.tax <= line.total);
        }
    }

    #[test]
    fn receipt_rounding_is_within_half_a_cent_of_the_exact_tax(cart in carts()) {
        let exclusive: Vec<_> = cart.into_iter().map(|l| CartLine { rate: Rate(21_000), mode: TaxMode::Exclusive, ..l }).collect();
        let priced = price(&exclusive, None, TaxRounding::Receipt);
        let net = i128::from((priced.total - priced.tax).0);
        prop_assert!((i128::from(priced.tax.0) * 100_000 - net * 21_000).abs() <= 50_000);
    }
}
