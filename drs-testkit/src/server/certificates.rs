//! Certificates for TLS: an authority, a server for `localhost` and `127.0.0.1`, and a client.
//!
//! MySQL makes certificates by itself, but without a name of a host in them, so nothing can verify
//! the server's identity by them.

use std::{fs, path::Path, process::Command};

use crate::{Error, Installation, Result, fetch};

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
    let Some(openssl) = openssl(installation) else {
        return Ok(());
    };
    let config = data.join("openssl.cnf");
    fs::write(&config, CONFIG).map_err(Error::at("write", &config))?;
    let run = |arguments: &str| {
        let mut command = openssl();
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
    fs::remove_file(&config).map_err(Error::at("remove", &config))
}

/// The installation's `openssl`, else the machine's.
fn openssl(installation: &Installation) -> Option<Box<dyn Fn() -> Command>> {
    let found = installation.clone();
    if found.command("openssl").is_ok() {
        return Some(Box::new(move || {
            found
                .command("openssl")
                .unwrap_or_else(|_| Command::new("openssl"))
        }));
    }
    crate::folder::on_path("openssl")
        .map(|path| Box::new(move || Command::new(&path)) as Box<dyn Fn() -> Command>)
}
