//! A small shop: five products, one till, and hands that ring up, pay and take back.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use uuid::Uuid;

use crate::barcode::{EmbeddedRule, EmbeddedRules, Meaning};
use crate::cart::Discount;
use crate::command::{
    Change, Command, CustomerDraft, ItemRef, LineDraft, ProductDraft, RefundLine, SaleDraft, TenderDraft,
};
use crate::decide::{Context, Decision, Refusal, decide};
use crate::event::Event;
use crate::money::{Currency, Money};
use crate::quantity::Quantity;
use crate::sale::{Kind, Sale};
use crate::seal::Sealed;
use crate::state::State;
use crate::store::StoreConfig;
use crate::tax::{Rate, TaxClass, TaxMode, TaxRounding};
use crate::tender::Method;
use crate::time::{Date, FixedZone, Millis, Now};

pub(crate) const HOUR: i64 = 3_600_000;
/// 2026-11-23 at 10:00 UTC; the shop's clocks show 11:00.
pub(crate) const MORNING: Millis = Millis(1_795_428_000_000);
pub(crate) const TILL: &str = "till-1";

/// A store with tax in its prices, rounded per line, no cash rounding, and a day that ends at 04:00.
pub(crate) fn config() -> StoreConfig {
    let rule = |prefix, meaning| EmbeddedRule::new(prefix, 5, false, 5, meaning).unwrap();
    let rules = vec![
        rule(2, Meaning::Price { decimals: 2 }),
        rule(21, Meaning::Weight { decimals: 3 }),
        rule(22, Meaning::Count),
    ];
    StoreConfig {
        tenant: "acme".into(),
        store: "corner".into(),
        box_name: "box-1".into(),
        name: "Käse & Mehr".into(),
        address: vec!["Große Straße 12".into(), "10115 Berlin".into()],
        footer: vec!["Vielen Dank!".into()],
        currency: Currency::EUR,
        time_zone: "Europe/Berlin".into(),
        cut_off_minutes: 240,
        tax_mode: TaxMode::Inclusive,
        tax_rounding: TaxRounding::Line,
        tax_classes: vec![
            TaxClass::new("standard", Rate(20_000)),
            TaxClass::new("reduced", Rate(5_000)),
            TaxClass::new("zero", Rate::ZERO),
        ],
        cash_increment: 1,
        require_shift: false,
        unlinked_cash_limit: None,
        embedded: EmbeddedRules::new(rules).unwrap(),
        loyalty: None,
    }
}

/// A product that is complete; `sku` is its name, too.
pub(crate) fn product(sku: &str, price: i64, tax_class: &str) -> ProductDraft {
    ProductDraft {
        sku: sku.into(),
        name: Some(sku.into()),
        price: Some(Money(price)),
        tax_class: Some(tax_class.into()),
        ..ProductDraft::default()
    }
}

pub(crate) fn quantity(text: &str) -> Quantity {
    text.parse().unwrap()
}

pub(crate) fn sealed(word: &str) -> Sealed {
    Sealed { subject: [1; 16], nonce: [2; 24], ciphertext: word.into() }
}

pub(crate) fn line(sku: &str, amount: &str) -> LineDraft {
    LineDraft {
        item: ItemRef::Sku(sku.into()),
        quantity: Some(quantity(amount)),
        discount: None,
        reason: None,
        as_sold: None,
        original_reference: None,
    }
}

/// A line as the scanner sends it: no quantity.
pub(crate) fn scan(code: &str) -> LineDraft {
    LineDraft { item: ItemRef::Barcode(code.into()), quantity: None, ..line("", "1") }
}

pub(crate) fn tender(method: Method, amount: i64) -> TenderDraft {
    TenderDraft { method, amount: Money(amount), reference: None, foreign: None }
}

/// A sale as it is rung up.
#[derive(Clone)]
pub(crate) struct Ring(pub(crate) SaleDraft);

impl Ring {
    pub(crate) fn item(self, sku: &str, amount: &str) -> Self {
        self.line(line(sku, amount))
    }

    pub(crate) fn line(mut self, line: LineDraft) -> Self {
        self.0.lines.push(line);
        self
    }

    /// Off the line that was rung up last.
    pub(crate) fn line_discount(mut self, discount: Discount) -> Self {
        self.0.lines.last_mut().unwrap().discount = Some(discount);
        self
    }

    pub(crate) fn discount(mut self, discount: Discount) -> Self {
        self.0.discount = Some(discount);
        self
    }

    pub(crate) fn paid(mut self, method: Method, amount: i64) -> Self {
        self.0.tenders.push(tender(method, amount));
        self
    }

    pub(crate) fn cash(self, amount: i64) -> Self {
        self.paid(Method::Cash, amount)
    }

    pub(crate) fn card(self, amount: i64) -> Self {
        self.paid(Method::Card, amount)
    }

    pub(crate) fn customer(mut self, id: Uuid) -> Self {
        self.0.customer = Some(id);
        self
    }

    pub(crate) fn training(mut self) -> Self {
        self.0.training = true;
        self
    }

    pub(crate) fn started(mut self, at: Millis) -> Self {
        self.0.started_at = Some(at);
        self
    }
}

/// The shop, its journal and its archive of sales.
pub(crate) struct Shop {
    pub(crate) state: State,
    pub(crate) now: Now,
    pub(crate) sales: BTreeMap<Uuid, Arc<Sale>>,
    pub(crate) journal: Vec<(Event, Millis, Date)>,
    ids: u128,
}

impl Shop {
    pub(crate) fn new() -> Self {
        Self::with(|_| ())
    }

    /// A shop whose configuration differs in something.
    pub(crate) fn with(change: impl FnOnce(&mut StoreConfig)) -> Self {
        let mut store = config();
        change(&mut store);
        let mut shop = Self::empty();
        shop.run(Command::StartEpoch { series: 1, reason: "first".into() });
        shop.run(Command::Configure(Arc::new(store)));
        let mut milk = product("milk", 119, "reduced");
        (milk.low_stock_at, milk.barcode) = (Some(quantity("5")), Some("4006381333931".into()));
        let mut cheese = product("12345", 1290, "reduced");
        (cheese.name, cheese.by_weight) = (Some("Bergkäse".into()), Some(true));
        shop.put(vec![
            product("bread", 250, "reduced"),
            product("wine", 990, "standard"),
            milk,
            cheese,
            product("pen", 99, "standard"),
        ]);
        shop
    }

    /// Before its first record.
    pub(crate) fn empty() -> Self {
        Self {
            state: State::default(),
            now: Now { time: MORNING, trusted: true },
            sales: BTreeMap::new(),
            journal: Vec::new(),
            ids: 0x0190_0000_0000_7000_8000_0000_0000_0000,
        }
    }

    pub(crate) fn id(&mut self) -> Uuid {
        self.ids += 1 << 32;
        Uuid::from_u128(self.ids)
    }

    /// Decides, and takes the events in. Deciding twice must give the same.
    pub(crate) fn ask(&mut self, command: Command) -> Result<Decision, Refusal> {
        let closed_sale = command
            .sale()
            .filter(|id| !self.state.open_sales.contains_key(id))
            .and_then(|id| self.sales.get(&id).cloned());
        let context = Context { now: self.now, zone: &FixedZone(3600), closed_sale, head: &"1.7 abc" };
        let decided = decide(&self.state, command.clone(), &context);
        assert_eq!(decided, decide(&self.state, command, &context), "deciding is not deterministic");
        let decision = decided?;
        for event in &decision.events {
            self.state.apply(event, self.now.time, decision.business_date);
            if let Event::Sale { sale, .. } = event {
                self.sales.insert(sale.id, sale.clone());
            }
            self.journal.push((event.clone(), self.now.time, decision.business_date));
        }
        Ok(decision)
    }

    /// What is allowed.
    pub(crate) fn run(&mut self, command: Command) -> Decision {
        self.ask(command).unwrap_or_else(|refusal| panic!("refused: {refusal}"))
    }

    /// What is refused, by its code.
    pub(crate) fn refusal(&mut self, command: Command) -> &'static str {
        match self.ask(command) {
            Ok(decision) => {
                panic!("allowed: {:?}", decision.events.iter().map(Event::name).collect::<Vec<_>>())
            }
            Err(refusal) => {
                assert!(!refusal.detail.is_empty());
                refusal.code
            }
        }
    }

    pub(crate) fn put(&mut self, products: Vec<ProductDraft>) -> Decision {
        self.run(Command::PutProducts { products, if_version: None })
    }

    /// A new sale with nothing in it.
    pub(crate) fn ring(&mut self) -> Ring {
        let id = self.id();
        Ring(SaleDraft {
            id,
            kind: Kind::Sale,
            terminal: TILL.into(),
            cashier: Some("anna".into()),
            customer: None,
            started_at: None,
            provisional_number: None,
            training: false,
            lines: vec![],
            discount: None,
            reason: None,
            tenders: vec![],
        })
    }

    /// A new return without its sale.
    pub(crate) fn ring_return(&mut self) -> Ring {
        let mut ring = self.ring();
        ring.0.kind = Kind::Return;
        ring
    }

    pub(crate) fn sell(&mut self, ring: Ring) -> Arc<Sale> {
        self.run(Command::Sell(ring.0)).sale.unwrap()
    }

    pub(crate) fn sell_refusal(&mut self, ring: Ring) -> &'static str {
        self.refusal(Command::Sell(ring.0))
    }

    pub(crate) fn pay(&mut self, sale: Uuid, method: Method, amount: i64) -> Arc<Sale> {
        self.run(Command::Pay { sale, tender: tender(method, amount) }).sale.unwrap()
    }

    pub(crate) fn change(&mut self, sale: Uuid, change: Change) -> Arc<Sale> {
        self.run(Command::ChangeSale { sale, change, reason: None, terminal: None }).sale.unwrap()
    }

    pub(crate) fn change_refusal(&mut self, sale: Uuid, change: Change) -> &'static str {
        self.refusal(Command::ChangeSale { sale, change, reason: None, terminal: None })
    }

    /// Takes parts of lines back: `(line number, quantity)`, none: all that is left.
    pub(crate) fn refund_of(
        &mut self,
        sale: Uuid,
        parts: &[(u16, &str)],
        tenders: Vec<TenderDraft>,
    ) -> Change {
        let original = self.sales.get(&sale).cloned().unwrap();
        let part = |(number, amount): &(u16, &str)| RefundLine {
            line: original.line_id(*number),
            quantity: quantity(amount),
        };
        Change::Refund { id: self.id(), lines: parts.iter().map(part).collect(), tenders }
    }

    /// Takes parts of lines back and pays out as it came.
    pub(crate) fn refund(&mut self, sale: Uuid, parts: &[(u16, &str)]) -> Arc<Sale> {
        let change = self.refund_of(sale, parts, vec![]);
        self.change(sale, change)
    }

    pub(crate) fn customer(&mut self) -> Uuid {
        let id = self.id();
        self.run(Command::PutCustomer(customer_draft(id)));
        id
    }

    pub(crate) fn points(&self, customer: Uuid) -> i64 {
        self.state.customers.get(&customer).unwrap().points
    }

    pub(crate) fn level(&self, sku: &str) -> String {
        self.state.level(self.state.catalog.by_sku(sku).unwrap().id).to_string()
    }

    pub(crate) fn open_shift(&mut self, float: i64) -> Uuid {
        let id = self.id();
        self.run(Command::OpenShift { id, drawer: TILL.into(), cashier: None, float: Money(float) });
        id
    }

    pub(crate) fn close(&self, shift: Uuid, counted: i64) -> Command {
        Command::CloseShift { shift, cashier: None, counted: Money(counted), confirm_clock: false }
    }
}

pub(crate) fn customer_draft(id: Uuid) -> CustomerDraft {
    CustomerDraft {
        id,
        profile: sealed("profile"),
        email_hash: Some(*id.as_bytes()),
        phone_hash: None,
        consent: None,
        new: true,
        if_version: None,
    }
}
