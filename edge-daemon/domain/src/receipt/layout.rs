//! How a sale becomes a receipt.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;

use super::document::{Block, Document};
use crate::money::Money;
use crate::sale::{Kind, Line, Sale, Status};
use crate::store::StoreConfig;
use crate::tax::TaxMode;
use crate::tender::{Method, PaymentStatus};
use crate::time::Zone;

/// What is special about one print.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Marks {
    /// A reprint: marked COPY.
    pub copy: bool,
    /// Ends with the pulse that opens the drawer.
    pub kick: bool,
}

/// Lays a sale out.
#[must_use]
pub fn layout(sale: &Sale, store: &StoreConfig, zone: &dyn Zone, marks: Marks) -> Document {
    let mut page = Document::new();
    let money = |amount: Money| sale.currency.format(amount);
    page.push(Block::title(store.name.as_str()));
    page.extend(store.address.iter().map(|line| Block::centered(line.as_str())));
    page.push(Block::Blank);
    if sale.training {
        page.push(Block::Banner("TRAINING".into()));
    }
    if marks.copy {
        page.push(Block::Banner("COPY".into()));
    }
    if sale.status == Status::Voided {
        page.push(Block::Banner("VOID".into()));
    }
    if sale.kind == Kind::Return {
        page.push(Block::Banner("RETURN".into()));
    }
    let number = sale.receipt.map_or_else(|| "not completed".to_string(), |receipt| receipt.to_string());
    page.push(Block::row(format!("Receipt {number}"), format!("Till {}", sale.terminal)));
    let cashier = sale.cashier.as_ref().map_or_else(String::new, |name| format!("Cashier {name}"));
    page.push(Block::row(sale.started_at.local_text(zone), cashier));
    if let Some(provisional) = &sale.provisional_number {
        page.push(Block::row("Printed before as", provisional.as_str()));
    }
    page.push(Block::Rule);
    for line in sale.live_lines() {
        push_line(&mut page, sale, line);
    }
    page.push(Block::Rule);
    let added = |line: &&Line| line.mode == TaxMode::Exclusive;
    let added_tax: Money = sale.live_lines().filter(added).map(|line| line.tax).sum();
    if added_tax.is_positive() {
        page.push(Block::row("Tax", money(added_tax)));
    }
    page.push(Block::total(format!("TOTAL {}", sale.currency.code()), money(sale.total)));
    push_tenders(&mut page, sale);
    page.push(Block::Rule);
    push_taxes(&mut page, sale);
    let saved: Money = sale.live_lines().map(|line| line.discount).sum();
    if saved.is_positive() && sale.kind == Kind::Sale {
        page.push(Block::row("You saved", money(saved)));
    }
    if sale.points != 0 {
        let words = if sale.kind == Kind::Sale { "Points earned" } else { "Points taken back" };
        page.push(Block::row(words, sale.points.to_string()));
    }
    page.push(Block::Blank);
    page.extend(store.footer.iter().map(|line| Block::centered(line.as_str())));
    page.push(Block::Qr(sale.id.to_string()));
    page.push(Block::Cut);
    if marks.kick {
        page.push(Block::KickDrawer);
    }
    page
}

fn push_line(page: &mut Document, sale: &Sale, line: &Line) {
    let money = |amount: Money| sale.currency.format(amount);
    page.push(Block::row(&*line.name, money(line.gross())));
    if line.quantity != crate::quantity::Quantity::ONE {
        page.push(Block::detail(format!("{} × {}", line.quantity.short(), money(line.unit_price)), ""));
    }
    if line.discount.is_positive() {
        page.push(Block::detail("Discount", format!("-{}", money(line.discount))));
    }
}

fn push_tenders(page: &mut Document, sale: &Sale) {
    let money = |amount: Money| sale.currency.format(amount);
    if sale.rounding != Money::ZERO {
        page.push(Block::row("Cash rounding", money(sale.rounding)));
    }
    for tender in sale.tenders.iter().filter(|tender| tender.status != PaymentStatus::Declined) {
        let words = match (tender.method, sale.kind) {
            (Method::Cash, Kind::Return) => "Cash paid out",
            (Method::Cash, Kind::Sale) => "Cash",
            (Method::Card, _) => "Card",
            (Method::Mobile, _) => "Mobile",
            (Method::Voucher, _) => "Voucher",
            (Method::Points, _) => "Points",
        };
        page.push(Block::row(words, money(tender.amount)));
        if let Some(foreign) = &tender.foreign {
            let given = format!(
                "{} {} at {}",
                foreign.currency.code(),
                foreign.currency.format(foreign.amount),
                foreign.rate
            );
            page.push(Block::detail(given, ""));
        }
    }
    if sale.change.is_positive() {
        page.push(Block::bold("Change", money(sale.change)));
    }
}

fn push_taxes(page: &mut Document, sale: &Sale) {
    let money = |amount: Money| sale.currency.format(amount);
    let rows = sale
        .taxes()
        .iter()
        .map(|tax| vec![format!("{} %", tax.rate), money(tax.base), money(tax.amount)])
        .collect();
    page.push(Block::Table { head: vec!["Tax".into(), "Net".into(), "Tax amount".into()], rows });
}

#[cfg(test)]
#[path = "layout_tests.rs"]
mod tests;
