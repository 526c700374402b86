//! What is to be printed, which drawer is to be opened, what head office has done: intents before the act, outcomes after it.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;

use uuid::Uuid;

use super::{Decision, Desk, MAX_NAME, Refusal, refusal, short};
use crate::command::PrintWish;
use crate::event::{
    DeviceSetup, DrawerJob, DrawerOutcome, DrawerReason, Event, Instruction, InstructionOutcome, PrintJob,
    PrintOutcome, Sheet,
};
use crate::sale::Sale;
use crate::seal::Sealed;

/// Devices that can be configured while the box runs.
const MAX_DEVICES: usize = 200;
/// Instructions of head office that are being carried out.
const MAX_INSTRUCTIONS: usize = 100;
/// Settings of one device, and bytes of one of them.
const MAX_SETTINGS: usize = 50;
const MAX_SETTING: usize = 1_000;

impl Desk<'_> {
    pub(super) fn ask_print(&self, wish: PrintWish) -> Result<Decision, Refusal> {
        let PrintWish { id, sale, printer, sheet, copy, may_kick, instead_of } = wish;
        short("printer", &printer)?;
        if let Sheet::Orders(departments) = &sheet {
            departments.iter().try_for_each(|department| short("department", department))?;
        }
        let mut events = vec![];
        if let Some(old) = instead_of {
            if self.state.printing.contains_key(&old) {
                let detail = cut(&format!("moved to {printer}"));
                events.push(Event::PrintEnded { job: old, outcome: PrintOutcome::NotPrinted, detail });
            } else if !self.state.unprinted.contains_key(&old) {
                return Err(refusal::job_settled(old));
            }
        }
        let kick = match sheet {
            Sheet::Test => false,
            Sheet::Receipt | Sheet::Orders(_) => {
                let sale = self.printable(sale)?;
                may_kick && !copy && instead_of.is_none() && sheet == Sheet::Receipt && sale.moved_cash()
            }
        };
        let at = self.context.now.time;
        let job = PrintJob { id, sale, printer, copy, kick, at, sheet, instead_of };
        events.push(Event::PrintAsked(job));
        Ok(self.done(events))
    }

    fn printable(&self, sale: Uuid) -> Result<&Sale, Refusal> {
        let open = self.state.open_sales.get(&sale);
        let Some(sale) = open.or(self.context.closed_sale.as_ref()) else {
            return Err(refusal::no_such_sale(sale));
        };
        if sale.receipt.is_none() {
            return Err(refusal::not_printable(sale.status));
        }
        Ok(sale)
    }

    pub(super) fn end_print(
        &self,
        job: Uuid,
        outcome: PrintOutcome,
        detail: String,
    ) -> Result<Decision, Refusal> {
        if !self.state.printing.contains_key(&job) {
            return Err(refusal::no_such_job(job));
        }
        Ok(self.done(vec![Event::PrintEnded { job, outcome, detail: cut(&detail) }]))
    }

    pub(super) fn settle_print(&self, job: Uuid) -> Result<Decision, Refusal> {
        let mut events = vec![];
        if self.state.printing.contains_key(&job) {
            let detail = "taken back by hand".into();
            events.push(Event::PrintEnded { job, outcome: PrintOutcome::NotPrinted, detail });
        } else if !self.state.unprinted.contains_key(&job) {
            return Err(refusal::job_settled(job));
        }
        events.push(Event::PrintSettled(job));
        Ok(self.done(events))
    }

    pub(super) fn open_drawer(
        &self,
        id: Uuid,
        drawer: String,
        terminal: Option<Arc<str>>,
        reason: DrawerReason,
    ) -> Result<Decision, Refusal> {
        short("drawer", &drawer)?;
        if let Some(terminal) = &terminal {
            short("terminalId", terminal)?;
        }
        if let DrawerReason::Asked(words) = &reason {
            short("reason", words)?;
        }
        let at = self.context.now.time;
        Ok(self.done(vec![Event::DrawerAsked(DrawerJob { id, drawer, terminal, reason, at })]))
    }

    pub(super) fn end_drawer(
        &self,
        job: Uuid,
        outcome: DrawerOutcome,
        detail: String,
    ) -> Result<Decision, Refusal> {
        if !self.state.opening.contains_key(&job) {
            return Err(refusal::no_such_job(job));
        }
        Ok(self.done(vec![Event::DrawerEnded { job, outcome, detail: cut(&detail) }]))
    }

    pub(super) fn put_device(&self, setup: DeviceSetup) -> Result<Decision, Refusal> {
        short("id", &setup.id)?;
        short("section", &setup.section)?;
        for (key, value) in &setup.settings {
            short("settings", key)?;
            if value.len() > MAX_SETTING || value.chars().any(char::is_control) {
                return Err(refusal::bad_name("settings"));
            }
        }
        let known = &self.state.devices;
        if setup.settings.len() > MAX_SETTINGS
            || (known.len() >= MAX_DEVICES && !known.contains_key(&setup.id))
        {
            return Err(refusal::too_many_devices());
        }
        Ok(self.done(vec![Event::DevicePut(setup)]))
    }

    pub(super) fn remove_device(&self, id: String) -> Result<Decision, Refusal> {
        if !self.state.devices.contains_key(&id) {
            return Err(refusal::no_such_device(&id));
        }
        Ok(self.done(vec![Event::DeviceRemoved(id)]))
    }

    pub(super) fn take_instruction(
        &self,
        id: Uuid,
        name: String,
        target: Option<Arc<str>>,
        text: Option<Sealed>,
    ) -> Result<Decision, Refusal> {
        short("name", &name)?;
        if let Some(target) = &target {
            short("target", target)?;
        }
        if self.state.instructions.len() >= MAX_INSTRUCTIONS {
            return Err(refusal::too_many_instructions());
        }
        let at = self.context.now.time;
        Ok(self.done(vec![Event::InstructionTaken(Instruction { id, name, target, text, at })]))
    }

    pub(super) fn end_instruction(
        &self,
        id: Uuid,
        outcome: InstructionOutcome,
        detail: &str,
    ) -> Result<Decision, Refusal> {
        if !self.state.instructions.contains_key(&id) {
            return Err(refusal::no_such_job(id));
        }
        Ok(self.done(vec![Event::InstructionEnded { id, outcome, detail: cut(detail) }]))
    }

    pub(super) fn report_drawer(&self, drawer: String) -> Result<Decision, Refusal> {
        short("drawer", &drawer)?;
        Ok(self.done(vec![Event::DrawerAlarm { drawer }]))
    }
}

fn cut(detail: &str) -> String {
    detail.chars().take(MAX_NAME).collect()
}
