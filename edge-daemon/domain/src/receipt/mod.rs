//! The receipt: what stands on it ([`Document`]), how a sale becomes one ([`layout()`]), and the plain text of it.

pub mod document;
mod layout;
pub mod text;

pub use document::{Align, Block, Document, Style};
pub use layout::{Marks, layout};
pub use text::{COLUMNS_58_MM, COLUMNS_80_MM, COLUMNS_MIN, Line, lines, render_text, width};
