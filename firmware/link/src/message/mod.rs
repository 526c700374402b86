//! Messages: what the two sides say to each other, as bytes of fixed layout.
//!
//! A message is its number, one byte, and its fields, little-endian. Who reads ignores what stands behind the fields that it
//! knows, and skips and counts numbers that it does not know: so fields are only ever appended, numbers never used again,
//! and an old daemon talks to a new controller.
//!
//! *stamp* is a controller's own time: u32 boot, u64 microseconds since that boot. *n×* is one byte with a count, then so many bytes.
//! An *id* is that of a message of the other side: u32 stream, u32 number.
//!
//! | controller → host | number | fields | travels |
//! |---|---|---|---|
//! | [`ToHost::Identity`] | 01 | u8 kind, 8 hardware id, u8 u8 u16 firmware version, 16 key fingerprint | datagram |
//! | [`ToHost::Scan`] | 02 | stamp, 2 symbology, u8 more, n× data (≤ 160) | stream |
//! | [`ToHost::DrawerOpened`] | 03 | stamp, u8 cause | stream |
//! | [`ToHost::DrawerClosed`] | 04 | stamp, u32 ms that it was open; 0 also where nothing happened, but who configures it is to know | stream |
//! | [`ToHost::Alarm`] | 05 | stamp, u8 alarm, u8 on | stream |
//! | [`ToHost::Counters`] | 06 | u32 boots, watchdog resets, scans, repeats, pulses, refused openings, frames dropped; stamp; perhaps u32 refused scans, scans without room | datagram |
//! | [`ToHost::Challenge`] | 07 | 16 nonce | stream |
//! | [`ToHost::OpenOutcome`] | 08 | stamp, u32 request, u8 outcome | stream |
//! | [`ToHost::Log`] | 09 | u8 level, n× text (≤ 120) | datagram |
//! | [`ToHost::UpdateProgress`] | 0a | u32 bytes that are stored | stream |
//! | [`ToHost::UpdateRefused`] | 0b | u8 reason, u32 bytes that are stored | stream |
//! | [`ToHost::UpdateConfirmed`] | 0c | u8 u8 u16 version | stream |
//!
//! | host → controller | number | fields | travels |
//! |---|---|---|---|
//! | [`ToController::ScanAccepted`] | 01 | id | stream |
//! | [`ToController::ScanRefused`] | 02 | id, u8 reason | stream |
//! | [`ToController::AskChallenge`] | 03 | – | stream |
//! | [`ToController::OpenDrawer`] | 04 | u32 request, u16 pulse ms, 16 MAC | stream |
//! | [`ToController::Configure`] | 05 | u32 symbologies, u16 double-read ms, u16 open-too-long s, u16 pulse cap ms | stream |
//! | [`ToController::Signal`] | 06 | u16 beep ms, u16 tone Hz, u8 lights, u16 light ms | stream |
//! | [`ToController::AskCounters`] | 07 | – | stream |
//! | [`ToController::UpdateBegin`] | 08 | u32 length, u8 u8 u16 version, perhaps 16 fingerprint | stream |
//! | [`ToController::UpdateChunk`] | 09 | u32 offset, n× data (≤ 128) | stream |
//! | [`ToController::UpdateEnd`] | 0a | – | stream |
//! | [`ToController::Reboot`] | 0b | – | stream |
//! | [`ToController::AskIdentity`] | 0c | – | stream |
//!
//! What travels in the stream arrives once and in order, if need be after a reboot; a datagram arrives once or never, when the line
//! has nothing better to do. Chunks of an update go through the stream for its flow control; their offsets let an update that was cut
//! begin again where the controller says.
//!
//! | byte | kind | cause | alarm | outcome | level | refused scan | refused update |
//! |---|---|---|---|---|---|---|---|
//! | 01 | scanner | command | opened without command | opened | error | unknown article | no room |
//! | 02 | drawer | no command | tamper | was open already | warning | not now | not newer |
//! | 03 | | key lock | key lock | not authentic | info | unreadable | bad signature |
//! | 04 | | found open | open too long | stale challenge | debug | | bad offset |
//! | 05 | | | undervoltage | too often | | | flash failed |
//! | 06 | | | | did not open | | | none begun |
//! | 07 | | | | undervoltage | | | wrong board |
//! | 08 | | | | | | | damaged |
//! | 09 | | | | | | | did not start |
//! | 0a | | | | | | | on trial |

mod number;
mod to_controller;
mod to_host;

pub use number::{Alarm, Cause, Kind, Level, Outcome, ScanRefusal, UpdateRefusal};
pub use to_controller::{Settings, ToController};
pub use to_host::{Identity, Stamp, Tally, ToHost, Version};

use core::fmt::Debug;

use thiserror::Error;

use crate::field::Bytes;

/// Something that travels as a message.
pub trait Message: Sized + Debug {
    /// Its bytes; never empty.
    fn encode(&self) -> Bytes;

    /// The message that these bytes are.
    ///
    /// # Errors
    /// [`Unread`]; whoever reads skips it.
    fn decode(bytes: &[u8]) -> Result<Self, Unread>;
}

/// Why bytes are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unread {
    /// A later version's message.
    #[error("message {0:#04x} is not known; this side is older than the other")]
    Unknown(u8),
    /// A known number with too few fields, or with one out of its range.
    #[error("message {0:#04x} has not the fields that it should have")]
    Malformed(u8),
}

#[cfg(test)]
mod tests;
