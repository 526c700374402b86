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
pub(crate) const RCGC1: usize = 0x400f_e104;
const RCGC2: usize = 0x400f_e108;
// UART, section 13.
const FR: usize = 0x18;
const RX_EMPTY: u32 = 1 << 4;
const TX_FULL: u32 = 1 << 5;
/// Bytes came, many or a while ago: both end a sleep.
const RX_INTERRUPTS: u32 = 1 << 4 | 1 << 6;
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

pub(crate) fn read(register: usize) -> u32 {
    // SAFETY: each address is a register of this chip, or of its core, that may be read at any time.
    unsafe { read_volatile(register as *const u32) }
}

pub(crate) fn write(register: usize, value: u32) {
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
    /// PD.
    D = 0x4000_7000,
    /// PG.
    G = 0x4002_6000,
}

impl Port {
    /// Bits 2 to 9 of the address say which pins are meant.
    const fn data(self, pin: u8) -> usize {
        (self as usize).wrapping_add(4 << pin)
    }

    const fn register(self, offset: usize) -> usize {
        (self as usize).wrapping_add(offset)
    }

    /// Its bit in RCGC2.
    const fn clock(self) -> u32 {
        match self {
            Self::A => 1,
            Self::B => 1 << 1,
            Self::D => 1 << 3,
            Self::G => 1 << 6,
        }
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

/// A line, section 13; 115200 or 9600 8N1 with queues.
#[derive(Debug, Clone, Copy)]
pub enum Uart {
    /// PA0 and PA1: the box.
    Zero = 0x4000_c000,
    /// PD2 and PD3.
    One = 0x4000_d000,
    /// PG0 and PG1.
    Two = 0x4000_e000,
}

/// A line's speed, as the divisor's whole part and its 64ths.
#[derive(Debug, Clone, Copy)]
pub enum Baud {
    /// 50 MHz / (16 × 115200) = 27 + 8/64.
    Baud115200 = 27 << 8 | 8,
    /// 50 MHz / (16 × 9600) = 325 + 33/64.
    Baud9600 = 325 << 8 | 33,
}

impl Uart {
    const fn register(self, offset: usize) -> usize {
        (self as usize).wrapping_add(offset)
    }

    /// Opens the line. All but [`Uart::Zero`] are opened by who uses them.
    pub fn open(self, baud: Baud) {
        let (clock, port, pins) = match self {
            Self::Zero => (1, Port::A, 0b0011),
            Self::One => (1 << 1, Port::D, 0b1100),
            Self::Two => (1 << 2, Port::G, 0b0011),
        };
        write(RCGC1, read(RCGC1) | clock);
        write(RCGC2, read(RCGC2) | port.clock());
        wait_for_clocks();
        write(port.register(0x420), read(port.register(0x420)) | pins);
        write(port.register(0x51c), read(port.register(0x51c)) | pins);
        write(self.register(0x30), 0);
        write(self.register(0x24), baud as u32 >> 8);
        write(self.register(0x28), baud as u32 & 0xff);
        write(self.register(0x2c), 0b0111_0000);
        write(self.register(0x38), RX_INTERRUPTS);
        write(self.register(0x30), 0x301);
    }
}

/// Three clock ticks until what was given a clock answers.
pub(crate) fn wait_for_clocks() {
    (0..3).for_each(|_| {
        read(RCGC2);
    });
}

/// Which pins of ports A and B are used, one bit each.
#[derive(Debug, Clone, Copy)]
pub struct Directions {
    /// Inputs of port A.
    pub a_inputs: u8,
    /// Those that are pulled up; the others are pulled down.
    pub a_pulled_up: u8,
    /// Inputs of port B, which have drivers of their own.
    pub b_inputs: u8,
    /// Outputs of port B; low at first.
    pub b_outputs: u8,
}

/// Clock, pins, the box's line and watchdog.
pub fn start(directions: Directions) {
    let Directions { a_inputs, a_pulled_up, b_inputs, b_outputs } = directions;
    // 50 MHz from the crystal by the PLL.
    write(RCC, 0x01c0_0380);
    write(RCGC0, read(RCGC0) | 1 << 3);
    write(RCGC2, read(RCGC2) | Port::A.clock() | Port::B.clock());
    wait_for_clocks();
    let_go();
    write(Port::B.register(0x400), b_outputs.into());
    write(Port::B.register(0x51c), (b_outputs | b_inputs).into());
    write(Port::A.register(0x400), 0);
    write(Port::A.register(0x510), a_pulled_up.into());
    write(Port::A.register(0x514), (a_inputs & !a_pulled_up).into());
    write(Port::A.register(0x51c), a_inputs.into());
    Uart::Zero.open(Baud::Baud115200);
    write(WATCHDOG, SECOND);
    write(WATCHDOG + 8, 0b11);
}

/// Drives all outputs low: nothing is opened, lit or sounded.
pub fn let_go() {
    (0..8).for_each(|pin| set_level(Port::B, pin, false));
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

/// The next byte that came over a line.
pub fn hear_one(line: Uart) -> Option<u8> {
    if read(line.register(FR)) & RX_EMPTY != 0 {
        return None;
    }
    Some(read(line.register(0)).to_le_bytes()[0])
}

/// What came over a line, as much as there is room for.
pub fn hear(line: Uart, into: &mut [u8]) -> &[u8] {
    let mut count = 0_usize;
    for byte in into.iter_mut() {
        let Some(heard) = hear_one(line) else { break };
        *byte = heard;
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

/// Says this to the box; not before all else was said.
pub fn say(bytes: &[u8]) {
    let (buffer, taken, length) = saying();
    let room = buffer.len().min(bytes.len());
    buffer.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    (*taken, *length) = (0, room);
}

/// Gives the line what it takes now.
pub fn go_on_saying() {
    let (buffer, taken, length) = saying();
    while taken < length && read(Uart::Zero.register(FR)) & TX_FULL == 0 {
        write(Uart::Zero.register(0), buffer.get(*taken).copied().unwrap_or_default().into());
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

/// Chance: what never written memory woke up with.
pub fn seed() -> [u8; 32] {
    let chance = (0..16_usize).map(|word| read(CHANCE.wrapping_add(word.wrapping_mul(4))));
    let mut hash = Sha256::new();
    chance.chain([read(SYST_CVR)]).for_each(|word| hash.update(word.to_le_bytes()));
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
