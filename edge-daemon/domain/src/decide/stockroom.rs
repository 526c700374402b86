//! Products, stock and customers.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use uuid::Uuid;

use super::{Decision, Desk, Refusal, refusal, short, short_option};
use crate::barcode::Gtin;
use crate::catalog::{Product, ProductId};
use crate::command::{CustomerDraft, ProductDraft};
use crate::customer::Customer;
use crate::event::{Adjustment, Event};
use crate::money::{MAX_PRICE, Money};
use crate::quantity::Quantity;
use crate::seal::Sealed;

/// Products per event: a large import is many of them in one group.
const BATCH: usize = 200;

impl Desk<'_> {
    pub(super) fn put_products(
        &self,
        drafts: Vec<ProductDraft>,
        if_version: Option<u32>,
    ) -> Result<Decision, Refusal> {
        let mut next = self.state.catalog.next_id();
        // What this command has made of products so far, and whose barcodes are.
        let mut latest: BTreeMap<String, Arc<Product>> = BTreeMap::new();
        let mut codes: BTreeMap<(Option<Gtin>, Option<Arc<str>>), ProductId> = BTreeMap::new();
        let mut products: Vec<Arc<Product>> = Vec::with_capacity(drafts.len());
        let single = drafts.len() == 1;
        let mut kept = None;
        for draft in drafts {
            let old = latest.get(&draft.sku).or_else(|| self.state.catalog.by_sku(&draft.sku)).cloned();
            let old = old.as_ref();
            let version = old.map_or(0, |product| product.version);
            if if_version.is_some_and(|expected| expected != version) {
                return Err(refusal::stale());
            }
            let id = old.map_or(next, |product| product.id);
            if id == next {
                next = ProductId(next.0.saturating_add(1));
            }
            let product = self.product(draft, old, id)?;
            if let Some(barcode) = &product.barcode {
                let stored = match product.gtin {
                    Some(gtin) => self.state.catalog.by_gtin(gtin),
                    None => self.state.catalog.by_code(barcode),
                };
                let code = (product.gtin, product.gtin.is_none().then(|| barcode.clone()));
                let owner =
                    codes.insert(code, id).or(stored.map(|other| other.id)).filter(|owner| *owner != id);
                if let Some(owner) = owner {
                    let by = self.state.catalog.get(owner).map_or("another line", |other| &other.sku);
                    return Err(refusal::barcode_taken(&product.sku, by));
                }
            }
            if old.is_none_or(|old| Product { version: old.version, ..product.clone() } != **old) {
                let product = Arc::new(product);
                latest.insert(String::from(&*product.sku), product.clone());
                products.push(product);
            } else if single {
                // So that the edit's key is known when it comes once more.
                kept = old.cloned();
            }
        }
        let put = products.chunks(BATCH).map(|batch| Event::ProductsPut(batch.to_vec()));
        Ok(self.done(put.chain(kept.map(Event::ProductKept)).collect()))
    }

    /// What a draft makes of a product, if the store's rules let it.
    pub(super) fn product(
        &self,
        draft: ProductDraft,
        old: Option<&Arc<Product>>,
        id: ProductId,
    ) -> Result<Product, Refusal> {
        short("sku", &draft.sku)?;
        short_option("name", draft.name.as_ref())?;
        short_option("department", draft.department.as_ref())?;
        short_option("description", draft.description.as_ref())?;
        short_option("barcode", draft.barcode.as_ref())?;
        let sku: Arc<str> = draft.sku.as_str().into();
        let missing = |what| refusal::product_incomplete(&draft.sku, what);
        let text = |new: Option<String>, old: Option<&Arc<str>>| new.map(Arc::from).or_else(|| old.cloned());
        let name = text(draft.name, old.map(|o| &o.name)).ok_or_else(|| missing("name"))?;
        let price = draft.price.or(old.map(|o| o.price)).ok_or_else(|| missing("price"))?;
        if price < Money::ZERO || price > MAX_PRICE {
            return Err(refusal::bad_amount("A price"));
        }
        let tax_class =
            text(draft.tax_class, old.map(|o| &o.tax_class)).ok_or_else(|| missing("tax class"))?;
        if self.store.rate(&tax_class).is_none() {
            return Err(refusal::unknown_tax_class(&sku, &tax_class));
        }
        let low_stock_at = draft.low_stock_at.or(old.and_then(|o| o.low_stock_at));
        if low_stock_at.is_some_and(|level| level < Quantity::ZERO || level > Quantity::MAX) {
            return Err(refusal::bad_low_stock());
        }
        let barcode = text(draft.barcode, old.and_then(|o| o.barcode.as_ref()));
        let gtin =
            barcode.as_ref().and_then(|code| Gtin::parse_with(code, self.store.embedded.eight_digits()).ok());
        Ok(Product {
            id,
            sku,
            name,
            price,
            tax_class,
            department: text(draft.department, old.map(|o| &o.department)).unwrap_or_else(|| Arc::from("")),
            gtin,
            barcode,
            description: draft.description.or_else(|| old.and_then(|o| o.description.clone())),
            by_weight: draft.by_weight.or(old.map(|o| o.by_weight)).unwrap_or(false),
            low_stock_at,
            version: old.map_or(1, |o| o.version.saturating_add(1)),
        })
    }

    pub(super) fn adjust_stock(
        &self,
        id: Uuid,
        code: &str,
        change: Quantity,
        reason: String,
        user: Option<String>,
        note: Option<Sealed>,
    ) -> Result<Decision, Refusal> {
        short("reason", &reason)?;
        short_option("userId", user.as_ref())?;
        if change == Quantity::ZERO || change.0.unsigned_abs() > Quantity::MAX.0.unsigned_abs() {
            return Err(refusal::bad_quantity());
        }
        let Some(product) = self.find_product(code) else {
            return Err(refusal::unknown_product(code));
        };
        let before = self.state.level(product.id);
        let level = before + change;
        let at = self.context.now.time;
        let (sku, product_id) = (product.sku.clone(), product.id);
        let adjustment =
            Adjustment { id, product: product_id, sku: sku.clone(), change, reason, user, note, at, level };
        let mut events = vec![Event::StockAdjusted(adjustment)];
        if product.low_stock_at.is_some_and(|warning| before > warning && level <= warning) {
            events.push(Event::StockLow { product: product_id, sku, level });
        }
        Ok(self.done(events))
    }

    fn find_product(&self, code: &str) -> Option<&Arc<Product>> {
        let by_number = || code.parse().ok().and_then(|id| self.state.catalog.get(ProductId(id)));
        self.state.catalog.find(code, &self.store.embedded).or_else(by_number)
    }

    pub(super) fn put_customer(&self, draft: CustomerDraft) -> Result<Decision, Refusal> {
        short_option("consent", draft.consent.as_ref())?;
        let account = self.state.customers.get(&draft.id);
        let old = account.and_then(|account| account.customer.as_ref());
        // An erased id stays erased: its key is gone, and must not come back under another person.
        if draft.new && account.is_some() {
            return Err(refusal::customer_exists(draft.id));
        }
        if !draft.new && old.is_none() {
            return Err(refusal::no_such_customer(draft.id));
        }
        let version = old.map_or(0, |customer| customer.version);
        if draft.if_version.is_some_and(|expected| expected != version) {
            return Err(refusal::stale());
        }
        let customer = Customer {
            id: draft.id,
            profile: draft.profile,
            email_hash: draft.email_hash,
            phone_hash: draft.phone_hash,
            consent: draft.consent,
            version: version.saturating_add(1),
        };
        Ok(self.done(vec![Event::CustomerPut(customer)]))
    }

    pub(super) fn erase_customer(&self, id: Uuid) -> Result<Decision, Refusal> {
        match self.state.customers.get(&id) {
            Some(account) if account.customer.is_some() => Ok(self.done(vec![Event::CustomerErased(id)])),
            // Erased already: asking twice is no error.
            Some(_) => Ok(self.done(vec![])),
            None => Err(refusal::no_such_customer(id)),
        }
    }
}
