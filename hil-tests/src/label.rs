//! A label with an EAN-13 (ISO/IEC 15420), as a sensor that is moved over it sees it.

use firmware::{Level, Run, write_run};

/// The left half's sets by the first digit, 1 for B.
const SETS: [u8; 10] = [
    0b00_0000, 0b00_1011, 0b00_1101, 0b00_1110, 0b01_0011, 0b01_1001, 0b01_1100, 0b01_0101, 0b01_0110,
    0b01_1010,
];
/// The digits' modules in set A, 1 for dark.
const SET_A: [u8; 10] = [0x0d, 0x19, 0x13, 0x3d, 0x23, 0x31, 0x2f, 0x3b, 0x37, 0x0b];
/// Ticks of a module.
const MODULE: u32 = 60;
/// Modules of paper on either side.
const PAPER: u32 = 12;

/// A label.
#[derive(Debug, Clone)]
pub struct Label {
    /// Its thirteen digits.
    pub digits: String,
    /// The runs, as bytes on the sensor's line.
    pub bytes: Vec<u8>,
}

impl Label {
    /// The label of the article with this number, 0 to 999,999,999,999.
    #[must_use]
    pub fn of(article: u64) -> Self {
        let twelve = format!("{:012}", article % 1_000_000_000_000);
        let sum: u32 =
            twelve.bytes().zip([1, 3].into_iter().cycle()).map(|(d, w)| u32::from(d - b'0') * w).sum();
        let digits = format!("{twelve}{}", (10 - sum % 10) % 10);
        let numbers: Vec<usize> = digits.bytes().map(|digit| usize::from(digit - b'0')).collect();
        let mut modules = String::from("101");
        for (at, number) in numbers.iter().enumerate().skip(1) {
            let a = SET_A[*number];
            let bits = match at {
                1..=6 if SETS[numbers[0]] >> (6 - at) & 1 == 0 => a,
                // Set B is set C from behind, set C is set A with dark for light.
                1..=6 => (!a & 0x7f).reverse_bits() >> 1,
                _ => !a & 0x7f,
            };
            modules += &format!("{bits:07b}");
            if at == 6 {
                modules += "01010";
            }
        }
        modules += "101";
        let mut runs = vec![Run { level: Level::Light, ticks: PAPER * MODULE }];
        for module in modules.bytes() {
            let level = if module == b'1' { Level::Dark } else { Level::Light };
            match runs.last_mut() {
                Some(run) if run.level == level => run.ticks += MODULE,
                _ => runs.push(Run { level, ticks: MODULE }),
            }
        }
        runs.push(Run { level: Level::Light, ticks: PAPER * MODULE });
        Self { digits, bytes: runs.into_iter().flat_map(write_run).collect() }
    }
}

#[cfg(test)]
mod tests {

    use firmware::{BarReader, Moment, Reading, RunReader};

    use super::*;

    #[test]
    fn labels_are_what_the_reader_reads() {
        assert_eq!(Label::of(400_638_133_393).digits, "4006381333931");
        for article in (0..200).map(|number| number * 4_999_999_937) {
            let label = Label::of(article);
            let mut reader = BarReader::new(Reading::default());
            let mut runs = RunReader::default();
            let mut read = None;
            for run in label.bytes.iter().filter_map(|byte| runs.take(*byte)) {
                read = reader.handle(run, Moment::default()).map(|code| code.text.to_vec()).or(read);
            }
            assert_eq!(read, Some(label.digits.into_bytes()));
        }
    }
}
