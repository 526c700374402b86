//! Sleeping until something comes: a byte on a line, an edge of the sensor, or the next tick.
//!
//! An interrupt that becomes pending ends the sleep (SEVONPEND; ARMv6-M reference, B1.5.18), also one that is not enabled, as the lines'
//! are not. An end that comes before the sleep begins is kept for it, so nothing is slept through for longer than a tick.

use core::arch::asm;

use cortex_m_rt::exception;
use rp2040_hal::pac::{CorePeripherals, Interrupt, NVIC};

/// Clock ticks of a millisecond, at 125 MHz.
const MILLISECOND: u32 = 125_000;
/// The core's clock, with an interrupt, on.
const TICKS: u32 = 0b111;
const SEVONPEND: u32 = 1 << 4;

/// From now on [`until_something_comes`] wakes up. `None` if the core's own was taken before.
pub(crate) fn start() -> Option<()> {
    let CorePeripherals { mut SYST, SCB, .. } = CorePeripherals::take()?;
    SYST.set_reload(MILLISECOND - 1);
    SYST.clear_current();
    // SAFETY: the bits are those of the ARMv6-M reference, B3.3.3 and B3.2.7.
    unsafe {
        SYST.csr.write(TICKS);
        SCB.scr.modify(|bits| bits | SEVONPEND);
    }
    Some(())
}

/// Sleeps for a millisecond at most.
pub(crate) fn until_something_comes() {
    // They stay pending, and end no sleep, until they are told that they were seen.
    NVIC::unpend(Interrupt::UART0_IRQ);
    NVIC::unpend(Interrupt::UART1_IRQ);
    // SAFETY: it waits for an event; the tick's comes.
    unsafe { asm!("wfe", options(nomem, nostack)) }
}

/// That it came is all there is to it.
#[exception]
fn SysTick() {}
