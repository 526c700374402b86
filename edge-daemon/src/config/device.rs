//! The devices at the counters: `[[printer]]`, `[[drawer]]`, `[[scanner]]`, `[[scale]]` and `[[display]]`.
//!
//! A port says how a device is reached: `tcp:192.168.1.50:9100`, `serial:/dev/serial/by-id/usb-…`, `usb:/dev/usb/lp0`,
//! `printer:receipts` (a drawer on that printer's connector), or `virtual`, which only the demo can plug in.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use device_drivers::{
    CodePage, Dialect, DrawerPin, Framing, Language, Layout, Line, Logo, LogoError, Page, Profile, Pulse,
    Route, Talk, Unit,
};

use pos_domain::event::DeviceSetup;

use super::error::Problem;
use super::layers::{self, Settings};
use super::ports::{Hardware, display_port, drawer_port, line, printer_port, scanner_port, serial_port};
use super::section::Reader;

/// A device at a counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceConfig {
    /// What the box, its events and its addresses call it; no two have the same.
    pub id: String,
    /// The till that it stands at and that has it claimed from the start; without one it is for all.
    pub terminal: Option<String>,
    /// What it is, and how it is reached.
    pub model: Model,
}

/// What a device is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Model {
    /// POSPrinter.
    Printer(PrinterConfig),
    /// CashDrawer.
    Drawer(DrawerConfig),
    /// Scanner.
    Scanner(ScannerConfig),
    /// Scale.
    Scale(ScaleConfig),
    /// LineDisplay.
    Display(DisplayConfig),
}

/// A printer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrinterConfig {
    /// Where it is; `None`: a virtual one.
    pub route: Option<Route>,
    /// What is known about its model.
    pub profile: Profile,
    /// What is printed on it.
    pub role: PrinterRole,
}

/// What a printer is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrinterRole {
    /// Receipts.
    Receipts {
        /// Whether each completed sale is printed by itself.
        auto_print: bool,
    },
    /// Slips for a kitchen or a stock room: what was sold of these departments, without prices.
    Orders {
        /// The departments; none: all.
        departments: Vec<String>,
    },
}

/// A cash drawer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrawerConfig {
    /// What opens it.
    pub port: DrawerPort,
    /// Whether its switch is wired, and the level of the sense pin when it is open.
    pub open_when_high: Option<bool>,
    /// How its solenoid is driven, where that is not a printer's affair.
    pub pulse: Pulse,
    /// A controller says when it is open for longer, seconds; never at 0.
    pub open_too_long_s: u16,
}

/// What opens a drawer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DrawerPort {
    /// The connector of the printer with this id.
    Printer(String),
    /// One of our own controllers.
    Controller(Hardware),
    /// Lines of a chip of this machine.
    Pins {
        /// The chip, such as `/dev/gpiochip0`.
        chip: PathBuf,
        /// The line that drives the solenoid.
        line: u32,
        /// The line that the switch hangs on, if there is one.
        sense_line: Option<u32>,
    },
}

/// Where a scanner is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScannerPort {
    /// On a serial line.
    Serial(PathBuf),
    /// A keyboard of its own.
    Keyboard(PathBuf),
    /// One of our own controllers.
    Controller(Hardware),
}

/// A scanner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScannerConfig {
    /// Its port; `None`: a virtual one.
    pub port: Option<ScannerPort>,
    /// How a serial line is set.
    pub line: Line,
    /// How the end of a scan is known on a serial line.
    pub framing: Framing,
    /// The layout that a scanner types in.
    pub layout: Layout,
    /// What a controller reads: one bit a symbology, as the link numbers them.
    pub symbologies: u32,
    /// The same code within this time is one scan to a controller, milliseconds.
    pub double_read_ms: u16,
    /// Whether what it scans goes onto the open sale of the till that has it claimed.
    pub adds_to_sale: bool,
}

/// A scale on a serial line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScaleConfig {
    /// Its port; `None`: a virtual one.
    pub path: Option<PathBuf>,
    /// How the line is set.
    pub line: Line,
    /// How it talks.
    pub talk: Talk,
}

/// Where a display is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DisplayPort {
    /// On a serial line.
    Serial(PathBuf),
    /// At an address of an I2C bus.
    I2c(PathBuf, u8),
}

/// A customer's display.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisplayConfig {
    /// Its port; `None`: a virtual one.
    pub port: Option<DisplayPort>,
    /// How the line is set.
    pub line: Line,
    /// Its language.
    pub dialect: Dialect,
}

#[cfg(test)]
impl DrawerConfig {
    /// One with the usual settings, without a switch.
    pub(crate) fn at(port: DrawerPort) -> Self {
        Self { port, open_when_high: None, pulse: Pulse::default(), open_too_long_s: 0 }
    }
}

#[cfg(test)]
impl ScannerConfig {
    /// One with the usual settings.
    pub(crate) fn at(port: Option<ScannerPort>) -> Self {
        let (line, framing, layout) = (Line::default(), Framing::Line, Layout::Us);
        let (symbologies, double_read_ms, adds_to_sale) = (0x7f, 500, false);
        Self { port, line, framing, layout, symbologies, double_read_ms, adds_to_sale }
    }
}

impl DeviceConfig {
    /// What the device is, by UnifiedPOS's name.
    #[must_use]
    pub fn class(&self) -> &'static str {
        match self.model {
            Model::Printer(_) => "POSPrinter",
            Model::Drawer(_) => "CashDrawer",
            Model::Scanner(_) => "Scanner",
            Model::Scale(_) => "Scale",
            Model::Display(_) => "LineDisplay",
        }
    }

    /// The controller that it hangs on, if it is one of our own.
    #[must_use]
    pub fn controller(&self) -> Option<Hardware> {
        match &self.model {
            Model::Drawer(DrawerConfig { port: DrawerPort::Controller(hardware), .. })
            | Model::Scanner(ScannerConfig { port: Some(ScannerPort::Controller(hardware)), .. }) => {
                Some(*hardware)
            }
            _ => None,
        }
    }

    /// Whether only a demo can plug it in.
    #[must_use]
    pub fn is_virtual(&self) -> bool {
        self.port() == VIRTUAL
    }

    /// How it is reached, as the configuration says it.
    #[must_use]
    pub fn port(&self) -> String {
        let serial = |path: &Option<PathBuf>| match path {
            Some(path) => format!("serial:{}", path.display()),
            None => VIRTUAL.to_owned(),
        };
        match &self.model {
            Model::Printer(printer) => match &printer.route {
                Some(Route::Tcp(address)) => format!("tcp:{address}"),
                Some(Route::Serial { path, .. }) => format!("serial:{}", path.display()),
                Some(Route::File(path)) => format!("usb:{}", path.display()),
                None => VIRTUAL.to_owned(),
            },
            Model::Drawer(drawer) => match &drawer.port {
                DrawerPort::Controller(hardware) => format!("controller:{hardware}"),
                DrawerPort::Printer(id) => format!("printer:{id}"),
                DrawerPort::Pins { chip, line, sense_line: None } => {
                    format!("gpio:{}:{line}", chip.display())
                }
                DrawerPort::Pins { chip, line, sense_line: Some(sense) } => {
                    format!("gpio:{}:{line}:{sense}", chip.display())
                }
            },
            Model::Scanner(scanner) => match &scanner.port {
                Some(ScannerPort::Keyboard(path)) => format!("hid:{}", path.display()),
                Some(ScannerPort::Serial(path)) => format!("serial:{}", path.display()),
                Some(ScannerPort::Controller(hardware)) => format!("controller:{hardware}"),
                None => VIRTUAL.to_owned(),
            },
            Model::Scale(scale) => serial(&scale.path),
            Model::Display(display) => match &display.port {
                Some(DisplayPort::I2c(bus, address)) => format!("i2c:{}:{address:#04x}", bus.display()),
                Some(DisplayPort::Serial(path)) => format!("serial:{}", path.display()),
                None => VIRTUAL.to_owned(),
            },
        }
    }
}

pub(super) const VIRTUAL: &str = "virtual";

/// Reads them; `None` if a problem was noted.
pub(super) fn read(settings: &Settings, problems: &mut Vec<Problem>) -> Option<Vec<DeviceConfig>> {
    let before = problems.len();
    let (mut devices, mut sections) = (Vec::new(), Vec::new());
    let mut ids = BTreeSet::new();
    for (name, model) in READERS {
        for section in settings.lists.get(name).into_iter().flatten() {
            let reader = &mut Reader { name, section, problems };
            let id = reader.short_name("id");
            if let Some(id) = id.as_ref().filter(|id| !ids.insert((*id).clone())) {
                reader.wrong(
                    "id",
                    format_args!("another device is called \"{id}\" already; give each its own"),
                );
            }
            let terminal =
                if reader.has("terminal") { reader.short_name("terminal").map(Some) } else { Some(None) };
            if let (Some(id), Some(terminal), Some(model)) = (id, terminal, model(reader)) {
                devices.push(DeviceConfig { id, terminal, model });
                sections.push((name, section));
            }
        }
    }
    let mut ports = BTreeSet::new();
    for (section, device) in sections.iter().zip(&devices).filter(|(_, device)| !device.is_virtual()) {
        if !ports.insert(device.port()) {
            let reader = &mut Reader { name: section.0, section: section.1, problems };
            reader.wrong("port", format_args!("another device is at \"{}\" already", device.port()));
        }
    }
    for section in settings.lists.get("drawer").into_iter().flatten() {
        let reader = &mut Reader { name: "drawer", section, problems };
        // What is wrong with it otherwise was said above.
        let port = reader.text("port", 4096).and_then(|text| drawer_port(&text).ok());
        let Some(DrawerPort::Printer(id)) = port else { continue };
        if !devices.iter().any(|device| device.id == id && matches!(device.model, Model::Printer(_))) {
            reader.wrong("port", format_args!("there is no printer called \"{id}\""));
        }
    }
    (problems.len() == before).then_some(devices)
}

/// Reads a device that was configured while the box ran. It may only reach into `/dev`.
///
/// # Errors
/// With everything that is wrong, in words.
pub fn device_of(setup: &DeviceSetup) -> Result<DeviceConfig, String> {
    let Some((name, model)) = READERS.iter().find(|(name, _)| *name == setup.section) else {
        let known = READERS.map(|(name, _)| name).join(", ");
        return Err(format!("there is no section `{}`; there are {known}", setup.section));
    };
    let mut problems = Vec::new();
    let (section, unknown) = layers::section_of(name, &setup.settings);
    if let Some(key) = unknown.first() {
        return Err(format!("unknown key `{key}` in [{name}]"));
    }
    let reader = &mut Reader { name, section: &section, problems: &mut problems };
    let terminal = if reader.has("terminal") { reader.short_name("terminal").map(Some) } else { Some(None) };
    let read = terminal.zip(model(reader));
    let device = read.map(|(terminal, model)| DeviceConfig { id: setup.id.clone(), terminal, model });
    let Some(device) = device.filter(|_| problems.is_empty()) else {
        let words: Vec<_> = problems.into_iter().map(|problem| problem.what).collect();
        return Err(words.join("; "));
    };
    let port = device.port();
    // Whoever may configure a device must not have the box write into files, or open what only looks like a device.
    let path = port.split_once(':').map(|(_, rest)| rest).filter(|rest| rest.starts_with('/'));
    let strange = path
        .is_some_and(|path| path.contains("/../") || !DEVICES.iter().any(|known| path.starts_with(known)));
    if device.is_virtual() || strange || setup.settings.contains_key("logo") {
        return Err(format!(
            "port \"{port}\": virtual devices, logos, and ports other than {} can be set in the configuration file only",
            DEVICES.join("…, ")
        ));
    }
    Ok(device)
}

/// What the paths of ports begin with that may be named over the API.
const DEVICES: [&str; 9] = [
    "/dev/serial/",
    "/dev/ttyS",
    "/dev/ttyUSB",
    "/dev/ttyACM",
    "/dev/ttyAMA",
    "/dev/usb/lp",
    "/dev/input/by-id/",
    "/dev/i2c-",
    "/dev/gpiochip",
];

type ReadModel = fn(&mut Reader<'_>) -> Option<Model>;

const READERS: [(&str, ReadModel); 5] =
    [("printer", printer), ("drawer", drawer), ("scanner", scanner), ("scale", scale), ("display", display)];

fn printer(reader: &mut Reader<'_>) -> Option<Model> {
    let line = reader.parsed("line", line);
    let route = reader.parsed("port", |text| printer_port(text, line));
    let paper = reader.choice("paper", &[("80mm", true), ("58mm", false)]);
    let auto_print = reader.flag("auto_print");
    let departments = reader.lines("departments", 100, 100);
    let languages = [("escpos", Language::EscPos), ("lines", Language::Lines)];
    let language = reader.choice("language", &languages);
    let logo = if reader.has("logo") { reader.parsed("logo", logo).map(Some) } else { Some(None) };
    let receipts = reader.choice("role", &[("receipts", true), ("orders", false)]);
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
    profile.language = language?;
    profile.logo = logo?;
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
    let (auto_print, departments) = (auto_print?, departments?);
    let role =
        if receipts? { PrinterRole::Receipts { auto_print } } else { PrinterRole::Orders { departments } };
    Some(Model::Printer(PrinterConfig { route: route?, profile, role }))
}

fn logo(path: &str) -> Result<Arc<Logo>, LogoError> {
    Logo::read(Path::new(path)).map(Arc::new)
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

fn drawer(reader: &mut Reader<'_>) -> Option<Model> {
    let port = reader.parsed("port", drawer_port);
    let senses = reader.flag("senses");
    let levels = [("high", true), ("low", false)];
    let high = reader.choice("open_when", &levels);
    let active = reader.choice("active", &levels);
    let on = reader.integer("pulse_ms", 20..=500).and_then(|millis| u64::try_from(millis).ok());
    let open_too_long_s =
        reader.integer("open_too_long_s", 0..=3_600).and_then(|long| u16::try_from(long).ok());
    let pulse = Pulse { on: Duration::from_millis(on?), active_low: !active?, ..Pulse::default() };
    let open_when_high = senses?.then_some(high?);
    Some(Model::Drawer(DrawerConfig {
        port: port?,
        open_when_high,
        pulse,
        open_too_long_s: open_too_long_s?,
    }))
}

fn scanner(reader: &mut Reader<'_>) -> Option<Model> {
    let port = reader.parsed("port", scanner_port);
    let layout = reader.choice("layout", &[("us", Layout::Us), ("de", Layout::German)]);
    let line = reader.parsed("line", line);
    let idle = Framing::Idle(Duration::from_millis(60));
    let framing = reader.choice("ends", &[("line", Framing::Line), ("pause", idle)]);
    let adds_to_sale = reader.flag("adds_to_sale");
    let symbologies = symbologies(reader);
    let double_read_ms = reader.integer("double_read_ms", 0..=5_000).and_then(|ms| u16::try_from(ms).ok());
    let scanner = ScannerConfig {
        port: port?,
        line: line?,
        framing: framing?,
        layout: layout?,
        symbologies: symbologies?,
        double_read_ms: double_read_ms?,
        adds_to_sale: adds_to_sale?,
    };
    Some(Model::Scanner(scanner))
}

/// In the order of the link's bits.
const SYMBOLOGIES: [&str; 7] = ["ean13", "ean8", "upca", "upce", "code128", "gs1-128", "itf"];

fn symbologies(reader: &mut Reader<'_>) -> Option<u32> {
    let names = reader.lines("symbologies", SYMBOLOGIES.len(), 20)?;
    let bit = |name: &String| SYMBOLOGIES.iter().position(|known| known == name).map(|bit| 1_u32 << bit);
    let bits = names.iter().map(bit).try_fold(0, |bits, bit| Some(bits | bit?));
    if bits.is_none() {
        let known = SYMBOLOGIES.join(", ");
        reader.wrong("symbologies", format_args!("a controller reads {known}"));
    }
    bits
}

fn scale(reader: &mut Reader<'_>) -> Option<Model> {
    let path = reader.parsed("port", serial_port);
    let line = reader.parsed("line", line);
    let units = [("kg", Unit::Kilogram), ("g", Unit::Gram), ("lb", Unit::Pound)];
    let unit = reader.choice("unit", &units);
    let places = reader.small("places", 0..=3);
    let polled = reader.choice("talk", &[("polled", true), ("continuous", false)]);
    let talk = if polled? { Talk::Polled { unit: unit?, places: places? } } else { Talk::Continuous };
    Some(Model::Scale(ScaleConfig { path: path?, line: line?, talk }))
}

fn display(reader: &mut Reader<'_>) -> Option<Model> {
    let port = reader.parsed("port", display_port);
    let line = reader.parsed("line", line);
    let escpos = Dialect::EscPos(CodePage::Pc858, 19);
    let dialect = reader.choice("dialect", &[("cd5220", Dialect::Cd5220), ("escpos", escpos)]);
    Some(Model::Display(DisplayConfig { port: port?, line: line?, dialect: dialect? }))
}
