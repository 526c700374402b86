//! A picture above the receipt: dots that are black or not.
//!
//! It is made from a file of portable bitmap (PBM, plain or packed) or PNG; of the latter what is darker than the middle
//! grey becomes black, on white ground. Its size is bounded before anything is decoded.
//!
//! A printer looks for real-time requests everywhere in what it receives, also within pictures: dots that would read as one
//! (`DLE` with `EOT`, `ENQ` or `DC4` after it, which might open the drawer) get one more black dot.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use thiserror::Error;

use super::raster;

/// Rows of black and white dots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logo {
    /// In bytes of eight dots.
    across: u8,
    rows: u16,
    /// Row by row, the leftmost dot in the highest bit, 1 for black.
    dots: Vec<u8>,
}

/// Why a picture is no logo.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LogoError {
    /// The file cannot be read.
    #[error("the picture cannot be read: {0}")]
    Read(#[from] io::Error),
    /// Neither PBM nor PNG, or damaged.
    #[error("the picture is damaged or no PBM or PNG ({0}); save it anew as black and white PNG")]
    Format(String),
    /// Too many dots, or none.
    #[error("the picture has {width} × {height} dots; a logo has 1 × 1 to 576 × 400")]
    Size {
        /// Dots across.
        width: u32,
        /// Dots down.
        height: u32,
    },
    /// The dots are not as many as the size says.
    #[error("{given} bytes of dots were given, {wanted} are wanted")]
    Dots {
        /// Bytes that were given.
        given: usize,
        /// Bytes that the size wants.
        wanted: usize,
    },
}

impl Logo {
    /// Dots across at most: the whole of 80 mm paper.
    pub const WIDTH_MAX: u32 = 576;
    /// Dots down at most: some 50 mm.
    pub const HEIGHT_MAX: u32 = 400;
    /// The longest file that is read.
    const FILE_MAX: u64 = 1 << 20;

    /// A logo of these dots, row by row; each row starts with a new byte, its leftmost dot in the highest bit, 1 for black.
    ///
    /// # Errors
    /// [`LogoError::Size`] or [`LogoError::Dots`].
    pub fn new(width: u32, height: u32, mut dots: Vec<u8>) -> Result<Self, LogoError> {
        Self::bounded(width, height)?;
        let size = LogoError::Size { width, height };
        let (Ok(across), Ok(rows)) = (u8::try_from(width.div_ceil(8)), u16::try_from(height)) else {
            return Err(size);
        };
        let wanted = usize::from(across) * usize::from(rows);
        if dots.len() != wanted {
            return Err(LogoError::Dots { given: dots.len(), wanted });
        }
        let beyond = u32::from(across) * 8 - width;
        for last in dots.iter_mut().skip(usize::from(across) - 1).step_by(usize::from(across)) {
            *last &= 0xff << beyond;
        }
        for place in 1..dots.len() {
            if let Some([first @ 0x10, 0x04 | 0x05 | 0x14]) = dots.get_mut(place - 1..=place) {
                *first = 0x18;
            }
        }
        Ok(Self { across, rows, dots })
    }

    /// Reads a logo from a file.
    ///
    /// # Errors
    /// Any [`LogoError`]: of a file that cannot be read, is no picture, or is too large.
    pub fn read(path: &Path) -> Result<Self, LogoError> {
        let mut bytes = Vec::new();
        File::open(path)?.take(Self::FILE_MAX + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > Self::FILE_MAX {
            return Err(LogoError::Format(format!("more than {} bytes", Self::FILE_MAX)));
        }
        Self::of_file(&bytes)
    }

    /// A logo from a file's bytes.
    ///
    /// # Errors
    /// As [`Logo::read`].
    pub fn of_file(bytes: &[u8]) -> Result<Self, LogoError> {
        let picture = match bytes {
            [b'P', b'1' | b'4', ..] => raster::bitmap(bytes)?,
            _ => raster::png(bytes)?,
        };
        Self::new(picture.width, picture.height, picture.dots)
    }

    pub(super) fn bounded(width: u32, height: u32) -> Result<(), LogoError> {
        if (1..=Self::WIDTH_MAX).contains(&width) && (1..=Self::HEIGHT_MAX).contains(&height) {
            return Ok(());
        }
        Err(LogoError::Size { width, height })
    }

    /// Dots across, a multiple of eight.
    pub fn width(&self) -> u32 {
        u32::from(self.across) * 8
    }

    /// Dots down.
    pub fn height(&self) -> u32 {
        u32::from(self.rows)
    }

    /// Its rows, from the top.
    pub fn rows(&self) -> impl Iterator<Item = &[u8]> {
        self.dots.chunks(usize::from(self.across))
    }

    pub(crate) fn dots(&self) -> &[u8] {
        &self.dots
    }
}
