//! Paper as a picture. Every word is placed in the printer's grid of cells, so that columns stand whatever
//! monospaced font the viewer has.

use std::fmt::{self, Write};

use pos_domain::receipt::width;
use qrcode::{Color, EcLevel, QrCode};

use super::{Look, Mark, Paper, Run, Side, cells};
use crate::printer::logo::Logo;

/// A cell of the printer's font, in pixels. 42 cells on 80 mm paper have this shape.
const CELL: u32 = 9;
const LINE: u32 = 21;
/// Dots of the printer across a cell: a dot is three quarters of a pixel.
const DOTS: u32 = 12;
/// From a line's top to the foot of its letters.
const FOOT: u32 = 16;
const FONT_SIZE: u32 = 15;
/// Side of a QR code's module.
const MODULE: u32 = 4;
/// White around a QR code: four modules, as the standard wants, less what the paper gives anyway.
const QUIET: u32 = 2 * MODULE;
/// Unprinted paper at the sides and at the top and bottom.
const EDGE: u32 = 22;
const HEAD: u32 = 26;
/// Background around the paper.
const DESK: u32 = 16;
/// Teeth of a cut edge.
const TOOTH: u32 = 6;

/// Below what is kept of a paper that had more on it.
const CUT_SHORT: &str = "more was printed than is kept";

pub(super) fn render(paper: &Paper) -> String {
    let mut picture = Picture { out: String::new(), columns: u32::from(paper.columns), y: DESK + HEAD };
    // Writing into a string cannot fail.
    let _ = picture.marks(paper);
    picture.framed(paper)
}

struct Picture {
    out: String,
    columns: u32,
    y: u32,
}

impl Picture {
    fn marks(&mut self, paper: &Paper) -> fmt::Result {
        for (place, mark) in paper.marks.iter().enumerate() {
            match mark {
                Mark::Line { runs, side } => self.line(runs, *side)?,
                Mark::Qr { data, side } => self.qr(data, *side)?,
                Mark::Picture { logo, side } => self.picture(logo, *side)?,
                Mark::Cut if place + 1 == paper.marks.len() => {}
                Mark::Cut => self.cut()?,
            }
        }
        if paper.cut_short {
            let note = Run { text: CUT_SHORT.into(), look: Look { inverse: true, ..Look::default() } };
            self.line(&[note], Side::Center)?;
        }
        Ok(())
    }

    fn framed(self, paper: &Paper) -> String {
        let wide = self.paper_width();
        let high = self.y + HEAD - DESK;
        let (full_wide, full_high) = (wide + 2 * DESK, high + TOOTH + 2 * DESK);
        let (left, right, bottom) = (DESK, DESK + wide, DESK + high);
        let mut edge = format!("M{left} {DESK}H{right}V{bottom}");
        if paper.marks.last() == Some(&Mark::Cut) {
            let mut x = right;
            let mut low = true;
            while x > left {
                x = x.saturating_sub(TOOTH).max(left);
                let y = if low { bottom + TOOTH } else { bottom };
                let _ = write!(edge, "L{x} {y}");
                low = !low;
            }
        }
        let _ = write!(edge, "L{left} {bottom}Z");
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{full_wide}\" height=\"{full_high}\" \
             viewBox=\"0 0 {full_wide} {full_high}\" role=\"img\" aria-label=\"Receipt\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#e7e5e1\"/>\n\
             <path d=\"{edge}\" transform=\"translate(2 3)\" fill=\"#000\" fill-opacity=\"0.14\"/>\n\
             <path d=\"{edge}\" fill=\"#fdfcf9\"/>\n\
             <g font-family=\"'DejaVu Sans Mono',Menlo,Consolas,'Liberation Mono',monospace\" \
             font-size=\"{FONT_SIZE}\" fill=\"#1d1b1a\">\n{}</g>\n</svg>\n",
            self.out
        )
    }

    fn paper_width(&self) -> u32 {
        self.columns * CELL + 2 * EDGE
    }

    /// Where something of this width starts.
    fn start(&self, side: Side, wide: u32) -> u32 {
        let free = (self.columns * CELL).saturating_sub(wide);
        DESK + EDGE
            + match side {
                Side::Left => 0,
                Side::Center => free / 2,
                Side::Right => free,
            }
    }

    fn line(&mut self, runs: &[Run], side: Side) -> fmt::Result {
        let mut x = self.start(side, pixels(cells(runs)) * CELL);
        let high = runs.iter().map(|run| u32::from(run.look.high)).max().unwrap_or(1);
        for run in runs {
            let wide = CELL * u32::from(run.look.wide);
            let across = pixels(width(&run.text)) * wide;
            let top = self.y + (high - u32::from(run.look.high)) * LINE;
            if run.look.inverse {
                let tall = u32::from(run.look.high) * LINE;
                writeln!(self.out, "<rect x=\"{x}\" y=\"{top}\" width=\"{across}\" height=\"{tall}\"/>")?;
            }
            let mut at = x;
            for word in run.text.split_inclusive(' ') {
                let letters = word.trim_end_matches(' ');
                if !letters.is_empty() {
                    self.word(letters, run.look, at, top)?;
                }
                at += pixels(width(word)) * wide;
            }
            if run.look.underline {
                let y = top + u32::from(run.look.high) * LINE - 2;
                writeln!(self.out, "<rect x=\"{x}\" y=\"{y}\" width=\"{across}\" height=\"1\"/>")?;
            }
            x += across;
        }
        self.y += high * LINE;
        Ok(())
    }

    fn word(&mut self, word: &str, look: Look, x: u32, top: u32) -> fmt::Result {
        let weight = if look.bold { " font-weight=\"bold\"" } else { "" };
        let fill = if look.inverse { " fill=\"#fdfcf9\"" } else { "" };
        let length = pixels(width(word)) * CELL;
        let place = if (look.wide, look.high) == (1, 1) {
            format!("x=\"{x}\" y=\"{}\"", top + FOOT)
        } else {
            let foot = top + FOOT * u32::from(look.high);
            format!("transform=\"translate({x} {foot}) scale({} {})\"", look.wide, look.high)
        };
        writeln!(
            self.out,
            "<text {place}{weight}{fill} textLength=\"{length}\" lengthAdjust=\"spacingAndGlyphs\">{}</text>",
            escaped(word)
        )
    }

    fn qr(&mut self, data: &str, side: Side) -> fmt::Result {
        let Ok(code) = QrCode::with_error_correction_level(data, EcLevel::M) else {
            // More than any QR code holds: a printer prints nothing then.
            return Ok(());
        };
        let modules = pixels(code.width());
        let x = self.start(side, modules * MODULE);
        let mut path = String::new();
        for (row, colors) in code.to_colors().chunks(code.width()).enumerate() {
            let (mut left, top) = (0, pixels(row) * MODULE);
            for run in colors.chunk_by(|one, next| one == next) {
                let wide = pixels(run.len()) * MODULE;
                if run.first() == Some(&Color::Dark) {
                    write!(path, "M{left} {top}h{wide}v{MODULE}h-{wide}z")?;
                }
                left += wide;
            }
        }
        let top = self.y + QUIET;
        writeln!(
            self.out,
            "<path transform=\"translate({x} {top})\" shape-rendering=\"crispEdges\" d=\"{path}\"/>"
        )?;
        self.y += modules * MODULE + 2 * QUIET;
        Ok(())
    }

    fn picture(&mut self, logo: &Logo, side: Side) -> fmt::Result {
        let mut path = String::new();
        for (y, row) in logo.rows().enumerate() {
            let black = |x: usize| row.get(x / 8).is_some_and(|byte| byte & (0x80 >> (x % 8)) != 0);
            let mut x = 0;
            while x < row.len() * 8 {
                let start = x;
                while black(x) {
                    x += 1;
                }
                if x > start {
                    write!(path, "M{start} {y}h{0}v1h-{0}z", x - start)?;
                }
                x += 1;
            }
        }
        let (x, y) = (self.start(side, logo.width() * CELL / DOTS), self.y);
        writeln!(self.out, "<path transform=\"translate({x} {y}) scale(0.75)\" d=\"{path}\"/>")?;
        self.y += (logo.height() * CELL).div_ceil(DOTS);
        Ok(())
    }

    /// A cut with more paper below.
    fn cut(&mut self) -> fmt::Result {
        let (left, right, y) = (DESK, DESK + self.paper_width(), self.y + LINE);
        self.y += 2 * LINE;
        writeln!(
            self.out,
            "<path d=\"M{left} {y}H{right}\" stroke=\"#a8a29a\" stroke-dasharray=\"6 4\" fill=\"none\"/>"
        )
    }
}

/// Counts of cells and modules are far below this; a picture has no use for more.
fn pixels(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX / 256).min(u32::MAX / 256)
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => {
                out.push('\u{fffd}')
            }
            letter => out.push(letter),
        }
    }
    out
}
