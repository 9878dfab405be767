//! The programs of others that we are measured beside.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    Error, Result, cache, fetch,
    folder::on_path,
    runtime::{Runtime, library_folders},
};

/// The name of the folder in the cache.
const FOLDER: &str = "tools";

/// A program that makes load or copies a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// Makes tables and load; see [`Tools::script`].
    Sysbench,
    /// Writes a server's databases into a folder, over several sessions.
    MyDumper,
    /// Fills a server from what [`MyDumper`](Self::MyDumper) has written.
    MyLoader,
}

impl Tool {
    const ALL: [Self; 3] = [Self::Sysbench, Self::MyDumper, Self::MyLoader];

    fn program(self) -> &'static str {
        match self {
            Self::Sysbench => "sysbench",
            Self::MyDumper => "mydumper",
            Self::MyLoader => "myloader",
        }
    }
}

/// All the tools, ready to run.
///
/// Old as the client library of the fetched ones is, they log in to MySQL 9.7 as root over the
/// [socket](crate::Server::socket) and with [`Server::USER`](crate::Server::USER)'s password over
/// TCP.
#[derive(Debug, Clone)]
pub struct Tools {
    /// In the order of [`Tool::ALL`].
    programs: [PathBuf; 3],
    scripts: PathBuf,
    origin: Origin,
}

#[derive(Debug, Clone)]
enum Origin {
    Machine,
    /// Packages unpacked into a folder. Their programs know the places of the system they were
    /// built for, so they must be told the real ones.
    Unpacked {
        runtime: Runtime,
        login_plugins: PathBuf,
    },
}

impl Tools {
    /// Finds the tools, or fetches them: on PATH, if all are there, in the cache folder, and at last
    /// from the network (Debian's suite bookworm). Fetching says on standard error what it does.
    ///
    /// # Errors
    /// [`Error::NoTools`] when none of these works: it says why and what to do.
    pub fn find_or_fetch() -> Result<Self> {
        if let Some(found) = Self::on_path() {
            return Ok(found);
        }
        let unavailable = |error: Error| Error::NoTools {
            reason: error.to_string(),
        };
        let mut progress = |line: &str| eprintln!("sysbench and mydumper: {line}");
        let folder = cache::folder(FOLDER, |partial| {
            fetch::tools(partial, &mut progress)?;
            // What does not run here must not get into the cache.
            Self::unpacked(partial)?.probe()
        })
        .map_err(unavailable)?;
        Self::unpacked(&folder).map_err(unavailable)
    }

    /// A tool, ready for its arguments.
    pub fn command(&self, tool: Tool) -> Command {
        let [sysbench, mydumper, myloader] = &self.programs;
        let program = match tool {
            Tool::Sysbench => sysbench,
            Tool::MyDumper => mydumper,
            Tool::MyLoader => myloader,
        };
        match &self.origin {
            Origin::Machine => Command::new(program),
            Origin::Unpacked {
                runtime,
                login_plugins,
            } => {
                let mut command = runtime.start(program);
                command.env("MARIADB_PLUGIN_DIR", login_plugins);
                if tool == Tool::Sysbench {
                    // What the scripts `require`; the empty part is the place that is compiled in.
                    let path = format!("{}/?.lua;;", self.scripts.display());
                    command.env("LUA_PATH", path);
                }
                command
            }
        }
    }

    /// The path of a script that comes with sysbench, such as `oltp_write_only`; it is sysbench's
    /// first argument after the options.
    pub fn script(&self, name: &str) -> PathBuf {
        self.scripts.join(format!("{name}.lua"))
    }

    fn on_path() -> Option<Self> {
        let [sysbench, mydumper, myloader] = Tool::ALL.map(|tool| on_path(tool.program()));
        let programs = [sysbench?, mydumper?, myloader?];
        let place = fs::canonicalize(&programs[0]).ok()?;
        let scripts = place.parent()?.parent()?.join("share/sysbench");
        let found = Self {
            programs,
            scripts,
            origin: Origin::Machine,
        };
        found.script("oltp_common").exists().then_some(found)
    }

    /// The tools that [`fetch`] has left in a folder.
    fn unpacked(folder: &Path) -> Result<Self> {
        let root = folder.join("root");
        let [libraries, _] = library_folders(&root);
        Ok(Self {
            programs: Tool::ALL.map(|tool| root.join("usr/bin").join(tool.program())),
            scripts: root.join("usr/share/sysbench"),
            origin: Origin::Unpacked {
                runtime: Runtime::unpacked(&root)?,
                login_plugins: libraries.join("libmariadb3/plugin"),
            },
        })
    }

    /// Whether the programs start here.
    fn probe(&self) -> Result<()> {
        for tool in Tool::ALL {
            fetch::run(self.command(tool).arg("--version"))?;
        }
        Ok(())
    }
}
