//! A morning's load: baskets of real sizes, of real products, rung up by eight tills at once. What the day's report says
//! is what the tills added up themselves, from the catalogue's file.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::json;
use tillbox_tests::{Client, Dice, Place, Setup, real_data};
use uuid::Uuid;

use crate::till::TRANSACTIONS;

const TILLS: usize = 8;
const SALES: usize = 1_000;

struct Product {
    barcode: String,
    price: u64,
}

#[derive(Default)]
struct Sums {
    sales: u64,
    lines: u64,
    total: u64,
    cash: u64,
    dates: BTreeSet<String>,
}

fn products(file: &Path) -> Vec<Product> {
    let rows = csv::Reader::from_path(file).unwrap().into_records().map(Result::unwrap);
    rows.map(|row| Product { barcode: row[0].to_owned(), price: row[2].parse().unwrap() }).collect()
}

fn sizes(file: &Path) -> Vec<usize> {
    std::fs::read_to_string(file).unwrap().lines().map(|basket| basket.split(',').count()).collect()
}

fn ring_up(client: &Client, till: usize, sizes: &[usize], products: &[Product], mut dice: Dice) -> Sums {
    let mut sums = Sums::default();
    for size in sizes {
        let mut total = 0;
        let lines = (0..*size).map(|_| {
            let product = dice.pick(products);
            let quantity = 1 + dice.below(4);
            total += quantity * product.price;
            json!({ "barcode": product.barcode, "quantity": quantity })
        });
        let items: Vec<_> = lines.collect();
        let in_cash = dice.below(2) == 0;
        let (method, amount) =
            if in_cash { ("cash", total.next_multiple_of(1_000)) } else { ("card", total) };
        let body = json!({
            "id": Uuid::now_v7(), "terminalId": format!("till-{till}"), "items": items,
            "tenders": [{ "method": method, "amount": amount }],
        });
        let sale = client.post(TRANSACTIONS, &body).ok(201);
        assert_eq!(sale["totalAmount"], total, "{sale}");
        sums.sales += 1;
        sums.lines += *size as u64;
        sums.total += total;
        sums.cash += if in_cash { total } else { 0 };
        sums.dates.insert(sale["businessDate"].as_str().unwrap().to_owned());
    }
    sums
}

#[test]
fn the_report_of_a_busy_day_is_what_the_tills_added_up() {
    let found = (real_data::find("baskets", "products.csv"), real_data::find("baskets", "baskets.csv"));
    let (Some(catalogue), Some(baskets)) = found else { return };
    let mut dice = Dice::new("baskets");
    let place = Place::new(&Setup::default());
    let daemon = place.start();
    let said = place.import(&catalogue);
    let products = products(&catalogue);
    assert!(said.contains(&format!("{} products imported, 0 lines skipped", products.len())), "{said}");
    let sizes = sizes(&baskets);
    let from = usize::try_from(dice.below((sizes.len() - SALES) as u64)).unwrap();
    let chosen = &sizes[from..from + SALES];

    let sums: Vec<Sums> = std::thread::scope(|scope| {
        let products = &products;
        let till = |(number, sizes)| {
            let (client, dice) = (daemon.client(), dice.split());
            scope.spawn(move || ring_up(&client, number, sizes, products, dice))
        };
        let tills: Vec<_> = chosen.chunks(SALES.div_ceil(TILLS)).enumerate().map(till).collect();
        tills.into_iter().map(|till| till.join().unwrap()).collect()
    });

    let sum = |of: fn(&Sums) -> u64| sums.iter().map(of).sum::<u64>();
    let dates: BTreeSet<&String> = sums.iter().flat_map(|sums| &sums.dates).collect();
    let (from, to) = (dates.first().unwrap(), dates.last().unwrap());
    let report = daemon.client().when_ready(&format!("/api/v1/reports/sales/daily?from={from}&to={to}"));
    assert_eq!(report["transactionCount"], SALES, "{report}");
    assert_eq!(report["itemCount"], sum(|sums| sums.lines), "{report}");
    assert_eq!(report["grossAmount"], sum(|sums| sums.total), "{report}");
    assert_eq!(report["netAmount"], sum(|sums| sums.total), "{report}");
    let tender = |method: &str| {
        let rows = report["tenders"].as_array().unwrap();
        rows.iter().find(|row| row["method"] == method).map_or(0, |row| row["amount"].as_u64().unwrap())
    };
    assert_eq!(tender("cash"), sum(|sums| sums.cash), "{report}");
    assert_eq!(tender("card"), sum(|sums| sums.total - sums.cash), "{report}");
    let parts = |name: &str| -> i64 {
        report[name].as_array().unwrap().iter().map(|row| row["netAmount"].as_i64().unwrap()).sum()
    };
    assert_eq!(
        (parts("hours"), parts("departments")),
        (report["netAmount"].as_i64().unwrap(), parts("hours"))
    );
    daemon.stop();
    place.verify();
}
