//! The sections about the box itself: `[data]`, `[http]`, `[printer]` and `[log]`.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use device_drivers::{CodePage, DrawerPin, Page, Profile};

use super::error::Problem;
use super::layers::{Section, Settings};
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

/// The receipt printer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrinterConfig {
    /// What print jobs call it.
    pub name: String,
    /// Usually port 9100.
    pub address: SocketAddr,
    /// What is known about its model.
    pub profile: Profile,
    /// Whether each completed sale is printed by itself.
    pub auto_print: bool,
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
    pub(super) printer: Option<PrinterConfig>,
    pub(super) log: LogConfig,
}

/// Reads them; `None` if a problem was noted.
pub(super) fn read(settings: &Settings, problems: &mut Vec<Problem>) -> Option<BoxSettings> {
    let empty = Section::new();
    let section = |name| settings.sections.get(name).unwrap_or(&empty);
    let data = data(section("data"), problems);
    let http = http(section("http"), problems);
    let printer = settings.sections.get("printer").map(|section| printer(section, problems));
    let log = log(section("log"), problems);
    let printer = match printer {
        Some(printer) => Some(printer?),
        None => None,
    };
    Some(BoxSettings { data: data?, http: http?, printer, log: log? })
}

/// A relative folder is meant relative to the file that names it, else to the working directory.
fn data_dir(section: &Section, problems: &mut Vec<Problem>) -> Option<PathBuf> {
    let reader = &mut Reader { name: "data", section, problems };
    let dir = PathBuf::from(reader.text("dir", 4096)?);
    Some(match section.get("dir").map(|setting| &setting.source) {
        Some(Source::File { path, .. }) => {
            let beside =
                PathBuf::from(&**path).parent().map_or_else(|| dir.clone(), |folder| folder.join(&dir));
            // Without the dots of `dir = "."`.
            beside.components().collect()
        }
        _ => dir,
    })
}

pub(super) fn data(section: &Section, problems: &mut Vec<Problem>) -> Option<DataConfig> {
    let dir = data_dir(section, problems);
    let reader = &mut Reader { name: "data", section, problems };
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

fn printer(section: &Section, problems: &mut Vec<Problem>) -> Option<PrinterConfig> {
    let reader = &mut Reader { name: "printer", section, problems };
    let name = reader.short_name("name");
    let address = reader.parsed("address", printer_address);
    let paper = reader.choice("paper", &[("80mm", true), ("58mm", false)]);
    let auto_print = reader.flag("auto_print");
    let mut profile = if paper == Some(false) { Profile::epson_58_mm() } else { Profile::epson_80_mm() };
    let answers_status = reader.flag("answers_status");
    let cuts = reader.flag("cuts");
    let pin = reader.integer("drawer_pin", 2..=5);
    let pulse = reader.integer("drawer_pulse_ms", 2..=510);
    if reader.has("columns") {
        profile.columns = reader.small("columns", 16..=96)?;
    }
    if reader.has("qr_module_dots") {
        profile.qr_module_dots = reader.small("qr_module_dots", 1..=16)?;
    }
    if reader.has("code_pages") {
        profile.pages = code_pages(reader)?;
    }
    profile.answers_status = answers_status?;
    profile.cuts = cuts?;
    profile.drawer_pin = match pin? {
        2 => DrawerPin::Pin2,
        5 => DrawerPin::Pin5,
        _ => {
            reader.wrong("drawer_pin", "the drawer hangs on pin 2 (the first) or 5 (the second)");
            return None;
        }
    };
    profile.drawer_pulse_ms = u16::try_from(pulse?).ok()?;
    paper?;
    Some(PrinterConfig { name: name?, address: address?, profile, auto_print: auto_print? })
}

fn printer_address(text: &str) -> Result<SocketAddr, String> {
    let with_port = text.parse::<SocketAddr>();
    let address = with_port.or_else(|_| text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 9100)));
    address.map_err(|_| {
        format!("\"{text}\" is no address; write the printer's IP address: \"192.168.1.50:9100\"")
    })
}

/// `19:pc858`: the printer's own number of the page, and what it prints.
fn code_pages(reader: &mut Reader<'_>) -> Option<Vec<Page>> {
    let lines = reader.lines("code_pages", 32, 20)?;
    let page = |line: &String| {
        let (number, name) = line.split_once(':')?;
        let code_page = CodePage::ALL.into_iter().find(|page| format!("{page:?}").to_lowercase() == name)?;
        Some(Page { number: number.parse().ok()?, code_page })
    };
    let pages: Option<Vec<Page>> = lines.iter().map(page).collect();
    if pages.as_ref().is_none_or(Vec::is_empty) {
        let known = CodePage::ALL.map(|page| format!("{page:?}").to_lowercase()).join(", ");
        reader
            .wrong("code_pages", format_args!("write number:page, such as \"19:pc858\"; pages are {known}"));
        return None;
    }
    pages
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
