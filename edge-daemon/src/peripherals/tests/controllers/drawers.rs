//! Drawers that a controller opens and watches.

use pos_link::{Alarm, Cause, Outcome};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_drawer_opens_for_an_answer_to_its_challenge_with_the_enrolled_key() {
    let mut counter = counter().await;
    counter.drawer_on_controller();
    let line = counter.line("line");
    let running = counter.start();
    let mut drawer = controller(Kind::Drawer, DRAWER).plug(&line).unwrap();
    counter.wait(&running, "drawer", ready).await;
    let key_is = |wanted| {
        move |condition: &Condition| condition.controller.as_ref().is_some_and(|about| about.key == wanted)
    };
    counter.wait(&running, "drawer", key_is(KeyState::Missing)).await;
    counter.ask_open();
    let (outcome, detail) = counter.opened().await;
    assert!(outcome == DrawerOutcome::NotOpened && detail.contains("enrol"), "{detail}");

    let enrol = |key: &str| running.devices().enrol("drawer", &ControllerKey::parse(key).unwrap());
    enrol(&"08".repeat(32)).unwrap();
    counter.wait(&running, "drawer", key_is(KeyState::Other)).await;
    assert_eq!(enrol(&"07".repeat(32)).unwrap().controller.unwrap().key, KeyState::Enrolled);
    counter.wait(&running, "drawer", key_is(KeyState::Enrolled)).await;

    for (told, wanted) in [
        (Outcome::Opened, DrawerOutcome::Opened),
        (Outcome::DidNotOpen, DrawerOutcome::NotOpened),
        (Outcome::TooOften, DrawerOutcome::NotOpened),
    ] {
        counter.ask_open();
        let (request, right) = challenged(&mut drawer, [told.into(); 16]).await;
        assert!(right, "it is the answer to this challenge");
        drawer
            .tell(ToHost::OpenOutcome { at: drawer.now(), request: request ^ 1, outcome: Outcome::TooOften })
            .await
            .unwrap();
        drawer.tell(ToHost::OpenOutcome { at: drawer.now(), request, outcome: told }).await.unwrap();
        assert_eq!(counter.opened().await.0, wanted);
    }

    // The plug comes out between request and outcome.
    counter.ask_open();
    challenged(&mut drawer, [9; 16]).await;
    let memory = drawer.unplug().await.unwrap();
    let (outcome, detail) = counter.opened().await;
    assert!(outcome == DrawerOutcome::Unknown && detail.contains("does not answer"), "{detail}");
    counter.wait(&running, "drawer", absent).await;
    // And before the challenge.
    let mut drawer = memory.plug(&line).unwrap();
    counter.wait(&running, "drawer", ready).await;
    counter.ask_open();
    said(&mut drawer, |said| matches!(said, ToController::AskChallenge).then_some(())).await;
    assert_eq!(counter.opened().await.0, DrawerOutcome::NotOpened, "it gives none");
    counter.end(running).await;
}

/// Gives a challenge, and gets the request's number, and whether it answers the challenge.
async fn challenged(drawer: &mut PluggedController, nonce: [u8; 16]) -> (u32, bool) {
    said(drawer, |said| matches!(said, ToController::AskChallenge).then_some(())).await;
    drawer.tell(ToHost::Challenge { nonce }).await.unwrap();
    said(drawer, |said| match said {
        ToController::OpenDrawer { request, pulse_ms, mac } => {
            Some((*request, *mac == firmware::mac(&KEY, &nonce, *request, *pulse_ms)))
        }
        _ => None,
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opening_without_a_command_is_one_alarm_however_often_it_is_told() {
    let mut counter = counter().await;
    counter.drawer_on_controller();
    let line = counter.line("line");
    // Opened while the box was down, and closed again.
    let drawer = controller(Kind::Drawer, DRAWER).plug(&line).unwrap();
    let at = drawer.now();
    drawer.tell(ToHost::DrawerOpened { at, cause: Cause::NoCommand }).await.unwrap();
    drawer.tell(ToHost::DrawerClosed { at, open_ms: 900 }).await.unwrap();
    let memory = drawer.unplug().await.unwrap();
    for _ in 0..2 {
        let running = counter.start();
        let drawer = memory.clone().plug(&line).unwrap();
        let shut = |condition: &Condition| condition.of_class == OfClass::Drawer { open: Some(false) };
        counter.wait(&running, "drawer", shut).await;
        drawer.unplug().await.unwrap();
        running.stop().await;
    }
    counter.ask_open();
    let mut alarms = 0;
    let asked = |event: &Event| match event {
        Event::DrawerAlarm { .. } => Some(true),
        Event::DrawerAsked(_) => Some(false),
        _ => None,
    };
    while counter.event(asked).await {
        alarms += 1;
    }
    assert_eq!(alarms, 1);
    let running = counter.start();
    counter.end(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_controller_of_another_kind_or_none_at_all_is_said_so() {
    let mut counter = counter().await;
    counter.scanner_on_controller(false);
    let line = counter.line("line");
    let running = counter.start();
    counter.wait(&running, "scanner", |condition| condition.detail.contains("5c00000000000001")).await;
    let _drawer = controller(Kind::Drawer, SCANNER).plug(&line).unwrap();
    let wrong = |condition: &Condition| {
        condition.state == DeviceState::Faulty && condition.detail.contains("is no scanner")
    };
    counter.wait(&running, "scanner", wrong).await;
    let none = running.devices().enrol("receipts", &ControllerKey::parse(&"07".repeat(32)).unwrap());
    assert!(matches!(none, Err(DeviceError::NoController(_))));
    counter.end(running).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_shows_for_as_long_as_it_is_on_whatever_else_begins_and_ends() {
    let mut counter = counter().await;
    counter.drawer_on_controller();
    let line = counter.line("line");
    let running = counter.start();
    let drawer = controller(Kind::Drawer, DRAWER).plug(&line).unwrap();
    counter.wait(&running, "drawer", ready).await;
    let alarms = [
        (Alarm::OpenTooLong, true, "close it"),
        (Alarm::Tamper, true, "who opened it"),
        (Alarm::OpenTooLong, false, "who opened it"),
        (Alarm::Tamper, false, ""),
    ];
    for (alarm, on, wanted) in alarms {
        drawer.tell(ToHost::Alarm { at: drawer.now(), alarm, on }).await.unwrap();
        // What is told next is done after it.
        let open = on;
        let next = if open {
            ToHost::DrawerOpened { at: drawer.now(), cause: Cause::Command }
        } else {
            ToHost::DrawerClosed { at: drawer.now(), open_ms: 1 }
        };
        drawer.tell(next).await.unwrap();
        let shows = |condition: &Condition| {
            let is = condition.of_class == OfClass::Drawer { open: Some(open) };
            is && condition.detail.contains(wanted) && condition.detail.is_empty() == wanted.is_empty()
        };
        counter.wait(&running, "drawer", shows).await;
    }
    counter.end(running).await;
}
