//! The servers' versions.

use drs_core::{Flavor, Role, ServerVersion};

use crate::{Check, Facts, Finding, Group, Unread, Verdict};

pub(super) static SOURCE_VERSION: Check = Check {
    id: "source-version",
    group: Group::Source,
    title: "the source is a MySQL that is supported",
    why: "other servers write other logs and other definitions",
    remedy: "use MySQL 5.6 to 9.x",
    rule: "failed check items, srcDbVersionSupport",
    verdicts: &[Verdict::Pass, Verdict::Confirm, Verdict::Fail],
    run: |facts| version(facts, Role::Source),
};

pub(super) static DESTINATION_VERSION: Check = Check {
    id: "destination-version",
    group: Group::Destination,
    title: "the destination is a MySQL that is supported",
    why: "other servers take other definitions and values",
    remedy: "use MySQL 5.6 to 9.x",
    rule: "failed check items, dstDbVersionSupport",
    verdicts: &[Verdict::Pass, Verdict::Confirm, Verdict::Fail],
    run: |facts| version(facts, Role::Destination),
};

pub(super) static VERSION_ORDER: Check = Check {
    id: "version-order",
    group: Group::Both,
    title: "the destination is not older than the source",
    why: "an older server does not know all that a newer one writes",
    remedy: "use a destination of the source's version or a newer one",
    rule: "DRS manual, Table 2: data cannot be synchronized from a newer version database to an older version database",
    verdicts: &[Verdict::Pass, Verdict::Confirm, Verdict::Fail],
    run: version_order,
};

const OLDEST: (u16, u16) = (5, 6);
const NEWEST_MAJOR: u16 = 9;

fn version(facts: &Facts, role: Role) -> Result<Vec<Finding>, Unread> {
    let version = facts.side(role).version()?;
    let finding = if version.flavor == Flavor::MariaDb {
        Finding::fail(format!(
            "the {role} is {version}: MariaDB's GTIDs, definitions and system tables are not MySQL's, and a task with it is refused"
        ))
        .advice(format!("use MySQL 5.6 to 9.x as the {role}"))
    } else if release(version) < OLDEST {
        Finding::fail(format!("the {role} is {version}, older than 5.6"))
            .advice(format!("upgrade the {role} to MySQL 5.6 or newer"))
    } else if version.number.0 > NEWEST_MAJOR {
        Finding::confirm(format!(
            "the {role} is {version}, newer than any version that was known when this program was written"
        ))
        .advice("try the task on a copy of the servers first")
    } else {
        Finding::pass(version.to_string())
    };
    Ok(vec![finding])
}

fn version_order(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let (source, destination) = (facts.source.version()?, facts.destination.version()?);
    let pair = format!("from {source} to {destination}");
    let finding = if source.flavor != destination.flavor {
        Finding::fail(format!("{pair}: these versions don't compare")).advice("use MySQL for both")
    } else if release(destination) < release(source) {
        Finding::fail(format!("{pair}: the destination is older"))
            .advice(format!("use a destination of {source} or newer"))
    } else if destination.number < source.number {
        Finding::confirm(format!(
            "{pair}: the destination is older by a patch release"
        ))
        .advice(format!("upgrade the destination to {source}"))
    } else {
        Finding::pass(pair)
    };
    Ok(vec![finding])
}

fn release(version: ServerVersion) -> (u16, u16) {
    (version.number.0, version.number.1)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::checks::tests::Case;

    pub(in crate::checks) const CASES: &[Case] = &[
        Case::healthy("source-version"),
        Case::of(
            "source-version",
            Verdict::Pass,
            |facts| facts.source.set_version("5.6.24-log"),
            "5.6.24",
        ),
        Case::of(
            "source-version",
            Verdict::Fail,
            |facts| facts.source.set_version("5.5.62"),
            "older than 5.6",
        ),
        Case::of(
            "source-version",
            Verdict::Fail,
            |facts| facts.source.set_version("5.5.5-10.11.6-MariaDB"),
            "MariaDB",
        ),
        Case::of(
            "source-version",
            Verdict::Confirm,
            |facts| facts.source.set_version("10.0.0"),
            "newer than any",
        ),
        Case::healthy("destination-version"),
        Case::of(
            "destination-version",
            Verdict::Fail,
            |facts| facts.destination.set_version("5.5.62"),
            "upgrade",
        ),
        Case::of(
            "destination-version",
            Verdict::Confirm,
            |facts| facts.destination.set_version("10.1.0"),
            "newer than any",
        ),
        Case::healthy("version-order"),
        Case::of(
            "version-order",
            Verdict::Pass,
            |facts| facts.source.set_version("5.6.51"),
            "to MySQL 9.7",
        ),
        Case::of(
            "version-order",
            Verdict::Fail,
            |facts| facts.destination.set_version("8.4.9"),
            "is older",
        ),
        Case::of(
            "version-order",
            Verdict::Confirm,
            |facts| facts.destination.set_version("9.7.0"),
            "patch release",
        ),
        Case::of(
            "version-order",
            Verdict::Fail,
            |facts| facts.source.set_version("10.5.1-MariaDB"),
            "compare",
        ),
    ];
}
