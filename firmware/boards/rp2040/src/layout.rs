//! Where things are in the 2 MB of flash, bytes from its beginning. It is for ever: a boot loader is never updated.
//!
//! | byte | what |
//! |---|---|
//! | 000000 | boot2, 256 bytes, and the boot loader: see boot.x |
//! | 020000, 021000 | the state's two pages |
//! | 040000, 070000 | the two slots, 192 KB each |
//! | 0a0000 | nothing |
//! | 1ff000 | the board's identity: see `page` |

use core::ops::Range;

use firmware::update::Layout;

/// What updates use.
pub(crate) const LAYOUT: Layout =
    Layout { pages: [0x2_0000, 0x2_1000], slots: [0x4_0000, 0x7_0000], slot_length: 0x3_0000 };

/// All that updates may change: neither boot loader nor identity.
pub(crate) const WRITABLE: Range<u32> = 0x2_0000..0xa_0000;

/// The board's identity.
pub(crate) const IDENTITY: u32 = 0x1f_f000;

/// Where the flash is read.
pub(crate) const MAPPED: u32 = 0x1000_0000;

/// Where images are put and run, and how long they may be: see image.x.
pub(crate) const IMAGE: u32 = 0x2000_0000;
/// As long as a slot, so that each image that fits there fits here.
pub(crate) const LONGEST: u32 = 0x3_0000;
