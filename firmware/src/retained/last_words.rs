//! What a boot had to say when it came to its end by a panic or a fault, for the next one to tell the box.
//!
//! | bytes | what |
//! |---|---|
//! | 0–3 | `TBXP` |
//! | 4–7 | CRC-32C of all behind, little-endian |
//! | 8 | bytes of the text |
//! | 9–127 | the text, UTF-8 |

use core::fmt::{self, Write as _};

use heapless::String;
use pos_link::checksum;

use super::{Memory, Place};

/// The longest text, bytes.
pub(crate) const LONGEST: usize = 119;
/// The longest path of a panic, letters.
const LONGEST_PATH: usize = 80;
pub(super) const LEN: usize = LONGEST + 9;
const MAGIC: [u8; 4] = *b"TBXP";

/// Keeps this for [`Unit`](crate::Unit) to tell after the reset; of a longer text its first 119 bytes. For the board's panic handler.
pub fn write(memory: &mut impl Memory, text: fmt::Arguments<'_>) {
    let mut cut = Cut::default();
    // What does not fit is left out.
    let _ = cut.write_fmt(text);
    let text = cut.0.as_bytes();
    let mut said = [0; LEN - 8];
    if let Some((length, to)) = said.split_first_mut() {
        *length = u8::try_from(text.len()).unwrap_or_default();
        to.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
    }
    let place = Place::LastWords;
    memory.write(place, 8, &said);
    memory.write(place, 4, &checksum(&[&said]).to_le_bytes());
    memory.write(place, 0, &MAGIC);
}

/// The same for a panic at this place. Of a long path, as a dependency's is, the end says which file it was.
pub fn write_panic(memory: &mut impl Memory, file: &str, line: u32) {
    let tail = file.char_indices().rev().nth(LONGEST_PATH - 1).and_then(|(at, _)| file.get(at..));
    write(memory, format_args!("panic at {}:{line}", tail.unwrap_or(file)));
}

/// What the boot before had to say, if it had. It is told once.
pub(crate) fn take(memory: &mut impl Memory) -> Option<String<LONGEST>> {
    let mut bytes = [0; LEN];
    memory.read(Place::LastWords, 0, &mut bytes);
    let (sum, said) = bytes.strip_prefix(&MAGIC)?.split_first_chunk()?;
    if checksum(&[said]).to_le_bytes() != *sum {
        return None;
    }
    memory.write(Place::LastWords, 0, &[0; MAGIC.len()]);
    let (length, text) = said.split_first()?;
    String::try_from(core::str::from_utf8(text.get(..usize::from(*length))?).ok()?).ok()
}

/// Takes as much of a text as there is room for.
#[derive(Default)]
struct Cut(String<LONGEST>);

impl fmt::Write for Cut {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for letter in text.chars() {
            self.0.push(letter).map_err(|_| fmt::Error)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::Ram;
    use super::*;

    #[test]
    fn last_words_are_told_once_and_none_are_made_up() {
        for woken in [0, 0xff, b'T'] {
            let mut ram = Ram::woken(woken);
            assert_eq!(take(&mut ram), None);
            write(&mut ram, format_args!("panic at {}:{}", "src/a.rs", 7));
            assert_eq!(take(&mut ram).as_deref(), Some("panic at src/a.rs:7"));
            assert_eq!(take(&mut ram), None);
        }
    }

    #[test]
    fn of_a_long_path_the_end_is_told() {
        let mut ram = Ram::woken(0);
        write_panic(&mut ram, "src/a.rs", 7);
        assert_eq!(take(&mut ram).as_deref(), Some("panic at src/a.rs:7"));
        let file = std::format!("{}/session.rs", "d".repeat(200));
        write_panic(&mut ram, &file, 4_000_000_000);
        assert_eq!(
            take(&mut ram),
            String::try_from(&*std::format!("panic at {}/session.rs:4000000000", "d".repeat(69))).ok()
        );
    }

    #[test]
    fn a_long_text_is_cut_between_letters_and_a_damaged_one_is_none() {
        let mut ram = Ram::woken(0);
        write(&mut ram, format_args!("{}", "é".repeat(100)));
        assert_eq!(take(&mut ram).as_deref(), Some("é".repeat(59).as_str()));
        for bit in (0..LEN * 8).step_by(7) {
            write(&mut ram, format_args!("panic at src/a.rs:7"));
            ram.flip(Place::LastWords, bit);
            assert_eq!(take(&mut ram), None, "bit {bit}");
        }
    }
}
