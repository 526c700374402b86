//! The store that a box belongs to: made when it is first heard of, and locked while its records are taken.

use cloud_bridge::Address;
use tokio_postgres::Transaction;

use super::Statements;
use crate::failure::IngestError;
use crate::model::Ground;

/// A store, locked until the transaction ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Store {
    pub(super) id: i64,
    pub(super) point_worth: i64,
}

/// Locks against other receivers, and not against readers. All of a store is one lock, and not an epoch's head: versions of a sale
/// that come by two epochs are compared with each other.
pub(crate) const FIND: &str =
    "SELECT id, point_worth_minor FROM stores WHERE tenant = $1 AND store = $2 FOR NO KEY UPDATE";
pub(crate) const MAKE: &str = "INSERT INTO stores (tenant, store) VALUES ($1, $2) ON CONFLICT DO NOTHING";

impl Store {
    pub(super) async fn lock(
        transaction: &Transaction<'_>,
        statements: &Statements,
        address: &Address,
    ) -> Result<Self, IngestError> {
        let (tenant, store) = (address.tenant(), address.store());
        let found = match transaction.query_opt(&statements.find_store, &[&tenant, &store]).await? {
            Some(found) => found,
            None => {
                transaction.execute(&statements.make_store, &[&tenant, &store]).await?;
                transaction.query_one(&statements.find_store, &[&tenant, &store]).await?
            }
        };
        Ok(Self { id: found.try_get(0)?, point_worth: found.try_get(1)? })
    }

    pub(super) fn ground(&self, series: i32) -> Ground {
        Ground { series, point_worth: self.point_worth }
    }
}
