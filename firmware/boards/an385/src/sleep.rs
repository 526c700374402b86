//! Sleeping until something comes: a byte on a line that is open, or the next tick.
//!
//! Interrupts stay masked, and have no handlers: one that is pending ends the sleep, and does nothing else. So nothing that comes
//! between a look and the sleep is slept through.

use core::arch::asm;

use crate::chip::{Uart, write};

/// Clock ticks of a millisecond.
const MILLISECOND: u32 = 25_000;
// Timer 0 (DDI 0479, section 4.4).
const TIMER: usize = 0x4000_0000;
// The core's interrupts (ARMv7-M reference, B3.4): enabled, and pending no more.
const ISER: usize = 0xe000_e100;
const ICPR: usize = 0xe000_e280;
/// What the UARTs hear is interrupts 0, 2 and 4, timer 0 is 8.
const WAKE: u32 = 1 | 1 << 2 | 1 << 4 | 1 << 8;

/// From now on [`until_something_comes`] wakes up.
pub(crate) fn start() {
    // SAFETY: it masks interrupts, of which none has a handler.
    unsafe { asm!("cpsid i", options(nomem, nostack)) }
    write(TIMER + 8, MILLISECOND - 1);
    write(TIMER + 4, MILLISECOND - 1);
    write(TIMER, 1 | 1 << 3);
    write(ISER, WAKE);
}

/// Sleeps for a millisecond at most. What comes on a line from now on ends the next sleep; what came before is there to be heard.
pub(crate) fn until_something_comes() {
    // SAFETY: it waits for an interrupt; the timer's comes.
    unsafe { asm!("wfi", options(nomem, nostack)) }
    write(TIMER + 0x0c, 1);
    [Uart::Zero, Uart::One, Uart::Two].into_iter().for_each(Uart::forget_interrupt);
    write(ICPR, WAKE);
}
