//! What is answered while the shop opens: that the process lives, that it is not ready, and to come again.
//!
//! Opening reads the journal and can take a while. Whoever asks in the meantime gets a clear answer instead of silence.
//! Each connection gets one answer and is closed, so that none is left over when the shop itself answers.

use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::health;
use super::problem::Problem;
use super::serve::{HEAD_PATIENCE, PAUSE, accept};

/// Enough for those who look after the box, and for tills that try again.
const CONNECTIONS: usize = 32;

/// Answers until the shop is open, and gives what opening gave.
pub async fn while_opening<T>(listener: &TcpListener, opened: impl Future<Output = T>) -> T {
    let router = Router::new().route("/livez", get(health::live)).fallback(starting);
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut opened = std::pin::pin!(opened);
    loop {
        let accepted = tokio::select! {
            done = &mut opened => return done,
            accepted = accept(listener, &places) => accepted,
        };
        let Ok((stream, peer, place)) = accepted else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_PATIENCE)
            .keep_alive(false)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router.clone()));
        tokio::spawn(async move {
            let _place = place;
            if let Err(error) = connection.await {
                tracing::debug!(%peer, %error, "a connection ended early");
            }
        });
    }
}

async fn starting() -> Problem {
    let detail = "The box opens its journal; nothing was changed. Send the same request again in a moment.";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "starting", detail)
}
