//! What the host tells a controller.

use heapless::Vec;

use super::number::ScanRefusal;
use super::{Message, Unread, Version};
use crate::field::{Bytes, Fields, Writer};
use crate::stream::{Id, StreamId};

/// A message of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToController {
    /// The scan is in the journal: give the good-read beep.
    ScanAccepted {
        /// The message that brought it; the last one of a scan in parts.
        scan: Id,
    },
    /// The scan counts for nothing: say so to the cashier.
    ScanRefused {
        /// The message that brought it.
        scan: Id,
        /// Why.
        reason: ScanRefusal,
    },
    /// Asks for a nonce.
    AskChallenge,
    /// Open the drawer.
    OpenDrawer {
        /// Comes back with the outcome.
        request: u32,
        /// How long the solenoid is driven, milliseconds; the controller's cap holds whatever stands here.
        pulse_ms: u16,
        /// By the controller's key over the challenge, `request` and `pulse_ms`; computed and checked elsewhere.
        mac: [u8; 16],
    },
    /// How it is to work from now on.
    Configure(Settings),
    /// Beep, and light up.
    Signal {
        /// Milliseconds; none at 0.
        beep_ms: u16,
        /// Hertz.
        tone_hz: u16,
        /// One bit a light, from the lowest: green, red, aim.
        lights: u8,
        /// Milliseconds; stays on at 0.
        light_ms: u16,
    },
    /// Asks for the counters.
    AskCounters,
    /// An image comes.
    UpdateBegin {
        /// Its length, bytes.
        length: u32,
        /// What it is.
        version: Version,
        /// The first half of the SHA-256 of its first 128 bytes, which name all others: what is stored of this very image is not sent
        /// again. `None`, from a host that does not say: all of it is.
        fingerprint: Option<[u8; 16]>,
    },
    /// A piece of the image.
    UpdateChunk {
        /// Where it belongs, bytes from the beginning.
        offset: u32,
        /// At most 128 bytes.
        data: Vec<u8, { Self::LONGEST_CHUNK }>,
    },
    /// The image is complete: check it, and boot into it.
    UpdateEnd,
    /// Boot again.
    Reboot,
    /// Asks for the identity.
    AskIdentity,
}

/// How a controller works.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settings {
    /// One bit a symbology that is read, from the lowest: EAN-13, EAN-8, UPC-A, UPC-E, Code 128, GS1-128, ITF. What else a scan
    /// engine reads always is.
    pub symbologies: u32,
    /// The same code within this time is the same scan, milliseconds.
    pub double_read_ms: u16,
    /// A drawer that is open for longer is told, seconds; never at 0.
    pub open_too_long_s: u16,
    /// No pulse is longer, milliseconds. A controller takes what lowers its cap and ignores what would raise it.
    pub pulse_cap_ms: u16,
}

impl ToController {
    /// The longest piece of an image, bytes.
    pub const LONGEST_CHUNK: usize = 128;
}

impl Message for ToController {
    fn encode(&self) -> Bytes {
        let new = |number| Writer::default().u8(number);
        let written = match self {
            Self::ScanAccepted { scan } => scan.write(new(0x01)),
            Self::ScanRefused { scan, reason } => scan.write(new(0x02)).u8((*reason).into()),
            Self::AskChallenge => new(0x03),
            Self::OpenDrawer { request, pulse_ms, mac } => new(0x04).u32(*request).u16(*pulse_ms).array(*mac),
            Self::Configure(settings) => new(0x05)
                .u32(settings.symbologies)
                .u16(settings.double_read_ms)
                .u16(settings.open_too_long_s)
                .u16(settings.pulse_cap_ms),
            Self::Signal { beep_ms, tone_hz, lights, light_ms } => {
                new(0x06).u16(*beep_ms).u16(*tone_hz).u8(*lights).u16(*light_ms)
            }
            Self::AskCounters => new(0x07),
            Self::UpdateBegin { length, version, fingerprint } => {
                let begun = version.write(new(0x08).u32(*length));
                fingerprint.iter().fold(begun, |begun, half| begun.array(*half))
            }
            Self::UpdateChunk { offset, data } => new(0x09).u32(*offset).counted(data),
            Self::UpdateEnd => new(0x0a),
            Self::Reboot => new(0x0b),
            Self::AskIdentity => new(0x0c),
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

fn read(number: u8, mut from: Fields<'_>) -> Option<ToController> {
    Some(match number {
        0x01 => ToController::ScanAccepted { scan: Id::read(&mut from)? },
        0x02 => ToController::ScanRefused { scan: Id::read(&mut from)?, reason: from.u8()?.into() },
        0x03 => ToController::AskChallenge,
        0x04 => ToController::OpenDrawer { request: from.u32()?, pulse_ms: from.u16()?, mac: from.array()? },
        0x05 => ToController::Configure(Settings {
            symbologies: from.u32()?,
            double_read_ms: from.u16()?,
            open_too_long_s: from.u16()?,
            pulse_cap_ms: from.u16()?,
        }),
        0x06 => ToController::Signal {
            beep_ms: from.u16()?,
            tone_hz: from.u16()?,
            lights: from.u8()?,
            light_ms: from.u16()?,
        },
        0x07 => ToController::AskCounters,
        0x08 => ToController::UpdateBegin {
            length: from.u32()?,
            version: Version::read(&mut from)?,
            fingerprint: from.array(),
        },
        0x09 => {
            ToController::UpdateChunk { offset: from.u32()?, data: Vec::from_slice(from.counted()?).ok()? }
        }
        0x0a => ToController::UpdateEnd,
        0x0b => ToController::Reboot,
        _ => ToController::AskIdentity,
    })
}

impl Id {
    fn write(self, to: Writer) -> Writer {
        to.u32(self.stream.0).u32(self.number)
    }

    fn read(from: &mut Fields<'_>) -> Option<Self> {
        Some(Self { stream: StreamId(from.u32()?), number: from.u32()? })
    }
}
