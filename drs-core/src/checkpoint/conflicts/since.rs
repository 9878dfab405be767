use std::str::FromStr;

use chrono::{NaiveDate, NaiveDateTime};

/// From when on conflicts are looked at: a time in UTC (`2026-03-01`, `2026-03-01 08:00`,
/// `2026-03-01T08:00:00Z`), or a duration until now (`90s`, `30m`, `2h`, `7d`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Since {
    /// So long ago, by the destination's clock.
    Ago {
        /// In seconds.
        seconds: u64,
    },
    /// At this time, in UTC.
    At(NaiveDateTime),
}

/// A text that is no [`Since`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is no time; write a UTC time such as 2026-03-01 08:00, or a duration such as 2h (s, m, h, d)"
)]
pub struct SinceError {
    text: String,
}

/// About a thousand years: MySQL's own times do not go further back.
const SECONDS_MAX: u64 = 32_000_000_000;

impl FromStr for Since {
    type Err = SinceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        ago(text).or_else(|| at(text)).ok_or_else(|| SinceError {
            text: text.to_owned(),
        })
    }
}

fn ago(text: &str) -> Option<Since> {
    let unit = match text.chars().next_back()? {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return None,
    };
    let digits = text.get(..text.len() - 1)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds = digits.parse::<u64>().ok()?.checked_mul(unit)?;
    (seconds <= SECONDS_MAX).then_some(Since::Ago { seconds })
}

fn at(text: &str) -> Option<Since> {
    let plain = text
        .strip_suffix(['Z', 'z'])
        .unwrap_or(text)
        .replacen('T', " ", 1);
    let time = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(&plain, format).ok())
        .or_else(|| {
            NaiveDate::parse_from_str(&plain, "%Y-%m-%d")
                .ok()?
                .and_hms_opt(0, 0, 0)
        })?;
    Some(Since::At(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_durations_are_read() {
        for (text, seconds) in [("90s", 90), ("30m", 1800), ("2h", 7200), ("7d", 604_800)] {
            assert_eq!(text.parse(), Ok(Since::Ago { seconds }), "{text}");
        }
        for (text, time) in [
            ("2026-03-01", "2026-03-01 00:00:00"),
            ("2026-03-01 08:05", "2026-03-01 08:05:00"),
            ("2026-03-01T08:05:06Z", "2026-03-01 08:05:06"),
            ("2026-03-01 08:05:06.25", "2026-03-01 08:05:06.250"),
        ] {
            let Ok(Since::At(at)) = text.parse() else {
                panic!("{text}");
            };
            assert_eq!(at.to_string(), time);
        }
        for text in [
            "",
            "h",
            "-2h",
            "2w",
            "2.5h",
            "yesterday",
            "2026-13-01",
            "2026-03-01 25:00",
            "99999999999999999999d",
            "9999999999h",
            "2026-03-01T08:00:00+02:00",
            "2026-03-01' OR 1",
        ] {
            assert!(text.parse::<Since>().is_err(), "{text}");
        }
    }
}
