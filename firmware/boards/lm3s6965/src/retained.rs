//! Memory that a reset leaves alone.

use core::mem::MaybeUninit;
use core::ptr::{addr_of, addr_of_mut};

use firmware::Retained;

#[unsafe(link_section = ".uninit.retained")]
static mut KEPT: MaybeUninit<[u8; Retained::LEN]> = MaybeUninit::uninit();

/// What was kept, or whatever the memory woke up with.
pub fn read() -> [u8; Retained::LEN] {
    // SAFETY: any bytes are valid, the memory is the chip's own, and nothing but this module, which no interrupt calls, touches it.
    unsafe { addr_of!(KEPT).cast::<[u8; Retained::LEN]>().read_volatile() }
}

/// Keeps it.
pub fn write(bytes: &[u8; Retained::LEN]) {
    // SAFETY: as above.
    unsafe { addr_of_mut!(KEPT).cast::<[u8; Retained::LEN]>().write_volatile(*bytes) }
}
