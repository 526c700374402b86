//! Requests as a till sends them.

use serde_json::{Value, json};
use uuid::Uuid;

/// Where sales go.
pub(crate) const TRANSACTIONS: &str = "/api/v1/transactions";

/// A sale of `(sku, quantity)` lines, with one tender.
pub(crate) fn sale(id: Uuid, lines: &[(&str, u32)], method: &str, amount: i64) -> Value {
    let mut sale = open_sale(id, lines);
    sale["tenders"] = json!([{ "method": method, "amount": amount }]);
    sale
}

/// A sale that nobody has paid for yet.
pub(crate) fn open_sale(id: Uuid, lines: &[(&str, u32)]) -> Value {
    let line = |(sku, quantity): &(&str, u32)| json!({ "sku": sku, "quantity": quantity });
    let items: Vec<Value> = lines.iter().map(line).collect();
    json!({ "id": id, "terminalId": "till-1", "items": items })
}
