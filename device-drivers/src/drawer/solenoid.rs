//! The thread that has the solenoid's [`Coil`] and tells it the time.
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
use std::time::Duration;

use embedded_hal::digital::OutputPin;
use tokio::sync::oneshot;

use super::coil::Coil;
use super::duty::Pulse;
use crate::moment::Moment;

/// Between two attempts to let go of a pin that refuses it.
const AGAIN: Duration = Duration::from_millis(5);

type Reply = oneshot::Sender<Result<(), String>>;

/// A solenoid that may be told to pull. Dropping it lets go.
#[derive(Debug)]
pub(super) struct Solenoid(SyncSender<Reply>);

impl Solenoid {
    /// Takes a pin over and lets it go at first.
    pub(super) fn new<P: OutputPin + Send + 'static>(pin: P, pulse: Pulse) -> io::Result<Self> {
        // One pulse at a time: there is nothing to wait in line for.
        let (commands, waiting) = sync_channel(1);
        thread::Builder::new().name("drawer".into()).spawn(move || drive(Coil::new(pin, pulse), &waiting))?;
        Ok(Self(commands))
    }

    /// Pulls once; the answer comes when it has let go.
    pub(super) async fn pull(&self) -> Result<(), String> {
        let (reply, answer) = oneshot::channel();
        self.0.try_send(reply).map_err(|_| "its thread does not take the command".to_owned())?;
        answer.await.unwrap_or_else(|_| Err("its thread ended".to_owned()))
    }
}

fn drive<P: OutputPin>(mut coil: Coil<P>, commands: &Receiver<Reply>) {
    loop {
        // A pin that could not be let go is tried again until it is.
        let next = match coil.poll_timeout() {
            None => commands.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(_) => commands.recv_timeout(AGAIN),
        };
        let reply = match next {
            Ok(reply) => reply,
            Err(RecvTimeoutError::Timeout) => {
                let _ = coil.handle_timeout(Moment::now());
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let pulled = coil.pull(Moment::now()).and_then(|()| {
            wait(coil.poll_timeout(), commands);
            coil.handle_timeout(Moment::now())
        });
        let _ = reply.send(pulled.map_err(|error| format!("{error:?}")));
    }
}

/// Waits out a pulse; less only when nobody is there any more.
fn wait(end: Option<Moment>, commands: &Receiver<Reply>) {
    while let Some(left) = end.map(|end| end.since(Moment::now())).filter(|left| !left.is_zero()) {
        match commands.recv_timeout(left) {
            // Its rest was over before this late thread had let go.
            Ok(early) => drop(early.send(Err("it is being driven".to_owned()))),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}
