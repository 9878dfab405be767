use std::{net::ToSocketAddrs, time::Duration};

use mysql::{Conn, OptsBuilder};

use super::{
    Address, Endpoint, EndpointError, Role, TlsFailure, TlsMode,
    error::{Failure, classify},
    trust,
};

/// How long to wait for a server to take a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Idle time before the first probe, time between probes, and how many may be lost: a dead
/// peer is noticed after a minute.
const KEEPALIVE_TIME_MS: u32 = 30_000;
const KEEPALIVE_PROBE_INTERVAL_SECS: u32 = 10;
const KEEPALIVE_PROBE_COUNT: u32 = 3;

/// The same for data that was sent and not acknowledged.
const USER_TIMEOUT_MS: u32 = 60_000;

impl Endpoint {
    /// Opens a connection.
    pub fn connect(&self, role: Role) -> Result<Conn, EndpointError> {
        self.connect_with(role, |opts| opts)
    }

    /// Opens a connection with options of the caller's own: capabilities, statements to begin
    /// with, a handler for local files, packet size, timeouts. Address, account and TLS stay
    /// the endpoint's.
    ///
    /// `configure` is called once for each attempt. Never print the options with `Debug`: they
    /// hold the password.
    pub fn connect_with(
        &self,
        role: Role,
        configure: impl Fn(OptsBuilder) -> OptsBuilder,
    ) -> Result<Conn, EndpointError> {
        let password = self
            .password
            .resolve()
            .map_err(|reason| EndpointError::Password {
                role,
                address: self.address.clone(),
                reason,
            })?;
        let mut last = Failure::Unreachable("the host has no address".to_owned());
        for host in self
            .hosts()
            .map_err(|failure| self.error(role, failure, false))?
        {
            let attempt = |encrypted: bool| {
                let opts = configure(OptsBuilder::new())
                    .user(Some(self.user.as_str()))
                    .pass(Some(password.reveal()))
                    .prefer_socket(false)
                    .tcp_connect_timeout(Some(CONNECT_TIMEOUT))
                    .tcp_keepalive_time_ms(Some(KEEPALIVE_TIME_MS))
                    .tcp_keepalive_probe_interval_secs(Some(KEEPALIVE_PROBE_INTERVAL_SECS))
                    .tcp_keepalive_probe_count(Some(KEEPALIVE_PROBE_COUNT))
                    .tcp_user_timeout_ms(Some(USER_TIMEOUT_MS))
                    .ssl_opts(if encrypted { self.tls.ssl_opts() } else { None });
                let opts = match &self.address {
                    Address::Tcp { port, .. } => {
                        opts.ip_or_hostname(Some(host.as_str())).tcp_port(*port)
                    }
                    Address::Socket(path) => opts.socket(Some(path.to_string_lossy())),
                };
                match trust::opening(&self.tls, || Conn::new(opts)) {
                    Ok(result) => result.map_err(|error| classify(&error)),
                    Err(reason) => Err(Failure::Tls(TlsFailure::Other(reason))),
                }
            };
            let encrypted =
                matches!(self.address, Address::Tcp { .. }) && self.tls.mode() != TlsMode::Disabled;
            match attempt(encrypted) {
                Ok(conn) => return Ok(conn),
                // The only way down to a plain connection, and only where the user allowed it.
                Err(Failure::Tls(TlsFailure::NotOffered | TlsFailure::TooOld))
                    if self.tls.mode() == TlsMode::Preferred =>
                {
                    tracing::debug!(
                        "no TLS at the {role} {}: the connection is not encrypted",
                        self.address
                    );
                    return attempt(false).map_err(|failure| self.error(role, failure, false));
                }
                // A host may have several addresses, and the server may listen on one of them.
                Err(failure @ Failure::Unreachable(_)) => last = failure,
                Err(failure) => return Err(self.error(role, failure, encrypted)),
            }
        }
        Err(self.error(role, last, false))
    }

    /// What to connect to, one after the other. A check of the host's name needs the name
    /// itself, and then the driver tries its first address only.
    fn hosts(&self) -> Result<Vec<String>, Failure> {
        let (host, port) = match &self.address {
            Address::Socket(_) => return Ok(vec![String::new()]),
            Address::Tcp { host, port } => (host, *port),
        };
        if self.tls.mode() == TlsMode::VerifyIdentity {
            return Ok(vec![host.clone()]);
        }
        let addresses: Vec<_> = (host.as_str(), port)
            .to_socket_addrs()
            .map_err(|error| Failure::Unreachable(error.to_string()))?
            .collect();
        match addresses.as_slice() {
            [_] => Ok(vec![host.clone()]),
            several => Ok(several
                .iter()
                .map(|address| address.ip().to_string())
                .collect()),
        }
    }

    fn error(&self, role: Role, failure: Failure, encrypted: bool) -> EndpointError {
        let address = self.address.clone();
        match failure {
            Failure::Login { code, message } => EndpointError::LoginRefused {
                role,
                address,
                user: self.user.clone(),
                code,
                message: message.trim_end_matches('.').to_owned(),
                hint: match code {
                    // MySQL offers a method drawn by lot for an account that does not exist.
                    0 => {
                        "; check the user, and that the account uses caching_sha2_password or mysql_native_password"
                    }
                    1045 if !encrypted && matches!(self.address, Address::Tcp { .. }) => {
                        "; check user and password, and whether the account requires TLS"
                    }
                    1045 | 1698 => {
                        "; check user and password, and that the account may log in from this host"
                    }
                    1129 => "; unblock it there with mysqladmin flush-hosts",
                    1130 => "; create the account for this host",
                    1820 | 1862 => "; set a new password for the account",
                    3118 | 3955 | 4151 => "; unlock it with ALTER USER … ACCOUNT UNLOCK",
                    3159 => "; use tls mode required or stronger",
                    _ => "",
                },
            },
            Failure::Unreachable(reason) => EndpointError::Unreachable {
                role,
                address,
                reason,
            },
            Failure::Tls(failure) => EndpointError::Tls {
                role,
                address,
                mode: self.tls.mode(),
                failure,
            },
            Failure::Server { code, message } => EndpointError::Server {
                role,
                address,
                code,
                message,
            },
            Failure::Broken(reason) => EndpointError::Broken {
                role,
                address,
                reason,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;

    use drs_testkit::{Installation, Server, Version};
    use mysql::prelude::Queryable;

    use super::*;
    use crate::endpoint::{PasswordSource, Tls};

    /// A host that the test server listens on and its certificate is not for.
    const OTHER_HOST: &str = "127.0.0.2";

    fn server() -> &'static Server {
        static SERVER: OnceLock<Server> = OnceLock::new();
        SERVER.get_or_init(|| {
            let mysql = Installation::find_or_fetch(Version::MySql97).unwrap();
            let server = Server::builder(&mysql)
                .option(format!("--bind-address=127.0.0.1,{OTHER_HOST}"))
                .start()
                .unwrap();
            let mut conn = server.conn().unwrap();
            for statement in [
                "CREATE USER locked@'%' IDENTIFIED BY 'right' ACCOUNT LOCK",
                "CREATE USER expired@'%' IDENTIFIED BY 'right' PASSWORD EXPIRE",
                "CREATE USER secure@'%' IDENTIFIED BY 'right' REQUIRE SSL",
                "CREATE USER certified@'%' IDENTIFIED BY 'right' REQUIRE X509",
            ] {
                conn.query_drop(statement).unwrap();
            }
            server
        })
    }

    fn endpoint(host: &str, user: &str, password: &str, tls: Tls) -> Endpoint {
        Endpoint::tcp(host, server().port(), user)
            .password(password)
            .tls(tls)
    }

    fn drs(host: &str, tls: Tls) -> Endpoint {
        endpoint(host, Server::USER, Server::PASSWORD, tls)
    }

    fn cipher(conn: &mut Conn) -> String {
        let (_, cipher): (String, String) = conn
            .query_first("SHOW SESSION STATUS LIKE 'Ssl_cipher'")
            .unwrap()
            .unwrap();
        cipher
    }

    #[test]
    fn encrypts_as_the_mode_says() {
        let ca = server().ca_pem();
        let (certificate, key) = server().client_pem();
        let with_client = Tls::new(
            TlsMode::VerifyCa,
            Some(ca.clone()),
            Some((certificate, key)),
        )
        .unwrap();
        for (endpoint, encrypted) in [
            (drs(Server::HOST, Tls::disabled()), false),
            (drs(Server::HOST, Tls::preferred()), true),
            (drs(Server::HOST, Tls::required()), true),
            (drs(OTHER_HOST, Tls::verify_ca(&ca).unwrap()), true),
            (
                drs(Server::HOST, Tls::verify_identity(Some(ca)).unwrap()),
                true,
            ),
            // It may resolve to ::1 first, where the server does not listen.
            (drs("localhost", Tls::required()), true),
            (
                endpoint(Server::HOST, "secure", "right", Tls::required()),
                true,
            ),
            (
                endpoint(Server::HOST, "certified", "right", with_client),
                true,
            ),
            (Endpoint::socket(server().socket(), "root"), false),
        ] {
            let mut conn = endpoint
                .connect(Role::Source)
                .unwrap_or_else(|error| panic!("{endpoint:?}: {error}"));
            assert_eq!(!cipher(&mut conn).is_empty(), encrypted, "{endpoint:?}");
        }
    }

    #[test]
    fn never_falls_back_where_encryption_is_required() {
        let mysql = Installation::find_or_fetch(Version::MySql97).unwrap();
        let plain = Server::builder(&mysql)
            .option("--tls-version=")
            .start()
            .unwrap();
        let drs = |tls| {
            Endpoint::tcp(Server::HOST, plain.port(), Server::USER)
                .password(Server::PASSWORD)
                .tls(tls)
        };
        let ca = server().ca_pem();
        for tls in [
            Tls::required(),
            Tls::verify_ca(&ca).unwrap(),
            Tls::verify_identity(Some(ca)).unwrap(),
        ] {
            let error = drs(tls).connect(Role::Destination).unwrap_err();
            assert!(
                matches!(
                    error,
                    EndpointError::Tls {
                        failure: TlsFailure::NotOffered,
                        ..
                    }
                ),
                "{error}"
            );
        }
        let mut conn = drs(Tls::preferred()).connect(Role::Destination).unwrap();
        assert_eq!(cipher(&mut conn), "");
    }

    /// MySQL 5.6 with certificates speaks TLS 1.0.
    #[test]
    fn a_server_with_old_tls_only_is_told_as_such() {
        let mysql = Installation::find_or_fetch(Version::MySql56).unwrap();
        let old = Server::builder(&mysql).start().unwrap();
        let drs = |tls| {
            Endpoint::tcp(Server::HOST, old.port(), Server::USER)
                .password(Server::PASSWORD)
                .tls(tls)
        };
        for tls in [Tls::required(), Tls::verify_ca(old.ca_pem()).unwrap()] {
            let error = drs(tls).connect(Role::Source).unwrap_err();
            assert!(
                matches!(
                    error,
                    EndpointError::Tls {
                        failure: TlsFailure::TooOld,
                        ..
                    }
                ),
                "{error}"
            );
        }
        let mut conn = drs(Tls::preferred()).connect(Role::Source).unwrap();
        assert_eq!(cipher(&mut conn), "");
    }

    #[test]
    fn says_why_there_is_no_connection() {
        let ca = server().ca_pem();
        let (other_ca, _) = server().client_pem();
        let env = PasswordSource::Env("DRS_TEST_NO_SUCH_VARIABLE".to_owned());
        let with_user =
            |user: &str, password: &str, tls| endpoint(Server::HOST, user, password, tls);
        for (endpoint, expected) in [
            (
                with_user("drs", "wrong-one", Tls::required()),
                "refused the login of user \"drs\" (error 1045)",
            ),
            (
                with_user("nobody", "wrong-one", Tls::required()),
                "refused the login of user \"nobody\"",
            ),
            (
                with_user("secure", "right", Tls::disabled()),
                "and whether the account requires TLS",
            ),
            (
                with_user("certified", "right", Tls::required()),
                "(error 1045)",
            ),
            (
                with_user("locked", "right", Tls::required()),
                "(error 3118)",
            ),
            (
                with_user("expired", "right", Tls::required()),
                "(error 1862)",
            ),
            (
                drs(OTHER_HOST, Tls::verify_identity(Some(ca.clone())).unwrap()),
                "(mode verify-identity) to the source 127.0.0.2",
            ),
            (
                drs(OTHER_HOST, Tls::verify_identity(Some(ca)).unwrap()),
                "the server's certificate is not for this host name",
            ),
            (
                drs(Server::HOST, Tls::verify_ca(other_ca).unwrap()),
                "the server's certificate is not signed by the CA",
            ),
            (
                drs(Server::HOST, Tls::verify_identity(None).unwrap()),
                "the server's certificate is not signed by the CA",
            ),
            (
                Endpoint::tcp(Server::HOST, 1, "drs").password("wrong-one"),
                "cannot reach the source 127.0.0.1:1: ",
            ),
            (
                Endpoint::tcp("no-such-host.invalid", 1, "drs").password("wrong-one"),
                "cannot reach the source",
            ),
            (
                Endpoint::socket("/nonexistent/mysql.sock", "drs").password("wrong-one"),
                "cannot reach the source",
            ),
            (
                drs(Server::HOST, Tls::required()).password_source(env),
                "the environment variable DRS_TEST_NO_SUCH_VARIABLE is not set",
            ),
        ] {
            let error = endpoint
                .connect(Role::Source)
                .err()
                .unwrap_or_else(|| panic!("{endpoint:?} got in"));
            let text = error.to_string();
            assert!(text.contains(expected), "{text}");
            assert_eq!(
                error.is_login_refused(),
                text.contains("refused the login"),
                "{text}"
            );
            for secret in ["wrong-one", "right", Server::PASSWORD] {
                assert!(
                    !format!("{error:?} {text} {endpoint:?}").contains(secret),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn takes_the_callers_options() {
        let mut conn = drs(Server::HOST, Tls::required())
            .connect_with(Role::Destination, |opts| {
                opts.init(vec!["SET SESSION time_zone = '+03:00'"])
                    .additional_capabilities(mysql::consts::CapabilityFlags::CLIENT_FOUND_ROWS)
            })
            .unwrap();
        assert_eq!(
            conn.query_first("SELECT @@session.time_zone").unwrap(),
            Some("+03:00".to_owned())
        );
        conn.query_drop("CREATE TEMPORARY TABLE mysql.drs_found (a INT) SELECT 1 AS a")
            .unwrap();
        conn.query_drop("UPDATE mysql.drs_found SET a = 1").unwrap();
        assert_eq!(conn.affected_rows(), 1);
    }
}
