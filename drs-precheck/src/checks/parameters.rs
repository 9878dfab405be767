//! Parameters of the one server against those of the other.
//!
//! The sessions that write rows set what counts for them, and those that repeat statements take
//! over the writer's settings. So most differences matter to applications alone, after the
//! switch-over, and are to be looked at; few of them can make a task go wrong.

use drs_core::Role;

use super::remedy::{set_global, text};
use crate::{
    Check, Facts, Finding, Group, Side, Unread, Verdict,
    facts::{Fact, TableKind},
};

const PASS_OR_CONFIRM: &[Verdict] = &[Verdict::Pass, Verdict::Confirm];

pub(super) static SERVER_CHARACTER_SET: Check = Check {
    id: "server-character-set",
    group: Group::Both,
    title: "both servers have the same default character set",
    why: "databases that are created after the switch-over without a character set get the destination's; what the task creates has the source's",
    remedy: "set character_set_server at the destination to what it is at the source",
    rule: "failed check items, dbCharacterSetConsistency",
    verdicts: PASS_OR_CONFIRM,
    run: |facts| compare(facts, &CHARACTER_SET),
};

pub(super) static SERVER_COLLATION: Check = Check {
    id: "server-collation",
    group: Group::Both,
    title: "both servers have the same default collation",
    why: "databases that are created after the switch-over without a collation get the destination's; what the task creates has the source's",
    remedy: "set collation_server at the destination to what it is at the source",
    rule: "failed check items, dbCollationServerConsistency",
    verdicts: PASS_OR_CONFIRM,
    run: |facts| compare(facts, &COLLATION),
};

pub(super) static TRANSACTION_ISOLATION: Check = Check {
    id: "transaction-isolation",
    group: Group::Both,
    title: "both servers have the same default isolation",
    why: "applications see other rows of transactions that run at the same time after the switch-over; the task sets its own",
    remedy: "set transaction_isolation at the destination to what it is at the source",
    rule: "failed check items, dbIsolationLevelConsistency",
    verdicts: PASS_OR_CONFIRM,
    run: |facts| compare(facts, &ISOLATION),
};

pub(super) static GROUP_CONCAT_MAX_LEN: Check = Check {
    id: "group-concat-max-len",
    group: Group::Both,
    title: "both servers cut GROUP_CONCAT at the same length",
    why: "views and applications get shorter texts if it is smaller at the destination",
    remedy: "set group_concat_max_len at the destination to what it is at the source",
    rule: "failed check items, group_concat_max_len",
    verdicts: PASS_OR_CONFIRM,
    run: |facts| compare(facts, &GROUP_CONCAT),
};

pub(super) static BLOCK_ENCRYPTION_MODE: Check = Check {
    id: "block-encryption-mode",
    group: Group::Both,
    title: "both servers encrypt in the same mode",
    why: "AES_DECRYPT with another mode does not give back what was encrypted at the source",
    remedy: "set block_encryption_mode at the destination to what it is at the source",
    rule: "the managed service's later manual, block_encryption_mode",
    verdicts: PASS_OR_CONFIRM,
    run: |facts| compare(facts, &ENCRYPTION_MODE),
};

pub(super) static DEFAULT_STORAGE_ENGINE: Check = Check {
    id: "default-storage-engine",
    group: Group::Both,
    title: "both servers create tables in the same engine",
    why: "a statement that creates a table without naming an engine is repeated, and makes another kind of table there; only InnoDB tables can be followed",
    remedy: "set default_storage_engine at the destination to what it is at the source",
    rule: "the binary log does not tell default_storage_engine",
    verdicts: PASS_OR_CONFIRM,
    run: |facts| compare(facts, &STORAGE_ENGINE),
};

pub(super) static DEFAULT_TABLE_ENCRYPTION: Check = Check {
    id: "default-table-encryption",
    group: Group::Both,
    title: "both servers encrypt new tables or none",
    why: "tables are encrypted or not as the destination's default says, and encrypting needs a keyring there",
    remedy: "set default_table_encryption at the destination to what it is at the source",
    rule: "MySQL 8.0.16, default_table_encryption",
    verdicts: PASS_OR_CONFIRM,
    run: |facts| compare(facts, &TABLE_ENCRYPTION),
};

pub(super) static INNODB_STRICT_MODE: Check = Check {
    id: "innodb-strict-mode",
    group: Group::Both,
    title: "the destination's InnoDB is not stricter than the source's",
    why: "a table whose options InnoDB ignores, such as ROW_FORMAT=FIXED, is refused with innodb_strict_mode, and the task stops",
    remedy: "turn innodb_strict_mode off at the destination while the task runs",
    rule: "failed check items, innodbStrictModeConsistency: a source without it and a destination with it",
    verdicts: PASS_OR_CONFIRM,
    run: innodb_strict_mode,
};

pub(super) static INNODB_PAGE_SIZE: Check = Check {
    id: "innodb-page-size",
    group: Group::Both,
    title: "the destination's InnoDB pages are not smaller than the source's",
    why: "smaller pages take shorter keys and rows, and a table that exceeds them can't be created",
    remedy: "a data folder made with the source's innodb_page_size",
    rule: "MySQL manual, InnoDB limits",
    verdicts: PASS_OR_CONFIRM,
    run: innodb_page_size,
};

pub(super) static EXPLICIT_DEFAULTS: Check = Check {
    id: "explicit-defaults-for-timestamp",
    group: Group::Both,
    title: "TIMESTAMP columns get the same defaults on both servers",
    why: "the task sets it for each statement that it repeats as it was at the source; a 5.6 destination takes it at its start only, and newer ones want a privilege for it",
    remedy: "set explicit_defaults_for_timestamp at the destination to what it is at the source, or grant SESSION_VARIABLES_ADMIN",
    rule: "MySQL manual, restricted session variables",
    verdicts: &[Verdict::Pass, Verdict::Confirm, Verdict::Fail],
    run: explicit_defaults,
};

/// A variable that is compared.
struct Setting {
    /// Its name, and the one that older servers have for it.
    names: &'static [&'static str],
    /// What a server does that does not have it.
    absent: Option<&'static str>,
    /// The value is one word, which is not quoted.
    is_word: bool,
}

const CHARACTER_SET: Setting = Setting::text(&["character_set_server"], None);
const COLLATION: Setting = Setting::text(&["collation_server"], None);
const ISOLATION: Setting = Setting::text(&["transaction_isolation", "tx_isolation"], None);
const ENCRYPTION_MODE: Setting = Setting::text(&["block_encryption_mode"], Some("aes-128-ecb"));
const STORAGE_ENGINE: Setting = Setting::text(&["default_storage_engine"], None);
const TABLE_ENCRYPTION: Setting = Setting::word(&["default_table_encryption"], Some("OFF"));
const GROUP_CONCAT: Setting = Setting::word(&["group_concat_max_len"], None);

impl Setting {
    const fn text(names: &'static [&'static str], absent: Option<&'static str>) -> Self {
        Self {
            names,
            absent,
            is_word: false,
        }
    }

    const fn word(names: &'static [&'static str], absent: Option<&'static str>) -> Self {
        Self {
            is_word: true,
            ..Self::text(names, absent)
        }
    }

    /// Its name at a server, and its value there.
    fn of<'a>(&self, side: &'a Side) -> Fact<(Option<&'static str>, &'a str)> {
        let variables = side.variables()?;
        let found = self
            .names
            .iter()
            .find_map(|name| Some((Some(*name), variables.text(name)?)));
        let name = self.names.first().copied().unwrap_or_default();
        found
            .or(self.absent.map(|value| (None, value)))
            .ok_or_else(|| Unread::new(format!("the {} does not have {name}", side.role)))
    }
}

fn compare(facts: &Facts, setting: &Setting) -> Result<Vec<Finding>, Unread> {
    let (name, here) = setting.of(&facts.source)?;
    let (settable, there) = setting.of(&facts.destination)?;
    let name = name.or(settable).unwrap_or_default();
    if plain(here) == plain(there) {
        return Ok(vec![Finding::pass(format!("{name} is {here} on both"))]);
    }
    let finding = Finding::confirm(format!(
        "{name} is {here} at the source and {there} at the destination"
    ));
    Ok(vec![match settable {
        Some(settable) => {
            let value = match setting.is_word {
                true => here.to_owned(),
                false => text(here),
            };
            let version = facts.destination.version()?;
            finding.sql(Role::Destination, set_global(version, settable, &value))
        }
        None => finding.advice(format!(
            "the destination is too old to have {name}: applications must not depend on it"
        )),
    }])
}

/// `utf8` is what older versions call `utf8mb3`.
pub(super) fn plain(value: &str) -> String {
    value.to_ascii_lowercase().replacen("utf8mb3", "utf8", 1)
}

fn innodb_strict_mode(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let strict = |side: &Side| -> Fact<bool> {
        Ok(side
            .variables()?
            .is_on("innodb_strict_mode")
            .unwrap_or(false))
    };
    if strict(&facts.source)? || !strict(&facts.destination)? {
        return Ok(vec![Finding::pass(
            "the destination takes every table that the source takes",
        )]);
    }
    let version = facts.destination.version()?;
    Ok(vec![
        Finding::confirm("innodb_strict_mode is OFF at the source and ON at the destination").sql(
            Role::Destination,
            set_global(version, "innodb_strict_mode", "OFF"),
        ),
    ])
}

fn innodb_page_size(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let size = |side: &Side| -> Fact<u64> {
        let size = side.variables()?.number("innodb_page_size");
        size.ok_or_else(|| Unread::new(format!("the {} does not tell innodb_page_size", side.role)))
    };
    let (here, there) = (size(&facts.source)?, size(&facts.destination)?);
    if there >= here {
        return Ok(vec![Finding::pass(format!(
            "innodb_page_size is {here} at the source and {there} at the destination"
        ))]);
    }
    Ok(vec![
        Finding::confirm(format!(
            "innodb_page_size is {here} at the source and {there} at the destination: long keys and rows do not fit"
        ))
        .advice(format!(
            "make the destination's data folder anew with --innodb-page-size={here}"
        )),
    ])
}

fn explicit_defaults(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    const NAME: &str = "explicit_defaults_for_timestamp";
    let on = |side: &Side| -> Fact<bool> { Ok(side.variables()?.is_on(NAME).unwrap_or(false)) };
    let word = |on: bool| if on { "ON" } else { "OFF" };
    let (here, there) = (on(&facts.source)?, on(&facts.destination)?);
    if here == there {
        return Ok(vec![Finding::pass(format!(
            "{NAME} is {} on both",
            word(here)
        ))]);
    }
    let differs = format!(
        "{NAME} is {} at the source and {} at the destination",
        word(here),
        word(there)
    );
    let version = facts.destination.version()?;
    let follows = facts.task.mode().follows();
    if !version.is_mysql_at_least(5, 7, 0) {
        let finding = match follows {
            true => Finding::fail(format!(
                "{differs}, where it can't be set for the statements that are repeated"
            )),
            false => Finding::confirm(differs),
        };
        return Ok(vec![finding.advice(format!(
            "start the destination with --explicit-defaults-for-timestamp={}",
            word(here)
        ))]);
    }
    let finding = match follows && !facts.destination.sets_restricted.clone()? {
        true => Finding::fail(format!(
            "{differs}, and the account may not set it for the statements that are repeated"
        )),
        false => Finding::confirm(differs),
    };
    Ok(vec![
        finding
            .sql(Role::Destination, set_global(version, NAME, word(here)))
            .advice("or grant SESSION_VARIABLES_ADMIN to the destination's account"),
    ])
}

/// True when a selected table is in this engine.
pub(super) fn selected_in(facts: &Facts, engine: &str) -> Fact<Vec<String>> {
    let tables = facts.source.tables.tables.as_ref().map_err(Clone::clone)?;
    let is_in = |named: &Option<String>| {
        named
            .as_ref()
            .is_some_and(|named| named.eq_ignore_ascii_case(engine))
    };
    Ok(tables
        .iter()
        .filter(|table| table.kind == TableKind::Base && is_in(&table.engine))
        .map(|table| table.name.to_string())
        .collect())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::checks::tests::Case;

    pub(in crate::checks) const CASES: &[Case] = &[
        Case::healthy("server-character-set"),
        Case {
            check: "server-character-set",
            verdict: Verdict::Confirm,
            change: |facts| facts.destination.set("character_set_server", "latin1"),
            says: "SET PERSIST character_set_server = 'utf8mb4'",
        },
        Case {
            check: "server-character-set",
            verdict: Verdict::Pass,
            change: |facts| {
                facts.source.set("character_set_server", "utf8");
                facts.destination.set("character_set_server", "utf8mb3");
            },
            says: "",
        },
        Case::healthy("server-collation"),
        Case {
            check: "server-collation",
            verdict: Verdict::Confirm,
            change: |facts| facts.source.set("collation_server", "utf8mb4_general_ci"),
            says: "SET PERSIST collation_server = 'utf8mb4_general_ci'",
        },
        Case::healthy("transaction-isolation"),
        Case {
            check: "transaction-isolation",
            verdict: Verdict::Confirm,
            change: |facts| {
                facts.source.set_version("5.6.51");
                facts.source.remove("transaction_isolation");
                facts.source.set("tx_isolation", "READ-COMMITTED");
            },
            says: "SET PERSIST transaction_isolation = 'READ-COMMITTED'",
        },
        Case {
            check: "transaction-isolation",
            verdict: Verdict::Unknown,
            change: |facts| facts.source.remove("transaction_isolation"),
            says: "",
        },
        Case::healthy("group-concat-max-len"),
        Case {
            check: "group-concat-max-len",
            verdict: Verdict::Confirm,
            change: |facts| facts.source.set("group_concat_max_len", "1000000"),
            says: "SET PERSIST group_concat_max_len = 1000000",
        },
        Case::healthy("block-encryption-mode"),
        Case {
            check: "block-encryption-mode",
            verdict: Verdict::Confirm,
            change: |facts| {
                facts
                    .destination
                    .set("block_encryption_mode", "aes-256-cbc")
            },
            says: "'aes-128-ecb'",
        },
        Case {
            check: "block-encryption-mode",
            verdict: Verdict::Confirm,
            change: |facts| {
                facts.source.set("block_encryption_mode", "aes-256-cbc");
                facts.destination.remove("block_encryption_mode");
            },
            says: "too old",
        },
        Case::healthy("default-storage-engine"),
        Case {
            check: "default-storage-engine",
            verdict: Verdict::Confirm,
            change: |facts| facts.destination.set("default_storage_engine", "MyISAM"),
            says: "SET PERSIST default_storage_engine = 'InnoDB'",
        },
        Case::healthy("default-table-encryption"),
        Case {
            check: "default-table-encryption",
            verdict: Verdict::Confirm,
            change: |facts| {
                facts.source.remove("default_table_encryption");
                facts.destination.set("default_table_encryption", "ON");
            },
            says: "SET PERSIST default_table_encryption = OFF",
        },
        Case::healthy("innodb-strict-mode"),
        Case {
            check: "innodb-strict-mode",
            verdict: Verdict::Confirm,
            change: |facts| facts.source.set("innodb_strict_mode", "OFF"),
            says: "SET PERSIST innodb_strict_mode = OFF",
        },
        Case {
            check: "innodb-strict-mode",
            verdict: Verdict::Pass,
            change: |facts| facts.destination.set("innodb_strict_mode", "OFF"),
            says: "",
        },
        Case::healthy("innodb-page-size"),
        Case {
            check: "innodb-page-size",
            verdict: Verdict::Confirm,
            change: |facts| facts.destination.set("innodb_page_size", "8192"),
            says: "--innodb-page-size=16384",
        },
        Case::healthy("explicit-defaults-for-timestamp"),
        Case {
            check: "explicit-defaults-for-timestamp",
            verdict: Verdict::Confirm,
            change: |facts| facts.source.set("explicit_defaults_for_timestamp", "OFF"),
            says: "SET PERSIST explicit_defaults_for_timestamp = OFF",
        },
        Case {
            check: "explicit-defaults-for-timestamp",
            verdict: Verdict::Fail,
            change: |facts| {
                facts.source.set("explicit_defaults_for_timestamp", "OFF");
                facts.destination.sets_restricted = Ok(false);
            },
            says: "SESSION_VARIABLES_ADMIN",
        },
        Case {
            check: "explicit-defaults-for-timestamp",
            verdict: Verdict::Fail,
            change: |facts| {
                facts.source.set("explicit_defaults_for_timestamp", "OFF");
                facts.destination.set_version("5.6.51");
            },
            says: "--explicit-defaults-for-timestamp=OFF",
        },
    ];
}
