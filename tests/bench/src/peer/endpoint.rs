//! The endpoint that every peer serves: parse, price, store, answer.

use super::pricing::{Request, Sale, Shelf};
use crate::catalogue::Product;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// The largest request body, in bytes.
const MAX_BODY: usize = 1 << 20;

/// Where sales are kept.
pub(super) trait Store: Clone + Send + Sync + 'static {
    /// Stores a sale and returns its receipt number once it is on disk.
    fn commit(&self, sale: Arc<Sale>) -> impl Future<Output = Result<i64, StoreError>> + Send;
}

/// Why a sale was not stored.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum StoreError {
    #[error("the sale or its Idempotency-Key is known already")]
    Known,
    #[error("the database failed: {0}")]
    Database(String),
}

/// Keeps nothing: the ceiling that HTTP sets.
#[derive(Debug, Clone, Default)]
pub(super) struct Forget {
    numbers: Arc<AtomicI64>,
}

impl Store for Forget {
    async fn commit(&self, _: Arc<Sale>) -> Result<i64, StoreError> {
        Ok(self.numbers.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

#[derive(Debug, Clone)]
struct Shop<S> {
    shelf: Arc<Shelf>,
    store: S,
}

pub(super) fn router<S: Store>(products: &[Product], store: S) -> Router {
    let shop = Shop { shelf: Arc::new(Shelf::new(products)), store };
    Router::new()
        .route("/api/v1/transactions", post(sell::<S>))
        .route("/api/v1/products/{barcode}", get(product::<S>))
        .route("/null", get(async || Json(serde_json::json!({ "answer": null }))))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(shop)
}

async fn sell<S: Store>(State(shop): State<Shop<S>>, headers: HeaderMap, body: Bytes) -> Response {
    let Some(key) = headers.get("idempotency-key").and_then(|key| key.to_str().ok()) else {
        return problem(StatusCode::BAD_REQUEST, "send an Idempotency-Key");
    };
    let request: Request = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(e) => return problem(StatusCode::BAD_REQUEST, e),
    };
    let hash = Sha256::new().chain_update("POST /api/v1/transactions\n").chain_update(&body).finalize();
    let sale = match Sale::price(&shop.shelf, request, key.to_owned(), hash.into()) {
        Ok(sale) => Arc::new(sale),
        Err(refusal) => return problem(StatusCode::UNPROCESSABLE_ENTITY, refusal),
    };
    match shop.store.commit(Arc::clone(&sale)).await {
        Ok(number) => (StatusCode::CREATED, Json(sale.reply(&shop.shelf, number))).into_response(),
        Err(e @ StoreError::Known) => problem(StatusCode::CONFLICT, e),
        Err(e @ StoreError::Database(_)) => problem(StatusCode::INTERNAL_SERVER_ERROR, e),
    }
}

async fn product<S: Store>(State(shop): State<Shop<S>>, Path(barcode): Path<String>) -> Response {
    match shop.shelf.find(&barcode) {
        Some((_, product)) => Json(product).into_response(),
        None => problem(StatusCode::NOT_FOUND, "no such product"),
    }
}

#[derive(Serialize)]
struct Problem {
    status: u16,
    detail: String,
}

fn problem(status: StatusCode, detail: impl std::fmt::Display) -> Response {
    (status, Json(Problem { status: status.as_u16(), detail: detail.to_string() })).into_response()
}
