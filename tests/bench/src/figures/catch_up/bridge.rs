//! Mosquitto's own bridge between two brokers, quality of service 1 and persistence on: as many messages of the same bytes.

use super::hand::plain;
use super::{Scene, Wrong, failed};
use cloud_bridge::mqtt::{Connection, With};
use cloud_trial::Mosquitto;
use std::time::{Duration, Instant};

/// How long the first message may keep us waiting: the bridge looks for its other end again in its own time.
const PATIENCE: Duration = Duration::from_secs(60);

/// From the first message's arrival to the last one's. Without TLS, which is the bridge's advantage.
pub(super) async fn move_all(scene: &Scene) -> Result<Duration, Wrong> {
    let folder = scene.folder.join("bridge");
    let _ = std::fs::remove_dir_all(&folder);
    // In version 5 no limit would be a limit of zero, which the other end refuses.
    let unlimited = "max_queued_messages 0\nmax_inflight_messages 1000\n";
    let mut far = Mosquitto::start_open(&folder.join("far"), unlimited)?;
    let connection = format!(
        "{unlimited}connection up\naddress 127.0.0.1:{}\ntopic evt out 1\ncleansession false\nrestart_timeout 1\n\
         bridge_protocol_version mqttv50\nnotifications false\n",
        far.port()
    );
    let near = Mosquitto::start_open(&folder.join("near"), &connection)?;
    // So that the bridge has a session, and then nobody at its other end.
    tokio::time::sleep(Duration::from_secs(2)).await;
    far.kill();

    let box_end =
        Connection::open(&plain(near.port(), "box", None), &[]).await.map_err(|error| failed(&error))?;
    for record in &scene.records {
        let sent = box_end.publish("evt", record.encode(), With::default()).await;
        sent.map_err(|error| failed(&error))?;
    }
    // The last is queued when another that comes after it is answered: by then nothing is on its way to the broker.
    box_end.close().await;

    far.begin()?;
    let hand = Connection::open(&plain(far.port(), "hand", None), &["evt".to_owned()]).await;
    let mut hand = hand.map_err(|error| failed(&error))?;
    let mut begun = None;
    for _ in 0..scene.records.len() {
        let message = tokio::time::timeout(PATIENCE, hand.receive());
        let message = message.await.map_err(|_| failed(&"the bridge has stopped"))?;
        let message = message.map_err(|error| failed(&error))?;
        begun.get_or_insert_with(Instant::now);
        hand.taken(&message).await.map_err(|error| failed(&error))?;
    }
    Ok(begun.map_or(Duration::ZERO, |begun| begun.elapsed()))
}
