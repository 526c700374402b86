//! Head office's rows as documents.

use cloud_bridge::delivery::{NextPrice, ProductDocument};
use tokio_postgres::{Error, Row, Transaction};

const BEHIND: &str = "SELECT sku, floor(extract(epoch FROM changed_at) * 1000)::bigint, field_at::text, name, price_minor,
        next_price_minor, floor(extract(epoch FROM next_price_from) * 1000)::bigint, tax_class, department, barcode,
        description, by_weight, low_stock_at_milli
    FROM head_office_products WHERE tenant = $1 AND version > $2 ORDER BY version, sku";

/// Those that changed after a version; all after 0.
pub(super) async fn behind(
    transaction: &Transaction<'_>,
    tenant: &str,
    version: i64,
) -> Result<Vec<ProductDocument>, Error> {
    let rows = transaction.query(BEHIND, &[&tenant, &version]).await?;
    rows.iter().map(document).collect()
}

fn document(row: &Row) -> Result<ProductDocument, Error> {
    let at: i64 = row.try_get(1)?;
    // Made by the trigger: names and numbers.
    let mut field_at: std::collections::BTreeMap<String, i64> =
        serde_json::from_str(row.try_get(2)?).unwrap_or_default();
    field_at.retain(|_, written| *written != at);
    let next = row.try_get::<_, Option<i64>>(5)?.zip(row.try_get::<_, Option<i64>>(6)?);
    Ok(ProductDocument {
        sku: row.try_get(0)?,
        at,
        field_at,
        name: row.try_get(3)?,
        price: row.try_get(4)?,
        next_price: next.map(|(price, valid_from)| NextPrice { price, valid_from }),
        tax_class: row.try_get(7)?,
        department: row.try_get(8)?,
        barcode: row.try_get(9)?,
        description: row.try_get(10)?,
        by_weight: row.try_get(11)?,
        low_stock_at: row.try_get(12)?,
    })
}
