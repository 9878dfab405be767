//! Waits until a comparison is to begin.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use chrono::{DateTime, SecondsFormat, Utc};
use drs_core::StartAt;
use serde_json::json;

use crate::{exit::CommandError, render::Output};

/// So often the clock is looked at: it may be set, and a laptop may sleep.
const LOOK_PERIOD: Duration = Duration::from_millis(200);

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waited {
    Begin,
    Stopped,
}

/// Waits, and says until when.
pub(super) fn until(
    start_at: StartAt,
    stop: &AtomicBool,
    out: &mut Output,
) -> Result<Waited, CommandError> {
    let now = Utc::now();
    if start_at.is_over(now) {
        tracing::warn!("the start {start_at} is over: the comparison begins now");
    }
    let begins = start_at.begins(now);
    if begins > now {
        let minutes = (begins - now).num_minutes();
        let text = format!(
            "begins at {} (UTC), in {} h {} min; Ctrl-C ends it",
            shown(begins),
            minutes / 60,
            minutes % 60
        );
        out.fact(
            &text,
            &json!({ "event": "waiting", "until": stamp(begins) }),
        )?;
    }
    loop {
        if stop.load(Ordering::Relaxed) {
            return Ok(Waited::Stopped);
        }
        // A negative duration is none of std's.
        match (begins - Utc::now()).to_std() {
            Ok(left) if !left.is_zero() => thread::sleep(left.min(LOOK_PERIOD)),
            _ => return Ok(Waited::Begin),
        }
    }
}

/// A time for people, in UTC.
pub(super) fn shown(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S").to_string()
}

/// A time for programs.
pub(super) fn stamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}
