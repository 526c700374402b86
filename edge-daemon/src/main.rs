//! `edge-daemon`: see `edge-daemon --help`.

use std::process::ExitCode;

use clap::Parser as _;
use edge_daemon::cli::Cli;
use mimalloc::MiMalloc;

/// A sale's memory is taken by one thread and given back by another, which the C library's allocator is slow at.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    edge_daemon::commands::execute(Cli::parse())
}
