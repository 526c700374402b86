//! Into tables: by our receiver, by bare `COPY` of the same rows from files into the same indexed tables, and by an `INSERT` for each row.

use super::hand::{Office, Running};
use super::{NAME, Scene, Wrong, failed};
use crate::failure::Failure;
use crate::peer::Cluster;
use crate::process::Running as Process;
use rustix::process::Signal;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use tokio_postgres::Client;

/// Rows that are written one by one: enough to know the rate.
const SAMPLE: usize = 20_000;

pub(super) struct Tables {
    pub(super) rows: Duration,
    pub(super) copy: Duration,
    /// Events a second.
    pub(super) inserts: f64,
}

pub(super) async fn measure(scene: &Scene, cluster: &Cluster, receiver: &Path) -> Result<Tables, Failure> {
    let folder = scene.folder.join("tables");
    let _ = std::fs::remove_dir_all(&folder);
    let office = Office::open(&folder).map_err(Wrong::failure)?;
    for name in ["ours", "copied", "inserted"] {
        cluster.make(name).await?;
        let migrated =
            Command::new(receiver).arg("migrate").env("TILLBOX_DATABASE", cluster.url(name)).output();
        let migrated = migrated.map_err(Failure::file("run", receiver))?;
        if !migrated.status.success() {
            return Err(failed(&String::from_utf8_lossy(&migrated.stderr)));
        }
    }
    let identity = office.identity("cloud")?;
    let mut command = Command::new(receiver);
    command
        .args(["run", "--broker", &format!("localhost:{}", office.broker.port())])
        .arg("--authority")
        .arg(identity.authority)
        .arg("--certificate")
        .arg(identity.certificate)
        .arg("--key")
        .arg(identity.key)
        .env("TILLBOX_DATABASE", cluster.url("ours"))
        .env("NO_COLOR", "1");
    let mut running = Process::start(NAME, &mut command, Signal::TERM, &folder.join("receiver.log"))?;
    let log = folder.join("receiver.log");
    running.until(Duration::from_secs(30), |_| {
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        Ok(said.contains("connected to the broker").then_some(()))
    })?;
    let begun = Instant::now();
    let mut uplink = Running::start(scene, &office, &folder.join("cursor"))?;
    uplink.all().await?;
    let rows = begun.elapsed();
    running.stop()?;

    let ours = cluster.connect_to("ours").await?;
    let tables = tables(&ours).await?;
    let files = cluster.folder();
    for (table, _) in &tables {
        let out = format!("COPY (SELECT * FROM {table}) TO '{}/{table}' (FORMAT binary)", files.display());
        ours.batch_execute(&out).await.map_err(|error| failed(&error))?;
    }
    let copied = cluster.connect_to("copied").await?;
    copied.batch_execute("CHECKPOINT").await.map_err(|error| failed(&error))?;
    let begun = Instant::now();
    for (table, _) in &tables {
        let into = format!("COPY {table} FROM '{}/{table}' (FORMAT binary)", files.display());
        copied.batch_execute(&into).await.map_err(|error| failed(&error))?;
    }
    let copy = begun.elapsed();
    let inserts = insert(scene, &ours, &cluster.connect_to("inserted").await?, &tables).await?;
    Ok(Tables { rows, copy, inserts })
}

/// The tables that have rows, in an order in which they can be filled, with how many.
async fn tables(client: &Client) -> Result<Vec<(String, usize)>, Failure> {
    let sql = "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace
         AND relkind IN ('r', 'p') AND NOT relispartition AND relname <> 'schema_migrations' ORDER BY relname <> 'stores', relname";
    let mut tables = Vec::new();
    for row in client.query(sql, &[]).await.map_err(|error| failed(&error))? {
        let table: String = row.get(0);
        let count = client.query_one(&format!("SELECT count(*) FROM {table}"), &[]).await;
        let count: i64 = count.map_err(|error| failed(&error))?.get(0);
        if count > 0 {
            tables.push((table, usize::try_from(count).unwrap_or(0)));
        }
    }
    Ok(tables)
}

/// Events a second, where each row is an `INSERT` of its own and each event's rows are a transaction.
async fn insert(
    scene: &Scene,
    from: &Client,
    into: &Client,
    tables: &[(String, usize)],
) -> Result<f64, Failure> {
    let rows: usize = tables.iter().map(|(_, count)| count).sum();
    let per_event = (rows as f64 / scene.records.len() as f64).ceil().max(1.0) as usize;
    let share = (SAMPLE as f64 / rows as f64).min(1.0);
    let (mut written, mut took) = (0_usize, Duration::ZERO);
    for (table, count) in tables {
        let columns = "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum),
                 string_agg('$' || n || '::text::' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum),
                 string_agg(quote_ident(attname) || '::text', ', ' ORDER BY attnum)
             FROM (SELECT *, row_number() OVER (ORDER BY attnum) AS n FROM pg_attribute
                   WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '') a";
        let row = from.query_one(columns, &[table]).await.map_err(|error| failed(&error))?;
        let (names, places, texts): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        let limit = ((*count as f64 * share) as usize).max(usize::from(*count > 0));
        // Where others refer to it, all of it is needed, and not counted.
        let all = table == "stores";
        let limit = if all { *count } else { limit };
        let rows = from.query(&format!("SELECT {texts} FROM {table} LIMIT {limit}"), &[]).await;
        let rows = rows.map_err(|error| failed(&error))?;
        let statement = into
            .prepare(&format!("INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE VALUES ({places})"))
            .await;
        let statement = statement.map_err(|error| failed(&error))?;
        let begun = Instant::now();
        for (number, row) in rows.iter().enumerate() {
            if number % per_event == 0 {
                into.batch_execute("BEGIN").await.map_err(|error| failed(&error))?;
            }
            let values: Vec<Option<String>> = (0..row.len()).map(|at| row.get(at)).collect();
            let values: Vec<&(dyn tokio_postgres::types::ToSql + Sync)> =
                values.iter().map(|value| value as &(dyn tokio_postgres::types::ToSql + Sync)).collect();
            into.execute(&statement, &values).await.map_err(|error| failed(&error))?;
            if number % per_event == per_event - 1 || number + 1 == rows.len() {
                into.batch_execute("COMMIT").await.map_err(|error| failed(&error))?;
            }
        }
        if !all {
            took += begun.elapsed();
            written += rows.len();
        }
    }
    Ok(written as f64 / per_event as f64 / took.as_secs_f64())
}
