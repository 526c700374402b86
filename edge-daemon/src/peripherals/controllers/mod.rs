//! Our own controllers: which are there, on which line, and who gets what they tell.
//!
//! ```text
//!  lines ── a task each: the session, who is there, what is not done yet (ledger)
//!    │ registers the controller that it has met            ▲ done, say
//!    ▼                                                     │
//!  Controllers (by hardware number) ──attach──> Seat ── the driver of the device that is configured for it
//! ```
//!
//! A device is configured for the *hardware*, not for the line: two controllers whose plugs are swapped stay what they are.

mod about;
mod clock;
mod drawer;
mod keys;
mod ledger;
mod line;
mod scanner;
mod seat;
mod update;

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use device_drivers::Kind;
use pos_link::{Cursor, Identity, StreamId};
use sha2::{Digest as _, Sha256};
use tokio::sync::{mpsc, watch};

use crate::config::Hardware;
pub use about::{About, ControllerKind, Update, UpdateState};
pub(super) use drawer::ControllerDrawer;
pub use keys::{ControllerKey, KeyState};
pub(super) use scanner::ControllerScanner;
pub(super) use update::image;

use super::supervisor::Trouble;
use crate::checkout::Shop;
use keys::Keys;
use line::LineTask;
use seat::{Seat, Word};

/// Controllers that are remembered.
const MOST: usize = 256;
/// Streams whose cursors are remembered: of a few boots of each.
const STREAMS: usize = 256;

/// Where the box's controllers hang, and where their keys are kept.
#[derive(Debug, Clone, Default)]
pub struct ControllerLines {
    /// The ports of the lines.
    pub lines: Vec<PathBuf>,
    /// The folder of the keys.
    pub keys: PathBuf,
}

/// All controllers. A cheap handle.
#[derive(Debug, Clone)]
pub(super) struct Controllers(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    book: Mutex<BTreeMap<Hardware, Known>>,
    /// The ports of the lines.
    lines: Mutex<Vec<PathBuf>>,
    /// How far each stream is accepted, the last used at the end: a stream goes on on whichever line its controller comes back.
    cursors: Mutex<VecDeque<Cursor>>,
    keys: Keys,
}

/// A controller that is or was there.
#[derive(Debug)]
struct Known {
    about: watch::Sender<About>,
    /// Its line, while it is there.
    line: Option<mpsc::Sender<Word>>,
    /// The image that it is to run.
    update: Option<update::Wanted>,
}

impl Controllers {
    pub(super) fn new(keys: PathBuf) -> Self {
        Self(Arc::new(Shared {
            book: Mutex::default(),
            lines: Mutex::default(),
            cursors: Mutex::default(),
            keys: Keys::read(keys),
        }))
    }

    /// Serves a line until the task is aborted.
    pub(super) fn serve(&self, shop: &Shop, line: PathBuf) -> tokio::task::JoinHandle<()> {
        self.lines().push(line.clone());
        tokio::spawn(LineTask::new(self.clone(), shop.clone(), line).run())
    }

    /// Takes a controller's seat: from now on this one gets what it tells, with all that was not done before.
    pub(super) fn attach(&self, hardware: Hardware, kind: ControllerKind) -> Result<Seat, Trouble> {
        let book = self.book();
        let known = book.get(&hardware).filter(|known| known.line.is_some());
        let Some((known, line)) = known.and_then(|known| Some((known, known.line.clone()?))) else {
            let detail = format!(
                "no controller {hardware} answers on the lines of [controllers]; check its power and its cable"
            );
            return Err(Trouble { kind: Kind::Operator, detail, gone: true });
        };
        let is = known.about.borrow().kind;
        if is != kind {
            let detail =
                format!("controller {hardware} is no {kind}, but a {is}; correct the device's section");
            return Err(Trouble { kind: Kind::Technician, detail, gone: false });
        }
        let (told, tells) = mpsc::channel(seat::TOLD);
        if line.try_send(Word::Attach(hardware, told)).is_err() {
            let detail = "the controller's line is busy".to_owned();
            return Err(Trouble { kind: Kind::Retry, detail, gone: true });
        }
        Ok(Seat::new(tells, line, known.about.subscribe()))
    }

    /// The ports that nothing else may be configured for.
    pub(super) fn has_line(&self, port: &std::path::Path) -> bool {
        let same = |line: &PathBuf| {
            // By whichever of its names; one that is not there has only this one.
            let file = |path: &std::path::Path| std::fs::canonicalize(path).ok();
            line == port || file(line).is_some_and(|line| file(port) == Some(line))
        };
        self.lines().iter().any(same)
    }

    /// Those that are there.
    pub(super) fn present(&self) -> Vec<(Hardware, ControllerKind)> {
        let book = self.book();
        let there = book.iter().filter(|(_, known)| known.line.is_some());
        there.map(|(hardware, known)| (*hardware, known.about.borrow().kind)).collect()
    }

    /// What is known of a controller.
    pub(super) fn about(&self, hardware: Hardware) -> Option<About> {
        self.book().get(&hardware).map(|known| known.about.borrow().clone())
    }

    /// The key of a controller.
    fn key(&self, hardware: Hardware) -> Option<ControllerKey> {
        self.0.keys.get(hardware)
    }

    /// Enrols a controller's key.
    pub(super) fn enrol(&self, hardware: Hardware, key: &ControllerKey) -> std::io::Result<()> {
        self.0.keys.put(hardware, key)?;
        if let Some(known) = self.book().get(&hardware) {
            known.about.send_modify(|about| about.key = self.0.keys.state(hardware, about.fingerprint));
        }
        Ok(())
    }

    /// A line has met a controller. Who sits on a seat of another line hears no more of it.
    fn met(&self, identity: &Identity, line: &str, words: mpsc::Sender<Word>) {
        let hardware = Hardware(identity.hardware);
        let fresh = About::new(identity, line, self.0.keys.state(hardware, identity.key));
        let mut book = self.book();
        if book.len() >= MOST && !book.contains_key(&hardware) {
            let gone = book.iter().find(|(_, known)| known.line.is_none() && known.update.is_none());
            let Some(gone) = gone.map(|(gone, _)| *gone) else {
                tracing::warn!(%hardware, line, "more controllers came than any shop has; this one is not served");
                return;
            };
            book.remove(&gone);
        }
        match book.get_mut(&hardware) {
            None => {
                let known = Known { about: watch::Sender::new(fresh), line: Some(words), update: None };
                book.insert(hardware, known);
            }
            Some(known) => {
                let same = known.line.as_ref().is_some_and(|before| before.same_channel(&words));
                if !same && known.line.as_ref().is_some_and(|before| !before.is_closed()) {
                    tracing::warn!(%hardware, line, "the controller is on another line now; if it was not moved, two have one number");
                }
                if !same && let Some(update) = &mut known.update {
                    // What was on its way on the other line is lost.
                    update.interrupted();
                }
                known.line = Some(words);
                known.about.send_modify(|about| {
                    *about = About { tally: about.tally, update: about.update.clone(), ..fresh };
                });
            }
        }
    }

    /// A controller does not answer on this line any more.
    fn left(&self, hardware: Hardware, words: &mpsc::Sender<Word>) {
        if let Some(known) = self.book().get_mut(&hardware)
            && known.line.as_ref().is_some_and(|line| line.same_channel(words))
        {
            known.line = None;
        }
    }

    /// What is known of a controller changes.
    fn change(&self, hardware: Hardware, change: impl FnOnce(&mut About)) {
        if let Some(known) = self.book().get(&hardware) {
            known.about.send_if_modified(|about| {
                let before = about.clone();
                change(about);
                before != *about
            });
        }
    }

    /// How far this stream was accepted, if that is known.
    fn cursor(&self, stream: StreamId) -> Option<Cursor> {
        self.cursors().iter().find(|cursor| cursor.stream == stream).copied()
    }

    /// A stream is accepted so far.
    fn accepted(&self, cursor: Cursor) {
        let mut cursors = self.cursors();
        if cursors.back() == Some(&cursor) {
            return;
        }
        let before = cursors.iter().find(|known| known.stream == cursor.stream).map(|known| known.accepted);
        cursors.retain(|known| known.stream != cursor.stream);
        if cursors.len() >= STREAMS {
            cursors.pop_front();
        }
        let accepted = cursor.accepted.max(before.unwrap_or(0));
        cursors.push_back(Cursor { accepted, ..cursor });
    }

    fn book(&self) -> MutexGuard<'_, BTreeMap<Hardware, Known>> {
        self.0.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lines(&self) -> MutexGuard<'_, Vec<PathBuf>> {
        self.0.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cursors(&self) -> MutexGuard<'_, VecDeque<Cursor>> {
        self.0.cursors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The same for the same message of the same controller, and else never: what follows from a message is done once by it,
/// however often the message comes.
fn name_of(hardware: Hardware, id: pos_link::Id, what: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"controller");
    hash.update(hardware.0);
    hash.update(id.stream.0.to_le_bytes());
    hash.update(id.number.to_le_bytes());
    hash.update(what);
    hash.finalize().into()
}

fn first_half(name: [u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    half.iter_mut().zip(name).for_each(|(to, from)| *to = from);
    half
}
