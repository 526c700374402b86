//! Packets are these bytes.

use super::*;

extern crate std;

const TIDINGS: Tidings = Tidings { accepted: 0x0403_0201, ahead: 0x0605, window: 0x0807 };

fn hex(bytes: &[u8]) -> std::string::String {
    bytes.iter().map(|byte| std::format!("{byte:02x}")).collect()
}

#[test]
fn packets_are_these_bytes() {
    let hello = Hello {
        versions: SPOKEN,
        answer: true,
        mark: Mark { nonce: 0x1413_1211, handshake: 0x1615 },
        echo: Mark { nonce: 0x2423_2221, handshake: 0x2625 },
        stream: StreamId(0x3433_3231),
        first: 0x4443_4241,
        cursor: Some(StreamId(0x5453_5251)),
        tidings: TIDINGS,
    };
    let bytes = Role::Controller.hello(&hello);
    assert_eq!(
        hex(&bytes),
        "01010103111213141516212223242526313233344142434451525354010203040506\
         0708"
    );
    assert_eq!(Role::Host.read(&bytes), Ok(Packet::Hello(hello)));
    assert_eq!(Role::Controller.read(&bytes), Err(NotForUs::Echo));
    let strange = Hello { answer: false, cursor: None, ..hello };
    let bytes = Role::Host.hello(&strange);
    assert_eq!(hex(bytes.get(..4).unwrap()), "81010100");
    assert_eq!(Role::Controller.read(&bytes), Ok(Packet::Hello(strange)));

    let refusal = Role::Host.refusal(Versions { lowest: 2, highest: 3 });
    assert_eq!(hex(&refusal), "820203");
    let tag = Role::Host.tag(0x0000_00aa, 0x1234_5678);
    assert_eq!(tag, 0x5678_129e);
    assert_eq!(tag, Role::Controller.tag(0x1234_5678, 0xaa));
    for (cargo, behind, bytes) in [
        (Cargo::Nothing, "", "039e1278560102030405060708"),
        (Cargo::Messages(0x0c0b_0a09, b"\x01a"), "\x01a", "049e1278560102030405060708090a0b0c"),
        (Cargo::Datagram(b"a"), "a", "059e1278560102030405060708"),
    ] {
        let head = Role::Controller.head(tag, TIDINGS, cargo);
        assert_eq!(hex(&head), bytes);
        let whole = [head.as_slice(), behind.as_bytes()].concat();
        assert_eq!(Role::Host.read(&whole), Ok(Packet::Session(tag, TIDINGS, cargo)));
    }
}

#[test]
fn what_is_cut_or_unknown_is_malformed_and_a_hello_of_the_future_is_foreign() {
    let cases: [&[u8]; 6] =
        [b"", b"\x01", b"\x01\x01\x01\x01", b"\x02\x01", b"\x03abc", b"\x06abcdefghijklm"];
    for bytes in cases {
        assert_eq!(Role::Host.read(bytes), Err(NotForUs::Malformed), "{bytes:?}");
    }
    let theirs = Versions { lowest: 2, highest: 9 };
    assert_eq!(Role::Host.read(b"\x01\x02\x09what comes then"), Err(NotForUs::Foreign(theirs)));
    assert_eq!(SPOKEN.common(theirs), None);
    assert_eq!(theirs.common(Versions { lowest: 1, highest: 4 }), Some(4));
}
