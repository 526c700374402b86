//! Sales in SQLite tables, as fast as SQLite goes while every answer is on disk.
//!
//! One thread writes. It takes every sale that waits, stores them all in one transaction, commits (one sync of the
//! write-ahead log) and answers them; while it syncs, the next sales gather. Statements are prepared once,
//! rows of a sale go in by one statement each for lines and movements, keys are 16-byte time-ordered ids. What the
//! daemon finds by its views is found here, too: a sale by id, key, receipt number and day; movements of a product are
//! looked for in all movements by both.

use super::endpoint::{Store, StoreError};
use super::pricing::Sale;
use crate::catalogue::Product;
use crate::failure::Failure;
use crate::load::request::LINES;
use rusqlite::types::ToSql;
use rusqlite::{Connection, ErrorCode, Statement, params};
use std::path::Path;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Which system call makes a commit durable. SQLite built without `HAVE_FDATASYNC` calls `fsync`, which also writes
/// the file's times and costs up to twice as much; `scripts/bench` builds it with.
pub const SYNC_CALL: &str = match option_env!("LIBSQLITE3_FLAGS") {
    Some(flags) if contains(flags.as_bytes(), b"HAVE_FDATASYNC") => "fdatasync",
    _ => "fsync",
};

/// The version of the linked SQLite.
pub fn version() -> &'static str {
    rusqlite::version()
}

/// Sales that may wait; more make the endpoint wait.
const QUEUE: usize = 1024;

/// Most sales of one transaction.
const MAX_GROUP: usize = 256;

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS product (id INTEGER PRIMARY KEY, barcode TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
        price_minor INTEGER NOT NULL, basis_points INTEGER NOT NULL, department TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS stock (product INTEGER PRIMARY KEY, quantity INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS sale (id BLOB PRIMARY KEY, receipt_number INTEGER NOT NULL UNIQUE, terminal TEXT NOT NULL,
        status TEXT NOT NULL, at INTEGER NOT NULL, business_day INTEGER NOT NULL, total INTEGER NOT NULL,
        tax INTEGER NOT NULL, change INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS sale_item (sale BLOB NOT NULL, line INTEGER NOT NULL, product INTEGER NOT NULL,
        quantity INTEGER NOT NULL, unit_price INTEGER NOT NULL, discount INTEGER NOT NULL, basis_points INTEGER NOT NULL,
        tax INTEGER NOT NULL, total INTEGER NOT NULL, PRIMARY KEY (sale, line)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS payment (sale BLOB NOT NULL, line INTEGER NOT NULL, method TEXT NOT NULL,
        amount INTEGER NOT NULL, status TEXT NOT NULL, PRIMARY KEY (sale, line)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS inventory_adjustment (id INTEGER PRIMARY KEY, product INTEGER NOT NULL,
        quantity_change INTEGER NOT NULL, reason TEXT NOT NULL, sale BLOB NOT NULL, at INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS idempotency_key (key TEXT PRIMARY KEY, request_hash BLOB NOT NULL,
        sale BLOB NOT NULL) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS sale_of_day ON sale (business_day);
";

struct Waiting {
    sale: Arc<Sale>,
    answer: oneshot::Sender<Result<i64, StoreError>>,
}

/// A handle on the writer thread; the thread ends with the last handle.
#[derive(Debug, Clone)]
pub(super) struct Ledger {
    queue: mpsc::Sender<Waiting>,
}

impl Ledger {
    pub(super) fn open(path: &Path, products: &[Product]) -> Result<Self, Failure> {
        let failed = |e: rusqlite::Error| Failure::Database { peer: "peer-sqlite", reason: e.to_string() };
        let database = prepare(path, products).map_err(failed)?;
        let next = (database
            .query_row("SELECT coalesce(max(receipt_number), 0) + 1 FROM sale", [], |row| row.get(0)))
        .map_err(failed)?;
        let (queue, waiting) = mpsc::channel(QUEUE);
        std::thread::spawn(move || {
            if let Err(e) = write(&database, waiting, next) {
                // The queue is closed by now: every later sale is answered with 500.
                eprintln!("peer-sqlite: the writer has stopped: {e}");
            }
        });
        Ok(Self { queue })
    }
}

impl Store for Ledger {
    async fn commit(&self, sale: Arc<Sale>) -> Result<i64, StoreError> {
        let stopped = || StoreError::Database("the writer has stopped".to_owned());
        let (answer, answered) = oneshot::channel();
        self.queue.send(Waiting { sale, answer }).await.map_err(|_| stopped())?;
        answered.await.unwrap_or_else(|_| Err(stopped()))
    }
}

fn prepare(path: &Path, products: &[Product]) -> rusqlite::Result<Connection> {
    let mut database = Connection::open(path)?;
    // The page size must come first; the log is checkpointed every 64 MiB and then written over, not grown.
    for (name, value) in [
        ("page_size", "4096"),
        ("locking_mode", "EXCLUSIVE"),
        ("journal_mode", "WAL"),
        ("synchronous", "FULL"),
        ("wal_autocheckpoint", "16384"),
        ("cache_size", "-262144"),
        ("mmap_size", "1073741824"),
        ("temp_store", "MEMORY"),
        ("foreign_keys", "OFF"),
    ] {
        database.pragma_update_and_check(None, name, value, |_| Ok(())).or_else(|e| match e {
            rusqlite::Error::QueryReturnedNoRows => Ok(()),
            other => Err(other),
        })?;
    }
    database.execute_batch(TABLES)?;
    let filling = database.transaction()?;
    {
        let mut product = filling.prepare("INSERT OR IGNORE INTO product VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
        let mut stock = filling.prepare("INSERT OR IGNORE INTO stock VALUES (?1, 0)")?;
        for (id, p) in (0_i64..).zip(products) {
            product.execute(params![
                id,
                p.barcode,
                p.name,
                p.price_minor,
                p.tax_class.basis_points(),
                p.department
            ])?;
            stock.execute([id])?;
        }
    }
    filling.commit()?;
    Ok(database)
}

fn write(database: &Connection, mut queue: mpsc::Receiver<Waiting>, first: i64) -> rusqlite::Result<()> {
    let mut statements = Statements::prepare(database)?;
    let mut next = first;
    while let Some(one) = queue.blocking_recv() {
        let mut group = vec![one];
        while group.len() < MAX_GROUP
            && let Ok(more) = queue.try_recv()
        {
            group.push(more);
        }
        statements.begin.execute([])?;
        let mut stored = Vec::with_capacity(group.len());
        for Waiting { sale, answer } in group {
            match statements.store(&sale, next) {
                Ok(()) => {
                    stored.push((answer, next));
                    next += 1;
                }
                // Nobody waits for a refused sale's answer but itself; a client that has left needs none.
                Err(e) if e.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                    let _ = answer.send(Err(StoreError::Known));
                }
                Err(e) => return Err(e),
            }
        }
        statements.commit.execute([])?;
        for (answer, number) in stored {
            let _ = answer.send(Ok(number));
        }
    }
    Ok(())
}

struct Statements<'a> {
    begin: Statement<'a>,
    commit: Statement<'a>,
    key: Statement<'a>,
    sale: Statement<'a>,
    payment: Statement<'a>,
    /// All lines of a sale of the usual size by one statement, and a single line for others.
    items: Statement<'a>,
    item: Statement<'a>,
    adjustments: Statement<'a>,
    adjustment: Statement<'a>,
    stock: Statement<'a>,
}

impl<'a> Statements<'a> {
    fn prepare(database: &'a Connection) -> rusqlite::Result<Self> {
        let rows = |into: &str, columns: usize, rows: usize| {
            let row = format!("({})", vec!["?"; columns].join(","));
            format!("INSERT INTO {into} VALUES {}", vec![row; rows].join(","))
        };
        let adjustment = "inventory_adjustment (product, quantity_change, reason, sale, at)";
        Ok(Self {
            begin: database.prepare("BEGIN IMMEDIATE")?,
            commit: database.prepare("COMMIT")?,
            key: database.prepare(&rows("idempotency_key", 3, 1))?,
            sale: database.prepare(&rows("sale", 9, 1))?,
            payment: database.prepare(&rows("payment", 5, 1))?,
            items: database.prepare(&rows("sale_item", 9, LINES))?,
            item: database.prepare(&rows("sale_item", 9, 1))?,
            adjustments: database.prepare(&rows(adjustment, 5, LINES))?,
            adjustment: database.prepare(&rows(adjustment, 5, 1))?,
            stock: database.prepare("UPDATE stock SET quantity = quantity - ?2 WHERE product = ?1")?,
        })
    }

    /// Adds a sale to the open transaction. The inserts that can be refused come first, the key before the sale: a
    /// refused one has left at most a key, which belongs to the request that was refused.
    fn store(&mut self, sale: &Sale, number: i64) -> rusqlite::Result<()> {
        let id = sale.id.as_bytes();
        let change = sale.tendered - sale.total;
        self.key.execute(params![sale.key, sale.request_hash, id])?;
        self.sale.execute(params![
            id,
            number,
            sale.terminal,
            "completed",
            sale.at,
            sale.business_day,
            sale.total,
            sale.tax,
            change
        ])?;
        self.payment.execute(params![id, 1, sale.method.name(), sale.tendered, "approved"])?;
        let lines: Vec<i64> = (1..).take(sale.items.len()).collect();
        let changes: Vec<i64> = sale.items.iter().map(|item| -item.quantity).collect();
        let mut item_values: Vec<&dyn ToSql> = Vec::with_capacity(9 * sale.items.len());
        let mut adjustment_values: Vec<&dyn ToSql> = Vec::with_capacity(5 * sale.items.len());
        for ((item, line), change) in sale.items.iter().zip(&lines).zip(&changes) {
            item_values.extend([
                id as &dyn ToSql,
                line,
                &item.product,
                &item.quantity,
                &item.unit_price,
                &0_i64,
            ]);
            item_values.extend([&item.basis_points as &dyn ToSql, &item.tax, &item.total]);
            adjustment_values.extend([&item.product as &dyn ToSql, change, &"sale", id, &sale.at]);
            self.stock.execute(params![item.product, item.quantity])?;
        }
        if sale.items.len() == LINES {
            self.items.execute(item_values.as_slice())?;
            self.adjustments.execute(adjustment_values.as_slice())?;
        } else {
            item_values.chunks(9).try_for_each(|row| self.item.execute(row).map(drop))?;
            adjustment_values.chunks(5).try_for_each(|row| self.adjustment.execute(row).map(drop))?;
        }
        Ok(())
    }
}

/// Whether `text` has `part` in it, for constants.
const fn contains(text: &[u8], part: &[u8]) -> bool {
    let mut rest = text;
    while rest.len() >= part.len() {
        let mut at = 0;
        while at < part.len() && rest[at] == part[at] {
            at += 1;
        }
        if at == part.len() {
            return true;
        }
        let Some((_, shorter)) = rest.split_first() else { return false };
        rest = shorter;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_commit_is_synced() {
        let directory = tempfile::tempdir().unwrap();
        let products = crate::catalogue::synthetic(12, 1);
        let database = prepare(&directory.path().join("sales.sqlite"), &products).unwrap();
        let text =
            |name: &str| database.pragma_query_value(None, name, |row| row.get::<_, String>(0)).unwrap();
        let number =
            |name: &str| database.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!((text("journal_mode"), text("locking_mode")), ("wal".to_owned(), "exclusive".to_owned()));
        // 2 is FULL: the log is synced at each commit.
        assert_eq!((number("synchronous"), number("wal_autocheckpoint")), (2, 16384));
    }

    #[test]
    fn the_flag_is_found_in_a_list_of_flags() {
        assert!(contains(b"-DA=1 -DHAVE_FDATASYNC=1", b"HAVE_FDATASYNC"));
        assert!(!contains(b"-DHAVE_FDATASYN", b"HAVE_FDATASYNC") && !contains(b"", b"H"));
    }
}
