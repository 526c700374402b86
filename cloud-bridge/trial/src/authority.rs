//! An authority of our own, and who it vouches for.

use std::io;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

/// An authority whose key lives as long as this value: for a trial, where all certificates are made anew.
pub struct Authority {
    folder: PathBuf,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// The files of one certificate.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The authority's certificate.
    pub authority: PathBuf,
    /// The certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

impl Authority {
    /// A new one, whose files go into this folder.
    ///
    /// # Errors
    /// What making a key, or writing a file, says.
    pub fn new(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let mut params = params("Tillbox trial authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let issuer = CertifiedIssuer::self_signed(params, key).map_err(io::Error::other)?;
        std::fs::write(folder.join("authority.pem"), issuer.pem())?;
        Ok(Self { folder: folder.to_owned(), issuer })
    }

    /// A certificate of this name, for a client and, on the loopback, a server; its files are named `file`.
    ///
    /// # Errors
    /// What making a key, or writing a file, says.
    pub fn identity(&self, file: &str, name: &str) -> io::Result<Identity> {
        let mut params = params(name);
        let hosts = ["localhost", "127.0.0.1"].map(str::to_owned);
        params.subject_alt_names = CertificateParams::new(hosts).map_err(io::Error::other)?.subject_alt_names;
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(io::Error::other)?;
        let identity = Identity {
            authority: self.folder.join("authority.pem"),
            certificate: self.folder.join(format!("{file}.pem")),
            key: self.folder.join(format!("{file}.key")),
        };
        std::fs::write(&identity.certificate, certificate.pem())?;
        std::fs::write(&identity.key, key.serialize_pem())?;
        Ok(identity)
    }
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, name);
    params
}
