//! The names under which things travel.
//!
//! All of a box's topics begin with `pos/v1/{tenant}/{store}/{box}/`; its certificate's name is `{tenant}/{store}/{box}`, and
//! the broker lets it use no others.
//!
//! | behind that | from | what |
//! |---|---|---|
//! | `evt` | box | journal records: [`Batch`](crate::Batch) |
//! | `ack` | cloud | how far it has them: [`Ack`](crate::Ack) |
//! | `state` | box | how it stands, retained: [`State`](crate::State) |
//! | `cmd/{name}` | cloud | something to do: [`Command`](crate::Command) |
//! | `reply/{name}` | box | what came of it: [`Reply`](crate::Reply) |
//! | `down/{collection}` | cloud | documents: [`Delivery`](crate::Delivery) |

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

const ROOT: &str = "pos/v1";
/// The longest name of a tenant, a store, a box, a command or a collection: bytes.
pub const MAX_NAME_BYTES: usize = 64;

/// Which box: `{tenant}/{store}/{box}`, each 1 to 64 of `a–z A–Z 0–9 . _ -`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    tenant: String,
    store: String,
    box_name: String,
}

/// A name that cannot be part of a topic.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("\"{0}\" cannot be part of a topic: use 1 to 64 letters, digits, dots, dashes and underscores")]
pub struct BadName(String);

/// A topic of a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic<'a> {
    /// Journal records.
    Events,
    /// How far the cloud has them.
    Ack,
    /// How the box stands.
    State,
    /// Something to do, by its name.
    Command(&'a str),
    /// What came of it.
    Reply(&'a str),
    /// Documents of a collection.
    Down(&'a str),
}

impl Address {
    /// Of these names.
    ///
    /// # Errors
    /// [`BadName`] where one cannot be part of a topic.
    pub fn new(tenant: &str, store: &str, box_name: &str) -> Result<Self, BadName> {
        let good =
            |name: &str| is_name(name).then(|| name.to_owned()).ok_or_else(|| BadName(name.to_owned()));
        Ok(Self { tenant: good(tenant)?, store: good(store)?, box_name: good(box_name)? })
    }

    /// The owner of the store.
    #[must_use]
    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &str {
        &self.store
    }

    /// The box.
    #[must_use]
    pub fn box_name(&self) -> &str {
        &self.box_name
    }

    /// A topic's whole name.
    #[must_use]
    pub fn topic(&self, topic: Topic<'_>) -> String {
        match topic {
            Topic::Events => format!("{ROOT}/{self}/evt"),
            Topic::Ack => format!("{ROOT}/{self}/ack"),
            Topic::State => format!("{ROOT}/{self}/state"),
            Topic::Command(name) => format!("{ROOT}/{self}/cmd/{name}"),
            Topic::Reply(name) => format!("{ROOT}/{self}/reply/{name}"),
            Topic::Down(collection) => format!("{ROOT}/{self}/down/{collection}"),
        }
    }

    /// All that a box listens to.
    #[must_use]
    pub fn subscriptions(&self) -> Vec<String> {
        vec![self.topic(Topic::Ack), self.topic(Topic::Command("+")), self.topic(Topic::Down("+"))]
    }

    /// Whose topic this is, and which.
    #[must_use]
    pub fn parse(topic: &str) -> Option<(Self, Topic<'_>)> {
        let mut parts = topic.strip_prefix(ROOT)?.strip_prefix('/')?.split('/');
        let address = Self::new(parts.next()?, parts.next()?, parts.next()?).ok()?;
        let (kind, name) = (parts.next()?, parts.next().filter(|name| is_name(name)));
        if parts.next().is_some() {
            return None;
        }
        let whole = topic.len();
        let topic = match (kind, name) {
            ("evt", None) => Topic::Events,
            ("ack", None) => Topic::Ack,
            ("state", None) => Topic::State,
            ("cmd", Some(name)) => Topic::Command(name),
            ("reply", Some(name)) => Topic::Reply(name),
            ("down", Some(name)) => Topic::Down(name),
            _ => return None,
        };
        // Nothing that was left out above, such as an empty name at the end.
        (address.topic(topic).len() == whole).then_some((address, topic))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.tenant, self.store, self.box_name)
    }
}

impl FromStr for Address {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let mut names = text.split('/');
        match (names.next(), names.next(), names.next(), names.next()) {
            (Some(tenant), Some(store), Some(box_name), None) => Self::new(tenant, store, box_name),
            _ => Err(BadName(text.to_owned())),
        }
    }
}

fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=MAX_NAME_BYTES).contains(&name.len()) && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_written_and_read() {
        let address = Address::new("acme", "store-7", "box_1").unwrap();
        let all = [
            ("evt", Topic::Events),
            ("ack", Topic::Ack),
            ("state", Topic::State),
            ("cmd/ping", Topic::Command("ping")),
            ("reply/ping", Topic::Reply("ping")),
            ("down/products", Topic::Down("products")),
        ];
        for (end, topic) in all {
            let name = format!("pos/v1/acme/store-7/box_1/{end}");
            assert_eq!(address.topic(topic), name);
            assert_eq!(Address::parse(&name), Some((address.clone(), topic)));
        }
        assert_eq!("acme/store-7/box_1".parse(), Ok(address));
    }

    #[test]
    fn other_topics_are_nobodys() {
        for topic in [
            "",
            "pos/v1",
            "pos/v1/acme/store/box",
            "pos/v1/acme/store/box/",
            "pos/v1/acme/store/box/evt/",
            "pos/v1/acme/store/box/evt/more",
            "pos/v1/acme/store/box/evt/more/still",
            "pos/v1/acme/store/box/cmd",
            "pos/v1/acme/store/box/cmd/",
            "pos/v1/acme/store/box/cmd/a/b",
            "pos/v1/acme/+/box/evt",
            "pos/v1/acme//box/evt",
            "pos/v2/acme/store/box/evt",
            "/pos/v1/acme/store/box/evt",
        ] {
            assert_eq!(Address::parse(topic), None, "{topic}");
        }
        for name in ["", "a/b", "+", "#", "ü", &"x".repeat(65)] {
            assert!(Address::new("acme", name, "box").is_err(), "{name}");
        }
    }
}
