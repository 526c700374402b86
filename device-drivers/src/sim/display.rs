//! A virtual customer display on a line of its own: shows what a real one would.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::line::VirtualLine;
use super::screen::Screen;
use crate::display::proto::Dialect;

/// A virtual display. Dropping it unplugs it.
#[derive(Debug)]
pub struct VirtualDisplay {
    line: Arc<VirtualLine>,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    screen: Mutex<Screen>,
    version: watch::Sender<u64>,
}

impl VirtualDisplay {
    /// Plugs a display in under `name`. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When the system has no pseudo-terminal, or the name is taken.
    pub fn plug(name: &Path, dialect: Dialect) -> io::Result<Self> {
        let line = Arc::new(VirtualLine::plug(name)?);
        let screen = Mutex::new(Screen::new(dialect));
        let shared = Arc::new(Shared { screen, version: watch::Sender::new(0) });
        let task = tokio::spawn(serve(Arc::clone(&line), Arc::clone(&shared)));
        Ok(Self { line, shared, task })
    }

    /// Its port.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.line.name()
    }

    /// What it shows, blanks and all.
    #[must_use]
    pub fn lines(&self) -> [String; 2] {
        self.shared.screen().lines()
    }

    /// Bytes that it did not understand.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.shared.screen().refused()
    }

    /// Changes with everything that it is sent; to wait for something, look again after each change.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.version.subscribe()
    }

    /// From now on it takes no bytes, or takes them again.
    ///
    /// # Errors
    /// When the system cannot hold the line.
    pub fn set_stuck(&self, stuck: bool) -> io::Result<()> {
        self.line.hold(stuck)
    }
}

impl Drop for VirtualDisplay {
    fn drop(&mut self) {
        self.line.unplug();
        self.task.abort();
    }
}

impl Shared {
    fn screen(&self) -> MutexGuard<'_, Screen> {
        self.screen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn serve(line: Arc<VirtualLine>, shared: Arc<Shared>) {
    let mut buffer = [0; 256];
    // A line that is broken stays so.
    while let Ok(count) = line.read(&mut buffer).await {
        let mut screen = shared.screen();
        buffer.get(..count).unwrap_or_default().iter().for_each(|byte| screen.take(*byte));
        drop(screen);
        shared.version.send_modify(|version| *version += 1);
    }
}
