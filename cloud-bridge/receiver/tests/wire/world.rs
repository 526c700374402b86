//! Boxes with real journals and uplinks, a broker behind a link that misbehaves, receivers that can be killed, and a database.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cloud_bridge::messages::State;
use cloud_bridge::mqtt::{Broker, Connection, Message, Tls};
use cloud_bridge::{Address, Answer, Inputs, Limits, Options, Outputs, Packing, Uplink, UplinkError, View};
use cloud_receiver::verify;
use cloud_trial::{Authority, BrokerError, Identity, Mosquitto, Persistence, Proxy};
use pos_journal::{Disk, Journal, Preparation, Room};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_postgres::Client;

use crate::dice::Dice;
use crate::server::Database;
use crate::shop::Shop;
use crate::tables;

pub(crate) const BOX: &str = "acme/corner/box-1";
pub(crate) const OTHER: &str = "acme/station/box-1";
/// For anything to come about: a loaded machine is slow.
const PATIENCE: Duration = Duration::from_secs(180);

/// Small enough that a few records are many batches, and that what is lost is missed soon.
const LIMITS: Limits = Limits {
    batch: 4_000,
    window: 16_000,
    linger: 20_000,
    patience: 3_000_000,
    first_wait: 20_000,
    longest_wait: 300_000,
};

pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) authority: Authority,
    pub(crate) broker: Mosquitto,
    pub(crate) link: Proxy,
    pub(crate) database: Database,
}

impl World {
    /// `None`, and said so, where a broker or a database is missing.
    pub(crate) async fn new(persistence: Persistence) -> Option<Self> {
        let database = Database::new().await?;
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new(&folder.path().join("keys")).unwrap();
        let started = Mosquitto::start(&folder.path().join("broker"), &authority, &[BOX, OTHER], persistence);
        let broker = match started {
            Ok(broker) => broker,
            Err(BrokerError::Missing) => {
                eprintln!("skipped: mosquitto is not installed");
                return None;
            }
            Err(error) => panic!("{error}"),
        };
        let link = Proxy::start(broker.port(), 4711).unwrap();
        Some(Self { folder, authority, broker, link, database })
    }

    pub(crate) fn way(&self, name: &str, client: &str, port: u16) -> Broker {
        let Identity { authority, certificate, key } =
            self.authority.identity(&client.replace('/', "-"), name).unwrap();
        Broker {
            host: "localhost".into(),
            port,
            tls: Some(Tls::read(&authority, &certificate, &key).unwrap()),
            client_id: client.into(),
            session: Duration::ZERO,
            at_once: 100,
            will: None,
        }
    }

    /// Somebody in the cloud who may say anything to anybody, and read what boxes say.
    pub(crate) async fn clerk(&self, topics: &[String]) -> Connection {
        Connection::open(&self.way("cloud", "clerk", self.broker.port()), topics).await.unwrap()
    }

    pub(crate) fn receiver(&self) -> Receiver {
        let Identity { authority, certificate, key } = self.authority.identity("receiver", "cloud").unwrap();
        let log = std::fs::File::options().create(true).append(true).open(self.log()).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_cloud-receiver"))
            .args(["run", "--database", &self.database.url])
            .args(["--broker", &format!("localhost:{}", self.broker.port())])
            .arg("--authority")
            .arg(authority)
            .arg("--certificate")
            .arg(certificate)
            .arg("--key")
            .arg(key)
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Receiver(child)
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("receivers.log")
    }

    /// What the receivers said.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
    }

    /// A shop and its box.
    pub(crate) fn shop(&self, address: &str, epoch: u64) -> Box {
        self.shop_with(address, epoch, LIMITS)
    }

    /// One that gives up no connection.
    pub(crate) fn patient_shop(&self, address: &str, epoch: u64) -> Box {
        self.shop_with(address, epoch, Limits { patience: u64::MAX / 2, ..LIMITS })
    }

    fn shop_with(&self, address: &str, epoch: u64, limits: Limits) -> Box {
        let root = self.folder.path().join(address.replace('/', "-"));
        std::fs::create_dir_all(&root).unwrap();
        let options = pos_journal::Options { segment_bytes: 256 << 10, preparation: Preparation::Inline };
        let (mut journal, _) = Journal::open(Disk::new(root.clone()), options, &[]).unwrap();
        let shop = Shop::new(epoch);
        journal.start_epoch_as(shop.epoch, None).unwrap();
        let broker = self.way(address, address, self.link.port());
        let address: Address = address.parse().unwrap();
        let (grew, _) = watch::channel(());
        let mut shop = Box {
            shop,
            address,
            forks: 0,
            limits,
            journal,
            written: 0,
            broker,
            cursor: root.join("cursor"),
            grew,
            uplink: None,
        };
        shop.write();
        shop.connect();
        shop
    }

    /// Until the box knows that all is committed; and then the tables are those of one who got it all at once, the chain holds,
    /// and nothing is in quarantine.
    pub(crate) async fn all_is_there(&self, shop: &Box) {
        let head = shop.journal.head().unwrap().position;
        let mut view = shop.view();
        let known = view.wait_for(|view| view.acknowledged == Some(head));
        if tokio::time::timeout(PATIENCE, known).await.is_err() {
            panic!("{:?}\n{}", *shop.view().borrow(), self.said());
        }
        let alone = Database::new().await.unwrap();
        alone.ingest().await.take(&shop.address, &[shop.shop.all()]).await.unwrap();
        let client = self.database.client().await;
        let (mut got, expected) = (tables::of(&client, &shop.address).await, alone.client().await);
        assert_eq!(got.insert("quarantine", vec![]).unwrap().len(), shop.forks);
        tables::assert_same(&got, &tables::of(&expected, &shop.address).await, "over the wire");
        self.chain_holds(&client, &shop.address, shop.shop.records.len()).await;
    }

    /// Takes the database away from everybody, or gives it back.
    pub(crate) async fn database_is_up(&self, up: bool) {
        let (rest, name) = self.database.url.rsplit_once('=').unwrap();
        let clerk = cloud_receiver::connect(&format!("{rest}=postgres")).await.unwrap();
        clerk.batch_execute(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {up}")).await.unwrap();
        if !up {
            let all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1";
            clerk.query(all, &[&name]).await.unwrap();
        }
    }

    /// The database has all tables, and nothing in them.
    pub(crate) async fn database_forgets(&self) {
        let client = self.database.client().await;
        let tables = "SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables
             WHERE schemaname = 'public' AND tablename <> 'schema_migrations'";
        let tables: String = client.query_one(tables, &[]).await.unwrap().get(0);
        client.batch_execute(&format!("TRUNCATE {tables} CASCADE")).await.unwrap();
    }

    async fn chain_holds(&self, client: &Client, address: &Address, records: usize) {
        let verified = verify(client, Some(address)).await.unwrap();
        assert!(verified.flaws.is_empty(), "{verified:?}");
        assert_eq!(verified.records, records as u64);
    }
}

/// A receiver's process; killed with this value.
pub(crate) struct Receiver(Child);

impl Receiver {
    /// As when its machine loses power.
    pub(crate) fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A box: the shop's records in a journal of its own, and its uplink.
pub(crate) struct Box {
    pub(crate) shop: Shop,
    pub(crate) address: Address,
    /// Envelopes of its that are in quarantine.
    pub(crate) forks: usize,
    limits: Limits,
    journal: Journal<Disk>,
    written: usize,
    broker: Broker,
    cursor: PathBuf,
    grew: watch::Sender<()>,
    uplink: Option<Running>,
}

struct Running {
    task: JoinHandle<Result<(), UplinkError>>,
    view: watch::Receiver<View>,
    /// Their other ends hear the end of all things when they are dropped.
    _comes: mpsc::Receiver<Message>,
    _switches: [watch::Sender<bool>; 2],
    _says: (watch::Sender<State>, mpsc::Sender<Answer>),
}

impl Box {
    /// Lives on for a while.
    pub(crate) fn live(&mut self, dice: &mut Dice, things: usize) {
        self.shop.live(dice, things);
        self.write();
    }

    fn write(&mut self) {
        for record in &self.shop.records[self.written..] {
            self.journal.append(&[&record.body], Room::Ordinary).unwrap();
            self.written += 1;
        }
        assert_eq!(self.journal.head().unwrap().hash, self.shop.records.last().unwrap().hash);
        self.grew.send_replace(());
    }

    pub(crate) fn connect(&mut self) {
        let (state, told) = watch::channel(State { version: Some("1".into()), ..State::default() });
        let (pause, paused) = watch::channel(false);
        let (say, answers) = mpsc::channel(8);
        let (stop, stopped) = watch::channel(false);
        let (standing, view) = watch::channel(View::nothing(LIMITS));
        let (came, comes) = mpsc::channel(100);
        let options = Options {
            broker: self.broker.clone(),
            address: self.address.clone(),
            cursor: self.cursor.clone(),
            limits: self.limits,
            packing: Packing::Zstd,
        };
        let inputs = Inputs { grew: self.grew.subscribe(), state: told, paused, answers, stop: stopped };
        let uplink = Uplink::new(self.journal.reader(), options, inputs, Outputs { standing, came }).unwrap();
        let task = tokio::spawn(uplink.run());
        self.uplink =
            Some(Running { task, view, _comes: comes, _switches: [pause, stop], _says: (state, say) });
    }

    /// Without a word, as when the power goes.
    pub(crate) fn kill(&mut self) {
        if let Some(running) = self.uplink.take() {
            running.task.abort();
        }
    }

    pub(crate) fn view(&self) -> watch::Receiver<View> {
        self.uplink.as_ref().unwrap().view.clone()
    }
}

/// Waits until something holds.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < PATIENCE, "never: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
