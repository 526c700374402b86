//! An Arm MPS2 with AN385 in QEMU, for updates: its boot loader, and a flash that is a file, so that it outlives the emulator.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use tempfile::TempDir;

use crate::plug::Plug;
use crate::rig::KEY;

/// Where the board's identity is, and the memory that nothing writes.
const PAGE: &str = "0x3ffc00";
const CHANCE: &str = "0x20084000";
/// The machine's second RAM.
const FLASH_LENGTH: u64 = 16 << 20;
/// The first slot.
const SLOT: u64 = 0x1_0000;

/// An emulated board that takes updates.
#[derive(Debug)]
pub struct Updated {
    boot: PathBuf,
    dir: TempDir,
    running: Option<Running>,
    plug: Plug,
    boots: u64,
}

#[derive(Debug)]
struct Running {
    qemu: Child,
    terminal: String,
    /// Closing it would end what the emulator wants to say.
    _said: BufReader<ChildStdout>,
}

impl Drop for Running {
    fn drop(&mut self) {
        // It is gone already, or goes now.
        let _ = self.qemu.kill();
        let _ = self.qemu.wait();
    }
}

impl Updated {
    /// Starts a board with this boot loader, which left the factory with this image.
    ///
    /// # Errors
    /// When the emulator is missing or does not start.
    pub fn start(boot: PathBuf, image: &[u8]) -> io::Result<Self> {
        let dir = tempfile::tempdir()?;
        std::fs::write(dir.path().join("page"), [b"TBXKhilboard".as_slice(), &KEY].concat())?;
        let flash = File::create(dir.path().join("flash"))?;
        flash.set_len(FLASH_LENGTH)?;
        flash.write_all_at(image, SLOT)?;
        let mut board = Self { boot, dir, running: None, plug: Plug::default(), boots: 0 };
        board.power_on()?;
        Ok(board)
    }

    /// Takes the power away, wherever that finds it, and gives it back: of its memory only the flash is left.
    ///
    /// # Errors
    /// When it does not start again.
    pub fn cut_power(&mut self) -> io::Result<()> {
        self.plug.power_off()?;
        self.running = None;
        self.power_on()
    }

    /// Plugs the board in under a name that stays whenever it has power; or takes the plug out.
    ///
    /// # Errors
    /// What the system says.
    pub fn plug(&mut self, name: Option<&Path>) -> io::Result<()> {
        self.plug.put(name, self.running.as_ref().map(|running| Path::new(&running.terminal)))
    }

    /// The board's line, opened anew.
    ///
    /// # Errors
    /// What the system says.
    pub fn line(&self) -> io::Result<File> {
        let running = self.running.as_ref().ok_or_else(|| io::Error::other("the board has no power"))?;
        let terminal = OpenOptions::new().read(true).write(true).open(&running.terminal)?;
        let mut raw = tcgetattr(&terminal)?;
        raw.make_raw();
        tcsetattr(&terminal, OptionalActions::Now, &raw)?;
        Ok(terminal)
    }

    fn power_on(&mut self) -> io::Result<()> {
        self.boots += 1;
        // What memory wakes up with is chance; the emulator's is zeros.
        let chance = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let chance = chance.map_or(self.boots, |since| since.as_nanos() as u64 ^ self.boots);
        let path = |name: &str| self.dir.path().join(name).display().to_string();
        let mut qemu = Command::new("qemu-system-arm")
            .args([
                "-M",
                "mps2-an385,memory-backend=flash",
                "-accel",
                "tcg",
                "-display",
                "none",
                "-nodefaults",
            ])
            .arg("-object")
            .arg(format!(
                "memory-backend-file,id=flash,size={FLASH_LENGTH},mem-path={},share=on",
                path("flash")
            ))
            .args(["-chardev", "pty,id=u0", "-serial", "chardev:u0", "-monitor", "none"])
            .arg("-device")
            .arg(format!("loader,file={},addr={PAGE},force-raw=on", path("page")))
            .arg("-device")
            .arg(format!("loader,addr={CHANCE},data={chance:#x},data-len=8"))
            .arg("-kernel")
            .arg(&self.boot)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let out = qemu.stdout.take().ok_or_else(|| io::Error::other("the emulator has no pipe"))?;
        let mut said = BufReader::new(out);
        let mut line = String::new();
        let terminal = loop {
            line.clear();
            if said.read_line(&mut line)? == 0 {
                let _ = qemu.wait();
                return Err(io::Error::other("the emulator did not start"));
            }
            if let Some(word) = line.split_whitespace().find(|word| word.starts_with("/dev/pts/")) {
                break word.to_owned();
            }
        };
        self.plug.power_on(Path::new(&terminal))?;
        self.running = Some(Running { qemu, terminal, _said: said });
        Ok(())
    }
}
