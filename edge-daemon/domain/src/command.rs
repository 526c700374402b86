//! What a till, a person or a device asks for. A command is plain data; [`crate::decide`] turns it into events or
//! refuses it. Free text and personal data arrive sealed.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use uuid::Uuid;

use crate::cart::Discount;
use crate::customer::LookupHash;
use crate::delivery::ProductDelivery;
use crate::event::{DeviceSetup, DrawerOutcome, DrawerReason, InstructionOutcome, PrintOutcome, Sheet};
use crate::money::Money;
use crate::quantity::Quantity;
use crate::sale::Kind;
use crate::seal::Sealed;
use crate::shift::MovementKind;
use crate::store::StoreConfig;
use crate::tax::{Rate, TaxMode};
use crate::tender::{Foreign, Method};
use crate::time::Millis;

/// How a line names its product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemRef {
    /// By SKU.
    Sku(String),
    /// By what the scanner sent.
    Barcode(String),
}

/// The terms of a line that was sold elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AsSold {
    /// Price per unit then.
    pub unit_price: Money,
    /// Tax rate then.
    pub rate: Rate,
    /// Whether the price contained the tax then.
    pub mode: TaxMode,
}

/// A line that is to be rung up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineDraft {
    /// Which product.
    pub item: ItemRef,
    /// How much; `None`: what the barcode says, else one.
    pub quantity: Option<Quantity>,
    /// The line's own discount.
    pub discount: Option<Discount>,
    /// Why.
    pub reason: Option<Sealed>,
    /// Sold elsewhere: these terms stand.
    pub as_sold: Option<AsSold>,
    /// What it is a return of.
    pub original_reference: Option<String>,
}

impl LineDraft {
    /// A line of a product, as much as its barcode says or one.
    #[must_use]
    pub const fn of(item: ItemRef) -> Self {
        Self { item, quantity: None, discount: None, reason: None, as_sold: None, original_reference: None }
    }
}

/// A tender that is offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenderDraft {
    /// How.
    pub method: Method,
    /// How much, in the store's currency.
    pub amount: Money,
    /// The gateway's or slip's reference.
    pub reference: Option<String>,
    /// If in another currency.
    pub foreign: Option<Foreign>,
}

/// A sale or return as it comes from a till.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaleDraft {
    /// Its id.
    pub id: Uuid,
    /// Sale or return.
    pub kind: Kind,
    /// The till.
    pub terminal: Arc<str>,
    /// Who rings it up.
    pub cashier: Option<Arc<str>>,
    /// Whose it is.
    pub customer: Option<Uuid>,
    /// When it began, if it began before it came here.
    pub started_at: Option<Millis>,
    /// The number that an offline till printed.
    pub provisional_number: Option<String>,
    /// Practice.
    pub training: bool,
    /// The lines.
    pub lines: Vec<LineDraft>,
    /// The discount on the whole receipt.
    pub discount: Option<Discount>,
    /// Why.
    pub reason: Option<Sealed>,
    /// The tenders.
    pub tenders: Vec<TenderDraft>,
}

/// A new or changed product. What is `None` stays as it is (or takes its default, if the product is new).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProductDraft {
    /// Its SKU; the product with it is changed, else made.
    pub sku: String,
    /// Name on receipts; a new product needs one.
    pub name: Option<String>,
    /// Price; a new product needs one.
    pub price: Option<Money>,
    /// A row of the tax table; a new product needs one.
    pub tax_class: Option<String>,
    /// Department.
    pub department: Option<String>,
    /// Barcode.
    pub barcode: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// Sold by weight.
    pub by_weight: Option<bool>,
    /// Warning level.
    pub low_stock_at: Option<Quantity>,
}

/// A line, or part of one, that comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefundLine {
    /// The line's outside id.
    pub line: Uuid,
    /// How much of it.
    pub quantity: Quantity,
}

/// What is to become of a sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// To be completed: what is due must be paid.
    Complete,
    /// To be parked.
    Suspend,
    /// To be taken up again.
    Resume,
    /// To be given up.
    Cancel,
    /// To be reversed as a whole.
    Void,
    /// To come back, wholly (no lines) or by line.
    Refund {
        /// The id of the return.
        id: Uuid,
        /// Which lines; none: all that is left.
        lines: Vec<RefundLine>,
        /// How the money goes back; none: as it came.
        tenders: Vec<TenderDraft>,
    },
}

/// A customer as it comes from a till, already sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerDraft {
    /// Its id.
    pub id: Uuid,
    /// The sealed profile.
    pub profile: Sealed,
    /// Hash of the e-mail address.
    pub email_hash: Option<LookupHash>,
    /// Hash of the telephone number.
    pub phone_hash: Option<LookupHash>,
    /// What was agreed to.
    pub consent: Option<String>,
    /// `true`: must not exist yet; `false`: must exist.
    pub new: bool,
    /// The version that the edit is based on, if the client insists.
    pub if_version: Option<u32>,
}

/// Everything that changes the store's truth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Begin the journal's life.
    StartEpoch {
        /// The number of its receipt series.
        series: u16,
        /// Why.
        reason: String,
    },
    /// Put a configuration in force, if it differs.
    Configure(Arc<StoreConfig>),
    /// Ring up a sale or return; with enough money it completes.
    Sell(SaleDraft),
    /// Add lines to an open sale.
    AddLines {
        /// Which.
        sale: Uuid,
        /// The lines.
        lines: Vec<LineDraft>,
    },
    /// Take a line off an open sale.
    VoidLine {
        /// Which sale.
        sale: Uuid,
        /// The line's outside id.
        line: Uuid,
    },
    /// Take a tender for an open sale.
    Pay {
        /// Which.
        sale: Uuid,
        /// The tender.
        tender: TenderDraft,
    },
    /// Change a sale's status.
    ChangeSale {
        /// Which.
        sale: Uuid,
        /// To what.
        change: Change,
        /// Why.
        reason: Option<Sealed>,
        /// The till where it is done; the money goes through its drawer. `None`: the sale's own.
        terminal: Option<Arc<str>>,
    },
    /// Put products; all or none.
    PutProducts {
        /// They.
        products: Vec<ProductDraft>,
        /// The version that the edit of a single product is based on.
        if_version: Option<u32>,
    },
    /// Take what head office says of products; all of it, or nothing.
    TakeDelivery(ProductDelivery),
    /// Put head office's prices in force whose time has come, some hundreds at once.
    PutPricesInForce,
    /// Change stock by hand.
    AdjustStock {
        /// The adjustment's id.
        id: Uuid,
        /// SKU, barcode or product number.
        product: String,
        /// By how much.
        change: Quantity,
        /// Why.
        reason: String,
        /// Who.
        user: Option<String>,
        /// Free text.
        note: Option<Sealed>,
    },
    /// Put a customer.
    PutCustomer(CustomerDraft),
    /// Forget a customer.
    EraseCustomer(Uuid),
    /// Begin a drawer's shift.
    OpenShift {
        /// Its id.
        id: Uuid,
        /// The drawer.
        drawer: Arc<str>,
        /// Who.
        cashier: Option<Arc<str>>,
        /// Cash at the start.
        float: Money,
    },
    /// Move cash without a sale.
    MoveCash {
        /// In which shift.
        shift: Uuid,
        /// The movement's id.
        id: Uuid,
        /// Which way.
        kind: MovementKind,
        /// How much.
        amount: Money,
        /// Why.
        reason: Option<Sealed>,
    },
    /// End a shift: makes the Z.
    CloseShift {
        /// Which.
        shift: Uuid,
        /// Who.
        cashier: Option<Arc<str>>,
        /// The cash that was counted.
        counted: Money,
        /// Closes although the clock cannot be believed.
        confirm_clock: bool,
    },
    /// Print something.
    AskPrint(PrintWish),
    /// What became of a print job.
    EndPrint {
        /// Which.
        job: Uuid,
        /// The outcome.
        outcome: PrintOutcome,
        /// In words.
        detail: String,
    },
    /// Nothing more is to be done about a job: one that waits, and that its printer's queue has given back, or one that
    /// was left unprinted.
    SettlePrint(Uuid),
    /// Open a drawer.
    OpenDrawer {
        /// The job's id.
        id: Uuid,
        /// Which drawer.
        drawer: String,
        /// For which till.
        terminal: Option<Arc<str>>,
        /// Why.
        reason: DrawerReason,
    },
    /// What became of a drawer that was to be opened.
    EndDrawer {
        /// Which job.
        job: Uuid,
        /// The outcome.
        outcome: DrawerOutcome,
        /// In words.
        detail: String,
    },
    /// Head office has something done.
    TakeInstruction {
        /// Its id.
        id: Uuid,
        /// What.
        name: String,
        /// A till, or a device.
        target: Option<Arc<str>>,
        /// What it says.
        text: Option<Sealed>,
    },
    /// What became of it.
    EndInstruction {
        /// Which.
        id: Uuid,
        /// The outcome.
        outcome: InstructionOutcome,
        /// In words.
        detail: String,
    },
    /// Configure a device.
    PutDevice(DeviceSetup),
    /// Forget a device that was configured so.
    RemoveDevice(String),
    /// A drawer was opened, and nobody had asked for it.
    ReportDrawer {
        /// Which drawer.
        drawer: String,
    },
}

/// What is to be printed, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrintWish {
    /// The job's id.
    pub id: Uuid,
    /// Of which sale; nil for what is of none.
    pub sale: Uuid,
    /// On which printer.
    pub printer: String,
    /// What.
    pub sheet: Sheet,
    /// Marked COPY.
    pub copy: bool,
    /// Whether it may open the drawer, if cash moved.
    pub may_kick: bool,
    /// The job that this is in the place of: left unprinted, or given back by its printer's queue.
    pub instead_of: Option<Uuid>,
}

impl PrintWish {
    /// A sale's receipt, for the first time.
    #[must_use]
    pub fn receipt(id: Uuid, sale: Uuid, printer: impl Into<String>) -> Self {
        Self {
            id,
            sale,
            printer: printer.into(),
            sheet: Sheet::Receipt,
            copy: false,
            may_kick: true,
            instead_of: None,
        }
    }
}

impl Command {
    /// The completed sale that must be handed in for this to be decided, if it is no longer open.
    #[must_use]
    pub fn sale(&self) -> Option<Uuid> {
        match self {
            Self::Sell(draft) => Some(draft.id),
            Self::AddLines { sale, .. }
            | Self::VoidLine { sale, .. }
            | Self::Pay { sale, .. }
            | Self::ChangeSale { sale, .. }
            | Self::AskPrint(PrintWish { sale, .. }) => Some(*sale),
            _ => None,
        }
    }

    /// What is done, in one word: what permissions are about.
    #[must_use]
    pub fn action(&self) -> &'static str {
        match self {
            Self::StartEpoch { .. } => "startEpoch",
            Self::Configure(_) => "configure",
            Self::Sell(draft) if draft.kind == Kind::Return => "return",
            Self::Sell(_) => "sell",
            Self::AddLines { .. } => "addLines",
            Self::VoidLine { .. } => "voidLine",
            Self::Pay { .. } => "pay",
            Self::ChangeSale { change, .. } => match change {
                Change::Complete => "complete",
                Change::Suspend => "suspend",
                Change::Resume => "resume",
                Change::Cancel => "cancel",
                Change::Void => "void",
                Change::Refund { .. } => "refund",
            },
            Self::PutProducts { .. } => "putProducts",
            Self::TakeDelivery(_) => "takeDelivery",
            Self::PutPricesInForce => "putPricesInForce",
            Self::AdjustStock { .. } => "adjustStock",
            Self::PutCustomer(_) => "putCustomer",
            Self::EraseCustomer(_) => "eraseCustomer",
            Self::OpenShift { .. } => "openShift",
            Self::MoveCash { .. } => "moveCash",
            Self::CloseShift { .. } => "closeShift",
            Self::AskPrint(_) => "print",
            Self::EndPrint { .. } => "endPrint",
            Self::SettlePrint(_) => "settlePrint",
            Self::OpenDrawer { .. } => "openDrawer",
            Self::EndDrawer { .. } => "endDrawer",
            Self::ReportDrawer { .. } => "reportDrawer",
            Self::PutDevice(_) | Self::RemoveDevice(_) => "configureDevices",
            Self::TakeInstruction { .. } => "takeInstruction",
            Self::EndInstruction { .. } => "endInstruction",
        }
    }

    /// The id of what this makes, made by the client: it must never have been used for the like.
    #[must_use]
    pub fn new_id(&self) -> Option<Uuid> {
        match self {
            Self::Sell(draft) => Some(draft.id),
            Self::ChangeSale { change: Change::Refund { id, .. }, .. }
            | Self::AdjustStock { id, .. }
            | Self::OpenShift { id, .. }
            | Self::MoveCash { id, .. } => Some(*id),
            _ => None,
        }
    }

    /// Whether this is needed to close the shop: allowed to use the last room on a full disk.
    #[must_use]
    pub fn closes(&self) -> bool {
        matches!(
            self,
            Self::CloseShift { .. }
                | Self::Pay { .. }
                | Self::ChangeSale { .. }
                | Self::AskPrint(_)
                | Self::EndPrint { .. }
                | Self::SettlePrint(_)
                | Self::ReportDrawer { .. }
                | Self::OpenDrawer { .. }
                | Self::EndDrawer { .. }
                | Self::EraseCustomer(_)
        )
    }
}
