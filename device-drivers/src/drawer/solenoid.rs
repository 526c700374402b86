//! The solenoid's pin, and the thread that drives it.
//!
//! A pulse is timed by this thread and by nothing else, so it is honest to say what that is worth. The pin is let go when
//! the time is over, when the drawer is dropped, and when the thread panics. It is let go *late* by as much as the system
//! lets a sleeping thread wait: a few milliseconds as a rule, more under heavy load. If the process is killed within the
//! pulse, the kernel takes the line back, and what level it has then is the chip's affair; if the whole machine stops, it
//! stays driven. So the circuit must bear that: a driver stage that ends a pulse by itself (a monostable, or a capacitor in
//! front of the transistor), or a drawer controller, belongs before any solenoid that does not.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use embedded_hal::digital::{OutputPin, PinState};
use tokio::sync::oneshot;

use super::duty::Pulse;

type Reply = oneshot::Sender<Result<(), String>>;

/// A solenoid that may be told to pull. Dropping it lets go.
#[derive(Debug)]
pub(super) struct Solenoid(SyncSender<Reply>);

impl Solenoid {
    /// Takes a pin over and lets it go at first.
    pub(super) fn new<P: OutputPin + Send + 'static>(pin: P, pulse: Pulse) -> io::Result<Self> {
        // One pulse at a time: there is nothing to wait in line for.
        let (commands, waiting) = sync_channel(1);
        thread::Builder::new()
            .name("drawer".into())
            .spawn(move || drive(LetGo { pin, active_low: pulse.active_low }, pulse, &waiting))?;
        Ok(Self(commands))
    }

    /// Pulls once; the answer comes when it has let go.
    pub(super) async fn pull(&self) -> Result<(), String> {
        let (reply, answer) = oneshot::channel();
        self.0.try_send(reply).map_err(|_| "its thread does not take the command".to_owned())?;
        answer.await.unwrap_or_else(|_| Err("its thread ended".to_owned()))
    }
}

fn drive<P: OutputPin>(mut pin: LetGo<P>, pulse: Pulse, commands: &Receiver<Reply>) {
    // Whatever level it had before.
    let mut broken = pin.set(false).err();
    while let Ok(reply) = commands.recv() {
        let pulled = match broken.take() {
            Some(reason) => Err(reason),
            None => pin.set(true).and_then(|()| {
                wait(pulse.on(), commands);
                pin.set(false)
            }),
        };
        let _ = reply.send(pulled);
    }
}

/// Waits out a pulse; less only when nobody is there any more.
fn wait(on: Duration, commands: &Receiver<Reply>) {
    let end = Instant::now() + on;
    while let Some(left) = end.checked_duration_since(Instant::now()) {
        match commands.recv_timeout(left) {
            // Its rest was over before this late thread had let go.
            Ok(early) => drop(early.send(Err("it is being driven".to_owned()))),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// A pin that is let go when it is dropped, whatever the reason.
struct LetGo<P: OutputPin> {
    pin: P,
    active_low: bool,
}

impl<P: OutputPin> LetGo<P> {
    fn set(&mut self, driven: bool) -> Result<(), String> {
        let level = PinState::from(driven != self.active_low);
        self.pin.set_state(level).map_err(|error| format!("{error:?}"))
    }
}

impl<P: OutputPin> Drop for LetGo<P> {
    fn drop(&mut self) {
        // Nobody is left to hear of a failure.
        let _ = self.set(false);
    }
}
