//! How the virtual printer is reached: one connection after the other, or a line that has no end.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use super::line::VirtualLine;
use super::printer::Shared;

/// A connection on which nothing was said for so long is closed, so that the next client gets its turn.
const IDLE: Duration = Duration::from_secs(90);
/// A line on which nothing was said for so long has nobody at its other end.
const ALONE: Duration = Duration::from_secs(1);
/// The most that is taken at once.
const PORTION: usize = 1024;
/// Asks the other end of a line to wait, and to go on.
const XOFF: u8 = 0x13;
const XON: u8 = 0x11;

/// Serves one connection after the other.
pub(super) async fn listen(listener: TcpListener, shared: Arc<Shared>) {
    let mut changes = shared.version.subscribe();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                // A connection that breaks is the client's affair.
                Ok((stream, _)) => drop(converse(stream, &shared).await),
                // Out of descriptors, most likely: others need time to give some back.
                Err(_) => sleep(Duration::from_millis(100)).await,
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
    let mut buffer = [0; PORTION];
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
        slowly(shared, received).await;
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

/// Serves whoever has the other end of a line.
pub(super) async fn hang_on(line: Arc<VirtualLine>, shared: Arc<Shared>) {
    // A line that is broken stays so.
    let _ = line_up(&line, &shared).await;
}

async fn line_up(line: &VirtualLine, shared: &Shared) -> io::Result<()> {
    let mut changes = shared.version.subscribe();
    let mut buffer = [0; PORTION];
    let (mut dead, mut waits) = (false, false);
    loop {
        let received = tokio::select! {
            count = line.read(&mut buffer) => buffer.get(..count?).unwrap_or_default(),
            changed = changes.changed() => match changed {
                Ok(()) => &[],
                Err(_) => return Ok(()),
            },
            () = sleep(ALONE) => {
                if shared.machine().go_on_alone() {
                    shared.tell();
                }
                continue;
            }
        };
        dead = dead && shared.machine().faults().drop_after.is_some();
        if dead {
            continue;
        }
        slowly(shared, received).await;
        let mut heard = shared.machine().receive(received);
        if heard.changed {
            shared.tell();
        }
        let filling = shared.machine().filling(waits);
        if filling != waits {
            heard.answers.push(if filling { XOFF } else { XON });
            waits = filling;
        }
        line.write_all(&heard.answers).await?;
        dead = heard.hang_up;
    }
}

async fn slowly(shared: &Shared, received: &[u8]) {
    let slow = shared.machine().faults().slow;
    if !slow.is_zero() && !received.is_empty() {
        sleep(slow).await;
    }
}
