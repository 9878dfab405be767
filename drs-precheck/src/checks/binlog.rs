//! The source's binary log.

use drs_core::Role;

use super::remedy::{keep_setting, set_global};
use crate::{Check, Facts, Finding, Group, Unread, Verdict};

pub(super) static LOG_BIN: Check = Check {
    id: "log-bin",
    group: Group::Source,
    title: "the source writes a binary log",
    why: "changes are read from it, and its end is a task's start point",
    remedy: "start the source with log_bin",
    rule: "DRS manual, Table 2: the binlog of the source MySQL database must be enabled",
    verdicts: &[Verdict::Pass, Verdict::Fail],
    run: log_bin,
};

pub(super) static BINLOG_FORMAT: Check = Check {
    id: "binlog-format",
    group: Group::Source,
    title: "the log holds rows",
    why: "a statement in the log may do something else at the destination",
    remedy: "set binlog_format to ROW",
    rule: "DRS manual, Table 2: the binlog must be enabled and use the row-based format",
    verdicts: &[Verdict::Pass, Verdict::Fail],
    run: format,
};

pub(super) static BINLOG_ROW_IMAGE: Check = Check {
    id: "binlog-row-image",
    group: Group::Source,
    title: "the log holds whole rows",
    why: "with parts of rows, a table that has several unique keys may not catch up with its copy, and overwriting needs the whole row",
    remedy: "set binlog_row_image to FULL",
    rule: "failed check items, srcBinlogRowImageCheck; drs follows MINIMAL and NOBLOB, and stops where a row can't be completed",
    verdicts: &[Verdict::Pass, Verdict::Confirm],
    run: row_image,
};

pub(super) static BINLOG_ROW_VALUE_OPTIONS: Check = Check {
    id: "binlog-row-value-options",
    group: Group::Source,
    title: "partial JSON values can be completed",
    why: "a partial update of a document needs the document, at the destination or in the log",
    remedy: "set binlog_row_image to FULL, or binlog_row_value_options to ''",
    rule: "drs applies PARTIAL_JSON; while a table catches up with its copy it needs the document in the log",
    verdicts: &[Verdict::Pass, Verdict::Confirm],
    run: row_value_options,
};

pub(super) static BINLOG_COMPRESSION: Check = Check {
    id: "binlog-compression",
    group: Group::Source,
    title: "transactions in the log can be unpacked",
    why: "from 8.0.20 on a transaction may be compressed",
    remedy: "let the account read the source's variables",
    rule: "drs unpacks binlog_transaction_compression, so that either value passes",
    verdicts: &[Verdict::Pass, Verdict::Unknown],
    run: compression,
};

pub(super) static BINLOG_CHECKSUM: Check = Check {
    id: "binlog-checksum",
    group: Group::Source,
    title: "the log has checksums",
    why: "without them damage of the log or on its way is not noticed",
    remedy: "set binlog_checksum to CRC32",
    rule: "drs checks the CRC32 of every event that has one",
    verdicts: &[Verdict::Pass, Verdict::Confirm],
    run: checksum,
};

pub(super) static LOG_REPLICA_UPDATES: Check = Check {
    id: "log-replica-updates",
    group: Group::Source,
    title: "a source that is a replica logs what it replicates",
    why: "changes that it receives from its own source are else not in its log",
    remedy: "start the source with log_replica_updates",
    rule: "failed check items, srclogSlaveUpdatesCheck",
    verdicts: &[Verdict::Pass, Verdict::Fail],
    run: replica_updates,
};

fn log_bin(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let variables = facts.source.variables()?;
    let finding = match variables.is_on("log_bin") {
        Some(true) => Finding::pass("it does"),
        _ => Finding::fail("log_bin is OFF at the source").advice(
            "write log_bin and a server_id into the source's configuration file, and restart it",
        ),
    };
    Ok(vec![finding])
}

fn format(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let variables = facts.source.variables()?;
    if let Some(pass) = not_followed(facts) {
        return Ok(pass);
    }
    // A server without the variable knows no other format.
    let format = variables.text("binlog_format").unwrap_or("ROW");
    if format.eq_ignore_ascii_case("ROW") {
        return Ok(vec![Finding::pass("ROW")]);
    }
    let finding = Finding::fail(format!("binlog_format is {format} at the source"));
    Ok(vec![set(facts, finding, "binlog_format", "'ROW'")?.advice(
        "sessions that are connected keep the old format: end them, or restart the source",
    )])
}

fn row_image(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let variables = facts.source.variables()?;
    if let Some(pass) = not_followed(facts) {
        return Ok(pass);
    }
    let image = variables.text("binlog_row_image").unwrap_or("FULL");
    if image.eq_ignore_ascii_case("FULL") {
        return Ok(vec![Finding::pass("FULL")]);
    }
    let finding = Finding::confirm(format!("binlog_row_image is {image} at the source"));
    Ok(vec![
        set(facts, finding, "binlog_row_image", "'FULL'")?.advice(
            "sessions that are connected keep the old value: end them, or restart the source",
        ),
    ])
}

fn row_value_options(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let variables = facts.source.variables()?;
    if let Some(pass) = not_followed(facts) {
        return Ok(pass);
    }
    let partial = variables.words("binlog_row_value_options");
    let partial = partial.iter().any(|option| option == "PARTIAL_JSON");
    let image = variables.text("binlog_row_image").unwrap_or("FULL");
    let finding = match (partial, image.eq_ignore_ascii_case("FULL")) {
        (false, _) => Finding::pass("documents are logged as a whole"),
        (true, true) => Finding::pass("PARTIAL_JSON, with the document in the log"),
        (true, false) => {
            let finding = Finding::confirm(format!(
                "binlog_row_value_options is PARTIAL_JSON and binlog_row_image is {image} at the source"
            ));
            set(facts, finding, "binlog_row_value_options", "''")?
        }
    };
    Ok(vec![finding])
}

fn compression(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let variables = facts.source.variables()?;
    let is_on = variables.is_on("binlog_transaction_compression");
    Ok(vec![Finding::pass(match is_on {
        Some(true) => "transactions are compressed, and are unpacked",
        _ => "transactions are not compressed",
    })])
}

fn checksum(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let variables = facts.source.variables()?;
    if let Some(pass) = not_followed(facts) {
        return Ok(pass);
    }
    let checksum = variables.text("binlog_checksum").unwrap_or("NONE");
    if checksum.eq_ignore_ascii_case("CRC32") {
        return Ok(vec![Finding::pass("CRC32")]);
    }
    let finding = Finding::confirm(format!("binlog_checksum is {checksum} at the source"));
    Ok(vec![set(facts, finding, "binlog_checksum", "'CRC32'")?])
}

fn replica_updates(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let variables = facts.source.variables()?;
    if let Some(pass) = not_followed(facts) {
        return Ok(pass);
    }
    let is_on = ["log_replica_updates", "log_slave_updates"];
    let is_on = is_on.iter().any(|name| variables.is_on(name) == Some(true));
    if is_on {
        return Ok(vec![Finding::pass("ON")]);
    }
    let channels = facts.source.activity.channels.as_ref();
    let channels = channels.map_err(Clone::clone)?;
    if channels.is_empty() {
        return Ok(vec![Finding::pass("it is no replica")]);
    }
    let finding = Finding::fail(
        "the source is a replica, and what it replicates is not in its own log (log_replica_updates, before 8.0.26 log_slave_updates)",
    );
    Ok(vec![
        finding
            .about(channels.iter().map(|channel| &channel.source))
            .advice("restart the source with log_replica_updates = ON (before 8.0.26 log_slave_updates = ON), or take its source as the task's"),
    ])
}

/// Sets a variable of the source.
pub(super) fn set(
    facts: &Facts,
    finding: Finding,
    name: &str,
    value: &str,
) -> Result<Finding, Unread> {
    let version = facts.source.version()?;
    let finding = finding.sql(Role::Source, set_global(version, name, value));
    Ok(match keep_setting(version, name, value) {
        Some(advice) => finding.advice(advice),
        None => finding,
    })
}

/// What a check of the log comes to where there is nothing to follow.
pub(super) fn not_followed(facts: &Facts) -> Option<Vec<Finding>> {
    let follows = facts.task.mode().follows();
    (!follows).then(|| vec![Finding::pass("the task does not follow the log")])
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{
        checks::tests::Case,
        facts::{Channel, sample},
    };

    pub(in crate::checks) const CASES: &[Case] = &[
        Case::healthy("log-bin"),
        Case::of(
            "log-bin",
            Verdict::Fail,
            |facts| facts.source.set("log_bin", "OFF"),
            "restart",
        ),
        Case::healthy("binlog-format"),
        Case::of(
            "binlog-format",
            Verdict::Fail,
            |facts| facts.source.set("binlog_format", "MIXED"),
            "SET PERSIST binlog_format = 'ROW'",
        ),
        Case::of(
            "binlog-format",
            Verdict::Pass,
            |facts| facts.source.remove("binlog_format"),
            "ROW",
        ),
        Case::of(
            "binlog-format",
            Verdict::Pass,
            |facts| {
                facts.task = sample::task("full", "");
                facts.source.set("binlog_format", "MIXED");
            },
            "does not follow",
        ),
        Case::healthy("binlog-row-image"),
        Case::of(
            "binlog-row-image",
            Verdict::Confirm,
            |facts| {
                facts.source.set_version("5.6.24");
                facts.source.set("binlog_row_image", "MINIMAL");
            },
            "SET GLOBAL binlog_row_image = 'FULL'",
        ),
        Case::healthy("binlog-row-value-options"),
        Case::of(
            "binlog-row-value-options",
            Verdict::Pass,
            |facts| facts.source.set("binlog_row_value_options", "PARTIAL_JSON"),
            "with the document",
        ),
        Case::of(
            "binlog-row-value-options",
            Verdict::Confirm,
            |facts| {
                facts.source.set("binlog_row_value_options", "PARTIAL_JSON");
                facts.source.set("binlog_row_image", "MINIMAL");
            },
            "SET PERSIST binlog_row_value_options = ''",
        ),
        Case::healthy("binlog-compression"),
        Case::of(
            "binlog-compression",
            Verdict::Pass,
            |facts| facts.source.set("binlog_transaction_compression", "ON"),
            "are unpacked",
        ),
        Case::of(
            "binlog-compression",
            Verdict::Unknown,
            |facts| facts.source.variables = Err(Unread::new("not told")),
            "not told",
        ),
        Case::healthy("binlog-checksum"),
        Case::of(
            "binlog-checksum",
            Verdict::Confirm,
            |facts| facts.source.set("binlog_checksum", "NONE"),
            "SET PERSIST binlog_checksum = 'CRC32'",
        ),
        Case::healthy("log-replica-updates"),
        Case::of(
            "log-replica-updates",
            Verdict::Pass,
            |facts| facts.source.set("log_replica_updates", "OFF"),
            "no replica",
        ),
        Case::of(
            "log-replica-updates",
            Verdict::Fail,
            |facts| {
                facts.source.set("log_replica_updates", "OFF");
                facts.source.activity.channels = Ok(vec![Channel::sample()]);
            },
            "other.example:3306",
        ),
    ];
}
