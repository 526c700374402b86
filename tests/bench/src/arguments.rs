//! The command line.

use crate::figures::Entrant;
use crate::peer;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

const ABOUT: &str =
    "Measures Tillbox beside what a shop would otherwise keep its sales in, in one run on one disk.";

const EXAMPLES: &str = "\
Contestants are started as processes of their own on free loopback ports with fresh data directories below --out, take turns
(A B C A B C …), and are stopped again, also when the run fails. Figures are medians over the rounds.

Examples:
  tillbox-bench all                                    everything, about ten minutes
  tillbox-bench all --short                            a look whether it works, within a minute
  tillbox-bench sales --contestants sqlite,daemon      two of them only
  tillbox-bench sales --connections 1 --seconds 10     one level, longer turns
  TILLBOX_SEED=42 tillbox-bench products               the same products in the same order as another run of seed 42

The report: report.md, report.json and *.svg in --out. Exit status: 0 measured; 1 something failed, no report; 3 measured, but with
--check a floor was missed or could not be decided.

Let nothing else run: turns in which other programs use over 5 % of the processors are marked and decide no floor.";

/// The bench's command line.
#[derive(Debug, Parser)]
#[command(name = "tillbox-bench", about = ABOUT, after_help = EXAMPLES, version)]
pub struct Arguments {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// All that follows
    All(RunOptions),
    /// Durable sales a second at 1, 16 and 64 connections, with p50 and p99
    Sales(RunOptions),
    /// Latency of finding a product while sales are written
    Products(RunOptions),
    /// Latency of a scan, from the scanner's wire to the event with its product
    Scans(RunOptions),
    /// A long journal: views made again, start, memory, bytes for a sale
    Rebuild(RunOptions),
    /// A box that was offline: into the receiver's hand beside a broker's bridge, into tables beside COPY and row by row
    CatchUp(RunOptions),
    /// Append and fdatasync only: what the disk allows
    Raw(RunOptions),
    /// Run one peer by itself, until standard input ends
    Peer(peer::Options),
}

/// How a run is done.
#[derive(Debug, Clone, Args)]
pub struct RunOptions {
    /// Turns of each contestant; the figures are medians over them
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub rounds: Option<u32>,
    /// How long each turn is counted, in seconds (fractions allowed) [default: 4]
    #[arg(long, value_name = "S", value_parser = seconds)]
    pub seconds: Option<f64>,
    /// One round of short turns and a small journal: shows that it works, within 60 s
    #[arg(long)]
    pub short: bool,
    /// The daemon's program; without --daemon, target/release/edge-daemon where it is built
    #[arg(long, value_name = "FILE")]
    pub daemon: Option<PathBuf>,
    /// The catalogue, CSV of barcode,name,price_minor,tax_class,department [default: 20,000 made-up products]
    #[arg(long, value_name = "FILE")]
    pub catalog: Option<PathBuf>,
    /// Where data directories and the report go; decides which disk is measured
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    pub out: PathBuf,
    /// Who takes part
    #[arg(long, value_name = "WHO", value_enum, value_delimiter = ',',
        default_values_t = [Entrant::Raw, Entrant::Null, Entrant::Sqlite, Entrant::Postgres, Entrant::Daemon])]
    pub contestants: Vec<Entrant>,
    /// Connections that sell at once; one measurement for each
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [1, 16, 64],
        value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub connections: Vec<u32>,
    /// Bytes of a raw append where no daemon can be asked what it writes for a sale
    #[arg(long, value_name = "N", default_value_t = 1500, value_parser = clap::value_parser!(u32).range(1..=1_048_576))]
    pub record_bytes: u32,
    /// Sales of the long journal [default: 200000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub sales: Option<u32>,
    /// How long the run may wait altogether for other programs to finish, in seconds [default: 120, with --short 0]
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u32).range(0..=86_400))]
    pub patience: Option<u32>,
    /// End with status 3 when a floor is missed, or undecided because other programs disturbed the run
    #[arg(long)]
    pub check: bool,
    /// Leave the contestants' data directories in place
    #[arg(long)]
    pub keep: bool,
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.1..=3600.0).contains(&seconds) { Ok(seconds) } else { Err("from 0.1 to 3600".to_owned()) }
}

impl RunOptions {
    /// Turns of each contestant.
    pub fn rounds(&self) -> usize {
        self.rounds.map_or(if self.short { 1 } else { 5 }, |rounds| rounds as usize)
    }

    /// Seconds of each turn.
    pub fn turn_seconds(&self) -> f64 {
        self.seconds.unwrap_or(if self.short { 0.6 } else { 4.0 })
    }

    /// How long the run may wait for a quiet machine, in seconds.
    pub fn patience_seconds(&self) -> u64 {
        self.patience.map_or(if self.short { 0 } else { 120 }, u64::from)
    }

    /// Sales that wait for head office.
    pub fn catch_up_sales(&self) -> usize {
        if self.short { 2_000 } else { 50_000 }
    }

    /// Sales of the long journal.
    pub fn journal_sales(&self) -> usize {
        self.sales.map_or(if self.short { 5_000 } else { 200_000 }, |sales| sales as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
        let parsed =
            Arguments::try_parse_from(["tillbox-bench", "sales", "--contestants", "raw,daemon", "--short"])
                .unwrap();
        let Command::Sales(options) = parsed.command else { panic!("not sales") };
        assert_eq!(options.contestants, [Entrant::Raw, Entrant::Daemon]);
        assert_eq!((options.rounds(), options.connections), (1, vec![1, 16, 64]));
        assert!(Arguments::try_parse_from(["tillbox-bench", "sales", "--seconds", "0"]).is_err());
    }
}
