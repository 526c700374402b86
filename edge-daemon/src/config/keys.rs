//! All keys there are, in one table: what may stand in the file, what the environment may set, what is taken where
//! nobody says anything.

/// What stands after the `=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A text; in the environment without quotes.
    Text,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Flag,
    /// A list of texts.
    Texts,
}

impl Kind {
    /// As error messages name it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Text => "a text in quotes",
            Self::Integer => "a whole number",
            Self::Flag => "true or false",
            Self::Texts => "a list of texts, such as [\"one\", \"two\"]",
        }
    }
}

/// One key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    pub(super) section: &'static str,
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// As it would stand in the file; `None`: must be given, or is absent.
    pub(super) default: Option<&'static str>,
}

const fn key(section: &'static str, name: &'static str, kind: Kind, default: Option<&'static str>) -> Key {
    Key { section, name, kind, default }
}

/// The sections in the order of the example file. `tax` has a key for each class.
pub(super) const SECTIONS: [&str; 14] = [
    "store",
    "tax",
    "loyalty",
    "embedded",
    "data",
    "http",
    "controllers",
    "cloud",
    "printer",
    "drawer",
    "scanner",
    "scale",
    "display",
    "log",
];

/// Those of them that stand any number of times, as `[[scanner]]`.
pub(super) const LISTS: [&str; 6] = ["embedded", "printer", "drawer", "scanner", "scale", "display"];

/// The keys of each section but `tax`.
pub(super) const KEYS: [Key; 83] = [
    key("store", "tenant", Kind::Text, None),
    key("store", "store", Kind::Text, None),
    key("store", "box", Kind::Text, Some("\"box-1\"")),
    key("store", "name", Kind::Text, None),
    key("store", "address", Kind::Texts, Some("[]")),
    key("store", "footer", Kind::Texts, Some("[]")),
    key("store", "currency", Kind::Text, None),
    key("store", "time_zone", Kind::Text, None),
    key("store", "cut_off", Kind::Text, Some("\"04:00\"")),
    key("store", "prices", Kind::Text, Some("\"inclusive\"")),
    key("store", "tax_rounding", Kind::Text, Some("\"line\"")),
    key("store", "cash_increment", Kind::Integer, Some("1")),
    key("store", "require_shift", Kind::Flag, Some("false")),
    key("store", "unlinked_cash_limit", Kind::Integer, None),
    key("loyalty", "earn_per", Kind::Integer, None),
    key("loyalty", "worth", Kind::Integer, Some("0")),
    key("embedded", "prefix", Kind::Integer, None),
    key("embedded", "item_digits", Kind::Integer, None),
    key("embedded", "value_digits", Kind::Integer, None),
    key("embedded", "verifier", Kind::Flag, Some("false")),
    key("embedded", "meaning", Kind::Text, None),
    key("embedded", "decimals", Kind::Integer, None),
    key("data", "dir", Kind::Text, Some("\"/var/lib/tillbox\"")),
    key("data", "segment_mib", Kind::Integer, Some("64")),
    key("data", "cache_mib", Kind::Integer, Some("16")),
    key("http", "listen", Kind::Text, Some("\"127.0.0.1:8480\"")),
    key("http", "max_connections", Kind::Integer, Some("1024")),
    key("controllers", "lines", Kind::Texts, Some("[]")),
    key("cloud", "broker", Kind::Text, None),
    key("cloud", "authority", Kind::Text, Some("\"/etc/tillbox/cloud/authority.pem\"")),
    key("cloud", "certificate", Kind::Text, Some("\"/etc/tillbox/cloud/box.pem\"")),
    key("cloud", "key", Kind::Text, Some("\"/etc/tillbox/cloud/box.key\"")),
    key("cloud", "compress", Kind::Flag, Some("true")),
    key("cloud", "alarm_minutes", Kind::Integer, Some("240")),
    key("cloud", "alarm_mib", Kind::Integer, Some("64")),
    key("printer", "id", Kind::Text, Some("\"receipts\"")),
    key("printer", "port", Kind::Text, None),
    key("printer", "terminal", Kind::Text, None),
    key("printer", "line", Kind::Text, Some("\"9600 8N1 xon\"")),
    key("printer", "language", Kind::Text, Some("\"escpos\"")),
    key("printer", "logo", Kind::Text, None),
    key("printer", "role", Kind::Text, Some("\"receipts\"")),
    key("printer", "departments", Kind::Texts, Some("[]")),
    key("printer", "paper", Kind::Text, Some("\"80mm\"")),
    key("printer", "columns", Kind::Integer, None),
    key("printer", "auto_print", Kind::Flag, Some("true")),
    key("printer", "answers_status", Kind::Flag, Some("true")),
    key("printer", "cuts", Kind::Flag, Some("true")),
    key("printer", "code_pages", Kind::Texts, None),
    key("printer", "drawer_pin", Kind::Integer, Some("2")),
    key("printer", "drawer_pulse_ms", Kind::Integer, Some("100")),
    key("printer", "qr_module_dots", Kind::Integer, None),
    key("drawer", "id", Kind::Text, Some("\"drawer\"")),
    key("drawer", "port", Kind::Text, Some("\"printer:receipts\"")),
    key("drawer", "terminal", Kind::Text, None),
    key("drawer", "senses", Kind::Flag, Some("true")),
    key("drawer", "open_when", Kind::Text, Some("\"high\"")),
    key("drawer", "pulse_ms", Kind::Integer, Some("150")),
    key("drawer", "active", Kind::Text, Some("\"high\"")),
    key("drawer", "open_too_long_s", Kind::Integer, Some("0")),
    key("scanner", "id", Kind::Text, Some("\"scanner\"")),
    key("scanner", "port", Kind::Text, None),
    key("scanner", "terminal", Kind::Text, None),
    key("scanner", "line", Kind::Text, Some("\"9600 8N1\"")),
    key("scanner", "ends", Kind::Text, Some("\"line\"")),
    key("scanner", "layout", Kind::Text, Some("\"us\"")),
    key("scanner", "adds_to_sale", Kind::Flag, Some("false")),
    key(
        "scanner",
        "symbologies",
        Kind::Texts,
        Some("[\"ean13\", \"ean8\", \"upca\", \"upce\", \"code128\", \"gs1-128\", \"itf\"]"),
    ),
    key("scanner", "double_read_ms", Kind::Integer, Some("500")),
    key("scale", "id", Kind::Text, Some("\"scale\"")),
    key("scale", "port", Kind::Text, None),
    key("scale", "terminal", Kind::Text, None),
    key("scale", "line", Kind::Text, Some("\"9600 7E1\"")),
    key("scale", "talk", Kind::Text, Some("\"polled\"")),
    key("scale", "unit", Kind::Text, Some("\"kg\"")),
    key("scale", "places", Kind::Integer, Some("3")),
    key("display", "id", Kind::Text, Some("\"display\"")),
    key("display", "port", Kind::Text, None),
    key("display", "terminal", Kind::Text, None),
    key("display", "line", Kind::Text, Some("\"9600 8N1\"")),
    key("display", "dialect", Kind::Text, Some("\"cd5220\"")),
    key("log", "level", Kind::Text, Some("\"info\"")),
    key("log", "format", Kind::Text, Some("\"text\"")),
];

/// The keys of a section, in order.
pub(super) fn of(section: &str) -> impl Iterator<Item = &'static Key> {
    KEYS.iter().filter(move |key| key.section == section)
}

/// A key by its place.
pub(super) fn find(section: &str, name: &str) -> Option<&'static Key> {
    of(section).find(|key| key.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_stands_once_in_a_known_section() {
        for key in &KEYS {
            assert!(SECTIONS.contains(&key.section), "{}", key.section);
            assert_eq!(of(key.section).filter(|other| other.name == key.name).count(), 1, "{}", key.name);
        }
    }
}
