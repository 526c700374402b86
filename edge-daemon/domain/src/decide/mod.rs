//! `decide(state, command, context) → events | refusal`: the whole of the shop's rules. Pure: the same inputs give the
//! same events, and nothing happens until the events are on disk and [`State::apply`] takes them in.

mod deliveries;
mod drawer;
mod lifecycle;
mod peripherals;
mod refusal;
mod selling;
mod stockroom;
#[cfg(test)]
pub(crate) mod tests;

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

pub use refusal::{Refusal, RefusalKind};

use crate::command::Command;
use crate::event::Event;
use crate::sale::Sale;
use crate::state::State;
use crate::store::StoreConfig;
use crate::time::{Date, Now, Zone};

/// What deciding needs beside the state.
pub struct Context<'a> {
    /// Journal time, and whether the clock is believed.
    pub now: Now,
    /// The store's time zone.
    pub zone: &'a dyn Zone,
    /// The sale that the command names (see [`Command::sale`]) if it is no longer open.
    pub closed_sale: Option<Arc<Sale>>,
    /// Position and hash of the last record, for a Z.
    pub head: &'a dyn core::fmt::Display,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// In this order, in one group. Empty: what was asked for is so already.
    pub events: Vec<Event>,
    /// The business date of the records.
    pub business_date: Date,
    /// The sale that the answer shows, where the command was about one.
    pub sale: Option<Arc<Sale>>,
}

/// Decides a command.
///
/// # Errors
///
/// A [`Refusal`] that says what to do; nothing has changed then.
pub fn decide(state: &State, command: Command, context: &Context<'_>) -> Result<Decision, Refusal> {
    match command {
        Command::StartEpoch { series, reason } => {
            let date =
                state.store.as_deref().map_or(state.business_date, |store| today(state, store, context));
            Ok(Decision {
                events: vec![Event::EpochStarted { series, reason }],
                business_date: date,
                sale: None,
            })
        }
        Command::Configure(store) => {
            let business_date = today(state, &store, context);
            let same = state.store.as_ref() == Some(&store);
            if let Some(old) = state.store.as_ref().filter(|old| old.currency != store.currency) {
                return Err(refusal::currency_changed(old.currency.code(), store.currency.code()));
            }
            let whose = |store: &StoreConfig| alloc::format!("{}/{}", store.tenant, store.store);
            if let Some(old) = state.store.as_deref().map(whose).filter(|old| *old != whose(&store)) {
                return Err(refusal::store_changed(&old, &whose(&store)));
            }
            let events = if same { vec![] } else { vec![Event::StoreConfigured(store)] };
            Ok(Decision { events, business_date, sale: None })
        }
        other => {
            let Some(store) = state.store.as_deref() else {
                return Err(refusal::not_configured());
            };
            let desk = Desk { state, store, context, today: today(state, store, context) };
            desk.decide(other)
        }
    }
}

/// The business date now: held where it was while the clock cannot be believed.
fn today(state: &State, store: &StoreConfig, context: &Context<'_>) -> Date {
    if !context.now.trusted && state.business_date > Date::default() {
        return state.business_date;
    }
    context.now.time.business_date(context.zone, store.cut_off_minutes)
}

/// Where commands are decided: the state, the store's rules, the moment.
struct Desk<'a> {
    state: &'a State,
    store: &'a StoreConfig,
    context: &'a Context<'a>,
    today: Date,
}

impl Desk<'_> {
    fn decide(&self, command: Command) -> Result<Decision, Refusal> {
        match command {
            Command::Sell(draft) => self.sell(draft),
            Command::AddLines { sale, lines } => self.add_lines(sale, lines),
            Command::VoidLine { sale, line } => self.void_line(sale, line),
            Command::Pay { sale, tender } => self.pay(sale, tender),
            Command::ChangeSale { sale, change, reason, terminal } => {
                self.change_sale(sale, change, reason, terminal)
            }
            Command::PutProducts { products, if_version } => self.put_products(products, if_version),
            Command::TakeDelivery(delivery) => self.take_delivery(delivery),
            Command::PutPricesInForce => Ok(self.put_prices_in_force()),
            Command::AdjustStock { id, product, change, reason, user, note } => {
                self.adjust_stock(id, &product, change, reason, user, note)
            }
            Command::PutCustomer(draft) => self.put_customer(draft),
            Command::EraseCustomer(id) => self.erase_customer(id),
            Command::OpenShift { id, drawer, cashier, float } => self.open_shift(id, drawer, cashier, float),
            Command::MoveCash { shift, id, kind, amount, reason } => {
                self.move_cash(shift, id, kind, amount, reason)
            }
            Command::CloseShift { shift, cashier, counted, confirm_clock } => {
                self.close_shift(shift, cashier, counted, confirm_clock)
            }
            Command::AskPrint(wish) => self.ask_print(wish),
            Command::EndPrint { job, outcome, detail } => self.end_print(job, outcome, detail),
            Command::SettlePrint(job) => self.settle_print(job),
            Command::OpenDrawer { id, drawer, terminal, reason } => {
                self.open_drawer(id, drawer, terminal, reason)
            }
            Command::EndDrawer { job, outcome, detail } => self.end_drawer(job, outcome, detail),
            Command::PutDevice(setup) => self.put_device(setup),
            Command::RemoveDevice(id) => self.remove_device(id),
            Command::ReportDrawer { drawer } => self.report_drawer(drawer),
            Command::TakeInstruction { id, name, target, text } => {
                self.take_instruction(id, name, target, text)
            }
            Command::EndInstruction { id, outcome, detail } => self.end_instruction(id, outcome, &detail),
            // Both were decided before there was a desk.
            Command::StartEpoch { .. } | Command::Configure(_) => Ok(self.done(vec![])),
        }
    }

    fn done(&self, events: Vec<Event>) -> Decision {
        Decision { events, business_date: self.today, sale: None }
    }

    /// The decision about a sale: its event, and what follows from it.
    fn sale_done(&self, mut events: Vec<Event>, sale: Arc<Sale>) -> Decision {
        if !self.state.terminals.contains(&sale.terminal) {
            events.insert(0, Event::TerminalSeen(sale.terminal.clone()));
        }
        Decision { events, business_date: self.today, sale: Some(sale) }
    }
}

/// The longest short text (names of tills, cashiers, references), in bytes.
pub const MAX_NAME: usize = 200;

fn short(what: &'static str, text: &str) -> Result<(), Refusal> {
    if text.is_empty() || text.len() > MAX_NAME || text.chars().any(char::is_control) {
        return Err(refusal::bad_name(what));
    }
    Ok(())
}

fn short_option(what: &'static str, text: Option<&String>) -> Result<(), Refusal> {
    text.map_or(Ok(()), |text| short(what, text))
}
