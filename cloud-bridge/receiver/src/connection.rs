//! A connection to the database.

use tokio_postgres::{Client, Error, NoTls};

/// Connects; a task of its own moves the bytes and ends with the client, which then says so to whoever uses it.
///
/// There is no TLS: the database is on this machine, or behind a tunnel or on a network that nobody else is on.
///
/// # Errors
/// The database's or the network's.
pub async fn connect(url: &str) -> Result<Client, Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(async move {
        // Whoever waits for an answer gets the error; there is nobody else to tell.
        let _ = connection.await;
    });
    Ok(client)
}
