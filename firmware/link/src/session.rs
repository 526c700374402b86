//! A session: the same state machine at both ends of the line, without I/O and without a clock.
//!
//! | word | what |
//! |---|---|
//! | *nonce* | a random number that each boot draws |
//! | *mark* | a nonce with the number of a handshake: new with each session, so that only an answer to *this* hello begins one |
//! | *tag* | made of both nonces, in each packet: what is from before a reboot is dropped |
//! | *tidings* | how far the receiver is, and its room; in each packet |
//!
//! ```text
//!  A: hello (mark a, knows none, answer!)  ──>
//!     <──  B: hello (mark b, echoes a, answer!)          A is up, and draws a new mark
//!  A: hello (new mark, echoes b)           ──>           B is up
//! ```
//!
//! What always holds:
//!
//! - A session begins only with a hello that echoes the present mark. A hello from before a reboot echoes an older one, so
//!   that a boot that is over is never taken for the other side, and no stream is adopted that has ended.
//! - A message leaves the outbox only when the other side's application accepted it, and is handed out only in its turn.
//! - Whatever is lost, something is sent again: hellos while the link is down, tidings twice a second while it is up,
//!   messages when they are overdue.

mod greeting;

use core::borrow::BorrowMut;
use core::marker::PhantomData;

use heapless::Deque;

use crate::Micros;
use crate::event::{Counters, Event, News};
use crate::field::Bytes;
use crate::frame::{self, FrameReader, LONGEST_FRAME};
use crate::message::Message;
use crate::outbox::{Entries, Outbox, SendError};
use crate::packet::{Cargo, Mark, NotForUs, Packet, SPOKEN, Versions};
use crate::receiving::Receiving;
use crate::sending::Sending;
use crate::side::Side;
use crate::stream::{Cursor, Id};

/// The other side is gone when nothing was heard for so long, microseconds.
pub const GONE_AFTER: Micros = 2_000_000;

/// Something is said at least so often, microseconds.
pub const KEEP_ALIVE: Micros = 500_000;

const FIRST_GREETING: Micros = 125_000;
const LAST_GREETING: Micros = 1_000_000;

/// Bytes of datagrams that wait to be taken: who it is, what it counted and the longest line of its log may come in one go.
const DATAGRAMS: usize = 240;

/// News that wait to be taken; when there are more, the oldest go.
const MOST_NEWS: usize = 8;

/// One end of a line. `O` is the outbox, or a `&mut` of one in retained memory; `OUT` and `IN` are the bytes of outbox and inbox.
#[derive(Debug)]
pub struct Session<S: Side, O, const OUT: usize, const IN: usize> {
    reader: FrameReader,
    sending: Sending<O, OUT>,
    receiving: Receiving<IN>,
    ours: Mark,
    theirs: Mark,
    /// The nonce of the boot that this side is in a session with.
    peer: Option<u32>,
    /// That of the last session.
    last_peer: Option<u32>,
    refused: Option<Versions>,
    due: Due,
    heard: Micros,
    spoke: Micros,
    greet: Micros,
    greeting: Micros,
    datagram_out: Option<Bytes>,
    datagrams_in: Entries<DATAGRAMS>,
    news: Deque<News, MOST_NEWS>,
    counters: Counters,
    frame: [u8; LONGEST_FRAME],
    side: PhantomData<S>,
}

/// What is to be said.
#[derive(Debug, Default)]
struct Due {
    hello: bool,
    refusal: bool,
    tidings: bool,
}

impl<S: Side, O: BorrowMut<Outbox<OUT>>, const OUT: usize, const IN: usize> Session<S, O, OUT, IN> {
    /// That of a boot. `nonce` is random and new; `cursor` is what was stored with the last message that was accepted.
    ///
    /// It says hello at once.
    pub fn new(nonce: u32, outbox: O, cursor: Option<Cursor>, now: Micros) -> Self {
        Self {
            reader: FrameReader::new(),
            sending: Sending::new(outbox),
            receiving: Receiving::new(cursor),
            ours: Mark { nonce, handshake: 1 },
            theirs: Mark::default(),
            peer: None,
            last_peer: None,
            refused: None,
            due: Due::default(),
            heard: now,
            spoke: now,
            greet: now,
            greeting: FIRST_GREETING,
            datagram_out: None,
            datagrams_in: Entries::new(),
            news: Deque::new(),
            counters: Counters::default(),
            frame: [0; LONGEST_FRAME],
            side: PhantomData,
        }
    }

    /// Puts a message into the outbox. It is sent until the other side's application accepted it, over any number of
    /// reboots if the outbox is kept.
    ///
    /// # Errors
    /// [`SendError`]; the message was not taken then.
    pub fn send(&mut self, message: &S::Says) -> Result<Id, SendError> {
        self.sending.push(&message.encode())
    }

    /// Says something once, when the line has nothing better to do: it may be lost.
    ///
    /// # Errors
    /// [`SendError::Full`] while the one before was not sent, or the link is down.
    pub fn send_datagram(&mut self, message: &S::Says) -> Result<(), SendError> {
        if self.peer.is_none() || self.datagram_out.is_some() {
            return Err(SendError::Full);
        }
        self.datagram_out = Some(message.encode());
        Ok(())
    }

    /// Bytes came from the line. Events are best taken after each call: what finds the inbox full is sent again later.
    pub fn handle(&mut self, bytes: &[u8], now: Micros) {
        for byte in bytes {
            let Some(content) = self.reader.take(*byte) else { continue };
            match S::ROLE.read(content) {
                Ok(Packet::Hello(hello)) => self.handle_hello(&hello, now),
                Ok(Packet::Refusal(theirs)) => self.refuse(theirs),
                Ok(Packet::Session(tag, tidings, cargo)) => {
                    if self.peer.map(|peer| S::ROLE.tag(self.ours.nonce, peer)) != Some(tag) {
                        self.counters.stale = self.counters.stale.saturating_add(1);
                        continue;
                    }
                    self.heard = now;
                    self.due.hello |= !self.sending.handle(tidings, now);
                    match cargo {
                        Cargo::Nothing => {}
                        Cargo::Messages(number, entries) => {
                            self.receiving.handle(number, entries, &mut self.counters);
                            self.due.tidings = true;
                        }
                        Cargo::Datagram(message) => {
                            let counter = match S::Hears::decode(message) {
                                Err(_) => &mut self.counters.skipped,
                                Ok(_) if self.datagrams_in.push(message).is_some() => continue,
                                Ok(_) => &mut self.counters.crowded,
                            };
                            *counter = counter.saturating_add(1);
                        }
                    }
                }
                Err(NotForUs::Foreign(theirs)) => {
                    self.due.refusal = true;
                    self.refuse(theirs);
                }
                Err(NotForUs::Echo) => self.counters.echoes = self.counters.echoes.saturating_add(1),
                Err(NotForUs::Malformed) => {
                    self.counters.malformed = self.counters.malformed.saturating_add(1);
                }
            }
        }
    }

    /// The next frame for the line, zeros and all. Time counts from here: ask when the line can take it.
    pub fn poll_output(&mut self, now: Micros) -> Option<&[u8]> {
        if core::mem::take(&mut self.due.refusal) {
            return frame::write(&[&S::ROLE.refusal(SPOKEN)], &mut self.frame);
        }
        if core::mem::take(&mut self.due.hello) {
            let hello = S::ROLE.hello(&self.hello());
            return frame::write(&[&hello], &mut self.frame);
        }
        let tag = S::ROLE.tag(self.ours.nonce, self.peer?);
        let opened = self.receiving.has_opened();
        let (cargo, bytes) = if let Some((number, run)) = self.sending.poll(now) {
            (Cargo::Messages(number, run), run)
        } else if let Some(message) = self.datagram_out.as_deref() {
            (Cargo::Datagram(message), message)
        } else if self.due.tidings || opened {
            (Cargo::Nothing, [].as_slice())
        } else {
            return None;
        };
        let head = S::ROLE.head(tag, self.receiving.tidings(), cargo);
        let frame = frame::write(&[&head, bytes], &mut self.frame);
        if let Cargo::Datagram(_) = cargo {
            self.datagram_out = None;
        }
        self.due.tidings = false;
        self.spoke = now;
        frame
    }

    /// When [`Session::handle_timeout`] wants to be called at the latest.
    #[must_use]
    pub fn poll_timeout(&self) -> Micros {
        if self.peer.is_none() {
            return self.greet;
        }
        let silent = self.heard.saturating_add(GONE_AFTER).min(self.spoke.saturating_add(KEEP_ALIVE));
        self.sending.poll_timeout().map_or(silent, |overdue| overdue.min(silent))
    }

    /// Time went by. [`Session::poll_output`] may have something then.
    pub fn handle_timeout(&mut self, now: Micros) {
        if self.peer.is_some() && now >= self.heard.saturating_add(GONE_AFTER) {
            self.hang_up(now);
            self.tell(News::Gone);
        }
        if self.peer.is_none() {
            if now >= self.greet {
                self.due.hello = true;
                self.greet = now.saturating_add(self.greeting);
                self.greeting = self.greeting.saturating_mul(2).min(LAST_GREETING);
            }
            return;
        }
        self.sending.handle_timeout(now);
        if now >= self.spoke.saturating_add(KEEP_ALIVE) {
            self.due.tidings = true;
            self.spoke = now;
        }
    }

    /// What happened next.
    pub fn poll_event(&mut self) -> Option<Event<S::Hears>> {
        if let Some(news) = self.news.pop_front() {
            return Some(Event::News(news));
        }
        let datagram = self.datagrams_in.first().and_then(|bytes| S::Hears::decode(bytes).ok());
        self.datagrams_in.pop(1);
        if let Some(message) = datagram {
            return Some(Event::Datagram(message));
        }
        let (id, bytes) = self.receiving.poll()?;
        Some(match S::Hears::decode(&bytes) {
            Ok(message) => Event::Message { id, message },
            Err(why) => {
                self.counters.skipped = self.counters.skipped.saturating_add(1);
                Event::Skipped { id, why }
            }
        })
    }

    /// The application has stored what follows from this message, and from all before it, together with the
    /// [`Cursor`] that says so. False if it never got it in this boot: then nothing changes.
    pub fn accept(&mut self, id: Id) -> bool {
        let accepted = self.receiving.accept(id);
        self.due.tidings |= accepted;
        accepted
    }

    /// Whether the other side is there.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.peer.is_some()
    }

    /// How far the other side's stream is accepted; to be stored when a stream begins, too.
    #[must_use]
    pub fn cursor(&self) -> Option<Cursor> {
        self.receiving.cursor()
    }

    /// What is to be kept over a reboot.
    #[must_use]
    pub fn outbox(&self) -> &Outbox<OUT> {
        self.sending.outbox()
    }

    /// Ends the session and gives the outbox back.
    #[must_use]
    pub fn into_outbox(self) -> O {
        self.sending.into_outbox()
    }

    /// What was counted.
    #[must_use]
    pub fn counters(&self) -> Counters {
        Counters { dropped: self.reader.dropped(), again: self.sending.again(), ..self.counters }
    }

    fn tell(&mut self, news: News) {
        if self.news.is_full() {
            self.news.pop_front();
            self.counters.unheard = self.counters.unheard.saturating_add(1);
        }
        // There is room now.
        let _ = self.news.push_back(news);
    }
}
