//! From a document to ESC/POS bytes: no I/O, no clock, the same bytes for the same document.
//!
//! Commands are those of Epson's *ESC/POS Application Programming Guide* that nearly all receipt printers
//! share:
//!
//! | Bytes | Name | Used for |
//! |---|---|---|
//! | `1B 40` | `ESC @` | start from the power-on state |
//! | `1B 52 00` | `ESC R` | international set USA, so that ASCII prints as ASCII |
//! | `1B 74 n` | `ESC t` | select code page |
//! | `1B 45 n` | `ESC E` | emphasis |
//! | `1D 21 n` | `GS !` | width and height, `11` doubles both |
//! | `1D 42 n` | `GS B` | white on black |
//! | `1B 61 n` | `ESC a` | justification, for the picture and the QR code only |
//! | `1D 76 30 …` | `GS v 0` | the picture above the receipt |
//! | `1D 28 6B …` | `GS ( k` | QR code: model 2, module size, error correction M, store, print |
//! | `1D 56 42 00` | `GS V` | feed to the knife and cut |
//! | `1B 64 n` | `ESC d` | feed n lines, where there is no knife |
//! | `1B 70 m t1 t2` | `ESC p` | drawer pulse: on for 2·t1 ms, off for 2·t2 ms |
//!
//! Text reaches the paper through a code page only, and no page has control characters: what a product is
//! called cannot become a command.

use pos_domain::receipt::{Document, Line, Style, lines, width};

use super::logo::Logo;
use super::plain;
use super::profile::{DrawerPin, Language, Page, Profile};
use crate::code_page::similar;

/// `GS r 1`: answered when all that was sent before it has been processed.
pub(crate) const ASK_IN_ORDER: [u8; 3] = [0x1d, 0x72, 0x01];
/// Lines from the print head to the tear bar.
pub(super) const LINES_TO_TEAR_BAR: u8 = 5;
/// Rest after the pulse, in units of 2 ms.
const DRAWER_REST: u8 = 250;

/// A document as one printer understands it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Job {
    /// What goes over the wire.
    pub bytes: Vec<u8>,
    /// Letters that none of the printer's pages has and that are printed as a similar one (`Ő` as `O`).
    pub similar: usize,
    /// Letters printed as `?`, or marks left out, because nothing similar exists.
    pub lost: usize,
    /// Pictures and drawer pulses for which the printer has no words.
    pub left_out: usize,
}

/// Encodes a document for a printer. The job leaves the printer in its power-on style.
pub fn encode(document: &Document, profile: &Profile) -> Job {
    match profile.language {
        Language::EscPos => esc_pos(document, profile),
        Language::Lines => plain::encode(document, profile),
    }
}

fn esc_pos(document: &Document, profile: &Profile) -> Job {
    let mut encoder = Encoder::new(profile);
    match profile.printed_logo() {
        Some(logo) => encoder.picture(logo),
        None => encoder.job.left_out += usize::from(profile.logo.is_some()),
    }
    for line in lines(document, usize::from(profile.columns)) {
        match line {
            Line::Text { text, style } => encoder.text(&text, style),
            Line::Qr(data) => encoder.qr(data.as_bytes()),
            Line::Cut => encoder.cut(),
            Line::KickDrawer => encoder.kick_drawer(),
        }
    }
    encoder.style(Style::Normal);
    encoder.job
}

/// `DLE DC4 1 m t`: a pulse for the drawer that does not wait its turn; `t` counts 100 ms, 1 to 8.
pub(crate) fn real_time_pulse(profile: &Profile) -> [u8; 5] {
    let time = u8::try_from(profile.drawer_pulse_ms.div_ceil(100).clamp(1, 8)).unwrap_or(1);
    [0x10, 0x14, 1, drawer_pin(profile), time]
}

fn drawer_pin(profile: &Profile) -> u8 {
    match profile.drawer_pin {
        DrawerPin::Pin2 => 0,
        DrawerPin::Pin5 => 1,
    }
}

struct Encoder<'a> {
    profile: &'a Profile,
    page: Page,
    style: Style,
    job: Job,
}

impl<'a> Encoder<'a> {
    fn new(profile: &'a Profile) -> Self {
        let page = profile.first_page();
        let bytes = vec![0x1b, 0x40, 0x1b, 0x52, 0x00, 0x1b, 0x74, page.number];
        Self { profile, page, style: Style::Normal, job: Job { bytes, ..Job::default() } }
    }

    fn text(&mut self, text: &str, style: Style) {
        self.style(style);
        for letter in text.chars() {
            self.letter(letter);
        }
        self.put(b"\n");
    }

    fn letter(&mut self, letter: char) {
        if self.print(letter) {
            return;
        }
        if similar(letter).is_some_and(|like| self.print(like)) {
            self.job.similar += 1;
            return;
        }
        self.job.lost += 1;
        // As many marks as the letter was wide, so that what follows stays in its column.
        for _ in 0..width(letter.encode_utf8(&mut [0; 4])) {
            self.put(b"?");
        }
    }

    /// Prints the letter from the selected page or else from the first page that has it.
    fn print(&mut self, letter: char) -> bool {
        let pages = std::iter::once(self.page).chain(self.profile.pages.iter().copied());
        let found = pages.filter_map(|page| Some((page, page.code_page.encode(letter)?))).next();
        let Some((page, byte)) = found else { return false };
        if page != self.page {
            self.page = page;
            self.put(&[0x1b, 0x74, page.number]);
        }
        self.put(&[byte]);
        true
    }

    fn style(&mut self, style: Style) {
        let attributes = |style| match style {
            Style::Normal => (0, 0x00, 0),
            Style::Bold => (1, 0x00, 0),
            Style::Large => (1, 0x11, 0),
            Style::Banner => (1, 0x11, 1),
        };
        let (now, wanted): ((u8, u8, u8), _) = (attributes(self.style), attributes(style));
        if now.0 != wanted.0 {
            self.put(&[0x1b, 0x45, wanted.0]);
        }
        if now.1 != wanted.1 {
            self.put(&[0x1d, 0x21, wanted.1]);
        }
        if now.2 != wanted.2 {
            self.put(&[0x1d, 0x42, wanted.2]);
        }
        self.style = style;
    }

    fn picture(&mut self, logo: &Logo) {
        let [across, _, _, _] = (logo.width() / 8).to_le_bytes();
        let [low, high, _, _] = logo.height().to_le_bytes();
        self.put(&[0x1b, 0x61, 1, 0x1d, 0x76, 0x30, 0, across, 0, low, high]);
        self.put(logo.dots());
        self.put(&[0x1b, 0x61, 0]);
    }

    fn qr(&mut self, data: &[u8]) {
        self.style(Style::Normal);
        let dots = self.profile.qr_module_dots.clamp(1, 16);
        self.put(&[0x1b, 0x61, 1]);
        self.symbol(&[0x41, 0x32, 0x00], &[]);
        self.symbol(&[0x43, dots], &[]);
        self.symbol(&[0x45, 0x31], &[]);
        self.symbol(&[0x50, 0x30], data);
        self.symbol(&[0x51, 0x30], &[]);
        self.put(&[0x1b, 0x61, 0]);
    }

    /// `GS ( k pL pH cn fn …` with cn = 49, QR code. The layout bounds the data to 200 bytes.
    fn symbol(&mut self, function: &[u8], data: &[u8]) {
        let length = u16::try_from(1 + function.len() + data.len()).unwrap_or(u16::MAX).to_le_bytes();
        self.put(&[0x1d, 0x28, 0x6b]);
        self.put(&length);
        self.put(&[0x31]);
        self.put(function);
        self.put(data);
    }

    fn cut(&mut self) {
        if self.profile.cuts {
            self.put(&[0x1d, 0x56, 0x42, 0x00]);
        } else {
            self.put(&[0x1b, 0x64, LINES_TO_TEAR_BAR]);
        }
    }

    fn kick_drawer(&mut self) {
        let pin = drawer_pin(self.profile);
        let pulse = u8::try_from((self.profile.drawer_pulse_ms / 2).clamp(1, 255)).unwrap_or(255);
        self.put(&[0x1b, 0x70, pin, pulse, DRAWER_REST]);
    }

    fn put(&mut self, bytes: &[u8]) {
        self.job.bytes.extend_from_slice(bytes);
    }
}
