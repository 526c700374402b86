//! The stream of events, and serving over real sockets.

use std::time::Duration;

use pos_domain::command::Command;
use pos_domain::quantity::Quantity;
use pos_journal::Position;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::super::events::Listener;
use super::super::{HttpOptions, serve, stream, while_opening};
use super::{Counter, Follower, PATIENCE};
use crate::checkout::Origin;

const SALE: &str = r#"{"terminalId":"t","items":[{"sku":"PEN"}],"tenders":[{"method":"cash","amount":250}]}"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_is_told_in_order() {
    let counter = Counter::open();
    let mut follower = Follower::new(&counter, None).await;
    let (start, name, _) = follower.next().await.unwrap();
    assert_eq!((name.as_str(), start), ("ready", counter.shop.head().unwrap().position.to_string()));
    let sold = counter.post("a", "/api/v1/transactions", SALE).await;
    let (_, name, data) = follower.next().await.unwrap();
    assert_eq!((name.as_str(), &data["terminalId"]), ("terminalSeen", &json!("t")));
    let (id, name, data) = follower.next().await.unwrap();
    assert_eq!((name.as_str(), id.as_str()), ("saleSold", sold.header("tillbox-position")));
    assert_eq!((&data["transactionId"], &data["totalAmount"]), (&sold.json()["id"], &json!(250)));
    counter.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_comes_back_where_it_was() {
    let counter = Counter::open();
    let first = counter.post("a", "/api/v1/transactions", SALE).await.header("tillbox-position").to_owned();
    let mut wanted = Vec::new();
    for key in ["b", "c", "d"] {
        wanted.push(
            counter.post(key, "/api/v1/transactions", SALE).await.header("tillbox-position").to_owned(),
        );
    }
    let mut follower = Follower::new(&counter, Some(&first)).await;
    for id in &wanted {
        let (seen, name, _) = follower.next().await.unwrap();
        assert_eq!((&seen, name.as_str()), (id, "saleSold"));
    }
    // And from there on live, without a gap and without a double.
    let next = counter.post("e", "/api/v1/transactions", SALE).await.header("tillbox-position").to_owned();
    assert_eq!(follower.next().await.unwrap().0, next);
    counter.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_live_and_from_the_journal_comes_once() {
    let counter = Counter::open();
    let first = counter.post("a", "/api/v1/transactions", SALE).await.header("tillbox-position").to_owned();
    let (pieces, body) = stream::channel();
    // It listens already, but has not read the journal yet, when these two happen: it meets them on both ways.
    let listener = Listener::new(counter.app.clone(), pieces);
    let mut wanted = Vec::new();
    for key in ["b", "c"] {
        wanted.push(
            counter.post(key, "/api/v1/transactions", SALE).await.header("tillbox-position").to_owned(),
        );
    }
    tokio::spawn(listener.run(Some(first)));
    let mut follower = Follower { body, text: String::new() };
    for id in &wanted {
        assert_eq!(&follower.next().await.unwrap().0, id);
    }
    let next = counter.post("d", "/api/v1/transactions", SALE).await.header("tillbox-position").to_owned();
    assert_eq!(follower.next().await.unwrap().0, next);
    counter.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_that_falls_behind_misses_nothing() {
    // More than the live channel holds.
    const MANY: u64 = 5_000;
    let counter = Counter::open();
    let mut follower = Follower::new(&counter, None).await;
    let (start, ..) = follower.next().await.unwrap();
    let start: Position = start.parse().unwrap();
    let mut submitted = JoinSet::new();
    for _ in 0..MANY {
        let shop = counter.shop.clone();
        let adjust = Command::AdjustStock {
            id: Uuid::now_v7(),
            product: "PEN".into(),
            change: Quantity::ONE,
            reason: "receipt".into(),
            user: None,
            note: None,
        };
        submitted.spawn(async move { shop.submit(None, adjust, Origin::default()).await.map(drop) });
    }
    while let Some(done) = submitted.join_next().await {
        done.unwrap().unwrap();
    }
    // Nothing was read meanwhile: the stream is full, the live channel has run over.
    for seq in start.seq + 1..=start.seq + MANY {
        let (id, name, _) = follower.next().await.unwrap();
        assert_eq!((id, name.as_str()), (Position { seq, ..start }.to_string(), "stockAdjusted"));
    }
    counter.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_position_is_reset() {
    let counter = Counter::open();
    let head = counter.shop.head().unwrap().position.to_string();
    let beyond = format!("{}.999999", head.split('.').next().unwrap());
    for unknown in ["00000000000000aa.5", "nonsense", "", &beyond] {
        let mut follower = Follower::new(&counter, Some(unknown)).await;
        let (id, name, _) = follower.next().await.unwrap();
        assert_eq!((id.as_str(), name.as_str()), (head.as_str(), "reset"), "{unknown:?}");
    }
    counter.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_end_when_the_daemon_stops() {
    let counter = Counter::open();
    let mut follower = Follower::new(&counter, None).await;
    follower.next().await.unwrap();
    counter.stop.send(true).unwrap();
    assert!(follower.next().await.is_none());
    counter.close();
}

async fn exchange(stream: &mut TcpStream, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = vec![0; 16 * 1024];
    let read = tokio::time::timeout(PATIENCE, stream.read(&mut bytes)).await.unwrap().unwrap();
    String::from_utf8_lossy(&bytes[..read]).into_owned()
}

const GET: &str = "GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_kept_bounded_and_drained() {
    let counter = Counter::open();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let options = HttpOptions { max_connections: 1, ..HttpOptions::default() };
    let serving = tokio::spawn(serve(listener, counter.shop.clone(), options, async { drop(stopped.await) }));

    let mut first = TcpStream::connect(address).await.unwrap();
    for _ in 0..3 {
        assert!(exchange(&mut first, GET).await.starts_with("HTTP/1.1 200"), "kept alive");
    }
    // The only place is taken: the second is served when the first has gone.
    let mut second = TcpStream::connect(address).await.unwrap();
    second.write_all(GET.as_bytes()).await.unwrap();
    let figures = exchange(&mut first, "GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    assert!(figures.starts_with("HTTP/1.1 200"));
    let mut byte = [0];
    let early = tokio::time::timeout(Duration::from_millis(200), second.read(&mut byte)).await;
    assert!(early.is_err(), "a second connection was served beyond the bound");
    drop(first);
    let mut rest = [0; 15];
    tokio::time::timeout(PATIENCE, second.read_exact(&mut rest)).await.unwrap().unwrap();
    assert_eq!(&rest, b"HTTP/1.1 200 OK");

    stop.send(()).unwrap();
    tokio::time::timeout(PATIENCE, serving).await.unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
    counter.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_does_not_come_ends_the_connection() {
    let counter = Counter::open();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(serve(listener, counter.shop.clone(), HttpOptions::default(), async {
        drop(stopped.await)
    }));
    let mut slow = TcpStream::connect(address).await.unwrap();
    slow.write_all(b"GET /livez HTTP/1.1\r\nhost:").await.unwrap();
    let mut rest = Vec::new();
    // Closed by the box, not by us.
    let _ = tokio::time::timeout(PATIENCE, slow.read_to_end(&mut rest)).await.expect("the box gives up");
    stop.send(()).unwrap();
    tokio::time::timeout(PATIENCE, serving).await.unwrap().unwrap();
    counter.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_shop_opens_everybody_is_told_so() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (open, opened) = oneshot::channel::<u8>();
    let answering = tokio::spawn(async move { while_opening(&listener, opened).await });
    let sale = "POST /api/v1/transactions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\n{}";
    for (request, status, word) in [
        (GET, "HTTP/1.1 200", "alive"),
        ("GET /readyz HTTP/1.1\r\nhost: localhost\r\n\r\n", "HTTP/1.1 503", "urn:tillbox:problem:starting"),
        (sale, "HTTP/1.1 503", "retry-after: 1"),
    ] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        // It ends: no connection is left to the shop.
        tokio::time::timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
        assert!(answer.starts_with(status) && answer.contains(word), "{request}: {answer}");
    }
    open.send(7).unwrap();
    assert_eq!(tokio::time::timeout(PATIENCE, answering).await.unwrap().unwrap(), Ok(7));
}
