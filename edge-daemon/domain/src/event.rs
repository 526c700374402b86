//! What happened. Events are stored for ever, by position of their fields and variants: **append only** (new fields
//! optional and last, new variants last), pinned to literal bytes by tests of the journal's codec.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::catalog::{Product, ProductId};
use crate::customer::Customer;
use crate::delivery::{Delivered, PricesInForce};
use crate::quantity::Quantity;
use crate::sale::Sale;
use crate::seal::Sealed;
use crate::shift::{Movement, Shift, ZReport};
use crate::store::StoreConfig;
use crate::time::Millis;

/// What was done to a sale. Only `Sold`, `Completed` and `Voided` move goods, points and money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// Begun, not yet paid: the sale's first record.
    Opened,
    /// Lines were added.
    LinesAdded,
    /// A line was taken off again.
    LineVoided,
    /// A tender was taken that does not settle it.
    Paid,
    /// Parked.
    Suspended,
    /// Taken up again.
    Resumed,
    /// Given up.
    Cancelled,
    /// Paid and numbered, after it had been open.
    Completed,
    /// Reversed as a whole.
    Voided,
    /// Some or all of it came back, by a return of its own.
    Refunded,
    /// Rung up, paid and numbered at once: the sale's first record.
    Sold,
}

impl Step {
    /// Whether the sale begins with this.
    #[must_use]
    pub fn is_first(self) -> bool {
        matches!(self, Self::Opened | Self::Sold)
    }
}

/// Why stock was changed by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adjustment {
    /// Made by the client, or by the box.
    pub id: Uuid,
    /// Of which product.
    pub product: ProductId,
    /// Its SKU then.
    pub sku: Arc<str>,
    /// By how much.
    pub change: Quantity,
    /// `stocktake`, `damage`, `receipt`…
    pub reason: String,
    /// Who.
    pub user: Option<String>,
    /// Free text.
    pub note: Option<Sealed>,
    /// When.
    pub at: Millis,
    /// The level after it.
    pub level: Quantity,
}

/// What became of a print job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PrintOutcome {
    /// The printer said so after the job.
    Printed,
    /// Nothing of it can have reached the paper.
    NotPrinted,
    /// Nobody knows; look at the printer.
    Unknown,
}

/// A sheet on its way to a printer: the intent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrintJob {
    /// Made by the box.
    pub id: Uuid,
    /// Of which sale; nil where it is of none.
    pub sale: Uuid,
    /// The printer's name.
    pub printer: String,
    /// Marked COPY.
    pub copy: bool,
    /// Whether it opens the drawer.
    pub kick: bool,
    /// When it was asked for.
    pub at: Millis,
    /// What is on it.
    #[serde(default, skip_serializing_if = "Sheet::is_receipt")]
    pub sheet: Sheet,
    /// The job that was not, or perhaps not, printed and that this one is in the place of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<Uuid>,
}

/// What is printed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sheet {
    /// The sale's receipt.
    #[default]
    Receipt,
    /// What was sold of these departments (none: of all), for who prepares it.
    Orders(Vec<String>),
    /// A page that shows that the printer prints.
    Test,
}

impl Sheet {
    fn is_receipt(&self) -> bool {
        *self == Self::Receipt
    }
}

/// Why a drawer is opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum DrawerReason {
    /// A sale moved cash.
    Sale(Uuid),
    /// Cash was moved without a sale.
    Movement(Uuid),
    /// Somebody asked, and said why in a few words.
    Asked(String),
}

/// A drawer that is to be opened: the intent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrawerJob {
    /// Made by the box.
    pub id: Uuid,
    /// The drawer's name.
    pub drawer: String,
    /// The till that it is opened for.
    pub terminal: Option<Arc<str>>,
    /// Why.
    pub reason: DrawerReason,
    /// When it was asked for.
    pub at: Millis,
}

/// What became of a drawer that was to be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DrawerOutcome {
    /// Its switch, or the controller that drives it, said so.
    Opened,
    /// No pulse can have reached it.
    NotOpened,
    /// The pulse was sent and nobody knows; look at the drawer.
    Unknown,
}

/// A device that was configured while the box ran: the settings of its section, by their names, as they would stand in the
/// configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceSetup {
    /// Its name.
    pub id: String,
    /// `printer`, `drawer`, `scanner`, `scale` or `display`.
    pub section: String,
    /// Key and value.
    pub settings: BTreeMap<String, String>,
}

/// Something that head office has the box do: the intent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instruction {
    /// Made by head office: two with one id are one.
    pub id: Uuid,
    /// `message`, `print`, `reboot-service`, `collect-support-bundle`.
    pub name: String,
    /// A till, or a device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Arc<str>>,
    /// What it says, in free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Sealed>,
    /// When it was taken.
    pub at: Millis,
}

/// What became of an instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum InstructionOutcome {
    /// It was carried out.
    Done,
    /// It was not, and will not be.
    Refused,
    /// It was begun, and nobody knows.
    Unknown,
}

/// A change of the store's truth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// A new life of the box's journal: first record of each epoch.
    EpochStarted {
        /// The number of the receipt series that starts here, from 1.
        series: u16,
        /// `first`, `restored`, `damage`…
        reason: String,
    },
    /// The configuration in force from here on.
    StoreConfigured(Arc<StoreConfig>),
    /// A sale, after what was done to it.
    Sale {
        /// What was done.
        step: Step,
        /// The sale since then.
        sale: Arc<Sale>,
    },
    /// Products, new or changed; a large import is several of these in one group.
    ProductsPut(Vec<Arc<Product>>),
    /// Stock changed by hand.
    StockAdjusted(Adjustment),
    /// Stock fell to its warning level.
    StockLow {
        /// Of which product.
        product: ProductId,
        /// Its SKU.
        sku: Arc<str>,
        /// What is left.
        level: Quantity,
    },
    /// A customer, new or changed.
    CustomerPut(Customer),
    /// A customer's key was destroyed.
    CustomerErased(Uuid),
    /// A drawer's shift began.
    ShiftOpened(Shift),
    /// Cash moved without a sale.
    CashMoved {
        /// In which shift.
        shift: Uuid,
        /// What moved.
        movement: Movement,
    },
    /// A shift ended.
    ShiftClosed(ZReport),
    /// A till was seen for the first time.
    TerminalSeen(Arc<str>),
    /// A receipt is to be printed.
    PrintAsked(PrintJob),
    /// What became of it.
    PrintEnded {
        /// Which job.
        job: Uuid,
        /// The honest outcome.
        outcome: PrintOutcome,
        /// In words, for `NotPrinted` and `Unknown`.
        detail: String,
    },
    /// A product was put as it is already: nothing changed, but who asked is answered the same when it asks again.
    ProductKept(Arc<Product>),
    /// A drawer is to be opened.
    DrawerAsked(DrawerJob),
    /// What became of it.
    DrawerEnded {
        /// Which job.
        job: Uuid,
        /// The honest outcome.
        outcome: DrawerOutcome,
        /// In words, for `NotOpened` and `Unknown`.
        detail: String,
    },
    /// A drawer was opened, and nobody had asked for it.
    DrawerAlarm {
        /// The drawer's name.
        drawer: String,
    },
    /// Somebody saw to a job that was left unprinted: nothing more is to be done about it.
    PrintSettled(Uuid),
    /// A device, new or configured anew.
    DevicePut(DeviceSetup),
    /// A device that was configured so is no more.
    DeviceRemoved(String),
    /// Head office has something done.
    InstructionTaken(Instruction),
    /// What became of it.
    InstructionEnded {
        /// Which.
        id: Uuid,
        /// The honest outcome.
        outcome: InstructionOutcome,
        /// In words.
        detail: String,
    },
    /// Products as head office has them; a delivery is one or several of these in one group.
    ProductsDelivered(Delivered),
    /// Prices of head office whose time has come.
    PricesInForce(PricesInForce),
}

impl Event {
    /// The type's name, as SSE and lists show it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::EpochStarted { .. } => "epochStarted",
            Self::StoreConfigured(_) => "storeConfigured",
            Self::Sale { step, .. } => match step {
                Step::Opened => "saleOpened",
                Step::LinesAdded => "saleLinesAdded",
                Step::LineVoided => "saleLineVoided",
                Step::Paid => "salePaid",
                Step::Suspended => "saleSuspended",
                Step::Resumed => "saleResumed",
                Step::Cancelled => "saleCancelled",
                Step::Completed => "saleCompleted",
                Step::Voided => "saleVoided",
                Step::Refunded => "saleRefunded",
                Step::Sold => "saleSold",
            },
            Self::ProductsPut(_) => "productsPut",
            Self::StockAdjusted(_) => "stockAdjusted",
            Self::StockLow { .. } => "stockLow",
            Self::CustomerPut(_) => "customerPut",
            Self::CustomerErased(_) => "customerErased",
            Self::ShiftOpened(_) => "shiftOpened",
            Self::CashMoved { .. } => "cashMoved",
            Self::ShiftClosed(_) => "shiftClosed",
            Self::TerminalSeen(_) => "terminalSeen",
            Self::PrintAsked(_) => "printAsked",
            Self::PrintEnded { .. } => "printEnded",
            Self::ProductKept(_) => "productKept",
            Self::DrawerAsked(_) => "drawerAsked",
            Self::DrawerEnded { .. } => "drawerEnded",
            Self::DrawerAlarm { .. } => "drawerAlarm",
            Self::PrintSettled(_) => "printSettled",
            Self::DevicePut(_) => "devicePut",
            Self::DeviceRemoved(_) => "deviceRemoved",
            Self::InstructionTaken(_) => "instructionTaken",
            Self::InstructionEnded { .. } => "instructionEnded",
            Self::ProductsDelivered(_) => "productsDelivered",
            Self::PricesInForce(_) => "pricesInForce",
        }
    }

    /// The version of the event's form. A change of meaning raises it and brings an upcaster along.
    #[must_use]
    pub const fn version(&self) -> u8 {
        1
    }
}
