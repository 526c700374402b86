//! The drawer controller on a Stellaris LM3S6965: pins, timers and a UART. What it decides is in the crate `firmware`.
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

mod chip;
mod page;
mod retained;

use core::panic::PanicInfo;

use cortex_m_rt::entry;
use firmware::{Boot, DrawerUnit, Wiring};
use pos_link::Version;

use chip::{Clock, Pin, Port};

/// The version of this firmware.
const VERSION: Version = Version { major: 0, minor: 1, patch: 0 };

/// What runs after each reset.
#[entry]
fn main() -> ! {
    chip::start();
    let mut clock = Clock::start();
    let by_watchdog = chip::was_reset_by_watchdog();
    let kept = firmware::Retained::after_boot(&retained::read(), by_watchdog);
    retained::write(&kept.to_bytes());
    let page = page::read();
    let boot = Boot {
        seed: chip::seed(kept.tally.boots),
        key: page.key,
        hardware: page.hardware,
        firmware: VERSION,
        retained: kept,
        wiring: Wiring::default(),
    };
    let mut unit = DrawerUnit::new(Pin::new(Port::B, 0), &boot, None, clock.now());
    let mut kept = kept;
    loop {
        let now = clock.now();
        let mut heard = [0; 16];
        let heard = chip::hear(&mut heard);
        if !heard.is_empty() {
            unit.hear(heard, now);
        }
        let controller = unit.controller();
        controller.switch(chip::level(Port::A, 5), now);
        controller.key_lock(chip::level(Port::A, 6), now);
        controller.case(chip::level(Port::A, 7), now);
        controller.supply(chip::level(Port::B, 2), now);
        let beeps = controller.beeps(now);
        chip::set_level(Port::B, 1, beeps);
        unit.handle_timeout(now);
        if !chip::is_saying()
            && let Some(bytes) = unit.poll_output(now)
        {
            chip::say(bytes);
        }
        chip::go_on_saying();
        let keep = unit.retained(now);
        if keep != kept {
            kept = keep;
            retained::write(&kept.to_bytes());
        }
        if unit.wants_reboot() && !chip::is_saying() {
            chip::reset();
        }
        chip::feed_watchdog();
    }
}

/// Lets the solenoid go and boots again; nobody could be told what happened.
#[panic_handler]
fn panicked(_: &PanicInfo<'_>) -> ! {
    chip::set_level(Port::B, 0, false);
    chip::reset()
}
