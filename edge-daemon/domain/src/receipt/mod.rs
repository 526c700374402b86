//! What is printed, above all the receipt: what stands on it ([`Document`]), how a sale becomes one ([`layout()`]), and the plain text of it.

pub mod document;
mod layout;
mod slips;
pub mod text;

pub use document::{Align, Block, Document, Style};
pub use layout::{Marks, layout};
pub use slips::{is_ordered, order_slip, test_page};
pub use text::{COLUMNS_58_MM, COLUMNS_80_MM, COLUMNS_MIN, Line, lines, render_text, width};
