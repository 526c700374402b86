//! Each message is these bytes, for ever.

use core::fmt::Debug;

use heapless::{String, Vec};

use super::*;
use crate::field::LONGEST_MESSAGE;
use crate::stream::{Id, StreamId};

extern crate std;
use std::string::String as Text;

const AT: Stamp = Stamp { boot: 0x0403_0201, micros: 0x1817_1615_1413_1211 };
const STAMP: &str = "01020304 1112131415161718";
const VERSION: Version = Version { major: 1, minor: 2, patch: 0x0403 };
const ID: Id = Id { stream: StreamId(0xd4d3_d2d1), number: 0xe4e3_e2e1 };

fn hex(bytes: &[u8]) -> Text {
    bytes.iter().map(|byte| std::format!("{byte:02x}")).collect()
}

fn pinned<M: Message + Debug + PartialEq>(message: &M, bytes: &str) {
    let encoded = message.encode();
    assert_eq!(hex(&encoded), bytes.replace(' ', ""), "{message:?}");
    assert_eq!(M::decode(&encoded).as_ref(), Ok(message));
    // Cut anywhere it is none, and with more fields behind it is still this one.
    for end in 1..encoded.len() {
        assert_eq!(M::decode(&encoded[..end]), Err(Unread::Malformed(encoded[0])), "{end} of {message:?}");
    }
    let longer = [encoded.as_slice(), &[0xaa; 3]].concat();
    assert_eq!(M::decode(&longer).as_ref(), Ok(message));
}

#[test]
fn messages_of_a_controller_are_these_bytes() {
    let hardware = [0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28];
    let identity = Identity { kind: Kind::Scanner, hardware, firmware: VERSION, key: [0x5a; 16] };
    let five = "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";
    pinned(&ToHost::Identity(identity), &std::format!("01 01 2122232425262728 01020304 {five}"));
    let data = Vec::from_slice(b"4006381333931").unwrap();
    let scan = ToHost::Scan { at: AT, symbology: *b"E0", more: false, data };
    pinned(&scan, &std::format!("02 {STAMP} 4530 00 0d 34303036333831333333393331"));
    let part = Vec::from_slice(b"(").unwrap();
    let part = ToHost::Scan { at: AT, symbology: *b"d2", more: true, data: part };
    pinned(&part, &std::format!("02 {STAMP} 6432 01 01 28"));
    pinned(&ToHost::DrawerOpened { at: AT, cause: Cause::Command }, &std::format!("03 {STAMP} 01"));
    pinned(&ToHost::DrawerOpened { at: AT, cause: Cause::FoundOpen }, &std::format!("03 {STAMP} 04"));
    pinned(&ToHost::DrawerClosed { at: AT, open_ms: 0x0102_0304 }, &std::format!("04 {STAMP} 04030201"));
    let alarm = ToHost::Alarm { at: AT, alarm: Alarm::Undervoltage, on: true };
    pinned(&alarm, &std::format!("05 {STAMP} 05 01"));
    let tally = Tally::of([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    let counters = ToHost::Counters { at: AT, tally };
    let first = "06 01000000 02000000 03000000 04000000 05000000 06000000 07000000";
    let encoded = counters.encode();
    assert_eq!(hex(&encoded), std::format!("{first} {STAMP} 08000000 09000000").replace(' ', ""));
    assert_eq!(ToHost::decode(&encoded), Ok(counters));
    let tally = Tally::of([1, 2, 3, 4, 5, 6, 7, 0, 0]);
    let of_the_first_version = ToHost::Counters { at: AT, tally };
    assert_eq!(ToHost::decode(&encoded[..41]), Ok(of_the_first_version));
    assert_eq!(ToHost::decode(&encoded[..40]), Err(Unread::Malformed(0x06)));
    pinned(&ToHost::Challenge { nonce: [0x5a; 16] }, &std::format!("07 {five}"));
    let outcome = ToHost::OpenOutcome { at: AT, request: 0x0102, outcome: Outcome::DidNotOpen };
    pinned(&outcome, &std::format!("08 {STAMP} 02010000 06"));
    let text = String::try_from("no paper").unwrap();
    pinned(&ToHost::Log { level: Level::Warning, text }, "09 02 08 6e6f207061706572");
    pinned(&ToHost::UpdateProgress { stored: 0x0001_0080 }, "0a 80000100");
    let refused = ToHost::UpdateRefused { reason: UpdateRefusal::BadOffset, stored: 128 };
    pinned(&refused, "0b 04 80000000");
    pinned(&ToHost::UpdateConfirmed { version: VERSION }, "0c 01020304");
}

#[test]
fn messages_of_the_host_are_these_bytes() {
    let id = "d1d2d3d4 e1e2e3e4";
    pinned(&ToController::ScanAccepted { scan: ID }, &std::format!("01 {id}"));
    let refused = ToController::ScanRefused { scan: ID, reason: ScanRefusal::NotNow };
    pinned(&refused, &std::format!("02 {id} 02"));
    pinned(&ToController::AskChallenge, "03");
    let open = ToController::OpenDrawer { request: 7, pulse_ms: 150, mac: [0xc3; 16] };
    pinned(&open, "04 07000000 9600 c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3");
    let settings =
        Settings { symbologies: 0x7f, double_read_ms: 500, open_too_long_s: 60, pulse_cap_ms: 200 };
    pinned(&ToController::Configure(settings), "05 7f000000 f401 3c00 c800");
    let signal = ToController::Signal { beep_ms: 80, tone_hz: 2_700, lights: 0b001, light_ms: 300 };
    pinned(&signal, "06 5000 8c0a 01 2c01");
    pinned(&ToController::AskCounters, "07");
    let begin = ToController::UpdateBegin { length: 0x0001_2345, version: VERSION, fingerprint: None };
    let encoded = begin.encode();
    assert_eq!(hex(&encoded), "084523010001020304");
    assert_eq!(ToController::decode(&encoded).as_ref(), Ok(&begin));
    assert_eq!(ToController::decode(&encoded[..8]), Err(Unread::Malformed(0x08)));
    let begin =
        ToController::UpdateBegin { length: 0x0001_2345, version: VERSION, fingerprint: Some([0x5a; 16]) };
    let encoded = begin.encode();
    assert_eq!(hex(&encoded), std::format!("084523010001020304{}", "5a".repeat(16)));
    assert_eq!(ToController::decode(&encoded), Ok(begin));
    let data = Vec::from_slice(&[0xde, 0xad]).unwrap();
    pinned(&ToController::UpdateChunk { offset: 0x80, data }, "09 80000000 02 dead");
    pinned(&ToController::UpdateEnd, "0a");
    pinned(&ToController::Reboot, "0b");
    pinned(&ToController::AskIdentity, "0c");
}

#[test]
fn names_are_these_numbers() {
    fn count<T: From<u8> + Into<u8> + Debug>(known: u8) {
        for number in 0..=u8::MAX {
            let named = T::from(number);
            let is_other = std::format!("{named:?}").starts_with("Other");
            assert_eq!(is_other, !(1..=known).contains(&number), "{named:?}");
            assert_eq!(named.into(), number);
        }
    }
    count::<Kind>(2);
    count::<Cause>(4);
    count::<Alarm>(5);
    count::<Outcome>(7);
    count::<Level>(4);
    count::<ScanRefusal>(3);
    count::<UpdateRefusal>(10);
    let first = [u8::from(Cause::NoCommand), Alarm::Tamper.into(), Outcome::StaleChallenge.into()];
    assert_eq!(first, [2, 2, 4]);
    assert_eq!([u8::from(ScanRefusal::Unreadable), UpdateRefusal::NoneBegun.into()], [3, 6]);
    assert_eq!([u8::from(UpdateRefusal::Damaged), UpdateRefusal::DidNotStart.into()], [8, 9]);
}

#[test]
fn the_longest_messages_fit_and_longer_ones_are_refused() {
    let scan = ToHost::Scan {
        at: AT,
        symbology: *b"d2",
        more: true,
        data: [b'8'; ToHost::LONGEST_SCAN].into_iter().collect(),
    };
    let encoded = scan.encode();
    assert_eq!(encoded.len(), 177);
    assert!(encoded.len() <= LONGEST_MESSAGE);
    assert_eq!(ToHost::decode(&encoded), Ok(scan));
    let mut longer = encoded.to_vec();
    longer[16] += 1;
    longer.push(b'8');
    assert_eq!(ToHost::decode(&longer), Err(Unread::Malformed(0x02)));
    let line = "é".repeat(ToHost::LONGEST_LINE / 2);
    let log = ToHost::Log { level: Level::Debug, text: String::try_from(line.as_str()).unwrap() };
    assert_eq!(ToHost::decode(&log.encode()), Ok(log));
    let chunk = ToController::UpdateChunk {
        offset: u32::MAX,
        data: [0; ToController::LONGEST_CHUNK].into_iter().collect(),
    };
    assert_eq!(ToController::decode(&chunk.encode()), Ok(chunk));
}

#[test]
fn an_older_side_says_what_it_does_not_know() {
    assert_eq!(ToHost::decode(&[0x0d, 1, 2]), Err(Unread::Unknown(0x0d)));
    assert_eq!(ToController::decode(&[0x0d]), Err(Unread::Unknown(0x0d)));
    assert_eq!(ToHost::decode(&[0x00]), Err(Unread::Unknown(0x00)));
    assert_eq!(ToHost::decode(&[]), Err(Unread::Malformed(0)));
    let alarm = [ToHost::Alarm { at: AT, alarm: Alarm::Other(0x77), on: false }.encode().as_slice()].concat();
    assert_eq!(alarm[13], 0x77);
    assert_eq!(ToHost::decode(&[0x09, 1, 1, 0xff]), Err(Unread::Malformed(0x09)), "no text");
}
