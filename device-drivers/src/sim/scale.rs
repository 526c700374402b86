//! A virtual scale: whoever holds it puts weights on it, and it speaks like a real one over a line of its own.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::line::VirtualLine;
use crate::scale::proto::Talk;

/// What it can bear, in thousandths of its unit.
const CAPACITY: i64 = 15_000;
/// Between two frames of a scale that talks by itself.
const TALK_EVERY: Duration = Duration::from_millis(50);

/// What can be wrong with it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ScaleFaults {
    /// Says nothing.
    pub silent: bool,
    /// Says what makes no sense.
    pub garbage: bool,
    /// Says only the first half of each frame.
    pub half: bool,
    /// Takes so long before it says something.
    pub slow: Duration,
}

/// A virtual scale. Dropping it unplugs it. One that talks by itself weighs in kilograms.
#[derive(Debug)]
pub struct VirtualScale {
    line: Arc<VirtualLine>,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    talk: Talk,
    state: Mutex<State>,
    version: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    /// What lies on it, in thousandths of its unit.
    load: i64,
    /// What it takes for nothing.
    zero: i64,
    moving: bool,
    faults: ScaleFaults,
}

impl VirtualScale {
    /// Plugs an empty scale in under `name`. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When the system has no pseudo-terminal, or the name is taken.
    pub fn plug(name: &Path, talk: Talk) -> io::Result<Self> {
        let line = Arc::new(VirtualLine::plug(name)?);
        let shared =
            Arc::new(Shared { talk, state: Mutex::new(State::default()), version: watch::Sender::new(0) });
        let task = tokio::spawn(serve(Arc::clone(&line), Arc::clone(&shared)));
        Ok(Self { line, shared, task })
    }

    /// Its port.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.line.name()
    }

    /// Puts goods on it that weigh so many thousandths of its unit, in place of what was on it, and lets it rest.
    pub fn put(&self, thousandths: i64) {
        self.set(thousandths, true);
    }

    /// The same; while it is not `settled` it moves.
    pub fn set(&self, thousandths: i64, settled: bool) {
        let mut state = self.shared.state();
        (state.load, state.moving) = (thousandths, !settled);
        drop(state);
        self.shared.tell();
    }

    /// What it shows, in thousandths of its unit: what lies on it, less what was on it when it was zeroed.
    #[must_use]
    pub fn shown(&self) -> i64 {
        self.shared.state().shown()
    }

    /// Sets what is wrong with it, from now on.
    pub fn set_faults(&self, faults: ScaleFaults) {
        self.shared.state().faults = faults;
        self.shared.tell();
    }

    /// What is wrong with it.
    #[must_use]
    pub fn faults(&self) -> ScaleFaults {
        self.shared.state().faults
    }

    /// Changes with everything that happens to the scale.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.version.subscribe()
    }
}

impl Drop for VirtualScale {
    fn drop(&mut self) {
        self.line.unplug();
        self.task.abort();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self) {
        self.version.send_modify(|version| *version += 1);
    }

    /// What it says now.
    fn frame(&self) -> Vec<u8> {
        let state = self.state();
        if state.faults.silent {
            return Vec::new();
        }
        if state.faults.garbage {
            return b"\x02?!\xfe\x00\r\x02\x02\x7f\r".to_vec();
        }
        let mut frame = match self.talk {
            Talk::Polled { places, .. } => state.polled(places),
            Talk::Continuous => state.continuous(),
        };
        if state.faults.half {
            frame.truncate(frame.len() / 2);
        }
        frame
    }

    fn zero(&self) {
        let mut state = self.state();
        if !state.moving && !state.faults.silent {
            state.zero = state.load;
        }
        drop(state);
        self.tell();
    }
}

impl State {
    fn shown(&self) -> i64 {
        self.load.saturating_sub(self.zero)
    }

    fn polled(&self, places: u8) -> Vec<u8> {
        let shown = self.shown();
        let status = match shown {
            _ if self.moving => 0x41,
            ..0 => 0x44,
            _ if shown > CAPACITY => 0x42,
            _ => {
                let cut_off = 10_i64.pow(3 - u32::from(places.min(3)));
                return format!("\x02{:05}\r", shown / cut_off).into_bytes();
            }
        };
        vec![0x02, b'?', status, b'\r']
    }

    fn continuous(&self) -> Vec<u8> {
        let shown = self.shown();
        let over = shown.abs() > CAPACITY;
        let bits = [(shown < 0, 0x02), (over, 0x04), (self.moving, 0x08)];
        let b = bits.iter().filter(|(on, _)| *on).fold(0x30, |b, (_, bit)| b | bit);
        let digits = if over { 0 } else { shown.abs() };
        [&[0x02, 0x25, b, 0x20], format!("{digits:6}000000\r").as_bytes()].concat()
    }
}

async fn serve(line: Arc<VirtualLine>, shared: Arc<Shared>) {
    // A line that is broken stays so.
    let _ = match shared.talk {
        Talk::Polled { .. } => answer(&line, &shared).await,
        Talk::Continuous => tokio::select! {
            ended = answer(&line, &shared) => ended,
            ended = talk(&line, &shared) => ended,
        },
    };
}

async fn answer(line: &VirtualLine, shared: &Shared) -> io::Result<()> {
    let mut buffer = [0; 64];
    loop {
        let count = line.read(&mut buffer).await?;
        for byte in buffer.get(..count).unwrap_or_default() {
            if [*byte] == *shared.talk.zero() {
                shared.zero();
            } else if [*byte] == *shared.talk.ask() {
                let slow = shared.state().faults.slow;
                sleep(slow).await;
                line.write_all(&shared.frame()).await?;
            }
        }
    }
}

async fn talk(line: &VirtualLine, shared: &Shared) -> io::Result<()> {
    loop {
        let slow = shared.state().faults.slow;
        sleep(TALK_EVERY + slow).await;
        line.offer(&shared.frame()).await?;
    }
}
