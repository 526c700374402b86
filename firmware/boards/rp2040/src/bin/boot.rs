//! The boot loader: puts what may run into the RAM, and starts it. It is never updated.
//!
//! `TILLBOX_UPDATE_KEY`, when it is built, is the public half of the key that signs images: 64 hexadecimal digits, as
//! `xtask firmware keygen` prints them. `TILLBOX_UPDATE_KIND` is `drawer` or `scanner`.

#![no_std]
#![no_main]

use firmware::update::{Target, key_of, kind_of, load};
use pos_link::Kind;
use rp2040::chip::{self, Board};
use rp2040::{BOARD, flash, start};

const KEY: [u8; 32] =
    key_of(env!("TILLBOX_UPDATE_KEY")).expect("TILLBOX_UPDATE_KEY has 64 hexadecimal digits");
const KIND: Kind = kind_of(env!("TILLBOX_UPDATE_KIND")).expect("TILLBOX_UPDATE_KIND is drawer or scanner");

/// The second stage of booting: it sets up the flash of a Pico.
#[unsafe(link_section = ".boot2")]
#[used]
static BOOT2: [u8; 256] = rp2040_boot2::BOOT_LOADER_W25Q080;

/// What runs after each reset. If there is nothing that may run, it looks again.
#[rp2040_hal::entry]
fn main() -> ! {
    run();
    chip::reset()
}

fn run() -> Option<()> {
    let board = Board::start(chip::LONGEST_PATIENCE)?;
    // No pin is driven yet.
    let mut store = flash::store(None)?;
    let target = Target { board: BOARD, kind: KIND };
    // SAFETY: it is called once, and boot.x keeps this program out of it.
    let image = unsafe { start::image() };
    let slot = load(&mut store, target, &KEY, image, || board.watchdog.feed())?;
    // SAFETY: `load` has checked the signature, and that this is the body that was signed; no interrupt was enabled.
    unsafe { start::start(slot) }
}
