//! Latency under a given load: requests are due at fixed times, and a late answer does not delay the next due time.
//!
//! A client that waits for its answer before it asks again is kept from asking while the server stalls, and so measures
//! the stall once instead of once per request that fell into it. Here a latency counts from when the request
//! was due. Each client is a thread of its own that sleeps until then: the system wakes it within some tens
//! of microseconds, where an asynchronous timer rounds up to whole milliseconds.

use super::closed_loop::refused;
use super::request::Sales;
use super::response::{Replies, Reply};
use crate::failure::Failure;
use crate::latency::Latencies;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long an answer may take before the run is given up.
const PATIENCE: Duration = Duration::from_secs(30);

/// The due times of one client: `first`, and then one every `period`, before `end`.
#[derive(Debug, Clone)]
pub struct Schedule {
    next: Duration,
    period: Duration,
    end: Duration,
}

impl Schedule {
    /// The due times of client `index` of `clients`, each of them asking `per_second` times a second, spread
    /// evenly so that all together ask at even distances. Times count from the start of the measurement.
    pub fn of_client(index: usize, clients: usize, per_second: u32, length: Duration) -> Self {
        let period = Duration::from_secs(1) / per_second.max(1);
        let clients = u32::try_from(clients.max(1)).unwrap_or(u32::MAX);
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        Self { next: period * index / clients, period, end: length }
    }
}

impl Iterator for Schedule {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let due = self.next;
        self.next += self.period;
        (due < self.end).then_some(due)
    }
}

/// Asks `path_of(n)` for GET, n counting the requests of all clients, and returns the latencies from when each was due.
/// Blocks for `length`.
///
/// # Errors
/// A connection breaks, or an answer is not 200.
pub fn ask(
    name: &str,
    address: SocketAddr,
    clients: usize,
    per_second: u32,
    length: Duration,
    request_of: impl Fn(usize) -> Vec<u8> + Sync,
) -> Result<Latencies, Failure> {
    let all = Mutex::new(Latencies::default());
    // All connections stand before the first request is due.
    let mut connections = Vec::with_capacity(clients);
    for _ in 0..clients {
        connections.push(Connection::open(name, address)?);
    }
    let start = Instant::now();
    let client = |index: usize, mut connection: Connection| -> Result<(), Failure> {
        let mut latencies = Latencies::default();
        for (turn, due) in Schedule::of_client(index, clients, per_second, length).enumerate() {
            let request = request_of(turn * clients + index);
            let due = start + due;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            connection.ask(name, &request, 200)?;
            latencies.record(due.elapsed());
        }
        all.lock().unwrap_or_else(PoisonError::into_inner).merge(latencies);
        Ok(())
    };
    thread::scope(|scope| {
        let client = &client;
        let running: Vec<_> = (connections.into_iter().enumerate())
            .map(|(index, connection)| scope.spawn(move || client(index, connection)))
            .collect();
        running.into_iter().try_for_each(joined)
    })?;
    Ok(all.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn joined<T>(thread: thread::ScopedJoinHandle<'_, Result<T, Failure>>) -> Result<T, Failure> {
    thread.join().unwrap_or_else(|_| Err(Failure::Thread("a client panicked".to_owned())))
}

/// Sales at a fixed rate in the background, until it is dropped or [`BackgroundSales::stop`]ped.
#[derive(Debug)]
pub struct BackgroundSales {
    stop: Arc<AtomicBool>,
    tills: Vec<thread::JoinHandle<Result<usize, Failure>>>,
}

impl BackgroundSales {
    /// Starts selling `per_second` sales a second, from one till per element of `sales`.
    ///
    /// # Errors
    /// A connection cannot be made.
    pub fn start(
        name: &str,
        address: SocketAddr,
        sales: Vec<Sales>,
        per_second: u32,
    ) -> Result<Self, Failure> {
        let stop = Arc::new(AtomicBool::new(false));
        let mut background = Self { stop: Arc::clone(&stop), tills: Vec::new() };
        let period =
            Duration::from_secs(1) * u32::try_from(sales.len().max(1)).unwrap_or(1) / per_second.max(1);
        let start = Instant::now();
        let count = u32::try_from(sales.len()).unwrap_or(1);
        for (index, mut sales) in (0..).zip(sales) {
            let mut connection = Connection::open(name, address)?;
            let (name, stop) = (name.to_owned(), Arc::clone(&stop));
            let mut due = start + period * index / count;
            background.tills.push(thread::spawn(move || {
                let mut sold = 0;
                while !stop.load(Ordering::Relaxed) {
                    thread::sleep(due.saturating_duration_since(Instant::now()));
                    connection.ask(&name, sales.next_request(), 201)?;
                    due += period;
                    sold += 1;
                }
                Ok(sold)
            }));
        }
        Ok(background)
    }

    /// Stops selling and says how many sales there were.
    ///
    /// # Errors
    /// A sale was refused or a connection broke.
    pub fn stop(mut self) -> Result<usize, Failure> {
        self.stop.store(true, Ordering::Relaxed);
        let mut sold = 0;
        for till in self.tills.drain(..) {
            sold += till.join().unwrap_or_else(|_| Err(Failure::Thread("a till panicked".to_owned())))?;
        }
        Ok(sold)
    }
}

impl Drop for BackgroundSales {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// One keep-alive connection of a thread that waits.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    replies: Replies,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// Nobody listens there.
    pub fn open(name: &str, address: SocketAddr) -> Result<Self, Failure> {
        let broken = |source| Failure::Connection { name: name.to_owned(), source };
        let stream = TcpStream::connect(address).map_err(broken)?;
        stream.set_nodelay(true).map_err(broken)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(broken)?;
        Ok(Self { stream, replies: Replies::default() })
    }

    /// Sends a request, reads the whole answer and returns its body.
    ///
    /// # Errors
    /// The connection breaks, or the answer's status is not `expected`.
    pub fn ask(&mut self, name: &str, request: &[u8], expected: u16) -> Result<Vec<u8>, Failure> {
        let broken = |source| Failure::Connection { name: name.to_owned(), source };
        let reply = self.exchange(request).map_err(broken)?;
        let body = self.replies.body(reply).to_vec();
        self.replies.consume(reply);
        if reply.status != expected {
            return Err(refused(name, reply.status, expected, &body));
        }
        Ok(body)
    }

    fn exchange(&mut self, request: &[u8]) -> io::Result<Reply> {
        self.stream.write_all(request)?;
        loop {
            let read = self.stream.read(self.replies.space())?;
            self.replies.advance(read)?;
            if let Some(reply) = self.replies.whole()? {
                return Ok(reply);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead as _, BufReader};
    use std::net::TcpListener;

    #[test]
    fn all_clients_together_ask_at_even_distances() {
        let second = Duration::from_secs(1);
        let mut due: Vec<_> = (0..64).flat_map(|c| Schedule::of_client(c, 64, 10, 2 * second)).collect();
        due.sort_unstable();
        assert_eq!(due.len(), 64 * 10 * 2);
        assert_eq!(due[0], Duration::ZERO);
        assert!(due.iter().all(|&at| at < 2 * second));
        let even = second / 640;
        assert!(due.windows(2).all(|pair| (pair[1] - pair[0]).abs_diff(even) < Duration::from_micros(1)));
    }

    #[test]
    fn a_stall_is_charged_to_every_request_that_was_due_in_it() {
        // The server answers at once, but for one answer that it holds back until eight more are due.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stall = Duration::from_millis(90);
        let server = thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let mut answered = 0;
            while let Some(Ok(line)) = lines.next() {
                if line.is_empty() {
                    if answered == 5 {
                        thread::sleep(stall);
                    }
                    answered += 1;
                    (&stream).write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").unwrap();
                }
            }
            answered
        });
        let latencies =
            ask("test", address, 1, 100, Duration::from_millis(300), |_| super::super::request::get("/"))
                .unwrap();
        assert_eq!(server.join().unwrap(), 30);
        assert_eq!(latencies.len(), 30);
        // A closed loop would have seen one slow answer; here about nine were late: 90, 80, 70 … 10 ms.
        let slow = latencies.distribution(&[750]);
        assert!(
            slow[0].1 > 5_000,
            "three of four were within {} µs although a third was due in a stall",
            slow[0].1
        );
    }
}
