//! What a program that was not installed needs to start.

use std::{
    env,
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Error, Result};

/// What a program needs to start.
#[derive(Debug, Clone)]
pub(crate) enum Runtime {
    /// Nothing: it belongs to this machine.
    System,
    /// A loader and libraries of its own, because it was built for another system.
    Loader {
        loader: PathBuf,
        libraries: OsString,
    },
    /// A folder with libraries that this machine may lack.
    Libraries(PathBuf),
}

impl Runtime {
    /// That of the packages unpacked under `root`, which hold a loader and a libc.
    pub(crate) fn unpacked(root: &Path) -> Result<Self> {
        let libraries = library_folders(root);
        let loader = ["ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"]
            .into_iter()
            .flat_map(|name| libraries.iter().map(move |folder| folder.join(name)))
            .find(|path| path.exists())
            .ok_or_else(|| Error::at("find a loader in", root)(io::ErrorKind::NotFound.into()))?;
        let libraries = env::join_paths(libraries)
            .map_err(|error| Error::at("run programs from", root)(io::Error::other(error)))?;
        Ok(Self::Loader { loader, libraries })
    }

    /// The program, ready for its arguments.
    pub(crate) fn start(&self, program: &Path) -> Command {
        match self {
            Self::System => Command::new(program),
            Self::Loader { loader, libraries } => {
                let mut command = Command::new(loader);
                command.arg("--library-path").arg(libraries).arg(program);
                command
            }
            Self::Libraries(folder) => {
                let mut command = Command::new(program);
                command.env("LD_LIBRARY_PATH", folder);
                command
            }
        }
    }
}

/// Where Debian's packages keep their libraries.
pub(crate) fn library_folders(root: &Path) -> [PathBuf; 2] {
    let arch = env::consts::ARCH;
    [
        format!("usr/lib/{arch}-linux-gnu"),
        format!("lib/{arch}-linux-gnu"),
    ]
    .map(|path| root.join(path))
}
