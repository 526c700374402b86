//! The task of one line: opens it, keeps the session, meets who is there, hands out what is told.

use std::path::PathBuf;
use std::time::Duration;

use device_drivers::{ControllerLine, DeviceFault};
use pos_link::{Cursor, Event, Identity, Level, News, Stamp, ToController, ToHost};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use uuid::Uuid;

use super::Controllers;
use super::clock::ControllerClock;
use super::ledger::Ledger;
use super::seat::{Told, Word};
use crate::checkout::Shop;
use crate::config::Hardware;

/// What the drivers may have said to a line before it listens.
const WORDS: usize = 64;
/// Between two looks for a port that is not there.
const LOOK: Duration = Duration::from_millis(250);
/// Between two looks at what is due.
const TICK: Duration = Duration::from_millis(250);
/// A question that was not answered is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// How often the counters are asked for, which tell the controller's time, too.
const COUNT: Duration = Duration::from_secs(60);

/// Messages about an update that are kept until it is known whose they are: more than a boot has to say.
const MOST_EARLY: usize = 16;
/// Lines for the log that are taken from a controller within so many ticks.
const MOST_LOGS: u32 = 20;

/// A line and what is known of who hangs there.
pub(super) struct LineTask {
    controllers: Controllers,
    shop: Shop,
    path: PathBuf,
    /// How far the stream of the last session was accepted.
    cursor: Option<Cursor>,
    ledger: Ledger,
    /// Who was met last.
    hardware: Option<Hardware>,
    /// Said in the present session.
    identity: Option<Identity>,
    clock: Option<ControllerClock>,
    asked: Instant,
    /// What was told of an update before it was known who tells it.
    early: Vec<ToHost>,
    /// Lines for the log lately.
    logs: u32,
    ticks: u32,
    /// Who serves the controller.
    seat: Option<mpsc::Sender<Told>>,
}

impl LineTask {
    pub(super) fn new(controllers: Controllers, shop: Shop, path: PathBuf) -> Self {
        let asked = Instant::now();
        let (ledger, cursor) = (Ledger::default(), None);
        let (hardware, identity, clock, seat) = (None, None, None, None);
        let (early, logs, ticks) = (Vec::new(), 0, 0);
        Self {
            controllers,
            shop,
            path,
            cursor,
            ledger,
            hardware,
            identity,
            clock,
            asked,
            early,
            logs,
            ticks,
            seat,
        }
    }

    /// Opens the line whenever its port is there, until the task is aborted.
    pub(super) async fn run(mut self) {
        let mut told = String::new();
        loop {
            match self.open().await {
                Ok(wire) => {
                    let (words, inbox) = mpsc::channel(WORDS);
                    let fault = self.serve(wire, &words, inbox).await;
                    self.leave(&words);
                    self.interrupted();
                    tracing::info!(line = %self.path.display(), %fault, "the line of a controller is lost");
                    told = fault.to_string();
                }
                // Once, and not four times a second.
                Err(fault) if fault.to_string() != told => {
                    tracing::warn!(line = %self.path.display(), %fault, "the line of a controller cannot be opened");
                    told = fault.to_string();
                }
                Err(_) => {}
            }
            sleep(LOOK).await;
        }
    }

    /// A port that hangs takes a thread of its own, and nobody else's time.
    async fn open(&self) -> Result<ControllerLine, DeviceFault> {
        let (path, cursor) = (self.path.clone(), self.cursor);
        let opening = tokio::task::spawn_blocking(move || ControllerLine::open(&path, cursor, chance));
        opening.await.unwrap_or_else(|broken| {
            let device = device_drivers::Device::Controller;
            Err(DeviceFault::Lost { device, reason: format!("opening it broke down: {broken}") })
        })
    }

    async fn serve(
        &mut self,
        mut wire: ControllerLine,
        words: &mpsc::Sender<Word>,
        mut inbox: mpsc::Receiver<Word>,
    ) -> DeviceFault {
        self.ledger.clear();
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            while let Some(event) = wire.poll_event() {
                self.happened(&mut wire, words, event);
            }
            self.hand_out(&mut wire);
            tokio::select! {
                moved = wire.work() => if let Err(fault) = moved {
                    return fault;
                },
                Some(word) = inbox.recv() => self.asked_for(&mut wire, word),
                _ = tick.tick() => self.ask(&mut wire),
            }
        }
    }

    fn happened(&mut self, wire: &mut ControllerLine, words: &mpsc::Sender<Word>, event: Event<ToHost>) {
        let line = self.path.display();
        match event {
            Event::News(News::Up { .. }) => {
                tracing::debug!(%line, "the controller's line is up");
                self.leave(words);
                self.question(wire);
            }
            Event::News(News::Gone) => {
                tracing::info!(%line, "the controller does not answer any more");
                self.leave(words);
            }
            Event::News(News::Refused { theirs }) => {
                tracing::warn!(%line, ?theirs, "the controller speaks another version of the link; update the older of the two");
            }
            Event::News(News::StreamBegan { stream, was }) => {
                self.ledger.clear();
                // It was accepted further than this session knows: on another line, or before it was on this one.
                match self.controllers.cursor(stream).filter(|known| Some(*known) != wire.cursor()) {
                    Some(known) => self.restart(wire, known),
                    None => {
                        tracing::debug!(%line, ?stream, ?was, "the controller began to count its messages anew")
                    }
                }
            }
            Event::News(News::Gap { missing }) => {
                if let Some(cursor) = wire.cursor() {
                    self.ledger.accepted(cursor);
                }
                tracing::warn!(%line, missing, "messages of the controller were accepted that are not known here");
            }
            Event::News(News::OutboxStale) => tracing::debug!(%line, "the controller knew an older session"),
            Event::Message { id, message } => {
                let update = matches!(
                    message,
                    ToHost::UpdateProgress { .. }
                        | ToHost::UpdateRefused { .. }
                        | ToHost::UpdateConfirmed { .. }
                );
                match self.identity.filter(|_| update) {
                    Some(identity) => self.controllers.update_told(Hardware(identity.hardware), &message),
                    None if update && self.early.len() < MOST_EARLY => self.early.push(message.clone()),
                    None => {}
                }
                self.keep(wire, id, Some(message).filter(|_| !update));
            }
            Event::Skipped { id, why } => {
                tracing::debug!(%line, ?why, "the controller said something that this version does not know");
                self.keep(wire, id, None);
            }
            Event::Datagram(ToHost::Identity(identity)) => {
                if self.identity == Some(identity) {
                    return;
                }
                if self.identity.is_some() {
                    tracing::warn!(%line, "the controller says that it is another one now");
                    self.leave(words);
                    self.question(wire);
                }
                self.identity = Some(identity);
                self.meet(words);
            }
            Event::Datagram(ToHost::Counters { at, tally }) => {
                let first = self.clock.is_none();
                self.clock = Some(ControllerClock::new(at, self.shop.uptime()));
                if first {
                    self.meet(words);
                }
                if let Some(identity) = self.identity {
                    self.controllers.change(Hardware(identity.hardware), |about| about.tally = tally);
                }
            }
            Event::Datagram(ToHost::Log { level, text }) => {
                let text = text.as_str();
                self.logs += 1;
                match level {
                    _ if self.logs > MOST_LOGS => {}
                    Level::Error | Level::Warning => tracing::warn!(%line, text, "the controller says"),
                    _ => tracing::info!(%line, text, "the controller says"),
                }
            }
            Event::Datagram(_) => {}
        }
    }

    fn keep(&mut self, wire: &mut ControllerLine, id: pos_link::Id, message: Option<ToHost>) {
        if self.ledger.push(id, message).is_err() {
            tracing::warn!(line = %self.path.display(), "the controller tells more than any controller can; what it said before is asked for again");
            if let Some(cursor) = wire.cursor() {
                self.restart(wire, cursor);
            }
        }
    }

    /// What is not accepted comes again; what was said and had not arrived is lost.
    fn restart(&mut self, wire: &mut ControllerLine, cursor: Cursor) {
        self.ledger.clear();
        wire.restart(cursor);
        self.interrupted();
    }

    fn interrupted(&self) {
        if let Some(hardware) = self.hardware {
            self.controllers.update_interrupted(hardware);
        }
    }

    /// It is known who is there, and what time it has: now it can be served.
    fn meet(&mut self, words: &mpsc::Sender<Word>) {
        let (Some(identity), Some(_)) = (self.identity, self.clock) else { return };
        let line = format!("serial:{}", self.path.display());
        let hardware = Hardware(identity.hardware);
        tracing::info!(%hardware, line, "a controller is there");
        self.hardware = Some(hardware);
        self.controllers.met(&identity, &line, words.clone());
        self.controllers.update_told(hardware, &ToHost::Identity(identity));
        for told in std::mem::take(&mut self.early) {
            self.controllers.update_told(hardware, &told);
        }
    }

    /// Who was there is gone, or another perhaps.
    fn leave(&mut self, words: &mpsc::Sender<Word>) {
        if let Some(identity) = self.identity.take() {
            self.controllers.left(Hardware(identity.hardware), words);
        }
        self.early.clear();
        self.clock = None;
        self.seat = None;
        self.ledger.take_back();
    }

    fn asked_for(&mut self, wire: &mut ControllerLine, word: Word) {
        match word {
            Word::Attach(hardware, told) => {
                // It may have been meant for who was here before.
                if self.identity.is_some_and(|identity| Hardware(identity.hardware) == hardware) {
                    self.ledger.take_back();
                    self.seat = Some(told);
                }
            }
            Word::Done(id) => self.ledger.done(id),
            Word::Say(said) => {
                if wire.say(&said).is_err() {
                    tracing::warn!(line = %self.path.display(), "the controller takes nothing any more; something that it was told is lost");
                }
            }
            Word::Update => {}
        }
    }

    /// Hands out what waits, accepts what is done, sends what there is of an update.
    fn hand_out(&mut self, wire: &mut ControllerLine) {
        let (Some(identity), Some(clock)) = (self.identity, self.clock) else { return };
        if let Some(seat) = &self.seat {
            if seat.is_closed() {
                self.seat = None;
                self.ledger.take_back();
            } else {
                while seat.capacity() > 0
                    && let Some((id, message)) = self.ledger.hand_out()
                {
                    let age = stamp(&message).map(|then| clock.age(then, self.shop.uptime()));
                    // There is room, and a seat that closes now gets nothing done: it comes again.
                    let _ = seat.try_send(Told { id, message, age });
                }
            }
        }
        if let Some(id) = self.ledger.accept() {
            wire.accept(id);
        }
        self.cursor = wire.cursor().or(self.cursor);
        if let Some(cursor) = self.cursor {
            self.controllers.accepted(cursor);
        }
        self.controllers.send_update(Hardware(identity.hardware), |said| wire.say(said).is_ok());
    }

    /// Asks what was not answered, and now and then for the counters.
    fn ask(&mut self, wire: &mut ControllerLine) {
        let met = self.identity.is_some() && self.clock.is_some();
        self.ticks = self.ticks.wrapping_add(1);
        if self.ticks.is_multiple_of(MOST_LOGS) {
            self.logs = 0;
        }
        if self.asked.elapsed() >= if met { COUNT } else { ASK_AGAIN } {
            self.question(wire);
        }
    }

    fn question(&mut self, wire: &mut ControllerLine) {
        self.asked = Instant::now();
        if !wire.is_up() {
            return;
        }
        let identity = self.identity.is_none().then_some(ToController::AskIdentity);
        for said in identity.iter().chain([&ToController::AskCounters]) {
            // Where there is no room, it is asked again.
            let _ = wire.say(said);
        }
    }
}

/// When it happened, by the controller's time.
fn stamp(message: &ToHost) -> Option<Stamp> {
    match message {
        ToHost::Scan { at, .. }
        | ToHost::DrawerOpened { at, .. }
        | ToHost::DrawerClosed { at, .. }
        | ToHost::Alarm { at, .. }
        | ToHost::OpenOutcome { at, .. } => Some(*at),
        _ => None,
    }
}

/// The last bits of a fresh id are random.
fn chance() -> u32 {
    let [.., a, b, c, d] = Uuid::now_v7().into_bytes();
    u32::from_le_bytes([a, b, c, d])
}
