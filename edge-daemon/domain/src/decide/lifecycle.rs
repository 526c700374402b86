//! What becomes of a sale after ringing up: suspended, resumed, cancelled, completed, voided, refunded; printed.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Reverse;

use uuid::Uuid;

use super::{Decision, Desk, Refusal, refusal, short};
use crate::command::{Change, RefundLine, TenderDraft};
use crate::event::{Event, Step};
use crate::money::Money;
use crate::quantity::Quantity;
use crate::sale::{Kind, Line, MAX_LINES, Returned, Sale, Status};
use crate::seal::Sealed;
use crate::tender::{Method, PaymentStatus, Settlement};

impl Desk<'_> {
    pub(super) fn change_sale(
        &self,
        id: Uuid,
        change: Change,
        reason: Option<Sealed>,
        terminal: Option<Arc<str>>,
    ) -> Result<Decision, Refusal> {
        if let Some(terminal) = &terminal {
            short("terminalId", terminal)?;
        }
        match change {
            Change::Void => self.void(id, reason, terminal),
            Change::Refund { id: refund, lines, tenders } => {
                self.refund(id, refund, &lines, tenders, reason, terminal)
            }
            Change::Complete => {
                let mut sale = self.open_sale(id, "completed")?;
                sale.reason = reason.or(sale.reason);
                if sale.live_lines().next().is_none() {
                    return Err(refusal::nothing_to_sell());
                }
                let mut paid = self.settlement(&sale);
                if sale.total == Money::ZERO {
                    paid.settled = true;
                }
                if !paid.settled {
                    return Err(refusal::still_due(sale.currency.format(paid.due)));
                }
                self.complete(sale, Step::Completed, paid, vec![])
            }
            Change::Suspend => {
                let mut sale = self.open_sale(id, "suspended")?;
                sale.status = Status::Suspended;
                Ok(self.changed(sale, Step::Suspended, reason))
            }
            Change::Resume => {
                let mut sale = self.pending_sale(id, Status::Suspended, "open")?;
                sale.status = Status::Open;
                Ok(self.changed(sale, Step::Resumed, reason))
            }
            Change::Cancel => {
                let from = self.state.open_sales.get(&id).map_or(Status::Open, |sale| sale.status);
                let mut sale = self.pending_sale(id, from, "cancelled")?;
                reverse_money(&mut sale)?;
                sale.status = Status::Cancelled;
                sale.due = Money::ZERO;
                Ok(self.changed(sale, Step::Cancelled, reason))
            }
        }
    }

    fn pending_sale(&self, id: Uuid, needed: Status, to: &str) -> Result<Sale, Refusal> {
        match (self.state.open_sales.get(&id), &self.context.closed_sale) {
            (Some(sale), _) if sale.status == needed => Ok(Sale::clone(sale)),
            (Some(sale), _) => Err(refusal::illegal(sale.status, to)),
            (None, Some(sale)) => Err(refusal::illegal(sale.status, to)),
            (None, None) => Err(refusal::no_such_sale(id)),
        }
    }

    fn changed(&self, mut sale: Sale, step: Step, reason: Option<Sealed>) -> Decision {
        sale.reason = reason.or(sale.reason);
        let sale = Arc::new(sale);
        self.sale_done(vec![Event::Sale { step, sale: sale.clone() }], sale)
    }

    /// The sale, if it was completed.
    fn closed_sale(&self, id: Uuid, to: &str) -> Result<Sale, Refusal> {
        match (self.state.open_sales.get(&id), &self.context.closed_sale) {
            (Some(sale), _) => Err(refusal::illegal(sale.status, to)),
            (None, Some(sale)) => Ok(Sale::clone(sale)),
            (None, None) => Err(refusal::no_such_sale(id)),
        }
    }

    fn void(
        &self,
        id: Uuid,
        reason: Option<Sealed>,
        terminal: Option<Arc<str>>,
    ) -> Result<Decision, Refusal> {
        let mut sale = self.closed_sale(id, "voided")?;
        // A return cannot be undone: its original already counts what came back.
        if sale.status != Status::Completed || sale.original.is_some() {
            return Err(refusal::illegal(sale.status, "voided"));
        }
        if sale.business_date != self.today {
            return Err(refusal::void_too_late());
        }
        reverse_money(&mut sale)?;
        sale.status = Status::Voided;
        // The money leaves the drawer where it is voided, whichever took it.
        let till = terminal.unwrap_or_else(|| sale.terminal.clone());
        sale.shift = self.shift_at(&till, sale.training)?.map(|shift| shift.id);
        Ok(self.changed(sale, Step::Voided, reason))
    }

    fn refund(
        &self,
        id: Uuid,
        refund_id: Uuid,
        wanted: &[RefundLine],
        tenders: Vec<TenderDraft>,
        reason: Option<Sealed>,
        terminal: Option<Arc<str>>,
    ) -> Result<Decision, Refusal> {
        let mut original = self.closed_sale(id, "refunded")?;
        let refundable = matches!(original.status, Status::Completed | Status::PartiallyRefunded);
        if !refundable || original.kind == Kind::Return {
            return Err(refusal::illegal(original.status, "refunded"));
        }
        if self.state.open_sales.contains_key(&refund_id) || refund_id == id {
            return Err(refusal::duplicate_sale(refund_id));
        }
        let given_back = original.live_lines().map(|line| line.returned.total).sum();
        let points_before = self.points_of_rest(&original);
        let lines = take_back(&mut original, wanted)?;
        let mut sale = self.return_of(&original, refund_id, lines);
        if original.customer.is_some() && !sale.training {
            sale.points = points_before - self.points_of_rest(&original);
        }
        sale.reason = reason;
        if let Some(terminal) = terminal {
            sale.terminal = terminal;
        }
        let tenders =
            if tenders.is_empty() { self.as_it_came(&original, given_back, sale.total) } else { tenders };
        for tender in tenders {
            self.push_tender(&mut sale, tender)?;
        }
        let paid = self.payout(&mut original, &sale)?;
        let all_back = original.live_lines().all(|line| line.returned.quantity == line.quantity);
        original.status = if all_back { Status::Refunded } else { Status::PartiallyRefunded };
        let follow = Event::Sale { step: Step::Refunded, sale: Arc::new(original) };
        self.complete(sale, Step::Sold, paid, vec![follow])
    }

    /// How a linked return is settled. Its cash is rounded together with what earlier returns gave in cash: in parts no
    /// more goes back than at once.
    fn payout(&self, original: &mut Sale, sale: &Sale) -> Result<Settlement, Refusal> {
        let (mut cash, mut other) = (Money::ZERO, Money::ZERO);
        for (method, amount) in sale.money() {
            *(if method == Method::Cash { &mut cash } else { &mut other }) += amount;
        }
        let exact = sale.total - other;
        let due = self.cash_back(original, exact);
        if exact < Money::ZERO || cash != due {
            return Err(refusal::payout_differs(sale.currency.format(other.min(sale.total) + due)));
        }
        original.returned_cash += exact;
        Ok(Settlement { rounding: due - exact, settled: true, ..Settlement::default() })
    }

    /// The cash to give back for a part of a sale that is `exact` before rounding.
    fn cash_back(&self, original: &Sale, exact: Money) -> Money {
        let increment = self.store.cash_increment;
        let before = original.returned_cash;
        (before + exact.max(Money::ZERO)).round_to(increment) - before.round_to(increment)
    }

    /// The tenders of a refund that names none: the money goes back as it came, first by the method that brought most.
    /// What earlier refunds gave back is passed over, so that no card gets back more than it paid.
    fn as_it_came(&self, original: &Sale, given_back: Money, total: Money) -> Vec<TenderDraft> {
        let sum =
            |method| original.money().filter(|(m, _)| *m == method).map(|(_, amount)| amount).sum::<Money>();
        let other: Money = Method::ALL.into_iter().filter(|method| *method != Method::Cash).map(sum).sum();
        // Cash brought what the others left, change and rounding aside.
        let part = |method| if method == Method::Cash { original.total - other } else { sum(method) };
        let mut parts = Method::ALL.map(|method| (method, part(method)));
        parts.sort_by_key(|(_, amount)| Reverse(*amount));
        let worth = self.store.loyalty.map_or(0, |loyalty| loyalty.worth.0.max(0));
        let (mut passed, mut cash, mut tenders) = (given_back, total, Vec::new());
        let mut left = total;
        for (method, amount) in parts {
            let gone = passed.min(amount);
            let take = (amount - gone).min(left);
            (passed, left) = (passed - gone, left - take);
            let take = match method {
                Method::Cash => Money::ZERO,
                // Points go back whole; what is less than one is paid out.
                Method::Points => Money(take.0 - take.0.checked_rem(worth).unwrap_or(take.0)),
                Method::Card | Method::Mobile | Method::Voucher => take,
            };
            if take.is_positive() {
                tenders.push(TenderDraft { method, amount: take, reference: None, foreign: None });
                cash -= take;
            }
        }
        if cash.is_positive() {
            let amount = self.cash_back(original, cash);
            tenders.push(TenderDraft { method: Method::Cash, amount, reference: None, foreign: None });
        }
        tenders
    }

    /// Points for what is left of a sale: a refund takes back the difference it makes.
    fn points_of_rest(&self, sale: &Sale) -> i64 {
        let net: Money = sale
            .live_lines()
            .map(|line| line.total - line.tax - (line.returned.total - line.returned.tax))
            .sum();
        // A scheme that was changed since must not take back more than was given.
        self.store.loyalty.map_or(0, |loyalty| loyalty.points(net)).min(sale.points)
    }

    fn return_of(&self, original: &Sale, id: Uuid, lines: Vec<Line>) -> Sale {
        Sale {
            id,
            kind: Kind::Return,
            status: Status::Open,
            started_at: self.context.now.time,
            business_date: self.today,
            completed_at: None,
            late: false,
            unlinked: false,
            provisional_number: None,
            receipt: None,
            total: lines.iter().map(|line| line.total).sum(),
            tax: lines.iter().map(|line| line.tax).sum(),
            lines,
            receipt_discount: None,
            reason: None,
            tenders: Vec::new(),
            rounding: Money::ZERO,
            change: Money::ZERO,
            due: Money::ZERO,
            original: Some(original.id),
            shift: None,
            points: 0,
            points_spent: None,
            returned_cash: Money::ZERO,
            ..original.clone()
        }
    }
}

/// Marks tenders as given back; money that nobody is sure of stops it.
fn reverse_money(sale: &mut Sale) -> Result<(), Refusal> {
    let uncertain = |status| matches!(status, PaymentStatus::Pending | PaymentStatus::Unknown);
    if sale.tenders.iter().any(|tender| uncertain(tender.status)) {
        return Err(refusal::money_uncertain());
    }
    for tender in sale.tenders.iter_mut().filter(|tender| tender.status == PaymentStatus::Approved) {
        tender.status = PaymentStatus::Reversed;
    }
    Ok(())
}

/// Takes lines back: marks them on the original and gives the lines of the return. A line gives back what was paid
/// for it, at most what is left of it; the last part takes the remainder.
fn take_back(original: &mut Sale, wanted: &[RefundLine]) -> Result<Vec<Line>, Refusal> {
    if wanted.len() > MAX_LINES {
        return Err(refusal::too_many_lines());
    }
    let mut wanted: Vec<RefundLine> = wanted.to_vec();
    if wanted.is_empty() {
        let left = |line: &Line| line.quantity - line.returned.quantity;
        let rest = original.live_lines().filter(|line| left(line) > Quantity::ZERO);
        wanted = rest
            .map(|line| RefundLine { line: original.line_id(line.number), quantity: left(line) })
            .collect();
    }
    let mut lines = Vec::with_capacity(wanted.len());
    for ask in wanted {
        let number = original.line_by_id(ask.line).filter(|line| !line.voided).map(|line| line.number);
        let Some(line) = number.and_then(|n| original.lines.iter_mut().find(|l| l.number == n)) else {
            return Err(refusal::no_such_line(ask.line));
        };
        let left = line.quantity - line.returned.quantity;
        if ask.quantity <= Quantity::ZERO {
            return Err(refusal::bad_quantity());
        }
        if ask.quantity > left {
            return Err(refusal::refund_too_much(left));
        }
        let share = |paid: Money, before: Money| {
            let rest = paid - before;
            if ask.quantity == left { rest } else { paid.scale(ask.quantity.0, line.quantity.0).min(rest) }
        };
        let total = share(line.total, line.returned.total);
        let back = Returned {
            quantity: ask.quantity,
            total,
            // The tax follows the money, so that all of it is back when the money is.
            tax: line.tax.scale((line.returned.total + total).0, line.total.0) - line.returned.tax,
            discount: share(line.discount, line.returned.discount),
        };
        line.returned.quantity += back.quantity;
        line.returned.total += back.total;
        line.returned.tax += back.tax;
        line.returned.discount += back.discount;
        lines.push(Line {
            number: u16::try_from(lines.len() + 1).unwrap_or(u16::MAX),
            quantity: back.quantity,
            discount: back.discount,
            tax: back.tax,
            total: back.total,
            own_discount: None,
            reason: None,
            list_price: None,
            returned: Returned::default(),
            ..line.clone()
        });
    }
    Ok(lines)
}
