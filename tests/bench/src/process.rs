//! Programs that the bench starts: watched through `/proc`, stopped by their own process id, never left behind.

use crate::failure::Failure;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long a program may take to stop before it is killed.
const STOP_PATIENCE: Duration = Duration::from_secs(30);

/// How often a condition is looked at again.
const POLL: Duration = Duration::from_millis(2);

/// A started program. Dropping it stops it.
#[derive(Debug)]
pub struct Running {
    name: String,
    child: Child,
    stop: Signal,
    log: PathBuf,
}

impl Running {
    /// Starts `command`; what it writes goes to the file `log`. `stop` is the signal that asks it to end in order.
    ///
    /// # Errors
    /// The program or the log file cannot be opened.
    pub fn start(name: &str, command: &mut Command, stop: Signal, log: &Path) -> Result<Self, Failure> {
        let file =
            fs::OpenOptions::new().create(true).append(true).open(log).map_err(Failure::file("open", log))?;
        let errors = file.try_clone().map_err(Failure::file("open", log))?;
        let child = command.stdin(Stdio::piped()).stdout(file).stderr(errors).spawn().map_err(|e| {
            Failure::Start {
                name: name.to_owned(),
                reason: format!("{}: {e}", command.get_program().to_string_lossy()),
            }
        })?;
        Ok(Self { name: name.to_owned(), child, stop, log: log.to_owned() })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The end of what it wrote, at most some lines.
    pub fn last_words(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.lines().rev().take(8).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    /// All that it wrote.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn output(&self) -> Result<String, Failure> {
        fs::read_to_string(&self.log).map_err(Failure::file("read", &self.log))
    }

    /// Asks `probe` again and again until it has an answer, and returns that.
    ///
    /// # Errors
    /// The program ends, `patience` runs out, or the probe fails.
    pub fn until<T>(
        &mut self,
        patience: Duration,
        mut probe: impl FnMut(&Self) -> Result<Option<T>, Failure>,
    ) -> Result<T, Failure> {
        let begin = Instant::now();
        loop {
            if let Some(answer) = probe(self)? {
                return Ok(answer);
            }
            let reason = match self.child.try_wait() {
                Ok(None) if begin.elapsed() < patience => {
                    thread::sleep(POLL);
                    continue;
                }
                Ok(None) => format!("not ready after {} s", patience.as_secs()),
                Ok(Some(status)) => format!("it ended with {status}"),
                Err(e) => e.to_string(),
            };
            let reason = format!("{reason}; its last lines:\n{}", self.last_words());
            return Err(Failure::Start { name: self.name.clone(), reason });
        }
    }

    /// Asks it to end and waits until it has; kills it when it takes longer than 30 s.
    ///
    /// # Errors
    /// It had to be killed, or ended with a failure.
    pub fn stop(mut self) -> Result<(), Failure> {
        let status = self.end().map_err(Failure::file("stop", &self.name))?;
        if status.success() {
            return Ok(());
        }
        let reason =
            format!("it was asked to stop and ended with {status}; its last lines:\n{}", self.last_words());
        Err(Failure::Start { name: self.name.clone(), reason })
    }

    /// Kills it as `kill -9` does and waits until it is gone.
    ///
    /// # Errors
    /// The system refuses.
    pub fn kill(mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }

    fn end(&mut self) -> io::Result<ExitStatus> {
        if let Some(status) = self.child.try_wait()? {
            return Ok(status);
        }
        drop(self.child.stdin.take());
        if let Some(id) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            kill_process(id, self.stop)?;
        }
        let begin = Instant::now();
        while begin.elapsed() < STOP_PATIENCE {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            thread::sleep(POLL);
        }
        self.child.kill()?;
        self.child.wait()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Err(e) = self.end() {
            eprintln!("{} (process {}) could not be stopped: {e}", self.name, self.child.id());
        }
    }
}

/// Processor time that a process and its children have used. 0 of one that is gone.
pub fn processor_time(id: u32) -> Duration {
    let mut ticks = 0;
    let mut family = vec![id];
    let processes = stats();
    while let Some(parent) = family.pop() {
        ticks += processes.iter().filter(|p| p.id == parent).map(|p| p.ticks).sum::<u64>();
        family.extend(processes.iter().filter(|p| p.parent == parent && p.id != parent).map(|p| p.id));
    }
    // Linux counts in USER_HZ, 100 a second on every architecture it runs on here (proc(5)).
    Duration::from_millis(ticks * 10)
}

/// Processor time that all programs but the bench's family have used, and that the host has given to other machines.
///
/// The kernel's own threads are not counted: what they do in a run, the contestants have caused.
pub fn time_of_others() -> Duration {
    Duration::from_millis((ticks_of_others(&stats(), std::process::id()) + stolen_ticks()) * 10)
}

fn ticks_of_others(processes: &[Stat], own: u32) -> u64 {
    let mut family = vec![own];
    let mut at = 0;
    while let Some(&parent) = family.get(at) {
        family.extend(processes.iter().filter(|p| p.parent == parent).map(|p| p.id));
        at += 1;
    }
    let of_kernel = |p: &Stat| p.id == KTHREADD || p.parent == KTHREADD;
    processes.iter().filter(|p| !family.contains(&p.id) && !of_kernel(p)).map(|p| p.ticks).sum()
}

/// The parent of all kernel threads.
const KTHREADD: u32 = 2;

/// The eighth figure of the first line of `/proc/stat` (proc(5)): time that a virtual machine did not get.
fn stolen_ticks() -> u64 {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let figure = text.lines().next().and_then(|line| line.split_whitespace().nth(8));
    figure.and_then(|ticks| ticks.parse().ok()).unwrap_or(0)
}

struct Stat {
    id: u32,
    parent: u32,
    ticks: u64,
}

fn stats() -> Vec<Stat> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let ids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    ids.filter_map(|id: u32| parse_stat(id, &fs::read_to_string(format!("/proc/{id}/stat")).ok()?)).collect()
}

/// Reads `/proc/PID/stat`: the name in parentheses may hold anything, so fields count from its end.
fn parse_stat(id: u32, text: &str) -> Option<Stat> {
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    // utime, stime, and those of children that have ended.
    let ticks = number(11)? + number(12)? + number(13)? + number(14)?;
    Some(Stat { id, parent: u32::try_from(number(1)?).ok()?, ticks })
}

/// Resident memory of a process, in bytes (`VmRSS`).
pub fn resident_memory(id: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

/// Bytes that the files under a directory take on disk (blocks, as `du`, not lengths).
///
/// # Errors
/// The directory cannot be read. A file that vanishes meanwhile counts nothing.
pub fn disk_use(path: &Path) -> Result<u64, Failure> {
    use std::os::unix::fs::MetadataExt as _;
    let mut bytes = 0;
    let mut directories = vec![path.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).map_err(Failure::file("read", &directory))? {
            let entry = entry.map_err(Failure::file("read", &directory))?;
            let Ok(about) = entry.metadata() else { continue };
            bytes += about.blocks() * 512;
            if about.is_dir() {
                directories.push(entry.path());
            }
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strange_process_name_does_not_shift_the_fields() {
        let text = "42 (a) b (c)) S 7 42 42 0 -1 4194560 1 2 3 4 50 60 1 2 20 0 1 0 9 9 9";
        let stat = parse_stat(42, text).unwrap();
        assert_eq!((stat.parent, stat.ticks), (7, 113));
    }

    #[test]
    fn others_are_neither_the_family_nor_the_kernel() {
        let stat = |id, parent, ticks| Stat { id, parent, ticks };
        let processes = [
            stat(1, 0, 1),
            stat(KTHREADD, 0, 10),
            stat(30, KTHREADD, 100),
            stat(50, 1, 1_000),
            stat(51, 50, 10_000),
            stat(52, 51, 100_000),
            stat(60, 1, 1_000_000),
        ];
        // 50 is the bench, 51 its child, 52 its grandchild; 60 is a stranger and 1 is init.
        assert_eq!(ticks_of_others(&processes, 50), 1_000_001);
    }

    #[test]
    fn a_dropped_program_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        let mut running =
            Running::start("sleep", Command::new("sleep").arg("600"), Signal::TERM, &log).unwrap();
        let id = running.id();
        let rss = running.until(Duration::from_secs(5), |r| Ok(resident_memory(r.id()))).unwrap();
        assert!(rss > 0);
        drop(running);
        assert_eq!(resident_memory(id), None);
        assert!(!Path::new(&format!("/proc/{id}")).exists());
    }

    #[test]
    fn a_program_that_ends_early_is_not_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        let mut command = Command::new("sh");
        let command = command.args(["-c", "echo out of paper; exit 3"]);
        let mut running = Running::start("sh", command, Signal::TERM, &log).unwrap();
        let failed = running.until(Duration::from_secs(60), |_| Ok(None::<()>)).unwrap_err().to_string();
        assert!(failed.contains("exit status: 3") && failed.contains("out of paper"), "{failed}");
    }

    #[test]
    fn own_processor_time_grows_and_disk_use_counts_blocks() {
        let begin = processor_time(std::process::id());
        let until = begin + Duration::from_millis(50);
        let mut random = crate::random::Random::new(1, 1);
        while processor_time(std::process::id()) < until {
            assert_ne!(random.draw(), 0);
        }
        let directory = tempfile::tempdir().unwrap();
        let before = disk_use(directory.path()).unwrap();
        fs::create_dir(directory.path().join("inner")).unwrap();
        fs::write(directory.path().join("inner/file"), [1; 10_000]).unwrap();
        assert!(disk_use(directory.path()).unwrap() >= before + 10_000);
    }
}
