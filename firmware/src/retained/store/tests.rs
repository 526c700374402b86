//! Records: their bytes, and what a reset at any of them leaves.

use super::super::tests::Ram;
use super::*;

fn some() -> Retained {
    let tally = Tally::of([1, 2, 3, 4, 5, 6, 7, 8, 0x0102_0304]);
    let settings =
        Settings { symbologies: 0x7f, double_read_ms: 700, open_too_long_s: 60, pulse_cap_ms: 200 };
    Retained { tally, settings: Some(settings), pulse_cap_ms: 150, recent_pulses: 7 }
}

fn outbox(messages: &[u8]) -> Outbox<OUT> {
    Outbox::restore(StreamId(0x5eed), 3, messages).unwrap()
}

const CURSOR: Option<Cursor> = Some(Cursor { stream: StreamId(9), accepted: 4 });

#[test]
fn what_is_kept_comes_back() {
    for (cursor, settings) in [(CURSOR, some().settings), (None, None)] {
        let ram = Ram::woken(0xa5);
        let (mut store, kept) = Store::open(ram.clone());
        assert_eq!(kept, None);
        let retained = Retained { settings, ..some() };
        let outbox = outbox(b"\x03abc\x02de");
        store.keep(retained, cursor, &outbox);
        let (_, kept) = Store::open(ram);
        assert_eq!(kept, Some(Kept { retained, cursor, outbox }));
    }
}

/// Two firmwares share it over an update: the bytes stay what they are.
#[test]
fn a_record_is_these_bytes() {
    let ram = Ram::woken(0);
    Store::open(ram.clone()).0.keep(some(), CURSOR, &outbox(b"\x03abc\x02de"));
    let mut bytes = [0; HEAD + 7];
    ram.read(Place::One, 0, &mut bytes);
    let hex: std::string::String = bytes.iter().map(|byte| std::format!("{byte:02x}")).collect();
    let expected = [
        "54425832 01000000",
        "01000000 02000000 03000000 04000000 05000000 06000000 07000000 08000000 04030201",
        "7f000000 bc02 3c00 c800 9600 07 03",
        "09000000 04000000 ed5e0000 03000000 0700",
        "a8baa317",
        "03616263 026465",
    ];
    assert_eq!(hex, expected.concat().replace(' ', ""));
}

#[test]
fn a_reset_at_any_byte_of_writing_leaves_what_was_kept_before() {
    for before in 0..4 {
        for bytes in 0..HEAD + 7 {
            let ram = Ram::woken(0xa5);
            let (mut store, _) = Store::open(ram.clone());
            for accepted in 0..before {
                store.keep(some(), Some(Cursor { stream: StreamId(9), accepted }), &outbox(b"\x05fghij"));
            }
            *ram.left.borrow_mut() = bytes;
            store.keep(some(), CURSOR, &outbox(b"\x03abc\x02de"));
            *ram.left.borrow_mut() = usize::MAX;
            let (mut store, kept) = Store::open(ram.clone());
            let accepted = kept.map(|kept| kept.cursor.map_or(99, |cursor| cursor.accepted));
            assert_eq!(accepted, u32::checked_sub(before, 1), "{before} before, reset after {bytes} bytes");
            // And it goes on from there.
            store.keep(some(), None, &outbox(b"\x01z"));
            assert_eq!(Store::open(ram).1.map(|kept| kept.cursor), Some(None));
        }
    }
}

#[test]
fn memory_that_is_damaged_keeps_nothing() {
    for bit in 0..(HEAD + 7) * 8 {
        let ram = Ram::woken(0xa5);
        Store::open(ram.clone()).0.keep(some(), CURSOR, &outbox(b"\x03abc\x02de"));
        ram.flip(Place::One, bit);
        assert_eq!(Store::open(ram).1, None, "bit {bit}");
    }
}

#[test]
fn the_record_after_the_last_number_is_the_later_one() {
    let ram = Ram::woken(0);
    let (mut store, _) = Store::open(ram.clone());
    store.last = (u32::MAX - 1, Place::Other);
    for accepted in 0..4 {
        store.keep(some(), Some(Cursor { stream: StreamId(9), accepted }), &outbox(b""));
        let (_, kept) = Store::open(ram.clone());
        assert_eq!(kept.and_then(|kept| kept.cursor).map(|cursor| cursor.accepted), Some(accepted));
    }
}
