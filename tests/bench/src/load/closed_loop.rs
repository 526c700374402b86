//! The highest rate: every connection sells again as soon as it has its answer.

use super::request::{Baskets, Sales};
use super::response::Replies;
use crate::failure::Failure;
use crate::latency::Latencies;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// One measurement's load.
#[derive(Debug, Clone)]
pub struct Load {
    /// Who is measured, for errors.
    pub name: String,
    /// Where it listens.
    pub address: SocketAddr,
    /// How many connections sell at once.
    pub connections: usize,
    /// Sold, but not counted, before the clock runs.
    pub warm_up: Duration,
    /// How long sales are counted.
    pub measured: Duration,
    /// The seed of baskets and ids; take another for each measurement, so that no id comes twice.
    pub seed: u64,
}

/// What was measured.
#[derive(Debug, Clone)]
pub struct Sold {
    /// Sales whose whole reply came within the measured time.
    pub count: usize,
    /// The same by second.
    pub rate: f64,
    /// From the first byte sent to the last byte read, of the counted sales.
    pub latencies: Latencies,
}

/// Sells for as long as `load` says. Every reply must be a 201.
///
/// # Errors
/// A connection breaks, or a sale is refused.
pub async fn sell(load: &Load, baskets: &Arc<Baskets>) -> Result<Sold, Failure> {
    let mut tills = JoinSet::new();
    let begin = Instant::now() + load.warm_up;
    let end = begin + load.measured;
    for connection in 0..load.connections {
        let sales = Sales::new(Arc::clone(baskets), load.seed, connection);
        tills.spawn(till(load.name.clone(), load.address, sales, begin, end));
    }
    let latencies = join(tills).await?;
    let rate = latencies.len() as f64 / load.measured.as_secs_f64();
    Ok(Sold { count: latencies.len(), rate, latencies })
}

/// Sells exactly `count` sales over `load.connections` connections, as fast as it goes; the times of `load` do not
/// matter. Calls `progress` with the number of sales of each step that is done.
///
/// # Errors
/// As [`sell`].
pub async fn fill(
    load: &Load,
    baskets: &Arc<Baskets>,
    count: usize,
    progress: impl Fn(u64) + Clone + Send + 'static,
) -> Result<(), Failure> {
    const STEP: usize = 50;
    let shares = load.connections.max(1);
    let mut tills = JoinSet::new();
    for connection in 0..shares {
        let share = count / shares + usize::from(connection < count % shares);
        let mut sales = Sales::new(Arc::clone(baskets), load.seed, connection);
        let (name, address, progress) = (load.name.clone(), load.address, progress.clone());
        tills.spawn(async move {
            let mut left = share;
            let mut connection = Connection::open(&name, address).await?;
            while left > 0 {
                let step = left.min(STEP);
                for _ in 0..step {
                    connection.sell(&name, &mut sales).await?;
                }
                left -= step;
                progress(step as u64);
            }
            Ok(Latencies::default())
        });
    }
    join(tills).await.map(drop)
}

async fn till(
    name: String,
    address: SocketAddr,
    mut sales: Sales,
    begin: Instant,
    end: Instant,
) -> Result<Latencies, Failure> {
    let mut latencies = Latencies::default();
    let mut connection = Connection::open(&name, address).await?;
    loop {
        let sent = Instant::now();
        if sent >= end {
            return Ok(latencies);
        }
        connection.sell(&name, &mut sales).await?;
        let answered = Instant::now();
        if answered >= begin && answered < end {
            latencies.record(answered - sent);
        }
    }
}

async fn join(mut tills: JoinSet<Result<Latencies, Failure>>) -> Result<Latencies, Failure> {
    let mut all = Latencies::default();
    while let Some(done) = tills.join_next().await {
        all.merge(done.map_err(|e| Failure::Thread(e.to_string()))??);
    }
    Ok(all)
}

/// One keep-alive connection.
#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    replies: Replies,
}

impl Connection {
    async fn open(name: &str, address: SocketAddr) -> Result<Self, Failure> {
        let broken = |source| Failure::Connection { name: name.to_owned(), source };
        let stream = TcpStream::connect(address).await.map_err(broken)?;
        stream.set_nodelay(true).map_err(broken)?;
        Ok(Self { stream, replies: Replies::default() })
    }

    async fn sell(&mut self, name: &str, sales: &mut Sales) -> Result<(), Failure> {
        let broken = |source| Failure::Connection { name: name.to_owned(), source };
        let reply = self.ask(sales.next_request()).await.map_err(broken)?;
        if reply.status != 201 {
            return Err(refused(name, reply.status, 201, self.replies.body(reply)));
        }
        self.replies.consume(reply);
        Ok(())
    }

    async fn ask(&mut self, request: &[u8]) -> io::Result<super::response::Reply> {
        self.stream.write_all(request).await?;
        loop {
            let read = self.stream.read(self.replies.space()).await?;
            self.replies.advance(read)?;
            if let Some(reply) = self.replies.whole()? {
                return Ok(reply);
            }
        }
    }
}

/// A wrong status as a failure that shows the beginning of the body.
pub(super) fn refused(name: &str, status: u16, expected: u16, body: &[u8]) -> Failure {
    let excerpt = String::from_utf8_lossy(body).chars().take(300).collect();
    Failure::Refused { name: name.to_owned(), status, expected, excerpt }
}
