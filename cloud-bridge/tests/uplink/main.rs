//! The uplink against a real broker, over a link that misbehaves: in the end the cloud has what the journal has.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use std::time::Duration;

use cloud_bridge::messages::{self, Command, Order};
use cloud_bridge::mqtt::{Connection, LinkError, With};
use cloud_bridge::{Ack, Topic};
use cloud_trial::{Persistence, Trouble};
use pos_journal::{EpochId, Position};
use uuid::Uuid;

use world::{BOX, OTHER, address, until, world};

mod world;

#[tokio::test(flavor = "multi_thread")]
async fn all_records_come_once_and_in_order_and_the_box_learns_of_it() {
    let Some(world) = world(Persistence::None) else { return };
    let (mut shop, cloud) = (world.shop(), world.cloud());
    shop.sell(300);
    shop.connect();
    shop.all_is_there(&cloud).await;
    shop.sell(20);
    shop.all_is_there(&cloud).await;
    assert_eq!(cloud.known.lock().unwrap().again, 0);
    cloud
        .until("the box says that it is there", |known| known.states.last().is_some_and(|state| state.online))
        .await;

    // It goes on where it was, after a restart, too.
    shop.disconnect().await;
    cloud
        .until("the box has said goodbye", |known| known.states.last().is_some_and(|state| !state.online))
        .await;
    shop.sell(20);
    shop.connect();
    shop.all_is_there(&cloud).await;
    assert_eq!(cloud.known.lock().unwrap().again, 0);

    // Without its cursor it sends all again, and nothing is there twice.
    shop.disconnect().await;
    std::fs::remove_file(&shop.cursor).unwrap();
    shop.connect();
    shop.all_is_there(&cloud).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_box_that_is_lost_is_said_to_be_offline() {
    let Some(world) = world(Persistence::None) else { return };
    let (mut shop, cloud) = (world.shop(), world.cloud());
    shop.sell(3);
    shop.connect();
    shop.all_is_there(&cloud).await;
    shop.kill();
    world.link.set(Trouble { refused: true, ..Trouble::default() });
    world.link.cut();
    cloud.until("the broker says so", |known| known.states.last().is_some_and(|state| !state.online)).await;
}

/// The broker says that it has all, and nobody was there to get it: it is nowhere. Whether the broker stays or begins anew.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_broker_took_and_nobody_got_is_sent_again() {
    for killed in [false, true] {
        let Some(mut world) = world(Persistence::None) else { return };
        let mut shop = world.shop();
        shop.sell(50);
        shop.connect();
        let standing = shop.uplink().standing.clone();
        until("a window is published", || standing.borrow().published >= 4).await;
        assert_eq!(standing.borrow().acknowledged, None);
        if killed {
            world.broker.kill();
            world.broker.begin().unwrap();
        }
        let cloud = world.cloud();
        shop.all_is_there(&cloud).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_killed_again_and_again_loses_nothing() {
    for persistence in [Persistence::None, Persistence::Kept] {
        let Some(mut world) = world(persistence) else { return };
        let (mut shop, cloud) = (world.shop(), world.cloud());
        shop.connect();
        for _ in 0..times(4, "TILLBOX_RESTARTS") {
            let came = cloud.known.lock().unwrap().envelopes;
            shop.sell(60);
            cloud.until("some came", |known| known.envelopes > came + 2).await;
            world.broker.kill();
            shop.sell(5);
            world.broker.begin().unwrap();
        }
        shop.all_is_there(&cloud).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_is_cut_all_the_time_loses_nothing() {
    let Some(world) = world(Persistence::None) else { return };
    let (mut shop, cloud) = (world.shop(), world.cloud());
    for cuts in [10, 100, 300] {
        world.link.set(Trouble { cuts, ..Trouble::default() });
        shop.connect();
        let connections = world.link.connections();
        until("it was cut often", || {
            shop.sell(1);
            world.link.connections() >= connections + 5
        })
        .await;
        world.link.set(Trouble::default());
        shop.all_is_there(&cloud).await;
        shop.kill();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_link_loses_nothing() {
    let Some(world) = world(Persistence::None) else { return };
    let (mut shop, cloud) = (world.shop(), world.cloud());
    // 64 kbit/s.
    world.link.set(Trouble { bandwidth: 8_000, ..Trouble::default() });
    shop.sell(100);
    shop.connect();
    shop.all_is_there(&cloud).await;
    // Longer than the patience: connections are given up, and yet it goes forward.
    let latency = Duration::from_secs(2);
    world.link.set(Trouble { latency, ..Trouble::default() });
    shop.sell(40);
    let connections = shop.uplink().standing.borrow().standing.connections;
    until("one was given up", || shop.uplink().standing.borrow().standing.connections > connections).await;
    world.link.set(Trouble::default());
    shop.all_is_there(&cloud).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_swallows_all_is_given_up() {
    let Some(world) = world(Persistence::None) else { return };
    let (mut shop, cloud) = (world.shop(), world.cloud());
    shop.sell(10);
    shop.connect();
    shop.all_is_there(&cloud).await;
    world.link.set(Trouble { swallows: true, ..Trouble::default() });
    shop.sell(10);
    let mut standing = shop.uplink().standing.clone();
    standing.wait_for(|view| !view.standing.connected).await.unwrap();
    world.link.set(Trouble::default());
    world.link.cut();
    shop.all_is_there(&cloud).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_cloud_says_it_lacks_is_sent_again() {
    let Some(world) = world(Persistence::None) else { return };
    let (mut shop, cloud) = (world.shop(), world.cloud());
    shop.sell(30);
    shop.connect();
    shop.all_is_there(&cloud).await;
    let clerk = world.clerk().await;
    let after = Position { seq: 10, ..shop.head() };
    let order = |after| {
        let command =
            Command { id: Uuid::from_u128(1), expires_at: i64::MAX, order: Order::Resend { after } };
        messages::write(&command).unwrap()
    };
    let topic = address().topic(Topic::Command("resend"));
    // What cannot be read, or is of no journal of this box, is passed over.
    let foreign = Position { epoch: EpochId(1), seq: 1 };
    for bytes in [b"{}".to_vec(), b"\xff".to_vec(), order(foreign)] {
        clerk.publish(&topic, bytes, With::default()).await.unwrap();
    }
    let ack = address().topic(Topic::Ack);
    for bytes in [b"[]".to_vec(), messages::write(&Ack { position: foreign }).unwrap()] {
        clerk.publish(&ack, bytes, With::default()).await.unwrap();
    }
    clerk.publish(&topic, order(after), With::default()).await.unwrap();
    cloud.until("20 records came again", |known| known.again >= 20).await;
    assert_eq!(cloud.known.lock().unwrap().again, 20);
    shop.all_is_there(&cloud).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_is_paused_nothing_is_sent_and_it_says_what_waits() {
    let Some(world) = world(Persistence::None) else { return };
    let (mut shop, cloud) = (world.shop(), world.cloud());
    shop.connect();
    shop.uplink().paused.send_replace(true);
    let mut standing = shop.uplink().standing.clone();
    standing.wait_for(|view| view.standing.paused && view.standing.connected).await.unwrap();
    shop.sell(25);
    standing.wait_for(|view| view.depth == 25 && view.oldest.is_some()).await.unwrap();
    assert_eq!(cloud.known.lock().unwrap().envelopes, 0);
    shop.uplink().paused.send_replace(false);
    shop.all_is_there(&cloud).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_are_handed_on_and_stay_with_the_broker_until_they_are_done() {
    let Some(world) = world(Persistence::None) else { return };
    let (mut shop, cloud) = (world.shop(), world.cloud());
    shop.broker.session = Duration::from_secs(60);
    shop.sell(1);
    shop.connect();
    shop.all_is_there(&cloud).await;
    let clerk = world.clerk().await;
    let topic = address().topic(Topic::Command("ping"));
    let with = With { answer_to: Some("there".into()), correlation: Some(vec![7]), ..With::default() };
    clerk.publish(&topic, b"{}".to_vec(), with).await.unwrap();
    for _ in 0..2 {
        let message = shop.uplink().came.recv().await.unwrap();
        assert_eq!((message.topic(), message.payload()), (&*topic, &b"{}"[..]));
        assert_eq!(message.answer_to(), Some(("there", Some(&[7][..]))));
        // The box dies before it was done, and when it had time to say that it was.
        shop.sell(1);
        shop.all_is_there(&cloud).await;
        shop.kill();
        shop.connect();
    }
}

/// Certificates decide: neither may a box of another store say anything in this one's name, nor hear what is said to it.
#[tokio::test(flavor = "multi_thread")]
async fn another_stores_certificate_reaches_nothing_of_this_one() {
    let Some(world) = world(Persistence::None) else { return };
    let (mut shop, cloud) = (world.shop(), world.cloud());
    let stranger = world.way("stranger", OTHER, world.broker.port());
    let all = ["pos/v1/#".to_owned(), address().topic(Topic::Ack), address().topic(Topic::Command("+"))];
    let mut listening = Connection::open(&stranger, &all).await.unwrap();
    shop.sell(5);
    shop.connect();
    shop.all_is_there(&cloud).await;
    for topic in [Topic::Events, Topic::State, Topic::Ack, Topic::Command("ping"), Topic::Reply("ping")] {
        let topic = address().topic(topic);
        listening.publish(&topic, b"lies".to_vec(), With::default()).await.unwrap();
    }
    shop.sell(5);
    shop.all_is_there(&cloud).await;
    // Its own topics work, and that is all that it hears.
    let other: cloud_bridge::Address = OTHER.parse().unwrap();
    let clerk = world.clerk().await;
    clerk.publish(&other.topic(Topic::Ack), b"for you".to_vec(), With::default()).await.unwrap();
    let heard = listening.receive().await.unwrap();
    assert_eq!((heard.topic(), heard.payload()), (&*other.topic(Topic::Ack), &b"for you"[..]));
    assert!(listening.receive_now().is_none());

    // And without a certificate of the authority nobody comes in.
    let strangers = cloud_trial::Authority::new(&world.folder.path().join("strangers")).unwrap();
    let identity = strangers.identity("box", BOX).unwrap();
    let ours = world.folder.path().join("keys/authority.pem");
    let tls = cloud_bridge::mqtt::Tls::read(&ours, &identity.certificate, &identity.key).unwrap();
    let forged = cloud_bridge::mqtt::Broker { tls: Some(tls), ..stranger };
    assert!(matches!(Connection::open(&forged, &[]).await, Err(LinkError::Lost(_))));
}

fn times(short: usize, variable: &str) -> usize {
    std::env::var(variable).ok().and_then(|times| times.parse().ok()).unwrap_or(short)
}
