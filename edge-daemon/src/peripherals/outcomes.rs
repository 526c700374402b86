//! What became of what was asked of a device, and what follows from what happened, into the journal.

use std::sync::Arc;
use std::time::Duration;

use pos_domain::command::Command;
use pos_domain::event::{DrawerOutcome, PrintOutcome};
use tokio::time::sleep;
use uuid::Uuid;

use crate::checkout::{CommandKey, Origin, Shop, SubmitError};

/// Between two attempts to journal an outcome while the box is busy.
const WAIT: Duration = Duration::from_millis(500);
const ATTEMPTS: u32 = 10;

/// Journals outcomes. What cannot be journalled has none, and becomes *unknown* at the next start.
#[derive(Clone)]
pub(super) struct Outcomes(Shop);

impl Outcomes {
    pub(super) fn new(shop: Shop) -> Self {
        Self(shop)
    }

    pub(super) async fn printed(&self, job: Uuid, outcome: PrintOutcome, detail: &str) {
        tracing::info!(%job, ?outcome, detail, "print job ended");
        self.journal(|| Command::EndPrint { job, outcome, detail: detail.to_owned() }).await;
    }

    pub(super) async fn opened(&self, job: Uuid, outcome: DrawerOutcome, detail: &str) {
        tracing::info!(%job, ?outcome, detail, "opening of a drawer ended");
        self.journal(|| Command::EndDrawer { job, outcome, detail: detail.to_owned() }).await;
    }

    /// A drawer was opened without a command.
    pub(super) async fn alarm(&self, drawer: &str) {
        tracing::warn!(drawer, "the drawer was opened, and nobody had asked for it");
        self.journal(|| Command::ReportDrawer { drawer: drawer.to_owned() }).await;
    }

    /// The same, told by somebody who may tell it again under the same key. False where it is not in the journal, and is to
    /// be told again.
    pub(super) async fn alarm_once(&self, drawer: &str, key: CommandKey) -> bool {
        let command = Command::ReportDrawer { drawer: drawer.to_owned() };
        match self.0.submit(Some(key), command, Origin::default()).await {
            Ok(_) => {
                tracing::warn!(drawer, "the drawer was opened, and nobody had asked for it");
                true
            }
            Err(error @ (SubmitError::Refused(_) | SubmitError::KeyReused)) => {
                tracing::warn!(drawer, %error, "the opening of a drawer without a command cannot be journalled");
                true
            }
            Err(_) => false,
        }
    }

    /// Asks for something that follows from what happened: as long as the box is busy, again.
    pub(super) async fn ask(&self, command: Command, terminal: Option<&Arc<str>>) {
        let origin = Origin { terminal: terminal.cloned(), ..Origin::default() };
        self.submit(|| command.clone(), &origin).await;
    }

    async fn journal(&self, command: impl Fn() -> Command) {
        self.submit(command, &Origin::default()).await;
    }

    async fn submit(&self, command: impl Fn() -> Command, origin: &Origin) {
        for _ in 0..ATTEMPTS {
            match self.0.submit(None, command(), origin.clone()).await {
                Ok(_) => return,
                Err(SubmitError::NotReady(_)) => sleep(WAIT).await,
                Err(error) => {
                    tracing::warn!(command = ?command(), %error, "it could not be journalled");
                    return;
                }
            }
        }
        tracing::warn!(command = ?command(), "it could not be journalled: the box is busy");
    }
}
