//! A document of the collection `products`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What head office says of a product. A field that is absent is left as the store has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProductDocument {
    /// Which.
    pub sku: String,
    /// When head office wrote it: milliseconds since 1970.
    pub at: i64,
    /// When it wrote single fields, by their names here, where that was not then.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub field_at: BTreeMap<String, i64>,
    /// Name on receipts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Price, minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<i64>,
    /// The price after it. A document with a price and without this one says that none is to come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_price: Option<NextPrice>,
    /// A row of the store's tax table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_class: Option<String>,
    /// Department.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// Barcode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub barcode: Option<String>,
    /// Description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Sold by weight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_weight: Option<bool>,
    /// Warning level, thousandths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low_stock_at: Option<i64>,
}

/// A price that is to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NextPrice {
    /// Minor units.
    pub price: i64,
    /// In force from then on: milliseconds since 1970.
    pub valid_from: i64,
}
