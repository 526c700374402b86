//! What opening finds, and what it may mend.
//!
//! The newest epoch is read in full, hashes included, from the segment that holds the newest evidence on (without
//! evidence: its newest segment that has groups). Segments before that were finished and synced long ago; only
//! rot can have changed them, which is [`verify()`](crate::verify())'s to find. So opening takes as long as reading
//! one or two segments, however long the journal is.
//!
//! Only the last group can be torn, because the next is written only after the one before is durable. A flaw is
//! a torn tail if it stands in the newest segment, nothing written later follows it, and no evidence lies beyond it.
//! Everything else is damage: then nothing on disk is touched.

use std::io;

use crate::flaw::{FirstBad, Reason};
use crate::group::{Check, checked_record_at};
use crate::layout::{Chain, GROUP_HEADER_BYTES, SegmentHeader};
use crate::lineage::segment_of;
use crate::position::{Digest, Evidence, Head, Locator, Position};
use crate::scan::{Extent, Group, Scan, Step, torn_extent};
use crate::segment::{self, EpochDir, JOURNAL_DIR, TORN_DIR};
use crate::stop;
use crate::storage::{Access, Storage, StorageFile, list_or_none, read_full};

/// Copies of torn groups that are kept; the oldest go first.
const TORN_KEPT: usize = 8;

/// How the journal was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// There is no record. Start an epoch.
    Fresh,
    /// Stopped cleanly: the seal names exactly the last record.
    SealedStop,
    /// No clean stop, yet nothing is torn.
    Clean,
    /// The last group was unfinished; nobody was told that it is durable. It was cut.
    TornTail {
        /// The copy of its bytes, relative to the storage's root; none where there was no room for it.
        kept_aside: Option<String>,
        /// How many bytes were cut.
        bytes: u64,
    },
    /// Something that was durable is wrong or missing. Nothing was touched. Start an epoch to go on.
    Damaged {
        /// Where, and what is wrong.
        bad: FirstBad,
        /// What proves that more was durable, if that is how it was noticed.
        evidence: Option<Evidence>,
    },
}

/// What [`Journal::open`](crate::Journal::open) found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The newest good record: the end of the journal, or of what precedes the damage.
    pub head: Option<Head>,
    /// In which state the journal was.
    pub outcome: Outcome,
}

/// The segment that is written to.
pub(crate) struct Active<F> {
    pub(crate) dir: EpochDir,
    pub(crate) file: F,
    pub(crate) segment: u32,
    pub(crate) len: u64,
    pub(crate) offset: u64,
    pub(crate) chain: Chain,
    /// Bytes of the epoch's groups.
    pub(crate) bytes: u64,
    pub(crate) parent: Option<Evidence>,
}

impl<F> Active<F> {
    pub(crate) fn head(&self) -> Option<Head> {
        head_of(&self.chain, self.bytes)
    }
}

pub(crate) fn head_of(chain: &Chain, bytes: u64) -> Option<Head> {
    let seq = chain.next_seq.checked_sub(1).filter(|seq| *seq > 0)?;
    Some(Head {
        position: Position { epoch: chain.epoch, seq },
        hash: chain.previous,
        group_hash: chain.group_hash,
        records: seq,
        bytes,
    })
}

struct Damage {
    bad: FirstBad,
    head: Option<Head>,
}

/// An epoch read to its end.
struct Examined<F> {
    scan: Scan<F>,
    header: SegmentHeader,
    last_group: Option<u64>,
    torn_end: Option<u64>,
}

pub(crate) fn recover<S: Storage>(
    storage: &S,
    given: &[Evidence],
) -> io::Result<(Option<Active<S::File>>, Opened)> {
    storage.create_dir(JOURNAL_DIR)?;
    let sealed = stop::load(storage)?;
    let evidence: Vec<Evidence> =
        given.iter().copied().chain(sealed).filter(|e| e.position.seq > 0).collect();
    let all = segment::epochs(storage)?;
    let lost = evidence.iter().find(|e| all.iter().all(|dir| dir.epoch != e.position.epoch));
    let mut torn = None;
    for dir in all.iter().rev() {
        let found = match examine(storage, *dir, &evidence, sealed)? {
            Ok(found) => found,
            Err(Damage { bad, head }) => return Ok(damaged(bad, head)),
        };
        let head = head_of(&found.scan.chain, found.scan.bytes(&found.header));
        if let Some(evidence) = lost {
            let reason = Reason::EvidenceMissing(*evidence);
            return Ok(damaged(found.scan.flaw(found.scan.offset, reason), head));
        }
        if let Some(end) = found.torn_end {
            torn = Some((keep_aside(storage, &found.scan, end)?, end - found.scan.offset));
        }
        if head.is_none() {
            // The epoch never got its first record: it never was. What was before it stands.
            // The last one first: dying in between leaves an epoch like this one.
            for number in dir.segments(storage)?.into_iter().rev() {
                storage.remove(&dir.segment(number))?;
            }
            storage.sync_dir(&dir.path())?;
            continue;
        }
        let active = mend(storage, found)?;
        let sealed = sealed.is_some_and(|seal| head.is_some_and(|head| head.evidence() == seal));
        let outcome = match torn {
            Some((kept_aside, bytes)) => Outcome::TornTail { kept_aside, bytes },
            None if sealed => Outcome::SealedStop,
            None => Outcome::Clean,
        };
        return Ok((Some(active), Opened { head, outcome }));
    }
    sync_names(storage, None)?;
    if let Some(evidence) = lost {
        let at = Locator { epoch_ordinal: 0, segment: 0, offset: 0 };
        return Ok(damaged(FirstBad { at, reason: Reason::EvidenceMissing(*evidence) }, None));
    }
    let outcome = match torn {
        Some((kept_aside, bytes)) => Outcome::TornTail { kept_aside, bytes },
        None => Outcome::Fresh,
    };
    Ok((None, Opened { head: None, outcome }))
}

fn damaged<F>(bad: FirstBad, head: Option<Head>) -> (Option<Active<F>>, Opened) {
    let evidence = match bad.reason {
        Reason::EvidenceMissing(evidence) | Reason::EvidenceDiffers(evidence) => Some(evidence),
        _ => None,
    };
    (None, Opened { head, outcome: Outcome::Damaged { bad, evidence } })
}

/// Reads the end of an epoch without changing anything.
fn examine<S: Storage>(
    storage: &S,
    dir: EpochDir,
    evidence: &[Evidence],
    sealed: Option<Evidence>,
) -> io::Result<Result<Examined<S::File>, Damage>> {
    let evidence: Vec<&Evidence> = evidence.iter().filter(|e| e.position.epoch == dir.epoch).collect();
    let segments = dir.segments(storage)?;
    let damage = |bad, head| Ok(Err(Damage { bad, head }));
    for (expected, found) in (1..).zip(&segments) {
        if expected != *found {
            return damage(FirstBad { at: dir.at(expected, 0), reason: Reason::SegmentMissing }, None);
        }
    }
    let last = segments.last().copied().unwrap_or_default();
    let start = first_to_read(storage, dir, last, evidence.iter().map(|e| e.position.seq).max())?;
    let mut before: Option<Examined<S::File>> = None;
    let mut read_from = u64::MAX;
    for number in start..=last {
        let head = before.as_ref().and_then(|b| head_of(&b.scan.chain, b.scan.bytes(&b.header)));
        let (file, header) = match segment::open(storage, dir, number, Access::ReadWrite)? {
            Ok(opened) => opened,
            Err(bad) => return damage(bad, head),
        };
        if let Some(before) = &before
            && (header.chain != before.scan.chain || header.bytes_before != before.scan.bytes(&before.header))
        {
            return damage(FirstBad { at: dir.at(number, 0), reason: Reason::SegmentChain }, head);
        }
        read_from = read_from.min(header.chain.next_seq);
        let len = file.len()?;
        let mut scan = Scan::new(dir, file, &header, len, Check::Hashes);
        let (mut last_group, mut torn_end) = (None, None);
        loop {
            let head = head_of(&scan.chain, scan.bytes(&header));
            let bad = match scan.next_group()? {
                Step::Group(group) => {
                    last_group = Some(group.at);
                    let mut seen = evidence.iter().filter(|e| group.header.holds(e.position.seq));
                    if let Some(bad) = seen.find_map(|e| contradiction(&scan, &group, e)) {
                        return damage(bad, head);
                    }
                    continue;
                }
                Step::End if number != last || head.is_some_and(|head| sealed == Some(head.evidence())) => {
                    break;
                }
                Step::Flaw(bad) if number != last => return damage(bad, head),
                Step::Flaw(bad) => bad,
                // Zeros where a header would be, but perhaps not all the way: a hole, or what a torn group left.
                Step::End => scan.flaw(scan.offset, Reason::GroupHeader),
            };
            match torn_extent(&scan.file, scan.offset, &scan.chain)? {
                Extent::Followed => return damage(bad, head),
                Extent::TooLong => return damage(scan.flaw(scan.offset, Reason::TailTooLong), head),
                Extent::Torn { end } => torn_end = (end > scan.offset).then_some(end),
            }
            break;
        }
        before = Some(Examined { scan, header, last_group, torn_end });
    }
    let Some(found) = before else {
        return damage(FirstBad { at: dir.at(1, 0), reason: Reason::SegmentMissing }, None);
    };
    let head = head_of(&found.scan.chain, found.scan.bytes(&found.header));
    for evidence in evidence {
        if evidence.position.seq >= found.scan.chain.next_seq {
            let reason = Reason::EvidenceMissing(*evidence);
            return damage(found.scan.flaw(found.scan.offset, reason), head);
        }
        // Older than what was read: one group of its segment is looked at.
        if evidence.position.seq < read_from
            && let Err(bad) = look_up(storage, dir, evidence)?
        {
            return damage(bad, head);
        }
    }
    Ok(Ok(found))
}

/// The segment from which an epoch is read in full.
fn first_to_read<S: Storage>(storage: &S, dir: EpochDir, last: u32, newest: Option<u64>) -> io::Result<u32> {
    let mut start = last;
    while start > 1 {
        if let Ok((file, header)) = segment::open(storage, dir, start, Access::Read)? {
            let len = file.len()?;
            let mut scan = Scan::new(dir, file, &header, len, Check::Frames);
            let empty = start == last && !matches!(scan.next_group()?, Step::Group(_));
            if !empty && newest.is_none_or(|seq| seq >= header.chain.next_seq) {
                break;
            }
        }
        start -= 1;
    }
    Ok(start)
}

fn contradiction<F: StorageFile>(scan: &Scan<F>, group: &Group, evidence: &Evidence) -> Option<FirstBad> {
    let (offset, hash) = record_in_group(scan.group_bytes(group), group, evidence.position.seq)?;
    let at = group.at + offset as u64;
    (hash != evidence.hash).then(|| scan.flaw(at, Reason::EvidenceDiffers(*evidence)))
}

/// The offset in its group, and the hash, of one record.
pub(crate) fn record_in_group(bytes: &[u8], group: &Group, seq: u64) -> Option<(usize, Digest)> {
    let mut offset = GROUP_HEADER_BYTES;
    loop {
        let (record, hash, next) = checked_record_at(bytes, &group.header, offset)?;
        if record.position.seq == seq {
            return Some((offset, hash));
        }
        offset = next;
    }
}

fn look_up<S: Storage>(storage: &S, dir: EpochDir, evidence: &Evidence) -> io::Result<Result<(), FirstBad>> {
    let number = match segment_of(storage, dir, evidence.position.seq)? {
        Ok(number) => number,
        Err(bad) => return Ok(Err(bad)),
    };
    let (file, header) = match segment::open(storage, dir, number, Access::Read)? {
        Ok(opened) => opened,
        Err(bad) => return Ok(Err(bad)),
    };
    let len = file.len()?;
    let mut scan = Scan::new(dir, file, &header, len, Check::Hashes);
    match scan.seek(evidence.position.seq)? {
        Err(bad) => return Ok(Err(bad)),
        Ok(false) => return Ok(Err(scan.flaw(scan.offset, Reason::EvidenceMissing(*evidence)))),
        Ok(true) => {}
    }
    Ok(match scan.next_group()? {
        Step::Group(group) => contradiction(&scan, &group, evidence).map_or(Ok(()), Err),
        Step::End => Err(scan.flaw(scan.offset, Reason::EvidenceMissing(*evidence))),
        Step::Flaw(bad) => Err(bad),
    })
}

/// Copies the torn bytes. A full disk does not keep the shop closed: the copy is then left out.
fn keep_aside<S: Storage>(storage: &S, scan: &Scan<S::File>, end: u64) -> io::Result<Option<String>> {
    let mut bytes = vec![0; usize::try_from(end - scan.offset).map_err(io::Error::other)?];
    read_full(&scan.file, &mut bytes, scan.offset)?;
    storage.create_dir(TORN_DIR)?;
    let (ordinal, number, offset) = (scan.dir.ordinal, scan.number, scan.offset);
    let path = format!("{TORN_DIR}/{ordinal:04x}-{number:08x}-{offset:08x}-{}.bin", scan.chain.next_seq);
    match storage.write_atomic(&path, &bytes) {
        Ok(()) => {}
        Err(error) if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    }
    let names = list_or_none(storage, TORN_DIR)?;
    for name in names.iter().take(names.len().saturating_sub(TORN_KEPT)) {
        storage.remove(&format!("{TORN_DIR}/{name}"))?;
    }
    Ok(Some(path))
}

/// Makes what was read durable: after a kill, the last group may be in the page cache only, and after a failed
/// sync the cache may even hold it as clean. So its bytes are written again, with zeros over a torn tail, and
/// synced before anybody is told of them.
fn mend<S: Storage>(storage: &S, found: Examined<S::File>) -> io::Result<Active<S::File>> {
    let Examined { scan, header, last_group, torn_end } = found;
    let len = scan.file.len()?;
    let from = last_group.unwrap_or(scan.offset);
    let mut bytes = vec![0; usize::try_from(scan.offset - from).map_err(io::Error::other)?];
    read_full(&scan.file, &mut bytes, from)?;
    // At least a header's length of zeros: a later group that once stood there can then not come back.
    let zero_to = torn_end.unwrap_or(0).max(scan.offset + GROUP_HEADER_BYTES as u64).min(len);
    bytes.resize(usize::try_from(zero_to - from).map_err(io::Error::other)?, 0);
    scan.file.write_at(&bytes, from)?;
    scan.file.sync_data()?;
    sync_names(storage, Some(scan.dir))?;
    Ok(Active {
        dir: scan.dir,
        segment: scan.number,
        len,
        offset: scan.offset,
        chain: scan.chain,
        bytes: scan.bytes(&header),
        parent: header.parent,
        file: scan.file,
    })
}

/// Names may be in memory only, too.
fn sync_names(storage: &impl Storage, dir: Option<EpochDir>) -> io::Result<()> {
    storage.sync_dir("")?;
    storage.sync_dir(JOURNAL_DIR)?;
    dir.map_or(Ok(()), |dir| storage.sync_dir(&dir.path()))
}
