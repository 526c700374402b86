//! How long a scan takes from the wire to a client of the event stream, beside the scanner's driver alone.

use super::{Floor, Plan, Spread, counted};
use crate::contestant::Daemon;
use crate::failure::Failure;
use crate::latency::Latencies;
use crate::progress::Progress;
use crate::quiet::Watch;
use device_drivers::{SerialScanner, VirtualScanner};
use serde::Serialize;
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval_at, timeout};

/// Scanners that are used at once.
const SCANNERS: usize = 8;

/// Scans of each in a second.
const PER_SECOND: u32 = 10;

/// Nothing here takes nearly so long.
const PATIENCE: Duration = Duration::from_secs(20);

const NAME: &str = "edge-daemon";

/// The measured scans.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScanFigures {
    /// Products in the catalogue.
    pub products: usize,
    /// Scans of all rounds that were counted.
    pub scans: usize,
    /// p50 from the wire to the event with its product, in microseconds.
    pub p50: Spread,
    /// p99 of the same.
    pub p99: Spread,
    /// p99 of the driver alone, in this process, in microseconds.
    pub driver_p99: Spread,
    /// Whether the figures are of quiet rounds only; otherwise other programs have disturbed them.
    pub quiet: bool,
}

/// When the scans that are on their way were sent: first in, first out, for each scanner.
type Sent = Arc<Mutex<Vec<VecDeque<Instant>>>>;

struct Round {
    driver: Latencies,
    event: Latencies,
    others: f64,
}

/// Measures scans; `None` where the run has no daemon.
///
/// # Errors
/// The daemon does not start, loses a scan, or finds no product for one.
pub async fn measure(plan: &Plan) -> Result<Option<ScanFigures>, Failure> {
    let Some(daemon) = Daemon::fresh(&plan.place, "scans-daemon")? else { return Ok(None) };
    let ports = plan.place.fresh("scans-ports")?;
    let paths: Vec<PathBuf> = (0..SCANNERS).map(|number| ports.join(number.to_string())).collect();
    let broken = |source| Failure::File { action: "plug a scanner in at", path: ports.clone(), source };
    let plugged: Result<Vec<_>, _> = paths.iter().map(|path| VirtualScanner::plug(path)).collect();
    let mut scanners = plugged.map_err(broken)?;
    let codes: Arc<Vec<String>> =
        Arc::new(plan.products.iter().map(|product| product.barcode.clone()).collect());

    let mut progress = Progress::new("scans", plan.rounds);
    let mut driven = Vec::new();
    for _ in 0..plan.rounds {
        let (sink, heard) = mpsc::unbounded_channel();
        let readers: Vec<_> = paths
            .iter()
            .cloned()
            .enumerate()
            .map(|(at, path)| tokio::spawn(drive(at, path, sink.clone())))
            .collect();
        let latencies = scan(plan, &mut scanners, &codes, heard).await;
        readers.iter().for_each(tokio::task::JoinHandle::abort);
        for reader in readers {
            let _ = reader.await;
        }
        driven.push(latencies?);
    }
    daemon.import_catalogue()?;
    let (contestant, _) = daemon.start_with(&scanner_sections(&paths))?;
    let mut rounds = Vec::new();
    for (number, driver) in driven.into_iter().enumerate() {
        let watch = Watch::begin();
        let (sink, heard) = mpsc::unbounded_channel();
        let follower = Follower::connect(contestant.address(), SCANNERS).await?;
        let following = tokio::spawn(follower.follow(sink));
        let event = scan(plan, &mut scanners, &codes, heard).await;
        following.abort();
        let event = event?;
        progress.step(&format!("round {}: {} scans", number + 1, event.len()));
        rounds.push(Round { driver, event, others: watch.share() });
    }
    progress.finish();
    contestant.stop()?;
    Ok(ScanFigures::of(plan.products.len(), &rounds))
}

/// The configuration of the scanners.
fn scanner_sections(paths: &[PathBuf]) -> String {
    let section = |(number, path): (usize, &PathBuf)| {
        format!("[[scanner]]\nid = \"s{number}\"\nport = \"serial:{}\"\n\n", path.display())
    };
    paths.iter().enumerate().map(section).collect()
}

/// Reads one scanner by its driver alone and tells when each scan came out.
async fn drive(number: usize, path: PathBuf, heard: mpsc::UnboundedSender<usize>) -> Result<(), Failure> {
    let opened = SerialScanner::new(path).open();
    let mut scanner = opened.map_err(|fault| Failure::Thread(fault.to_string()))?;
    while scanner.next().await.is_ok() {
        if heard.send(number).is_err() {
            break;
        }
    }
    Ok(())
}

/// Scans with all scanners for a turn, and measures until each scan was heard.
async fn scan(
    plan: &Plan,
    scanners: &mut Vec<VirtualScanner>,
    codes: &Arc<Vec<String>>,
    mut heard: mpsc::UnboundedReceiver<usize>,
) -> Result<Latencies, Failure> {
    let sent: Sent = Arc::new(Mutex::new(vec![VecDeque::new(); scanners.len()]));
    let count = (plan.turn.as_secs_f64() * f64::from(PER_SECOND)) as usize;
    let all = count * scanners.len();
    let period = Duration::from_secs(1) / PER_SECOND;
    // The readers open their ports.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut hands = JoinSet::new();
    for (number, mut scanner) in std::mem::take(scanners).into_iter().enumerate() {
        let (sent, codes) = (Arc::clone(&sent), Arc::clone(codes));
        let begin = tokio::time::Instant::now() + period * number as u32 / SCANNERS as u32;
        hands.spawn(async move {
            let mut tick = interval_at(begin, period);
            tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
            for at in 0..count {
                tick.tick().await;
                let code = codes.get((at * SCANNERS + number) % codes.len().max(1));
                note(&sent, number);
                scanner.scan(code.map_or("", String::as_str)).await?;
            }
            Ok::<_, io::Error>((number, scanner))
        });
    }
    let listening = async {
        let mut latencies = Latencies::default();
        while latencies.len() < all {
            let number = timeout(PATIENCE, heard.recv()).await.ok().flatten();
            let number = number.ok_or_else(|| Failure::Thread("a scan was never heard".to_owned()))?;
            let mut sent = sent.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(at) = sent.get_mut(number).and_then(VecDeque::pop_front) {
                latencies.record(at.elapsed());
            }
        }
        Ok(latencies)
    };
    let latencies = listening.await?;
    let mut back = Vec::new();
    while let Some(hand) = hands.join_next().await {
        let hand = hand.map_err(|error| Failure::Thread(error.to_string()))?;
        back.push(
            hand.map_err(|source| Failure::Connection { name: "a virtual scanner".to_owned(), source })?,
        );
    }
    back.sort_by_key(|(number, _)| *number);
    *scanners = back.into_iter().map(|(_, scanner)| scanner).collect();
    Ok(latencies)
}

fn note(sent: &Sent, number: usize) {
    let mut sent = sent.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(sent) = sent.get_mut(number) {
        sent.push_back(Instant::now());
    }
}

/// A client of the event stream.
struct Follower {
    stream: BufReader<TcpStream>,
}

impl Follower {
    /// Connects, and waits until every scanner is ready.
    async fn connect(address: SocketAddr, scanners: usize) -> Result<Self, Failure> {
        let failed = |source| Failure::Connection { name: NAME.to_owned(), source };
        let asked = Instant::now();
        loop {
            let mut connection = crate::load::open_loop::Connection::open(NAME, address)?;
            let body = connection.ask(NAME, &crate::load::request::get("/api/v1/devices"), 200)?;
            let ready = String::from_utf8_lossy(&body).matches("\"state\":\"ready\"").count();
            if ready == scanners {
                break;
            }
            if asked.elapsed() > PATIENCE {
                return Err(Failure::Thread(format!("{ready} of {scanners} scanners are ready")));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let mut stream = TcpStream::connect(address).await.map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        let request = format!("GET /api/v1/events HTTP/1.1\r\nHost: {address}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.map_err(failed)?;
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        // The stream begins with the event `ready`.
        while line.trim() != "event: ready" {
            line.clear();
            let read = timeout(PATIENCE, stream.read_line(&mut line)).await;
            if read.map_err(|_| failed(io::ErrorKind::TimedOut.into()))?.map_err(failed)? == 0 {
                return Err(failed(io::ErrorKind::UnexpectedEof.into()));
            }
        }
        Ok(Self { stream })
    }

    /// Tells of each scan that came with its product, by its scanner.
    async fn follow(mut self, heard: mpsc::UnboundedSender<usize>) {
        let (mut line, mut is_scan) = (String::new(), false);
        loop {
            line.clear();
            match self.stream.read_line(&mut line).await {
                Ok(count) if count > 0 => {}
                _ => return,
            }
            if let Some(event) = line.strip_prefix("event: ") {
                is_scan = event.trim() == "scan";
            } else if let Some(data) = line.strip_prefix("data: ").filter(|_| is_scan) {
                let Ok(scan) = serde_json::from_str::<serde_json::Value>(data) else { continue };
                let number = scan.get("deviceId").and_then(|id| id.as_str()?.strip_prefix('s')?.parse().ok());
                // A scan without its product is not what is asked for; it is missed at the end.
                let found = scan.get("product").is_some_and(serde_json::Value::is_object);
                if let Some(number) = number.filter(|_| found)
                    && heard.send(number).is_err()
                {
                    return;
                }
            }
        }
    }
}

impl ScanFigures {
    fn of(products: usize, rounds: &[Round]) -> Option<Self> {
        let shares: Vec<f64> = rounds.iter().map(|round| round.others).collect();
        let (chosen, quiet) = counted(&shares);
        let chosen: Vec<_> = chosen.iter().filter_map(|&at| rounds.get(at)).collect();
        let of = |latencies: &Latencies| latencies.clone().percentiles();
        let point = |value: u32| f64::from(value);
        Some(Self {
            products,
            scans: chosen.iter().map(|round| round.event.len()).sum(),
            p50: Spread::of(chosen.iter().filter_map(|round| Some(point(of(&round.event)?.p50))))?,
            p99: Spread::of(chosen.iter().filter_map(|round| Some(point(of(&round.event)?.p99))))?,
            driver_p99: Spread::of(chosen.iter().filter_map(|round| Some(point(of(&round.driver)?.p99))))?,
            quiet,
        })
    }

    /// What the daemon must reach.
    pub fn floor(&self) -> Floor {
        Floor {
            what: format!(
                "p99 of a scan from the wire to its event, {SCANNERS} scanners at {PER_SECOND}/s, in ms"
            ),
            measured: self.p99.median / 1000.0,
            bound: 5.0,
            at_least: false,
            quiet: self.quiet,
        }
    }
}
