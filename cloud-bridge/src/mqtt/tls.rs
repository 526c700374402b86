//! Who we are to a broker, and whom we believe.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use thiserror::Error;

/// A certificate of our own, and the authority that the broker's has to be of.
#[derive(Clone)]
pub struct Tls(Arc<ClientConfig>);

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

/// A file that cannot be used.
#[derive(Debug, Error)]
pub enum TlsError {
    /// Not what it should be, or not readable.
    #[error("{}: {what}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What it should be.
        what: &'static str,
        /// What is wrong.
        error: String,
    },
    /// The certificate and the key do not belong together, or are of a kind that is not known.
    #[error("certificate and key cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
}

impl Tls {
    /// From PEM files: the authority's certificates, and our own certificate (with those between it and the authority) and key.
    ///
    /// # Errors
    /// [`TlsError`], which names the file.
    pub fn read(authority: &Path, certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        for root in certificates(authority, "the authority's certificates")? {
            roots.add(root)?;
        }
        let chain = certificates(certificate, "our certificate")?;
        let file = |error: rustls::pki_types::pem::Error| TlsError::File {
            path: key.to_owned(),
            what: "our private key",
            error: error.to_string(),
        };
        let key = PrivateKeyDer::from_pem_file(key).map_err(file)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)?;
        Ok(Self(Arc::new(config)))
    }

    pub(super) fn client(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.0)
    }
}

fn certificates(path: &Path, what: &'static str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let file = |error: String| TlsError::File { path: path.to_owned(), what, error };
    let all = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match all.map_err(|error| file(error.to_string()))? {
        none if none.is_empty() => Err(file("it has no certificate".to_owned())),
        some => Ok(some),
    }
}
