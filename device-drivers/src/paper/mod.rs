//! Printed paper: what stands on it, whether it came from a document or out of a printer.
//!
//! Two ways lead here. [`Paper::of`] takes a document as it would be printed; the virtual printer decodes
//! the bytes that it received. For everything that a printer's code pages can print both give the same
//! paper, and one renderer draws both.

mod svg;

use std::sync::Arc;

use pos_domain::receipt::{Document, Line, Style, lines, width};

use crate::printer::logo::Logo;
use crate::printer::profile::Profile;

/// A piece of paper with what is printed on it, from top to bottom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paper {
    /// Characters of normal size on a line.
    pub columns: u8,
    /// What stands on it.
    pub marks: Vec<Mark>,
    /// Whether more was printed than is kept here; the picture says so.
    pub cut_short: bool,
    weight: usize,
}

/// One thing on the paper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A line of text; without runs it is empty.
    Line {
        /// Stretches of equal look.
        runs: Vec<Run>,
        /// Where it stands.
        side: Side,
    },
    /// A QR code.
    Qr {
        /// What it says.
        data: String,
        /// Where it stands.
        side: Side,
    },
    /// A picture.
    Picture {
        /// Its dots, twelve of which are as wide as a letter of normal size.
        logo: Arc<Logo>,
        /// Where it stands.
        side: Side,
    },
    /// Here the paper was cut.
    Cut,
}

/// Where something stands across the paper.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Side {
    /// At the left edge.
    #[default]
    Left,
    /// In the middle.
    Center,
    /// At the right edge.
    Right,
}

/// Text of one look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The letters.
    pub text: String,
    /// How they look.
    pub look: Look,
}

/// How letters look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Emphasised.
    pub bold: bool,
    /// White on black.
    pub inverse: bool,
    /// With a line below.
    pub underline: bool,
    /// Cells that a letter takes across, 1 to 8.
    pub wide: u8,
    /// Times the normal height, 1 to 8.
    pub high: u8,
}

impl Default for Look {
    fn default() -> Self {
        Self { bold: false, inverse: false, underline: false, wide: 1, high: 1 }
    }
}

impl From<Style> for Look {
    fn from(style: Style) -> Self {
        let plain = Self::default();
        match style {
            Style::Normal => plain,
            Style::Bold => Self { bold: true, ..plain },
            Style::Large => Self { bold: true, wide: 2, high: 2, ..plain },
            Style::Banner => Self { bold: true, inverse: true, wide: 2, high: 2, ..plain },
        }
    }
}

impl Paper {
    /// What a piece keeps at most, in units of a few dozen bytes: some 5,000 full lines. A printer that is
    /// fed for ever must not fill the memory.
    const WEIGHT_MAX: usize = 50_000;

    /// Empty paper of this many characters across.
    pub fn new(columns: u8) -> Self {
        Self { columns, ..Self::default() }
    }

    /// A document as it is printed on paper of this many columns (42 on 80 mm, 32 on 58 mm): all of it, for a document
    /// is as long as what was sold.
    pub fn of(document: &Document, columns: u8) -> Self {
        Self::new(columns).with(document)
    }

    /// A document as a printer of this profile prints it: on its paper, and below its logo.
    pub fn on(document: &Document, profile: &Profile) -> Self {
        let mut paper = Self::new(profile.columns);
        if let Some(logo) = profile.printed_logo() {
            paper.keep(Mark::Picture { logo: Arc::clone(logo), side: Side::Center });
        }
        paper.with(document)
    }

    fn with(self, document: &Document) -> Self {
        let mut paper = self;
        for line in lines(document, usize::from(paper.columns)) {
            match line {
                Line::Text { text, .. } if text.is_empty() => {
                    paper.keep(Mark::Line { runs: Vec::new(), side: Side::Left });
                }
                Line::Text { text, style } => {
                    let runs = vec![Run { text, look: style.into() }];
                    paper.keep(Mark::Line { runs, side: Side::Left });
                }
                Line::Qr(data) => paper.keep(Mark::Qr { data, side: Side::Center }),
                Line::Cut => paper.keep(Mark::Cut),
                Line::KickDrawer => {}
            }
        }
        paper
    }

    /// Adds a mark below the others, unless the paper is full.
    pub fn push(&mut self, mark: Mark) {
        if self.weight + weight(&mark) > Self::WEIGHT_MAX {
            self.cut_short = true;
        } else {
            self.keep(mark);
        }
    }

    fn keep(&mut self, mark: Mark) {
        self.weight += weight(&mark);
        self.marks.push(mark);
    }

    /// The text on it, each line ended by a line feed, QR codes as the text they hold.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        for mark in &self.marks {
            match mark {
                Mark::Line { runs, side } => {
                    let free = usize::from(self.columns).saturating_sub(cells(runs));
                    let before = match side {
                        Side::Left => 0,
                        Side::Center => free / 2,
                        Side::Right => free,
                    };
                    let line: String = runs.iter().map(|run| run.text.as_str()).collect();
                    out.push_str((" ".repeat(before) + &line).trim_end_matches(' '));
                }
                Mark::Qr { data, .. } => out.push_str(data),
                Mark::Cut | Mark::Picture { .. } => continue,
            }
            out.push('\n');
        }
        out
    }

    /// A picture of it (`image/svg+xml`), with a border of background around it.
    pub fn to_svg(&self) -> String {
        svg::render(self)
    }
}

/// What a mark takes in memory, in units of a few dozen bytes.
fn weight(mark: &Mark) -> usize {
    match mark {
        Mark::Line { runs, .. } => 1 + runs.iter().map(|run| 1 + run.text.len() / 8).sum::<usize>(),
        Mark::Qr { data, .. } => 1 + data.len() / 8,
        Mark::Picture { logo, .. } => 1 + logo.dots().len() / 32,
        Mark::Cut => 1,
    }
}

/// Cells that a line takes.
fn cells(runs: &[Run]) -> usize {
    runs.iter().map(|run| width(&run.text) * usize::from(run.look.wide)).sum()
}
