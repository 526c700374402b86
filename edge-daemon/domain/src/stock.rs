//! Stock levels.

use alloc::collections::BTreeMap;

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use crate::catalog::ProductId;
use crate::quantity::Quantity;

/// How much there is of each product. Stored in the order of their numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "BTreeMap<ProductId, Quantity>", into = "BTreeMap<ProductId, Quantity>")]
pub struct Levels(HashMap<ProductId, Quantity>);

impl Levels {
    /// Of a product; one that never moved has none.
    #[must_use]
    pub fn of(&self, product: ProductId) -> Quantity {
        self.0.get(&product).copied().unwrap_or_default()
    }

    /// Moves a product's stock by `change`.
    pub(crate) fn add(&mut self, product: ProductId, change: Quantity) {
        *self.0.entry(product).or_default() += change;
    }
}

impl From<BTreeMap<ProductId, Quantity>> for Levels {
    fn from(levels: BTreeMap<ProductId, Quantity>) -> Self {
        Self(levels.into_iter().collect())
    }
}

impl From<Levels> for BTreeMap<ProductId, Quantity> {
    fn from(levels: Levels) -> Self {
        levels.0.into_iter().collect()
    }
}
