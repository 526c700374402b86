//! The specification of the link: two peers on a bad line, in virtual time, rebooting at any moment. All is delivered once
//! and in order.
//!
//! `TILLBOX_LINK_MESSAGES=1000000` makes it the long campaign, `TILLBOX_SEED` repeats a run.

#![allow(missing_docs, clippy::panic, clippy::unwrap_used, reason = "a test")]

mod pair;

use pair::cable::Faults;
use pair::random::Random;
use pair::{Pair, Reboots};
use pos_link::News;

/// What was asked for: 5 % loss, 5 % flipped bits, and all else that lines do.
const BAD: Faults =
    Faults { lost: 50, flipped: 50, doubled: 20, reordered: 20, late: 5, torn: 10, garbage: 20, slipped: 10 };

fn messages() -> u32 {
    let given = std::env::var("TILLBOX_LINK_MESSAGES").ok().and_then(|count| count.parse().ok());
    given.unwrap_or(20_000)
}

#[test]
fn all_arrive_once_and_in_order_through_faults_and_reboots() {
    let reboots = Reboots { often: 10, ..Reboots::default() };
    let mut pair = Pair::new(BAD, reboots, Random::new());
    let each = messages() / 2;
    pair.run(each);
    assert_eq!((pair.controller.heard, pair.host.heard), (each, each));
    let rebooted = pair.controller.reboots + pair.host.reboots;
    println!("{} messages, {rebooted} reboots, {} s on the line", each * 2, pair.now / 1_000_000);
    assert!(rebooted >= each / 60, "{rebooted} reboots are too few");
    for news in pair.controller.news.iter().chain(&pair.host.news) {
        let wrong = match news {
            News::Gap { .. } | News::OutboxStale | News::Refused { .. } => true,
            News::StreamBegan { was, .. } => was.is_some(),
            News::Up { .. } | News::Gone => false,
        };
        assert!(!wrong, "nobody lost anything: {news:?}");
    }
}

#[test]
fn a_lost_outbox_loses_what_was_in_it_and_doubles_nothing() {
    let reboots = Reboots { often: 20, no_outbox: 300, no_cursor: 0 };
    let mut pair = Pair::new(BAD, reboots, Random::new());
    pair.run(messages() / 4);
    let began = pair.host.news.iter().filter(|news| matches!(news, News::StreamBegan { was: Some(_), .. }));
    assert!(began.count() > 0);
}

#[test]
fn a_lost_cursor_loses_nothing_and_is_told() {
    let reboots = Reboots { often: 20, no_outbox: 0, no_cursor: 300 };
    let mut pair = Pair::new(BAD, reboots, Random::new());
    let each = messages() / 4;
    pair.run(each);
    assert_eq!((pair.controller.heard, pair.host.heard), (each, each));
    let began = pair.host.news.iter().filter(|news| matches!(news, News::StreamBegan { was: None, .. }));
    assert!(began.count() > 1, "the first, and after each loss");
}

#[test]
fn a_good_line_repeats_nothing() {
    let mut pair = Pair::new(Faults::default(), Reboots::default(), Random::new());
    pair.run(2_000);
    for counters in
        [pair.controller.session.as_ref().unwrap().counters(), pair.host.session.as_ref().unwrap().counters()]
    {
        assert_eq!((counters.repeated, counters.stale, counters.malformed, counters.again), (0, 0, 0, 0));
        assert_eq!(counters.dropped, pos_link::Dropped::default());
    }
}
