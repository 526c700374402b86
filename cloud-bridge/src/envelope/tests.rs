//! The bytes as they stand, what is refused, and that anything else comes back as it was.

use proptest::prelude::*;

use super::*;

const EPOCH: EpochId = EpochId(0x9f3a_2c1b_00d1_e2f3);

fn chain(bodies: &[Vec<u8>], first: u64, mut previous: Digest) -> Vec<Record> {
    let mut records = Vec::new();
    for (seq, body) in (first..).zip(bodies) {
        let record = Record::new(Position { epoch: EPOCH, seq }, previous, body.clone()).unwrap();
        previous = record.hash;
        records.push(record);
    }
    records
}

fn parent() -> Evidence {
    Evidence { position: Position { epoch: EpochId(7), seq: 41 }, hash: [0xaa; 32] }
}

fn batch(bodies: &[&[u8]]) -> Batch {
    let bodies: Vec<_> = bodies.iter().map(|body| body.to_vec()).collect();
    Batch { parent: Some(parent()), records: chain(&bodies, 1, parent().hash) }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_bytes_are_these() {
    let bytes = batch(&[b"one"]).encode(Packing::Plain).unwrap();
    let header = [
        "54454e5601000000",
        "f3e2d1001b2c3a9f0100000000000000",
        "0100000038000000",
        "07000000000000002900000000000000",
        &"aa".repeat(32),
    ];
    assert_eq!(hex(&bytes[..80]), header.concat());
    let record = &batch(&[b"one"]).records[0];
    assert_eq!(bytes[80..112], record.hash);
    assert_eq!(bytes[112..116], [0; 4]);
    assert_eq!(bytes[HEADER_BYTES..HEADER_BYTES + 4], 52_u32.to_le_bytes());
    assert_eq!(bytes[HEADER_BYTES + 4..], record.encode());
}

#[test]
fn what_says_the_same_often_travels_smaller_and_what_does_not_as_it_is() {
    let same = batch(&[&[7; 4000], &[7; 4000]]);
    let bytes = same.encode(Packing::Zstd).unwrap();
    assert!(bytes.len() < 500, "{}", bytes.len());
    assert_eq!(Batch::decode(&bytes), Ok(same));
    let hashes = batch(&[b"one", b"two"]).records;
    let noise = Batch { parent: None, records: chain(&[hashes[0].hash.to_vec()], 5, hashes[1].hash) };
    assert_eq!(noise.encode(Packing::Zstd), noise.encode(Packing::Plain));
}

#[test]
fn records_that_are_no_chain_make_no_envelope() {
    let wrong = |change: fn(&mut Batch)| {
        let mut batch = batch(&[b"one", b"two", b"three"]);
        change(&mut batch);
        batch.encode(Packing::Plain).unwrap_err()
    };
    assert!(matches!(wrong(|batch| batch.records.clear()), EnvelopeError::Payload(_)));
    assert!(
        matches!(wrong(|batch| drop(batch.records.remove(1))), EnvelopeError::Chain { at, .. } if at.seq == 3)
    );
    assert!(
        matches!(wrong(|batch| batch.records.swap(0, 1)), EnvelopeError::Chain { at, .. } if at.seq == 1)
    );
    assert!(matches!(wrong(|batch| batch.parent = None), EnvelopeError::Chain { at, .. } if at.seq == 1));
    let other = |batch: &mut Batch| batch.records[1].previous = [0; 32];
    assert!(matches!(wrong(other), EnvelopeError::Chain { at, .. } if at.seq == 2));
    let epoch = |batch: &mut Batch| batch.records[2].epoch = EpochId(1);
    assert!(matches!(wrong(epoch), EnvelopeError::Chain { at, .. } if at.seq == 3));
}

#[test]
fn a_record_that_was_changed_with_all_checksums_made_anew_is_seen_by_the_chain() {
    let mut bytes = batch(&[b"one", b"two"]).encode(Packing::Plain).unwrap();
    let price = HEADER_BYTES + 4 + RECORD_PREFIX_BYTES;
    bytes[price] ^= 1;
    assert_eq!(Batch::decode(&bytes), Err(EnvelopeError::Checksum));
    let sum = crc32c::crc32c_append(crc32c::crc32c(&bytes[..116]), &bytes[HEADER_BYTES..]);
    bytes[116..120].copy_from_slice(&sum.to_le_bytes());
    assert!(matches!(Batch::decode(&bytes), Err(EnvelopeError::Chain { at, .. }) if at.seq == 2));
}

#[test]
fn one_that_says_it_is_huge_is_refused_before_it_is_unpacked() {
    let mut bytes = batch(&[&[7; 4000]]).encode(Packing::Zstd).unwrap();
    bytes[28..32].copy_from_slice(&u32::MAX.to_le_bytes());
    let sum = crc32c::crc32c_append(crc32c::crc32c(&bytes[..116]), &bytes[HEADER_BYTES..]);
    bytes[116..120].copy_from_slice(&sum.to_le_bytes());
    assert_eq!(
        Batch::decode(&bytes),
        Err(EnvelopeError::Payload("it says that it is longer than one may be"))
    );
    assert!(matches!(Batch::decode(&vec![0; MAX_ENVELOPE_BYTES + 1]), Err(EnvelopeError::Length(_))));
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..20),
        first in 1_u64..1000,
        packed: bool,
    ) {
        let parent = (first % 2 == 0).then(parent);
        let previous = parent.map_or([0; 32], |parent| parent.hash);
        let batch = Batch { parent, records: chain(&bodies, first, previous) };
        let packing = if packed { Packing::Zstd } else { Packing::Plain };
        prop_assert_eq!(Batch::decode(&batch.encode(packing).unwrap()), Ok(batch));
    }

    #[test]
    fn what_is_damaged_is_refused(at: prop::sample::Index, bit in 0_u8..8, cut: prop::sample::Index) {
        let bytes = batch(&[b"one", &[7; 400], b"three"]).encode(Packing::Zstd).unwrap();
        let mut damaged = bytes.clone();
        damaged[at.index(bytes.len())] ^= 1 << bit;
        prop_assert!(Batch::decode(&damaged).is_err());
        prop_assert!(Batch::decode(&bytes[..cut.index(bytes.len())]).is_err());
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut framed = MAGIC.to_vec();
        framed.extend_from_slice(&bytes);
        prop_assert!(Batch::decode(&bytes).is_err() && Batch::decode(&framed).is_err());
    }
}
