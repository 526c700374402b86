//! Peripherals of a shop's counter, by the names of UnifiedPOS, and virtual ones that speak the real wire.
//!
//! Each device has a folder with the same three layers. The *protocol* turns what the shop means into what
//! the device understands and back; it is a function or a state machine without I/O, so that it can be
//! tested byte by byte. The *driver* gives it a connection and a clock. The *fault* is a typed error that
//! says what happened, what to do, and by its [`Kind`] whose job that is. Sockets, ports, pins and buses are
//! touched in `rim` only.
//!
//! | device | hangs on | virtual |
//! |---|---|---|
//! | Scanner | [`SerialScanner`], [`WedgeScanner`] (a keyboard, grabbed) | [`VirtualScanner`], [`VirtualWedge`] |
//! | Scale | [`SerialScale`], polled or continuous | [`VirtualScale`] |
//! | LineDisplay | [`SerialDisplay`], [`I2cDisplay`] | [`VirtualDisplay`] |
//! | POSPrinter, and the CashDrawer on its connector | [`PosPrinter`] at the end of a [`Route`] | [`VirtualPrinter`] |
//! | CashDrawer | [`DrawerPins`] of this machine, or any pins: [`GpioDrawer`] | – |
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

mod code_page;
mod display;
mod drawer;
mod fault;
mod moment;
mod paper;
mod printer;
mod rim;
mod scale;
mod scanner;
mod sim;
mod wire;

pub use code_page::CodePage;
pub use display::bus::I2cDisplay;
pub use display::char_lcd::{CharLcd, Glass};
pub use display::driver::{Display, DisplayFault, SerialDisplay};
pub use display::proto::{COLUMNS, Dialect, DisplayLine, begin, show};
pub use display::wire::{DisplayWire, SHOWN_WITHIN};
pub use drawer::driver::{DrawerPins, GpioDrawer, LinuxDrawer};
pub use drawer::duty::Pulse;
pub use drawer::fault::DrawerFault;
pub use drawer::watch::{DrawerEvent, DrawerWatch, Sensing};
pub use fault::{Device, DeviceFault, Kind};
pub use moment::{Clock, Moment};
pub use paper::{Look, Mark, Paper, Run, Side};
pub use printer::driver::{PosPrinter, Report};
pub use printer::fault::Fault;
pub use printer::kick::Kicked;
pub use printer::logo::{Logo, LogoError};
pub use printer::outcome::{Outcome, Patience};
pub use printer::profile::{DrawerPin, Language, Page, Profile};
pub use printer::proto::{Job, encode};
pub use printer::session::Session;
pub use printer::status::Status;
pub use rim::link::Route;
pub use rim::serial::{Evenness, Line};
pub use scale::driver::{Scale, ScaleFault, SerialScale};
pub use scale::proto::{ScaleReader, Talk};
pub use scale::session::SILENT_AFTER;
pub use scale::weight::{Gate, Reading, Unit, Unsettled, Weight};
pub use scale::wire::ScaleWire;
pub use scanner::driver::{Scanner, ScannerFault, SerialScanner};
pub use scanner::keys::{KeyEvent, KeyReader};
pub use scanner::layout::Layout;
pub use scanner::proto::{Framing, HALF, MAX_SCAN, Refused, ScanReader};
pub use scanner::wedge::WedgeScanner;
pub use scanner::wire::ScannerWire;
pub use sim::decoder::{Decoded, Decoder, Event, Kick, decode};
pub use sim::display::VirtualDisplay;
pub use sim::printer::{Faults, Plugged, Receipt, VirtualPrinter};
pub use sim::scale::{ScaleFaults, VirtualScale};
pub use sim::scanner::{ScannerFaults, VirtualScanner};
pub use sim::screen::Screen;
pub use sim::wedge::VirtualWedge;
pub use wire::WireFault;
