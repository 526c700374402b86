//! Sales as ready bytes: built before the clock runs, with holes for what must be unique.

use crate::catalogue::Product;
use crate::random::Random;
use std::sync::Arc;

/// Lines of every sale of the bench.
pub const LINES: usize = 12;

/// How many different baskets a run has; they are sold again and again under new ids.
const BASKETS: usize = 1024;

/// The tills that sell; a connection is a till, and the 65th is the first again.
const TILLS: usize = 64;

const NIL: &str = "00000000-0000-0000-0000-000000000000";
const NO_TILL: &str = "till-00";

/// Ready requests for sales of 12 different products with one cash payment.
#[derive(Debug)]
pub struct Baskets {
    baskets: Vec<Basket>,
}

/// One request; the offsets are where its unique parts stand.
#[derive(Debug)]
struct Basket {
    bytes: Vec<u8>,
    key: usize,
    id: usize,
    till: usize,
}

impl Baskets {
    /// Fills baskets from the catalogue.
    pub fn fill(products: &[Product], seed: u64) -> Arc<Self> {
        let mut random = Random::new(seed, 1);
        Arc::new(Self { baskets: (0..BASKETS).map(|_| Basket::fill(products, &mut random)).collect() })
    }
}

impl Basket {
    fn fill(products: &[Product], random: &mut Random) -> Self {
        let mut chosen: Vec<&Product> = Vec::with_capacity(LINES);
        while chosen.len() < LINES.min(products.len()) {
            let Some(product) = products.get(random.below(products.len())) else { break };
            if !chosen.iter().any(|other| other.barcode == product.barcode) {
                chosen.push(product);
            }
        }
        // A note that covers the basket whether the store adds tax to its prices or not.
        let sum: i64 = chosen.iter().map(|product| product.price_minor).sum();
        let amount = (sum + sum / 2) / 1000 * 1000 + 1000;
        let items: Vec<_> =
            chosen.iter().map(|p| serde_json::json!({ "barcode": p.barcode, "quantity": 1 })).collect();
        let body = serde_json::json!({
            "id": NIL,
            "terminalId": NO_TILL,
            "items": items,
            "tenders": [{ "method": "cash", "amount": amount }],
        })
        .to_string();
        let head = format!(
            "POST /api/v1/transactions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nIdempotency-Key: {NIL}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let holes = |text: &str, hole| text.find(hole).unwrap_or(0);
        let (key, id, till) = (holes(&head, NIL), holes(&body, NIL), holes(&body, NO_TILL));
        let (id, till) = (head.len() + id, head.len() + till);
        Self { bytes: (head + &body).into_bytes(), key, id, till }
    }
}

/// The sales of one connection: its own till, its own ids.
#[derive(Debug)]
pub struct Sales {
    baskets: Arc<Baskets>,
    random: Random,
    till: String,
    bytes: Vec<u8>,
}

impl Sales {
    /// The sales that connection number `connection` makes.
    pub fn new(baskets: Arc<Baskets>, seed: u64, connection: usize) -> Self {
        let till = format!("till-{:02}", connection % TILLS);
        Self { baskets, random: Random::new(seed, 2 + connection as u64), till, bytes: Vec::new() }
    }

    /// The bytes of the next request; its id and key were never used before.
    pub fn next_request(&mut self) -> &[u8] {
        let baskets = &self.baskets.baskets;
        if let Some(basket) = baskets.get(self.random.below(baskets.len())) {
            self.bytes.clear();
            self.bytes.extend_from_slice(&basket.bytes);
            for at in [basket.key, basket.id] {
                let uuid = self.random.uuid().hyphenated();
                patch(&mut self.bytes, at, uuid.encode_lower(&mut [0; 36]).as_bytes());
            }
            patch(&mut self.bytes, basket.till, self.till.as_bytes());
        }
        &self.bytes
    }
}

fn patch(bytes: &mut [u8], at: usize, with: &[u8]) {
    if let Some(hole) = bytes.get_mut(at..at + with.len()) {
        hole.copy_from_slice(with);
    }
}

/// The bytes of a request without a body.
pub fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;
    use std::collections::HashSet;

    #[test]
    fn every_sale_is_new_and_whole() {
        let products = catalogue::synthetic(100, 5);
        let mut sales = Sales::new(Baskets::fill(&products, 5), 5, 66);
        let mut ids = HashSet::new();
        for _ in 0..500 {
            let text = String::from_utf8(sales.next_request().to_vec()).unwrap();
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            let body_length = head.rsplit_once("Content-Length: ").unwrap().1.parse::<usize>().unwrap();
            assert_eq!(body.len(), body_length);
            let key = head.split_once("Idempotency-Key: ").unwrap().1.split_once("\r\n").unwrap().0;
            let sale: serde_json::Value = serde_json::from_str(body).unwrap();
            assert_eq!(sale["terminalId"], "till-02");
            let barcodes: HashSet<_> =
                sale["items"].as_array().unwrap().iter().map(|i| i["barcode"].to_string()).collect();
            assert_eq!(barcodes.len(), LINES);
            assert!(ids.insert(key.to_owned()) && ids.insert(sale["id"].as_str().unwrap().to_owned()));
        }
    }
}
