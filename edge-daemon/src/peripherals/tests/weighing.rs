//! Scales and displays on virtual lines.

use device_drivers::{Dialect, ScaleFaults, Talk, Unit, VirtualDisplay, VirtualScale};

use super::*;
use crate::checkout::CommandKey;
use crate::config::{DisplayConfig, DisplayPort, ScaleConfig};

const TALK: Talk = Talk::Polled { unit: Unit::Kilogram, places: 3 };

fn scale(counter: &mut Counter) -> VirtualScale {
    let path = counter.port("scale");
    let plugged = VirtualScale::plug(&path, TALK).unwrap();
    let model = Model::Scale(ScaleConfig { path: Some(path), line: Line::default(), talk: TALK });
    counter.devices.push(DeviceConfig { id: "scale".into(), terminal: Some("till-1".into()), model });
    plugged
}

fn weight_of(condition: &Condition) -> Option<&str> {
    match &condition.of_class {
        OfClass::Scale { weight } => weight.as_deref(),
        _ => None,
    }
}

fn key(number: u8) -> CommandKey {
    CommandKey { key: [number; 16], request: [number; 32] }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_weight_is_told_once_for_the_goods_that_are_put_on() {
    let mut counter = counter().await;
    let scale = scale(&mut counter);
    let running = counter.start();
    let mut news = running.devices().subscribe();
    counter.wait(&running, "scale", |condition| condition.state == DeviceState::Ready).await;
    let weights = async |news: &mut broadcast::Receiver<News>| loop {
        if let News::Weighed { kilograms, terminal, .. } = timeout(LONG, news.recv()).await.unwrap().unwrap()
        {
            return (kilograms.to_string(), terminal);
        }
    };
    scale.put(475);
    assert_eq!(weights(&mut news).await, ("0.475".to_owned(), Some("till-1".into())));
    counter.wait(&running, "scale", |condition| weight_of(condition) == Some("0.475")).await;
    scale.put(0);
    counter.wait(&running, "scale", |condition| weight_of(condition).is_none()).await;
    scale.put(1_250);
    assert_eq!(weights(&mut news).await.0, "1.250");
    assert_eq!(running.devices().get("scale").unwrap().counters.done, 2);

    // What lies on it is taken for nothing from now on.
    running.devices().order("scale", "till-1", Order::Zero, key(1)).await.unwrap();
    counter.wait(&running, "scale", |condition| weight_of(condition).is_none()).await;
    assert_eq!(scale.shown(), 0);
    // The same request again, with other goods on it meanwhile.
    scale.put(2_000);
    counter.wait(&running, "scale", |condition| weight_of(condition) == Some("0.750")).await;
    running.devices().order("scale", "till-1", Order::Zero, key(1)).await.unwrap();
    assert_eq!(scale.shown(), 750, "it is not set to zero again");
    scale.set_faults(ScaleFaults { silent: true, ..ScaleFaults::default() });
    counter.wait(&running, "scale", |condition| condition.state == DeviceState::Faulty).await;
    scale.set_faults(ScaleFaults::default());
    counter.wait(&running, "scale", |condition| condition.state == DeviceState::Ready).await;
    counter.end(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_display_shows_what_its_till_says_and_again_after_it_was_unplugged() {
    let mut counter = counter().await;
    let path = counter.port("display");
    let display = VirtualDisplay::plug(&path, Dialect::Cd5220).unwrap();
    let config = DisplayConfig {
        port: Some(DisplayPort::Serial(path.clone())),
        line: Line::default(),
        dialect: Dialect::Cd5220,
    };
    let model = Model::Display(config);
    counter.devices.push(DeviceConfig { id: "display".into(), terminal: Some("till-1".into()), model });
    let running = counter.start();
    let devices = running.devices();
    counter.wait(&running, "display", |condition| condition.state == DeviceState::Ready).await;
    let lines = || Order::Show([("Apples".into(), "2.49".into()), ("TOTAL".into(), "12.00".into())]);
    let other = devices.order("display", "till-2", lines(), key(2)).await;
    assert!(matches!(other, Err(DeviceError::Claimed { .. })), "{other:?}");
    devices.order("display", "till-1", lines(), key(3)).await.unwrap();
    let expected = ["Apples          2.49", "TOTAL          12.00"];
    let shows = async |display: &VirtualDisplay| {
        let mut changes = display.changes();
        timeout(LONG, changes.wait_for(|_| display.lines() == expected))
            .await
            .expect("it never showed it")
            .unwrap();
    };
    shows(&display).await;
    assert!(matches!(
        devices.order("display", "till-1", Order::Zero, key(4)).await,
        Err(DeviceError::WrongClass { .. })
    ));

    drop(display);
    counter.wait(&running, "display", |condition| condition.state == DeviceState::Absent).await;
    let gone = devices.order("display", "till-1", lines(), key(5)).await;
    assert!(matches!(gone, Err(DeviceError::Unable { .. })), "{gone:?}");
    let display = VirtualDisplay::plug(&path, Dialect::Cd5220).unwrap();
    shows(&display).await;
    counter.end(running).await;
}
