//! A virtual receipt printer: listens on a TCP port or hangs on a serial line, speaks ESC/POS with its real-time status,
//! prints on virtual paper, and fails the way printers fail.
//!
//! Like a printer it serves one connection at a time, works through its receive buffer in order, stops when
//! the paper is out or the cover open while still answering real-time requests, and goes on where it
//! stopped when somebody has seen to it.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::line::VirtualLine;
use super::machine::Machine;
use super::serving;
use crate::paper::Paper;
use crate::printer::profile::Profile;
use crate::printer::status::Status;

/// What is wrong with the printer. The default is a printer in good order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// No paper: it waits, and goes on when there is paper again.
    pub paper_out: bool,
    /// The roll is nearly at its end; it still prints.
    pub paper_near_end: bool,
    /// So many more lines, then the paper is out.
    pub lines_left: Option<u32>,
    /// The cover is open: it waits until it is closed.
    pub cover_open: bool,
    /// The knife is jammed: it waits. When it is cleared, the printer still waits to be told so (`DLE ENQ`).
    pub cutter_jammed: bool,
    /// The drawer on its connector is locked by its key.
    pub drawer_locked: bool,
    /// The knife jams at the next cut.
    pub jams_at_cut: bool,
    /// It prints, but answers nothing.
    pub silent: bool,
    /// It ends the connection after so many bytes of a job. These are printed, what follows is lost. On a line, which has no
    /// end, it hears and says nothing from then on until this is mended.
    pub drop_after: Option<usize>,
    /// It takes so long over each portion that it receives.
    pub slow: Duration,
}

/// A piece of paper that came out of the printer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Counts from 1 since the printer was started.
    pub number: u64,
    /// What stands on it.
    pub paper: Paper,
}

/// The virtual printer. It runs until it is dropped.
#[derive(Debug)]
pub struct VirtualPrinter<Place = SocketAddr> {
    place: Place,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

/// A serial line as the place of a virtual printer.
#[derive(Debug)]
pub struct Plugged(Arc<VirtualLine>);

#[derive(Debug)]
pub(super) struct Shared {
    machine: Mutex<Machine>,
    pub(super) version: watch::Sender<u64>,
}

impl VirtualPrinter {
    /// Starts a printer on this address; port 0 takes a free one. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// If the address cannot be listened on.
    pub async fn start(address: SocketAddr, profile: Profile) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let place = listener.local_addr()?;
        let shared = Shared::new(Machine::new(profile));
        let task = tokio::spawn(serving::listen(listener, Arc::clone(&shared)));
        Ok(Self { place, shared, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.place
    }
}

impl VirtualPrinter<Plugged> {
    /// Plugs a printer in under `name`. It says XOFF when its receive buffer fills, and XON when there is room again; to
    /// who does not listen to that, bytes are lost, as they are on a real line. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When the system has no pseudo-terminal, or the name is taken.
    pub fn plug(name: &Path, profile: Profile) -> io::Result<Self> {
        let line = Arc::new(VirtualLine::plug(name)?);
        let shared = Shared::new(Machine::on_a_line(profile));
        let task = tokio::spawn(serving::hang_on(Arc::clone(&line), Arc::clone(&shared)));
        Ok(Self { place: Plugged(line), shared, task })
    }

    /// Its port.
    pub fn path(&self) -> &Path {
        self.place.0.name()
    }

    /// Bytes that were lost because it had no room for them.
    pub fn overrun(&self) -> u64 {
        self.shared.machine().overrun()
    }
}

impl Drop for Plugged {
    fn drop(&mut self) {
        self.0.unplug();
    }
}

impl<Place> VirtualPrinter<Place> {
    /// Sets what is wrong with it, from now on. A printer that waited goes on if nothing keeps it any more.
    pub fn set_faults(&self, faults: Faults) {
        self.shared.machine().set_faults(faults);
        self.shared.tell();
    }

    /// What is wrong with it; `lines_left` and `paper_out` follow the printing.
    pub fn faults(&self) -> Faults {
        self.shared.machine().faults()
    }

    /// What it would answer to a status request.
    pub fn status(&self) -> Status {
        self.shared.machine().status()
    }

    /// The pieces of paper that came out last, the oldest first.
    pub fn receipts(&self) -> Vec<Arc<Receipt>> {
        self.shared.machine().receipts().cloned().collect()
    }

    /// What is printed but not yet cut off.
    pub fn uncut(&self) -> Paper {
        self.shared.machine().uncut().clone()
    }

    /// How often the drawer was kicked.
    pub fn drawer_kicks(&self) -> u64 {
        self.shared.machine().drawer_kicks()
    }

    /// Whether the drawer is open.
    pub fn drawer_open(&self) -> bool {
        self.shared.machine().drawer_open()
    }

    /// Pushes the drawer shut, or opens it by its key.
    pub fn move_drawer(&self, open: bool) {
        self.shared.machine().move_drawer(open);
        self.shared.tell();
    }

    /// Commands that it did not understand or does not draw.
    pub fn skipped(&self) -> usize {
        self.shared.machine().skipped()
    }

    /// Changes with everything that happens to the printer; to wait for something, look again after each
    /// change.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.version.subscribe()
    }
}

impl<Place> Drop for VirtualPrinter<Place> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn new(machine: Machine) -> Arc<Self> {
        Arc::new(Self { machine: Mutex::new(machine), version: watch::Sender::new(0) })
    }

    /// A panic elsewhere leaves the machine between two bytes at worst, where it can go on.
    pub(super) fn machine(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn tell(&self) {
        self.version.send_modify(|version| *version += 1);
    }
}
