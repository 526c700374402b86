//! Sales in PostgreSQL tables, as fast as PostgreSQL goes while every answer is on disk.
//!
//! Several connections write. A free one takes every sale that waits and sends one transaction without waiting for a
//! reply in between (pipelining): `BEGIN`, an `INSERT … SELECT FROM unnest(…)` per table with all rows of all
//! its sales, `COMMIT`. Everything is prepared once; stock is locked in the order of products, so that writers
//! never deadlock.

use super::cluster::{Cluster, describe};
use super::endpoint::{Store, StoreError};
use super::pricing::Sale;
use crate::catalogue::Product;
use crate::failure::Failure;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Statement};
use uuid::Uuid;

/// Connections that write. Of 1, 2, 4 and 8, two were fastest at 16 and 64 clients on two processors (4.3k and 6.6k sales/s,
/// against 3.7k and 5.5k with one); with one client there is nothing to share.
pub(super) const DEFAULT_WRITERS: usize = 2;

/// Sales that may wait; more make the endpoint wait.
const QUEUE: usize = 1024;

/// Most sales of one transaction.
const MAX_GROUP: usize = 256;

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS product (id int PRIMARY KEY, barcode text NOT NULL UNIQUE, name text NOT NULL,
        price_minor bigint NOT NULL, basis_points int NOT NULL, department text NOT NULL);
    CREATE TABLE IF NOT EXISTS stock (product int PRIMARY KEY, quantity bigint NOT NULL) WITH (fillfactor = 50);
    CREATE TABLE IF NOT EXISTS sale (id uuid PRIMARY KEY, receipt_number bigint NOT NULL UNIQUE, at bigint NOT NULL,
        total bigint NOT NULL, tax bigint NOT NULL, change bigint NOT NULL, business_day int NOT NULL,
        terminal text NOT NULL, status text NOT NULL);
    CREATE TABLE IF NOT EXISTS sale_item (sale uuid NOT NULL, quantity bigint NOT NULL, unit_price bigint NOT NULL,
        discount bigint NOT NULL, tax bigint NOT NULL, total bigint NOT NULL, line int NOT NULL, product int NOT NULL,
        basis_points int NOT NULL, PRIMARY KEY (sale, line));
    CREATE TABLE IF NOT EXISTS payment (sale uuid NOT NULL, amount bigint NOT NULL, line int NOT NULL,
        method text NOT NULL, status text NOT NULL, PRIMARY KEY (sale, line));
    CREATE TABLE IF NOT EXISTS inventory_adjustment (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        sale uuid NOT NULL, quantity_change bigint NOT NULL, at bigint NOT NULL, product int NOT NULL,
        reason text NOT NULL);
    CREATE TABLE IF NOT EXISTS idempotency_key (key text PRIMARY KEY, request_hash bytea NOT NULL, sale uuid NOT NULL);
    CREATE INDEX IF NOT EXISTS sale_of_day ON sale (business_day);
";

const KEYS: &str = "INSERT INTO idempotency_key SELECT * FROM unnest($1::text[], $2::bytea[], $3::uuid[])";
const SALES: &str =
    "INSERT INTO sale SELECT *, 'completed' FROM unnest($1::uuid[], $2::bigint[], $3::bigint[],
    $4::bigint[], $5::bigint[], $6::bigint[], $7::int[], $8::text[])";
const ITEMS: &str = "INSERT INTO sale_item (sale, quantity, unit_price, discount, tax, total, line, product, basis_points)
    SELECT s, q, u, 0, x, t, l, p, b FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[],
    $6::int[], $7::int[], $8::int[]) AS rows (s, q, u, x, t, l, p, b)";
const PAYMENTS: &str = "INSERT INTO payment SELECT s, a, 1, m, 'approved' FROM unnest($1::uuid[], $2::bigint[], $3::text[]) AS rows (s, a, m)";
const ADJUSTMENTS: &str = "INSERT INTO inventory_adjustment (sale, quantity_change, at, product, reason)
    SELECT s, -q, a, p, 'sale' FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::int[]) AS rows (s, q, a, p)";
/// Written as an upsert because that locks rows in the order of its arrays, where an `UPDATE … FROM` would leave the
/// order to the planner.
const STOCK: &str = "INSERT INTO stock SELECT * FROM unnest($1::int[], $2::bigint[])
    ON CONFLICT (product) DO UPDATE SET quantity = stock.quantity + excluded.quantity";
const PRODUCTS: &str =
    "INSERT INTO product SELECT * FROM unnest($1::int[], $2::text[], $3::text[], $4::bigint[],
    $5::int[], $6::text[]) ON CONFLICT DO NOTHING";

type Value<'a> = &'a (dyn ToSql + Sync);

struct Waiting {
    sale: Arc<Sale>,
    answer: oneshot::Sender<Result<i64, StoreError>>,
}

/// A handle on the writers; they end with the last handle.
#[derive(Debug, Clone)]
pub(super) struct Ledger {
    queue: mpsc::Sender<Waiting>,
}

impl Ledger {
    pub(super) async fn open(
        cluster: &Cluster,
        products: &[Product],
        writers: usize,
    ) -> Result<Self, Failure> {
        let failed = |e: Error| Failure::Database { peer: "peer-postgres", reason: describe(&e) };
        let client = cluster.connect().await?;
        client.batch_execute(TABLES).await.map_err(failed)?;
        store_products(&client, products).await.map_err(failed)?;
        let last = client
            .query_one("SELECT coalesce(max(receipt_number), 0) FROM sale", &[])
            .await
            .map_err(failed)?;
        let number = Arc::new(AtomicI64::new(last.try_get(0).map_err(failed)?));
        let (queue, waiting) = mpsc::channel(QUEUE);
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..writers.max(1) {
            let writer =
                Writer::prepare(cluster.connect().await?, Arc::clone(&number)).await.map_err(failed)?;
            tokio::spawn(writer.run(Arc::clone(&waiting)));
        }
        Ok(Self { queue })
    }
}

impl Store for Ledger {
    async fn commit(&self, sale: Arc<Sale>) -> Result<i64, StoreError> {
        let stopped = || StoreError::Database("the writers have stopped".to_owned());
        let (answer, answered) = oneshot::channel();
        self.queue.send(Waiting { sale, answer }).await.map_err(|_| stopped())?;
        answered.await.unwrap_or_else(|_| Err(stopped()))
    }
}

async fn store_products(client: &Client, products: &[Product]) -> Result<(), Error> {
    let ids: Vec<i32> = (0..).take(products.len()).collect();
    let barcodes: Vec<&str> = products.iter().map(|p| p.barcode.as_str()).collect();
    let names: Vec<&str> = products.iter().map(|p| p.name.as_str()).collect();
    let prices: Vec<i64> = products.iter().map(|p| p.price_minor).collect();
    let rates: Vec<i32> =
        products.iter().map(|p| i32::try_from(p.tax_class.basis_points()).unwrap_or(0)).collect();
    let departments: Vec<&str> = products.iter().map(|p| p.department.as_str()).collect();
    client.execute(PRODUCTS, &[&ids, &barcodes, &names, &prices, &rates, &departments]).await?;
    client
        .execute("INSERT INTO stock SELECT id, 0 FROM product ORDER BY id ON CONFLICT DO NOTHING", &[])
        .await?;
    client.batch_execute("VACUUM ANALYZE").await
}

/// One connection that writes, with its statements.
struct Writer {
    client: Client,
    number: Arc<AtomicI64>,
    begin: Statement,
    commit: Statement,
    keys: Statement,
    sales: Statement,
    items: Statement,
    payments: Statement,
    adjustments: Statement,
    stock: Statement,
}

impl Writer {
    async fn prepare(client: Client, number: Arc<AtomicI64>) -> Result<Self, Error> {
        // One plan for all: the arrays' lengths change nothing that planning again could use.
        client.batch_execute("SET plan_cache_mode = force_generic_plan").await?;
        Ok(Self {
            begin: client.prepare("BEGIN").await?,
            commit: client.prepare("COMMIT").await?,
            keys: client.prepare(KEYS).await?,
            sales: client.prepare(SALES).await?,
            items: client.prepare(ITEMS).await?,
            payments: client.prepare(PAYMENTS).await?,
            adjustments: client.prepare(ADJUSTMENTS).await?,
            stock: client.prepare(STOCK).await?,
            client,
            number,
        })
    }

    async fn run(self, queue: Arc<Mutex<mpsc::Receiver<Waiting>>>) {
        while let Some(group) = next_group(&queue).await {
            let sales: Vec<_> = group.iter().map(|waiting| Arc::clone(&waiting.sale)).collect();
            let outcome = self.store(&sales).await;
            match outcome {
                Ok(first) => {
                    for (number, waiting) in (first..).zip(group) {
                        // A client that has left needs no answer.
                        let _ = waiting.answer.send(Ok(number));
                    }
                }
                // One of them is known already: alone, each finds out whether it is the one.
                Err(e) if e.code() == Some(&SqlState::UNIQUE_VIOLATION) => self.store_one_by_one(group).await,
                Err(e) => {
                    let failed = StoreError::Database(describe(&e));
                    for waiting in group {
                        let _ = waiting.answer.send(Err(failed.clone()));
                    }
                }
            }
        }
    }

    async fn store_one_by_one(&self, group: Vec<Waiting>) {
        for Waiting { sale, answer } in group {
            let answered = self.store(&[sale]).await.map_err(|e| match e.code() {
                Some(&SqlState::UNIQUE_VIOLATION) => StoreError::Known,
                _ => StoreError::Database(describe(&e)),
            });
            let _ = answer.send(answered);
        }
    }

    /// Stores sales in one transaction and returns the receipt number of the first; the others' follow.
    async fn store(&self, sales: &[Arc<Sale>]) -> Result<i64, Error> {
        let count = i64::try_from(sales.len()).unwrap_or(i64::MAX);
        let first = self.number.fetch_add(count, Ordering::Relaxed) + 1;
        let columns = Columns::of(sales, first);
        let c = &columns;
        let run = |statement, values| send(&self.client, statement, values);
        // All eight go out before the first reply is awaited; PostgreSQL runs them in this order. After a failed one
        // the rest fail too, and COMMIT rolls back: so every result counts.
        let (begun, keys, sales, items, payments, adjustments, stock, committed) = tokio::join!(
            biased;
            run(&self.begin, vec![]),
            run(&self.keys, vec![&c.keys, &c.hashes, &c.ids]),
            run(&self.sales, c.sale_rows()),
            run(&self.items, c.item_rows()),
            run(&self.payments, vec![&c.ids, &c.tendered, &c.methods]),
            run(&self.adjustments, vec![&c.item_sales, &c.item_quantities, &c.item_at, &c.item_products]),
            run(&self.stock, vec![&c.stock_products, &c.stock_changes]),
            run(&self.commit, vec![]),
        );
        begun.and(keys).and(sales).and(items).and(payments).and(adjustments).and(stock).and(committed)?;
        Ok(first)
    }
}

async fn send(client: &Client, statement: &Statement, values: Vec<Value<'_>>) -> Result<(), Error> {
    client.execute(statement, &values).await.map(drop)
}

/// Waits for a sale and takes all others that wait too. `None` when no more can come.
async fn next_group(queue: &Mutex<mpsc::Receiver<Waiting>>) -> Option<Vec<Waiting>> {
    let mut queue = queue.lock().await;
    let mut group = vec![queue.recv().await?];
    while group.len() < MAX_GROUP
        && let Ok(more) = queue.try_recv()
    {
        group.push(more);
    }
    Some(group)
}

/// The rows of several sales, column by column.
#[derive(Default)]
struct Columns<'a> {
    ids: Vec<Uuid>,
    keys: Vec<&'a str>,
    hashes: Vec<&'a [u8]>,
    numbers: Vec<i64>,
    at: Vec<i64>,
    days: Vec<i32>,
    terminals: Vec<&'a str>,
    totals: Vec<i64>,
    taxes: Vec<i64>,
    tendered: Vec<i64>,
    methods: Vec<&'a str>,
    changes: Vec<i64>,
    item_sales: Vec<Uuid>,
    item_at: Vec<i64>,
    item_lines: Vec<i32>,
    item_products: Vec<i32>,
    item_quantities: Vec<i64>,
    item_prices: Vec<i64>,
    item_rates: Vec<i32>,
    item_taxes: Vec<i64>,
    item_totals: Vec<i64>,
    stock_products: Vec<i32>,
    stock_changes: Vec<i64>,
}

impl<'a> Columns<'a> {
    fn of(sales: &'a [Arc<Sale>], first: i64) -> Self {
        let mut columns = Self::default();
        let mut stock = BTreeMap::new();
        for (number, sale) in (first..).zip(sales) {
            columns.ids.push(sale.id);
            columns.keys.push(&sale.key);
            columns.hashes.push(&sale.request_hash);
            columns.numbers.push(number);
            columns.at.push(sale.at);
            columns.days.push(sale.business_day);
            columns.terminals.push(&sale.terminal);
            columns.totals.push(sale.total);
            columns.taxes.push(sale.tax);
            columns.tendered.push(sale.tendered);
            columns.methods.push(sale.method.name());
            columns.changes.push(sale.tendered - sale.total);
            for (line, item) in (1..).zip(&sale.items) {
                columns.item_sales.push(sale.id);
                columns.item_at.push(sale.at);
                columns.item_lines.push(line);
                columns.item_products.push(item.product);
                columns.item_quantities.push(item.quantity);
                columns.item_prices.push(item.unit_price);
                columns.item_rates.push(item.basis_points);
                columns.item_taxes.push(item.tax);
                columns.item_totals.push(item.total);
                *stock.entry(item.product).or_insert(0) -= item.quantity;
            }
        }
        (columns.stock_products, columns.stock_changes) = stock.into_iter().unzip();
        columns
    }
    fn sale_rows(&self) -> Vec<Value<'_>> {
        vec![
            &self.ids,
            &self.numbers,
            &self.at,
            &self.totals,
            &self.taxes,
            &self.changes,
            &self.days,
            &self.terminals,
        ]
    }

    fn item_rows(&self) -> Vec<Value<'_>> {
        vec![
            &self.item_sales,
            &self.item_quantities,
            &self.item_prices,
            &self.item_taxes,
            &self.item_totals,
            &self.item_lines,
            &self.item_products,
            &self.item_rates,
        ]
    }
}
