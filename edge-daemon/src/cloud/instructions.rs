//! What head office has the box do: at most once, with its intent in the journal before the act and its outcome after it.
//!
//! A command may come again: because the answer was lost, because the daemon was killed. Its id is the idempotency key of both records, so
//! that the second one is answered with what the first came to, and *unknown* is said where nobody knows.

use std::path::PathBuf;
use std::sync::Arc;

use cloud_bridge::messages::{self, Command, Order, Outcome, Reply};
use cloud_bridge::mqtt::{Message, With};
use cloud_bridge::{Address, Answer, Topic};
use pos_domain::command::{self, PrintWish};
use pos_domain::event::{Event, InstructionOutcome, Sheet};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;
use uuid::Uuid;

use super::support::{self, Bundle};
use crate::checkout::{CommandKey, Done, Origin, Shop, Subject, SubmitError};
use crate::peripherals::Devices;

/// The longest message to who stands at the tills, in characters.
const MAX_TEXT: usize = 500;
/// Who asks, in the journal.
pub(super) const HEAD_OFFICE: &str = "head-office";

/// Carries out what head office asks for, one after another.
pub(super) struct Foreman {
    pub(super) shop: Shop,
    pub(super) devices: Devices,
    pub(super) address: Address,
    /// Turns true when the daemon is to start anew.
    pub(super) restart: watch::Sender<bool>,
    /// Where support bundles are collected, and the configuration that goes into them.
    pub(super) support: PathBuf,
    pub(super) config: Arc<str>,
}

impl Foreman {
    /// What was begun before the daemon was started: a restart has come about, and of all else nobody knows.
    pub(super) async fn settle(&self) {
        let begun: Vec<_> = self.shop.state().instructions.values().cloned().collect();
        for instruction in begun {
            let (outcome, detail) = match instruction.name.as_str() {
                "reboot-service" => (InstructionOutcome::Done, "started anew"),
                _ => (InstructionOutcome::Unknown, "the box was started anew before it was said to be done"),
            };
            if let Err(error) = self.end(instruction.id, outcome, detail.to_owned()).await {
                tracing::warn!(%error, "what became of an instruction of head office could not be written down");
            }
        }
    }

    /// Carries a message out; what is to be answered. `None`: nothing yet, the broker is to keep it.
    pub(super) async fn carry_out(&self, message: Message) -> Option<Answer> {
        let Some((_, Topic::Command(name))) = Address::parse(message.topic()) else {
            return Some(Answer { said: None, taken: Some(message) });
        };
        let reply = match messages::read::<Command>(message.payload()) {
            Ok(command) if command.order.name() == name => self.answer(command).await?,
            Ok(command) => Reply {
                id: command.id,
                outcome: Outcome::Refused,
                detail: format!("it is called {}, and came as {name}", command.order.name()),
            },
            Err(error) => Reply { id: Uuid::nil(), outcome: Outcome::Refused, detail: error.to_string() },
        };
        let correlation = message.answer_to().and_then(|(_, data)| data.map(<[u8]>::to_vec));
        // Answers go where this box may write, whatever was asked for.
        let topic = self.address.topic(Topic::Reply(name));
        let said =
            messages::write(&reply).ok().map(|bytes| (topic, bytes, With { correlation, ..With::default() }));
        Some(Answer { said, taken: Some(message) })
    }

    async fn answer(&self, command: Command) -> Option<Reply> {
        let Command { id, expires_at, order } = command;
        let reply = |outcome, detail: String| Some(Reply { id, outcome, detail });
        let now = self.shop.now();
        // A clock that cannot be believed knows no expiry; the broker's does.
        if now.trusted && expires_at <= now.time.0 {
            return reply(Outcome::Expired, "it came too late".to_owned());
        }
        if order == Order::Ping {
            return reply(Outcome::Done, env!("CARGO_PKG_VERSION").to_owned());
        }
        match self.take(id, &order).await {
            Ok(taken) if taken.repeated => {
                let detail = "it was begun before, and nobody knows what came of it".to_owned();
                match self.end(id, InstructionOutcome::Unknown, detail).await {
                    Ok((outcome, detail)) => reply(said(outcome), detail),
                    Err(error) => reply(Outcome::Unknown, error.to_string()),
                }
            }
            Ok(_) => {
                let (outcome, detail) = match self.act(id, order).await {
                    Acted::Ended(outcome, detail) => (outcome, detail),
                    // It comes again after the restart, and is answered then.
                    Acted::EndsWithTheDaemon => return None,
                };
                match self.end(id, outcome, detail).await {
                    Ok((outcome, detail)) => reply(said(outcome), detail),
                    Err(error) => reply(Outcome::Unknown, error.to_string()),
                }
            }
            Err(error) => reply(Outcome::Refused, error.to_string()),
        }
    }

    /// Writes the intent down.
    async fn take(&self, id: Uuid, order: &Order) -> Result<Done, SubmitError> {
        let (target, text) = match order {
            Order::Print { printer } => (Some(printer.as_str()), None),
            Order::Message { terminal, text } => (terminal.as_deref(), Some(text.clone())),
            _ => (None, None),
        };
        let text = match text {
            Some(text) if text.is_empty() || text.chars().count() > MAX_TEXT => {
                return Err(SubmitError::NotReady(format!("a message has 1 to {MAX_TEXT} characters")));
            }
            Some(text) => {
                let shop = self.shop.clone();
                let sealing =
                    tokio::task::spawn_blocking(move || shop.seal(Subject::Text, id, text.as_bytes()));
                let sealed = sealing.await.map_err(|error| SubmitError::NotReady(error.to_string()))?;
                Some(sealed.map_err(|error| SubmitError::NotReady(error.to_string()))?)
            }
            None => None,
        };
        let name = order.name().to_owned();
        let command = command::Command::TakeInstruction { id, name, target: target.map(Into::into), text };
        self.shop.submit(Some(key("taken", id)), command, origin()).await
    }

    async fn act(&self, id: Uuid, order: Order) -> Acted {
        match order {
            // That it is in the journal is its effect: the tills hear of it.
            Order::Message { .. } => Acted::Ended(InstructionOutcome::Done, String::new()),
            Order::Print { printer } => self.print(id, printer).await,
            Order::RebootService => {
                self.restart.send_replace(true);
                Acted::EndsWithTheDaemon
            }
            Order::CollectSupportBundle => {
                let bundle = Bundle::of(&self.shop, &self.devices, &self.config);
                let folder = self.support.clone();
                match tokio::task::spawn_blocking(move || support::write(&folder, id, &bundle)).await {
                    Ok(Ok(path)) => Acted::Ended(InstructionOutcome::Done, path.display().to_string()),
                    Ok(Err(error)) => Acted::Ended(InstructionOutcome::Refused, error.to_string()),
                    Err(error) => Acted::Ended(InstructionOutcome::Unknown, error.to_string()),
                }
            }
            // Both are answered without a record.
            Order::Ping | Order::Resend { .. } => Acted::Ended(InstructionOutcome::Done, String::new()),
        }
    }

    async fn print(&self, id: Uuid, printer: String) -> Acted {
        let refused = |detail| Acted::Ended(InstructionOutcome::Refused, detail);
        if let Err(error) = self.devices.get(&printer) {
            return refused(error.to_string());
        }
        let wish = PrintWish {
            id,
            sale: Uuid::nil(),
            printer,
            sheet: Sheet::Test,
            copy: false,
            may_kick: false,
            instead_of: None,
        };
        let asked =
            self.shop.submit(Some(key("print", id)), command::Command::AskPrint(wish), origin()).await;
        match asked {
            Ok(_) => Acted::Ended(InstructionOutcome::Done, format!("print job {id}")),
            Err(error) => refused(error.to_string()),
        }
    }

    /// Writes the outcome down; the one that was written down before, if one was.
    async fn end(
        &self,
        id: Uuid,
        outcome: InstructionOutcome,
        detail: String,
    ) -> Result<(InstructionOutcome, String), SubmitError> {
        let command = command::Command::EndInstruction { id, outcome, detail: detail.clone() };
        let done = self.shop.submit(Some(key("ended", id)), command, origin()).await?;
        let written = done.events.iter().find_map(|event| match &**event {
            Event::InstructionEnded { outcome, detail, .. } => Some((*outcome, detail.clone())),
            _ => None,
        });
        Ok(written.unwrap_or((outcome, detail)))
    }
}

enum Acted {
    Ended(InstructionOutcome, String),
    EndsWithTheDaemon,
}

fn said(outcome: InstructionOutcome) -> Outcome {
    match outcome {
        InstructionOutcome::Done => Outcome::Done,
        InstructionOutcome::Refused => Outcome::Refused,
        InstructionOutcome::Unknown => Outcome::Unknown,
    }
}

pub(super) fn origin() -> Origin {
    Origin { actor: Some(HEAD_OFFICE.into()), ..Origin::default() }
}

/// One record of a kind for each id, whatever is in it.
fn key(kind: &str, id: Uuid) -> CommandKey {
    let request: [u8; 32] = Sha256::new_with_prefix(kind).chain_update(id.as_bytes()).finalize().into();
    let mut key = [0; 16];
    key.iter_mut().zip(request).for_each(|(to, from)| *to = from);
    CommandKey { key, request }
}

#[cfg(test)]
mod tests;
