//! How devices are reached, as the configuration says it.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use device_drivers::{Evenness, Line, Route};

use super::device::{DisplayPort, DrawerPort, ScannerPort, VIRTUAL};

/// The number of a controller's chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hardware(pub [u8; 8]);

impl Hardware {
    /// From 16 hexadecimal digits.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u64::from_str_radix(text, 16).ok().filter(|_| digits)?;
        Some(Self(number.to_be_bytes()))
    }
}

impl fmt::Display for Hardware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

pub(super) fn printer_port(text: &str, line: Option<Line>) -> Result<Option<Route>, String> {
    let route = match text.split_once(':') {
        None if text == VIRTUAL => return Ok(None),
        Some(("tcp", address)) => {
            let with_port = address.parse::<SocketAddr>();
            let address =
                with_port.or_else(|_| address.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 9100)));
            address.ok().map(Route::Tcp)
        }
        Some(("serial", path)) if path.starts_with('/') => {
            Some(Route::Serial { path: path.into(), line: line.unwrap_or_default() })
        }
        Some(("usb", path)) if path.starts_with('/') => Some(Route::File(path.into())),
        _ => None,
    };
    let wrong = || {
        format!(
            "\"{text}\" is no port; write \"tcp:\" and the printer's IP address (\"tcp:192.168.1.50:9100\"), \"serial:\" and \
             its stable name (`ls /dev/serial/by-id` shows them), or \"usb:\" and its device file (\"usb:/dev/usb/lp0\")"
        )
    };
    route.map(Some).ok_or_else(wrong)
}

pub(super) fn drawer_port(text: &str) -> Result<DrawerPort, String> {
    let pins = |rest: &str| {
        let mut parts = rest.split(':');
        let chip = parts.next().filter(|chip| chip.starts_with('/'))?.into();
        let line = parts.next()?.parse().ok()?;
        let sense_line = parts.next().map(str::parse).transpose().ok()?;
        parts.next().is_none().then_some(DrawerPort::Pins { chip, line, sense_line })
    };
    let port = match text.split_once(':') {
        Some(("printer", id)) if !id.is_empty() => Some(DrawerPort::Printer(id.to_owned())),
        Some(("gpio", rest)) => pins(rest),
        Some(("controller", number)) => Hardware::parse(number).map(DrawerPort::Controller),
        _ => None,
    };
    port.ok_or_else(|| {
        format!(
            "\"{text}\" opens no drawer; write \"printer:\" and the id of the printer it hangs on, \"controller:\" and the 16 digits \
             on the controller's label, or \"gpio:\", a chip, the solenoid's line and perhaps the switch's: \
             \"gpio:/dev/gpiochip0:17:27\""
        )
    })
}

pub(super) fn scanner_port(text: &str) -> Result<Option<ScannerPort>, String> {
    match text.split_once(':') {
        None if text == VIRTUAL => Ok(None),
        Some(("serial", path)) if path.starts_with('/') => Ok(Some(ScannerPort::Serial(path.into()))),
        Some(("hid", path)) if path.starts_with('/') => Ok(Some(ScannerPort::Keyboard(path.into()))),
        Some(("controller", number)) if let Some(hardware) = Hardware::parse(number) => {
            Ok(Some(ScannerPort::Controller(hardware)))
        }
        _ => Err(format!(
            "\"{text}\" is no port; write \"serial:\" and the device's stable name (`ls /dev/serial/by-id` shows them), for a \
             scanner that types \"hid:\" and its name below /dev/input/by-id, or \"controller:\" and the 16 digits on the \
             controller's label"
        )),
    }
}

pub(super) fn display_port(text: &str) -> Result<Option<DisplayPort>, String> {
    let on_bus = |rest: &str| {
        let (bus, address) = rest.split_once(':')?;
        let address = u8::from_str_radix(address.strip_prefix("0x")?, 16).ok()?;
        // What lies outside is reserved by the bus.
        let usual = bus.starts_with('/') && (0x08..0x78).contains(&address);
        usual.then(|| DisplayPort::I2c(bus.into(), address))
    };
    match text.split_once(':') {
        None if text == VIRTUAL => Ok(None),
        Some(("serial", path)) if path.starts_with('/') => Ok(Some(DisplayPort::Serial(path.into()))),
        Some(("i2c", rest)) => on_bus(rest).map(Some).ok_or_else(|| {
            format!("\"{text}\" is no port; write a bus and an address: \"i2c:/dev/i2c-1:0x27\"")
        }),
        _ => serial_port(text).map(|path| path.map(DisplayPort::Serial)),
    }
}

pub(super) fn serial_port(text: &str) -> Result<Option<PathBuf>, String> {
    match text.split_once(':') {
        None if text == VIRTUAL => Ok(None),
        Some(("serial", path)) if path.starts_with('/') => Ok(Some(path.into())),
        _ => Err(format!(
            "\"{text}\" is no port; write \"serial:\" and the device's stable name, such as \
             \"serial:/dev/serial/by-id/usb-…\" (`ls /dev/serial/by-id` shows them)"
        )),
    }
}

/// The line of a controller.
pub(super) fn controller_line(text: &str) -> Result<PathBuf, String> {
    match text.split_once(':') {
        Some(("serial", path)) if path.starts_with('/') => Ok(path.into()),
        _ => Err(format!(
            "\"{text}\" is no line; write \"serial:\" and the stable name of the port that a controller hangs on \
             (`ls /dev/serial/by-id` shows them)"
        )),
    }
}

/// `9600 8N1`, or with `xon` behind it.
pub(super) fn line(text: &str) -> Result<Line, String> {
    let mut words = text.split(' ');
    let baud = words.next().and_then(|word| word.parse().ok()).filter(|baud| (300..=921_600).contains(baud));
    let format = match words.next() {
        Some("8N1") => Some((false, None)),
        Some("7E1") => Some((true, Some(Evenness::Even))),
        Some("7O1") => Some((true, Some(Evenness::Odd))),
        Some("8E1") => Some((false, Some(Evenness::Even))),
        Some("8O1") => Some((false, Some(Evenness::Odd))),
        _ => None,
    };
    let flow = match words.next() {
        None => Some(false),
        Some("xon") => Some(true),
        Some(_) => None,
    };
    match (baud, format, flow, words.next()) {
        (Some(baud), Some((seven_bits, parity)), Some(xon_xoff), None) => {
            Ok(Line { baud, seven_bits, parity, xon_xoff })
        }
        _ => Err(format!(
            "\"{text}\" sets no line; write its speed and form, \"9600 8N1\" or \"9600 7E1\", and \"xon\" behind it \
             where the device stops its sender by XON/XOFF"
        )),
    }
}
