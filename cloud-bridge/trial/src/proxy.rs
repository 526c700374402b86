//! A link that misbehaves: a TCP proxy on the loopback whose troubles can be changed while it runs.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Pieces on their way in one direction.
const PIECES: usize = 1024;
const PIECE_BYTES: usize = 16 << 10;
/// Between two looks at whether it is to end.
const LOOK: Duration = Duration::from_millis(20);

/// What is wrong with the link.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Trouble {
    /// Nobody gets through.
    pub refused: bool,
    /// Each piece of data comes so much later.
    pub latency: Duration,
    /// Bytes in a second, each way; 0: no limit.
    pub bandwidth: u64,
    /// In how many of 1,000 pieces the connection is cut.
    pub cuts: u16,
    /// All is swallowed, and the connections stay open: the other side has gone without a word.
    pub swallows: bool,
}

/// The proxy; it ends with this value.
pub struct Proxy {
    port: u16,
    link: Arc<Link>,
}

struct Link {
    target: AtomicU64,
    trouble: Mutex<Trouble>,
    /// Which connections are to live: those of older generations are cut.
    generation: AtomicU64,
    ended: AtomicBool,
    dice: AtomicU64,
    passed: AtomicU64,
    connections: AtomicU64,
}

impl Proxy {
    /// To this port of the loopback; its chances are made of the seed.
    ///
    /// # Errors
    /// When there is no port for it.
    pub fn start(target: u16, seed: u64) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let link = Arc::new(Link {
            target: AtomicU64::new(target.into()),
            trouble: Mutex::default(),
            generation: AtomicU64::new(0),
            ended: AtomicBool::new(false),
            dice: AtomicU64::new(seed | 1),
            passed: AtomicU64::new(0),
            connections: AtomicU64::new(0),
        });
        let of = Arc::clone(&link);
        thread::spawn(move || accept(&listener, &of));
        Ok(Self { port, link })
    }

    /// Its port on the loopback.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What is wrong from now on.
    pub fn set(&self, trouble: Trouble) {
        *self.link.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    /// Cuts all connections.
    pub fn cut(&self) {
        self.link.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// Bytes that came through, both ways.
    #[must_use]
    pub fn passed(&self) -> u64 {
        self.link.passed.load(Ordering::SeqCst)
    }

    /// Connections that were made.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.link.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.link.ended.store(true, Ordering::SeqCst);
        self.cut();
        // So that it is accepted, and the thread sees that it is over.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

impl Link {
    fn trouble(&self) -> Trouble {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number below 1,000 (xorshift).
    fn chance(&self) -> u64 {
        let mut dice = self.dice.load(Ordering::SeqCst);
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        self.dice.store(dice, Ordering::SeqCst);
        (dice >> 20) % 1000
    }
}

fn accept(listener: &TcpListener, link: &Arc<Link>) {
    for near in listener.incoming() {
        if link.ended.load(Ordering::SeqCst) {
            return;
        }
        let Ok(near) = near else { continue };
        if link.trouble().refused {
            continue;
        }
        let port = u16::try_from(link.target.load(Ordering::SeqCst)).unwrap_or(0);
        let far = TcpStream::connect_timeout(
            &SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            Duration::from_secs(2),
        );
        let Ok(far) = far else { continue };
        link.connections.fetch_add(1, Ordering::SeqCst);
        let generation = link.generation.load(Ordering::SeqCst);
        let pair = (near.try_clone(), far.try_clone());
        let (Ok(near_out), Ok(far_out)) = pair else { continue };
        for (from, to) in [(near, far_out), (far, near_out)] {
            let (pieces, waiting) = mpsc::sync_channel(PIECES);
            let of = Arc::clone(link);
            let ends = (from.try_clone(), to.try_clone());
            thread::spawn(move || {
                read(from, &of, generation, &pieces);
                // Both ends learn of it, with what was on its way lost.
                for end in [ends.0, ends.1].into_iter().flatten() {
                    let _ = end.shutdown(Shutdown::Both);
                }
            });
            let of = Arc::clone(link);
            thread::spawn(move || write(to, &of, &waiting));
        }
    }
}

fn read(mut from: TcpStream, link: &Link, generation: u64, pieces: &SyncSender<(Instant, Vec<u8>)>) {
    let _ = from.set_read_timeout(Some(LOOK));
    let mut bytes = vec![0; PIECE_BYTES];
    let over = || link.ended.load(Ordering::SeqCst) || link.generation.load(Ordering::SeqCst) != generation;
    while !over() {
        let read = match from.read(&mut bytes) {
            Ok(0) => return,
            Ok(read) => read,
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                continue;
            }
            Err(_) => return,
        };
        let trouble = link.trouble();
        if trouble.swallows {
            continue;
        }
        if link.chance() < trouble.cuts.into() {
            return;
        }
        let piece = bytes.get(..read).unwrap_or_default().to_vec();
        if pieces.send((Instant::now() + trouble.latency, piece)).is_err() {
            return;
        }
    }
}

fn write(mut to: TcpStream, link: &Link, pieces: &Receiver<(Instant, Vec<u8>)>) {
    for (due, piece) in pieces {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let trouble = link.trouble();
        let micros = (piece.len() as u64 * 1_000_000).checked_div(trouble.bandwidth);
        thread::sleep(Duration::from_micros(micros.unwrap_or(0)));
        if to.write_all(&piece).is_err() {
            return;
        }
        link.passed.fetch_add(piece.len() as u64, Ordering::SeqCst);
    }
}
