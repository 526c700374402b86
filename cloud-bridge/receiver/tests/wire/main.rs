//! From journals to tables over a real broker, while everything between them is cut, killed, late or down: in the end the tables are
//! those of one who got it all at once, record by record, and the chain holds at both ends.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    dead_code,
    reason = "these are tests, and share their shop with others"
)]

#[path = "../receiver/dice.rs"]
mod dice;
#[path = "../receiver/server.rs"]
mod server;
#[path = "../receiver/shop.rs"]
mod shop;
#[path = "../receiver/tables.rs"]
mod tables;
mod world;

use cloud_bridge::messages::{self, Ack};
use cloud_bridge::mqtt::{Connection, With};
use cloud_bridge::{Batch, Packing, Topic};
use cloud_receiver::status;
use cloud_trial::{Persistence, Trouble};
use pos_journal::{Position, Record};

use dice::Dice;
use world::{BOX, OTHER, World, until};

#[tokio::test(flavor = "multi_thread")]
async fn two_boxes_and_two_receivers() {
    let Some(world) = World::new(Persistence::None).await else { return };
    let mut dice = Dice::new("two boxes");
    let (_one, _two) = (world.receiver(), world.receiver());
    let (mut corner, mut station) = (world.shop(BOX, 7), world.shop(OTHER, 8));
    for _ in 0..5 {
        corner.live(&mut dice, 30);
        station.live(&mut dice, 30);
    }
    world.all_is_there(&corner).await;
    world.all_is_there(&station).await;

    // Head office sees how the boxes stand.
    let client = world.database.client().await;
    let all = status(&client).await.unwrap();
    let corner_now = all.iter().find(|store| store.store == "corner").unwrap();
    assert_eq!((corner_now.records, corner_now.forks), (corner.shop.records.len() as u64, 0));
    until("the box is known to be there", || async {
        let all = status(&client).await.unwrap();
        all.iter()
            .any(|store| store.store == "corner" && store.boxes[0].online && store.boxes[0].lag == Some(0))
    })
    .await;
    // A receiver that comes later knows it from the start.
    client.execute("DELETE FROM boxes", &[]).await.unwrap();
    let _three = world.receiver();
    until("it is known again", || async {
        let all = status(&client).await.unwrap();
        all.iter().any(|store| store.boxes.iter().any(|one| one.version.as_deref() == Some("1")))
    })
    .await;
    corner.kill();
    world.link.set(Trouble { refused: true, ..Trouble::default() });
    world.link.cut();
    until("the box is known to be offline", || async {
        let all = status(&client).await.unwrap();
        all.iter().any(|store| store.store == "corner" && !store.boxes[0].online)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn receivers_that_are_killed_and_a_link_that_is_cut() {
    let Some(world) = World::new(Persistence::None).await else { return };
    let mut dice = Dice::new("killed receivers");
    let mut receivers = [world.receiver(), world.receiver()];
    let mut corner = world.shop(BOX, 7);
    for round in 0..times(4, "TILLBOX_KILLS") {
        world.link.set(Trouble { cuts: [0, 10, 100][round % 3], ..Trouble::default() });
        let published = corner.view().borrow().published;
        corner.live(&mut dice, 40);
        let view = corner.view();
        until("some is on its way", || async { view.borrow().published > published + 2 }).await;
        receivers[round % 2].kill();
        receivers[round % 2] = world.receiver();
    }
    world.link.set(Trouble::default());
    world.all_is_there(&corner).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_killed() {
    for persistence in [Persistence::None, Persistence::Kept] {
        let Some(mut world) = World::new(persistence).await else { return };
        let mut dice = Dice::new("killed broker");
        let _receiver = world.receiver();
        let mut corner = world.shop(BOX, 7);
        for _ in 0..times(3, "TILLBOX_RESTARTS") {
            let published = corner.view().borrow().published;
            corner.live(&mut dice, 30);
            let view = corner.view();
            until("some is on its way", || async { view.borrow().published > published }).await;
            world.broker.kill();
            corner.live(&mut dice, 5);
            world.broker.begin().unwrap();
        }
        world.all_is_there(&corner).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_down_and_one_that_came_back_empty() {
    let Some(world) = World::new(Persistence::None).await else { return };
    let mut dice = Dice::new("database");
    let _receiver = world.receiver();
    let mut corner = world.shop(BOX, 7);
    corner.live(&mut dice, 20);
    world.all_is_there(&corner).await;

    world.database_is_up(false).await;
    let published = corner.view().borrow().published;
    corner.live(&mut dice, 40);
    let view = corner.view();
    until("some was sent in vain", || async { view.borrow().published > published }).await;
    until("the receiver has noticed", || async { world.said().contains("the database does not take it") })
        .await;
    world.database_is_up(true).await;
    world.all_is_there(&corner).await;

    // Somebody put an old copy in its place: the box has been told that all of it was there.
    world.database_forgets().await;
    corner.live(&mut dice, 5);
    world.all_is_there(&corner).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_malformed_replayed_or_wrongly_chained_is_refused_and_the_rest_flows() {
    let Some(world) = World::new(Persistence::None).await else { return };
    let mut dice = Dice::new("malformed");
    let _receiver = world.receiver();
    let (mut corner, mut station) = (world.shop(BOX, 7), world.shop(OTHER, 8));
    corner.live(&mut dice, 20);
    world.all_is_there(&corner).await;

    // With the box's own certificate, as a box that has lost its mind would.
    let mad = Connection::open(&world.way(BOX, "mad", world.broker.port()), &[]).await.unwrap();
    let good = corner.shop.batch(0..3).encode(Packing::Plain).unwrap();
    let mut flipped = good.clone();
    flipped[130] ^= 1;
    let head = corner.shop.records.last().unwrap();
    let next = Position { epoch: head.epoch, seq: head.seq + 1 };
    let other = |previous, position| {
        let record = Record::new(position, previous, b"lies".to_vec()).unwrap();
        Batch { parent: None, records: vec![record] }.encode(Packing::Plain).unwrap()
    };
    let second = &corner.shop.records[1];
    let envelopes = [
        ("empty", Vec::new()),
        ("cut", good[..good.len() - 1].to_vec()),
        ("flipped", flipped),
        ("garbage", vec![0xA5; 5000]),
        ("replayed", good),
        ("wrongly chained", other([0x55; 32], next)),
        ("another record in a place that is taken", other(second.previous, second.position())),
        ("oversized", vec![0; 4 << 20]),
    ];
    for (name, bytes) in envelopes {
        let said = mad.publish(&corner.address.topic(Topic::Events), bytes, With::default()).await;
        said.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    mad.publish(&corner.address.topic(Topic::State), b"[]".to_vec(), With::default()).await.unwrap();

    station.live(&mut dice, 20);
    world.all_is_there(&station).await;
    let client = world.database.client().await;
    let counted = || async {
        let sql = "SELECT b.refused, s.forks FROM boxes b JOIN stores s ON s.id = b.store_id WHERE s.store = 'corner'";
        let row = client.query_one(sql, &[]).await.unwrap();
        (row.get::<_, i64>(0), row.get::<_, i64>(1))
    };
    until("all was counted", || async { counted().await == (6, 2) }).await;
    // And the box itself goes on.
    corner.forks = 2;
    corner.live(&mut dice, 10);
    world.all_is_there(&corner).await;
}

/// What a box sent while no receiver was there went to nobody: the first that comes asks for it, and the box need not lose patience.
#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_comes_late_asks_for_what_it_missed() {
    let Some(world) = World::new(Persistence::None).await else { return };
    let mut dice = Dice::new("late");
    let mut corner = world.patient_shop(BOX, 7);
    corner.live(&mut dice, 20);
    let view = corner.view();
    until("it is sent to nobody", || async { view.borrow().published > 0 }).await;
    let _receiver = world.receiver();
    world.all_is_there(&corner).await;
    assert_eq!(corner.view().borrow().standing.connections, 1);
}

/// Acknowledgements are the only thing that moves a box on: so it must not matter who gives one twice, late or out of order.
#[tokio::test(flavor = "multi_thread")]
async fn acknowledgements_that_are_old_or_come_twice_change_nothing() {
    let Some(world) = World::new(Persistence::None).await else { return };
    let mut dice = Dice::new("acknowledgements");
    let _receiver = world.receiver();
    let mut corner = world.shop(BOX, 7);
    let clerk = world.clerk(&[]).await;
    for _ in 0..5 {
        corner.live(&mut dice, 10);
        let old = Ack { position: corner.shop.records[2].position() };
        for _ in 0..3 {
            let bytes = messages::write(&old).unwrap();
            clerk.publish(&corner.address.topic(Topic::Ack), bytes, With::default()).await.unwrap();
        }
    }
    world.all_is_there(&corner).await;
}

fn times(short: usize, variable: &str) -> usize {
    std::env::var(variable).ok().and_then(|times| times.parse().ok()).unwrap_or(short)
}
