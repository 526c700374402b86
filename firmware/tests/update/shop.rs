//! A board, the box that updates it, and what must hold at each boot of it.

use std::collections::BTreeMap;

use device_drivers::Moment;
use ed25519_dalek::{Signer as _, SigningKey};
use firmware::update::{
    HEADER, Header, Layout, Receiver, State, Store, TRIAL_PATIENCE, Target, Updates, boot, fingerprint,
};
use pos_link::{Ended, Identity, Kind, ToController, ToHost, Upload, Version};
use sha2::{Digest as _, Sha256};

use crate::flash::{Flash, SECTOR};
use crate::random::Random;

const S: u32 = SECTOR as u32;
pub(crate) const SLOT: u32 = 8 * S;
pub(crate) const LAYOUT: Layout = Layout { pages: [0, S], slots: [2 * S, 10 * S], slot_length: SLOT };
pub(crate) const TARGET: Target = Target { board: *b"testmade", kind: Kind::Drawer };

pub(crate) const fn version(patch: u16) -> Version {
    Version { major: 1, minor: 0, patch }
}

/// What an image does when it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Does {
    /// Its work.
    Well,
    /// Nothing; the watchdog resets it.
    Hangs,
    /// All but hear the box.
    IsDeaf,
}

#[derive(Debug, Clone)]
pub(crate) struct Image {
    pub(crate) bytes: Vec<u8>,
    pub(crate) version: Version,
    pub(crate) does: Does,
}

pub(crate) fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

/// An image by this key.
pub(crate) fn image_by(key: &SigningKey, header: Header, body: &[u8], does: Does) -> Image {
    let signed = header.to_bytes();
    let bytes = [&signed[..], &key.sign(&signed).to_bytes(), body].concat();
    Image { bytes, version: header.version, does }
}

pub(crate) fn header_of(body: &[u8], patch: u16) -> Header {
    let length = u32::try_from(body.len()).unwrap();
    Header { target: TARGET, version: version(patch), length, digest: Sha256::digest(body).into() }
}

pub(crate) fn image(patch: u16, length: usize, does: Does) -> Image {
    let mut random = Random::seeded(patch.into());
    let body: Vec<_> = (0..length).map(|_| random.byte()).collect();
    image_by(&key(), header_of(&body, patch), &body, does)
}

impl Image {
    pub(crate) fn header(&self) -> &[u8; HEADER] {
        self.bytes.first_chunk().unwrap()
    }

    pub(crate) fn upload(&self) -> Upload<&[u8]> {
        Upload::new(self.bytes.as_slice(), self.version, fingerprint(self.header()))
    }
}

/// A board and its images.
pub(crate) struct Board {
    pub(crate) flash: Flash,
    /// All images that may ever run on it, by their bodies.
    good: BTreeMap<Vec<u8>, Image>,
    /// The highest that was ever confirmed.
    confirmed: Version,
    pub(crate) on: Option<On>,
    pub(crate) boots: u32,
    pub(crate) now: Moment,
}

/// A board that runs.
pub(crate) struct On {
    pub(crate) receiver: Receiver<Flash>,
    pub(crate) runs: Image,
    /// What was told last about how far an update is.
    pub(crate) stored: Option<u32>,
}

impl Board {
    /// One that left the factory with this image.
    pub(crate) fn new(image: &Image, random: Random) -> Self {
        let flash = Flash::new(random);
        let at = LAYOUT.slots[0] as usize;
        flash.0.borrow_mut().bytes[at..at + image.bytes.len()].copy_from_slice(&image.bytes);
        let mut board = Self {
            flash,
            good: BTreeMap::new(),
            confirmed: image.version,
            on: None,
            boots: 0,
            now: Moment::default(),
        };
        board.knows(image);
        board
    }

    /// This image is good: it may run.
    pub(crate) fn knows(&mut self, image: &Image) {
        self.good.insert(image.bytes[HEADER..].to_vec(), image.clone());
    }

    pub(crate) fn store(&self) -> Store<Flash> {
        Store::new(self.flash.clone(), LAYOUT).unwrap()
    }

    pub(crate) fn state(&self) -> State {
        self.store().state().unwrap().unwrap()
    }

    /// Boots it, and looks at what runs. `None` if the power was cut within.
    pub(crate) fn boot(&mut self) -> Option<()> {
        self.on = None;
        self.flash.power_on();
        self.boots += 1;
        assert!(self.boots < 10_000, "it boots for ever");
        let mut store = self.store();
        let found = boot(&mut store, TARGET, &key().verifying_key());
        let Ok(found) = found else {
            assert!(!self.flash.has_power(), "it is read well");
            return None;
        };
        let (slot, header) = found.expect("there always is something to run");
        if !self.flash.has_power() {
            return None;
        }
        let mut memory = vec![0; SLOT as usize];
        store.load(slot, &header, &mut memory).expect("what was looked at is loaded");
        let runs = self.good.get(&memory[..header.length as usize]).expect("only what is good runs").clone();
        assert!(runs.version >= self.confirmed, "{:?} runs after {:?}", runs.version, self.confirmed);
        assert_eq!(header.version, runs.version);
        let receiver = Receiver::new(store, TARGET, slot, self.now).ok()?;
        assert_eq!(receiver.version(), runs.version);
        let spare_runs = slot != self.state().active;
        assert_eq!(receiver.on_trial(), spare_runs, "what runs and is not confirmed is on trial");
        self.on = Some(On { receiver, runs, stored: None });
        Some(())
    }

    /// Works until nothing is to be done; gives what is told. `None` if the power was cut, or it wants to boot.
    pub(crate) fn work(&mut self) -> Option<Vec<ToHost>> {
        let on = self.on.as_mut()?;
        while on.receiver.has_work() {
            on.receiver.work();
        }
        if !self.flash.has_power() {
            return None;
        }
        let mut told = Vec::new();
        while let Some(report) = on.receiver.report_due() {
            if let ToHost::UpdateConfirmed { version } = report {
                self.confirmed = self.confirmed.max(version);
            }
            if let ToHost::UpdateProgress { stored } = report {
                on.stored = Some(stored);
            }
            told.push(report);
            on.receiver.reported();
        }
        (!on.receiver.wants_reboot()).then_some(told)
    }

    pub(crate) fn say(&mut self, said: &ToController) -> Option<Vec<ToHost>> {
        assert!(self.on.as_mut()?.receiver.handle(said));
        self.work()
    }

    /// What runs, with all its work done.
    pub(crate) fn runs(&mut self) -> Version {
        while self.on.is_none() && self.boot().is_none() {}
        self.on.as_ref().unwrap().runs.version
    }

    /// The box sends an image, whatever happens to the board, and says what became of it.
    pub(crate) fn update(&mut self, upload: &mut Upload<&[u8]>) -> Ended {
        loop {
            if let Some(ended) = upload.ended() {
                return ended;
            }
            if self.go_on(upload).is_none() {
                self.on = None;
            }
        }
    }

    /// From one boot to the next, or to the end.
    pub(crate) fn go_on(&mut self, upload: &mut Upload<&[u8]>) -> Option<()> {
        if self.on.is_none() {
            self.boot()?;
            let on = self.on.as_mut()?;
            match on.runs.does {
                Does::Hangs => return None,
                Does::Well => on.receiver.all_is_well(),
                Does::IsDeaf => {
                    self.now += TRIAL_PATIENCE;
                    on.receiver.handle_timeout(self.now);
                    assert!(on.receiver.wants_reboot() || !on.receiver.on_trial());
                    return None;
                }
            }
            let identity =
                Identity { kind: Kind::Drawer, hardware: [0; 8], firmware: on.runs.version, key: [0; 16] };
            upload.handle(&ToHost::Identity(identity));
        }
        let mut told = self.work()?;
        loop {
            told.iter().for_each(|told| upload.handle(told));
            if upload.ended().is_some() {
                return Some(());
            }
            let said = upload.poll().expect("nobody waits for anything");
            upload.sent();
            told = self.say(&said)?;
        }
    }
}
