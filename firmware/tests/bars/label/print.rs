//! Encoders: from digits and characters to the widths of bars and spaces, by the tables of the standards.

use firmware::Symbology;

use super::Random;

/// Kinds of labels in a shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Ean13,
    UpcA,
    Ean8,
    UpcE,
    Code128,
    Gs1,
    Itf14,
}

impl Kind {
    pub(crate) const ALL: [Self; 7] =
        [Self::Ean13, Self::UpcA, Self::Ean8, Self::UpcE, Self::Code128, Self::Gs1, Self::Itf14];
}

/// A printed symbol.
pub(crate) struct Label {
    /// Widths in modules, the quiet zones included: light, dark, …, light.
    pub(crate) widths: Vec<f64>,
    /// What has to be read.
    pub(crate) symbology: Symbology,
    pub(crate) identifier: &'static str,
    pub(crate) text: Vec<u8>,
    /// The same in the words of rxing.
    pub(crate) plain: String,
}

const SET_A: [&str; 10] = ["3211", "2221", "2122", "1411", "1132", "1231", "1114", "1312", "1213", "3112"];
const PARITIES: [&str; 10] =
    ["AAAAAA", "AABABB", "AABBAB", "AABBBA", "ABAABB", "ABBAAB", "ABBBAA", "ABABAB", "ABABBA", "ABBABA"];

impl Label {
    /// One of this kind with digits or characters by chance.
    pub(crate) fn any(kind: Kind, random: &mut Random) -> Self {
        match kind {
            Kind::Ean13 => {
                let mut digits = random.digits(12);
                digits[0] = 1 + random.below(9) as u8;
                Self::ean13(&digits)
            }
            Kind::UpcA => Self::ean13(&[vec![0], random.digits(11)].concat()),
            Kind::Ean8 => Self::ean8(&random.digits(7)),
            Kind::UpcE => Self::upc_e(&random.digits(6)),
            Kind::Code128 => {
                let text: Vec<u8> = (0..4 + random.below(16)).map(|_| 32 + random.below(95) as u8).collect();
                Self::code128(&text)
            }
            Kind::Gs1 => {
                let lot: Vec<u8> = (0..1 + random.below(8)).map(|_| b'A' + random.below(26) as u8).collect();
                Self::gs1(&random.digits(13), &lot)
            }
            Kind::Itf14 => Self::itf14(&random.digits(13), random.between(2.25, 3.0)),
        }
    }

    /// EAN-13, or UPC-A when the first of the twelve digits is 0.
    pub(crate) fn ean13(digits: &[u8]) -> Self {
        let digits = with_check(digits);
        let mut widths = vec![11.0];
        widths.extend(modules("111"));
        for (digit, set) in digits[1..7].iter().zip(PARITIES[usize::from(digits[0])].bytes()) {
            widths.extend(ean(*digit, set));
        }
        widths.extend(modules("11111"));
        digits[7..].iter().for_each(|digit| widths.extend(ean(*digit, b'A')));
        widths.extend(modules("111"));
        widths.push(7.0);
        let upc_a = digits[0] == 0;
        if upc_a {
            (widths[0], *widths.last_mut().unwrap()) = (9.0, 9.0);
        }
        let plain = text(&digits)[usize::from(upc_a)..].to_owned();
        let symbology = if upc_a { Symbology::UpcA } else { Symbology::Ean13 };
        Self { widths, symbology, identifier: "]E0", text: text(&digits).into(), plain }
    }

    pub(crate) fn ean8(digits: &[u8]) -> Self {
        let digits = with_check(digits);
        let mut widths = vec![7.0];
        widths.extend(modules("111"));
        digits[..4].iter().for_each(|digit| widths.extend(ean(*digit, b'A')));
        widths.extend(modules("11111"));
        digits[4..].iter().for_each(|digit| widths.extend(ean(*digit, b'A')));
        widths.extend(modules("111"));
        widths.push(7.0);
        let text = text(&digits);
        Self { widths, symbology: Symbology::Ean8, identifier: "]E4", text: text.clone().into(), plain: text }
    }

    /// Number system 0.
    pub(crate) fn upc_e(digits: &[u8]) -> Self {
        let [a, b, c, d, e, last] = *digits else { panic!("six digits") };
        let body = match last {
            0..=2 => vec![0, 0, a, b, last, 0, 0, 0, 0, c, d, e],
            3 => vec![0, 0, a, b, c, 0, 0, 0, 0, 0, d, e],
            4 => vec![0, 0, a, b, c, d, 0, 0, 0, 0, 0, e],
            _ => vec![0, 0, a, b, c, d, e, 0, 0, 0, 0, last],
        };
        let upc_a = with_check(&body);
        let check = upc_a[12];
        // The sets are those of the thirteenth digit, the other way round; 0 has a row of its own.
        let sets = match check {
            0 => "BBBAAA".to_owned(),
            check => PARITIES[usize::from(check)].replace('A', "x").replace('B', "A").replace('x', "B"),
        };
        let mut widths = vec![9.0];
        widths.extend(modules("111"));
        digits.iter().zip(sets.bytes()).for_each(|(digit, set)| widths.extend(ean(*digit, set)));
        widths.extend(modules("111111"));
        widths.push(7.0);
        let plain = text(&[&[0], digits, &[check]].concat());
        Self { widths, symbology: Symbology::UpcE, identifier: "]E0", text: text(&upc_a).into(), plain }
    }

    /// Set B.
    pub(crate) fn code128(data: &[u8]) -> Self {
        let mut values = vec![104];
        values.extend(data.iter().map(|byte| byte - 32));
        Self::values(values, "]C0", data.to_vec(), String::from_utf8(data.to_vec()).unwrap())
    }

    /// AI 01 and AI 10 in set C, the lot in set B; then FNC1 and AI 21.
    pub(crate) fn gs1(digits: &[u8], lot: &[u8]) -> Self {
        let gtin = with_check(digits);
        let number = [&[0, 1], gtin.as_slice(), &[1, 0]].concat();
        let mut values = vec![105, 102];
        values.extend(number.chunks(2).map(|pair| pair[0] * 10 + pair[1]));
        values.push(100);
        values.extend(lot.iter().map(|byte| byte - 32));
        values.push(102);
        values.extend(b"21X7".map(|byte| byte - 32));
        let front = [text(&number).as_bytes(), lot].concat();
        let plain = String::from_utf8([&front, b"21X7".as_slice()].concat()).unwrap();
        Self::values(values, "]C1", [&front, b"\x1d21X7".as_slice()].concat(), plain)
    }

    fn values(mut values: Vec<u8>, identifier: &'static str, text: Vec<u8>, plain: String) -> Self {
        let sum: usize = values.iter().enumerate().map(|(at, value)| at.max(1) * usize::from(*value)).sum();
        values.push((sum % 103) as u8);
        let mut widths = vec![10.0];
        values.iter().for_each(|value| widths.extend(modules(CODE_128[usize::from(*value)])));
        widths.extend(modules("2331112"));
        widths.push(10.0);
        Self { widths, symbology: Symbology::Code128, identifier, text, plain }
    }

    /// Fourteen digits, wide elements of so many modules.
    pub(crate) fn itf14(digits: &[u8], wide: f64) -> Self {
        let digits = with_check(digits);
        Self::itf(&digits, wide, "]I1")
    }

    pub(crate) fn itf(digits: &[u8], wide: f64, identifier: &'static str) -> Self {
        const WIDE: [&str; 10] =
            ["nnWWn", "WnnnW", "nWnnW", "WWnnn", "nnWnW", "WnWnn", "nWWnn", "nnnWW", "WnnWn", "nWnWn"];
        let width = |letter| if letter == b'W' { wide } else { 1.0 };
        let mut widths = vec![10.0, 1.0, 1.0, 1.0, 1.0];
        for pair in digits.chunks(2) {
            for (bar, space) in WIDE[usize::from(pair[0])].bytes().zip(WIDE[usize::from(pair[1])].bytes()) {
                widths.extend([width(bar), width(space)]);
            }
        }
        widths.extend([wide, 1.0, 1.0, 10.0]);
        let text = text(digits);
        Self { widths, symbology: Symbology::Itf, identifier, text: text.clone().into(), plain: text }
    }

    /// Without the quiet zones: a letter for each module, 1 for dark.
    pub(crate) fn bits(&self) -> String {
        let inner = &self.widths[1..self.widths.len() - 1];
        inner.iter().enumerate().map(|(at, width)| ["1", "0"][at % 2].repeat(*width as usize)).collect()
    }
}

fn ean(digit: u8, set: u8) -> Vec<f64> {
    let mut widths = modules(SET_A[usize::from(digit)]);
    if set == b'B' {
        widths.reverse();
    }
    widths
}

fn modules(widths: &str) -> Vec<f64> {
    widths.bytes().map(|width| f64::from(width - b'0')).collect()
}

fn text(digits: &[u8]) -> String {
    digits.iter().map(|digit| char::from(b'0' + digit)).collect()
}

fn with_check(digits: &[u8]) -> Vec<u8> {
    let sum: u32 = digits
        .iter()
        .rev()
        .zip([3, 1].iter().cycle())
        .map(|(digit, weight)| u32::from(*digit) * weight)
        .sum();
    [digits, &[((10 - sum % 10) % 10) as u8]].concat()
}

const CODE_128: [&str; 106] = [
    "212222", "222122", "222221", "121223", "121322", "131222", "122213", "122312", "132212", "221213",
    "221312", "231212", "112232", "122132", "122231", "113222", "123122", "123221", "223211", "221132",
    "221231", "213212", "223112", "312131", "311222", "321122", "321221", "312212", "322112", "322211",
    "212123", "212321", "232121", "111323", "131123", "131321", "112313", "132113", "132311", "211313",
    "231113", "231311", "112133", "112331", "132131", "113123", "113321", "133121", "313121", "211331",
    "231131", "213113", "213311", "213131", "311123", "311321", "331121", "312113", "312311", "332111",
    "314111", "221411", "431111", "111224", "111422", "121124", "121421", "141122", "141221", "112214",
    "112412", "122114", "122411", "142112", "142211", "241211", "221114", "413111", "241112", "134111",
    "111242", "121142", "121241", "114212", "124112", "124211", "411212", "421112", "421211", "212141",
    "214121", "412121", "111143", "111341", "131141", "114113", "114311", "411113", "411311", "113141",
    "114131", "311141", "411131", "211412", "211214", "211232",
];
