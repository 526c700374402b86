//! How fast a product is found while sales are written, beside an endpoint that does nothing.

use super::{Entrant, Floor, Plan, Spread, Started, counted, rest};
use crate::contestant::Contestant;
use crate::failure::Failure;
use crate::latency::Latencies;
use crate::load::open_loop::{self, BackgroundSales};
use crate::load::request::{self, Sales};
use crate::progress::Progress;
use crate::quiet::Watch;
use crate::random::Random;
use serde::Serialize;
use std::sync::Arc;

/// Tills that ask.
const CLIENTS: usize = 64;

/// How often each asks in a second.
const PER_SECOND: u32 = 10;

/// Sales a second that are written meanwhile.
const SALES_PER_SECOND: u32 = 100;

/// Tills that write them.
const SELLERS: usize = 4;

/// Different products that are asked for, in an order of chance.
const QUESTIONS: usize = 4096;

/// The points of the distribution that are told, in per mille.
pub(crate) const POINTS: [usize; 6] = [500, 900, 950, 990, 999, 1000];

/// The measured look-ups.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProductFigures {
    /// Products in the catalogue.
    pub products: usize,
    /// One for each entrant that keeps products.
    pub rows: Vec<ProductRow>,
}

/// Look-ups at one entrant and at the null endpoint, both while that entrant wrote sales.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProductRow {
    /// The entrant's name.
    pub name: String,
    /// Who it is.
    pub entrant: Entrant,
    /// p99 of the look-ups, in microseconds.
    pub p99: Spread,
    /// p99 of the null endpoint, in microseconds.
    pub null_p99: Spread,
    /// Their difference in each round, in microseconds.
    pub difference: Spread,
    /// Distribution over all rounds: per mille and microseconds.
    pub distribution: Vec<(usize, u32)>,
    /// The same of the null endpoint.
    pub null_distribution: Vec<(usize, u32)>,
    /// Sales that were written meanwhile, by second.
    pub sales_rate: f64,
    /// Whether the figures are of quiet rounds only; otherwise other programs have disturbed them.
    pub quiet: bool,
}

/// One round of one entrant.
struct Round {
    of_null: Latencies,
    of_product: Latencies,
    others: f64,
}

/// Measures each entrant that keeps products.
///
/// # Errors
/// A contestant does not start, breaks a connection or answers with another status than 200 and 201.
pub async fn measure(plan: &Plan) -> Result<ProductFigures, Failure> {
    let null = Contestant::peer(crate::peer::Kind::Null, &plan.place, &plan.place.fresh("products-null")?)?;
    let Started { contestants, .. } =
        plan.start("products", &[Entrant::Sqlite, Entrant::Postgres, Entrant::Daemon])?;
    let mut random = Random::new(plan.seed, 99);
    let barcodes = (0..QUESTIONS).filter_map(|_| plan.products.get(random.below(plan.products.len())));
    let product_of = |p: &crate::catalogue::Product| request::get(&format!("/api/v1/products/{}", p.barcode));
    let questions: Arc<Vec<_>> = Arc::new(barcodes.map(product_of).collect());
    let nothing = Arc::new(vec![request::get("/null")]);

    let mut progress = Progress::new("products", contestants.len() * plan.rounds);
    let mut measured: Vec<Vec<Round>> = contestants.iter().map(|_| Vec::new()).collect();
    let mut sold = vec![0; contestants.len()];
    for round in 0..plan.rounds {
        for (number, (_, contestant)) in contestants.iter().enumerate() {
            rest(plan, contestant).await;
            let watch = Watch::begin();
            let seed = plan.seed ^ ((round * 100 + number + 1) as u64) << 40;
            let sales = (0..SELLERS).map(|till| Sales::new(Arc::clone(&plan.baskets), seed, till)).collect();
            let background =
                BackgroundSales::start(contestant.name(), contestant.address(), sales, SALES_PER_SECOND)?;
            let of_null = ask(plan, &null, &nothing).await?;
            let of_product = ask(plan, contestant, &questions).await?;
            let count = background.stop()?;
            progress.step(&format!(
                "round {} · {}: {} look-ups",
                round + 1,
                contestant.name(),
                of_product.len()
            ));
            if let (Some(pairs), Some(sold)) = (measured.get_mut(number), sold.get_mut(number)) {
                pairs.push(Round { of_null, of_product, others: watch.share() });
                *sold += count;
            }
        }
    }
    progress.finish();
    let seconds = 2.0 * plan.turn.as_secs_f64() * plan.rounds as f64;
    let rows = (contestants.iter().zip(measured).zip(sold))
        .filter_map(|(((entrant, contestant), pairs), sold)| {
            ProductRow::of(*entrant, contestant.name(), pairs, sold as f64 / seconds)
        })
        .collect();
    for (_, contestant) in contestants {
        contestant.stop()?;
    }
    null.stop()?;
    Ok(ProductFigures { products: plan.products.len(), rows })
}

async fn ask(
    plan: &Plan,
    contestant: &Contestant,
    questions: &Arc<Vec<Vec<u8>>>,
) -> Result<Latencies, Failure> {
    let (name, address, length) = (contestant.name().to_owned(), contestant.address(), plan.turn);
    let questions = Arc::clone(questions);
    let asking = tokio::task::spawn_blocking(move || {
        open_loop::ask(&name, address, CLIENTS, PER_SECOND, length, |number| {
            questions.get(number % questions.len().max(1)).cloned().unwrap_or_default()
        })
    });
    asking.await.map_err(|e| Failure::Thread(e.to_string()))?
}

impl ProductRow {
    fn of(entrant: Entrant, name: &str, rounds: Vec<Round>, sales_rate: f64) -> Option<Self> {
        let shares: Vec<f64> = rounds.iter().map(|round| round.others).collect();
        let (chosen, quiet) = counted(&shares);
        let mut p99s = Vec::new();
        let (mut null, mut product) = (Latencies::default(), Latencies::default());
        for Round { of_null, of_product, .. } in chosen.iter().filter_map(|&at| rounds.get(at)) {
            null.merge(of_null.clone());
            product.merge(of_product.clone());
            p99s.push((
                f64::from(of_null.clone().percentiles()?.p99),
                f64::from(of_product.clone().percentiles()?.p99),
            ));
        }
        Some(Self {
            name: name.to_owned(),
            entrant,
            p99: Spread::of(p99s.iter().map(|(_, product)| *product))?,
            null_p99: Spread::of(p99s.iter().map(|(null, _)| *null))?,
            difference: Spread::of(p99s.iter().map(|(null, product)| product - null))?,
            distribution: product.distribution(&POINTS),
            null_distribution: null.distribution(&POINTS),
            sales_rate,
            quiet,
        })
    }
}

impl ProductFigures {
    /// What the daemon must reach; empty where it did not take part.
    pub fn floors(&self) -> Vec<Floor> {
        let daemon = self.rows.iter().filter(|row| row.entrant == Entrant::Daemon);
        daemon
            .map(|row| Floor {
                what: "p99 of a product's look-up beyond the null endpoint's, in ms".to_owned(),
                measured: row.difference.median / 1000.0,
                bound: 5.0,
                at_least: false,
                quiet: row.quiet,
            })
            .collect()
    }
}
