//! Durable sales a second through HTTP, beside what the disk alone allows.

use super::{Entrant, Floor, Plan, Spread, Started, counted, rest};
use crate::contestant::{Contestant, Daemon, Space, append};
use crate::failure::Failure;
use crate::latency::Latencies;
use crate::load::closed_loop::{self, Load};
use crate::process::processor_time;
use crate::progress::Progress;
use crate::quiet::{MAX_SHARE, Watch};
use serde::Serialize;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Space that is zeroed before the preallocated raw appends, in bytes: a journal segment.
const RAW_ROOM: u64 = 64 << 20;

/// Sales before the first turn, to fill caches and to learn what a sale costs on disk.
const FIRST_SALES: usize = 2000;

/// The measured sales.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SalesFigures {
    /// Bytes of a raw append: what the daemon writes for a sale, where it took part.
    pub record_bytes: usize,
    /// Whether the daemon said so; otherwise it is what the command line says.
    pub record_bytes_measured: bool,
    /// One for each contestant and number of connections.
    pub rows: Vec<SalesRow>,
}

/// One contestant at one number of connections.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SalesRow {
    /// Its name.
    pub name: String,
    /// Who it is.
    pub entrant: Entrant,
    /// Connections that sold at once; raw appends have one writer.
    pub connections: usize,
    /// Sales a second.
    pub rate: Spread,
    /// Median latency in microseconds.
    pub p50: Spread,
    /// 99th percentile in microseconds.
    pub p99: Spread,
    /// Processor time of the contestant for a sale, in microseconds.
    pub server_micros: Option<f64>,
    /// Processor time of the load generator for a sale, in microseconds.
    pub client_micros: Option<f64>,
    /// Whether the figures are of quiet turns only; otherwise other programs have disturbed them.
    pub quiet: bool,
    /// Every turn, also those that do not count.
    pub turns: Vec<Turn>,
}

/// One turn of one contestant.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Turn {
    /// Sales a second.
    pub rate: f64,
    /// Median latency in microseconds.
    pub p50: u32,
    /// 99th percentile in microseconds.
    pub p99: u32,
    /// Slowest in microseconds.
    pub max: u32,
    /// Processor time of the contestant for a sale, in microseconds.
    pub server_micros: f64,
    /// Processor time of the load generator for a sale, in microseconds.
    pub client_micros: f64,
    /// Share of all processors that other programs used meanwhile, from 0 to 1.
    pub others: f64,
}

/// One line of the race: who, with how many connections.
struct Lane<'a> {
    entrant: Entrant,
    name: String,
    connections: usize,
    runner: Runner<'a>,
    turns: Vec<Turn>,
}

enum Runner<'a> {
    Raw(Space),
    Http(&'a Contestant),
}

/// Measures all entrants in turn.
///
/// # Errors
/// A contestant does not start, refuses a sale or breaks a connection.
pub async fn measure(plan: &Plan) -> Result<SalesFigures, Failure> {
    let order = [Entrant::Null, Entrant::Sqlite, Entrant::Postgres, Entrant::Daemon];
    let Started { contestants, daemon } = plan.start("sales", &order)?;
    let mut record_bytes = plan.record_bytes;
    let mut record_bytes_measured = false;
    for (entrant, contestant) in &contestants {
        let journal = daemon.as_ref().filter(|_| *entrant == Entrant::Daemon);
        if let Some(bytes) = warm(plan, contestant, journal).await? {
            (record_bytes, record_bytes_measured) = (bytes, true);
        }
    }
    let mut lanes = lanes(plan, &contestants);
    let mut progress = Progress::new("sales", lanes.len() * plan.rounds);
    for round in 0..plan.rounds {
        for (number, lane) in lanes.iter_mut().enumerate() {
            let turn = match lane.runner {
                Runner::Raw(space) => raw_turn(plan, space, record_bytes).await?,
                Runner::Http(contestant) => {
                    let seed = plan.seed ^ ((round * 100 + number + 1) as u64) << 32;
                    http_turn(plan, contestant, lane.connections, seed).await?
                }
            };
            progress.step(&format!(
                "round {} · {} · {} connections: {:.0}/s, p99 {:.1} ms{}",
                round + 1,
                lane.name,
                lane.connections,
                turn.rate,
                f64::from(turn.p99) / 1000.0,
                if turn.others > MAX_SHARE {
                    format!(" (others used {:.0} %)", turn.others * 100.0)
                } else {
                    String::new()
                }
            ));
            lane.turns.push(turn);
        }
    }
    progress.finish();
    let rows = lanes.into_iter().filter_map(Lane::row).collect();
    for (_, contestant) in contestants {
        contestant.stop()?;
    }
    Ok(SalesFigures { record_bytes, record_bytes_measured, rows })
}

/// Sells the first sales; of the daemon, returns the bytes that each took in the journal.
async fn warm(
    plan: &Plan,
    contestant: &Contestant,
    journal: Option<&Daemon>,
) -> Result<Option<usize>, Failure> {
    let load = Load {
        name: contestant.name().to_owned(),
        address: contestant.address(),
        connections: 16,
        warm_up: Duration::ZERO,
        measured: Duration::ZERO,
        seed: plan.seed ^ 0xF1,
    };
    // Every till has sold before bytes are counted: registering one is an event too.
    closed_loop::fill(&load, &plan.baskets, 64, |_| ()).await?;
    let Some(journal) = journal else {
        closed_loop::fill(&Load { seed: plan.seed ^ 0xF2, ..load }, &plan.baskets, FIRST_SALES, |_| ())
            .await?;
        return Ok(None);
    };
    let before = journal.journal_bytes()?;
    // One connection: a group for each sale, as in the comparison with the raw appends.
    let alone = Load { connections: 1, seed: plan.seed ^ 0xF2, ..load };
    closed_loop::fill(&alone, &plan.baskets, FIRST_SALES, |_| ()).await?;
    let written = journal.journal_bytes()?.saturating_sub(before);
    Ok(usize::try_from(written / FIRST_SALES as u64).ok())
}

fn lanes<'a>(plan: &Plan, contestants: &'a [(Entrant, Contestant)]) -> Vec<Lane<'a>> {
    let mut lanes = Vec::new();
    if plan.takes_part(Entrant::Raw) {
        for (name, space) in [("raw, growing", Space::Growing), ("raw, preallocated", Space::Preallocated)] {
            let (name, runner) = (name.to_owned(), Runner::Raw(space));
            lanes.push(Lane { entrant: Entrant::Raw, name, connections: 1, runner, turns: Vec::new() });
        }
    }
    for &connections in &plan.connections {
        for (entrant, contestant) in contestants {
            let (name, runner) = (contestant.name().to_owned(), Runner::Http(contestant));
            lanes.push(Lane { entrant: *entrant, name, connections, runner, turns: Vec::new() });
        }
    }
    lanes
}

async fn raw_turn(plan: &Plan, space: Space, bytes: usize) -> Result<Turn, Failure> {
    rustix::fs::sync();
    plan.patience.wait_for_quiet().await;
    let (path, length) = (plan.place.directory.join("raw"), plan.turn);
    let watch = Watch::begin();
    let cpu = processor_time(std::process::id());
    let appending = tokio::task::spawn_blocking(move || append(&path, space, bytes, RAW_ROOM, length));
    let latencies = appending.await.map_err(|e| Failure::Thread(e.to_string()))??;
    let cpu = processor_time(std::process::id()).saturating_sub(cpu);
    let rate = latencies.len() as f64 / length.as_secs_f64();
    turn("raw", latencies, rate, [cpu, Duration::ZERO], watch.share())
}

async fn http_turn(
    plan: &Plan,
    contestant: &Contestant,
    connections: usize,
    seed: u64,
) -> Result<Turn, Failure> {
    rest(plan, contestant).await;
    let load = Load {
        name: contestant.name().to_owned(),
        address: contestant.address(),
        connections,
        warm_up: plan.turn / 8,
        measured: plan.turn,
        seed,
    };
    let own = std::process::id();
    let watch = Watch::begin();
    let (server, both) = (contestant.processor_time(), processor_time(own));
    let begin = Instant::now();
    let sold = closed_loop::sell(&load, &Arc::clone(&plan.baskets)).await?;
    // Contestants are children of the bench: its own time is what is left of the family's.
    let server = contestant.processor_time().saturating_sub(server);
    let client = processor_time(own).saturating_sub(both).saturating_sub(server);
    // The times include the warm-up, the sales do not.
    let counted = load.measured.as_secs_f64() / begin.elapsed().as_secs_f64();
    turn(
        contestant.name(),
        sold.latencies,
        sold.rate,
        [server.mul_f64(counted), client.mul_f64(counted)],
        watch.share(),
    )
}

fn turn(
    name: &str,
    latencies: Latencies,
    rate: f64,
    [server, client]: [Duration; 2],
    others: f64,
) -> Result<Turn, Failure> {
    let count = latencies.len() as f64;
    let percentiles = latencies.percentiles().ok_or_else(|| Failure::Unreported {
        name: name.to_owned(),
        what: "sale within its turn",
        place: "the load generator; take more --seconds".to_owned(),
    })?;
    Ok(Turn {
        rate,
        p50: percentiles.p50,
        p99: percentiles.p99,
        max: percentiles.max,
        server_micros: server.as_secs_f64() * 1e6 / count,
        client_micros: client.as_secs_f64() * 1e6 / count,
        others,
    })
}

impl Lane<'_> {
    fn row(self) -> Option<SalesRow> {
        let shares: Vec<f64> = self.turns.iter().map(|turn| turn.others).collect();
        let (rounds, quiet) = counted(&shares);
        let of = |figure: fn(&Turn) -> f64| {
            Spread::of(rounds.iter().filter_map(|&at| self.turns.get(at)).map(figure))
        };
        let http = matches!(self.runner, Runner::Http(_));
        Some(SalesRow {
            rate: of(|turn| turn.rate)?,
            p50: of(|turn| turn.p50.into())?,
            p99: of(|turn| turn.p99.into())?,
            server_micros: of(|turn| turn.server_micros).map(|spread| spread.median),
            client_micros: of(|turn| turn.client_micros).filter(|_| http).map(|spread| spread.median),
            name: self.name,
            entrant: self.entrant,
            connections: self.connections,
            quiet,
            turns: self.turns,
        })
    }
}

impl SalesFigures {
    /// The row of an entrant; of the raw appends, the one to a growing file.
    pub fn row(&self, entrant: Entrant, connections: usize) -> Option<&SalesRow> {
        self.rows.iter().find(|row| row.entrant == entrant && row.connections == connections)
    }

    /// What the daemon must reach; empty where it or the other did not take part.
    pub fn floors(&self) -> Vec<Floor> {
        let bounds = [
            (Entrant::Raw, 1, 0.5),
            (Entrant::Sqlite, 1, 1.5),
            (Entrant::Sqlite, 16, 3.0),
            (Entrant::Sqlite, 64, 2.5),
            (Entrant::Postgres, 1, 1.5),
            (Entrant::Postgres, 16, 3.0),
            (Entrant::Postgres, 64, 3.0),
        ];
        let floor = |(other, connections, bound): (Entrant, usize, f64)| {
            let daemon = self.row(Entrant::Daemon, connections)?;
            let other = self.row(other, connections)?;
            Some(Floor {
                what: format!("sales at {connections} connections, as a multiple of {}", other.name),
                measured: daemon.rate.median / other.rate.median,
                bound,
                at_least: true,
                quiet: daemon.quiet && other.quiet,
            })
        };
        bounds.into_iter().filter_map(floor).collect()
    }
}
