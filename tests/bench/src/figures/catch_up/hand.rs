//! The uplink, a broker with TLS, and somebody who decodes what comes, verifies the chain and acknowledges.

use super::{Scene, Wrong, failed, open};
use crate::failure::Failure;
use cloud_bridge::messages::{self, State};
use cloud_bridge::mqtt::{Broker, Connection, Tls, With};
use cloud_bridge::{Ack, Address, Batch, Inputs, Limits, Options, Outputs, Packing, Topic, Uplink, View};
use cloud_trial::{Authority, Identity, Mosquitto, Persistence};
use pos_journal::{Disk, Journal, Position};
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

pub(super) const BOX: &str = "acme/bench/box-1";

/// A broker, and who may use it.
pub(super) struct Office {
    authority: Authority,
    pub(super) broker: Mosquitto,
}

impl Office {
    pub(super) fn open(folder: &Path) -> Result<Self, Wrong> {
        let authority = Authority::new(&folder.join("keys")).map_err(|error| failed(&error))?;
        let broker = Mosquitto::start(&folder.join("broker"), &authority, &[BOX], Persistence::Kept)?;
        Ok(Self { authority, broker })
    }

    pub(super) fn identity(&self, name: &str) -> Result<Identity, Failure> {
        self.authority.identity(&name.replace('/', "-"), name).map_err(|error| failed(&error))
    }

    fn way(&self, name: &str) -> Result<Broker, Failure> {
        let Identity { authority, certificate, key } = self.identity(name)?;
        let tls = Tls::read(&authority, &certificate, &key).map_err(|error| failed(&error))?;
        Ok(plain(self.broker.port(), name, Some(tls)))
    }
}

pub(super) fn plain(port: u16, name: &str, tls: Option<Tls>) -> Broker {
    Broker {
        host: "localhost".to_owned(),
        port,
        tls,
        client_id: name.to_owned(),
        session: Duration::ZERO,
        at_once: 1000,
        will: None,
    }
}

/// An uplink that runs; the journal is its.
pub(super) struct Running {
    journal: Journal<Disk>,
    task: JoinHandle<()>,
    view: watch::Receiver<View>,
    _ends: (
        watch::Sender<()>,
        watch::Sender<State>,
        [watch::Sender<bool>; 2],
        mpsc::Sender<cloud_bridge::Answer>,
    ),
    _comes: mpsc::Receiver<cloud_bridge::mqtt::Message>,
}

impl Running {
    pub(super) fn start(scene: &Scene, office: &Office, cursor: &Path) -> Result<Self, Failure> {
        let address: Address = BOX.parse().map_err(|error: cloud_bridge::BadName| failed(&error))?;
        let journal = open(&scene.journal)?;
        let limits = Limits::default();
        let options = Options {
            broker: office.way(BOX)?,
            address,
            cursor: cursor.to_owned(),
            limits,
            packing: Packing::Zstd,
        };
        let (grow, grew) = watch::channel(());
        let (tell, state) = watch::channel(State::default());
        let (pause, paused) = watch::channel(false);
        let (stop, stopped) = watch::channel(false);
        let (say, answers) = mpsc::channel(8);
        let (standing, view) = watch::channel(View::nothing(limits));
        let (came, comes) = mpsc::channel(100);
        let inputs = Inputs { grew, state, paused, answers, stop: stopped };
        let uplink = Uplink::new(journal.reader(), options, inputs, Outputs { standing, came });
        let uplink = uplink.map_err(|error| failed(&error))?;
        let task = tokio::spawn(async move {
            if let Err(error) = uplink.run().await {
                eprintln!("catch-up: {error}");
            }
        });
        Ok(Self { journal, task, view, _ends: (grow, tell, [pause, stop], say), _comes: comes })
    }

    /// Until all is acknowledged; the bytes that travelled.
    pub(super) async fn all(&mut self) -> Result<u64, Failure> {
        let head = self.journal.head().map(|head| head.position);
        let known = self.view.wait_for(|view| view.acknowledged.is_some() && view.acknowledged == head);
        let bytes = known.await.map_err(|_| failed(&"the uplink has ended"))?.bytes;
        self.task.abort();
        Ok(bytes)
    }
}

/// How long it takes, and the bytes that travel.
pub(super) async fn catch_up(scene: &Scene) -> Result<(Duration, u64), Wrong> {
    let folder = scene.folder.join("hand");
    let _ = std::fs::remove_dir_all(&folder);
    let office = Office::open(&folder)?;
    let mut hand = Connection::open(&office.way("cloud")?, &["pos/v1/+/+/+/evt".to_owned()])
        .await
        .map_err(|error| failed(&error))?;
    let begun = Instant::now();
    let mut uplink = Running::start(scene, &office, &folder.join("cursor"))?;
    let receiving = async {
        let mut head: Option<(Position, pos_journal::Digest)> = None;
        loop {
            let message = hand.receive().await.map_err(|error| failed(&error))?;
            let batch = Batch::decode(message.payload()).map_err(|error| failed(&error))?;
            let (Some(first), Some(last)) = (batch.records.first(), batch.last()) else { continue };
            if head.is_some_and(|(at, hash)| (at.seq + 1, hash) != (first.seq, first.previous)) {
                return Err(failed(&"the chain is broken"));
            }
            head = Some((last.position, last.hash));
            let Some((address, _)) = Address::parse(message.topic()) else { continue };
            let ack = messages::write(&Ack { position: last.position }).map_err(|error| failed(&error))?;
            let said = hand.publish(&address.topic(Topic::Ack), ack, With::default()).await;
            said.map_err(|error| failed(&error))?;
            hand.taken(&message).await.map_err(|error| failed(&error))?;
        }
    };
    let bytes = tokio::select! {
        bytes = uplink.all() => bytes?,
        broken = receiving => broken?,
    };
    Ok((begun.elapsed(), bytes))
}
