//! A process that ends with its owner, however that ends: a shell beside it waits for the end of its own input.

use std::ffi::OsStr;
use std::io;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

const SCRIPT: &str = r#"
exec 3<&0
"$@" </dev/null &
process=$!
{ read -r end <&3; kill "-$SIGNAL" "$process"; } &
wait "$process"
"#;

/// How a process is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// As a power cut would.
    Kill,
    /// So that it can finish.
    Terminate,
    /// PostgreSQL's fast shutdown.
    Interrupt,
}

/// A running process; it ends with this value, and with this process.
pub struct Tether(Child);

impl Tether {
    /// Starts a program; what it says goes to the end of a file. As an ordinary user where one is given.
    ///
    /// # Errors
    /// When there is no shell, or the file cannot be written.
    pub fn start<A: AsRef<OsStr>>(
        words: impl IntoIterator<Item = A>,
        variables: &[(&str, &str)],
        end: End,
        log: &Path,
        user: Option<Ordinary>,
    ) -> io::Result<Self> {
        let log = std::fs::File::options().create(true).append(true).open(log)?;
        let signal = match end {
            End::Kill => "KILL",
            End::Terminate => "TERM",
            End::Interrupt => "INT",
        };
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "tether"]).args(words).env("SIGNAL", signal);
        command.envs(variables.iter().copied());
        command.stdin(Stdio::piped()).stdout(log.try_clone()?).stderr(log);
        // A Ctrl-C is for its owner, who ends it in order.
        command.process_group(0);
        if let Some(Ordinary { user, group }) = user {
            command.uid(user).gid(group);
        }
        Ok(Self(command.spawn()?))
    }

    /// Whether it has ended by itself.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn has_ended(&mut self) -> io::Result<bool> {
        Ok(self.0.try_wait()?.is_some())
    }

    /// The shell's process.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Tether {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// A user without special rights, for programs that refuse to be run by root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ordinary {
    user: u32,
    group: u32,
}

impl Ordinary {
    /// `None` where we are an ordinary user already, and where there is none.
    #[must_use]
    pub fn needed() -> Option<Self> {
        let ours = std::fs::read_to_string("/proc/self/status").ok()?;
        let root = ours.lines().any(|line| {
            line.strip_prefix("Uid:").is_some_and(|ids| ids.split_whitespace().nth(1) == Some("0"))
        });
        if !root {
            return None;
        }
        let users = std::fs::read_to_string("/etc/passwd").ok()?;
        ["postgres", "nobody"].iter().find_map(|name| {
            let mut fields =
                users.lines().find(|line| line.split(':').next() == Some(name))?.split(':').skip(2);
            Some(Self { user: fields.next()?.parse().ok()?, group: fields.next()?.parse().ok()? })
        })
    }

    pub(crate) fn ids(self) -> (u32, u32) {
        (self.user, self.group)
    }

    /// Gives a folder to this user.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn own(self, path: &Path) -> io::Result<()> {
        chown(path, Some(self.user), Some(self.group))
    }
}
