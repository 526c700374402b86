//! What is said between a box and the cloud beside the records: short JSON objects (RFC 8259), which a person can read with any
//! MQTT client. Fields that are not known are passed over, so that either side may be the newer one.

use std::collections::BTreeMap;

use pos_journal::Position;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

/// The longest message, bytes: checked before it is read.
pub const MAX_MESSAGE_BYTES: usize = 64 << 10;

/// The cloud has all records up to this one, in its database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// The last of them, as `epoch.seq`.
    #[serde(with = "as_text")]
    pub position: Position,
}

/// How a box stands. Retained, so that who asks later knows it too; the broker says `online: false` for a box that it lost.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// Whether it is connected.
    pub online: bool,
    /// Of its software.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its journal's newest record, as `epoch.seq`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
    /// What it knows the cloud to have, as `epoch.seq`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<String>,
    /// Milliseconds since 1970, by its clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<i64>,
    /// Free on its disk, bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk_free: Option<u64>,
    /// Its devices by their names, and how each stands.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub devices: BTreeMap<String, String>,
    /// The version that it has of each collection.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub collections: BTreeMap<String, u64>,
}

/// Something that a box is to do, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Command {
    /// Two commands with one id are one command.
    pub id: Uuid,
    /// It is not done after this: milliseconds since 1970.
    pub expires_at: i64,
    /// What is to be done.
    #[serde(flatten)]
    pub order: Order,
}

/// What is to be done; its name is the last part of the topic, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Order {
    /// Say that it is there.
    Ping,
    /// Print a page.
    Print {
        /// On which printer.
        printer: String,
    },
    /// Show a message to who stands at the tills.
    Message {
        /// At which till; at all of them if none is named.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        terminal: Option<String>,
        /// What is shown: 1 to 500 characters.
        text: String,
    },
    /// End the daemon well, so that the system starts it again.
    RebootService,
    /// Collect what a technician wants to see.
    CollectSupportBundle,
    /// Send the records behind this place again: the cloud does not have them.
    Resend {
        /// The last that it has, as `epoch.seq`; `seq` 0 begins an epoch.
        #[serde(with = "as_text")]
        after: Position,
    },
}

impl Order {
    /// Its name, as the topic has it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::Print { .. } => "print",
            Self::Message { .. } => "message",
            Self::RebootService => "reboot-service",
            Self::CollectSupportBundle => "collect-support-bundle",
            Self::Resend { .. } => "resend",
        }
    }
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The command's.
    pub id: Uuid,
    /// In a word.
    pub outcome: Outcome,
    /// In a sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// What came of a command, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was not done, and will not be.
    Refused,
    /// It came too late, and was not done.
    Expired,
    /// It was begun, and nobody knows whether it was done.
    Unknown,
}

/// Bytes that are no message.
#[derive(Debug, Error)]
pub enum MessageError {
    /// Longer than [`MAX_MESSAGE_BYTES`].
    #[error("{0} bytes are more than a message may have")]
    Length(usize),
    /// Not what was expected.
    #[error("this is no such message: {0}")]
    Malformed(#[from] serde_json::Error),
}

/// A message's bytes.
///
/// # Errors
/// [`MessageError`] where it would be too long.
pub fn write(message: &impl Serialize) -> Result<Vec<u8>, MessageError> {
    let bytes = serde_json::to_vec(message)?;
    if bytes.len() > MAX_MESSAGE_BYTES { Err(MessageError::Length(bytes.len())) } else { Ok(bytes) }
}

/// The message that bytes are.
///
/// # Errors
/// [`MessageError`] where they are none.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, MessageError> {
    if bytes.len() > MAX_MESSAGE_BYTES {
        return Err(MessageError::Length(bytes.len()));
    }
    Ok(serde_json::from_slice(bytes)?)
}

/// A position as `epoch.seq`.
mod as_text {
    use pos_journal::Position;
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(position: &Position, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(position)
    }

    pub(super) fn deserialize<'a, D: Deserializer<'a>>(deserializer: D) -> Result<Position, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use pos_journal::EpochId;

    use super::*;

    fn text(message: &impl Serialize) -> String {
        String::from_utf8(write(message).unwrap()).unwrap()
    }

    #[test]
    fn messages_are_these() {
        let position = Position { epoch: EpochId(0x9f3a_2c1b_00d1_e2f3), seq: 1042 };
        assert_eq!(text(&Ack { position }), r#"{"position":"9f3a2c1b00d1e2f3.1042"}"#);
        assert_eq!(text(&State::default()), r#"{"online":false}"#);
        let (id, expires_at) = (Uuid::from_u128(7), 1_000);
        let head = r#"{"id":"00000000-0000-0000-0000-000000000007""#;
        let orders = [
            (Order::Ping, r#""name":"ping""#),
            (Order::Print { printer: "receipt".into() }, r#""name":"print","printer":"receipt""#),
            (
                Order::Message { terminal: Some("till-1".into()), text: "Hello".into() },
                r#""name":"message","terminal":"till-1","text":"Hello""#,
            ),
            (Order::RebootService, r#""name":"reboot-service""#),
            (Order::CollectSupportBundle, r#""name":"collect-support-bundle""#),
            (Order::Resend { after: position }, r#""name":"resend","after":"9f3a2c1b00d1e2f3.1042""#),
        ];
        for (order, form) in orders {
            assert!(form.starts_with(&format!("\"name\":\"{}\"", order.name())));
            let command = Command { id, expires_at, order };
            let written = text(&command);
            assert_eq!(written, format!("{head},\"expiresAt\":1000,{form}}}"));
            assert_eq!(read::<Command>(written.as_bytes()).unwrap(), command);
        }
        let reply = Reply { id, outcome: Outcome::Done, detail: String::new() };
        assert_eq!(text(&reply), format!("{head},\"outcome\":\"done\"}}"));
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for bytes in [&b""[..], b"{}", b"[1]", b"\xff", br#"{"position":"1.2"}"#, br#"{"position":7}"#] {
            assert!(read::<Ack>(bytes).is_err());
        }
        for name in ["", "format-disk", "Ping"] {
            let command = format!(r#"{{"id":"{}","expiresAt":1,"name":"{name}"}}"#, Uuid::nil());
            assert!(read::<Command>(command.as_bytes()).is_err(), "{name}");
        }
        let long = vec![b' '; MAX_MESSAGE_BYTES + 1];
        assert!(matches!(read::<Ack>(&long), Err(MessageError::Length(_))));
        let newer = br#"{"position":"9f3a2c1b00d1e2f3.1042","more":[]}"#;
        assert!(read::<Ack>(newer).is_ok());
    }
}
