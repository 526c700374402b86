//! Bytes of the link's line, in pieces, with time between them, into both ends. Whatever came, a session begins, and
//! a message goes through once.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pos_link::{
    Controller, Cursor, Event, Host, LONGEST_FRAME, Outbox, Session, Side, StreamId, ToController, ToHost,
    write_frame,
};

type End<S> = Session<S, Outbox<512>, 512, 256>;

fuzz_target!(|input: &[u8]| {
    let mut scanner: End<Controller> = Session::new(1, Outbox::new(StreamId(1)), None, 0);
    let cursor = Cursor { stream: StreamId(1), accepted: 0 };
    let mut daemon: End<Host> = Session::new(2, Outbox::new(StreamId(2)), Some(cursor), 0);
    scanner.send(&ToHost::UpdateProgress { stored: 7 }).unwrap();
    daemon.send(&ToController::Reboot).unwrap();
    let (mut now, mut rest) = (0, input);
    // What to do, a length and a pause, then so many bytes.
    while let [what, length, pause, more @ ..] = rest {
        let (bytes, after) = more.split_at(more.len().min(usize::from(*length)));
        rest = after;
        now += u64::from(*pause) * 10_000;
        // As they are, or as a frame's content: a fuzzer does not find checksums.
        let mut frame = [0; LONGEST_FRAME];
        let bytes = if what & 1 == 1 { bytes } else { write_frame(&[bytes], &mut frame).unwrap_or_default() };
        if what & 2 == 0 {
            scanner.handle(bytes, now);
        } else {
            daemon.handle(bytes, now);
        }
        if what & 4 == 4 {
            turn(&mut scanner, &mut daemon, now);
            turn(&mut daemon, &mut scanner, now);
        }
        if what & 8 == 8 {
            take(&mut scanner);
            take(&mut daemon);
        }
    }
    // The rest of a torn frame ends here. What was made up may have begun a stream, or a session that has to end first.
    scanner.handle(&[0], now);
    daemon.handle(&[0], now);
    for _ in 0..400 {
        now += 25_000;
        turn(&mut scanner, &mut daemon, now);
        turn(&mut daemon, &mut scanner, now);
        take(&mut scanner);
        take(&mut daemon);
    }
    assert!(scanner.is_up() && daemon.is_up(), "{scanner:?} {daemon:?}");
});

fn turn<A: Side, B: Side>(from: &mut End<A>, to: &mut End<B>, now: u64) {
    if from.poll_timeout() <= now {
        from.handle_timeout(now);
    }
    for _ in 0..8 {
        let Some(frame) = from.poll_output(now) else { return };
        assert!(frame.len() <= LONGEST_FRAME && frame.first() == Some(&0) && frame.last() == Some(&0));
        to.handle(frame, now);
    }
}

fn take<S: Side>(end: &mut End<S>) {
    while let Some(event) = end.poll_event() {
        if let Event::Message { id, .. } | Event::Skipped { id, .. } = event {
            assert!(end.accept(id), "what was handed out may be accepted");
        }
    }
    assert!(end.outbox().as_bytes().len() <= 512);
}
