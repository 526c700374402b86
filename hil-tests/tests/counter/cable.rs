//! A cable between a board's line and the box, in which the wire to the board can be cut alone: what the box says then is for nobody.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

pub struct Cable {
    cut: Arc<AtomicBool>,
    /// Nobody's end hangs up while the box is away.
    _box_end: File,
}

impl Cable {
    /// Between this line of a board and a port of this name.
    pub fn plug(board: File, name: &Path) -> Self {
        let port = File::from(openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap());
        grantpt(&port).unwrap();
        unlockpt(&port).unwrap();
        let terminal = ptsname(&port, Vec::new()).unwrap();
        let terminal = Path::new(OsStr::from_bytes(terminal.as_bytes()));
        let box_end = OpenOptions::new().read(true).write(true).open(terminal).unwrap();
        let mut raw = tcgetattr(&box_end).unwrap();
        raw.make_raw();
        tcsetattr(&box_end, OptionalActions::Now, &raw).unwrap();
        let cut = Arc::new(AtomicBool::new(false));
        carry(board.try_clone().unwrap(), port.try_clone().unwrap(), Arc::default());
        carry(port, board, Arc::clone(&cut));
        symlink(terminal, name).unwrap();
        Self { cut, _box_end: box_end }
    }

    /// From now on the board hears nothing; the box hears the board.
    pub fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
    }

    pub fn mend(&self) {
        self.cut.store(false, Ordering::SeqCst);
    }
}

/// Carries bytes one way until either end is gone.
fn carry(mut from: File, mut to: File, cut: Arc<AtomicBool>) {
    std::thread::spawn(move || {
        let mut bytes = [0; 256];
        while let Ok(count) = from.read(&mut bytes)
            && count > 0
        {
            if !cut.load(Ordering::SeqCst) && to.write_all(&bytes[..count]).is_err() {
                return;
            }
        }
    });
}
