use std::{
    fmt,
    io::Read,
    path::{Path, PathBuf},
};

use mysql::{ClientIdentity, SslOpts};
use rustls::pki_types::{CertificateDer, pem::PemObject};

/// The largest CA file taken, in bytes (500 KB).
pub const CA_FILE_BYTES_MAX: u64 = 500 * 1024;

/// How a connection is encrypted and what is checked of the server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsMode {
    /// Never.
    Disabled,
    /// Encrypted where the server has TLS 1.2 or newer, plain where it has not. The certificate
    /// is not checked.
    Preferred,
    /// Always encrypted. The certificate is not checked.
    Required,
    /// Encrypted, and the certificate leads to a trusted CA.
    VerifyCa,
    /// The same, and the certificate is for the host that was asked for.
    VerifyIdentity,
}

impl TlsMode {
    /// Every mode, the weakest first.
    pub const ALL: [Self; 5] = [
        Self::Disabled,
        Self::Preferred,
        Self::Required,
        Self::VerifyCa,
        Self::VerifyIdentity,
    ];

    /// The mode's name in a task file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Preferred => "preferred",
            Self::Required => "required",
            Self::VerifyCa => "verify-ca",
            Self::VerifyIdentity => "verify-identity",
        }
    }
}

impl fmt::Display for TlsMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The TLS settings of an endpoint. TLS 1.2 is the oldest version spoken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    mode: TlsMode,
    ca: Option<PathBuf>,
    identity: Option<(PathBuf, PathBuf)>,
}

impl Tls {
    /// No TLS.
    pub fn disabled() -> Self {
        Self {
            mode: TlsMode::Disabled,
            ca: None,
            identity: None,
        }
    }

    /// TLS where the server has it.
    pub fn preferred() -> Self {
        Self {
            mode: TlsMode::Preferred,
            ca: None,
            identity: None,
        }
    }

    /// Always TLS, without a check of who the server is.
    pub fn required() -> Self {
        Self {
            mode: TlsMode::Required,
            ca: None,
            identity: None,
        }
    }

    /// TLS with a server whose certificate leads to a CA of this PEM file.
    pub fn verify_ca(ca: impl Into<PathBuf>) -> Result<Self, TlsError> {
        Self::new(TlsMode::VerifyCa, Some(ca.into()), None)
    }

    /// TLS with a server whose certificate is for the host's name, and leads to a CA of this
    /// PEM file or, without one, to a public CA.
    pub fn verify_identity(ca: Option<PathBuf>) -> Result<Self, TlsError> {
        Self::new(TlsMode::VerifyIdentity, ca, None)
    }

    /// Any mode, with files for the CA and for a client certificate and its key.
    pub fn new(
        mode: TlsMode,
        ca: Option<PathBuf>,
        identity: Option<(PathBuf, PathBuf)>,
    ) -> Result<Self, TlsError> {
        match (mode, &ca) {
            (TlsMode::VerifyCa, None) => return Err(TlsError::CaMissing),
            (TlsMode::Disabled | TlsMode::Preferred | TlsMode::Required, Some(_)) => {
                return Err(TlsError::CaUnused { mode });
            }
            (TlsMode::VerifyCa | TlsMode::VerifyIdentity, Some(path)) => {
                certificates(path)?;
            }
            _ => {}
        }
        if let Some((certificate, key)) = &identity {
            if mode == TlsMode::Disabled {
                return Err(TlsError::IdentityUnused);
            }
            certificates(certificate)?;
            private_key(key)?;
        }
        Ok(Self { mode, ca, identity })
    }

    /// The mode.
    pub fn mode(&self) -> TlsMode {
        self.mode
    }

    /// The CA file.
    pub fn ca(&self) -> Option<&Path> {
        self.ca.as_deref()
    }

    pub(super) fn ssl_opts(&self) -> Option<SslOpts> {
        let opts = SslOpts::default()
            .with_root_cert_path(self.ca.clone())
            .with_client_identity(
                self.identity
                    .clone()
                    .map(|(cert, key)| ClientIdentity::new(cert, key)),
            );
        match self.mode {
            TlsMode::Disabled => None,
            TlsMode::Preferred | TlsMode::Required => Some(
                opts.with_danger_skip_domain_validation(true)
                    .with_danger_accept_invalid_certs(true),
            ),
            TlsMode::VerifyCa => Some(opts.with_danger_skip_domain_validation(true)),
            TlsMode::VerifyIdentity => Some(opts),
        }
    }
}

/// Why TLS settings can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// `verify-ca` needs to know the CA.
    #[error("tls mode verify-ca needs the CA's certificate: set ca to its PEM file")]
    CaMissing,
    /// A CA file that would not be looked at.
    #[error(
        "tls mode {mode} does not check the server's certificate: drop ca, or use verify-ca or verify-identity"
    )]
    CaUnused {
        /// The mode.
        mode: TlsMode,
    },
    /// A client certificate that would not be shown.
    #[error("tls mode disabled uses no client certificate: drop cert and key, or use another mode")]
    IdentityUnused,
    /// A certificate file over the limit.
    #[error(
        "the certificate file {path} has {bytes} bytes; at most 500 KB ({CA_FILE_BYTES_MAX} bytes) are taken"
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// A file that can't be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file without what it should hold.
    #[error("{path} holds no {expected} in PEM form")]
    Content {
        /// The file.
        path: PathBuf,
        /// What should be in it.
        expected: &'static str,
    },
}

/// The certificates of a PEM file, at least one.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = read(path)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(TlsError::Content {
            path: path.to_owned(),
            expected: "certificate",
        }),
    }
}

fn private_key(path: &Path) -> Result<(), TlsError> {
    match rustls::pki_types::PrivateKeyDer::from_pem_slice(&read(path)?) {
        Ok(_) => Ok(()),
        Err(_) => Err(TlsError::Content {
            path: path.to_owned(),
            expected: "private key without a passphrase",
        }),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let failed = |source| TlsError::Read {
        path: path.to_owned(),
        source,
    };
    let file = std::fs::File::open(path).map_err(failed)?;
    let bytes = file.metadata().map_err(failed)?.len();
    if bytes > CA_FILE_BYTES_MAX {
        return Err(TlsError::TooLarge {
            path: path.to_owned(),
            bytes,
        });
    }
    let mut content = Vec::new();
    file.take(CA_FILE_BYTES_MAX + 1)
        .read_to_end(&mut content)
        .map_err(failed)?;
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_would_have_no_effect_or_not_work() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            path
        };
        let empty = file("empty.pem", "");
        let other = file(
            "other.pem",
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        );
        let large = file("large.pem", &"#".repeat(512_001));
        let none = folder.path().join("none.pem");
        let ca = |mode, path: &Path| Tls::new(mode, Some(path.to_owned()), None);
        for (result, expected) in [
            (
                Tls::new(TlsMode::VerifyCa, None, None),
                "needs the CA's certificate",
            ),
            (
                ca(TlsMode::Required, &empty),
                "tls mode required does not check",
            ),
            (
                ca(TlsMode::Preferred, &empty),
                "tls mode preferred does not check",
            ),
            (
                ca(TlsMode::VerifyCa, &empty),
                "empty.pem holds no certificate in PEM form",
            ),
            (
                ca(TlsMode::VerifyIdentity, &other),
                "other.pem holds no certificate in PEM form",
            ),
            (
                ca(TlsMode::VerifyCa, &large),
                "has 512001 bytes; at most 500 KB (512000 bytes)",
            ),
            (ca(TlsMode::VerifyCa, &none), "cannot read"),
            (
                Tls::new(
                    TlsMode::Disabled,
                    None,
                    Some((empty.clone(), empty.clone())),
                ),
                "uses no client certificate",
            ),
            (
                Tls::new(
                    TlsMode::Required,
                    None,
                    Some((empty.clone(), empty.clone())),
                ),
                "holds no certificate",
            ),
        ] {
            let error = result.unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
