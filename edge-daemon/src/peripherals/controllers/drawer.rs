//! A drawer on one of our own controllers: opened by an answer to its challenge, and watched by it.

use std::time::Duration;

use device_drivers::Kind;
use pos_domain::event::{DrawerJob, DrawerOutcome};
use pos_link::{Alarm, Cause, Id, Outcome, Settings, ToController, ToHost};
use tokio::time::{Instant, timeout, timeout_at};
use uuid::Uuid;

use super::about::ControllerKind;
use super::seat::{Over, Seat, Told};
use super::{ControllerKey, Controllers, first_half, name_of};
use crate::checkout::CommandKey;
use crate::config::Hardware;
use crate::peripherals::condition::{Asked, DeviceState, OfClass, Order};
use crate::peripherals::device::{Device, Ordered};
use crate::peripherals::drawers::too_late_or_disabled;
use crate::peripherals::outcomes::Outcomes;
use crate::peripherals::supervisor::{BEAT, Driver, Life, Trouble};

/// Kinds of alarms that may be on together.
const MOST_ALARMS: usize = 16;
/// How long a controller may take to give a challenge.
const CHALLENGED_WITHIN: Duration = Duration::from_secs(3);
/// How long it may take to tell what came of a request: a pulse, a second for the switch, and the line.
const TOLD_WITHIN: Duration = Duration::from_secs(5);

/// The driver.
#[derive(Clone)]
pub(in super::super) struct ControllerDrawer {
    pub(in super::super) controllers: Controllers,
    pub(in super::super) hardware: Hardware,
    pub(in super::super) settings: Settings,
    pub(in super::super) pulse: Duration,
}

impl Driver for ControllerDrawer {
    type Open = Seat;

    fn open(&self) -> Result<Seat, Trouble> {
        self.controllers.attach(self.hardware, ControllerKind::Drawer)
    }

    async fn serve(&self, mut seat: Seat, life: &Life) -> Trouble {
        let Err(Over) = self.attend(&mut seat, life).await;
        super::seat::gone(self.hardware)
    }
}

impl ControllerDrawer {
    async fn attend(&self, seat: &mut Seat, life: &Life) -> Result<std::convert::Infallible, Over> {
        let device = &*life.device;
        let desk = &mut Desk::new(device);
        let mut orders = life.orders.lock().await;
        seat.say(ToController::Configure(self.settings)).await?;
        loop {
            life.beat();
            device.know(seat.about());
            desk.journal_alarms(seat, device).await?;
            tokio::select! {
                told = timeout(BEAT, seat.next()) => if let Ok(told) = told
                    && let Some(told) = told?
                {
                    self.told(seat, device, desk, &told).await?;
                },
                Some(Ordered { order, .. }) = orders.recv() => {
                    let Order::Open(asked) = order else { continue };
                    device.opening(Some(asked.job.id));
                    let (outcome, detail, over) = match self.open_it(seat, life, desk, &asked).await {
                        Ok((outcome, detail)) => (outcome, detail, None),
                        Err(Gone { outcome }) => {
                            (outcome, super::seat::gone(self.hardware).detail, Some(Over))
                        }
                    };
                    let opened = outcome == DrawerOutcome::Opened;
                    device.count(|counters| *(if opened { &mut counters.done } else { &mut counters.refused }) += 1);
                    desk.outcomes.opened(asked.job.id, outcome, &detail).await;
                    device.opening(None);
                    if let Some(over) = over {
                        return Err(over);
                    }
                }
            }
        }
    }

    async fn open_it(
        &self,
        seat: &mut Seat,
        life: &Life,
        desk: &mut Desk,
        asked: &Asked<DrawerJob>,
    ) -> Result<(DrawerOutcome, String), Gone> {
        let device = &*life.device;
        let not_opened = |why: &str| Ok((DrawerOutcome::NotOpened, why.to_owned()));
        if let Some(detail) = too_late_or_disabled(device, asked) {
            return Ok((DrawerOutcome::NotOpened, detail));
        }
        let Some(key) = self.controllers.key(self.hardware) else {
            return not_opened("the controller's key was not enrolled; enrol the one on its label");
        };
        // A challenge of an earlier question may be answered first: it is stale, and nothing opened.
        let mut told = self.ask(seat, life, desk, asked.job.id, &key).await?;
        if matches!(told, Answer::Outcome(Outcome::StaleChallenge)) {
            told = self.ask(seat, life, desk, asked.job.id, &key).await?;
        }
        match told {
            Answer::NoChallenge => {
                not_opened("the controller did not answer in time; try again, or look at its cable")
            }
            Answer::Outcome(outcome) => Ok(meaning(outcome)),
            Answer::NoOutcome => Ok((
                DrawerOutcome::Unknown,
                "the controller did not tell in time whether the drawer opened; look at it".to_owned(),
            )),
        }
    }

    /// Asks for a challenge, answers it, and waits for what comes of it.
    async fn ask(
        &self,
        seat: &mut Seat,
        life: &Life,
        desk: &mut Desk,
        job: Uuid,
        key: &ControllerKey,
    ) -> Result<Answer, Gone> {
        let device = &*life.device;
        life.beat();
        let before = |_| Gone { outcome: DrawerOutcome::NotOpened };
        seat.say(ToController::AskChallenge).await.map_err(before)?;
        let challenge = |message: &ToHost| match message {
            ToHost::Challenge { nonce } => Some(*nonce),
            _ => None,
        };
        let nonce = self.wait_for(seat, device, desk, CHALLENGED_WITHIN, challenge).await.map_err(before)?;
        let Some(nonce) = nonce else { return Ok(Answer::NoChallenge) };
        let request = request_of(job);
        let pulse_ms = u16::try_from(self.pulse.as_millis()).unwrap_or(u16::MAX);
        let mac = firmware::mac(&key.0, &nonce, request, pulse_ms);
        life.beat();
        // From here on it may open.
        let after = |_| Gone { outcome: DrawerOutcome::Unknown };
        seat.say(ToController::OpenDrawer { request, pulse_ms, mac }).await.map_err(after)?;
        let ours = |message: &ToHost| match message {
            ToHost::OpenOutcome { request: of, outcome, .. } if *of == request => Some(*outcome),
            _ => None,
        };
        let told = self.wait_for(seat, device, desk, TOLD_WITHIN, ours).await.map_err(after)?;
        Ok(told.map_or(Answer::NoOutcome, Answer::Outcome))
    }

    /// Waits until the controller tells this, and does meanwhile what follows from all else.
    async fn wait_for<T>(
        &self,
        seat: &mut Seat,
        device: &Device,
        desk: &mut Desk,
        patience: Duration,
        wanted: impl Fn(&ToHost) -> Option<T>,
    ) -> Result<Option<T>, Over> {
        let deadline = Instant::now() + patience;
        loop {
            let Ok(told) = timeout_at(deadline, seat.next()).await else { return Ok(None) };
            let Some(told) = told? else { continue };
            let found = wanted(&told.message);
            self.told(seat, device, desk, &told).await?;
            if found.is_some() {
                return Ok(found);
            }
        }
    }

    /// What follows from what the controller told is journalled, then the message is done.
    async fn told(&self, seat: &Seat, device: &Device, desk: &mut Desk, told: &Told) -> Result<(), Over> {
        let open =
            |open| device.change(|condition| condition.of_class = OfClass::Drawer { open: Some(open) });
        match &told.message {
            ToHost::DrawerOpened { cause, .. } => {
                open(true);
                if *cause == Cause::NoCommand {
                    let name = name_of(self.hardware, told.id, b"alarm");
                    desk.owed.push((told.id, CommandKey { key: first_half(name), request: name }));
                    return desk.journal_alarms(seat, device).await;
                }
            }
            ToHost::DrawerClosed { .. } => open(false),
            ToHost::Alarm { alarm, on, .. } => desk.alarmed(device, *alarm, *on),
            _ => {}
        }
        seat.done(told.id).await
    }
}

/// What a request came to.
enum Answer {
    NoChallenge,
    NoOutcome,
    Outcome(Outcome),
}

/// The controller went away while it opened the drawer.
struct Gone {
    outcome: DrawerOutcome,
}

/// The number of a request: the last bits of the job's id, which are random.
fn request_of(job: Uuid) -> u32 {
    let [.., a, b, c, d] = job.into_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// What an outcome means, and what to do.
fn meaning(outcome: Outcome) -> (DrawerOutcome, String) {
    let not_opened = |why: &str| (DrawerOutcome::NotOpened, why.to_owned());
    match outcome {
        Outcome::Opened => (DrawerOutcome::Opened, String::new()),
        Outcome::WasOpen => (DrawerOutcome::Opened, "the drawer was open already".to_owned()),
        Outcome::NotAuthentic => {
            not_opened("the key that was enrolled is not the controller's; enrol the one on its label")
        }
        Outcome::StaleChallenge => not_opened(
            "the request came to the controller too late, and it does not open for an old one; try again",
        ),
        Outcome::TooOften => {
            not_opened("the drawer was opened so often that its coil must rest; wait a moment")
        }
        Outcome::DidNotOpen => {
            not_opened("the drawer stayed shut: is it locked by its key, or its cable out of the controller?")
        }
        Outcome::Undervoltage => {
            not_opened("the controller has too little voltage for the drawer; look at its power supply")
        }
        Outcome::Other(_) => (
            DrawerOutcome::Unknown,
            "the controller says what happened in a way that this version does not know; look at the drawer"
                .to_owned(),
        ),
    }
}

/// What a driver has to do beside opening.
struct Desk {
    outcomes: Outcomes,
    /// Openings without a command that are not in the journal yet: their messages are not done.
    owed: Vec<(Id, CommandKey)>,
    /// Alarms that are on.
    alarms: Vec<Alarm>,
}

impl Desk {
    fn new(device: &Device) -> Self {
        Self { outcomes: Outcomes::new(device.shop.clone()), owed: Vec::new(), alarms: Vec::new() }
    }

    /// Journals what is owed; what the box cannot take now is tried again at the next beat.
    async fn journal_alarms(&mut self, seat: &Seat, device: &Device) -> Result<(), Over> {
        while let Some((id, key)) = self.owed.first().copied() {
            if !self.outcomes.alarm_once(&device.config.id, key).await {
                return Ok(());
            }
            self.owed.remove(0);
            seat.done(id).await?;
        }
        Ok(())
    }

    /// An alarm shows at the device for as long as it is on, the gravest first.
    fn alarmed(&mut self, device: &Device, alarm: Alarm, on: bool) {
        if alarm == Alarm::OpenedWithoutCommand {
            // The opening itself is journalled.
            return;
        }
        let before = self.shown();
        self.alarms.retain(|known| *known != alarm);
        if on && self.alarms.len() < MOST_ALARMS {
            self.alarms.push(alarm);
        }
        tracing::warn!(
            device = device.config.id,
            on,
            what = words(alarm),
            "an alarm of a drawer's controller"
        );
        match self.shown() {
            now if now == before => {}
            Some(alarm) => {
                let kind = if alarm == Alarm::OpenTooLong { Kind::Operator } else { Kind::Technician };
                device.unwell(DeviceState::Ready, kind, words(alarm));
            }
            None => device.well(DeviceState::Ready),
        }
    }

    fn shown(&self) -> Option<Alarm> {
        let gravest = [Alarm::Tamper, Alarm::Undervoltage, Alarm::KeyLock, Alarm::OpenTooLong];
        let known = gravest.into_iter().find(|alarm| self.alarms.contains(alarm));
        known.or(self.alarms.first().copied())
    }
}

/// What an alarm is about, and what to do.
fn words(alarm: Alarm) -> &'static str {
    match alarm {
        Alarm::OpenedWithoutCommand => "the drawer was opened, and nobody had asked for it",
        Alarm::Tamper => "the controller's case is open; look who opened it",
        Alarm::KeyLock => "the drawer's key lock is turned",
        Alarm::OpenTooLong => "the drawer has been open for too long; close it",
        Alarm::Undervoltage => "the controller has too little voltage; look at its power supply",
        Alarm::Other(_) => "the controller gives an alarm that this version does not know",
    }
}
