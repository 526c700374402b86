//! A firmware image: a header that names all else, its signature, and the body.
//!
//! | bytes | what |
//! |---|---|
//! | 0–3 | `TBXI` |
//! | 4 | the format: 1 |
//! | 5 | the kind of controller, as in [`Kind`] |
//! | 6–7 | 0 |
//! | 8–11 | the body's length, bytes; little-endian, as all numbers |
//! | 12–15 | the version: u8 major, u8 minor, u16 patch |
//! | 16–23 | the board's name, ASCII, filled with zeros |
//! | 24–31 | 0 |
//! | 32–63 | the SHA-256 of the body |
//! | 64–127 | the ed25519 signature of bytes 0–63 |
//! | 128– | the body |

use ed25519_dalek::{Signature, VerifyingKey};
use pos_link::{Kind, UpdateRefusal, Version};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// Bytes before the body.
pub const HEADER: usize = 128;
/// Bytes that are signed.
const SIGNED: usize = 64;
const MAGIC: [u8; 4] = *b"TBXI";
const FORMAT: u8 = 1;

/// What an image is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// The board's name, ASCII, filled with zeros.
    pub board: [u8; 8],
    /// The kind of controller.
    pub kind: Kind,
}

/// What an image says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// What it is made for.
    pub target: Target,
    /// Its version.
    pub version: Version,
    /// The body's length, bytes; never 0.
    pub length: u32,
    /// The body's SHA-256.
    pub digest: [u8; 32],
}

/// Why bytes are no image that may run here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unfit {
    /// They are no image at all, or one without a body.
    #[error("these bytes are no firmware image")]
    NoImage,
    /// They are one of another format.
    #[error("the image has format {0}, which is not known here")]
    Format(u8),
    /// It is for another board, or another kind of controller.
    #[error("the image is for another board, or for another kind of controller")]
    Target,
    /// It is longer than a slot.
    #[error("the image is longer than a slot")]
    TooLong,
    /// It is not newer than what was confirmed last.
    #[error("the image is not newer than what was confirmed last")]
    NotNewer,
    /// The key did not sign it.
    #[error("the image is not signed by the known key")]
    Signature,
    /// Its body is not the one that was signed.
    #[error("the image's body is not the one that was signed")]
    Body,
}

impl From<Unfit> for UpdateRefusal {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::NoImage | Unfit::Format(_) | Unfit::Body => Self::Damaged,
            Unfit::Target => Self::WrongBoard,
            Unfit::TooLong => Self::NoRoom,
            Unfit::NotNewer => Self::NotNewer,
            Unfit::Signature => Self::BadSignature,
        }
    }
}

impl Header {
    /// The bytes that are signed.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; SIGNED] {
        let Version { major, minor, patch } = self.version;
        let fields = MAGIC
            .into_iter()
            .chain([FORMAT, self.target.kind.into(), 0, 0])
            .chain(self.length.to_le_bytes())
            .chain([major, minor])
            .chain(patch.to_le_bytes())
            .chain(self.target.board)
            .chain([0; 8])
            .chain(self.digest);
        let mut bytes = [0; SIGNED];
        bytes.iter_mut().zip(fields).for_each(|(to, from)| *to = from);
        bytes
    }

    /// What these first bytes of an image say. That they are signed is asked with [`is_signed`].
    ///
    /// # Errors
    /// [`Unfit::NoImage`], [`Unfit::Format`].
    pub fn read(bytes: &[u8; HEADER]) -> Result<Self, Unfit> {
        let mut rest = bytes.as_slice();
        if take::<4>(&mut rest)? != MAGIC {
            return Err(Unfit::NoImage);
        }
        let [format, kind, zero, other] = take::<4>(&mut rest)?;
        if format != FORMAT {
            return Err(Unfit::Format(format));
        }
        let length = u32::from_le_bytes(take(&mut rest)?);
        let [major, minor, low, high] = take::<4>(&mut rest)?;
        let board = take(&mut rest)?;
        let zeros = take::<8>(&mut rest)?;
        let digest = take(&mut rest)?;
        if [zero, other] != [0; 2] || zeros != [0; 8] || length == 0 {
            return Err(Unfit::NoImage);
        }
        Ok(Self {
            target: Target { board, kind: kind.into() },
            version: Version { major, minor, patch: u16::from_le_bytes([low, high]) },
            length,
            digest,
        })
    }

    /// The whole image's length, bytes.
    #[must_use]
    pub fn image_length(&self) -> u64 {
        u64::from(self.length).saturating_add(HEADER as u64)
    }
}

/// Whether this key signed the header. It is checked strictly: no second signature is made of a first one.
#[must_use]
pub fn is_signed(header: &[u8; HEADER], key: &VerifyingKey) -> bool {
    let (signed, signature) = header.split_at(SIGNED);
    Signature::from_slice(signature).is_ok_and(|signature| key.verify_strict(signed, &signature).is_ok())
}

/// What names an image in [`UpdateBegin`](pos_link::ToController::UpdateBegin).
#[must_use]
pub fn fingerprint(header: &[u8; HEADER]) -> [u8; 16] {
    let mut half = [0; 16];
    half.iter_mut().zip(Sha256::digest(header)).for_each(|(to, from)| *to = from);
    half
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Unfit> {
    let (field, behind) = rest.split_first_chunk().ok_or(Unfit::NoImage)?;
    *rest = behind;
    Ok(*field)
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer as _, SigningKey};

    use super::*;

    const SOME: Header = Header {
        target: Target { board: *b"lm3s6965", kind: Kind::Drawer },
        version: Version { major: 1, minor: 2, patch: 0x0304 },
        length: 0x0005_0607,
        digest: [0xd1; 32],
    };

    fn signed(header: &Header, key: &SigningKey) -> [u8; HEADER] {
        let bytes = header.to_bytes();
        let mut whole = [0; HEADER];
        whole[..SIGNED].copy_from_slice(&bytes);
        whole[SIGNED..].copy_from_slice(&key.sign(&bytes).to_bytes());
        whole
    }

    /// The form is for ever: a boot loader is not updated.
    #[test]
    fn the_bytes_are_pinned() {
        let head = [
            0x54, 0x42, 0x58, 0x49, 0x01, 0x02, 0x00, 0x00, 0x07, 0x06, 0x05, 0x00, 0x01, 0x02, 0x04,
            0x03, //
            0x6c, 0x6d, 0x33, 0x73, 0x36, 0x39, 0x36, 0x35, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        ];
        assert_eq!(SOME.to_bytes()[..32], head);
        assert_eq!(SOME.to_bytes()[32..], [0xd1; 32]);
        let whole = signed(&SOME, &SigningKey::from_bytes(&[7; 32]));
        // As another implementation signs and hashes it.
        assert_eq!(whole[SIGNED..][..8], [0x67, 0x1d, 0xfa, 0xce, 0x63, 0x5b, 0xd1, 0x34]);
        assert_eq!(fingerprint(&whole)[..4], [0x87, 0xda, 0x12, 0xe8]);
    }

    #[test]
    fn what_is_written_is_read_and_any_changed_bit_is_not_signed() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let whole = signed(&SOME, &key);
        assert_eq!(Header::read(&whole), Ok(SOME));
        assert!(is_signed(&whole, &key.verifying_key()));
        assert!(!is_signed(&whole, &SigningKey::from_bytes(&[8; 32]).verifying_key()));
        for bit in 0..HEADER * 8 {
            let mut other = whole;
            other[bit / 8] ^= 1 << (bit % 8);
            assert!(!is_signed(&other, &key.verifying_key()), "bit {bit}");
        }
    }

    #[test]
    fn what_is_no_image_is_told_apart() {
        let whole = signed(&SOME, &SigningKey::from_bytes(&[7; 32]));
        let with = |at: usize, byte| {
            let mut other = whole;
            other[at] = byte;
            Header::read(&other)
        };
        assert_eq!(with(0, 0), Err(Unfit::NoImage));
        assert_eq!(with(4, 2), Err(Unfit::Format(2)));
        assert_eq!(with(7, 1), Err(Unfit::NoImage));
        assert_eq!(with(31, 1), Err(Unfit::NoImage));
        assert_eq!(
            Header::read(&signed(&Header { length: 0, ..SOME }, &SigningKey::from_bytes(&[7; 32]))),
            Err(Unfit::NoImage)
        );
        assert_eq!(Header::read(&[0xff; HEADER]), Err(Unfit::NoImage));
    }
}
