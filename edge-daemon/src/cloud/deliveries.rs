//! What head office changes: documents that come down are put together, decided in one piece, and acknowledged once they are on disk.
//!
//! A delivery that is lost on the way, or refused, is not asked for: the box's state tells the version that it has, and whoever
//! publishes sends what is missing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cloud_bridge::Answer;
use cloud_bridge::delivery::{
    Assembly, Delivery, MAX_DOCUMENT_BYTES, ProductDocument, Progress, Taken, Whole,
};
use cloud_bridge::mqtt::Message;
use pos_domain::command::{Command, ProductDraft};
use pos_domain::delivery::{Document, Field, Loss, PRODUCTS, ProductDelivery, RefusedDocument};
use pos_domain::event::Event;
use pos_domain::money::Money;
use pos_domain::quantity::Quantity;
use pos_domain::time::Millis;
use serde::Deserialize;

use super::instructions::{HEAD_OFFICE, origin};
use crate::checkout::{Shop, SubmitError};

/// Refusals since the start.
#[derive(Debug, Clone, Default)]
pub(super) struct Refusals(Arc<AtomicU64>);

impl Refusals {
    pub(super) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Takes deliveries in, one after another.
pub(super) struct Deliveries {
    shop: Shop,
    refusals: Refusals,
    // Only of one collection: with several, what they keep unacknowledged could be all that the broker sends at once.
    products: Assembly<Message>,
}

impl Deliveries {
    pub(super) fn new(shop: Shop, refusals: Refusals) -> Self {
        Self { shop, refusals, products: Assembly::default() }
    }

    /// Takes a chunk of a collection; the messages that are done with.
    pub(super) async fn take(&mut self, collection: &str, message: Message) -> Vec<Answer> {
        if collection != PRODUCTS {
            self.refuse(collection, "this box knows no such collection");
            return settled([message]);
        }
        let chunk = match Delivery::decode(message.payload()) {
            Ok(chunk) => chunk,
            Err(error) => {
                self.refuse(collection, error);
                return settled([message]);
            }
        };
        let Taken { progress, settled: mut done } = self.products.take(chunk, message);
        match progress {
            Progress::Waits => {}
            Progress::Whole(whole, messages) => {
                // Without an answer from the disk nobody knows: the broker keeps them, and the next start gets them again.
                if self.put(whole).await {
                    done.extend(messages);
                }
            }
            Progress::Refused(error, messages) => {
                self.refuse(collection, error);
                done.extend(messages);
            }
        }
        settled(done)
    }

    /// Has it decided and written; `false` where nobody knows whether it was.
    async fn put(&mut self, whole: Whole) -> bool {
        let (version, base) = (whole.version, whole.base);
        let read = tokio::task::spawn_blocking(move || delivery(&whole)).await;
        let Ok(delivery) = read else { return false };
        let documents = delivery.documents.len();
        match self.shop.submit(None, Command::TakeDelivery(delivery), origin()).await {
            Ok(done) => {
                tracing::info!(version, base, documents, "products came from {HEAD_OFFICE}");
                done.events.iter().for_each(|event| say(event));
                true
            }
            Err(SubmitError::OutcomeUnknown | SubmitError::Stopping) => false,
            Err(error) => {
                self.refuse(PRODUCTS, error);
                true
            }
        }
    }

    fn refuse(&self, collection: &str, why: impl std::fmt::Display) {
        self.refusals.0.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(collection, %why, "a delivery of {HEAD_OFFICE} is not taken");
    }
}

fn settled(messages: impl IntoIterator<Item = Message>) -> Vec<Answer> {
    messages.into_iter().map(|message| Answer { said: None, taken: Some(message) }).collect()
}

/// Names in the log what was given up, and what was not taken.
fn say(event: &Event) {
    let Event::ProductsDelivered(part) = event else { return };
    for Loss { sku, field, kept, given_up, stores } in &part.losses {
        let whose = if *stores { "the store's" } else { "head office's" };
        tracing::warn!(%sku, field = field.name(), kept, given_up, "{whose} value was given up");
    }
    for RefusedDocument { sku, why } in &part.refused {
        tracing::warn!(sku, why, "a product of head office is not taken");
    }
}

/// What a delivery's text says; a document that cannot be read is named and left out.
fn delivery(whole: &Whole) -> ProductDelivery {
    let (mut documents, mut refused) = (Vec::new(), Vec::new());
    for text in whole.documents() {
        let read = match text.len() {
            length if length > MAX_DOCUMENT_BYTES => Err("it is too long".to_owned()),
            _ => serde_json::from_str(text).map_err(|error| error.to_string()).and_then(document),
        };
        match read {
            Ok(document) => documents.push(document),
            Err(why) => refused.push(RefusedDocument::new(&named(text), &why)),
        }
    }
    ProductDelivery { version: whole.version, base: whole.base, documents, refused }
}

/// The SKU of a document that cannot be read, as far as there is one.
fn named(text: &str) -> String {
    #[derive(Deserialize)]
    struct Named {
        sku: String,
    }
    serde_json::from_str::<Named>(text).map_or_else(|_| text.chars().take(40).collect(), |named| named.sku)
}

fn document(said: ProductDocument) -> Result<Document, String> {
    let field = |name: &str| Field::ALL.into_iter().find(|field| field.name() == name);
    // A name that is not known is of a field that this software does not have yet.
    let field_at = said.field_at.iter().filter_map(|(name, at)| Some((field(name)?, Millis(*at))));
    Ok(Document {
        at: Millis(said.at),
        field_at: field_at.collect(),
        next_price: said.next_price.map(|next| (Money(next.price), Millis(next.valid_from))),
        product: ProductDraft {
            sku: said.sku,
            name: said.name,
            price: said.price.map(Money),
            tax_class: said.tax_class,
            department: said.department,
            barcode: said.barcode,
            description: said.description,
            by_weight: said.by_weight,
            low_stock_at: said.low_stock_at.map(Quantity),
        },
    })
}

#[cfg(test)]
mod tests;
