//! Who may do what: every write asks here, and nowhere else.
//!
//! There is no sign-on yet: everybody who reaches the box may do everything, and the box is reached on loopback only. What
//! an actor is allowed will be looked up here.

use pos_domain::command::Command;
use pos_journal::codec::Origin;

use super::shop::SubmitError;

/// Whether the origin's actor may have the command decided.
///
/// # Errors
/// None yet.
pub(super) fn authorize(origin: &Origin, command: &Command) -> Result<(), SubmitError> {
    tracing::trace!(actor = origin.actor.as_deref(), action = command.action(), "allowed");
    Ok(())
}
