//! What the views know: keys of one tree, and which of them a record writes. Values are places in the journal, never
//! copies of sales.
//!
//! | key                                   | value                                  |
//! |---------------------------------------|----------------------------------------|
//! | `k` key(16)                           | locator of the command's first record  |
//! | `s` sale(16)                          | locator of the sale's first record     |
//! | `l` sale(16)                          | locator of its latest, if it has more  |
//! | `r` series(2) number(8)               | sale(16)                               |
//! | `d` business date(4) locator(10)      | sale(16); locator of its first record  |
//! | `c` customer(16) locator(10)          | sale(16)                               |
//! | `m` locator(10)                       | product(4)…: whose stock it moved      |
//! | `z` shift(16)                         | locator of its Z                       |
//! | `y` business date(4) locator(10)      | shift(16); locator of its Z            |
//! | `i` id(16)                            | locator of the adjustment, shift or movement of cash that has it |
//! | `!applied`                            | epoch(8) seq(8) hash(32)               |
//! | `!form`                               | [`FORM`]                               |
//!
//! Numbers are big-endian, so that keys sort as time does: most go to the end of their kind, where sled is quick. Kinds
//! `k`, `s`, `d`, `m` and `r` are kept in rows ([`super::rows`]).

use pos_domain::catalog::ProductId;
use pos_domain::event::{Event, Step};
use pos_domain::sale::ReceiptNumber;
use pos_domain::time::Date;
use pos_journal::Locator;
use pos_journal::codec::Entry;
use uuid::Uuid;

/// One key and its value.
pub type Put = (Box<[u8]>, Box<[u8]>);

/// Where the form of the keys is kept, and which this is: a tree of another form is made again.
pub(super) const FORM_KEY: &[u8] = b"!form";
pub(super) const FORM: &[u8] = b"3";
/// Where the position of a record is kept up to which all is taken in, and was synced before this was written.
pub(super) const APPLIED: &[u8] = b"!applied";

fn key(tag: u8, parts: &[&[u8]]) -> Box<[u8]> {
    let mut key = Vec::with_capacity(1 + parts.iter().map(|part| part.len()).sum::<usize>());
    key.push(tag);
    for part in parts {
        key.extend_from_slice(part);
    }
    key.into()
}

/// Of a command.
pub fn command(id: &[u8; 16]) -> Box<[u8]> {
    key(b'k', &[id])
}

/// Of a sale's first record.
pub fn sale_first(id: Uuid) -> Box<[u8]> {
    key(b's', &[id.as_bytes()])
}

/// Of a sale's latest record, if it is not the first.
pub fn sale_latest(id: Uuid) -> Box<[u8]> {
    key(b'l', &[id.as_bytes()])
}

/// Of a receipt.
pub fn receipt(number: ReceiptNumber) -> Box<[u8]> {
    key(b'r', &[&number.series.to_be_bytes(), &number.number.to_be_bytes()])
}

/// Of a stock adjustment, a shift or a movement of cash.
pub fn made(id: Uuid) -> Box<[u8]> {
    key(b'i', &[id.as_bytes()])
}

/// Of a business day's sales.
pub fn day(date: Date) -> Box<[u8]> {
    key(b'd', &[&date.0.to_be_bytes()])
}

/// Of a customer's sales.
pub fn customer(id: Uuid) -> Box<[u8]> {
    key(b'c', &[id.as_bytes()])
}

/// Of the records that moved stock.
pub const MOVEMENTS: &[u8] = b"m";

/// Whether a movement's value names a product.
pub fn moves(value: &[u8], product: ProductId) -> bool {
    value.chunks_exact(4).any(|id| id == product.0.to_be_bytes())
}

/// Of a shift's Z.
pub fn z_report(shift: Uuid) -> Box<[u8]> {
    key(b'z', &[shift.as_bytes()])
}

/// Of the Zs of a business day.
pub fn z_reports(date: Date) -> Box<[u8]> {
    key(b'y', &[&date.0.to_be_bytes()])
}

fn at(prefix: &[u8], locator: Locator) -> Box<[u8]> {
    let mut key = Vec::with_capacity(prefix.len() + 10);
    key.extend_from_slice(prefix);
    key.extend_from_slice(&locator.to_bytes());
    key.into()
}

/// What a record writes into the views.
pub(super) fn project(entry: &Entry, locator: Locator, mut put: impl FnMut(Put)) {
    let place: &[u8] = &locator.to_bytes();
    if let Some(id) = entry.command.filter(|_| entry.part == 0) {
        put((command(&id.key), place.into()));
    }
    match &entry.event {
        Event::Sale { step, sale } => {
            let id = sale.id.as_bytes().as_slice();
            if step.is_first() {
                put((sale_first(sale.id), place.into()));
                put((at(&day(sale.business_date), locator), id.into()));
                if let Some(whose) = sale.customer {
                    put((at(&customer(whose), locator), id.into()));
                }
            } else {
                put((sale_latest(sale.id), place.into()));
            }
            let moved = matches!(step, Step::Sold | Step::Completed | Step::Voided);
            if let Some(number) = sale.receipt.filter(|_| moved) {
                put((receipt(number), id.into()));
            }
            if moved && !sale.training {
                let products = sale.live_lines().filter_map(|line| line.product);
                put((at(MOVEMENTS, locator), products.flat_map(|product| product.0.to_be_bytes()).collect()));
            }
        }
        Event::StockAdjusted(adjustment) => {
            put((at(MOVEMENTS, locator), adjustment.product.0.to_be_bytes().as_slice().into()));
            put((made(adjustment.id), place.into()));
        }
        Event::ShiftOpened(shift) => put((made(shift.id), place.into())),
        Event::CashMoved { movement, .. } => put((made(movement.id), place.into())),
        Event::ShiftClosed(report) => {
            put((z_report(report.shift.id), place.into()));
            put((
                at(&z_reports(report.shift.business_date), locator),
                report.shift.id.as_bytes().as_slice().into(),
            ));
        }
        _ => {}
    }
}
