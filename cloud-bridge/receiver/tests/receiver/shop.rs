//! A shop whose journal is real: commands are decided by the domain, events encoded by the journal's codec, records chained. It can
//! be copied, so that two boxes go on from one place.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use cloud_bridge::Batch;
use pos_domain::barcode::EmbeddedRules;
use pos_domain::command::{
    Change, Command, CustomerDraft, ItemRef, LineDraft, ProductDraft, SaleDraft, TenderDraft,
};
use pos_domain::decide::{Context, Decision, Refusal, decide};
use pos_domain::event::Event;
use pos_domain::money::{Currency, Money};
use pos_domain::quantity::Quantity;
use pos_domain::sale::{Kind, Sale};
use pos_domain::seal::Sealed;
use pos_domain::state::State;
use pos_domain::store::{Loyalty, StoreConfig};
use pos_domain::tax::{Rate, TaxClass, TaxMode, TaxRounding};
use pos_domain::tender::Method;
use pos_domain::time::{Date, FixedZone, Millis, Now};
use pos_journal::codec::{Author, Entry, Origin};
use pos_journal::{EpochId, Evidence, Position, Record};
use uuid::Uuid;

// Named, so that other test programs can have the shop, too.
#[path = "shop/life.rs"]
mod life;

/// 2026-11-23 at 10:00 UTC.
const MORNING: i64 = 1_795_428_000_000;

pub(crate) const PRODUCTS: [(&str, i64); 5] =
    [("bread", 250), ("wine", 990), ("milk", 119), ("cheese", 1290), ("pen", 99)];

#[derive(Clone)]
pub(crate) struct Shop {
    pub(crate) state: State,
    pub(crate) now: i64,
    /// Each as it last stood.
    pub(crate) sales: BTreeMap<Uuid, Arc<Sale>>,
    pub(crate) customers: Vec<Uuid>,
    pub(crate) epoch: EpochId,
    pub(crate) parent: Option<Evidence>,
    /// Of this epoch.
    pub(crate) records: Vec<Record>,
    ids: u128,
}

impl Shop {
    /// Configured, with five products.
    pub(crate) fn new(epoch: u64) -> Self {
        let mut shop = Self {
            state: State::default(),
            now: MORNING,
            sales: BTreeMap::new(),
            customers: vec![],
            epoch: EpochId(epoch),
            parent: None,
            records: vec![],
            ids: 0x0190_0000_0000_7000_8000_0000_0000_0000,
        };
        shop.run(Command::StartEpoch { series: 1, reason: "first".into() });
        shop.run(Command::Configure(Arc::new(config())));
        let products = PRODUCTS.map(|(sku, price)| product(sku, price)).into();
        shop.run(Command::PutProducts { products, if_version: None });
        shop
    }

    pub(crate) fn id(&mut self) -> Uuid {
        self.ids += 1 << 32;
        Uuid::from_u128(self.ids)
    }

    /// Ids of its own, for a copy that lives on.
    pub(crate) fn with_ids_from(mut self, ids: u128) -> Self {
        self.ids += ids << 64;
        self
    }

    pub(crate) fn ask(&mut self, command: Command) -> Result<Decision, Refusal> {
        let open = &self.state.open_sales;
        let closed_sale =
            command.sale().filter(|id| !open.contains_key(id)).and_then(|id| self.sales.get(&id).cloned());
        let now = Now { time: Millis(self.now), trusted: true };
        let context = Context { now, zone: &FixedZone(3600), closed_sale, head: &"1.7 abc" };
        let decision = decide(&self.state, command, &context)?;
        for event in &decision.events {
            self.happen(event.clone(), decision.business_date);
        }
        Ok(decision)
    }

    pub(crate) fn run(&mut self, command: Command) -> Decision {
        self.ask(command).unwrap_or_else(|refusal| panic!("refused: {refusal}"))
    }

    /// Journals an event and takes it in.
    pub(crate) fn happen(&mut self, event: Event, business_date: Date) {
        self.state.apply(&event, Millis(self.now), business_date);
        if let Event::Sale { sale, .. } = &event {
            self.sales.insert(sale.id, sale.clone());
        }
        let entry = Entry {
            schema: event.version(),
            author: Author {
                tenant: "acme".into(),
                store: "corner".into(),
                box_name: "box-1".into(),
                software: "0.1.0".into(),
            },
            origin: Origin::default(),
            time: Millis(self.now),
            clock_trusted: true,
            business_date,
            command: None,
            part: 0,
            parts: 1,
            event,
        };
        let mut body = Vec::new();
        entry.encode_into(&mut body).unwrap();
        self.append(body);
    }

    /// Journals any bytes.
    pub(crate) fn append(&mut self, body: Vec<u8>) {
        let at = Position { epoch: self.epoch, seq: self.records.len() as u64 + 1 };
        let first = self.parent.map_or([0; 32], |parent| parent.hash);
        let previous = self.records.last().map_or(first, |record| record.hash);
        self.records.push(Record::new(at, previous, body).unwrap());
    }

    /// The box is replaced, or restored: a new epoch that continues the last record.
    pub(crate) fn new_epoch(&mut self, epoch: u64) {
        let last = self.records.last().unwrap();
        self.parent = Some(Evidence { position: last.position(), hash: last.hash });
        self.epoch = EpochId(epoch);
        self.records = vec![];
        self.run(Command::StartEpoch { series: self.state.series + 1, reason: "restored".into() });
    }

    /// Records by their index, as they travel.
    pub(crate) fn batch(&self, records: Range<usize>) -> Batch {
        Batch { parent: self.parent, records: self.records[records].to_vec() }
    }

    pub(crate) fn all(&self) -> Batch {
        self.batch(0..self.records.len())
    }

    pub(crate) fn draft(&mut self, lines: &[(&str, i64)]) -> SaleDraft {
        SaleDraft {
            id: self.id(),
            kind: Kind::Sale,
            terminal: "till-1".into(),
            cashier: Some("anna".into()),
            customer: None,
            started_at: None,
            provisional_number: None,
            training: false,
            lines: lines.iter().map(|(sku, milli)| line(sku, *milli)).collect(),
            discount: None,
            reason: None,
            tenders: vec![],
        }
    }

    /// Rung up and paid in cash.
    pub(crate) fn sell(&mut self, lines: &[(&str, i64)]) -> Arc<Sale> {
        let mut draft = self.draft(lines);
        draft.tenders.push(tender(Method::Cash, 1_000_000));
        self.run(Command::Sell(draft)).sale.unwrap()
    }

    /// Rung up, not paid.
    pub(crate) fn ring(&mut self, lines: &[(&str, i64)]) -> Uuid {
        let draft = self.draft(lines);
        self.run(Command::Sell(draft)).sale.unwrap().id
    }

    pub(crate) fn pay(&mut self, sale: Uuid) {
        self.run(Command::Pay { sale, tender: tender(Method::Cash, 1_000_000) });
    }

    pub(crate) fn change(&mut self, sale: Uuid, change: Change) -> Decision {
        self.run(Command::ChangeSale { sale, change, reason: None, terminal: None })
    }

    pub(crate) fn customer(&mut self) -> Uuid {
        let id = self.id();
        self.run(Command::PutCustomer(customer(id, true)));
        self.customers.push(id);
        id
    }
}

pub(crate) fn config() -> StoreConfig {
    StoreConfig {
        tenant: "acme".into(),
        store: "corner".into(),
        box_name: "box-1".into(),
        name: "Käse & Mehr".into(),
        address: vec!["Große Straße 12".into(), "10115 Berlin".into()],
        footer: vec![],
        currency: Currency::EUR,
        time_zone: "Europe/Berlin".into(),
        cut_off_minutes: 240,
        tax_mode: TaxMode::Inclusive,
        tax_rounding: TaxRounding::Line,
        tax_classes: vec![TaxClass::new("standard", Rate(20_000)), TaxClass::new("reduced", Rate(5_000))],
        cash_increment: 5,
        require_shift: false,
        unlinked_cash_limit: None,
        embedded: EmbeddedRules::default(),
        loyalty: Some(Loyalty { earn_per: Money(100), worth: Money(5) }),
    }
}

pub(crate) fn product(sku: &str, price: i64) -> ProductDraft {
    ProductDraft {
        sku: sku.into(),
        name: Some(sku.into()),
        price: Some(Money(price)),
        tax_class: Some("standard".into()),
        low_stock_at: Some(Quantity(2_000)),
        ..ProductDraft::default()
    }
}

pub(crate) fn line(sku: &str, milli: i64) -> LineDraft {
    LineDraft { quantity: Some(Quantity(milli)), ..LineDraft::of(ItemRef::Sku(sku.into())) }
}

pub(crate) fn tender(method: Method, amount: i64) -> TenderDraft {
    TenderDraft { method, amount: Money(amount), reference: None, foreign: None }
}

pub(crate) fn sealed(word: &str) -> Sealed {
    Sealed { subject: [1; 16], nonce: [2; 24], ciphertext: word.into() }
}

pub(crate) fn customer(id: Uuid, new: bool) -> CustomerDraft {
    CustomerDraft {
        id,
        profile: sealed("profile"),
        email_hash: Some(*id.as_bytes()),
        phone_hash: None,
        consent: Some("newsletter".into()),
        new,
        if_version: None,
    }
}
