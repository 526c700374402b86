//! The chip's registers (LM3S6965 data sheet; the section stands beside each), and nothing that decides.

use core::convert::Infallible;
use core::ptr::{read_volatile, write_volatile};

use device_drivers::Moment;
use embedded_hal::digital::{ErrorType, OutputPin};
use sha2::{Digest as _, Sha256};

// System control, section 6.
const RESC: usize = 0x400f_e05c;
const RCC: usize = 0x400f_e060;
const RCGC0: usize = 0x400f_e100;
const RCGC1: usize = 0x400f_e104;
const RCGC2: usize = 0x400f_e108;
// UART, section 13.
const UART0: usize = 0x4000_c000;
const FR: usize = UART0 + 0x18;
const RX_EMPTY: u32 = 1 << 4;
const TX_FULL: u32 = 1 << 5;
// Watchdog, section 11.
const WATCHDOG: usize = 0x4000_0000;
/// Clock ticks of a second; the chip is reset after two without food.
const SECOND: u32 = 50_000_000;
// The core's own: SysTick and reset (ARMv7-M reference, B3.3 and B3.2.6).
const SYST_CSR: usize = 0xe000_e010;
const SYST_RVR: usize = 0xe000_e014;
const SYST_CVR: usize = 0xe000_e018;
const AIRCR: usize = 0xe000_ed0c;
/// All bits of the counter, which counts 50 ticks a microsecond.
const COUNTER: u32 = 0x00ff_ffff;
/// The memory that nothing writes: see memory.x.
const CHANCE: usize = 0x2000_ffc0;

fn read(register: usize) -> u32 {
    // SAFETY: each address is a register of this chip, or of its core, that may be read at any time.
    unsafe { read_volatile(register as *const u32) }
}

fn write(register: usize, value: u32) {
    // SAFETY: each address is a register of this chip, or of its core; none of them reaches memory.
    unsafe { write_volatile(register as *mut u32, value) }
}

/// A port of pins, section 9.
#[derive(Debug, Clone, Copy)]
pub enum Port {
    /// PA.
    A = 0x4000_4000,
    /// PB.
    B = 0x4000_5000,
}

impl Port {
    /// Bits 2 to 9 of the address say which pins are meant.
    const fn data(self, pin: u8) -> usize {
        (self as usize).wrapping_add(4 << pin)
    }

    const fn register(self, offset: usize) -> usize {
        (self as usize).wrapping_add(offset)
    }
}

/// Whether a pin is high.
pub fn level(port: Port, pin: u8) -> bool {
    read(port.data(pin)) != 0
}

/// Drives a pin.
pub fn set_level(port: Port, pin: u8, high: bool) {
    write(port.data(pin), if high { 0xff } else { 0 });
}

/// A pin that is driven.
#[derive(Debug)]
pub struct Pin(Port, u8);

impl Pin {
    /// One of those that [`start`] made outputs.
    pub const fn new(port: Port, pin: u8) -> Self {
        Self(port, pin)
    }
}

impl ErrorType for Pin {
    type Error = Infallible;
}

impl OutputPin for Pin {
    fn set_low(&mut self) -> Result<(), Infallible> {
        set_level(self.0, self.1, false);
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        set_level(self.0, self.1, true);
        Ok(())
    }
}

/// Clock, pins, line and watchdog.
pub fn start() {
    // 50 MHz from the crystal by the PLL.
    write(RCC, 0x01c0_0380);
    write(RCGC0, read(RCGC0) | 1 << 3);
    write(RCGC1, read(RCGC1) | 1);
    write(RCGC2, read(RCGC2) | 0b11);
    // Three clock ticks until the ports answer.
    (0..3).for_each(|_| {
        read(RCGC2);
    });
    set_level(Port::B, 0, false);
    write(Port::B.register(0x400), 0b0011);
    write(Port::B.register(0x51c), 0b0111);
    write(Port::A.register(0x400), 0);
    // The switch is pulled up: a cable that is out is a drawer that is closed by all that can be known.
    write(Port::A.register(0x510), 1 << 5);
    write(Port::A.register(0x514), 0b1100_0000);
    write(Port::A.register(0x51c), 0b1110_0011);
    write(Port::A.register(0x420), 0b0011);
    // 115200 8N1 with queues: 50 MHz / (16 × 115200) = 27 + 8/64.
    write(UART0 + 0x30, 0);
    write(UART0 + 0x24, 27);
    write(UART0 + 0x28, 8);
    write(UART0 + 0x2c, 0b0111_0000);
    write(UART0 + 0x30, 0x301);
    write(WATCHDOG, SECOND);
    write(WATCHDOG + 8, 0b11);
}

/// Time, from the core's counter of clock ticks. To be asked at least three times a second: the counter has 24 bits.
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
        Moment::from_micros(self.ticks / 50)
    }
}

/// What came over the line, as much as there is room for.
pub fn hear(into: &mut [u8]) -> &[u8] {
    let mut count = 0_usize;
    for byte in into.iter_mut() {
        if read(FR) & RX_EMPTY != 0 {
            break;
        }
        *byte = read(UART0).to_le_bytes()[0];
        count = count.saturating_add(1);
    }
    into.get(..count).unwrap_or_default()
}

/// What is being said, and how much of it was taken.
static mut SAYING: ([u8; pos_link::LONGEST_FRAME], usize, usize) = ([0; pos_link::LONGEST_FRAME], 0, 0);

#[expect(static_mut_refs, reason = "see the line above its use")]
fn saying() -> &'static mut ([u8; pos_link::LONGEST_FRAME], usize, usize) {
    // SAFETY: there is one thread, no interrupt comes here, and no caller keeps it.
    unsafe { &mut SAYING }
}

/// Whether something is still to be said.
pub fn is_saying() -> bool {
    let (_, taken, length) = saying();
    taken < length
}

/// Says this; not before all else was said.
pub fn say(bytes: &[u8]) {
    let (buffer, taken, length) = saying();
    let room = buffer.len().min(bytes.len());
    buffer.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    (*taken, *length) = (0, room);
}

/// Gives the line what it takes now.
pub fn go_on_saying() {
    let (buffer, taken, length) = saying();
    while taken < length && read(FR) & TX_FULL == 0 {
        write(UART0, buffer.get(*taken).copied().unwrap_or_default().into());
        *taken = taken.saturating_add(1);
    }
}

/// Whether the last reset was the watchdog's; it is forgotten then.
pub fn was_reset_by_watchdog() -> bool {
    let cause = read(RESC);
    write(RESC, 0);
    cause & 1 << 3 != 0
}

/// Tells the watchdog that all is well.
pub fn feed_watchdog() {
    write(WATCHDOG + 0x0c, 1);
    write(WATCHDOG, SECOND);
}

/// Boots again.
pub fn reset() -> ! {
    write(AIRCR, 0x05fa_0004);
    loop {
        core::hint::spin_loop();
    }
}

/// Chance: what never written memory woke up with, and how often the board has booted since.
pub fn seed(boots: u32) -> [u8; 32] {
    let chance = (0..16_usize).map(|word| read(CHANCE.wrapping_add(word.wrapping_mul(4))));
    let mut hash = Sha256::new();
    chance.chain([boots, read(SYST_CVR)]).for_each(|word| hash.update(word.to_le_bytes()));
    hash.finalize().into()
}

/// Bytes of the flash.
pub fn flash<const N: usize>(from: usize) -> [u8; N] {
    let mut bytes = [0; N];
    for (word, four) in bytes.chunks_mut(4).enumerate() {
        let read = read(from.wrapping_add(word.wrapping_mul(4))).to_le_bytes();
        four.iter_mut().zip(read).for_each(|(to, from)| *to = from);
    }
    bytes
}
