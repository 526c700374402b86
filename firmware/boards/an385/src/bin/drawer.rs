//! The drawer controller. Of port 0, pin 0 drives the solenoid, and pin 5 is the drawer's switch, high while closed.

#![no_std]
#![no_main]

use an385::chip::{self, Pin};
use cortex_m_rt::entry;
use firmware::{DrawerController, Wiring};

/// What runs after each reset.
#[entry]
fn main() -> ! {
    an385::run(
        |retained, key, now| DrawerController::new(Pin::new(0), Wiring::default(), key, retained, now),
        |controller, now| controller.switch(chip::level(5), now),
    )
}
