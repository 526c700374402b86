//! Updates of controllers: an image on its way, over as many sessions as it takes.

use std::sync::Arc;

use firmware::update::{Header, fingerprint};
use pos_link::{Ended, ToController, ToHost, UpdateRefusal, Upload};

use super::Controllers;
use super::about::{About, ControllerKind, Update, UpdateState, version};
use super::seat::Word;
use crate::config::Hardware;
use sha2::{Digest as _, Sha256};

/// Looks at the bytes of an image before they are sent: whether they are whole, and for this kind of controller. Whether they
/// are signed and newer, the controller knows.
pub(in super::super) fn image(bytes: &[u8], kind: ControllerKind) -> Result<Wanted, String> {
    let Some((head, body)) = bytes.split_first_chunk() else {
        return Err("These bytes are no firmware image".to_owned());
    };
    let header = Header::read(head).map_err(|unfit| format!("The image is refused: {unfit}"))?;
    if header.image_length() != bytes.len() as u64 || header.digest[..] != Sha256::digest(body)[..] {
        return Err("The image is not whole; get it again".to_owned());
    }
    let is_for = ControllerKind::from(header.target.kind);
    if is_for != kind {
        return Err(format!("The image is for a {is_for}'s controller, and this is a {kind}'s"));
    }
    Ok(Upload::new(bytes.into(), header.version, fingerprint(head)))
}

/// An image that a controller is to run.
pub(super) type Wanted = Upload<Arc<[u8]>>;

impl Controllers {
    /// Sends an image to a controller, now or when it is there. The same one goes on; one that waits for a controller that is
    /// gone is dropped for it.
    ///
    /// Another must have ended: what the controller still has to say of it would be taken for the answer to this one.
    pub(in super::super) fn update(&self, hardware: Hardware, upload: Wanted) -> Result<About, &'static str> {
        let mut book = self.book();
        let known = book.get_mut(&hardware).ok_or("its controller was not there since the start")?;
        if let Some(before) = &known.update {
            if before.fingerprint() == upload.fingerprint() {
                return Ok(known.about.borrow().clone());
            }
            if known.line.is_some() {
                return Err("another update is on its way to the controller; wait for its end");
            }
        }
        known.about.send_modify(|about| tell(about, &upload));
        known.update = Some(upload);
        if let Some(line) = &known.line {
            // A line that is busy looks by itself.
            let _ = line.try_send(Word::Update);
        }
        Ok(known.about.borrow().clone())
    }

    /// Sends what may be sent now; `say` is false where there is no room.
    pub(super) fn send_update(&self, hardware: Hardware, mut say: impl FnMut(&ToController) -> bool) {
        let mut book = self.book();
        let Some(upload) = book.get_mut(&hardware).and_then(|known| known.update.as_mut()) else { return };
        while let Some(said) = upload.poll() {
            if !say(&said) {
                return;
            }
            upload.sent();
        }
    }

    /// The controller told something that may be about its update.
    pub(super) fn update_told(&self, hardware: Hardware, told: &ToHost) {
        self.with_update(hardware, |upload| upload.handle(told));
    }

    /// Its session is over.
    pub(super) fn update_interrupted(&self, hardware: Hardware) {
        self.with_update(hardware, Upload::interrupted);
    }

    fn with_update(&self, hardware: Hardware, change: impl FnOnce(&mut Wanted)) {
        let mut book = self.book();
        let Some(known) = book.get_mut(&hardware) else { return };
        let Some(upload) = &mut known.update else { return };
        change(upload);
        known.about.send_modify(|about| tell(about, upload));
        if upload.ended().is_some() {
            known.update = None;
        }
    }
}

fn tell(about: &mut About, upload: &Wanted) {
    let (state, detail) = match upload.ended() {
        None => (UpdateState::Sending, ""),
        Some(Ended::Confirmed) => (UpdateState::Done, ""),
        Some(Ended::Refused(why)) => (UpdateState::Refused, reason(why)),
    };
    about.update = Some(Update {
        version: version(upload.version()),
        state,
        stored: upload.stored(),
        length: upload.length(),
        detail: detail.to_owned(),
    });
}

/// What went wrong, and what to do.
fn reason(why: UpdateRefusal) -> &'static str {
    match why {
        UpdateRefusal::NoRoom => "the image is larger than the controller's slot; it is for another board",
        UpdateRefusal::NotNewer => "the controller runs this version or a later one, and never goes back",
        UpdateRefusal::BadSignature => {
            "the image is not signed with the key that the controller trusts; get it from whoever made the controller"
        }
        UpdateRefusal::BadOffset => {
            "the image came to the controller in pieces that do not fit; send it again"
        }
        UpdateRefusal::FlashFailed => "the controller's flash takes no more writes; replace the controller",
        UpdateRefusal::NoneBegun => "the controller forgot the update; send it again",
        UpdateRefusal::WrongBoard => "the image is for another board, or for another kind of controller",
        UpdateRefusal::Damaged => "the image came to the controller damaged; send it again",
        UpdateRefusal::DidNotStart => {
            "the new version did not start well, so the controller went back to the one before; do not send it again"
        }
        UpdateRefusal::OnTrial => {
            "the controller is trying another update just now; send it again in a minute"
        }
        UpdateRefusal::Other(_) => {
            "the controller says why in a way that this version does not know; update the box"
        }
    }
}
