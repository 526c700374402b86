//! The sections about the box itself: `[data]`, `[http]`, `[controllers]`, `[cloud]` and `[log]`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::device::{self, DeviceConfig};
use super::error::Problem;
use super::layers::{Section, Settings};
use super::ports::controller_line;
use super::section::Reader;
use super::value::Source;

/// Where the store's data lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataConfig {
    /// The data directory.
    pub dir: PathBuf,
    /// Size of a journal segment in bytes.
    pub segment_bytes: u64,
    /// Memory that the views may use for their cache, in bytes.
    pub cache_bytes: u64,
}

/// Where terminals reach the box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpConfig {
    /// A loopback address; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Connections served at once; more wait.
    pub max_connections: usize,
}

/// Where the store's records are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudConfig {
    /// The broker's name, which its certificate has to have, and its port.
    pub broker: (String, u16),
    /// The file with the authority's certificates that the broker's has to be of.
    pub authority: PathBuf,
    /// The file with the box's own certificate.
    pub certificate: PathBuf,
    /// The file with its key.
    pub key: PathBuf,
    /// Whether records are compressed on their way.
    pub compress: bool,
    /// A record that has waited longer raises an alarm.
    pub alarm_after: Duration,
    /// More bytes that wait raise an alarm.
    pub alarm_bytes: u64,
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// A level, or a filter by module such as `info,edge_daemon::peripherals=debug`.
    pub level: String,
    /// One JSON object per line instead of text.
    pub json: bool,
}

/// The sections, read.
pub(super) struct BoxSettings {
    pub(super) data: DataConfig,
    pub(super) http: HttpConfig,
    pub(super) controllers: Vec<PathBuf>,
    pub(super) cloud: Option<CloudConfig>,
    pub(super) devices: Vec<DeviceConfig>,
    pub(super) log: LogConfig,
}

/// Reads them; `None` if a problem was noted.
pub(super) fn read(settings: &Settings, problems: &mut Vec<Problem>) -> Option<BoxSettings> {
    let empty = Section::new();
    let section = |name| settings.sections.get(name).unwrap_or(&empty);
    let data = data(section("data"), problems);
    let http = http(section("http"), problems);
    let controllers = controllers(section("controllers"), problems);
    let cloud = cloud(section("cloud"), problems);
    let devices = device::read(settings, problems);
    let log = log(section("log"), problems);
    Some(BoxSettings {
        data: data?,
        http: http?,
        controllers: controllers?,
        cloud: cloud?,
        devices: devices?,
        log: log?,
    })
}

/// A relative path is meant relative to the file that names it, else to the working directory.
fn path(reader: &mut Reader<'_>, key: &str) -> Option<PathBuf> {
    let path = PathBuf::from(reader.text(key, 4096)?);
    Some(match reader.section.get(key).map(|setting| &setting.source) {
        Some(Source::File { path: file, .. }) => {
            let beside =
                PathBuf::from(&**file).parent().map_or_else(|| path.clone(), |folder| folder.join(&path));
            // Without the dots of `dir = "."`.
            beside.components().collect()
        }
        _ => path,
    })
}

pub(super) fn data(section: &Section, problems: &mut Vec<Problem>) -> Option<DataConfig> {
    let reader = &mut Reader { name: "data", section, problems };
    let dir = path(reader, "dir");
    let mib = |count: i64| u64::try_from(count).unwrap_or(0) << 20;
    let segment_bytes = reader.integer("segment_mib", 1..=1024).map(mib);
    let cache_bytes = reader.integer("cache_mib", 8..=1024).map(mib);
    Some(DataConfig { dir: dir?, segment_bytes: segment_bytes?, cache_bytes: cache_bytes? })
}

fn http(section: &Section, problems: &mut Vec<Problem>) -> Option<HttpConfig> {
    let reader = &mut Reader { name: "http", section, problems };
    let listen = reader.parsed("listen", loopback);
    let max_connections = reader.integer("max_connections", 1..=100_000);
    Some(HttpConfig { listen: listen?, max_connections: usize::try_from(max_connections?).ok()? })
}

/// The lines that controllers hang on.
fn controllers(section: &Section, problems: &mut Vec<Problem>) -> Option<Vec<PathBuf>> {
    let reader = &mut Reader { name: "controllers", section, problems };
    let mut lines = Vec::new();
    for text in reader.lines("lines", 32, 4096)? {
        match controller_line(&text) {
            Ok(line) if lines.contains(&line) => {
                reader.wrong("lines", format_args!("\"{text}\" stands here twice"))
            }
            Ok(line) => lines.push(line),
            Err(wrong) => reader.wrong("lines", wrong),
        }
    }
    Some(lines)
}

/// The way to the cloud; `Some(None)` where there is none.
fn cloud(section: &Section, problems: &mut Vec<Problem>) -> Option<Option<CloudConfig>> {
    let reader = &mut Reader { name: "cloud", section, problems };
    if !reader.has("broker") {
        return Some(None);
    }
    let broker = reader.parsed("broker", broker);
    let files = ["authority", "certificate", "key"].map(|key| path(reader, key));
    let compress = reader.flag("compress");
    let minutes = reader.integer("alarm_minutes", 1..=100_000).map(|minutes| minutes.unsigned_abs() * 60);
    let mib = reader.integer("alarm_mib", 1..=100_000).map(|mib| mib.unsigned_abs() << 20);
    let [authority, certificate, key] = files;
    Some(Some(CloudConfig {
        broker: broker?,
        authority: authority?,
        certificate: certificate?,
        key: key?,
        compress: compress?,
        alarm_after: Duration::from_secs(minutes?),
        alarm_bytes: mib?,
    }))
}

/// A host's name or address, and a port.
fn broker(text: &str) -> Result<(String, u16), String> {
    let parts = text.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
    let good = |host: &str| host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    match parts {
        Some((host, port)) if !host.is_empty() && good(host) && port > 0 => Ok((host.to_owned(), port)),
        _ => Err(format!("\"{text}\" is no broker; write its name and its port: \"mqtt.example.com:8883\"")),
    }
}

/// There is no authentication yet: whoever reaches the port can sell, refund and read everything.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = match text.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}").parse(),
        None => text.parse(),
    }
    .map_err(|_| format!("\"{text}\" is no address; write an IP address and a port: \"127.0.0.1:8480\""))?;
    if address.ip().is_loopback() {
        return Ok(address);
    }
    Err(format!(
        "{address} can be reached from other machines, and there is no authentication yet: anybody there could sell, \
         refund and read everything. Listen on 127.0.0.1 or [::1], and reach the box through an SSH tunnel"
    ))
}

fn log(section: &Section, problems: &mut Vec<Problem>) -> Option<LogConfig> {
    let reader = &mut Reader { name: "log", section, problems };
    let level = reader.parsed("level", level);
    let json = reader.choice("format", &[("text", false), ("json", true)]);
    Some(LogConfig { level: level?, json: json? })
}

/// A level, then perhaps exceptions by module.
fn level(text: &str) -> Result<String, String> {
    let known = |level: &str| ["error", "warn", "info", "debug", "trace"].contains(&level);
    let good = |part: &str| match part.split_once('=') {
        Some((module, level)) => !module.is_empty() && known(level),
        None => known(part),
    };
    if text.split(',').all(good) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "\"{text}\" is no level; write \"error\", \"warn\", \"info\", \"debug\" or \"trace\", perhaps with exceptions: \
         \"info,edge_daemon::peripherals=debug\""
    ))
}
