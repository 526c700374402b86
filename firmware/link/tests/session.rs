//! What a session does in each case that has a name, frame by frame.

#![allow(missing_docs, clippy::panic, clippy::unwrap_used, reason = "a test")]

use pos_link::{
    Controller, Counters, Cursor, Event, GONE_AFTER, Host, Id, Identity, KEEP_ALIVE, Kind, LONGEST_FRAME,
    Level, Message, News, Outbox, SendError, Session, Side, Stamp, StreamId, Tally, ToController, ToHost,
    Unread, Version, Versions, write_frame,
};

const MS: u64 = 1_000;

type Scanner = Session<Controller, Outbox<512>, 512, 256>;
type Daemon = Session<Host, Outbox<512>, 512, 256>;
type Frames = Vec<Vec<u8>>;

fn scanner(nonce: u32, outbox: Outbox<512>) -> Scanner {
    Session::new(nonce, outbox, None, 0)
}

fn daemon(nonce: u32, cursor: Option<Cursor>) -> Daemon {
    Session::new(nonce, Outbox::new(StreamId(nonce)), cursor, 0)
}

fn outbox(stream: u32) -> Outbox<512> {
    Outbox::new(StreamId(stream))
}

fn said<S: Side>(session: &mut Session<S, Outbox<512>, 512, 256>, now: u64) -> Frames {
    if session.poll_timeout() <= now {
        session.handle_timeout(now);
    }
    std::iter::from_fn(|| session.poll_output(now).map(<[u8]>::to_vec)).collect()
}

/// Hands over what both say until they are silent. Gives how many frames that took.
fn talk(scanner: &mut Scanner, daemon: &mut Daemon, now: u64) -> usize {
    let mut count = 0;
    loop {
        let (up, down) = (said(scanner, now), said(daemon, now));
        if up.is_empty() && down.is_empty() {
            return count;
        }
        count += up.len() + down.len();
        assert!(count < 100, "they never stop");
        up.iter().for_each(|frame| daemon.handle(frame, now));
        down.iter().for_each(|frame| scanner.handle(frame, now));
    }
}

fn news<S: Side>(session: &mut Session<S, Outbox<512>, 512, 256>) -> Vec<News> {
    let events = std::iter::from_fn(|| session.poll_event());
    events.filter_map(|event| if let Event::News(news) = event { Some(news) } else { None }).collect()
}

fn progress(stored: u32) -> ToHost {
    ToHost::UpdateProgress { stored }
}

/// All that came, each accepted.
fn heard(daemon: &mut Daemon) -> Vec<u32> {
    let mut heard = Vec::new();
    while let Some(event) = daemon.poll_event() {
        if let Event::Message { id, message: ToHost::UpdateProgress { stored } } = event {
            heard.push(stored);
            assert!(daemon.accept(id));
        }
    }
    heard
}

fn up(boot: u32, rebooted: bool) -> News {
    News::Up { boot, rebooted }
}

#[test]
fn two_hellos_and_an_answer_begin_a_session() {
    let (mut scanner, mut daemon) = (scanner(1, outbox(1)), daemon(2, None));
    let hello = said(&mut scanner, 0);
    assert_eq!(hello.len(), 1);
    daemon.handle(&hello[0], 0);
    let answer = said(&mut daemon, 0);
    scanner.handle(&answer[0], 0);
    assert!(scanner.is_up() && !daemon.is_up());
    let end = said(&mut scanner, 0);
    daemon.handle(&end[0], 0);
    assert!(daemon.is_up());
    assert_eq!((hello.len(), answer.len(), end.len()), (1, 1, 1));
    let began = |stream| News::StreamBegan { stream: StreamId(stream), was: None };
    assert_eq!(news(&mut scanner), [up(2, false), began(2)]);
    assert_eq!(news(&mut daemon), [up(1, false), began(1)]);
    assert_eq!(talk(&mut scanner, &mut daemon, 1), 0, "nothing more to say");
}

#[test]
fn a_message_stays_in_the_outbox_until_the_application_accepted_it() {
    let (mut scanner, mut daemon) = (scanner(1, outbox(1)), daemon(2, None));
    let id = scanner.send(&progress(7)).unwrap();
    talk(&mut scanner, &mut daemon, 0);
    news(&mut scanner);
    assert!(!daemon.accept(id), "it was not handed out");
    let events: Vec<_> = std::iter::from_fn(|| daemon.poll_event()).collect();
    assert_eq!(events[2..], [Event::Message { id, message: progress(7) }]);
    talk(&mut scanner, &mut daemon, 1);
    assert_eq!((scanner.outbox().first(), scanner.counters().again), (1, 0));
    assert!(!daemon.accept(Id { stream: StreamId(9), ..id }) && !daemon.accept(Id { number: 2, ..id }));
    assert!(daemon.accept(id) && daemon.accept(id));
    talk(&mut scanner, &mut daemon, 2);
    assert_eq!((scanner.outbox().first(), scanner.outbox().as_bytes().len()), (2, 0));
    assert_eq!(daemon.cursor(), Some(Cursor { stream: StreamId(1), accepted: 1 }));
}

#[test]
fn who_is_silent_is_gone_and_comes_back_without_a_reboot() {
    let (mut scanner, mut daemon) = (scanner(1, outbox(1)), daemon(2, None));
    talk(&mut scanner, &mut daemon, 0);
    for time in 1..=20 {
        talk(&mut scanner, &mut daemon, time * KEEP_ALIVE);
    }
    assert_eq!(news(&mut scanner)[0], up(2, false));
    assert_eq!(news(&mut scanner), [], "it is there all the time");
    let now = 20 * KEEP_ALIVE + GONE_AFTER;
    said(&mut scanner, now - 1);
    assert!(scanner.is_up());
    said(&mut scanner, now);
    assert_eq!((scanner.is_up(), news(&mut scanner)), (false, vec![News::Gone]));
    news(&mut daemon);
    // The daemon heard nothing of it: it is asked, and answers.
    talk(&mut scanner, &mut daemon, now + LONG);
    assert_eq!(news(&mut scanner), [up(2, false)]);
    assert!(daemon.is_up());
}

const LONG: u64 = 1_000 * MS;

#[test]
fn a_reboot_is_seen_at_once() {
    let (mut scanner, mut old) = (scanner(1, outbox(1)), daemon(2, None));
    talk(&mut scanner, &mut old, 0);
    news(&mut scanner);
    let cursor = old.cursor();
    let mut new = daemon(3, cursor);
    talk(&mut scanner, &mut new, 10 * MS);
    assert_eq!(news(&mut scanner)[0], up(3, true));
    assert_eq!(news(&mut new), [up(1, false)], "its cursor holds");
}

#[test]
fn a_hello_of_a_boot_that_is_over_begins_nothing() {
    let (mut daemon, mut old) = (daemon(2, None), scanner(1, outbox(1)));
    old.send(&progress(1)).unwrap();
    said(&mut old, 0).iter().for_each(|frame| daemon.handle(frame, 0));
    said(&mut daemon, 0).iter().for_each(|frame| old.handle(frame, 0));
    // What would begin a session comes late.
    let late = said(&mut old, 1);
    assert_eq!(late.len(), 2, "a hello and the message");
    // Meanwhile another boot takes its place, without its outbox.
    let mut new = scanner(5, outbox(5));
    talk(&mut new, &mut daemon, 3);
    assert_eq!(news(&mut daemon)[0], up(5, false));
    late.iter().for_each(|frame| daemon.handle(frame, 4));
    assert_eq!((news(&mut daemon), daemon.counters().stale), (vec![], 1));
    new.send(&progress(2)).unwrap();
    talk(&mut new, &mut daemon, 5);
    assert_eq!(heard(&mut daemon), [2]);
    assert_eq!(daemon.cursor(), Some(Cursor { stream: StreamId(5), accepted: 1 }));
}

#[test]
fn who_lost_its_cursor_is_told_where_the_outbox_begins_now() {
    let (mut scanner, mut old) = (scanner(1, outbox(1)), daemon(2, None));
    for stored in 1..=3 {
        scanner.send(&progress(stored)).unwrap();
    }
    talk(&mut scanner, &mut old, 0);
    assert_eq!(heard(&mut old), [1, 2, 3]);
    let late = said(&mut old, 0);
    // A new box greets and is greeted before what the old one said last comes.
    let mut new = daemon(3, None);
    let greeting = said(&mut new, 1);
    greeting.iter().for_each(|frame| scanner.handle(frame, 1));
    let answer = said(&mut scanner, 1);
    late.iter().for_each(|frame| scanner.handle(frame, 1));
    assert_eq!(scanner.outbox().first(), 4);
    answer.iter().for_each(|frame| new.handle(frame, 1));
    scanner.send(&progress(4)).unwrap();
    talk(&mut scanner, &mut new, 2);
    talk(&mut scanner, &mut new, 400 * MS);
    let mut came = Vec::new();
    while let Some(event) = new.poll_event() {
        came.push(event);
    }
    assert!(came.contains(&Event::News(News::Gap { missing: 3 })), "{came:?}");
    assert!(matches!(came.last(), Some(Event::Message { id: Id { number: 4, .. }, .. })), "{came:?}");
}

#[test]
fn an_older_cursor_is_told_what_it_misses() {
    let (mut scanner, mut old) = (scanner(1, outbox(1)), daemon(2, None));
    for stored in 1..=3 {
        scanner.send(&progress(stored)).unwrap();
    }
    talk(&mut scanner, &mut old, 0);
    heard(&mut old);
    talk(&mut scanner, &mut old, 0);
    let mut restored = daemon(3, Some(Cursor { stream: StreamId(1), accepted: 1 }));
    scanner.send(&progress(4)).unwrap();
    talk(&mut scanner, &mut restored, 1);
    assert_eq!(restored.poll_event(), Some(Event::News(up(1, false))));
    assert_eq!(restored.poll_event(), Some(Event::News(News::Gap { missing: 2 })));
    assert_eq!(heard(&mut restored), [4]);
}

#[test]
fn an_outbox_that_is_not_the_last_one_goes_on_as_a_new_stream() {
    let (mut before, mut daemon) = (scanner(1, outbox(1)), daemon(2, None));
    before.send(&progress(1)).unwrap();
    let copy = before.outbox().clone();
    before.send(&progress(2)).unwrap();
    talk(&mut before, &mut daemon, 0);
    assert_eq!(heard(&mut daemon), [1, 2]);
    talk(&mut before, &mut daemon, 0);
    let mut restored = scanner(9, copy);
    // Before the other side was heard: its number is that of a message which the copy does not know.
    restored.send(&progress(3)).unwrap();
    talk(&mut restored, &mut daemon, 1);
    let told = news(&mut restored);
    assert!(told.contains(&News::OutboxStale), "{told:?}");
    assert_eq!(heard(&mut daemon), [3], "neither lost nor taken for the second");
    talk(&mut restored, &mut daemon, 2);
    assert!(restored.outbox().as_bytes().is_empty());
    assert_ne!(restored.outbox().stream(), StreamId(1));
}

#[test]
fn what_waits_of_a_stream_that_ended_is_not_taken_for_the_next_one() {
    let (mut old, mut daemon) = (scanner(1, outbox(1)), daemon(2, None));
    old.send(&progress(1)).unwrap();
    talk(&mut old, &mut daemon, 0);
    let mut new = scanner(5, outbox(5));
    new.send(&progress(2)).unwrap();
    talk(&mut new, &mut daemon, 1);
    talk(&mut new, &mut daemon, 400 * MS);
    let was = Some(Cursor { stream: StreamId(1), accepted: 0 });
    let began = Event::News(News::StreamBegan { stream: StreamId(5), was });
    let events: Vec<_> = std::iter::from_fn(|| daemon.poll_event()).collect();
    let id = Id { stream: StreamId(5), number: 1 };
    assert_eq!(events[events.len() - 2..], [began, Event::Message { id, message: progress(2) }]);
}

#[test]
fn a_full_inbox_stops_the_sender_and_an_empty_one_lets_it_go_on() {
    let (mut scanner, mut daemon) = (scanner(1, outbox(1)), daemon(2, None));
    let mut sent = 0;
    while scanner.send(&progress(sent)) != Err(SendError::Full) {
        sent += 1;
    }
    assert!(sent > 80, "{sent}");
    talk(&mut scanner, &mut daemon, 0);
    assert_eq!(daemon.counters().untimely, 0, "never more than there is room for");
    let mut all = Vec::new();
    for time in 1..10 {
        // No timer rings in this time, and nothing is accepted.
        while let Some(event) = daemon.poll_event() {
            all.extend(if let Event::Message { id, message } = event { Some((id, message)) } else { None });
        }
        talk(&mut scanner, &mut daemon, time);
    }
    assert!(daemon.accept(all.last().unwrap().0));
    talk(&mut scanner, &mut daemon, 10);
    assert!(scanner.outbox().as_bytes().is_empty());
    let all: Vec<_> = all.into_iter().map(|(_, message)| message).collect();
    assert_eq!(all, (0..sent).map(progress).collect::<Vec<_>>());
    assert_eq!(scanner.counters().again, 0);
}

#[test]
fn what_was_lost_is_sent_again_and_waited_for_longer_each_time() {
    let (mut scanner, mut daemon) = (scanner(1, outbox(1)), daemon(2, None));
    talk(&mut scanner, &mut daemon, 0);
    scanner.send(&progress(1)).unwrap();
    let mut at = Vec::new();
    for now in 0..1_900 {
        let frames = said(&mut scanner, now * MS);
        // Tidings are shorter.
        at.extend(frames.iter().filter(|frame| frame.len() > 22).map(|_| now));
    }
    assert_eq!(at, [0, 300, 900]);
}

#[test]
fn versions_without_one_in_common_are_refused_and_both_can_say_so() {
    let mut daemon = daemon(2, None);
    let mut frame = [0; LONGEST_FRAME];
    said(&mut daemon, 0);
    let future = write_frame(&[&[0x01, 2, 3], b"what a hello is like then"], &mut frame).unwrap().to_vec();
    daemon.handle(&future, 0);
    daemon.handle(&future, 0);
    let refused = News::Refused { theirs: Versions { lowest: 2, highest: 3 } };
    assert_eq!(news(&mut daemon), [refused], "once");
    let refusal = write_frame(&[&[0x82, 1, 1]], &mut frame).unwrap().to_vec();
    assert_eq!(said(&mut daemon, 1), std::slice::from_ref(&refusal));
    let mut scanner = scanner(1, outbox(1));
    scanner.handle(&refusal, 1);
    assert_eq!(news(&mut scanner), [News::Refused { theirs: Versions { lowest: 1, highest: 1 } }]);
    assert!(!scanner.is_up() && !daemon.is_up());
}

#[test]
fn a_line_that_echoes_is_known_by_it() {
    let mut scanner = scanner(1, outbox(1));
    let hello = said(&mut scanner, 0);
    hello.iter().for_each(|frame| scanner.handle(frame, 0));
    assert_eq!((scanner.is_up(), scanner.counters()), (false, Counters { echoes: 1, ..Counters::default() }));
}

#[test]
fn a_datagram_comes_once_or_never() {
    let (mut scanner, mut daemon) = (scanner(1, outbox(1)), daemon(2, None));
    let line =
        |text: &str| ToHost::Log { level: Level::Info, text: heapless::String::try_from(text).unwrap() };
    assert_eq!(scanner.send_datagram(&line("too early")), Err(SendError::Full));
    talk(&mut scanner, &mut daemon, 0);
    news(&mut daemon);
    assert_eq!(scanner.send_datagram(&line("one")), Ok(()));
    assert_eq!(scanner.send_datagram(&line("two")), Err(SendError::Full));
    talk(&mut scanner, &mut daemon, 1);
    assert_eq!(daemon.poll_event(), Some(Event::Datagram(line("one"))));
    // Those that may come in one go, and one more.
    let identity = Identity {
        kind: Kind::Scanner,
        hardware: [1; 8],
        firmware: Version { major: 1, minor: 2, patch: 3 },
        key: [4; 16],
    };
    let counters = ToHost::Counters { at: Stamp::default(), tally: Tally::default() };
    let long = line("0123456789".repeat(12).as_str());
    for said in [
        &ToHost::Identity(identity),
        &counters,
        &long,
        &line("one too many, by which there are more than fit"),
    ] {
        scanner.send_datagram(said).unwrap();
        talk(&mut scanner, &mut daemon, 2);
    }
    for said in [ToHost::Identity(identity), counters, long] {
        assert_eq!(daemon.poll_event(), Some(Event::Datagram(said)));
    }
    assert_eq!(daemon.poll_event(), None);
    assert_eq!(daemon.counters().crowded, 1);
}

/// A controller of the future, which says what nobody knows yet.
enum Future {}

#[derive(Debug)]
struct Unheard;

impl Message for Unheard {
    fn encode(&self) -> pos_link::Bytes {
        pos_link::Bytes::from_slice(&[0x7e, 1, 2, 3]).unwrap()
    }

    fn decode(_: &[u8]) -> Result<Self, Unread> {
        Ok(Self)
    }
}

impl Side for Future {
    const ROLE: pos_link::Role = pos_link::Role::Controller;
    type Says = Unheard;
    type Hears = ToController;
}

#[test]
fn a_message_of_a_later_version_is_skipped_counted_and_accepted_as_any_other() {
    let mut scanner = Session::<Future, Outbox<512>, 512, 256>::new(1, outbox(1), None, 0);
    let mut daemon = daemon(2, None);
    let id = scanner.send(&Unheard).unwrap();
    for now in 0..4 {
        said(&mut scanner, now).iter().for_each(|frame| daemon.handle(frame, now));
        said(&mut daemon, now).iter().for_each(|frame| scanner.handle(frame, now));
    }
    let events: Vec<_> = std::iter::from_fn(|| daemon.poll_event()).collect();
    assert_eq!(events[2..], [Event::Skipped { id, why: Unread::Unknown(0x7e) }]);
    assert_eq!(daemon.counters().skipped, 1);
    assert!(daemon.accept(id));
    said(&mut daemon, 5).iter().for_each(|frame| scanner.handle(frame, 5));
    assert_eq!(scanner.outbox().first(), 2);
}
