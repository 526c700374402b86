//! A Raspberry Pi Pico, or any RP2040 at 125 MHz with 2 MB of flash: pins, timers, UARTs, and what is the same for every controller on
//! it. What a controller decides is in the crate `firmware`; its pins stand in its program's head and in README.md.

#![no_std]

pub mod chip;
pub mod flash;
mod layout;
mod page;
#[path = "../../lm3s6965/src/retained.rs"]
mod retained;
mod sleep;
pub mod start;

use core::panic::PanicInfo;

use cortex_m_rt::{ExceptionFrame, exception};
use device_drivers::Moment;
use firmware::update::{NoSlot, Receiver, Target};
use firmware::{Behaviour, Boot, Retained, Unit, write_last_words, write_panic};
use pos_link::{UpdateRefusal, Version};

use chip::{Board, Line};
use retained::Ram;

/// This board's name in images.
pub const BOARD: [u8; 8] = *b"rp2040\0\0";

/// Runs a controller for ever. `make` makes one that goes on where the boot before was, with the key that the box has too. Each time
/// around `look` tells it what its pins and lines say, and lets the pins do what it says. The flash is not changed while the pin `low`
/// is driven high.
pub fn run<C: Behaviour>(
    low: Option<u8>,
    make: impl FnOnce(Retained, [u8; 32], Moment) -> C,
    mut look: impl FnMut(&mut C, &mut Line, Moment),
) -> ! {
    let (Some(mut board), Some(())) = (Board::start(chip::PATIENCE), sleep::start()) else { chip::reset() };
    let page = page::read();
    let now = chip::now();
    let target = Target { board: BOARD, kind: C::KIND };
    let updates = start::slot()
        .and_then(|running| Receiver::new(flash::store(low)?, target, running, now).ok())
        .ok_or(NoSlot::because(UpdateRefusal::FlashFailed));
    let boot = Boot {
        seed: chip::seed(),
        key: page.key,
        hardware: page.hardware,
        firmware: updates.as_ref().map_or_else(|_| Version::default(), Receiver::version),
        by_watchdog: chip::was_reset_by_watchdog(),
    };
    let mut unit = Unit::with_updates(&boot, Ram, updates, now, |retained| make(retained, boot.key, now));
    let mut saying = heapless::Deque::<u8, { pos_link::LONGEST_FRAME }>::new();
    loop {
        let now = chip::now();
        let mut heard = [0; 32];
        let heard = board.boxes.hear(&mut heard);
        if !heard.is_empty() {
            unit.hear(heard, now);
        }
        look(unit.controller(), &mut board.engine, now);
        unit.handle_timeout(now);
        let mut idle = heard.is_empty() && saying.is_empty();
        if saying.is_empty()
            && let Some(bytes) = unit.poll_output(now)
        {
            idle = false;
            for byte in bytes {
                // The longest frame fits.
                let _ = saying.push_back(*byte);
            }
        }
        while let Some(byte) = saying.front()
            && board.boxes.say(*byte)
        {
            saying.pop_front();
        }
        if unit.wants_reboot() && saying.is_empty() {
            chip::reset();
        }
        board.watchdog.feed();
        // What was heard or said has something to follow, as a rule.
        if idle {
            sleep::until_something_comes();
        }
    }
}

/// Lets all pins go, keeps where it was for the next boot to tell, and boots.
#[panic_handler]
fn panicked(info: &PanicInfo<'_>) -> ! {
    chip::let_go();
    if let Some(at) = info.location() {
        write_panic(&mut Ram, at.file(), at.line());
    }
    chip::reset()
}

/// As a panic.
#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    chip::let_go();
    write_last_words(&mut Ram, format_args!("hard fault at {:#010x}", frame.pc()));
    chip::reset()
}
