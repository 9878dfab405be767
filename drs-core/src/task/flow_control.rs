use super::value::{ValueError, bytes};

const MINUTES_OF_DAY: usize = 24 * 60;

/// How fast rows may be read, by the time of day (UTC). Outside of every window it is free.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlowControl(Vec<FlowLimit>);

/// A limit in a window of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowLimit {
    first_minute: usize,
    last_minute: usize,
    bytes_per_second: u64,
}

impl FlowLimit {
    /// Reads a window such as `08:00-18:59` (both ends belong to it; it may pass midnight;
    /// none is all day) and a limit such as `20MiB/s`.
    pub fn parse(window: Option<&str>, limit: &str) -> Result<Self, ValueError> {
        let (first_minute, last_minute) = match window {
            None => (0, MINUTES_OF_DAY - 1),
            Some(window) => window
                .split_once('-')
                .and_then(|(first, last)| Some((minute(first)?, minute(last)?)))
                .ok_or_else(|| {
                    ValueError(format!("{window:?} is no window; write it as 08:00-18:59"))
                })?,
        };
        let no_limit = || ValueError(format!("{limit:?} is no limit; write it as 20MiB/s"));
        let size = limit.strip_suffix("/s").ok_or_else(no_limit)?;
        match bytes(size.trim_end()) {
            Ok(bytes_per_second @ 1..) => Ok(Self {
                first_minute,
                last_minute,
                bytes_per_second,
            }),
            _ => Err(no_limit()),
        }
    }

    fn covers(&self, minute: usize) -> bool {
        if self.first_minute <= self.last_minute {
            (self.first_minute..=self.last_minute).contains(&minute)
        } else {
            minute >= self.first_minute || minute <= self.last_minute
        }
    }
}

impl FlowControl {
    /// Takes limits whose windows do not overlap.
    pub fn new(limits: Vec<FlowLimit>) -> Result<Self, ValueError> {
        for minute in 0..MINUTES_OF_DAY {
            if limits.iter().filter(|limit| limit.covers(minute)).count() > 1 {
                return Err(ValueError(format!(
                    "two windows overlap at {:02}:{:02}",
                    minute / 60,
                    minute % 60
                )));
            }
        }
        Ok(Self(limits))
    }

    /// The limit in a minute of the UTC day (0 to 1439), in bytes a second; none is no limit.
    pub fn bytes_per_second_max(&self, minute: usize) -> Option<u64> {
        self.0
            .iter()
            .find(|limit| limit.covers(minute))
            .map(|limit| limit.bytes_per_second)
    }

    /// True when there is no limit at any time.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The minute of the day that `08:00` is.
pub(super) fn minute(text: &str) -> Option<usize> {
    let (hour, minute) = text.trim().split_once(':')?;
    let two_digits = |text: &str| match text.len() {
        2 if text.bytes().all(|b| b.is_ascii_digit()) => text.parse::<usize>().ok(),
        _ => None,
    };
    let (hour, minute) = (two_digits(hour)?, two_digits(minute)?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(limits: &[(Option<&str>, &str)]) -> Result<FlowControl, String> {
        let limits: Result<Vec<_>, _> = limits
            .iter()
            .map(|(window, limit)| FlowLimit::parse(*window, limit))
            .collect();
        limits
            .and_then(FlowControl::new)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn limits_by_minute() {
        let day_and_night = control(&[
            (Some("08:00-18:59"), "20MiB/s"),
            (Some("22:00-05:59"), "1GB/s"),
        ])
        .unwrap();
        for (minute, expected) in [
            (8 * 60 - 1, None),
            (8 * 60, Some(20 << 20)),
            (18 * 60 + 59, Some(20 << 20)),
            (19 * 60, None),
            (23 * 60, Some(1_000_000_000)),
            (0, Some(1_000_000_000)),
            (6 * 60, None),
        ] {
            assert_eq!(
                day_and_night.bytes_per_second_max(minute),
                expected,
                "{minute}"
            );
        }
        assert_eq!(
            control(&[(None, "5 MiB/s")])
                .unwrap()
                .bytes_per_second_max(700),
            Some(5 << 20)
        );
        assert!(control(&[]).unwrap().is_empty());
    }

    #[test]
    fn refuses_overlaps_and_nonsense() {
        for (limits, message) in [
            (
                &[
                    (Some("08:00-18:59"), "1MiB/s"),
                    (Some("18:59-20:00"), "1MiB/s"),
                ][..],
                "two windows overlap at 18:59",
            ),
            (
                &[(None, "1MiB/s"), (Some("23:00-01:00"), "1MiB/s")][..],
                "two windows overlap at 00:00",
            ),
            (
                &[(Some("8-18"), "1MiB/s")][..],
                "\"8-18\" is no window; write it as 08:00-18:59",
            ),
            (
                &[(Some("08:00-24:00"), "1MiB/s")][..],
                "\"08:00-24:00\" is no window; write it as 08:00-18:59",
            ),
            (
                &[(None, "1MiB")][..],
                "\"1MiB\" is no limit; write it as 20MiB/s",
            ),
            (
                &[(None, "0/s")][..],
                "\"0/s\" is no limit; write it as 20MiB/s",
            ),
        ] {
            assert_eq!(control(limits).unwrap_err(), message);
        }
    }
}
