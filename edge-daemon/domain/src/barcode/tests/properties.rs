//! What must hold for every input.

use alloc::vec::Vec;

use super::*;

#[test]
fn no_input_panics() {
    let pieces = prop_oneof![
        "\\PC{0,3}",
        "[0-9]{1,18}",
        "[\\]()][A-Za-z0-9]{0,4}",
        Just("\u{1d}".to_string()),
        "\\(?(00|01|02|10|1[1-7]|21|30|310[0-9]|39[0-5][0-9]|8005|9[0-9])\\)?",
        any::<char>().prop_map(String::from),
    ];
    for_all(prop::collection::vec(pieces, 0..12), |pieces| {
        let scan = pieces.concat();
        if let Ok(Barcode::Elements(elements)) = Barcode::parse(&scan, &store_rules()) {
            let dates = elements.iter().filter_map(|element| elements.date(element.ai()));
            dates.for_each(|date| _ = date.resolve(2026));
            _ = (
                elements.price(),
                elements.payable(),
                elements.net_weight(),
                elements.count(),
                elements.to_string(),
            );
            prop_assert_eq!(Elements::parse(&elements.to_transmitted()), Ok(elements));
        }
        Ok(())
    });
}

#[test]
fn item_numbers_come_back_from_every_form() {
    for_all(gtins(), |item| {
        for form in [GtinForm::UpcE, GtinForm::Ean8, GtinForm::UpcA, GtinForm::Ean13, GtinForm::Gtin14] {
            if let Ok(digits) = item.in_form(form) {
                prop_assert_eq!(Gtin::from_form(form, &digits), Ok(item), "{}", form);
            }
        }
        let rules = plain_rules().with_eight_digits(EightDigits::Ean8First);
        prop_assert_eq!(Barcode::parse(&item.to_string(), &rules), Ok(Barcode::Item(item)));
        Ok(())
    });
}

#[test]
fn every_upc_e_comes_back() {
    for_all(0u64..1_000_000, |six| {
        // The check digit is that of the long form: try all ten.
        let forms = (0..10).map(|check| format!("{:08}", six * 10 + check));
        let items: Vec<_> =
            forms.filter_map(|digits| Gtin::from_form(GtinForm::UpcE, &digits).ok()).collect();
        prop_assert_eq!(items.len(), 1 - usize::from(six == 0));
        for item in items {
            let short = item.in_form(GtinForm::UpcE).unwrap();
            prop_assert_eq!(Gtin::from_form(GtinForm::UpcE, &short), Ok(item));
        }
        Ok(())
    });
}

#[test]
fn one_changed_digit_is_always_seen() {
    for_all((gtins(), 0..14u32, 1..10u64), |(item, place, step)| {
        let unit = 10u64.pow(place);
        let digit = item.number() / unit % 10;
        let changed = item.number() - digit * unit + (digit + step) % 10 * unit;
        prop_assert!(Gtin::try_from(changed).is_err());
        Ok(())
    });
}

#[test]
fn swapped_neighbours_are_seen_but_for_a_difference_of_five() {
    for_all((gtins(), 0..13u32), |(item, place)| {
        let unit = 10u64.pow(place);
        let (right, left) = (item.number() / unit % 10, item.number() / unit / 10 % 10);
        let swapped = item.number() - (left * 10 + right) * unit + (right * 10 + left) * unit;
        prop_assert_eq!(Gtin::try_from(swapped).is_ok(), left.abs_diff(right) % 5 == 0);
        Ok(())
    });
}

#[test]
fn embedded_values_come_back() {
    let rules = vec![
        EmbeddedRule::new(2, 5, false, 5, Meaning::Price { decimals: 2 }).unwrap(),
        EmbeddedRule::new(21, 4, true, 5, Meaning::Weight { decimals: 3 }).unwrap(),
        EmbeddedRule::new(23, 5, true, 4, Meaning::Count).unwrap(),
        EmbeddedRule::new(29, 1, false, 9, Meaning::Price { decimals: 0 }).unwrap(),
    ];
    let all = EmbeddedRules::new(rules.clone()).unwrap();
    for_all((prop::sample::select(rules), any::<u32>(), any::<u32>()), |(rule, item, value)| {
        let (item, value) = (item % 10, value % 10_000);
        let label = rule.encode(item, value).unwrap().in_form(GtinForm::Ean13).unwrap();
        let Ok(Barcode::Embedded(read)) = Barcode::parse(&label, &all) else {
            return Err(TestCaseError::fail(label));
        };
        let units = match read.value {
            EmbeddedValue::Price(Scaled { units, .. }) | EmbeddedValue::Weight(Scaled { units, .. }) => units,
            EmbeddedValue::Count(count) => count.into(),
        };
        prop_assert_eq!((read.prefix, read.item, units), (rule.prefix(), item, value.into()));
        prop_assert_eq!(Some(read.base), rule.encode(item, 0));
        Ok(())
    });
}

#[test]
fn element_strings_come_back() {
    let date = (0u8..=99, 1u8..=12, 0u8..=28).prop_map(|(y, m, d)| format!("{y:02}{m:02}{d:02}"));
    let text = "[!\"%&'*+,./:;<=>?A-Z_a-z0-9-]{1,20}";
    let strategy = (gtins(), text, date, text, 0u32..1_000_000, 0u8..=5, 1u64..1_000_000_000_000_000);
    for_all(strategy, |(item, lot, date, serial, weight, decimals, price)| {
        let item = item.in_form(GtinForm::Gtin14).unwrap();
        let printed =
            format!("(01){item}(10){lot}(15){date}(21){serial}(310{decimals}){weight:06}(3932)978{price}");
        let elements = Elements::parse(&printed).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(elements.to_string(), printed);
        prop_assert_eq!(elements.net_weight(), Some(Scaled { units: weight.into(), decimals }));
        prop_assert_eq!(elements.price(), Some((Scaled { units: price, decimals: 2 }, Some(978))));
        let scan = format!("]C1{}", elements.to_transmitted());
        prop_assert_eq!(Barcode::parse(&scan, &store_rules()), Ok(Barcode::Elements(elements)));
        Ok(())
    });
}
