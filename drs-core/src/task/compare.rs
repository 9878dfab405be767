use std::{fmt, str::FromStr};

use chrono::{DateTime, Days, NaiveTime, SecondsFormat, Timelike, Utc};

use super::{FlowControl, Sessions, flow_control::minute};
use crate::Selection;

/// The most differences of one table that can be asked for: each takes memory until the end.
pub const COMPARE_EXAMPLES_MAX: u64 = 1_000;

/// How a task's two sides are compared: `[compare]` of the task file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompareSettings {
    /// When to begin.
    pub start_at: StartAt,
    /// Connections to each of the servers.
    pub sessions: Sessions,
    /// How fast rows are read at either side.
    pub flow_control: FlowControl,
    /// Which of the task's tables, by their names at the source; all of them when `None`.
    pub tables: Option<Selection>,
    /// Differences of a table that are described, at most [`COMPARE_EXAMPLES_MAX`]; the others are
    /// counted.
    pub examples: u64,
}

impl Default for CompareSettings {
    fn default() -> Self {
        Self {
            start_at: StartAt::default(),
            sessions: Sessions::default(),
            flow_control: FlowControl::default(),
            tables: None,
            examples: 20,
        }
    }
}

/// When a comparison begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StartAt {
    /// At once.
    #[default]
    Now,
    /// At this time; at once when it is over.
    Time(DateTime<Utc>),
    /// When the clock shows this time of the UTC day next; at once in that very minute.
    Daily {
        /// The minute of the day, 0 to 1439.
        minute: u16,
    },
}

impl StartAt {
    /// The time at which what is planned `now` begins.
    pub fn begins(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Now => now,
            Self::Time(time) => time.max(now),
            Self::Daily { minute } => {
                if now.hour() * 60 + now.minute() == u32::from(minute) {
                    return now;
                }
                let minute = u32::from(minute);
                let time = NaiveTime::from_hms_opt(minute / 60, minute % 60, 0).unwrap_or_default();
                let today = now.date_naive().and_time(time).and_utc();
                match today > now {
                    true => today,
                    false => today.checked_add_days(Days::new(1)).unwrap_or(today),
                }
            }
        }
    }

    /// True for a time that is over.
    pub fn is_over(self, now: DateTime<Utc>) -> bool {
        matches!(self, Self::Time(time) if time < now)
    }
}

impl fmt::Display for StartAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Now => f.write_str("now"),
            Self::Time(time) => f.write_str(&time.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
            Self::Daily { minute } => write!(f, "{:02}:{:02}", minute / 60, minute % 60),
        }
    }
}

/// A text that is no [`StartAt`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is no start; write a time with its offset such as 2026-03-01T02:00:00Z, a time of each UTC day such as \
     02:00, or now"
)]
pub struct StartAtError {
    text: String,
}

impl FromStr for StartAt {
    type Err = StartAtError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "now" {
            return Ok(Self::Now);
        }
        if let Some(minute) = minute(text).and_then(|minute| u16::try_from(minute).ok()) {
            return Ok(Self::Daily { minute });
        }
        DateTime::parse_from_rfc3339(text)
            .map(|time| Self::Time(time.to_utc()))
            .map_err(|_| StartAtError {
                text: text.chars().take(60).collect(),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc()
    }

    #[test]
    fn starts_are_read() {
        for (text, expected) in [
            ("now", Some("now")),
            ("02:00", Some("02:00")),
            ("23:59", Some("23:59")),
            ("2026-03-01T02:00:00Z", Some("2026-03-01T02:00:00Z")),
            ("2026-03-01T02:00:00+02:00", Some("2026-03-01T00:00:00Z")),
            ("2026-03-01 02:00:00.5Z", Some("2026-03-01T02:00:00.500Z")),
            ("24:00", None),
            ("2:00", None),
            ("02:00:00", None),
            // Without an offset nobody knows when it is.
            ("2026-03-01T02:00:00", None),
            ("2026-03-01", None),
            ("tomorrow", None),
            ("", None),
        ] {
            let read = text.parse::<StartAt>().map(|start| start.to_string());
            assert_eq!(read.ok().as_deref(), expected, "{text}");
        }
        let error = "soon".parse::<StartAt>().unwrap_err().to_string();
        assert!(error.starts_with("\"soon\" is no start; write a time with its offset"));
    }

    #[test]
    fn begins_at_the_next_such_time() {
        for (start, now, expected) in [
            ("now", "2026-03-01T10:00:00Z", "2026-03-01T10:00:00Z"),
            ("02:00", "2026-03-01T01:59:59Z", "2026-03-01T02:00:00Z"),
            ("02:00", "2026-03-01T02:00:59Z", "2026-03-01T02:00:59Z"),
            ("02:00", "2026-03-01T02:01:00Z", "2026-03-02T02:00:00Z"),
            ("00:00", "2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z"),
            (
                "2026-03-01T12:00:00Z",
                "2026-03-01T10:00:00Z",
                "2026-03-01T12:00:00Z",
            ),
            (
                "2026-03-01T12:00:00Z",
                "2026-03-01T13:00:00Z",
                "2026-03-01T13:00:00Z",
            ),
        ] {
            let start: StartAt = start.parse().unwrap();
            assert_eq!(start.begins(time(now)), time(expected), "{start} at {now}");
        }
        let start: StartAt = "2026-03-01T12:00:00Z".parse().unwrap();
        assert!(start.is_over(time("2026-03-01T12:00:01Z")));
        assert!(!start.is_over(time("2026-03-01T11:00:00Z")));
    }
}
