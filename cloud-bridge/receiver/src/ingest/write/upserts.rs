//! Rows of which the later version stands: the store's configuration, products, customers.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use pos_domain::catalog::Product;
use pos_domain::store::StoreConfig;
use uuid::Uuid;

use super::{Desk, Version};
use crate::failure::IngestError;
use crate::model::{CustomerChange, Moment, Value};
use crate::values::{sealed, text};

pub(in crate::ingest) const CONFIGURE: &str = "UPDATE stores
    SET name = $2, address = $3, currency = $4, time_zone = $5, cut_off_minutes = $6, point_worth_minor = $7,
        recorded_at = $8, series = $9, epoch = $10, seq = $11
    WHERE id = $1 AND (recorded_at IS NULL
        OR ($8::timestamptz, $9::integer, $10::bigint, $11::bigint) > (recorded_at, series, epoch, seq))";
pub(in crate::ingest) const PUT_PRODUCTS: &str = "INSERT INTO products AS p (store_id, sku, number, price_minor,
        low_stock_at_milli, version, by_weight, name, tax_class, department, barcode, description,
        recorded_at, series, epoch, seq)
    SELECT $1, * FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::boolean[], $8::text[],
        $9::text[], $10::text[], $11::text[], $12::text[], $13::timestamptz[], $14::integer[], $15::bigint[], $16::bigint[])
    ON CONFLICT (store_id, sku) DO UPDATE SET number = excluded.number, price_minor = excluded.price_minor,
        low_stock_at_milli = excluded.low_stock_at_milli, version = excluded.version, by_weight = excluded.by_weight,
        name = excluded.name, tax_class = excluded.tax_class, department = excluded.department,
        barcode = excluded.barcode, description = excluded.description, recorded_at = excluded.recorded_at,
        series = excluded.series, epoch = excluded.epoch, seq = excluded.seq
    WHERE (excluded.recorded_at, excluded.series, excluded.epoch, excluded.seq) > (p.recorded_at, p.series, p.epoch, p.seq)";
/// Of two erasures the earlier stands; against one, nothing does.
pub(in crate::ingest) const PUT_CUSTOMERS: &str =
    "INSERT INTO customers AS c (store_id, id, version, profile, email_hash,
        phone_hash, consent, erased_at, recorded_at, series, epoch, seq)
    SELECT $1, * FROM unnest($2::uuid[], $3::bigint[], $4::bytea[], $5::bytea[], $6::bytea[], $7::text[],
        $8::timestamptz[], $9::timestamptz[], $10::integer[], $11::bigint[], $12::bigint[])
    ON CONFLICT (store_id, id) DO UPDATE SET version = excluded.version, profile = excluded.profile,
        email_hash = excluded.email_hash, phone_hash = excluded.phone_hash, consent = excluded.consent,
        erased_at = excluded.erased_at, recorded_at = excluded.recorded_at, series = excluded.series,
        epoch = excluded.epoch, seq = excluded.seq
    WHERE CASE
        WHEN c.erased_at IS NULL AND excluded.erased_at IS NOT NULL THEN true
        WHEN c.erased_at IS NOT NULL AND excluded.erased_at IS NULL THEN false
        ELSE c.erased_at IS NULL = ((excluded.recorded_at, excluded.series, excluded.epoch, excluded.seq)
            > (c.recorded_at, c.series, c.epoch, c.seq)) END";

impl Desk<'_> {
    /// Whether this configuration is the newest.
    pub(super) async fn configure(
        &self,
        config: &StoreConfig,
        version: Version,
    ) -> Result<bool, IngestError> {
        let (name, address) = (text(&config.name), config.address.join("\n"));
        let (address, time_zone) = (text(&address), text(&config.time_zone));
        let worth = config.loyalty.map_or(0, |loyalty| loyalty.worth.0);
        let values: [Value<'_>; 11] = [
            &self.store,
            &name,
            &address,
            &config.currency.code(),
            &time_zone,
            &i32::from(config.cut_off_minutes),
            &worth,
            &version.recorded_at,
            &version.series,
            &version.epoch,
            &version.seq,
        ];
        Ok(self.transaction.execute(&self.statements.configure, &values).await? > 0)
    }

    pub(super) async fn products(
        &self,
        products: &BTreeMap<Arc<str>, (Arc<Product>, Version)>,
    ) -> Result<(), IngestError> {
        if products.is_empty() {
            return Ok(());
        }
        let versions = Versions::of(products.values().map(|(_, version)| version));
        let all = || products.values().map(|(product, _)| product);
        let skus: Vec<_> = all().map(|product| text(&product.sku)).collect();
        let numbers: Vec<_> = all().map(|product| i64::from(product.id.0)).collect();
        let prices: Vec<_> = all().map(|product| product.price.0).collect();
        let low: Vec<_> = all().map(|product| product.low_stock_at.map(|level| level.0)).collect();
        let edits: Vec<_> = all().map(|product| i64::from(product.version)).collect();
        let by_weight: Vec<_> = all().map(|product| product.by_weight).collect();
        let names: Vec<_> = all().map(|product| text(&product.name)).collect();
        let tax_classes: Vec<_> = all().map(|product| text(&product.tax_class)).collect();
        let departments: Vec<_> = all().map(|product| text(&product.department)).collect();
        let barcodes: Vec<_> = all().map(|product| product.barcode.as_deref().map(text)).collect();
        let descriptions: Vec<_> = all().map(|product| product.description.as_deref().map(text)).collect();
        let values: [Value<'_>; 16] = [
            &self.store,
            &skus,
            &numbers,
            &prices,
            &low,
            &edits,
            &by_weight,
            &names,
            &tax_classes,
            &departments,
            &barcodes,
            &descriptions,
            &versions.recorded_at,
            &versions.series,
            &versions.epoch,
            &versions.seq,
        ];
        self.transaction.execute(&self.statements.put_products, &values).await?;
        Ok(())
    }

    pub(super) async fn customers(
        &self,
        customers: &BTreeMap<Uuid, (CustomerChange, Version)>,
    ) -> Result<(), IngestError> {
        if customers.is_empty() {
            return Ok(());
        }
        let versions = Versions::of(customers.values().map(|(_, version)| version));
        let ids: Vec<Uuid> = customers.keys().copied().collect();
        let all = || {
            customers.values().map(|(change, _)| match change {
                CustomerChange::Put(customer) => Some(customer),
                CustomerChange::Erased => None,
            })
        };
        let edits: Vec<_> = all().map(|put| put.map(|customer| i64::from(customer.version))).collect();
        let profiles: Vec<_> = all().map(|put| put.map(|customer| sealed(&customer.profile))).collect();
        let hash = |hash: Option<[u8; 16]>| hash.map(|hash| hash.to_vec());
        let emails: Vec<_> = all().map(|put| put.and_then(|customer| hash(customer.email_hash))).collect();
        let phones: Vec<_> = all().map(|put| put.and_then(|customer| hash(customer.phone_hash))).collect();
        let consents: Vec<Option<Cow<'_, str>>> =
            all().map(|put| put.and_then(|customer| customer.consent.as_deref()).map(text)).collect();
        let erased: Vec<Option<Moment>> = customers
            .values()
            .map(|(change, version)| (*change == CustomerChange::Erased).then_some(version.recorded_at))
            .collect();
        let values: [Value<'_>; 12] = [
            &self.store,
            &ids,
            &edits,
            &profiles,
            &emails,
            &phones,
            &consents,
            &erased,
            &versions.recorded_at,
            &versions.series,
            &versions.epoch,
            &versions.seq,
        ];
        self.transaction.execute(&self.statements.put_customers, &values).await?;
        Ok(())
    }
}

/// Versions, column by column.
#[derive(Default)]
struct Versions {
    recorded_at: Vec<Moment>,
    series: Vec<i32>,
    epoch: Vec<i64>,
    seq: Vec<i64>,
}

impl Versions {
    fn of<'a>(versions: impl Iterator<Item = &'a Version>) -> Self {
        versions.fold(Self::default(), |mut columns, version| {
            columns.recorded_at.push(version.recorded_at);
            columns.series.push(version.series);
            columns.epoch.push(version.epoch);
            columns.seq.push(version.seq);
            columns
        })
    }
}
