//! Item numbers, embedded values and plain text: vectors from the standard and from shops.

use alloc::vec;

use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::U64Deserializer;

use super::*;

#[test]
fn one_item_in_every_form() {
    let forms =
        ["041497153718", "0041497153718", "00041497153718", "]E00041497153718", " 0 41497 15371 8\r\n"];
    for form in forms {
        assert_eq!(Barcode::parse(form, &plain_rules()), Ok(Barcode::Item(gtin("0041497153718"))), "{form}");
    }
    assert_eq!(gtin("00041497153718").to_string(), "041497153718");
    assert_eq!(gtin("041497153718").in_form(GtinForm::Ean13).unwrap(), "0041497153718");
    assert_eq!(gtin("041497153718").in_form(GtinForm::Gtin14).unwrap(), "00041497153718");
    assert_eq!(gtin("4006381333931").to_string(), "4006381333931");
    assert_eq!(gtin("40170725").to_string(), "40170725");
    assert_eq!(gtin("14006381333938").shortest_form(), GtinForm::Gtin14);
    assert_eq!(
        gtin("4006381333931").in_form(GtinForm::UpcA),
        Err(BarcodeError::Form { form: GtinForm::UpcA })
    );
}

#[test]
fn check_digits_of_the_standard() {
    for (body, digit) in [(629104150021, 3), (37610425002123456, 9), (950110153100, 0), (7351353, 7)] {
        assert_eq!(check_digit(body), digit, "{body}");
    }
    assert_eq!(Gtin::parse("4006381333932"), Err(BarcodeError::CheckDigit { expected: 1, found: 2 }));
    assert_eq!(Gtin::parse("400638133393"), Err(BarcodeError::CheckDigit { expected: 0, found: 3 }));
    assert_eq!(Gtin::parse("40063813339310"), Err(BarcodeError::CheckDigit { expected: 4, found: 0 }));
    assert_eq!(Gtin::parse("4006381"), Err(BarcodeError::Length { digits: 7 }));
    assert_eq!(Gtin::parse("400638133393x"), Err(BarcodeError::NotDigits));
    assert_eq!(Gtin::parse("٤٠٠٦"), Err(BarcodeError::NotDigits));
    assert_eq!(Gtin::parse("00000000"), Err(BarcodeError::Zero));
    assert_eq!(Gtin::try_from(u64::MAX), Err(BarcodeError::Length { digits: 20 }));
}

#[test]
fn upc_e_expands_by_its_last_digit() {
    let vectors = [
        ("01234565", "012345000065"),
        ("04252614", "042100005264"),
        ("01234531", "012300000451"),
        ("01234543", "012340000053"),
    ];
    for (short, long) in vectors {
        assert_eq!(Gtin::from_form(GtinForm::UpcE, short).unwrap(), gtin(long), "{short}");
        assert_eq!(gtin(long).in_form(GtinForm::UpcE).unwrap(), short, "{long}");
        assert_eq!(Barcode::parse(short, &plain_rules()).unwrap().gtin(), Some(gtin(long)), "{short}");
    }
    assert!(gtin("041497153718").in_form(GtinForm::UpcE).is_err());
    assert!(gtin("4006381333931").in_form(GtinForm::UpcE).is_err());
    let eight = Gtin::from_form(GtinForm::UpcE, "40170725");
    assert_eq!(eight, Err(BarcodeError::Form { form: GtinForm::UpcE }));
}

#[test]
fn eight_digits_that_pass_both_checks_are_read_as_the_store_says() {
    let rules = plain_rules().with_eight_digits(EightDigits::Ean8First);
    assert_eq!(Barcode::parse("01234565", &rules).unwrap().gtin().unwrap().number(), 1_234_565);
    // The symbology identifier settles it.
    assert_eq!(Barcode::parse("]E401234565", &plain_rules()).unwrap().gtin().unwrap().number(), 1_234_565);
    // Only one check passes: no choice.
    assert_eq!(Barcode::parse("04252614", &rules).unwrap().gtin(), Some(gtin("042100005264")));
}

#[test]
fn a_price_or_weight_inside_the_number() {
    let parse = |scan: &str| match Barcode::parse(scan, &store_rules()).unwrap() {
        Barcode::Embedded(embedded) => embedded,
        other => panic!("{other:?}"),
    };
    let price = parse("0212345001257");
    assert_eq!((price.prefix, price.item), (2, 12_345));
    assert_eq!(price.value, EmbeddedValue::Price(Scaled { units: 125, decimals: 2 }));
    assert_eq!(price.base, gtin("0212345000007"));
    assert_eq!(parse("212345001257"), price, "the same label as UPC-A");

    let weight = parse("2854321012345");
    assert_eq!(weight.item, 54_321);
    assert_eq!(weight.value, EmbeddedValue::Weight(Scaled { units: 1_234, decimals: 3 }));
    assert_eq!(parse("2900012300120").value, EmbeddedValue::Count(12));
    // No rule for this prefix: an item of the shop.
    assert_eq!(Barcode::parse("2412345001259", &store_rules()), Ok(Barcode::Item(gtin("2412345001259"))));
    assert_eq!(Barcode::parse("0212345001257", &plain_rules()), Ok(Barcode::Item(gtin("0212345001257"))));
    // A case of such an item is not such an item.
    assert!(matches!(Barcode::parse("10212345001254", &store_rules()), Ok(Barcode::Item(_))));
}

#[test]
fn the_verifier_digit_guards_the_price() {
    // Sections 7.9.3 and 7.9.4 work these two through: 2875 gives 9, 14685 gives 6.
    let five_four = EmbeddedRule::new(23, 5, true, 4, Meaning::Price { decimals: 2 }).unwrap();
    let four_five = EmbeddedRule::new(21, 4, true, 5, Meaning::Price { decimals: 2 }).unwrap();
    assert_eq!(five_four.encode(77_777, 2_875).unwrap().number() / 10, 237_777_792_875);
    assert_eq!(four_five.encode(7_777, 14_685).unwrap().number() / 10, 217_777_614_685);
    assert_eq!(five_four.encode(100_000, 1), None);
    assert_eq!(five_four.encode(1, 10_000), None);

    let wrong = Gtin::with_check_digit(237_777_782_875).unwrap().to_string();
    let refused = Barcode::parse(&wrong, &store_rules());
    assert_eq!(refused, Err(BarcodeError::Verifier { expected: 9, found: 8 }));
}

#[test]
fn rules_that_cannot_be() {
    let price = |decimals| Meaning::Price { decimals };
    let refused = |prefix, item, verifier, value, meaning| {
        EmbeddedRule::new(prefix, item, verifier, value, meaning).unwrap_err()
    };
    assert_eq!(refused(30, 5, false, 5, price(2)), RuleError::Prefix { prefix: 30 });
    assert_eq!(refused(20, 5, true, 5, price(2)), RuleError::Digits { prefix: 20, digits: 11 });
    assert_eq!(refused(20, 10, false, 0, price(0)), RuleError::Digits { prefix: 20, digits: 10 });
    assert_eq!(refused(20, 255, false, 255, price(2)), RuleError::Digits { prefix: 20, digits: 255 });
    assert_eq!(refused(20, 6, true, 3, price(2)), RuleError::Verifier { prefix: 20, value_digits: 3 });
    let decimals = RuleError::Decimals { prefix: 20, decimals: 6, value_digits: 5 };
    assert_eq!(refused(20, 5, false, 5, price(6)), decimals);
    let rule = EmbeddedRule::new(20, 5, false, 5, price(2)).unwrap();
    assert_eq!(EmbeddedRules::new(vec![rule, rule]), Err(RuleError::Twice { prefix: 20 }));
}

#[test]
fn other_codes_are_text_and_misreads_are_refused() {
    let parse = |scan: &str| Barcode::parse(scan, &store_rules());
    for code in [
        "4011",
        "85123A",
        "STAFF-0042",
        "(not GS1)",
        "]",
        "]C",
        "0123",
        "https://example.org/01/4",
        "01999999999999999",
    ] {
        assert_eq!(parse(code), Ok(Barcode::Text(code.into())), "{code}");
    }
    assert_eq!(parse("]A04006381333931"), Ok(Barcode::Item(gtin("4006381333931"))));
    assert_eq!(
        parse("]A0400638133393"),
        Ok(Barcode::Text("400638133393".into())),
        "Code 39 promises no item"
    );
    assert_eq!(parse("400638133393"), Err(BarcodeError::CheckDigit { expected: 0, found: 3 }));
    assert_eq!(parse("978-3-16-148410-0"), Ok(Barcode::Item(gtin("9783161484100"))));
    assert_eq!(parse("4006381333931-"), Ok(Barcode::Text("4006381333931-".into())));
    assert_eq!(parse("]E3977123456700312"), Ok(Barcode::Item(gtin("9771234567003"))), "a periodical's issue");
    assert_eq!(parse("]E0"), Err(BarcodeError::Length { digits: 0 }));
    assert_eq!(parse("]A0"), Err(BarcodeError::Empty));
    assert_eq!(parse("]A0\u{1d}"), Err(BarcodeError::NotPrintable));
    assert_eq!(parse(" \r\n"), Err(BarcodeError::Empty));
    assert_eq!(parse("40\u{0}11"), Err(BarcodeError::NotPrintable));
    assert_eq!(parse(&"1".repeat(MAX_SCAN + 1)), Err(BarcodeError::TooLong { bytes: MAX_SCAN + 1 }));
}

#[test]
fn scaled_numbers() {
    let scaled = |units, decimals| Scaled { units, decimals };
    assert_eq!(scaled(125, 2).exact(2), Some(125));
    assert_eq!(scaled(125, 2).exact(3), Some(1_250));
    assert_eq!(scaled(1_250, 3).exact(2), Some(125));
    assert_eq!(scaled(1_255, 3).exact(2), None);
    assert_eq!(scaled(1_255, 3).rounded(2), Some(126));
    assert_eq!(scaled(1_254, 3).rounded(2), Some(125));
    assert_eq!(scaled(u64::MAX, 0).exact(1), None);
    assert_eq!(scaled(u64::MAX, 255).rounded(0), Some(0));
    let shown = [scaled(125, 2), scaled(7, 3), scaled(7, 0), scaled(7, 200)].map(|number| number.to_string());
    assert_eq!(shown, ["1.25", "0.007", "7", "7e-200"]);
}

#[test]
fn every_error_says_what_to_do() {
    let texts = [
        BarcodeError::CheckDigit { expected: 1, found: 2 }.to_string(),
        BarcodeError::ElementLength { ai: Ai(10), found: 0, min: 1, max: 20 }.to_string(),
        RuleError::Twice { prefix: 2 }.to_string(),
    ];
    assert_eq!(texts[0], "the last digit is 2 where 1 belongs: the code was misread; scan it again");
    assert_eq!(texts[1], "GS1 element (10) has 0 characters, it takes 1 to 20; a separator may be missing");
    assert_eq!(texts[2], "prefix 2 has two rules; keep one");
}

#[test]
fn a_wrong_check_digit_is_refused_in_storage_too() {
    let stored = |number: u64| {
        let deserializer: U64Deserializer<serde::de::value::Error> = number.into_deserializer();
        Gtin::deserialize(deserializer)
    };
    assert_eq!(stored(40_170_725), Ok(gtin("40170725")));
    assert!(stored(40_170_726).is_err());
}
