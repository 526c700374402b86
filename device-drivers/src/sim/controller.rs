//! One of our own controllers, as far as its line goes: the real session, and a test that decides what it tells.

use std::io;
use std::path::Path;
use std::time::Duration;

use pos_link::{
    Controller, Cursor, Event, Identity, Outbox, SendError, Session, Stamp, StreamId, Tally, ToController,
    ToHost,
};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::line::VirtualLine;
use crate::moment::Moment;

const OUT: usize = 4_096;
const IN: usize = 1_024;

type ControllerSession = Session<Controller, Outbox<OUT>, OUT, IN>;

/// A controller without power, and what its memory holds.
#[derive(Debug, Clone)]
pub struct VirtualController {
    identity: Identity,
    tally: Tally,
    outbox: Outbox<OUT>,
    cursor: Option<Cursor>,
    since: Duration,
    shy: bool,
}

/// A controller that is plugged in. It answers who it is and what it counted by itself.
#[derive(Debug)]
pub struct PluggedController {
    task: JoinHandle<VirtualController>,
    orders: mpsc::UnboundedSender<Order>,
    heard: mpsc::UnboundedReceiver<ToController>,
    boot: u32,
    booted: Moment,
    since: Duration,
}

#[derive(Debug)]
enum Order {
    Tell(ToHost, oneshot::Sender<Result<pos_link::Id, SendError>>),
    Unplug,
}

impl VirtualController {
    /// A new one.
    #[must_use]
    pub fn new(identity: Identity) -> Self {
        let stream = StreamId(u32::from_le_bytes([identity.hardware[0], identity.hardware[7], 1, 0]));
        Self {
            identity,
            tally: Tally::default(),
            outbox: Outbox::new(stream),
            cursor: None,
            since: Duration::ZERO,
            shy: false,
        }
    }

    /// Says that it has been running for so long already when it is plugged in.
    #[must_use]
    pub fn running_for(self, since: Duration) -> Self {
        Self { since, ..self }
    }

    /// Says who it is only when it is asked again: until then the box hears what it tells from nobody.
    #[must_use]
    pub fn shy(self) -> Self {
        Self { shy: true, ..self }
    }

    /// What it says it is from now on.
    #[must_use]
    pub fn with_identity(self, identity: Identity) -> Self {
        Self { identity, ..self }
    }

    /// Boots at the end of a line under `name`, which must not exist. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When the line cannot be made.
    pub fn plug(mut self, name: &Path) -> io::Result<PluggedController> {
        let line = VirtualLine::plug(name)?;
        self.tally.boots += 1;
        let (boot, booted) = (self.tally.boots, Moment::now());
        let (orders, inbox) = mpsc::unbounded_channel();
        let (tells, heard) = mpsc::unbounded_channel();
        let since = self.since;
        let task = tokio::spawn(self.run(line, booted, inbox, tells));
        Ok(PluggedController { task, orders, heard, boot, booted, since })
    }

    async fn run(
        self,
        line: VirtualLine,
        booted: Moment,
        mut orders: mpsc::UnboundedReceiver<Order>,
        heard: mpsc::UnboundedSender<ToController>,
    ) -> Self {
        let Self { identity, tally, outbox, cursor, since, mut shy } = self;
        let nonce = tally.boots.wrapping_mul(0x9e37_79b9);
        let mut session: ControllerSession = Session::new(nonce, outbox, cursor, micros());
        let mut buffer = [0; 512];
        loop {
            while let Some(event) = session.poll_event() {
                let Event::Message { id, message } = event else { continue };
                let at = Stamp { boot: tally.boots, micros: uptime(booted, since) };
                let answer = match message {
                    ToController::AskIdentity if std::mem::take(&mut shy) => None,
                    ToController::AskIdentity => Some(ToHost::Identity(identity)),
                    ToController::AskCounters => Some(ToHost::Counters { at, tally }),
                    _ => None,
                };
                if let Some(answer) = answer {
                    // One that does not fit is asked for again.
                    let _ = session.send_datagram(&answer);
                    if let Some(bytes) = session.poll_output(micros()).map(<[u8]>::to_vec) {
                        let _ = line.write_all(&bytes).await;
                    }
                }
                session.accept(id);
                // The test may not listen.
                let _ = heard.send(message);
            }
            while let Some(bytes) = session.poll_output(micros()).map(<[u8]>::to_vec) {
                // A line that is gone says nothing more.
                let _ = line.write_all(&bytes).await;
            }
            let wait = Duration::from_micros(session.poll_timeout().saturating_sub(micros()));
            tokio::select! {
                read = line.read(&mut buffer) => match read {
                    Ok(count) => session.handle(buffer.get(..count).unwrap_or_default(), micros()),
                    Err(_) => sleep(Duration::from_millis(10)).await,
                },
                order = orders.recv() => match order {
                    Some(Order::Tell(told, sent)) => {
                        let _ = sent.send(session.send(&told));
                    }
                    Some(Order::Unplug) | None => break,
                },
                () = sleep(wait) => session.handle_timeout(micros()),
            }
        }
        let cursor = session.cursor();
        Self { identity, tally, outbox: session.into_outbox(), cursor, since, shy }
    }
}

impl PluggedController {
    /// Tells the box something, by and by.
    ///
    /// # Errors
    /// [`SendError`]: its outbox is full.
    pub async fn tell(&self, told: ToHost) -> Result<pos_link::Id, SendError> {
        let (sent, answer) = oneshot::channel();
        // Its task ends with it only.
        let _ = self.orders.send(Order::Tell(told, sent));
        answer.await.unwrap_or(Err(SendError::Full))
    }

    /// What the box says next.
    pub async fn hear(&mut self) -> Option<ToController> {
        self.heard.recv().await
    }

    /// Its present time.
    #[must_use]
    pub fn now(&self) -> Stamp {
        Stamp { boot: self.boot, micros: uptime(self.booted, self.since) }
    }

    /// Takes its plug out. Its memory is kept.
    ///
    /// # Errors
    /// When it broke down.
    pub async fn unplug(self) -> io::Result<VirtualController> {
        // It may have broken down.
        let _ = self.orders.send(Order::Unplug);
        self.task.await.map_err(io::Error::other)
    }
}

fn uptime(booted: Moment, since: Duration) -> u64 {
    let all = Moment::now().since(booted).saturating_add(since);
    u64::try_from(all.as_micros()).unwrap_or(u64::MAX)
}

fn micros() -> u64 {
    Moment::now().as_micros()
}
