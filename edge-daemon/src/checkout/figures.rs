//! What the checkout counts and times, for `/metrics`.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

/// The checkout's metrics.
#[derive(Debug, Clone)]
pub struct Figures {
    /// Seconds from the start of a group's write to its sync.
    pub commit_seconds: Histogram,
    /// Records per group.
    pub group_records: Histogram,
    /// Commands that changed something.
    pub committed: Counter,
    /// Commands that were answered again from the journal.
    pub repeated: Counter,
    /// Commands that were refused.
    pub refused: Counter,
    /// Groups that found no room.
    pub no_space: Counter,
}

impl Default for Figures {
    fn default() -> Self {
        Self {
            commit_seconds: Histogram::new(exponential_buckets(0.000_05, 2.0, 16)),
            group_records: Histogram::new(exponential_buckets(1.0, 2.0, 12)),
            committed: Counter::default(),
            repeated: Counter::default(),
            refused: Counter::default(),
            no_space: Counter::default(),
        }
    }
}

impl Figures {
    /// Makes them readable.
    pub fn register(&self, registry: &mut Registry) {
        let commit = "Time from the start of a group's write until it is on disk";
        registry.register_with_unit("tillbox_commit", commit, Unit::Seconds, self.commit_seconds.clone());
        registry.register("tillbox_group_records", "Records per group", self.group_records.clone());
        registry.register("tillbox_commands", "Commands that changed something", self.committed.clone());
        registry.register(
            "tillbox_repeated",
            "Commands answered again from the journal",
            self.repeated.clone(),
        );
        registry.register("tillbox_refused", "Commands that were refused", self.refused.clone());
        registry.register("tillbox_no_space", "Groups that found no room on the disk", self.no_space.clone());
    }
}
