//! What is measured, and how: contestants take turns (A B C A B C …), each figure is the median over the rounds.
//!
//! Before each turn the file system is synced and the contestant of the turn has come to rest, so that nobody pays for
//! what another has left to be written.

mod catch_up;
mod products;
mod rebuild;
mod sales;
mod scans;

pub use catch_up::{CatchUpFigures, measure as measure_catch_up};
pub use products::{ProductFigures, ProductRow, measure as measure_products};
pub use rebuild::{RebuildFigures, measure as measure_rebuild};
pub use sales::{SalesFigures, SalesRow, Turn, measure as measure_sales};
pub use scans::{ScanFigures, measure as measure_scans};

use crate::catalogue::Product;
use crate::contestant::{Contestant, Daemon, Workplace};
use crate::failure::Failure;
use crate::latency::median;
use crate::load::request::Baskets;
use crate::peer::Kind;
use crate::quiet::{MAX_SHARE, Patience};
use clap::ValueEnum;
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

/// Who can take part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Entrant {
    /// Append and `fdatasync`, without HTTP: to a growing file and into preallocated space
    Raw,
    /// HTTP without storage: the ceiling of server and load generator together
    Null,
    /// The endpoint on SQLite tables
    Sqlite,
    /// The endpoint on PostgreSQL tables
    Postgres,
    /// Tillbox
    Daemon,
}

/// What all measurements of a run share.
#[derive(Debug)]
pub struct Plan {
    /// Where contestants live.
    pub place: Workplace,
    /// What is sold.
    pub products: Vec<Product>,
    /// Sales ready to be sent.
    pub baskets: Arc<Baskets>,
    /// Who takes part.
    pub entrants: Vec<Entrant>,
    /// How often each has its turn.
    pub rounds: usize,
    /// How long a turn is counted.
    pub turn: Duration,
    /// Connections that sell at once, one measurement for each.
    pub connections: Vec<usize>,
    /// Bytes of a raw append where there is no daemon to ask.
    pub record_bytes: usize,
    /// Sales in the journal that views are rebuilt from.
    pub journal_sales: usize,
    /// Sales that wait for head office.
    pub catch_up_sales: usize,
    /// The seed of the run.
    pub seed: u64,
    /// How long the run may wait for other programs to finish.
    pub patience: Patience,
}

impl Plan {
    fn takes_part(&self, entrant: Entrant) -> bool {
        self.entrants.contains(&entrant)
    }

    /// Starts all chosen contestants that speak HTTP, each in a fresh directory. The daemon is passed over where the
    /// run has none.
    fn start(&self, purpose: &str, chosen: &[Entrant]) -> Result<Started, Failure> {
        let mut contestants = Vec::new();
        let mut its_directory = None;
        for &entrant in chosen.iter().filter(|&&entrant| self.takes_part(entrant)) {
            let peer = |kind, name: &str| {
                let data = self.place.fresh(&format!("{purpose}-{name}"))?;
                Contestant::peer(kind, &self.place, &data)
            };
            let contestant = match entrant {
                Entrant::Raw => continue,
                Entrant::Null => peer(Kind::Null, "null")?,
                Entrant::Sqlite => peer(Kind::Sqlite, "sqlite")?,
                Entrant::Postgres => peer(Kind::Postgres, "postgres")?,
                Entrant::Daemon => {
                    let Some(daemon) = Daemon::fresh(&self.place, &format!("{purpose}-daemon"))? else {
                        continue;
                    };
                    daemon.import_catalogue()?;
                    let contestant = daemon.start()?.0;
                    its_directory = Some(daemon);
                    contestant
                }
            };
            contestants.push((entrant, contestant));
        }
        Ok(Started { contestants, daemon: its_directory })
    }
}

/// Contestants that run.
struct Started {
    contestants: Vec<(Entrant, Contestant)>,
    /// The data directory of the daemon, where it takes part.
    daemon: Option<Daemon>,
}

/// A figure over the rounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The lowest round.
    pub low: f64,
    /// The highest round.
    pub high: f64,
}

impl Spread {
    /// Of at least one value; `None` of nothing.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let values: Vec<f64> = values.into_iter().collect();
        let low = values.iter().copied().reduce(f64::min)?;
        let high = values.iter().copied().reduce(f64::max)?;
        Some(Self { median: median(&values)?, low, high })
    }
}

/// What an issue demands, and whether it was reached.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Floor {
    /// What is compared.
    pub what: String,
    /// What was measured.
    pub measured: f64,
    /// The bound.
    pub bound: f64,
    /// Whether more is better; else less.
    pub at_least: bool,
    /// Whether it was measured on a quiet machine; if not, nothing is decided.
    pub quiet: bool,
}

/// Whether a floor was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    Met,
    /// No.
    Missed,
    /// Other programs disturbed the measurement.
    Undecided,
}

impl Floor {
    /// Whether it was reached.
    pub fn verdict(&self) -> Verdict {
        let met = if self.at_least { self.measured >= self.bound } else { self.measured <= self.bound };
        match (self.quiet, met) {
            (false, _) => Verdict::Undecided,
            (true, true) => Verdict::Met,
            (true, false) => Verdict::Missed,
        }
    }
}

/// How long a contestant may take to come to rest before its turn.
const REST: Duration = Duration::from_secs(5);

/// Lets everything that was written reach the disk, `contestant` come to rest and other programs finish.
async fn rest(plan: &Plan, contestant: &Contestant) {
    contestant.settle(REST).await;
    rustix::fs::sync();
    plan.patience.wait_for_quiet().await;
}

/// Which rounds count, given what others used in each: the quiet ones where they are at least half, and then the figures are
/// quiet; otherwise all, and they are not. Rounds are chosen by what others did, never by what came out.
fn counted(shares: &[f64]) -> (Vec<usize>, bool) {
    let quiet: Vec<usize> =
        shares.iter().enumerate().filter(|(_, share)| **share <= MAX_SHARE).map(|(round, _)| round).collect();
    let enough = !quiet.is_empty() && quiet.len() * 2 >= shares.len();
    if enough { (quiet, true) } else { ((0..shares.len()).collect(), false) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_floor_is_met_on_its_own_side() {
        let verdict = |measured, at_least, quiet| {
            Floor { what: String::new(), measured, bound: 2.0, at_least, quiet }.verdict()
        };
        assert_eq!(verdict(2.0, true, true), Verdict::Met);
        assert_eq!(verdict(1.9, true, true), Verdict::Missed);
        assert_eq!(verdict(2.0, false, true), Verdict::Met);
        assert_eq!(verdict(2.1, false, true), Verdict::Missed);
        assert_eq!(verdict(9.0, true, false), Verdict::Undecided);
        assert_eq!(verdict(1.0, true, false), Verdict::Undecided);
    }

    #[test]
    fn disturbed_rounds_count_only_where_there_are_too_few_others() {
        assert_eq!(counted(&[0.0, 0.9, 0.01]), (vec![0, 2], true));
        assert_eq!(counted(&[0.9, 0.9, 0.01]), (vec![0, 1, 2], false));
        assert_eq!(counted(&[0.9]), (vec![0], false));
        assert_eq!(counted(&[]), (vec![], false));
    }

    #[test]
    fn a_spread_has_its_ends() {
        let spread = Spread::of([3.0, 1.0, 2.0]).unwrap();
        assert_eq!(spread, Spread { median: 2.0, low: 1.0, high: 3.0 });
        assert_eq!(Spread::of([]), None);
    }
}
