//! A drawer on pins: mocks that know what must happen to them, pins that note when, and lines of the kernel where it has
//! them to try with.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use device_drivers::{DrawerEvent, DrawerFault, DrawerPins, GpioDrawer, Kind, Pulse, Sensing};
use embedded_hal::digital::{ErrorType, InputPin, OutputPin};
use embedded_hal_mock::eh1::MockError;
use embedded_hal_mock::eh1::digital::{Mock, State, Transaction};
use tokio::time::timeout;

/// Nothing here takes nearly so long; a hang is to fail.
const LONG: Duration = Duration::from_secs(30);

/// A pin that notes when it was set to what, and that others can read.
#[derive(Clone, Default)]
struct Noted(Arc<Mutex<Vec<(bool, Instant)>>>);

impl Noted {
    fn set(&self, level: bool) {
        self.0.lock().unwrap().push((level, Instant::now()));
    }

    fn level(&self) -> Option<bool> {
        self.0.lock().unwrap().last().map(|(level, _)| *level)
    }

    /// How long it was at `level`, each time.
    fn stretches(&self, level: bool) -> Vec<Duration> {
        let noted = self.0.lock().unwrap();
        noted.windows(2).filter(|pair| pair[0].0 == level).map(|pair| pair[1].1 - pair[0].1).collect()
    }

    async fn until(&self, level: bool) {
        let reached = async {
            while self.level() != Some(level) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(LONG, reached).await.expect("the pin never got there");
    }
}

impl ErrorType for Noted {
    type Error = Infallible;
}

impl OutputPin for Noted {
    fn set_low(&mut self) -> Result<(), Infallible> {
        self.set(false);
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        self.set(true);
        Ok(())
    }
}

impl InputPin for Noted {
    fn is_high(&mut self) -> Result<bool, Infallible> {
        Ok(self.level() == Some(true))
    }

    fn is_low(&mut self) -> Result<bool, Infallible> {
        self.is_high().map(|high| !high)
    }
}

fn pulse(on_ms: u64, active_low: bool) -> Pulse {
    Pulse { on: Duration::from_millis(on_ms), rest: Duration::ZERO, active_low }
}

fn without_switch(pin: Noted, pulse: Pulse) -> GpioDrawer<Noted> {
    GpioDrawer::new(pin, None, pulse, Sensing::default()).unwrap()
}

#[tokio::test]
async fn the_pin_is_let_go_at_first_after_each_pulse_and_at_the_end() {
    for (active_low, on, off) in [(false, State::High, State::Low), (true, State::Low, State::High)] {
        let expected = [off, on, off, off].map(Transaction::set);
        let mut pin = Mock::new(&expected);
        let mut drawer =
            GpioDrawer::new(pin.clone(), None::<Mock>, pulse(20, active_low), Sensing::default()).unwrap();
        drawer.kick().await.unwrap();
        drop(drawer);
        // The thread lets go of its own; until it has, one transaction is missing.
        tokio::time::sleep(Duration::from_millis(600)).await;
        pin.done();
    }
}

#[tokio::test]
async fn a_pulse_takes_its_time_and_never_more_than_half_a_second() {
    for (asked, kept) in [(80, 80), (10_000, 500)] {
        let pin = Noted::default();
        let mut drawer = without_switch(pin.clone(), pulse(asked, false));
        timeout(LONG, drawer.kick()).await.unwrap().unwrap();
        let driven = pin.stretches(true);
        assert_eq!(driven.len(), 1);
        // The thread may be woken late, on a busy machine; never early.
        let kept = Duration::from_millis(kept);
        assert!(driven[0] >= kept && driven[0] < kept + Duration::from_secs(3), "{driven:?}");
    }
}

#[tokio::test]
async fn the_solenoid_rests_between_pulses() {
    let pin = Noted::default();
    let mut drawer = without_switch(pin.clone(), pulse(50, false));
    let mut refused = 0;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(700) {
        match drawer.kick().await {
            Ok(()) => {}
            Err(fault @ DrawerFault::Resting { left }) => {
                assert!(left <= Duration::from_millis(250) && fault.kind() == Kind::Retry);
                refused += 1;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Err(fault) => panic!("{fault}"),
        }
    }
    assert!(refused > 10);
    let rests = pin.stretches(false);
    let between = rests.get(1..).unwrap();
    assert!(
        !between.is_empty() && between.iter().all(|rest| *rest >= Duration::from_millis(190)),
        "{rests:?}"
    );
}

#[tokio::test]
async fn a_drawer_that_is_dropped_or_a_kick_that_is_cancelled_lets_go() {
    let pin = Noted::default();
    let mut drawer = without_switch(pin.clone(), pulse(400, false));
    // Cancelled: the pulse goes on to its end.
    assert!(timeout(Duration::from_millis(50), drawer.kick()).await.is_err());
    assert_eq!(pin.level(), Some(true));
    pin.until(false).await;
    assert!(pin.stretches(true)[0] >= Duration::from_millis(400));
    drop(drawer);
    // Dropped within the pulse: it ends at once.
    let pin = Noted::default();
    let mut drawer = without_switch(pin.clone(), pulse(500, false));
    assert!(timeout(Duration::from_millis(50), drawer.kick()).await.is_err());
    pin.until(true).await;
    drop(drawer);
    pin.until(false).await;
    assert!(pin.stretches(true)[0] < Duration::from_millis(490), "{:?}", pin.stretches(true));
}

#[tokio::test]
async fn a_pin_that_fails_is_told_and_let_go_all_the_same() {
    let failing = MockError::Io(std::io::ErrorKind::NotConnected);
    let expected = [
        Transaction::set(State::Low),
        Transaction::set(State::High).with_error(failing.clone()),
        // At once, as it may be driven all the same; then again at the end.
        Transaction::set(State::Low),
        Transaction::set(State::Low),
    ];
    let mut pin = Mock::new(&expected);
    let mut sense = Mock::new(&[Transaction::get(State::High).with_error(failing)]);
    let mut drawer =
        GpioDrawer::new(pin.clone(), Some(sense.clone()), pulse(20, false), Sensing::default()).unwrap();
    let fault = drawer.kick().await.unwrap_err();
    assert!(matches!(fault, DrawerFault::Pin { .. }) && fault.kind() == Kind::Technician, "{fault}");
    assert!(matches!(drawer.next().await, Err(DrawerFault::Pin { .. })));
    drop(drawer);
    tokio::time::sleep(Duration::from_millis(600)).await;
    pin.done();
    sense.done();
}

#[tokio::test]
async fn its_switch_tells_openings_with_and_without_a_command() {
    let (pin, switch) = (Noted::default(), Noted::default());
    switch.set(true);
    let sensing = Sensing { grace: Duration::from_millis(1_000), ..Sensing::default() };
    let mut drawer = GpioDrawer::new(pin, Some(switch.clone()), pulse(20, false), sensing).unwrap();
    assert!(
        timeout(Duration::from_millis(100), drawer.next()).await.is_err(),
        "it is closed: nothing happens"
    );
    assert_eq!(drawer.is_open(), Some(false));
    drawer.kick().await.unwrap();
    switch.set(false);
    let next = async |drawer: &mut GpioDrawer<Noted>| timeout(LONG, drawer.next()).await.unwrap().unwrap();
    assert_eq!(next(&mut drawer).await, DrawerEvent::Opened { commanded: true });
    switch.set(true);
    assert_eq!(next(&mut drawer).await, DrawerEvent::Closed);
    tokio::time::sleep(sensing.grace).await;
    switch.set(false);
    assert_eq!(next(&mut drawer).await, DrawerEvent::Opened { commanded: false });
    assert_eq!(drawer.is_open(), Some(true));
}

#[test]
fn pins_that_are_not_there_are_said_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let Err(fault) = DrawerPins::new(folder.path().join("gpiochip0"), 1, None).open() else { panic!() };
    assert!(
        fault.to_string().starts_with("there is no drawer at ") && fault.kind() == Kind::Operator,
        "{fault}"
    );
    let file = folder.path().join("file");
    std::fs::write(&file, "no chip").unwrap();
    let Err(fault) = DrawerPins::new(file, 1, None).open() else { panic!() };
    assert!(
        fault.to_string().starts_with("the drawer's port ") && fault.kind() == Kind::Technician,
        "{fault}"
    );
}

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
            println!(
                "SKIPPED: this kernel has no gpio-sim; load it and mount configfs, or run scripts/hil-linux"
            );
            return None;
        }
        let config = root.join(format!("tillbox-{}", std::process::id()));
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
            Err(error) => {
                println!("SKIPPED: gpio-sim makes no chip here: {error}; run this test as root");
                None
            }
        }
    }

    fn value(&self, line: u32) -> String {
        std::fs::read_to_string(self.lines.join(format!("sim_gpio{line}/value"))).unwrap().trim().to_owned()
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

#[tokio::test]
async fn lines_of_the_kernel_are_driven_and_read() {
    let Some(there) = SimulatedChip::new() else { return };
    there.pull(2, true);
    let pins = DrawerPins { pulse: pulse(300, false), ..DrawerPins::new(there.chip.clone(), 1, Some(2)) };
    let mut drawer = pins.open().unwrap();
    let Err(taken) = pins.open() else { panic!("two programs have the same line") };
    assert_eq!(taken.kind(), Kind::Technician, "{taken}");
    assert!(timeout(Duration::from_millis(100), drawer.next()).await.is_err());
    assert_eq!((there.value(1).as_str(), drawer.is_open()), ("0", Some(false)));
    assert!(timeout(Duration::from_millis(100), drawer.kick()).await.is_err(), "it is under way");
    assert_eq!(there.value(1), "1");
    there.pull(2, false);
    let event = timeout(LONG, drawer.next()).await.unwrap().unwrap();
    assert_eq!(event, DrawerEvent::Opened { commanded: true });
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(there.value(1), "0");
}
