//! A table of the source and the one that it goes to, made ready to be held against each other.

use std::{
    collections::BTreeSet,
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
};

use mysql::Conn;

use super::{
    CompareError, CompareLevel,
    canonical::{Counterparts, RowSum, incomparable, row_bytes, row_digest},
    repair::Repair,
};
use crate::{
    copy::{ChunkKey, CopiedColumns, CopyRules},
    dialect::ServerVersion,
    object::TableName,
    rule::{DmlKind, TableRule},
    schema::{Column, TableSchema},
    sql,
};

/// Both sides of a table.
#[derive(Debug)]
pub(super) struct TablePair {
    pub(super) level: CompareLevel,
    pub(super) source: Side,
    pub(super) destination: Side,
    /// Bytes of an average row, by the source's estimate.
    pub(super) bytes_per_row: u64,
    /// Differences of the definitions that keep columns from being compared.
    pub(super) structure: Vec<String>,
    /// What else is to be known about the result.
    pub(super) notes: Vec<String>,
    /// Changes that the task's rule leaves out, so that some differences are as they should be.
    pub(super) without: BTreeSet<DmlKind>,
    /// Rows of others are among the destination's, and nothing tells them apart.
    pub(super) has_rows_of_others: bool,
    /// Rows can be locked one by one.
    pub(super) locks_rows: bool,
    /// How the destination's rows would be repaired; `None` when that is not asked for.
    pub(super) repair: Option<Repair>,
}

impl TablePair {
    /// What must not change while the table is compared.
    pub(super) fn definition(&self) -> impl PartialEq + fmt::Debug + '_ {
        let side = |side: &Side| {
            let columns = side.columns.iter().map(|column| {
                let text = (column.charset.clone(), column.collation.clone());
                let name = (column.name.clone(), column.column_type.clone());
                (name, column.nullable, text)
            });
            let columns: Vec<_> = columns.collect();
            let key = side.key.as_ref().map(ChunkKey::column_names);
            (side.name.clone(), columns, key, side.condition.clone())
        };
        (
            side(&self.source),
            side(&self.destination),
            &self.structure,
            &self.notes,
        )
    }

    /// A number that is another one where the definitions, the rule or the depth are others.
    pub(super) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let rule = (&self.without, self.has_rows_of_others, self.level);
        format!("{:?} {rule:?}", self.definition()).hash(&mut hasher);
        hasher.finish()
    }
}

/// One server's table.
#[derive(Debug)]
pub(super) struct Side {
    pub(super) name: TableName,
    /// The compared columns, in the same order at both sides.
    pub(super) columns: Vec<Column>,
    /// Their counterparts at the other side.
    others: Vec<Column>,
    pub(super) tells_json_types: bool,
    /// The key that rows are found by; `None` for a keyless table.
    pub(super) key: Option<ChunkKey>,
    /// What tells the rows of this comparison from others in the table.
    pub(super) condition: Option<String>,
    level: CompareLevel,
    row_sum: RowSum,
    /// The servers are read at different moments of a source that is written to.
    is_live: bool,
}

/// Why there are not two tables to compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unpaired {
    /// The source has it no more.
    Gone,
    /// The destination does not have it.
    Absent,
}

/// What a pair is made from.
pub(super) struct Pairing<'a> {
    pub(super) level: CompareLevel,
    pub(super) rules: &'a CopyRules<'a>,
    pub(super) versions: [ServerVersion; 2],
    pub(super) bytes_per_row: u64,
    /// Other tasks write to the destination's table.
    pub(super) is_shared: bool,
    pub(super) repairs: bool,
    /// The servers are read at different moments of a source that is written to.
    pub(super) is_live: bool,
}

impl Pairing<'_> {
    /// Reads both definitions; the reason where there is nothing to compare.
    pub(super) fn pair(
        &self,
        [source_conn, destination_conn]: [&mut Conn; 2],
        source: &TableName,
        destination: &TableName,
    ) -> Result<Result<TablePair, Unpaired>, CompareError> {
        let Some(at_source) = TableSchema::load(source_conn, source)? else {
            return Ok(Err(Unpaired::Gone));
        };
        let Some(at_destination) = TableSchema::load(destination_conn, destination)? else {
            return Ok(Err(Unpaired::Absent));
        };
        let rule = self.rules.rules.of(source, self.rules.case);
        let condition = self.rules.condition(&at_source)?;
        let columns = match self.repairs {
            true => Some(CopiedColumns::of(
                &at_source,
                self.versions[0],
                rule.filter(|rule| rule.has_columns()),
            )?),
            false => None,
        };
        let mut pair = self.of(&at_source, &at_destination, rule, condition);
        let is_unique = pair.source.key.as_ref().is_none_or(|key| {
            let is_added = |name: &String| {
                rule.is_some_and(|rule| rule.added().iter().any(|own| own.name == *name))
            };
            let is_in_key = |name: &String| {
                let place = |own: &Column| key.columns().iter().any(|part| part.name == own.name);
                let names = pair.source.columns.iter().zip(&pair.destination.columns);
                let mut names = names.filter(|(own, _)| place(own));
                names.any(|(_, there)| there.name == *name)
            };
            at_destination.unique_keys.iter().any(|unique| {
                unique.parts.iter().all(|part| {
                    let column = part.column.and_then(|i| at_destination.columns.get(i));
                    column.is_some_and(|own| is_in_key(&own.name) || is_added(&own.name))
                })
            })
        });
        pair.repair = columns.map(|columns| Repair {
            is_unique,
            has_columns_of_others: at_destination.written_columns().any(|(_, column)| {
                let is_same = |name: &String| name.to_lowercase() == column.name.to_lowercase();
                let is_added = |rule: &TableRule| rule.added().iter().any(|own| is_same(&own.name));
                !columns.names().any(is_same) && !rule.is_some_and(is_added)
            }),
            columns,
        });
        Ok(Ok(pair))
    }

    fn of(
        &self,
        source: &TableSchema,
        destination: &TableSchema,
        rule: Option<&TableRule>,
        condition: Option<String>,
    ) -> TablePair {
        let (mut structure, mut notes) = (Vec::new(), Vec::new());
        let (mut own, mut others) = (Vec::new(), Vec::new());
        let mut known = BTreeSet::new();
        for column in &source.columns {
            let name = match rule {
                Some(rule) => rule.column(&column.name),
                None => Some(column.name.as_str()),
            };
            let quoted = sql::identifier(&column.name);
            let Some(name) = name else {
                notes.push(format!("column {quoted} is left out by the task's rule"));
                continue;
            };
            let there = destination.column_index(name);
            let Some((index, there)) =
                there.and_then(|index| Some((index, destination.columns.get(index)?)))
            else {
                structure.push(format!("column {quoted} is not at the destination"));
                continue;
            };
            known.insert(index);
            match incomparable(column, there) {
                Some(reason) => {
                    structure.push(format!("column {quoted} can't be compared: {reason}"));
                }
                None => {
                    own.push(column.clone());
                    others.push(there.clone());
                }
            }
        }
        let mut own_rows = None;
        if let Some(rule) = rule.filter(|rule| rule.has_columns()) {
            match rule.added_to(destination) {
                Ok(added) => own_rows = added.own_rows,
                Err(reasons) => structure.extend(reasons),
            }
        }
        for (index, column) in destination.columns.iter().enumerate() {
            if !known.contains(&index) {
                notes.push(format!(
                    "column {} is at the destination only",
                    sql::identifier(&column.name)
                ));
            }
        }
        let tells_json_types = self.versions.iter().all(|v| v.tells_json_types());
        if !tells_json_types && own.iter().any(|c| c.kind == crate::ColumnKind::Json) {
            structure.push(
                "the types inside of JSON documents can't be compared: one of the servers does not tell them"
                    .to_owned(),
            );
        }
        let key = ChunkKey::of(source);
        let key_there = key.as_ref().and_then(|key| {
            let columns: Option<Vec<Column>> = key
                .columns()
                .iter()
                .map(|column| {
                    let place = own.iter().position(|other| other.name == column.name)?;
                    others.get(place).cloned()
                })
                .collect();
            // A row without a key lies in no range, and would not be looked at: such a table is
            // compared as one without a key.
            let columns = columns.filter(|columns| columns.iter().all(|own| !own.nullable))?;
            let index = index_of(destination, &columns);
            Some(ChunkKey::with(index, columns))
        });
        // Without its counterpart a key finds nothing.
        let key = key.filter(|_| key_there.is_some());
        let has_bits = |version: &ServerVersion| version.is_mysql_at_least(8, 0, 0);
        let row_sum = match key.is_some() && self.versions.iter().all(has_bits) {
            true => RowSum::Bits,
            false => RowSum::Numbers,
        };
        let side = |name: &TableName, own: &[Column], others: &[Column], key, condition| Side {
            name: name.clone(),
            columns: own.to_vec(),
            others: others.to_vec(),
            tells_json_types,
            key,
            condition,
            level: self.level,
            row_sum,
            is_live: self.is_live,
        };
        let has_rows_of_others = self.is_shared && own_rows.is_none();
        TablePair {
            level: self.level,
            has_rows_of_others,
            locks_rows: source.engine.eq_ignore_ascii_case("innodb"),
            source: side(&source.name, &own, &others, key, condition),
            destination: side(
                &destination.name,
                &others,
                &own,
                key_there,
                own_rows.filter(|_| self.is_shared),
            ),
            bytes_per_row: self.bytes_per_row.max(1),
            repair: None,
            structure,
            notes,
            without: rule.map(|rule| rule.without.clone()).unwrap_or_default(),
        }
    }
}

/// The destination's unique key that has these columns at its start, so that ranges follow it.
fn index_of(schema: &TableSchema, columns: &[Column]) -> Option<String> {
    let is_key = |parts: &[crate::KeyPart]| {
        parts.len() >= columns.len()
            && parts.iter().zip(columns).all(|(part, column)| {
                part.prefix.is_none()
                    && part
                        .column
                        .and_then(|index| schema.columns.get(index))
                        .is_some_and(|own| own.name == column.name)
            })
    };
    let key = schema.unique_keys.iter().find(|key| is_key(&key.parts))?;
    Some(key.name.clone())
}

impl Side {
    /// The bytes of a row; `None` where only the number of rows counts.
    pub(super) fn row_bytes(&self) -> Option<String> {
        let columns = self.columns.iter().zip(&self.others);
        (self.level == CompareLevel::Values)
            .then(|| row_bytes(columns.map(|(own, other)| self.counterparts(own, other))))
    }

    /// The bytes of one column's value.
    pub(super) fn value_bytes(&self, index: usize) -> Option<String> {
        let (own, other) = (self.columns.get(index)?, self.others.get(index)?);
        Some(row_bytes(std::iter::once(self.counterparts(own, other))))
    }

    /// What is summed up over a range.
    ///
    /// Where rows are counted it is their keys: as many rows are not the same rows, and the same
    /// number at two moments proves nothing. Nor does it of a keyless table that is written to.
    pub(super) fn sum(&self) -> String {
        let columns = self.columns.iter().zip(&self.others);
        let all = columns.map(|(own, other)| self.counterparts(own, other));
        let is_in_key = |column: &Counterparts<'_>| match &self.key {
            Some(key) => key.columns().iter().any(|own| own.name == column.own.name),
            None => self.is_live,
        };
        let bytes = match self.level {
            CompareLevel::Values => row_bytes(all),
            CompareLevel::Count => row_bytes(all.filter(is_in_key)),
        };
        self.row_sum.of(&bytes)
    }

    fn counterparts<'a>(&self, own: &'a Column, other: &'a Column) -> Counterparts<'a> {
        Counterparts {
            own,
            other,
            tells_json_types: self.tells_json_types,
        }
    }

    /// What tells two rows with the same key apart.
    pub(super) fn digest(&self) -> String {
        self.row_bytes()
            .map_or_else(|| "''".to_owned(), |bytes| row_digest(&bytes))
    }

    /// `` `database`.`table` `` with the hint that has reads follow the key.
    pub(super) fn from(&self) -> String {
        let hint = self
            .key
            .as_ref()
            .map_or_else(String::new, ChunkKey::index_hint);
        format!("{} {hint}", sql::table(&self.name))
    }

    /// Adds what tells the rows of this comparison to a condition, which begins with WHERE or is
    /// empty.
    pub(super) fn narrowed(&self, condition: String) -> String {
        match &self.condition {
            None => condition,
            Some(own) if condition.is_empty() => format!(" WHERE ({own})"),
            Some(own) => format!("{condition} AND ({own})"),
        }
    }
}
