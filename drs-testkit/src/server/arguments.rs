//! The settings of a server, as command line options of its version.

use std::{os::unix::fs::MetadataExt, path::Path, process::Command};

use super::Place;
use crate::{Installation, Release};

/// How row changes are written to the binary log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BinlogFormat {
    /// As images of rows.
    #[default]
    Row,
    /// As the statements themselves where that is safe.
    Mixed,
    /// As the statements themselves.
    Statement,
}

#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) gtid: bool,
    pub(super) server_id: u32,
    pub(super) log_bin: bool,
    pub(super) binlog_format: BinlogFormat,
    pub(super) local_infile: bool,
    pub(super) durable: bool,
    pub(super) in_memory: bool,
    pub(super) buffer_pool_mib: u32,
    pub(super) system_time_zone: Option<String>,
    /// For the start and, where it matters, for the data folder's initialisation.
    pub(super) initial_options: Vec<String>,
    pub(super) options: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            gtid: false,
            server_id: 1,
            log_bin: true,
            binlog_format: BinlogFormat::default(),
            local_infile: false,
            durable: false,
            in_memory: false,
            buffer_pool_mib: 64,
            system_time_zone: None,
            initial_options: Vec::new(),
            options: Vec::new(),
        }
    }
}

impl Settings {
    /// The command that runs the server. The caller's own options are last, so they win.
    pub(super) fn command(&self, installation: &Installation, place: &Place) -> Command {
        let mut command = base(installation, &place.folder, &place.data());
        command
            .arg(path_option("--socket", &place.socket()))
            .arg(path_option("--pid-file", &place.folder.join("mysqld.pid")))
            .arg(path_option("--tmpdir", &place.temporary()))
            .arg("--bind-address=127.0.0.1")
            .arg(format!("--port={}", place.port))
            .arg(format!("--server-id={}", self.server_id))
            .arg(format!(
                "--innodb-buffer-pool-size={}M",
                self.buffer_pool_mib
            ))
            .args(self.common(installation.release()))
            .args(self.logging(installation.release()))
            .args(tls(&place.data()))
            .args(&self.initial_options)
            .args(&self.options);
        if let Some(zone) = &self.system_time_zone {
            command.env("TZ", zone);
        }
        command
    }

    fn common(&self, release: Release) -> Vec<String> {
        let mut options = vec![
            // The machine allows only so many requests of all its servers together.
            "--innodb-use-native-aio=OFF".into(),
            "--skip-name-resolve".to_owned(),
            "--performance-schema=OFF".to_owned(),
            "--secure-file-priv=".to_owned(),
            // 2 hands the log to the operating system at each commit: it survives a kill of the
            // server, as 0 does not, and only a power cut can lose it.
            format!(
                "--innodb-flush-log-at-trx-commit={}",
                if self.durable { 1 } else { 2 }
            ),
            format!("--sync-binlog={}", u8::from(self.durable)),
            format!("--local-infile={}", u8::from(self.local_infile)),
        ];
        if release.is_mysql_since(8, 0) {
            options.push("--mysqlx=OFF".into());
            options.push("--innodb-redo-log-capacity=64M".into());
        } else {
            options.push("--innodb-log-file-size=16M".into());
        }
        options
    }

    fn logging(&self, release: Release) -> Vec<String> {
        if !self.log_bin {
            let off = release
                .is_mysql_since(8, 0)
                .then(|| "--skip-log-bin".to_owned());
            return off.into_iter().collect();
        }
        let format = match self.binlog_format {
            BinlogFormat::Row => "ROW",
            BinlogFormat::Mixed => "MIXED",
            BinlogFormat::Statement => "STATEMENT",
        };
        let mut options = vec![
            "--log-bin=binlog".to_owned(),
            format!("--binlog-format={format}"),
        ];
        // MariaDB always has its own GTIDs. MySQL 9.7 has them unless told otherwise.
        if !release.mariadb {
            let mode = if self.gtid { "ON" } else { "OFF" };
            options.push(format!("--gtid-mode={mode}"));
            options.push(format!("--enforce-gtid-consistency={mode}"));
            if self.gtid && !release.is_mysql_since(5, 7) {
                options.push("--log-slave-updates".into());
            }
        }
        options
    }
}

/// What every run of the server program needs, the one that initialises a data folder too.
pub(super) fn base(installation: &Installation, folder: &Path, data: &Path) -> Command {
    let mut command = installation.server();
    // It must be first, or a server that the machine has configured breaks ours.
    command.arg("--no-defaults");
    command.arg(path_option("--basedir", installation.basedir()));
    command.arg(path_option("--datadir", data));
    if let Some(share) = installation.share() {
        command.arg(path_option("--lc-messages-dir", &share));
    }
    // The server refuses to run as root unless it is told to.
    if std::fs::metadata(folder).is_ok_and(|meta| meta.uid() == 0) {
        command.arg("--user=root");
    }
    command
}

pub(super) fn path_option(name: &str, path: &Path) -> std::ffi::OsString {
    let mut option = std::ffi::OsString::from(format!("{name}="));
    option.push(path);
    option
}

/// The certificates in the data folder. MySQL since 5.7 finds them there by itself.
fn tls(data: &Path) -> Vec<std::ffi::OsString> {
    let files = [
        ("--ssl-ca", "ca.pem"),
        ("--ssl-cert", "server-cert.pem"),
        ("--ssl-key", "server-key.pem"),
    ];
    if !files.iter().all(|(_, file)| data.join(file).exists()) {
        return Vec::new();
    }
    files
        .iter()
        .map(|(option, file)| path_option(option, &data.join(file)))
        .collect()
}
