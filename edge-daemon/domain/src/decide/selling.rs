//! Ringing up: lines, prices, tenders, completion.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use uuid::Uuid;

use super::{Decision, Desk, Refusal, refusal, short, short_option};
use crate::barcode::{Barcode, EmbeddedValue, Scaled};
use crate::cart::{self, CartLine, Discount};
use crate::catalog::Product;
use crate::command::{ItemRef, LineDraft, SaleDraft, TenderDraft};
use crate::event::{Event, Step};
use crate::money::{MAX_PRICE, MAX_TOTAL, Money};
use crate::quantity::{Quantity, parse_decimal};
use crate::sale::{Kind, Line, MAX_LINES, ReceiptNumber, Returned, Sale, Status};
use crate::shift::Shift;
use crate::state::spent;
use crate::tax::{Rate, TaxMode};
use crate::tender::{Method, PaymentStatus, Settlement, Tender, settle};
use crate::time::Date;

const MAX_TENDERS: usize = 100;
/// 999.999 %.
const MAX_RATE: Rate = Rate(999_999);

impl Desk<'_> {
    pub(super) fn sell(&self, draft: SaleDraft) -> Result<Decision, Refusal> {
        if self.state.open_sales.contains_key(&draft.id) || self.context.closed_sale.is_some() {
            return Err(refusal::duplicate_sale(draft.id));
        }
        short("terminalId", &draft.terminal)?;
        if let Some(cashier) = &draft.cashier {
            short("cashierId", cashier)?;
        }
        short_option("provisionalNumber", draft.provisional_number.as_ref())?;
        let mut customer = draft.customer;
        if let Some(id) = customer {
            let account = self.state.customers.get(&id);
            match account.map(|account| account.customer.is_some()) {
                Some(true) => {}
                // Sold while the till was alone: the sale stands, the person stays forgotten.
                Some(false) if draft.provisional_number.is_some() => customer = None,
                _ => return Err(refusal::unknown_customer(id)),
            }
        }
        check_discount(draft.discount)?;
        let now = self.context.now.time;
        let brought_in = draft.started_at.is_some_and(|at| at < now);
        let started_at = draft.started_at.filter(|_| brought_in).unwrap_or(now);
        let business_date = if brought_in {
            started_at.business_date(self.context.zone, self.store.cut_off_minutes)
        } else {
            self.today
        };
        let is_return = draft.kind == Kind::Return;
        let mut sale = Sale {
            id: draft.id,
            kind: draft.kind,
            status: Status::Open,
            terminal: draft.terminal,
            cashier: draft.cashier,
            customer,
            started_at,
            business_date,
            completed_at: None,
            currency: self.store.currency,
            training: draft.training,
            late: brought_in && self.has_z(business_date),
            unlinked: is_return,
            provisional_number: draft.provisional_number,
            receipt: None,
            lines: Vec::new(),
            receipt_discount: draft.discount,
            reason: draft.reason,
            tenders: Vec::new(),
            total: Money::ZERO,
            tax: Money::ZERO,
            rounding: Money::ZERO,
            change: Money::ZERO,
            due: Money::ZERO,
            original: None,
            shift: None,
            points: 0,
            tax_rounding: Some(self.store.tax_rounding),
            tax_mode: Some(self.store.tax_mode),
            points_spent: None,
            returned_cash: Money::ZERO,
        };
        self.push_lines(&mut sale, draft.lines)?;
        for tender in draft.tenders {
            self.push_tender(&mut sale, tender)?;
        }
        self.settle_or(sale, Step::Opened, vec![])
    }

    pub(super) fn add_lines(&self, id: Uuid, lines: Vec<LineDraft>) -> Result<Decision, Refusal> {
        let mut sale = self.open_sale(id, "given more items")?;
        if lines.is_empty() {
            return Err(refusal::nothing_to_sell());
        }
        self.push_lines(&mut sale, lines)?;
        self.settle_or(sale, Step::LinesAdded, vec![])
    }

    pub(super) fn void_line(&self, id: Uuid, line: Uuid) -> Result<Decision, Refusal> {
        let mut sale = self.open_sale(id, "given fewer items")?;
        let number = sale.line_by_id(line).filter(|found| !found.voided).map(|found| found.number);
        let Some(line) = number.and_then(|number| sale.lines.iter_mut().find(|l| l.number == number)) else {
            return Err(refusal::no_such_line(line));
        };
        line.voided = true;
        (line.discount, line.tax, line.total) = (Money::ZERO, Money::ZERO, Money::ZERO);
        self.price(&mut sale)?;
        self.check_excess(&sale, &self.settlement(&sale))?;
        self.settle_or(sale, Step::LineVoided, vec![])
    }

    pub(super) fn pay(&self, id: Uuid, tender: TenderDraft) -> Result<Decision, Refusal> {
        let mut sale = self.open_sale(id, "paid")?;
        if sale.live_lines().next().is_none() {
            return Err(refusal::nothing_to_sell());
        }
        self.push_tender(&mut sale, tender)?;
        self.settle_or(sale, Step::Paid, vec![])
    }

    /// The sale, if it is open.
    pub(super) fn open_sale(&self, id: Uuid, to_be: &str) -> Result<Sale, Refusal> {
        match (self.state.open_sales.get(&id), &self.context.closed_sale) {
            (Some(sale), _) if sale.status == Status::Open => Ok(Sale::clone(sale)),
            (Some(sale), _) => Err(refusal::illegal(sale.status, to_be)),
            (None, Some(sale)) => Err(refusal::illegal(sale.status, to_be)),
            (None, None) => Err(refusal::no_such_sale(id)),
        }
    }

    /// Completes the sale if it is paid; else it stays as `step` left it.
    pub(super) fn settle_or(
        &self,
        mut sale: Sale,
        step: Step,
        follow: Vec<Event>,
    ) -> Result<Decision, Refusal> {
        self.check_unlinked_cash(&sale)?;
        let settlement = self.settlement(&sale);
        self.check_excess(&sale, &settlement)?;
        if settlement.settled && sale.live_lines().next().is_some() {
            let step = if step.is_first() { Step::Sold } else { Step::Completed };
            return self.complete(sale, step, settlement, follow);
        }
        (sale.due, sale.rounding, sale.change) = (settlement.due, Money::ZERO, Money::ZERO);
        let sale = Arc::new(sale);
        let mut events = vec![Event::Sale { step, sale: sale.clone() }];
        events.extend(follow);
        Ok(self.sale_done(events, sale))
    }

    /// Gives the number, the points and the shift; raises low-stock events.
    pub(super) fn complete(
        &self,
        mut sale: Sale,
        step: Step,
        paid: Settlement,
        follow: Vec<Event>,
    ) -> Result<Decision, Refusal> {
        if sale.kind == Kind::Return && (paid.change != Money::ZERO) {
            let due = sale.currency.format(sale.total + paid.rounding);
            return Err(refusal::payout_differs(due));
        }
        self.check_points(&sale)?;
        let shift = self.shift_at(&sale.terminal, sale.training)?;
        sale.shift = shift.map(|shift| shift.id);
        // Late: its day has a Z and its own shift was in it, or it had none.
        let own_shift = shift.is_some_and(|shift| shift.opened_at <= sale.started_at);
        let day_passed = sale.business_date < self.today && self.has_z(sale.business_date);
        sale.late = (sale.late || day_passed) && !own_shift;
        sale.status = Status::Completed;
        sale.completed_at = Some(self.context.now.time.max(sale.started_at));
        (sale.due, sale.rounding, sale.change) = (Money::ZERO, paid.rounding, paid.change);
        sale.receipt = Some(match sale.training {
            true => ReceiptNumber { series: 0, number: self.state.training_receipts.saturating_add(1) },
            false => {
                ReceiptNumber { series: self.state.series, number: self.state.receipts.saturating_add(1) }
            }
        });
        if sale.customer.is_some() && sale.original.is_none() && !sale.training {
            sale.points = self.store.loyalty.map_or(0, |loyalty| loyalty.points(sale.total - sale.tax));
        }
        sale.points_spent = Some(spent(&sale, self.store)).filter(|points| *points != 0);
        let sale = Arc::new(sale);
        let mut events = vec![Event::Sale { step, sale: sale.clone() }];
        events.extend(follow);
        self.warn_of_low_stock(&sale, &mut events);
        Ok(self.sale_done(events, sale))
    }

    /// The open shift of the drawer that money goes into or comes out of at a till.
    pub(super) fn shift_at(&self, till: &str, training: bool) -> Result<Option<&Shift>, Refusal> {
        let shift = self.state.shifts.get(till);
        if self.store.require_shift && shift.is_none() && !training {
            return Err(refusal::shift_needed(till));
        }
        Ok(shift)
    }

    /// Whether a business day has a Z already.
    fn has_z(&self, date: Date) -> bool {
        self.state.closed_through.is_some_and(|closed| date <= closed)
    }

    fn warn_of_low_stock(&self, sale: &Sale, events: &mut Vec<Event>) {
        if sale.training || sale.kind == Kind::Return {
            return;
        }
        for line in sale.live_lines() {
            let Some(product) = line.product.and_then(|id| self.state.catalog.get(id)) else { continue };
            let Some(warning) = product.low_stock_at else { continue };
            let before = self.state.level(product.id);
            let sold = sale.live_lines().filter(|other| other.product == line.product);
            let after = sold.fold(before, |level, other| level - other.quantity);
            let first = sale.live_lines().find(|other| other.product == line.product).map(|l| l.number);
            if before > warning && after <= warning && first == Some(line.number) {
                events.push(Event::StockLow { product: product.id, sku: product.sku.clone(), level: after });
            }
        }
    }

    pub(super) fn settlement(&self, sale: &Sale) -> Settlement {
        settle(sale.total, sale.money(), self.store.cash_increment)
    }

    fn check_excess(&self, sale: &Sale, settlement: &Settlement) -> Result<(), Refusal> {
        if settlement.excess == Money::ZERO {
            return Ok(());
        }
        let method =
            sale.tenders.iter().rev().find(|t| t.method != Method::Cash).map_or("cash", |t| t.method.name());
        Err(refusal::excess(method, sale.currency.format(settlement.excess)))
    }

    fn check_unlinked_cash(&self, sale: &Sale) -> Result<(), Refusal> {
        // What an offline till has paid out already cannot be refused any more.
        if !sale.unlinked || sale.provisional_number.is_some() {
            return Ok(());
        }
        let cash: Money =
            sale.money().filter(|(method, _)| *method == Method::Cash).map(|(_, amount)| amount).sum();
        match self.store.unlinked_cash_limit {
            Some(limit) if cash > limit => Err(refusal::cash_limit(sale.currency.format(limit))),
            _ => Ok(()),
        }
    }

    fn check_points(&self, sale: &Sale) -> Result<(), Refusal> {
        let wanted: Money =
            sale.money().filter(|(method, _)| *method == Method::Points).map(|(_, amount)| amount).sum();
        if wanted == Money::ZERO {
            return Ok(());
        }
        let account = sale.customer.and_then(|id| self.state.customers.get(&id));
        let worth = self.store.loyalty.map_or(0, |loyalty| loyalty.worth.0);
        let (Some(account), true) = (account, worth > 0 && wanted.0 % worth.max(1) == 0) else {
            return Err(refusal::points_refused());
        };
        if sale.kind == Kind::Sale && spent(sale, self.store) > account.points {
            return Err(refusal::points_short(account.points));
        }
        Ok(())
    }

    pub(super) fn push_tender(&self, sale: &mut Sale, draft: TenderDraft) -> Result<(), Refusal> {
        if draft.amount < Money::ZERO || draft.amount > MAX_PRICE {
            return Err(refusal::bad_amount("A tender"));
        }
        if draft.amount == Money::ZERO && draft.method != Method::Cash {
            return Err(refusal::bad_amount("A tender other than cash must be more than 0; it"));
        }
        if sale.tenders.len() >= MAX_TENDERS {
            return Err(refusal::too_many_tenders());
        }
        short_option("reference", draft.reference.as_ref())?;
        if let Some(foreign) = &draft.foreign {
            let rate = parse_decimal(&foreign.rate, 9, 9).is_some_and(|rate| rate > 0);
            if !rate || !foreign.amount.is_positive() || foreign.amount > MAX_PRICE {
                return Err(refusal::bad_foreign());
            }
        }
        sale.tenders.push(Tender {
            number: u16::try_from(sale.tenders.len() + 1).unwrap_or(u16::MAX),
            method: draft.method,
            amount: draft.amount,
            status: PaymentStatus::Approved,
            reference: draft.reference,
            foreign: draft.foreign,
            at: self.context.now.time,
        });
        Ok(())
    }

    fn push_lines(&self, sale: &mut Sale, lines: Vec<LineDraft>) -> Result<(), Refusal> {
        if sale.lines.len() + lines.len() > MAX_LINES {
            return Err(refusal::too_many_lines());
        }
        sale.lines.reserve(lines.len());
        for draft in lines {
            let number = u16::try_from(sale.lines.len() + 1).unwrap_or(u16::MAX);
            sale.lines.push(self.line(number, draft, sale.tax_mode.unwrap_or(self.store.tax_mode))?);
        }
        self.price(sale)
    }

    fn line(&self, number: u16, draft: LineDraft, tax_mode: TaxMode) -> Result<Line, Refusal> {
        check_discount(draft.discount)?;
        short_option("originalReference", draft.original_reference.as_ref())?;
        let (code, product, scanned) = self.look_up(&draft.item);
        let quantity = match (draft.quantity, scanned.quantity) {
            // What was sold elsewhere stands.
            (Some(asked), Some(label)) if draft.as_sold.is_none() => of_labels(asked, label)?,
            (asked, label) => asked.or(label).unwrap_or(Quantity::ONE),
        };
        if quantity <= Quantity::ZERO || quantity > Quantity::MAX {
            return Err(refusal::bad_quantity());
        }
        let empty = || Arc::from("");
        let line = |product: Option<&Arc<Product>>, unit_price, rate, mode, list_price| Line {
            number,
            product: product.map(|p| p.id),
            sku: product.map_or_else(|| Arc::from(code), |p| p.sku.clone()),
            name: product.map_or_else(|| Arc::from(code), |p| p.name.clone()),
            department: product.map_or_else(empty, |p| p.department.clone()),
            quantity,
            unit_price,
            rate,
            mode,
            own_discount: draft.discount,
            discount: Money::ZERO,
            tax: Money::ZERO,
            total: Money::ZERO,
            reason: draft.reason.clone(),
            list_price,
            original_reference: draft.original_reference.clone(),
            voided: false,
            returned: Returned::default(),
        };
        if let Some(terms) = draft.as_sold {
            if terms.unit_price < Money::ZERO || terms.unit_price > MAX_PRICE {
                return Err(refusal::bad_amount("asSold.unitPrice"));
            }
            if terms.rate > MAX_RATE {
                return Err(refusal::bad_rate());
            }
            short("The product's code", code)?;
            let differs = |p: &&Arc<Product>| p.price != terms.unit_price;
            let list_price = product.filter(differs).map(|p| p.price);
            return Ok(line(product, terms.unit_price, terms.rate, terms.mode, list_price));
        }
        let Some(found) = product else {
            return Err(refusal::unknown_product(code));
        };
        let Some(rate) = self.store.rate(&found.tax_class) else {
            return Err(refusal::unknown_tax_class(&found.sku, &found.tax_class));
        };
        let price = scanned.price.unwrap_or(found.price);
        if price > MAX_PRICE {
            return Err(refusal::bad_amount("The price in a barcode"));
        }
        Ok(line(product, price, rate, tax_mode, None))
    }

    /// Finds the product, and what its barcode says about price or quantity.
    fn look_up<'a>(&'a self, item: &'a ItemRef) -> (&'a str, Option<&'a Arc<Product>>, Scanned) {
        let code = match item {
            ItemRef::Sku(sku) => return (sku, self.state.catalog.by_sku(sku), Scanned::default()),
            ItemRef::Barcode(code) => code,
        };
        let Ok(barcode) = Barcode::parse(code, &self.store.embedded) else {
            return (code, self.state.catalog.by_code(code), Scanned::default());
        };
        let product = self.state.catalog.by_barcode(&barcode).or_else(|| self.state.catalog.by_code(code));
        (code, product, self.scanned(&barcode))
    }

    fn scanned(&self, barcode: &Barcode) -> Scanned {
        let exponent = u8::try_from(self.store.currency.exponent()).unwrap_or(2);
        // A number beyond 64 bits is beyond every bound that is checked later, too.
        let signed =
            |value: Option<u64>| value.and_then(|value| i64::try_from(value).ok()).unwrap_or(i64::MAX);
        // The label's price is that of the whole piece.
        let priced = |price: Scaled| Scanned {
            price: Some(Money(signed(price.rounded(exponent)))),
            quantity: Some(Quantity::ONE),
        };
        let weighed =
            |weight: Scaled| Scanned { price: None, quantity: Some(Quantity(signed(weight.rounded(3)))) };
        let counted = |count: u32| Scanned {
            price: None,
            quantity: Some(Quantity(i64::from(count).saturating_mul(1000))),
        };
        match barcode {
            Barcode::Embedded(embedded) => match embedded.value {
                EmbeddedValue::Price(price) => priced(price),
                EmbeddedValue::Weight(weight) => weighed(weight),
                EmbeddedValue::Count(count) => counted(count),
            },
            // A price in a currency that the label names itself says nothing about this store's.
            Barcode::Elements(elements) => {
                match (elements.price(), elements.net_weight(), elements.count()) {
                    (Some((price, None)), _, _) => priced(price),
                    (_, Some(weight), _) => weighed(weight),
                    (_, _, Some(count)) => counted(count),
                    _ => Scanned::default(),
                }
            }
            Barcode::Item(_) | Barcode::Text(_) => Scanned::default(),
        }
    }

    /// Runs the calculator over the lines that count.
    fn price(&self, sale: &mut Sale) -> Result<(), Refusal> {
        let cart: Vec<CartLine> = sale
            .live_lines()
            .map(|line| CartLine {
                unit_price: line.unit_price,
                quantity: line.quantity,
                discount: line.own_discount,
                rate: line.rate,
                mode: line.mode,
            })
            .collect();
        let rounding = sale.tax_rounding.unwrap_or(self.store.tax_rounding);
        let priced = cart::price(&cart, sale.receipt_discount, rounding);
        let gross: Money = priced.lines.iter().map(|line| line.gross).sum();
        // A discount must not hide amounts that sums over a day could not hold.
        if gross.max(priced.total) > MAX_TOTAL {
            return Err(refusal::total_too_large());
        }
        for (line, result) in sale.lines.iter_mut().filter(|line| !line.voided).zip(&priced.lines) {
            (line.discount, line.tax, line.total) = (result.discount, result.tax, result.total);
        }
        (sale.total, sale.tax) = (priced.total, priced.tax);
        Ok(())
    }
}

/// How much is sold of what carries a label with a weight or count: so many pieces with that label, or just what the
/// label says.
fn of_labels(asked: Quantity, label: Quantity) -> Result<Quantity, Refusal> {
    if asked == label {
        return Ok(label);
    }
    match (asked.0 % 1000, label.0.checked_mul(asked.0 / 1000)) {
        (0, Some(all)) => Ok(Quantity(all)),
        (0, None) => Err(refusal::bad_quantity()),
        _ => Err(refusal::label_differs(asked, label)),
    }
}

/// What a barcode says beside the product.
#[derive(Default)]
struct Scanned {
    price: Option<Money>,
    quantity: Option<Quantity>,
}

fn check_discount(discount: Option<Discount>) -> Result<(), Refusal> {
    match discount {
        Some(Discount::Amount(amount)) if amount < Money::ZERO || amount > MAX_PRICE => {
            Err(refusal::bad_amount("A discount"))
        }
        Some(Discount::Percent(Rate(rate))) if rate > 100_000 => Err(refusal::bad_percent()),
        _ => Ok(()),
    }
}
