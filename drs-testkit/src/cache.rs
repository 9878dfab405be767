//! The cache folder: things that are made once, whole or not at all, by one process at a time.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
};

use crate::{Error, Result};

/// Where fetched servers and initialised data folders are kept: `$DRS_CACHE_DIR`, else
/// `$XDG_CACHE_HOME/drs`, else `~/.cache/drs`.
///
/// # Errors
/// When none of these variables nor `HOME` is set.
pub fn cache_dir() -> Result<PathBuf> {
    let variable = |name| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    variable("DRS_CACHE_DIR")
        .or_else(|| Some(variable("XDG_CACHE_HOME")?.join("drs")))
        .or_else(|| Some(variable("HOME")?.join(".cache/drs")))
        .ok_or_else(|| {
            Error::io("choose a cache folder")(std::io::Error::other(
                "none of DRS_CACHE_DIR, XDG_CACHE_HOME and HOME is set",
            ))
        })
}

/// The folder `name` of the cache. If it is not there yet, `make` fills a temporary sibling, which
/// takes the name once it is complete. Other processes that want the same folder wait meanwhile.
pub(crate) fn folder(name: &str, make: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let cache = cache_dir()?;
    let (path, partial) = (cache.join(name), cache.join(format!("{name}.partial")));
    if path.is_dir() {
        return Ok(path);
    }
    fs::create_dir_all(&cache).map_err(Error::at("create", &cache))?;
    let lock = cache.join(format!("{name}.lock"));
    let guard = File::create(&lock).map_err(Error::at("create", &lock))?;
    guard.lock().map_err(Error::at("lock", &lock))?;
    if path.is_dir() {
        return Ok(path);
    }
    // We hold the lock, so whoever left this behind is gone.
    if partial.exists() {
        fs::remove_dir_all(&partial).map_err(Error::at("remove", &partial))?;
    }
    fs::create_dir(&partial).map_err(Error::at("create", &partial))?;
    if let Err(error) = make(&partial) {
        // The first error is the one to tell; what is left is removed by the next attempt.
        let _ = fs::remove_dir_all(&partial);
        return Err(error);
    }
    fs::rename(&partial, &path).map_err(Error::at("rename", &partial))?;
    Ok(path)
}
