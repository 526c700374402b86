//! The boot loader: puts what may run into the RAM, and starts it. It is never updated.
//!
//! `TILLBOX_UPDATE_KEY`, when it is built, is the public half of the key that signs images: 64 hexadecimal digits, as
//! `xtask firmware keygen` prints them. `TILLBOX_UPDATE_KIND` is `drawer` or `scanner`.

#![no_std]
#![no_main]

use an385::{chip, flash};
use cortex_m_rt::entry;
use ed25519_dalek::VerifyingKey;
use firmware::update::{Target, boot};
use pos_link::Kind;

const KEY: [u8; 32] = key(env!("TILLBOX_UPDATE_KEY").as_bytes());

const KIND: Kind = match env!("TILLBOX_UPDATE_KIND").as_bytes() {
    b"drawer" => Kind::Drawer,
    b"scanner" => Kind::Scanner,
    _ => panic!("TILLBOX_UPDATE_KIND is drawer or scanner"),
};

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
    let key = VerifyingKey::from_bytes(&KEY).ok()?;
    let target = Target { board: an385::BOARD, kind: KIND };
    let (slot, header) = boot(&mut store, target, &key).ok()??;
    chip::feed_watchdog();
    // SAFETY: it is called once, and boot.x keeps this program out of it.
    let image = unsafe { an385::image() };
    store.load(slot, &header, image).ok()?;
    chip::feed_watchdog();
    // SAFETY: `boot` has checked the signature, and `load` that the body is the one that was signed.
    unsafe { an385::start(slot) }
}

/// The bytes of these digits.
#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    reason = "when it is built"
)]
const fn key(digits: &[u8]) -> [u8; 32] {
    assert!(digits.len() == 64, "TILLBOX_UPDATE_KEY has 64 hexadecimal digits");
    let mut key = [0; 32];
    let mut at = 0;
    while at < 64 {
        let digit = match digits[at] {
            digit @ b'0'..=b'9' => digit - b'0',
            digit @ b'a'..=b'f' => digit - b'a' + 10,
            _ => panic!("TILLBOX_UPDATE_KEY has hexadecimal digits"),
        };
        key[at / 2] = key[at / 2] << 4 | digit;
        at += 1;
    }
    key
}
