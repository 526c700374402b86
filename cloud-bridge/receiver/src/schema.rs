//! The tables, as numbered migrations: each applied once, whole, and recorded with its checksum. A migration that was released never
//! changes; what has to change is a new one.

use thiserror::Error;
use tokio_postgres::{Client, GenericClient};

use crate::failure::describe;

/// One migration.
struct Migration {
    version: i32,
    name: &'static str,
    sql: &'static str,
}

const MIGRATIONS: [Migration; 6] = [
    Migration { version: 1, name: "records", sql: include_str!("../migrations/0001_records.sql") },
    Migration { version: 2, name: "shop", sql: include_str!("../migrations/0002_shop.sql") },
    Migration { version: 3, name: "views", sql: include_str!("../migrations/0003_views.sql") },
    Migration { version: 4, name: "refused", sql: include_str!("../migrations/0004_refused.sql") },
    Migration { version: 5, name: "losses", sql: include_str!("../migrations/0005_losses.sql") },
    Migration { version: 6, name: "head_office", sql: include_str!("../migrations/0006_head_office.sql") },
];

/// The advisory lock under which migrations are applied: "tillbox" in ASCII.
const LOCK: i64 = 0x74_69_6c_6c_62_6f_78;

const TABLE: &str =
    "CREATE TABLE IF NOT EXISTS schema_migrations (version integer PRIMARY KEY, name text NOT NULL,
    checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())";
const CHECKSUM: &str = "encode(sha256(convert_to($1::text, 'UTF8')), 'hex')";

/// A database that is not as this software needs it.
#[derive(Debug, Error)]
pub enum MigrateError {
    /// It was changed after it had been applied.
    #[error(
        "migration {version} ({name}) was applied here with another text; this software is not the one that made these tables"
    )]
    Changed {
        /// Which.
        version: i32,
        /// Its name.
        name: String,
    },
    /// The database is of newer software.
    #[error("the database has migration {version} ({name}), this software knows up to {}: update it", MIGRATIONS.len())]
    Newer {
        /// Which.
        version: i32,
        /// Its name.
        name: String,
    },
    /// The tables are older than this software.
    #[error("the tables are not up to date here: migration {version} ({name}) is missing")]
    Missing {
        /// The first that is.
        version: i32,
        /// Its name.
        name: &'static str,
    },
    /// The database said no, or nothing.
    #[error("the database: {}", describe(.0))]
    Database(#[from] tokio_postgres::Error),
}

/// Brings the tables up to date; gives the names of the migrations that were applied. Two may do this at once: one waits.
///
/// # Errors
/// [`MigrateError`]; the migrations before the one that failed stay applied, nothing of that one does.
pub async fn migrate(client: &mut Client) -> Result<Vec<&'static str>, MigrateError> {
    let mut applied = Vec::new();
    loop {
        let transaction = client.transaction().await?;
        transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await?;
        transaction.batch_execute(TABLE).await?;
        let reached = reached(&transaction).await?;
        let Some(next) = MIGRATIONS.iter().find(|migration| migration.version > reached) else {
            transaction.commit().await?;
            return Ok(applied);
        };
        transaction.batch_execute(next.sql).await?;
        let record =
            format!("INSERT INTO schema_migrations (version, name, checksum) VALUES ($2, $3, {CHECKSUM})");
        transaction.execute(&record, &[&next.sql, &next.version, &next.name]).await?;
        transaction.commit().await?;
        applied.push(next.name);
    }
}

/// Whether the tables are those that this software needs.
///
/// # Errors
/// [`MigrateError`], which says what is missing or other.
pub async fn check(client: &Client) -> Result<(), MigrateError> {
    let exists = client.query_one("SELECT to_regclass('schema_migrations') IS NOT NULL", &[]).await?;
    let reached = if exists.try_get(0)? { reached(client).await? } else { 0 };
    match MIGRATIONS.iter().find(|migration| migration.version > reached) {
        Some(Migration { version, name, .. }) => Err(MigrateError::Missing { version: *version, name }),
        None => Ok(()),
    }
}

/// The last migration that was applied, all before it included.
async fn reached(client: &impl GenericClient) -> Result<i32, MigrateError> {
    let applied =
        client.query("SELECT version, name, checksum FROM schema_migrations ORDER BY version", &[]).await?;
    let mut reached = 0;
    for row in applied {
        let (version, name): (i32, String) = (row.try_get(0)?, row.try_get(1)?);
        let Some(known) = MIGRATIONS.iter().find(|migration| migration.version == version) else {
            return Err(MigrateError::Newer { version, name });
        };
        let sum = client.query_one(&format!("SELECT {CHECKSUM}"), &[&known.sql]).await?;
        if sum.try_get::<_, &str>(0)? != row.try_get::<_, &str>(2)? || version != reached + 1 {
            return Err(MigrateError::Changed { version, name });
        }
        reached = version;
    }
    Ok(reached)
}
