//! Walking the groups of one segment, each checked before it is shown.
//!
//! A scan may run beside a writer in another process. Then the last group may be seen half written: a flaw is
//! final only if something valid follows it (see [`torn_extent`]) and it is still there when read again.

use std::io;

use crate::flaw::{FirstBad, Reason};
use crate::group::{self, Check};
use crate::layout::{
    Chain, GROUP_ALIGNMENT, GROUP_HEADER_BYTES, GROUP_MAGIC, GroupHeader, MAX_GROUP_BYTES,
    SEGMENT_HEADER_BYTES, SegmentHeader,
};
use crate::segment::EpochDir;
use crate::storage::{Access, Storage, StorageFile, read_full};

/// Read at once, unless a group is longer.
const WINDOW_BYTES: u64 = 1 << 20;

/// A group that was checked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Group {
    /// Offset in the segment.
    pub(crate) at: u64,
    pub(crate) header: GroupHeader,
}

/// What came next.
pub(crate) enum Step {
    Group(Group),
    /// Zeros, or the end of what may be read.
    End,
    Flaw(FirstBad),
}

pub(crate) struct Scan<F> {
    pub(crate) dir: EpochDir,
    pub(crate) number: u32,
    pub(crate) file: F,
    /// What the next group must continue.
    pub(crate) chain: Chain,
    /// Where the next group starts.
    pub(crate) offset: u64,
    /// Nothing at or after this offset is read.
    pub(crate) limit: u64,
    check: Check,
    window: Vec<u8>,
    window_at: u64,
}

impl<F: StorageFile> Scan<F> {
    pub(crate) fn new(dir: EpochDir, file: F, header: &SegmentHeader, limit: u64, check: Check) -> Self {
        Self {
            dir,
            number: header.segment,
            file,
            chain: header.chain,
            offset: SEGMENT_HEADER_BYTES as u64,
            limit,
            check,
            window: Vec::new(),
            window_at: 0,
        }
    }

    pub(crate) fn flaw(&self, offset: u64, reason: Reason) -> FirstBad {
        FirstBad { at: self.dir.at(self.number, offset), reason }
    }

    /// Bytes of the epoch's groups before the next one.
    pub(crate) fn bytes(&self, header: &SegmentHeader) -> u64 {
        header.bytes_before + (self.offset - SEGMENT_HEADER_BYTES as u64)
    }

    /// The next group, checked, and moves past it. After a flaw or the end, reads afresh when called again.
    pub(crate) fn next_group(&mut self) -> io::Result<Step> {
        let step = self.look()?;
        match &step {
            Step::Group(group) => {
                self.chain = group.header.chain_after();
                self.offset += group.header.disk_bytes();
            }
            Step::End | Step::Flaw(_) => self.window.clear(),
        }
        Ok(step)
    }

    /// The next group, beside a writer that may be in the middle of it: an unfinished last group is the end.
    /// A flaw is one only where something was written after it and it is still there when read again.
    pub(crate) fn next_settled(&mut self, storage: &impl Storage) -> io::Result<Step> {
        let step = self.next_group()?;
        if !matches!(step, Step::Flaw(_)) {
            return Ok(step);
        }
        let torn = matches!(torn_extent(&self.file, self.offset, &self.chain)?, Extent::Torn { .. });
        if torn && !self.has_successor(storage)? { Ok(Step::End) } else { self.next_group() }
    }

    /// Whether the epoch has a segment after this one.
    pub(crate) fn has_successor(&self, storage: &impl Storage) -> io::Result<bool> {
        let next = self.number.saturating_add(1);
        match storage.open(&self.dir.segment(next), Access::Read) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn look(&mut self) -> io::Result<Step> {
        let at = self.offset;
        self.fill(at, GROUP_HEADER_BYTES as u64)?;
        let bytes = self.bytes_from(at, GROUP_HEADER_BYTES as u64);
        if bytes.len() < GROUP_HEADER_BYTES || bytes.iter().all(|byte| *byte == 0) {
            let stray = bytes.iter().any(|byte| *byte != 0);
            return Ok(if stray { Step::Flaw(self.flaw(at, Reason::GroupHeader)) } else { Step::End });
        }
        let Some(header) = GroupHeader::decode(bytes) else {
            return Ok(Step::Flaw(self.flaw(at, Reason::GroupHeader)));
        };
        self.fill(at, header.disk_bytes())?;
        let bytes = self.bytes_from(at, header.disk_bytes());
        if (bytes.len() as u64) < header.disk_bytes() {
            return Ok(Step::Flaw(self.flaw(at, Reason::GroupLength)));
        }
        Ok(match group::check(bytes, &header, &self.chain, self.check) {
            Ok(()) => Step::Group(Group { at, header }),
            Err(flaw) => Step::Flaw(self.flaw(at + flaw.offset as u64, flaw.reason)),
        })
    }

    /// Moves to the group that holds `seq`, reading headers only: their chain is checked, records are not.
    /// `false` when the segment ends before; the scan then stands at its end.
    pub(crate) fn seek(&mut self, seq: u64) -> io::Result<Result<bool, FirstBad>> {
        self.window.clear();
        while self.chain.next_seq <= seq {
            let at = self.offset;
            let mut bytes = [0; GROUP_HEADER_BYTES];
            if at + GROUP_HEADER_BYTES as u64 > self.limit
                || read_full(&self.file, &mut bytes, at)? < GROUP_HEADER_BYTES
                || bytes.iter().all(|byte| *byte == 0)
            {
                return Ok(Ok(false));
            }
            let Some(header) = GroupHeader::decode(&bytes) else {
                return Ok(Err(self.flaw(at, Reason::GroupHeader)));
            };
            if !header.continues(&self.chain) {
                return Ok(Err(self.flaw(at, Reason::GroupChain)));
            }
            if header.last_seq() >= seq {
                return Ok(Ok(true));
            }
            self.chain = header.chain_after();
            self.offset += header.disk_bytes();
        }
        Ok(Ok(true))
    }

    /// The bytes of a group that was just returned.
    pub(crate) fn group_bytes(&self, group: &Group) -> &[u8] {
        self.bytes_from(group.at, group.header.disk_bytes())
    }

    fn bytes_from(&self, at: u64, length: u64) -> &[u8] {
        let from = usize::try_from(at.wrapping_sub(self.window_at)).unwrap_or(usize::MAX);
        let rest = self.window.get(from..).unwrap_or_default();
        rest.get(..usize::try_from(length).unwrap_or(usize::MAX)).unwrap_or(rest)
    }

    /// Has `length` bytes from `at` in the window, fewer only where the file or the limit ends.
    fn fill(&mut self, at: u64, length: u64) -> io::Result<()> {
        let end = at.saturating_add(length).min(self.limit);
        let has = self.window_at..=self.window_at + self.window.len() as u64;
        if has.contains(&at) && has.contains(&end) && !self.window.is_empty() {
            return Ok(());
        }
        let wanted = length.max(WINDOW_BYTES).min(self.limit.saturating_sub(at));
        self.window.resize(usize::try_from(wanted).map_err(io::Error::other)?, 0);
        self.window_at = at;
        let read = read_full(&self.file, &mut self.window, at)?;
        self.window.truncate(read);
        Ok(())
    }
}

/// What stands from a flaw to the end of a segment.
pub(crate) enum Extent {
    /// Nothing that was written later: the flawed group is the last one, and unfinished. Its bytes end here.
    Torn { end: u64 },
    /// A group that was written after the flawed one was finished.
    Followed,
    /// More than one group can leave.
    TooLong,
}

/// Tells a torn tail from damage. The next group is written only after the one before is durable, so any good
/// header with a higher number proves that the flawed group was once whole.
pub(crate) fn torn_extent<F: StorageFile>(file: &F, from: u64, chain: &Chain) -> io::Result<Extent> {
    let len = file.len()?;
    let mut window = vec![0; WINDOW_BYTES as usize + GROUP_HEADER_BYTES];
    let mut own_end = from;
    let mut end = from;
    let mut at = from;
    while at < len {
        let read = read_full(file, &mut window, at)?;
        let bytes = window.get(..read).unwrap_or_default();
        if at == from
            && let Some(own) = GroupHeader::decode(bytes).filter(|own| own.continues(chain))
        {
            own_end = from + own.disk_bytes();
        }
        for offset in (0..read.min(WINDOW_BYTES as usize)).step_by(GROUP_ALIGNMENT) {
            let Some(rest) = bytes.get(offset..).filter(|rest| rest.starts_with(&GROUP_MAGIC)) else {
                continue;
            };
            let later = |found: &GroupHeader| found.epoch == chain.epoch && found.first_seq > chain.next_seq;
            // What lies within the flawed group is its records, whatever they look like.
            if at + offset as u64 >= own_end && GroupHeader::decode(rest).as_ref().is_some_and(later) {
                return Ok(Extent::Followed);
            }
        }
        if let Some(last) = bytes.iter().rposition(|byte| *byte != 0) {
            end = at + last as u64 + 1;
        }
        at += WINDOW_BYTES;
    }
    Ok(if end - from > MAX_GROUP_BYTES as u64 { Extent::TooLong } else { Extent::Torn { end } })
}

/// The first byte that is not zero, from an offset to the end of the file.
pub(crate) fn first_stray<F: StorageFile>(file: &F, from: u64) -> io::Result<Option<u64>> {
    let mut window = vec![0; WINDOW_BYTES as usize];
    let mut at = from;
    loop {
        let read = read_full(file, &mut window, at)?;
        let bytes = window.get(..read).unwrap_or_default();
        if let Some(offset) = bytes.iter().position(|byte| *byte != 0) {
            return Ok(Some(at + offset as u64));
        }
        if read < window.len() {
            return Ok(None);
        }
        at += read as u64;
    }
}
