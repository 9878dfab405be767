//! Room for a server's files in memory.

use std::{fs, path::PathBuf, process::Command};

/// What must be free before a server's files go there. A dozen servers may follow, each of which
/// takes some 200 MiB there and 400 MiB for itself.
const FREE_KIB_MIN: u64 = 6 << 20;

/// The folder whose files are in memory, if the system has one and enough memory to spare.
pub(super) fn folder() -> Option<PathBuf> {
    const FOLDER: &str = "/dev/shm";
    let memory = available_kib(&fs::read_to_string("/proc/meminfo").ok()?)?;
    // In a container it often holds a few MiB only.
    let df = Command::new("df").args(["-Pk", FOLDER]).output().ok()?;
    let room = free_kib(&String::from_utf8_lossy(&df.stdout))?;
    (memory.min(room) >= FREE_KIB_MIN).then(|| FOLDER.into())
}

/// `MemAvailable` of `/proc/meminfo`.
fn available_kib(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The fourth column of what `df -P` says in its second line, for a file system in memory.
fn free_kib(df: &str) -> Option<u64> {
    let mut columns = df.lines().nth(1)?.split_whitespace();
    (columns.next()? == "tmpfs").then_some(())?;
    columns.nth(2)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_free_is_read() {
        let meminfo =
            "MemTotal:       24683520 kB\nMemFree:         1 kB\nMemAvailable:   16000000 kB\n";
        assert_eq!(available_kib(meminfo), Some(16_000_000));
        assert_eq!(available_kib("MemTotal: 1 kB\n"), None);
        let df = |kind: &str| {
            format!(
                "Filesystem 1024-blocks Used Available Capacity Mounted on\n{kind} 65536 4 65532 1% /dev/shm\n"
            )
        };
        assert_eq!(free_kib(&df("tmpfs")), Some(65_532));
        assert_eq!(free_kib(&df("/dev/vda")), None);
        assert_eq!(free_kib(""), None);
    }
}
