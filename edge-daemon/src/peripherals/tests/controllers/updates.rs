//! Firmware for controllers.

use pos_link::UpdateRefusal;

use super::*;

/// An image whose signature nobody here looks at.
fn image_of(kind: Kind, version: Version, length: u32) -> Vec<u8> {
    let body: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
    let digest = sha2::Digest::finalize(sha2::Digest::chain_update(sha2::Sha256::default(), &body)).into();
    let target = firmware::update::Target { board: *b"lm3s6965", kind };
    let header = firmware::update::Header { target, version, length, digest };
    [&header.to_bytes()[..], &[0; 64], &body].concat()
}

/// Takes an image in: begins at what it has of it, and has `enough` at the end.
async fn receive(controller: &mut PluggedController, stored: &mut Vec<u8>, enough: usize) {
    said(controller, |said| {
        matches!(said, ToController::UpdateBegin { fingerprint: Some(_), .. }).then_some(())
    })
    .await;
    let at = |stored: &Vec<u8>| u32::try_from(stored.len()).unwrap();
    controller.tell(ToHost::UpdateProgress { stored: at(stored) }).await.unwrap();
    while stored.len() < enough {
        let (offset, data) = said(controller, |said| match said {
            ToController::UpdateChunk { offset, data } => Some((*offset, data.clone())),
            _ => None,
        })
        .await;
        assert_eq!(offset, at(stored), "one after the other");
        stored.extend_from_slice(&data);
        controller.tell(ToHost::UpdateProgress { stored: at(stored) }).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_controller_gets_its_firmware_over_interruptions_and_says_what_became_of_it() {
    let mut counter = counter().await;
    counter.drawer_on_controller();
    let (left, right) = (counter.line("left"), counter.line("right"));
    let running = counter.start();
    let mut drawer = controller(Kind::Drawer, DRAWER).plug(&left).unwrap();
    counter.wait(&running, "drawer", ready).await;
    let version = Version { major: 1, minor: 3, patch: 0 };
    let image = image_of(Kind::Drawer, version, 5_000);
    let refused = |image: &[u8]| running.devices().update("drawer", image);
    let mut damaged = image.clone();
    damaged[2_000] ^= 1;
    for (bad, why) in [
        (&image[..100], "no firmware image"),
        (&image[..4_000], "not whole"),
        (&damaged[..], "not whole"),
        (&image_of(Kind::Scanner, version, 10)[..], "for a scanner's controller"),
    ] {
        let Err(DeviceError::BadImage(said)) = refused(bad) else { panic!("{why}") };
        assert!(said.contains(why), "{said}");
    }
    assert!(matches!(running.devices().update("receipts", &image), Err(DeviceError::NoController(_))));

    running.devices().update("drawer", &image).unwrap();
    let mut stored = Vec::new();
    receive(&mut drawer, &mut stored, 2_000).await;
    let other = image_of(Kind::Drawer, version, 4_000);
    assert!(
        matches!(refused(&other), Err(DeviceError::Unable { .. })),
        "what is said of the first is not about it"
    );
    running.devices().update("drawer", &image).unwrap();
    // It comes back at another plug, and goes on where it is.
    let memory = drawer.unplug().await.unwrap();
    counter.wait(&running, "drawer", absent).await;
    let mut drawer = memory.plug(&right).unwrap();
    receive(&mut drawer, &mut stored, image.len()).await;
    assert_eq!(stored, image);
    said(&mut drawer, |said| matches!(said, ToController::UpdateEnd).then_some(())).await;
    let state = |wanted| {
        move |condition: &Condition| {
            let update = condition.controller.as_ref().and_then(|about| about.update.clone());
            update.is_some_and(|update| update.state == wanted)
        }
    };
    counter.wait(&running, "drawer", state(UpdateState::Sending)).await;
    let memory = drawer.unplug().await.unwrap();
    let new = Identity { firmware: version, ..identity(Kind::Drawer, DRAWER) };
    let drawer = memory.with_identity(new).shy().plug(&right).unwrap();
    drawer.tell(ToHost::UpdateConfirmed { version }).await.unwrap();
    counter.wait(&running, "drawer", state(UpdateState::Done)).await;
    assert_eq!(running.devices().get("drawer").unwrap().controller.unwrap().firmware, "1.3.0");

    // One that it does not want.
    counter.wait(&running, "drawer", ready).await;
    running.devices().update("drawer", &image).unwrap();
    let mut drawer = drawer;
    said(&mut drawer, |said| matches!(said, ToController::UpdateBegin { .. }).then_some(())).await;
    drawer.tell(ToHost::UpdateRefused { reason: UpdateRefusal::NotNewer, stored: 0 }).await.unwrap();
    counter.wait(&running, "drawer", state(UpdateState::Refused)).await;
    let about = running.devices().get("drawer").unwrap().controller.unwrap();
    assert!(about.update.as_ref().unwrap().detail.contains("later"), "{about:?}");
    counter.end(running).await;
}
