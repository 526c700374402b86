//! A virtual receipt printer: listens on a TCP port, speaks ESC/POS with its real-time status, prints on
//! virtual paper, and fails the way printers fail.
//!
//! Like a printer it serves one connection at a time, works through its receive buffer in order, stops when
//! the paper is out or the cover open while still answering real-time requests, and goes on where it
//! stopped when somebody has seen to it.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::machine::Machine;
use crate::paper::Paper;
use crate::printer::profile::Profile;
use crate::printer::status::Status;

/// A connection on which nothing was said for so long is closed, so that the next client gets its turn.
const IDLE: Duration = Duration::from_secs(90);

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
    /// The knife is jammed: it waits.
    pub cutter_jammed: bool,
    /// The drawer on its connector is locked by its key.
    pub drawer_locked: bool,
    /// It prints, but answers nothing.
    pub silent: bool,
    /// It ends the connection after so many bytes of a job. These are printed, what follows is lost.
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
pub struct VirtualPrinter {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    machine: Mutex<Machine>,
    version: watch::Sender<u64>,
}

impl VirtualPrinter {
    /// Starts a printer on this address; port 0 takes a free one. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// If the address cannot be listened on.
    pub async fn start(address: SocketAddr, profile: Profile) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let shared =
            Arc::new(Shared { machine: Mutex::new(Machine::new(profile)), version: watch::Sender::new(0) });
        let task = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

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

impl Drop for VirtualPrinter {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    /// A panic elsewhere leaves the machine between two bytes at worst, where it can go on.
    fn machine(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self) {
        self.version.send_modify(|version| *version += 1);
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut changes = shared.version.subscribe();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                // A connection that breaks is the client's affair.
                Ok((stream, _)) => drop(converse(stream, &shared).await),
                // Out of descriptors, most likely: others need time to give some back.
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            },
            changed = changes.changed() => if changed.is_err() { return },
        }
        if shared.machine().go_on_alone() {
            shared.tell();
        }
    }
}

async fn converse(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    let mut changes = shared.version.subscribe();
    let mut buffer = [0; 1024];
    loop {
        let room = shared.machine().room().min(buffer.len());
        let portion = buffer.get_mut(..room).unwrap_or_default();
        let received = if portion.is_empty() {
            // The receive buffer is full: like a printer, take nothing until somebody has seen to it.
            if changes.changed().await.is_err() {
                return Ok(());
            }
            &[]
        } else {
            tokio::select! {
                count = timeout(IDLE, stream.read(portion)) => match count?? {
                    0 => return Ok(()),
                    count => portion.get(..count).unwrap_or_default(),
                },
                changed = changes.changed() => match changed {
                    Ok(()) => &[],
                    Err(_) => return Ok(()),
                },
            }
        };
        let slow = shared.machine().faults().slow;
        if !slow.is_zero() && !received.is_empty() {
            tokio::time::sleep(slow).await;
        }
        let heard = shared.machine().receive(received);
        if heard.changed {
            shared.tell();
        }
        stream.write_all(&heard.answers).await?;
        if heard.hang_up {
            return Ok(());
        }
    }
}
