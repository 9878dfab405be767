//! Certificates for TLS: an authority, a server for `localhost` and `127.0.0.1`, and a client.
//!
//! MySQL makes certificates by itself, but without a name of a host in them, so nothing can verify
//! the server's identity by them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Error, Installation, Result, Version, fetch, folder::on_path};

const OPENSSL: &str = "openssl";

const CONFIG: &str = "\
[req]
distinguished_name = name
prompt = no
[name]
CN = localhost
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = CA:FALSE
keyUsage = digitalSignature, keyEncipherment
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost, IP:127.0.0.1, IP:::1
[client]
basicConstraints = CA:FALSE
keyUsage = digitalSignature
extendedKeyUsage = clientAuth
";

/// Writes ca.pem, {server,client}-{cert,key}.pem into the data folder. Without an `openssl` there is
/// nothing to do: a newer MySQL then makes its own.
pub(super) fn make(installation: &Installation, data: &Path) -> Result<()> {
    let Some(openssl) = OpenSsl::find(installation) else {
        return Ok(());
    };
    let config = data.join("openssl.cnf");
    fs::write(&config, CONFIG).map_err(Error::at("write", &config))?;
    let run = |arguments: &str| {
        let mut command = openssl.command()?;
        command
            .current_dir(data)
            .env("OPENSSL_CONF", &config)
            .args(arguments.split(' '));
        fetch::run(&mut command).map(drop)
    };
    run(
        "req -x509 -newkey rsa:2048 -nodes -sha256 -days 3650 -config openssl.cnf -extensions authority \
         -subj /CN=drs-testkit -keyout ca-key.pem -out ca.pem",
    )?;
    for (who, serial) in [("server", 1), ("client", 2)] {
        run(&format!(
            "req -newkey rsa:2048 -nodes -config openssl.cnf -subj /CN={who} -keyout {who}-key.pem -out {who}.csr"
        ))?;
        run(&format!(
            "x509 -req -sha256 -days 3650 -in {who}.csr -CA ca.pem -CAkey ca-key.pem -set_serial {serial} \
             -extfile openssl.cnf -extensions {who} -out {who}-cert.pem"
        ))?;
        let request = data.join(format!("{who}.csr"));
        fs::remove_file(&request).map_err(Error::at("remove", &request))?;
    }
    // MySQL 5.6 reads a key in this older form only.
    run("rsa -traditional -in server-key.pem -out server-key.pem")
        // Before OpenSSL 3 there was no other form, and no such option.
        .or_else(|_| run("rsa -in server-key.pem -out server-key.pem"))?;
    fs::remove_file(&config).map_err(Error::at("remove", &config))
}

/// The program: the installation's, else the machine's, else the one that comes along with a
/// fetched MySQL 9.7.
enum OpenSsl {
    Of(Installation),
    OnPath(PathBuf),
}

impl OpenSsl {
    fn find(installation: &Installation) -> Option<Self> {
        let of = |installation: Installation| {
            installation
                .command(OPENSSL)
                .is_ok()
                .then_some(Self::Of(installation))
        };
        of(installation.clone())
            .or_else(|| on_path(OPENSSL).map(Self::OnPath))
            .or_else(|| of(Installation::find_or_fetch(Version::MySql97).ok()?))
    }

    fn command(&self) -> Result<Command> {
        match self {
            Self::Of(installation) => installation.command(OPENSSL),
            Self::OnPath(path) => Ok(Command::new(path)),
        }
    }
}
