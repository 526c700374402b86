//! What was acknowledged, kept outside of the box: nothing in it may be lost, doubled or changed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use uuid::Uuid;

use crate::client::{Client, Reply};
use crate::dice::Dice;
use crate::selling::{Notes, answer};

/// Acknowledged sales are repeated at random, so many at a comparison.
const REPEATED: u64 = 40;

/// An acknowledged sale.
#[derive(Debug, Clone)]
pub struct Sold {
    /// The request as it was sent, if it can be sent again.
    pub request: Option<Vec<u8>>,
    /// What acknowledged it.
    pub reply: Reply,
}

/// All sales of a box.
#[derive(Debug, Default)]
pub struct Ledger {
    sold: BTreeMap<Uuid, Sold>,
    no_room: BTreeSet<Uuid>,
}

impl Ledger {
    /// How many sales are in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sold.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sold.is_empty()
    }

    /// Takes notes over. What was not answered is sent again with the same key, twice: both answers must be the same.
    ///
    /// # Panics
    /// If a repeated request is not answered, or by another sale.
    pub fn take(&mut self, client: &Client, notes: Notes) {
        for (id, request, reply) in notes.acknowledged {
            self.enter(id, Some(request), reply);
        }
        for (id, request) in notes.unanswered {
            let reply = answer(client, &request).expect("a repeated request is answered");
            assert_eq!(reply.status, 201, "{}", reply.text());
            let again = answer(client, &request).expect("a repeated request is answered");
            assert_eq!(again.essence(), reply.essence());
            self.enter(id, Some(request), reply);
        }
        self.no_room.extend(notes.no_room);
    }

    /// Takes over a sale that was rung up in several steps, as it was read last.
    ///
    /// # Panics
    /// If it is in the ledger already, or the reply is about another one.
    pub fn beside(&mut self, id: Uuid, read: Reply) {
        self.enter(id, None, read);
    }

    fn enter(&mut self, id: Uuid, request: Option<Vec<u8>>, reply: Reply) {
        assert_eq!(reply.json()["id"], id.to_string());
        let before = self.sold.insert(id, Sold { request, reply });
        assert!(before.is_none(), "{id} was acknowledged twice as new");
    }

    /// Compares the box with it: nothing lost, nothing doubled, nothing changed, nothing beside; receipt numbers
    /// consecutive; the report's sums; some requests sent again give their first answers.
    ///
    /// # Panics
    /// If anything differs.
    pub fn compare(&self, client: &Client, dice: &mut Dice) {
        let listed = client.list("/api/v1/transactions", 500);
        let mut in_box: BTreeMap<Uuid, &Value> = BTreeMap::new();
        for sale in &listed {
            let id = sale["id"].as_str().and_then(|id| id.parse().ok()).expect("a sale has an id");
            assert!(in_box.insert(id, sale).is_none(), "{id} is in the box twice");
        }
        for (id, sold) in &self.sold {
            let sale = in_box.get(id).unwrap_or_else(|| panic!("{id} was acknowledged and is lost"));
            assert_eq!(**sale, sold.reply.json(), "{id} was changed");
        }
        for id in in_box.keys() {
            assert!(!self.no_room.contains(id), "{id} was refused and is in the box all the same");
            assert!(self.sold.contains_key(id), "nobody was told of {id}");
        }
        consecutive(&listed);
        self.compare_report(client, &listed);
        let all: Vec<&Sold> = self.sold.values().collect();
        for _ in 0..REPEATED.min(all.len() as u64) {
            let sold = dice.pick(&all);
            let Some(request) = &sold.request else { continue };
            let again = answer(client, request).expect("a repeated request is answered");
            assert_eq!(again.essence(), sold.reply.essence());
        }
    }

    fn compare_report(&self, client: &Client, listed: &[Value]) {
        let dates: BTreeSet<&str> = listed.iter().filter_map(|sale| sale["businessDate"].as_str()).collect();
        let (Some(from), Some(to)) = (dates.first(), dates.last()) else { return };
        let report = client.when_ready(&format!("/api/v1/reports/sales/daily?from={from}&to={to}"));
        let total: i64 =
            self.sold.values().filter_map(|sold| sold.reply.json()["totalAmount"].as_i64()).sum();
        assert_eq!(report["transactionCount"], self.sold.len(), "{report}");
        assert_eq!(report["netAmount"], total, "{report}");
    }
}

/// Receipt numbers `SS-NNNNNN` of one series are 1, 2, 3, …
fn consecutive(listed: &[Value]) {
    let number = |sale: &Value| {
        let (series, number) = sale["receiptNumber"].as_str()?.split_once('-')?;
        Some((series.to_owned(), number.parse::<usize>().ok()?))
    };
    let numbers: Option<BTreeSet<(String, usize)>> = listed.iter().map(number).collect();
    let numbers = numbers.expect("each completed sale has a receipt number");
    assert_eq!(numbers.len(), listed.len(), "a receipt number was given twice");
    for (expected, (series, number)) in (1..).zip(&numbers) {
        assert_eq!((series.as_str(), *number), ("01", expected), "receipt numbers have a gap");
    }
}
