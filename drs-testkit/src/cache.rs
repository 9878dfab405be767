//! The cache folder: things that are made once, whole or not at all, by one process at a time.

use std::{
    env,
    fs::{self, File},
    io,
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
            Error::io("choose a cache folder")(io::Error::other(
                "none of DRS_CACHE_DIR, XDG_CACHE_HOME and HOME is set",
            ))
        })
}

/// The folder `name` of the cache. If it is not there yet, `make` fills a temporary sibling, which
/// takes the name once it is complete. Other processes that want the same folder wait meanwhile.
pub(crate) fn folder(name: &str, make: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    folder_in(&cache_dir()?, name, make)
}

fn folder_in(cache: &Path, name: &str, make: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let (path, partial) = (cache.join(name), cache.join(format!("{name}.partial")));
    if path.is_dir() {
        return Ok(path);
    }
    fs::create_dir_all(cache).map_err(Error::at("create", cache))?;
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

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        thread,
    };

    use super::*;

    fn write(folder: &Path) -> Result<()> {
        fs::write(folder.join("file"), "whole").map_err(Error::at("write", folder))
    }

    #[test]
    fn a_folder_is_made_once_however_many_want_it() {
        let cache = tempfile::tempdir().unwrap();
        let made = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let path = folder_in(cache.path(), "thing", |partial| {
                        made.fetch_add(1, Ordering::SeqCst);
                        write(partial)
                    });
                    assert_eq!(fs::read(path.unwrap().join("file")).unwrap(), b"whole");
                });
            }
        });
        assert_eq!(made.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_failure_or_an_interruption_leaves_no_half_of_a_folder() {
        let cache = tempfile::tempdir().unwrap();
        let failed = folder_in(cache.path(), "thing", |partial| {
            write(partial)?;
            Err(Error::NotRunning)
        });
        assert!(failed.is_err());
        assert!(!cache.path().join("thing").exists());

        let leftover = cache.path().join("thing.partial");
        fs::create_dir(&leftover).unwrap();
        fs::write(leftover.join("half"), "").unwrap();
        let path = folder_in(cache.path(), "thing", write).unwrap();
        assert!(path.join("file").exists() && !path.join("half").exists());
    }
}
