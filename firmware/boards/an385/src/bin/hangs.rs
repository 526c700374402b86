//! An image that does nothing, and does not feed the watchdog: for tests of what is left again, never for a shop.

#![no_std]
#![no_main]

use an385 as _;
use cortex_m_rt::entry;

/// What runs after each reset.
#[entry]
fn main() -> ! {
    loop {
        core::hint::spin_loop();
    }
}
