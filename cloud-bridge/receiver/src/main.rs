//! `cloud-receiver`: see `cloud-receiver --help`.

use std::process::ExitCode;

use clap::Parser as _;
use cloud_receiver::cli::Cli;

#[tokio::main]
async fn main() -> ExitCode {
    cloud_receiver::commands::execute(Cli::parse()).await
}
