//! What waits to be told: each thing once, in the order in which it came about.

use heapless::Deque;
use pos_link::UpdateRefusal;

/// All that there can be: each reason, progress and a confirmation.
const MOST: usize = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Report {
    Progress,
    Refused(UpdateRefusal),
    Confirmed,
}

#[derive(Debug, Default)]
pub(super) struct Reports(Deque<Report, MOST>);

impl Reports {
    /// Unless the same waits already: a host that says something wrong a thousand times is told once.
    pub(super) fn add(&mut self, report: Report) {
        if !self.0.iter().any(|waiting| *waiting == report) {
            let fits = self.0.push_back(report);
            debug_assert!(fits.is_ok(), "there are not so many");
        }
    }

    pub(super) fn first(&self) -> Option<Report> {
        self.0.front().copied()
    }

    pub(super) fn remove_first(&mut self) {
        self.0.pop_front();
    }
}
