//! Sizes: of packets, and of what the destination's disk must hold.

use drs_core::Role;

use super::remedy::set_global;
use crate::{
    Check, Facts, Finding, Group, Side, Unread, Verdict,
    facts::{Column, Fact},
};

pub(super) static PACKET_SIZE: Check = Check {
    id: "destination-packet-size",
    group: Group::Destination,
    title: "the destination takes large rows",
    why: "a row that is larger than max_allowed_packet, in which binary values count twice, stops the task; rows at the source may be as large as its own",
    remedy: "set max_allowed_packet at the destination to more than 100 MB, up to 1 GiB",
    rule: "DRS manual, Table 2, Destination database: max_allowed_packet over 100 MB is advised",
    verdicts: &[Verdict::Pass, Verdict::Confirm],
    run: packet_size,
};

pub(super) static DISK_SPACE: Check = Check {
    id: "destination-disk-space",
    group: Group::Destination,
    title: "the destination has room for the rows and keys",
    why: "a destination whose disk is full stops the task, and everything else there",
    remedy: "make room at the destination, or select less",
    rule: "DRS manual, Table 2, Destination database: sufficient storage space; failed check items, dstDbDiskSize: 2.5 times the data, or 200 GB more than it",
    verdicts: &[
        Verdict::Pass,
        Verdict::Confirm,
        Verdict::Unknown,
        Verdict::Fail,
    ],
    run: disk_space,
};

/// 100 MB, as the manual advises.
const PACKET_BYTES_ADVISED: u64 = 100 << 20;
/// MySQL's limit.
const PACKET_BYTES_MAX: u64 = 1 << 30;
/// What is always enough beside the data.
const SPARE_BYTES_MAX: u64 = 200 << 30;

fn packet_size(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    const NAME: &str = "max_allowed_packet";
    let bytes = |side: &Side| -> Fact<u64> {
        let bytes = side.variables()?.number(NAME);
        bytes.ok_or_else(|| Unread::new(format!("the {} does not tell {NAME}", side.role)))
    };
    let (here, there) = (bytes(&facts.source)?, bytes(&facts.destination)?);
    let large: Vec<String> = match there < PACKET_BYTES_MAX {
        true => large_tables(facts, here, there)?,
        false => Vec::new(),
    };
    let reason = if there <= PACKET_BYTES_ADVISED {
        format!(
            "{NAME} is {} at the destination, and more than 100 MB are advised",
            shown(there)
        )
    } else if there < here {
        format!(
            "{NAME} is {} at the source and {} at the destination",
            shown(here),
            shown(there)
        )
    } else if !large.is_empty() {
        format!(
            "{NAME} is {} at the destination, and these tables may have larger rows",
            shown(there)
        )
    } else {
        return Ok(vec![Finding::pass(format!("{NAME} is {}", shown(there)))]);
    };
    let wanted = match large.is_empty() {
        true => here.max(2 * PACKET_BYTES_ADVISED),
        false => PACKET_BYTES_MAX,
    };
    let version = facts.destination.version()?;
    Ok(vec![Finding::confirm(reason).about(large).sql(
        Role::Destination,
        set_global(version, NAME, &wanted.min(PACKET_BYTES_MAX).to_string()),
    )])
}

/// The selected tables that may hold a row which takes more than `there` bytes in a statement, when
/// no value is larger than the `here` bytes that the source takes.
fn large_tables(facts: &Facts, here: u64, there: u64) -> Fact<Vec<String>> {
    let columns = facts.source.tables.columns.as_ref().map_err(Clone::clone)?;
    let row_bytes = |columns: &[Column]| {
        let sizes = columns.iter().filter_map(|column| {
            let (bytes, is_binary) = large_type(&column.data_type)?;
            Some(bytes.min(here) * if is_binary { 2 } else { 1 })
        });
        sizes.sum::<u64>()
    };
    Ok(columns
        .iter()
        .filter(|(_, columns)| row_bytes(columns) > there)
        .map(|(table, _)| table.to_string())
        .collect())
}

/// The largest value of a type that matters here, and whether it is written with two letters a byte.
fn large_type(data_type: &str) -> Option<(u64, bool)> {
    const MEDIUM: u64 = (1 << 24) - 1;
    const LONG: u64 = (1 << 32) - 1;
    Some(match data_type {
        "mediumtext" => (MEDIUM, false),
        "mediumblob" => (MEDIUM, true),
        "longtext" | "json" => (LONG, false),
        "longblob" | "geometry" | "geomcollection" | "geometrycollection" | "linestring"
        | "polygon" | "multipoint" | "multilinestring" | "multipolygon" => (LONG, true),
        _ => return None,
    })
}

fn disk_space(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    if !facts.task.mode().copies() {
        return Ok(vec![Finding::pass("the task does not copy")]);
    }
    let mut needed: u64 = 0;
    for pair in facts.pairs_to_begin()? {
        let keys = match facts.task.indexes() {
            true => pair.source.index_bytes,
            false => 0,
        };
        needed = needed.saturating_add(pair.source.data_bytes.saturating_add(keys));
    }
    let disk = match &facts.destination.disk {
        Ok(disk) => disk,
        Err(unread) => {
            return Ok(vec![Finding::unknown(format!(
                "the tables that are still to be copied take about {} at the source, and their rows as much again in the \
                 destination's binary log: {unread}",
                shown(needed)
            ))]);
        }
    };
    let said = format!(
        "{} are free where the destination keeps its data, and the tables to be copied take about {} at the source",
        shown(disk.free_bytes),
        shown(needed)
    );
    let advised = needed
        .saturating_mul(5)
        .div_ceil(2)
        .min(needed.saturating_add(SPARE_BYTES_MAX));
    let advice = format!("make room in {}, or select less", disk.data_dir);
    Ok(vec![if disk.free_bytes < needed {
        Finding::fail(said).advice(advice)
    } else if disk.free_bytes < advised {
        Finding::confirm(format!(
            "{said}; {} are advised, for the binary log and what comes later",
            shown(advised)
        ))
        .advice(advice)
    } else {
        Finding::pass(said)
    }])
}

/// A number of bytes, in a unit that suits it.
fn shown(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut scaled = (bytes, 0, "bytes");
    for unit in UNITS {
        if scaled.0 < 1024 {
            break;
        }
        scaled = (scaled.0 / 1024, scaled.0 % 1024 * 10 / 1024, unit);
    }
    match scaled {
        (whole, 0, unit) => format!("{whole} {unit}"),
        (whole, tenth, unit) => format!("{whole}.{tenth} {unit}"),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{checks::tests::Case, facts::sample::task};

    fn free(facts: &mut Facts, bytes: u64) {
        facts.destination.disk.as_mut().unwrap().free_bytes = bytes;
    }

    pub(in crate::checks) const CASES: &[Case] = &[
        Case::healthy("destination-packet-size"),
        Case {
            check: "destination-packet-size",
            verdict: Verdict::Confirm,
            change: |facts| {
                facts.source.set("max_allowed_packet", "67108864");
                facts.destination.set("max_allowed_packet", "67108864");
            },
            says: "SET PERSIST max_allowed_packet = 209715200",
        },
        Case {
            check: "destination-packet-size",
            verdict: Verdict::Confirm,
            change: |facts| facts.destination.set("max_allowed_packet", "268435456"),
            says: "is 1 GiB at the source and 256 MiB at the destination",
        },
        Case {
            check: "destination-packet-size",
            verdict: Verdict::Confirm,
            change: |facts| {
                facts.source.set("max_allowed_packet", "268435456");
                facts.destination.set("max_allowed_packet", "268435456");
                facts
                    .source
                    .tables
                    .add("shop", "scans", &[("id", "int"), ("scan", "longblob")]);
            },
            says: "`shop`.`scans`",
        },
        Case {
            check: "destination-packet-size",
            verdict: Verdict::Pass,
            change: |facts| {
                facts.source.set("max_allowed_packet", "268435456");
                facts.destination.set("max_allowed_packet", "268435456");
                facts
                    .source
                    .tables
                    .add("shop", "notes", &[("id", "int"), ("note", "longtext")]);
            },
            says: "256 MiB",
        },
        Case::healthy("destination-disk-space"),
        Case {
            check: "destination-disk-space",
            verdict: Verdict::Fail,
            change: |facts| free(facts, 1000),
            says: "1000 bytes are free",
        },
        Case {
            check: "destination-disk-space",
            verdict: Verdict::Confirm,
            change: |facts| free(facts, 2 << 20),
            says: "2.5 MiB are advised",
        },
        Case {
            check: "destination-disk-space",
            verdict: Verdict::Unknown,
            change: |facts| facts.destination.disk = Err(Unread::new("it is elsewhere")),
            says: "about 1 MiB at the source",
        },
        Case {
            check: "destination-disk-space",
            verdict: Verdict::Pass,
            change: |facts| {
                free(facts, 0);
                facts.task = task("incremental", "");
            },
            says: "does not copy",
        },
    ];
}
