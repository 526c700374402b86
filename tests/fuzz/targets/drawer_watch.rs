//! Levels of a drawer's switch, with time and commands. It never opens or closes twice in a row.
#![no_main]

use std::time::Duration;

use device_drivers::{DrawerEvent, DrawerWatch, Moment, Sensing};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((first, rest)) = input.split_first() else { return };
    let sensing = Sensing {
        closed_high: first & 1 == 0,
        debounce: Duration::from_millis(u64::from(first >> 1)),
        grace: Duration::from_millis(1_000),
    };
    let mut watch = DrawerWatch::new(sensing);
    let mut now = Moment::default();
    let (mut open, mut commanded) = (None, None::<Moment>);
    // What happens, and the time before it.
    for step in rest.chunks_exact(2) {
        now += Duration::from_millis(u64::from(step[1]));
        match step[0] & 3 {
            0 | 1 => watch.handle(step[0] & 1 == 1, now),
            2 => {
                watch.commanded(now);
                commanded = Some(now);
            }
            _ => watch.handle_timeout(now),
        }
        while let Some(event) = watch.poll_event() {
            let opened = matches!(event, DrawerEvent::Opened { .. });
            assert_ne!(open.replace(opened), Some(opened), "the same twice");
            if event == (DrawerEvent::Opened { commanded: true }) {
                assert!(commanded.is_some());
            }
        }
        open = open.or(watch.is_open());
        assert!(watch.is_open() == open);
    }
});
