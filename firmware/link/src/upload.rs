//! The host's part of an update: what to send next, whatever the controller answers and however often it reboots.
//!
//! ```text
//!  UpdateBegin ──> UpdateProgress ──> UpdateChunk … ──> UpdateEnd ──> (reboot) Identity ──> UpdateConfirmed
//!       ^               where to go on     │ BadOffset: back to where it says
//!       └──── NoneBegun, Identity ─────────┘ it has rebooted and knows of nothing: begin, and go on where it is
//! ```
//!
//! No more than [`AHEAD`] bytes are under way, so that a message of another kind does not wait behind an image.

use crate::message::{ToController, ToHost, UpdateRefusal, Version};

/// Bytes that are sent beyond those that the controller has stored.
const AHEAD: usize = 1_024;

/// An image on its way to a controller; `I` are its bytes.
#[derive(Debug, Clone)]
pub struct Upload<I> {
    image: I,
    version: Version,
    fingerprint: [u8; 16],
    stage: Stage,
    /// Where the next chunk begins.
    at: usize,
    /// So many bytes the controller has, by its word.
    stored: usize,
}

/// What became of an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It runs, and stays.
    Confirmed,
    /// The controller does not want it, or went back to what ran before.
    Refused(UpdateRefusal),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// [`ToController::UpdateBegin`] is to be sent.
    Begin,
    /// It was sent, and not answered.
    Asked,
    Sending,
    /// All is stored, and [`ToController::UpdateEnd`] is to be sent, perhaps again.
    Ending,
    /// All is sent: the controller checks it, and boots into it.
    Sent,
    /// The controller runs it, on trial.
    Trying,
    Ended(Ended),
}

impl<I: AsRef<[u8]>> Upload<I> {
    /// Of this image. `version` and `fingerprint` are as in [`ToController::UpdateBegin`].
    #[must_use]
    pub const fn new(image: I, version: Version, fingerprint: [u8; 16]) -> Self {
        Self { image, version, fingerprint, stage: Stage::Begin, at: 0, stored: 0 }
    }

    /// What to send next, if anything is to be sent now. Say [`Upload::sent`] when the session has taken it.
    #[must_use]
    pub fn poll(&self) -> Option<ToController> {
        match self.stage {
            Stage::Begin => Some(ToController::UpdateBegin {
                length: u32::try_from(self.length()).unwrap_or(u32::MAX),
                version: self.version,
                fingerprint: Some(self.fingerprint),
            }),
            Stage::Sending if self.at >= self.length() => {
                (self.stored >= self.length()).then_some(ToController::UpdateEnd)
            }
            Stage::Ending => Some(ToController::UpdateEnd),
            Stage::Sending if self.at < self.stored.saturating_add(AHEAD) => {
                Some(ToController::UpdateChunk {
                    offset: u32::try_from(self.at).ok()?,
                    data: self.chunk().iter().copied().collect(),
                })
            }
            _ => None,
        }
    }

    /// The session has taken [`Upload::poll`]'s message.
    pub fn sent(&mut self) {
        match self.stage {
            Stage::Begin => self.stage = Stage::Asked,
            Stage::Sending if self.at >= self.length() => self.stage = Stage::Sent,
            Stage::Ending => self.stage = Stage::Sent,
            Stage::Sending => self.at = self.at.saturating_add(self.chunk().len()),
            _ => {}
        }
    }

    /// The controller told this.
    pub fn handle(&mut self, told: &ToHost) {
        match (told, self.stage) {
            (_, Stage::Ended(_)) => {}
            (ToHost::UpdateConfirmed { version }, _) if *version == self.version => {
                self.stage = Stage::Ended(Ended::Confirmed);
            }
            // It has booted. What runs is either not the update, or on trial and yet to be confirmed.
            (ToHost::Identity(identity), Stage::Sending | Stage::Ending | Stage::Sent | Stage::Trying)
                if identity.firmware == self.version =>
            {
                self.stage = Stage::Trying;
            }
            (ToHost::Identity(_), Stage::Asked | Stage::Sending) => self.stage = Stage::Begin,
            (ToHost::UpdateProgress { stored }, Stage::Asked) => {
                self.go_on(*stored);
                self.stage = Stage::Sending;
            }
            (ToHost::UpdateProgress { stored }, Stage::Sending) => {
                self.stored = usize::try_from(*stored).unwrap_or(usize::MAX).min(self.length());
            }
            (ToHost::UpdateRefused { reason, stored }, stage) => self.refused(*reason, *stored, stage),
            _ => {}
        }
    }

    /// The session is a new one: what it had not sent yet is lost with the one before.
    pub fn interrupted(&mut self) {
        match self.stage {
            Stage::Asked | Stage::Sending => self.stage = Stage::Begin,
            // Not from the beginning: if it was tried and went back, that is told, and it is not to be tried again.
            Stage::Sent => self.stage = Stage::Ending,
            _ => {}
        }
    }

    /// How long the image is, bytes.
    #[must_use]
    pub fn length(&self) -> usize {
        self.image.as_ref().len()
    }

    /// What names the image.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 16] {
        self.fingerprint
    }

    /// What it is.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// How many bytes the controller has stored, by its word.
    #[must_use]
    pub fn stored(&self) -> usize {
        self.stored
    }

    /// What became of it, once that is known.
    #[must_use]
    pub fn ended(&self) -> Option<Ended> {
        match self.stage {
            Stage::Ended(ended) => Some(ended),
            _ => None,
        }
    }

    fn refused(&mut self, reason: UpdateRefusal, stored: u32, stage: Stage) {
        use UpdateRefusal::{BadOffset, BadSignature, Damaged, DidNotStart, NoneBegun, WrongBoard};
        match (reason, stage) {
            (NoneBegun, Stage::Sending | Stage::Sent) => self.stage = Stage::Begin,
            (BadOffset, Stage::Sending | Stage::Sent) => {
                self.go_on(stored);
                self.stage = Stage::Sending;
            }
            // About what was sent before the begin or the boot.
            (NoneBegun | BadOffset, _) => {}
            // Told at each boot until an update begins: they are about an earlier one.
            (_, Stage::Begin) => {}
            (BadSignature | Damaged | DidNotStart | WrongBoard, Stage::Asked) => {}
            (reason, _) => self.stage = Stage::Ended(Ended::Refused(reason)),
        }
    }

    fn go_on(&mut self, stored: u32) {
        self.stored = usize::try_from(stored).unwrap_or(usize::MAX).min(self.length());
        self.at = self.stored;
    }

    fn chunk(&self) -> &[u8] {
        let rest = self.image.as_ref().get(self.at..).unwrap_or_default();
        rest.get(..ToController::LONGEST_CHUNK).unwrap_or(rest)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use crate::message::{Identity, Kind};

    const OLD: Version = Version { major: 1, minor: 0, patch: 0 };
    const NEW: Version = Version { major: 1, minor: 1, patch: 0 };
    const IMAGE: [u8; 3_000] = [0x5a; 3_000];

    fn booted(firmware: Version) -> ToHost {
        ToHost::Identity(Identity { kind: Kind::Drawer, hardware: [0; 8], firmware, key: [0; 16] })
    }

    fn refused(reason: UpdateRefusal, stored: u32) -> ToHost {
        ToHost::UpdateRefused { reason, stored }
    }

    /// Sends all that may be sent; where the chunks begin.
    fn send(upload: &mut Upload<&[u8; 3_000]>) -> std::vec::Vec<u32> {
        let mut offsets = std::vec::Vec::new();
        while let Some(said) = upload.poll() {
            if let ToController::UpdateChunk { offset, .. } = said {
                offsets.push(offset);
            }
            upload.sent();
        }
        offsets
    }

    fn begun(stored: u32) -> Upload<&'static [u8; 3_000]> {
        let mut upload = Upload::new(&IMAGE, NEW, [7; 16]);
        assert!(matches!(upload.poll(), Some(ToController::UpdateBegin { length: 3_000, .. })));
        assert_eq!(send(&mut upload), [], "nothing before the answer");
        upload.handle(&ToHost::UpdateProgress { stored });
        upload
    }

    #[test]
    fn an_image_is_sent_from_where_the_controller_is_and_not_far_ahead() {
        let mut upload = begun(1_000);
        assert_eq!(send(&mut upload), [1_000, 1_128, 1_256, 1_384, 1_512, 1_640, 1_768, 1_896]);
        upload.handle(&ToHost::UpdateProgress { stored: 2_024 });
        assert_eq!(*send(&mut upload).last().unwrap(), 2_920);
        upload.handle(&ToHost::UpdateProgress { stored: 2_976 });
        assert_eq!(upload.poll(), None, "not before all of it is stored");
        upload.handle(&ToHost::UpdateProgress { stored: 3_000 });
        assert_eq!(upload.poll(), Some(ToController::UpdateEnd));
        upload.sent();
        // The end comes again to who has booted since.
        for told in [booted(NEW), refused(UpdateRefusal::NoneBegun, 0)] {
            upload.handle(&told);
            assert_eq!((upload.poll(), upload.ended()), (None, None));
        }
        upload.handle(&ToHost::UpdateConfirmed { version: OLD });
        assert_eq!(upload.ended(), None);
        upload.handle(&ToHost::UpdateConfirmed { version: NEW });
        assert_eq!(upload.ended(), Some(Ended::Confirmed));
    }

    #[test]
    fn a_gap_is_sent_again_and_who_has_rebooted_is_asked_where_it_is() {
        let mut upload = begun(0);
        send(&mut upload);
        upload.handle(&refused(UpdateRefusal::BadOffset, 200));
        assert_eq!(send(&mut upload).first(), Some(&200));
        for told in [booted(OLD), refused(UpdateRefusal::NoneBegun, 0)] {
            upload.handle(&told);
            assert!(matches!(upload.poll(), Some(ToController::UpdateBegin { .. })));
        }
        send(&mut upload);
        // Late answers to what was sent before it.
        upload.handle(&refused(UpdateRefusal::NoneBegun, 0));
        upload.handle(&refused(UpdateRefusal::DidNotStart, 0));
        assert_eq!((upload.poll(), upload.ended()), (None, None));
        upload.handle(&ToHost::UpdateProgress { stored: 496 });
        assert_eq!(send(&mut upload).first(), Some(&496));
    }

    #[test]
    fn a_refusal_ends_it() {
        for reason in [UpdateRefusal::NotNewer, UpdateRefusal::Other(77)] {
            let mut upload = Upload::new(&IMAGE, NEW, [7; 16]);
            upload.sent();
            upload.handle(&refused(reason, 0));
            assert_eq!((upload.ended(), upload.poll()), (Some(Ended::Refused(reason)), None));
        }
        let mut upload = begun(3_000);
        upload.sent();
        upload.handle(&booted(OLD));
        upload.handle(&refused(UpdateRefusal::BadSignature, 0));
        assert_eq!(upload.ended(), Some(Ended::Refused(UpdateRefusal::BadSignature)));
        upload.handle(&ToHost::UpdateConfirmed { version: NEW });
        assert_eq!(upload.ended(), Some(Ended::Refused(UpdateRefusal::BadSignature)));
    }

    #[test]
    fn what_a_lost_session_had_not_sent_is_sent_by_the_next() {
        let mut upload = begun(0);
        send(&mut upload);
        upload.interrupted();
        upload.handle(&booted(OLD));
        assert!(matches!(upload.poll(), Some(ToController::UpdateBegin { .. })));
        upload.sent();
        upload.interrupted();
        assert!(
            matches!(upload.poll(), Some(ToController::UpdateBegin { .. })),
            "the question was lost, too"
        );
        upload.sent();
        upload.handle(&ToHost::UpdateProgress { stored: 3_000 });
        assert_eq!(upload.poll(), Some(ToController::UpdateEnd));
        upload.sent();
        upload.interrupted();
        let mut failed = upload.clone();
        let mut lost = upload.clone();
        // It had arrived, and the image runs.
        upload.handle(&booted(NEW));
        assert_eq!(upload.poll(), None);
        // It had arrived, and the image did not start.
        failed.handle(&booted(OLD));
        failed.handle(&refused(UpdateRefusal::DidNotStart, 0));
        assert_eq!(failed.ended(), Some(Ended::Refused(UpdateRefusal::DidNotStart)), "and is not sent again");
        // It had not arrived, and the power went, too.
        lost.handle(&booted(OLD));
        assert_eq!(lost.poll(), Some(ToController::UpdateEnd));
        lost.sent();
        lost.handle(&refused(UpdateRefusal::NoneBegun, 0));
        assert!(matches!(lost.poll(), Some(ToController::UpdateBegin { .. })));
    }
}
