//! One end of a line with its application: what it must say, what it has stored, what a reboot leaves of it.

use pos_link::{
    Controller, Cursor, Event, Host, Id, News, Outbox, SendError, Session, Side, Stamp, StreamId,
    ToController, ToHost,
};

use super::random::Random;

/// Numbers as messages of each side.
pub(crate) trait Counting: Side {
    fn says(number: u32) -> Self::Says;
    fn heard(message: &Self::Hears) -> u32;
}

impl Counting for Controller {
    fn says(number: u32) -> ToHost {
        let data = format!("{number:0width$}", width = 8 + number as usize * 7 % 23);
        let at = Stamp { boot: 1, micros: number.into() };
        ToHost::Scan { at, symbology: *b"E0", more: false, data: data.bytes().collect() }
    }

    fn heard(message: &ToController) -> u32 {
        let ToController::UpdateChunk { offset, data } = message else { panic!("never said: {message:?}") };
        assert_eq!(*message, Host::says(*offset), "{} bytes", data.len());
        *offset
    }
}

impl Counting for Host {
    fn says(number: u32) -> ToController {
        let data = (0..1 + number % 97).map(|place| (place * number) as u8).collect();
        ToController::UpdateChunk { offset: number, data }
    }

    fn heard(message: &ToHost) -> u32 {
        let ToHost::Scan { at, .. } = message else { panic!("never said: {message:?}") };
        assert_eq!(*message, Controller::says(at.micros as u32));
        at.micros as u32
    }
}

/// Where the power goes while a message is taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    Never,
    BeforeStored,
    BeforeAccepted,
    AfterAccepted,
}

/// What a reboot leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    All,
    NoOutbox,
    NoCursor,
}

pub(crate) struct End<S: Counting, const OUT: usize, const IN: usize> {
    /// None while it is without power.
    pub(crate) session: Option<Session<S, Outbox<OUT>, OUT, IN>>,
    outbox: Outbox<OUT>,
    /// Stored as one with `heard`.
    cursor: Option<Cursor>,
    /// The next number that the other side must say.
    pub(crate) heard: u32,
    /// The next number that this side says.
    pub(crate) said: u32,
    pub(crate) back_at: u64,
    /// Stored, and the session is not told yet.
    pending: Option<Id>,
    pub(crate) news: Vec<News>,
    pub(crate) reboots: u32,
    /// The other side may lose its outbox: numbers may be missing.
    pub(crate) may_miss: bool,
    /// This side lost its cursor: what comes may have come before.
    may_repeat: bool,
}

impl<S: Counting, const OUT: usize, const IN: usize> End<S, OUT, IN> {
    pub(crate) fn new(random: &mut Random) -> Self {
        let mut end = Self {
            session: None,
            outbox: Outbox::new(StreamId(random.next() as u32)),
            cursor: None,
            heard: 0,
            said: 0,
            back_at: 0,
            pending: None,
            news: Vec::new(),
            reboots: 0,
            may_miss: false,
            may_repeat: false,
        };
        end.boot(0, random);
        end
    }

    pub(crate) fn boot(&mut self, now: u64, random: &mut Random) {
        let outbox = Outbox::restore(self.outbox.stream(), self.outbox.first(), self.outbox.as_bytes());
        self.session = Some(Session::new(random.next() as u32, outbox.unwrap(), self.cursor, now));
    }

    pub(crate) fn cut(&mut self, kept: Kept, back_at: u64, random: &mut Random) {
        let Some(session) = self.session.take() else { return };
        self.reboots += 1;
        self.outbox = session.into_outbox();
        match kept {
            Kept::All => {}
            Kept::NoOutbox => self.outbox = Outbox::new(StreamId(random.next() as u32)),
            Kept::NoCursor => (self.cursor, self.may_repeat) = (None, true),
        }
        (self.back_at, self.pending) = (back_at, None);
    }

    /// Says the next numbers, below `end`.
    pub(crate) fn say(&mut self, most: u64, end: u32) {
        let Some(session) = &mut self.session else { return };
        for _ in 0..most {
            if self.said == end {
                return;
            }
            match session.send(&S::says(self.said)) {
                Ok(_) => self.said += 1,
                Err(SendError::Full) => return,
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Takes in what came. Gives where the power goes.
    pub(crate) fn take_in(&mut self, mut cut: impl FnMut(&mut Random) -> Cut, random: &mut Random) -> Cut {
        let Some(session) = &mut self.session else { return Cut::Never };
        if let Some(id) = self.pending.take_if(|_| random.permille(300)) {
            assert!(session.accept(id));
        }
        // Now and then the application is slow.
        while !random.permille(50) {
            let Some(event) = session.poll_event() else { break };
            let (id, message) = match event {
                Event::Message { id, message } => (id, message),
                Event::News(news) => {
                    if let News::StreamBegan { .. } | News::Gap { .. } = news {
                        (self.cursor, self.pending) = (session.cursor(), None);
                    }
                    self.news.push(news);
                    continue;
                }
                other => panic!("never said: {other:?}"),
            };
            let cut = cut(random);
            if cut == Cut::BeforeStored {
                return cut;
            }
            let number = S::heard(&message);
            if self.may_repeat && number <= self.heard {
                self.heard = number;
            }
            self.may_repeat = false;
            if self.may_miss {
                assert!(number >= self.heard, "{number} came again, {} was next; {id:?}", self.heard);
            } else {
                assert_eq!(number, self.heard, "{id:?}, {:?}", self.news);
            }
            self.heard = number + 1;
            self.cursor = Some(Cursor { stream: id.stream, accepted: id.number });
            if cut == Cut::BeforeAccepted {
                return cut;
            }
            if random.permille(200) {
                self.pending = Some(id);
            } else {
                self.pending = None;
                assert!(session.accept(id));
            }
            if cut == Cut::AfterAccepted {
                return cut;
            }
        }
        Cut::Never
    }

    pub(crate) fn has_pending(&self) -> bool {
        self.pending.is_some()
    }
}
