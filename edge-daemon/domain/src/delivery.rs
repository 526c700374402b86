//! What head office says of products: documents of a versioned collection, and how they meet what was changed in the store.
//!
//! Each field of a product bears a [`Stamp`]: when it was written, and by whom. Of two writes the later stands, on a tie head office's;
//! where one of them was made in the store and the values differ, the one that is given up is named ([`Loss`]).

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::catalog::{Product, ProductId};
use crate::command::ProductDraft;
use crate::money::Money;
use crate::time::Millis;

pub use field::{Field, Stamp, Stamps};

mod field;

/// The collection's name.
pub const PRODUCTS: &str = "products";
/// Longer texts are cut where they are only named.
const MAX_NAMED: usize = 200;

/// What head office says of a product. What is absent stays as the store has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    /// Its fields.
    pub product: ProductDraft,
    /// When they were written; what is said to be from the future is from now.
    pub at: Millis,
    /// When single ones were, where that was not then.
    pub field_at: Vec<(Field, Millis)>,
    /// The price after it, and from when on. A document with a price and without this one says that none is to come.
    pub next_price: Option<(Money, Millis)>,
}

/// Documents that bring the collection to a version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProductDelivery {
    /// To which.
    pub version: u64,
    /// From which; `None`: all that head office has.
    pub base: Option<u64>,
    /// They.
    pub documents: Vec<Document>,
    /// Those that could not be read.
    pub refused: Vec<RefusedDocument>,
}

/// A price that is to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComingPrice {
    /// It.
    pub price: Money,
    /// From when on.
    pub from: Millis,
    /// When head office said so.
    pub at: Millis,
}

/// What becomes of a product's price to come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Coming {
    /// Nothing.
    #[default]
    Left,
    /// There is none any more.
    Gone,
    /// It is this one.
    Price(ComingPrice),
}

impl Coming {
    fn is_left(&self) -> bool {
        *self == Self::Left
    }
}

/// What head office's word did to a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// Which.
    pub id: ProductId,
    /// As it is now, if it changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<Arc<Product>>,
    /// The fields that are head office's now, and since when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stamps: Vec<(Field, Millis)>,
    /// The price to come.
    #[serde(default, skip_serializing_if = "Coming::is_left")]
    pub coming: Coming,
}

/// A value that was given up for another: one of them was made in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Loss {
    /// Of which product.
    pub sku: Arc<str>,
    /// Which field.
    pub field: Field,
    /// What stands: text as it is, amounts in minor units.
    pub kept: String,
    /// What does not.
    pub given_up: String,
    /// Whether the store's was given up, or head office's.
    pub stores: bool,
}

/// A document that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefusedDocument {
    /// Of which product, as far as that could be read.
    pub sku: String,
    /// Why.
    pub why: String,
}

/// Products as head office has them: part of a delivery, all of which are in one group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivered {
    /// The collection's version, after the last part.
    pub version: u64,
    /// The one before; `None`: a snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<u64>,
    /// What was written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub products: Vec<Written>,
    /// What was given up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub losses: Vec<Loss>,
    /// What was not taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<RefusedDocument>,
    /// Products that a snapshot does not know: they stay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub local_only: Vec<Arc<str>>,
    /// Whether this is the last part.
    pub last: bool,
}

/// Prices whose time has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PricesInForce {
    /// What was written.
    pub products: Vec<Written>,
    /// What was given up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub losses: Vec<Loss>,
}

/// Prices that are to come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComingPrices {
    by_product: BTreeMap<ProductId, ComingPrice>,
    by_time: BTreeSet<(Millis, ProductId)>,
}

impl ComingPrices {
    /// A product's.
    #[must_use]
    pub fn of(&self, product: ProductId) -> Option<ComingPrice> {
        self.by_product.get(&product).copied()
    }

    /// Those whose time has come, the earliest first.
    pub fn due(&self, now: Millis) -> impl Iterator<Item = (ProductId, ComingPrice)> {
        let due = self.by_time.iter().take_while(move |(from, _)| *from <= now);
        due.filter_map(|(_, id)| self.of(*id).map(|coming| (*id, coming)))
    }

    pub(crate) fn put(&mut self, product: ProductId, coming: Coming) {
        if coming.is_left() {
            return;
        }
        if let Some(old) = self.by_product.remove(&product) {
            self.by_time.remove(&(old.from, product));
        }
        if let Coming::Price(new) = coming {
            self.by_product.insert(product, new);
            self.by_time.insert((new.from, product));
        }
    }
}

impl Loss {
    pub(crate) fn new(sku: &Arc<str>, field: Field, kept: &str, given_up: &str, stores: bool) -> Self {
        Self { sku: sku.clone(), field, kept: short(kept), given_up: short(given_up), stores }
    }
}

impl RefusedDocument {
    /// Of what may be any text.
    #[must_use]
    pub fn new(sku: &str, why: &str) -> Self {
        Self { sku: short(sku), why: short(why) }
    }
}

fn short(text: &str) -> String {
    text.chars().take(MAX_NAMED).collect()
}
