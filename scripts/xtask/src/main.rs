//! Chores of the repository that want more than a shell script: `cargo run -p xtask -- --help`.

mod firmware;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Checks the rules of the house: who may know whom, module prose, file lengths, purity, names.
    Tidy,
    /// Keys for firmware, and images that they sign.
    #[command(subcommand)]
    Firmware(firmware::Firmware),
}

fn main() -> ExitCode {
    match Arguments::parse().chore {
        Chore::Tidy => tidy::run(),
        Chore::Firmware(what) => firmware::run(&what),
    }
}
