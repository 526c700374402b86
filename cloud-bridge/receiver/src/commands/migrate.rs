//! `cloud-receiver migrate`.

use super::Failure;
use super::failure::open_any;
use crate::cli::Database;
use crate::schema;

pub(super) async fn migrate(database: &Database) -> Result<(), Failure> {
    let mut client = open_any(database).await?;
    let applied = schema::migrate(&mut client).await?;
    for name in &applied {
        println!("applied: {name}");
    }
    if applied.is_empty() {
        println!("The tables are up to date.");
    }
    Ok(())
}
