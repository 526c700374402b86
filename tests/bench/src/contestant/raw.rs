//! What the disk alone allows: one writer appends as many bytes as a sale has, and syncs each time.

use crate::failure::Failure;
use crate::latency::Latencies;
use std::fs::{File, OpenOptions};
use std::io::{Seek as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

/// Where the bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Space {
    /// A file that grows with each append: each sync also writes the new length.
    Growing,
    /// A file whose bytes were written with zeros and synced before: a sync writes the data only.
    Preallocated,
}

/// Bytes that are zeroed at a time.
const ZEROS: usize = 1 << 20;

/// Appends `bytes` and calls `fdatasync`, again and again for `length`, into a new file `path`, which is removed at
/// the end. In preallocated space it begins again at the front when `room` bytes are full.
///
/// # Errors
/// The file cannot be written, or `bytes` is 0: without a byte nothing is synced, and a rate would mean nothing.
pub fn append(
    path: &Path,
    space: Space,
    bytes: usize,
    room: u64,
    length: Duration,
) -> Result<Latencies, Failure> {
    if bytes == 0 || room < bytes as u64 {
        let reason = format!("a raw append of {bytes} bytes in {room}: give --record-bytes from 1 to that");
        return Err(Failure::Usage(reason));
    }
    let appended = append_to(path, space, bytes, room, length).map_err(Failure::file("append to", path));
    std::fs::remove_file(path).map_err(Failure::file("remove", path))?;
    appended
}

fn append_to(
    path: &Path,
    space: Space,
    bytes: usize,
    room: u64,
    length: Duration,
) -> std::io::Result<Latencies> {
    let mut file = OpenOptions::new().create(true).truncate(true).read(true).write(true).open(path)?;
    if space == Space::Preallocated {
        zero(&mut file, room)?;
    }
    file.sync_all()?;
    // Not zeros: a disk that compresses or discards must not win by it.
    let mut random = crate::random::Random::new(bytes as u64, 0);
    let record: Vec<u8> =
        std::iter::repeat_with(|| random.draw().to_le_bytes()).flatten().take(bytes).collect();
    let mut latencies = Latencies::default();
    let mut filled = 0;
    let begin = Instant::now();
    while begin.elapsed() < length {
        if space == Space::Preallocated && filled + bytes as u64 > room {
            file.rewind()?;
            filled = 0;
        }
        let before = Instant::now();
        file.write_all(&record)?;
        file.sync_data()?;
        latencies.record(before.elapsed());
        filled += bytes as u64;
    }
    Ok(latencies)
}

fn zero(file: &mut File, room: u64) -> std::io::Result<()> {
    let zeros = vec![0; ZEROS];
    let mut left = room;
    while left > 0 {
        let step = left.min(ZEROS as u64);
        file.write_all(zeros.get(..usize::try_from(step).unwrap_or(ZEROS)).unwrap_or_default())?;
        left -= step;
    }
    file.rewind()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_append_of_nothing_is_no_figure() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("raw");
        let refused = append(&path, Space::Growing, 0, 64 << 10, Duration::from_millis(10));
        assert!(matches!(refused, Err(Failure::Usage(_))));
    }

    #[test]
    fn every_append_is_timed_and_the_file_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("raw");
        for space in [Space::Growing, Space::Preallocated] {
            let length = Duration::from_millis(100);
            let latencies = append(&path, space, 1000, 64 << 10, length).unwrap();
            let count = latencies.len();
            let median = latencies.percentiles().unwrap().p50;
            assert!(count > 0, "nothing was appended in 100 ms");
            // One writer: the appends are one after another, so together they fit into the time (and one more).
            assert!(u64::from(median) * (count as u64 / 2) <= 100_000, "{count} appends, median {median} µs");
            assert!(!path.exists());
        }
    }
}
