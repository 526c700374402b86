//! Reading one section's settings as what they should be. What is wrong is noted and read as `None`, so that all
//! problems of a file are shown at once.

use std::ops::RangeInclusive;

use super::error::Problem;
use super::keys::Kind;
use super::layers::{self, Section};
use super::value::{Setting, Source, Value};

/// One section, and the list of everything that is wrong so far.
pub(super) struct Reader<'a> {
    pub(super) name: &'static str,
    pub(super) section: &'a Section,
    pub(super) problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    /// Notes a problem of a key, at the place where it was set.
    pub(super) fn wrong(&mut self, key: &str, what: impl std::fmt::Display) {
        let place = self.section.get(key).map_or(Source::Default, |setting| setting.source.clone());
        let what = format!("`{key}` in [{}]: {what}", self.name);
        self.problems.push(Problem { place, what });
    }

    /// Whether the key was given or has a default.
    pub(super) fn has(&self, key: &str) -> bool {
        self.section.contains_key(key)
    }

    fn value(&mut self, key: &str, kind: Kind) -> Option<&Value> {
        match self.section.get(key) {
            None => {
                let what = format!("`{key}` is missing in [{}]; write {}", self.name, kind.name());
                self.problems.push(Problem { place: Source::Default, what });
                None
            }
            Some(Setting { value, .. }) if layers::is_of(kind, value) => Some(value),
            Some(_) => {
                self.wrong(key, format_args!("must be {}", kind.name()));
                None
            }
        }
    }

    /// A text of 1 to `longest` bytes without control characters.
    pub(super) fn text(&mut self, key: &str, longest: usize) -> Option<String> {
        let Some(Value::Text(text)) = self.value(key, Kind::Text) else {
            return None;
        };
        let text = text.clone();
        if text.is_empty() || text.len() > longest || text.chars().any(char::is_control) {
            self.wrong(key, format_args!("must have 1 to {longest} bytes and no control characters"));
            return None;
        }
        Some(text)
    }

    /// A short name of small letters, digits, `-` and `_`: it becomes part of topics and file names.
    pub(super) fn short_name(&mut self, key: &str) -> Option<String> {
        let name = self.text(key, 64)?;
        let plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
        if !name.bytes().all(plain) {
            self.wrong(key, format_args!("\"{name}\" may have small letters, digits, - and _ only"));
            return None;
        }
        Some(name)
    }

    /// Lines of text, at most `most` of at most `longest` bytes.
    pub(super) fn lines(&mut self, key: &str, most: usize, longest: usize) -> Option<Vec<String>> {
        let Some(Value::Texts(lines)) = self.value(key, Kind::Texts) else {
            return None;
        };
        let lines = lines.clone();
        let good = |line: &String| line.len() <= longest && !line.chars().any(char::is_control);
        if lines.len() > most || !lines.iter().all(good) {
            let what = format!("at most {most} lines of at most {longest} bytes, without control characters");
            self.wrong(key, what);
            return None;
        }
        Some(lines)
    }

    /// A whole number within a range.
    pub(super) fn integer(&mut self, key: &str, range: RangeInclusive<i64>) -> Option<i64> {
        let Some(Value::Integer(integer)) = self.value(key, Kind::Integer) else {
            return None;
        };
        let integer = *integer;
        if !range.contains(&integer) {
            self.wrong(key, format_args!("{integer} is not within {} to {}", range.start(), range.end()));
            return None;
        }
        Some(integer)
    }

    /// A whole number within a range of small ones.
    pub(super) fn small(&mut self, key: &str, range: RangeInclusive<u8>) -> Option<u8> {
        let wide = i64::from(*range.start())..=i64::from(*range.end());
        self.integer(key, wide).and_then(|integer| u8::try_from(integer).ok())
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, key: &str) -> Option<bool> {
        match self.value(key, Kind::Flag) {
            Some(Value::Flag(flag)) => Some(*flag),
            _ => None,
        }
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&mut self, key: &str, choices: &[(&str, T)]) -> Option<T> {
        let word = self.text(key, 64)?;
        let found = choices.iter().find(|(name, _)| *name == word).map(|(_, value)| *value);
        if found.is_none() {
            let allowed =
                choices.iter().map(|(name, _)| format!("\"{name}\"")).collect::<Vec<_>>().join(" or ");
            self.wrong(key, format_args!("\"{word}\" is not allowed; write {allowed}"));
        }
        found
    }

    /// What a text means, by a function that explains what is wrong with it.
    pub(super) fn parsed<T, E: std::fmt::Display>(
        &mut self,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text(key, 4096)?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.wrong(key, error);
                None
            }
        }
    }
}
