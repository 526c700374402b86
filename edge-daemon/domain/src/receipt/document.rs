//! What stands on a receipt, in reading order, before anybody decides how wide the paper is.
//!
//! A [`Document`] is the one form of a receipt: text, printer bytes and pictures are all made from it, so
//! they cannot disagree. It carries finished strings (amounts are formatted, dates are in the store's zone)
//! and no geometry: how a block becomes lines of a given width is decided in [`super::text`].

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

/// The blocks of one receipt, from top to bottom.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// In reading order.
    pub blocks: Vec<Block>,
}

/// How a line of text is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Style {
    /// The printer's own font at its normal size.
    #[default]
    Normal,
    /// Emphasised.
    Bold,
    /// Emphasised, double width and double height: half as many characters fit on a line.
    Large,
    /// As large, white on black across the whole width.
    Banner,
}

/// Where a paragraph stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Align {
    /// From the left edge.
    #[default]
    Left,
    /// In the middle of the paper.
    Center,
}

/// One thing on the receipt. Control characters in any text are printed as spaces, a line feed starts a new
/// line; no text can become a printer command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Block {
    /// A paragraph, wrapped at spaces.
    Text {
        /// The words.
        text: String,
        /// Where each line of it stands.
        align: Align,
        /// How it is set.
        style: Style,
    },
    /// Words at the left and an amount at the right edge. Long words wrap beside the amount, which stands on
    /// the last of their lines.
    Row {
        /// The words, for instance an item's name or `2 × 1.49`.
        left: String,
        /// The amount; may be empty.
        right: String,
        /// Characters by which the left part is moved in.
        indent: u8,
        /// How it is set.
        style: Style,
    },
    /// A small table, for instance the taxes per rate: the first column stands left, the others right.
    /// Where it is too wide for the paper, each cell becomes a row of its own beside its heading.
    Table {
        /// The headings, one per column.
        head: Vec<String>,
        /// The cells, row by row; a short row is filled with empty cells.
        rows: Vec<Vec<String>>,
    },
    /// What must not be overlooked: `COPY`, `TRAINING`, `VOID`.
    Banner(String),
    /// A dashed line across the paper.
    Rule,
    /// An empty line.
    Blank,
    /// A QR code of this text, in the middle; at most [`Block::QR_BYTES`] bytes of it.
    Qr(String),
    /// Feed to the knife and cut. Without it the paper stays in the printer.
    Cut,
    /// Pulse the cash drawer's solenoid. Only for documents of transactions that moved cash.
    KickDrawer,
}

impl Block {
    /// The longest text, in bytes, that a QR block prints: small enough for every printer and still read off
    /// 58 mm paper. A longer one is printed as words instead.
    pub const QR_BYTES: usize = 200;

    /// A paragraph from the left edge.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), align: Align::Left, style: Style::Normal }
    }

    /// A paragraph in the middle, at normal size.
    pub fn centered(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), align: Align::Center, style: Style::Normal }
    }

    /// A large paragraph in the middle: the store's name.
    pub fn title(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), align: Align::Center, style: Style::Large }
    }

    /// Words and an amount at normal size.
    pub fn row(left: impl Into<String>, right: impl Into<String>) -> Self {
        Self::Row { left: left.into(), right: right.into(), indent: 0, style: Style::Normal }
    }

    /// Words and an amount that belong to the row above: moved in by two characters.
    pub fn detail(left: impl Into<String>, right: impl Into<String>) -> Self {
        Self::Row { left: left.into(), right: right.into(), indent: 2, style: Style::Normal }
    }

    /// Words and an amount, emphasised.
    pub fn bold(left: impl Into<String>, right: impl Into<String>) -> Self {
        Self::Row { left: left.into(), right: right.into(), indent: 0, style: Style::Bold }
    }

    /// Words and an amount, large: the total.
    pub fn total(left: impl Into<String>, right: impl Into<String>) -> Self {
        Self::Row { left: left.into(), right: right.into(), indent: 0, style: Style::Large }
    }
}

impl Document {
    /// An empty receipt.
    pub const fn new() -> Self {
        Self { blocks: Vec::new() }
    }

    /// Adds a block at the end.
    pub fn push(&mut self, block: Block) {
        self.blocks.push(block);
    }

    /// Whether printing this opens the cash drawer.
    pub fn kicks_drawer(&self) -> bool {
        self.blocks.contains(&Block::KickDrawer)
    }
}

impl Extend<Block> for Document {
    fn extend<T: IntoIterator<Item = Block>>(&mut self, blocks: T) {
        self.blocks.extend(blocks);
    }
}

impl FromIterator<Block> for Document {
    fn from_iter<T: IntoIterator<Item = Block>>(blocks: T) -> Self {
        Self { blocks: blocks.into_iter().collect() }
    }
}
