//! Sheets beside the receipt: an order slip for who prepares the goods, and a test page.

use alloc::format;
use alloc::string::String;

use super::document::{Align, Block, Document, Style};
use crate::sale::{Line, Sale};
use crate::store::StoreConfig;
use crate::time::{Millis, Zone};

/// Whether a line is of one of these departments; none are all.
#[must_use]
pub fn is_ordered(line: &Line, departments: &[String]) -> bool {
    departments.is_empty() || departments.iter().any(|department| **department == *line.department)
}

/// What was sold of these departments, in large letters and without prices. `None` where nothing was.
#[must_use]
pub fn order_slip(sale: &Sale, zone: &dyn Zone, departments: &[String], copy: bool) -> Option<Document> {
    let large = |text: String| Block::Text { text, align: Align::Left, style: Style::Large };
    let mut page = Document::new();
    if sale.training {
        page.push(Block::Banner("TRAINING".into()));
    }
    if copy {
        page.push(Block::Banner("COPY".into()));
    }
    let number = sale.receipt.map_or_else(String::new, |receipt| format!("Receipt {receipt}"));
    page.push(Block::bold(number, format!("Till {}", sale.terminal)));
    page.push(Block::text(sale.started_at.local_text(zone)));
    page.push(Block::Rule);
    let mut any = false;
    for line in sale.live_lines().filter(|line| is_ordered(line, departments)) {
        any = true;
        page.push(large(format!("{} × {}", line.quantity.short(), line.name)));
    }
    page.push(Block::Rule);
    page.push(Block::Cut);
    any.then_some(page)
}

/// A page that shows that a printer prints: every style, letters of many code pages, a code, a cut.
#[must_use]
pub fn test_page(store: &StoreConfig, printer: &str, at: Millis, zone: &dyn Zone) -> Document {
    let mut page = Document::new();
    page.push(Block::title(store.name.as_str()));
    page.push(Block::Banner("TEST".into()));
    page.push(Block::row(format!("Printer {printer}"), at.local_text(zone)));
    page.push(Block::Rule);
    page.push(Block::text("The quick brown fox jumps over the lazy dog. 0123456789"));
    page.push(Block::text("äöüß éèç ñ ł ž € £"));
    page.push(Block::bold("In bold", "1,234.56"));
    page.push(Block::total("LARGE", "9.99"));
    page.push(Block::Qr(format!("{} {printer}", store.store)));
    page.push(Block::centered("If all of this can be read, the printer is well."));
    page.push(Block::Cut);
    page
}
