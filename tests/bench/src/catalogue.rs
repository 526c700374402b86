//! The products that are sold: 20,000 made-up ones with valid EAN-13, or a CSV file.
//!
//! Columns of the file: `barcode,name,price_minor,tax_class,department`. Tax classes are `standard` (20 %),
//! `reduced` (5 %) and `zero`. The peers read the same file that the daemon imports.

use crate::failure::Failure;
use crate::random::Random;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// How many products the made-up catalogue has.
pub const SYNTHETIC_PRODUCTS: usize = 20_000;

/// The largest catalogue file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// The highest price of a catalogue's line, in minor units: keeps every sum of a sale far inside an `i64`.
const MAX_PRICE: i64 = 100_000_000;

/// One product, as a line of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// What the scanner reads.
    pub barcode: String,
    /// What stands on the receipt.
    pub name: String,
    /// Price of one piece in minor units, tax included.
    pub price_minor: i64,
    /// `standard`, `reduced` or `zero`.
    pub tax_class: TaxClass,
    /// The department it belongs to.
    pub department: String,
}

/// The tax class of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaxClass {
    /// 20 %.
    Standard,
    /// 5 %.
    Reduced,
    /// 0 %.
    Zero,
}

impl TaxClass {
    /// The rate in hundredths of a percent: 2000 is 20 %.
    pub fn basis_points(self) -> i64 {
        match self {
            Self::Standard => 2000,
            Self::Reduced => 500,
            Self::Zero => 0,
        }
    }
}

/// A made-up catalogue, the same for the same seed.
pub fn synthetic(count: usize, seed: u64) -> Vec<Product> {
    const KINDS: [&str; 8] = ["Coffee", "Bread", "Milk", "Apples", "Soap", "Rice", "Tea", "Batteries"];
    const DEPARTMENTS: [&str; 4] = ["grocery", "bakery", "household", "beverages"];
    let mut random = Random::new(seed, u64::MAX);
    (0..count)
        .map(|number| {
            // 400–440 is a range of GS1 prefixes in use for goods, none of the in-store ones.
            let body = 400_000_000_000 + number as u64 * 37;
            Product {
                barcode: ean13(body),
                name: format!("{} no. {number}", pick(&mut random, &KINDS)),
                price_minor: 49 + random.below(40) as i64 * 50,
                tax_class: match random.below(10) {
                    0..5 => TaxClass::Reduced,
                    5..8 => TaxClass::Standard,
                    _ => TaxClass::Zero,
                },
                department: pick(&mut random, &DEPARTMENTS).to_owned(),
            }
        })
        .collect()
}

fn pick<'a>(random: &mut Random, from: &[&'a str]) -> &'a str {
    from.get(random.below(from.len())).copied().unwrap_or_default()
}

/// The EAN-13 of twelve digits (GS1 General Specifications, section 7.9: weights 3 and 1 from the right).
fn ean13(body: u64) -> String {
    let digits = format!("{:012}", body % 1_000_000_000_000);
    let sum: u32 =
        digits.bytes().rev().zip([3, 1].into_iter().cycle()).map(|(d, w)| u32::from(d - b'0') * w).sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

/// Reads a catalogue file.
///
/// # Errors
/// The file cannot be read, is larger than 64 MiB, has a line that is not a product (named by number), or
/// has fewer than 12 products: a sale of the bench has 12 different ones.
pub fn read(path: &Path) -> Result<Vec<Product>, Failure> {
    let bad = |line, reason: String| Failure::Catalogue { path: path.to_owned(), line, reason };
    let length = std::fs::metadata(path).map_err(Failure::file("read", path))?.len();
    if length > MAX_FILE_BYTES {
        return Err(bad(0, format!("{length} bytes; at most {MAX_FILE_BYTES} are read")));
    }
    let mut reader = csv::Reader::from_path(path).map_err(|e| bad(0, e.to_string()))?;
    let mut products = Vec::new();
    for row in reader.deserialize::<Product>() {
        let product = row.map_err(|e| bad(e.position().map_or(0, csv::Position::line), e.to_string()))?;
        if !(0..=MAX_PRICE).contains(&product.price_minor) {
            let line = products.len() as u64 + 2;
            return Err(bad(line, format!("price {} is not in 0..={MAX_PRICE}", product.price_minor)));
        }
        products.push(product);
    }
    if products.len() < 12 {
        return Err(bad(0, format!("{} products; a sale needs 12 different ones", products.len())));
    }
    Ok(products)
}

/// Writes a catalogue file that [`read`] and the daemon's import understand.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, products: &[Product]) -> Result<(), Failure> {
    let file = std::fs::File::create(path).map_err(Failure::file("create", path))?;
    let mut writer = csv::Writer::from_writer(file);
    let failed = |e: csv::Error| Failure::file("write", path)(std::io::Error::other(e));
    for product in products {
        writer.serialize(product).map_err(failed)?;
    }
    writer.flush().map_err(Failure::file("write", path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn check_digits_are_those_of_known_codes() {
        assert_eq!(ean13(400_638_133_393), "4006381333931");
        assert_eq!(ean13(978_030_640_615), "9780306406157");
    }

    #[test]
    fn made_up_products_differ_and_repeat() {
        let products = synthetic(SYNTHETIC_PRODUCTS, 3);
        assert_eq!(products.iter().map(|p| &p.barcode).collect::<HashSet<_>>().len(), SYNTHETIC_PRODUCTS);
        assert!(products.iter().all(|p| p.barcode.len() == 13 && p.price_minor > 0));
        assert_eq!(products, synthetic(SYNTHETIC_PRODUCTS, 3));
    }

    #[test]
    fn a_written_catalogue_is_read_back_and_a_bad_line_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("catalogue.csv");
        let products = synthetic(50, 1);
        write(&path, &products).unwrap();
        assert_eq!(read(&path).unwrap(), products);

        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replacen(",reduced,", ",luxury,", 1)).unwrap();
        let Err(Failure::Catalogue { line, .. }) = read(&path) else { panic!("a luxury tax was accepted") };
        assert!(line >= 2);
    }
}
