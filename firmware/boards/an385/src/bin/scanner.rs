//! The scanner controller, with both front ends.
//!
//! | pin | what |
//! |---|---|
//! | UART1 | 115200 8N1: the bar and space sensor's runs, as `firmware::RunReader` takes them |
//! | UART2 | 9600 8N1: the scan engine, a line each code |
//! | 0 to 5 | the engine's trigger line, the beeper, the green, red, waiting and aiming light |
//! | 6 | the trigger, high while it is not pulled |

#![no_std]
#![no_main]

use an385::chip::{self, Baud, Uart};
use cortex_m_rt::entry;
use device_drivers::Framing;
use firmware::{Both, Engine, Lights, OneOf, Reading, RunReader, ScannerController, Sensor, Trigger};

/// Bytes of a line that are heard before the others are.
const MOST_BYTES: usize = 64;

/// What runs after each reset.
#[entry]
fn main() -> ! {
    let mut runs = RunReader::default();
    an385::run(
        |retained, _, _| {
            Uart::One.open(Baud::Baud115200);
            Uart::Two.open(Baud::Baud9600);
            let front = Both(Engine::new(Framing::Line), Sensor::new(Reading::default()));
            ScannerController::new(front, Trigger::Pulled, retained)
        },
        |controller, now| {
            for _ in 0..MOST_BYTES {
                if !controller.is_ready() {
                    break;
                }
                let Some(byte) = chip::hear(Uart::Two) else { break };
                controller.see(OneOf::First(byte), now);
            }
            for _ in 0..MOST_BYTES {
                if !controller.is_ready() {
                    break;
                }
                let Some(byte) = chip::hear(Uart::One) else { break };
                if let Some(run) = runs.take(byte) {
                    controller.see(OneOf::Second(run), now);
                }
            }
            controller.trigger(!chip::level(6), now);
            let Lights { green, red, waiting, aim } = controller.lights(now);
            let levels = [controller.aims(), controller.tone(now).is_some(), green, red, waiting, aim];
            (0..).zip(levels).for_each(|(pin, level)| chip::set_level(pin, level));
        },
    )
}
