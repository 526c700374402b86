//! An Arm MPS2 with application note 385, as the emulator runs it: a Cortex-M3 with room for a boot loader, an image in RAM, and a flash that
//! outlives the emulator. It is where updates are tried; no shop has one. What a controller decides is in the crate `firmware`.

#![no_std]

pub mod chip;
pub mod flash;
mod last_words;
mod page;
mod retained;
mod sleep;

use chip::{Clock, Uart};
use device_drivers::Moment;
use firmware::update::{NoSlot, Receiver, Slot, Target};
use firmware::{Behaviour, Boot, Retained, Unit};
use pos_link::{UpdateRefusal, Version};
use retained::Ram;

/// This board's name in images.
pub const BOARD: [u8; 8] = *b"an385\0\0\0";

/// Where images are put, and how long they may be: see image.x.
const IMAGE: usize = 0x2000_0000;
const LONGEST: usize = 0x4_0000;

/// Runs a controller for ever. `make` makes one that goes on where the boot before was, with the key that the box has too. Each time
/// around `look` tells it what its pins say.
pub fn run<C: Behaviour>(
    make: impl FnOnce(Retained, [u8; 32], Moment) -> C,
    mut look: impl FnMut(&mut C, Moment),
) -> ! {
    chip::start();
    sleep::start();
    let mut clock = Clock::start();
    let now = clock.now();
    let page = page::read();
    let running = Slot::from_mark(chip::read(chip::STARTED));
    let target = Target { board: BOARD, kind: C::KIND };
    let updates = running
        .and_then(|running| Receiver::new(flash::store()?, target, running, now).ok())
        .ok_or(NoSlot::because(UpdateRefusal::FlashFailed));
    let boot = Boot {
        seed: chip::seed(),
        key: page.key,
        hardware: page.hardware,
        firmware: updates.as_ref().map_or_else(|_| Version::default(), Receiver::version),
        // The emulated machine does not tell.
        by_watchdog: false,
    };
    let mut unit = Unit::with_updates(&boot, Ram, updates, now, |retained| make(retained, boot.key, now));
    let (mut saying, mut said, mut length) = ([0; pos_link::LONGEST_FRAME], 0, 0);
    loop {
        let now = clock.now();
        let mut idle = said == length;
        while let Some(byte) = chip::hear(Uart::Zero) {
            unit.hear(&[byte], now);
            idle = false;
        }
        look(unit.controller(), now);
        unit.handle_timeout(now);
        if said == length
            && let Some(bytes) = unit.poll_output(now)
        {
            saying.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
            (said, length) = (0, bytes.len().min(saying.len()));
            idle = false;
        }
        while let Some(byte) = saying.get(..length).and_then(|saying| saying.get(said))
            && chip::say(*byte)
        {
            said = said.saturating_add(1);
        }
        if unit.wants_reboot() && said == length {
            chip::reset();
        }
        chip::feed_watchdog();
        // What was heard or said has something to follow, as a rule.
        if idle {
            sleep::until_something_comes();
        }
    }
}

/// The RAM where images are put.
///
/// # Safety
/// Only the boot loader calls it, once, and nothing of it lies there.
pub unsafe fn image() -> &'static mut [u8] {
    // SAFETY: the RAM is there, boot.x keeps the boot loader out of it, and the caller vouches for the rest.
    unsafe { core::slice::from_raw_parts_mut(IMAGE as *mut u8, LONGEST) }
}

/// Starts the image that was put there from this slot.
///
/// # Safety
/// It is one that was signed.
pub unsafe fn start(slot: Slot) -> ! {
    chip::write(chip::STARTED, slot.mark());
    // SAFETY: as the caller says.
    unsafe { chip::start_vectors(IMAGE) }
}
