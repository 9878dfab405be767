//! The selected tables beside what is in their places at the destination.

use std::collections::{BTreeMap, BTreeSet};

use drs_core::{
    ColumnKind, KeyPart, SchemaError, TableName, TablePhase, TableSchema, UniqueKey,
    status::TaskStatus,
};

use super::{Fact, Facts, Over, Side, Table, TableKind};

/// A selected table, and what is in its place at the destination.
#[derive(Clone, Debug)]
pub struct Pair<'a> {
    /// The table at the source.
    pub source: &'a Table,
    /// Its name at the destination, by the mapping.
    pub name: TableName,
    /// What has this name there.
    pub there: Option<&'a Table>,
}

impl Facts {
    /// What the destination has of this task; `None` when it has not begun, or can't be seen.
    pub fn begun(&self) -> Option<&TaskStatus> {
        self.destination.previous.own.as_ref().ok()?.as_ref()
    }

    /// The selected tables beside what has their names at the destination.
    pub fn pairs(&self) -> Fact<Vec<Pair<'_>>> {
        let case = self.destination.name_case();
        let tables = self.destination.tables.tables.as_ref();
        let there: BTreeMap<TableName, &Table> = tables
            .map_err(Clone::clone)?
            .iter()
            .map(|table| (table.name.folded(case), table))
            .collect();
        let pairs = self.mapped()?.into_iter().map(|(source, name)| Pair {
            there: there.get(&name.folded(case)).copied(),
            source,
            name,
        });
        Ok(pairs.collect())
    }

    /// Those of them that the task has not begun with. The others may differ for a while, because
    /// statements of the source's log are still to come.
    pub fn pairs_to_begin(&self) -> Fact<Vec<Pair<'_>>> {
        let mut pairs = self.pairs()?;
        if let Some(status) = self.begun() {
            let pending: BTreeSet<&TableName> = status
                .tables
                .iter()
                .filter(|record| record.phase == TablePhase::Pending)
                .map(|record| &record.table)
                .collect();
            pairs.retain(|pair| pending.contains(&pair.source.name));
        }
        Ok(pairs)
    }
}

impl Side {
    /// The definition of one of its tables, as the engine reads it.
    pub fn schema(&self, table: &Table) -> Fact<Result<TableSchema, SchemaError>> {
        let columns = self.tables.columns.as_ref().map_err(Clone::clone)?;
        let indexes = self.tables.indexes.as_ref().map_err(Clone::clone)?;
        let columns = columns.get(&table.name).map_or(&[][..], Vec::as_slice);
        let indexes = indexes.get(&table.name).map_or(&[][..], Vec::as_slice);
        let schema = columns
            .iter()
            .map(|column| {
                let kind =
                    ColumnKind::of(&column.data_type).ok_or_else(|| SchemaError::UnknownType {
                        table: table.name.clone(),
                        column: column.name.clone(),
                        data_type: column.data_type.clone(),
                    })?;
                Ok(drs_core::Column {
                    name: column.name.clone(),
                    kind,
                    unsigned: column.kind.to_ascii_lowercase().contains("unsigned"),
                    column_type: column.kind.clone(),
                    nullable: column.is_nullable,
                    charset: column.charset.clone(),
                    collation: column.collation.clone(),
                    bytes_max: None,
                    generated: column.generated.is_some(),
                    has_default: column.is_nullable
                        || column.generated.is_some()
                        || column.default.is_some()
                        || column.is_auto_increment,
                })
            })
            .collect::<Result<Vec<_>, SchemaError>>()
            .map(|kept| {
                let keys = indexes.iter().filter(|index| index.is_unique);
                let keys = keys.map(|index| UniqueKey {
                    name: index.name.clone(),
                    parts: index
                        .parts
                        .iter()
                        .map(|part| KeyPart {
                            column: match &part.over {
                                Over::Column(name) => {
                                    kept.iter().position(|column| column.name == *name)
                                }
                                Over::Expression(_) => None,
                            },
                            prefix: part.prefix,
                        })
                        .collect(),
                });
                let keys = keys.collect();
                let engine = table.engine.clone().unwrap_or_default();
                TableSchema::new(table.name.clone(), engine, kept, keys)
            });
        Ok(schema)
    }
}

impl<'a> Pair<'a> {
    /// The table in its place, if it is a table and not a view.
    pub fn base(&self) -> Option<&'a Table> {
        self.there.filter(|table| table.kind == TableKind::Base)
    }
}
