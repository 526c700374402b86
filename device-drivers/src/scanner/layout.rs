//! Keyboard layouts: which key writes which letter.
//!
//! Keys have the numbers of the kernel's `input-event-codes.h`, which stand for places on a keyboard of the United States.

/// Which letters stand on the keys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Layout {
    /// Of the United States; what scanners are set to when they are new.
    #[default]
    Us,
    /// German, with z and y in each other's place.
    German,
}

/// A key with what is held beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stroke {
    pub(crate) code: u16,
    pub(crate) shift: bool,
    pub(crate) alt_gr: bool,
}

pub(crate) const TAB: u16 = 15;
pub(crate) const RIGHT_BRACE: u16 = 27;
pub(crate) const ENTER: u16 = 28;
pub(crate) const LEFT_CONTROL: u16 = 29;
pub(crate) const J: u16 = 36;
pub(crate) const LEFT_SHIFT: u16 = 42;
pub(crate) const M: u16 = 50;
pub(crate) const RIGHT_SHIFT: u16 = 54;
pub(crate) const ALT: u16 = 56;
pub(crate) const CAPS_LOCK: u16 = 58;
pub(crate) const PAD_ENTER: u16 = 96;
pub(crate) const RIGHT_CONTROL: u16 = 97;
pub(crate) const ALT_GR: u16 = 100;

/// Letters of neighbouring keys, from a key on: plain, with Shift, with AltGr. A blank stands for none.
type Row = (u16, &'static str, &'static str, &'static str);

const US: &[Row] = &[
    (2, "1234567890-=", "!@#$%^&*()_+", ""),
    (16, "qwertyuiop[]", "QWERTYUIOP{}", ""),
    (30, "asdfghjkl;'`", "ASDFGHJKL:\"~", ""),
    (43, "\\", "|", ""),
    (44, "zxcvbnm,./", "ZXCVBNM<>?", ""),
    (86, "\\", "|", ""),
];

const GERMAN: &[Row] = &[
    (2, "1234567890ß´", "!\"§$%&/()=?`", " ²³   {[]}\\"),
    (16, "qwertzuiopü+", "QWERTZUIOPÜ*", "@ €        ~"),
    (30, "asdfghjklöä^", "ASDFGHJKLÖÄ°", ""),
    (43, "#", "'", ""),
    (44, "yxcvbnm,.-", "YXCVBNM;:_", "      µ"),
    (86, "<", ">", "|"),
];

/// The number pad and the space bar, the same everywhere.
const EVERYWHERE: &[(u16, char)] = &[
    (55, '*'),
    (57, ' '),
    (71, '7'),
    (72, '8'),
    (73, '9'),
    (74, '-'),
    (75, '4'),
    (76, '5'),
    (77, '6'),
    (78, '+'),
    (79, '1'),
    (80, '2'),
    (81, '3'),
    (82, '0'),
    (83, '.'),
    (98, '/'),
];

impl Layout {
    fn rows(self) -> &'static [Row] {
        match self {
            Self::Us => US,
            Self::German => GERMAN,
        }
    }

    /// The letter that a key writes.
    pub(crate) fn letter(self, stroke: Stroke) -> Option<char> {
        let Stroke { code, shift, alt_gr } = stroke;
        if let Some((_, letter)) = EVERYWHERE.iter().find(|(key, _)| *key == code) {
            return Some(*letter);
        }
        let written = |(first, plain, shifted, third): &Row| {
            let letters = if alt_gr {
                third
            } else if shift {
                shifted
            } else {
                plain
            };
            let letter = letters.chars().nth(usize::from(code.checked_sub(*first)?))?;
            (letter != ' ').then_some(letter)
        };
        self.rows().iter().find_map(written)
    }

    /// How a letter is written; only virtual wedges write.
    #[cfg(feature = "std")]
    pub(crate) fn stroke(self, letter: char) -> Option<Stroke> {
        let of_row = |(first, plain, shifted, third): &Row| {
            let layers = [(plain, false, false), (shifted, true, false), (third, false, true)];
            layers.into_iter().find_map(|(letters, shift, alt_gr)| {
                let place = letters.chars().position(|has| has == letter && has != ' ')?;
                Some(Stroke { code: first + u16::try_from(place).ok()?, shift, alt_gr })
            })
        };
        self.rows().iter().find_map(of_row).or_else(|| {
            let (code, _) = EVERYWHERE.iter().find(|(_, has)| *has == letter)?;
            Some(Stroke { code: *code, shift: false, alt_gr: false })
        })
    }
}

/// The digit that a key of the number pad stands for.
pub(crate) fn pad_digit(code: u16) -> Option<u32> {
    let on_pad = EVERYWHERE.iter().find(|(key, _)| *key == code && (71..=82).contains(key));
    on_pad.and_then(|(_, letter)| letter.to_digit(10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_places() {
        let plain = |layout: Layout, code| layout.letter(Stroke { code, shift: false, alt_gr: false });
        for (code, us, german) in [
            (2, '1', '1'),
            (11, '0', '0'),
            (21, 'y', 'z'),
            (44, 'z', 'y'),
            (53, '/', '-'),
            (39, ';', 'ö'),
            (38, 'l', 'l'),
            (50, 'm', 'm'),
            (82, '0', '0'),
        ] {
            assert_eq!(
                (plain(Layout::Us, code), plain(Layout::German, code)),
                (Some(us), Some(german)),
                "{code}"
            );
        }
        for code in [0, 1, 14, ENTER, LEFT_CONTROL, LEFT_SHIFT, 54, 59, 87, 500, u16::MAX] {
            assert_eq!(plain(Layout::Us, code), None, "{code}");
        }
        let third = |code| Layout::German.letter(Stroke { code, shift: false, alt_gr: true });
        assert_eq!([16, 8, 9, 10, 11, 12, 86].map(third), ['@', '{', '[', ']', '}', '\\', '|'].map(Some));
    }

    #[test]
    fn each_letter_that_can_be_written_is_read() {
        for layout in [Layout::Us, Layout::German] {
            for letter in ' '..='~' {
                let stroke = layout.stroke(letter).unwrap_or_else(|| panic!("{layout:?} has no {letter}"));
                assert_eq!(layout.letter(stroke), Some(letter), "{layout:?}");
            }
        }
        assert_eq!(Layout::Us.stroke('ö'), None);
        assert_eq!(
            (pad_digit(82), pad_digit(71), pad_digit(74), pad_digit(2)),
            (Some(0), Some(7), None, None)
        );
    }
}
