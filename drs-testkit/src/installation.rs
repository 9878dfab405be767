//! A server's programs: where they are and how they are started.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    Error, Release, Result, Version, cache, fetch,
    folder::{is_program, on_path},
    runtime::Runtime,
};

/// The programs of one server version, ready to run.
#[derive(Debug, Clone)]
pub struct Installation {
    version: Version,
    release: Release,
    server: PathBuf,
    runtime: Runtime,
}

impl Installation {
    /// Finds the programs of a version, or fetches them: the program that an environment variable
    /// names (`DRS_MYSQLD`, `DRS_MYSQLD56`, `DRS_MARIADBD`), for MySQL 9.7 a suitable `mysqld` on
    /// PATH, the cache folder, and at last the network. Fetching says on standard error what it does.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when none of these works: it says why and what to do.
    /// [`Error::Configured`] when the variable names something of no use.
    pub fn find_or_fetch(version: Version) -> Result<Self> {
        Self::find_or_fetch_with(version, &mut |line| eprintln!("{version}: {line}"))
    }

    /// The same; the lines about fetching go to `progress`.
    ///
    /// # Errors
    /// As [`find_or_fetch`](Self::find_or_fetch).
    pub fn find_or_fetch_with(version: Version, progress: &mut dyn FnMut(&str)) -> Result<Self> {
        if let Some(found) = Self::configured(version)? {
            return Ok(found);
        }
        if let Some(found) = Self::on_path(version) {
            return Ok(found);
        }
        let unavailable = |error: Error| Error::Unavailable {
            version,
            reason: error.to_string(),
        };
        let folder = cache::folder(version.folder(), |partial| {
            fetch::fetch(version, partial, progress)?;
            // What does not run here must not get into the cache.
            Self::unpacked(version, partial).map(|_| ())
        })
        .map_err(unavailable)?;
        Self::unpacked(version, &folder).map_err(unavailable)
    }

    /// The version that was asked for.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The release that the server program says it is.
    pub fn release(&self) -> Release {
        self.release
    }

    /// A program of the installation, such as `mysqlbinlog`, `mysqldump` or `mysql`, ready for its
    /// arguments. Under MariaDB the `mysql…` names stand for the `mariadb-…` programs. The machine's
    /// own option files are kept out: `--no-defaults` is given already.
    ///
    /// # Errors
    /// [`Error::NoProgram`]: the fetched MySQL 5.6 is the server alone.
    pub fn command(&self, program: &str) -> Result<Command> {
        let missing = || Error::NoProgram {
            version: self.version,
            program: program.to_owned(),
        };
        let mut command = self.start(&self.program(program).ok_or_else(missing)?);
        if program.starts_with("mysql") || program.starts_with("mariadb") {
            command.arg("--no-defaults");
        }
        Ok(command)
    }

    /// The server program, ready for its arguments.
    pub(crate) fn server(&self) -> Command {
        self.start(&self.server)
    }

    /// The folder that `--basedir` takes.
    pub fn basedir(&self) -> &Path {
        let folder = self.server.parent().unwrap_or(Path::new("/"));
        // A stripped server has its files beside it, any other one level up.
        if folder.join("share").is_dir() {
            folder
        } else {
            folder.parent().unwrap_or(folder)
        }
    }

    /// The folder with the error messages and the SQL that makes the system tables.
    pub(crate) fn share(&self) -> Option<PathBuf> {
        ["share/mysql", "share/mariadb", "share"]
            .into_iter()
            .map(|folder| self.basedir().join(folder))
            .find(|folder| {
                folder.join("english/errmsg.sys").exists()
                    || folder.join("mysql_system_tables.sql").exists()
            })
    }

    /// A name that tells this installation's data folders from any other's.
    pub(crate) fn fingerprint(&self) -> String {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        self.server.hash(&mut hasher);
        if let Ok(meta) = fs::metadata(&self.server) {
            (meta.len(), meta.modified().ok()).hash(&mut hasher);
        }
        format!(
            "{}-{:016x}",
            self.release.to_string().to_lowercase().replace(' ', "-"),
            hasher.finish()
        )
    }

    fn configured(version: Version) -> Result<Option<Self>> {
        let variable = version.variable();
        let Some(value) = env::var_os(variable).filter(|value| !value.is_empty()) else {
            return Ok(None);
        };
        let unusable = |reason: String| Error::Configured {
            variable,
            value: value.to_string_lossy().into_owned(),
            reason,
        };
        let path = Path::new(&value);
        let path = path
            .canonicalize()
            .map_err(|error| unusable(error.to_string()))?;
        let runtime = match path
            .parent()
            .filter(|folder| folder.join("libaio.so.1").exists())
        {
            Some(folder) => Runtime::Libraries(folder.to_path_buf()),
            None => Runtime::System,
        };
        let found =
            Self::probe(version, path, runtime).map_err(|error| unusable(error.to_string()))?;
        if !version.accepts(found.release) {
            return Err(unusable(format!(
                "it is {}, where {version} is wanted",
                found.release
            )));
        }
        Ok(Some(found))
    }

    fn on_path(version: Version) -> Option<Self> {
        if version != Version::MySql97 {
            return None;
        }
        // Servers are often in a folder that only root has on its PATH.
        let path = on_path("mysqld")
            .or_else(|| Some(PathBuf::from("/usr/sbin/mysqld")).filter(|file| is_program(file)))?;
        let found = Self::probe(version, path.canonicalize().ok()?, Runtime::System).ok()?;
        version.accepts(found.release).then_some(found)
    }

    /// The installation that [`fetch`] has left in a folder.
    fn unpacked(version: Version, folder: &Path) -> Result<Self> {
        if version == Version::MySql56 {
            let server = folder.join("package/server");
            return Self::probe(version, server.join("mysqld"), Runtime::Libraries(server));
        }
        let root = folder.join("root");
        let program = if version == Version::MariaDb1011 {
            "mariadbd"
        } else {
            "mysqld"
        };
        Self::probe(
            version,
            root.join("usr/sbin").join(program),
            Runtime::unpacked(&root)?,
        )
    }

    /// Asks the server program for its release.
    fn probe(version: Version, server: PathBuf, runtime: Runtime) -> Result<Self> {
        let unknown = Release {
            mariadb: false,
            number: (0, 0, 0),
        };
        let mut found = Self {
            version,
            release: unknown,
            server,
            runtime,
        };
        let printed = fetch::run(found.server().args(["--no-defaults", "--version"]))?;
        found.release = Release::parse(&printed).ok_or_else(|| {
            Error::at("learn the release of", &found.server)(std::io::Error::other(format!(
                "it prints {:?}",
                printed.trim()
            )))
        })?;
        Ok(found)
    }

    fn program(&self, name: &str) -> Option<PathBuf> {
        let mut names = vec![name.to_owned()];
        if self.release.mariadb
            && let Some(rest) = name.strip_prefix("mysql")
        {
            names.insert(
                0,
                if rest.is_empty() {
                    "mariadb".into()
                } else {
                    format!("mariadb-{rest}")
                },
            );
        }
        let folders = [self.basedir().join("bin"), self.basedir().join("sbin")];
        let beside = names
            .iter()
            .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
            .find(|file| is_program(file));
        match self.runtime {
            Runtime::System => beside.or_else(|| names.iter().find_map(|name| on_path(name))),
            _ => beside,
        }
    }

    fn start(&self, program: &Path) -> Command {
        let mut command = self.runtime.start(program);
        if let Runtime::Loader { .. } = self.runtime {
            // What is compiled in is the machine's own folder, if there is one.
            let plugins = self.basedir().join("lib/mysql/plugin");
            command.env("LIBMYSQL_PLUGIN_DIR", plugins);
        }
        command
    }
}
