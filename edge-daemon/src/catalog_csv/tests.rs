//! Nasty files.

use super::*;

use crate::config::{Config, Flags};
use proptest::prelude::*;

const HEADER: &str = "barcode,name,price_minor,tax_class,department\n";

fn store() -> Config {
    let text = "[store]\ntenant=\"t\"\nstore=\"s\"\nname=\"n\"\ncurrency=\"EUR\"\ntime_zone=\"UTC\"\n\
                [tax]\nstandard=\"20\"\n\
                [[embedded]]\nprefix=28\nitem_digits=5\nvalue_digits=5\nmeaning=\"weight\"\n";
    Config::read(Some(("t.toml", text)), std::iter::empty(), &Flags::default()).unwrap()
}

fn read_bytes(file: &[u8]) -> Result<Catalogue, CsvError> {
    let config = store();
    let owner = |barcode: &str, gtin: Option<Gtin>| {
        let taken = gtin.map_or(barcode == "PLU-7", |gtin| gtin.number() == 4_006_381_333_931);
        taken.then(|| "PEN".to_owned())
    };
    read(file, &Target { store: &config.store, owner: &owner }, |_| {})
}

fn lines(text: &str) -> Catalogue {
    read_bytes(format!("{HEADER}{text}").as_bytes()).unwrap()
}

/// The one reason why a line is left out.
fn reason(line: &str) -> String {
    let found = lines(&format!("{line}\n2000000000107,Good,1,standard,d\n"));
    assert_eq!((found.products.len(), found.skipped_count), (1, 1), "{line}: {found:?}");
    assert_eq!(found.skipped[0].line, 2);
    found.skipped[0].reason.clone()
}

#[test]
fn a_good_file_is_read_by_header_name_in_any_order() {
    let file = "\u{feff}Name, SKU ,price_minor,category,colour,tax_class,barcode\r\n\
                \"Café \"\"Noir\"\", ganz\",K1,499,Drinks,red,standard,4017100364396\r\n\
                Nails,,5,,grey,standard,NAIL-7\r\n\r\n";
    let found = read_bytes(file.as_bytes()).unwrap();
    assert_eq!(found.skipped, []);
    let [coffee, nails] = &found.products[..] else { panic!("{found:?}") };
    assert_eq!((coffee.sku.as_str(), coffee.name.as_deref()), ("K1", Some("Café \"Noir\", ganz")));
    assert_eq!((coffee.price, coffee.department.as_deref()), (Some(Money(499)), Some("Drinks")));
    assert_eq!((nails.sku.as_str(), nails.department.as_deref()), ("NAIL-7", None));
    assert_eq!(
        found.warnings,
        [Note { line: 1, reason: "the column `colour` is not known and was left out".into() }]
    );
}

#[test]
fn each_bad_line_says_why() {
    for (line, expected) in [
        ("4017100364397,Wrong digit,1,standard,d", "barcode 4017100364397: "),
        ("12345678,Wrong EAN-8,1,standard,d", "barcode 12345678: "),
        (",No code,1,standard,d", "the barcode is empty"),
        ("a\u{7}b,Bell,1,standard,d", "the barcode has more than 200 bytes or control characters"),
        ("2000000000206,,1,standard,d", "the name is empty"),
        ("2000000000206,   ,1,standard,d", "the name is empty"),
        (
            "2000000000206,x,1.99,standard,d",
            "price_minor `1.99` is not a whole number of minor units; 1.99 is written 199",
        ),
        ("2000000000206,x,-1,standard,d", "price_minor `-1` is not"),
        ("2000000000206,x,,standard,d", "price_minor `` is not"),
        ("2000000000206,x,10000000001,standard,d", "price_minor 10000000001 is more than 10000000000"),
        ("2000000000206,x,99999999999999999999,standard,d", "is not a whole number"),
        ("2000000000206,x,1,luxury,d", "unknown tax class `luxury`; the store has standard"),
        ("2000000000206,x", "is not a whole number"),
        ("2000000000206,\"open,1,standard,d", "a quote is not closed on the line"),
        ("4006381333931,Taken,1,standard,d", "the barcode 4006381333931 belongs to the product PEN already"),
        ("PLU-7,Taken,1,standard,d", "the barcode PLU-7 belongs to the product PEN already"),
    ] {
        let found = reason(line);
        assert!(found.contains(expected), "{line}: {found}");
    }
}

#[test]
fn a_line_that_is_not_utf8_is_one_bad_line() {
    let file = [HEADER.as_bytes(), b"1,Caf\xe9,1,standard,d\n2,Caf\xc3\xa9,1,standard,d\n"].concat();
    let found = read_bytes(&file).unwrap();
    assert_eq!(found.products.len(), 1);
    assert_eq!(found.skipped[0].reason, "not UTF-8 (byte 6 of the line); save the file as UTF-8");
}

#[test]
fn the_second_of_two_is_the_bad_one() {
    let found = lines(
        "0012345678905,UPC as EAN,1,standard,d\n012345678905,The same as UPC-A,1,standard,d\nX,a,1,standard,d\nX,b,1,standard,d\n",
    );
    let reasons: Vec<(u64, &str)> =
        found.skipped.iter().map(|note| (note.line, note.reason.as_str())).collect();
    assert_eq!(
        reasons,
        [
            (3, "the barcode 012345678905 stands in line 2 already"),
            (5, "the barcode X stands in line 4 already")
        ]
    );
    let file = "barcode,sku,name,price_minor,tax_class,department\nA,S,x,1,standard,d\nB,S,x,1,standard,d\n";
    let found = read_bytes(file.as_bytes()).unwrap();
    assert_eq!(found.skipped[0].reason, "the sku S stands in line 2 already");
}

#[test]
fn a_line_that_was_left_out_takes_no_code() {
    let found = lines("X,,1,standard,d\nX,Good,1,standard,d\n");
    assert_eq!((found.products.len(), found.skipped.len()), (1, 1));
}

#[test]
fn a_long_name_is_cut_between_letters() {
    let found = lines(&format!("X,{},1,standard,d\n", "é".repeat(101)));
    assert_eq!(found.products[0].name.as_deref(), Some("é".repeat(100).as_str()));
    assert_eq!(found.warnings[0].reason, "the name has 202 bytes and was cut to 200");
}

#[test]
fn a_code_with_a_weight_in_it_is_remarked_on() {
    let found = lines("2800101012500,Apples,1,standard,d\n2800102000001,Pears,1,standard,d\n");
    assert_eq!(found.products.len(), 2);
    assert_eq!(found.warnings.len(), 1);
    assert!(found.warnings[0].reason.contains("2800101000002"), "{:?}", found.warnings);
}

#[test]
fn a_file_without_its_columns_is_refused_as_a_whole() {
    assert_eq!(read_bytes(b""), Err(CsvError::Empty));
    assert_eq!(
        read_bytes(b"barcode;name;price_minor;tax_class\n"),
        Err(CsvError::NoColumn { column: "department" })
    );
    assert_eq!(
        read_bytes(b"barcode,name,tax_class,department\n"),
        Err(CsvError::NoColumn { column: "price_minor" })
    );
    assert_eq!(
        read_bytes(b"barcode,name,Name,price_minor,tax_class,department\n"),
        Err(CsvError::TwoColumns { column: "name".into() })
    );
    assert_eq!(read_bytes(&vec![b' '; MAX_FILE_BYTES + 1]), Err(CsvError::TooLarge));
}

#[test]
fn a_flood_of_bad_lines_is_counted_and_not_kept() {
    let found = lines(&"x\n".repeat(12_000));
    assert_eq!((found.skipped_count, found.skipped.len()), (12_000, MAX_NOTES));
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic_and_every_line_is_accounted_for(rest in prop::collection::vec(any::<u8>(), 0..400)) {
        let file = [HEADER.as_bytes(), &rest].concat();
        let found = read_bytes(&file).unwrap();
        let filled = rest.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).count();
        prop_assert_eq!(found.products.len() as u64 + found.skipped_count, filled as u64);
    }
}
