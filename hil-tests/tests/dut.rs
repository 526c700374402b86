//! A real board's rig on lines that the kernel simulates and a port that is a pseudo terminal: what it drives and reads is what its file
//! says. No board is there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use std::ffi::OsStr;
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use pos_link::Kind;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use tillbox_hil::{Dut, Input, Label, Need, Output, Rig as _, skipped};

/// A chip of the kernel's module gpio-sim, or why there is none.
struct SimulatedChip {
    config: PathBuf,
    chip: PathBuf,
    /// Where the lines can be pulled and seen.
    lines: PathBuf,
}

impl SimulatedChip {
    fn new() -> Option<Self> {
        let root = Path::new("/sys/kernel/config/gpio-sim");
        if !root.exists() {
            return skipped(
                "this kernel has no gpio-sim; load it and mount configfs, or run scripts/hil-linux",
            );
        }
        let config = root.join(format!("tillbox-dut-{}", std::process::id()));
        let made = || -> std::io::Result<(String, String)> {
            std::fs::create_dir(&config)?;
            std::fs::create_dir(config.join("bank"))?;
            std::fs::write(config.join("bank/num_lines"), "8")?;
            std::fs::write(config.join("live"), "1")?;
            let read =
                |name: &str| std::fs::read_to_string(config.join(name)).map(|text| text.trim().to_owned());
            Ok((read("bank/chip_name")?, read("dev_name")?))
        };
        match made() {
            Ok((chip, device)) => {
                let lines = Path::new("/sys/devices/platform").join(device).join(&chip);
                Some(Self { config, chip: Path::new("/dev").join(chip), lines })
            }
            Err(error) => skipped(&format!("gpio-sim makes no chip here: {error}; run this test as root")),
        }
    }

    fn is_high(&self, line: u32) -> bool {
        std::fs::read_to_string(self.lines.join(format!("sim_gpio{line}/value"))).unwrap().trim() == "1"
    }

    fn pull(&self, line: u32, high: bool) {
        let pull = if high { "pull-up" } else { "pull-down" };
        std::fs::write(self.lines.join(format!("sim_gpio{line}/pull")), pull).unwrap();
    }
}

impl Drop for SimulatedChip {
    fn drop(&mut self) {
        let _ = std::fs::write(self.config.join("live"), "0");
        let _ = std::fs::remove_dir(self.config.join("bank"));
        let _ = std::fs::remove_dir(&self.config);
    }
}

#[test]
fn a_bench_drives_and_reads_the_lines_that_its_file_names() {
    let Some(there) = SimulatedChip::new() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut board = std::fs::File::from(openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap());
    grantpt(&board).unwrap();
    unlockpt(&board).unwrap();
    let port = ptsname(&board, Vec::new()).unwrap();
    let port = Path::new(OsStr::from_bytes(port.as_bytes()));
    let file = folder.path().join("scanner.toml");
    let text = format!(
        "kind = 'scanner'
        serial = '{}'
        chip = '{}'
        power = {{ line = 0, active_low = true, off_ms = 100 }}
        bars = {{ line = 1, tick_ns = 1000 }}
        inputs.trigger = {{ line = 2 }}
        inputs.looks-always = {{ line = 3, active_low = true }}
        outputs.green = {{ line = 4 }}
        outputs.red = {{ line = 5, active_low = true }}",
        port.display(),
        there.chip.display()
    );
    std::fs::write(&file, &text).unwrap();
    assert!(Dut::start(&file, Kind::Drawer, &[]).unwrap().is_none(), "it is a scanner");

    there.pull(4, true);
    there.pull(5, true);
    let levels = [(Input::LooksAlways, true)];
    let mut dut = Dut::start(&file, Kind::Scanner, &levels).unwrap().unwrap();
    assert!(!there.is_high(0), "it has power");
    assert!(there.is_high(2) && !there.is_high(3), "the trigger is not pulled, and it looks always");
    dut.set(Input::Trigger, false).unwrap();
    dut.cut_power().unwrap();
    assert!(!there.is_high(0) && !there.is_high(2), "a level outlives the power cut");
    assert!(dut.drives(Output::Green).unwrap() && !dut.drives(Output::Red).unwrap());
    there.pull(5, false);
    assert!(dut.drives(Output::Red).unwrap());

    let mut line = dut.line().unwrap();
    line.write_all(b"\0\r\n\x03").unwrap();
    let mut heard = [0; 4];
    board.read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"\0\r\n\x03", "nothing is changed on the way");

    let label = Label::of(1);
    let mut bars = dut.bars().unwrap();
    // Up to a dark run, and then the paper.
    let (label, paper) = label.bytes.split_at(label.bytes.len() - 2);
    bars.write_all(label).unwrap();
    assert!(there.is_high(1));
    bars.write_all(paper).unwrap();
    assert!(!there.is_high(1));

    let lacks = |need| dut.lacks(need).unwrap_or_default();
    assert_eq!(lacks(Need::See(Output::Green)), "");
    assert!(lacks(Need::See(Output::Waiting)).ends_with("names no line for Waiting (outputs)"));
    assert!(lacks(Need::Engine).ends_with("names no engine"));
    assert!(lacks(Need::Memory).starts_with("nothing looks into the memory of "));
    drop(bars);
    drop(dut);

    std::fs::write(&file, text.replace("line = 4", "line = 40")).unwrap();
    let told = Dut::start(&file, Kind::Scanner, &[]).unwrap_err().to_string();
    assert!(told.starts_with(&format!("line 40 of {}: ", there.chip.display())), "{told}");
}
