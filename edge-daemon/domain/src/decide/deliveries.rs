//! Documents of head office meet what the store has: field by field the later write stands, and nothing that was made in the store is
//! given up without a word.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use super::{Decision, Desk, Refusal, refusal};
use crate::barcode::Gtin;
use crate::catalog::{Product, ProductId};
use crate::delivery::{
    Coming, ComingPrice, Document, Field, Loss, PRODUCTS, PricesInForce, ProductDelivery, RefusedDocument,
    Stamp, Stamps, Written,
};
use crate::event::Event;
use crate::money::{MAX_PRICE, Money};
use crate::time::Millis;

use parts::{PART_BYTES, Parts, weight_of};

mod parts;

/// Prices that are put in force by one command: sales come between.
const PRICES_AT_ONCE: usize = 500;

/// What a barcode is found by.
type Code = Result<Gtin, Arc<str>>;

/// A product, so far.
#[derive(Clone)]
struct Draught {
    product: Arc<Product>,
    stamps: Stamps,
    coming: Option<ComingPrice>,
}

/// What a document comes to.
enum Judged {
    Taken(Written, Vec<Loss>),
    /// Its barcode is another product's, which may give it up.
    Waits(Code, Refusal),
    Refused(Refusal),
}

/// Documents that are judged one after another, each on top of those before.
struct Round<'a> {
    desk: &'a Desk<'a>,
    drafts: BTreeMap<String, Draught>,
    /// Barcodes that changed hands; `None`: free.
    codes: BTreeMap<Code, Option<ProductId>>,
    next: ProductId,
    parts: Parts,
}

impl Desk<'_> {
    pub(super) fn take_delivery(&self, delivery: ProductDelivery) -> Result<Decision, Refusal> {
        let ProductDelivery { version, base, documents, refused } = delivery;
        let ours = self.state.collections.get(PRODUCTS).copied();
        if ours == Some(version) {
            // It came again.
            return Ok(self.done(vec![]));
        }
        if base.is_some() && base != ours {
            return Err(refusal::delivery_base(ours));
        }
        if let Some(ours) = ours.filter(|ours| *ours > version) {
            return Err(refusal::delivery_old(ours));
        }
        let mut round = Round {
            desk: self,
            drafts: BTreeMap::new(),
            codes: BTreeMap::new(),
            next: self.state.catalog.next_id(),
            parts: Parts::new(version, base),
        };
        refused.into_iter().for_each(|refused| round.parts.refuse(refused));
        round.take(&documents);
        if base.is_none() {
            let known: BTreeSet<&str> = documents.iter().map(|document| &*document.product.sku).collect();
            let ours = self.state.catalog.iter().filter(|product| !known.contains(&*product.sku));
            ours.for_each(|product| round.parts.stays(product.sku.clone()));
        }
        Ok(self.done(round.parts.end()))
    }

    pub(super) fn put_prices_in_force(&self) -> Decision {
        let now = self.context.now.time;
        let (mut events, mut open, mut weight) = (Vec::new(), PricesInForce::default(), 0);
        for (id, coming) in self.state.coming_prices.due(now).take(PRICES_AT_ONCE) {
            let Some(product) = self.state.catalog.get(id) else { continue };
            let stamp = self.state.stamps.get(&id).map_or(Stamp::default(), |stamps| stamps.of(Field::Price));
            let mut written = Written { id, product: None, stamps: vec![], coming: Coming::Gone };
            let wins = coming.from >= stamp.at;
            if wins {
                written.stamps.push((Field::Price, coming.from));
                if product.price != coming.price {
                    let version = product.version.saturating_add(1);
                    let new = Product { price: coming.price, version, ..Product::clone(product) };
                    written.product = Some(Arc::new(new));
                }
            }
            if product.price != coming.price && stamp.is_the_stores() {
                let (new, old) = (alloc::format!("{}", coming.price.0), Field::Price.of(product));
                let (kept, given_up) = if wins { (&new, &old) } else { (&old, &new) };
                open.losses.push(Loss::new(&product.sku, Field::Price, kept, given_up, wins));
            }
            weight += weight_of(&written) + 2 * product.sku.len() + 100;
            open.products.push(written);
            if weight > PART_BYTES {
                events.push(Event::PricesInForce(core::mem::take(&mut open)));
                weight = 0;
            }
        }
        if !open.products.is_empty() {
            events.push(Event::PricesInForce(open));
        }
        self.done(events)
    }
}

impl Round<'_> {
    /// Takes all of them. One whose barcode another product gives up later waits for that.
    fn take(&mut self, documents: &[Document]) {
        let mut queue: VecDeque<&Document> = documents.iter().collect();
        let mut waiting: BTreeMap<Code, Vec<(&Document, Refusal)>> = BTreeMap::new();
        while let Some(document) = queue.pop_front() {
            let sku = &document.product.sku;
            let before = self.draught(sku).and_then(|draught| code(&draught.product));
            match self.judge(document) {
                Judged::Taken(written, losses) => {
                    let after = self.draught(sku).and_then(|draught| code(&draught.product));
                    if let Some(given_up) = before.filter(|before| after.as_ref() != Some(before)) {
                        queue.extend(
                            waiting.remove(&given_up).unwrap_or_default().into_iter().map(|(d, _)| d),
                        );
                    }
                    self.parts.write(written, losses);
                }
                Judged::Waits(code, why) => waiting.entry(code).or_default().push((document, why)),
                Judged::Refused(why) => self.parts.refuse(RefusedDocument::new(sku, &why.detail)),
            }
        }
        for (document, why) in waiting.into_values().flatten() {
            self.parts.refuse(RefusedDocument::new(&document.product.sku, &why.detail));
        }
    }

    fn draught(&self, sku: &str) -> Option<Draught> {
        let of_state = || {
            let product = self.desk.state.catalog.by_sku(sku)?.clone();
            let stamps = self.desk.state.stamps.get(&product.id).cloned().unwrap_or_default();
            let coming = self.desk.state.coming_prices.of(product.id);
            Some(Draught { product, stamps, coming })
        };
        self.drafts.get(sku).cloned().or_else(of_state)
    }

    fn judge(&mut self, document: &Document) -> Judged {
        let now = self.desk.context.now.time;
        let old = self.draught(&document.product.sku);
        let mut draft = document.product.clone();
        let said_at = |field| {
            let own = document.field_at.iter().find(|(named, _)| *named == field).map(|(_, at)| *at);
            own.unwrap_or(document.at).max(Millis::default()).min(now)
        };
        let mut price_at = said_at(Field::Price);
        let coming = match self.price_to_come(document, price_at, old.as_ref()) {
            Ok(coming) => coming,
            Err(refusal) => return Judged::Refused(refusal),
        };
        if let Some((price, from)) = document.next_price.filter(|(_, from)| *from <= now)
            && (draft.price.is_none() || from >= price_at)
        {
            (draft.price, price_at) = (Some(price), from.max(Millis::default()));
        }

        let sku: Arc<str> = draft.sku.as_str().into();
        let (mut stamps, mut losses) = (Vec::new(), Vec::new());
        for field in Field::ALL {
            let Some(new) = field.wished(&draft) else { continue };
            let at = if field == Field::Price { price_at } else { said_at(field) };
            let Some(old) = &old else {
                stamps.push((field, at));
                continue;
            };
            let (ours, stamp) = (field.of(&old.product), old.stamps.of(field));
            let wins = at >= stamp.at;
            if wins && (stamp != Stamp { at, by_head_office: true } || ours != new) {
                stamps.push((field, at));
            }
            if !wins {
                field.leave(&mut draft);
            }
            if ours != new && stamp.is_the_stores() {
                let (kept, given_up) = if wins { (&new, &ours) } else { (&ours, &new) };
                losses.push(Loss::new(&sku, field, kept, given_up, wins));
            }
        }
        self.write(draft, old, stamps, coming, losses)
    }

    /// Puts what won into the product, if the rules of the store let it.
    fn write(
        &mut self,
        draft: crate::command::ProductDraft,
        old: Option<Draught>,
        stamps: Vec<(Field, Millis)>,
        coming: Coming,
        losses: Vec<Loss>,
    ) -> Judged {
        let id = old.as_ref().map_or(self.next, |old| old.product.id);
        let product = match self.desk.product(draft, old.as_ref().map(|old| &old.product), id) {
            Ok(product) => product,
            Err(refusal) => return Judged::Refused(refusal),
        };
        let given_up = old.as_ref().and_then(|old| code(&old.product));
        if let Some(code) = code(&product) {
            if let Some(owner) = self.owner(&code).filter(|owner| *owner != id) {
                let by = self.desk.state.catalog.get(owner).map_or("another product", |other| &other.sku);
                return Judged::Waits(code, refusal::barcode_taken(&product.sku, by));
            }
            if given_up.as_ref() != Some(&code) {
                self.codes.extend(given_up.map(|code| (code, None)));
                self.codes.insert(code, Some(id));
            }
        }
        if id == self.next {
            self.next = ProductId(id.0.saturating_add(1));
        }
        let same =
            |old: &Draught| Product { version: old.product.version, ..product.clone() } == *old.product;
        let changed = !old.as_ref().is_some_and(same);
        let product = match &old {
            Some(old) if !changed => old.product.clone(),
            _ => Arc::new(product),
        };
        let mut draught =
            old.unwrap_or(Draught { product: product.clone(), stamps: Stamps::default(), coming: None });
        draught.product = product.clone();
        for (field, at) in &stamps {
            draught.stamps.put(*field, Stamp { at: *at, by_head_office: true });
        }
        match coming {
            Coming::Left => {}
            Coming::Gone => draught.coming = None,
            Coming::Price(price) => draught.coming = Some(price),
        }
        self.drafts.insert(String::from(&*product.sku), draught);
        Judged::Taken(Written { id, product: changed.then_some(product), stamps, coming }, losses)
    }

    fn price_to_come(
        &self,
        document: &Document,
        at: Millis,
        old: Option<&Draught>,
    ) -> Result<Coming, Refusal> {
        let before = old.and_then(|old| old.coming);
        if before.is_some_and(|before| before.at > at) {
            return Ok(Coming::Left);
        }
        let gone = if before.is_some() { Coming::Gone } else { Coming::Left };
        match document.next_price {
            Some((price, _)) if price < Money::ZERO || price > MAX_PRICE => {
                Err(refusal::bad_amount("A price"))
            }
            Some((price, from)) if from > self.desk.context.now.time => {
                let coming = ComingPrice { price, from, at };
                Ok(if before == Some(coming) { Coming::Left } else { Coming::Price(coming) })
            }
            Some(_) => Ok(gone),
            None => Ok(if document.product.price.is_some() { gone } else { Coming::Left }),
        }
    }

    fn owner(&self, code: &Code) -> Option<ProductId> {
        let catalog = &self.desk.state.catalog;
        let stored = || match code {
            Ok(gtin) => catalog.by_gtin(*gtin).map(|product| product.id),
            Err(code) => catalog.by_code(code).map(|product| product.id),
        };
        self.codes.get(code).copied().unwrap_or_else(stored)
    }
}

fn code(product: &Product) -> Option<Code> {
    let barcode = product.barcode.as_ref()?;
    Some(product.gtin.ok_or_else(|| barcode.clone()))
}
