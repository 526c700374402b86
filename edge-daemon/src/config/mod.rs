//! The configuration: one TOML file, over it the environment, over that the flags of the command line.
//!
//! ```text
//! default  <  file  <  TILLBOX_<SECTION>_<KEY>  <  --listen, --data
//! ```
//!
//! Every key stands in one table; a key that is not there is an error with a hint, wherever it was set. All
//! values are checked before anything is opened, all problems are reported at once, each with its place, and
//! [`Config`] can say where each of its values came from. Nothing secret is ever part of the configuration.

mod box_settings;
mod device;
mod error;
mod hint;
mod keys;
mod layers;
mod ports;
mod section;
mod store;
#[cfg(test)]
mod tests;
mod value;

use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pos_domain::store::StoreConfig;

pub use box_settings::{CloudConfig, DataConfig, HttpConfig, LogConfig};
pub use device::{
    DeviceConfig, DisplayConfig, DisplayPort, DrawerConfig, DrawerPort, Model, PrinterConfig, PrinterRole,
    ScaleConfig, ScannerConfig, ScannerPort, device_of,
};
pub use error::{ConfigError, Problem};
pub use ports::Hardware;
pub use value::Source;

use crate::zone::StoreZone;
use layers::{FlagValue, Settings};

/// Where the file is looked for when nobody names one.
pub const DEFAULT_FILE: &str = "/etc/tillbox/tillbox.toml";

/// The largest file that is read.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Everything that was configured, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// What decides money, dates and numbers.
    pub store: Arc<StoreConfig>,
    /// The store's time zone.
    pub zone: StoreZone,
    /// Where the data lies.
    pub data: DataConfig,
    /// Where terminals reach the box.
    pub http: HttpConfig,
    /// The ports of the lines that our own controllers hang on.
    pub controllers: Vec<PathBuf>,
    /// Where the store's records are sent, if anywhere.
    pub cloud: Option<CloudConfig>,
    /// The devices at the counters.
    pub devices: Vec<DeviceConfig>,
    /// What is logged.
    pub log: LogConfig,
    settings: Settings,
}

/// What the command line sets.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `--listen`
    pub listen: Option<String>,
    /// `--data`
    pub data: Option<PathBuf>,
}

impl Flags {
    fn values(&self) -> Vec<FlagValue> {
        let listen = self.listen.clone().map(|listen| ("--listen", "http", "listen", listen));
        let data = self.data.as_ref().map(|dir| ("--data", "data", "dir", dir.display().to_string()));
        listen.into_iter().chain(data).collect()
    }
}

impl Config {
    /// Reads the file, the process's environment and the flags.
    ///
    /// # Errors
    /// If the file cannot be read, or with everything that is wrong in what was said.
    pub fn load(file: &Path, flags: &Flags) -> Result<Self, ConfigError> {
        let text = read_file(file)?;
        Self::read(Some((&file.display().to_string(), &text)), environment(), flags)
    }

    /// Reads a configuration from given parts: a file's name and text, an environment, flags.
    ///
    /// # Errors
    /// With everything that is wrong.
    pub fn read(
        file: Option<(&str, &str)>,
        environment: impl Iterator<Item = (String, String)>,
        flags: &Flags,
    ) -> Result<Self, ConfigError> {
        let (settings, mut problems) = layers::gather(file, environment, flags.values());
        let store = store::read(&settings, &mut problems);
        let rest = box_settings::read(&settings, &mut problems);
        match (store, rest) {
            (Some((store, zone)), Some(rest)) if problems.is_empty() => Ok(Self {
                store: Arc::new(store),
                zone,
                data: rest.data,
                http: rest.http,
                controllers: rest.controllers,
                cloud: rest.cloud,
                devices: rest.devices,
                log: rest.log,
                settings,
            }),
            _ => Err(ConfigError::Wrong(problems)),
        }
    }

    /// The data directory alone, for commands that need nothing else: what the other sections say does not matter.
    ///
    /// A command must never act on another store than the one that was meant. So everything that could have named the
    /// folder has to be read and right, unless `--data` names it; only the default file may be absent.
    ///
    /// # Errors
    /// If the file cannot be read or is not TOML, has a section that does not exist, or something in `[data]` is wrong.
    pub fn data_dir(file: &Path, flags: &Flags) -> Result<PathBuf, ConfigError> {
        find_data_dir(file, environment(), flags)
    }

    /// The effective configuration, as a file that says so, with the source of each value behind it.
    #[must_use]
    pub fn effective(&self) -> impl fmt::Display + '_ {
        Effective(&self.settings)
    }
}

fn find_data_dir(
    file: &Path,
    environment: impl Iterator<Item = (String, String)>,
    flags: &Flags,
) -> Result<PathBuf, ConfigError> {
    let text = match read_file(file) {
        _ if flags.data.is_some() => None,
        Ok(text) => Some(text),
        Err(ConfigError::Unreadable { reason, .. })
            if reason.kind() == std::io::ErrorKind::NotFound && file == Path::new(DEFAULT_FILE) =>
        {
            None
        }
        Err(error) => return Err(error),
    };
    let name = file.display().to_string();
    let file = text.as_deref().map(|text| (&*name, text));
    // Under the flag only the flag counts, as for the file.
    let environment = environment.filter(|_| flags.data.is_none());
    let (settings, mut problems) = layers::gather_one("data", file, environment, flags.values());
    let section = settings.sections.get("data").cloned().unwrap_or_default();
    match box_settings::data(&section, &mut problems) {
        Some(data) if problems.is_empty() => Ok(data.dir),
        _ => Err(ConfigError::Wrong(problems)),
    }
}

fn read_file(path: &Path) -> Result<String, ConfigError> {
    let unreadable = |reason| ConfigError::Unreadable { path: path.to_owned(), reason };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err(ConfigError::TooLarge { path: path.to_owned() });
    }
    Ok(text)
}

/// The process's environment. What is not UTF-8 is left out: it is no variable of ours.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(readable)
}

fn readable((name, value): (std::ffi::OsString, std::ffi::OsString)) -> Option<(String, String)> {
    Some((name.into_string().ok()?, value.into_string().ok()?))
}

struct Effective<'a>(&'a Settings);

impl fmt::Display for Effective<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for name in keys::SECTIONS {
            for item in self.0.lists.get(name).into_iter().flatten() {
                writeln!(f, "[[{name}]]")?;
                write_section(f, name, item)?;
            }
            if let Some(section) = self.0.sections.get(name) {
                writeln!(f, "[{name}]")?;
                write_section(f, name, section)?;
            }
        }
        Ok(())
    }
}

fn write_section(f: &mut fmt::Formatter<'_>, name: &str, section: &layers::Section) -> fmt::Result {
    let known: Vec<&str> = keys::of(name).map(|key| key.name).collect();
    let order = |key: &str| known.iter().position(|known| *known == key).unwrap_or(known.len());
    let mut settings: Vec<_> = section.iter().collect();
    settings.sort_by_key(|(key, _)| (order(key), *key));
    for (key, setting) in settings {
        let key = if key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-') {
            key.clone()
        } else {
            toml::Value::String(key.clone()).to_string()
        };
        let line = format!("{key} = {}", setting.value);
        writeln!(f, "{line:<44} # {}", setting.source)?;
    }
    writeln!(f)
}
