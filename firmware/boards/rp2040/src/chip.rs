//! The chip's clocks, pins, lines and timers, by rp2040-hal and its registers, and nothing that decides.

use core::convert::Infallible;

use device_drivers::Moment;
use embedded_hal::digital::{ErrorType, OutputPin};
use rp2040_hal::clocks::init_clocks_and_plls;
use rp2040_hal::fugit::{MicrosDurationU32, RateExtU32 as _};
use rp2040_hal::gpio::bank0::{Gpio0, Gpio1, Gpio4, Gpio5};
use rp2040_hal::gpio::{FunctionUart, Pin as HalPin, Pins, PullNone, PullUp};
use rp2040_hal::pac;
use rp2040_hal::uart::{DataBits, Enabled, StopBits, UartConfig, UartPeripheral};
use rp2040_hal::{Clock as _, Sio, Timer, Watchdog};
use sha2::{Digest as _, Sha256};

/// Hertz of a Pico's crystal.
const CRYSTAL: u32 = 12_000_000;

/// How long a controller's watchdog waits for food.
pub const PATIENCE: MicrosDurationU32 = MicrosDurationU32::secs(2);
/// The boot loader's: it hashes and checks two images at most in between.
pub const LONGEST_PATIENCE: MicrosDurationU32 = MicrosDurationU32::secs(8);

type Wires<Tx, Rx> = (HalPin<Tx, FunctionUart, PullNone>, HalPin<Rx, FunctionUart, PullUp>);
/// The box's line.
pub type BoxLine = Uart<pac::UART0, Wires<Gpio0, Gpio1>>;
/// The scan engine's line.
pub type Line = Uart<pac::UART1, Wires<Gpio4, Gpio5>>;

/// What a program drives all the time.
pub struct Board {
    /// UART0, 115200 8N1.
    pub boxes: BoxLine,
    /// UART1, 9600 8N1.
    pub engine: Line,
    /// Resets the chip when it is not fed.
    pub watchdog: Watchdog,
}

impl Board {
    /// Clocks, lines, timer and watchdog, as after a reset or behind a boot loader that has started them; all other pins are let go. The
    /// watchdog waits for so long, 8.3 s at most. `None` if this program has started it before, or the crystal does not swing.
    pub fn start(patience: MicrosDurationU32) -> Option<Self> {
        let mut chip = pac::Peripherals::take()?;
        let mut watchdog = Watchdog::new(chip.WATCHDOG);
        let clocks = init_clocks_and_plls(
            CRYSTAL,
            chip.XOSC,
            chip.CLOCKS,
            chip.PLL_SYS,
            chip.PLL_USB,
            &mut chip.RESETS,
            &mut watchdog,
        )
        .ok()?;
        let sio = Sio::new(chip.SIO);
        let pins = Pins::new(chip.IO_BANK0, chip.PADS_BANK0, sio.gpio_bank0, &mut chip.RESETS);
        // It counts microseconds from here on; `now` asks it.
        Timer::new(chip.TIMER, &mut chip.RESETS, &clocks);
        let hertz = clocks.peripheral_clock.freq();
        let config = |baud: u32| UartConfig::new(baud.Hz(), DataBits::Eight, None, StopBits::One);
        let wires = (pins.gpio0.reconfigure(), pins.gpio1.reconfigure());
        let boxes = UartPeripheral::new(chip.UART0, wires, &mut chip.RESETS);
        let wires = (pins.gpio4.reconfigure(), pins.gpio5.reconfigure());
        let engine = UartPeripheral::new(chip.UART1, wires, &mut chip.RESETS);
        let mut boxes = boxes.enable(config(115_200), hertz).ok()?;
        let mut engine = engine.enable(config(9_600), hertz).ok()?;
        // They end a sleep; they are not handled.
        boxes.enable_rx_interrupt();
        engine.enable_rx_interrupt();
        let mut board = Self { boxes: Uart(boxes), engine: Uart(engine), watchdog };
        board.watchdog.pause_on_debug(true);
        board.watchdog.start(patience);
        Some(board)
    }
}

/// A line.
pub struct Uart<D: rp2040_hal::uart::UartDevice, P: rp2040_hal::uart::ValidUartPinout<D>>(
    UartPeripheral<Enabled, D, P>,
);

impl<D: rp2040_hal::uart::UartDevice, P: rp2040_hal::uart::ValidUartPinout<D>> Uart<D, P> {
    /// What came over the line, as much as there is room for.
    pub fn hear<'a>(&self, into: &'a mut [u8]) -> &'a [u8] {
        let mut count = 0_usize;
        while let Some(rest) = into.get_mut(count..)
            && !rest.is_empty()
        {
            count = count.saturating_add(match self.0.read_raw(rest) {
                Ok(more) => more,
                // A byte that was damaged on the way is left out, and so is what there was no room for while the flash was written: what
                // it was in is damaged then, and is found to be. What came before is good.
                Err(nb::Error::Other(error)) if !error.discarded.is_empty() => error.discarded.len(),
                Err(_) => break,
            });
        }
        into.get(..count).unwrap_or_default()
    }

    /// The next byte that came.
    pub fn hear_one(&self) -> Option<u8> {
        let mut byte = [0];
        self.hear(&mut byte).first().copied()
    }

    /// Says a byte, if the line takes one now.
    pub fn say(&self, byte: u8) -> bool {
        self.0.uart_is_writable() && self.0.write_raw(&[byte]).is_ok()
    }
}

/// A pin's way, beside the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Pulled down.
    In,
    /// Pulled up: what is not connected is high.
    InPulledUp,
    /// Low at first.
    Out,
}

/// Sets up a pin.
pub fn set_way(pin: u8, way: Way) {
    set_level(pin, false);
    let (up, down) = (way == Way::InPulledUp, way == Way::In);
    // SAFETY: the pin's own registers, before anything else uses them; the bits are those of data sheet 2.19.6.
    unsafe {
        let pads = &*pac::PADS_BANK0::ptr();
        pads.gpio(pin.into()).write(|pad| {
            pad.pue().bit(up).pde().bit(down).ie().set_bit().od().clear_bit().schmitt().set_bit()
        });
        let sio = &*pac::SIO::ptr();
        match way {
            Way::Out => sio.gpio_oe_set().write(|bits| bits.bits(1 << pin)),
            Way::In | Way::InPulledUp => sio.gpio_oe_clr().write(|bits| bits.bits(1 << pin)),
        };
        let bank = &*pac::IO_BANK0::ptr();
        bank.gpio(pin.into()).gpio_ctrl().write(|control| control.funcsel().sio());
    }
}

/// Whether a pin is high.
pub fn level(pin: u8) -> bool {
    // SAFETY: reading it changes nothing.
    unsafe { (*pac::SIO::ptr()).gpio_in().read().bits() & 1 << pin != 0 }
}

/// Whether a pin is driven high.
pub fn is_driven_high(pin: u8) -> bool {
    // SAFETY: reading them changes nothing.
    let driven = unsafe {
        let sio = &*pac::SIO::ptr();
        sio.gpio_out().read().bits() & sio.gpio_oe().read().bits()
    };
    driven & 1 << pin != 0
}

/// Drives a pin.
pub fn set_level(pin: u8, high: bool) {
    // SAFETY: these registers change one pin's bit, at once.
    unsafe {
        let sio = &*pac::SIO::ptr();
        if high {
            sio.gpio_out_set().write(|bits| bits.bits(1 << pin));
        } else {
            sio.gpio_out_clr().write(|bits| bits.bits(1 << pin));
        }
    }
}

/// Drives all outputs low: nothing is opened, lit or sounded.
pub fn let_go() {
    // SAFETY: as `set_level`, for all pins.
    unsafe {
        (*pac::SIO::ptr()).gpio_out_clr().write(|bits| bits.bits(u32::MAX));
    }
}

/// A pin that is driven.
#[derive(Debug)]
pub struct Pin(u8);

impl Pin {
    /// Makes this pin an output, low at first.
    pub fn new(pin: u8) -> Self {
        set_way(pin, Way::Out);
        Self(pin)
    }
}

impl ErrorType for Pin {
    type Error = Infallible;
}

impl OutputPin for Pin {
    fn set_low(&mut self) -> Result<(), Infallible> {
        set_level(self.0, false);
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        set_level(self.0, true);
        Ok(())
    }
}

/// Time since the timer was started.
pub fn now() -> Moment {
    // SAFETY: these registers may be read at any time; the raw ones do not latch (data sheet 4.6.3).
    let timer = unsafe { &*pac::TIMER::ptr() };
    loop {
        let high = timer.timerawh().read().bits();
        let low = timer.timerawl().read().bits();
        if timer.timerawh().read().bits() == high {
            return Moment::from_micros(u64::from(high) << 32 | u64::from(low));
        }
    }
}

/// Asks to be told each edge of a pin: [`edge_of`] says what came.
pub fn watch_edges(pin: u8) {
    let shift = u32::from(pin % 8).wrapping_mul(4);
    // SAFETY: the bits of this pin's edges in the first core's registers (data sheet 2.19.6.1), each written once here.
    unsafe {
        let bank = &*pac::IO_BANK0::ptr();
        bank.intr(usize::from(pin / 8)).write(|bits| bits.bits(0b1100 << shift));
        bank.proc0_inte(usize::from(pin / 8)).modify(|now, bits| bits.bits(now.bits() | 0b1100 << shift));
        pac::NVIC::unmask(pac::Interrupt::IO_IRQ_BANK0);
    }
}

/// In the interrupt: whether this pin had an edge, which is forgotten then, and its level.
pub fn edge_of(pin: u8) -> Option<bool> {
    let shift = u32::from(pin % 8).wrapping_mul(4);
    // SAFETY: reading changes nothing, and writing these bits forgets these edges only.
    unsafe {
        let bank = &*pac::IO_BANK0::ptr();
        let edges = bank.intr(usize::from(pin / 8)).read().bits() & 0b1100 << shift;
        if edges == 0 {
            return None;
        }
        bank.intr(usize::from(pin / 8)).write(|bits| bits.bits(edges));
    }
    Some(level(pin))
}

/// Whether the last reset was by the watchdog's time, not by [`reset`].
pub fn was_reset_by_watchdog() -> bool {
    // SAFETY: reading it changes nothing.
    unsafe { (*pac::WATCHDOG::ptr()).reason().read().timer().bit() }
}

/// Boots again, all of the chip.
pub fn reset() -> ! {
    rp2040_hal::reset()
}

/// Chance: the ring oscillator's bit, which swings on while the crystal clocks the chip, over 20 ms, hashed.
pub fn seed() -> [u8; 32] {
    let mut hash = Sha256::new();
    for _ in 0..512 {
        let mut byte = 0_u8;
        for _ in 0..8 {
            // SAFETY: reading it changes nothing.
            let bit = unsafe { (*pac::ROSC::ptr()).randombit().read().randombit().bit() };
            byte = byte << 1 | u8::from(bit);
            let begun = now();
            while now().since(begun).as_micros() < 5 {}
        }
        hash.update([byte]);
    }
    hash.finalize().into()
}
