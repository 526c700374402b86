//! What takes an update while the old firmware does its work, one step with the flash at a time.
//!
//! ```text
//!  UpdateBegin ──> (erase the spare slot, or find what is stored in it) ──> UpdateProgress
//!  UpdateChunk ──> unit by unit into the slot ──> UpdateProgress
//!  UpdateEnd   ──> (hash what is stored) ──> trial is kept ──> reboot
//!  booted      ──> UpdateConfirmed, or UpdateRefused and why: what became of the last one
//! ```
//!
//! What is stored is found again after a reset: the slot was blank all over when [`Phase::Receiving`] was kept, and is written from its
//! beginning on, so all that lies before the last unit that is not blank is whole. That one may be torn, and so may be an erasing
//! of its sector or of the next, however blank that reads: both are erased again, the later one first, so that after any number of
//! cuts no other sector is in doubt.

mod incoming;
mod report;

use core::time::Duration;
use device_drivers::Moment;
use embedded_storage::nor_flash::NorFlash;
use pos_link::{ToController, ToHost, UpdateRefusal, Version};
use sha2::{Digest as _, Sha256};

use self::incoming::{Announced, Incoming};
use self::report::{Report, Reports};
use super::Updates;
use super::image::{HEADER, Header, Target, Unfit, fingerprint};
use super::state::{Outcome, Phase, STARTS, Slot, State};
use super::store::{Store, UNIT_BYTES, body_part};

/// An image on trial that has not confirmed for so long boots again: it may be the one that cannot hear the box.
pub const TRIAL_PATIENCE: Duration = Duration::from_secs(120);

/// Takes updates, and confirms the one that runs on trial.
#[derive(Debug)]
pub struct Receiver<F: NorFlash> {
    store: Store<F>,
    target: Target,
    running: Running,
    state: State,
    job: Job,
    reports: Reports,
    confirm: Confirm,
    reboot: bool,
}

#[derive(Debug)]
struct Running {
    version: Version,
    /// Since when it is on trial, if it is.
    trial: Option<Moment>,
}

/// Whether it is kept that what runs on trial stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Confirm {
    NotYet,
    /// All is well.
    Due,
    /// The flash did not keep it; another start may.
    Failed,
}

/// What is being done.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one, and no heap")]
enum Job {
    Rest,
    /// The host wants to begin.
    Begin(Announced),
    /// All units from `end` on are blank.
    Find {
        image: Announced,
        end: u32,
    },
    /// All from `stored` to `end` is to be erased, the last sector first; it goes on at `stored`.
    Erase {
        image: Announced,
        stored: u32,
        end: u32,
    },
    Receive(Incoming),
    /// So much of the image was hashed.
    Check {
        header: Header,
        at: u32,
        hash: Sha256,
    },
}

impl<F: NorFlash> Updates for Receiver<F> {
    fn handle(&mut self, said: &ToController) -> bool {
        match said {
            ToController::UpdateBegin { length, version, fingerprint } => {
                self.begin(Announced { length: *length, version: *version, fingerprint: *fingerprint });
            }
            ToController::UpdateChunk { offset, data } => self.take(*offset, data),
            ToController::UpdateEnd => self.end(),
            _ => return false,
        }
        true
    }

    fn has_room(&self) -> bool {
        match &self.job {
            Job::Receive(incoming) => incoming.has_room(),
            _ => true,
        }
    }

    fn work(&mut self) {
        if self.has_work() && self.step().is_err() {
            // It may have been kept all the same.
            if let Ok(Some(state)) = self.store.state() {
                self.state = state;
            }
            self.job = Job::Rest;
            if self.confirm == Confirm::Due {
                self.confirm = Confirm::Failed;
            }
            self.reports.add(Report::Refused(UpdateRefusal::FlashFailed));
        }
    }

    fn handle_timeout(&mut self, now: Moment) {
        self.reboot |= self.running.trial.is_some_and(|since| now >= since + TRIAL_PATIENCE);
    }

    fn all_is_well(&mut self) {
        if self.on_trial() && self.confirm == Confirm::NotYet {
            self.confirm = Confirm::Due;
        }
    }

    fn wants_reboot(&self) -> bool {
        self.reboot
    }

    fn report_due(&self) -> Option<ToHost> {
        Some(match self.reports.first()? {
            Report::Progress => ToHost::UpdateProgress { stored: self.stored() },
            Report::Refused(reason) => ToHost::UpdateRefused { reason, stored: self.stored() },
            Report::Confirmed => ToHost::UpdateConfirmed { version: self.running.version },
        })
    }

    fn reported(&mut self) {
        self.reports.remove_first();
    }
}

impl<F: NorFlash> Receiver<F> {
    /// That of a boot. `running` is the slot that [`boot`](fn@super::boot) gave. It says at once what became of the last update.
    ///
    /// # Errors
    /// What the flash says.
    pub fn new(mut store: Store<F>, target: Target, running: Slot, now: Moment) -> Result<Self, F::Error> {
        // Without a boot loader there may be no state.
        let state = store.state()?.unwrap_or(State { active: running, ..State::default() });
        let header = Header::read(&store.header(running)?);
        let version = header.map_or(state.floor, |header| header.version);
        let on_trial = matches!(state.phase, Phase::Trial { .. }) && running != state.active;
        let running = Running { version, trial: on_trial.then_some(now) };
        let mut reports = Reports::default();
        if !on_trial {
            reports.add(match state.outcome {
                Some(Outcome::Confirmed) => Report::Confirmed,
                Some(Outcome::Refused(reason)) => Report::Refused(reason),
                // A host that is about to send, or waits for what comes of it, begins again.
                None => Report::Refused(UpdateRefusal::NoneBegun),
            });
        }
        Ok(Self {
            store,
            target,
            running,
            state,
            job: Job::Rest,
            reports,
            confirm: Confirm::NotYet,
            reboot: false,
        })
    }

    /// The version of what runs.
    #[must_use]
    pub fn version(&self) -> Version {
        self.running.version
    }

    /// Whether what runs is on trial.
    #[must_use]
    pub fn on_trial(&self) -> bool {
        self.running.trial.is_some()
    }

    /// Whether [`Updates::work`] has something to do.
    #[must_use]
    pub fn has_work(&self) -> bool {
        match &self.job {
            Job::Rest => self.confirm == Confirm::Due,
            Job::Receive(incoming) => incoming.ended || incoming.has_unit(),
            _ => true,
        }
    }

    fn stored(&self) -> u32 {
        match &self.job {
            Job::Receive(incoming) => incoming.stored.min(incoming.image.length),
            _ => 0,
        }
    }

    fn spare(&self) -> Slot {
        self.state.active.other()
    }

    fn refuse(&mut self, reason: UpdateRefusal) {
        self.reports.add(Report::Refused(reason));
    }

    fn begin(&mut self, image: Announced) {
        let too_short = usize::try_from(image.length).is_ok_and(|length| length <= HEADER);
        if self.reboot {
            // What comes then says more.
        } else if self.on_trial() {
            self.refuse(UpdateRefusal::OnTrial);
        } else if image.length > self.store.slot_length() {
            self.refuse(UpdateRefusal::NoRoom);
        } else if too_short {
            self.refuse(UpdateRefusal::Damaged);
        } else if image.version <= self.state.floor.max(self.running.version) {
            self.refuse(UpdateRefusal::NotNewer);
        } else if matches!(&self.job, Job::Receive(old) if old.image == image && image.fingerprint.is_some())
        {
            self.reports.add(Report::Progress);
        } else {
            self.job = Job::Begin(image);
        }
    }

    fn take(&mut self, offset: u32, data: &[u8]) {
        let taken = match &mut self.job {
            Job::Receive(incoming) => incoming.take(offset, data),
            _ => Err(UpdateRefusal::NoneBegun),
        };
        if let Err(reason) = taken {
            self.refuse(reason);
        }
    }

    fn end(&mut self) {
        let known = self.reboot || self.on_trial();
        match &mut self.job {
            Job::Receive(incoming) if incoming.position() >= incoming.image.length => incoming.ended = true,
            Job::Receive(_) => self.refuse(UpdateRefusal::Damaged),
            // It was said before, in a session that ended: what comes of it is told.
            Job::Check { .. } => {}
            _ if known => {}
            _ => self.refuse(UpdateRefusal::NoneBegun),
        }
    }

    fn step(&mut self) -> Result<(), F::Error> {
        if self.confirm == Confirm::Due {
            let active = self.spare();
            let outcome = Some(Outcome::Confirmed);
            self.keep(State { active, floor: self.running.version, phase: Phase::Rest, outcome })?;
            self.running.trial = None;
            self.confirm = Confirm::NotYet;
            self.reports.add(Report::Confirmed);
            return Ok(());
        }
        self.job = match core::mem::replace(&mut self.job, Job::Rest) {
            Job::Rest => Job::Rest,
            Job::Begin(image) => self.prepare(image)?,
            Job::Find { image, end } => self.find(image, end)?,
            Job::Erase { image, stored, end } => self.erase(image, stored, end)?,
            Job::Receive(incoming) => self.receive(incoming)?,
            Job::Check { header, at, hash } => self.check(header, at, hash)?,
        };
        Ok(())
    }

    fn keep(&mut self, state: State) -> Result<(), F::Error> {
        self.store.keep(state)?;
        self.state = state;
        Ok(())
    }

    /// Looks whether this very image was begun before.
    fn prepare(&mut self, image: Announced) -> Result<Job, F::Error> {
        let known = match image.fingerprint {
            Some(wanted) if self.state.phase == Phase::Receiving => {
                let header = self.store.header(self.spare())?;
                fingerprint(&header) == wanted && self.announced(&header, image).is_ok()
            }
            _ => false,
        };
        if known {
            let end = image.length.checked_next_multiple_of(UNIT_BYTES).unwrap_or(self.store.slot_length());
            return Ok(Job::Find { image, end });
        }
        if self.state.phase != Phase::Rest {
            // From here on the slot is not what that says.
            self.keep(State { phase: Phase::Rest, outcome: None, ..self.state })?;
        }
        Ok(Job::Erase { image, stored: 0, end: self.sectors(image.length) })
    }

    /// So many bytes in whole sectors.
    fn sectors(&self, length: u32) -> u32 {
        length.checked_next_multiple_of(Store::<F>::SECTOR).unwrap_or(self.store.slot_length())
    }

    fn find(&mut self, image: Announced, end: u32) -> Result<Job, F::Error> {
        let Some(last) = end.checked_sub(UNIT_BYTES) else {
            return Ok(Job::Erase { image, stored: 0, end: self.sectors(image.length) });
        };
        if self.store.read(self.spare(), last)?.iter().all(|byte| *byte == 0xff) {
            return Ok(Job::Find { image, end: last });
        }
        let next = self.sectors(end);
        let stored = next.saturating_sub(Store::<F>::SECTOR);
        let end = next.saturating_add(Store::<F>::SECTOR).min(self.sectors(image.length));
        Ok(Job::Erase { image, stored, end })
    }

    fn erase(&mut self, image: Announced, stored: u32, end: u32) -> Result<Job, F::Error> {
        if stored < end {
            let last = end.saturating_sub(Store::<F>::SECTOR);
            self.store.erase(self.spare(), last)?;
            return Ok(Job::Erase { image, stored, end: last });
        }
        if self.state.phase != Phase::Receiving {
            self.keep(State { phase: Phase::Receiving, outcome: None, ..self.state })?;
        }
        self.reports.add(Report::Progress);
        Ok(Job::Receive(Incoming::new(image, stored)))
    }

    /// Writes a unit, if there is one.
    fn receive(&mut self, mut incoming: Incoming) -> Result<Job, F::Error> {
        if !incoming.has_unit() {
            return if incoming.ended {
                self.begin_check(incoming.image)
            } else {
                Ok(Job::Receive(incoming))
            };
        }
        let unit = incoming.unit();
        if incoming.stored == 0
            && let Some(header) = unit.first_chunk()
            && let Err(unfit) = self.announced(header, incoming.image)
        {
            self.refuse(unfit.into());
            return Ok(Job::Rest);
        }
        self.store.write(self.spare(), incoming.stored, &unit)?;
        incoming.written();
        self.reports.add(Report::Progress);
        Ok(Job::Receive(incoming))
    }

    /// What a header says, if that is what was announced.
    fn announced(&self, bytes: &[u8; HEADER], image: Announced) -> Result<Header, Unfit> {
        let header = self.store.fitting(bytes, self.target)?;
        if image.is(bytes, &header) { Ok(header) } else { Err(Unfit::NoImage) }
    }

    fn begin_check(&mut self, image: Announced) -> Result<Job, F::Error> {
        let bytes = self.store.header(self.spare())?;
        match self.announced(&bytes, image) {
            Ok(header) => Ok(Job::Check { header, at: 0, hash: Sha256::new() }),
            Err(unfit) => self.give_up(unfit),
        }
    }

    fn check(&mut self, header: Header, at: u32, mut hash: Sha256) -> Result<Job, F::Error> {
        if u64::from(at) < header.image_length() {
            hash.update(body_part(&self.store.read(self.spare(), at)?, at, &header));
            return Ok(Job::Check { header, at: at.saturating_add(UNIT_BYTES), hash });
        }
        let digest: [u8; 32] = hash.finalize().into();
        if digest != header.digest {
            return self.give_up(Unfit::Body);
        }
        self.keep(State { phase: Phase::Trial { left: STARTS }, outcome: None, ..self.state })?;
        self.reboot = true;
        Ok(Job::Rest)
    }

    /// What is in the slot is of no use. That is kept: it would be found again else.
    fn give_up(&mut self, unfit: Unfit) -> Result<Job, F::Error> {
        let outcome = Some(Outcome::Refused(unfit.into()));
        self.keep(State { phase: Phase::Rest, outcome, ..self.state })?;
        self.refuse(unfit.into());
        Ok(Job::Rest)
    }
}
