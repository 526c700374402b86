//! Shifts and the cash that moves without a sale.

use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec;

use uuid::Uuid;

use super::{Decision, Desk, Refusal, refusal, short};
use crate::event::Event;
use crate::money::{MAX_PRICE, Money};
use crate::seal::Sealed;
use crate::shift::{Movement, MovementKind, Shift, Totals, ZReport};

fn check(what: &'static str, amount: Money) -> Result<(), Refusal> {
    if amount < Money::ZERO || amount > MAX_PRICE { Err(refusal::bad_amount(what)) } else { Ok(()) }
}

impl Desk<'_> {
    pub(super) fn open_shift(
        &self,
        id: Uuid,
        drawer: Arc<str>,
        cashier: Option<Arc<str>>,
        float: Money,
    ) -> Result<Decision, Refusal> {
        short("terminalId", &drawer)?;
        if let Some(cashier) = &cashier {
            short("cashierId", cashier)?;
        }
        check("The float", float)?;
        let taken = self.state.shifts.values().any(|shift| shift.id == id);
        if taken || self.state.shifts.contains_key(&drawer) {
            return Err(refusal::shift_open(&drawer));
        }
        let shift = Shift {
            id,
            drawer: drawer.clone(),
            cashier,
            opened_at: self.context.now.time,
            business_date: self.today,
            float,
            totals: Totals::default(),
        };
        let mut events = vec![Event::ShiftOpened(shift)];
        if !self.state.terminals.contains(&drawer) {
            events.insert(0, Event::TerminalSeen(drawer));
        }
        Ok(self.done(events))
    }

    pub(super) fn move_cash(
        &self,
        shift: Uuid,
        id: Uuid,
        kind: MovementKind,
        amount: Money,
        reason: Option<Sealed>,
    ) -> Result<Decision, Refusal> {
        self.find_shift(shift)?;
        check("The amount", amount)?;
        if (kind == MovementKind::NoSale) != (amount == Money::ZERO) {
            return Err(refusal::bad_amount(
                "The amount must be 0 for a no-sale and more for the others; it",
            ));
        }
        let movement = Movement { id, kind, amount, reason, at: self.context.now.time };
        Ok(self.done(vec![Event::CashMoved { shift, movement }]))
    }

    pub(super) fn close_shift(
        &self,
        id: Uuid,
        cashier: Option<Arc<str>>,
        counted: Money,
        confirm_clock: bool,
    ) -> Result<Decision, Refusal> {
        let shift = self.find_shift(id)?;
        check("The counted cash", counted)?;
        if let Some(cashier) = &cashier {
            short("cashierId", cashier)?;
        }
        if !self.context.now.trusted && !confirm_clock {
            return Err(refusal::clock_untrusted());
        }
        let report = ZReport {
            number: self.state.z_reports.saturating_add(1),
            shift: shift.clone(),
            closed_by: cashier,
            closed_at: self.context.now.time,
            expected: shift.expected_cash(),
            counted,
            head: self.context.head.to_string(),
            clock_trusted: self.context.now.trusted,
        };
        Ok(self.done(vec![Event::ShiftClosed(report)]))
    }

    fn find_shift(&self, id: Uuid) -> Result<&Shift, Refusal> {
        self.state.shifts.values().find(|shift| shift.id == id).ok_or_else(|| refusal::no_such_shift(id))
    }
}
