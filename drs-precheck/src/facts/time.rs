//! A server's time zones, by what they do, and its clock.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use drs_core::{Role, TimeZoneEffect};
use mysql::{Conn, prelude::Queryable};

use super::{Fact, Side, Unread, Variables};

/// A server's time zones and clock.
#[derive(Clone, Debug)]
pub struct Time {
    /// What zones do there, by their names: the global `time_zone`, and at a destination where that
    /// does something else than the source's, `SYSTEM` and the names that the source has for its own.
    /// A zone that the server does not know is missing.
    pub zones: Fact<BTreeMap<String, TimeZoneEffect>>,
    /// How many milliseconds its clock is ahead of this machine's; below zero when it is behind.
    pub clock_ahead_ms: Fact<i64>,
}

impl Time {
    /// Without any answer, for this reason.
    pub(super) fn unread(reason: &Unread) -> Self {
        Self {
            zones: Err(reason.clone()),
            clock_ahead_ms: Err(reason.clone()),
        }
    }

    /// Asks a server with these variables; the destination also for what the source's zone may be
    /// called there.
    pub(super) fn gather(
        conn: &mut Conn,
        role: Role,
        variables: &Fact<Variables>,
        source: Option<&Side>,
    ) -> Self {
        Self {
            clock_ahead_ms: clock(conn, role),
            zones: zones(conn, role, variables, source),
        }
    }
}

fn zones(
    conn: &mut Conn,
    role: Role,
    variables: &Fact<Variables>,
    source: Option<&Side>,
) -> Fact<BTreeMap<String, TimeZoneEffect>> {
    let variables = variables.as_ref().map_err(Clone::clone)?;
    let own = variables.text("time_zone").unwrap_or("SYSTEM");
    let mut names = vec![own];
    let mut wanted = None;
    if let Some(source) = source
        && let (Ok(there), Ok(zones)) = (&source.variables, &source.time.zones)
    {
        let there_named = ["time_zone", "system_time_zone"].map(|name| there.text(name));
        names.push("SYSTEM");
        names.extend(there_named.into_iter().flatten());
        wanted = zones.get(there.text("time_zone").unwrap_or("SYSTEM"));
    }
    let mut found = BTreeMap::new();
    for name in names {
        if name.is_empty() || found.contains_key(name) {
            continue;
        }
        let effect = TimeZoneEffect::of(conn, role, name)
            .map_err(|error| Unread::new(format!("time zone {name}: {error}")))?;
        let is_wanted = effect.is_some() && effect.as_ref() == wanted;
        if let Some(effect) = effect {
            found.insert(name.to_owned(), effect);
        }
        // Each question keeps the server busy for a moment.
        if is_wanted {
            break;
        }
    }
    Ok(found)
}

fn clock(conn: &mut Conn, role: Role) -> Fact<i64> {
    let before = SystemTime::now();
    let server: Option<f64> = conn
        .query_first("SELECT CAST(UNIX_TIMESTAMP(CURRENT_TIMESTAMP(3)) AS DECIMAL(20,3)) + 0e0")
        .map_err(|error| Unread::of(role, "its time", &error))?;
    // The server has looked at its clock somewhere in between.
    let half = before.elapsed().unwrap_or_default() / 2;
    let here = before.duration_since(UNIX_EPOCH).unwrap_or_default() + half;
    let server = server
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| Unread::new(format!("the {role} does not tell its time")))?;
    let ms = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    Ok(ms(server) - ms(here))
}

#[cfg(test)]
impl Time {
    /// A server whose zone is UTC and whose clock is right.
    pub(crate) fn sample() -> Self {
        let zones = [("SYSTEM", Self::utc()), ("UTC", Self::utc())];
        Self {
            zones: Ok(zones.map(|(name, effect)| (name.to_owned(), effect)).into()),
            clock_ahead_ms: Ok(0),
        }
    }

    pub(crate) fn utc() -> TimeZoneEffect {
        TimeZoneEffect {
            sum: 1,
            offset_secs_min: 0,
            offset_secs_max: 0,
        }
    }

    pub(crate) fn berlin() -> TimeZoneEffect {
        TimeZoneEffect {
            sum: 2,
            offset_secs_min: 3_600,
            offset_secs_max: 7_200,
        }
    }
}
