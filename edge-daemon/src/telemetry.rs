//! Logs: text for people, one JSON object per line for machines, to standard error. What is logged names commands, ids
//! and positions; never a customer's or an employee's name, an address or a free text.

use std::io::IsTerminal as _;

use thiserror::Error;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::Registry;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::LogConfig;

/// Logging cannot start.
#[derive(Debug, Error)]
#[error("logging cannot start: {0}")]
pub struct TelemetryError(String);

/// Starts logging for this process.
///
/// # Errors
/// If the level is none, or logging has been started before.
pub fn start(config: &LogConfig) -> Result<(), TelemetryError> {
    let wrong = |error: &dyn std::fmt::Display| TelemetryError(error.to_string());
    let filter = EnvFilter::try_new(&config.level).map_err(|error| wrong(&error))?;
    let registry = Registry::default().with(filter);
    let on_a_terminal = std::io::stderr().is_terminal();
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(on_a_terminal);
    let started = if config.json {
        registry.with(layer.json().flatten_event(true)).try_init()
    } else {
        registry.with(layer.with_target(false).compact()).try_init()
    };
    started.map_err(|error| wrong(&error))
}
