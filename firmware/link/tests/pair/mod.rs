//! Two ends, two cables, and time that only the test moves.

pub(crate) mod cable;
pub(crate) mod end;
pub(crate) mod random;

use pos_link::{Controller, Host};

use cable::{Cable, Faults};
use end::{Counting, Cut, End, Kept};
use random::Random;

/// A stop of so long without a single message is a stop for ever, microseconds.
const STUCK: u64 = 120_000_000;

pub(crate) struct Pair {
    pub(crate) controller: End<Controller, 2048, 512>,
    pub(crate) host: End<Host, 2048, 2048>,
    up: Cable,
    down: Cable,
    pub(crate) now: u64,
    faults: Faults,
    reboots: Reboots,
    random: Random,
    last_progress: (u32, u64),
}

/// How often power goes while a message is taken in, of a thousand messages, and how much of that loses the memory, of a thousand.
/// It goes about as often again at other moments.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Reboots {
    pub(crate) often: u64,
    pub(crate) no_outbox: u64,
    pub(crate) no_cursor: u64,
}

impl Pair {
    pub(crate) fn new(faults: Faults, reboots: Reboots, mut random: Random) -> Self {
        let mut controller = End::new(&mut random);
        let mut host = End::new(&mut random);
        (controller.may_miss, host.may_miss) = (reboots.no_outbox > 0, reboots.no_outbox > 0);
        let (up, down) = (Cable::default(), Cable::default());
        Self { controller, host, up, down, now: 0, faults, reboots, random, last_progress: (0, 0) }
    }

    /// Until each side heard all numbers below `each` of the other.
    pub(crate) fn run(&mut self, each: u32) {
        while !self.is_done(each) {
            self.step(each);
            let progress = self.controller.heard.wrapping_add(self.host.heard);
            if progress != self.last_progress.0 {
                self.last_progress = (progress, self.now);
            }
            let since = self.now - self.last_progress.1;
            assert!(
                since < STUCK,
                "stuck at {} and {}: {:?} {:?}",
                self.controller.heard,
                self.host.heard,
                self.controller.session,
                self.host.session
            );
        }
    }

    fn is_done(&self, each: u32) -> bool {
        let all = |said, heard: u32, may_miss| said == each && (heard == each || may_miss);
        let kept = |first: Option<&[u8]>| first.is_some_and(<[u8]>::is_empty);
        all(self.controller.said, self.host.heard, self.host.may_miss)
            && all(self.host.said, self.controller.heard, self.controller.may_miss)
            && kept(self.controller.session.as_ref().map(|session| session.outbox().as_bytes()))
            && kept(self.host.session.as_ref().map(|session| session.outbox().as_bytes()))
    }

    fn step(&mut self, each: u32) {
        let Self { controller, host, up, down, now, faults, reboots, random, .. } = self;
        let one = turn(controller, down, up, *now, each, faults, reboots, random);
        let other = turn(host, up, down, *now, each, faults, reboots, random);
        // Never twice the same moment: what stands still must show.
        *now = one.min(other).max(*now + 1);
    }
}

/// Does what an end does now, and says when it wants to do something next.
#[expect(clippy::too_many_arguments, reason = "all that there is in this world")]
fn turn<S: Counting, const OUT: usize, const IN: usize>(
    end: &mut End<S, OUT, IN>,
    from: &mut Cable,
    to: &mut Cable,
    now: u64,
    each: u32,
    faults: &Faults,
    reboots: &Reboots,
    random: &mut Random,
) -> u64 {
    if end.session.is_none() {
        // Nobody listens.
        while from.arrived(now).is_some() {}
        if now < end.back_at {
            return end.back_at;
        }
        end.boot(now, random);
    }
    while let Some(bytes) = from.arrived(now) {
        if let Some(session) = &mut end.session {
            session.handle(&bytes, now);
        }
    }
    if let Some(session) = &mut end.session
        && session.poll_timeout() <= now
    {
        session.handle_timeout(now);
    }
    end.say(random.below(4), each);
    let cut = |random: &mut Random| match random.permille(reboots.often) {
        false => Cut::Never,
        true => [Cut::BeforeStored, Cut::BeforeAccepted, Cut::AfterAccepted][random.below(3) as usize],
    };
    let in_application = end.take_in(cut, random) != Cut::Never;
    // Or at any other moment; greetings are rare, and have their share.
    let up = end.session.as_ref().is_some_and(|session| session.is_up());
    let elsewhere = random.permille(reboots.often) && random.permille(if up { 50 } else { 400 });
    if in_application || elsewhere {
        let kept = match random.below(1_000) {
            chance if chance < reboots.no_outbox => Kept::NoOutbox,
            chance if chance < reboots.no_outbox + reboots.no_cursor => Kept::NoCursor,
            _ => Kept::All,
        };
        // From a watchdog's reset to a box that is updated.
        let longest = [1_000, 100_000, 3_000_000][random.below(3) as usize];
        let back_at = now + random.below(longest);
        to.cut(now, random);
        end.cut(kept, back_at, random);
        return back_at;
    }
    let Some(session) = &mut end.session else { return end.back_at };
    if to.free_at() <= now
        && let Some(frame) = session.poll_output(now)
    {
        to.write(frame, now, faults, random);
    }
    let mut next = session.poll_timeout();
    next = from.next_arrival().map_or(next, |at| at.min(next));
    if to.free_at() > now {
        next = next.min(to.free_at());
    }
    // Applications look again soon: they are slow at times, and have more to say.
    let busy = end.has_pending() || end.said < each;
    if busy { next.min(now + 2_000) } else { next.min(now + 100_000) }
}
