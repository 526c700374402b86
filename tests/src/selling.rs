//! Load: tills that sell from several threads and note what they were told.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::{Client, Reply};
use crate::dice::Dice;
use crate::patience::patiently;

/// How long a box that is not ready is asked again.
const PATIENCE: Duration = Duration::from_secs(60);

/// What tills were told.
#[derive(Debug, Default)]
pub struct Notes {
    /// Requests and what acknowledged them.
    pub acknowledged: Vec<(Uuid, Vec<u8>, Reply)>,
    /// Requests that nobody answered.
    pub unanswered: Vec<(Uuid, Vec<u8>)>,
    /// Requests that were refused because there was no room (507): nothing may have come of them.
    pub no_room: Vec<Uuid>,
}

/// Tills that are selling.
#[derive(Debug)]
pub struct Selling {
    tills: Vec<JoinHandle<Notes>>,
    told: Arc<Told>,
}

#[derive(Debug, Default)]
struct Told {
    acknowledged: AtomicU64,
    no_room: AtomicU64,
    stop: AtomicBool,
}

impl Selling {
    /// Has `tills` ring up sales of the products that [`stock_up`](crate::Place::stock_up) made, `products` of them,
    /// until they are stopped or nobody answers any more.
    #[must_use]
    pub fn begin(address: SocketAddr, tills: usize, products: usize, dice: &mut Dice) -> Self {
        let told = Arc::<Told>::default();
        let begin = |number: usize| {
            let (told, dice) = (told.clone(), dice.split());
            std::thread::spawn(move || Till { number, products, dice, told }.sell(&Client::of(address)))
        };
        Self { tills: (1..=tills).map(begin).collect(), told }
    }

    /// Waits until so many sales were acknowledged.
    ///
    /// # Panics
    /// If they are not within a minute.
    pub fn until_acknowledged(&self, count: u64) {
        patiently(PATIENCE, "sales are acknowledged", || {
            (self.told.acknowledged.load(Ordering::Relaxed) >= count).then_some(())
        });
    }

    /// Waits until so many sales found no room on the disk.
    ///
    /// # Panics
    /// If they do within five minutes.
    pub fn until_no_room(&self, count: u64) {
        patiently(5 * PATIENCE, "the disk is full", || {
            (self.told.no_room.load(Ordering::Relaxed) >= count).then_some(())
        });
    }

    /// Ends it, and gathers what the tills noted.
    ///
    /// # Panics
    /// If a till got an answer that it cannot make sense of.
    #[must_use]
    pub fn end(self) -> Notes {
        self.told.stop.store(true, Ordering::Relaxed);
        let mut all = Notes::default();
        for till in self.tills {
            let notes = till.join().expect("a till got an answer that makes no sense");
            all.acknowledged.extend(notes.acknowledged);
            all.unanswered.extend(notes.unanswered);
            all.no_room.extend(notes.no_room);
        }
        all
    }
}

struct Till {
    number: usize,
    products: usize,
    dice: Dice,
    told: Arc<Told>,
}

impl Till {
    fn sell(mut self, client: &Client) -> Notes {
        let mut notes = Notes::default();
        while !self.told.stop.load(Ordering::Relaxed) {
            let id = Uuid::now_v7();
            let request = self.sale(id).to_string().into_bytes();
            match answer(client, &request) {
                Some(reply) if reply.status == 201 => {
                    notes.acknowledged.push((id, request, reply));
                    self.told.acknowledged.fetch_add(1, Ordering::Relaxed);
                }
                Some(reply) if reply.status == 507 => {
                    assert_eq!(reply.refused(507), "no-space");
                    notes.no_room.push(id);
                    self.told.no_room.fetch_add(1, Ordering::Relaxed);
                }
                Some(reply) => panic!("a sale was answered by {}: {}", reply.status, reply.text()),
                None => {
                    notes.unanswered.push((id, request));
                    break;
                }
            }
        }
        notes
    }

    /// One to six lines, paid in cash or by card.
    fn sale(&mut self, id: Uuid) -> Value {
        let mut total = 0;
        let lines = (0..=self.dice.below(6)).map(|_| {
            let product = self.dice.below(self.products as u64);
            let quantity = 1 + self.dice.below(3);
            total += (100 + product) * quantity;
            json!({ "sku": format!("sku-{product}"), "quantity": quantity })
        });
        let items: Vec<Value> = lines.collect();
        let tender = match self.dice.below(2) {
            0 => json!({ "method": "cash", "amount": total.next_multiple_of(500) }),
            _ => json!({ "method": "card", "amount": total, "reference": "slip" }),
        };
        json!({ "id": id, "terminalId": format!("till-{}", self.number), "items": items, "tenders": [tender] })
    }
}

/// The answer to a sale; `None`: nobody knows what became of it. One that is not ready is asked again.
pub(crate) fn answer(client: &Client, request: &[u8]) -> Option<Reply> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let reply = client.try_post("/api/v1/transactions", request).ok()?;
        if reply.status != 503 {
            return Some(reply);
        }
        match &*reply.refused(503) {
            "not-ready" if Instant::now() < deadline => std::thread::park_timeout(Duration::from_millis(5)),
            _ => return None,
        }
    }
}
