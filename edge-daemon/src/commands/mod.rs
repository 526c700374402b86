//! What the command line can do, one file per command.
//!
//! Commands that change or copy a store go through the daemon that has it, by the local socket, and open the data
//! directory themselves when no daemon runs.

mod backup;
mod bar;
mod check_config;
mod demo;
mod device_check;
mod doctor;
mod failure;
mod import;
mod restore;
mod run;
mod status;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use crate::cli::{CatalogCommand, Cli, Command, JournalCommand, Place};
use crate::config::Config;
use failure::{Code, Failure};

/// Does what the command line says, and tells how it went: on standard error by two lines, to the shell by the exit
/// code.
#[must_use]
pub fn execute(cli: Cli) -> ExitCode {
    let done = match cli.command {
        Command::Run { place, listen } => run::run(&place, listen),
        Command::CheckConfig { place, listen } => check_config::check(&place, listen),
        Command::Demo { data, listen, cloud } => demo::demo(data, listen, cloud),
        Command::Catalog(CatalogCommand::Import { place, file, all }) => import::import(&place, &file, all),
        Command::Journal(JournalCommand::Verify { place }) => verify::verify(&place),
        Command::Backup { place, to, keys } => backup::backup(&place, &to, keys.as_deref()),
        Command::Restore { place, from, keys } => restore::restore(&place, &from, keys.as_deref()),
        Command::Doctor { place } => doctor::doctor(&place),
        Command::Status { place } => status::status(&place),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::from(failure.code as u8)
        }
    }
}

/// The data directory, whether or not the rest of the configuration is right.
fn data_dir(place: &Place) -> Result<PathBuf, Failure> {
    let next = "correct the configuration, name it by --config FILE, or name the data directory itself by --data DIR";
    let found = Config::data_dir(&place.config, &place.flags(None));
    found.map_err(|error| Failure::new(Code::Wrong, error, next))
}

/// A runtime for a command that talks to the daemon.
fn small_runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
    built.map_err(|error| Failure::new(Code::Failed, error, "free some memory or file descriptors"))
}
