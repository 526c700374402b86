//! The LM3S6965 in QEMU: its UARTs are pseudo terminals, its pins are reached by the emulator's test protocol.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::line::{Paced, open};
use crate::plug::Plug;
use crate::rig::{HARDWARE, Input, KEY, Need, Output, Rig};

/// Port A's place in the machine, and port B's.
const PORT_A: &str = "/machine/unattached/device[8]";
const PORT_B: &str = "/machine/unattached/device[9]";
/// Port B's data register, all pins.
const PORT_B_DATA: &str = "0x400053fc";
/// Where the board's identity is, and the memory that nothing writes.
const PAGE: &str = "0x3fc00";
const CHANCE: &str = "0x2000ffc0";
/// The stack goes down from here.
const STACK_BEGINS: usize = 0x2000_ffc0;
/// No static of a firmware lies beyond: see the limits in `scripts/hil`.
const ABOVE_STATICS: usize = 0x2000_1800;
/// Nothing takes nearly so long.
const PATIENCE: Duration = Duration::from_secs(20);

/// An emulated board.
#[derive(Debug)]
pub struct Emulator {
    firmware: PathBuf,
    dir: TempDir,
    running: Option<Running>,
    plug: Plug,
    boots: u64,
    /// The levels that were set: they outlive a power cut.
    levels: Vec<(Input, bool)>,
}

#[derive(Debug)]
struct Running {
    qemu: Child,
    pins: BufReader<UnixStream>,
    /// The box's line. It is not kept open: while nobody has it, what the board says is for nobody.
    terminal: PathBuf,
    /// The sensor's line and the engine's.
    front_ends: [File; 2],
}

impl Drop for Running {
    fn drop(&mut self) {
        // It is gone already, or goes now.
        let _ = self.qemu.kill();
        let _ = self.qemu.wait();
    }
}

impl Emulator {
    /// Starts a board with this firmware, its drawer closed and its trigger not pulled.
    ///
    /// # Errors
    /// When the emulator is missing or does not start.
    pub fn start(firmware: PathBuf) -> io::Result<Self> {
        Self::start_as(firmware, &HARDWARE)
    }

    /// The same, with a number of its own.
    ///
    /// # Errors
    /// As [`Emulator::start`].
    pub fn start_as(firmware: PathBuf, hardware: &[u8; 8]) -> io::Result<Self> {
        Self::start_with(firmware, hardware, &[])
    }

    /// The same, with these levels, too.
    ///
    /// # Errors
    /// As [`Emulator::start`].
    pub fn start_with(firmware: PathBuf, hardware: &[u8; 8], levels: &[(Input, bool)]) -> io::Result<Self> {
        let dir = tempfile::tempdir()?;
        std::fs::write(dir.path().join("page"), [b"TBXK".as_slice(), hardware, &KEY].concat())?;
        let levels = [&[(Input::Switch, true)], levels].concat();
        let mut emulator = Self { firmware, dir, running: None, plug: Plug::default(), boots: 0, levels };
        emulator.power_on()?;
        Ok(emulator)
    }

    /// Gives it power: nothing is left of its memory.
    ///
    /// # Errors
    /// When the board does not start.
    pub fn power_on(&mut self) -> io::Result<()> {
        self.boots += 1;
        let socket = self.dir.path().join(format!("pins-{}", self.boots));
        // What memory wakes up with is chance; the emulator's is zeros.
        let chance = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let chance = chance.map_or(self.boots, |since| since.as_nanos() as u64 ^ self.boots);
        let mut qemu = Command::new("qemu-system-arm")
            .args(["-M", "lm3s6965evb", "-accel", "tcg", "-display", "none", "-nodefaults", "-S"])
            .args(["-chardev", "pty,id=u0", "-serial", "chardev:u0"])
            .args(["-chardev", "pty,id=u1", "-serial", "chardev:u1"])
            .args(["-chardev", "pty,id=u2", "-serial", "chardev:u2", "-monitor", "none"])
            .arg("-qtest")
            .arg(format!("unix:{},server=on,wait=off", socket.display()))
            .args(["-qtest-log", "/dev/null", "-qmp", "stdio"])
            .arg("-device")
            .arg(format!("loader,file={},addr={PAGE},force-raw=on", self.dir.path().join("page").display()))
            .arg("-device")
            .arg(format!("loader,addr={CHANCE},data={chance:#x},data-len=8"))
            .arg("-kernel")
            .arg(&self.firmware)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let missing = || io::Error::other("the emulator has no pipes");
        let (out, err) = (qemu.stdout.take().ok_or_else(missing)?, qemu.stderr.take().ok_or_else(missing)?);
        let mut lines = BufReader::new(out).lines();
        let lines = [(); 3].map(|()| terminal_of(&mut lines));
        let [Ok(terminal), Ok(bars), Ok(engine)] = lines else {
            let _ = qemu.kill();
            let said: Vec<_> = BufReader::new(err).lines().map_while(Result::ok).collect();
            return Err(io::Error::other(format!("the emulator did not start: {}", said.join("; "))));
        };
        // The emulator sees within a second that somebody has a line.
        let (bars, engine) = (open(&bars)?, open(&engine)?);
        let deadline = Instant::now() + PATIENCE;
        let pins = loop {
            match UnixStream::connect(&socket) {
                Ok(pins) => break pins,
                Err(error) if Instant::now() > deadline => return Err(error),
                Err(_) => std::thread::yield_now(),
            }
        };
        pins.set_read_timeout(Some(PATIENCE))?;
        let mut control = qemu.stdin.take().ok_or_else(missing)?;
        self.plug.power_on(&terminal)?;
        self.running =
            Some(Running { qemu, pins: BufReader::new(pins), terminal, front_ends: [bars, engine] });
        // The levels first, then the first instruction.
        for (input, high) in self.levels.clone() {
            self.set(input, high)?;
        }
        control.write_all(b"{\"execute\":\"qmp_capabilities\"}\n{\"execute\":\"cont\"}\n")?;
        if let Some(running) = &mut self.running {
            // Closing it would end the emulator.
            running.qemu.stdin = Some(control);
        }
        Ok(())
    }

    /// Plugs the board in under a name that stays whenever it has power, as `/dev/serial/by-id` has them; or takes the plug out.
    ///
    /// # Errors
    /// What the system says.
    pub fn plug(&mut self, name: Option<&Path>) -> io::Result<()> {
        self.plug.put(name, self.running.as_ref().map(|running| running.terminal.as_path()))
    }

    /// Takes the power away.
    ///
    /// # Errors
    /// What the system says.
    pub fn power_off(&mut self) -> io::Result<()> {
        self.plug.power_off()?;
        self.running = None;
        Ok(())
    }

    /// Waits until the board is reset by itself while it hangs: the emulated port forgets its levels then.
    ///
    /// # Errors
    /// When it never is.
    pub fn wait_for_reset(&mut self) -> io::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while self.port_b()? & 1 << 4 != 0 {
            if Instant::now() > deadline {
                return Err(io::Error::other("the board is never reset"));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    fn power(&self) -> io::Result<&Running> {
        self.running.as_ref().ok_or_else(|| io::Error::other("the board has no power"))
    }

    /// The levels of port B.
    fn port_b(&mut self) -> io::Result<u64> {
        let value = self.ask(&format!("readl {PORT_B_DATA}"))?;
        u64::from_str_radix(value.trim_start_matches("0x"), 16).map_err(io::Error::other)
    }

    fn ask(&mut self, question: &str) -> io::Result<String> {
        let running = self.running.as_mut().ok_or_else(|| io::Error::other("the board has no power"))?;
        running.pins.get_mut().write_all(format!("{question}\n").as_bytes())?;
        let mut answer = String::new();
        running.pins.read_line(&mut answer)?;
        match answer.trim_end().strip_prefix("OK") {
            Some(value) => Ok(value.trim().to_owned()),
            None => Err(io::Error::other(format!("{question}: {answer}"))),
        }
    }
}

/// The emulator says which terminals it made before anything else: the next one.
fn terminal_of(lines: &mut impl Iterator<Item = io::Result<String>>) -> io::Result<PathBuf> {
    for line in lines {
        let line = line?;
        if let Some(word) = line.split(' ').find(|word| word.starts_with("/dev/pts/")) {
            return Ok(word.into());
        }
    }
    Err(io::Error::other("the emulator did not start"))
}

impl Rig for Emulator {
    fn lacks(&self, _need: Need) -> Option<String> {
        None
    }

    fn line(&mut self) -> io::Result<File> {
        open(&self.power()?.terminal)
    }

    fn bars(&mut self) -> io::Result<Box<dyn Write>> {
        let [bars, _] = &self.power()?.front_ends;
        Ok(Box::new(Paced(bars.try_clone()?)))
    }

    fn engine(&mut self) -> io::Result<Box<dyn Write>> {
        let [_, engine] = &self.power()?.front_ends;
        Ok(Box::new(Paced(engine.try_clone()?)))
    }

    fn set(&mut self, input: Input, high: bool) -> io::Result<()> {
        let (port, pin) = match input {
            Input::Switch | Input::Trigger => (PORT_A, 5),
            Input::KeyLock | Input::LooksAlways => (PORT_A, 6),
            Input::Case => (PORT_A, 7),
            Input::Panic => (PORT_B, 3),
            Input::Hang => (PORT_B, 4),
        };
        if matches!(input, Input::Switch | Input::Trigger) {
            self.levels.retain(|(other, _)| *other != input);
            self.levels.push((input, high));
        }
        self.ask(&format!("set_irq_in {port} unnamed-gpio-in {pin} {}", u8::from(high))).map(|_| ())
    }

    fn drives(&mut self, output: Output) -> io::Result<bool> {
        let pin = match output {
            Output::Solenoid | Output::EngineTrigger => 0,
            Output::Green => 2,
            Output::Red => 3,
            Output::Waiting => 4,
        };
        Ok(self.port_b()? & 1 << pin != 0)
    }

    fn cut_power(&mut self) -> io::Result<()> {
        self.power_off()?;
        self.power_on()
    }

    fn deepest_stack(&mut self) -> io::Result<usize> {
        // Below are the statics; above is the stack, from its end down.
        let memory = self.ask(&format!("read {ABOVE_STATICS:#x} {:#x}", STACK_BEGINS - ABOVE_STATICS))?;
        let untouched =
            memory.trim_start_matches("0x").bytes().take_while(|digit| *digit == b'c').count() / 2;
        if untouched == 0 {
            return Err(io::Error::other("the stack is not painted, or it was all used"));
        }
        Ok(STACK_BEGINS - ABOVE_STATICS - untouched)
    }
}
