//! The box's end of the way to the cloud: runs the uplink beside the shop, and says how it stands.
//!
//! Nothing here is waited for by a sale: the uplink follows the journal as any reader does, and what head office asks for is done beside it.

mod condition;
mod deliveries;
mod instructions;
mod support;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cloud_bridge::messages::State;
use cloud_bridge::mqtt::Message;
use cloud_bridge::mqtt::{Broker, Tls, TlsError};
use cloud_bridge::{
    Address, Answer, BadName, Inputs, Limits, Options, Outputs, Packing, Topic, Uplink, UplinkError, View,
};
use thiserror::Error;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinHandle;

pub use condition::CloudCondition;
use deliveries::{Deliveries, Refusals};
use instructions::Foreman;

use crate::checkout::{Happening, Shop};
use crate::config::CloudConfig;
use crate::peripherals::Devices;

/// How long the broker keeps commands for a box that is away.
const SESSION: Duration = Duration::from_secs(24 * 3600);
/// Commands and documents that may be with us at once: one more than a delivery keeps unacknowledged, so that commands pass by it.
const AT_ONCE: u16 = 32;
/// Between two looks at how the box stands.
const LOOK: Duration = Duration::from_secs(5);
/// For the uplink to say goodbye.
const GOODBYE: Duration = Duration::from_secs(3);

/// The uplink cannot be started.
#[derive(Debug, Error)]
pub enum CloudError {
    /// A file of `[cloud]` cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A name of `[store]` cannot be part of a topic.
    #[error(transparent)]
    Name(#[from] BadName),
    /// The journal cannot be read, or the folder for the cursor not be made.
    #[error(transparent)]
    Uplink(#[from] UplinkError),
    /// The folder for the cursor cannot be made.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// The way to the cloud, for who asks how it stands.
#[derive(Clone)]
pub struct Cloud(Option<Arc<Link>>);

struct Link {
    config: CloudConfig,
    view: watch::Receiver<View>,
    paused: watch::Sender<bool>,
    /// Why it ended, if it did by itself.
    ended: watch::Receiver<Option<Arc<str>>>,
    refusals: Refusals,
}

/// What runs.
pub struct Running {
    stop: watch::Sender<bool>,
    /// Turns true when head office wants the daemon to start anew.
    pub restart: watch::Receiver<bool>,
    uplink: JoinHandle<()>,
    others: [JoinHandle<()>; 3],
}

impl Cloud {
    /// None: nothing is sent anywhere.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }

    /// Starts the uplink of this shop. `effective` is the whole configuration as a person would read it.
    ///
    /// # Errors
    /// [`CloudError`] when a certificate cannot be used or the journal cannot be read.
    pub fn start(
        shop: &Shop,
        config: &CloudConfig,
        effective: &str,
        devices: &Devices,
        root: &Path,
    ) -> Result<(Self, Running), CloudError> {
        let store = shop.store();
        let address = Address::new(&store.tenant, &store.store, &store.box_name)?;
        let tls = Tls::read(&config.authority, &config.certificate, &config.key)?;
        let folder = root.join("cloud");
        std::fs::create_dir_all(&folder)?;
        let (host, port) = config.broker.clone();
        let broker = Broker {
            host,
            port,
            tls: Some(tls),
            client_id: address.to_string(),
            session: SESSION,
            at_once: AT_ONCE,
            will: None,
        };
        let limits = Limits::default();
        let packing = if config.compress { Packing::Zstd } else { Packing::Plain };
        let (restart, restarts) = watch::channel(false);
        let foreman = Foreman {
            shop: shop.clone(),
            devices: devices.clone(),
            address: address.clone(),
            restart,
            support: root.join("support"),
            config: effective.into(),
        };
        let options = Options { broker, address, cursor: folder.join("cursor"), limits, packing };

        let (grow, grew) = watch::channel(());
        let (tell, state) = watch::channel(State::default());
        let (pause, paused) = watch::channel(false);
        let (answer, answers) = mpsc::channel(usize::from(AT_ONCE));
        let (stop, stopped) = watch::channel(false);
        let (standing, view) = watch::channel(View::nothing(limits));
        let (came, comes) = mpsc::channel(usize::from(AT_ONCE));
        let inputs = Inputs { grew, state, paused, answers, stop: stopped };
        let uplink = Uplink::new(shop.reader(), options, inputs, Outputs { standing, came })?;

        let (end, ended) = watch::channel(None);
        let uplink = tokio::spawn(async move {
            if let Err(error) = uplink.run().await {
                tracing::error!(%error, "nothing is sent to the cloud any more");
                end.send_replace(Some(error.to_string().into()));
            }
        });
        let follower = tokio::spawn(follow(shop.subscribe(), grow));
        let teller = tokio::spawn(keep_telling(shop.clone(), devices.clone(), tell));
        let refusals = Refusals::default();
        let deliveries = Deliveries::new(shop.clone(), refusals.clone());
        let worker = tokio::spawn(work(foreman, deliveries, comes, answer));
        let link = Link { config: config.clone(), view, paused: pause, ended, refusals };
        let others = [follower, teller, worker];
        Ok((Self(Some(Arc::new(link))), Running { stop, restart: restarts, uplink, others }))
    }

    /// How it stands; `None` where nothing is sent anywhere.
    #[must_use]
    pub fn condition(&self) -> Option<CloudCondition> {
        let link = self.0.as_deref()?;
        let ended = link.ended.borrow().clone();
        let condition = CloudCondition::of(&link.config, &link.view.borrow(), ended);
        Some(CloudCondition { deliveries_refused: link.refusals.count(), ..condition })
    }

    /// Has it wait, or go on; until the next start. `false` where nothing is sent anywhere.
    pub fn pause(&self, paused: bool) -> bool {
        self.0.as_deref().is_some_and(|link| {
            link.paused.send_replace(paused);
            true
        })
    }
}

impl Running {
    /// Says goodbye to the broker, and ends.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if tokio::time::timeout(GOODBYE, &mut self.uplink).await.is_err() {
            self.uplink.abort();
        }
        self.others.iter().for_each(JoinHandle::abort);
    }
}

/// Tells the uplink that the journal grew.
async fn follow(mut happenings: broadcast::Receiver<Arc<Happening>>, grow: watch::Sender<()>) {
    loop {
        match happenings.recv().await {
            Ok(_) | Err(RecvError::Lagged(_)) => grow.send_replace(()),
            Err(RecvError::Closed) => return,
        };
    }
}

/// Tells how the box stands, when that changes.
async fn keep_telling(shop: Shop, devices: Devices, tell: watch::Sender<State>) {
    let mut looks = tokio::time::interval(LOOK);
    loop {
        looks.tick().await;
        let state = state(&shop, &devices);
        tell.send_if_modified(|told| {
            let changed = told.devices != state.devices
                || told.collections != state.collections
                || told.version.is_none();
            *told = state;
            changed
        });
    }
}

/// Carries out what comes down, one after another.
async fn work(
    foreman: Foreman,
    mut deliveries: Deliveries,
    mut comes: mpsc::Receiver<Message>,
    answer: mpsc::Sender<Answer>,
) {
    foreman.settle().await;
    while let Some(message) = comes.recv().await {
        let collection = match Address::parse(message.topic()) {
            Some((_, Topic::Down(collection))) => Some(collection.to_owned()),
            _ => None,
        };
        let answers = match collection {
            Some(collection) => deliveries.take(&collection, message).await,
            None => foreman.carry_out(message).await.into_iter().collect(),
        };
        for said in answers {
            if answer.send(said).await.is_err() {
                return;
            }
        }
    }
}

fn state(shop: &Shop, devices: &Devices) -> State {
    let devices = devices.all().into_iter().map(|device| {
        let state = serde_json::to_value(device.state).ok();
        let state = state.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
        (device.id.to_string(), state)
    });
    State {
        version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        at: Some(shop.now().time.0),
        disk_free: Some(shop.condition().disk_free),
        devices: devices.collect(),
        collections: shop.state().collections.clone(),
        ..State::default()
    }
}
