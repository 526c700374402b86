//! A drawer controller that can be made to come to its end: for tests of what outlives that, never for a shop.
//!
//! | pin | what |
//! |---|---|
//! | as the drawer controller's, and | |
//! | PB3 | high: it panics |
//! | PB4 | high: it does nothing any more, and the watchdog is not fed |

#![no_std]
#![no_main]

use cortex_m_rt::entry;
use firmware::{DrawerController, Wiring};
use lm3s6965::chip::{self, Directions, Pin, Port};

/// What runs after each reset.
#[entry]
fn main() -> ! {
    let directions =
        Directions { a_inputs: 0b1110_0000, a_pulled_up: 1 << 5, b_inputs: 0b1_1100, b_outputs: 0b0011 };
    lm3s6965::run(
        directions,
        |retained, key, now| {
            DrawerController::new(Pin::new(Port::B, 0), Wiring::default(), key, retained, now)
        },
        |controller, now| {
            controller.switch(chip::level(Port::A, 5), now);
            #[expect(clippy::panic, reason = "it is what this firmware is for")]
            if chip::level(Port::B, 3) {
                panic!();
            }
            while chip::level(Port::B, 4) {
                core::hint::spin_loop();
            }
        },
    )
}
