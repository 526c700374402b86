//! A real board on a bench, whose file says how it is wired: `duts/example-rp2040.toml` explains one.

mod plan;
mod sweep;

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use device_drivers::{GpioInput, GpioOutput};
use firmware::RunReader;

use crate::line::open_at;
use crate::rig::{Input, Need, Output, Rig};
use plan::{Kind, Plan, Sight, Wire};
use sweep::Sweep;

/// No adapter takes nearly so long to come up.
const PATIENCE: Duration = Duration::from_secs(20);
/// Speeds of the board's lines, baud: the box and runs, the engine.
const QUICK: u32 = 115_200;
const SLOW: u32 = 9_600;

/// A real board. It has power until this is dropped.
#[derive(Debug)]
pub struct Dut {
    name: String,
    plan: Plan,
    power: Driven,
    inputs: Vec<(Input, Driven)>,
    outputs: Vec<(Output, GpioInput, bool)>,
    /// Locked: scenarios that run side by side share one board.
    _file: File,
}

/// A line that is driven.
#[derive(Debug)]
struct Driven {
    pin: GpioOutput,
    active_low: bool,
}

impl Driven {
    fn open(plan: &Plan, wire: &Wire, high: bool) -> io::Result<Self> {
        let chip = plan.chip_of(wire);
        let pin = GpioOutput::open(chip, wire.line, high != wire.active_low)
            .map_err(|error| of_line(chip, wire.line, &error))?;
        Ok(Self { pin, active_low: wire.active_low })
    }

    fn set(&mut self, high: bool) -> io::Result<()> {
        self.pin.set(high != self.active_low)
    }
}

fn of_line(chip: &Path, line: u32, error: &io::Error) -> io::Error {
    io::Error::other(format!("line {line} of {}: {error}; gpioinfo tells what is there", chip.display()))
}

impl Dut {
    /// Gives the board of this file power, its drawer closed and its trigger not pulled, and with these levels; once nobody else
    /// has it. `None` if it is another kind of controller.
    ///
    /// # Errors
    /// When the file is wrong, or what it names is not there.
    pub fn start(file: &Path, kind: pos_link::Kind, levels: &[(Input, bool)]) -> io::Result<Option<Self>> {
        let plan = Plan::read(file)?;
        let is = match plan.kind {
            Kind::Drawer => pos_link::Kind::Drawer,
            Kind::Scanner => pos_link::Kind::Scanner,
        };
        if is != kind {
            return Ok(None);
        }
        let name = file.display().to_string();
        let file = File::open(file)?;
        file.lock()?;
        let high = |input: Input| {
            let set = levels.iter().find(|(other, _)| *other == input).map(|(_, high)| *high);
            set.unwrap_or(matches!(input, Input::Switch | Input::Trigger))
        };
        // It has no power until all levels are as they should be.
        let power = Driven::open(&plan, &plan.power.wire(), false)?;
        let inputs = plan.inputs.iter();
        let inputs = inputs
            .map(|(input, wire)| Ok((*input, Driven::open(&plan, wire, high(*input))?)))
            .collect::<io::Result<_>>()?;
        let outputs = plan.outputs.iter();
        let outputs = outputs
            .map(|(output, wire)| {
                let chip = plan.chip_of(wire);
                let pin = GpioInput::open(chip, wire.line);
                Ok((*output, pin.map_err(|error| of_line(chip, wire.line, &error))?, wire.active_low))
            })
            .collect::<io::Result<_>>()?;
        let mut dut = Self { name, plan, power, inputs, outputs, _file: file };
        dut.cut_power()?;
        Ok(Some(dut))
    }

    /// Opens a port, which may come up with the board's power.
    fn port(&self, port: &Path, baud: u32) -> io::Result<File> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match open_at(port, baud) {
                Ok(line) => return Ok(line),
                Err(error) if error.kind() == io::ErrorKind::NotFound && Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                Err(error) => {
                    let why = format!("{}: {} does not open: {error}", self.name, port.display());
                    return Err(io::Error::other(why));
                }
            }
        }
    }

    fn missing(&self, what: &str) -> io::Error {
        io::Error::new(io::ErrorKind::Unsupported, format!("{} names no {what}", self.name))
    }
}

impl Rig for Dut {
    fn lacks(&self, need: Need) -> Option<String> {
        let what = match need {
            Need::Set(input) if self.inputs.iter().all(|(other, _)| *other != input) => {
                format!("line for {input:?} (inputs)")
            }
            Need::See(output) if self.outputs.iter().all(|(other, ..)| *other != output) => {
                format!("line for {output:?} (outputs)")
            }
            Need::Bars if self.plan.bars.is_none() => "bars".to_owned(),
            Need::Engine if self.plan.engine.is_none() => "engine".to_owned(),
            Need::Memory => return Some(format!("nothing looks into the memory of {}", self.name)),
            _ => return None,
        };
        Some(self.missing(&what).to_string())
    }

    fn line(&mut self) -> io::Result<File> {
        self.port(&self.plan.serial, QUICK)
    }

    fn bars(&mut self) -> io::Result<Box<dyn Write>> {
        let sight = self.plan.bars.as_ref().and_then(plan::Bars::sight);
        match sight.ok_or_else(|| self.missing("bars"))? {
            Sight::Port(port) => Ok(Box::new(self.port(&port, QUICK)?)),
            Sight::Wire(wire, tick_ns) => {
                let mut pin = Driven::open(&self.plan, &wire, false)?;
                Ok(Box::new(Sweep {
                    set: move |dark| pin.set(dark),
                    wait: sweep::wait,
                    tick: Duration::from_nanos(tick_ns),
                    runs: RunReader::default(),
                    until: None,
                }))
            }
        }
    }

    fn engine(&mut self) -> io::Result<Box<dyn Write>> {
        let engine: Option<PathBuf> = self.plan.engine.as_ref().map(|engine| engine.port.clone());
        Ok(Box::new(self.port(&engine.ok_or_else(|| self.missing("engine"))?, SLOW)?))
    }

    fn set(&mut self, input: Input, high: bool) -> io::Result<()> {
        match self.inputs.iter_mut().find(|(other, _)| *other == input) {
            Some((_, driven)) => driven.set(high),
            None => Err(self.missing(&format!("line for {input:?}"))),
        }
    }

    fn drives(&mut self, output: Output) -> io::Result<bool> {
        match self.outputs.iter_mut().find(|(other, ..)| *other == output) {
            Some((_, pin, active_low)) => Ok(pin.is_high()? != *active_low),
            None => Err(self.missing(&format!("line for {output:?}"))),
        }
    }

    fn cut_power(&mut self) -> io::Result<()> {
        self.power.set(false)?;
        std::thread::sleep(Duration::from_millis(self.plan.power.off_ms));
        self.power.set(true)
    }

    fn deepest_stack(&mut self) -> io::Result<usize> {
        Err(self.missing("way into its memory"))
    }
}
