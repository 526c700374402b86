//! What happens, as it happens: server-sent events (HTML standard, section 9.2) in the journal's order.
//!
//! A listener is first brought up to date from the journal, then follows live; one that falls behind reads from the
//! journal again. Nothing personal is ever sent.

use std::fmt::Write as _;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use pos_domain::delivery::{Delivered, Loss, PricesInForce, RefusedDocument, Written};
use pos_domain::event::{DrawerJob, DrawerReason, Event};
use pos_domain::money::Money;
use pos_domain::sale::{Kind, ReceiptNumber, Sale, Status};
use pos_journal::Position;
use serde::Serialize;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::App;
use super::devices;
use super::free_text::off_thread;
use super::problem::{Problem, Problems};
use super::reply;
use super::stream::{self, Piece};
use super::wire::text_or_null;
use crate::checkout::{Happening, Shop};
use crate::peripherals::News;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(listen))
}

/// How long a silent stream goes without a sign of life.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Follow what happens
///
/// Server-sent events; `id` is `epoch.seq`. With `Last-Event-ID` the stream goes on after that record, however long ago it
/// was; an id that this journal does not know is answered by the event `reset`: read everything again, then follow.
/// Without it the stream begins now, with the event `ready` whose `id` is the journal's end.
#[utoipa::path(
    get, path = "/api/v1/events", tag = "events",
    params(("Last-Event-ID" = Option<String>, Header, description = "epoch.seq of the last event that was seen")),
    responses((status = 200, body = String, content_type = "text/event-stream"), Problems),
)]
async fn listen(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    let last = headers.get("last-event-id").map(|value| value.to_str().unwrap_or_default().trim().to_owned());
    let (pieces, body) = stream::channel();
    tokio::spawn(async move {
        // Ends when the client has gone, the journal cannot be read, or the daemon stops; the client comes again.
        let mut stopping = app.stopping.clone();
        tokio::select! {
            _ = Listener::new(app, pieces).run(last) => {}
            _ = stopping.wait_for(|stop| *stop) => {}
        }
    });
    Ok(reply::raw(StatusCode::OK, "text/event-stream", body))
}

/// The listener has gone, or cannot be served any more.
pub(super) struct Gone;

pub(super) struct Listener {
    app: App,
    live: Receiver<std::sync::Arc<Happening>>,
    counter: Receiver<News>,
    pieces: mpsc::Sender<Piece>,
    last: Option<Position>,
}

impl Listener {
    pub(super) fn new(app: App, pieces: mpsc::Sender<Piece>) -> Self {
        // Before anything is read: what happens meanwhile waits here.
        let live = app.shop.subscribe();
        let counter = app.devices.subscribe();
        Self { app, live, counter, pieces, last: None }
    }

    pub(super) async fn run(mut self, last_seen: Option<String>) -> Result<(), Gone> {
        let head = self.app.shop.head().map(|head| head.position);
        match last_seen.map(|text| text.parse::<Position>()) {
            None => self.begin("ready", head).await?,
            Some(Err(_)) => self.begin("reset", head).await?,
            Some(Ok(position)) => self.catch_up(position).await?,
        }
        loop {
            let heard = tokio::select! {
                heard = self.live.recv() => heard,
                news = self.counter.recv() => {
                    self.tell_news(news).await?;
                    continue;
                }
                () = tokio::time::sleep(KEEP_ALIVE) => {
                    self.send(": still here\n\n".into()).await?;
                    continue;
                }
            };
            match heard {
                Ok(happening) => {
                    if self.is_new(happening.position) {
                        self.tell(&happening).await?;
                    }
                }
                Err(RecvError::Lagged(_)) => match self.last {
                    Some(position) => self.catch_up(position).await?,
                    None => self.begin("reset", head).await?,
                },
                Err(RecvError::Closed) => return Err(Gone),
            }
        }
    }

    /// Sends what the journal has after a position.
    async fn catch_up(&mut self, position: Position) -> Result<(), Gone> {
        self.last = Some(position);
        while let Some(after) = self.last {
            let shop = self.app.shop.clone();
            let read = off_thread(move || Ok(shop.happenings_after(after)?)).await;
            match read.map_err(|_| Gone)? {
                Some(happenings) if happenings.is_empty() => return Ok(()),
                Some(happenings) => {
                    for happening in &happenings {
                        self.tell(happening).await?;
                    }
                }
                None => {
                    let head = self.app.shop.head().map(|head| head.position);
                    return self.begin("reset", head).await;
                }
            }
        }
        Ok(())
    }

    /// Whether the live event was not sent already from the journal.
    fn is_new(&self, position: Position) -> bool {
        self.last.is_none_or(|last| last.epoch != position.epoch || last.seq < position.seq)
    }

    /// Begins at the journal's end.
    async fn begin(&mut self, event: &str, head: Option<Position>) -> Result<(), Gone> {
        self.last = head;
        let id = head.map(|head| format!("id: {head}\n")).unwrap_or_default();
        self.send(format!("{id}event: {event}\ndata: {{}}\n\n")).await
    }

    async fn tell(&mut self, happening: &Happening) -> Result<(), Gone> {
        self.last = Some(happening.position);
        self.send(written(happening, &self.app.shop)).await
    }

    /// News of a device: of this moment, without an `id`. Who missed some reads how the devices are now.
    async fn tell_news(&mut self, news: Result<News, RecvError>) -> Result<(), Gone> {
        match news {
            Ok(news) => self.send(devices::written(&news, &self.app.shop.store())).await,
            Err(RecvError::Lagged(_)) => self.send("event: devicesMissed\ndata: {}\n\n".into()).await,
            Err(RecvError::Closed) => Err(Gone),
        }
    }

    async fn send(&self, text: String) -> Result<(), Gone> {
        self.pieces.send(Ok(Bytes::from(text))).await.map_err(|_| Gone)
    }
}

/// One event, as it goes over the wire.
fn written(happening: &Happening, shop: &Shop) -> String {
    let mut data = String::new();
    let event = &*happening.event;
    // Plain structs become JSON without fail.
    let what = What::of(event, shop);
    if let Ok(json) = serde_json::to_string(&Data { time: happening.time.rfc3339(), what }) {
        data = json;
    }
    let mut text = String::with_capacity(data.len() + 80);
    // Writing to a String cannot fail. JSON has no line feeds in it.
    let _ = write!(text, "id: {}\nevent: {}\ndata: {data}\n\n", happening.position, event.name());
    text
}

/// What goes with an event.
#[derive(Serialize)]
struct Data<'a> {
    time: String,
    #[serde(flatten)]
    what: What<'a>,
}

#[derive(Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
enum What<'a> {
    Epoch {
        series: u16,
        reason: &'a str,
    },
    Sale(SaleNews<'a>),
    Products {
        products: Vec<ProductNews<'a>>,
    },
    Stock {
        product_id: String,
        sku: &'a str,
        quantity_change: Option<String>,
        stock_quantity: String,
    },
    Customer {
        customer_id: Uuid,
    },
    Shift {
        shift_id: Uuid,
        terminal_id: &'a str,
        number: Option<u64>,
    },
    Cash {
        shift_id: Uuid,
        movement_id: Uuid,
        #[serde(rename = "type")]
        kind: pos_domain::shift::MovementKind,
        amount: Money,
    },
    Terminal {
        terminal_id: &'a str,
    },
    Print {
        job_id: Uuid,
        transaction_id: Uuid,
        printer: &'a str,
        copy: bool,
    },
    Printed {
        job_id: Uuid,
        outcome: pos_domain::event::PrintOutcome,
        detail: &'a str,
    },
    Settled {
        job_id: Uuid,
    },
    Opening(OpeningNews<'a>),
    Opened {
        job_id: Uuid,
        outcome: pos_domain::event::DrawerOutcome,
        detail: &'a str,
    },
    Device {
        device_id: &'a str,
    },
    Instruction {
        instruction_id: Uuid,
        name: &'a str,
        /// The till that it is for; of a message: all of them if none is named.
        #[serde(skip_serializing_if = "Option::is_none")]
        target: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
    Instructed {
        instruction_id: Uuid,
        outcome: pos_domain::event::InstructionOutcome,
        detail: &'a str,
    },
    Delivery(DeliveryNews<'a>),
    Nothing {},
}

/// What head office changed, and what was given up for it or against it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeliveryNews<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    products: Vec<ProductNews<'a>>,
    losses: &'a [Loss],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    refused: &'a [RefusedDocument],
    /// Products that head office does not know: they stay.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    local_only: &'a [std::sync::Arc<str>],
}

impl<'a> DeliveryNews<'a> {
    fn of(delivered: &'a Delivered) -> Self {
        let Delivered { version, products, losses, refused, local_only, .. } = delivered;
        Self { version: Some(*version), products: Self::products(products), losses, refused, local_only }
    }

    fn of_prices(prices: &'a PricesInForce) -> Self {
        let products = Self::products(&prices.products);
        Self { version: None, products, losses: &prices.losses, refused: &[], local_only: &[] }
    }

    fn products(written: &'a [Written]) -> Vec<ProductNews<'a>> {
        let changed = written.iter().filter_map(|written| written.product.as_deref());
        changed.map(|product| ProductNews { sku: &product.sku, version: product.version }).collect()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OpeningNews<'a> {
    job_id: Uuid,
    device_id: &'a str,
    terminal_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    movement_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

impl<'a> OpeningNews<'a> {
    fn of(job: &'a DrawerJob) -> Self {
        let (transaction_id, movement_id, reason) = match &job.reason {
            DrawerReason::Sale(id) => (Some(*id), None, None),
            DrawerReason::Movement(id) => (None, Some(*id), None),
            DrawerReason::Asked(words) => (None, None, Some(&**words)),
        };
        let (device_id, terminal_id) = (&*job.drawer, job.terminal.as_deref());
        Self { job_id: job.id, device_id, terminal_id, transaction_id, movement_id, reason }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SaleNews<'a> {
    transaction_id: Uuid,
    #[serde(rename = "type")]
    kind: Kind,
    status: Status,
    terminal_id: &'a str,
    #[serde(serialize_with = "text_or_null")]
    receipt_number: Option<ReceiptNumber>,
    business_date: String,
    currency: &'a str,
    total_amount: Money,
    due_amount: Money,
    item_count: usize,
    training: bool,
}

#[derive(Serialize)]
struct ProductNews<'a> {
    sku: &'a str,
    version: u32,
}

impl<'a> What<'a> {
    fn of(event: &'a Event, shop: &Shop) -> Self {
        match event {
            Event::EpochStarted { series, reason } => Self::Epoch { series: *series, reason },
            Event::StoreConfigured(_) => Self::Nothing {},
            Event::Sale { sale, .. } => Self::Sale(SaleNews::of(sale)),
            Event::ProductsPut(products) => Self::Products {
                products: products.iter().map(|p| ProductNews { sku: &p.sku, version: p.version }).collect(),
            },
            Event::ProductKept(product) => {
                Self::Products { products: vec![ProductNews { sku: &product.sku, version: product.version }] }
            }
            Event::StockAdjusted(adjustment) => Self::Stock {
                product_id: adjustment.product.to_string(),
                sku: &adjustment.sku,
                quantity_change: Some(adjustment.change.to_string()),
                stock_quantity: adjustment.level.to_string(),
            },
            Event::StockLow { product, sku, level } => Self::Stock {
                product_id: product.to_string(),
                sku,
                quantity_change: None,
                stock_quantity: level.to_string(),
            },
            Event::CustomerPut(customer) => Self::Customer { customer_id: customer.id },
            Event::CustomerErased(id) => Self::Customer { customer_id: *id },
            Event::ShiftOpened(shift) => {
                Self::Shift { shift_id: shift.id, terminal_id: &shift.drawer, number: None }
            }
            Event::CashMoved { shift, movement } => Self::Cash {
                shift_id: *shift,
                movement_id: movement.id,
                kind: movement.kind,
                amount: movement.amount,
            },
            Event::ShiftClosed(report) => Self::Shift {
                shift_id: report.shift.id,
                terminal_id: &report.shift.drawer,
                number: Some(report.number),
            },
            Event::TerminalSeen(name) => Self::Terminal { terminal_id: name },
            Event::PrintAsked(job) => Self::Print {
                job_id: job.id,
                transaction_id: job.sale,
                printer: &job.printer,
                copy: job.copy,
            },
            Event::PrintEnded { job, outcome, detail } => {
                Self::Printed { job_id: *job, outcome: *outcome, detail }
            }
            Event::DevicePut(setup) => Self::Device { device_id: &setup.id },
            Event::DeviceRemoved(id) => Self::Device { device_id: id },
            Event::PrintSettled(job) => Self::Settled { job_id: *job },
            Event::DrawerAsked(job) => Self::Opening(OpeningNews::of(job)),
            Event::DrawerEnded { job, outcome, detail } => {
                Self::Opened { job_id: *job, outcome: *outcome, detail }
            }
            Event::DrawerAlarm { drawer } => Self::Device { device_id: drawer },
            Event::InstructionTaken(taken) => {
                let text = taken.text.as_ref().and_then(|text| shop.open_sealed(taken.id, text));
                Self::Instruction {
                    instruction_id: taken.id,
                    name: &taken.name,
                    target: taken.target.as_deref(),
                    text: text.and_then(|text| String::from_utf8(text).ok()),
                }
            }
            Event::InstructionEnded { id, outcome, detail } => {
                Self::Instructed { instruction_id: *id, outcome: *outcome, detail }
            }
            Event::ProductsDelivered(delivered) => Self::Delivery(DeliveryNews::of(delivered)),
            Event::PricesInForce(prices) => Self::Delivery(DeliveryNews::of_prices(prices)),
        }
    }
}

impl<'a> SaleNews<'a> {
    fn of(sale: &'a Sale) -> Self {
        Self {
            transaction_id: sale.id,
            kind: sale.kind,
            status: sale.status,
            terminal_id: &sale.terminal,
            receipt_number: sale.receipt,
            business_date: sale.business_date.to_string(),
            currency: sale.currency.code(),
            total_amount: sale.total,
            due_amount: sale.due,
            item_count: sale.live_lines().count(),
            training: sale.training,
        }
    }
}
