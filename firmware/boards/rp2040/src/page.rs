//! The board's identity, written once when it is made: the last 4 KB of the flash.
//!
//! | bytes | what |
//! |---|---|
//! | 0–3 | `TBXK` |
//! | 4–11 | the hardware's number |
//! | 12–43 | the key that the box has too |

use crate::layout::{IDENTITY, MAPPED};

/// Who the board is.
pub(crate) struct Page {
    /// The hardware's number.
    pub(crate) hardware: [u8; 8],
    /// The key that the box has too.
    pub(crate) key: [u8; 32],
}

const PAGE: u32 = MAPPED + IDENTITY;

/// Reads it. A board that was never given one has the number 0 and a key of zeros, with which no box opens anything.
pub(crate) fn read() -> Page {
    // SAFETY: the flash is mapped there whenever this processor comes here, and nothing writes to the page.
    let bytes = unsafe { (PAGE as *const [u8; 44]).read_volatile() };
    let mut page = Page { hardware: [0; 8], key: [0; 32] };
    let (magic, rest) = bytes.split_at(4);
    if magic == b"TBXK" {
        let (hardware, key) = rest.split_at(8);
        page.hardware.copy_from_slice(hardware);
        page.key.copy_from_slice(key);
    }
    page
}
