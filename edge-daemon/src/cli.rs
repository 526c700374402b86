//! The command line: what can be typed, and what the exit codes mean.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::config::{DEFAULT_FILE, Flags};

const EXAMPLES: &str = "\
Examples:
  edge-daemon demo                              a whole little shop to try, with a printer to look at
  edge-daemon check-config --config shop.toml   what would be used, and where each value comes from
  edge-daemon run --config shop.toml            the daemon
  edge-daemon catalog import products.csv       all products of a file at once
  edge-daemon backup --to /media/stick/monday --keys /media/other/monday.keys

Every key of the file can be set in the environment as TILLBOX_<SECTION>_<KEY>, for instance
TILLBOX_HTTP_LISTEN=127.0.0.1:9000. Flags win over the environment, the environment over the file.

Exit codes:
  0  done
  1  it did not work; the message says why and what to do
  2  wrong command line or configuration
  3  a check found something wrong (journal verify, doctor)
  4  another edge-daemon has the data directory
  5  the disk failed while writing: the outcome of the last commands is unknown, start again";

/// The box in the back room: owns a store's data and peripherals and serves its tills.
#[derive(Debug, Parser)]
#[command(name = "edge-daemon", version, after_help = EXAMPLES, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the store until SIGTERM or SIGINT.
    ///
    /// Opens the data directory, serves HTTP on the configured address, prints receipts. Tells systemd when it is ready
    /// and feeds its watchdog only while commands and views move.
    Run {
        /// Which store.
        #[command(flatten)]
        place: Place,
        /// Listen here instead, a loopback address such as 127.0.0.1:9000.
        #[arg(long, value_name = "ADDRESS")]
        listen: Option<String>,
    },
    /// Check the configuration and show what would be used, and where each value comes from.
    CheckConfig {
        /// Which store.
        #[command(flatten)]
        place: Place,
        /// As `run --listen`.
        #[arg(long, value_name = "ADDRESS")]
        listen: Option<String>,
    },
    /// Start a whole little shop: a sample catalogue and a virtual printer to look at in the browser.
    Demo {
        /// Keep the shop here, and find it again next time; otherwise a new folder for temporary files.
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
        /// Listen here; port 0 takes a free one.
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8480")]
        listen: String,
        /// Start head office, too: a broker (mosquitto), a database (PostgreSQL) and a receiver, on this machine.
        #[arg(long)]
        cloud: bool,
    },
    /// Work on the catalogue.
    #[command(subcommand)]
    Catalog(CatalogCommand),
    /// Look at the journal.
    #[command(subcommand)]
    Journal(JournalCommand),
    /// Copy the journal to another place, also while the daemon runs.
    ///
    /// The copy holds everything but the keys to personal data. These go into a file of their own (--keys): keep it on
    /// another medium than the copy, so that neither alone tells anything about anybody.
    Backup {
        /// Which store.
        #[command(flatten)]
        place: Place,
        /// An empty or new folder.
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
        /// A new file for the keys; without it persons cannot be read after a restore.
        #[arg(long, value_name = "FILE")]
        keys: Option<PathBuf>,
    },
    /// Put a backup in place. The daemon must not run.
    ///
    /// What is in the data directory is set aside, never deleted. The next start begins a new epoch with a new
    /// receipt series. Persons who were erased stay erased.
    Restore {
        /// Which store.
        #[command(flatten)]
        place: Place,
        /// The folder that `backup --to` wrote.
        #[arg(long, value_name = "DIR")]
        from: PathBuf,
        /// The file that `backup --keys` wrote.
        #[arg(long, value_name = "FILE")]
        keys: Option<PathBuf>,
    },
    /// Check everything that a box needs, and say what to do about what is missing.
    Doctor {
        /// Which store.
        #[command(flatten)]
        place: Place,
    },
    /// Ask the running daemon how it is.
    Status {
        /// Which store.
        #[command(flatten)]
        place: Place,
    },
}

/// `catalog …`
#[derive(Debug, Subcommand)]
pub enum CatalogCommand {
    /// Put all good lines of a CSV file, at once; bad ones are named and left out.
    ///
    /// The first line names the columns, in any order: barcode,name,price_minor,tax_class,department and, if you like,
    /// sku (else the barcode) and category (if there is no department). Prices are whole minor units: 1.99 is 199. Lines
    /// that are wrong are reported by number and left out. A product whose SKU exists is changed.
    #[command(after_help = "Example:\n  edge-daemon catalog import products.csv --all")]
    Import {
        /// Which store.
        #[command(flatten)]
        place: Place,
        /// The file, at most 64 MiB, UTF-8.
        #[arg(value_name = "FILE.csv")]
        file: PathBuf,
        /// List all lines that were left out, not only the first 20.
        #[arg(long)]
        all: bool,
    },
}

/// `journal …`
#[derive(Debug, Subcommand)]
pub enum JournalCommand {
    /// Check every byte and every hash of the journal; also beside a running daemon.
    ///
    /// Names the first record that is wrong. Ends with 0 if nothing is, with 3 if something is.
    Verify {
        /// Which store.
        #[command(flatten)]
        place: Place,
    },
}

/// Which store.
#[derive(Debug, Clone, Args)]
pub struct Place {
    /// The configuration file.
    #[arg(long, value_name = "FILE", env = "TILLBOX_CONFIG", default_value = DEFAULT_FILE)]
    pub config: PathBuf,
    /// Use this data directory instead of the configured one.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

impl Place {
    /// What the flags set, for the configuration.
    #[must_use]
    pub fn flags(&self, listen: Option<String>) -> Flags {
        Flags { listen, data: self.data.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn commands_are_read() {
        let cli = Cli::try_parse_from(["edge-daemon", "catalog", "import", "--data", "/d", "x.csv", "--all"])
            .unwrap();
        let Command::Catalog(CatalogCommand::Import { place, file, all }) = cli.command else {
            panic!("another command");
        };
        assert_eq!((place.data, file, all), (Some("/d".into()), PathBuf::from("x.csv"), true));
        assert!(Cli::try_parse_from(["edge-daemon", "backup"]).is_err());
    }
}
