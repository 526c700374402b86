//! The fields of a product, each with a stamp: when it was written, and by whom.

use alloc::string::{String, ToString};

use serde::{Deserialize, Serialize};

use crate::catalog::Product;
use crate::command::ProductDraft;
use crate::time::Millis;

/// A field of a product, which is changed by itself. Stored by position: append only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Field {
    /// Name on receipts.
    Name,
    /// Price.
    Price,
    /// A row of the tax table.
    TaxClass,
    /// Department.
    Department,
    /// Barcode.
    Barcode,
    /// Description.
    Description,
    /// Sold by weight.
    ByWeight,
    /// Warning level.
    LowStockAt,
}

/// When a field was written, and by whom.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stamp {
    /// Zero: nobody wrote it.
    pub at: Millis,
    /// Or in the store.
    pub by_head_office: bool,
}

/// The stamps of a product's fields.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamps {
    at: [Millis; Field::ALL.len()],
    /// A bit for each field.
    by_head_office: u8,
}

impl Field {
    /// All.
    pub const ALL: [Self; 8] = [
        Self::Name,
        Self::Price,
        Self::TaxClass,
        Self::Department,
        Self::Barcode,
        Self::Description,
        Self::ByWeight,
        Self::LowStockAt,
    ];

    /// Its name, as documents have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Price => "price",
            Self::TaxClass => "taxClass",
            Self::Department => "department",
            Self::Barcode => "barcode",
            Self::Description => "description",
            Self::ByWeight => "byWeight",
            Self::LowStockAt => "lowStockAt",
        }
    }

    /// What a product has there, as text; amounts in minor units, nothing as an empty one.
    #[must_use]
    pub fn of(self, product: &Product) -> String {
        match self {
            Self::Name => String::from(&*product.name),
            Self::Price => product.price.0.to_string(),
            Self::TaxClass => String::from(&*product.tax_class),
            Self::Department => String::from(&*product.department),
            Self::Barcode => product.barcode.as_deref().map(String::from).unwrap_or_default(),
            Self::Description => product.description.clone().unwrap_or_default(),
            Self::ByWeight => product.by_weight.to_string(),
            Self::LowStockAt => product.low_stock_at.map(|level| level.to_string()).unwrap_or_default(),
        }
    }

    /// What a draft wants there.
    pub(crate) fn wished(self, draft: &ProductDraft) -> Option<String> {
        match self {
            Self::Name => draft.name.clone(),
            Self::Price => draft.price.map(|price| price.0.to_string()),
            Self::TaxClass => draft.tax_class.clone(),
            Self::Department => draft.department.clone(),
            Self::Barcode => draft.barcode.clone(),
            Self::Description => draft.description.clone(),
            Self::ByWeight => draft.by_weight.map(|by_weight| by_weight.to_string()),
            Self::LowStockAt => draft.low_stock_at.map(|level| level.to_string()),
        }
    }

    /// Has a draft want nothing there.
    pub(crate) fn leave(self, draft: &mut ProductDraft) {
        match self {
            Self::Name => draft.name = None,
            Self::Price => draft.price = None,
            Self::TaxClass => draft.tax_class = None,
            Self::Department => draft.department = None,
            Self::Barcode => draft.barcode = None,
            Self::Description => draft.description = None,
            Self::ByWeight => draft.by_weight = None,
            Self::LowStockAt => draft.low_stock_at = None,
        }
    }

    /// Whether a new product says something there.
    fn is_said(self, product: &Product) -> bool {
        match self {
            Self::Name | Self::Price | Self::TaxClass => true,
            Self::Department => !product.department.is_empty(),
            Self::Barcode => product.barcode.is_some(),
            Self::Description => product.description.is_some(),
            Self::ByWeight => product.by_weight,
            Self::LowStockAt => product.low_stock_at.is_some(),
        }
    }

    fn is_same(self, one: &Product, other: &Product) -> bool {
        match self {
            Self::Name => one.name == other.name,
            Self::Price => one.price == other.price,
            Self::TaxClass => one.tax_class == other.tax_class,
            Self::Department => one.department == other.department,
            Self::Barcode => one.barcode == other.barcode,
            Self::Description => one.description == other.description,
            Self::ByWeight => one.by_weight == other.by_weight,
            Self::LowStockAt => one.low_stock_at == other.low_stock_at,
        }
    }
}

impl Stamp {
    /// Whether the store wrote it.
    #[must_use]
    pub fn is_the_stores(self) -> bool {
        self.at > Millis::default() && !self.by_head_office
    }
}

impl Stamps {
    /// A field's.
    #[must_use]
    pub fn of(&self, field: Field) -> Stamp {
        let at = self.at.get(field as usize).copied().unwrap_or_default();
        Stamp { at, by_head_office: self.by_head_office & field.bit() != 0 }
    }

    pub(crate) fn put(&mut self, field: Field, stamp: Stamp) {
        if let Some(at) = self.at.get_mut(field as usize) {
            *at = stamp.at;
        }
        if stamp.by_head_office {
            self.by_head_office |= field.bit();
        } else {
            self.by_head_office &= !field.bit();
        }
    }

    /// After an edit in the store.
    pub(crate) fn edited(&mut self, old: Option<&Product>, new: &Product, at: Millis) {
        for field in Field::ALL {
            if old.map_or_else(|| field.is_said(new), |old| !field.is_same(old, new)) {
                self.put(field, Stamp { at, by_head_office: false });
            }
        }
    }
}

impl Field {
    fn bit(self) -> u8 {
        1 << self as u8
    }
}
