//! Tenders: how a sale is paid, what is still due, what goes back.
//!
//! Only cash is rounded and only cash gives change. The cash part is what the other tenders leave; it is rounded to
//! the store's cash increment, and the difference stands on its own line.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::money::{Currency, Money};
use crate::time::Millis;

/// A means of payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Method {
    /// Notes and coins.
    Cash,
    /// A card, on a terminal or by manual reference.
    Card,
    /// A telephone.
    Mobile,
    /// A voucher.
    Voucher,
    /// Loyalty points of the sale's customer.
    Points,
}

impl Method {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 5] = [Self::Cash, Self::Card, Self::Mobile, Self::Voucher, Self::Points];

    /// The name that the API uses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cash => "cash",
            Self::Card => "card",
            Self::Mobile => "mobile",
            Self::Voucher => "voucher",
            Self::Points => "points",
        }
    }
}

/// What is known about a tender's money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PaymentStatus {
    /// Asked for, no answer yet.
    Pending,
    /// The money is there.
    Approved,
    /// Refused; counts for nothing.
    Declined,
    /// Nobody knows: ask the gateway, or let a person decide.
    Unknown,
    /// It was there and went back.
    Reversed,
}

/// A tender given in another currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Foreign {
    /// Which.
    pub currency: Currency,
    /// How much of it, in its minor units.
    pub amount: Money,
    /// The rate used, as it was displayed.
    pub rate: String,
}

/// A payment's part of a sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tender {
    /// Counts from 1 within the sale.
    pub number: u16,
    /// How.
    pub method: Method,
    /// As tendered, in the store's currency; change is not taken off.
    pub amount: Money,
    /// What is known of it.
    pub status: PaymentStatus,
    /// The gateway's or the slip's reference. Never a card number.
    pub reference: Option<String>,
    /// If given in another currency.
    pub foreign: Option<Foreign>,
    /// When.
    pub at: Millis,
}

/// How a sale's tenders stand against its total.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settlement {
    /// Still to be paid, as cash where there is cash already; zero once settled.
    pub due: Money,
    /// Cash rounding: what the customer pays more (or, negative, less) than the total.
    pub rounding: Money,
    /// Cash that goes back.
    pub change: Money,
    /// Whether the sale is paid.
    pub settled: bool,
    /// Tenders other than cash exceed the total by this much: not allowed.
    pub excess: Money,
}

/// Settles `total` with `(method, amount)` pairs, cash rounded to `increment`.
#[must_use]
pub fn settle(total: Money, tenders: impl Iterator<Item = (Method, Money)>, increment: i64) -> Settlement {
    let (mut cash, mut other, mut any, mut any_cash) = (Money::ZERO, Money::ZERO, false, false);
    for (method, amount) in tenders {
        any = true;
        if method == Method::Cash {
            any_cash = true;
            cash += amount;
        } else {
            other += amount;
        }
    }
    let rest = total - other;
    if rest < Money::ZERO {
        return Settlement { excess: -rest, ..Settlement::default() };
    }
    if rest == Money::ZERO {
        return Settlement { change: cash, settled: any, ..Settlement::default() };
    }
    let rounded = rest.round_to(increment);
    if any_cash && cash >= rounded {
        return Settlement {
            rounding: rounded - rest,
            change: cash - rounded,
            settled: true,
            ..Settlement::default()
        };
    }
    // With cash on the counter, what is missing is missing in cash, as it is rounded.
    Settlement { due: if any_cash { rounded - cash } else { rest }, ..Settlement::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn settled(total: i64, tenders: &[(Method, i64)], increment: i64) -> Settlement {
        settle(Money(total), tenders.iter().map(|(method, amount)| (*method, Money(*amount))), increment)
    }

    #[test]
    fn cash_gives_change() {
        let paid = settled(1234, &[(Method::Cash, 2000)], 1);
        assert_eq!((paid.settled, paid.change, paid.rounding), (true, Money(766), Money(0)));
    }

    #[test]
    fn only_the_cash_part_is_rounded() {
        let paid = settled(1234, &[(Method::Card, 1000), (Method::Cash, 500)], 5);
        assert_eq!((paid.rounding, paid.change), (Money(1), Money(265)));
        let card = settled(1234, &[(Method::Card, 1234)], 5);
        assert_eq!((card.rounding, card.settled), (Money(0), true));
        // Two cents left round to nothing: an empty cash tender settles them.
        assert_eq!(settled(1002, &[(Method::Card, 1000), (Method::Cash, 0)], 5).rounding, Money(-2));
    }

    #[test]
    fn too_little_leaves_a_rest_and_other_money_gives_no_change() {
        assert_eq!(settled(1234, &[(Method::Cash, 1000)], 5).due, Money(235));
        assert_eq!(settled(118, &[(Method::Cash, 119)], 5).due, Money(1));
        assert_eq!(settled(1234, &[(Method::Card, 1000)], 5).due, Money(234));
        assert_eq!(settled(1234, &[(Method::Voucher, 2000)], 5).excess, Money(766));
        assert_eq!(settled(1234, &[], 5).due, Money(1234));
        assert!(!settled(0, &[], 1).settled, "an empty sale is not paid by itself");
    }

    proptest! {
        #[test]
        fn tendered_minus_change_is_total_plus_rounding(
            total in 0_i64..1_000_000, cash in 0_i64..2_000_000, card in 0_i64..1_000_000, increment in prop::sample::select(alloc::vec![1_i64, 5, 10, 100]),
        ) {
            let paid = settled(total, &[(Method::Card, card), (Method::Cash, cash)], increment);
            if paid.settled {
                prop_assert_eq!(Money(cash + card) - paid.change, Money(total) + paid.rounding);
                prop_assert!(paid.rounding.0.abs() * 2 <= increment);
                prop_assert!(paid.change >= Money::ZERO);
            } else if paid.excess == Money::ZERO {
                // There is cash, if only none of it.
                prop_assert!(paid.due > Money::ZERO && (paid.due - Money(total - cash - card)).0.abs() * 2 <= increment);
                let rest = [(Method::Card, card), (Method::Cash, cash), (Method::Cash, paid.due.0)];
                prop_assert!(settled(total, &rest, increment).settled, "paying what is due pays");
            }
        }
    }
}
