//! What a delivery comes to, as events of bounded length.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::catalog::Product;
use crate::delivery::{Coming, Delivered, Loss, RefusedDocument, Written};
use crate::event::Event;

/// An event's lists have about so many bytes: far below what a record may have.
pub(super) const PART_BYTES: usize = 256 << 10;

/// The events of a delivery, each well below the length of a record.
pub(super) struct Parts {
    events: Vec<Event>,
    open: Delivered,
    weight: usize,
}

impl Parts {
    pub(super) fn new(version: u64, base: Option<u64>) -> Self {
        Self { events: Vec::new(), open: Delivered { version, base, ..Delivered::default() }, weight: 0 }
    }

    pub(super) fn write(&mut self, written: Written, losses: Vec<Loss>) {
        let lost = |loss: &Loss| loss.sku.len() + loss.kept.len() + loss.given_up.len() + 16;
        let weight = weight_of(&written) + losses.iter().map(lost).sum::<usize>();
        if written.product.is_some() || !written.stamps.is_empty() || written.coming != Coming::Left {
            self.open.products.push(written);
        }
        self.open.losses.extend(losses);
        self.grew(weight);
    }

    pub(super) fn refuse(&mut self, refused: RefusedDocument) {
        let weight = refused.sku.len() + refused.why.len() + 16;
        self.open.refused.push(refused);
        self.grew(weight);
    }

    pub(super) fn stays(&mut self, sku: Arc<str>) {
        let weight = sku.len() + 8;
        self.open.local_only.push(sku);
        self.grew(weight);
    }

    fn grew(&mut self, weight: usize) {
        self.weight += weight;
        if self.weight > PART_BYTES {
            let Delivered { version, base, .. } = self.open;
            let next = Delivered { version, base, ..Delivered::default() };
            self.events.push(Event::ProductsDelivered(core::mem::replace(&mut self.open, next)));
            self.weight = 0;
        }
    }

    pub(super) fn end(mut self) -> Vec<Event> {
        self.open.last = true;
        self.events.push(Event::ProductsDelivered(self.open));
        self.events
    }
}

/// About how many bytes it takes.
pub(super) fn weight_of(written: &Written) -> usize {
    let text = |product: &Arc<Product>| {
        let texts = [&product.sku, &product.name, &product.tax_class, &product.department];
        let texts: usize = texts.iter().map(|text| text.len()).sum();
        texts
            + product.barcode.as_deref().map_or(0, str::len)
            + product.description.as_deref().map_or(0, str::len)
            + 64
    };
    written.product.as_ref().map_or(0, text) + 16 * written.stamps.len() + 64
}
