//! The flash, changed by the calls of the chip's ROM (data sheet 2.8.3.1.3).
//!
//! While one runs, 45 ms as a rule and 400 ms at most for a sector, 3 ms at most for a page, the flash cannot be read and the processor
//! does nothing else. What always holds then:
//!
//! - Nobody reads the flash: the caller of the ROM is in the RAM, interrupts are off, the second core is never started, and nothing uses
//!   DMA. An image runs in the RAM anyway; the boot loader does not.
//! - The pin that [`store`] was given is low: a solenoid is never driven across it. The controller is asked before, and begins nothing
//!   while it is busy; here is the last look.
//! - The watchdog waits for longer: for two sectors and a unit, which is the most between two times that it is fed.
//! - What a line hears beyond the 32 bytes that its UART keeps is lost, and the link sends it again.

use core::mem::transmute;

use firmware::update::{PAGE, SECTOR, SerialChip, SerialFlash, Store};
use rp2040_hal::rom_data;

use crate::chip;
use crate::layout::{LAYOUT, MAPPED, WRITABLE};

/// The longest that one sector and one page take, milliseconds, by the data sheet of a Pico's W25Q16JV.
const SECTOR_MS: u32 = 400;
const PAGE_MS: u32 = 3;
const _: () = assert!(
    chip::PATIENCE.to_millis() > 2 * (SECTOR_MS + 2 * PAGE_MS) * 2,
    "a state is kept and a sector erased before the watchdog is fed, and that is not the half of it"
);

/// The slots, or `None` if the layout were wrong. Nothing is changed while the pin `low` is driven high.
pub fn store(low: Option<u8>) -> Option<Store<SerialFlash<Flash>>> {
    Store::new(SerialFlash::new(Flash { low }, WRITABLE), LAYOUT)
}

/// It.
#[derive(Debug)]
pub struct Flash {
    low: Option<u8>,
}

impl SerialChip for Flash {
    fn read(&self, at: u32, into: &mut [u8]) {
        let from = MAPPED.saturating_add(at);
        for (to, at) in into.iter_mut().zip(from..) {
            // SAFETY: `SerialFlash` asks for nothing beyond the flash, which is mapped there; the processor does not come here while it
            // is not.
            *to = unsafe { (at as *const u8).read_volatile() };
        }
    }

    fn erase(&mut self, sector: u32) {
        change(sector, None);
    }

    fn program(&mut self, page: u32, bytes: &[u8; PAGE]) {
        change(page, Some(bytes));
    }

    fn may_stand_still(&self) -> bool {
        self.low.is_none_or(|pin| !chip::is_driven_high(pin))
    }
}

/// What the ROM has for the flash, and what makes it readable again.
struct Calls {
    connect: unsafe extern "C" fn(),
    leave_reading: unsafe extern "C" fn(),
    erase: unsafe extern "C" fn(u32, usize, u32, u8),
    program: unsafe extern "C" fn(u32, *const u8, usize),
    flush: unsafe extern "C" fn(),
    read_again: unsafe extern "C" fn(),
}

/// Erases the sector there, or programs the page.
fn change(at: u32, page: Option<&[u8; PAGE]>) {
    // A copy of the flash's own boot2, which sets it up for reading as it was.
    let mut boot2 = [0_u32; 64];
    for (to, at) in boot2.iter_mut().zip((MAPPED..).step_by(4)) {
        // SAFETY: the flash is mapped there.
        *to = unsafe { (at as *const u32).read_volatile() };
    }
    // Odd: it is Thumb code.
    let begin = boot2.as_ptr().cast::<u8>().wrapping_add(1);
    let calls = Calls {
        connect: rom_data::connect_internal_flash::ptr(),
        leave_reading: rom_data::flash_exit_xip::ptr(),
        erase: rom_data::flash_range_erase::ptr(),
        program: rom_data::flash_range_program::ptr(),
        flush: rom_data::flash_flush_cache::ptr(),
        // SAFETY: it is code that runs anywhere, leaves what a call has to leave, and returns to who called it; the ROM alone calls it without a
        // place to return to.
        read_again: unsafe { transmute::<*const u8, unsafe extern "C" fn()>(begin) },
    };
    let page = page.map_or(core::ptr::null(), |page| page.as_ptr());
    // SAFETY: interrupts are off within, so all that the module's head says holds; `calls`, `boot2` and the page are in the RAM.
    critical_section::with(|_| unsafe { without_reading(&calls, at, page) });
}

/// # Safety
/// The flash is not read until this returns. `page` is null, or has a page's bytes in the RAM.
#[unsafe(link_section = ".data.without_reading")]
#[inline(never)]
unsafe extern "C" fn without_reading(calls: &Calls, at: u32, page: *const u8) {
    /// A sector is too short for the greater command: it is not used.
    const BLOCK: u32 = 1 << 16;
    const ERASE_BLOCK: u8 = 0xd8;
    // SAFETY: this is the order in which the chip's vendor calls them, and the caller vouches for the rest.
    unsafe {
        (calls.connect)();
        (calls.leave_reading)();
        if page.is_null() {
            (calls.erase)(at, SECTOR, BLOCK, ERASE_BLOCK);
        } else {
            (calls.program)(at, page, PAGE);
        }
        (calls.flush)();
        (calls.read_again)();
    }
}
