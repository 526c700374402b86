//! Changes into tables. The store is locked; what is here of it stays as it is found.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;

use pos_journal::{EpochId, Record};
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::Type;
use tokio_postgres::{Statement, Transaction};
use uuid::Uuid;

use super::store::Store;
use super::{Statements, seq_bits};
use crate::failure::IngestError;
use crate::model::{
    AdjustmentRow, Changes, ItemRow, LossRow, Movements, NotUnderstood, PaymentRow, RecordRow, RefusalRow,
    Row, SaleChange, SaleRow, Value, Version,
};
use crate::values::{epoch_bits, text};

mod upserts;

pub(super) use upserts::{CONFIGURE, PUT_CUSTOMERS, PUT_PRODUCTS};

pub(super) const SALES_HERE: &str = "SELECT id, status NOT IN ('open', 'suspended', 'cancelled'),
        status IN ('completed', 'partiallyRefunded', 'refunded') AND NOT training,
        recorded_at, series, epoch, seq, customer_id, points
    FROM sales WHERE store_id = $1 AND id = ANY($2)";
pub(super) const GOODS_MOVED: &str = "SELECT i.sku,
        sum(CASE s.kind WHEN 'return' THEN i.quantity_milli ELSE -i.quantity_milli END)::bigint
    FROM sales s JOIN sale_items i ON i.store_id = s.store_id AND i.sale_id = s.id
    WHERE s.store_id = $1 AND s.id = ANY($2) AND i.product_number IS NOT NULL AND NOT i.voided
    GROUP BY i.sku";
pub(super) const FORGET_SALES: &str = "DELETE FROM sales WHERE store_id = $1 AND id = ANY($2)";
pub(super) const FORGET_ITEMS: &str = "DELETE FROM sale_items WHERE store_id = $1 AND sale_id = ANY($2)";
pub(super) const FORGET_PAYMENTS: &str = "DELETE FROM payments WHERE store_id = $1 AND sale_id = ANY($2)";
pub(super) const ADJUSTMENTS_HERE: &str =
    "SELECT id FROM inventory_adjustments WHERE store_id = $1 AND id = ANY($2)";
pub(super) const MOVE_STOCK: &str = "INSERT INTO stock (store_id, sku, quantity_milli)
    SELECT $1, sku, by FROM unnest($2::text[], $3::bigint[]) AS moved (sku, by)
    ON CONFLICT (store_id, sku) DO UPDATE SET quantity_milli = stock.quantity_milli + excluded.quantity_milli";
pub(super) const MOVE_POINTS: &str = "INSERT INTO customer_points (store_id, customer_id, points)
    SELECT $1, customer, by FROM unnest($2::uuid[], $3::bigint[]) AS moved (customer, by)
    ON CONFLICT (store_id, customer_id) DO UPDATE SET points = customer_points.points + excluded.points";
pub(super) const NOT_UNDERSTOOD: &str = "INSERT INTO not_understood (store_id, epoch, seq, why)
    SELECT $1, $2, seq, why FROM unnest($3::bigint[], $4::text[]) AS kept (seq, why)";

/// Records as they came.
pub(super) async fn records(
    transaction: &Transaction<'_>,
    statements: &Statements,
    store: i64,
    run: &[&Record],
) -> Result<(), IngestError> {
    let rows = run.iter().map(|record| RecordRow::of(store, record)).collect();
    copy(transaction, &statements.copy_records, rows).await
}

/// All that records of an epoch change. `quick`: sales that begin in them are certainly new.
pub(super) async fn changes(
    transaction: &Transaction<'_>,
    statements: &Statements,
    store: &mut Store,
    epoch: EpochId,
    changes: &Changes,
    quick: bool,
) -> Result<(), IngestError> {
    let desk = Desk { transaction, statements, store: store.id };
    let mut movements = Movements::default();
    desk.sales(&changes.sales, quick, &mut movements).await?;
    desk.adjustments(changes, &mut movements).await?;
    if let Some((config, version)) = &changes.store
        && desk.configure(config, *version).await?
    {
        store.point_worth = changes.ground.point_worth;
    }
    desk.products(&changes.products).await?;
    let losses = changes.losses.iter().map(|loss| LossRow::of(desk.store, loss)).collect();
    copy(transaction, &statements.copy_losses, losses).await?;
    let refused = changes.refused.iter().map(|refused| RefusalRow::of(desk.store, refused)).collect();
    copy(transaction, &statements.copy_refusals, refused).await?;
    desk.customers(&changes.customers).await?;
    desk.movements(&movements).await?;
    desk.not_understood(epoch, &changes.not_understood).await
}

/// Where rows of one store are written.
struct Desk<'a> {
    transaction: &'a Transaction<'a>,
    statements: &'a Statements,
    store: i64,
}

/// A sale that is here.
struct Here {
    rank: (bool, Version),
    counts: bool,
    customer: Option<Uuid>,
    points: i64,
}

impl Desk<'_> {
    async fn sales(
        &self,
        sales: &BTreeMap<Uuid, SaleChange>,
        quick: bool,
        movements: &mut Movements,
    ) -> Result<(), IngestError> {
        let perhaps_here =
            sales.values().filter(|change| !(quick && change.begun)).map(|change| change.sale.id);
        let here = self.sales_here(perhaps_here.collect()).await?;
        let stands =
            |change: &&SaleChange| here.get(&change.sale.id).is_none_or(|here| here.rank < change.rank());
        let written: Vec<&SaleChange> = sales.values().filter(stands).collect();

        let replaced: Vec<Uuid> =
            written.iter().map(|change| change.sale.id).filter(|id| here.contains_key(id)).collect();
        self.take_back(&replaced, &here, movements).await?;
        for change in written.iter().filter(|change| change.counts()) {
            movements.count(change);
        }
        if !replaced.is_empty() {
            let (transaction, statements) = (self.transaction, self.statements);
            transaction.execute(&statements.forget_items, &[&self.store, &replaced]).await?;
            transaction.execute(&statements.forget_payments, &[&self.store, &replaced]).await?;
            transaction.execute(&statements.forget_sales, &[&self.store, &replaced]).await?;
        }
        copy(self.transaction, &self.statements.copy_sales, sale_rows(self.store, &written)).await?;
        copy(self.transaction, &self.statements.copy_items, item_rows(self.store, &written)).await?;
        copy(self.transaction, &self.statements.copy_payments, payment_rows(self.store, &written)).await
    }

    async fn sales_here(&self, ids: Vec<Uuid>) -> Result<BTreeMap<Uuid, Here>, IngestError> {
        let mut here = BTreeMap::new();
        if ids.is_empty() {
            return Ok(here);
        }
        for row in self.transaction.query(&self.statements.sales_here, &[&self.store, &ids]).await? {
            let version = Version {
                recorded_at: row.try_get(3)?,
                series: row.try_get(4)?,
                epoch: row.try_get(5)?,
                seq: row.try_get(6)?,
            };
            let sale = Here {
                rank: (row.try_get(1)?, version),
                counts: row.try_get(2)?,
                customer: row.try_get(7)?,
                points: row.try_get(8)?,
            };
            here.insert(row.try_get(0)?, sale);
        }
        Ok(here)
    }

    /// What the versions that are replaced have moved.
    async fn take_back(
        &self,
        replaced: &[Uuid],
        here: &BTreeMap<Uuid, Here>,
        movements: &mut Movements,
    ) -> Result<(), IngestError> {
        let counted = |id: &&Uuid| here.get(*id).is_some_and(|here| here.counts);
        let counted: Vec<Uuid> = replaced.iter().filter(counted).copied().collect();
        if counted.is_empty() {
            return Ok(());
        }
        for sale in counted.iter().filter_map(|id| here.get(id)) {
            if let Some(customer) = sale.customer {
                movements.move_points(customer, sale.points.saturating_neg());
            }
        }
        for row in self.transaction.query(&self.statements.goods_moved, &[&self.store, &counted]).await? {
            let moved: i64 = row.try_get(1)?;
            movements.move_stock(row.try_get(0)?, moved.saturating_neg());
        }
        Ok(())
    }

    async fn adjustments(&self, changes: &Changes, movements: &mut Movements) -> Result<(), IngestError> {
        if changes.adjustments.is_empty() {
            return Ok(());
        }
        let ids: Vec<Uuid> = changes.adjustments.keys().copied().collect();
        let rows = self.transaction.query(&self.statements.adjustments_here, &[&self.store, &ids]).await?;
        let here = rows.iter().map(|row| row.try_get(0)).collect::<Result<BTreeSet<Uuid>, _>>()?;
        let new: Vec<AdjustmentRow<'_>> = changes
            .adjustments
            .values()
            .filter(|(adjustment, _)| !here.contains(&adjustment.id))
            .map(|(adjustment, date)| AdjustmentRow::of(self.store, adjustment, *date))
            .collect();
        for row in &new {
            movements.move_stock(&row.sku, row.change_milli);
        }
        copy(self.transaction, &self.statements.copy_adjustments, new).await
    }

    async fn movements(&self, movements: &Movements) -> Result<(), IngestError> {
        let (skus, by): (Vec<&str>, Vec<i64>) = movements.stock().unzip();
        if !skus.is_empty() {
            self.transaction.execute(&self.statements.move_stock, &[&self.store, &skus, &by]).await?;
        }
        let (customers, by): (Vec<Uuid>, Vec<i64>) = movements.points().unzip();
        if !customers.is_empty() {
            self.transaction.execute(&self.statements.move_points, &[&self.store, &customers, &by]).await?;
        }
        Ok(())
    }

    async fn not_understood(&self, epoch: EpochId, kept: &[NotUnderstood]) -> Result<(), IngestError> {
        if kept.is_empty() {
            return Ok(());
        }
        let seqs: Vec<i64> = kept.iter().map(|record| seq_bits(record.seq)).collect();
        let why: Vec<_> = kept.iter().map(|record| text(&record.why)).collect();
        let values: [Value<'_>; 4] = [&self.store, &epoch_bits(epoch), &seqs, &why];
        self.transaction.execute(&self.statements.not_understood, &values).await?;
        Ok(())
    }
}

fn sale_rows<'a>(store: i64, written: &[&'a SaleChange]) -> Vec<SaleRow<'a>> {
    written.iter().map(|change| SaleRow::of(store, change)).collect()
}

fn item_rows<'a>(store: i64, written: &[&'a SaleChange]) -> Vec<ItemRow<'a>> {
    let lines = written.iter().flat_map(|change| change.sale.lines.iter().map(|line| (&change.sale, line)));
    lines.map(|(sale, line)| ItemRow::of(store, sale, line)).collect()
}

fn payment_rows<'a>(store: i64, written: &[&'a SaleChange]) -> Vec<PaymentRow<'a>> {
    let tenders =
        written.iter().flat_map(|change| change.sale.tenders.iter().map(|tender| (&change.sale, tender)));
    tenders.map(|(sale, tender)| PaymentRow::of(store, sale, tender)).collect()
}

/// Copies rows into their table; none: nothing is said to the database.
async fn copy<R: Row>(
    transaction: &Transaction<'_>,
    statement: &Statement,
    rows: Vec<R>,
) -> Result<(), IngestError> {
    if rows.is_empty() {
        return Ok(());
    }
    let types: Vec<Type> = R::COLUMNS.iter().map(|(_, kind)| kind.clone()).collect();
    let mut writer = pin!(BinaryCopyInWriter::new(transaction.copy_in(statement).await?, &types));
    for row in &rows {
        writer.as_mut().write(&row.values()).await?;
    }
    writer.finish().await?;
    Ok(())
}
