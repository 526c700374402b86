//! The board's identity, written once when it is made.
//!
//! | bytes | what |
//! |---|---|
//! | 0–3 | `TBXK` |
//! | 4–11 | the hardware's number |
//! | 12–43 | the key that the box has too |

use crate::chip::read_byte;

/// Who the board is.
pub struct Page {
    /// The hardware's number.
    pub hardware: [u8; 8],
    /// The key that the box has too.
    pub key: [u8; 32],
}

const PAGE: usize = 0x003f_fc00;

/// Reads it. A board that was never given one has the number 0 and a key of zeros, with which no box opens anything.
pub fn read() -> Page {
    let mut bytes = [0; 44];
    bytes.iter_mut().zip(PAGE..).for_each(|(to, at)| *to = read_byte(at));
    let mut page = Page { hardware: [0; 8], key: [0; 32] };
    if let Some((b"TBXK", rest)) = bytes.split_first_chunk()
        && let Some((hardware, key)) = rest.split_first_chunk()
    {
        page.hardware = *hardware;
        page.key.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    }
    page
}
