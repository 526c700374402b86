//! How the boot loader starts an image, and how that knows which slot it is from.

use firmware::update::Slot;
use rp2040_hal::pac;

use crate::layout::{IMAGE, LONGEST};

/// The core's own: where its vectors are (ARMv6-M reference, B3.2.5).
const VTOR: *mut u32 = 0xe000_ed08 as *mut u32;

/// The slot that the boot loader started; `None` if it did not start this program.
pub(crate) fn slot() -> Option<Slot> {
    // SAFETY: reading it changes nothing.
    Slot::from_mark(unsafe { (*pac::WATCHDOG::ptr()).scratch0().read().bits() })
}

/// The RAM where images are put.
///
/// # Safety
/// Only the boot loader calls it, once, and nothing of it lies there.
pub unsafe fn image() -> &'static mut [u8] {
    // SAFETY: the RAM is there, boot.x keeps the boot loader out of it, and the caller vouches for the rest.
    unsafe { core::slice::from_raw_parts_mut(IMAGE as *mut u8, LONGEST as usize) }
}

/// Starts the image that was put there from this slot, as after a reset, but that the watchdog runs.
///
/// # Safety
/// It is one that was signed, and no interrupt is enabled.
pub unsafe fn start(slot: Slot) -> ! {
    // SAFETY: the ROM has no use for this register, and nobody else has one before the image reads it. The vectors, of which the
    // first are the stack and the entry, are the image's, for which the caller vouches; nothing of this program is needed any more.
    unsafe {
        (*pac::WATCHDOG::ptr()).scratch0().write(|bits| bits.bits(slot.mark()));
        VTOR.write_volatile(IMAGE);
        let vectors = IMAGE as *const u32;
        let (stack, entry) = (vectors.read_volatile(), vectors.wrapping_add(1).read_volatile());
        core::arch::asm!("dsb", "isb", "msr msp, {0}", "bx {1}", in(reg) stack, in(reg) entry, options(noreturn));
    }
}
