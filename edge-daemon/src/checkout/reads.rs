//! Reads: of the committed state, of the views, and through them of the journal.

use std::sync::Arc;

use pos_domain::catalog::ProductId;
use pos_domain::event::{Event, Step};
use pos_domain::quantity::Quantity;
use pos_domain::report::DayReport;
use pos_domain::sale::{Kind, ReceiptNumber, Sale, Status};
use pos_domain::shift::ZReport;
use pos_domain::time::{Date, Millis};
use pos_journal::codec::Entry;
use pos_journal::{Locator, Position, Start};
use thiserror::Error;
use uuid::Uuid;

use super::shop::{Happening, Shared, Shop};
use crate::views::{self, Found};

/// A read that gave nothing.
#[derive(Debug, Clone, Error)]
pub enum ReadError {
    /// Later.
    #[error("{0}")]
    NotReady(String),
    /// Never, until somebody looks into it.
    #[error("{0}")]
    Damaged(String),
    /// The cursor is not one that a list gave.
    #[error("the cursor is not one of this list's; start without one")]
    Cursor,
}

/// A page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// Its items.
    pub items: Vec<T>,
    /// Where the next page begins; `None`: this was the last.
    pub next: Option<String>,
}

/// Which sales a list shows, newest first.
#[derive(Debug, Clone, Default)]
pub struct SaleFilter {
    /// From this business date on.
    pub from: Option<Date>,
    /// Up to and with this one.
    pub to: Option<Date>,
    /// Of this customer only.
    pub customer: Option<Uuid>,
    /// Of this till only.
    pub terminal: Option<String>,
    /// In this status only.
    pub status: Option<Status>,
    /// Where to go on.
    pub cursor: Option<String>,
    /// At most so many.
    pub limit: usize,
}

/// A change of a product's stock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    /// Its record.
    pub position: Position,
    /// When.
    pub at: Millis,
    /// By how much.
    pub change: Quantity,
    /// `sale`, `return`, `void` or `adjustment`.
    pub cause: &'static str,
    /// The sale or the adjustment.
    pub reference: Uuid,
    /// Of an adjustment.
    pub reason: Option<String>,
}

/// Sales looked at for one page before it is given out shorter than asked for.
const MOST_LOOKED_AT: usize = 20_000;
/// Movements of all products that are looked at together, and for one page.
const MOVEMENTS_AT_ONCE: usize = 2_000;
const MOST_MOVEMENTS: usize = 500_000;
/// Zs of one day: a drawer may be closed more than once.
const MOST_ZS: usize = 10_000;
/// Happenings per call.
const MOST_HAPPENINGS: usize = 1_000;

fn not_ready() -> ReadError {
    ReadError::NotReady("The index is being made again; ask again in a few seconds.".into())
}

fn damaged(error: impl std::fmt::Display) -> ReadError {
    ReadError::Damaged(format!(
        "The journal cannot be read there ({error}); run `edge-daemon journal verify`."
    ))
}

fn locator(value: &[u8]) -> Result<Locator, ReadError> {
    value.try_into().map(Locator::from_bytes).map_err(|_| damaged("the index is malformed"))
}

impl Shared {
    /// The entry that stands at a place.
    pub(super) fn entry(&self, at: Locator) -> Result<(Position, Entry), ReadError> {
        let record = self.reader.read(at).map_err(damaged)?;
        Ok((record.position(), Entry::decode(&record.body).map_err(damaged)?))
    }

    /// A sale that is no longer open, as its latest record has it.
    pub(super) fn closed_sale(&self, id: Uuid) -> Result<Option<Arc<Sale>>, ReadError> {
        let latest = match self.views.get_unique(&views::sale_latest(id)) {
            Found::No => self.views.get_unique(&views::sale_first(id)),
            found => found,
        };
        match latest {
            Found::Yes(place) => match self.entry(locator(&place)?)?.1.event {
                Event::Sale { sale, .. } => Ok(Some(sale)),
                _ => Err(damaged("the index points to another record")),
            },
            Found::No => Ok(None),
            Found::Unsure => Err(not_ready()),
        }
    }

    /// The records that a command made, from the place of the first.
    pub(super) fn command_at(&self, place: &[u8]) -> Result<Vec<(Position, Entry)>, ReadError> {
        let first = locator(place)?;
        let mut entries = vec![self.entry(first)?];
        let parts = entries.first().map_or(1, |(_, entry)| usize::from(entry.parts));
        if parts > 1 {
            let records = self.reader.records_from(Start::At(first)).map_err(damaged)?;
            for record in records.skip(1).take(parts - 1) {
                let (_, record) = record.map_err(damaged)?;
                entries.push((record.position(), Entry::decode(&record.body).map_err(damaged)?));
            }
        }
        Ok(entries)
    }
}

impl Shop {
    /// A sale as it stands now, open or closed.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn sale(&self, id: Uuid) -> Result<Option<Arc<Sale>>, ReadError> {
        if let Some(sale) = self.state().open_sales.get(&id) {
            return Ok(Some(sale.clone()));
        }
        self.shared.closed_sale(id)
    }

    /// The sale with a receipt number.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn sale_by_receipt(&self, number: ReceiptNumber) -> Result<Option<Arc<Sale>>, ReadError> {
        match self.shared.views.get(&views::receipt(number)) {
            Found::Yes(id) => self.sale(uuid(&id)?),
            Found::No => Ok(None),
            Found::Unsure => Err(not_ready()),
        }
    }

    /// Sales, newest first. May take milliseconds.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn sales(&self, filter: &SaleFilter) -> Result<Page<Arc<Sale>>, ReadError> {
        self.whole(|| self.find_sales(filter))
    }

    fn find_sales(&self, filter: &SaleFilter) -> Result<Page<Arc<Sale>>, ReadError> {
        let limit = filter.limit.max(1);
        let (low, mut high) = match filter.customer {
            Some(id) => {
                let prefix = views::customer(id);
                (prefix.to_vec(), views::successor(&prefix))
            }
            None => {
                let first = filter.from.map_or_else(|| vec![b'd'], |date| views::day(date).to_vec());
                let last =
                    filter.to.map_or_else(|| vec![b'd' + 1], |date| views::successor(&views::day(date)));
                (first, last)
            }
        };
        if let Some(cursor) = &filter.cursor {
            let key = from_hex(cursor).filter(|key| *key >= low && *key < high).ok_or(ReadError::Cursor)?;
            high = key;
        }
        let mut items = Vec::new();
        // Of the last item.
        let mut last = Vec::new();
        let mut looked_at = 0;
        loop {
            let want = (limit + 1 - items.len()).clamp(50, 500);
            let keys = self.scan(&low, &high, want, true)?;
            let exhausted = keys.len() < want;
            for (key, value) in keys {
                looked_at += 1;
                high = key.to_vec();
                let Some(sale) = self.sale(uuid(&value)?)? else { continue };
                let date = sale.business_date;
                let in_days =
                    filter.from.is_none_or(|from| date >= from) && filter.to.is_none_or(|to| date <= to);
                let right_till = filter.terminal.as_ref().is_none_or(|name| **name == *sale.terminal);
                if in_days && right_till && filter.status.is_none_or(|status| sale.status == status) {
                    if items.len() == limit {
                        return Ok(Page { items, next: Some(to_hex(&last)) });
                    }
                    items.push(sale);
                    last.clone_from(&high);
                }
            }
            if exhausted {
                return Ok(Page { items, next: None });
            }
            if looked_at >= MOST_LOOKED_AT {
                return Ok(Page { items, next: Some(to_hex(&high)) });
            }
        }
    }

    /// What moved a product's stock, newest first. May take long for one that seldom moves: then the page is shorter than
    /// asked for, and the next goes on.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn movements(
        &self,
        product: ProductId,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Movement>, ReadError> {
        self.whole(|| self.find_movements(product, cursor, limit.max(1)))
    }

    fn find_movements(
        &self,
        product: ProductId,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<Movement>, ReadError> {
        let low = views::MOVEMENTS;
        let mut high = views::successor(low);
        if let Some(cursor) = cursor {
            high = from_hex(cursor).filter(|key| **key >= *low && *key < high).ok_or(ReadError::Cursor)?;
        }
        let mut items = Vec::new();
        // Of the last item.
        let mut last = Vec::new();
        let mut looked_at = 0;
        loop {
            let keys = self.scan(low, &high, MOVEMENTS_AT_ONCE, true)?;
            let exhausted = keys.len() < MOVEMENTS_AT_ONCE;
            for (key, products) in keys {
                looked_at += 1;
                high = key.to_vec();
                if !views::moves(&products, product) {
                    continue;
                }
                if items.len() == limit {
                    return Ok(Page { items, next: Some(to_hex(&last)) });
                }
                let place = key.get(low.len()..).unwrap_or_default();
                let (position, entry) = self.shared.entry(locator(place)?)?;
                items.push(movement(position, &entry, product)?);
                last.clone_from(&high);
            }
            if exhausted {
                return Ok(Page { items, next: None });
            }
            if looked_at >= MOST_MOVEMENTS {
                return Ok(Page { items, next: Some(to_hex(&high)) });
            }
        }
    }

    /// The Z of a shift that was closed.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn z_report(&self, shift: Uuid) -> Result<Option<ZReport>, ReadError> {
        match self.shared.views.get(&views::z_report(shift)) {
            Found::Yes(place) => match self.shared.entry(locator(&place)?)?.1.event {
                Event::ShiftClosed(report) => Ok(Some(report)),
                _ => Err(damaged("the index points to another record")),
            },
            Found::No => Ok(None),
            Found::Unsure => Err(not_ready()),
        }
    }

    /// The Zs of a business day, in the order in which they were made.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn z_reports(&self, date: Date) -> Result<Vec<ZReport>, ReadError> {
        let low = views::z_reports(date);
        let shifts = self.whole(|| self.scan(&low, &views::successor(&low), MOST_ZS, false))?;
        let report = |(_, shift): views::Put| self.z_report(uuid(&shift)?);
        shifts.into_iter().filter_map(|put| report(put).transpose()).collect()
    }

    /// The report of the business days `from` to `to`, both included. May take long for long spans.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn report(&self, from: Date, to: Date) -> Result<DayReport, ReadError> {
        self.whole(|| self.sum_up(from, to))
    }

    fn sum_up(&self, from: Date, to: Date) -> Result<DayReport, ReadError> {
        let (mut low, high) = (views::day(from).to_vec(), views::successor(&views::day(to)));
        let mut report = DayReport::default();
        loop {
            let keys = self.scan(&low, &high, 2_000, false)?;
            let Some((last, _)) = keys.last() else { return Ok(report) };
            low = [last, &[0][..]].concat();
            for (_, id) in keys {
                if let Some(sale) = self.sale(uuid(&id)?)? {
                    report.add(&sale, sale.started_at.local_hour(self.zone()));
                }
            }
        }
    }

    /// What happened after a position, in order, up to 1,000; `None`: the position is not of this journal.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn happenings_after(&self, position: Position) -> Result<Option<Vec<Happening>>, ReadError> {
        let records = match self.shared.reader.records_from(Start::After(position)) {
            Ok(records) => records,
            Err(pos_journal::ReadError::UnknownPosition(_)) => return Ok(None),
            Err(error) => return Err(damaged(error)),
        };
        let mut happenings = Vec::new();
        for record in records.take(MOST_HAPPENINGS) {
            let (_, record) = record.map_err(damaged)?;
            let entry = Entry::decode(&record.body).map_err(damaged)?;
            let (position, time) = (record.position(), entry.time);
            happenings.push(Happening { position, time, event: Arc::new(entry.event) });
        }
        Ok(Some(happenings))
    }

    /// Reads what is nothing unless it is whole: while the views are made, what they find is not all, and a list without
    /// its end would be taken for the whole.
    fn whole<T>(&self, read: impl FnOnce() -> Result<T, ReadError>) -> Result<T, ReadError> {
        let views = &self.shared.views;
        let losses = views.losses();
        let ready = || if views.rebuild().is_some() { Err(not_ready()) } else { Ok(()) };
        ready()?;
        let found = read()?;
        ready()?;
        // Lost and made again in between.
        if views.losses() == losses { Ok(found) } else { Err(not_ready()) }
    }

    fn scan(
        &self,
        low: &[u8],
        high: &[u8],
        limit: usize,
        reverse: bool,
    ) -> Result<Vec<views::Put>, ReadError> {
        self.shared.views.scan(low, high, limit, reverse).map_err(|_| not_ready())
    }
}

fn movement(position: Position, entry: &Entry, product: ProductId) -> Result<Movement, ReadError> {
    match &entry.event {
        Event::StockAdjusted(adjustment) => Ok(Movement {
            position,
            at: adjustment.at,
            change: adjustment.change,
            cause: "adjustment",
            reference: adjustment.id,
            reason: Some(adjustment.reason.clone()),
        }),
        Event::Sale { step, sale } => {
            let sold = sale.live_lines().filter(|line| line.product == Some(product));
            let quantity: i64 = sold.map(|line| line.quantity.0).sum();
            let voided = *step == Step::Voided;
            let sign = if voided { sale.sign() } else { -sale.sign() };
            let cause = match (voided, sale.kind) {
                (true, _) => "void",
                (false, Kind::Sale) => "sale",
                (false, Kind::Return) => "return",
            };
            let change = Quantity(sign * quantity);
            Ok(Movement { position, at: entry.time, change, cause, reference: sale.id, reason: None })
        }
        _ => Err(damaged("the index points to another record")),
    }
}

fn uuid(bytes: &[u8]) -> Result<Uuid, ReadError> {
    Uuid::from_slice(bytes).map_err(|_| damaged("the index is malformed"))
}

fn to_hex(key: &[u8]) -> String {
    use std::fmt::Write as _;
    key.iter().fold(String::with_capacity(key.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if text.len() > 128 || !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    let pair = |at: usize| text.get(at..at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
    (0..text.len()).step_by(2).map(pair).collect()
}
