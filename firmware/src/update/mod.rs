//! Firmware updates over the link: two slots for images, and what becomes of a new one.
//!
//! | word | what |
//! |---|---|
//! | *image* | a signed [`Header`] and a body |
//! | *slot* | room for an image in the flash; there are two |
//! | *active* | the slot whose image was confirmed; it is never written to |
//! | *spare* | the other one: an update goes there |
//! | *trial* | the spare's image is run a few times, and has to confirm that all is well |
//! | *floor* | the highest version that was confirmed; nothing below it runs, nothing that is not above it is taken |
//! | *unit* | what is read or written at once, 512 bytes |
//! | *sector* | what the flash erases at once: whole units |
//!
//! The boot loader calls [`load()`], and that [`boot()`], which is the only one that knows signatures; what runs has a [`Receiver`], which
//! takes images and confirms the one that is on trial. Both see the flash through a [`Store`]; a [`SerialFlash`] is one that a chip's ROM
//! writes.

use device_drivers::Moment;
use pos_link::{ToController, ToHost, UpdateRefusal};

mod boot;
mod image;
mod loader;
mod receiver;
mod serial;
mod state;
mod store;

pub use boot::{Decision, boot, decide};
pub use image::{HEADER, Header, Target, Unfit, fingerprint, is_signed};
pub use loader::{key_of, kind_of, load};
pub use receiver::{Receiver, TRIAL_PATIENCE};
pub use serial::{PAGE, SECTOR, SerialChip, SerialError, SerialFlash};
pub use state::{Outcome, Phase, Slot, State};
pub use store::{Layout, NotLoaded, Store};

/// Who takes updates for a controller: a [`Receiver`], or [`NoSlot`].
pub trait Updates {
    /// The host said this. Gives whether it was about an update. What finds no [room](Updates::has_room) is refused.
    fn handle(&mut self, _said: &ToController) -> bool {
        false
    }

    /// Whether it can take a message now; if not, [`Updates::work`] makes room.
    fn has_room(&self) -> bool {
        true
    }

    /// Does the next step, if there is one: at most one unit is read, or written, or one sector erased, besides a page of the state.
    fn work(&mut self) {}

    /// Time went by.
    fn handle_timeout(&mut self, _now: Moment) {}

    /// All is well: the self-test passed, and there is a session with the host. What runs on trial stays then.
    fn all_is_well(&mut self) {}

    /// Whether it wants a reboot: into the update, or because the trial took too long.
    fn wants_reboot(&self) -> bool {
        false
    }

    /// What to tell the host, if anything. Say [`Updates::reported`] when that is done.
    fn report_due(&self) -> Option<ToHost> {
        None
    }

    /// [`Updates::report_due`] was told.
    fn reported(&mut self) {}
}

/// Nobody, and it says so: the board has no second slot, or its flash does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoSlot {
    reason: UpdateRefusal,
    /// An update came, and that was not told yet.
    asked: bool,
}

impl NoSlot {
    /// For this reason.
    #[must_use]
    pub const fn because(reason: UpdateRefusal) -> Self {
        Self { reason, asked: false }
    }
}

impl Updates for NoSlot {
    fn handle(&mut self, said: &ToController) -> bool {
        let update = matches!(
            said,
            ToController::UpdateBegin { .. } | ToController::UpdateChunk { .. } | ToController::UpdateEnd
        );
        self.asked |= update;
        update
    }

    fn report_due(&self) -> Option<ToHost> {
        self.asked.then_some(ToHost::UpdateRefused { reason: self.reason, stored: 0 })
    }

    fn reported(&mut self) {
        self.asked = false;
    }
}

/// A controller whose flash does not answer works all the same.
impl<U: Updates> Updates for Result<U, NoSlot> {
    fn handle(&mut self, said: &ToController) -> bool {
        match self {
            Ok(updates) => updates.handle(said),
            Err(none) => none.handle(said),
        }
    }

    fn has_room(&self) -> bool {
        self.as_ref().map_or(true, U::has_room)
    }

    fn work(&mut self) {
        self.iter_mut().for_each(U::work);
    }

    fn handle_timeout(&mut self, now: Moment) {
        self.iter_mut().for_each(|updates| updates.handle_timeout(now));
    }

    fn all_is_well(&mut self) {
        self.iter_mut().for_each(U::all_is_well);
    }

    fn wants_reboot(&self) -> bool {
        self.as_ref().is_ok_and(U::wants_reboot)
    }

    fn report_due(&self) -> Option<ToHost> {
        match self {
            Ok(updates) => updates.report_due(),
            Err(none) => none.report_due(),
        }
    }

    fn reported(&mut self) {
        match self {
            Ok(updates) => updates.reported(),
            Err(none) => none.reported(),
        }
    }
}
