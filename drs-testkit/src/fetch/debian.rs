//! Debian packages with everything they need, unpacked into a private folder by an ordinary user.
//!
//! A server built for a newer Debian needs a newer libc than the machine has. So the packages are
//! resolved against an empty system: the closure then holds libc and its loader too, and the
//! server runs through that loader.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{run, with_retries};
use crate::{Error, Result};

/// What to take from which suite.
pub(super) struct Packages {
    suite: &'static str,
    /// These with all that they depend on.
    closure: &'static [&'static str],
    /// These alone: their programs are wanted, what else they would pull in is not.
    alone: &'static [&'static str],
}

/// Unstable is the only suite with MySQL's server. `openssl` makes the certificates for TLS.
pub(super) const MYSQL: Packages = Packages {
    suite: "sid",
    closure: &["mysql-server-core", "mysql-client-core", "openssl"],
    alone: &[],
};

/// The suite whose MariaDB is 10.11. `mariadb-dump` and `mariadb-binlog` are in the outer packages.
pub(super) const MARIADB: Packages = Packages {
    suite: "bookworm",
    closure: &["mariadb-server-core", "mariadb-client-core", "openssl"],
    alone: &["mariadb-client", "mariadb-server"],
};

/// For MySQL 5.6, where there is no npm.
pub(super) const NPM: Packages = Packages {
    suite: "bookworm",
    closure: &["npm"],
    alone: &[],
};

/// The tools to be measured beside; `myloader` comes with `mydumper`.
pub(super) const TOOLS: Packages = Packages {
    suite: "bookworm",
    closure: &["sysbench", "mydumper"],
    alone: &[],
};

/// Where Debian keeps the keys of its archive; the name depends on its release.
const KEYRINGS: [&str; 2] = [
    "/usr/share/keyrings/debian-archive-keyring.gpg",
    "/usr/share/keyrings/debian-archive-keyring.pgp",
];

/// Downloads the packages from the mirror that the machine itself uses, checked by apt against
/// Debian's signatures, and unpacks them into `folder`/root.
pub(super) fn unpack(
    packages: &Packages,
    folder: &Path,
    progress: &mut dyn FnMut(&str),
) -> Result<()> {
    let keyring = KEYRINGS
        .into_iter()
        .find(|path| Path::new(path).exists())
        .ok_or_else(|| {
            Error::io("find Debian's archive keys")(std::io::Error::other(
                "the package debian-archive-keyring is not installed",
            ))
        })?;
    let mirrors = mirrors()?;
    let mut result = Err(Error::io("find a Debian mirror")(std::io::Error::other(
        "the apt configuration names none",
    )));
    for mirror in &mirrors {
        progress(&format!(
            "fetching {} from Debian {} ({mirror})",
            packages.closure[0], packages.suite
        ));
        let apt = Apt::prepare(&folder.join("apt"), mirror, packages.suite, keyring)?;
        result = with_retries(progress, |progress| apt.download(packages, progress));
        if result.is_ok() {
            break;
        }
    }
    let archives = result?;
    progress(&format!("unpacking {} packages", archives.len()));
    let root = folder.join("root");
    for archive in &archives {
        run(Command::new("dpkg-deb").arg("-x").arg(archive).arg(&root))?;
    }
    let apt = folder.join("apt");
    fs::remove_dir_all(&apt).map_err(Error::at("remove", &apt))
}

/// An apt of our own: its lists, its cache, and a status file that says nothing is installed.
/// Proxies and the like still come from the machine's configuration.
struct Apt {
    folder: PathBuf,
}

impl Apt {
    fn prepare(folder: &Path, mirror: &str, suite: &str, keyring: &str) -> Result<Self> {
        for sub in ["lists/partial", "cache/archives/partial", "archives"] {
            let sub = folder.join(sub);
            fs::create_dir_all(&sub).map_err(Error::at("create", &sub))?;
        }
        let write = |name: &str, text: String| {
            let file = folder.join(name);
            fs::write(&file, text).map_err(Error::at("write", &file))
        };
        write("status", String::new())?;
        write(
            "sources.list",
            format!("deb [signed-by={keyring}] {mirror} {suite} main\n"),
        )?;
        let at = folder.display();
        // Hooks of the machine's apt (container images have some) act on its own folders, where
        // an ordinary user may not write.
        write(
            "apt.conf",
            format!(
                "#clear APT::Update::Pre-Invoke;\n\
                 #clear APT::Update::Post-Invoke;\n\
                 #clear APT::Update::Post-Invoke-Success;\n\
                 Dir::Etc::sourcelist \"{at}/sources.list\";\n\
                 Dir::Etc::sourceparts \"/dev/null\";\n\
                 Dir::Etc::preferences \"/dev/null\";\n\
                 Dir::Etc::preferencesparts \"/dev/null\";\n\
                 Dir::State::Lists \"{at}/lists\";\n\
                 Dir::State::status \"{at}/status\";\n\
                 Dir::State::extended_states \"{at}/extended_states\";\n\
                 Dir::Cache \"{at}/cache\";\n\
                 APT::Sandbox::User \"root\";\n\
                 APT::Get::List-Cleanup \"false\";\n\
                 Acquire::Languages \"none\";\n\
                 Acquire::Retries \"3\";\n\
                 Acquire::IndexTargets::deb::DEP-11::DefaultEnabled \"false\";\n"
            ),
        )?;
        Ok(Self {
            folder: folder.to_path_buf(),
        })
    }

    fn command(&self) -> Command {
        let mut command = Command::new("apt-get");
        command
            .arg("-c")
            .arg(self.folder.join("apt.conf"))
            .arg("-qq")
            .env("LC_ALL", "C");
        command.current_dir(self.folder.join("archives"));
        command
    }

    /// The archives, downloaded. The mirror may move on between two of the steps, so a failure of
    /// any of them is a reason to begin with the first again.
    fn download(
        &self,
        packages: &Packages,
        progress: &mut dyn FnMut(&str),
    ) -> Result<Vec<PathBuf>> {
        // A broken mirror is only a warning to a plain `update`.
        run(self
            .command()
            .args(["update", "-o", "APT::Update::Error-Mode=any"]))?;
        let printed = run(self
            .command()
            .args(["install", "-y", "--no-install-recommends", "--print-uris"])
            .args(packages.closure))?;
        let mut names = closure(&printed);
        names.extend(packages.alone.iter().map(|name| (*name).to_owned()));
        progress(&format!("downloading {} packages", names.len()));
        run(self.command().arg("download").args(&names))?;

        let archives = self.folder.join("archives");
        let entries = fs::read_dir(&archives).map_err(Error::at("read", &archives))?;
        let mut paths = Vec::new();
        for entry in entries {
            let path = entry.map_err(Error::at("read", &archives))?.path();
            if path.extension().is_some_and(|extension| extension == "deb") {
                paths.push(path);
            }
        }
        paths.sort();
        Ok(paths)
    }
}

/// The names of the packages in what `--print-uris` prints: a quoted address, the archive's name
/// (`package_version_architecture.deb`), its size and its sum. Perl is only for maintainers' scripts.
fn closure(printed: &str) -> BTreeSet<String> {
    printed
        .lines()
        .filter(|line| line.starts_with('\''))
        .filter_map(|line| line.split_whitespace().nth(1)?.split('_').next())
        .filter(|name| !name.starts_with("perl") && !name.starts_with("libperl"))
        .map(str::to_owned)
        .collect()
}

/// The Debian mirrors of the machine's apt configuration, in its order.
fn mirrors() -> Result<Vec<String>> {
    let printed =
        run(Command::new("apt-get").args(["indextargets", "--format", "$(REPO_URI) $(ORIGIN)"]))?;
    let known = printed
        .lines()
        .filter_map(|line| match line.split_once(' ') {
            Some((uri, "Debian")) => Some(uri.to_owned()),
            _ => None,
        });
    let mut mirrors = distinct(known);
    if mirrors.is_empty() {
        // Nobody has run `apt-get update` here yet: the origins are not known.
        let mut sources = String::new();
        for file in sources_files() {
            sources.push_str(&fs::read_to_string(&file).unwrap_or_default());
            sources.push('\n');
        }
        mirrors = distinct(
            uris(&sources)
                .into_iter()
                .filter(|uri| uri.contains("debian")),
        );
    }
    Ok(mirrors)
}

fn sources_files() -> Vec<PathBuf> {
    let mut files = vec![PathBuf::from("/etc/apt/sources.list")];
    if let Ok(entries) = fs::read_dir("/etc/apt/sources.list.d") {
        files.extend(entries.flatten().map(|entry| entry.path()));
    }
    files.sort();
    files
}

/// Each once; the security archives are no mirrors of the whole.
fn distinct(uris: impl Iterator<Item = String>) -> Vec<String> {
    let mut kept = Vec::new();
    for uri in uris {
        let uri = uri.trim_end_matches('/').to_owned();
        if !uri.contains("security") && !kept.contains(&uri) {
            kept.push(uri);
        }
    }
    kept
}

/// The addresses in sources of either style: `deb [options] URI suite …` and `URIs: URI …`.
fn uris(sources: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in sources.lines().map(str::trim) {
        if let Some(list) = line.strip_prefix("URIs:") {
            found.extend(list.split_whitespace().map(str::to_owned));
        } else if let Some(rest) = line.strip_prefix("deb ") {
            let rest = match rest.trim_start().strip_prefix('[') {
                Some(options) => options.split_once(']').map_or("", |(_, after)| after),
                None => rest,
            };
            found.extend(rest.split_whitespace().next().map(str::to_owned));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirrors_are_read_from_both_styles_of_sources() {
        let sources = "# a comment\n\
            deb http://mirror.example/debian bookworm main contrib\n\
            deb [arch=amd64 signed-by=/k.gpg] https://two.example/debian/ bookworm main\n\
            deb-src http://mirror.example/sources bookworm main\n\
            Types: deb\nURIs: http://three.example/debian http://four.example/debian-security\nSuites: x\n";
        let mirrors = distinct(uris(sources).into_iter());
        assert_eq!(
            mirrors,
            [
                "http://mirror.example/debian",
                "https://two.example/debian",
                "http://three.example/debian"
            ]
        );
    }

    #[test]
    fn the_closure_is_the_printed_packages_without_perl() {
        let printed = "Reading package lists...\n\
            'http://m.example/libc6_2.43-7_amd64.deb' libc6_2.43-7_amd64.deb 1866392 MD5Sum:1\n\
            'http://m.example/perl-base_5_amd64.deb' perl-base_5_amd64.deb 1 MD5Sum:2\n\
            'http://m.example/zlib1g_1.3_amd64.deb' zlib1g_1%3a1.3_amd64.deb 1 MD5Sum:3\n";
        assert_eq!(
            closure(printed).into_iter().collect::<Vec<_>>(),
            ["libc6", "zlib1g"]
        );
    }
}
