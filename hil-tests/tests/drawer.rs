//! A drawer controller's board, its drawer, and the box's end of the line.
//!
//! `TILLBOX_DUT` names a real board, or `TILLBOX_FIRMWARE` the firmware of an emulated one (`scripts/hil` builds it); without either, each
//! scenario is skipped and says so.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use std::time::{Duration, Instant};

use pos_link::{Alarm, Cause, Kind, Outcome, ToController, ToHost};
use tillbox_hil::{BoxEnd, HARDWARE, Input, Need, Output, Rig, Scene};

const SWITCH: Need = Need::Set(Input::Switch);
const SOLENOID: Need = Need::See(Output::Solenoid);

/// A rig that has this, with the box's end of its line, or `None`, and why.
fn bench(needs: &[Need]) -> Option<(Box<dyn Rig>, BoxEnd)> {
    let scene = Scene { kind: Kind::Drawer, firmware: "TILLBOX_FIRMWARE", levels: &[], needs };
    let mut rig = scene.rig().expect("the rig starts")?;
    let line = rig.line().unwrap();
    Some((rig, BoxEnd::new(line, None).unwrap()))
}

fn outcome(told: &ToHost) -> Option<Outcome> {
    match told {
        ToHost::OpenOutcome { outcome, .. } => Some(*outcome),
        _ => None,
    }
}

fn closed(told: &ToHost) -> Option<()> {
    matches!(told, ToHost::DrawerClosed { .. }).then_some(())
}

/// Says it, opens the drawer when the solenoid is pulled, and gives how long that took and how long the pulse was.
fn open(rig: &mut dyn Rig, end: &mut BoxEnd, said: &ToController) -> (Duration, Duration) {
    let asked = Instant::now();
    end.say(said).unwrap();
    let deadline = asked + Duration::from_secs(10);
    while !rig.solenoid().unwrap() {
        assert!(Instant::now() < deadline, "the solenoid is never driven; told was {:?}", end.told);
        end.work().unwrap();
    }
    let pulled = Instant::now();
    rig.set(Input::Switch, false).unwrap();
    while rig.solenoid().unwrap() {
        assert!(pulled.elapsed() < Duration::from_secs(10), "the solenoid is never let go");
        end.work().unwrap();
    }
    (pulled - asked, pulled.elapsed())
}

#[test]
fn a_drawer_opens_on_the_boxes_word_and_a_recorded_word_opens_nothing() {
    let Some((mut rig, mut end)) = bench(&[SWITCH, SOLENOID]) else { return };
    let identity = |told: &ToHost| match told {
        ToHost::Identity(identity) => Some(*identity),
        _ => None,
    };
    let identity = end.wait_for(identity).unwrap();
    assert_eq!((identity.kind, &identity.hardware), (Kind::Drawer, &HARDWARE));
    end.wait_for(closed).unwrap();

    let said = end.request(1, 150).unwrap();
    let (after, pulse) = open(rig.as_mut(), &mut end, &said);
    println!("pulled after {after:?}, for {pulse:?} of the host's clock");
    assert_eq!(end.wait_for(outcome).unwrap(), Outcome::Opened);
    rig.set(Input::Switch, true).unwrap();
    end.wait_for(closed).unwrap();

    end.say(&said).unwrap();
    assert_eq!(end.wait_for(outcome).unwrap(), Outcome::StaleChallenge);
    assert!(!rig.solenoid().unwrap());
}

#[test]
fn a_forced_drawer_is_an_alarm_and_so_is_an_opened_case() {
    let Some((mut rig, mut end)) = bench(&[SWITCH, Need::Set(Input::Case)]) else { return };
    end.wait_for(closed).unwrap();
    rig.set(Input::Switch, false).unwrap();
    let cause = |told: &ToHost| match told {
        ToHost::DrawerOpened { cause, .. } => Some(*cause),
        _ => None,
    };
    assert_eq!(end.wait_for(cause).unwrap(), Cause::NoCommand);
    rig.set(Input::Case, true).unwrap();
    let tamper =
        |told: &ToHost| matches!(told, ToHost::Alarm { alarm: Alarm::Tamper, on: true, .. }).then_some(());
    end.wait_for(tamper).unwrap();
}

#[test]
fn a_power_cut_in_a_pulse_leaves_the_drawer_shut_and_the_board_comes_back_as_itself() {
    let Some((mut rig, mut end)) = bench(&[SWITCH, SOLENOID]) else { return };
    end.wait_for(closed).unwrap();
    let said = end.request(1, 150).unwrap();
    end.say(&said).unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while !rig.solenoid().unwrap() {
        assert!(Instant::now() < deadline, "the solenoid is never driven");
        end.work().unwrap();
    }
    let cursor = end.cursor();
    rig.cut_power().unwrap();
    let mut end = BoxEnd::new(rig.line().unwrap(), cursor).unwrap();
    end.wait_for(closed).unwrap();
    assert!(!rig.solenoid().unwrap());
    // The request comes again: the box does not know what became of it.
    end.say(&said).unwrap();
    assert_eq!(end.wait_for(outcome).unwrap(), Outcome::StaleChallenge);
    let said = end.request(2, 150).unwrap();
    open(rig.as_mut(), &mut end, &said);
    assert_eq!(end.wait_for(outcome).unwrap(), Outcome::Opened);
}

#[test]
fn a_board_that_is_told_to_boots_again_and_counts_it() {
    let Some((mut rig, mut end)) = bench(&[SWITCH]) else { return };
    end.wait_for(closed).unwrap();
    for boots in [1, 2] {
        end.say(&ToController::AskCounters).unwrap();
        let tally = |told: &ToHost| match told {
            ToHost::Counters { tally, .. } => Some(*tally),
            _ => None,
        };
        assert_eq!(end.wait_for(tally).unwrap().boots, boots);
        if boots == 1 {
            end.say(&ToController::Reboot).unwrap();
            let identity = |told: &ToHost| matches!(told, ToHost::Identity(_)).then_some(());
            end.wait_for(identity).unwrap();
            // The emulated port forgets its levels with the reset.
            rig.set(Input::Switch, true).unwrap();
            end.wait_for(closed).unwrap();
        }
    }
    assert_eq!(end.ups, 2);
}
