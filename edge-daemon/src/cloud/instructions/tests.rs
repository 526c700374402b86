//! Commands of head office, without a broker: done once, written down, answered the same when they come again.

use pos_domain::time::Millis;
use tempfile::TempDir;

use super::*;
use crate::checkout::Running;
use crate::clock::HandClock;
use crate::trial;

struct Office {
    foreman: Foreman,
    restarts: watch::Receiver<bool>,
    running: Running,
    clock: HandClock,
    folder: TempDir,
}

impl Office {
    fn open(folder: TempDir) -> Self {
        let (shop, running, clock) = tokio::task::block_in_place(|| trial::open(folder.path()));
        let devices = Devices::unattended(&shop, &trial::config(folder.path()).devices);
        let (restart, restarts) = watch::channel(false);
        let foreman = Foreman {
            shop,
            devices,
            address: "acme/corner/box-1".parse().unwrap(),
            restart,
            support: folder.path().join("support"),
            config: "[store]".into(),
        };
        Self { foreman, restarts, running, clock, folder }
    }

    fn close(self) -> TempDir {
        drop(self.foreman);
        tokio::task::block_in_place(|| self.running.stop()).unwrap();
        self.folder
    }

    fn in_an_hour(&self) -> i64 {
        self.foreman.shop.now().time.0 + 3_600_000
    }

    async fn send(&self, name: &str, payload: &[u8]) -> Option<Reply> {
        let topic = self.foreman.address.topic(Topic::Command(name));
        let with = With {
            correlation: Some(vec![7]),
            answer_to: Some("pos/v1/else/where".into()),
            ..With::default()
        };
        let answer = self.foreman.carry_out(Message::of(&topic, payload, with)).await?;
        assert!(answer.taken.is_some());
        let (topic, bytes, with) = answer.said.unwrap();
        assert_eq!(topic, self.foreman.address.topic(Topic::Reply(name)));
        assert_eq!(with.correlation.as_deref(), Some(&[7][..]));
        Some(messages::read(&bytes).unwrap())
    }

    async fn give(&self, id: u128, order: Order) -> Option<Reply> {
        let command = Command { id: Uuid::from_u128(id), expires_at: self.in_an_hour(), order };
        self.send(command.order.name(), &messages::write(&command).unwrap()).await
    }

    fn records(&self) -> u64 {
        self.foreman.shop.head().unwrap().position.seq
    }

    /// What the journal has of instructions, by name.
    fn journal(&self) -> Vec<String> {
        let records = self.foreman.shop.reader().records_from(pos_journal::Start::Beginning).unwrap();
        let event = |body: &[u8]| pos_journal::codec::Entry::decode(body).unwrap().event;
        let all = records.map(|record| event(&record.unwrap().1.body));
        all.filter_map(|event| match event {
            Event::InstructionTaken(taken) => Some(format!("{} {:?}", taken.name, taken.target.as_deref())),
            Event::InstructionEnded { outcome, .. } => Some(format!("{outcome:?}")),
            _ => None,
        })
        .collect()
    }
}

fn message(text: &str) -> Order {
    Order::Message { terminal: Some("till-1".into()), text: text.into() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_written_down_once_and_its_text_is_sealed() {
    let office = Office::open(TempDir::new().unwrap());
    let first = office.give(1, message("Recall: MILK-17")).await.unwrap();
    assert_eq!((first.id, first.outcome), (Uuid::from_u128(1), Outcome::Done));
    let records = office.records();
    assert_eq!(office.give(1, message("Recall: MILK-17")).await.unwrap(), first, "again");
    assert_eq!(office.records(), records);
    assert_eq!(office.journal(), ["message Some(\"till-1\")", "Done"]);
    let folder = office.close();
    let grep = |path: &std::path::Path| {
        std::fs::read_dir(path).unwrap().any(|file| {
            std::fs::read(file.unwrap().path())
                .unwrap_or_default()
                .windows(7)
                .any(|bytes| bytes == b"MILK-17")
        })
    };
    let journal = folder.path().join("journal");
    let epochs = std::fs::read_dir(journal).unwrap().map(|epoch| epoch.unwrap().path());
    assert!(!epochs.filter(|path| path.is_dir()).any(|path| grep(&path)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_begun_when_the_daemon_was_killed_is_unknown_and_not_done_again() {
    let office = Office::open(TempDir::new().unwrap());
    office.foreman.take(Uuid::from_u128(2), &Order::CollectSupportBundle).await.unwrap();
    let office = Office::open(office.close());
    office.foreman.settle().await;
    assert_eq!(office.journal(), ["collect-support-bundle None", "Unknown"]);
    let again = office.give(2, Order::CollectSupportBundle).await.unwrap();
    assert_eq!(again.outcome, Outcome::Unknown);
    assert!(again.detail.contains("started anew"), "{}", again.detail);
    assert!(!office.foreman.support.exists());
    office.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_start_is_answered_by_the_daemon_that_comes_after() {
    let office = Office::open(TempDir::new().unwrap());
    assert_eq!(office.give(3, Order::RebootService).await, None, "the broker keeps it");
    assert!(*office.restarts.borrow());
    let office = Office::open(office.close());
    office.foreman.settle().await;
    assert_eq!(office.give(3, Order::RebootService).await.unwrap().outcome, Outcome::Done);
    assert!(!*office.restarts.borrow(), "not once more");
    office.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_is_refused_and_nothing_is_written_of_it() {
    let office = Office::open(TempDir::new().unwrap());
    let records = office.records();
    let late = Command { id: Uuid::from_u128(4), expires_at: office.in_an_hour(), order: message("late") };
    office.clock.set(Millis(late.expires_at), true);
    assert_eq!(
        office.send("message", &messages::write(&late).unwrap()).await.unwrap().outcome,
        Outcome::Expired
    );
    let long = "x".repeat(501);
    for text in ["", long.as_str()] {
        assert_eq!(office.give(5, message(text)).await.unwrap().outcome, Outcome::Refused, "{}", text.len());
    }
    let ping = Command { id: Uuid::from_u128(6), expires_at: i64::MAX, order: Order::Ping };
    let ping = messages::write(&ping).unwrap();
    for (name, payload) in [("reboot-service", &*ping), ("ping", b"{}"), ("ping", b"\xff"), ("wipe", b"[]")] {
        assert_eq!(office.send(name, payload).await.unwrap().outcome, Outcome::Refused, "{name}");
    }
    assert_eq!(office.records(), records);
    assert!(!*office.restarts.borrow());
    assert_eq!(office.send("ping", &ping).await.unwrap().detail, env!("CARGO_PKG_VERSION"));
    office.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_asked_for_where_there_is_such_a_printer() {
    let office = Office::open(TempDir::new().unwrap());
    let print = |printer: &str| Order::Print { printer: printer.into() };
    for _ in 0..2 {
        assert_eq!(office.give(7, print("receipts")).await.unwrap().outcome, Outcome::Done);
        assert_eq!(office.foreman.shop.state().printing.len(), 1);
    }
    let refused = office.give(8, print("nowhere")).await.unwrap();
    assert_eq!(refused.outcome, Outcome::Refused);
    assert!(refused.detail.contains("nowhere"), "{}", refused.detail);
    assert_eq!(office.give(8, print("nowhere")).await.unwrap(), refused);
    office.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_than_ten_support_bundles_are_kept() {
    let office = Office::open(TempDir::new().unwrap());
    for id in 100..112 {
        let reply = office.give(id, Order::CollectSupportBundle).await.unwrap();
        let bundle: serde_json::Value =
            serde_json::from_slice(&std::fs::read(&reply.detail).unwrap()).unwrap();
        assert_eq!(bundle["config"], "[store]");
        assert!(bundle["devices"].as_array().unwrap().len() > 1);
        office.clock.advance(1_000);
    }
    assert_eq!(std::fs::read_dir(&office.foreman.support).unwrap().count(), 10);
    office.close();
}
