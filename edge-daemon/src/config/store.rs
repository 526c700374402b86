//! The sections that decide money: `[store]`, `[tax]`, `[loyalty]` and `[[embedded]]`.

use pos_domain::barcode::{EmbeddedRule, EmbeddedRules, Meaning};
use pos_domain::money::{Currency, MAX_PRICE, Money};
use pos_domain::store::{Loyalty, StoreConfig};
use pos_domain::tax::{Rate, TaxClass, TaxMode, TaxRounding};

use super::error::Problem;
use super::layers::{Section, Settings};
use super::section::Reader;
use super::value::{Setting, Value};
use crate::zone::StoreZone;

/// Reads them; `None` if a problem was noted.
pub(super) fn read(settings: &Settings, problems: &mut Vec<Problem>) -> Option<(StoreConfig, StoreZone)> {
    let empty = Section::new();
    let section = |name| settings.sections.get(name).unwrap_or(&empty);
    let tax_classes = tax(section("tax"), problems);
    let loyalty = settings.sections.get("loyalty").map(|section| loyalty(section, problems));
    let embedded = embedded(settings.lists.get("embedded").map_or(&[], Vec::as_slice), problems);

    let store = &mut Reader { name: "store", section: section("store"), problems };
    let tenant = store.short_name("tenant");
    let name_of_store = store.short_name("store");
    let box_name = store.short_name("box");
    let name = store.text("name", 200);
    let address = store.lines("address", 10, 200);
    let footer = store.lines("footer", 10, 200);
    let currency = store.parsed("currency", |code| {
        Currency::parse(code).ok_or("must be three capital letters of ISO 4217, such as \"EUR\"")
    });
    let zone = store.parsed("time_zone", StoreZone::named);
    let time_zone = store.text("time_zone", 64);
    let cut_off_minutes = store.parsed("cut_off", cut_off);
    let modes = [("inclusive", TaxMode::Inclusive), ("exclusive", TaxMode::Exclusive)];
    let tax_mode = store.choice("prices", &modes);
    let tax_rounding =
        store.choice("tax_rounding", &[("line", TaxRounding::Line), ("receipt", TaxRounding::Receipt)]);
    let cash_increment = store.integer("cash_increment", 1..=10_000);
    let require_shift = store.flag("require_shift");
    let limited = store.has("unlinked_cash_limit");
    let limit =
        if limited { store.integer("unlinked_cash_limit", 0..=MAX_PRICE.0).map(Some) } else { Some(None) };

    let config = StoreConfig {
        tenant: tenant?,
        store: name_of_store?,
        box_name: box_name?,
        name: name?,
        address: address?,
        footer: footer?,
        currency: currency?,
        time_zone: time_zone?,
        cut_off_minutes: cut_off_minutes?,
        tax_mode: tax_mode?,
        tax_rounding: tax_rounding?,
        tax_classes: tax_classes?,
        cash_increment: cash_increment?,
        require_shift: require_shift?,
        unlinked_cash_limit: limit?.map(Money),
        embedded: embedded?,
        loyalty: match loyalty {
            Some(loyalty) => Some(loyalty?),
            None => None,
        },
    };
    Some((config, zone?))
}

/// Minutes after midnight. The business day changes in the night, so that no hour is ambiguous on most days.
fn cut_off(text: &str) -> Result<u16, String> {
    let number = |part: &str| (part.len() == 2).then(|| part.parse::<u16>().ok()).flatten();
    let minutes = text.split_once(':').and_then(|(hours, minutes)| {
        let (hours, minutes) = (number(hours)?, number(minutes)?);
        (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
    });
    minutes.ok_or_else(|| format!("\"{text}\" is no time of day; write \"04:00\""))
}

fn tax(section: &Section, problems: &mut Vec<Problem>) -> Option<Vec<TaxClass>> {
    let before = problems.len();
    let reader = &mut Reader { name: "tax", section, problems };
    if section.is_empty() {
        let place = super::value::Source::Default;
        let what = "[tax] has no class; write for instance `standard = \"20.00\"`, or `none = \"0\"`";
        reader.problems.push(Problem { place, what: what.into() });
        return None;
    }
    let mut classes = Vec::new();
    for (name, Setting { value, .. }) in section {
        let rate = match value {
            Value::Text(text) => Rate::parse(text),
            Value::Integer(percent) => Rate::parse(&percent.to_string()),
            _ => None,
        };
        if name.is_empty() || name.len() > 50 || name.chars().any(char::is_control) {
            reader.wrong(name, "a tax class has a name of 1 to 50 bytes");
        } else if let Some(rate) = rate {
            classes.push(TaxClass::new(name, rate));
        } else {
            reader.wrong(
                name,
                "must be a percentage in quotes, 0 to 999.999 with at most 3 decimals: \"20.00\"",
            );
        }
    }
    (reader.problems.len() == before).then_some(classes)
}

fn loyalty(section: &Section, problems: &mut Vec<Problem>) -> Option<Loyalty> {
    let reader = &mut Reader { name: "loyalty", section, problems };
    let earn_per = reader.integer("earn_per", 1..=MAX_PRICE.0);
    let worth = reader.integer("worth", 0..=MAX_PRICE.0);
    Some(Loyalty { earn_per: Money(earn_per?), worth: Money(worth?) })
}

fn embedded(sections: &[Section], problems: &mut Vec<Problem>) -> Option<EmbeddedRules> {
    let before = problems.len();
    let mut rules = Vec::new();
    for section in sections {
        let reader = &mut Reader { name: "embedded", section, problems };
        if let Some(rule) = embedded_rule(reader) {
            rules.push(rule);
            // Looked at one by one, so that the message stands where the second of two equal prefixes does.
            if let Err(error) = EmbeddedRules::new(rules.clone()) {
                reader.wrong("prefix", error);
                rules.pop();
            }
        }
    }
    if problems.len() > before {
        return None;
    }
    EmbeddedRules::new(rules).ok()
}

fn embedded_rule(reader: &mut Reader<'_>) -> Option<EmbeddedRule> {
    let prefix = reader.small("prefix", 2..=29);
    let item_digits = reader.small("item_digits", 1..=9);
    let value_digits = reader.small("value_digits", 1..=9);
    let verifier = reader.flag("verifier");
    let meaning = reader.choice("meaning", &[("price", 'p'), ("weight", 'w'), ("count", 'c')]);
    let decimals = match (reader.has("decimals"), meaning) {
        (true, _) => reader.small("decimals", 0..=9),
        (false, Some('w')) => Some(3),
        (false, _) => Some(2),
    }?;
    let meaning = match meaning? {
        'p' => Meaning::Price { decimals },
        'w' => Meaning::Weight { decimals },
        _ => Meaning::Count,
    };
    match EmbeddedRule::new(prefix?, item_digits?, verifier?, value_digits?, meaning) {
        Ok(rule) => Some(rule),
        Err(error) => {
            reader.wrong("prefix", error);
            None
        }
    }
}
