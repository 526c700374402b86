//! The checkout: one writer decides every command; what was decided goes to the journal in groups, and is answered only
//! when it is on disk. Everything that reads or changes the store goes through [`Shop`].

mod authorize;
mod figures;
mod group;
mod open;
mod reads;
mod seat;
mod shop;
#[cfg(test)]
mod tests;
mod writer;

pub use figures::Figures;
pub use open::{OpenError, OpenOptions, Running, open};
pub use pos_journal::codec::{CommandKey, Origin};
pub use reads::{Movement, Page, ReadError, SaleFilter};
pub use shop::{Condition, Done, Happening, SealError, Shop, Subject, SubmitError};
