//! What must be known about a model before printing on it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::logo::Logo;
use crate::code_page::CodePage;

/// A printer model's properties. The default is an 80 mm printer that follows Epson's numbering; models
/// differ in few of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Profile {
    /// What the printer understands.
    pub language: Language,
    /// Characters of normal size on a line: 42 (or 48) on 80 mm paper, 32 on 58 mm paper.
    pub columns: u8,
    /// The code pages the printer has, the preferred first. ASCII is on each of them. Never empty in
    /// effect: without any, the printer is taken to have PC437 as page 0.
    pub pages: Vec<Page>,
    /// Whether it answers status requests (`DLE EOT n` and `GS r 1`). Without answers no job can be
    /// confirmed, and each ends as *unknown*. A printer of lines is never asked.
    pub answers_status: bool,
    /// Whether it has a cutter (one that writes lines: whether it takes a form feed). Without one the paper is only fed to
    /// where it can be torn.
    pub cuts: bool,
    /// The connector pin that the cash drawer hangs on.
    pub drawer_pin: DrawerPin,
    /// How long the drawer's solenoid is driven, in milliseconds; 2 to 510, timed by the printer itself.
    pub drawer_pulse_ms: u16,
    /// Side of a QR code's module in the printer's dots, 1 to 16.
    pub qr_module_dots: u8,
    /// A picture above each receipt, no wider than the paper: 512 dots where it has 42 columns, 384 where it has 32.
    #[serde(skip)]
    pub logo: Option<Arc<Logo>>,
}

/// What a printer understands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Language {
    /// Epson's, which nearly all receipt printers share.
    #[default]
    EscPos,
    /// None: it writes the lines that it is sent, in the first of its code pages.
    Lines,
}

/// A code page and the number by which the printer selects it (`ESC t n`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Page {
    /// The number in the printer's own list.
    pub number: u8,
    /// What it prints.
    pub code_page: CodePage,
}

/// Drawer kick-out connector: pin 2 is the first drawer, pin 5 the second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DrawerPin {
    /// The first drawer.
    #[default]
    Pin2,
    /// The second drawer.
    Pin5,
}

impl Profile {
    /// An 80 mm printer with Epson's code page numbers, a cutter and status answers.
    pub fn epson_80_mm() -> Self {
        let page = |number, code_page| Page { number, code_page };
        Self {
            language: Language::EscPos,
            columns: 42,
            pages: vec![
                page(19, CodePage::Pc858),
                page(18, CodePage::Pc852),
                page(16, CodePage::Wpc1252),
                page(17, CodePage::Pc866),
                page(14, CodePage::Pc737),
                page(0, CodePage::Pc437),
            ],
            answers_status: true,
            cuts: true,
            drawer_pin: DrawerPin::Pin2,
            drawer_pulse_ms: 100,
            qr_module_dots: 6,
            logo: None,
        }
    }

    /// As [`Profile::epson_80_mm`], on 58 mm paper.
    pub fn epson_58_mm() -> Self {
        Self { columns: 32, qr_module_dots: 5, ..Self::epson_80_mm() }
    }

    /// A printer of lines: forty columns in PC437, torn off by hand. It confirms nothing.
    pub fn line_printer() -> Self {
        Self {
            language: Language::Lines,
            columns: 40,
            pages: vec![Page { number: 0, code_page: CodePage::Pc437 }],
            answers_status: false,
            cuts: false,
            ..Self::epson_80_mm()
        }
    }

    /// Whether it is asked for its status.
    pub(crate) fn answers(&self) -> bool {
        self.answers_status && self.language == Language::EscPos
    }

    /// The picture that is printed above a receipt, if the printer can.
    pub(crate) fn printed_logo(&self) -> Option<&Arc<Logo>> {
        // Twelve dots a column; there may be a few more than columns.
        let paper = (u32::from(self.columns) * 12).next_multiple_of(16);
        self.logo.as_ref().filter(|logo| self.language == Language::EscPos && logo.width() <= paper)
    }

    /// The page selected first.
    pub(crate) fn first_page(&self) -> Page {
        self.pages.first().copied().unwrap_or(Page { number: 0, code_page: CodePage::Pc437 })
    }

    /// What the printer prints after `ESC t number`; an unknown number leaves PC437, as printers do.
    pub(crate) fn page_numbered(&self, number: u8) -> Page {
        let known = self.pages.iter().copied().find(|page| page.number == number);
        known.unwrap_or(Page { number, code_page: CodePage::Pc437 })
    }
}

impl Default for Profile {
    fn default() -> Self {
        Self::epson_80_mm()
    }
}
