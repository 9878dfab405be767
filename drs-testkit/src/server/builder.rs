//! The description of a server to start.

use std::{fs, path::PathBuf, sync::Mutex};

use super::{BinlogFormat, Guardian, Place, Server, arguments::Settings, memory, ports, template};
use crate::{Error, Installation, Result, folder};

/// A server to be started; see [`Server::builder`].
///
/// Without further ado it is small and quick: it keeps a binary log of row images without GTIDs,
/// and survives a kill but not a power cut.
#[derive(Debug, Clone)]
#[must_use = "a server runs after `start`"]
pub struct ServerBuilder {
    installation: Installation,
    settings: Settings,
    data: Option<PathBuf>,
}

impl ServerBuilder {
    pub(super) fn new(installation: &Installation) -> Self {
        Self {
            installation: installation.clone(),
            settings: Settings::default(),
            data: None,
        }
    }

    /// Whether transactions get GTIDs. MariaDB always has its own.
    pub fn gtid(mut self, on: bool) -> Self {
        self.settings.gtid = on;
        self
    }

    /// The server's id, 1 if not said.
    pub fn server_id(mut self, id: u32) -> Self {
        self.settings.server_id = id;
        self
    }

    /// Whether it keeps a binary log; it does if not said.
    pub fn log_bin(mut self, on: bool) -> Self {
        self.settings.log_bin = on;
        self
    }

    /// The binary log's format, ROW if not said.
    pub fn binlog_format(mut self, format: BinlogFormat) -> Self {
        self.settings.binlog_format = format;
        self
    }

    /// Whether `LOAD DATA LOCAL` is allowed; it is not if not said, as with MySQL itself.
    pub fn local_infile(mut self, on: bool) -> Self {
        self.settings.local_infile = on;
        self
    }

    /// Whether every commit reaches the disk (`sync_binlog` and `innodb_flush_log_at_trx_commit` 1);
    /// not, if not said.
    pub fn durable(mut self, on: bool) -> Self {
        self.settings.durable = on;
        self
    }

    /// Whether its files are in memory (`/dev/shm`), where there is much of it to spare; not, if not
    /// said. Statements that define tables take a fraction of the time, most of which is waiting for
    /// the disk. It survives a kill as ever. For tests with little data that keep no server.
    pub fn in_memory(mut self, on: bool) -> Self {
        self.settings.in_memory = on;
        self
    }

    /// InnoDB's buffer pool in MiB, 64 if not said.
    pub fn buffer_pool_mib(mut self, mib: u32) -> Self {
        self.settings.buffer_pool_mib = mib;
        self
    }

    /// The system's time zone as the server sees it, as `TZ` takes it: a name, or rules such as
    /// `CET-1CEST,M3.5.0,M10.5.0/3`, which need no files.
    pub fn system_time_zone(mut self, zone: impl Into<String>) -> Self {
        self.settings.system_time_zone = Some(zone.into());
        self
    }

    /// A further option of the server, such as `--max-binlog-size=1M`. The last one wins.
    pub fn option(mut self, option: impl Into<String>) -> Self {
        self.settings.options.push(option.into());
        self
    }

    /// A further option that also decides how a data folder is made, such as
    /// `--lower-case-table-names=1` or `--innodb-page-size=8K`.
    pub fn initial_option(mut self, option: impl Into<String>) -> Self {
        self.settings.initial_options.push(option.into());
        self
    }

    /// Starts on a copy of this data folder, which a server of the same installation has left in
    /// order, rather than on a new one. The server gets a `server_uuid` of its own.
    pub fn data(mut self, folder: impl Into<PathBuf>) -> Self {
        self.data = Some(folder.into());
        self
    }

    /// Starts the server, on a new data folder and a free port, and waits until it can be used.
    ///
    /// # Errors
    /// [`Error::Ended`] and [`Error::Late`], with the end of the server's error log.
    pub fn start(self) -> Result<Server> {
        let template = match &self.data {
            Some(folder) => folder.clone(),
            None => template::folder(&self.installation, &self.settings.initial_options)?,
        };
        let server = self.prepare()?;
        let data = server.data_dir();
        folder::copy(&template, &data).map_err(Error::at("fill", &data))?;
        let identity = data.join("auto.cnf");
        if identity.exists() {
            fs::remove_file(&identity).map_err(Error::at("remove", &identity))?;
        }
        server.start_on_free_port()
    }

    /// A server that does not run yet, in a new folder of its own, under guard.
    pub(super) fn prepare(self) -> Result<Server> {
        let memory = (self.settings.in_memory && !self.settings.durable)
            .then(memory::folder)
            .flatten();
        let folder = new_folder(memory)?;
        let guardian = Guardian::start(&folder)?;
        let place = Place {
            folder,
            port: ports::free()?,
        };
        let temporary = place.temporary();
        fs::create_dir(&temporary).map_err(Error::at("create", &temporary))?;
        Ok(Server {
            installation: self.installation,
            settings: self.settings,
            place,
            process: Mutex::new(None),
            guardian: Mutex::new(Some(guardian)),
        })
    }
}

impl Server {
    /// Starts it; on another port, if somebody else was faster to take this one.
    pub(super) fn start_on_free_port(mut self) -> Result<Self> {
        const ATTEMPTS: usize = 5;
        for _ in 1..ATTEMPTS {
            match self.launch() {
                Err(Error::Ended { log, .. }) if log.contains("ddress already in use") => {
                    self.place.port = ports::free()?;
                    let log = self.place.error_log();
                    fs::remove_file(&log).map_err(Error::at("remove", &log))?;
                }
                result => return result.map(|()| self),
            }
        }
        self.launch().map(|()| self)
    }
}

/// A folder in the given one, else in the system's temporary folder, or in /tmp where that has a name
/// too long for a socket's path (107 bytes on Linux).
fn new_folder(parent: Option<PathBuf>) -> Result<PathBuf> {
    const LONGEST: usize = 80;
    let parent = Some(parent.unwrap_or_else(std::env::temp_dir))
        .filter(|path| path.as_os_str().len() <= LONGEST)
        .unwrap_or_else(|| "/tmp".into());
    let folder = tempfile::Builder::new()
        .prefix("drs-")
        .tempdir_in(&parent)
        .map_err(Error::at("create a folder in", &parent))?;
    // From here on it is the guardian's to remove.
    Ok(folder.keep())
}
