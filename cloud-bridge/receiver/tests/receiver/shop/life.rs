//! A shop's life, by chance: what the domain refuses is not done.

use pos_domain::cart::Discount;
use pos_domain::command::{Change, Command, RefundLine, SaleDraft};
use pos_domain::money::Money;
use pos_domain::quantity::Quantity;
use pos_domain::sale::{Kind, Sale};
use pos_domain::tender::Method;
use uuid::Uuid;

use super::{PRODUCTS, Shop, customer, product, sealed, tender};
use crate::dice::Dice;

impl Shop {
    /// So many things happen, or are refused.
    pub(crate) fn live(&mut self, dice: &mut Dice, things: usize) {
        for _ in 0..things {
            self.now += i64::try_from(dice.below(90_000)).unwrap() * i64::from(!dice.one_in(5));
            if let Some(command) = self.chance(dice) {
                // A refusal is as good: nothing happened.
                let _ = self.ask(command);
            }
        }
    }

    fn chance(&mut self, dice: &mut Dice) -> Option<Command> {
        let change =
            |sale, change| Command::ChangeSale { sale, change, reason: Some(sealed("why")), terminal: None };
        Some(match dice.below(20) {
            0..=6 => Command::Sell(self.basket(dice, true)),
            7 | 8 => Command::Sell(self.basket(dice, false)),
            9 => Command::AddLines { sale: self.open(dice)?, lines: self.basket(dice, false).lines },
            10 => {
                let sale = self.open(dice)?;
                let line = self.sales[&sale].line_id(1 + u16::try_from(dice.below(4)).unwrap());
                Command::VoidLine { sale, line }
            }
            11 => Command::Pay { sale: self.open(dice)?, tender: tender(Method::Card, 100) },
            12 => Command::Pay { sale: self.open(dice)?, tender: tender(Method::Cash, 500_000) },
            13 => {
                let what = [Change::Suspend, Change::Resume, Change::Resume, Change::Cancel];
                change(self.open(dice)?, dice.pick(&what)?.clone())
            }
            14 => change(self.any(dice)?, Change::Void),
            15 | 16 => {
                let sale = self.any(dice)?;
                let lines = part_of(&self.sales[&sale], dice);
                change(sale, Change::Refund { id: self.id(), lines, tenders: vec![] })
            }
            17 => Command::AdjustStock {
                id: self.id(),
                product: dice.pick(&PRODUCTS)?.0.into(),
                change: Quantity(i64::try_from(dice.below(40)).unwrap() * 500 - 5_000),
                reason: "stocktake".into(),
                user: Some("anna".into()),
                note: dice.one_in(2).then(|| sealed("note")),
            },
            18 => {
                let sku = if dice.one_in(3) {
                    format!("new-{}", self.id())
                } else {
                    dice.pick(&PRODUCTS)?.0.into()
                };
                let price = 50 + i64::try_from(dice.below(1000)).unwrap();
                Command::PutProducts { products: vec![product(&sku, price)], if_version: None }
            }
            _ => return self.person(dice),
        })
    }

    fn person(&mut self, dice: &mut Dice) -> Option<Command> {
        Some(match dice.below(4) {
            0 | 1 => {
                let id = self.id();
                self.customers.push(id);
                Command::PutCustomer(customer(id, true))
            }
            2 => Command::PutCustomer(customer(*dice.pick(&self.customers)?, false)),
            _ => Command::EraseCustomer(*dice.pick(&self.customers)?),
        })
    }

    fn basket(&mut self, dice: &mut Dice, paid: bool) -> SaleDraft {
        let lines: Vec<(&str, i64)> = (0..=dice.below(4))
            .map(|_| {
                (PRODUCTS[dice.below(PRODUCTS.len())].0, 500 * (1 + i64::try_from(dice.below(6)).unwrap()))
            })
            .collect();
        let mut draft = self.draft(&lines);
        draft.training = dice.one_in(8);
        draft.customer = dice.pick(&self.customers).copied().filter(|_| !dice.clone().one_in(3));
        if dice.one_in(4) {
            draft.discount = Some(Discount::Amount(Money(30)));
        }
        if dice.one_in(12) {
            draft.kind = Kind::Return;
        }
        if draft.customer.is_some() && dice.one_in(3) {
            draft.tenders.push(tender(Method::Points, 5 * i64::try_from(dice.below(6)).unwrap()));
        }
        if paid {
            draft.tenders.push(tender(Method::Cash, 500_000));
        }
        draft
    }

    fn open(&self, dice: &mut Dice) -> Option<Uuid> {
        let open: Vec<Uuid> = self.state.open_sales.keys().copied().collect();
        dice.pick(&open).copied()
    }

    fn any(&self, dice: &mut Dice) -> Option<Uuid> {
        let all: Vec<Uuid> = self.sales.keys().copied().collect();
        dice.pick(&all).copied()
    }
}

fn part_of(sale: &Sale, dice: &mut Dice) -> Vec<RefundLine> {
    if dice.one_in(3) {
        return vec![];
    }
    let part = |number| RefundLine { line: sale.line_id(number), quantity: Quantity(500) };
    vec![part(1 + u16::try_from(dice.below(2)).unwrap())]
}
