//! The real daemon and our controllers: what a till asks at the API, seen at the board's pins, and back.
//!
//! `TILLBOX_FIRMWARE` names the drawer's firmware and `TILLBOX_DAEMON` the daemon (`scripts/hil` builds both); without the
//! former each scenario is skipped and says so. `TILLBOX_OPENINGS` says how many openings are measured (12).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

#[allow(unreachable_pub, dead_code, reason = "a part of several test programs")]
mod counter;

use std::time::{Duration, Instant};

use counter::cable::Cable;
use counter::{Counter, LONG, built, hex, section};
use serde_json::json;
use tillbox_hil::{Emulator, Input, Rig};
use tillbox_tests::patiently;

const DRAWER: &[u8; 8] = b"drawer-1";
/// The controller lets no more openings happen within a minute, but begins to count anew when it had no power.
const A_BOOT: usize = 12;

fn board(hardware: &[u8; 8]) -> Option<Emulator> {
    Some(Emulator::start_as(built("TILLBOX_FIRMWARE")?, hardware).expect("the emulator starts"))
}

/// A shop with a drawer on a board.
fn shop() -> Option<(Counter, Emulator)> {
    let mut board = board(DRAWER)?;
    let counter = Counter::begin(&["left", "right"], &section("drawer", "drawer", DRAWER, ""));
    board.plug(Some(&counter.line("left"))).unwrap();
    counter.wait_for("drawer", "ready");
    counter.enrol("drawer");
    Some((counter, board))
}

/// Orders the drawer to open, again while its coil rests, until the solenoid is driven; gives the job and how long it took.
fn ordered(board: &mut Emulator, counter: &mut Counter) -> (String, Duration) {
    patiently(LONG, "the coil has rested", || {
        let asked = Instant::now();
        let job = counter.open("drawer");
        while !board.solenoid().unwrap() {
            if counter.has_ended(&job) {
                return None;
            }
            assert!(asked.elapsed() < LONG, "the solenoid is never driven");
            // The emulator does nothing else while it is asked.
            std::thread::sleep(Duration::from_micros(500));
        }
        Some((job, asked.elapsed()))
    })
}

fn let_go(board: &mut Emulator) {
    patiently(LONG, "the solenoid is let go", || (!board.solenoid().unwrap()).then_some(()));
}

/// The drawer springs open, and somebody shuts it.
fn opens(board: &mut Emulator, counter: &mut Counter) {
    board.set(Input::Switch, false).unwrap();
    let_go(board);
    counter.wait_until("drawer", "open", &json!(true));
    board.set(Input::Switch, true).unwrap();
    counter.wait_until("drawer", "open", &json!(false));
}

#[test]
fn an_order_at_the_api_drives_the_solenoid_and_its_outcome_is_told() {
    let Some((mut counter, mut board)) = shop() else { return };
    let openings = std::env::var("TILLBOX_OPENINGS").map_or(12, |text| text.parse().expect("a number"));
    let mut took = Vec::new();
    for opening in 0..openings {
        if opening % A_BOOT == 0 && opening > 0 {
            board.power_off().unwrap();
            counter.wait_for("drawer", "absent");
            board.power_on().unwrap();
            counter.wait_for("drawer", "ready");
            counter.wait_until("drawer", "open", &json!(false));
        }
        let (job, pull) = ordered(&mut board, &mut counter);
        took.push(pull);
        opens(&mut board, &mut counter);
        assert_eq!(counter.outcome(&job).0, "opened");
    }
    took.sort_unstable();
    let at = |part: usize| took[(took.len() * part / 100).min(took.len() - 1)];
    println!(
        "hil: order at the API to solenoid high, {openings} openings: p50 {:?}, p99 {:?}",
        at(50),
        at(99)
    );
    let about = counter.device("drawer")["controller"].clone();
    assert_eq!((&about["hardware"], &about["key"]), (&json!(hex(DRAWER)), &json!("enrolled")), "{about}");
}

#[test]
fn a_board_that_loses_its_power_within_a_pulse_comes_back_as_itself_with_the_drawer_shut() {
    let Some((mut counter, mut board)) = shop() else { return };
    for _ in 0..3 {
        let (job, _) = ordered(&mut board, &mut counter);
        board.cut_power().unwrap();
        assert!(!board.solenoid().unwrap(), "nothing drives it after the start");
        let (outcome, detail) = counter.outcome(&job);
        assert_eq!(outcome, "unknown", "{detail}");
        counter.wait_for("drawer", "ready");
        counter.wait_until("drawer", "open", &json!(false));
        assert!(!board.solenoid().unwrap(), "the request is not carried out again");
    }
    let (job, _) = ordered(&mut board, &mut counter);
    opens(&mut board, &mut counter);
    assert_eq!(counter.outcome(&job).0, "opened");
    assert_eq!(counter.alarms(), 0);
}

#[test]
fn a_daemon_that_is_killed_within_a_pulse_leaves_the_drawer_to_its_controller_and_knows_nothing_of_it() {
    let Some((mut counter, mut board)) = shop() else { return };
    for _ in 0..3 {
        let (job, _) = ordered(&mut board, &mut counter);
        counter.kill();
        let_go(&mut board);
        counter.start();
        assert_eq!(counter.outcome(&job).0, "unknown");
        counter.wait_for("drawer", "ready");
    }
    let (job, _) = ordered(&mut board, &mut counter);
    opens(&mut board, &mut counter);
    assert_eq!(counter.outcome(&job).0, "opened");
    assert_eq!(counter.alarms(), 0);
}

#[test]
fn a_drawer_that_is_broken_open_while_the_daemon_is_dead_is_one_alarm() {
    let Some((mut counter, mut board)) = shop() else { return };
    counter.wait_until("drawer", "open", &json!(false));
    for openings in 1..=3 {
        counter.kill();
        board.set(Input::Switch, false).unwrap();
        // Killed again, perhaps before it has accepted what it was told.
        counter.start();
        counter.wait_for_alarms(openings);
        counter.kill();
        counter.start();
        counter.wait_until("drawer", "open", &json!(true));
        board.set(Input::Switch, true).unwrap();
        counter.wait_until("drawer", "open", &json!(false));
        assert_eq!(counter.alarms(), openings);
    }
}

#[test]
fn an_alarm_whose_acceptance_the_controller_never_heard_is_told_again_and_is_one() {
    let Some(mut board) = board(DRAWER) else { return };
    let mut counter = Counter::begin(&["line"], &section("drawer", "drawer", DRAWER, ""));
    let cable = Cable::plug(board.line().unwrap(), &counter.line("line"));
    for openings in 1..=3 {
        counter.wait_for("drawer", "ready");
        counter.wait_until("drawer", "open", &json!(false));
        cable.cut();
        board.set(Input::Switch, false).unwrap();
        counter.wait_for_alarms(openings);
        counter.kill();
        counter.start();
        cable.mend();
        counter.wait_until("drawer", "open", &json!(true));
        board.set(Input::Switch, true).unwrap();
        counter.wait_until("drawer", "open", &json!(false));
        assert_eq!(counter.alarms(), openings);
    }
}

#[test]
fn two_boards_whose_plugs_are_swapped_stay_themselves() {
    let Some((mut counter, mut one)) = shop() else { return };
    let other_number = b"drawer-2";
    let mut other = board(other_number).unwrap();
    counter.put_drawer("drawer-2", other_number);
    other.plug(Some(&counter.line("right"))).unwrap();
    counter.wait_for("drawer-2", "ready");
    counter.enrol("drawer-2");
    for swapped in [false, true, false] {
        let (left, right) = if swapped { (&mut other, &mut one) } else { (&mut one, &mut other) };
        left.power_off().unwrap();
        right.power_off().unwrap();
        for id in ["drawer", "drawer-2"] {
            counter.wait_for(id, "absent");
        }
        left.plug(Some(&counter.line("left"))).unwrap();
        right.plug(Some(&counter.line("right"))).unwrap();
        left.power_on().unwrap();
        right.power_on().unwrap();
        for id in ["drawer", "drawer-2"] {
            counter.wait_for(id, "ready");
        }
        let (job, _) = ordered(&mut one, &mut counter);
        assert!(!other.solenoid().unwrap(), "the other one is another drawer");
        opens(&mut one, &mut counter);
        assert_eq!(counter.outcome(&job).0, "opened");
    }
}
