//! Lays default, file, environment and flags over one another, and says of each unknown key what was probably meant.

use std::collections::BTreeMap;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::Problem;
use super::hint::nearest;
use super::keys::{self, Kind};
use super::value::{Setting, Source, Value};

/// The settings of one section by key.
pub(super) type Section = BTreeMap<String, Setting>;

/// All settings, each with its source. A section that nobody mentions is absent, unless it has to be there.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    pub(super) sections: BTreeMap<&'static str, Section>,
    /// Sections that stand any number of times, in the order of the file.
    pub(super) lists: BTreeMap<&'static str, Vec<Section>>,
}

/// One value given on the command line: the flag, its section and key, the text.
pub(super) type FlagValue = (&'static str, &'static str, &'static str, String);

/// The sections that exist even if nobody mentions them.
const ALWAYS: [&str; 7] = ["store", "tax", "data", "http", "controllers", "cloud", "log"];

/// Gathers everything that was said.
pub(super) fn gather(
    file: Option<(&str, &str)>,
    environment: impl Iterator<Item = (String, String)>,
    flags: Vec<FlagValue>,
) -> (Settings, Vec<Problem>) {
    gather_where(|_| true, file, environment, flags)
}

/// Gathers what was said about one section: what is wrong in the others is passed over, but not what stands in none,
/// for it may have been meant for this one.
pub(super) fn gather_one(
    section: &str,
    file: Option<(&str, &str)>,
    environment: impl Iterator<Item = (String, String)>,
    flags: Vec<FlagValue>,
) -> (Settings, Vec<Problem>) {
    gather_where(|other| other == section, file, environment, flags)
}

fn gather_where(
    wanted: impl Fn(&str) -> bool,
    file: Option<(&str, &str)>,
    environment: impl Iterator<Item = (String, String)>,
    flags: Vec<FlagValue>,
) -> (Settings, Vec<Problem>) {
    let mut gatherer = Gatherer { settings: Settings::default(), problems: Vec::new(), wanted };
    for section in ALWAYS {
        gatherer.settings.sections.insert(section, Section::new());
    }
    if let Some((path, text)) = file {
        gatherer.file(path, text);
    }
    environment.for_each(|(name, text)| gatherer.variable(&name, &text));
    for (flag, section, name, text) in flags {
        gatherer.put(section, name, Value::Text(text), Source::Flag(flag));
    }
    gatherer.defaults();
    (gatherer.settings, gatherer.problems)
}

struct Gatherer<F> {
    settings: Settings,
    problems: Vec<Problem>,
    /// Which sections are looked at.
    wanted: F,
}

impl<F: Fn(&str) -> bool> Gatherer<F> {
    fn problem(&mut self, place: Source, what: String) {
        self.problems.push(Problem { place, what });
    }

    fn put(&mut self, section: &'static str, name: &str, value: Value, source: Source) {
        let settings = self.settings.sections.entry(section).or_default();
        settings.insert(name.to_owned(), Setting { value, source });
    }

    fn file(&mut self, path: &str, text: &str) {
        let path: Arc<str> = path.into();
        let at = |offset: usize| {
            let before = text.as_bytes().get(..offset).unwrap_or_default();
            Source::File {
                path: path.clone(),
                line: before.iter().filter(|byte| **byte == b'\n').count() + 1,
            }
        };
        let document = match DeTable::parse(text) {
            Ok(document) => document,
            Err(error) => {
                let place = at(error.span().map_or(0, |span| span.start));
                self.problem(place, format!("not TOML: {}", error.message()));
                return;
            }
        };
        for (name, content) in document.get_ref() {
            let place = at(name.span().start);
            let Some(section) = keys::SECTIONS.iter().find(|known| **known == name.get_ref().as_ref()) else {
                self.unknown_section(name.get_ref(), place);
                continue;
            };
            if !(self.wanted)(section) {
                continue;
            }
            match (content.get_ref(), keys::LISTS.contains(section)) {
                (DeValue::Array(items), true) => {
                    for item in items {
                        let place = at(item.span().start);
                        let item = self.table(section, item.get_ref(), place, &at);
                        self.settings.lists.entry(section).or_default().push(item);
                    }
                }
                (_, true) => self.problem(place, format!("write `[[{section}]]`: there may be several")),
                (content, false) => {
                    let settings = self.table(section, content, place, &at);
                    self.settings.sections.entry(section).or_default().extend(settings);
                }
            }
        }
    }

    fn table(
        &mut self,
        section: &'static str,
        content: &DeValue<'_>,
        place: Source,
        at: &impl Fn(usize) -> Source,
    ) -> Section {
        let mut settings = Section::new();
        let Some(table) = content.as_table() else {
            let words = format!("`{section}` is a section: write `[{section}]` on a line of its own");
            self.problem(place, words);
            return settings;
        };
        let mut entries: Vec<(&Spanned<_>, &Spanned<DeValue<'_>>)> = table.iter().collect();
        entries.sort_by_key(|(name, _)| name.span().start);
        for (name, value) in entries {
            let source = at(name.span().start);
            if section == "tax" || keys::find(section, name.get_ref()).is_some() {
                let value = Value::of(value.get_ref());
                settings.insert(name.get_ref().to_string(), Setting { value, source });
            } else {
                self.unknown_key(section, name.get_ref(), source);
            }
        }
        settings
    }

    /// `TILLBOX_<SECTION>_<KEY>`. A variable of another program, or of ours but with no section's name, is left alone.
    fn variable(&mut self, name: &str, text: &str) {
        let Some(rest) = name.strip_prefix("TILLBOX_").map(str::to_ascii_lowercase) else {
            return;
        };
        let of_section =
            |section: &&&str| rest.strip_prefix(**section).is_some_and(|rest| rest.starts_with('_'));
        let Some(section) = keys::SECTIONS.iter().find(of_section).filter(|name| (self.wanted)(name)) else {
            return;
        };
        let source = Source::Environment(name.to_owned());
        let key = rest.get(section.len() + 1..).unwrap_or_default();
        let known = keys::find(section, key).map(|key| key.kind);
        match (*section, known) {
            (list, _) if keys::LISTS.contains(&list) => {
                self.problem(source, format!("[[{list}]] can be set in the file only"));
            }
            ("tax", _) if !key.is_empty() => self.put(section, key, Value::Text(text.to_owned()), source),
            (section, Some(kind)) => self.put(section, key, Value::of_environment(kind, text), source),
            (section, None) => self.unknown_key(section, key, source),
        }
    }

    fn defaults(&mut self) {
        for (section, settings) in &mut self.settings.sections {
            fill(section, settings);
        }
        for (section, items) in &mut self.settings.lists {
            items.iter_mut().for_each(|item| fill(section, item));
        }
    }

    fn unknown_section(&mut self, name: &str, place: Source) {
        let what =
            match (nearest(name, keys::SECTIONS.into_iter()), keys::KEYS.iter().find(|k| k.name == name)) {
                (_, Some(key)) => {
                    format!("`{name}` stands outside its section; put it under `[{}]`", key.section)
                }
                (Some(near), None) => format!("unknown section `[{name}]`; did you mean `[{near}]`?"),
                (None, None) => {
                    format!("unknown section `[{name}]`; there are [{}]", keys::SECTIONS.join("], ["))
                }
            };
        self.problem(place, what);
    }

    fn unknown_key(&mut self, section: &str, name: &str, place: Source) {
        let here = || keys::of(section).map(|key| key.name);
        let elsewhere = keys::KEYS.iter().find(|key| key.name == name);
        let what = match (nearest(name, here()), elsewhere) {
            (_, Some(key)) => format!("unknown key `{name}` in [{section}]; it belongs in [{}]", key.section),
            (Some(near), None) => format!("unknown key `{name}` in [{section}]; did you mean `{near}`?"),
            (None, None) => {
                let known = here().collect::<Vec<_>>().join(", ");
                format!("unknown key `{name}` in [{section}]; there are: {known}")
            }
        };
        self.problem(place, what);
    }
}

/// A section made of settings as the environment would give them, its defaults, and the keys that it does not have.
pub(super) fn section_of(name: &str, settings: &BTreeMap<String, String>) -> (Section, Vec<String>) {
    let (mut section, mut unknown) = (Section::new(), Vec::new());
    for (key, text) in settings {
        match keys::find(name, key) {
            Some(known) => {
                let value = Value::of_environment(known.kind, text);
                section.insert(key.clone(), Setting { value, source: Source::Default });
            }
            None => unknown.push(key.clone()),
        }
    }
    fill(name, &mut section);
    (section, unknown)
}

/// Puts in what nobody said.
fn fill(section: &str, settings: &mut Section) {
    for key in keys::of(section) {
        if let Some(default) = key.default.filter(|_| !settings.contains_key(key.name)) {
            let value = Value::of_default(default);
            settings.insert(key.name.to_owned(), Setting { value, source: Source::Default });
        }
    }
}

/// Whether a value is of a kind.
pub(super) fn is_of(kind: Kind, value: &Value) -> bool {
    matches!(
        (kind, value),
        (Kind::Text, Value::Text(_))
            | (Kind::Integer, Value::Integer(_))
            | (Kind::Flag, Value::Flag(_))
            | (Kind::Texts, Value::Texts(_))
    )
}
