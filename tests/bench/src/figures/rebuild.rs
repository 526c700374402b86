//! What a long journal costs: memory, disk, a start, and views made again from nothing.

use super::{Floor, Plan, Spread, counted, rest};
use crate::contestant::Daemon;
use crate::failure::Failure;
use crate::load::closed_loop::{self, Load};
use crate::process::resident_memory;
use crate::progress::Progress;
use crate::quiet::Watch;
use serde::Serialize;
use std::time::Duration;

/// Connections that fill the journal.
const FILLERS: usize = 64;

/// The measured store.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RebuildFigures {
    /// Sales in the journal.
    pub sales: usize,
    /// Products in the catalogue.
    pub products: usize,
    /// Resident memory before the first sale, in bytes.
    pub memory_before: u64,
    /// Resident memory after the last sale, in bytes.
    pub memory_after_sales: u64,
    /// Resident memory of a daemon that has rebuilt its views, in bytes.
    pub memory_after_rebuild: u64,
    /// Journal bytes for a sale.
    pub journal_bytes_per_sale: f64,
    /// Bytes of the views on disk for a sale.
    pub view_bytes_per_sale: f64,
    /// Seconds from the start of the process to its readiness, with intact views.
    pub start_intact: Spread,
    /// The same without views.
    pub start_without_views: Spread,
    /// Sales a second while views are made again.
    pub rebuild_rate: Spread,
    /// Whether the times are of quiet rounds only; otherwise other programs have disturbed them.
    pub quiet: bool,
}

/// Fills a store, then starts it with and without its views. `None` where the run has no daemon.
///
/// # Errors
/// The daemon does not start, refuses a sale, or does not report a figure.
pub async fn measure(plan: &Plan) -> Result<Option<RebuildFigures>, Failure> {
    let Some(daemon) = Daemon::fresh(&plan.place, "rebuild-daemon")? else { return Ok(None) };
    daemon.import_catalogue()?;
    let (contestant, _) = daemon.start()?;
    let memory = |id, when: &str| {
        resident_memory(id).ok_or_else(|| Failure::Unreported {
            name: "edge-daemon".to_owned(),
            what: "resident memory",
            place: format!("/proc/{id}/status {when}"),
        })
    };
    let memory_before = memory(contestant.id(), "before the first sale")?;
    let bytes_before = daemon.journal_bytes()?;
    let filling = Progress::new("fill", plan.journal_sales);
    let load = Load {
        name: contestant.name().to_owned(),
        address: contestant.address(),
        connections: FILLERS,
        warm_up: Duration::ZERO,
        measured: Duration::ZERO,
        seed: plan.seed,
    };
    closed_loop::fill(&load, &plan.baskets, plan.journal_sales, filling.counter()).await?;
    filling.finish();
    rest(plan, &contestant).await;
    let memory_after_sales = memory(contestant.id(), "after the last sale")?;
    let bytes_after = daemon.journal_bytes()?;
    contestant.stop()?;
    let view_bytes = daemon.view_bytes()?;

    let mut progress = Progress::new("rebuild", 2 * plan.rounds);
    let [mut intact, mut without, mut rates, mut others] = [const { Vec::new() }; 4];
    let mut memory_after_rebuild = 0;
    for round in 1..=plan.rounds {
        plan.patience.wait_for_quiet().await;
        let watch = Watch::begin();
        let (contestant, took) = daemon.start()?;
        intact.push(took.as_secs_f64());
        contestant.stop()?;
        progress.step(&format!("round {round} · ready with intact views after {:.3} s", took.as_secs_f64()));

        daemon.delete_views()?;
        let (mut contestant, took) = daemon.start()?;
        without.push(took.as_secs_f64());
        let rebuilt = daemon.rebuilt(&mut contestant)?;
        let rate = plan.journal_sales as f64 / rebuilt.seconds;
        rates.push(rate);
        others.push(watch.share());
        contestant.settle(super::REST).await;
        memory_after_rebuild = memory(contestant.id(), "after the rebuild")?;
        contestant.stop()?;
        progress.step(&format!("round {round} · {} records rebuilt, {rate:.0} sales/s", rebuilt.records));
    }
    progress.finish();
    let sales = plan.journal_sales.max(1) as f64;
    let (rounds, quiet) = counted(&others);
    let spread = |values: Vec<f64>, what| {
        Spread::of(rounds.iter().filter_map(|&at| values.get(at).copied())).ok_or_else(|| {
            Failure::Unreported {
                name: "edge-daemon".to_owned(),
                what,
                place: "no round; take --rounds 1 or more".to_owned(),
            }
        })
    };
    Ok(Some(RebuildFigures {
        sales: plan.journal_sales,
        products: plan.products.len(),
        memory_before,
        memory_after_sales,
        memory_after_rebuild,
        journal_bytes_per_sale: bytes_after.saturating_sub(bytes_before) as f64 / sales,
        view_bytes_per_sale: view_bytes as f64 / sales,
        start_intact: spread(intact, "start with intact views")?,
        start_without_views: spread(without, "start without views")?,
        rebuild_rate: spread(rates, "rebuild")?,
        quiet,
    }))
}

impl RebuildFigures {
    /// What the daemon must reach.
    pub fn floors(&self) -> Vec<Floor> {
        let memory = self.memory_after_sales.max(self.memory_after_rebuild) as f64 / 1e6;
        let floor = |what: &str, measured, bound, at_least, quiet| {
            let what = what.to_owned();
            Floor { what, measured, bound, at_least, quiet }
        };
        vec![
            floor("rebuild of all views, sales/s", self.rebuild_rate.median, 20_000.0, true, self.quiet),
            floor("start with intact views, s", self.start_intact.median, 1.0, false, self.quiet),
            // Memory is not a matter of who else runs.
            floor("resident memory after all sales, MB", memory, 200.0, false, true),
        ]
    }
}
