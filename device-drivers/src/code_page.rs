//! Code pages: which byte prints which letter.
//!
//! ASCII prints as itself on every page; the upper 128 bytes are the page's own. The tables are those of
//! IBM and Microsoft as published with Unicode; `U+FFFD` stands where a page has no letter. A letter that
//! none of a printer's pages has is printed as a similar one of the same width ([`similar`]), so that
//! amounts stay in their column.

#[cfg(feature = "std")]
use serde::{Deserialize, Serialize};

/// A code page that this crate knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "std", derive(Serialize, Deserialize), serde(rename_all = "camelCase"))]
pub enum CodePage {
    /// The original PC set; every printer has it.
    Pc437,
    /// Greek.
    Pc737,
    /// Central European: ł, č, ő, ş.
    Pc852,
    /// Western European with the euro sign.
    Pc858,
    /// Cyrillic.
    Pc866,
    /// Windows Western European: euro sign, typographic quotes, š, ž.
    Wpc1252,
}

impl CodePage {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Pc437, Self::Pc737, Self::Pc852, Self::Pc858, Self::Pc866, Self::Wpc1252];

    /// The byte that prints `letter`, or `None` if this page does not have it. Control characters are never
    /// printed.
    pub fn encode(self, letter: char) -> Option<u8> {
        match letter {
            ' '..='~' => u8::try_from(letter).ok(),
            '\0'..='\u{7f}' | '\u{fffd}' => None,
            _ => {
                let place = self.upper().chars().position(|has| has == letter)?;
                u8::try_from(place + 0x80).ok()
            }
        }
    }

    /// The letter that `byte` prints, or `None` for control characters and gaps.
    pub fn decode(self, byte: u8) -> Option<char> {
        match byte {
            b' '..=b'~' => Some(char::from(byte)),
            0x80.. => {
                self.upper().chars().nth(usize::from(byte - 0x80)).filter(|letter| *letter != '\u{fffd}')
            }
            _ => None,
        }
    }

    fn upper(self) -> &'static str {
        match self {
            Self::Pc437 => PC437,
            Self::Pc737 => PC737,
            Self::Pc852 => PC852,
            Self::Pc858 => PC858,
            Self::Pc866 => PC866,
            Self::Wpc1252 => WPC1252,
        }
    }
}

/// A letter that looks like this one and is on more pages; one for one, so that the width stays.
pub(crate) fn similar(letter: char) -> Option<char> {
    SIMILAR.iter().find(|(like, _)| like.contains(letter)).map(|(_, base)| *base)
}

const SIMILAR: &[(&str, char)] = &[
    (
        "\u{a0}\u{2000}\u{2001}\u{2002}\u{2003}\u{2004}\u{2005}\u{2006}\u{2007}\u{2008}\u{2009}\u{200a}\u{202f}",
        ' ',
    ),
    ("\u{ad}‐‑‒–—―−", '-'),
    ("‘’‚‛′´ʼ", '\''),
    ("“”„‟″", '"'),
    ("‹", '<'),
    ("›", '>'),
    ("…·•∙", '.'),
    ("×✕✗", 'x'),
    ("⁄", '/'),
    ("ÀÁÂÃÄÅĀĂĄǍȦ", 'A'),
    ("àáâãäåāăąǎȧª", 'a'),
    ("ÇĆĈĊČ©", 'C'),
    ("çćĉċč¢", 'c'),
    ("ÐĎĐ", 'D'),
    ("ðďđ", 'd'),
    ("ÈÉÊËĒĔĖĘĚ€", 'E'),
    ("èéêëēĕėęě", 'e'),
    ("ĜĞĠĢ", 'G'),
    ("ĝğġģ", 'g'),
    ("ĤĦ", 'H'),
    ("ĥħ", 'h'),
    ("ÌÍÎÏĨĪĬĮİ", 'I'),
    ("ìíîïĩīĭįı", 'i'),
    ("Ĵ", 'J'),
    ("ĵ", 'j'),
    ("Ķ", 'K'),
    ("ķ", 'k'),
    ("ĹĻĽĿŁ£", 'L'),
    ("ĺļľŀł", 'l'),
    ("ÑŃŅŇŊ", 'N'),
    ("ñńņňŋ", 'n'),
    ("ÒÓÔÕÖØŌŎŐ", 'O'),
    ("òóôõöøōŏő°º", 'o'),
    ("ŔŖŘ®", 'R'),
    ("ŕŗř", 'r'),
    ("ŚŜŞŠȘẞ§", 'S'),
    ("śŝşšșß", 's'),
    ("ŢŤŦȚ", 'T'),
    ("ţťŧț", 't'),
    ("ÙÚÛÜŨŪŬŮŰŲ", 'U'),
    ("ùúûüũūŭůűųµμ", 'u'),
    ("Ŵ", 'W'),
    ("ŵ", 'w'),
    ("ÝŸŶ¥", 'Y'),
    ("ýÿŷ", 'y'),
    ("ŹŻŽ", 'Z'),
    ("źżž", 'z'),
    ("─━", '-'),
    ("│┃", '|'),
];

const PC437: &str = "\
    ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒ\
    áíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐\
    └┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀\
    αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

const PC737: &str = "\
    ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩαβγδεζηθ\
    ικλμνξοπρσςτυφχψ░▒▓│┤╡╢╖╕╣║╗╝╜╛┐\
    └┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀\
    ωάέήϊίόύϋώΆΈΉΊΌΎΏ±≥≤ΪΫ÷≈°∙·√ⁿ²■\u{a0}";

const PC852: &str = "\
    ÇüéâäůćçłëŐőîŹÄĆÉĹĺôöĽľŚśÖÜŤťŁ×č\
    áíóúĄąŽžĘę¬źČş«»░▒▓│┤ÁÂĚŞ╣║╗╝Żż┐\
    └┴┬├─┼Ăă╚╔╩╦╠═╬¤đĐĎËďŇÍÎě┘┌█▄ŢŮ▀\
    ÓßÔŃńňŠšŔÚŕŰýÝţ´\u{ad}˝˛ˇ˘§÷¸°¨˙űŘř■\u{a0}";

const PC858: &str = "\
    ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒ\
    áíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐\
    └┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈ€ÍÎÏ┘┌█▄¦Ì▀\
    ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{ad}±‗¾¶§÷¸°¨·¹³²■\u{a0}";

const PC866: &str = "\
    АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ\
    абвгдежзийклмноп░▒▓│┤╡╢╖╕╣║╗╝╜╛┐\
    └┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀\
    рстуфхцчшщъыьэюяЁёЄєЇїЎў°∙·√№¤■\u{a0}";

const WPC1252: &str = "\
    €\u{fffd}‚ƒ„…†‡ˆ‰Š‹Œ\u{fffd}Ž\u{fffd}\u{fffd}‘’“”•–—˜™š›œ\u{fffd}žŸ\
    \u{a0}¡¢£¤¥¦§¨©ª«¬\u{ad}®¯°±²³´µ¶·¸¹º»¼½¾¿\
    ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞß\
    àáâãäåæçèéêëìíîïðñòóôõö÷øùúûüýþÿ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_page_has_128_letters_and_each_comes_back() {
        for page in CodePage::ALL {
            assert_eq!(page.upper().chars().count(), 128, "{page:?}");
            for byte in 0x20..=0xff_u8 {
                if let Some(letter) = page.decode(byte) {
                    assert_eq!(page.encode(letter), Some(byte), "{page:?} {letter}");
                }
            }
            assert!((0..0x20).chain([0x7f]).all(|byte| page.decode(byte).is_none()));
            assert!(('\0'..' ').chain(['\u{7f}', '\u{1b}']).all(|letter| page.encode(letter).is_none()));
        }
    }

    #[test]
    fn published_positions() {
        assert_eq!(CodePage::Pc858.encode('€'), Some(0xd5));
        assert_eq!(CodePage::Pc858.encode('Ò'), Some(0xe3));
        assert_eq!(CodePage::Pc858.encode('¿'), Some(0xa8));
        assert_eq!(CodePage::Pc858.encode('ß'), Some(0xe1));
        assert_eq!(CodePage::Pc437.encode('é'), Some(0x82));
        assert_eq!(CodePage::Pc852.encode('ł'), Some(0x88));
        assert_eq!(CodePage::Pc866.encode('ж'), Some(0xa6));
        assert_eq!(CodePage::Pc737.encode('ω'), Some(0xe0));
        assert_eq!(CodePage::Wpc1252.encode('€'), Some(0x80));
        assert_eq!(CodePage::Wpc1252.decode(0x81), None);
    }

    #[test]
    fn every_letter_of_a_device_takes_one_column() {
        let of_pages = CodePage::ALL.iter().flat_map(|page| page.upper().chars());
        let liked = SIMILAR.iter().flat_map(|(like, _)| like.chars());
        for letter in of_pages.chain(liked) {
            let width = pos_domain::receipt::width(letter.encode_utf8(&mut [0; 4]));
            assert_eq!(width, 1, "{letter:?}");
        }
    }

    #[test]
    fn a_similar_letter_is_always_plain() {
        assert!(SIMILAR.iter().all(|(_, base)| base.is_ascii()));
        assert_eq!(similar('Ł'), Some('L'));
        assert_eq!(similar('抹'), None);
    }
}
