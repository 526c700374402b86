//! The board's identity, written once when it is made: the last kilobyte of the flash.
//!
//! | bytes | what |
//! |---|---|
//! | 0–3 | `TBXK` |
//! | 4–11 | the hardware's number |
//! | 12–43 | the key that the box has too |

use crate::chip;

/// Who the board is.
pub struct Page {
    /// The hardware's number.
    pub hardware: [u8; 8],
    /// The key that the box has too.
    pub key: [u8; 32],
}

const PAGE: usize = 0x0003_fc00;

/// Reads it. A board that was never given one has the number 0 and a key of zeros, with which no box opens anything.
pub fn read() -> Page {
    let mut page = Page { hardware: [0; 8], key: [0; 32] };
    let bytes = chip::flash::<44>(PAGE);
    let (magic, rest) = bytes.split_at(4);
    if magic == b"TBXK" {
        let (hardware, key) = rest.split_at(8);
        page.hardware.copy_from_slice(hardware);
        page.key.copy_from_slice(key);
    }
    page
}
