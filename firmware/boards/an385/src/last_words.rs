//! Where a boot came to its end that nobody wanted: kept for the next one to tell.

use core::panic::PanicInfo;

use cortex_m_rt::{ExceptionFrame, exception};
use firmware::{write_last_words, write_panic};

use crate::chip;
use crate::retained::Ram;

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
