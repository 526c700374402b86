//! `kill -9` while receipts are printed: between the intent, the sending and the outcome. No receipt is lost without a
//! word, and none comes out twice without being marked as a copy.
//!
//! `TILLBOX_PRINT_KILLS` says how often (30). The moments come from the seed; how the daemon meets them does not.

use std::collections::BTreeMap;
use std::time::Duration;

use device_drivers::{Faults, Profile, VirtualPrinter};
use serde_json::{Value, json};
use tillbox_tests::{Client, Dice, Place, Setup, patiently};

const LONG: Duration = Duration::from_secs(60);
/// The printer takes so long over each portion that it receives: enough for a kill to meet a receipt on its way.
const SLOW: Duration = Duration::from_millis(6);

fn sell(client: &Client) -> String {
    let sale = json!({"terminalId": "till-1", "items": [{"sku": "sku-0"}], "tenders": [{"method": "cash", "amount": 100_000}]});
    let key = uuid::Uuid::now_v7().to_string();
    let sold = client.change("POST", "/api/v1/transactions", &key, &[], &sale).ok(201);
    sold["receiptNumber"].as_str().unwrap().to_owned()
}

fn jobs(client: &Client) -> Vec<Value> {
    client.get("/api/v1/print-jobs").ok(200)["items"].as_array().unwrap().clone()
}

/// Waits until every sheet has its outcome; gives those that are not, or perhaps not, on paper.
fn settled(client: &Client) -> Vec<Value> {
    patiently(LONG, "every sheet has its outcome", || {
        let jobs = jobs(client);
        jobs.iter().all(|job| job["state"] != "pending").then_some(jobs)
    })
}

/// All paper that ever came out, and what hangs in the printer.
fn paper(printer: &VirtualPrinter) -> String {
    let sheets: Vec<_> = printer.receipts().iter().map(|receipt| receipt.paper.to_text()).collect();
    sheets.concat() + &printer.uncut().to_text()
}

/// Whether a receipt came out to its end.
fn is_whole(paper: &str, number: &str) -> bool {
    let own =
        paper.split(&format!("Receipt {number}")).nth(1).and_then(|rest| rest.split("Receipt 0").next());
    own.is_some_and(|own| own.contains("TOTAL"))
}

#[test]
fn a_killed_daemon_loses_no_receipt_without_a_word_and_prints_none_twice() {
    let kills: u64 = std::env::var("TILLBOX_PRINT_KILLS")
        .map_or(30, |text| text.parse().expect("TILLBOX_PRINT_KILLS is a number"));
    let mut dice = Dice::new("print-kill");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let free = ([127, 0, 0, 1], 0).into();
    let printer = runtime.block_on(VirtualPrinter::start(free, Profile::epson_80_mm())).unwrap();
    printer.set_faults(Faults { slow: SLOW, ..Faults::default() });
    let section =
        format!("[[printer]]\nport = \"tcp:{}\"\n\n[[drawer]]\nsenses = false\n", printer.address());
    let place = Place::new(&Setup::default().segments(1).with(&section));
    place.stock_up(5);

    let mut copies = 0;
    let mut ends: BTreeMap<String, u64> = BTreeMap::new();
    let mut daemon = place.start();
    for _ in 0..kills {
        let sold: Vec<_> = (0..=dice.below(2)).map(|_| sell(&daemon.client())).collect();
        // Any moment will do: this waits for nothing. Some at once, before anything follows from the sale.
        if dice.below(3) > 0 {
            std::thread::park_timeout(Duration::from_micros(dice.below(120_000)));
        }
        daemon.kill();
        daemon = place.start();
        let client = daemon.client();
        for number in &sold {
            let sale = client.get(&format!("/api/v1/transactions?receiptNumber={number}")).ok(200);
            let id = sale["items"][0]["id"].clone();
            // Also what the box has yet to ask for, as it was stopped before.
            let end = patiently(LONG, &format!("receipt {number} has an outcome"), || {
                let word = jobs(&client).into_iter().find(|job| job["transactionId"] == id);
                match word.map(|job| job["state"].as_str().unwrap().to_owned()) {
                    None => is_whole(&paper(&printer), number).then(|| "printed".to_owned()),
                    Some(state) => (state != "pending").then_some(state),
                }
            });
            *ends.entry(end).or_default() += 1;
        }
        let left = settled(&client);
        for number in &sold {
            let heads = paper(&printer).matches(&format!("Receipt {number}")).count();
            assert!(heads <= 1, "receipt {number} came out {heads} times");
        }
        // A person looks, and prints again what is not there: as a copy where nobody knows.
        for job in &left {
            let unknown = job["state"] == "unknown";
            let key = format!("again-{}", job["id"].as_str().unwrap());
            let path = format!("/api/v1/print-jobs/{}/retry", job["id"].as_str().unwrap());
            let again = daemon.client().change("POST", &path, &key, &[], &json!({})).ok(202);
            assert_eq!(again["copy"], unknown, "{job}");
            assert_eq!(daemon.client().change("POST", &path, &key, &[], &json!({})).ok(202), again);
            copies += usize::from(unknown);
        }
        assert_eq!(settled(&daemon.client()), Vec::<Value>::new(), "all is on paper");
    }
    // The printer keeps its last sheets only.
    if printer.receipts().first().is_some_and(|receipt| receipt.number == 1) {
        assert_eq!(paper(&printer).matches("COPY").count(), copies);
    }
    daemon.stop();
    place.verify();
    println!("{kills} kills; the sheets that were on their way ended so: {ends:?}");
}
