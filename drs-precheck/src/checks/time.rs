//! Time zones and clocks.

use drs_core::{Role, TimeZoneEffect};

use super::remedy::{set_global, text};
use crate::{Check, Facts, Finding, Group, Side, Unread, Verdict, facts::Fact};

pub(super) static TIME_ZONE: Check = Check {
    id: "time-zone",
    group: Group::Both,
    title: "both servers have the same local time",
    why: "applications see other local times of TIMESTAMP values after the switch-over; names of zones tell nothing, so their local times from 1970 to 2038 are compared",
    remedy: "set time_zone at the destination to a zone with the source's local times",
    rule: "DRS manual, Table 2, Destination database: time zone",
    verdicts: &[Verdict::Pass, Verdict::Fail],
    run: time_zone,
};

pub(super) static CLOCKS: Check = Check {
    id: "clocks",
    group: Group::Both,
    title: "the servers' clocks agree",
    why: "the lag that is shown, and the times that rules add, are told by both clocks",
    remedy: "have both servers' clocks set by the same time service",
    rule: "failed check items, dbClockConsistency",
    verdicts: &[Verdict::Pass, Verdict::Confirm],
    run: clocks,
};

/// More than a slow answer makes of clocks that agree.
const CLOCKS_APART_MS_MAX: u64 = 5_000;

fn time_zone(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let here = effect(&facts.source)?;
    let there = effect(&facts.destination)?;
    if here == there {
        return Ok(vec![Finding::pass(format!(
            "both are at {} all the time",
            offsets(here)
        ))]);
    }
    let finding = Finding::fail(format!(
        "the local time is {} from UTC at the source and {} at the destination, or changes at other times",
        offsets(here),
        offsets(there)
    ));
    let version = facts.destination.version()?;
    let set = |zone: &str| set_global(version, "time_zone", &text(zone));
    let zones = facts.destination.time.zones.as_ref();
    let known = zones
        .map_err(Clone::clone)?
        .iter()
        .find(|(_, effect)| *effect == here);
    Ok(vec![match (here.offset(), known) {
        (Some(offset), _) => finding.sql(Role::Destination, set(&offset)),
        (None, Some((name, _))) => finding.sql(Role::Destination, set(name)),
        (None, None) => finding.advice(
            "the destination knows no zone with these local times under the source's names: load its time zone tables \
             (mysql_tzinfo_to_sql) and set time_zone there, or start it in the source's system time zone",
        ),
    }])
}

/// What the server's global `time_zone` does.
fn effect(side: &Side) -> Fact<&TimeZoneEffect> {
    let zone = side.variables()?.text("time_zone").unwrap_or("SYSTEM");
    let zones = side.time.zones.as_ref().map_err(Clone::clone)?;
    zones
        .get(zone)
        .ok_or_else(|| Unread::new(format!("the {} does not tell what {zone} does", side.role)))
}

fn offsets(effect: &TimeZoneEffect) -> String {
    let shown = |secs: i64| {
        let sign = if secs < 0 { '-' } else { '+' };
        let minutes = secs.unsigned_abs() / 60;
        format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    };
    match effect.offset_secs_min == effect.offset_secs_max {
        true => shown(effect.offset_secs_min),
        false => format!(
            "{} to {}",
            shown(effect.offset_secs_min),
            shown(effect.offset_secs_max)
        ),
    }
}

fn clocks(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let here = facts.source.time.clock_ahead_ms.clone()?;
    let there = facts.destination.time.clock_ahead_ms.clone()?;
    let apart = here.abs_diff(there);
    if apart <= CLOCKS_APART_MS_MAX {
        return Ok(vec![Finding::pass("they agree within some seconds")]);
    }
    let (ahead, behind) = match here > there {
        true => (Role::Source, Role::Destination),
        false => (Role::Destination, Role::Source),
    };
    Ok(vec![
        Finding::confirm(format!(
            "the clock of the {ahead} is {} s ahead of that of the {behind}",
            apart / 1_000
        ))
        .advice("set both clocks by a time service (NTP)"),
    ])
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{checks::tests::Case, facts::Time};

    fn source_in_berlin(facts: &mut Facts) {
        let zones = facts.source.time.zones.as_mut().unwrap();
        zones.insert("SYSTEM".to_owned(), Time::berlin());
    }

    pub(in crate::checks) const CASES: &[Case] = &[
        Case::healthy("time-zone"),
        Case {
            check: "time-zone",
            verdict: Verdict::Pass,
            change: |facts| {
                source_in_berlin(facts);
                facts.destination.set("time_zone", "Europe/Berlin");
                let zones = facts.destination.time.zones.as_mut().unwrap();
                zones.insert("Europe/Berlin".to_owned(), Time::berlin());
            },
            says: "+01:00 to +02:00",
        },
        Case {
            check: "time-zone",
            verdict: Verdict::Fail,
            change: source_in_berlin,
            says: "load its time zone tables",
        },
        Case {
            check: "time-zone",
            verdict: Verdict::Fail,
            change: |facts| {
                source_in_berlin(facts);
                let zones = facts.destination.time.zones.as_mut().unwrap();
                zones.insert("Europe/Berlin".to_owned(), Time::berlin());
            },
            says: "SET PERSIST time_zone = 'Europe/Berlin'",
        },
        Case {
            check: "time-zone",
            verdict: Verdict::Fail,
            change: |facts| {
                let zones = facts.destination.time.zones.as_mut().unwrap();
                zones.insert("SYSTEM".to_owned(), Time::berlin());
            },
            says: "SET PERSIST time_zone = '+00:00'",
        },
        Case {
            check: "time-zone",
            verdict: Verdict::Unknown,
            change: |facts| facts.source.set("time_zone", "Nowhere"),
            says: "Nowhere",
        },
        Case::healthy("clocks"),
        Case {
            check: "clocks",
            verdict: Verdict::Confirm,
            change: |facts| facts.destination.time.clock_ahead_ms = Ok(-61_000),
            says: "the clock of the source is 61 s ahead",
        },
    ];
}
