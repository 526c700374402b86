//! The bytes on disk, pinned: a journal written today is read for ever, and by others. The literals were computed from the
//! tables in the documentation by another program.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use pos_journal::sim::SimDisk;
use pos_journal::{
    EpochId, Evidence, Journal, Locator, Options, Position, Preparation, Reader, Record, RecordError, Room,
    Start, Storage,
};

const OPTIONS: Options = Options { segment_bytes: 4096, preparation: Preparation::Inline };

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn tiny() -> SimDisk {
    let disk = SimDisk::new(1);
    let parent = Evidence { position: Position { epoch: EpochId(0x1122), seq: 7 }, hash: [0xaa; 32] };
    let (mut journal, _) = Journal::open(disk.clone(), OPTIONS, &[]).unwrap();
    journal.start_epoch_as(EpochId(0x9f3a_2c1b_00d1_e2f3), Some(parent)).unwrap();
    journal.append(&[b"one", b"two"], Room::Ordinary).unwrap();
    journal.append(&[b""], Room::Ordinary).unwrap();
    journal.close().unwrap();
    disk
}

#[test]
fn a_tiny_journal_has_exactly_these_bytes() {
    let disk = tiny();
    let bytes = disk.read_all("journal/0001-9f3a2c1b00d1e2f3/00000001.seg", 4096).unwrap();
    assert_eq!(hex(&bytes[..256]), SEGMENT_HEADER);
    assert_eq!(hex(&bytes[256..360]), GROUP_HEADER);
    assert_eq!(hex(&bytes[360..480]), FRAMES);
    assert_eq!(hex(&bytes[480..648]), SECOND_GROUP);
    assert!(bytes[648..].iter().all(|byte| *byte == 0));
    assert_eq!(bytes.len(), 4096);
    assert_eq!(hex(&disk.read_all("journal/stop.seal", 100).unwrap()), STOP_SEAL);
}

const SEGMENT_HEADER: &str = concat!(
    "54494c4c534547310100000001000000f3e2d1001b2c3a9f010000000000000000000000000000000000000000000000",
    "000000000000000000000000000000000000000000000000aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "aaaaaaaaaaaaaaaa22110000000000000700000000000000aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "aaaaaaaaaaaaaaaa00000000000000000000000000000000000000000000000000000000000000000000000000000000",
    "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000003d36caf3",
);
const GROUP_HEADER: &str = concat!(
    "5447525001000000f3e2d1001b2c3a9f0100000000000000020000007800000000000000000000000000000000000000",
    "00000000000000000000000000000000ffc0deba2d8eb5435a35251b66020d43a2172d1f8054c7275c6107f685eefe38",
    "00000000bf97a8d2",
);
const FRAMES: &str = concat!(
    "34000000895ed29b01f3e2d1001b2c3a9f0100000000000000aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "aaaaaaaaaaaaaaaaaa6f6e6534000000900e445901f3e2d1001b2c3a9f02000000000000005fffe8fa02285300fde300",
    "516d9612f1f3ff75f0af45ab1f99e49689c330f2e974776f",
);
const SECOND_GROUP: &str = concat!(
    "5447525001000000f3e2d1001b2c3a9f03000000000000000100000039000000004e850bfc4e91275ee05b64f4635239",
    "19e7c10a6ef2cf21d0c761188341a544098c7869607b664e7458252318b55eadba8f15cbf9aa0cbdd6604a5526d5420d",
    "000000003daafcdf310000006c80d8bf01f3e2d1001b2c3a9f0300000000000000ffc0deba2d8eb5435a35251b66020d",
    "43a2172d1f8054c7275c6107f685eefe3800000000000000",
);
const STOP_SEAL: &str = concat!(
    "54494c4c53544f50f3e2d1001b2c3a9f0300000000000000098c7869607b664e7458252318b55eadba8f15cbf9aa0cbd",
    "d6604a5526d5420dd9b529f0",
);

#[test]
fn a_record_is_hashed_over_exactly_its_bytes() {
    let disk = tiny();
    let records = Reader::open(disk.clone()).records_from(Start::Beginning).unwrap();
    let records: Vec<(Locator, Record)> = records.map(|record| record.unwrap()).collect();
    let mut previous = [0xaa; 32];
    for (locator, record) in &records {
        assert_eq!(record.previous, previous);
        let segment = disk.read_all("journal/0001-9f3a2c1b00d1e2f3/00000001.seg", 4096).unwrap();
        let bytes = record.encode();
        assert!(segment[locator.offset as usize + 8..].starts_with(&bytes));
        assert_eq!(Record::decode(&bytes).unwrap(), *record);
        assert_eq!(
            Record::new(record.position(), record.previous, record.body.clone()).unwrap(),
            *record,
            "the same record made elsewhere"
        );
        previous = record.hash;
    }
    assert_eq!(records.len(), 3);
    let mut bytes = records[0].1.encode();
    assert_eq!(Record::decode(&bytes[..48]), Err(RecordError::Length(48)));
    bytes[0] = 2;
    assert_eq!(Record::decode(&bytes), Err(RecordError::Version(2)));
    let position = records[0].1.position();
    assert!(Record::new(position, [0; 32], vec![0; 1 << 20]).is_ok());
    assert!(Record::new(position, [0; 32], vec![0; (1 << 20) + 1]).is_err());
}
