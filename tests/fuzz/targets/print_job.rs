//! A conversation about a print job: what the printer says, what the transport takes, time and a broken connection, in any
//! order. An outcome is never claimed that nobody saw, and there always is one in the end.
#![no_main]

use std::time::Duration;

use device_drivers::{Moment, Outcome, Patience, Session};
use libfuzzer_sys::fuzz_target;

/// A byte that stands in jobs here, and in nothing else that is sent.
const JOB: u8 = 0xaa;
const LENGTH: usize = 40;

fuzz_target!(|input: &[u8]| {
    let Some((first, mut rest)) = input.split_first() else { return };
    let operator = Duration::from_secs(u64::from(first >> 1 & 1) * 60);
    let answers = first & 1 == 0;
    let mut now = Moment::default();
    let mut session = Session::new(vec![JOB; LENGTH], answers, Patience::default(), operator, now);
    let (mut sent, mut in_order) = (0, false);
    while let [what, amount, more @ ..] = rest {
        rest = more;
        let amount = usize::from(*amount);
        match what & 3 {
            0 => {
                let output = session.poll_output();
                let taken = amount.min(output.len());
                sent += output[..taken].iter().filter(|byte| **byte == JOB).count();
                session.taken(taken, now);
            }
            1 => {
                let (said, after) = rest.split_at(amount.min(8).min(rest.len()));
                in_order |= sent == LENGTH && said.iter().any(|byte| byte & 0x90 == 0);
                session.handle_input(said, now);
                rest = after;
            }
            2 => {
                now = now.max(session.poll_timeout()).max(now + Duration::from_millis(amount as u64));
                session.handle_timeout(now);
            }
            _ if amount == 0 => session.handle_lost("unplugged".into()),
            _ => {
                now += Duration::from_millis(amount as u64);
                session.handle_timeout(now);
            }
        }
        check(&session, sent, in_order);
    }
    // Nothing comes any more, and nothing is taken: only time goes by.
    for _ in 0..10_000 {
        if session.outcome().is_some() {
            return;
        }
        now = now.max(session.poll_timeout());
        session.handle_timeout(now);
        check(&session, sent, in_order);
    }
    panic!("it never ends");
});

fn check(session: &Session, sent: usize, in_order: bool) {
    match session.outcome() {
        None => {}
        Some(Outcome::Printed) => assert!(sent == LENGTH && in_order, "nobody said so"),
        Some(Outcome::NotPrinted { .. }) => assert_eq!(sent, 0, "bytes of it were sent"),
        Some(Outcome::Unknown { .. }) => {}
    }
    assert!(session.outcome().is_none() || session.poll_output().is_empty());
}
