//! `cloud-receiver status`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pos_domain::time::Millis;
use serde::Serialize;

use super::Failure;
use super::failure::{Code, open};
use crate::cli::Database;
use crate::{BoxStatus, StoreStatus};

/// A store, for programs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct StoreLine<'a> {
    tenant: &'a str,
    store: &'a str,
    name: Option<&'a str>,
    newest: Option<String>,
    records: u64,
    not_understood: u64,
    forks: u64,
    last_received: Option<String>,
    age_seconds: Option<u64>,
    boxes: Vec<BoxLine<'a>>,
}

/// A box, for programs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct BoxLine<'a> {
    name: &'a str,
    online: bool,
    version: Option<&'a str>,
    head: Option<String>,
    lag: Option<u64>,
    disk_free: Option<u64>,
    noted: String,
}

pub(super) async fn status(database: &Database, json: bool) -> Result<(), Failure> {
    let stores = crate::status(&open(database).await?).await?;
    if json {
        let lines: Vec<StoreLine<'_>> = stores.iter().map(StoreLine::of).collect();
        let text = serde_json::to_string_pretty(&lines).map_err(|error| {
            Failure::new(Code::Failed, error, "report this: it should always be possible")
        })?;
        println!("{text}");
    } else {
        print!("{}", table(&stores));
    }
    Ok(())
}

impl<'a> StoreLine<'a> {
    fn of(store: &'a StoreStatus) -> Self {
        Self {
            tenant: &store.tenant,
            store: &store.store,
            name: store.name.as_deref(),
            newest: store.newest.map(|newest| newest.to_string()),
            records: store.records,
            not_understood: store.not_understood,
            forks: store.forks,
            last_received: store.last_received.map(rfc3339),
            age_seconds: store.age.map(|age| age.as_secs()),
            boxes: store.boxes.iter().map(BoxLine::of).collect(),
        }
    }
}

impl<'a> BoxLine<'a> {
    fn of(sender: &'a BoxStatus) -> Self {
        Self {
            name: &sender.name,
            online: sender.online,
            version: sender.version.as_deref(),
            head: sender.head.map(|head| head.to_string()),
            lag: sender.lag,
            disk_free: sender.disk_free,
            noted: rfc3339(sender.noted),
        }
    }
}

fn rfc3339(at: SystemTime) -> String {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX)).rfc3339()
}

/// For people: a line for each store, one below it for each of its boxes.
fn table(stores: &[StoreStatus]) -> String {
    let mut lines = vec![["STORE", "NEWEST", "RECORDS", "LAST", "LAG", "REMARKS"].map(str::to_owned)];
    for store in stores {
        let mut remarks = Vec::new();
        if store.forks > 0 {
            remarks.push(format!("FORKED: {} envelopes in quarantine or beyond it", store.forks));
        }
        if store.not_understood > 0 {
            remarks.push(format!("{} records not understood: update", store.not_understood));
        }
        lines.push([
            format!("{}/{}", store.tenant, store.store),
            store.newest.map_or_else(|| "-".to_owned(), |newest| newest.to_string()),
            store.records.to_string(),
            store.age.map_or_else(|| "never".to_owned(), ago),
            String::new(),
            remarks.join("; "),
        ]);
        for sender in &store.boxes {
            lines.push([
                format!("  {}", sender.name),
                sender.head.map_or_else(|| "-".to_owned(), |head| head.to_string()),
                String::new(),
                String::new(),
                sender.lag.map_or_else(String::new, |lag| lag.to_string()),
                format!(
                    "{}, {}",
                    if sender.online { "online" } else { "OFFLINE" },
                    sender.version.as_deref().unwrap_or("?")
                ),
            ]);
        }
    }
    let mut widths = [0; 6];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    for line in &lines {
        let padded = line.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        text.push_str(padded.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

fn ago(age: Duration) -> String {
    match age.as_secs() {
        seconds @ 0..60 => format!("{seconds} s ago"),
        seconds @ 60..3600 => format!("{} min ago", seconds / 60),
        seconds @ 3600..172_800 => format!("{} h ago", seconds / 3600),
        seconds => format!("{} days ago", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use pos_journal::{EpochId, Position};

    use super::*;

    #[test]
    fn a_person_sees_at_once_what_is_wrong() {
        let head = Position { epoch: EpochId(0xA1), seq: 12 };
        let sender = BoxStatus {
            name: "box-1".into(),
            online: false,
            version: Some("0.1.0".into()),
            head: Some(head),
            lag: Some(3),
            disk_free: None,
            noted: UNIX_EPOCH,
        };
        let store = StoreStatus {
            tenant: "acme".into(),
            store: "corner".into(),
            name: None,
            newest: Some(Position { seq: 9, ..head }),
            records: 9,
            not_understood: 2,
            forks: 1,
            last_received: Some(UNIX_EPOCH),
            age: Some(Duration::from_secs(150)),
            boxes: vec![sender],
        };
        let said = table(&[store]);
        for word in [
            "acme/corner",
            "00000000000000a1.9",
            "2 min ago",
            "FORKED",
            "2 records not understood",
            "OFFLINE",
        ] {
            assert!(said.contains(word), "{word} is not in\n{said}");
        }
    }

    #[test]
    fn ages_are_told_in_one_number() {
        let said = [0, 59, 60, 3599, 3600, 172_799, 172_800].map(|age| ago(Duration::from_secs(age)));
        assert_eq!(
            said,
            ["0 s ago", "59 s ago", "1 min ago", "59 min ago", "1 h ago", "47 h ago", "2 days ago"]
        );
    }
}
