//! Peripherals of a shop's counter, by the names of UnifiedPOS, and virtual ones that speak the real wire.
//!
//! Each device has a folder with the same three layers. The *protocol* turns what the shop means into what the device
//! understands and back, without I/O, so that it can be tested byte by byte. The *driver* gives it a connection and a clock. The
//! *fault* is a typed error: what happened, what to do, by its [`Kind`] whose job that is. `rim` alone does I/O.
//!
//! | device | hangs on | virtual |
//! |---|---|---|
//! | Scanner | [`SerialScanner`], [`WedgeScanner`] (a keyboard, grabbed) | [`VirtualScanner`], [`VirtualWedge`] |
//! | Scale | [`SerialScale`], polled or continuous | [`VirtualScale`] |
//! | LineDisplay | [`SerialDisplay`], [`I2cDisplay`] | [`VirtualDisplay`] |
//! | POSPrinter, and the CashDrawer on its connector | [`PosPrinter`] at the end of a [`Route`] | [`VirtualPrinter`] |
//! | CashDrawer | [`DrawerPins`] of this machine, or any pins: [`GpioDrawer`] | – |
//! | our own controllers of scanners and drawers | [`ControllerLine`] | [`VirtualController`] |
//!
//! ```text
//!  Document ──encode──> Job ──PosPrinter──> TCP 9100 ──> printer, or VirtualPrinter
//!     │                                                        │ decode
//!     └────────────────> Paper <───────────────────────────────┘
//!                          └──> text, SVG
//! ```
//!
//! Printing has three outcomes, never two. *Printed* needs the printer's own word, given after the job.
//! *Not printed* is said only if not one byte of the job left. Everything between is *unknown*, and then a
//! person looks at the paper.
//!
//! ```
//! use device_drivers::{Paper, Profile, encode};
//! use pos_domain::receipt::{Block, Document};
//!
//! let receipt: Document = [Block::row("Crème fraîche", "1,49 €"), Block::Cut].into_iter().collect();
//! let job = encode(&receipt, &Profile::epson_80_mm());
//! assert_eq!((job.similar, job.lost), (0, 0));
//! assert!(Paper::of(&receipt, 42).to_svg().starts_with("<svg"));
//! ```
//!
//! # Without an operating system
//!
//! Codecs and state machines are told bytes and the time ([`Moment`]) and need nothing else. Drivers are generic over the
//! traits of embedded-hal and embedded-io-async: one body runs on a controller's bus, on Linux, and on a mock. The features:
//!
//! | feature | for | has |
//! |---|---|---|
//! | none | firmware, no heap | the codecs of scanner, scale, display and drawer; [`ScannerWire`], [`ScaleWire`], [`DisplayWire`] on any serial line, [`CharLcd`] on any I2C bus, [`Coil`] on any pin |
//! | `alloc` | a heap | quantities of the domain ([`Weight::kilograms`]), lines as text ([`DisplayLine::text`]) |
//! | `std`, the default | Linux | the kernel's ports, buses and pins; printers, whose documents live on the heap; all that is virtual |

#![cfg_attr(not(feature = "std"), no_std)]

#[cfg(feature = "alloc")]
extern crate alloc;

mod code_page;
mod display;
mod drawer;
#[cfg(feature = "std")]
mod fault;
mod moment;
#[cfg(feature = "std")]
mod paper;
#[cfg(feature = "std")]
mod printer;
#[cfg(feature = "std")]
mod rim;
mod scale;
mod scanner;
#[cfg(feature = "std")]
mod sim;
mod wire;

pub use code_page::CodePage;
pub use display::char_lcd::{CharLcd, Glass};
pub use display::proto::{COLUMNS, Dialect, DisplayLine, begin, show};
pub use display::wire::{DisplayWire, SHOWN_WITHIN};
pub use drawer::coil::Coil;
pub use drawer::duty::{Duty, Pulse};
pub use drawer::watch::{DrawerEvent, DrawerWatch, Sensing};
pub use moment::{Clock, Moment};
pub use scale::proto::{ScaleReader, Talk};
pub use scale::session::SILENT_AFTER;
pub use scale::weight::{Gate, Reading, Unit, Unsettled, Weight};
pub use scale::wire::ScaleWire;
pub use scanner::keys::{KeyEvent, KeyReader};
pub use scanner::layout::Layout;
pub use scanner::proto::{Framing, HALF, MAX_SCAN, Refused, ScanReader};
pub use scanner::wire::ScannerWire;
pub use wire::WireFault;

#[cfg(feature = "std")]
pub use self::{
    display::bus::I2cDisplay,
    display::driver::{Display, DisplayFault, SerialDisplay},
    drawer::driver::{DrawerPins, GpioDrawer, LinuxDrawer},
    drawer::fault::DrawerFault,
    fault::{Device, DeviceFault, Kind},
    paper::{Look, Mark, Paper, Run, Side},
    printer::driver::{PosPrinter, Report},
    printer::fault::Fault,
    printer::kick::Kicked,
    printer::logo::{Logo, LogoError},
    printer::outcome::{Outcome, Patience},
    printer::profile::{DrawerPin, Language, Page, Profile},
    printer::proto::{Job, encode},
    printer::session::Session,
    printer::status::Status,
    rim::gpio::{GpioInput, GpioOutput},
    rim::serial::{Evenness, Line},
    rim::{controller::ControllerLine, link::Route},
    scale::driver::{Scale, ScaleFault, SerialScale},
    scanner::driver::{Scanner, ScannerFault, SerialScanner},
    scanner::wedge::WedgeScanner,
    sim::controller::{PluggedController, VirtualController},
    sim::decoder::{Decoded, Decoder, Event, Kick, decode},
    sim::display::VirtualDisplay,
    sim::printer::{Faults, Plugged, Receipt, VirtualPrinter},
    sim::scale::{ScaleFaults, VirtualScale},
    sim::scanner::{ScannerFaults, VirtualScanner},
    sim::screen::Screen,
    sim::wedge::VirtualWedge,
};
