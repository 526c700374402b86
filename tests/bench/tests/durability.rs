//! The peers keep what they have answered: otherwise their figures would be worth nothing.

#![allow(clippy::unwrap_used, reason = "a test may end where something is not as it must be")]

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use tillbox_bench::catalogue;
use tillbox_bench::contestant::{Contestant, Workplace};
use tillbox_bench::load::open_loop::Connection;
use tillbox_bench::load::request::{Baskets, LINES, Sales};
use tillbox_bench::peer::{Kind, ServerPrograms, Unprivileged};
use tillbox_bench::random;

const TILLS: usize = 8;
const ENOUGH: usize = 80;
/// A peer that answers before it commits survives a single kill about every second time.
const KILLS: usize = 10;

fn workplace(directory: &tempfile::TempDir, seed: u64) -> Workplace {
    let catalogue = directory.path().join("catalogue.csv");
    catalogue::write(&catalogue, &catalogue::synthetic(200, seed)).unwrap();
    // An ordinary user's server must be able to reach its files below.
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(directory.path(), open).unwrap();
    Workplace {
        directory: directory.path().to_owned(),
        catalogue,
        bench: PathBuf::from(env!("CARGO_BIN_EXE_tillbox-bench")),
        daemon: None,
    }
}

/// Sells from several tills until `enough` sales are answered, calls `then`, and returns the ids of all answered sales.
fn sell_until(
    peer: &Contestant,
    place: &Workplace,
    seed: u64,
    enough: usize,
    then: impl FnOnce(),
) -> HashSet<String> {
    let baskets = Baskets::fill(&catalogue::read(&place.catalogue).unwrap(), seed);
    let answered = Mutex::new(HashSet::new());
    let (count, ended) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for till in 0..TILLS {
            let mut sales = Sales::new(baskets.clone(), seed, till);
            let mut connection = Connection::open(peer.name(), peer.address()).unwrap();
            let (answered, count, ended) = (&answered, &count, &ended);
            scope.spawn(move || {
                while let Ok(body) = connection.ask("peer", sales.next_request(), 201) {
                    let reply: serde_json::Value = serde_json::from_slice(&body).unwrap();
                    assert!(answered.lock().unwrap().insert(reply["id"].as_str().unwrap().to_owned()));
                    count.fetch_add(1, Ordering::SeqCst);
                }
                ended.fetch_add(1, Ordering::SeqCst);
            });
        }
        while count.load(Ordering::SeqCst) < enough && ended.load(Ordering::SeqCst) < TILLS {
            std::thread::yield_now();
        }
        then();
    });
    answered.into_inner().unwrap()
}

#[test]
fn sqlite_has_every_answered_sale_after_a_kill_under_load() {
    let seed = random::seed().unwrap();
    println!("TILLBOX_SEED={seed}");
    let directory = tempfile::tempdir().unwrap();
    let place = workplace(&directory, seed);
    let data = place.fresh("sqlite").unwrap();
    let mut answered = HashSet::new();
    for round in 0..KILLS {
        let peer = Contestant::peer(Kind::Sqlite, &place, &data).unwrap();
        let id = i32::try_from(peer.id()).ok().and_then(rustix::process::Pid::from_raw).unwrap();
        answered.extend(sell_until(&peer, &place, seed.wrapping_add(round as u64), ENOUGH, || {
            rustix::process::kill_process(id, rustix::process::Signal::KILL).unwrap();
        }));
        drop(peer);
    }
    assert!(answered.len() >= KILLS * ENOUGH);

    let database = rusqlite::Connection::open(data.join("sales.sqlite")).unwrap();
    let number = |sql: &str| database.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let mut query = database.prepare("SELECT lower(hex(id)) FROM sale").unwrap();
    let stored: HashSet<String> =
        query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let missing: Vec<_> = answered.iter().filter(|id| !stored.contains(&id.replace('-', ""))).collect();
    assert!(missing.is_empty(), "answered, but not stored: {missing:?}");
    // Not answered but stored: at most what each till had under way at each kill.
    assert!(stored.len() <= answered.len() + KILLS * TILLS, "{} of {}", stored.len(), answered.len());

    let (sales, lines) = (stored.len() as i64, LINES as i64);
    assert_eq!(number("SELECT count(*) FROM sale_item"), sales * lines);
    assert_eq!(number("SELECT count(*) FROM inventory_adjustment"), sales * lines);
    assert_eq!(number("SELECT count(*) FROM payment"), sales);
    assert_eq!(number("SELECT count(*) FROM idempotency_key"), sales);
    assert_eq!(number("SELECT sum(quantity) FROM stock"), -1000 * sales * lines);
    assert_eq!(number("SELECT max(receipt_number) FROM sale"), sales, "receipt numbers have a gap");
}

#[test]
fn postgres_has_every_answered_sale_after_it_was_stopped_and_started() {
    if let Err(e) = ServerPrograms::find().and(Unprivileged::find()) {
        println!("skipped: {e}");
        return;
    }
    let seed = random::seed().unwrap();
    println!("TILLBOX_SEED={seed}");
    let directory = tempfile::tempdir().unwrap();
    let place = workplace(&directory, seed);
    let data = place.fresh("postgres").unwrap();
    let peer = Contestant::peer(Kind::Postgres, &place, &data).unwrap();
    let id = i32::try_from(peer.id()).ok().and_then(rustix::process::Pid::from_raw).unwrap();
    let answered = sell_until(&peer, &place, seed, ENOUGH, || {
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
    });
    assert!(answered.len() >= ENOUGH);
    drop(peer);
    // The server is gone with its peer: its lock file names no process any more.
    assert!(!data.join("cluster/postmaster.pid").exists(), "the server was left behind");

    // The next receipt number follows all that are stored: so many sales there are, without a gap.
    let peer = Contestant::peer(Kind::Postgres, &place, &data).unwrap();
    let baskets = Baskets::fill(&catalogue::read(&place.catalogue).unwrap(), seed);
    let mut sales = Sales::new(baskets, seed.wrapping_add(1), 0);
    let body = Connection::open(peer.name(), peer.address())
        .unwrap()
        .ask("peer", sales.next_request(), 201)
        .unwrap();
    let reply: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let next: usize = reply["receiptNumber"].as_str().unwrap()[1..].parse().unwrap();
    assert!(next > answered.len() && next <= answered.len() + TILLS + 1, "{next} after {}", answered.len());
    peer.stop().unwrap();
}

#[test]
fn a_peer_refuses_what_it_knows_already() {
    let seed = random::seed().unwrap();
    println!("TILLBOX_SEED={seed}");
    let directory = tempfile::tempdir().unwrap();
    let place = workplace(&directory, seed);
    let baskets = Baskets::fill(&catalogue::read(&place.catalogue).unwrap(), seed);
    let mut kinds = vec![Kind::Sqlite];
    if ServerPrograms::find().and(Unprivileged::find()).is_ok() {
        kinds.push(Kind::Postgres);
    }
    for kind in kinds {
        let data = place.fresh(&format!("twice-{kind:?}")).unwrap();
        let peer = Contestant::peer(kind, &place, &data).unwrap();
        let mut sales = Sales::new(baskets.clone(), seed, 0);
        let mut connection = Connection::open(peer.name(), peer.address()).unwrap();
        let first = sales.next_request().to_vec();
        connection.ask("peer", &first, 201).unwrap();
        connection.ask("peer", &first, 409).unwrap();
        connection.ask("peer", sales.next_request(), 201).unwrap();
        peer.stop().unwrap();
    }
}
