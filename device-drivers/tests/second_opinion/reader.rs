//! Reads ESC/POS a second time: a small decoder that shares not a line with the crate.
//!
//! Why one of our own, when the point of it is to be somebody else's? Because there is none to be had: on the registry
//! libraries write ESC/POS (escpos, thermoprint, escpos-rust), but none reads it. `escpresso` does, yet is a program with a
//! window and no library; the `thermal` parser was never published; the npm package `escpos-parser` is years old and would
//! need node on every machine that tests. So this one was written from Epson's command reference alone, with other habits:
//! it takes the whole job at once instead of byte by byte, has its code pages from the crate `oem_cp`, keeps no styles but
//! the size, and *refuses* whatever it does not know, instead of passing over it.

/// What stands on the paper, and what else happened.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Lines of text from top to bottom, and how many times as large as usual each is.
    pub lines: Vec<(String, u8)>,
    /// What QR codes say.
    pub codes: Vec<String>,
    /// Sizes of pictures, in dots.
    pub pictures: Vec<(usize, usize)>,
    /// How often the paper was cut, and after how many lines each time.
    pub cuts: Vec<usize>,
    /// Drawer pulses in milliseconds.
    pub pulses: Vec<u32>,
    /// Questions that want an answer in their turn.
    pub questions: usize,
}

impl Seen {
    /// All text, a line feed after each line.
    pub(crate) fn text(&self) -> String {
        self.lines.iter().map(|(line, _)| line.trim_end().to_owned() + "\n").collect()
    }
}

/// Reads a job. An error says where what could not be read begins.
pub(crate) fn read(job: &[u8]) -> Result<Seen, String> {
    let mut seen = Seen::default();
    let (mut page, mut size, mut line, mut code) = (0, 1, String::new(), String::new());
    let mut at = 0;
    while at < job.len() {
        let rest = &job[at..];
        let lost = || format!("at {at}: {:02x?}", &rest[..rest.len().min(12)]);
        at += match rest {
            [0x0a, ..] => {
                seen.lines.push((std::mem::take(&mut line), size));
                1
            }
            [byte @ 0x20..=0x7e, ..] => {
                line.push(*byte as char);
                1
            }
            [byte @ 0x80..=0xff, ..] => {
                line.push(letter(page, *byte).ok_or_else(lost)?);
                1
            }
            // ESC @: as when switched on.
            [0x1b, 0x40, ..] => {
                (page, size) = (0, 1);
                2
            }
            // ESC R 0: the United States' set, in which ASCII is ASCII.
            [0x1b, 0x52, 0, ..] => 3,
            // ESC t n, ESC E n, ESC a n.
            [0x1b, 0x74, number, ..] => {
                page = *number;
                3
            }
            [0x1b, 0x45, 0 | 1, ..] | [0x1b, 0x61, 0..=2, ..] | [0x1d, 0x42, 0 | 1, ..] => 3,
            // GS !: as high as wide, here.
            [0x1d, 0x21, both, ..] if both >> 4 == both & 15 && both & 15 < 8 => {
                if !line.is_empty() {
                    return Err(lost());
                }
                size = (both & 15) + 1;
                3
            }
            // GS V 66 n: to the knife, and cut. Only at the start of a line.
            [0x1d, 0x56, 66, _, ..] if line.is_empty() => {
                seen.cuts.push(seen.lines.len());
                4
            }
            // ESC p m t1 t2.
            [0x1b, 0x70, 0 | 1, on, off, ..] if *on > 0 && on <= off => {
                seen.pulses.push(u32::from(*on) * 2);
                5
            }
            // GS v 0.
            [0x1d, 0x76, 0x30, 0, xl, xh, yl, yh, dots @ ..] if line.is_empty() => {
                let (x, y) =
                    (usize::from(*xl) + 256 * usize::from(*xh), usize::from(*yl) + 256 * usize::from(*yh));
                if dots.len() < x * y {
                    return Err(lost());
                }
                seen.pictures.push((x * 8, y));
                8 + x * y
            }
            // GS ( k, code 49: QR.
            [0x1d, 0x28, 0x6b, low, high, tail @ ..] => {
                let length = usize::from(*low) + 256 * usize::from(*high);
                let body = tail.get(..length).ok_or_else(lost)?;
                match body {
                    [49, 65, 50, 0] | [49, 67, 1..=16] | [49, 69, 48..=51] => {}
                    [49, 80, 48, data @ ..] => {
                        code = String::from_utf8(data.to_vec()).map_err(|_| lost())?;
                    }
                    [49, 81, 48] if line.is_empty() && !code.is_empty() => seen.codes.push(code.clone()),
                    _ => return Err(lost()),
                }
                5 + length
            }
            // GS r 1.
            [0x1d, 0x72, 1, ..] => {
                seen.questions += 1;
                3
            }
            _ => return Err(lost()),
        };
    }
    if line.is_empty() { Ok(seen) } else { Err(format!("the last line has no end: {line}")) }
}

/// The upper half of the code pages that Epson's printers have under these numbers.
fn letter(page: u8, byte: u8) -> Option<char> {
    use oem_cp::code_table as table;
    let upper = match page {
        0 => &table::DECODING_TABLE_CP437,
        14 => &table::DECODING_TABLE_CP737,
        17 => &table::DECODING_TABLE_CP866,
        18 => &table::DECODING_TABLE_CP852,
        19 => &table::DECODING_TABLE_CP858,
        // Windows-1252 is Latin-1 from A0 on.
        16 => return if byte == 0x80 { Some('€') } else { (byte >= 0xa0).then_some(byte as char) },
        _ => return None,
    };
    upper.get(usize::from(byte - 0x80)).copied()
}
