//! Why a command is refused, and what to do about it. The code is stable (it becomes the problem's `type`), the detail
//! is for people.

use alloc::format;
use alloc::string::String;
use core::fmt::Display;

use uuid::Uuid;

use crate::quantity::Quantity;
use crate::sale::Status;

/// How a refusal maps to the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// There is no such thing.
    NotFound,
    /// Not in this state, or somebody else's.
    Conflict,
    /// Understood, but impossible.
    Impossible,
    /// The thing was changed since it was read.
    Stale,
}

/// A refused command. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Refusal {
    /// How it maps to the protocol.
    pub kind: RefusalKind,
    /// Stable, in kebab case.
    pub code: &'static str,
    /// What is wrong and what to do.
    pub detail: String,
}

fn impossible(code: &'static str, detail: String) -> Refusal {
    Refusal { kind: RefusalKind::Impossible, code, detail }
}

fn conflict(code: &'static str, detail: String) -> Refusal {
    Refusal { kind: RefusalKind::Conflict, code, detail }
}

fn not_found(code: &'static str, detail: String) -> Refusal {
    Refusal { kind: RefusalKind::NotFound, code, detail }
}

pub(super) fn not_configured() -> Refusal {
    conflict("store-not-configured", "The store has no configuration yet; start the daemon with one.".into())
}

pub(super) fn currency_changed(old: &str, new: &str) -> Refusal {
    conflict(
        "currency-changed",
        format!(
            "The store's amounts are in {old}; they cannot become {new}. Start another store with a new data directory."
        ),
    )
}

pub(super) fn store_changed(old: &str, new: &str) -> Refusal {
    let detail = format!(
        "This data is of the store {old}, and stands on every sale; it cannot become {new}. Correct [store], or start another store with a new data directory."
    );
    conflict("store-changed", detail)
}

pub(super) fn bad_name(what: &'static str) -> Refusal {
    impossible(
        "bad-text",
        format!("{what} must be 1 to {} bytes without control characters.", super::MAX_NAME),
    )
}

pub(super) fn unknown_product(code: &str) -> Refusal {
    let code: String = code.chars().take(40).collect();
    impossible(
        "unknown-product",
        format!("No product has the SKU or barcode \"{code}\". Add it to the catalogue, or check the code."),
    )
}

pub(super) fn bad_quantity() -> Refusal {
    impossible("bad-quantity", "A quantity must be more than 0 and at most 99999.999.".into())
}

pub(super) fn bad_low_stock() -> Refusal {
    impossible("bad-quantity", "lowStockAt must be 0 to 99999.999.".into())
}

pub(super) fn bad_foreign() -> Refusal {
    let detail = "A foreign amount must be 1 to 10000000000 minor units, its rate a decimal number above 0.";
    impossible("bad-foreign", detail.into())
}

pub(super) fn label_differs(asked: Quantity, label: Quantity) -> Refusal {
    let detail = format!(
        "The label says {label}, not {asked}: leave the quantity out, or send how many pieces with this label are sold."
    );
    impossible("label-differs", detail)
}

pub(super) fn bad_amount(what: &'static str) -> Refusal {
    impossible("bad-amount", format!("{what} must be 0 to 10000000000 minor units."))
}

pub(super) fn bad_percent() -> Refusal {
    impossible("bad-percent", "A discount must be at most 100 percent.".into())
}

pub(super) fn bad_rate() -> Refusal {
    impossible("bad-percent", "A tax rate must be at most 999.999 percent.".into())
}

pub(super) fn too_many_lines() -> Refusal {
    impossible("too-many-items", format!("A sale has at most {} items; split it.", crate::sale::MAX_LINES))
}

pub(super) fn total_too_large() -> Refusal {
    impossible(
        "total-too-large",
        "The total is beyond what a sale may be; check quantities and prices.".into(),
    )
}

pub(super) fn too_many_tenders() -> Refusal {
    impossible("too-many-tenders", "A sale has at most 100 tenders.".into())
}

pub(super) fn excess(method: &str, by: impl Display) -> Refusal {
    impossible(
        "no-change",
        format!("The tenders exceed the total by {by} and {method} gives no change; take less, or cash."),
    )
}

pub(super) fn payout_differs(due: impl Display) -> Refusal {
    impossible("payout-differs", format!("What goes back must be exactly {due}; change the tenders."))
}

pub(super) fn no_such_sale(id: Uuid) -> Refusal {
    not_found("no-such-transaction", format!("There is no transaction {id}."))
}

pub(super) fn no_such_line(id: Uuid) -> Refusal {
    not_found("no-such-item", format!("The transaction has no item {id} that could be taken."))
}

pub(super) fn duplicate_sale(id: Uuid) -> Refusal {
    impossible(
        "duplicate-id",
        format!("There is a transaction {id} already, with other content. Use a new id for another sale."),
    )
}

pub(super) fn illegal(from: Status, to: &str) -> Refusal {
    conflict("illegal-transition", format!("A transaction that is {} cannot become {to}.", from.name()))
}

pub(super) fn still_due(due: impl Display) -> Refusal {
    impossible(
        "tender-too-small",
        format!("{due} is still to be paid; add a tender by POST /api/v1/payments/process."),
    )
}

pub(super) fn nothing_to_sell() -> Refusal {
    impossible("no-items", "The transaction has no items; add one or cancel it.".into())
}

pub(super) fn void_too_late() -> Refusal {
    conflict(
        "void-too-late",
        "A transaction can be voided on its own business day only; refund it instead.".into(),
    )
}

pub(super) fn money_uncertain() -> Refusal {
    conflict("money-uncertain", "A payment is pending or unknown; settle that first.".into())
}

pub(super) fn refund_too_much(left: impl Display) -> Refusal {
    impossible("refund-too-much", format!("Only {left} of that item is left to come back."))
}

pub(super) fn cash_limit(limit: impl Display) -> Refusal {
    impossible(
        "unlinked-cash-limit",
        format!(
            "A return without its sale pays out at most {limit} in cash; use a voucher, or find the sale."
        ),
    )
}

pub(super) fn points_short(balance: i64) -> Refusal {
    impossible("points-short", format!("The customer has {balance} points; that is not enough."))
}

pub(super) fn points_refused() -> Refusal {
    impossible("no-points", "Points can be spent only on a customer's sale in a store whose scheme gives them a worth, in whole points.".into())
}

pub(super) fn no_such_customer(id: Uuid) -> Refusal {
    not_found("no-such-customer", format!("There is no customer {id}."))
}

pub(super) fn unknown_customer(id: Uuid) -> Refusal {
    impossible(
        "unknown-customer",
        format!("There is no customer {id}; create it first, or leave customerId out."),
    )
}

pub(super) fn customer_exists(id: Uuid) -> Refusal {
    conflict("customer-exists", format!("There is a customer {id} already; change it by PUT."))
}

pub(super) fn stale() -> Refusal {
    Refusal {
        kind: RefusalKind::Stale,
        code: "stale",
        detail: "It was changed since you read it; read it again and repeat the edit.".into(),
    }
}

pub(super) fn product_incomplete(sku: &str, what: &'static str) -> Refusal {
    impossible("product-incomplete", format!("The new product {sku} needs a {what}."))
}

pub(super) fn unknown_tax_class(sku: &str, class: &str) -> Refusal {
    let class: String = class.chars().take(40).collect();
    impossible(
        "unknown-tax-class",
        format!("Product {sku} has the tax class \"{class}\", which the store's tax table lacks."),
    )
}

pub(super) fn barcode_taken(sku: &str, by: &str) -> Refusal {
    impossible("barcode-taken", format!("The barcode of product {sku} belongs to {by} already."))
}

pub(super) fn delivery_base(ours: Option<u64>) -> Refusal {
    let ours = ours.map_or_else(|| String::from("none"), |ours| format!("{ours}"));
    conflict(
        "delivery-base",
        format!("The delivery changes another version than the one here ({ours}); send a snapshot."),
    )
}

pub(super) fn delivery_old(ours: u64) -> Refusal {
    conflict("delivery-old", format!("The delivery is older than the version here ({ours})."))
}

pub(super) fn shift_needed(drawer: &str) -> Refusal {
    conflict(
        "shift-needed",
        format!(
            "This store sells only in an open shift and drawer {drawer} has none; open one by POST /api/v1/shifts."
        ),
    )
}

pub(super) fn shift_open(drawer: &str) -> Refusal {
    conflict("shift-open", format!("Drawer {drawer} has an open shift already; close it first."))
}

pub(super) fn no_such_shift(id: Uuid) -> Refusal {
    not_found("no-such-shift", format!("There is no open shift {id}."))
}

pub(super) fn clock_untrusted() -> Refusal {
    conflict("clock-untrusted", "The box's clock cannot be believed. Set it, or send \"confirmClock\": true to make the Z with the business date shown.".into())
}

pub(super) fn not_printable(status: Status) -> Refusal {
    conflict("no-receipt", format!("A transaction that is {} has no receipt.", status.name()))
}

pub(super) fn no_such_job(id: Uuid) -> Refusal {
    not_found("no-such-job", format!("No job {id} is waiting."))
}

pub(super) fn too_many_devices() -> Refusal {
    impossible("too-many-devices", "There are 200 such devices, or 50 settings of one, at most.".into())
}

pub(super) fn too_many_instructions() -> Refusal {
    impossible(
        "too-many-instructions",
        "100 instructions of head office are being carried out already.".into(),
    )
}

pub(super) fn no_such_device(id: &str) -> Refusal {
    let detail = "was configured over this interface; those of the configuration file are removed there.";
    not_found("no-such-device", format!("No device called {id} {detail}"))
}

pub(super) fn job_settled(id: Uuid) -> Refusal {
    conflict(
        "job-settled",
        format!("Job {id} is not one that was left unprinted; somebody may have printed it again already."),
    )
}
