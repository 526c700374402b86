//! `cloud-receiver verify`.

use cloud_bridge::Address;

use super::Failure;
use super::failure::{Code, open};
use crate::cli::Database;

pub(super) async fn verify(database: &Database, store: Option<(String, String)>) -> Result<(), Failure> {
    let store = match &store {
        // All boxes of a store write one chain; which one is asked for does not matter.
        Some((tenant, store)) => Some(Address::new(tenant, store, "any").map_err(|error| {
            Failure::new(Code::Wrong, error, "name the store as its boxes do, as TENANT/STORE")
        })?),
        None => None,
    };
    let client = open(database).await?;
    let verified = crate::verify(&client, store.as_ref()).await?;
    if let Some(store) = store.filter(|_| verified.epochs == 0) {
        let what = format!("there are no records of {}/{}", store.tenant(), store.store());
        return Err(Failure::new(Code::Failed, what, "see which stores are here: cloud-receiver status"));
    }
    for flaw in &verified.flaws {
        println!("{flaw}");
    }
    println!("{} records of {} epochs verified", verified.records, verified.epochs);
    if verified.flaws.is_empty() {
        return Ok(());
    }
    let what = format!("{} of {} epochs are not whole", verified.flaws.len(), verified.epochs);
    Err(Failure::new(
        Code::Found,
        what,
        "keep the database as it is, and compare with a backup and with the boxes' journals",
    ))
}
