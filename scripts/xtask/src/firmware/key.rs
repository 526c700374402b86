//! The key that signs firmware: a file that only its owner may read.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, KeypairBytes};

use super::Failed;

/// No key's file is longer, bytes.
const LONGEST: u64 = 4_096;

/// Makes a key where nothing is yet, and gives its public half as digits.
pub(super) fn generate(path: &Path) -> Result<String, Failed> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(Failed::Chance)?;
    let key = SigningKey::from_bytes(&seed);
    // OpenSSL 3.0 reads no file that has the public half, too.
    let text = KeypairBytes { secret_key: seed, public_key: None }
        .to_pkcs8_pem(LineEnding::LF)
        .map_err(|why| Failed::NoKey { path: path.to_owned(), why })?;
    let failed = |why| Failed::File { path: path.to_owned(), why };
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    Ok(hex(key.verifying_key().as_bytes()))
}

/// Reads a key, unless others may read it, too.
pub(super) fn read(path: &Path) -> Result<SigningKey, Failed> {
    let failed = |why| Failed::File { path: path.to_owned(), why };
    let file = File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.permissions().mode() & 0o077 != 0 {
        return Err(Failed::Open(path.to_owned()));
    }
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text).map_err(failed)?;
    SigningKey::from_pkcs8_pem(&text).map_err(|why| Failed::NoKey { path: path.to_owned(), why })
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut digits, byte| {
        // A string takes whatever is written to it.
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_key_is_its_owners_alone_and_is_never_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        let public = generate(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(hex(read(&path).unwrap().verifying_key().as_bytes()), public);
        assert!(matches!(generate(&path), Err(Failed::File { .. })));
        let other = generate(&folder.path().join("other.pem")).unwrap();
        assert_ne!(public, other);
        for mode in [0o640, 0o604] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert!(matches!(read(&path), Err(Failed::Open(_))), "{mode:o}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        read(&path).unwrap();
    }

    #[test]
    fn what_is_no_key_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        assert!(matches!(read(&path), Err(Failed::File { .. })));
        for text in ["", "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n"]
        {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            assert!(matches!(read(&path), Err(Failed::NoKey { .. })), "{text}");
        }
    }
}
