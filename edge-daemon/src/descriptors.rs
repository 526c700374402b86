//! File descriptors: the process takes all that it may have, and leaves enough of them to the journal.
//!
//! A connection takes one. If connections took them all, no segment, no checkpoint and no view could be opened, and the
//! shop would stand still because too many tills had called.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What the journal, the views, the printer and the local socket need at most, with room to spare.
const RESERVED: u64 = 128;

/// Raises the soft limit to the hard one, and gives what holds then; `None` if there is no limit.
#[must_use]
pub fn take_all() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(error) => {
            tracing::warn!(%error, "the limit of open files could not be raised");
            limit.current
        }
    }
}

/// How many of the wanted connections a limit has room for; at least one.
#[must_use]
pub fn connections(wanted: usize, limit: Option<u64>) -> usize {
    let Some(limit) = limit else { return wanted };
    let room = usize::try_from(limit.saturating_sub(RESERVED)).unwrap_or(usize::MAX).max(1);
    if room < wanted {
        tracing::warn!(
            wanted,
            room,
            limit,
            "fewer connections than configured: raise the limit of open files (LimitNOFILE=), or lower [http] max_connections"
        );
    }
    wanted.min(room)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_never_take_what_the_journal_needs() {
        for (wanted, limit, granted) in [
            (1024, None, 1024),
            (1024, Some(524_288), 1024),
            (1024, Some(1152), 1024),
            (1024, Some(1151), 1023),
            (1024, Some(256), 128),
            (1024, Some(64), 1),
            (10, Some(256), 10),
        ] {
            assert_eq!(connections(wanted, limit), granted, "{wanted} of {limit:?}");
        }
    }
}
