//! Keyboards of the kernel's input layer (evdev), grabbed.

use std::fmt;
use std::io;
use std::path::Path;

use evdev::raw_stream::{EventStream, RawDevice};
use evdev::{EventSummary, KeyCode, SynchronizationCode};

use crate::scanner::keys::KeyEvent;

/// A grabbed keyboard. Dropping it gives it back.
pub(crate) struct Input(EventStream);

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Input").field(&self.0.device().name()).finish()
    }
}

/// Opens a keyboard and takes it away from everybody else.
pub(crate) fn grab(path: &Path) -> io::Result<Input> {
    let mut device = RawDevice::open(path)?;
    if !device.supported_keys().is_some_and(|keys| keys.contains(KeyCode::KEY_ENTER)) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no keyboard: it has no Enter key"));
    }
    device.grab()?;
    Ok(Input(device.into_event_stream()?))
}

impl Input {
    /// What happens next to a key; keys that repeat are passed over. Safe to cancel.
    pub(crate) async fn next(&mut self) -> io::Result<KeyEvent> {
        loop {
            match self.0.next_event().await?.destructure() {
                EventSummary::Key(_, key, 0) => return Ok(KeyEvent::Up(key.code())),
                EventSummary::Key(_, key, 1) => return Ok(KeyEvent::Down(key.code())),
                EventSummary::Synchronization(_, SynchronizationCode::SYN_DROPPED, _) => {
                    return Ok(KeyEvent::Gap);
                }
                _ => {}
            }
        }
    }
}
