//! What outlives the end of a boot that nobody wanted: a panic, and a watchdog that is not fed.
//!
//! `TILLBOX_CRASH_FIRMWARE` names a drawer controller's firmware that is made to be broken (`scripts/hil` builds it); without it each
//! scenario is skipped and says so.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use pos_link::{Cause, ToHost};
use tillbox_hil::{BoxEnd, Emulator, Input, Rig};

fn bench() -> Option<(Emulator, BoxEnd)> {
    let Some(firmware) = std::env::var_os("TILLBOX_CRASH_FIRMWARE") else {
        println!("SKIPPED: TILLBOX_CRASH_FIRMWARE names no firmware; scripts/hil builds it");
        return None;
    };
    let mut rig = Emulator::start(firmware.into()).expect("the emulator starts");
    let line = rig.line().unwrap();
    Some((rig, BoxEnd::new(line, None).unwrap()))
}

#[test]
fn a_panic_is_told_after_the_reset_with_its_place() {
    let Some((mut rig, mut end)) = bench() else { return };
    end.wait_for(|told| matches!(told, ToHost::DrawerClosed { .. }).then_some(())).unwrap();
    rig.set(Input::Panic, true).unwrap();
    let line = end
        .wait_for(|told| match told {
            ToHost::Log { text, .. } => Some(text.clone()),
            _ => None,
        })
        .unwrap();
    println!("told: {line}");
    assert!(line.starts_with("panic at src/bin/crash.rs:"), "{line}");
    assert_eq!((end.tally().unwrap().boots, end.began), (2, 1), "it boots once more, and its stream goes on");
}

#[test]
fn what_the_box_has_not_accepted_outlives_the_watchdogs_reset() {
    let Some((mut rig, mut end)) = bench() else { return };
    end.wait_for(|told| matches!(told, ToHost::DrawerClosed { .. }).then_some(())).unwrap();
    assert_eq!(end.tally().unwrap().boots, 1);
    // The box hears this and does not come to store it: it is cut off then, and so is the controller.
    end.accepts = false;
    rig.set(Input::Switch, false).unwrap();
    let forced = |told: &ToHost| match told {
        ToHost::DrawerOpened { cause: Cause::NoCommand, at } => Some(*at),
        _ => None,
    };
    let at = end.wait_for(forced).unwrap();
    rig.set(Input::Hang, true).unwrap();
    rig.wait_for_reset().unwrap();
    end.reboot(rig.line().unwrap()).unwrap();
    assert_eq!(end.wait_for(forced).unwrap(), at, "it is told again, with its own time");
    assert_eq!((end.tally().unwrap().boots, end.began), (2, 0), "the stream goes on");
}
