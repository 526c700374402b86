//! What the command line can do, one file per command.

mod failure;
mod migrate;
mod publish;
mod reread;
mod run;
mod status;
mod verify;

use std::process::ExitCode;

use crate::cli::{Cli, Command};
use failure::Failure;

/// Does what the command line says, and tells how it went: on standard error by two lines, to the shell by the exit code.
pub async fn execute(cli: Cli) -> ExitCode {
    let done = match cli.command {
        Command::Migrate { database } => migrate::migrate(&database).await,
        Command::Reread { database } => reread::reread(&database).await,
        Command::Run { database, broker, group, workers } => {
            run::run(&database, &broker, group, workers).await
        }
        Command::Publish { database, broker, patience } => {
            publish::publish(&database, &broker, patience).await
        }
        Command::Status { database, json } => status::status(&database, json).await,
        Command::Verify { database, store } => verify::verify(&database, store).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::from(failure.code as u8)
        }
    }
}
