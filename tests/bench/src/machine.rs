//! On what the figures were measured.

use serde::Serialize;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The machine and the state of the source.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Machine {
    /// The processor, as it names itself.
    pub processor: String,
    /// Processors that the bench may use.
    pub cores: usize,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// The kernel's release.
    pub kernel: String,
    /// The file system that all contestants write to, and its device.
    pub file_system: String,
    /// Whether the device has a cache that a sync must flush ("write back") or not ("write through").
    pub write_cache: String,
    /// The commit, with `+ changes` where the work tree differs from it.
    pub commit: String,
    /// When, in UTC, to the second (RFC 3339).
    pub measured_at: String,
}

impl Machine {
    /// Looks at this machine; `directory` is where contestants write. What cannot be found out is "unknown".
    pub fn look(directory: &Path) -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let unknown = || "unknown".to_owned();
        let field = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name))?.split_once(':')?;
            Some(line.1.trim().to_owned())
        };
        let memory = field(&read("/proc/meminfo"), "MemTotal");
        let memory_kib = memory.and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
        let mounted =
            mount_of(&read("/proc/self/mountinfo"), &fs::canonicalize(directory).unwrap_or_default());
        Self {
            processor: field(&read("/proc/cpuinfo"), "model name").unwrap_or_else(unknown),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_mib: memory_kib.unwrap_or(0) / 1024,
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            write_cache: mounted.as_ref().and_then(|m| write_cache(&m.numbers)).unwrap_or_else(unknown),
            file_system: mounted.map_or_else(unknown, |m| format!("{} on {}", m.kind, m.device)),
            commit: commit().unwrap_or_else(|| "none".to_owned()),
            measured_at: said("date", &["-u", "+%Y-%m-%dT%H:%M:%SZ"]).unwrap_or_else(unknown),
        }
    }
}

struct Mount {
    kind: String,
    device: String,
    numbers: String,
}

/// The mount that holds `path`, from `/proc/self/mountinfo` (proc(5)): the longest mount point that is its beginning.
fn mount_of(mounts: &str, path: &Path) -> Option<Mount> {
    let mount = |line: &str| {
        let (left, right) = line.split_once(" - ")?;
        let point = left.split(' ').nth(4)?;
        let mut right = right.split(' ');
        let found = Mount {
            kind: right.next()?.to_owned(),
            device: right.next()?.to_owned(),
            numbers: left.split(' ').nth(2)?.to_owned(),
        };
        path.starts_with(point).then_some((point.len(), found))
    };
    mounts.lines().filter_map(mount).max_by_key(|(length, _)| *length).map(|(_, found)| found)
}

/// A partition has no queue of its own: its disk's is one directory up.
fn write_cache(numbers: &str) -> Option<String> {
    let device = fs::canonicalize(format!("/sys/dev/block/{numbers}")).ok()?;
    let read = |at: &Path| fs::read_to_string(at.join("queue/write_cache")).ok();
    let text = read(&device).or_else(|| read(device.parent()?))?;
    Some(text.trim().to_owned())
}

fn commit() -> Option<String> {
    let commit = said("git", &["rev-parse", "--short=12", "HEAD"])?;
    let changes = said("git", &["status", "--porcelain"]).is_some_and(|text| !text.is_empty());
    Some(if changes { format!("{commit} + changes") } else { commit })
}

fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_mount_is_found() {
        let mounts = "22 1 254:0 / / rw shared:1 - ext4 /dev/vda rw\n\
            30 22 0:25 / /srv/a rw - tmpfs tmp rw\n31 22 0:26 / /srv/ab rw - xfs x rw\n";
        let kind = |path: &str| mount_of(mounts, Path::new(path)).unwrap().kind;
        assert_eq!(kind("/srv/a/main"), "tmpfs");
        assert_eq!(kind("/srv/abc"), "ext4");
    }

    #[test]
    fn this_machine_has_a_processor_and_a_file_system() {
        let machine = Machine::look(Path::new("."));
        assert!(machine.cores >= 1 && machine.memory_mib > 0 && !machine.kernel.is_empty(), "{machine:?}");
        assert_ne!(machine.file_system, "unknown");
    }
}
