//! What a process has used, as the system counts it.

use std::{fs, io, time::Duration};

use crate::{Error, Result};

/// The CPU time of a process, in the kernel too, over all its threads and without its children. The
/// system tells it in hundredths of a second.
///
/// # Errors
/// When there is no such process.
pub fn cpu_time(pid: u32) -> Result<Duration> {
    read("stat", pid, own_ticks).map(duration)
}

/// The most memory of a process that was resident at any time since it started its program.
///
/// # Errors
/// When there is no such process, or when it has ended and is not waited for yet.
pub fn peak_memory_bytes(pid: u32) -> Result<u64> {
    read("status", pid, peak_kib).map(|kib| kib.saturating_mul(1024))
}

/// As [`cpu_time`], with that of the children that it has waited for. It can still be asked when the
/// process has ended, until that is waited for.
pub(crate) fn cpu_time_with_children(pid: u32) -> Result<Duration> {
    read("stat", pid, |stat| {
        Some(own_ticks(stat)?.saturating_add(ticks(stat, 16, 17)?))
    })
    .map(duration)
}

fn read<T>(file: &str, pid: u32, parse: impl FnOnce(&str) -> Option<T>) -> Result<T> {
    let unknown = || Error::io(format!("learn what process {pid} has used"));
    let text = fs::read_to_string(format!("/proc/{pid}/{file}")).map_err(unknown())?;
    let missing = || io::Error::other(format!("its {file} does not tell"));
    parse(&text).ok_or_else(missing).map_err(unknown())
}

fn own_ticks(stat: &str) -> Option<u64> {
    ticks(stat, 14, 15)
}

/// The sum of two fields, counted from 1 as in proc(5).
fn ticks(stat: &str, user: usize, system: usize) -> Option<u64> {
    // The second field is the program's name in parentheses; it may itself hold both and spaces.
    let (_, after_name) = stat.rsplit_once(')')?;
    let field = |number: usize| {
        let index = number.checked_sub(3)?;
        after_name
            .split_whitespace()
            .nth(index)?
            .parse::<u64>()
            .ok()
    };
    field(user)?.checked_add(field(system)?)
}

fn duration(ticks: u64) -> Duration {
    let a_second = rustix::param::clock_ticks_per_second().max(1);
    let nanoseconds = u128::from(ticks) * 1_000_000_000 / u128::from(a_second);
    Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
}

fn peak_kib(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_read_past_any_name() {
        let stat = |name: &str| {
            format!(
                "17 ({name}) S 1 17 17 0 -1 4194560 100 0 0 0 21 4 300 50 20 0 1 0 99 4096 7 18\n"
            )
        };
        for name in ["mysqld", "tmux: server", "a) R 1 (b", ""] {
            let stat = stat(name);
            assert_eq!(own_ticks(&stat), Some(25), "{name}");
            assert_eq!(ticks(&stat, 16, 17), Some(350), "{name}");
        }
        for broken in ["", "17 (mysqld", "17 (mysqld) S 1 17"] {
            assert_eq!(own_ticks(broken), None, "{broken}");
        }
    }

    #[test]
    fn the_peak_is_read_unless_the_process_has_ended() {
        let status = "Name:\tmysqld\nVmPeak:\t  900 kB\nVmHWM:\t  512 kB\nVmRSS:\t  400 kB\n";
        assert_eq!(peak_kib(status), Some(512));
        assert_eq!(peak_kib("Name:\tmysqld\nState:\tZ (zombie)\n"), None);
    }

    #[test]
    fn work_and_memory_of_a_process_are_seen() {
        let pid = std::process::id();
        let before = cpu_time(pid).unwrap();
        let grown = crate::deadline::poll(Duration::from_secs(60), || {
            // Work in place of the pause between two questions.
            std::hint::black_box((0..1_000_000_u64).map(std::hint::black_box).sum::<u64>());
            (cpu_time(pid).unwrap() > before).then_some(())
        });
        assert!(grown.is_some(), "no work was counted");

        const BYTES: usize = 64 << 20;
        let touched = std::hint::black_box(vec![1_u8; BYTES]);
        assert!(peak_memory_bytes(pid).unwrap() >= touched.len() as u64);
    }

    #[test]
    fn of_no_process_nothing_is_known() {
        // Above the highest number that Linux gives.
        let nobody = u32::MAX;
        assert!(cpu_time(nobody).is_err());
        assert!(peak_memory_bytes(nobody).is_err());
    }
}
