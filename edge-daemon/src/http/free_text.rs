//! Free text (reasons, notes): sealed before it becomes part of a command, because people write names into it.

use pos_domain::seal::Sealed;
use uuid::Uuid;

use super::problem::Problem;
use crate::checkout::{Shop, Subject};

/// The longest free text, in bytes.
const MAX_TEXT: usize = 1000;

/// Seals the texts that belong to one record. May write a key to disk: see `use_by`.
#[derive(Clone)]
pub(super) struct Envelope {
    shop: Shop,
    subject: Subject,
    record: Uuid,
}

impl Envelope {
    /// For texts of `record`, which is about `customer` if it is about anybody.
    pub(super) fn new(shop: &Shop, customer: Option<Uuid>, record: Uuid) -> Self {
        // A person whom nobody knows gets no key: the command will be refused.
        let known =
            |id: &Uuid| shop.state().customers.get(id).is_some_and(|account| account.customer.is_some());
        let subject = customer.filter(known).map_or(Subject::Text, Subject::Customer);
        Self { shop: shop.clone(), subject, record }
    }

    /// Seals one text, if there is one.
    pub(super) fn seal(&self, field: &str, text: Option<&str>) -> Result<Option<Sealed>, Problem> {
        let Some(text) = text else { return Ok(None) };
        if text.is_empty() || text.len() > MAX_TEXT {
            let detail = format!(
                "Free text has 1 to {MAX_TEXT} bytes; leave the field out if there is nothing to say."
            );
            return Err(Problem::impossible("bad-text", detail).at(field));
        }
        let sealed = self.shop.seal(self.subject, self.record, text.as_bytes());
        sealed.map(Some).map_err(Problem::from)
    }

    /// Makes something that may need sealing: on a thread that may block, if `needed`.
    pub(super) async fn use_by<T: Send + 'static>(
        self,
        needed: bool,
        make: impl FnOnce(&Self) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        if needed { off_thread(move || make(&self)).await } else { make(&self) }
    }
}

/// Runs what may block (reads of history, keys) beside the threads that serve connections.
pub(super) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(_) => Err(Problem::internal("The work was broken off; send the request again.")),
    }
}
