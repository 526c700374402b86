//! The catalogue as a CSV file: `barcode,name,price_minor,tax_class,department`, by header name in any order; `sku`
//! (else the barcode) and `category` (where there is no department) may be there too.
//!
//! Every physical line is a record of its own, so that one forgotten quote spoils one line and not the rest of the
//! file. A line that is wrong is left out and reported with its number and the reason.

use std::collections::{HashMap, HashSet};

use pos_domain::barcode::Gtin;
use pos_domain::command::ProductDraft;
use pos_domain::decide::MAX_NAME;
use pos_domain::money::{MAX_PRICE, Money};
use pos_domain::store::StoreConfig;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The largest file that is taken, in bytes: 64 MiB.
pub const MAX_FILE_BYTES: usize = 64 << 20;
/// The longest line, in bytes.
const MAX_LINE_BYTES: usize = 64 << 10;
/// Reasons that are kept; the number of bad lines is always right.
const MAX_NOTES: usize = 10_000;

/// A remark about a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Counts from 1; the header is line 1.
    pub line: u64,
    /// What is wrong with it, or was changed.
    pub reason: String,
}

/// What a file holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalogue {
    /// The products of the good lines.
    pub products: Vec<ProductDraft>,
    /// Lines that were left out: the first 10,000 of them.
    pub skipped: Vec<Note>,
    /// How many lines were left out.
    pub skipped_count: u64,
    /// What was changed in lines that were taken, and columns that were not: the first 10,000.
    pub warnings: Vec<Note>,
}

/// The file as a whole cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CsvError {
    /// Over [`MAX_FILE_BYTES`].
    #[error("the file has more than 64 MiB; split it")]
    TooLarge,
    /// There is no first line.
    #[error(
        "the file is empty; its first line names the columns: barcode,name,price_minor,tax_class,department"
    )]
    Empty,
    /// A column is missing.
    #[error(
        "the first line has no column `{column}`; it names the columns, separated by commas: \
         barcode,name,price_minor,tax_class,department"
    )]
    NoColumn {
        /// Which.
        column: &'static str,
    },
    /// A column is there twice.
    #[error("the first line names the column `{column}` twice; remove one")]
    TwoColumns {
        /// Which.
        column: String,
    },
}

/// What is known of the store that the file is for.
pub struct Target<'a> {
    /// Its tax table and its in-store codes.
    pub store: &'a StoreConfig,
    /// The SKU of the product that has a barcode now, if there is one; the item number is that of the barcode, where it
    /// is one.
    pub owner: &'a dyn Fn(&str, Option<Gtin>) -> Option<String>,
}

/// Reads a file. `progress` hears now and then how many bytes are done.
///
/// # Errors
/// If the file as a whole cannot be used; single bad lines are no error.
pub fn read(file: &[u8], target: &Target<'_>, mut progress: impl FnMut(u64)) -> Result<Catalogue, CsvError> {
    if file.len() > MAX_FILE_BYTES {
        return Err(CsvError::TooLarge);
    }
    let mut offset = file.len();
    let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    offset -= file.len();
    let mut lines = (1..).zip(file.split(|byte| *byte == b'\n'));
    let (_, header) =
        lines.next().filter(|(_, line)| !line.trim_ascii().is_empty()).ok_or(CsvError::Empty)?;
    offset += header.len() + 1;
    let mut catalogue = Catalogue::default();
    let columns = Columns::of(header, &mut catalogue)?;
    let mut seen = Seen::default();
    for (number, line) in lines {
        offset += line.len() + 1;
        if number % 1024 == 0 {
            progress(offset as u64);
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        match columns.product(line, target, &mut seen, number) {
            Ok((product, warning)) => {
                catalogue.products.push(product);
                note(&mut catalogue.warnings, number, warning);
            }
            Err(reason) => {
                catalogue.skipped_count += 1;
                note(&mut catalogue.skipped, number, Some(reason));
            }
        }
    }
    progress(file.len() as u64);
    Ok(catalogue)
}

fn note(notes: &mut Vec<Note>, line: u64, reason: Option<String>) {
    if let Some(reason) = reason.filter(|_| notes.len() < MAX_NOTES) {
        notes.push(Note { line, reason });
    }
}

/// What earlier lines of the file took, by the line's number.
#[derive(Default)]
struct Seen {
    gtins: HashMap<Gtin, u64>,
    codes: HashMap<String, u64>,
    skus: HashMap<String, u64>,
}

/// Where each column stands.
struct Columns {
    barcode: usize,
    name: usize,
    price: usize,
    tax_class: usize,
    department: Option<usize>,
    category: Option<usize>,
    sku: Option<usize>,
}

const KNOWN: [&str; 7] = ["barcode", "name", "price_minor", "tax_class", "department", "category", "sku"];

impl Columns {
    fn of(header: &[u8], catalogue: &mut Catalogue) -> Result<Self, CsvError> {
        let fields = fields(header).unwrap_or_default();
        let names: Vec<String> = fields.iter().map(|field| field.trim().to_lowercase()).collect();
        let mut twice = HashSet::new();
        for name in &names {
            if !twice.insert(name.as_str()) && KNOWN.contains(&name.as_str()) {
                return Err(CsvError::TwoColumns { column: name.clone() });
            }
            if !KNOWN.contains(&name.as_str()) {
                let name: String = name.chars().take(40).collect();
                note(
                    &mut catalogue.warnings,
                    1,
                    Some(format!("the column `{name}` is not known and was left out")),
                );
            }
        }
        let find = |column: &str| names.iter().position(|name| name == column);
        let need = |column: &'static str| find(column).ok_or(CsvError::NoColumn { column });
        let (department, category) = (find("department"), find("category"));
        if department.or(category).is_none() {
            return Err(CsvError::NoColumn { column: "department" });
        }
        Ok(Self {
            barcode: need("barcode")?,
            name: need("name")?,
            price: need("price_minor")?,
            tax_class: need("tax_class")?,
            department,
            category,
            sku: find("sku"),
        })
    }

    fn product(
        &self,
        line: &[u8],
        target: &Target<'_>,
        seen: &mut Seen,
        number: u64,
    ) -> Result<(ProductDraft, Option<String>), String> {
        let fields = fields(line)?;
        let field = |index: usize| fields.get(index).map_or("", |field| field.trim());
        let optional = |index: Option<usize>| index.map(field).filter(|text| !text.is_empty());
        let barcode = plain("barcode", field(self.barcode))?;
        let sku = plain("sku", optional(self.sku).unwrap_or(barcode))?;
        let (name, mut warning) = name(field(self.name))?;
        let price = price(field(self.price))?;
        let tax_class = field(self.tax_class);
        if target.store.rate(tax_class).is_none() {
            let known: Vec<&str> = target.store.tax_classes.iter().map(|class| class.name.as_str()).collect();
            return Err(format!(
                "unknown tax class `{}`; the store has {}",
                shown(tax_class),
                known.join(", ")
            ));
        }
        let department = optional(self.department).or_else(|| optional(self.category));
        let department = department.map(|text| plain("department", text)).transpose()?;
        let gtin = gtin(barcode, target)?;
        if let Some(owner) = (target.owner)(barcode, gtin).filter(|owner| owner != sku) {
            return Err(format!("the barcode {barcode} belongs to the product {owner} already"));
        }
        if let Some(gtin) = gtin {
            let base = target.store.embedded.read(gtin).map_err(|error| error.to_string())?;
            if let Some(base) = base.map(|embedded| embedded.base).filter(|base| *base != gtin) {
                let advice = format!("the barcode holds a price or weight; scanners find it only as {base}");
                warning = Some(advice);
            }
        }
        let line_of_code = match gtin {
            Some(gtin) => seen.gtins.get(&gtin),
            None => seen.codes.get(barcode),
        };
        if let Some(line) = line_of_code {
            return Err(format!("the barcode {barcode} stands in line {line} already"));
        }
        if let Some(line) = seen.skus.get(sku) {
            return Err(format!("the sku {sku} stands in line {line} already"));
        }
        match gtin {
            Some(gtin) => seen.gtins.insert(gtin, number),
            None => seen.codes.insert(barcode.to_owned(), number),
        };
        seen.skus.insert(sku.to_owned(), number);
        let product = ProductDraft {
            sku: sku.to_owned(),
            name: Some(name),
            price: Some(price),
            tax_class: Some(tax_class.to_owned()),
            department: department.map(str::to_owned),
            barcode: Some(barcode.to_owned()),
            ..ProductDraft::default()
        };
        Ok((product, warning))
    }
}

/// The fields of one line.
fn fields(line: &[u8]) -> Result<Vec<String>, String> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.len() > MAX_LINE_BYTES {
        return Err("the line has more than 64 KiB".into());
    }
    if line.iter().filter(|byte| **byte == b'"').count() % 2 == 1 {
        return Err("a quote is not closed on the line".into());
    }
    let text = std::str::from_utf8(line).map_err(|error| {
        format!("not UTF-8 (byte {} of the line); save the file as UTF-8", error.valid_up_to() + 1)
    })?;
    let mut reader = csv::ReaderBuilder::new();
    let reader = reader.has_headers(false).buffer_capacity(line.len().max(16));
    let mut records = reader.from_reader(text.as_bytes()).into_records();
    match records.next() {
        Some(Ok(record)) => Ok(record.iter().map(str::to_owned).collect()),
        Some(Err(error)) => Err(error.to_string()),
        None => Err("the line is empty".into()),
    }
}

fn plain<'a>(what: &str, text: &'a str) -> Result<&'a str, String> {
    if text.is_empty() {
        return Err(format!("the {what} is empty"));
    }
    if text.len() > MAX_NAME || text.chars().any(char::is_control) {
        return Err(format!("the {what} has more than {MAX_NAME} bytes or control characters"));
    }
    Ok(text)
}

fn name(text: &str) -> Result<(String, Option<String>), String> {
    if text.is_empty() {
        return Err("the name is empty".into());
    }
    if text.chars().any(char::is_control) {
        return Err("the name has control characters".into());
    }
    if text.len() <= MAX_NAME {
        return Ok((text.to_owned(), None));
    }
    let end = text.floor_char_boundary(MAX_NAME);
    let cut = text.get(..end).unwrap_or_default().trim_end().to_owned();
    Ok((cut, Some(format!("the name has {} bytes and was cut to {MAX_NAME}", text.len()))))
}

fn price(text: &str) -> Result<Money, String> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let price = if digits { text.parse().ok() } else { None };
    let what =
        || format!("price_minor `{}` is not a whole number of minor units; 1.99 is written 199", shown(text));
    let price = price.ok_or_else(what)?;
    if price > MAX_PRICE.0 {
        return Err(format!("price_minor {price} is more than {}", MAX_PRICE.0));
    }
    Ok(Money(price))
}

/// A code of 8, 12, 13 or 14 digits is an item number and must have its check digit; any other is the store's own.
fn gtin(barcode: &str, target: &Target<'_>) -> Result<Option<Gtin>, String> {
    let number =
        barcode.bytes().all(|byte| byte.is_ascii_digit()) && matches!(barcode.len(), 8 | 12 | 13 | 14);
    if !number {
        return Ok(None);
    }
    let parsed = Gtin::parse_with(barcode, target.store.embedded.eight_digits());
    parsed.map(Some).map_err(|error| format!("barcode {barcode}: {error}"))
}

/// A piece of somebody's file in a message: short, on one line.
fn shown(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(40).collect()
}

#[cfg(test)]
mod tests;
