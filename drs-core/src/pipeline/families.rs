//! Cascading foreign keys of a source that does not log what they change.

use std::collections::BTreeSet;

use mysql::{Conn, prelude::Queryable};

use super::{Objects, PipelineError, source::SourceFacts};
use crate::{
    dialect::ServerVersion,
    endpoint::Role,
    foreign_key::{self, ForeignKey},
    object::{NameCase, TableName},
    session::SessionError,
};

/// The selected tables that must be copied and followed together, as folded names.
///
/// A table that is not selected does not change at the destination, and so would not change those
/// that it is tied to.
pub(super) fn of_source(
    source: &mut Conn,
    facts: &SourceFacts,
    objects: &Objects,
) -> Result<Vec<BTreeSet<TableName>>, PipelineError> {
    let failed = |source| SessionError::Setup {
        role: Role::Source,
        source,
    };
    let mut keys = ForeignKey::load(source).map_err(failed)?;
    // Nobody asks for what happens to a child that is not selected.
    keys.retain(|key| objects.selection.matches(&key.child));
    fold(&mut keys, facts.name_case);
    let families = foreign_key::families(&keys);
    let tables: Vec<TableName> = families
        .iter()
        .flatten()
        .filter(|table| !objects.selection.matches(table))
        .cloned()
        .collect();
    match tables.is_empty() {
        true => Ok(families),
        false => Err(PipelineError::Cascades {
            version: facts.version,
            tables,
        }),
    }
}

/// Fails when the destination's tables, which this task does not create, cascade in another way
/// than the source's. With `copies`, those that are not there will be created.
pub(super) fn refuse_other(
    source: &mut Conn,
    destination: &mut Conn,
    objects: &Objects,
    (source_case, case): (NameCase, NameCase),
    copies: bool,
) -> Result<(), PipelineError> {
    let mut here = load_with_columns(source, Role::Source)?;
    here.retain(|key| objects.selection.matches(&key.child));
    fold(&mut here, source_case);
    for key in &mut here {
        key.child = objects.mapping.table(&key.child);
        key.parent = objects.mapping.table(&key.parent);
    }
    fold(&mut here, case);
    let mut there = load_with_columns(destination, Role::Destination)?;
    there.retain(|key| {
        let table = objects.mapping.source_of(&key.child, case);
        table.is_some_and(|table| objects.selection.matches(&table))
    });
    fold(&mut there, case);
    let cascading = |keys: Vec<ForeignKey>| -> BTreeSet<ForeignKey> {
        keys.into_iter().filter(ForeignKey::cascades).collect()
    };
    let (here, there) = (cascading(here), cascading(there));
    let missing = here.difference(&there).filter(|_| !copies);
    let tables: BTreeSet<TableName> = there
        .difference(&here)
        .chain(missing)
        .map(|key| key.child.clone())
        .collect();
    match tables.is_empty() {
        true => Ok(()),
        false => Err(PipelineError::OtherCascades {
            tables: tables.into_iter().collect(),
        }),
    }
}

/// True when the destination cascades as a source before 9.6 does: row by row, in InnoDB.
///
/// From 9.6 on the SQL layer does it, unless `innodb_native_foreign_keys` is ON. In 9.7 it leaves
/// grandchildren behind that InnoDB removes, and refuses chains that InnoDB carries out.
pub(super) fn cascades_natively(
    destination: &mut Conn,
    version: ServerVersion,
) -> Result<bool, PipelineError> {
    if !version.logs_cascades() {
        return Ok(true);
    }
    let row: Option<(String, String)> = destination
        .query_first("SHOW GLOBAL VARIABLES LIKE 'innodb_native_foreign_keys'")
        .map_err(|source| SessionError::Setup {
            role: Role::Destination,
            source,
        })?;
    Ok(row.is_some_and(|(_, value)| value.eq_ignore_ascii_case("ON")))
}

/// The foreign keys of a server, by what they do and not by their names.
fn load_with_columns(conn: &mut Conn, role: Role) -> Result<Vec<ForeignKey>, PipelineError> {
    let mut keys = ForeignKey::load_with_columns(conn)
        .map_err(|source| SessionError::Setup { role, source })?;
    for key in &mut keys {
        key.name.clear();
    }
    Ok(keys)
}

fn fold(keys: &mut [ForeignKey], case: NameCase) {
    for key in keys {
        key.child = key.child.folded(case);
        key.parent = key.parent.folded(case);
    }
}
