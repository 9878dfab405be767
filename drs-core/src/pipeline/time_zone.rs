//! What the source's `SYSTEM` time zone is called at the destination.

use mysql::{Conn, prelude::Queryable};

use crate::{endpoint::Role, session::SessionError};

/// The destination's time zone that does what `SYSTEM` does at the source: both have the same
/// local time at every sixth hour from 1970 to 2038. Names tell nothing: an abbreviation such as
/// CET does not say which rules it follows.
///
/// `None` when none is found: statements that depend on it then stop the task.
pub(super) fn of_source_at_destination(
    source: &mut Conn,
    destination: &mut Conn,
) -> Result<Option<String>, SessionError> {
    let Some(expected) = TimeZoneEffect::of(source, Role::Source, "SYSTEM")? else {
        return Ok(None);
    };
    if let Some(offset) = expected.offset() {
        return Ok(Some(offset));
    }
    let name: Option<(String, String)> = source
        .query_first("SHOW GLOBAL VARIABLES WHERE Variable_name = 'system_time_zone'")
        .map_err(failed(Role::Source))?;
    let name = name.map(|(_, name)| name);
    let own: Option<String> = destination
        .query_first("SELECT @@global.time_zone")
        .map_err(failed(Role::Destination))?;
    for candidate in ["SYSTEM".to_owned()].into_iter().chain(own).chain(name) {
        if TimeZoneEffect::of(destination, Role::Destination, &candidate)?.as_ref()
            == Some(&expected)
        {
            return Ok(Some(candidate));
        }
    }
    Ok(None)
}

/// What a time zone does to a row of instants. Two zones that do the same are equal, whatever their
/// names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeZoneEffect {
    /// A checksum of all the local times; 0 for a zone that never changes.
    pub sum: u64,
    /// The least that the local time is ahead of UTC.
    pub offset_secs_min: i64,
    /// The most that it is.
    pub offset_secs_max: i64,
}

impl TimeZoneEffect {
    /// Asks a server for the effect of a zone that it knows by this name or offset; `None` when it
    /// does not know it.
    pub fn of(conn: &mut Conn, role: Role, zone: &str) -> Result<Option<Self>, SessionError> {
        let first: Option<Option<i64>> = conn
            .exec_first(
                format!("SELECT {AHEAD_SECS} FROM (SELECT {FIRST_INSTANT} utc) first"),
                (zone,),
            )
            .map_err(failed(role))?;
        let Some(first) = first.flatten() else {
            return Ok(None);
        };
        // Most servers keep UTC, and every start of a task asks: the sum takes ten times as long. No
        // zone changes for less than a day only.
        let varies: Option<i64> = conn
            .exec_first(
                format!(
                    "SELECT 1 FROM {} WHERE {AHEAD_SECS} <> ? LIMIT 1",
                    instants(24)
                ),
                (zone, first),
            )
            .map_err(failed(role))?;
        if varies.is_none() {
            return Ok(Some(Self {
                sum: 0,
                offset_secs_min: first,
                offset_secs_max: first,
            }));
        }
        let statement = format!(
            "SELECT SUM(CRC32(CONCAT(utc, ahead))), MIN(ahead), MAX(ahead) \
             FROM (SELECT utc, {AHEAD_SECS} ahead FROM {}) zone",
            instants(6)
        );
        let row: Option<(Option<u64>, Option<i64>, Option<i64>)> =
            conn.exec_first(statement, (zone,)).map_err(failed(role))?;
        Ok(match row {
            Some((Some(sum), Some(offset_secs_min), Some(offset_secs_max))) => Some(Self {
                sum,
                offset_secs_min,
                offset_secs_max,
            }),
            _ => None,
        })
    }

    /// The zone as an offset, which every server knows, if it never changes.
    pub fn offset(&self) -> Option<String> {
        let minutes = self.offset_secs_min / 60;
        let is_one = self.offset_secs_min == self.offset_secs_max
            && self.offset_secs_min % 60 == 0
            && minutes.abs() < 13 * 60;
        is_one.then(|| {
            let sign = if minutes < 0 { '-' } else { '+' };
            format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
        })
    }
}

/// As a typed literal: a string would be read again for every instant.
const FIRST_INSTANT: &str = "TIMESTAMP'1970-01-02 00:00:00'";
/// How far a zone is ahead of UTC at the instant `utc`.
const AHEAD_SECS: &str = "TIMESTAMPDIFF(SECOND, utc, CONVERT_TZ(utc, '+00:00', ?))";

/// Instants so many hours apart, as `utc`: from the second day of 1970 to 2038-01-15, before 32 bits
/// end. Of three tables of numbers: MySQL 9.7 joins five small ones by way of temporary files.
fn instants(hours_apart: u32) -> String {
    const DAYS: u32 = 24_850;
    let count = DAYS * 24 / hours_apart;
    let edge = (1..count)
        .find(|edge| edge.pow(3) >= count)
        .unwrap_or(count);
    let rest: String = (1..edge)
        .map(|n| format!(" UNION ALL SELECT {n}"))
        .collect();
    let numbers = format!("(SELECT 0 n{rest})");
    let number = format!("a.n + {edge} * (b.n + {edge} * c.n)");
    format!(
        "(SELECT {FIRST_INSTANT} + INTERVAL {hours_apart} * ({number}) HOUR utc \
         FROM {numbers} a, {numbers} b, {numbers} c WHERE {number} < {count}) instants"
    )
}

fn failed(role: Role) -> impl Fn(mysql::Error) -> SessionError {
    move |source| SessionError::Setup { role, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_that_never_changes_is_an_offset() {
        for (min, max, offset) in [
            (0, 0, Some("+00:00")),
            (19_800, 19_800, Some("+05:30")),
            (-12_600, -12_600, Some("-03:30")),
            (3_600, 7_200, None),
            (50_400, 50_400, None),
            (30, 30, None),
        ] {
            let effect = TimeZoneEffect {
                sum: 1,
                offset_secs_min: min,
                offset_secs_max: max,
            };
            assert_eq!(effect.offset().as_deref(), offset, "{min} {max}");
        }
    }
}
