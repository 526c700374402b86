//! `tillbox-bench`: see `tillbox-bench --help`.

use clap::Parser as _;
use std::process::ExitCode;
use tillbox_bench::{Arguments, Command, Outcome, run, told_to_stop};
use tokio::runtime::{Builder, Runtime};

fn main() -> ExitCode {
    let command = Arguments::parse().command;
    let runtime = match runtime_for(&command) {
        Ok(runtime) => runtime,
        Err(e) => {
            eprintln!("tillbox-bench: cannot start its threads: {e}");
            return ExitCode::FAILURE;
        }
    };
    // Dropping the run stops all that it has started. To a peer, a signal is how it is stopped in order.
    let is_peer = matches!(command, Command::Peer(_));
    let ended = runtime.block_on(async {
        tokio::select! {
            outcome = run(command) => Some(outcome),
            () = told_to_stop(), if !is_peer => None,
        }
    });
    runtime.shutdown_background();
    match ended {
        Some(Ok(Outcome::Done)) => ExitCode::SUCCESS,
        Some(Ok(Outcome::FloorMissed)) => ExitCode::from(3),
        Some(Err(failure)) => {
            eprintln!("tillbox-bench: {failure}");
            ExitCode::FAILURE
        }
        None => {
            eprintln!("tillbox-bench: stopped before the end; there is no report");
            ExitCode::FAILURE
        }
    }
}

/// Peers use all processors, as servers do; the load generator has one thread, so that it takes no more than one.
fn runtime_for(command: &Command) -> std::io::Result<Runtime> {
    match command {
        Command::Peer(_) => Builder::new_multi_thread().enable_all().build(),
        _ => Builder::new_current_thread().enable_all().build(),
    }
}
