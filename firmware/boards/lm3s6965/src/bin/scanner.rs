//! The scanner controller, with both front ends.
//!
//! | pin | what |
//! |---|---|
//! | PA0, PA1 | UART0, 115200 8N1: the box |
//! | PD2, PD3 | UART1, 115200 8N1: the bar and space sensor's runs, as `firmware::RunReader` takes them |
//! | PG0, PG1 | UART2, 9600 8N1: the scan engine, a line each code |
//! | PA5 | the trigger, high while it is not pulled |
//! | PA6 | high: the scanner looks always, without its trigger |
//! | PB0 | the engine's trigger line, high lets it look |
//! | PB1 | the beeper, high sounds |
//! | PB2 | the green light |
//! | PB3 | the red light |
//! | PB4 | the waiting light |
//! | PB5 | the aiming light |

#![no_std]
#![no_main]

use cortex_m_rt::entry;
use device_drivers::Framing;
use firmware::{Both, Engine, Lights, OneOf, Reading, RunReader, ScannerController, Sensor, Trigger};
use lm3s6965::chip::{self, Baud, Directions, Port, Uart};

/// Bytes of a line that are heard before the others are: more than a queue has.
const MOST_BYTES: usize = 64;

/// What runs after each reset.
#[entry]
fn main() -> ! {
    let directions =
        Directions { a_inputs: 0b0110_0000, a_pulled_up: 1 << 5, b_inputs: 0, b_outputs: 0b11_1111 };
    let mut runs = RunReader::default();
    lm3s6965::run(
        directions,
        |retained, _, _| {
            Uart::One.open(Baud::Baud115200);
            Uart::Two.open(Baud::Baud9600);
            let trigger = if chip::level(Port::A, 6) { Trigger::Always } else { Trigger::Pulled };
            let front = Both(Engine::new(Framing::Line), Sensor::new(Reading::default()));
            ScannerController::new(front, trigger, retained)
        },
        |controller, now| {
            for _ in 0..MOST_BYTES {
                if !controller.is_ready() {
                    break;
                }
                let Some(byte) = chip::hear_one(Uart::Two) else { break };
                controller.see(OneOf::First(byte), now);
            }
            for _ in 0..MOST_BYTES {
                if !controller.is_ready() {
                    break;
                }
                let Some(byte) = chip::hear_one(Uart::One) else { break };
                if let Some(run) = runs.take(byte) {
                    controller.see(OneOf::Second(run), now);
                }
            }
            controller.trigger(!chip::level(Port::A, 5), now);
            let Lights { green, red, waiting, aim } = controller.lights(now);
            let levels = [controller.aims(), controller.tone(now).is_some(), green, red, waiting, aim];
            (0..).zip(levels).for_each(|(pin, level)| chip::set_level(Port::B, pin, level));
        },
    )
}
