//! A server to connect to, and how: address, account, TLS.

mod address;
mod connect;
mod error;
mod password;
mod tls;
mod trust;

pub use address::{Address, Role};
pub use error::{EndpointError, TlsFailure};
pub use password::{Password, PasswordSource};
pub use tls::{CA_FILE_BYTES_MAX, Tls, TlsError, TlsMode};

/// One of the two servers of a task.
///
/// Its `Debug` shows no password, and neither does any error of its connections.
///
/// ```
/// use drs_core::{Endpoint, Tls};
/// let source = Endpoint::tcp("db1.example.net", 3306, "drs")
///     .password("from your secret store")
///     .tls(Tls::verify_identity(None)?);
/// assert_eq!(source.address().to_string(), "db1.example.net:3306");
/// assert!(!format!("{source:?}").contains("secret store"));
/// # Ok::<(), drs_core::TlsError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    address: Address,
    user: String,
    password: PasswordSource,
    tls: Tls,
}

impl Endpoint {
    /// A server by host and port, with TLS where the server has it.
    pub fn tcp(host: impl Into<String>, port: u16, user: impl Into<String>) -> Self {
        Self {
            address: Address::Tcp {
                host: host.into(),
                port,
            },
            user: user.into(),
            password: PasswordSource::Absent,
            tls: Tls::preferred(),
        }
    }

    /// A server on this machine by its Unix socket, where TLS has no part.
    pub fn socket(path: impl Into<std::path::PathBuf>, user: impl Into<String>) -> Self {
        Self {
            address: Address::Socket(path.into()),
            user: user.into(),
            password: PasswordSource::Absent,
            tls: Tls::disabled(),
        }
    }

    /// The account's password.
    #[must_use]
    pub fn password(self, password: impl Into<Password>) -> Self {
        self.password_source(PasswordSource::Plain(password.into()))
    }

    /// Where each new connection takes the password from.
    #[must_use]
    pub fn password_source(mut self, source: PasswordSource) -> Self {
        self.password = source;
        self
    }

    /// How connections are encrypted; without effect on a Unix socket.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }

    /// Where the server is.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The account's user name.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Where the password comes from.
    pub fn password_origin(&self) -> &PasswordSource {
        &self.password
    }

    /// How connections are encrypted.
    pub fn tls_settings(&self) -> &Tls {
        &self.tls
    }
}
