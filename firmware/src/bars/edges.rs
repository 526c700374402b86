//! Edges of a wand's level as runs: for a board that hears the sensor on a pin.

use core::time::Duration;

use device_drivers::Moment;

use super::{Level, Run};

/// So much paper in one piece ends a symbol that nothing dark comes after, soon enough.
const PIECE: Duration = Duration::from_millis(5);

/// Makes runs of edges; their ticks are microseconds.
#[derive(Debug)]
pub struct Edges {
    level: Level,
    /// Up to here runs were given.
    given: Moment,
}

impl Edges {
    /// A sensor that sees paper.
    #[must_use]
    pub const fn new(now: Moment) -> Self {
        Self { level: Level::Light, given: now }
    }

    /// The sensor sees this level from now on. Gives the run that ends.
    pub fn edge(&mut self, level: Level, now: Moment) -> Run {
        let run = Run { level: self.level, ticks: self.ticks(now) };
        (self.level, self.given) = (level, self.given.max(now));
        run
    }

    /// Time went by. Gives a piece of paper, if the sensor sees paper for long.
    pub fn handle_timeout(&mut self, now: Moment) -> Option<Run> {
        let long = self.level == Level::Light && now.since(self.given) >= PIECE;
        long.then(|| self.edge(Level::Light, now))
    }

    fn ticks(&self, now: Moment) -> u32 {
        u32::try_from(now.since(self.given).as_micros()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bars::{BarReader, Reading};

    #[test]
    fn edges_are_runs_and_paper_comes_in_pieces() {
        let at = Moment::from_micros;
        let mut edges = Edges::new(at(1_000));
        assert_eq!(edges.handle_timeout(at(5_999)), None);
        assert_eq!(edges.handle_timeout(at(6_000)), Some(Run { level: Level::Light, ticks: 5_000 }));
        assert_eq!(edges.edge(Level::Dark, at(6_500)), Run { level: Level::Light, ticks: 500 });
        assert_eq!(edges.handle_timeout(at(99_000)), None);
        assert_eq!(edges.edge(Level::Light, at(99_000)), Run { level: Level::Dark, ticks: 92_500 });
        // An edge that is heard late, after the time went on.
        assert_eq!(edges.edge(Level::Dark, at(98_000)), Run { level: Level::Light, ticks: 0 });
        assert_eq!(edges.edge(Level::Light, at(99_500)), Run { level: Level::Dark, ticks: 500 });
    }

    /// An EAN-13 as modules, 1 for dark.
    const BARS: &str = "10100011010100111010111101111010001001011001101010\
                        100001010000101000010111010010000101100110101";

    #[test]
    fn a_label_is_read_by_its_edges_alone() {
        let (mut now, mut edges) = (Moment::from_micros(50_000), Edges::new(Moment::default()));
        let mut reader = BarReader::new(Reading::default());
        let (mut read, mut dark) = (None, false);
        for module in BARS.bytes().map(Some).chain([None; 40]) {
            let is_dark = module == Some(b'1');
            let run = if is_dark == dark {
                edges.handle_timeout(now)
            } else {
                Some(edges.edge(if is_dark { Level::Dark } else { Level::Light }, now))
            };
            dark = is_dark;
            read = run.and_then(|run| reader.handle(run, now)).map(|code| code.text.clone()).or(read);
            now += Duration::from_micros(400);
        }
        assert_eq!(read.as_deref(), Some(b"4006381333931".as_slice()));
    }
}
