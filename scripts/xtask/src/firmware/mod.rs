//! Keys for firmware, and images that they sign. The form of an image is in the crate `firmware`.

mod key;
mod pack;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use thiserror::Error;

use pack::Pack;

#[derive(Subcommand)]
pub(crate) enum Firmware {
    /// Makes a new key, and prints its public half: what a boot loader is built with.
    Keygen {
        /// Where it is to be: PKCS#8 in PEM, for its owner's eyes only. What is there already is left alone.
        key: PathBuf,
    },
    /// Prints a key's public half, 64 hexadecimal digits.
    Public {
        /// The key.
        key: PathBuf,
    },
    /// Makes a signed image of a program.
    Pack(Pack),
}

/// What went wrong.
#[derive(Debug, Error)]
enum Failed {
    #[error("{path}: {why}")]
    File { path: PathBuf, why: std::io::Error },
    #[error("{0} may be read by others than its owner; chmod 600 it, and ask who had it")]
    Open(PathBuf),
    #[error("{path} is no ed25519 key in PKCS#8, PEM: {why}")]
    NoKey { path: PathBuf, why: ed25519_dalek::pkcs8::Error },
    #[error("no chance to draw a key by: {0}")]
    Chance(getrandom::Error),
    #[error("{path} is no program: {why}")]
    NoProgram { path: PathBuf, why: String },
}

pub(crate) fn run(what: &Firmware) -> ExitCode {
    let done = match what {
        Firmware::Keygen { key } => key::generate(key).map(|public| println!("{public}")),
        Firmware::Public { key } => {
            key::read(key).map(|key| println!("{}", key::hex(key.verifying_key().as_bytes())))
        }
        Firmware::Pack(pack) => pack.run().map(|told| println!("{told}")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            eprintln!("firmware: {failed}");
            ExitCode::FAILURE
        }
    }
}
