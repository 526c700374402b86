//! One run of the bench from command line to report.

use crate::arguments::{Command, RunOptions};
use crate::catalogue;
use crate::contestant::Workplace;
use crate::failure::Failure;
use crate::figures::{self, Entrant, Plan, Verdict};
use crate::load::request::Baskets;
use crate::machine::Machine;
use crate::peer;
use crate::quiet::Patience;
use crate::random;
use crate::report::{Report, Versions};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where the daemon is built.
const BUILT_DAEMON: &str = "target/release/edge-daemon";

/// How a run ended that has measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All is well, or nobody asked.
    Done,
    /// `--check` was given, and a floor was missed or undecided.
    FloorMissed,
}

/// Runs a command.
///
/// # Errors
/// A contestant fails or a file cannot be used; then there is no report.
pub async fn run(command: Command) -> Result<Outcome, Failure> {
    match command {
        Command::Peer(options) => peer::run(options).await.map(|()| Outcome::Done),
        Command::All(options) => {
            let all = Parts { sales: true, products: true, scans: true, rebuild: true, catch_up: true };
            measure(options, all).await
        }
        Command::Sales(options) => measure(options, Parts { sales: true, ..Parts::default() }).await,
        Command::Products(options) => measure(options, Parts { products: true, ..Parts::default() }).await,
        Command::Scans(options) => measure(options, Parts { scans: true, ..Parts::default() }).await,
        Command::Rebuild(options) => measure(options, Parts { rebuild: true, ..Parts::default() }).await,
        Command::CatchUp(options) => measure(options, Parts { catch_up: true, ..Parts::default() }).await,
        Command::Raw(options) => {
            let raw_only = RunOptions { contestants: vec![Entrant::Raw], ..options };
            measure(raw_only, Parts { sales: true, ..Parts::default() }).await
        }
    }
}

#[derive(Debug, Default, Clone, Copy)]
struct Parts {
    sales: bool,
    products: bool,
    scans: bool,
    rebuild: bool,
    catch_up: bool,
}

async fn measure(options: RunOptions, parts: Parts) -> Result<Outcome, Failure> {
    let mut notes = Vec::new();
    let plan = plan(&options, &mut notes)?;
    eprintln!("seed {} ({}=… repeats it)", plan.seed, random::SEED_VARIABLE);
    let mut report = Report {
        machine: Machine::look(&plan.place.directory),
        versions: Versions {
            sqlite: format!("{} ({})", peer::sqlite_version(), peer::SYNC_CALL),
            postgres: peer::ServerPrograms::find().ok().and_then(|programs| programs.version()),
        },
        seed: plan.seed,
        rounds: plan.rounds,
        turn_seconds: plan.turn.as_secs_f64(),
        sales: None,
        products: None,
        scans: None,
        rebuild: None,
        catch_up: None,
        notes,
    };
    if parts.sales {
        report.sales = Some(figures::measure_sales(&plan).await?);
    }
    if parts.products {
        report.products = Some(figures::measure_products(&plan).await?);
    }
    if parts.scans && plan.entrants.contains(&Entrant::Daemon) {
        report.scans = figures::measure_scans(&plan).await?;
    }
    if parts.rebuild && plan.entrants.contains(&Entrant::Daemon) {
        report.rebuild = figures::measure_rebuild(&plan).await?;
    }
    if parts.catch_up && plan.entrants.contains(&Entrant::Daemon) {
        report.catch_up = figures::measure_catch_up(&plan, &mut report.notes).await?;
    }
    report.write(&options.out)?;
    if !options.keep {
        let place = &plan.place.directory;
        fs::remove_dir_all(place).map_err(Failure::file("remove", place))?;
    }
    println!("{}\nThe report and its charts are in {}.", report.markdown(), options.out.display());
    let missed = report.floors().iter().any(|floor| floor.verdict() != Verdict::Met);
    Ok(if options.check && missed { Outcome::FloorMissed } else { Outcome::Done })
}

/// Makes the workplace and decides who takes part; whoever cannot is noted.
fn plan(options: &RunOptions, notes: &mut Vec<String>) -> Result<Plan, Failure> {
    let seed = random::seed()?;
    let directory = options.out.join("work");
    fs::create_dir_all(&directory).map_err(Failure::file("create", &directory))?;
    let directory = fs::canonicalize(&directory).map_err(Failure::file("find", &directory))?;
    let products = match &options.catalog {
        Some(path) => catalogue::read(path)?,
        None => catalogue::synthetic(catalogue::SYNTHETIC_PRODUCTS, seed),
    };
    let catalogue = directory.join("catalogue.csv");
    catalogue::write(&catalogue, &products)?;

    let mut entrants = options.contestants.clone();
    let mut leave_out = |entrant, reason: String| {
        if entrants.contains(&entrant) {
            notes.push(reason);
            entrants.retain(|&other| other != entrant);
        }
    };
    let daemon = daemon_of(options);
    if daemon.is_none() {
        leave_out(
            Entrant::Daemon,
            format!("edge-daemon: there is no {BUILT_DAEMON}; build it, or give --daemon FILE"),
        );
    }
    if let Err(e) = peer::ServerPrograms::find().and(peer::Unprivileged::find()) {
        leave_out(Entrant::Postgres, e.to_string());
    }
    if peer::SYNC_CALL != "fdatasync" && entrants.contains(&Entrant::Sqlite) {
        notes.push(
            "SQLite at its best: it is built to call fsync; build with LIBSQLITE3_FLAGS=-DHAVE_FDATASYNC=1, as \
             scripts/bench does"
                .to_owned(),
        );
    }
    let bench = std::env::current_exe().map_err(Failure::file("find", "the bench's own program"))?;
    Ok(Plan {
        baskets: Baskets::fill(&products, seed),
        place: Workplace { directory, catalogue, bench, daemon },
        products,
        entrants,
        rounds: options.rounds(),
        turn: Duration::from_secs_f64(options.turn_seconds()),
        connections: options.connections.iter().map(|&count| count as usize).collect(),
        record_bytes: options.record_bytes as usize,
        journal_sales: options.journal_sales(),
        catch_up_sales: options.catch_up_sales(),
        patience: Patience::new(Duration::from_secs(options.patience_seconds())),
        seed,
    })
}

fn daemon_of(options: &RunOptions) -> Option<PathBuf> {
    if !options.contestants.contains(&Entrant::Daemon) {
        return None;
    }
    let built = || Path::new(BUILT_DAEMON).is_file().then(|| PathBuf::from(BUILT_DAEMON));
    options.daemon.clone().or_else(built)
}
