//! The boot loader: puts what may run into the RAM, and starts it. It is never updated.
//!
//! `TILLBOX_UPDATE_KEY`, when it is built, is the public half of the key that signs images: 64 hexadecimal digits, as
//! `xtask firmware keygen` prints them. `TILLBOX_UPDATE_KIND` is `drawer` or `scanner`.

#![no_std]
#![no_main]

use an385::{chip, flash};
use cortex_m_rt::entry;
use firmware::update::{Target, key_of, kind_of, load};
use pos_link::Kind;

const KEY: [u8; 32] =
    key_of(env!("TILLBOX_UPDATE_KEY")).expect("TILLBOX_UPDATE_KEY has 64 hexadecimal digits");

const KIND: Kind = kind_of(env!("TILLBOX_UPDATE_KIND")).expect("TILLBOX_UPDATE_KIND is drawer or scanner");

/// What runs after each reset. If there is nothing that may run, it looks again.
#[entry]
fn main() -> ! {
    chip::start();
    chip::let_go();
    run();
    chip::reset()
}

fn run() -> Option<()> {
    let mut store = flash::store()?;
    let target = Target { board: an385::BOARD, kind: KIND };
    // SAFETY: it is called once, and boot.x keeps this program out of it.
    let image = unsafe { an385::image() };
    let slot = load(&mut store, target, &KEY, image, chip::feed_watchdog)?;
    // SAFETY: `load` has checked the signature, and that this is the body that was signed.
    unsafe { an385::start(slot) }
}
