//! What boxes say about themselves, and what a person at the command line sees.

use std::process::Command;

use cloud_bridge::State;
use cloud_receiver::{note_state, status};
use pos_journal::Position;

use crate::server::Database;
use crate::shop::Shop;
use crate::tables::address;

#[tokio::test]
async fn a_store_shows_how_far_it_is_and_how_far_behind_its_box() {
    let Some(database) = Database::new().await else { return };
    let (mut shop, address, mut ingest) = (Shop::new(0xA1), address("corner"), database.ingest().await);
    shop.sell(&[("milk", 1_000)]);
    let head = Position { epoch: shop.epoch, seq: shop.records.len() as u64 };
    let said = State {
        online: true,
        version: Some("0.1.0".into()),
        head: Some(Position { seq: head.seq + 5, ..head }.to_string()),
        acknowledged: Some("nonsense".into()),
        at: Some(1_795_428_000_000),
        disk_free: Some(7_000_000_000),
        devices: [("receipt\0".to_owned(), "ready".to_owned())].into(),
        ..State::default()
    };
    note_state(ingest.client(), &address, &said).await.unwrap();
    let before = status(ingest.client()).await.unwrap().remove(0);
    assert_eq!((before.records, before.newest, before.age), (0, None, None));
    assert_eq!(before.boxes[0].lag, Some(head.seq + 5));

    ingest.take(&address, &[shop.all()]).await.unwrap();
    // The broker's will says no more than this.
    note_state(ingest.client(), &address, &State::default()).await.unwrap();
    let store = status(ingest.client()).await.unwrap().remove(0);
    assert_eq!(
        (store.tenant.as_str(), store.store.as_str(), store.name.as_deref()),
        ("acme", "corner", Some("Käse & Mehr"))
    );
    assert_eq!((store.newest, store.records, store.forks), (Some(head), head.seq, 0));
    assert!(store.age.unwrap().as_secs() < 60 && store.last_received.is_some());
    let sender = &store.boxes[0];
    assert_eq!((sender.name.as_str(), sender.online, sender.lag), ("box-1", false, Some(5)));
    assert_eq!((sender.version.as_deref(), sender.disk_free), (Some("0.1.0"), Some(7_000_000_000)));

    let mut newer = shop.clone();
    newer.new_epoch(0x11);
    ingest.take(&address, &[newer.all()]).await.unwrap();
    let from = shop.records.len();
    shop.sell(&[("milk", 1_000)]);
    ingest.take(&address, &[shop.batch(from..shop.records.len())]).await.unwrap();
    let store = status(ingest.client()).await.unwrap().remove(0);
    assert_eq!(
        store.newest,
        Some(newer.records.last().unwrap().position()),
        "late records of the old box are not the newest"
    );
}

#[tokio::test]
async fn the_command_line_says_what_is_and_ends_with_its_code() {
    let Some(database) = Database::empty().await else { return };
    let run = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cloud-receiver"));
        let done = command.args(words).env("TILLBOX_DATABASE", &database.url).output().unwrap();
        let said = [done.stdout, done.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        (done.status.code().unwrap(), said.concat())
    };
    let (code, said) = run(&["status"]);
    assert!(code == 1 && said.contains("cloud-receiver migrate"), "{said}");
    let (code, said) = run(&["migrate"]);
    assert!(code == 0 && said.starts_with("applied: records\napplied: shop\napplied: views\n"), "{said}");
    assert_eq!(run(&["migrate"]), (0, "The tables are up to date.\n".into()));
    let mut ingest = database.ingest().await;
    ingest.take(&address("corner"), &[Shop::new(0xA1).all()]).await.unwrap();
    let (code, said) = run(&["status"]);
    assert!(code == 0 && said.contains("acme/corner  00000000000000a1.3  3"), "{said}");
    let (code, said) = run(&["status", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, &json[0]["records"], &json[0]["newest"]), (0, &3.into(), &"00000000000000a1.3".into()));
    ingest
        .client()
        .batch_execute("INSERT INTO not_understood SELECT store_id, epoch, seq, 'test' FROM heads")
        .await
        .unwrap();
    assert!(run(&["status"]).1.contains("1 records not understood"));
    assert_eq!(run(&["reread"]), (0, "acme/corner: 1 records understood now, 0 still not\n".into()));
    assert_eq!(run(&["reread"]), (0, String::new()));
    assert_eq!(run(&["verify"]), (0, "3 records of 1 epochs verified\n".into()));
    assert_eq!(run(&["verify", "--store", "acme/corner"]).0, 0);
    assert_eq!(run(&["verify", "--store", "acme/none"]).0, 1);
    ingest.client().batch_execute("UPDATE records SET body = body || '\\x00' WHERE seq = 2").await.unwrap();
    let (code, said) = run(&["verify"]);
    assert!(
        code == 3 && said.contains("acme/corner 00000000000000a1.2: the record is not the one"),
        "{said}"
    );
    let (code, said) = run(&["status", "--database", "postgres://nobody:secret@["]);
    assert!(code == 2 && !said.contains("secret"), "{said}");
}
