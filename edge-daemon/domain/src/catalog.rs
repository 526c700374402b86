//! The catalogue: products, found by number, SKU or barcode.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use crate::barcode::{Barcode, EmbeddedRules, Gtin};
use crate::money::Money;
use crate::quantity::Quantity;

/// A product's number within the store, given at its first appearance and never again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProductId(pub u32);

impl fmt::Display for ProductId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What is sold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// Its number.
    pub id: ProductId,
    /// The store's own name for it, unique; by default the barcode.
    pub sku: Arc<str>,
    /// As printed on receipts.
    pub name: Arc<str>,
    /// Price per unit or per kilogram, as on the shelf.
    pub price: Money,
    /// A row of the store's tax table.
    pub tax_class: Arc<str>,
    /// Department (and category) for reports.
    pub department: Arc<str>,
    /// The item's GTIN, if its barcode is one.
    pub gtin: Option<Gtin>,
    /// The barcode as it was given.
    pub barcode: Option<Arc<str>>,
    /// Free description.
    pub description: Option<String>,
    /// Sold by weight: the quantity is in kilograms.
    pub by_weight: bool,
    /// Stock at or below this raises the low-stock event.
    pub low_stock_at: Option<Quantity>,
    /// Counts changes, from 1: the ETag of edits.
    pub version: u32,
}

/// All products. Four ways to one `Arc`; only the products themselves are compared and stored.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Arc<Product>>", into = "Vec<Arc<Product>>")]
pub struct Catalog {
    /// Ascending by number.
    products: Vec<Arc<Product>>,
    by_sku: HashMap<Arc<str>, Arc<Product>>,
    by_gtin: HashMap<Gtin, Arc<Product>>,
    by_code: HashMap<Arc<str>, Arc<Product>>,
}

impl From<Vec<Arc<Product>>> for Catalog {
    fn from(products: Vec<Arc<Product>>) -> Self {
        let mut catalog = Self::default();
        products.into_iter().for_each(|product| catalog.put(product));
        catalog
    }
}

impl From<Catalog> for Vec<Arc<Product>> {
    fn from(catalog: Catalog) -> Self {
        catalog.products
    }
}

impl PartialEq for Catalog {
    fn eq(&self, other: &Self) -> bool {
        self.products == other.products
    }
}

impl Eq for Catalog {}

impl Catalog {
    /// A product by its number.
    #[must_use]
    pub fn get(&self, id: ProductId) -> Option<&Arc<Product>> {
        self.slot(id).ok().and_then(|slot| self.products.get(slot))
    }

    /// Where a product is, or would be put in.
    fn slot(&self, id: ProductId) -> Result<usize, usize> {
        // Numbers are given without gaps: nearly always it is where its number says.
        let guess = usize::try_from(id.0).unwrap_or(usize::MAX).saturating_sub(1);
        if self.products.get(guess).is_some_and(|product| product.id == id) {
            return Ok(guess);
        }
        self.products.binary_search_by_key(&id, |product| product.id)
    }

    /// A product by its SKU.
    #[must_use]
    pub fn by_sku(&self, sku: &str) -> Option<&Arc<Product>> {
        self.by_sku.get(sku)
    }

    /// A product by its GTIN.
    #[must_use]
    pub fn by_gtin(&self, gtin: Gtin) -> Option<&Arc<Product>> {
        self.by_gtin.get(&gtin)
    }

    /// A product by a barcode that is no GTIN, exactly as it stands in the catalogue.
    #[must_use]
    pub fn by_code(&self, code: &str) -> Option<&Arc<Product>> {
        self.by_code.get(code)
    }

    /// By SKU, else by barcode in any of its spellings.
    #[must_use]
    pub fn find(&self, sku_or_barcode: &str, rules: &EmbeddedRules) -> Option<&Arc<Product>> {
        let by_barcode =
            || Barcode::parse(sku_or_barcode, rules).ok().and_then(|code| self.by_barcode(&code));
        self.by_sku(sku_or_barcode).or_else(|| self.by_code(sku_or_barcode)).or_else(by_barcode)
    }

    /// The product that a scan names. The item number inside a price- or weight-carrying code is looked up as such
    /// and as a SKU.
    #[must_use]
    pub fn by_barcode(&self, barcode: &Barcode) -> Option<&Arc<Product>> {
        let by_gtin = barcode.gtin().and_then(|gtin| self.by_gtin(gtin));
        by_gtin.or_else(|| match barcode {
            Barcode::Embedded(embedded) => {
                let item = alloc::format!("{}", embedded.item);
                self.by_sku(&item).or_else(|| self.by_code(&item))
            }
            Barcode::Text(code) => self.by_sku(code).or_else(|| self.by_code(code)),
            Barcode::Item(_) | Barcode::Elements(_) => None,
        })
    }

    /// The number that the next new product gets.
    #[must_use]
    pub fn next_id(&self) -> ProductId {
        ProductId(self.products.last().map_or(1, |last| last.id.0.saturating_add(1)))
    }

    /// Puts a product in, in place of the one with its number.
    pub(crate) fn put(&mut self, product: Arc<Product>) {
        let slot = self.slot(product.id);
        if let Some(old) = slot.ok().and_then(|slot| self.products.get(slot)) {
            self.by_sku.remove(&old.sku);
            if let Some(gtin) = old.gtin {
                self.by_gtin.remove(&gtin);
            }
            if let Some(code) = old.barcode.as_ref().filter(|_| old.gtin.is_none()) {
                self.by_code.remove(code);
            }
        }
        self.by_sku.insert(product.sku.clone(), product.clone());
        if let Some(gtin) = product.gtin {
            self.by_gtin.insert(gtin, product.clone());
        }
        if let Some(code) = product.barcode.as_ref().filter(|_| product.gtin.is_none()) {
            self.by_code.insert(code.clone(), product.clone());
        }
        match slot {
            Ok(slot) => {
                if let Some(old) = self.products.get_mut(slot) {
                    *old = product;
                }
            }
            Err(slot) => self.products.insert(slot, product),
        }
    }

    /// All products, by number.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<Product>> {
        self.products.iter()
    }

    /// Products with a number above `after`, ascending.
    pub fn iter_after(&self, after: ProductId) -> impl Iterator<Item = &Arc<Product>> {
        let from = self.products.partition_point(|product| product.id <= after);
        self.products.iter().skip(from)
    }

    /// How many products there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.products.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.products.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(id: u32, sku: &str, barcode: Option<&str>) -> Arc<Product> {
        Arc::new(Product {
            id: ProductId(id),
            sku: sku.into(),
            name: sku.into(),
            price: Money(100),
            tax_class: "standard".into(),
            department: "".into(),
            gtin: barcode.and_then(|code| Gtin::parse(code).ok()),
            barcode: barcode.map(Arc::from),
            description: None,
            by_weight: false,
            low_stock_at: None,
            version: 1,
        })
    }

    fn found(catalog: &Catalog, code: &str) -> Option<u32> {
        catalog.find(code, &EmbeddedRules::default()).map(|product| product.id.0)
    }

    #[test]
    fn a_product_is_found_by_sku_and_by_every_spelling_of_its_barcode() {
        let mut catalog = Catalog::default();
        catalog.put(product(1, "milk", Some("4006381333931")));
        catalog.put(product(2, "flower", Some("PLU-7")));
        for code in
            ["milk", "4006381333931", "04006381333931", "]E04006381333931", "(01)04006381333931(10)LOT"]
        {
            assert_eq!(found(&catalog, code), Some(1), "{code}");
        }
        assert_eq!(
            (found(&catalog, "PLU-7"), found(&catalog, "plu-7"), found(&catalog, "")),
            (Some(2), None, None)
        );
    }

    #[test]
    fn a_changed_product_is_no_longer_found_by_what_it_was() {
        let mut catalog = Catalog::default();
        catalog.put(product(1, "milk", Some("4006381333931")));
        catalog.put(product(2, "flower", Some("PLU-7")));
        catalog.put(product(1, "oat", Some("96385074")));
        catalog.put(product(2, "flower", None));
        for gone in ["milk", "4006381333931", "PLU-7"] {
            assert_eq!(found(&catalog, gone), None, "{gone}");
        }
        assert_eq!((found(&catalog, "oat"), found(&catalog, "96385074")), (Some(1), Some(1)));
        assert_eq!(catalog.len(), 2);
    }

    #[test]
    fn numbers_go_up_and_pages_go_on_behind_one() {
        let mut catalog = Catalog::default();
        assert!(catalog.is_empty() && catalog.next_id() == ProductId(1));
        for id in [1, 2, 7] {
            catalog.put(product(id, &alloc::format!("p{id}"), None));
        }
        assert_eq!(catalog.next_id(), ProductId(8));
        let after: Vec<_> = catalog.iter_after(ProductId(1)).map(|product| product.id.0).collect();
        assert_eq!(after, [2, 7]);
    }
}
