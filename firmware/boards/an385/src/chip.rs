//! The machine's registers (Arm DAI 0385 and DDI 0479) and memory, and nothing that decides.
//!
//! | address | what |
//! |---|---|
//! | 00000000 | the boot loader; at 003ffc00 the board's identity: see `page` |
//! | 20000000 | the image that runs, 256 KB; behind it, as much for its variables |
//! | 20080000 | what outlives a reset |
//! | 20083ff0 | which slot was started |
//! | 20084000 | 64 bytes that are never written: what they wake up with is chance |
//! | 20100000 | the boot loader's variables |
//! | 21000000 | the flash: the emulator keeps it in a file |

use core::convert::Infallible;
use core::ptr::{read_volatile, write_volatile};

use device_drivers::Moment;
use embedded_hal::digital::{ErrorType, OutputPin};
use sha2::{Digest as _, Sha256};

// UARTs: DDI 0479, section 4.3.
const TX_FULL: u32 = 1;
const RX_FULL: u32 = 1 << 1;
// Watchdog: section 4.6.
const WATCHDOG: usize = 0x4000_8000;
/// Clock ticks of a second; the machine is reset after two without food.
const SECOND: u32 = 25_000_000;
// Pins: section 4.1. The emulator has none: what is driven goes nowhere, and what is looked at is low.
const GPIO: usize = 0x4001_0000;
// The core's own: SysTick, vectors and reset (ARMv7-M reference, B3.3 and B3.2).
const SYST_CSR: usize = 0xe000_e010;
const SYST_RVR: usize = 0xe000_e014;
const SYST_CVR: usize = 0xe000_e018;
const VTOR: usize = 0xe000_ed08;
const AIRCR: usize = 0xe000_ed0c;
/// All bits of the counter, which counts 25 ticks a microsecond.
const COUNTER: u32 = 0x00ff_ffff;

pub(crate) const KEPT: usize = 0x2008_0000;
pub(crate) const STARTED: usize = 0x2008_3ff0;
const CHANCE: usize = 0x2008_4000;

pub(crate) fn read(address: usize) -> u32 {
    // SAFETY: each address is a register, or memory that stands in this module's table and that no variable is in.
    unsafe { read_volatile(address as *const u32) }
}

pub(crate) fn write(address: usize, value: u32) {
    // SAFETY: as above.
    unsafe { write_volatile(address as *mut u32, value) }
}

pub(crate) fn read_byte(address: usize) -> u8 {
    // SAFETY: as above.
    unsafe { read_volatile(address as *const u8) }
}

pub(crate) fn write_byte(address: usize, value: u8) {
    // SAFETY: as above.
    unsafe { write_volatile(address as *mut u8, value) }
}

/// A line.
#[derive(Debug, Clone, Copy)]
pub enum Uart {
    /// The box.
    Zero = 0x4000_4000,
    /// What else the board hears.
    One = 0x4000_5000,
    /// And another one.
    Two = 0x4000_6000,
}

/// A line's speed, as the divisor of 25 MHz.
#[derive(Debug, Clone, Copy)]
pub enum Baud {
    /// 115200.
    Baud115200 = 217,
    /// 9600.
    Baud9600 = 2604,
}

impl Uart {
    const fn register(self, offset: usize) -> usize {
        (self as usize).wrapping_add(offset)
    }

    /// Opens the line, 8N1. All but [`Uart::Zero`] are opened by who uses them.
    pub fn open(self, baud: Baud) {
        write(self.register(0x10), baud as u32);
        write(self.register(8), 0b1011);
    }

    /// Forgets that something came; what came is still there.
    pub(crate) fn forget_interrupt(self) {
        write(self.register(0x0c), 1 << 1);
    }
}

/// A pin that is driven.
#[derive(Debug)]
pub struct Pin(u32);

impl Pin {
    /// This one of port 0, from now on.
    pub fn new(number: u8) -> Self {
        let bit = 1_u32.checked_shl(number.into()).unwrap_or_default();
        write(GPIO.wrapping_add(0x10), bit);
        Self(bit)
    }
}

impl ErrorType for Pin {
    type Error = Infallible;
}

impl OutputPin for Pin {
    fn set_low(&mut self) -> Result<(), Infallible> {
        write(GPIO.wrapping_add(4), read(GPIO.wrapping_add(4)) & !self.0);
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        write(GPIO.wrapping_add(4), read(GPIO.wrapping_add(4)) | self.0);
        Ok(())
    }
}

/// Whether a pin of port 0 is high.
pub fn level(number: u8) -> bool {
    read(GPIO) & 1_u32.checked_shl(number.into()).unwrap_or_default() != 0
}

/// Drives a pin.
pub fn set_level(number: u8, high: bool) {
    let mut pin = Pin::new(number);
    let Ok(()) = if high { pin.set_high() } else { pin.set_low() };
}

/// Drives all pins low.
pub fn let_go() {
    write(GPIO.wrapping_add(4), 0);
}

/// Line and watchdog.
pub fn start() {
    Uart::Zero.open(Baud::Baud115200);
    write(WATCHDOG, SECOND);
    write(WATCHDOG.wrapping_add(8), 0b11);
}

/// Time, from the core's counter of clock ticks. To be asked at least twice a second: the counter has 24 bits.
#[derive(Debug)]
pub struct Clock {
    counter: u32,
    /// Clock ticks since the reset.
    ticks: u64,
}

impl Clock {
    /// Starts to count.
    pub fn start() -> Self {
        write(SYST_RVR, COUNTER);
        write(SYST_CVR, 0);
        write(SYST_CSR, 0b101);
        Self { counter: read(SYST_CVR), ticks: 0 }
    }

    /// Time since the reset.
    pub fn now(&mut self) -> Moment {
        let counter = read(SYST_CVR);
        // It counts down.
        let gone = self.counter.wrapping_sub(counter) & COUNTER;
        self.counter = counter;
        self.ticks = self.ticks.saturating_add(gone.into());
        Moment::from_micros(self.ticks / 25)
    }
}

/// The byte that came over a line, if one did.
pub fn hear(line: Uart) -> Option<u8> {
    (read(line.register(4)) & RX_FULL != 0).then(|| read(line.register(0)).to_le_bytes()[0])
}

/// Says a byte to the box, if the line takes it now.
pub fn say(byte: u8) -> bool {
    let takes = read(Uart::Zero.register(4)) & TX_FULL == 0;
    if takes {
        write(Uart::Zero.register(0), byte.into());
    }
    takes
}

/// Tells the watchdog that all is well.
pub fn feed_watchdog() {
    write(WATCHDOG.wrapping_add(0x0c), 1);
    write(WATCHDOG, SECOND);
}

/// Boots again.
pub fn reset() -> ! {
    write(AIRCR, 0x05fa_0004);
    loop {
        core::hint::spin_loop();
    }
}

/// Starts the program whose vectors are there, as after a reset.
///
/// # Safety
/// There is such a program.
pub unsafe fn start_vectors(vectors: usize) -> ! {
    write(VTOR, u32::try_from(vectors).unwrap_or_default());
    let (stack, entry) = (read(vectors), read(vectors.wrapping_add(4)));
    // SAFETY: the stack and the entry are that program's, for which the caller vouches; nothing of this one is needed any more.
    unsafe {
        core::arch::asm!("dsb", "isb", "msr msp, {0}", "bx {1}", in(reg) stack, in(reg) entry, options(noreturn));
    }
}

/// Chance: what never written memory woke up with.
pub fn seed() -> [u8; 32] {
    let chance = (0..16_usize).map(|word| read(CHANCE.wrapping_add(word.wrapping_mul(4))));
    let mut hash = Sha256::new();
    chance.chain([read(SYST_CVR)]).for_each(|word| hash.update(word.to_le_bytes()));
    hash.finalize().into()
}
