//! What head office says of products, and what the store made of them meanwhile.

use alloc::format;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

use super::shop::*;
use crate::command::{Command, ProductDraft};
use crate::delivery::{
    ComingPrice, Delivered, Document, Field, Loss, PRODUCTS, ProductDelivery, RefusedDocument,
};
use crate::event::Event;
use crate::money::{MAX_PRICE, Money};
use crate::time::Millis;

mod book;

fn document(product: ProductDraft, at: i64) -> Document {
    Document { product, at: Millis(at), ..Document::default() }
}

fn price_of(sku: &str, price: i64) -> ProductDraft {
    ProductDraft { sku: sku.into(), price: Some(Money(price)), ..ProductDraft::default() }
}

fn snapshot(version: u64, documents: Vec<Document>) -> Command {
    Command::TakeDelivery(ProductDelivery { version, base: None, documents, refused: vec![] })
}

fn delta(base: u64, version: u64, documents: Vec<Document>) -> Command {
    Command::TakeDelivery(ProductDelivery { version, base: Some(base), documents, refused: vec![] })
}

impl Shop {
    /// All parts of a delivery in one.
    fn deliver(&mut self, command: Command) -> Delivered {
        let events = self.run(command).events;
        let count = events.len();
        let mut whole = Delivered::default();
        for (number, event) in events.into_iter().enumerate() {
            let Event::ProductsDelivered(part) = event else { panic!("{event:?}") };
            assert_eq!(part.last, number + 1 == count, "only the last part is the last");
            whole = Delivered {
                products: [whole.products, part.products].concat(),
                losses: [whole.losses, part.losses].concat(),
                refused: [whole.refused, part.refused].concat(),
                local_only: [whole.local_only, part.local_only].concat(),
                ..part
            };
        }
        whole
    }

    fn price(&self, sku: &str) -> i64 {
        self.state.catalog.by_sku(sku).unwrap().price.0
    }

    fn later(&mut self, millis: i64) -> i64 {
        self.now.time.0 += millis;
        self.now.time.0
    }

    fn version(&self) -> Option<u64> {
        self.state.collections.get(PRODUCTS).copied()
    }
}

fn loss(sku: &str, field: Field, kept: &str, given_up: &str, stores: bool) -> Loss {
    Loss { sku: sku.into(), field, kept: kept.into(), given_up: given_up.into(), stores }
}

#[test]
fn a_snapshot_brings_products_and_leaves_those_that_only_the_store_has() {
    let mut shop = Shop::new();
    let now = shop.later(HOUR);
    let milk = ProductDraft { name: Some("Vollmilch".into()), ..price_of("milk", 129) };
    let documents = vec![document(product("tea", 300, "zero"), now), document(milk, now)];
    let delivered = shop.deliver(snapshot(4, documents.clone()));
    assert_eq!((shop.price("tea"), shop.price("milk"), shop.version()), (300, 129, Some(4)));
    let stay: Vec<_> = delivered.local_only.iter().map(|sku| &**sku).collect();
    assert_eq!(stay, ["bread", "wine", "12345", "pen"]);
    assert_eq!(
        delivered.losses,
        [
            loss("milk", Field::Name, "Vollmilch", "milk", true),
            loss("milk", Field::Price, "129", "119", true)
        ]
    );
    assert_eq!(shop.state.catalog.len(), 6);
    let again = shop.run(snapshot(4, documents));
    assert!(again.events.is_empty(), "the same once more is nothing new");
}

#[test]
fn of_two_writes_the_later_stands_and_the_stores_are_named() {
    let mut shop = Shop::new();
    let now = shop.later(HOUR);
    shop.deliver(snapshot(1, vec![document(price_of("milk", 129), now)]));
    // Head office after itself: nobody in the store loses anything.
    let then = shop.later(HOUR);
    let plain = shop.deliver(delta(1, 2, vec![document(price_of("milk", 131), then)]));
    assert_eq!((plain.losses, shop.price("milk")), (vec![], 131));
    // The store, later than what head office wrote before it heard of that.
    let edit = shop.later(HOUR);
    shop.put(vec![price_of("milk", 99)]);
    let lost = shop.deliver(delta(2, 3, vec![document(price_of("milk", 135), edit - 1)]));
    assert_eq!((lost.losses, shop.price("milk")), (vec![loss("milk", Field::Price, "99", "135", false)], 99));
    // On a tie head office, and from then on the price is its own.
    let won = shop.deliver(delta(3, 4, vec![document(price_of("milk", 135), edit)]));
    assert_eq!((won.losses, shop.price("milk")), (vec![loss("milk", Field::Price, "135", "99", true)], 135));
    let own = shop.deliver(delta(4, 5, vec![document(price_of("milk", 140), edit)]));
    assert_eq!((own.losses, shop.price("milk")), (vec![], 140));
    // The same value takes nothing from anybody, but who said it last is known.
    shop.later(HOUR);
    shop.put(vec![price_of("milk", 150)]);
    let agreed = shop.later(HOUR);
    let same = shop.deliver(delta(5, 6, vec![document(price_of("milk", 150), agreed)]));
    assert_eq!((same.losses, same.products.len()), (vec![], 1));
    let after = shop.deliver(delta(6, 7, vec![document(price_of("milk", 155), agreed)]));
    assert_eq!((after.losses, shop.price("milk")), (vec![], 155));
}

#[test]
fn fields_are_judged_each_by_its_own_time() {
    let mut shop = Shop::new();
    let before = shop.later(HOUR);
    shop.later(HOUR);
    shop.put(vec![price_of("milk", 99)]);
    let after = shop.later(HOUR);
    // The name was changed just now, the price long before.
    let milk = ProductDraft { name: Some("Vollmilch".into()), ..price_of("milk", 119) };
    let said = Document { field_at: vec![(Field::Price, Millis(before))], ..document(milk, after) };
    let delivered = shop.deliver(snapshot(1, vec![said]));
    let milk = shop.state.catalog.by_sku("milk").unwrap();
    assert_eq!((&*milk.name, milk.price), ("Vollmilch", Money(99)));
    assert_eq!(delivered.losses.len(), 2, "{:?}", delivered.losses);
}

#[test]
fn a_document_from_the_future_is_from_now() {
    let mut shop = Shop::new();
    let now = shop.later(HOUR);
    shop.deliver(snapshot(1, vec![document(price_of("milk", 129), now + 1000 * HOUR)]));
    shop.later(1);
    shop.put(vec![price_of("milk", 99)]);
    let lost = shop.deliver(delta(1, 2, vec![document(price_of("milk", 129), now)]));
    assert_eq!((shop.price("milk"), lost.losses.len()), (99, 1), "it does not win for ever");
}

#[test]
fn a_delivery_that_does_not_fit_changes_nothing() {
    let mut shop = Shop::new();
    let milk = || vec![document(price_of("milk", 129), MORNING.0)];
    assert_eq!(shop.refusal(delta(1, 2, milk())), "delivery-base", "a box that has none needs a snapshot");
    shop.deliver(snapshot(5, milk()));
    let before = shop.state.clone();
    assert_eq!(shop.refusal(delta(4, 6, milk())), "delivery-base");
    assert_eq!(shop.refusal(delta(6, 7, milk())), "delivery-base");
    assert_eq!(shop.refusal(snapshot(4, milk())), "delivery-old");
    assert!(shop.run(delta(4, 5, milk())).events.is_empty(), "it came by another way");
    assert_eq!(shop.state, before);
    shop.deliver(delta(5, 9, vec![]));
    assert_eq!(shop.version(), Some(9));
}

#[test]
fn a_document_that_cannot_be_is_refused_by_name_and_the_rest_is_taken() {
    let mut shop = Shop::new();
    let now = shop.later(HOUR);
    let nameless = ProductDraft { name: None, ..product("oil", 100, "zero") };
    let barcode = ProductDraft { barcode: Some("4006381333931".into()), ..product("oat", 200, "zero") };
    let bad =
        [product("luxury", 1, "luxury"), price_of("wine", -1), nameless, product("", 1, "zero"), barcode];
    let mut documents: Vec<_> = bad.into_iter().map(|draft| document(draft, now)).collect();
    documents.push(Document {
        next_price: Some((Money(MAX_PRICE.0 + 1), Millis(now + HOUR))),
        ..document(price_of("bread", 260), now)
    });
    documents.push(document(price_of("pen", 95), now));
    let unread = RefusedDocument::new("odd", "no number");
    let delivered = shop.deliver(Command::TakeDelivery(ProductDelivery {
        version: 1,
        base: None,
        documents,
        refused: vec![unread],
    }));
    let named: Vec<_> = delivered.refused.iter().map(|refused| &*refused.sku).collect();
    assert_eq!(named, ["odd", "luxury", "wine", "oil", "", "bread", "oat"]);
    assert!(delivered.refused.iter().all(|refused| !refused.why.is_empty()));
    assert_eq!((shop.price("pen"), shop.price("wine"), shop.price("bread")), (95, 990, 250));
    assert_eq!((shop.state.catalog.len(), shop.version()), (5, Some(1)));
}

#[test]
fn a_barcode_that_another_product_gives_up_in_the_same_delivery_is_free() {
    let mut shop = Shop::new();
    let now = shop.later(HOUR);
    let coded = |sku: &str, code: &str| {
        document(ProductDraft { barcode: Some(code.into()), ..product(sku, 100, "zero") }, now)
    };
    let documents = vec![
        coded("c", "96385074"),
        coded("oat", "4006381333931"),
        coded("milk", "PLU-7"),
        coded("pen", "PLU-7"),
    ];
    let delivered = shop.deliver(snapshot(1, documents));
    let named: Vec<_> = delivered.refused.iter().map(|refused| &*refused.sku).collect();
    assert_eq!(named, ["pen"]);
    let found = |code: &str| shop.state.catalog.find(code, &config().embedded).unwrap().sku.to_string();
    assert_eq!([found("4006381333931"), found("PLU-7"), found("96385074")], ["oat", "milk", "c"]);
}

#[test]
fn a_price_to_come_is_in_force_when_its_time_has_come() {
    let mut shop = Shop::new();
    let now = shop.later(HOUR);
    let from = now + 24 * HOUR;
    let said = |price, next, from, at| Document {
        next_price: Some((Money(next), Millis(from))),
        ..document(price_of("milk", price), at)
    };
    shop.deliver(snapshot(1, vec![said(119, 139, from, now)]));
    let milk = shop.state.catalog.by_sku("milk").unwrap().id;
    let coming = ComingPrice { price: Money(139), from: Millis(from), at: Millis(now) };
    assert_eq!(shop.state.coming_prices.of(milk), Some(coming));
    shop.later(24 * HOUR - 1);
    assert!(shop.run(Command::PutPricesInForce).events.is_empty());
    assert_eq!(shop.price("milk"), 119);
    // The store changes it before: the planned price is the later write, and the store's is named.
    shop.put(vec![price_of("milk", 109)]);
    shop.later(1);
    let events = shop.run(Command::PutPricesInForce).events;
    let [Event::PricesInForce(put)] = &*events else { panic!("{events:?}") };
    assert_eq!(put.losses, [loss("milk", Field::Price, "139", "109", true)]);
    assert_eq!((shop.price("milk"), shop.state.coming_prices.of(milk)), (139, None));
    assert!(shop.run(Command::PutPricesInForce).events.is_empty());
    // Head office edits the row for another reason: the price that came into force stands.
    let again = shop.deliver(delta(1, 2, vec![said(119, 139, from, now)]));
    assert_eq!((shop.price("milk"), again.losses), (139, vec![]));
    // One that comes late is in force at once; the store's own, made after its time, stands and is named.
    let late = shop.later(HOUR);
    shop.deliver(delta(2, 3, vec![said(119, 149, late - 1, now)]));
    assert_eq!(shop.price("milk"), 149);
    shop.deliver(delta(3, 4, vec![said(119, 159, late + 10, now)]));
    shop.later(20);
    shop.put(vec![price_of("milk", 99)]);
    let events = shop.run(Command::PutPricesInForce).events;
    let [Event::PricesInForce(put)] = &*events else { panic!("{events:?}") };
    assert_eq!(put.losses, [loss("milk", Field::Price, "99", "159", false)]);
    assert_eq!(shop.price("milk"), 99);
    // Taken back before its time.
    shop.deliver(delta(4, 5, vec![said(119, 169, late + 24 * HOUR, now)]));
    assert!(shop.state.coming_prices.of(milk).is_some());
    shop.deliver(delta(5, 6, vec![document(price_of("milk", 119), now)]));
    assert_eq!(shop.state.coming_prices.of(milk), None);
}

#[test]
fn a_large_delivery_is_many_records_of_bounded_length_and_one_version() {
    let mut shop = Shop::new();
    let now = shop.later(HOUR);
    let long = "x".repeat(190);
    let full = |n: usize| {
        let mut draft = product(&format!("{n:04}-{long}"), 100, "zero");
        (draft.name, draft.description) = (Some(long.clone()), Some(long.clone()));
        document(draft, now)
    };
    shop.put((0..900).map(|n| full(n).product).collect());
    let changed = (0..3_000).map(|n| {
        let mut document = full(n);
        document.product.name = Some("y".repeat(190));
        document
    });
    let decision = shop.run(snapshot(1, changed.collect()));
    assert!(decision.events.len() > 3);
    for event in &decision.events {
        let mut bytes = Vec::new();
        ciborium::into_writer(event, &mut bytes).unwrap();
        assert!(bytes.len() < 900_000, "{} bytes", bytes.len());
    }
    assert_eq!(shop.state.catalog.len(), 3_005);
    let lasts =
        decision.events.iter().filter(|event| matches!(event, Event::ProductsDelivered(part) if part.last));
    assert_eq!(lasts.count(), 1);
}
