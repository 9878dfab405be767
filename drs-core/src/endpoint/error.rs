use std::io;

use rustls::{AlertDescription, CertificateError};

use super::{Address, Role, TlsMode};

/// Why there is no connection to a server.
///
/// No variant holds a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// The password could not be read from where it should be.
    #[error("no password for the {role} {address}: {reason}")]
    Password {
        /// Which server.
        role: Role,
        /// Where it is.
        address: Address,
        /// What is missing.
        reason: String,
    },
    /// The server does not let this account in. Trying again can lock the account.
    #[error("the {role} {address} refused the login of user {user:?}{}: {message}{hint}", numbered(*code))]
    LoginRefused {
        /// Which server.
        role: Role,
        /// Where it is.
        address: Address,
        /// The account's user name.
        user: String,
        /// MySQL's error number, for instance 1045; 0 when the client gave up.
        code: u16,
        /// The server's text.
        message: String,
        /// What may help; empty or begins with a semicolon.
        hint: &'static str,
    },
    /// Nothing answers at the address.
    #[error("cannot reach the {role} {address}: {reason}")]
    Unreachable {
        /// Which server.
        role: Role,
        /// Where it should be.
        address: Address,
        /// What the network said.
        reason: String,
    },
    /// No encrypted connection of the kind that is asked for.
    #[error("no TLS connection (mode {mode}) to the {role} {address}: {failure}")]
    Tls {
        /// Which server.
        role: Role,
        /// Where it is.
        address: Address,
        /// What was asked for.
        mode: TlsMode,
        /// What went wrong.
        failure: TlsFailure,
    },
    /// The server answered with another error, for instance 1040, too many connections.
    #[error("the {role} {address} answered error {code}: {message}")]
    Server {
        /// Which server.
        role: Role,
        /// Where it is.
        address: Address,
        /// MySQL's error number.
        code: u16,
        /// The server's text.
        message: String,
    },
    /// The connection broke, or what answers does not speak MySQL's protocol.
    #[error("the connection to the {role} {address} failed: {reason}")]
    Broken {
        /// Which server.
        role: Role,
        /// Where it is.
        address: Address,
        /// What happened.
        reason: String,
    },
}

/// What went wrong with TLS.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsFailure {
    /// The server has no TLS.
    #[error("the server offers no TLS; set it up there, or use tls mode preferred or disabled")]
    NotOffered,
    /// The certificate does not lead to a trusted CA.
    #[error(
        "the server's certificate is not signed by the CA; check that ca is the CA of this server"
    )]
    UntrustedCa,
    /// The certificate is for other hosts.
    #[error(
        "the server's certificate is not for this host name; give the name it is for as host, or use tls mode verify-ca"
    )]
    NameMismatch,
    /// The certificate's time is over or has not come.
    #[error("the server's certificate is out of date: {0}")]
    OutOfDate(String),
    /// The server speaks only TLS 1.0 or 1.1.
    #[error(
        "the server speaks no TLS 1.2 or newer (MySQL before 5.6.46 and 5.7.28 may not); upgrade it, or use tls mode disabled on a network you trust"
    )]
    TooOld,
    /// The server wants a client certificate, or refused ours.
    #[error("the server refused the client certificate; set cert and key to one that it trusts")]
    ClientCertificate,
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl EndpointError {
    /// True when the server refused the account. A caller must not try again by itself:
    /// repeated failures lock accounts.
    pub fn is_login_refused(&self) -> bool {
        matches!(self, Self::LoginRefused { .. })
    }

    /// True when the same attempt can succeed later without anybody changing the settings.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Broken { .. } => true,
            Self::Server { code, .. } => is_transient_code(*code),
            Self::Password { .. } | Self::LoginRefused { .. } | Self::Tls { .. } => false,
        }
    }

    /// MySQL's error number, where the server gave one.
    pub fn code(&self) -> Option<u16> {
        match self {
            Self::LoginRefused { code, .. } | Self::Server { code, .. } => Some(*code),
            _ => None,
        }
    }
}

fn numbered(code: u16) -> String {
    if code == 0 {
        String::new()
    } else {
        format!(" (error {code})")
    }
}

/// What a failed attempt was about, before it gets its address.
pub(super) enum Failure {
    Login { code: u16, message: String },
    Unreachable(String),
    Tls(TlsFailure),
    Server { code: u16, message: String },
    Broken(String),
}

/// Sorts what `mysql` reports.
pub(super) fn classify(error: &mysql::Error) -> Failure {
    use mysql::{DriverError, Error};
    match error {
        Error::MySqlError(error) if is_login_code(error.code) => Failure::Login {
            code: error.code,
            message: error.message.clone(),
        },
        Error::MySqlError(error) => Failure::Server {
            code: error.code,
            message: error.message.clone(),
        },
        Error::DriverError(error) => match error {
            DriverError::ConnectTimeout => Failure::Unreachable("no answer in time".to_owned()),
            DriverError::CouldNotConnect(Some((_, reason, _))) => {
                Failure::Unreachable(reason.clone())
            }
            DriverError::TlsNotSupported => Failure::Tls(TlsFailure::NotOffered),
            DriverError::UnknownAuthPlugin(_)
            | DriverError::OldMysqlPasswordDisabled
            | DriverError::CleartextPluginDisabled => Failure::Login {
                code: 0,
                message: error.to_string(),
            },
            _ => Failure::Broken(error.to_string()),
        },
        Error::TlsError(mysql::error::tls::TlsError::Tls(error)) => {
            Failure::Tls(tls_failure(error))
        }
        Error::TlsError(mysql::error::tls::TlsError::InvalidDnsName(_)) => Failure::Tls(
            TlsFailure::Other("the host is no name that a certificate can be for".to_owned()),
        ),
        Error::TlsError(error) => Failure::Tls(TlsFailure::Other(error.to_string())),
        Error::IoError(error) => io_failure(error),
        Error::CodecError(error) => codec_failure(error),
        Error::UrlError(_) => Failure::Broken("the address can't be used".to_owned()),
        // These hold values; say no more than their kind.
        Error::FromValueError(_) | Error::FromRowError(_) => {
            Failure::Broken("the server gave an unexpected answer".to_owned())
        }
    }
}

fn codec_failure(error: &(dyn std::error::Error + 'static)) -> Failure {
    // The handshake of TLS happens at the first read or write, so its errors come wrapped.
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return io_failure(error);
        }
        cause = error.source();
    }
    Failure::Broken(error.to_string())
}

fn io_failure(error: &io::Error) -> Failure {
    match error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>())
    {
        Some(error) => Failure::Tls(tls_failure(error)),
        None => Failure::Broken(error.to_string()),
    }
}

fn tls_failure(error: &rustls::Error) -> TlsFailure {
    use rustls::{Error, InvalidMessage, PeerIncompatible};
    match error {
        Error::InvalidCertificate(error) => match error {
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                TlsFailure::NameMismatch
            }
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                TlsFailure::UntrustedCa
            }
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => {
                TlsFailure::OutOfDate(error.to_string())
            }
            _ => TlsFailure::Other(format!("the server's certificate is not usable: {error}")),
        },
        Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        )
        | Error::AlertReceived(AlertDescription::ProtocolVersion)
        // MySQL 5.6's own TLS library now and then answers with a record of no known version.
        | Error::InvalidMessage(InvalidMessage::UnknownProtocolVersion) => TlsFailure::TooOld,
        Error::AlertReceived(
            AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA,
        ) => TlsFailure::ClientCertificate,
        _ => TlsFailure::Other(error.to_string()),
    }
}

/// The numbers with which MySQL and MariaDB say that this account does not get in.
fn is_login_code(code: u16) -> bool {
    matches!(
        code,
        1044 // no access to the database
        | 1045 // wrong password, or no such account for this host
        | 1129 // the host is blocked after too many errors
        | 1130 // the host is not allowed
        | 1251 // the account's method is not supported
        | 1275 // the account's password is in the old format
        | 1524 // the account's plugin is not loaded
        | 1698 // no password given
        | 1820 | 1862 // the password has expired
        | 1873 // no access after a change of user
        | 3118 // the account is locked
        | 3159 // the server takes only secure connections
        | 3955 // blocked after failed logins
        | 4151 // MariaDB: the account is locked
    )
}

/// What passes by itself: too many connections, limits per hour, shutdown, out of memory.
fn is_transient_code(code: u16) -> bool {
    matches!(
        code,
        1037 | 1038 | 1040 | 1041 | 1043 | 1053 | 1135 | 1152
            ..=1161 | 1203 | 1226 | 3032 | 3169 | 4031
    )
}

#[cfg(test)]
mod tests {
    use mysql::{DriverError, Error, MySqlError};

    use super::*;

    fn kind(error: &Error) -> String {
        match classify(error) {
            Failure::Login { code, .. } => format!("login {code}"),
            Failure::Unreachable(reason) => format!("unreachable {reason}"),
            Failure::Tls(failure) => format!("tls {failure:?}"),
            Failure::Server { code, .. } => format!("server {code}"),
            Failure::Broken(reason) => format!("broken {reason}"),
        }
    }

    fn server(code: u16) -> Error {
        Error::MySqlError(MySqlError {
            state: "HY000".to_owned(),
            message: "text".to_owned(),
            code,
        })
    }

    #[test]
    fn sorts_the_drivers_errors() {
        for (error, expected) in [
            (server(1045), "login 1045"),
            (server(1044), "login 1044"),
            (server(1698), "login 1698"),
            (server(3118), "login 3118"),
            (server(1862), "login 1862"),
            (server(3159), "login 3159"),
            (server(1040), "server 1040"),
            (server(1236), "server 1236"),
            (
                Error::DriverError(DriverError::UnknownAuthPlugin("x".to_owned())),
                "login 0",
            ),
            (
                Error::DriverError(DriverError::ConnectTimeout),
                "unreachable no answer in time",
            ),
            (
                Error::DriverError(DriverError::CouldNotConnect(Some((
                    "h:1".to_owned(),
                    "refused".to_owned(),
                    io::ErrorKind::ConnectionRefused,
                )))),
                "unreachable refused",
            ),
            (
                Error::DriverError(DriverError::TlsNotSupported),
                "tls NotOffered",
            ),
            (
                Error::DriverError(DriverError::PacketOutOfSync),
                "broken Packet out of sync",
            ),
            (Error::IoError(io::Error::other("gone")), "broken gone"),
            (
                Error::FromValueError(mysql::Value::Bytes(b"secret".to_vec())),
                "broken the server gave an unexpected answer",
            ),
        ] {
            assert_eq!(kind(&error), expected);
        }
    }

    #[test]
    fn sorts_tls_errors() {
        use rustls::{Error as Rustls, PeerIncompatible};
        for (error, expected) in [
            (
                Rustls::InvalidCertificate(CertificateError::UnknownIssuer),
                TlsFailure::UntrustedCa,
            ),
            (
                Rustls::InvalidCertificate(CertificateError::BadSignature),
                TlsFailure::UntrustedCa,
            ),
            (
                Rustls::InvalidCertificate(CertificateError::NotValidForName),
                TlsFailure::NameMismatch,
            ),
            (
                Rustls::InvalidCertificate(CertificateError::Expired),
                TlsFailure::OutOfDate("Expired".to_owned()),
            ),
            (
                Rustls::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13),
                TlsFailure::TooOld,
            ),
            (
                Rustls::AlertReceived(AlertDescription::ProtocolVersion),
                TlsFailure::TooOld,
            ),
            (
                Rustls::InvalidMessage(rustls::InvalidMessage::UnknownProtocolVersion),
                TlsFailure::TooOld,
            ),
            (
                Rustls::AlertReceived(AlertDescription::CertificateRequired),
                TlsFailure::ClientCertificate,
            ),
        ] {
            assert_eq!(tls_failure(&error), expected);
            // As it comes out of the first write of a connection.
            let wrapped = Error::IoError(io::Error::new(io::ErrorKind::InvalidData, error));
            assert_eq!(kind(&wrapped), format!("tls {expected:?}"));
        }
    }

    #[test]
    fn only_what_passes_by_itself_is_transient() {
        let address = Address::Tcp {
            host: "h".to_owned(),
            port: 1,
        };
        let role = Role::Source;
        let server = |code| EndpointError::Server {
            role,
            address: address.clone(),
            code,
            message: String::new(),
        };
        for (error, transient) in [
            (server(1040), true),
            (server(1053), true),
            (server(1064), false),
            (
                EndpointError::Unreachable {
                    role,
                    address: address.clone(),
                    reason: String::new(),
                },
                true,
            ),
            (
                EndpointError::Tls {
                    role,
                    address: address.clone(),
                    mode: TlsMode::Required,
                    failure: TlsFailure::NotOffered,
                },
                false,
            ),
            (
                EndpointError::LoginRefused {
                    role,
                    address: address.clone(),
                    user: "u".to_owned(),
                    code: 1045,
                    message: String::new(),
                    hint: "",
                },
                false,
            ),
        ] {
            assert_eq!(error.is_transient(), transient, "{error}");
        }
    }
}
