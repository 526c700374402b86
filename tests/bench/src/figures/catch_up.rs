//! How fast a box that was offline catches up: into the receiver's hand beside a broker's own bridge, and into tables beside a bare
//! `COPY` of the same rows and a consumer that writes row by row.

use super::{Floor, Plan, Spread};
use crate::contestant::Daemon;
use crate::failure::Failure;
use crate::load::closed_loop::{self, Load};
use crate::peer::Cluster;
use crate::progress::Progress;
use crate::quiet::Watch;
use cloud_trial::BrokerError;
use pos_journal::{Disk, Journal, Preparation, Record, Start};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

mod bridge;
mod hand;
mod tables;

const NAME: &str = "catch-up";
/// Connections that fill the journal.
const FILLERS: usize = 64;

/// What was measured; rates are the journal's events a second.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CatchUpFigures {
    /// Events that waited.
    pub events: usize,
    /// Bytes of an event, in the mean.
    pub event_bytes: f64,
    /// From the journal into the receiver's hand: decoded, chain verified, acknowledged.
    pub hand: Spread,
    /// As many messages of the same bytes over Mosquitto's bridge.
    pub bridge: Spread,
    /// From the journal to committed rows, as `cloud-receiver` does it.
    pub rows: Spread,
    /// The same rows by `COPY` from files.
    pub copy: Spread,
    /// The same rows by an `INSERT` each, a transaction for each event.
    pub inserts: Spread,
    /// Bytes that travelled, for one of the journal's.
    pub travelled: f64,
    /// Whether the times are of quiet rounds only.
    pub quiet: bool,
}

/// Fills a journal, and has it caught up with. `None` where the run has no daemon, no broker, no database or no receiver.
///
/// # Errors
/// Something does not start, or breaks off.
pub async fn measure(plan: &Plan, notes: &mut Vec<String>) -> Result<Option<CatchUpFigures>, Failure> {
    let Some(daemon) = Daemon::fresh(&plan.place, "catch-up-daemon")? else { return Ok(None) };
    let receiver = plan.place.daemon.as_ref().map(|daemon| daemon.with_file_name("cloud-receiver"));
    let Some(receiver) = receiver.filter(|program| program.is_file()) else {
        notes.push("catching up: cloud-receiver is not built beside the daemon".to_owned());
        return Ok(None);
    };
    daemon.import_catalogue()?;
    let (contestant, _) = daemon.start()?;
    let filling = Progress::new("fill", plan.catch_up_sales);
    let load = Load {
        name: contestant.name().to_owned(),
        address: contestant.address(),
        connections: FILLERS,
        warm_up: Duration::ZERO,
        measured: Duration::ZERO,
        seed: plan.seed,
    };
    closed_loop::fill(&load, &plan.baskets, plan.catch_up_sales, filling.counter()).await?;
    filling.finish();
    contestant.stop()?;

    let scene = Scene::of(&daemon.data(), plan.place.fresh("catch-up")?)?;
    let mut progress = Progress::new("catch up", plan.rounds);
    let mut rounds = Rounds::default();
    let mut others = Vec::new();
    for round in 1..=plan.rounds {
        plan.patience.wait_for_quiet().await;
        let watch = Watch::begin();
        let (took, bytes) = match hand::catch_up(&scene).await {
            Err(Wrong::Missing(what)) => {
                notes.push(format!("catching up: {what}"));
                return Ok(None);
            }
            done => done.map_err(Wrong::failure)?,
        };
        rounds.hand.push(scene.rate(took));
        rounds.travelled.push(bytes as f64 / scene.bytes as f64);
        rounds.bridge.push(scene.rate(bridge::move_all(&scene).await.map_err(Wrong::failure)?));
        let database = Cluster::start(&scene.folder.join(format!("tables-{round}"))).await?;
        let tables = tables::measure(&scene, &database, &receiver).await;
        database.stop().await?;
        let tables = tables?;
        rounds.rows.push(scene.rate(tables.rows));
        rounds.copy.push(scene.rate(tables.copy));
        rounds.inserts.push(tables.inserts);
        others.push(watch.share());
        let share = tables.copy.as_secs_f64() / tables.rows.as_secs_f64();
        progress.step(&format!("round {round} · rows at {share:.2} of COPY"));
    }
    progress.finish();
    let (counted, quiet) = super::counted(&others);
    let spread = |values: &[f64]| {
        Spread::of(counted.iter().filter_map(|at| values.get(*at).copied())).ok_or(Failure::Unreported {
            name: NAME.to_owned(),
            what: "a rate",
            place: "no round; take --rounds 1 or more".to_owned(),
        })
    };
    Ok(Some(CatchUpFigures {
        events: scene.records.len(),
        event_bytes: scene.bytes as f64 / scene.records.len().max(1) as f64,
        hand: spread(&rounds.hand)?,
        bridge: spread(&rounds.bridge)?,
        rows: spread(&rounds.rows)?,
        copy: spread(&rounds.copy)?,
        inserts: spread(&rounds.inserts)?,
        travelled: spread(&rounds.travelled)?.median,
        quiet,
    }))
}

#[derive(Default)]
struct Rounds {
    hand: Vec<f64>,
    bridge: Vec<f64>,
    rows: Vec<f64>,
    copy: Vec<f64>,
    inserts: Vec<f64>,
    travelled: Vec<f64>,
}

/// A journal that waits, and a folder for everything else.
struct Scene {
    journal: PathBuf,
    folder: PathBuf,
    records: Vec<Record>,
    /// Of all records.
    bytes: usize,
}

impl Scene {
    fn of(data: &Path, folder: PathBuf) -> Result<Self, Failure> {
        let broken =
            |error: &dyn ToString| Failure::Start { name: NAME.to_owned(), reason: error.to_string() };
        let journal = open(data)?;
        let records = journal.reader().records_from(Start::Beginning).map_err(|error| broken(&error))?;
        let records = records.map(|record| record.map(|(_, record)| record)).collect::<Result<Vec<_>, _>>();
        let records = records.map_err(|error| broken(&error))?;
        let bytes = records.iter().map(|record| record.body.len() + pos_journal::RECORD_PREFIX_BYTES).sum();
        Ok(Self { journal: data.to_owned(), folder, records, bytes })
    }

    fn rate(&self, took: Duration) -> f64 {
        self.records.len() as f64 / took.as_secs_f64()
    }
}

/// The journal of a daemon that does not run.
fn open(data: &Path) -> Result<Journal<Disk>, Failure> {
    let options = pos_journal::Options { segment_bytes: 64 << 20, preparation: Preparation::Inline };
    let opened = Journal::open(Disk::new(data.to_owned()), options, &[]);
    let broken =
        |error: pos_journal::OpenError| Failure::Start { name: NAME.to_owned(), reason: error.to_string() };
    Ok(opened.map_err(broken)?.0)
}

/// Something of the cloud is missing, or broke.
enum Wrong {
    Missing(String),
    Failed(Failure),
}

impl From<Failure> for Wrong {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<BrokerError> for Wrong {
    fn from(error: BrokerError) -> Self {
        match error {
            BrokerError::Missing => Self::Missing(error.to_string()),
            error => Self::Failed(failed(&error)),
        }
    }
}

impl Wrong {
    fn failure(self) -> Failure {
        match self {
            Self::Missing(what) => failed(&what),
            Self::Failed(failure) => failure,
        }
    }
}

fn failed(error: &dyn ToString) -> Failure {
    Failure::Start { name: NAME.to_owned(), reason: error.to_string() }
}

impl CatchUpFigures {
    /// The bounds that were set.
    pub fn floors(&self) -> Vec<Floor> {
        let floor = |what: &str, measured, bound| Floor {
            what: what.to_owned(),
            measured,
            bound,
            at_least: true,
            quiet: self.quiet,
        };
        vec![
            floor(
                "catching up into the hand, of Mosquitto's bridge",
                self.hand.median / self.bridge.median,
                1.5,
            ),
            floor("catching up into tables, of a bare COPY", self.rows.median / self.copy.median, 0.3),
            floor("catching up into tables, of row by row", self.rows.median / self.inserts.median, 5.0),
        ]
    }
}
