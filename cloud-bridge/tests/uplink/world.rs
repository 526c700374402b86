//! A box with a real journal, a real broker behind a link that misbehaves, and a cloud that keeps what it gets in memory.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cloud_bridge::messages::{self, State};
use cloud_bridge::mqtt::{Broker, Connection, Message, Tls, With};
use cloud_bridge::{
    Ack, Address, Batch, Inputs, Limits, Options, Outputs, Packing, Topic, Uplink, UplinkError, View,
};
use cloud_trial::{Authority, Identity, Mosquitto, Persistence, Proxy};
use pos_journal::{Disk, EpochId, Journal, Position, Preparation, Record, Room};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

pub(crate) const BOX: &str = "acme/store-7/box-1";
pub(crate) const OTHER: &str = "acme/store-8/box-1";
/// For anything to come about: a loaded machine is slow.
const PATIENCE: Duration = Duration::from_secs(120);

/// Small enough that a few records are many batches, and that what is lost is missed soon.
pub(crate) const LIMITS: Limits = Limits {
    batch: 2_000,
    window: 8_000,
    linger: 20_000,
    patience: 1_500_000,
    first_wait: 20_000,
    longest_wait: 300_000,
};

pub(crate) fn address() -> Address {
    BOX.parse().unwrap()
}

/// Whether the broker is here; says so if it is not.
pub(crate) fn world(persistence: Persistence) -> Option<World> {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new(&folder.path().join("keys")).unwrap();
    match Mosquitto::start(&folder.path().join("broker"), &authority, &[BOX, OTHER], persistence) {
        Ok(broker) => {
            let seed = std::env::var("TILLBOX_SEED").ok().and_then(|seed| seed.parse().ok());
            let seed = seed.unwrap_or_else(|| u64::from(std::process::id()));
            eprintln!("seed: TILLBOX_SEED={seed}");
            let link = Proxy::start(broker.port(), seed).unwrap();
            Some(World { folder, authority, broker, link })
        }
        Err(cloud_trial::BrokerError::Missing) => {
            eprintln!("skipped: mosquitto is not installed");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) authority: Authority,
    pub(crate) broker: Mosquitto,
    pub(crate) link: Proxy,
}

impl World {
    /// How to reach the broker as somebody, by a port.
    pub(crate) fn way(&self, file: &str, name: &str, port: u16) -> Broker {
        let Identity { authority, certificate, key } = self.authority.identity(file, name).unwrap();
        Broker {
            host: "localhost".into(),
            port,
            tls: Some(Tls::read(&authority, &certificate, &key).unwrap()),
            client_id: name.into(),
            session: Duration::ZERO,
            at_once: 100,
            will: None,
        }
    }

    /// Somebody in the cloud who may say anything to anybody.
    pub(crate) async fn clerk(&self) -> Connection {
        let way = Broker { client_id: "clerk".into(), ..self.way("clerk", "cloud", self.broker.port()) };
        Connection::open(&way, &[]).await.unwrap()
    }

    /// A box, whose way to the broker is the link.
    pub(crate) fn shop(&self) -> Shop {
        let root = self.folder.path().join("box");
        std::fs::create_dir_all(&root).unwrap();
        let options = pos_journal::Options { segment_bytes: 64 << 10, preparation: Preparation::Inline };
        let (mut journal, _) = Journal::open(Disk::new(root.clone()), options, &[]).unwrap();
        if journal.head().is_none() {
            journal.start_epoch(None).unwrap();
        }
        let broker = self.way("box", BOX, self.link.port());
        Shop { journal, broker, cursor: root.join("cursor"), grew: watch::channel(()).0, uplink: None }
    }

    /// The cloud, which reaches the broker without the link.
    pub(crate) fn cloud(&self) -> Cloud {
        let known = Arc::new(Mutex::new(Known::default()));
        let broker = self.way("cloud", "cloud", self.broker.port());
        let task = tokio::spawn(listen(broker, Arc::clone(&known)));
        Cloud { known, task }
    }
}

pub(crate) struct Shop {
    pub(crate) journal: Journal<Disk>,
    pub(crate) broker: Broker,
    pub(crate) cursor: PathBuf,
    grew: watch::Sender<()>,
    uplink: Option<Running>,
}

pub(crate) struct Running {
    task: JoinHandle<Result<(), UplinkError>>,
    pub(crate) standing: watch::Receiver<View>,
    pub(crate) came: mpsc::Receiver<Message>,
    pub(crate) paused: watch::Sender<bool>,
    stop: watch::Sender<bool>,
    _state: watch::Sender<State>,
    _answers: mpsc::Sender<cloud_bridge::Answer>,
}

impl Shop {
    pub(crate) fn sell(&mut self, records: usize) {
        for _ in 0..records {
            let seq = self.journal.next_position().unwrap().seq;
            let body = format!("sale {seq} {}", "x".repeat(usize::try_from(seq % 150).unwrap()));
            self.journal.append(&[body.as_bytes()], Room::Ordinary).unwrap();
        }
        self.grew.send_replace(());
    }

    pub(crate) fn connect(&mut self) {
        let (state, told) = watch::channel(State { version: Some("1".into()), ..State::default() });
        let (paused, pause) = watch::channel(false);
        let (answers, said) = mpsc::channel(8);
        let (stop, stopped) = watch::channel(false);
        let (standing, stands) = watch::channel(View::nothing(LIMITS));
        let (came, comes) = mpsc::channel(100);
        let grew = self.grew.subscribe();
        let inputs = Inputs { grew, state: told, paused: pause, answers: said, stop: stopped };
        let options = Options {
            broker: self.broker.clone(),
            address: address(),
            cursor: self.cursor.clone(),
            limits: LIMITS,
            packing: Packing::Zstd,
        };
        let uplink = Uplink::new(self.journal.reader(), options, inputs, Outputs { standing, came }).unwrap();
        let task = tokio::spawn(uplink.run());
        self.uplink = Some(Running {
            task,
            standing: stands,
            came: comes,
            paused,
            stop,
            _state: state,
            _answers: answers,
        });
    }

    pub(crate) fn uplink(&mut self) -> &mut Running {
        self.uplink.as_mut().unwrap()
    }

    pub(crate) async fn disconnect(&mut self) {
        let running = self.uplink.take().unwrap();
        running.stop.send_replace(true);
        running.task.await.unwrap().unwrap();
    }

    /// Without a word, as when the power goes.
    pub(crate) fn kill(&mut self) {
        self.uplink.take().unwrap().task.abort();
    }

    pub(crate) fn head(&self) -> Position {
        self.journal.head().unwrap().position
    }

    /// Until the box knows that the cloud has all; and the cloud has what the journal has, once each, in order.
    pub(crate) async fn all_is_there(&mut self, cloud: &Cloud) {
        let head = self.head();
        let mut standing = self.uplink().standing.clone();
        let acknowledged = standing.wait_for(|view| view.acknowledged == Some(head));
        match tokio::time::timeout(PATIENCE, acknowledged).await {
            Ok(view) => assert_eq!((view.unwrap().depth, view_oldest(&self.uplink().standing)), (0, None)),
            Err(_) => {
                panic!("{:?}, and the cloud has {:?}", self.uplink().standing.borrow().clone(), cloud.heads())
            }
        }
        let records = self.journal.reader().records_from(pos_journal::Start::Beginning).unwrap();
        let records: Vec<Record> = records.map(|record| record.unwrap().1).collect();
        assert_eq!(cloud.records(head.epoch), records);
    }
}

fn view_oldest(standing: &watch::Receiver<View>) -> Option<Duration> {
    standing.borrow().oldest
}

#[derive(Default)]
pub(crate) struct Known {
    records: BTreeMap<EpochId, Vec<Record>>,
    /// Acknowledges nothing.
    pub(crate) mute: bool,
    /// Takes so many envelopes as if they had not come.
    pub(crate) deaf: usize,
    pub(crate) envelopes: usize,
    pub(crate) again: usize,
    pub(crate) states: Vec<State>,
}

/// What the cloud has; it goes away with this value.
pub(crate) struct Cloud {
    pub(crate) known: Arc<Mutex<Known>>,
    task: JoinHandle<()>,
}

impl Drop for Cloud {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Cloud {
    pub(crate) fn records(&self, epoch: EpochId) -> Vec<Record> {
        self.known.lock().unwrap().records.get(&epoch).cloned().unwrap_or_default()
    }

    pub(crate) fn heads(&self) -> Vec<Option<Position>> {
        self.known.lock().unwrap().records.values().map(|all| all.last().map(Record::position)).collect()
    }

    pub(crate) async fn until(&self, what: &str, mut holds: impl FnMut(&Known) -> bool) {
        until(what, || holds(&self.known.lock().unwrap())).await;
    }
}

pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn listen(broker: Broker, known: Arc<Mutex<Known>>) {
    loop {
        let topics = ["pos/v1/+/+/+/evt".to_owned(), "pos/v1/+/+/+/state".to_owned()];
        if let Ok(mut connection) = Connection::open(&broker, &topics).await {
            while let Ok(message) = connection.receive().await {
                let answer = take(&message, &mut known.lock().unwrap());
                if let Some((topic, ack)) = answer {
                    let bytes = messages::write(&ack).unwrap();
                    let _ = connection.publish(&topic, bytes, With::default()).await;
                }
                let _ = connection.taken(&message).await;
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn take(message: &Message, known: &mut Known) -> Option<(String, Ack)> {
    let (address, topic) = Address::parse(message.topic()).unwrap();
    if topic == Topic::State {
        known.states.push(messages::read(message.payload()).unwrap());
        return None;
    }
    known.envelopes += 1;
    if known.deaf > 0 {
        known.deaf -= 1;
        return None;
    }
    let batch = Batch::decode(message.payload()).unwrap();
    let epoch = batch.first().unwrap().epoch;
    let have = known.records.entry(epoch).or_default();
    for record in batch.records {
        let next = have.last().map_or(1, |last| last.seq + 1);
        if record.seq < next {
            known.again += 1;
            assert_eq!(have[usize::try_from(record.seq).unwrap() - 1], record);
        } else if record.seq == next {
            assert_eq!(record.previous, have.last().map_or([0; 32], |last| last.hash));
            have.push(record);
        }
    }
    let position = have.last()?.position();
    (!known.mute).then(|| (address.topic(Topic::Ack), Ack { position }))
}
