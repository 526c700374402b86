//! How the way to the cloud stands, and what a technician should know of it.

use std::sync::Arc;
use std::time::Duration;

use cloud_bridge::View;
use pos_journal::Position;

use crate::config::CloudConfig;

/// How the way to the cloud stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CloudCondition {
    /// The broker's name and port.
    pub broker: String,
    /// Whether there is a connection.
    pub connected: bool,
    /// Whether somebody has it wait.
    pub paused: bool,
    /// How far head office has the journal; `None`: nothing that is known.
    pub acknowledged: Option<Position>,
    /// Records that it does not have.
    pub depth: u64,
    /// Bytes of them that wait or are under way, as far as they came since the start.
    pub bytes: u64,
    /// For how long it has not had the journal's newest record.
    pub oldest: Option<Duration>,
    /// Connections since the start.
    pub connections: u64,
    /// Envelopes published since the start, and their bytes.
    pub published: (u64, u64),
    /// Deliveries of head office, or pieces of them, that were not taken since the start.
    pub deliveries_refused: u64,
    /// What a technician should know.
    pub alarms: Vec<String>,
}

impl CloudCondition {
    pub(super) fn of(config: &CloudConfig, view: &View, ended: Option<Arc<str>>) -> Self {
        let standing = view.standing;
        let broker = format!("{}:{}", config.broker.0, config.broker.1);
        let bytes = standing.waiting.saturating_add(standing.under_way) as u64;
        let mut alarms = Vec::new();
        if let Some(why) = ended {
            alarms.push(format!("nothing is sent to head office any more: {why}; restart the daemon"));
        } else {
            let late = view.oldest.filter(|oldest| *oldest >= config.alarm_after);
            let way = match (standing.paused, standing.connected) {
                (true, _) => "sending is paused",
                (false, true) => "it is connected, but nobody there acknowledges fast enough",
                (false, false) => "there is no connection",
            };
            if let Some(oldest) = late {
                let minutes = oldest.as_secs() / 60;
                alarms.push(format!("head office lacks records since {minutes} minutes: {way} ({broker})"));
            }
            if bytes >= config.alarm_bytes {
                alarms.push(format!("{} MiB wait for head office: {way} ({broker})", bytes >> 20));
            }
        }
        Self {
            broker,
            connected: standing.connected,
            paused: standing.paused,
            acknowledged: view.acknowledged,
            depth: view.depth,
            bytes,
            oldest: view.oldest,
            connections: standing.connections,
            published: (view.published, view.bytes),
            deliveries_refused: 0,
            alarms,
        }
    }
}

#[cfg(test)]
mod tests {
    use cloud_bridge::{Limits, Outbox, Place};

    use super::*;

    fn config() -> CloudConfig {
        CloudConfig {
            broker: ("mqtt.example.com".into(), 8883),
            authority: "authority.pem".into(),
            certificate: "box.pem".into(),
            key: "box.key".into(),
            compress: true,
            alarm_after: Duration::from_secs(600),
            alarm_bytes: 1 << 20,
        }
    }

    fn view(waiting: usize, oldest: u64) -> View {
        let mut outbox = Outbox::new(Limits::default(), Place::default(), Place::default(), 0);
        outbox.grew(Place { epoch: 0, seq: 9 }, waiting, 0);
        let oldest = (oldest > 0).then(|| Duration::from_secs(oldest));
        View { standing: outbox.standing(), acknowledged: None, depth: 9, oldest, published: 0, bytes: 0 }
    }

    #[test]
    fn what_waits_too_long_or_is_too_much_raises_an_alarm_that_says_why() {
        let alarms = |waiting, oldest| CloudCondition::of(&config(), &view(waiting, oldest), None).alarms;
        assert!(alarms(100, 599).is_empty());
        assert_eq!(
            alarms(100, 660),
            ["head office lacks records since 11 minutes: there is no connection (mqtt.example.com:8883)"]
        );
        assert_eq!(
            alarms(3 << 20, 1),
            ["3 MiB wait for head office: there is no connection (mqtt.example.com:8883)"]
        );
        let ended = CloudCondition::of(&config(), &view(0, 9999), Some("the journal is damaged".into()));
        assert_eq!(
            ended.alarms,
            ["nothing is sent to head office any more: the journal is damaged; restart the daemon"]
        );
    }
}
