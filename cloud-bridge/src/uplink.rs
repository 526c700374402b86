//! The box's end: carries out what the [`Outbox`] decides, hands on what comes down, and tells how things stand.
//!
//! The records go first. How the box stands is told when it connects, and after that only while no records wait to be sent.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use pos_journal::{EpochId, Position, ReadError, Reader, Storage};
use tokio::sync::mpsc::error::TrySendError;

use crate::messages::{self, Ack, Command, Order, State};
use crate::mqtt::{Connection, LinkError, Message, Will, With};
use crate::outbox::{Acknowledged, Micros, Outbox, Place, Todo};
use crate::topics::{Address, Topic};
use cursor::Cursor;
use pages::Pages;

pub use ports::{Answer, Inputs, Options, Outputs, UplinkError, View};

mod cursor;
mod pages;
mod ports;

/// How the box stands is told again at most so often.
const STATE_EVERY: Duration = Duration::from_secs(30);
/// The cursor is written at most so often.
const CURSOR_EVERY: Duration = Duration::from_secs(1);
/// How long a message may wait for the broker to take those before it.
const PATIENCE: Duration = Duration::from_secs(30);

/// The uplink of a box.
pub struct Uplink<S: Storage> {
    options: Options,
    pages: Option<Pages<S>>,
    outbox: Outbox,
    cursor: Cursor,
    connection: Option<Connection>,
    inputs: Inputs,
    outputs: Outputs,
    began: Instant,
    /// Bytes of the newest epoch, as they were told to the outbox.
    told: (Place, u64),
    state_told: Option<Instant>,
    state_changed: bool,
    /// The versions of the collections, as they were told.
    collections_told: BTreeMap<String, u64>,
    cursor_kept: Instant,
    published: u64,
    bytes: u64,
    failing: bool,
}

impl<S: Storage + Send + 'static> Uplink<S>
where
    S::File: Send + Sync + 'static,
{
    /// Of this journal; the reader has to be the writer's own, so that it knows what is durable.
    ///
    /// # Errors
    /// [`UplinkError::Journal`] if the journal cannot be read.
    pub fn new(
        reader: Reader<S>,
        mut options: Options,
        inputs: Inputs,
        outputs: Outputs,
    ) -> Result<Self, UplinkError> {
        let pages = Pages::new(reader)?;
        let cursor = Cursor::open(options.cursor.clone());
        let (head, bytes) = pages.head();
        // A cursor of another journal, or of more than this one has: the cloud says soon enough what it has.
        let acknowledged =
            cursor.get().and_then(|position| pages.place(position)).filter(|place| *place <= head);
        let outbox = Outbox::new(options.limits, acknowledged.unwrap_or_default(), head, 0);
        let offline = messages::write(&State::default()).unwrap_or_default();
        options.broker.will = Some(Will { topic: options.address.topic(Topic::State), payload: offline });
        options.broker.client_id = options.address.to_string();
        let began = Instant::now();
        Ok(Self {
            options,
            pages: Some(pages),
            outbox,
            cursor,
            connection: None,
            inputs,
            outputs,
            began,
            told: (head, bytes),
            state_told: None,
            state_changed: false,
            collections_told: BTreeMap::new(),
            cursor_kept: began,
            published: 0,
            bytes: 0,
            failing: false,
        })
    }

    /// Runs until it is told to stop.
    ///
    /// # Errors
    /// [`UplinkError`] when the journal cannot be read or a record cannot travel: the rest would travel without it.
    pub async fn run(mut self) -> Result<(), UplinkError> {
        while !*self.inputs.stop.borrow_and_update() {
            self.look_at_the_journal();
            self.outbox.pause(*self.inputs.paused.borrow_and_update());
            self.tell();
            let now = self.now();
            match self.outbox.poll(now) {
                Some(Todo::Connect) => self.connect().await,
                Some(Todo::Send { after, most }) => {
                    self.send(after, most).await?;
                    self.take_what_came().await;
                }
                Some(Todo::Disconnect) => self.lost(&LinkError::Lost("nothing is acknowledged".into())),
                None => {
                    self.tell_state().await;
                    self.wait().await;
                }
            }
        }
        self.keep_cursor(true);
        self.tell();
        if let Some(connection) = self.connection.take() {
            let state = State { online: false, ..self.state() };
            let _ = self.say_state(&connection, &state).await;
            connection.close().await;
        }
        Ok(())
    }

    fn now(&self) -> Micros {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn look_at_the_journal(&mut self) {
        let Some(pages) = &self.pages else { return };
        let (head, bytes) = pages.head();
        let (known, before) = self.told;
        if head > known {
            let more = if head.epoch == known.epoch { bytes.saturating_sub(before) } else { bytes };
            let more = usize::try_from(more).unwrap_or(usize::MAX);
            self.told = (head, bytes);
            self.outbox.grew(head, more, self.now());
        }
    }

    async fn connect(&mut self) {
        let topics = self.options.address.subscriptions();
        let mut stop = self.inputs.stop.clone();
        let opened = tokio::select! {
            opened = Connection::open(&self.options.broker, &topics) => opened,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        match opened {
            Ok(connection) => {
                if std::mem::take(&mut self.failing) {
                    tracing::info!("the cloud's broker is there again");
                }
                self.outbox.connected(self.now());
                let state = self.state();
                match self.say_state(&connection, &state).await {
                    Ok(()) => {
                        self.state_told = Some(Instant::now());
                        self.collections_told = state.collections;
                        self.connection = Some(connection);
                    }
                    Err(error) => self.lost(&error),
                }
            }
            Err(error) => self.lost(&error),
        }
    }

    /// Ends the connection. It is said once, not at each attempt.
    fn lost(&mut self, error: &LinkError) {
        if !std::mem::replace(&mut self.failing, true) {
            tracing::warn!(%error, "no way to the cloud: selling goes on, and all is sent later");
        }
        self.connection = None;
        let mut chance = [0];
        // Without chance, boxes come back together: no harm to this one.
        let _ = getrandom::fill(&mut chance);
        self.outbox.lost(chance[0], self.now());
    }

    async fn send(&mut self, after: Place, most: usize) -> Result<(), UplinkError> {
        let Some(connection) = &self.connection else { return Ok(()) };
        let most = most.min(connection.largest().saturating_sub(crate::HEADER_BYTES));
        let packing = self.options.packing;
        let Some(mut pages) = self.pages.take() else { return Ok(()) };
        let read = tokio::task::spawn_blocking(move || {
            let page = pages.read(after, most).map(|page| {
                page.map(|(batch, last)| {
                    let size = batch
                        .records
                        .iter()
                        .map(|record| record.body.len() + crate::RECORD_OVERHEAD_BYTES)
                        .sum();
                    (batch.encode(packing), batch.first(), last, size)
                })
            });
            (pages, page)
        });
        let page = match read.await {
            Ok((pages, page)) => {
                self.pages = Some(pages);
                page?
            }
            // It panicked, or the runtime ends.
            Err(error) => return Err(UplinkError::Journal(ReadError::Io(std::io::Error::other(error)))),
        };
        let Some((bytes, first, last, size)) = page else {
            // The journal's head says that there is more.
            let after = self.pages.as_ref().and_then(|pages| pages.position(after));
            let after = after.unwrap_or(Position { epoch: EpochId(0), seq: 0 });
            return Err(UplinkError::Journal(ReadError::UnknownPosition(after)));
        };
        let bytes = match (bytes, first) {
            (Ok(bytes), _) => bytes,
            (Err(error), first) => {
                let at = first.unwrap_or(Position { epoch: EpochId(0), seq: 0 });
                return Err(UplinkError::Record { at, error });
            }
        };
        let length = bytes.len() as u64;
        let topic = self.options.address.topic(Topic::Events);
        match within(connection.publish(&topic, bytes, With::default())).await {
            Ok(()) => {
                self.published = self.published.saturating_add(1);
                self.bytes = self.bytes.saturating_add(length);
                self.outbox.sent(last, size, self.now());
            }
            Err(error) => self.lost(&error),
        }
        Ok(())
    }

    /// What is here already, so that a long catching up does not keep it waiting.
    async fn take_what_came(&mut self) {
        while let Some(message) = self.connection.as_mut().and_then(Connection::receive_now) {
            self.take(message).await;
        }
        while let Ok(answer) = self.inputs.answers.try_recv() {
            self.answer(answer).await;
        }
    }

    /// Waits until something happens or is to be done.
    async fn wait(&mut self) {
        enum Came {
            Message(Result<Message, LinkError>),
            Answer(Answer),
            Nothing,
        }
        let until = self.outbox.poll_timeout().map(|at| self.began + Duration::from_micros(at));
        let until = until.unwrap_or_else(|| Instant::now() + STATE_EVERY).min(Instant::now() + STATE_EVERY);
        let connection = &mut self.connection;
        let message = async {
            match connection {
                Some(connection) => connection.receive().await,
                None => std::future::pending().await,
            }
        };
        let Inputs { grew, state, paused, answers, stop } = &mut self.inputs;
        let came = tokio::select! {
            message = message => Came::Message(message),
            Some(answer) = answers.recv() => Came::Answer(answer),
            Ok(()) = grew.changed() => Came::Nothing,
            Ok(()) = paused.changed() => Came::Nothing,
            // Also when nobody is left to say it.
            _ = stop.changed() => Came::Nothing,
            Ok(()) = state.changed() => {
                self.state_changed = true;
                Came::Nothing
            }
            () = tokio::time::sleep_until(until.into()) => Came::Nothing,
        };
        match came {
            Came::Message(Ok(message)) => self.take(message).await,
            Came::Message(Err(error)) => self.lost(&error),
            Came::Answer(answer) => self.answer(answer).await,
            Came::Nothing => {}
        }
    }

    async fn take(&mut self, message: Message) {
        let ours = match Address::parse(message.topic()) {
            Some((address, topic)) if address == self.options.address => match topic {
                Topic::Ack => {
                    self.acknowledge(message.payload());
                    true
                }
                Topic::Command("resend") => {
                    self.resend(message.payload());
                    true
                }
                // Whoever carries it out says when it is done. One too many comes again with the next connection.
                Topic::Command(_) | Topic::Down(_) => {
                    matches!(self.outputs.came.try_send(message.clone()), Err(TrySendError::Closed(_)))
                }
                _ => true,
            },
            _ => true,
        };
        if ours && let Some(connection) = &self.connection {
            let _ = within(connection.taken(&message)).await;
        }
    }

    fn acknowledge(&mut self, payload: &[u8]) {
        let ack = match messages::read::<Ack>(payload) {
            Ok(ack) => ack,
            Err(error) => {
                return tracing::warn!(%error, "the cloud acknowledges in a way that cannot be read");
            }
        };
        let place = self.pages.as_ref().and_then(|pages| pages.place(ack.position));
        match self.outbox.acknowledged(place.unwrap_or_default(), place.is_some(), self.now()) {
            Acknowledged::Moved(_) => self.keep_cursor(false),
            Acknowledged::Known => {}
            Acknowledged::Unknown => {
                tracing::warn!(position = %ack.position, "the cloud acknowledges what this journal does not have");
            }
        }
    }

    fn resend(&mut self, payload: &[u8]) {
        let Ok(Command { order: Order::Resend { after }, .. }) = messages::read::<Command>(payload) else {
            return tracing::warn!("the cloud asks for something again in a way that cannot be read");
        };
        match self.pages.as_ref().and_then(|pages| pages.place(after)) {
            Some(place) => self.outbox.resend(place, self.now()),
            None => tracing::warn!(%after, "the cloud asks for what this journal does not have"),
        }
    }

    async fn answer(&mut self, answer: Answer) {
        let Some(connection) = &self.connection else { return };
        let said = async {
            if let Some((topic, bytes, with)) = answer.said {
                connection.publish(&topic, bytes, with).await?;
            }
            match &answer.taken {
                Some(message) => connection.taken(message).await,
                None => Ok(()),
            }
        };
        if let Err(error) = within(said).await {
            self.lost(&error);
        }
    }

    fn acknowledged_position(&self) -> Option<Position> {
        let place = self.outbox.standing().acknowledged;
        let position = self.pages.as_ref()?.position(place)?;
        (place != Place::default()).then_some(position)
    }

    fn keep_cursor(&mut self, at_once: bool) {
        if !at_once && self.cursor_kept.elapsed() < CURSOR_EVERY {
            return;
        }
        self.cursor_kept = Instant::now();
        if let Some(position) = self.acknowledged_position()
            && let Err(error) = self.cursor.keep(position)
        {
            tracing::warn!(%error, "how far the cloud has the journal could not be kept: some will be sent twice");
        }
    }

    fn state(&self) -> State {
        let text = |position: Position| position.to_string();
        let head = self.pages.as_ref().and_then(|pages| pages.position(pages.head().0));
        State {
            online: true,
            head: head.map(text),
            acknowledged: self.acknowledged_position().map(text),
            ..self.inputs.state.borrow().clone()
        }
    }

    /// Tells how the box stands, if that is due.
    async fn tell_state(&mut self) {
        let due = self.state_changed || self.outbox.standing().acknowledged != self.told.0;
        let late = self.state_told.is_none_or(|told| told.elapsed() >= STATE_EVERY);
        let state = self.state();
        // Head office waits for that before it sends more.
        let delivered = state.collections != self.collections_told;
        if let Some(connection) = self.connection.as_ref().filter(|_| delivered || due && late) {
            match self.say_state(connection, &state).await {
                Ok(()) => {
                    (self.state_told, self.state_changed) = (Some(Instant::now()), false);
                    self.collections_told = state.collections;
                }
                Err(error) => self.lost(&error),
            }
        }
    }

    async fn say_state(&self, connection: &Connection, state: &State) -> Result<(), LinkError> {
        let topic = self.options.address.topic(Topic::State);
        let bytes = messages::write(state).unwrap_or_default();
        within(connection.publish(&topic, bytes, With { retain: true, ..With::default() })).await
    }

    fn tell(&self) {
        let standing = self.outbox.standing();
        let now = self.now();
        let view = View {
            standing,
            acknowledged: self.acknowledged_position(),
            depth: self.pages.as_ref().map_or(0, |pages| pages.between(standing.acknowledged, self.told.0)),
            oldest: standing.behind_since.map(|since| Duration::from_micros(now.saturating_sub(since))),
            published: self.published,
            bytes: self.bytes,
        };
        self.outputs.standing.send_replace(view);
    }
}

/// A broker that takes nothing any more is as good as gone.
async fn within<T>(saying: impl Future<Output = Result<T, LinkError>>) -> Result<T, LinkError> {
    let late = |_| LinkError::Lost("it takes nothing any more".into());
    tokio::time::timeout(PATIENCE, saying).await.map_err(late)?
}
