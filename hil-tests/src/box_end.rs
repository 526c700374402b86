//! The box's end of a controller's line, in real time: the session, and what a scenario waits for.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use firmware::mac;
use pos_link::{Cursor, Event, Host, Id, News, Outbox, Session, StreamId, ToController, ToHost, Upload};

use crate::rig::KEY;

/// Nothing takes nearly so long.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks, where nothing comes over the line.
const LOOK: Duration = Duration::from_millis(1);

/// The box's end.
#[derive(Debug)]
pub struct BoxEnd {
    session: Session<Host, Outbox<4096>, 4096, 4096>,
    begun: Instant,
    line: File,
    heard: Receiver<Vec<u8>>,
    /// What the controller has told in its stream, in order, and was not waited for yet.
    pub told: Vec<ToHost>,
    /// What it has told beside that: the one overtakes the other.
    beside: Vec<ToHost>,
    /// Sessions that began.
    pub ups: u32,
    /// Streams of the controller that began.
    pub began: u32,
    /// Whether it accepts what it hears; at first it does.
    pub accepts: bool,
}

impl BoxEnd {
    /// Takes a line over. `cursor` is what is known of an earlier one, if anything.
    ///
    /// # Errors
    /// What the system says.
    pub fn new(line: File, cursor: Option<Cursor>) -> io::Result<Self> {
        let begun = Instant::now();
        // It must only differ from the one before.
        let nonce = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let nonce = nonce.map_or(1, |since| since.subsec_nanos());
        let session = Session::new(nonce, Outbox::new(StreamId(nonce)), cursor, 0);
        let (bytes, heard) = channel();
        let mut ear = line.try_clone()?;
        std::thread::spawn(move || {
            let mut buffer = [0; 512];
            // An error or nothing: the board has no power any more.
            while let Ok(count @ 1..) = ear.read(&mut buffer) {
                if bytes.send(buffer.get(..count).unwrap_or_default().to_vec()).is_err() {
                    return;
                }
            }
        });
        Ok(Self {
            session,
            begun,
            line,
            heard,
            told: Vec::new(),
            beside: Vec::new(),
            ups: 0,
            began: 0,
            accepts: true,
        })
    }

    /// How far the controller's messages were accepted.
    #[must_use]
    pub fn cursor(&self) -> Option<Cursor> {
        self.session.cursor()
    }

    /// Says something to the controller.
    ///
    /// # Errors
    /// When it has accepted nothing for long.
    pub fn say(&mut self, said: &ToController) -> io::Result<()> {
        self.session.send(said).map_err(io::Error::other)?;
        self.flush()
    }

    /// Waits until the controller has told this, and takes it and all before it that came the same way.
    ///
    /// # Errors
    /// When it never does.
    pub fn wait_for<T>(&mut self, wanted: impl Fn(&ToHost) -> Option<T>) -> io::Result<T> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            for told in [&mut self.told, &mut self.beside] {
                let found = told.iter().enumerate().find_map(|(at, told)| Some((at, wanted(told)?)));
                if let Some((at, found)) = found {
                    told.drain(..=at);
                    return Ok(found);
                }
            }
            if Instant::now() > deadline {
                let (told, counted) = ((&self.told, &self.beside), self.session.counters());
                return Err(io::Error::other(format!(
                    "it was never told; told was {told:?}, counted {counted:?}"
                )));
            }
            self.work()?;
        }
    }

    /// Gets a challenge, and makes what answers it.
    ///
    /// # Errors
    /// When there is none.
    pub fn request(&mut self, request: u32, pulse_ms: u16) -> io::Result<ToController> {
        self.say(&ToController::AskChallenge)?;
        let nonce = self.wait_for(|told| match told {
            ToHost::Challenge { nonce } => Some(*nonce),
            _ => None,
        })?;
        Ok(ToController::OpenDrawer { request, pulse_ms, mac: mac(&KEY, &nonce, request, pulse_ms) })
    }

    /// Goes on with an update, for a moment. Gives what was told meanwhile, which the update knows.
    ///
    /// # Errors
    /// When the line is gone.
    pub fn go_on(&mut self, upload: &mut Upload<&[u8]>) -> io::Result<Vec<ToHost>> {
        // What finds the outbox full has its turn later.
        while let Some(said) = upload.poll()
            && self.session.send(&said).is_ok()
        {
            upload.sent();
        }
        self.flush()?;
        self.work()?;
        let told: Vec<_> = self.beside.drain(..).chain(self.told.drain(..)).collect();
        told.iter().for_each(|told| upload.handle(told));
        Ok(told)
    }

    /// Hears and says what there is, for a moment.
    ///
    /// # Errors
    /// When the line is gone.
    pub fn work(&mut self) -> io::Result<()> {
        match self.heard.recv_timeout(LOOK) {
            Ok(bytes) => {
                let now = self.now();
                self.session.handle(&bytes, now);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(LOOK),
        }
        let now = self.now();
        self.session.handle_timeout(now);
        while let Some(event) = self.session.poll_event() {
            match event {
                Event::Message { id, message } => {
                    self.told.push(message);
                    self.accept(id);
                }
                Event::Skipped { id, .. } => self.accept(id),
                Event::News(News::Up { .. }) => self.ups += 1,
                Event::News(News::StreamBegan { .. }) => self.began += 1,
                Event::News(_) => {}
                Event::Datagram(message) => self.beside.push(message),
            }
        }
        self.flush()
    }

    fn accept(&mut self, id: Id) {
        if self.accepts {
            self.session.accept(id);
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        let now = self.now();
        while let Some(bytes) = self.session.poll_output(now) {
            self.line.write_all(bytes)?;
        }
        Ok(())
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}
