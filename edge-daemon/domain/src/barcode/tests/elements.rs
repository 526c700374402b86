//! GS1 element strings and their dates: vectors, and refusals that name the element.

use super::super::application::{Format, Kind, TABLE};
use super::*;
use crate::time::Date;

#[test]
fn gs1_elements_transmitted_and_printed() {
    let transmitted = "]C10109501101530003172711001 0AB-123\u{1d}31030012503922125".replace(' ', "");
    let printed = "(01)09501101530003(17)271100(10)AB-123(3103)001250(3922)125";
    for scan in [transmitted.as_str(), &transmitted[3..], &transmitted.replace("]C1", "]d2\u{1d}"), printed] {
        let Ok(Barcode::Elements(elements)) = Barcode::parse(scan, &plain_rules()) else {
            panic!("{scan}: {:?}", Barcode::parse(scan, &plain_rules()));
        };
        assert_eq!(elements.gtin(), Some(gtin("9501101530003")));
        assert_eq!(elements.lot(), Some("AB-123"));
        assert_eq!(elements.net_weight().and_then(|kg| kg.rounded(3)), Some(1_250));
        assert_eq!(elements.price(), Some((Scaled { units: 125, decimals: 2 }, None)));
        let expires = elements.date(Ai::EXPIRATION).unwrap();
        assert_eq!(expires.resolve(2026), Date::from_civil(2027, 11, 30), "day 00 is the last of the month");
        assert_eq!(elements.to_string(), printed);
        assert_eq!(elements.to_transmitted(), transmitted[3..]);
    }
}

#[test]
fn gs1_values() {
    let value = |scan: &str, ai: Ai| {
        let elements = Elements::parse(scan).unwrap();
        elements.get(ai).map(|element| (element.value(), element.data().to_string())).unwrap()
    };
    let one = |scan: &str| Elements::parse(scan).unwrap().iter().next().map(Element::value).unwrap();
    assert_eq!(one("00376104250021234569"), Value::Sscc(376_104_250_021_234_569));
    assert_eq!(one("(37)12"), Value::Number(12));
    assert_eq!(value("(8005)001234", Ai::UNIT_PRICE), (Value::Number(1_234), "001234".into()));
    assert_eq!(
        one("(3932)978000495"),
        Value::Amount { amount: Scaled { units: 495, decimals: 2 }, currency: Some(978) }
    );
    assert_eq!(one("(3940)0015"), Value::Percent(Scaled { units: 15, decimals: 0 }));
    assert_eq!(one("(3160)000012"), Value::Measure(Scaled { units: 12, decimals: 0 }));
    assert_eq!(one("(21)A(B)(9)"), Value::Text);
    assert_eq!(value("(02)09501101530003(37)5", Ai::CONTENT).0, Value::Gtin(gtin("9501101530003")));
    let coupon = Elements::parse("(3911)9781999").unwrap();
    assert_eq!(coupon.payable(), Some((Scaled { units: 1_999, decimals: 1 }, Some(978))));
    // A logistic unit without symbology identifier.
    assert!(matches!(Barcode::parse("00376104250021234569", &plain_rules()), Ok(Barcode::Elements(_))));
    // The same element twice says nothing new.
    assert_eq!(Elements::parse("(10)A(10)A").unwrap().iter().count(), 1);
}

#[test]
fn gs1_refusals_name_the_element() {
    let refused = |scan: &str| Elements::parse(scan).unwrap_err();
    let length = |ai, found, min, max| BarcodeError::ElementLength { ai, found, min, max };
    assert_eq!(refused("0109501101530004"), BarcodeError::CheckDigit { expected: 3, found: 4 });
    assert_eq!(refused("00376104250021234560"), BarcodeError::CheckDigit { expected: 9, found: 0 });
    assert_eq!(refused("010950110153000"), length(Ai::GTIN, 13, 14, 14));
    assert_eq!(refused("10\u{1d}21A"), length(Ai::LOT, 0, 1, 20));
    assert_eq!(refused("10ABCDEFGHIJKLMNOPQRSTU"), length(Ai::LOT, 21, 1, 20));
    assert_eq!(refused("10AB#"), BarcodeError::ElementCharacter { ai: Ai::LOT });
    assert_eq!(refused("(310é)000001"), BarcodeError::UnknownAi { at: 0 });
    assert_eq!(refused("1112345é"), BarcodeError::ElementCharacter { ai: Ai::PRODUCTION_DATE });
    for bad in ["171302", "270230", "271131", "270001"] {
        let scan = format!("17{bad}");
        assert_eq!(refused(&scan), BarcodeError::ElementDate { ai: Ai::EXPIRATION }, "{bad}");
    }
    assert_eq!(refused("010950110153000305"), BarcodeError::UnknownAi { at: 16 });
    assert_eq!(refused("(10)A(10)B"), BarcodeError::Contradiction { ai: Ai::LOT });
    assert_eq!(refused("\u{1d}"), BarcodeError::Empty);
    assert_eq!(refused(&"x".repeat(MAX_SCAN + 1)), BarcodeError::TooLong { bytes: MAX_SCAN + 1 });
}

#[test]
fn the_century_slides() {
    let date = |yymmdd: &str, reference| {
        let elements = Elements::parse(&format!("(15){yymmdd}")).unwrap();
        elements.date(Ai::BEST_BEFORE).unwrap().resolve(reference).map(|date| date.to_string())
    };
    let resolved = |text: &str| Some(text.to_string());
    assert_eq!(date("260101", 2026), resolved("2026-01-01"));
    assert_eq!(date("760101", 2026), resolved("2076-01-01"), "50 years ahead");
    assert_eq!(date("770101", 2026), resolved("1977-01-01"), "49 years back");
    assert_eq!(date("490101", 2099), resolved("2149-01-01"), "50 years ahead, over the century");
    assert_eq!(date("500101", 2099), resolved("2050-01-01"), "49 years back");
    assert_eq!(date("240200", 2026), resolved("2024-02-29"));
    assert_eq!(date("270200", 2026), resolved("2027-02-28"));
    assert_eq!(date("000229", 2026), resolved("2000-02-29"));
    assert_eq!(date("000229", 2096), None, "2100 is no leap year");
    assert_eq!(date("000200", 2096), resolved("2100-02-28"));
    assert_eq!(date("990101", 30), None);
    assert_eq!(date("000101", u16::MAX), None);
}

#[test]
fn the_table_is_in_order_and_agrees_with_the_separators() {
    assert!(TABLE.iter().all(|row| row.first <= row.last && row.min >= 1 && row.min <= row.max));
    // Numbers that other code takes for granted: they fit 64 bits, and 32 where a count is read.
    assert!(TABLE.iter().all(|row| row.max <= 18 || row.kind == Kind::Text));
    assert!(TABLE.iter().all(|row| row.max <= 8 || row.kind != Kind::Number));
    for row in TABLE {
        let rivals = TABLE.iter().filter(|other| other.first <= row.last && other.last >= row.first);
        assert_eq!(rivals.count(), 1, "AI {} stands in two rows", row.first);
        for ai in [Ai(row.first), Ai(row.last)] {
            // No separator behind it: then its length must be one.
            assert!(!Format::is_predefined(ai) || row.min == row.max, "AI {ai}");
            let digits = ai.to_string();
            let shorter = (2..digits.len()).filter_map(|length| Format::at_start_of(&digits[..length]));
            assert_eq!(shorter.count(), 0, "another AI starts AI {ai}");
        }
    }
}

#[test]
fn lengths_at_their_ends() {
    let parts = |scan: &str| Elements::parse(scan).map(|elements| elements.to_string());
    let shown = |text: &str| Ok(text.to_string());
    assert_eq!(parts("410403102930000021X"), shown("(410)4031029300000(21)X"), "a location ends by itself");
    assert_eq!(parts("422276\u{1d}21X"), shown("(422)276(21)X"), "a country does not");
    assert!(parts("42227621X").is_err());
    assert_eq!(parts("3922123456789012345"), shown("(3922)123456789012345"));
    assert!(parts("39221234567890123456").is_err());
    assert_eq!(parts("3932978123456789012345"), shown("(3932)978123456789012345"));
    assert!(parts("3932978").is_err(), "a currency alone is no price");
    assert_eq!(parts("2012"), shown("(20)12"));
    assert_eq!(parts("3700000012"), shown("(37)00000012"));
    assert!(parts("37000000123").is_err());
    assert_eq!(parts("8010AB-1/#2"), shown("(8010)AB-1/#2"));
    assert!(parts("8010ab").is_err());
    assert!(parts("3106000001").is_err(), "no measure has six decimals");
    assert!(parts("49X").is_err());
}
