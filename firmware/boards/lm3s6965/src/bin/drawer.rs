//! The drawer controller.
//!
//! | pin | what |
//! |---|---|
//! | PA0, PA1 | UART0, 115200 8N1: the box |
//! | PA5 | the drawer's switch, high while closed |
//! | PA6 | the key, high while turned |
//! | PA7 | the case's contact, high while open |
//! | PB0 | the solenoid's driver, high drives |
//! | PB1 | the beeper, high sounds |
//! | PB2 | the supply's comparator, high when it is too low for a solenoid |

#![no_std]
#![no_main]

use cortex_m_rt::entry;
use firmware::{DrawerController, Wiring};
use lm3s6965::chip::{self, Directions, Pin, Port};

/// What runs after each reset.
#[entry]
fn main() -> ! {
    // The switch is pulled up: a cable that is out is a drawer that is closed by all that can be known.
    let directions =
        Directions { a_inputs: 0b1110_0000, a_pulled_up: 1 << 5, b_inputs: 0b0100, b_outputs: 0b0011 };
    lm3s6965::run(
        directions,
        |retained, key, now| {
            DrawerController::new(Pin::new(Port::B, 0), Wiring::default(), key, retained, now)
        },
        |controller, now| {
            controller.switch(chip::level(Port::A, 5), now);
            controller.key_lock(chip::level(Port::A, 6), now);
            controller.case(chip::level(Port::A, 7), now);
            controller.supply(chip::level(Port::B, 2), now);
            chip::set_level(Port::B, 1, controller.beeps(now));
        },
    )
}
