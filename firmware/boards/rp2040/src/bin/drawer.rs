//! The drawer controller.
//!
//! | pin | what |
//! |---|---|
//! | GP0, GP1 | UART0, 115200 8N1: the box |
//! | GP2 | the drawer's switch, high while closed |
//! | GP3 | the key, high while turned |
//! | GP6 | the case's contact, high while open |
//! | GP7 | the supply's comparator, high when it is too low for a solenoid |
//! | GP8 | the solenoid's driver, high drives |
//! | GP9 | the beeper, high sounds |

#![no_std]
#![no_main]

use firmware::{DrawerController, Wiring};
use rp2040::chip::{self, Pin, Way};

const SWITCH: u8 = 2;
const KEY: u8 = 3;
const CASE: u8 = 6;
const SUPPLY: u8 = 7;
const SOLENOID: u8 = 8;
const BEEPER: u8 = 9;

/// What runs after each reset.
#[rp2040_hal::entry]
fn main() -> ! {
    rp2040::run(
        Some(SOLENOID),
        |retained, key, now| {
            // The switch is pulled up: a cable that is out is a drawer that is closed by all that can be known.
            chip::set_way(SWITCH, Way::InPulledUp);
            [KEY, CASE, SUPPLY].into_iter().for_each(|pin| chip::set_way(pin, Way::In));
            chip::set_way(BEEPER, Way::Out);
            DrawerController::new(Pin::new(SOLENOID), Wiring::default(), key, retained, now)
        },
        |controller, _, now| {
            controller.switch(chip::level(SWITCH), now);
            controller.key_lock(chip::level(KEY), now);
            controller.case(chip::level(CASE), now);
            controller.supply(chip::level(SUPPLY), now);
            chip::set_level(BEEPER, controller.beeps(now));
        },
    )
}
