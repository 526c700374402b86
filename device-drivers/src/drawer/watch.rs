//! Whether the drawer is open, from the level of its switch: a state machine without I/O.
//!
//! A contact bounces for some milliseconds whenever it closes or opens: only a level that stays counts, from when it began.
//! A drawer that opens without having been told to within the last moment was opened by hand, with a key or by force.
//!
//! The first level tells how the drawer is, but nothing that happened.

use core::time::Duration;

use heapless::Deque;

use crate::moment::Moment;

/// Events that wait to be taken; more are not kept.
const MOST_WAITING: usize = 64;

/// How the switch is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sensing {
    /// The level of the switch while the drawer is closed.
    pub closed_high: bool,
    /// How long a level must stay.
    pub debounce: Duration,
    /// How long after a command an opening is that command's.
    pub grace: Duration,
}

impl Default for Sensing {
    /// High while closed, 30 ms, 3 s.
    fn default() -> Self {
        Self { closed_high: true, debounce: Duration::from_millis(30), grace: Duration::from_secs(3) }
    }
}

/// What the drawer did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DrawerEvent {
    /// It was opened: because it was told to, or else without a command.
    Opened {
        /// Whether it had been told to within the last moment.
        commanded: bool,
    },
    /// It was closed.
    Closed,
}

/// Watches the switch.
#[derive(Debug)]
pub struct DrawerWatch {
    sensing: Sensing,
    open: Option<bool>,
    /// A state that may come, and since when.
    coming: Option<(bool, Moment)>,
    commanded: Option<Moment>,
    events: Deque<DrawerEvent, MOST_WAITING>,
}

impl DrawerWatch {
    /// A watch that knows nothing yet.
    #[must_use]
    pub fn new(sensing: Sensing) -> Self {
        Self { sensing, open: None, coming: None, commanded: None, events: Deque::new() }
    }

    /// The switch has this level; to be called for each change, or from time to time.
    pub fn handle(&mut self, level: bool, now: Moment) {
        self.handle_timeout(now);
        let open = level != self.sensing.closed_high;
        if self.open == Some(open) {
            self.coming = None;
        } else if self.coming.is_none_or(|(coming, _)| coming != open) {
            self.coming = Some((open, now));
            self.handle_timeout(now);
        }
    }

    /// The drawer is told to open now.
    pub fn commanded(&mut self, now: Moment) {
        self.commanded = Some(now);
    }

    /// When [`DrawerWatch::handle_timeout`] wants to be called, if the level stays.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Moment> {
        self.coming.map(|(_, since)| since + self.sensing.debounce)
    }

    /// Time went by, and the level stayed.
    pub fn handle_timeout(&mut self, now: Moment) {
        let stayed = |(_, since): &(bool, Moment)| now >= *since + self.sensing.debounce;
        let Some((open, since)) = self.coming.take_if(|coming| stayed(coming)) else { return };
        if self.open.replace(open).is_none() {
            return;
        }
        let asked = |at: Moment| since >= at && since.since(at) <= self.sensing.grace;
        let event = match open {
            true => DrawerEvent::Opened { commanded: self.commanded.is_some_and(asked) },
            false => DrawerEvent::Closed,
        };
        // What does not fit is not kept.
        let _ = self.events.push_back(event);
    }

    /// What happened next.
    pub fn poll_event(&mut self) -> Option<DrawerEvent> {
        self.events.pop_front()
    }

    /// Whether it is open; `None` until that is known.
    #[must_use]
    pub fn is_open(&self) -> Option<bool> {
        self.open
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    struct Desk {
        watch: DrawerWatch,
        now: Moment,
    }

    impl Desk {
        fn new(sensing: Sensing) -> Self {
            Self { watch: DrawerWatch::new(sensing), now: Moment::default() }
        }

        /// The switch changes to each level and stays so long.
        fn levels(&mut self, levels: &[(bool, u32)]) -> Vec<DrawerEvent> {
            for (level, ms) in levels {
                self.watch.handle(*level, self.now);
                self.now += MS * *ms;
            }
            self.watch.handle_timeout(self.now);
            std::iter::from_fn(|| self.watch.poll_event()).collect()
        }
    }

    #[test]
    fn a_bouncing_contact_is_one_event_from_when_it_came_to_rest() {
        let mut desk = Desk::new(Sensing::default());
        assert_eq!(desk.levels(&[(true, 100)]), []);
        assert_eq!(desk.watch.is_open(), Some(false));
        let bounce = [(false, 3), (true, 2), (false, 5), (true, 1), (false, 29)];
        assert_eq!(desk.levels(&bounce), []);
        assert_eq!(desk.watch.is_open(), Some(false), "not yet");
        assert_eq!(desk.levels(&[(false, 1)]), [DrawerEvent::Opened { commanded: false }]);
        assert_eq!(desk.levels(&[(true, 5), (false, 5), (true, 40)]), [DrawerEvent::Closed]);
        assert_eq!(desk.levels(&[(false, 29), (true, 100)]), [], "a knock");
        assert_eq!(desk.watch.poll_timeout(), None);
    }

    #[test]
    fn an_opening_belongs_to_a_command_only_for_a_moment_after_it() {
        for (after, commanded) in [(0, true), (3_000, true), (3_001, false)] {
            let mut desk = Desk::new(Sensing::default());
            desk.levels(&[(true, 100)]);
            desk.watch.commanded(desk.now);
            desk.now += MS * after;
            assert_eq!(desk.levels(&[(false, 30)]), [DrawerEvent::Opened { commanded }], "{after}");
        }
        // A command while it is open already explains nothing that was before.
        let mut desk = Desk::new(Sensing::default());
        desk.levels(&[(true, 100), (false, 10)]);
        desk.watch.commanded(desk.now);
        assert_eq!(desk.levels(&[(false, 30)]), [DrawerEvent::Opened { commanded: false }]);
    }

    #[test]
    fn either_level_can_be_the_closed_one_and_the_first_is_no_event() {
        for closed_high in [true, false] {
            let mut desk = Desk::new(Sensing { closed_high, ..Sensing::default() });
            assert_eq!(desk.watch.is_open(), None);
            assert_eq!(desk.levels(&[(!closed_high, 50)]), []);
            assert_eq!(desk.watch.is_open(), Some(true), "found open");
            assert_eq!(desk.levels(&[(closed_high, 50)]), [DrawerEvent::Closed]);
        }
    }

    #[test]
    fn nobody_who_takes_events_is_no_reason_to_grow() {
        let mut watch = DrawerWatch::new(Sensing { debounce: Duration::ZERO, ..Sensing::default() });
        let now = Moment::default();
        (0..10_000).for_each(|turn| watch.handle(turn % 2 == 0, now));
        assert_eq!(std::iter::from_fn(|| watch.poll_event()).count(), MOST_WAITING);
    }
}
