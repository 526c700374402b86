//! Takes what the boxes send, as one of any number of receivers that share a subscription.
//!
//! ```text
//!  broker ──> batches ──> lanes ──> workers ──> database
//!         <── ack, resend ──┘ <── verdicts ──┘
//! ```
//!
//! A message stays with the broker until it is committed, or refused and counted; an acknowledgement is sent after the commit. So it does
//! not matter when a receiver dies: the broker gives its messages to another, or their box sends them again.

use std::time::{Duration, Instant};

use cloud_bridge::messages::{self, Ack, Command, Order, State};
use cloud_bridge::mqtt::{Broker, Connection, LinkError, Message, With};
use cloud_bridge::{Address, Batch, Micros, Topic};
use pos_journal::Position;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use uuid::Uuid;

use lanes::Lanes;
use worker::{Job, Outcome};

mod lanes;
mod worker;

/// A wish for records is of no use after so many seconds: the next one asks anew.
const WISH: u32 = 60;
/// The first wait before another connection, and the longest.
const WAITS: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));
/// For what is under way to be committed at the end.
const GOODBYE: Duration = Duration::from_secs(10);

/// Where from, where to, and how much beside each other.
#[derive(Debug, Clone)]
pub struct Options {
    /// The broker, and as whom.
    pub broker: Broker,
    /// Receivers of one group share what comes.
    pub group: String,
    /// The database.
    pub database: String,
    /// Connections to the database.
    pub workers: usize,
}

/// What was done since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Records that were committed, or known.
    pub records: u64,
    /// Envelopes and messages that were refused.
    pub refused: u64,
    /// Forks.
    pub forks: u64,
    /// Gaps that were asked for.
    pub resends: u64,
    /// Connections to the broker.
    pub connections: u64,
}

/// A message, and over which connection it came.
pub(crate) struct Arrival {
    message: Message,
    connection: u64,
}

struct Receiver {
    options: Options,
    connection: Option<Connection>,
    lanes: Lanes<Arrival>,
    workers: Vec<mpsc::Sender<Job>>,
    /// Those that have nothing to do.
    idle: Vec<usize>,
    outcomes: mpsc::Receiver<(usize, Outcome)>,
    counters: watch::Sender<Counters>,
    began: Instant,
}

/// Receives until it is told to stop. Neither a lost broker nor a lost database ends it.
pub async fn receive(options: Options, counters: watch::Sender<Counters>, stop: watch::Receiver<bool>) {
    let count = options.workers.max(1);
    let (done, outcomes) = mpsc::channel(count);
    let (mut workers, mut tasks): (Vec<_>, Vec<JoinHandle<()>>) = (Vec::new(), Vec::new());
    for number in 0..count {
        let (give, jobs) = mpsc::channel(1);
        let (judge, mut judged) = mpsc::channel(1);
        tasks.push(tokio::spawn(worker::work(options.database.clone(), jobs, judge, stop.clone())));
        let done = done.clone();
        tasks.push(tokio::spawn(async move {
            while let Some(outcome) = judged.recv().await {
                if done.send((number, outcome)).await.is_err() {
                    return;
                }
            }
        }));
        workers.push(give);
    }
    let receiver = Receiver {
        options,
        connection: None,
        lanes: Lanes::default(),
        idle: (0..count).collect(),
        workers,
        outcomes,
        counters,
        began: Instant::now(),
    };
    receiver.run(stop).await;
    tasks.iter().for_each(JoinHandle::abort);
}

impl Receiver {
    async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut wait = WAITS.0;
        while !*stop.borrow_and_update() {
            if self.connection.is_none() {
                match self.connect(&mut stop).await {
                    Some(Ok(())) => wait = WAITS.0,
                    Some(Err(error)) => {
                        if wait == WAITS.0 {
                            tracing::warn!(%error, "no broker: trying again until there is one");
                        }
                        let _ = tokio::time::timeout(wait, stop.wait_for(|stop| *stop)).await;
                        wait = (wait * 2).min(WAITS.1);
                        continue;
                    }
                    None => break,
                }
            }
            self.give_out().await;
            if let Err(error) = self.step(&mut stop).await {
                tracing::warn!(%error, "the broker is gone");
                self.connection = None;
                self.lanes.forget();
            }
        }
        self.end().await;
    }

    async fn connect(&mut self, stop: &mut watch::Receiver<bool>) -> Option<Result<(), LinkError>> {
        // What is retained goes to none of those that share: each receiver hears how all boxes stand.
        let topics =
            [format!("$share/{}/pos/v1/+/+/+/evt", self.options.group), "pos/v1/+/+/+/state".to_owned()];
        let opened = tokio::select! {
            opened = Connection::open(&self.options.broker, &topics) => opened,
            _ = stop.wait_for(|stop| *stop) => return None,
        };
        Some(opened.map(|connection| {
            self.connection = Some(connection);
            self.counters.send_modify(|counters| counters.connections += 1);
            tracing::info!("connected to the broker");
        }))
    }

    fn now(&self) -> Micros {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Gives the workers what they can do.
    async fn give_out(&mut self) {
        while !self.idle.is_empty() {
            let Some((address, batches)) = self.lanes.next(self.now()) else { return };
            self.give(Job::Take(address, batches)).await;
        }
    }

    /// To a worker that has nothing to do; there has to be one.
    async fn give(&mut self, job: Job) {
        if let Some(number) = self.idle.pop()
            && let Some(worker) = self.workers.get(number)
        {
            let _ = worker.send(job).await;
        }
    }

    /// Waits for one thing to happen, and does what follows.
    async fn step(&mut self, stop: &mut watch::Receiver<bool>) -> Result<(), LinkError> {
        enum Came {
            Message(Message),
            Outcome(usize, Outcome),
            Nothing,
        }
        let due = self.lanes.poll_timeout().filter(|_| !self.idle.is_empty());
        let due = due.map(|at| self.began + Duration::from_micros(at));
        let Some(connection) = &mut self.connection else { return Ok(()) };
        // While all are busy with the database, the broker waits too.
        let may_receive = !self.idle.is_empty();
        let came = tokio::select! {
            Some((number, outcome)) = self.outcomes.recv() => Came::Outcome(number, outcome),
            message = connection.receive(), if may_receive => Came::Message(message?),
            () = sleep_until(due) => Came::Nothing,
            _ = stop.changed() => Came::Nothing,
        };
        match came {
            Came::Message(message) => self.take(message).await,
            Came::Outcome(number, outcome) => {
                self.idle.push(number);
                self.conclude(outcome).await
            }
            Came::Nothing => Ok(()),
        }
    }

    /// Sorts one message, and all others that are here already.
    async fn take(&mut self, message: Message) -> Result<(), LinkError> {
        let mut next = Some(message);
        while let Some(message) = next {
            self.sort(message).await?;
            // A state needs a worker of its own.
            next = if self.idle.is_empty() {
                None
            } else {
                self.connection.as_mut().and_then(Connection::receive_now)
            };
        }
        Ok(())
    }

    async fn sort(&mut self, message: Message) -> Result<(), LinkError> {
        let arrival = Arrival { message, connection: self.counters.borrow().connections };
        let Some((address, topic)) = Address::parse(arrival.message.topic()) else {
            return self.settle(arrival).await;
        };
        match topic {
            Topic::Events => match Batch::decode(arrival.message.payload()) {
                Ok(batch) => {
                    self.lanes.push(address, batch, arrival);
                    Ok(())
                }
                Err(error) => self.refuse(address, arrival, error.to_string()).await,
            },
            Topic::State => match messages::read::<State>(arrival.message.payload()) {
                Ok(state) => {
                    self.give(Job::Note(address, Box::new((state, arrival)))).await;
                    Ok(())
                }
                Err(error) => self.refuse(address, arrival, error.to_string()).await,
            },
            _ => self.settle(arrival).await,
        }
    }

    /// Nothing can be made of it, now or ever: it is counted, and the rest goes on.
    async fn refuse(&mut self, address: Address, arrival: Arrival, why: String) -> Result<(), LinkError> {
        tracing::error!(%address, why, "refused");
        self.counters.send_modify(|counters| counters.refused += 1);
        self.give(Job::Refused(address, why)).await;
        self.settle(arrival).await
    }

    async fn conclude(&mut self, outcome: Outcome) -> Result<(), LinkError> {
        match outcome {
            Outcome::Judged(address, judged) => {
                let records: usize = judged.iter().map(|(batch, ..)| batch.records.len()).sum();
                let round = self.lanes.done(&address, judged, self.now());
                self.counters.send_modify(|counters| {
                    if !round.acknowledged.is_empty() {
                        counters.records += records as u64;
                    }
                    counters.forks += round.forks.len() as u64;
                    counters.resends += u64::from(round.resend.is_some());
                });
                for (at, why) in round.forks {
                    tracing::error!(%address, %at, why, "a fork: it is in quarantine, a person has to look");
                }
                for position in round.acknowledged {
                    self.acknowledge(&address, position).await?;
                }
                if let Some(after) = round.resend {
                    self.ask_again(&address, after).await?;
                }
                for arrival in round.taken {
                    self.settle(arrival).await?;
                }
                Ok(())
            }
            Outcome::Impossible(address, batches, why) => {
                tracing::error!(%address, why, "the database can never take it");
                self.lanes.gave_up(&address);
                self.counters.send_modify(|counters| counters.refused += batches.len() as u64);
                for (_, arrival) in batches {
                    self.settle(arrival).await?;
                }
                Ok(())
            }
            Outcome::Noted(address, noted, arrival) => {
                if let Some(position) = noted.have {
                    self.acknowledge(&address, position).await?;
                }
                // We have just come, and others may be away: what the box sent before went to nobody, and it waits for an answer.
                if let Some(after) = noted.lacks.filter(|_| arrival.message.is_retained()) {
                    self.ask_again(&address, after).await?;
                }
                self.settle(*arrival).await
            }
            Outcome::Nothing => Ok(()),
        }
    }

    async fn acknowledge(&self, address: &Address, position: Position) -> Result<(), LinkError> {
        let bytes = messages::write(&Ack { position }).unwrap_or_default();
        self.say(&address.topic(Topic::Ack), bytes, With::default()).await
    }

    async fn ask_again(&self, address: &Address, after: Position) -> Result<(), LinkError> {
        tracing::info!(%address, %after, "asking for records again");
        let order = Order::Resend { after };
        let topic = address.topic(Topic::Command(order.name()));
        // The broker lets it expire; the box does not look, as it harms nothing.
        let command = Command { id: Uuid::now_v7(), expires_at: i64::MAX, order };
        let with = With { expiry: Some(WISH), ..With::default() };
        self.say(&topic, messages::write(&command).unwrap_or_default(), with).await
    }

    async fn say(&self, topic: &str, bytes: Vec<u8>, with: With) -> Result<(), LinkError> {
        match &self.connection {
            Some(connection) => connection.publish(topic, bytes, with).await,
            None => Ok(()),
        }
    }

    /// The broker may forget it; one of a connection before is not its any more.
    async fn settle(&self, arrival: Arrival) -> Result<(), LinkError> {
        match &self.connection {
            Some(connection) if arrival.connection == self.counters.borrow().connections => {
                connection.taken(&arrival.message).await
            }
            _ => Ok(()),
        }
    }

    /// Lets the database finish what it is at, and says so.
    async fn end(mut self) {
        let finish = async {
            while self.idle.len() < self.workers.len() {
                let Some((number, outcome)) = self.outcomes.recv().await else { return };
                self.idle.push(number);
                if self.conclude(outcome).await.is_err() {
                    self.connection = None;
                }
            }
        };
        let _ = tokio::time::timeout(GOODBYE, finish).await;
        if let Some(connection) = self.connection.take() {
            connection.close().await;
        }
    }
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}
