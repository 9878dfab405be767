//! Data folders that are made once and copied for each server: a copy takes a fraction of a second.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::Stdio,
};

use mysql::prelude::Queryable;

use super::{Server, arguments, certificates};
use crate::{Error, Installation, Result, cache, folder as tree};

/// Goes into the name of every template: raise it when what is in one changes.
const EDITION: u32 = 2;

/// The initialised data folder for an installation and options, from the cache or made now.
pub(super) fn folder(installation: &Installation, options: &[String]) -> Result<PathBuf> {
    let mut name = format!("data-{EDITION}-{}", installation.fingerprint());
    for option in options {
        name.push('-');
        name.extend(
            option
                .trim_start_matches('-')
                .chars()
                .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }),
        );
    }
    cache::folder(&name, |partial| make(installation, options, partial))
}

/// Fills `target`: system tables, certificates, accounts, and a clean shutdown.
fn make(installation: &Installation, options: &[String], target: &Path) -> Result<()> {
    let builder = options
        .iter()
        .fold(Server::builder(installation), |builder, option| {
            builder.initial_option(option)
        });
    // The accounts are no part of any server's history.
    let server = builder.log_bin(false).prepare()?;
    let data = server.data_dir();
    fs::create_dir(&data).map_err(Error::at("create", &data))?;
    initialise(installation, options, &server)?;
    certificates::make(installation, &data)?;
    let server = server.start_on_free_port()?;
    create_accounts(&server)?;
    server.stop()?;

    tree::copy(&data, target).map_err(Error::at("fill", target))?;
    // The server's UUID; each copy shall choose its own.
    let uuid = target.join("auto.cnf");
    if uuid.exists() {
        fs::remove_file(&uuid).map_err(Error::at("remove", &uuid))?;
    }
    Ok(())
}

fn create_accounts(server: &Server) -> Result<()> {
    let mut conn = server.conn()?;
    // Old servers come with accounts without a name, which would be found before ours.
    if !server.release().is_mysql_since(5, 7) {
        let nameless: Vec<(String, String)> =
            conn.query("SELECT user, host FROM mysql.user WHERE user = ''")?;
        for (user, host) in nameless {
            conn.query_drop(format!("DROP USER '{user}'@'{host}'"))?;
        }
    }
    let user = Server::USER;
    conn.query_drop(format!(
        "CREATE USER '{user}'@'%' IDENTIFIED BY '{}'",
        Server::PASSWORD
    ))?;
    conn.query_drop(format!(
        "GRANT ALL PRIVILEGES ON *.* TO '{user}'@'%' WITH GRANT OPTION"
    ))?;
    Ok(())
}

/// Makes the system tables: MySQL since 5.7 does it itself, older ones and MariaDB by a script.
fn initialise(installation: &Installation, options: &[String], server: &Server) -> Result<()> {
    let (folder, data) = (&server.place.folder, server.data_dir());
    let log = folder.join("initialise.log");
    let output = File::create(&log).map_err(Error::at("create", &log))?;
    let errors = output.try_clone().map_err(Error::at("create", &log))?;
    let mut command = arguments::base(installation, folder, &data);
    command
        .arg(arguments::path_option(
            "--tmpdir",
            &server.place.temporary(),
        ))
        .args(options);
    command.stdout(output).stderr(errors);

    let status = if installation.release().is_mysql_since(5, 7) {
        command
            .arg("--initialize-insecure")
            .stdin(Stdio::null())
            .status()
            .map_err(Error::io("run the server"))?
    } else {
        let script = bootstrap_script(installation)?;
        let system = data.join("mysql");
        fs::create_dir(&system).map_err(Error::at("create", &system))?;
        command.args([
            "--bootstrap",
            "--innodb-log-file-size=16M",
            "--innodb-buffer-pool-size=64M",
        ]);
        let mut child = command
            .stdin(Stdio::piped())
            .spawn()
            .map_err(Error::io("run the server"))?;
        if let Some(mut pipe) = child.stdin.take() {
            // A server that dies early says why in its log, which is better than a broken pipe.
            let _ = pipe.write_all(&script);
        }
        child.wait().map_err(Error::io("wait for the server"))?
    };
    if status.success() {
        return Ok(());
    }
    Err(Error::Program {
        program: "the server, initialising a data folder,".into(),
        status,
        output: tree::tail(&log),
    })
}

/// The SQL that makes the system tables, from the installation.
fn bootstrap_script(installation: &Installation) -> Result<Vec<u8>> {
    let share = installation.share().ok_or_else(|| {
        Error::at(
            "find SQL for the system tables beside",
            installation.basedir(),
        )(std::io::ErrorKind::NotFound.into())
    })?;
    // MariaDB's script reads these variables; without the first root would need a system account.
    let mut script =
        b"USE mysql;\nSET @auth_root_socket = NULL;\nSET @skip_auth_anonymous = 1;\n".to_vec();
    for name in ["system_tables", "performance_tables", "system_tables_data"] {
        let files = [
            share.join(format!("mysql_{name}.sql")),
            share.join(format!("mariadb_{name}.sql")),
        ];
        // MySQL 5.6 has no file of performance tables.
        for file in files.iter().filter(|file| file.exists()) {
            script.extend(fs::read(file).map_err(Error::at("read", file))?);
            script.push(b'\n');
        }
    }
    Ok(script)
}
