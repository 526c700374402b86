//! The rows that are copied into tables: their columns and values, in one order.

use std::borrow::Cow;

use pos_domain::delivery::{Loss, RefusedDocument};
use pos_domain::event::Adjustment;
use pos_domain::money::Money;
use pos_domain::sale::{Kind, Line, Sale};
use pos_domain::tender::{PaymentStatus, Tender};
use pos_domain::time::Date;
use pos_journal::Record;
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use super::{SaleChange, Version};
use crate::values::{Day, Moment, epoch_bits, sealed, seq_bits, text};

/// A value of a row.
pub type Value<'a> = &'a (dyn ToSql + Sync);

/// A row of a table.
pub trait Row: Send + Sync {
    /// The table's name.
    const TABLE: &'static str;
    /// The columns.
    const COLUMNS: &'static [(&'static str, Type)];
    /// Their values, in that order.
    fn values(&self) -> Vec<Value<'_>>;
}

/// Declares a row: a field is a column of the same name.
macro_rules! row {
    ($(#[$about:meta])* $row:ident<$life:lifetime> in $table:literal { $($column:ident: $type:ty as $kind:ident,)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[allow(missing_docs, reason = "the columns are told of in the migrations")]
        pub struct $row<$life> { $(pub $column: $type,)* }

        impl Row for $row<'_> {
            const TABLE: &'static str = $table;
            const COLUMNS: &'static [(&'static str, Type)] = &[$((stringify!($column), Type::$kind),)*];

            fn values(&self) -> Vec<Value<'_>> {
                vec![$(&self.$column,)*]
            }
        }
    };
}

row! {
    /// A record, as it came.
    RecordRow<'a> in "records" {
        store_id: i64 as INT8,
        epoch: i64 as INT8,
        seq: i64 as INT8,
        hash: &'a [u8] as BYTEA,
        body: &'a [u8] as BYTEA,
    }
}

row! {
    /// A SaleTransaction.
    SaleRow<'a> in "sales" {
        store_id: i64 as INT8,
        id: Uuid as UUID,
        started_at: Moment as TIMESTAMPTZ,
        completed_at: Option<Moment> as TIMESTAMPTZ,
        total_minor: i64 as INT8,
        tax_minor: i64 as INT8,
        discount_minor: i64 as INT8,
        rounding_minor: i64 as INT8,
        change_minor: i64 as INT8,
        due_minor: i64 as INT8,
        points: i64 as INT8,
        recorded_at: Moment as TIMESTAMPTZ,
        epoch: i64 as INT8,
        seq: i64 as INT8,
        series: i32 as INT4,
        business_date: Day as DATE,
        training: bool as BOOL,
        late: bool as BOOL,
        unlinked: bool as BOOL,
        kind: &'static str as TEXT,
        status: &'static str as TEXT,
        currency: Cow<'a, str> as TEXT,
        terminal: Cow<'a, str> as TEXT,
        cashier: Option<Cow<'a, str>> as TEXT,
        receipt: Option<String> as TEXT,
        provisional_number: Option<Cow<'a, str>> as TEXT,
        customer_id: Option<Uuid> as UUID,
        original_id: Option<Uuid> as UUID,
        shift_id: Option<Uuid> as UUID,
        reason: Option<Vec<u8>> as BYTEA,
    }
}

row! {
    /// A SaleItem.
    ItemRow<'a> in "sale_items" {
        store_id: i64 as INT8,
        sale_id: Uuid as UUID,
        number: i32 as INT4,
        tax_rate_millipercent: i32 as INT4,
        id: Uuid as UUID,
        product_number: Option<i64> as INT8,
        quantity_milli: i64 as INT8,
        returned_milli: i64 as INT8,
        unit_price_minor: i64 as INT8,
        discount_minor: i64 as INT8,
        tax_minor: i64 as INT8,
        total_minor: i64 as INT8,
        voided: bool as BOOL,
        sku: Cow<'a, str> as TEXT,
        name: Cow<'a, str> as TEXT,
        department: Cow<'a, str> as TEXT,
        original_reference: Option<Cow<'a, str>> as TEXT,
        reason: Option<Vec<u8>> as BYTEA,
    }
}

row! {
    /// A Payment.
    PaymentRow<'a> in "payments" {
        store_id: i64 as INT8,
        sale_id: Uuid as UUID,
        number: i32 as INT4,
        id: Uuid as UUID,
        amount_minor: i64 as INT8,
        paid_at: Moment as TIMESTAMPTZ,
        method: &'static str as TEXT,
        status: &'static str as TEXT,
        reference: Option<Cow<'a, str>> as TEXT,
        foreign_currency: Option<Cow<'a, str>> as TEXT,
        foreign_amount_minor: Option<i64> as INT8,
        foreign_rate: Option<Cow<'a, str>> as TEXT,
    }
}

row! {
    /// An InventoryAdjustment.
    AdjustmentRow<'a> in "inventory_adjustments" {
        store_id: i64 as INT8,
        id: Uuid as UUID,
        product_number: i64 as INT8,
        change_milli: i64 as INT8,
        level_milli: i64 as INT8,
        adjusted_at: Moment as TIMESTAMPTZ,
        business_date: Day as DATE,
        sku: Cow<'a, str> as TEXT,
        reason: Cow<'a, str> as TEXT,
        user_id: Option<Cow<'a, str>> as TEXT,
        note: Option<Vec<u8>> as BYTEA,
    }
}

row! {
    /// A value that was given up.
    LossRow<'a> in "product_losses" {
        store_id: i64 as INT8,
        epoch: i64 as INT8,
        seq: i64 as INT8,
        number: i32 as INT4,
        stores: bool as BOOL,
        happened_at: Moment as TIMESTAMPTZ,
        sku: Cow<'a, str> as TEXT,
        field: &'static str as TEXT,
        kept: Cow<'a, str> as TEXT,
        given_up: Cow<'a, str> as TEXT,
    }
}

row! {
    /// A document of head office that was not taken.
    RefusalRow<'a> in "refused_products" {
        store_id: i64 as INT8,
        epoch: i64 as INT8,
        seq: i64 as INT8,
        number: i32 as INT4,
        happened_at: Moment as TIMESTAMPTZ,
        sku: Cow<'a, str> as TEXT,
        why: Cow<'a, str> as TEXT,
    }
}

impl<'a> LossRow<'a> {
    /// Of a store's record.
    #[must_use]
    pub fn of(store_id: i64, (loss, version, number): &'a (Loss, Version, i32)) -> Self {
        Self {
            store_id,
            epoch: version.epoch,
            seq: version.seq,
            number: *number,
            stores: loss.stores,
            happened_at: version.recorded_at,
            sku: text(&loss.sku),
            field: loss.field.name(),
            kept: text(&loss.kept),
            given_up: text(&loss.given_up),
        }
    }
}

impl<'a> RefusalRow<'a> {
    /// Of a store's record.
    #[must_use]
    pub fn of(store_id: i64, (refused, version, number): &'a (RefusedDocument, Version, i32)) -> Self {
        Self {
            store_id,
            epoch: version.epoch,
            seq: version.seq,
            number: *number,
            happened_at: version.recorded_at,
            sku: text(&refused.sku),
            why: text(&refused.why),
        }
    }
}

impl<'a> RecordRow<'a> {
    /// Of a store's record.
    #[must_use]
    pub fn of(store_id: i64, record: &'a Record) -> Self {
        let (epoch, seq) = (epoch_bits(record.epoch), seq_bits(record.seq));
        Self { store_id, epoch, seq, hash: &record.hash, body: &record.body }
    }
}

impl<'a> SaleRow<'a> {
    /// Of a store's sale.
    #[must_use]
    pub fn of(store_id: i64, change: &'a SaleChange) -> Self {
        let sale: &'a Sale = &change.sale;
        Self {
            store_id,
            id: sale.id,
            started_at: sale.started_at.into(),
            completed_at: sale.completed_at.map(Moment::from),
            total_minor: sale.total.0,
            tax_minor: sale.tax.0,
            discount_minor: sale.live_lines().map(|line| line.discount).sum::<Money>().0,
            rounding_minor: sale.rounding.0,
            change_minor: sale.change.0,
            due_minor: sale.due.0,
            points: change.points,
            recorded_at: change.version.recorded_at,
            epoch: change.version.epoch,
            seq: change.version.seq,
            series: change.version.series,
            business_date: sale.business_date.into(),
            training: sale.training,
            late: sale.late,
            unlinked: sale.unlinked,
            kind: match sale.kind {
                Kind::Sale => "sale",
                Kind::Return => "return",
            },
            status: sale.status.name(),
            currency: text(sale.currency.code()),
            terminal: text(&sale.terminal),
            cashier: sale.cashier.as_deref().map(text),
            receipt: sale.receipt.map(|receipt| receipt.to_string()),
            provisional_number: sale.provisional_number.as_deref().map(text),
            customer_id: sale.customer,
            original_id: sale.original,
            shift_id: sale.shift,
            reason: sale.reason.as_ref().map(sealed),
        }
    }
}

impl<'a> ItemRow<'a> {
    /// Of a line of a store's sale.
    #[must_use]
    pub fn of(store_id: i64, sale: &Sale, line: &'a Line) -> Self {
        Self {
            store_id,
            sale_id: sale.id,
            number: i32::from(line.number),
            tax_rate_millipercent: i32::try_from(line.rate.0).unwrap_or(i32::MAX),
            id: sale.line_id(line.number),
            product_number: line.product.map(|product| i64::from(product.0)),
            quantity_milli: line.quantity.0,
            returned_milli: line.returned.quantity.0,
            unit_price_minor: line.unit_price.0,
            discount_minor: line.discount.0,
            tax_minor: line.tax.0,
            total_minor: line.total.0,
            voided: line.voided,
            sku: text(&line.sku),
            name: text(&line.name),
            department: text(&line.department),
            original_reference: line.original_reference.as_deref().map(text),
            reason: line.reason.as_ref().map(sealed),
        }
    }
}

impl<'a> PaymentRow<'a> {
    /// Of a tender of a store's sale.
    #[must_use]
    pub fn of(store_id: i64, sale: &Sale, tender: &'a Tender) -> Self {
        Self {
            store_id,
            sale_id: sale.id,
            number: i32::from(tender.number),
            id: sale.payment_id(tender.number),
            amount_minor: tender.amount.0,
            paid_at: tender.at.into(),
            method: tender.method.name(),
            status: match tender.status {
                PaymentStatus::Pending => "pending",
                PaymentStatus::Approved => "approved",
                PaymentStatus::Declined => "declined",
                PaymentStatus::Unknown => "unknown",
                PaymentStatus::Reversed => "reversed",
            },
            reference: tender.reference.as_deref().map(text),
            foreign_currency: tender.foreign.as_ref().map(|foreign| text(foreign.currency.code())),
            foreign_amount_minor: tender.foreign.as_ref().map(|foreign| foreign.amount.0),
            foreign_rate: tender.foreign.as_ref().map(|foreign| text(&foreign.rate)),
        }
    }
}

impl<'a> AdjustmentRow<'a> {
    /// Of a store's adjustment.
    #[must_use]
    pub fn of(store_id: i64, adjustment: &'a Adjustment, business_date: Date) -> Self {
        Self {
            store_id,
            id: adjustment.id,
            product_number: i64::from(adjustment.product.0),
            change_milli: adjustment.change.0,
            level_milli: adjustment.level.0,
            adjusted_at: adjustment.at.into(),
            business_date: business_date.into(),
            sku: text(&adjustment.sku),
            reason: text(&adjustment.reason),
            user_id: adjustment.user.as_deref().map(text),
            note: adjustment.note.as_ref().map(sealed),
        }
    }
}
