//! Sleeping until something comes: a byte on a line that is open, or the next tick.
//!
//! Interrupts stay masked, and have no handlers: one that is pending ends the sleep, and does nothing else. So nothing that comes
//! between a look and the sleep is slept through.

use core::arch::asm;

use crate::chip::{RCGC1, read, wait_for_clocks, write};

/// Clock ticks of a millisecond.
const MILLISECOND: u32 = 50_000;
// General-purpose timer 0, section 10.
const TIMER: usize = 0x4003_0000;
// The core's interrupts (ARMv7-M reference, B3.4): enabled, and pending no more; from 0 on, and from 32 on.
const ISER: [usize; 2] = [0xe000_e100, 0xe000_e104];
const ICPR: [usize; 2] = [0xe000_e280, 0xe000_e284];
/// UART0 is interrupt 5, UART1 6, UART2 33, timer 0 19 (table 2-9).
const WAKE: [u32; 2] = [1 << 5 | 1 << 6 | 1 << 19, 1 << 1];

/// From now on [`until_something_comes`] wakes up.
pub(crate) fn start() {
    // SAFETY: it masks interrupts, of which none has a handler.
    unsafe { asm!("cpsid i", options(nomem, nostack)) }
    write(RCGC1, read(RCGC1) | 1 << 16);
    wait_for_clocks();
    write(TIMER + 0x0c, 0);
    // 32 bits, again and again.
    write(TIMER, 0);
    write(TIMER + 0x04, 2);
    write(TIMER + 0x28, MILLISECOND - 1);
    write(TIMER + 0x18, 1);
    write(TIMER + 0x0c, 1);
    ISER.into_iter().zip(WAKE).for_each(|(register, bits)| write(register, bits));
}

/// Sleeps for a millisecond at most. A line that still has bytes ends the next sleep at once.
pub(crate) fn until_something_comes() {
    // SAFETY: it waits for an interrupt; the timer's comes.
    unsafe { asm!("wfi", options(nomem, nostack)) }
    write(TIMER + 0x24, 1);
    ICPR.into_iter().zip(WAKE).for_each(|(register, bits)| write(register, bits));
}
