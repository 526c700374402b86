//! A signed image of a program: an ELF file's bytes as they are loaded, behind a header.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use ed25519_dalek::{Signer as _, SigningKey};
use firmware::update::{Header, Target};
use object::Endianness;
use object::elf::{self, FileHeader32};
use object::read::elf::{FileHeader as _, ProgramHeader as _};
use pos_link::{Kind, Version};
use sha2::{Digest as _, Sha256};

use super::{Failed, key};

/// No program is longer, bytes: what lies further apart is none for such a board.
const LONGEST: u64 = 16 << 20;

#[derive(Args)]
pub(crate) struct Pack {
    /// The key that signs it; `firmware keygen` makes one.
    #[arg(long)]
    key: PathBuf,
    /// The board's name, at most eight letters and digits.
    #[arg(long, value_parser = board)]
    board: [u8; 8],
    /// The kind of controller.
    #[arg(long)]
    kind: Of,
    /// The version: 1.2.3.
    #[arg(long, value_parser = version)]
    version: Version,
    /// The program: an ELF file, or the very bytes that are loaded.
    program: PathBuf,
    /// Where the image is to be.
    image: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Of {
    Scanner,
    Drawer,
}

impl Pack {
    pub(super) fn run(&self) -> Result<String, Failed> {
        let read = |path: &Path| fs::read(path).map_err(|why| Failed::File { path: path.to_owned(), why });
        let body = loaded(read(&self.program)?)
            .map_err(|why| Failed::NoProgram { path: self.program.clone(), why })?;
        let kind = match self.kind {
            Of::Scanner => Kind::Scanner,
            Of::Drawer => Kind::Drawer,
        };
        let target = Target { board: self.board, kind };
        let image = signed(&key::read(&self.key)?, target, self.version, &body)
            .map_err(|why| Failed::NoProgram { path: self.program.clone(), why })?;
        fs::write(&self.image, &image).map_err(|why| Failed::File { path: self.image.clone(), why })?;
        Ok(format!("{}: {} bytes", self.image.display(), image.len()))
    }
}

fn signed(key: &SigningKey, target: Target, version: Version, body: &[u8]) -> Result<Vec<u8>, String> {
    let length = u32::try_from(body.len()).map_err(|error| error.to_string())?;
    if length == 0 {
        return Err("there is nothing in it that is loaded".to_owned());
    }
    let header = Header { target, version, length, digest: Sha256::digest(body).into() }.to_bytes();
    Ok([header.as_slice(), &key.sign(&header).to_bytes(), body].concat())
}

/// The bytes that a program is loaded as: those of an ELF file from its lowest to its highest address, or all that there are.
fn loaded(file: Vec<u8>) -> Result<Vec<u8>, String> {
    if !file.starts_with(&elf::ELFMAG) {
        return Ok(file);
    }
    let told = |error: object::Error| error.to_string();
    let data = file.as_slice();
    let header = FileHeader32::<Endianness>::parse(data).map_err(told)?;
    let endian = header.endian().map_err(told)?;
    let mut parts = Vec::new();
    for segment in header.program_headers(endian, data).map_err(told)? {
        if segment.p_type(endian) == elf::PT_LOAD && segment.p_filesz(endian) > 0 {
            let bytes =
                segment.data(endian, data).map_err(|()| "a segment lies beyond its end".to_owned())?;
            parts.push((u64::from(segment.p_paddr(endian)), bytes));
        }
    }
    parts.sort_unstable_by_key(|(at, _)| *at);
    let Some((begin, _)) = parts.first().copied() else { return Ok(Vec::new()) };
    let mut body = Vec::new();
    for (at, bytes) in parts {
        let offset = at - begin;
        if offset + bytes.len() as u64 > LONGEST {
            return Err(format!("its parts are more than {LONGEST} bytes apart"));
        }
        let offset = usize::try_from(offset).map_err(|error| error.to_string())?;
        if offset < body.len() {
            return Err("its parts lie over each other".to_owned());
        }
        body.resize(offset, 0xff);
        body.extend_from_slice(bytes);
    }
    Ok(body)
}

fn board(name: &str) -> Result<[u8; 8], String> {
    let mut board = [0; 8];
    let fits =
        (1..=board.len()).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !fits {
        return Err("a board's name has one to eight letters and digits".to_owned());
    }
    board.iter_mut().zip(name.bytes()).for_each(|(to, from)| *to = from);
    Ok(board)
}

fn version(text: &str) -> Result<Version, String> {
    let parts: Vec<_> = text.split('.').collect();
    let number = || {
        Some(match parts.as_slice() {
            [major, minor, patch] => {
                Version { major: major.parse().ok()?, minor: minor.parse().ok()?, patch: patch.parse().ok()? }
            }
            _ => return None,
        })
    };
    number().ok_or_else(|| "a version is three numbers with dots between: up to 255, 255, 65535".to_owned())
}

#[cfg(test)]
mod tests {
    use firmware::update::{HEADER, is_signed};

    use super::*;

    /// An ELF file of two segments that are loaded, and a third of which nothing is.
    fn program(parts: [(u32, &[u8]); 2]) -> Vec<u8> {
        let mut file = b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
        let word = |file: &mut Vec<u8>, value: u32| file.extend(value.to_le_bytes());
        let half = |file: &mut Vec<u8>, value: u16| file.extend(value.to_le_bytes());
        half(&mut file, 2);
        half(&mut file, 40);
        [1, 0x2000_0001, 52, 0, 0].into_iter().for_each(|value| word(&mut file, value));
        [52, 32, 3, 40, 0, 0].into_iter().for_each(|value| half(&mut file, value));
        let mut data = 52 + 3 * 32_u32;
        for (at, bytes) in parts {
            let length = u32::try_from(bytes.len()).unwrap();
            [1, data, 0xdead_0000, at, length, length, 5, 4]
                .into_iter()
                .for_each(|value| word(&mut file, value));
            data += length;
        }
        [1, data, 0x2000_f000, 0x2000_f000, 0, 64, 6, 4].into_iter().for_each(|value| word(&mut file, value));
        parts.iter().for_each(|(_, bytes)| file.extend_from_slice(bytes));
        file
    }

    #[test]
    fn a_program_is_what_is_loaded_of_it() {
        let body = loaded(program([(0x2000_0008, b"behind"), (0x2000_0000, b"vector")])).unwrap();
        assert_eq!(body, b"vector\xff\xffbehind");
        assert_eq!(loaded(b"raw".to_vec()).unwrap(), b"raw");
        assert!(loaded(program([(0, b"vector"), (5, b"over")])).unwrap_err().contains("over each other"));
        assert!(loaded(program([(0, b"a"), (0x2000_0000, b"b")])).unwrap_err().contains("apart"));
        let whole = program([(0, b"vector"), (6, b"behind")]);
        for length in 4..whole.len() {
            assert!(loaded(whole[..length].to_vec()).is_err(), "{length} of {}", whole.len());
        }
    }

    #[test]
    fn an_image_is_what_a_boot_loader_takes() {
        let key = SigningKey::from_bytes(&[9; 32]);
        let target = Target { board: board("lm3s6965").unwrap(), kind: Kind::Drawer };
        let image = signed(&key, target, version("1.2.300").unwrap(), b"body").unwrap();
        let (header, body) = image.split_first_chunk::<HEADER>().unwrap();
        assert!(is_signed(header, &key.verifying_key()));
        let read = Header::read(header).unwrap();
        let digest: [u8; 32] = Sha256::digest(b"body").into();
        assert_eq!(
            (read.target, read.version, read.length),
            (target, Version { major: 1, minor: 2, patch: 300 }, 4)
        );
        assert_eq!((read.digest, body), (digest, b"body".as_slice()));
        assert!(signed(&key, target, Version::default(), b"").is_err());
    }

    #[test]
    fn names_and_versions_are_what_fits() {
        assert_eq!(board("rp2040").unwrap(), *b"rp2040\0\0");
        for wrong in ["", "lm3s6965x", "rp-2040"] {
            assert!(board(wrong).is_err(), "{wrong}");
        }
        for wrong in ["", "1", "1.2", "1.2.3.4", "1.2.x", "256.0.0", "0.0.65536", "-1.0.0"] {
            assert!(version(wrong).is_err(), "{wrong}");
        }
    }
}
