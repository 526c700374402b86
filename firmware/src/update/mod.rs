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
//! The boot loader calls [`boot`], which is the only one that knows signatures; what runs has a [`Receiver`], which takes images
//! and confirms the one that is on trial. Both see the flash through a [`Store`].

mod boot;
mod image;
mod receiver;
mod state;
mod store;

pub use boot::{Decision, boot, decide};
pub use image::{HEADER, Header, Target, Unfit, fingerprint, is_signed};
pub use receiver::{Receiver, TRIAL_PATIENCE};
pub use state::{Outcome, Phase, Slot, State};
pub use store::{Layout, NotLoaded, Store};
