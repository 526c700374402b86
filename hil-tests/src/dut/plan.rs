//! What a real board's file says: how it is wired to the test machine.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::rig::{Input, Output};

/// The wiring.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan {
    pub(crate) kind: Kind,
    /// The board's line to the box.
    pub(crate) serial: PathBuf,
    /// The chip of all lines that name none.
    #[serde(default = "usual_chip")]
    pub(crate) chip: PathBuf,
    pub(crate) power: Power,
    #[serde(default)]
    pub(crate) inputs: BTreeMap<Input, Wire>,
    #[serde(default)]
    pub(crate) outputs: BTreeMap<Output, Wire>,
    pub(crate) bars: Option<Bars>,
    pub(crate) engine: Option<Port>,
}

/// What the board's firmware is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    Drawer,
    Scanner,
}

/// A line of a GPIO chip.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wire {
    pub(crate) line: u32,
    pub(crate) chip: Option<PathBuf>,
    /// Something between turns the level round.
    #[serde(default)]
    pub(crate) active_low: bool,
}

/// The relay that gives the board its power: high gives it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Power {
    line: u32,
    chip: Option<PathBuf>,
    #[serde(default)]
    active_low: bool,
    /// How long it is off until nothing is left in the board's memory, ms.
    #[serde(default = "usual_off_ms")]
    pub(crate) off_ms: u64,
}

impl Power {
    pub(crate) fn wire(&self) -> Wire {
        Wire { line: self.line, chip: self.chip.clone(), active_low: self.active_low }
    }
}

/// A serial port.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Port {
    pub(crate) port: PathBuf,
}

/// What plays the bar and space sensor: a port that sends runs, or a line that is high while the sensor sees dark.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bars {
    port: Option<PathBuf>,
    line: Option<u32>,
    chip: Option<PathBuf>,
    #[serde(default)]
    active_low: bool,
    /// How long a tick of a run is on a line, ns. A label's module has 60.
    #[serde(default = "usual_tick_ns")]
    tick_ns: u64,
}

/// One of the two.
#[derive(Debug)]
pub(crate) enum Sight {
    /// A port that sends runs.
    Port(PathBuf),
    /// A line, and how long a tick is, ns.
    Wire(Wire, u64),
}

impl Bars {
    /// Which one it is; `None` for both, and for neither.
    pub(crate) fn sight(&self) -> Option<Sight> {
        match (&self.port, self.line) {
            (Some(port), None) => Some(Sight::Port(port.clone())),
            (None, Some(line)) => {
                let wire = Wire { line, chip: self.chip.clone(), active_low: self.active_low };
                Some(Sight::Wire(wire, self.tick_ns))
            }
            _ => None,
        }
    }
}

fn usual_chip() -> PathBuf {
    "/dev/gpiochip0".into()
}

const fn usual_off_ms() -> u64 {
    1_000
}

const fn usual_tick_ns() -> u64 {
    20_000
}

impl Plan {
    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong with it, with its name, and what to do.
    pub(crate) fn read(file: &Path) -> io::Result<Self> {
        let told = |what: String| io::Error::other(format!("{}: {what}", file.display()));
        let text = std::fs::read_to_string(file).map_err(|error| {
            told(format!(
                "{error}; TILLBOX_DUT names a file as duts/example-rp2040.toml, seen from hil-tests"
            ))
        })?;
        Self::parse(&text).map_err(told)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let plan: Self = toml::from_str(text).map_err(|error| {
            format!("{}\nduts/example-rp2040.toml has it all", error.to_string().trim_end())
        })?;
        plan.check()?;
        Ok(plan)
    }

    fn check(&self) -> Result<(), String> {
        let Power { off_ms, .. } = self.power;
        if !(100..=60_000).contains(&off_ms) {
            return Err(format!("power.off_ms is {off_ms}: give it 100 to 60000 ms"));
        }
        let sight = match &self.bars {
            None => None,
            Some(bars) => Some(bars.sight().ok_or(
                "bars has either a port that sends runs, or a line that plays the sensor: name one of them",
            )?),
        };
        let mut wires = vec![("power".to_owned(), self.power.wire())];
        wires.extend(self.inputs.iter().map(|(input, wire)| (format!("inputs, {input:?}"), wire.clone())));
        wires
            .extend(self.outputs.iter().map(|(output, wire)| (format!("outputs, {output:?}"), wire.clone())));
        if let Some(Sight::Wire(wire, tick_ns)) = sight {
            if !(1_000..=1_000_000).contains(&tick_ns) {
                return Err(format!("bars.tick_ns is {tick_ns}: give it 1000 to 1000000 ns"));
            }
            wires.push(("bars".to_owned(), wire));
        }
        let mut taken = BTreeSet::new();
        for (name, wire) in wires {
            let chip = self.chip_of(&wire).to_owned();
            let place = format!("line {} of {}", wire.line, chip.display());
            if !taken.insert((chip, wire.line)) {
                return Err(format!("{name}: {place} is in use already: give each its own"));
            }
        }
        Ok(())
    }

    /// The chip that a line belongs to.
    pub(crate) fn chip_of<'a>(&'a self, wire: &'a Wire) -> &'a Path {
        wire.chip.as_ref().unwrap_or(&self.chip)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = "kind = 'drawer'\nserial = '/dev/ttyUSB0'\npower = { line = 4 }\n";

    fn refused(more: &str) -> String {
        Plan::parse(&format!("{LEAST}{more}")).unwrap_err()
    }

    #[test]
    fn the_example_is_a_plan() {
        let plan = Plan::parse(include_str!("../../duts/example-rp2040.toml")).unwrap();
        assert_eq!(plan.kind, Kind::Scanner);
        assert!(plan.inputs.contains_key(&Input::Trigger) && plan.outputs.contains_key(&Output::Waiting));
        assert!(matches!(plan.bars.unwrap().sight(), Some(Sight::Wire(_, 20_000))) && plan.engine.is_some());
    }

    #[test]
    fn what_is_not_named_is_the_usual() {
        let plan =
            Plan::parse(&format!("{LEAST}[inputs]\nkey-lock = {{ line = 5, chip = '/dev/gpiochip3' }}"))
                .unwrap();
        assert_eq!((plan.chip.as_path(), plan.power.off_ms), (Path::new("/dev/gpiochip0"), 1_000));
        assert_eq!(plan.chip_of(&plan.power.wire()), Path::new("/dev/gpiochip0"));
        assert_eq!(plan.chip_of(&plan.inputs[&Input::KeyLock]), Path::new("/dev/gpiochip3"));
        assert!(!plan.inputs[&Input::KeyLock].active_low);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place_and_what_to_do() {
        for (more, said) in [
            (
                "[inputs]\nswich = { line = 5 }",
                "unknown variant `swich`, expected one of `trigger`, `looks-always`, `switch`",
            ),
            ("[inputs]\npanic = { line = 5 }", "unknown variant `panic`"),
            ("[inputs]\nswitch = { lines = 5 }", "unknown field `lines`"),
            ("[inputs]\nswitch = { line = -1 }", "line 5"),
            ("[inputs]\nswitch = {}", "missing field `line`"),
            ("[inputs]\nswitch = { line = 4 }", "inputs, Switch: line 4 of /dev/gpiochip0 is in use already"),
            (
                "[outputs]\nred = { line = 1 }\ngreen = { line = 1 }",
                "line 1 of /dev/gpiochip0 is in use already: give each its own",
            ),
            ("bars = { line = 5, tick_ns = 10 }", "give it 1000 to 1000000 ns"),
            ("bars = { line = 4 }", "bars: line 4"),
            ("bars = {}", "bars has either a port"),
            ("bars = { line = 5, port = '/dev/ttyUSB1' }", "bars has either a port"),
        ] {
            let told = refused(more);
            assert!(told.contains(said), "{more}: {told}");
        }
        let told = Plan::parse("kind = 'drawer'\npower = { line = 4 }").unwrap_err();
        assert!(
            told.contains("missing field `serial`") && told.contains("duts/example-rp2040.toml"),
            "{told}"
        );
        let told =
            Plan::parse("kind = 'drawer'\nserial = 'x'\npower = { line = 4, off_ms = 5 }").unwrap_err();
        assert!(told.contains("give it 100 to 60000 ms"), "{told}");
        let told = Plan::parse("kind = 'scale'").unwrap_err();
        assert!(told.contains("expected `drawer` or `scanner`"), "{told}");
        let told = Plan::read(Path::new("duts/no-such.toml")).unwrap_err().to_string();
        assert!(told.starts_with("duts/no-such.toml: ") && told.contains("TILLBOX_DUT"), "{told}");
    }
}
