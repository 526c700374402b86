//! The box's end of a controller's line, in real time: the session, and what a scenario waits for.

use std::fs::File;
use std::io::{self, Write as _};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use firmware::mac;
use pos_link::{
    Cursor, Event, Host, Id, News, Outbox, ScanRefusal, Session, Stamp, StreamId, Tally, ToController,
    ToHost, Upload,
};

use crate::ear::Ear;
use crate::rig::KEY;

/// Nothing takes nearly so long.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks, where nothing comes over the line.
const LOOK: Duration = Duration::from_millis(1);

/// A scan that was told.
#[derive(Debug, Clone)]
pub struct Scan {
    /// The message that brought it, or its last part.
    pub id: Id,
    /// The scanner's own time.
    pub at: Stamp,
    /// The two characters of its symbology identifier, and the code.
    pub code: String,
    /// When it came.
    pub came: Instant,
}

/// The box's end.
#[derive(Debug)]
pub struct BoxEnd {
    session: Session<Host, Outbox<4096>, 4096, 4096>,
    begun: Instant,
    line: File,
    ear: Ear,
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
    /// What it says of each scan; at first nothing.
    pub verdict: Option<Result<(), ScanRefusal>>,
    /// The scans that were told, whole and in order.
    pub scans: Vec<Scan>,
    part: Vec<u8>,
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
        let ear = Ear::new(line.try_clone()?);
        Ok(Self {
            session,
            begun,
            line,
            ear,
            told: Vec::new(),
            beside: Vec::new(),
            ups: 0,
            began: 0,
            accepts: true,
            verdict: None,
            scans: Vec::new(),
            part: Vec::new(),
        })
    }

    /// It boots anew on this line, and knows how far it had accepted.
    ///
    /// # Errors
    /// What the system says.
    pub fn reboot(&mut self, line: File) -> io::Result<()> {
        self.ear.stop();
        let (cursor, verdict) = (self.cursor(), self.verdict);
        *self = Self::new(line, cursor)?;
        self.verdict = verdict;
        Ok(())
    }

    /// Asks what the controller has counted, again when the answer is lost: it is a datagram.
    ///
    /// # Errors
    /// When it never says.
    pub fn tally(&mut self) -> io::Result<Tally> {
        let deadline = Instant::now() + PATIENCE;
        let mut ask = Instant::now();
        loop {
            if Instant::now() >= ask {
                self.say(&ToController::AskCounters)?;
                ask = Instant::now() + PATIENCE / 10;
            }
            self.work()?;
            let counters = |told: &ToHost| match told {
                ToHost::Counters { tally, .. } => Some(*tally),
                _ => None,
            };
            if let Some(tally) = self.beside.iter().find_map(counters) {
                self.beside.retain(|told| counters(told).is_none());
                return Ok(tally);
            }
            if Instant::now() > deadline {
                return Err(io::Error::other("it never told what it counted"));
            }
        }
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
        match self.ear.heard.recv_timeout(LOOK) {
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
                    self.scanned(id, &message)?;
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

    /// Waits until so many scans were told in all.
    ///
    /// # Errors
    /// When they never are.
    pub fn wait_for_scans(&mut self, count: usize) -> io::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while self.scans.len() < count {
            if Instant::now() > deadline {
                let (scans, counted) = (&self.scans, self.session.counters());
                return Err(io::Error::other(format!(
                    "{count} never came; {scans:?} did, counted {counted:?}"
                )));
            }
            self.work()?;
        }
        Ok(())
    }

    fn scanned(&mut self, id: Id, told: &ToHost) -> io::Result<()> {
        let ToHost::Scan { at, symbology, more, data } = told else { return Ok(()) };
        self.part.extend_from_slice(data);
        if *more {
            return Ok(());
        }
        let data = std::mem::take(&mut self.part);
        let code = String::from_utf8([symbology, data.as_slice()].concat()).map_err(io::Error::other)?;
        self.scans.push(Scan { id, at: *at, code, came: Instant::now() });
        let said = match self.verdict {
            None => return Ok(()),
            Some(Ok(())) => ToController::ScanAccepted { scan: id },
            Some(Err(reason)) => ToController::ScanRefused { scan: id, reason },
        };
        self.session.send(&said).map_err(io::Error::other).map(|_| ())
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
