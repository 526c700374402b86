//! A keyboard wedge that nobody holds: the kernel makes a keyboard of it (uinput), where it can.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use evdev::uinput::VirtualDevice;
use evdev::{AttributeSet, KeyCode, KeyEvent};
use tokio::time::{Instant, sleep};

use crate::scanner::layout::{self, Layout, Stroke};

/// How long the system may take to make a device node.
const NODE_WITHIN: Duration = Duration::from_secs(3);
/// Between two reports, as a fast scanner on USB sends them. The kernel keeps some thirty for who is late, and then none.
const REPORT_EVERY: Duration = Duration::from_millis(1);
/// Keys have numbers below this.
const KEYS: u16 = 128;

/// A virtual wedge. Dropping it unplugs it.
pub struct VirtualWedge {
    device: VirtualDevice,
    path: PathBuf,
    layout: Layout,
}

impl fmt::Debug for VirtualWedge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VirtualWedge").field("path", &self.path).finish_non_exhaustive()
    }
}

impl VirtualWedge {
    /// Plugs a wedge in that types in this layout, and waits until its device is there.
    ///
    /// # Errors
    /// When the system has no uinput, or this program may not use it.
    pub async fn plug(layout: Layout) -> io::Result<Self> {
        let keys: AttributeSet<KeyCode> = (1..KEYS).map(KeyCode::new).collect();
        let mut device =
            VirtualDevice::builder()?.name("Tillbox virtual keyboard wedge").with_keys(&keys)?.build()?;
        let begun = Instant::now();
        loop {
            let node = device.enumerate_dev_nodes_blocking()?.find_map(Result::ok);
            match node {
                Some(path) if path.exists() => return Ok(Self { device, path, layout }),
                _ if begun.elapsed() > NODE_WITHIN => {
                    return Err(io::Error::new(io::ErrorKind::TimedOut, "no device node was made for it"));
                }
                _ => sleep(Duration::from_millis(20)).await,
            }
        }
    }

    /// Its device.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Types a code and Enter.
    ///
    /// # Errors
    /// For a letter that its layout does not have, of kind `InvalidInput`; nothing is typed then. Or when it is gone.
    pub async fn scan(&mut self, code: &str) -> io::Result<()> {
        let stroke = |letter| {
            let no_key = || io::Error::new(io::ErrorKind::InvalidInput, format!("no key writes {letter:?}"));
            self.layout.stroke(letter).ok_or_else(no_key)
        };
        let strokes: Vec<Stroke> = code.chars().map(stroke).collect::<io::Result<_>>()?;
        for Stroke { code, shift, alt_gr } in strokes {
            let beside = [(shift, layout::LEFT_SHIFT), (alt_gr, layout::ALT_GR)];
            let beside = beside.iter().find(|(held, _)| *held).map(|(_, key)| *key);
            let down = beside.into_iter().chain([code]).map(|key| (key, 1));
            let up = [code].into_iter().chain(beside).map(|key| (key, 0));
            self.press(down.chain(up)).await?;
        }
        self.press([(layout::ENTER, 1), (layout::ENTER, 0)].into_iter()).await
    }

    /// Each key in a report of its own.
    async fn press(&mut self, keys: impl Iterator<Item = (u16, i32)>) -> io::Result<()> {
        for (key, value) in keys {
            self.device.emit(&[*KeyEvent::new(KeyCode::new(key), value)])?;
            sleep(REPORT_EVERY).await;
        }
        Ok(())
    }
}
