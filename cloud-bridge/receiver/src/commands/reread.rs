//! `cloud-receiver reread`.

use cloud_bridge::Address;

use super::Failure;
use super::failure::{Code, open};
use crate::Ingest;
use crate::cli::Database;

pub(super) async fn reread(database: &Database) -> Result<(), Failure> {
    let client = open(database).await?;
    let stores = crate::status(&client).await?;
    let mut ingest = Ingest::prepare(client).await?;
    for store in stores.iter().filter(|store| store.not_understood > 0) {
        // All boxes of a store write its records; which one is named does not matter.
        let address = Address::new(&store.tenant, &store.store, "any")
            .map_err(|error| Failure::new(Code::Failed, error, "report this: no box can have such a name"))?;
        let read = ingest.reread(&address).await?;
        let left = store.not_understood.saturating_sub(read);
        println!("{}/{}: {read} records understood now, {left} still not", store.tenant, store.store);
    }
    Ok(())
}
