//! The scanner controller, with both front ends.
//!
//! | pin | what |
//! |---|---|
//! | GP0, GP1 | UART0, 115200 8N1: the box |
//! | GP5 | UART1's input, 9600 8N1: the scan engine, a line each code |
//! | GP6 | the wand or imager, high while it sees dark |
//! | GP2 | the trigger, high while it is not pulled |
//! | GP3 | high: the scanner looks always, without its trigger |
//! | GP8 | the engine's trigger line, high lets it look |
//! | GP9 | the beeper, high sounds |
//! | GP10 | the green light |
//! | GP11 | the red light |
//! | GP12 | the waiting light |
//! | GP13 | the aiming light |

#![no_std]
#![no_main]

use core::cell::RefCell;

use critical_section::Mutex;
use device_drivers::{Framing, Moment};
use firmware::{Both, Edges, Engine, Level, Lights, OneOf, Reading, ScannerController, Sensor, Trigger};
use heapless::Deque;
use rp2040::chip::{self, Way};
use rp2040_hal::pac::interrupt;

const TRIGGER: u8 = 2;
const LOOKS_ALWAYS: u8 = 3;
const SENSOR: u8 = 6;
/// The first of the outputs, in the order of the table.
const OUTPUTS: u8 = 8;
/// Bytes of a line that are heard before the rest is done: more than a queue has.
const MOST_BYTES: usize = 64;

/// Edges of the sensor, and when they came. A code has some 70; when there is no room, the code that loses one is not read.
static EDGES: Mutex<RefCell<Deque<(bool, Moment), 128>>> = Mutex::new(RefCell::new(Deque::new()));

/// What runs after each reset.
#[rp2040_hal::entry]
fn main() -> ! {
    let mut edges = Edges::new(Moment::default());
    rp2040::run(
        None,
        |retained, _, _| {
            chip::set_way(TRIGGER, Way::InPulledUp);
            [LOOKS_ALWAYS, SENSOR].into_iter().for_each(|pin| chip::set_way(pin, Way::In));
            (OUTPUTS..).take(6).for_each(|pin| chip::set_way(pin, Way::Out));
            chip::watch_edges(SENSOR);
            let trigger = if chip::level(LOOKS_ALWAYS) { Trigger::Always } else { Trigger::Pulled };
            let front = Both(Engine::new(Framing::Line), Sensor::new(Reading::default()));
            ScannerController::new(front, trigger, retained)
        },
        |controller, engine, now| {
            for _ in 0..MOST_BYTES {
                if !controller.is_ready() {
                    break;
                }
                let Some(byte) = engine.hear_one() else { break };
                controller.see(OneOf::First(byte), now);
            }
            while controller.is_ready() {
                let run = match next_edge() {
                    Some((dark, at)) => edges.edge(if dark { Level::Dark } else { Level::Light }, at),
                    None => {
                        let Some(piece) = edges.handle_timeout(now) else { break };
                        piece
                    }
                };
                controller.see(OneOf::Second(run), now);
            }
            controller.trigger(!chip::level(TRIGGER), now);
            let Lights { green, red, waiting, aim } = controller.lights(now);
            let levels = [controller.aims(), controller.tone(now).is_some(), green, red, waiting, aim];
            (OUTPUTS..).zip(levels).for_each(|(pin, level)| chip::set_level(pin, level));
        },
    )
}

fn next_edge() -> Option<(bool, Moment)> {
    critical_section::with(|section| EDGES.borrow(section).try_borrow_mut().ok()?.pop_front())
}

#[interrupt]
fn IO_IRQ_BANK0() {
    let now = chip::now();
    if let Some(dark) = chip::edge_of(SENSOR) {
        critical_section::with(|section| {
            if let Ok(mut edges) = EDGES.borrow(section).try_borrow_mut() {
                // Without room it is lost: see above.
                let _ = edges.push_back((dark, now));
            }
        });
    }
}
