//! Makes a CA file the only thing that a connection trusts.
//!
//! The driver adds a CA file to the public CAs instead of replacing them, so that with
//! `verify-ca` any certificate a public CA ever gave to anybody would do. Its verifier takes its
//! algorithms from the process's TLS provider, which is the one place to step in: while a
//! connection is being opened that trusts a file only, a signature by a public CA's key is not
//! valid. Everything else of the provider is `ring`'s, unchanged.

use std::{cell::RefCell, sync::OnceLock};

use rustls::{
    SignatureScheme,
    crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring},
    pki_types::{
        AlgorithmIdentifier, CertificateDer, InvalidSignature, SignatureVerificationAlgorithm,
    },
};

use super::{Tls, TlsMode, tls};

thread_local! {
    /// The public key parts of certificates that count for nothing in this thread just now. The
    /// driver does the whole handshake in the thread that opens the connection.
    static DISTRUSTED: RefCell<Vec<&'static [u8]>> = const { RefCell::new(Vec::new()) };
}

/// Opens a connection under these settings: `open` runs with only their CA trusted.
pub(super) fn opening<T>(settings: &Tls, open: impl FnOnce() -> T) -> Result<T, String> {
    let ours = install();
    let (TlsMode::VerifyCa | TlsMode::VerifyIdentity, Some(path)) =
        (settings.mode(), settings.ca())
    else {
        return Ok(open());
    };
    if !ours {
        return Err(
            "this process has set up a TLS provider of its own before its first connection, \
                    and with that a CA file can't be the only one trusted"
                .to_owned(),
        );
    }
    let trusted = tls::certificates(path).map_err(|error| error.to_string())?;
    let distrusted = webpki_roots::TLS_SERVER_ROOTS
        .iter()
        .map(|root| root.subject_public_key_info.as_ref())
        .filter(|key| !trusted.iter().any(|certificate| holds(certificate, key)))
        .collect();
    Ok(distrusting(distrusted, open))
}

/// Runs `open` with these keys distrusted, and those that are already.
fn distrusting<T>(mut keys: Vec<&'static [u8]>, open: impl FnOnce() -> T) -> T {
    /// Trusts as before when it goes, also in a panic.
    struct Restore(Vec<&'static [u8]>);
    impl Drop for Restore {
        fn drop(&mut self) {
            DISTRUSTED.with(|keys| std::mem::swap(&mut *keys.borrow_mut(), &mut self.0));
        }
    }
    keys.extend(DISTRUSTED.with(|own| own.borrow().clone()));
    let _restore = Restore(DISTRUSTED.with(|own| own.replace(keys)));
    open()
}

/// A certificate holds its public key as it is.
fn holds(certificate: &CertificateDer<'_>, key: &[u8]) -> bool {
    certificate
        .windows(key.len().max(1))
        .any(|window| window == key)
}

/// Makes our provider the process's, once; false when the process has another one.
fn install() -> bool {
    static OURS: OnceLock<WebPkiSupportedAlgorithms> = OnceLock::new();
    let ours = OURS.get_or_init(|| {
        let mut provider = ring::default_provider();
        let algorithms = guarded(provider.signature_verification_algorithms);
        provider.signature_verification_algorithms = algorithms;
        // When there is one already, the comparison below tells.
        let _ = provider.install_default();
        algorithms
    });
    CryptoProvider::get_default().is_some_and(|provider| {
        std::ptr::eq(provider.signature_verification_algorithms.all, ours.all)
    })
}

/// The same algorithms, guarded. They live as long as the process, as a provider's must.
fn guarded(algorithms: WebPkiSupportedAlgorithms) -> WebPkiSupportedAlgorithms {
    type Algorithms = &'static [&'static dyn SignatureVerificationAlgorithm];
    let guard = |own: Algorithms| -> Algorithms {
        Vec::leak(
            own.iter()
                .map(|algorithm| {
                    Box::leak(Box::new(Guarded(*algorithm)))
                        as &'static dyn SignatureVerificationAlgorithm
                })
                .collect(),
        )
    };
    let mapping: Vec<(SignatureScheme, Algorithms)> = algorithms
        .mapping
        .iter()
        .map(|(scheme, own)| (*scheme, guard(own)))
        .collect();
    WebPkiSupportedAlgorithms {
        all: guard(algorithms.all),
        mapping: Vec::leak(mapping),
    }
}

/// An algorithm that finds no signature of a distrusted key valid.
#[derive(Debug)]
struct Guarded(&'static dyn SignatureVerificationAlgorithm);

impl SignatureVerificationAlgorithm for Guarded {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        // What is known of a CA ends with its key.
        let distrusted =
            DISTRUSTED.with(|keys| keys.borrow().iter().any(|key| key.ends_with(public_key)));
        if distrusted {
            return Err(InvalidSignature);
        }
        self.0.verify_signature(public_key, message, signature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.0.public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.0.signature_alg_id()
    }

    fn fips(&self) -> bool {
        self.0.fips()
    }
}

#[cfg(test)]
mod tests {
    use drs_testkit::{Installation, Server, Version};

    use super::*;
    use crate::{Endpoint, EndpointError, Role, TlsFailure};

    #[test]
    fn a_public_ca_counts_only_where_no_file_is_given() {
        let mysql = Installation::find_or_fetch(Version::MySql97).unwrap();
        let server = Server::builder(&mysql).start().unwrap();
        let seen = |settings: &Tls| {
            opening(settings, || DISTRUSTED.with(|keys| keys.borrow().len())).unwrap()
        };
        let public = webpki_roots::TLS_SERVER_ROOTS.len();
        assert_eq!(seen(&Tls::required()), 0);
        assert_eq!(seen(&Tls::verify_identity(None).unwrap()), 0);
        assert_eq!(seen(&Tls::verify_ca(server.ca_pem()).unwrap()), public);
        assert_eq!(
            seen(&Tls::verify_identity(Some(server.ca_pem())).unwrap()),
            public
        );
        assert_eq!(DISTRUSTED.with(|keys| keys.borrow().len()), 0);
    }

    /// The server's own CA in the part of a public one: its signatures stop to count.
    #[test]
    fn a_distrusted_ca_signs_for_nothing() {
        let mysql = Installation::find_or_fetch(Version::MySql97).unwrap();
        let server = Server::builder(&mysql).start().unwrap();
        let ca = tls::certificates(&server.ca_pem()).unwrap().remove(0);
        let key: &'static [u8] = rsa_key(&ca).to_vec().leak();
        let connect = || {
            Endpoint::tcp(Server::HOST, server.port(), Server::USER)
                .password(Server::PASSWORD)
                .tls(Tls::verify_ca(server.ca_pem()).unwrap())
                .connect(Role::Source)
        };
        assert!(install());
        assert!(connect().is_ok());
        let error = distrusting(vec![key], connect).unwrap_err();
        assert!(
            matches!(
                error,
                EndpointError::Tls {
                    failure: TlsFailure::UntrustedCa,
                    ..
                }
            ),
            "{error}"
        );
        assert!(connect().is_ok());
    }

    /// The key of an RSA certificate: the bit string after the algorithm's identifier.
    fn rsa_key(certificate: &[u8]) -> &[u8] {
        const RSA: [u8; 13] = [
            0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
        ];
        let after = certificate
            .windows(RSA.len())
            .position(|window| window == RSA)
            .unwrap()
            + RSA.len();
        let [0x03, 0x82, high, low, 0x00, key @ ..] = &certificate[after..] else {
            panic!("not an RSA key")
        };
        &key[..usize::from(u16::from_be_bytes([*high, *low])) - 1]
    }
}
