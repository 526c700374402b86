//! From blocks to lines of a given width.
//!
//! [`lines`] is the only place that decides where words break and where amounts stand; the printer's bytes,
//! the picture and the plain text all start from it. Widths are counted in character cells of the printer's
//! font: 42 on 80 mm paper, 32 on 58 mm paper. A cell count follows Unicode's East Asian Width for the wide
//! scripts and counts combining marks as nothing. Nothing is cut off: what does not fit continues below.

use alloc::string::String;
use alloc::vec::Vec;

use super::document::{Align, Block, Document, Style};

/// Characters of normal size across 80 mm paper.
pub const COLUMNS_80_MM: usize = 42;
/// Characters of normal size across 58 mm paper.
pub const COLUMNS_58_MM: usize = 32;
/// A narrower paper is laid out as if it had this many columns.
pub const COLUMNS_MIN: usize = 16;

/// One step of printing, ready for a device that knows nothing of receipts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A line of text, padded with spaces at its left to where it stands. It has no control characters.
    Text {
        /// The characters.
        text: String,
        /// How they are set; large ones take two cells each.
        style: Style,
    },
    /// A QR code of this text, in the middle of the paper.
    Qr(String),
    /// Feed and cut.
    Cut,
    /// Pulse the cash drawer.
    KickDrawer,
}

/// Lays a document out for paper of `columns` characters (at least [`COLUMNS_MIN`]).
pub fn lines(document: &Document, columns: usize) -> Vec<Line> {
    lay_out(document, columns, 2)
}

/// The receipt as plain text of `columns` characters (at least [`COLUMNS_MIN`]), each line ended by a line
/// feed. Large lines keep normal size, a QR code stands as the text it holds, cut and drawer leave no trace.
pub fn render_text(document: &Document, columns: usize) -> String {
    let width = columns.max(COLUMNS_MIN);
    let mut out = String::new();
    for line in lay_out(document, columns, 1) {
        match line {
            Line::Text { text, .. } => out.push_str(text.trim_end_matches(' ')),
            Line::Qr(data) => {
                let wide = self::width(&data);
                let even = wide.div_ceil(wide.div_ceil(width).max(1));
                let wrapped = wrap(&data, even).into_iter().map(|part| centered(&part, width));
                out.push_str(&wrapped.collect::<Vec<_>>().join("\n"));
            }
            Line::Cut | Line::KickDrawer => continue,
        }
        out.push('\n');
    }
    out
}

/// How many cells a string takes at normal size.
pub fn width(text: &str) -> usize {
    text.chars().map(cells).sum()
}

/// `large` is the number of cells that a large character takes.
fn lay_out(document: &Document, columns: usize, large: usize) -> Vec<Line> {
    let columns = columns.max(COLUMNS_MIN);
    let mut out = Vec::new();
    for block in &document.blocks {
        match block {
            Block::Text { text, align, style } => {
                let room = room(columns, *style, large);
                let place = |part: String| {
                    if *align == Align::Center { centered(&part, room) } else { part }
                };
                out.extend(wrap(text, room).into_iter().map(|part| set(place(part), *style)));
            }
            Block::Row { left, right, indent, style } => {
                let room = room(columns, *style, large);
                let indent = usize::from(*indent).min(room / 4);
                out.extend(row(left, right, indent, room).into_iter().map(|part| set(part, *style)));
            }
            Block::Table { head, rows } => {
                out.extend(table(head, rows, columns).into_iter().map(|part| set(part, Style::Normal)));
            }
            Block::Banner(text) => {
                let room = room(columns, Style::Banner, large);
                let starred = room >= COLUMNS_MIN;
                for part in wrap(text, if starred { room - 8 } else { room }) {
                    let words = if starred { alloc::format!("*** {part} ***") } else { part };
                    let mut bar = centered(&words, room);
                    pad_to(&mut bar, room);
                    out.push(set(bar, Style::Banner));
                }
            }
            Block::Rule => out.push(set("-".repeat(columns), Style::Normal)),
            Block::Blank => out.push(set(String::new(), Style::Normal)),
            Block::Qr(data) if data.is_empty() => {}
            Block::Qr(data) if data.len() > Block::QR_BYTES => {
                out.extend(wrap(data, columns).into_iter().map(|part| set(part, Style::Normal)));
            }
            Block::Qr(data) => out.push(Line::Qr(clean(data))),
            Block::Cut => out.push(Line::Cut),
            Block::KickDrawer => out.push(Line::KickDrawer),
        }
    }
    out
}

fn set(text: String, style: Style) -> Line {
    Line::Text { text, style }
}

fn room(columns: usize, style: Style, large: usize) -> usize {
    match style {
        Style::Normal | Style::Bold => columns,
        Style::Large | Style::Banner => columns / large,
    }
}

/// Words on the left, an amount at the right edge of the last of their lines.
fn row(left: &str, right: &str, indent: usize, room: usize) -> Vec<String> {
    let amounts = if right.is_empty() { Vec::new() } else { wrap(right, room) };
    let beside = match amounts.as_slice() {
        [one] => room.saturating_sub(indent + width(one) + 1),
        _ => 0,
    };
    // Words squeezed into less than a third of the paper are unreadable: the amount then gets its own line.
    let squeezed = beside < (room / 3).max(4) && width(left) > beside;
    let words = if left.is_empty() {
        Vec::new()
    } else {
        wrap(left, if squeezed || amounts.is_empty() { room - indent } else { beside })
    };
    let mut out: Vec<String> = words.into_iter().map(|part| " ".repeat(indent) + &part).collect();
    match (out.last_mut(), amounts.as_slice()) {
        (Some(last), [one]) if !squeezed => {
            pad_to(last, room - width(one));
            last.push_str(one);
        }
        _ => out.extend(amounts.iter().map(|part| right_aligned(part, room))),
    }
    if out.is_empty() {
        out.push(String::new());
    }
    out
}

/// The widths follow the cells; what is left of the paper is shared out between the columns.
fn table(head: &[String], rows: &[Vec<String>], room: usize) -> Vec<String> {
    let count = rows.iter().map(Vec::len).chain([head.len()]).max().unwrap_or(0);
    if count == 0 {
        return Vec::new();
    }
    let cell = |row: &[String], column: usize| clean(row.get(column).map_or("", String::as_str));
    let all = || core::iter::once(head).chain(rows.iter().map(Vec::as_slice));
    let mut widths: Vec<usize> =
        (0..count).map(|column| all().map(|row| width(&cell(row, column))).max().unwrap_or(0)).collect();
    let needed = widths.iter().sum::<usize>() + count - 1;
    if needed > room {
        let single = |cells: &Vec<String>| {
            (0..count)
                .flat_map(|column| row(&cell(head, column), &cell(cells, column), 0, room))
                .collect::<Vec<_>>()
        };
        return rows.iter().flat_map(single).collect();
    }
    let gaps = count.saturating_sub(1).max(1);
    let spare = room - needed;
    for (place, column) in widths.iter_mut().skip(1).enumerate() {
        *column += spare / gaps + usize::from(place < spare % gaps);
    }
    let set_row = |row: &[String]| {
        let mut line = String::new();
        let mut edge = 0;
        for (column, wide) in widths.iter().enumerate() {
            let text = cell(row, column);
            if column > 0 {
                edge += 1;
                pad_to(&mut line, edge + wide - width(&text));
            }
            edge += wide;
            line.push_str(&text);
        }
        line
    };
    let headed = head.iter().any(|text| !text.is_empty());
    all().skip(usize::from(!headed)).map(set_row).collect()
}

/// Breaks text at spaces and line feeds, and inside a word only where the word alone is wider than `room`.
/// Always at least one line. `room` is at least 4.
fn wrap(text: &str, room: usize) -> Vec<String> {
    let room = room.max(4);
    let mut out = Vec::new();
    for paragraph in text.split('\n') {
        let paragraph = clean(paragraph);
        let mut line = String::new();
        for word in paragraph.split(' ').filter(|word| !word.is_empty()) {
            if !line.is_empty() && width(&line) + 1 + width(word) > room {
                out.push(core::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            let mut used = width(&line);
            for character in word.chars() {
                if used + cells(character) > room {
                    out.push(core::mem::take(&mut line));
                    used = 0;
                }
                line.push(character);
                used += cells(character);
            }
        }
        out.push(line);
    }
    out
}

/// Without control characters, so that no product's name can command a printer.
fn clean(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

fn centered(text: &str, room: usize) -> String {
    " ".repeat(room.saturating_sub(width(text)) / 2) + text
}

fn right_aligned(text: &str, room: usize) -> String {
    " ".repeat(room.saturating_sub(width(text))) + text
}

fn pad_to(line: &mut String, wanted: usize) {
    let missing = wanted.saturating_sub(width(line));
    line.extend(core::iter::repeat_n(' ', missing));
}

/// Nothing for marks that sit on the letter before, two for the wide scripts and emoji, one for the rest.
fn cells(character: char) -> usize {
    match u32::from(character) {
        0x0300..=0x036f
        | 0x1ab0..=0x1aff
        | 0x1dc0..=0x1dff
        | 0x20d0..=0x20ff
        | 0xfe00..=0xfe0f
        | 0xfe20..=0xfe2f
        | 0x200b..=0x200f
        | 0x202a..=0x202e
        | 0x2060..=0x2069
        | 0xfeff => 0,
        0x1100..=0x115f
        | 0x2e80..=0x303e
        | 0x3041..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe4f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1f64f
        | 0x1f680..=0x1f6ff
        | 0x1f900..=0x1faff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests;
