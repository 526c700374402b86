//! How a device is, what happens at it, and why it does not do what it is asked.

use std::sync::Arc;
use std::time::Duration;

use device_drivers::Kind;
use pos_domain::event::DrawerJob;
use pos_domain::quantity::Quantity;
use pos_domain::time::Millis;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::controllers::About;
use super::ports::FoundPort;
use super::scanning::Scan;
use crate::config::Model;

/// How a device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DeviceState {
    /// Not reached yet, or not any more: unplugged, switched off, another name.
    Absent,
    /// There and well.
    Ready,
    /// At work.
    Busy,
    /// Work waits for it: for paper, for a closed cover…
    Waiting,
    /// There, but it cannot work.
    Faulty,
    /// Somebody disabled it.
    Disabled,
}

/// Whose job it is to mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Remedy {
    /// Time.
    Retry,
    /// The person at the counter.
    Operator,
    /// A technician.
    Technician,
    /// Nobody here.
    Broken,
}

impl From<Kind> for Remedy {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Retry => Self::Retry,
            Kind::Operator => Self::Operator,
            Kind::Broken => Self::Broken,
            _ => Self::Technician,
        }
    }
}

/// What was counted since the daemon's start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counters {
    /// How often it was opened.
    pub opened: u64,
    /// How often it was lost, or could not be opened although it was there.
    pub lost: u64,
    /// How often its driver hung and was ended.
    pub hung: u64,
    /// How often its driver panicked.
    pub panicked: u64,
    /// What it did: scans, sheets, openings, weights, texts.
    pub done: u64,
    /// What it sent that was refused, or what was asked of it that it could not do.
    pub refused: u64,
}

/// Everything that is known of a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// Its name.
    pub id: String,
    /// By UnifiedPOS's name.
    pub class: String,
    /// How it is reached.
    pub port: String,
    /// Whether it stands in the configuration file, and is changed there.
    pub fixed: bool,
    /// How it is.
    pub state: DeviceState,
    /// Why, in words, where it is not well.
    pub detail: String,
    /// Whose job it is to mend it, where it is not well.
    pub remedy: Option<Remedy>,
    /// Since when it is so.
    pub since: Millis,
    /// Whether it may be used.
    pub enabled: bool,
    /// The till that has it claimed.
    pub claimed_by: Option<Arc<str>>,
    /// What was counted.
    pub counters: Counters,
    /// The controller that it hangs on, where that is one of our own; as it was when it was there last.
    #[serde(skip)]
    pub controller: Option<Arc<About>>,
    /// What only devices of its class have.
    pub of_class: OfClass,
}

impl Condition {
    /// Whether nothing but what is counted is another.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let uncounted = |condition: &Self| {
            let controller = condition.controller.as_deref().map(About::uncounted);
            let counters = Counters::default();
            Self { counters, controller: controller.map(Arc::new), ..condition.clone() }
        };
        uncounted(self) == uncounted(other)
    }
}

/// What only devices of one class have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum OfClass {
    /// Nothing.
    #[default]
    Nothing,
    /// Of a printer.
    Printer {
        /// Sheets that wait, with the one that is being printed.
        jobs: usize,
        /// The roll will soon be at its end.
        paper_near_end: bool,
    },
    /// Of a drawer: whether it is open, where a switch says so.
    Drawer {
        /// Whether it is open.
        open: Option<bool>,
    },
    /// Of a scanner.
    Scanner {
        /// Whether what it scans goes onto its till's open sale.
        adds_to_sale: bool,
    },
    /// Of a scale: the weight that lies on it, in kilograms, where it is at rest.
    Scale {
        /// The weight.
        weight: Option<String>,
    },
    /// Of a display: what it shows.
    Display {
        /// Its two lines.
        lines: [String; 2],
    },
}

/// What happens at the counters. It is not the store's truth: nobody is told of it twice.
#[derive(Debug, Clone)]
pub enum News {
    /// A device is another way.
    Changed(Arc<Condition>),
    /// A scan.
    Scanned(Arc<Scan>),
    /// A new weight lies at rest on a scale.
    Weighed {
        /// The scale.
        device: String,
        /// The till that has it claimed.
        terminal: Option<Arc<str>>,
        /// Above zero, three places.
        kilograms: Quantity,
    },
    /// A scan did not go onto the sale that it was meant for.
    ScanRefused(Arc<Scan>, String),
    /// Something was plugged in or out.
    Ports(Arc<[FoundPort]>),
}

/// Something that was asked for, and when by the box's own count of time: its clock may jump, this does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked<J> {
    /// What.
    pub job: J,
    /// When, as [`crate::checkout::Shop::uptime`] says it.
    pub at: Duration,
}

/// What somebody asks of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Show two lines, each with something on the left and something on the right.
    Show([(String, String); 2]),
    /// Set to zero.
    Zero,
    /// Open, and journal the outcome.
    Open(Asked<DrawerJob>),
}

/// Why a device does not do what it is asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DeviceError {
    /// There is none of this name.
    #[error("There is no device called {0}; look at GET /api/v1/devices.")]
    Unknown(String),
    /// Another till has it.
    #[error("{id} is claimed by {by}; have it released there, or use another.")]
    Claimed {
        /// The device.
        id: String,
        /// The till.
        by: Arc<str>,
    },
    /// Nobody has it.
    #[error("{0} is claimed by nobody; claim it first.")]
    Unclaimed(String),
    /// It is disabled.
    #[error("{0} is disabled; enable it first.")]
    Disabled(String),
    /// Not with a device of this class.
    #[error("{id} is a {class}: that cannot be asked of it.")]
    WrongClass {
        /// The device.
        id: String,
        /// Its class.
        class: &'static str,
    },
    /// It hangs on none of our own controllers.
    #[error("{0} hangs on no controller of its own; only what has the port \"controller:…\" does.")]
    NoController(String),
    /// The bytes are no firmware for it.
    #[error("{0}.")]
    BadImage(String),
    /// The same key came with another request.
    #[error("this key came with another request before")]
    KeyReused,
    /// It cannot now.
    #[error("{id} cannot do that now: {reason}.")]
    Unable {
        /// The device.
        id: String,
        /// Why.
        reason: String,
    },
}

impl OfClass {
    /// What is known of a device before it was reached.
    pub(super) fn of(model: &Model) -> Self {
        match model {
            Model::Printer(_) => OfClass::Printer { jobs: 0, paper_near_end: false },
            Model::Drawer(_) => OfClass::Drawer { open: None },
            Model::Scanner(scanner) => OfClass::Scanner { adds_to_sale: scanner.adds_to_sale },
            Model::Scale(_) => OfClass::Scale { weight: None },
            Model::Display(_) => OfClass::Display { lines: [String::new(), String::new()] },
        }
    }
}
