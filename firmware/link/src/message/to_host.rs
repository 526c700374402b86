//! What a controller tells the host.

use heapless::{String, Vec};

use super::number::{Alarm, Cause, Kind, Level, Outcome, UpdateRefusal};
use super::{Message, Unread};
use crate::field::{Bytes, Fields, Writer};

/// A message of a controller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToHost {
    /// Who it is. Said once a boot, and when asked. Travels as a datagram: not behind what waits for the host.
    Identity(Identity),
    /// A code was read.
    Scan {
        /// When.
        at: Stamp,
        /// The letter and the digit behind `]` of its symbology identifier (ISO/IEC 15424): `E0`; two zeros where an engine does
        /// not say.
        symbology: [u8; 2],
        /// The code goes on in the next message, which is a scan too.
        more: bool,
        /// The code, or the next part of it; longer ones than 160 bytes are told in parts.
        data: Vec<u8, { Self::LONGEST_SCAN }>,
    },
    /// The drawer opened.
    DrawerOpened {
        /// When.
        at: Stamp,
        /// Why.
        cause: Cause,
    },
    /// The drawer was closed.
    DrawerClosed {
        /// When.
        at: Stamp,
        /// How long it had been open, milliseconds.
        open_ms: u32,
    },
    /// An alarm began or ended.
    Alarm {
        /// When.
        at: Stamp,
        /// Which.
        alarm: Alarm,
        /// Whether it began.
        on: bool,
    },
    /// What it counted, in all its boots. Travels as a datagram.
    Counters {
        /// When it said so: its present time, to tell the age of what it read while the host was away.
        at: Stamp,
        /// What it counted.
        tally: Tally,
    },
    /// The nonce that the next request to open must answer.
    Challenge {
        /// Random; good for one opening.
        nonce: [u8; 16],
    },
    /// What came of [`ToController::OpenDrawer`](super::ToController::OpenDrawer).
    OpenOutcome {
        /// When.
        at: Stamp,
        /// The request's number.
        request: u32,
        /// What came of it.
        outcome: Outcome,
    },
    /// A line for the log. Travels as a datagram.
    Log {
        /// How grave.
        level: Level,
        /// At most 120 bytes.
        text: String<{ Self::LONGEST_LINE }>,
    },
    /// So much of an update is stored for good.
    UpdateProgress {
        /// Bytes from its beginning.
        stored: u32,
    },
    /// An update was not taken.
    UpdateRefused {
        /// Why.
        reason: UpdateRefusal,
        /// Where it would go on, bytes from its beginning.
        stored: u32,
    },
    /// The update that was on trial stays.
    UpdateConfirmed {
        /// What runs.
        version: Version,
    },
}

/// A controller's own time. It goes on within a boot only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// Counts its boots.
    pub boot: u32,
    /// Microseconds since that boot.
    pub micros: u64,
}

/// Who a controller is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// What it is.
    pub kind: Kind,
    /// Its chip's own number.
    pub hardware: [u8; 8],
    /// What runs on it.
    pub firmware: Version,
    /// The first half of the SHA-256 of its key; zeros if it has none.
    pub key: [u8; 16],
}

/// A firmware's version; a later one is greater.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Changes that break.
    pub major: u8,
    /// Changes that add.
    pub minor: u8,
    /// Changes that mend.
    pub patch: u16,
}

/// What a controller counts in its retained memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Boots of every kind.
    pub boots: u32,
    /// Boots because the watchdog was not fed.
    pub watchdog_resets: u32,
    /// Codes that were read.
    pub scans: u32,
    /// Codes that were the one before, read again.
    pub repeats: u32,
    /// Pulses of the solenoid.
    pub pulses: u32,
    /// Requests to open that were refused.
    pub refused: u32,
    /// Frames that were dropped.
    pub dropped: u32,
    /// Codes that the host refused.
    pub scans_refused: u32,
    /// Codes that were not taken, as there was no room for them until the host accepts some.
    pub scans_full: u32,
}

impl ToHost {
    /// The longest part of a code in one message, bytes.
    pub const LONGEST_SCAN: usize = 160;
    /// The longest line of the log, bytes.
    pub const LONGEST_LINE: usize = 120;
}

impl Message for ToHost {
    fn encode(&self) -> Bytes {
        let new = |number| Writer::default().u8(number);
        let written = match self {
            Self::Identity(Identity { kind, hardware, firmware, key }) => {
                firmware.write(new(0x01).u8((*kind).into()).array(*hardware)).array(*key)
            }
            Self::Scan { at, symbology, more, data } => {
                at.write(new(0x02)).array(*symbology).u8((*more).into()).counted(data)
            }
            Self::DrawerOpened { at, cause } => at.write(new(0x03)).u8((*cause).into()),
            Self::DrawerClosed { at, open_ms } => at.write(new(0x04)).u32(*open_ms),
            Self::Alarm { at, alarm, on } => at.write(new(0x05)).u8((*alarm).into()).u8((*on).into()),
            Self::Counters { at, tally } => {
                let [first @ .., scans_refused, scans_full] = tally.fields();
                let counted = first.into_iter().fold(new(0x06), Writer::u32);
                at.write(counted).u32(scans_refused).u32(scans_full)
            }
            Self::Challenge { nonce } => new(0x07).array(*nonce),
            Self::OpenOutcome { at, request, outcome } => {
                at.write(new(0x08)).u32(*request).u8((*outcome).into())
            }
            Self::Log { level, text } => new(0x09).u8((*level).into()).counted(&text.clone().into_bytes()),
            Self::UpdateProgress { stored } => new(0x0a).u32(*stored),
            Self::UpdateRefused { reason, stored } => new(0x0b).u8((*reason).into()).u32(*stored),
            Self::UpdateConfirmed { version } => version.write(new(0x0c)),
        };
        written.0
    }

    fn decode(bytes: &[u8]) -> Result<Self, Unread> {
        let Some((number, fields)) = bytes.split_first() else { return Err(Unread::Malformed(0)) };
        if !(0x01..=0x0c).contains(number) {
            return Err(Unread::Unknown(*number));
        }
        read(*number, Fields(fields)).ok_or(Unread::Malformed(*number))
    }
}

fn read(number: u8, mut from: Fields<'_>) -> Option<ToHost> {
    Some(match number {
        0x01 => ToHost::Identity(Identity {
            kind: from.u8()?.into(),
            hardware: from.array()?,
            firmware: Version::read(&mut from)?,
            key: from.array()?,
        }),
        0x02 => ToHost::Scan {
            at: Stamp::read(&mut from)?,
            symbology: from.array()?,
            more: from.u8()? != 0,
            data: Vec::from_slice(from.counted()?).ok()?,
        },
        0x03 => ToHost::DrawerOpened { at: Stamp::read(&mut from)?, cause: from.u8()?.into() },
        0x04 => ToHost::DrawerClosed { at: Stamp::read(&mut from)?, open_ms: from.u32()? },
        0x05 => ToHost::Alarm { at: Stamp::read(&mut from)?, alarm: from.u8()?.into(), on: from.u8()? != 0 },
        0x06 => {
            let mut fields = [0; Tally::FIELDS];
            for field in fields.iter_mut().take(Tally::FIRST_FIELDS) {
                *field = from.u32()?;
            }
            let at = Stamp::read(&mut from)?;
            // A controller of an earlier version has none behind.
            for field in fields.iter_mut().skip(Tally::FIRST_FIELDS) {
                *field = from.u32().unwrap_or_default();
            }
            ToHost::Counters { at, tally: Tally::of(fields) }
        }
        0x07 => ToHost::Challenge { nonce: from.array()? },
        0x08 => ToHost::OpenOutcome {
            at: Stamp::read(&mut from)?,
            request: from.u32()?,
            outcome: from.u8()?.into(),
        },
        0x09 => ToHost::Log {
            level: from.u8()?.into(),
            text: String::try_from(core::str::from_utf8(from.counted()?).ok()?).ok()?,
        },
        0x0a => ToHost::UpdateProgress { stored: from.u32()? },
        0x0b => ToHost::UpdateRefused { reason: from.u8()?.into(), stored: from.u32()? },
        _ => ToHost::UpdateConfirmed { version: Version::read(&mut from)? },
    })
}

impl Stamp {
    fn write(self, to: Writer) -> Writer {
        to.u32(self.boot).u64(self.micros)
    }

    fn read(from: &mut Fields<'_>) -> Option<Self> {
        Some(Self { boot: from.u32()?, micros: from.u64()? })
    }
}

impl Version {
    pub(super) fn write(self, to: Writer) -> Writer {
        to.u8(self.major).u8(self.minor).u16(self.patch)
    }

    pub(super) fn read(from: &mut Fields<'_>) -> Option<Self> {
        Some(Self { major: from.u8()?, minor: from.u8()?, patch: from.u16()? })
    }
}

impl Tally {
    /// How many counters there are.
    pub const FIELDS: usize = 9;
    /// So many had the first version.
    const FIRST_FIELDS: usize = 7;

    /// All of them, in the order of the message.
    #[must_use]
    pub const fn fields(self) -> [u32; Self::FIELDS] {
        let Self {
            boots,
            watchdog_resets,
            scans,
            repeats,
            pulses,
            refused,
            dropped,
            scans_refused,
            scans_full,
        } = self;
        [boots, watchdog_resets, scans, repeats, pulses, refused, dropped, scans_refused, scans_full]
    }

    /// Those with these [`Tally::fields`].
    #[must_use]
    pub const fn of(fields: [u32; Self::FIELDS]) -> Self {
        let [boots, watchdog_resets, scans, repeats, pulses, refused, dropped, scans_refused, scans_full] =
            fields;
        Self { boots, watchdog_resets, scans, repeats, pulses, refused, dropped, scans_refused, scans_full }
    }
}
