//! One connection to a broker: MQTT 5, quality of service 1.
//!
//! A connection is made once and knows nothing of another before it: the library's own reconnecting loses what was queued where the
//! broker forgot the session, without a word. What is lost with a connection is the caller's to send again, who knows what the cloud has.
//!
//! A message counts as taken once [`Connection::taken`] says so, not when it arrives: till then the broker keeps it, and gives it to the
//! next who asks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{
    ConnectProperties, Filter, LastWill, Packet, Publish, PublishProperties, SubscribeReasonCode,
};
use rumqttc::v5::{AsyncClient, ConnectionError, Event, EventLoop, MqttOptions};
use rumqttc::{TlsConfiguration, Transport};
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::envelope::MAX_ENVELOPE_BYTES;

pub use tls::{Tls, TlsError};

mod tls;

/// Between two signs of life on a quiet connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// A connection that gives no event for so long is dead, even if its socket is not: the library would wait for ever.
const SILENCE: Duration = Duration::from_secs(40);
/// For a connection to come about: name, TCP, TLS, and the broker's words.
const PATIENCE: Duration = Duration::from_secs(20);
/// What a topic and properties take at most beside the payload.
const FRAME_BYTES: usize = 2048;
/// Requests that wait for the library.
const REQUESTS: usize = 16;
/// Numbers for connections; 0 is none.
static CONNECTIONS: AtomicU64 = AtomicU64::new(1);

/// A broker, and as whom to talk to it.
#[derive(Debug, Clone)]
pub struct Broker {
    /// Its name or its address; the name that its certificate has to have.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is kept from others; `None` is for the loopback only.
    pub tls: Option<Tls>,
    /// Our name there: two connections with one name throw each other out.
    pub client_id: String,
    /// How long the broker keeps what is for us while we are away.
    pub session: Duration,
    /// Messages that may be with us at once and are not taken.
    pub at_once: u16,
    /// What the broker says for us when it loses us.
    pub will: Option<Will>,
}

/// What a broker says for who is gone; retained.
#[derive(Debug, Clone)]
pub struct Will {
    /// Where.
    pub topic: String,
    /// What.
    pub payload: Vec<u8>,
}

/// What goes with a message that is sent.
#[derive(Debug, Clone, Default)]
pub struct With {
    /// The broker keeps it for who comes later.
    pub retain: bool,
    /// It is of no use after so many seconds.
    pub expiry: Option<u32>,
    /// Where an answer belongs.
    pub answer_to: Option<String>,
    /// What the answer is to bring back.
    pub correlation: Option<Vec<u8>>,
}

/// A message that came.
#[derive(Debug, Clone)]
pub struct Message {
    publish: Publish,
    /// Over which connection it came.
    connection: u64,
}

impl Message {
    /// One that came from nowhere, for tests of what becomes of messages.
    #[must_use]
    pub fn of(topic: &str, payload: &[u8], with: With) -> Self {
        let properties = PublishProperties {
            response_topic: with.answer_to,
            correlation_data: with.correlation.map(Into::into),
            ..PublishProperties::default()
        };
        let publish = Publish::new(topic, QoS::AtLeastOnce, payload.to_vec(), Some(properties));
        Self { publish, connection: 0 }
    }

    /// Where it was sent to; empty where that is no text.
    #[must_use]
    pub fn topic(&self) -> &str {
        std::str::from_utf8(&self.publish.topic).unwrap_or_default()
    }

    /// What it says.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.publish.payload
    }

    /// Where an answer belongs, and what it is to bring back.
    #[must_use]
    pub fn answer_to(&self) -> Option<(&str, Option<&[u8]>)> {
        let properties = self.publish.properties.as_ref()?;
        Some((properties.response_topic.as_deref()?, properties.correlation_data.as_deref()))
    }

    /// Whether it was kept by the broker from before we asked.
    #[must_use]
    pub fn is_retained(&self) -> bool {
        self.publish.retain
    }
}

/// There is no connection, or no longer.
#[derive(Debug, Clone, Error)]
pub enum LinkError {
    /// It did not come about, or it ended.
    #[error("the broker cannot be reached: {0}")]
    Lost(Arc<str>),
    /// The broker lets us not listen to this.
    #[error("the broker refuses the subscription to {0}: look at its access list")]
    Refused(String),
    /// Larger than the broker takes.
    #[error("a message of {bytes} bytes is more than the broker takes ({limit}): raise its packet limit")]
    TooLarge {
        /// Its bytes.
        bytes: usize,
        /// The most.
        limit: usize,
    },
}

impl LinkError {
    fn lost(why: impl ToString) -> Self {
        Self::Lost(why.to_string().into())
    }
}

/// A connection that stands, until it does not.
pub struct Connection {
    client: AsyncClient,
    inbox: mpsc::Receiver<Message>,
    poller: JoinHandle<LinkError>,
    largest: usize,
    number: u64,
}

impl Connection {
    /// Connects and subscribes.
    ///
    /// # Errors
    /// [`LinkError`] if either does not come about within 20 s.
    pub async fn open(broker: &Broker, topics: &[String]) -> Result<Self, LinkError> {
        let late = |_| LinkError::lost("it does not answer");
        tokio::time::timeout(PATIENCE, Self::begin(broker, topics)).await.map_err(late)?
    }

    async fn begin(broker: &Broker, topics: &[String]) -> Result<Self, LinkError> {
        let (client, events) = AsyncClient::new(options(broker), REQUESTS);
        let (up, connected) = oneshot::channel();
        let (heard, granted) = oneshot::channel();
        // All that may be here at once has a place: the poller never waits for who reads.
        let (letters, inbox) = mpsc::channel(usize::from(broker.at_once).max(1));
        let number = CONNECTIONS.fetch_add(1, Ordering::Relaxed);
        let poller = tokio::spawn(poll(events, Poller { up: Some(up), heard: Some(heard), letters, number }));
        let mut connection = Self { client, inbox, poller, largest: MAX_ENVELOPE_BYTES, number };
        connection.largest = match connected.await {
            Ok(largest) => largest.map_or(MAX_ENVELOPE_BYTES, |bytes| bytes.saturating_sub(FRAME_BYTES)),
            Err(_) => return Err(connection.why().await),
        };
        if topics.is_empty() {
            return Ok(connection);
        }
        let filters = topics.iter().map(|topic| Filter::new(topic.clone(), QoS::AtLeastOnce));
        if connection.client.subscribe_many(filters).await.is_err() {
            return Err(connection.why().await);
        }
        match granted.await {
            Ok(granted) => match granted.iter().zip(topics).find(|(granted, _)| !**granted) {
                Some((_, topic)) => Err(LinkError::Refused(topic.clone())),
                None => Ok(connection),
            },
            Err(_) => Err(connection.why().await),
        }
    }

    /// The longest message that the broker takes, bytes.
    #[must_use]
    pub fn largest(&self) -> usize {
        self.largest
    }

    /// Sends a message. That it was sent says nothing: only an answer does.
    ///
    /// # Errors
    /// [`LinkError::TooLarge`], and nothing was sent; [`LinkError::Lost`] where the connection ended.
    pub async fn publish(&self, topic: &str, payload: Vec<u8>, with: With) -> Result<(), LinkError> {
        // The library says yes to one that is too large, and then fails for ever.
        if payload.len() > self.largest {
            return Err(LinkError::TooLarge { bytes: payload.len(), limit: self.largest });
        }
        let properties = PublishProperties {
            message_expiry_interval: with.expiry,
            response_topic: with.answer_to,
            correlation_data: with.correlation.map(Into::into),
            ..PublishProperties::default()
        };
        self.client
            .publish_with_properties(topic, QoS::AtLeastOnce, with.retain, payload, properties)
            .await
            .map_err(|_| LinkError::lost("the connection ended"))
    }

    /// The next message. May be given up at any time, and nothing is lost by it.
    ///
    /// # Errors
    /// [`LinkError::Lost`] when the connection ended.
    pub async fn receive(&mut self) -> Result<Message, LinkError> {
        match self.inbox.recv().await {
            Some(message) => Ok(message),
            None => Err(self.why().await),
        }
    }

    /// A message that is here already.
    pub fn receive_now(&mut self) -> Option<Message> {
        self.inbox.try_recv().ok()
    }

    /// All that the message is for has been done: the broker may forget it. One of another connection comes again, or is nobody's
    /// any more: its number is another message's here.
    ///
    /// # Errors
    /// [`LinkError::Lost`] where the connection ended: it will come again.
    pub async fn taken(&self, message: &Message) -> Result<(), LinkError> {
        if message.connection != self.number {
            return Ok(());
        }
        self.client.ack(&message.publish).await.map_err(|_| LinkError::lost("the connection ended"))
    }

    /// Ends it in good order: the broker says nothing for us.
    pub async fn close(mut self) {
        let goodbye = async {
            if self.client.disconnect().await.is_ok() {
                let _ = (&mut self.poller).await;
            }
        };
        let _ = tokio::time::timeout(Duration::from_secs(2), goodbye).await;
    }

    /// Why it ended.
    async fn why(&mut self) -> LinkError {
        if self.poller.is_finished() {
            // A broker that breaks the protocol can make the library panic: it takes nothing else along.
            return (&mut self.poller).await.unwrap_or_else(|_| LinkError::lost("it breaks the protocol"));
        }
        match tokio::time::timeout(Duration::from_secs(1), &mut self.poller).await {
            Ok(Ok(why)) => why,
            Ok(Err(_)) => LinkError::lost("it breaks the protocol"),
            Err(_) => LinkError::lost("the connection ended"),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.poller.abort();
    }
}

fn options(broker: &Broker) -> MqttOptions {
    let mut options = MqttOptions::new(&broker.client_id, &broker.host, broker.port);
    let mut properties = ConnectProperties::new();
    properties.session_expiry_interval = Some(u32::try_from(broker.session.as_secs()).unwrap_or(u32::MAX));
    properties.receive_maximum = Some(broker.at_once.max(1));
    properties.max_packet_size = u32::try_from(MAX_ENVELOPE_BYTES + FRAME_BYTES).ok();
    options
        .set_keep_alive(KEEP_ALIVE)
        .set_connection_timeout(PATIENCE.as_secs())
        .set_clean_start(broker.session.is_zero())
        .set_manual_acks(true)
        .set_connect_properties(properties);
    if let Some(tls) = &broker.tls {
        options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(tls.client())));
    }
    if let Some(will) = &broker.will {
        options.set_last_will(LastWill::new(&will.topic, will.payload.clone(), QoS::AtLeastOnce, true, None));
    }
    options
}

struct Poller {
    /// Told once that the connection stands, with the largest packet that the broker takes.
    up: Option<oneshot::Sender<Option<usize>>>,
    /// Told once which subscriptions were granted.
    heard: Option<oneshot::Sender<Vec<bool>>>,
    letters: mpsc::Sender<Message>,
    number: u64,
}

/// Polls the library in a task of its own, as a poll that is given up loses what it was about.
async fn poll(mut events: EventLoop, mut poller: Poller) -> LinkError {
    loop {
        let event = match tokio::time::timeout(SILENCE, events.poll()).await {
            Ok(Ok(event)) => event,
            Ok(Err(error)) => return LinkError::lost(said(&error)),
            Err(_) => return LinkError::lost("it has fallen silent"),
        };
        match event {
            Event::Incoming(Packet::ConnAck(ack)) => {
                let largest = ack.properties.and_then(|properties| properties.max_packet_size);
                let largest = largest.and_then(|bytes| usize::try_from(bytes).ok());
                // None where the library has connected anew by itself.
                if poller.up.take().is_none_or(|up| up.send(largest).is_err()) {
                    return LinkError::lost("the connection ended");
                }
            }
            Event::Incoming(Packet::SubAck(ack)) => {
                let granted = |code: &SubscribeReasonCode| matches!(code, SubscribeReasonCode::Success(_));
                if let Some(heard) = poller.heard.take() {
                    let _ = heard.send(ack.return_codes.iter().map(granted).collect());
                }
            }
            Event::Incoming(Packet::Publish(publish)) => match poller
                .letters
                .try_send(Message { publish, connection: poller.number })
            {
                Ok(()) => {}
                Err(mpsc::error::TrySendError::Closed(_)) => return LinkError::lost("the connection ended"),
                // One that the broker need not hear of again, or a broker that sends more than it may.
                Err(mpsc::error::TrySendError::Full(message)) if message.publish.qos == QoS::AtMostOnce => {}
                Err(mpsc::error::TrySendError::Full(_)) => {
                    return LinkError::lost("it sends more at once than it may");
                }
            },
            Event::Incoming(Packet::Disconnect(goodbye)) => {
                return LinkError::lost(format!("it ended the connection: {:?}", goodbye.reason_code));
            }
            _ => {}
        }
    }
}

/// The library's errors, with the cause that a person can mend.
fn said(error: &ConnectionError) -> String {
    match error {
        ConnectionError::Io(error) => error.to_string(),
        ConnectionError::Tls(error) => format!("TLS: {error}"),
        ConnectionError::ConnectionRefused(code) => format!("it refuses us: {code:?}"),
        ConnectionError::Timeout(_) => "it does not answer".to_owned(),
        other => other.to_string(),
    }
}
