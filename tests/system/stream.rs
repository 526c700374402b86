//! The stream of events, as a listener sees it: in order, resumed where it was cut off, nothing personal in it.

use tillbox_tests::{Client, Events};

/// Reads events until one with this name.
pub(crate) fn follow(events: &mut Events, until: &str) -> Vec<(String, String)> {
    let mut seen = Vec::new();
    while seen.last().is_none_or(|(_, name)| name != until) {
        let (id, name, data) = events.next_event();
        let text = data.to_string();
        assert!(
            ["Ada", "Lovelace", "King", "example.org", "bruised"].iter().all(|secret| !text.contains(secret)),
            "{text}"
        );
        seen.push((id, name));
    }
    seen
}

/// Whoever was cut off goes on where it was; whoever comes from elsewhere is told to start over.
pub(crate) fn resume(client: &Client, begun: &str, names: &[(String, String)]) {
    assert_eq!(follow(&mut client.events(Some(begun)), "shiftClosed"), names);
    let (middle, rest) = names.split_at(names.len() / 2);
    let (id, _) = middle.last().unwrap();
    assert_eq!(follow(&mut client.events(Some(id)), "shiftClosed"), rest);
    for unknown in ["0123456789abcdef0123456789abcdef.7", "nonsense", ""] {
        assert_eq!(client.events(Some(unknown)).next_event().1, "reset", "{unknown:?}");
    }
}
