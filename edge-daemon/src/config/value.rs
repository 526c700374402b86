//! A setting's value and where it came from.

use std::fmt;
use std::sync::Arc;

use toml::de::{DeArray, DeInteger, DeValue};

use super::keys::Kind;

/// What stood after the `=`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    Flag(bool),
    Texts(Vec<String>),
    /// Something that no key takes, by its TOML type.
    Other(&'static str),
}

impl Value {
    pub(super) fn of(value: &DeValue<'_>) -> Self {
        match value {
            DeValue::String(text) => Self::Text(text.to_string()),
            DeValue::Boolean(flag) => Self::Flag(*flag),
            DeValue::Integer(integer) => integer_of(integer).map_or(Self::Other("integer"), Self::Integer),
            DeValue::Array(array) => texts_of(array).map_or(Self::Other("array"), Self::Texts),
            other => Self::Other(other.type_str()),
        }
    }

    /// Reads what the environment says: a text stands as it is, anything else as in the file.
    pub(super) fn of_environment(kind: Kind, text: &str) -> Self {
        if kind == Kind::Text {
            return Self::Text(text.to_owned());
        }
        DeValue::parse(text.trim()).map_or(Self::Other("text"), |value| Self::of(value.get_ref()))
    }

    /// The value of a default in the table of keys.
    pub(super) fn of_default(text: &str) -> Self {
        DeValue::parse(text).map_or(Self::Other("text"), |value| Self::of(value.get_ref()))
    }
}

fn integer_of(integer: &DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

fn texts_of(array: &DeArray<'_>) -> Option<Vec<String>> {
    array.iter().map(|item| item.get_ref().as_str().map(str::to_owned)).collect()
}

impl fmt::Display for Value {
    /// As TOML.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{}", toml::Value::String(text.clone())),
            Self::Integer(integer) => write!(f, "{integer}"),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Texts(texts) => {
                let items = texts.iter().cloned().map(toml::Value::String).collect();
                write!(f, "{}", toml::Value::Array(items))
            }
            Self::Other(kind) => write!(f, "<{kind}>"),
        }
    }
}

/// Where a value came from. The later ones win.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Nobody said anything.
    Default,
    /// A line of the configuration file.
    File {
        /// The file, as it was named.
        path: Arc<str>,
        /// Counts from 1.
        line: usize,
    },
    /// An environment variable.
    Environment(String),
    /// A flag of the command line.
    Flag(&'static str),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{path}:{line}"),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

/// A value with its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) value: Value,
    pub(super) source: Source,
}
