//! A contact that bounces: a level counts when it has stayed.

use core::time::Duration;

use device_drivers::Moment;

/// How long a level must stay.
const STAYS: Duration = Duration::from_millis(30);

/// A debounced contact.
#[derive(Debug, Default)]
pub struct Contact {
    level: Option<bool>,
    /// A level that may come, and since when.
    coming: Option<(bool, Moment)>,
}

impl Contact {
    /// The contact has this level now. Gives a new level once it has stayed; the first one is new too.
    pub fn handle(&mut self, level: bool, now: Moment) -> Option<bool> {
        let stayed = self.handle_timeout(now);
        if self.level == Some(level) {
            self.coming = None;
        } else if self.coming.is_none_or(|(coming, _)| coming != level) {
            self.coming = Some((level, now));
        }
        stayed
    }

    /// When [`Contact::handle_timeout`] wants to be called, if the level stays.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Moment> {
        self.coming.map(|(_, since)| since + STAYS)
    }

    /// Time went by. Gives a new level if it has stayed.
    pub fn handle_timeout(&mut self, now: Moment) -> Option<bool> {
        let (level, _) = self.coming.take_if(|(_, since)| now >= *since + STAYS)?;
        self.level = Some(level);
        Some(level)
    }

    /// Its level; `None` until that is known.
    #[must_use]
    pub fn level(&self) -> Option<bool> {
        self.level
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_level_counts_when_it_has_stayed_and_a_knock_is_nothing() {
        let (mut contact, mut now) = (Contact::default(), Moment::default());
        let mut levels = std::vec::Vec::new();
        for (level, ms) in
            [(false, 40), (true, 5), (false, 3), (true, 29), (false, 100), (true, 31), (true, 1)]
        {
            levels.extend(contact.handle(level, now));
            now += MS * ms;
            levels.extend(contact.handle_timeout(now));
        }
        assert_eq!((levels.as_slice(), contact.level()), ([false, true].as_slice(), Some(true)));
        assert_eq!(contact.poll_timeout(), None);
    }
}
