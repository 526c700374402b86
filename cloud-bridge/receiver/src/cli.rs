//! The command line: what can be typed, and what the exit codes mean.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

const EXAMPLES: &str = "\
Examples:
  cloud-receiver migrate --database postgres://receiver@db.example/tillbox
  cloud-receiver run --broker mqtt.example:8883 --authority ca.pem --certificate cloud.pem --key cloud.key
  cloud-receiver publish --broker mqtt.example:8883 --authority ca.pem --certificate cloud.pem --key cloud.key
  cloud-receiver status                    which stores are here, how far, since when
  cloud-receiver status --json             the same, for a monitor
  cloud-receiver verify --store acme/corner

The database can be named once in the environment, as TILLBOX_DATABASE. A password belongs there and
not on the command line, where other users of the machine see it.

Exit codes:
  0  done
  1  it did not work; the message says why and what to do
  2  wrong command line
  3  a check found something wrong (verify)";

/// The cloud's end: takes the journal records of all boxes into PostgreSQL.
#[derive(Debug, Parser)]
#[command(name = "cloud-receiver", version, after_help = EXAMPLES, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make the tables, or bring them up to date.
    ///
    /// Each step is applied whole or not at all, and once: it does not matter how often, or by how many at once, this is run.
    Migrate {
        /// Where the tables are.
        #[command(flatten)]
        database: Database,
    },
    /// Take what the boxes send, until it is stopped.
    ///
    /// Any number may run side by side: what comes is shared among those of one group. The tables are made, or brought up to date, first.
    Run {
        /// Where the tables are.
        #[command(flatten)]
        database: Database,
        /// The broker.
        #[command(flatten)]
        broker: BrokerArgs,
        /// Receivers of one group share what comes.
        #[arg(long, default_value = "receivers")]
        group: String,
        /// Connections to the database.
        #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=64))]
        workers: u8,
    },
    /// Send what head office changes down to the stores, until it is stopped.
    ///
    /// What is edited in the table head_office_products goes to the boxes that are connected and have another version of it. It needs
    /// what the boxes say of themselves, so receivers have to run, too. Any number may run side by side.
    Publish {
        /// Where the tables are.
        #[command(flatten)]
        database: Database,
        /// The broker.
        #[command(flatten)]
        broker: BrokerArgs,
        /// A box that has not moved for so many seconds is sent it again; boxes say every half minute how they stand.
        #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u16).range(1..=3600))]
        patience: u16,
    },
    /// Show which stores are here, how far, and what their boxes say.
    Status {
        /// Where the tables are.
        #[command(flatten)]
        database: Database,
        /// As JSON, one array, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Read records again that were not understood when they came: after an update of this software.
    Reread {
        /// Where the tables are.
        #[command(flatten)]
        database: Database,
    },
    /// Rebuild the chain of all records from the database and check it; says what is wrong first in each epoch.
    Verify {
        /// Where the tables are.
        #[command(flatten)]
        database: Database,
        /// Only this store's, as TENANT/STORE.
        #[arg(long, value_name = "STORE", value_parser = tenant_and_store)]
        store: Option<(String, String)>,
    },
}

/// Where the tables are.
#[derive(Debug, Args)]
pub struct Database {
    /// The database, as postgres://USER@HOST/NAME or as "host=… user=… dbname=…".
    #[arg(long = "database", value_name = "URL", env = "TILLBOX_DATABASE", hide_env_values = true)]
    pub url: String,
}

/// The broker, and as whom.
#[derive(Debug, Args)]
pub struct BrokerArgs {
    /// The broker's name, which its certificate has to have, and its port.
    #[arg(long, value_name = "HOST:PORT", env = "TILLBOX_BROKER", value_parser = host_and_port)]
    pub broker: (String, u16),
    /// The file with the authority's certificates that the broker's has to be of.
    #[arg(long, value_name = "FILE", env = "TILLBOX_BROKER_AUTHORITY")]
    pub authority: PathBuf,
    /// The file with our own certificate.
    #[arg(long, value_name = "FILE", env = "TILLBOX_BROKER_CERTIFICATE")]
    pub certificate: PathBuf,
    /// The file with its key.
    #[arg(long, value_name = "FILE", env = "TILLBOX_BROKER_KEY")]
    pub key: PathBuf,
}

fn host_and_port(text: &str) -> Result<(String, u16), &'static str> {
    let parts = text.rsplit_once(':').and_then(|(host, port)| Some((host.to_owned(), port.parse().ok()?)));
    parts
        .filter(|(host, _)| !host.is_empty())
        .ok_or("a broker is named as HOST:PORT, such as mqtt.example:8883")
}

fn tenant_and_store(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('/') {
        Some((tenant, store)) if !tenant.is_empty() && !store.is_empty() && !store.contains('/') => {
            Ok((tenant.to_owned(), store.to_owned()))
        }
        _ => Err("a store is named as TENANT/STORE, such as acme/corner"),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent_and_says_what_is_wrong() {
        Cli::command().debug_assert();
        let parse = |words: &[&str]| Cli::try_parse_from([&["cloud-receiver"], words].concat());
        assert!(parse(&["verify", "--database", "x", "--store", "acme/corner"]).is_ok());
        for wrong in ["acme", "/corner", "acme/", "a/b/c"] {
            assert!(parse(&["verify", "--database", "x", "--store", wrong]).is_err(), "{wrong}");
        }
    }
}
