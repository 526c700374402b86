//! The flash as the update sees it: two pages for the state, and two slots, read and written in whole units.

use embedded_storage::nor_flash::NorFlash;
use sha2::{Digest as _, Sha256};

use super::image::{HEADER, Header, Target, Unfit};
use super::state::{Slot, State};

/// Bytes that are read or written at once. What a flash writes at once divides it, and it divides what a flash erases at once.
pub(super) const UNIT: usize = 512;
/// As the flash counts.
pub(super) const UNIT_BYTES: u32 = 512;

/// Where things are in the flash, bytes from its beginning. Each begins where something that is erased at once begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// The two pages of the state, each as long as what is erased at once.
    pub pages: [u32; 2],
    /// The two slots.
    pub slots: [u32; 2],
    /// How long each slot is.
    pub slot_length: u32,
}

/// A flash with two slots for images.
#[derive(Debug)]
pub struct Store<F> {
    flash: F,
    layout: Layout,
}

/// Why an image is not loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotLoaded<E> {
    /// It is not what was signed.
    Unfit(Unfit),
    /// The flash does not answer.
    Flash(E),
}

impl<F: NorFlash> Store<F> {
    /// What is erased at once, as the flash counts.
    #[expect(clippy::cast_possible_truncation, reason = "it is asserted to be small")]
    pub(super) const SECTOR: u32 = {
        assert!(
            F::ERASE_SIZE.is_multiple_of(UNIT) && F::ERASE_SIZE <= 1 << 20,
            "what is erased is whole units"
        );
        assert!(UNIT.is_multiple_of(F::WRITE_SIZE), "units are whole writes");
        assert!(UNIT.is_multiple_of(F::READ_SIZE), "units are whole reads");
        F::ERASE_SIZE as u32
    };

    /// Of this flash. `None` if the layout does not fit it.
    pub fn new(flash: F, layout: Layout) -> Option<Self> {
        let Layout { pages: [a, b], slots: [one, two], slot_length } = layout;
        let mut places = [(a, Self::SECTOR), (b, Self::SECTOR), (one, slot_length), (two, slot_length)];
        places.sort_unstable();
        let whole = |bytes: u32| bytes.checked_rem(Self::SECTOR) == Some(0);
        let mut free = 0_u32;
        for (from, length) in places {
            if from < free || !whole(from) || !whole(length) || length == 0 {
                return None;
            }
            free = from.checked_add(length)?;
        }
        (usize::try_from(free).ok()? <= flash.capacity()).then_some(Self { flash, layout })
    }

    /// How long a slot is, bytes.
    pub(super) fn slot_length(&self) -> u32 {
        self.layout.slot_length
    }

    /// The state, or `None` if there is none yet.
    ///
    /// # Errors
    /// What the flash says.
    pub fn state(&mut self) -> Result<Option<State>, F::Error> {
        Ok(self.newest()?.map(|(state, ..)| state))
    }

    /// Keeps a state. A cut leaves the one before, or this one.
    ///
    /// # Errors
    /// What the flash says; the state is the one before then.
    pub(super) fn keep(&mut self, state: State) -> Result<(), F::Error> {
        let (page, number) = match self.newest()? {
            Some((_, number, newest)) => (usize::from(newest == 0), number.saturating_add(1)),
            None => (0, 1),
        };
        let Some(at) = self.layout.pages.get(page).copied() else { return Ok(()) };
        let mut unit = [0xff; UNIT];
        unit.iter_mut().zip(state.to_bytes(number)).for_each(|(to, from)| *to = from);
        self.flash.erase(at, at.saturating_add(Self::SECTOR))?;
        self.flash.write(at, &unit)
    }

    /// The newest state, its page's number, and which page it is.
    fn newest(&mut self) -> Result<Option<(State, u32, usize)>, F::Error> {
        let mut newest: Option<(State, u32, usize)> = None;
        for (page, at) in self.layout.pages.into_iter().enumerate() {
            let unit = self.unit(at)?;
            let Some((state, number)) = unit.first_chunk().and_then(State::read) else { continue };
            if newest.is_none_or(|(_, before, _)| number > before) {
                newest = Some((state, number, page));
            }
        }
        Ok(newest)
    }

    /// The first bytes of a slot.
    ///
    /// # Errors
    /// What the flash says.
    pub fn header(&mut self, slot: Slot) -> Result<[u8; HEADER], F::Error> {
        let unit = self.read(slot, 0)?;
        Ok(unit.first_chunk().copied().unwrap_or([0xff; HEADER]))
    }

    /// Reads a unit of a slot; `at` is a multiple of a unit.
    pub(super) fn read(&mut self, slot: Slot, at: u32) -> Result<[u8; UNIT], F::Error> {
        let at = self.start(slot).saturating_add(at);
        self.unit(at)
    }

    /// Writes a unit of a slot that was erased.
    pub(super) fn write(&mut self, slot: Slot, at: u32, unit: &[u8; UNIT]) -> Result<(), F::Error> {
        let at = self.start(slot).saturating_add(at);
        self.flash.write(at, unit)
    }

    /// Erases what is erased at once from `at` of a slot on.
    pub(super) fn erase(&mut self, slot: Slot, at: u32) -> Result<(), F::Error> {
        let from = self.start(slot).saturating_add(at);
        self.flash.erase(from, from.saturating_add(Self::SECTOR))
    }

    /// What the header in a slot says, if it is for this target and fits. Its signature and the body are not looked at.
    pub(super) fn fitting(&self, header: &[u8; HEADER], target: Target) -> Result<Header, Unfit> {
        let read = Header::read(header)?;
        if read.target != target {
            return Err(Unfit::Target);
        }
        if read.image_length() > u64::from(self.layout.slot_length) {
            return Err(Unfit::TooLong);
        }
        Ok(read)
    }

    /// The SHA-256 of the body in a slot.
    pub(super) fn digest(&mut self, slot: Slot, header: &Header) -> Result<[u8; 32], F::Error> {
        let mut hash = Sha256::new();
        let mut at = 0;
        while u64::from(at) < header.image_length() {
            hash.update(body_part(&self.read(slot, at)?, at, header));
            at = at.saturating_add(UNIT_BYTES);
        }
        Ok(hash.finalize().into())
    }

    /// Copies the body of the image in a slot to where it runs, and looks there whether it is the one that was signed.
    ///
    /// `header` is what [`boot`](fn@super::boot) gave; `into` is as long as the body or longer, and gets no byte beyond it.
    ///
    /// # Errors
    /// [`NotLoaded`]; nothing of what was copied may run then.
    pub fn load(&mut self, slot: Slot, header: &Header, into: &mut [u8]) -> Result<(), NotLoaded<F::Error>> {
        let length = usize::try_from(header.length).ok();
        let body =
            length.and_then(|length| into.get_mut(..length)).ok_or(NotLoaded::Unfit(Unfit::TooLong))?;
        let (mut at, mut rest) = (0, &mut *body);
        while u64::from(at) < header.image_length() {
            let unit = self.read(slot, at).map_err(NotLoaded::Flash)?;
            let part = body_part(&unit, at, header);
            let Some((to, behind)) = rest.split_at_mut_checked(part.len()) else { break };
            to.copy_from_slice(part);
            (at, rest) = (at.saturating_add(UNIT_BYTES), behind);
        }
        let loaded: [u8; 32] = Sha256::digest(body).into();
        if loaded == header.digest { Ok(()) } else { Err(NotLoaded::Unfit(Unfit::Body)) }
    }

    fn unit(&mut self, at: u32) -> Result<[u8; UNIT], F::Error> {
        let mut unit = [0; UNIT];
        self.flash.read(at, &mut unit)?;
        Ok(unit)
    }

    fn start(&self, slot: Slot) -> u32 {
        let [first, second] = self.layout.slots;
        match slot {
            Slot::First => first,
            Slot::Second => second,
        }
    }
}

/// What of a unit that begins at `at` of an image belongs to its body.
pub(super) fn body_part<'a>(unit: &'a [u8; UNIT], at: u32, header: &Header) -> &'a [u8] {
    let left = header.image_length().saturating_sub(at.into());
    let end = usize::try_from(left).map_or(UNIT, |left| left.min(UNIT));
    let begin = if at == 0 { HEADER } else { 0 };
    unit.get(begin..end).unwrap_or_default()
}
