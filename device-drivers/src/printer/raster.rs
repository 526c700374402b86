//! Pictures out of files. Sizes are looked at before anything is made of them.

use super::logo::{Logo, LogoError};

/// Dots as they stand in [`Logo::new`].
pub(super) struct Raster {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) dots: Vec<u8>,
}

/// A portable bitmap: `P1` with a digit for each dot, or `P4` with packed rows.
pub(super) fn bitmap(bytes: &[u8]) -> Result<Raster, LogoError> {
    let format = |what: &str| LogoError::Format(what.into());
    let packed = bytes.starts_with(b"P4");
    let mut rest = bytes.get(2..).unwrap_or_default();
    let width = number(&mut rest).ok_or_else(|| format("no width"))?;
    let height = number(&mut rest).ok_or_else(|| format("no height"))?;
    Logo::bounded(width, height)?;
    let across = usize::try_from(width.div_ceil(8)).unwrap_or(usize::MAX);
    let size = across * usize::try_from(height).unwrap_or(usize::MAX);
    if packed {
        // One blank stands between the head and the dots.
        let dots = rest.get(1..=size).ok_or_else(|| format("dots are missing"))?.to_vec();
        return Ok(Raster { width, height, dots });
    }
    let mut digits = std::iter::from_fn(|| {
        blanks(&mut rest);
        let (digit, left) = rest.split_first()?;
        rest = left;
        Some(*digit)
    });
    let mut canvas = Canvas::new(width, height);
    for y in 0..height {
        for x in 0..width {
            match digits.next() {
                Some(b'0') => {}
                Some(b'1') => canvas.blacken(x, y),
                _ => return Err(format("dots are missing")),
            }
        }
    }
    Ok(Raster { width, height, dots: canvas.dots })
}

/// A PNG of any kind, the first picture of it.
pub(super) fn png(bytes: &[u8]) -> Result<Raster, LogoError> {
    let format = |error: png::DecodingError| LogoError::Format(error.to_string());
    let limits = png::Limits { bytes: 8 << 20 };
    let mut decoder = png::Decoder::new_with_limits(std::io::Cursor::new(bytes), limits);
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(format)?;
    let (width, height) = reader.info().size();
    Logo::bounded(width, height)?;
    let size = reader.output_buffer_size().ok_or_else(|| LogoError::Format("it is too large".into()))?;
    let mut pixels = vec![0; size];
    let frame = reader.next_frame(&mut pixels).map_err(format)?;
    let samples = frame.color_type.samples();
    let mut canvas = Canvas::new(width, height);
    for (y, row) in (0..height).zip(pixels.chunks(frame.line_size)) {
        for (x, pixel) in (0..width).zip(row.chunks(samples)) {
            if is_dark(pixel) {
                canvas.blacken(x, y);
            }
        }
    }
    Ok(Raster { width, height, dots: canvas.dots })
}

/// Whether a pixel (grey or red, green, blue; then perhaps how much it covers) is darker than the middle, on white.
fn is_dark(pixel: &[u8]) -> bool {
    let (color, cover) = match *pixel {
        [grey] => ([grey; 3], 255),
        [grey, cover] => ([grey; 3], cover),
        [red, green, blue] => ([red, green, blue], 255),
        [red, green, blue, cover] => ([red, green, blue], cover),
        _ => return false,
    };
    let [red, green, blue] = color.map(u32::from);
    // ITU-R BT.601, in thousandths.
    let luma = (299 * red + 587 * green + 114 * blue) / 1000;
    let on_white = (luma * u32::from(cover) + 255 * (255 - u32::from(cover))) / 255;
    on_white < 128
}

struct Canvas {
    across: usize,
    dots: Vec<u8>,
}

impl Canvas {
    /// White, of a bounded size.
    fn new(width: u32, height: u32) -> Self {
        let across = usize::try_from(width.div_ceil(8)).unwrap_or_default();
        Self { across, dots: vec![0; across * usize::try_from(height).unwrap_or_default()] }
    }

    fn blacken(&mut self, x: u32, y: u32) {
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else { return };
        if let Some(byte) = self.dots.get_mut(y * self.across + x / 8) {
            *byte |= 0x80 >> (x % 8);
        }
    }
}

/// The next number in a bitmap's head.
fn number(rest: &mut &[u8]) -> Option<u32> {
    blanks(rest);
    let end = rest.iter().position(|byte| !byte.is_ascii_digit())?;
    let (digits, left) = rest.split_at(end);
    *rest = left;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Passes over blanks and comments.
fn blanks(rest: &mut &[u8]) {
    while let [first, left @ ..] = *rest {
        match first {
            b'#' => {
                let end = left.iter().position(|byte| *byte == b'\n').unwrap_or(left.len());
                *rest = left.get(end..).unwrap_or_default();
            }
            first if first.is_ascii_whitespace() => *rest = left,
            _ => return,
        }
    }
}
