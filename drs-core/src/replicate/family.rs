//! Families of tables that cascading foreign keys tie together, of sources that do not log what
//! the keys cascade to.
//!
//! There the destination must cascade as the source did. So the changes of a family are made one
//! by one in the log's order, with foreign keys checked, and only once no copy of one of its tables
//! can hold anything newer: a parent's old change would cascade into rows whose own changes are
//! in the copy.

use std::{
    collections::BTreeSet,
    hash::{BuildHasher, Hasher},
};

use hashbrown::HashMap;

use super::{
    FollowError,
    copy_windows::Window,
    route::{Router, refused},
};
use crate::{
    checkpoint::TransactionId,
    object::{NameCase, TableName},
};

/// The families at the destination as of the stream's place.
#[derive(Default)]
pub(super) struct Families {
    families: Vec<Family>,
    /// By a table's folded name.
    of: HashMap<TableName, usize>,
}

struct Family {
    tables: BTreeSet<TableName>,
    hash: u64,
    /// All of its tables were found to be selected and strict.
    settled: bool,
}

impl Families {
    /// From sets of folded names.
    pub(super) fn new(sets: Vec<BTreeSet<TableName>>) -> Self {
        let mut families = Self::default();
        for tables in sets {
            let mut hasher = foldhash::fast::FixedState::with_seed(0x464b).build_hasher();
            for table in &tables {
                hasher.write(table.to_string().as_bytes());
            }
            for table in &tables {
                families.of.insert(table.clone(), families.families.len());
            }
            families.families.push(Family {
                tables,
                hash: hasher.finish(),
                settled: false,
            });
        }
        families
    }
}

impl Router {
    /// The hash that stands for the family of a table of the destination; `None` for one without.
    pub(super) fn family(
        &mut self,
        table: &TableName,
        id: &TransactionId,
    ) -> Result<Option<u64>, FollowError> {
        let case = self.destination_case();
        let families = self.families()?;
        if families.of.is_empty() {
            return Ok(None);
        }
        let folded = table.folded(case);
        let Some(family) = families
            .of
            .get(&folded)
            .and_then(|index| families.families.get(*index))
        else {
            return Ok(None);
        };
        let hash = family.hash;
        if !family.settled {
            let tables = family.tables.clone();
            self.settle(&folded, &tables, id)?;
        }
        Ok(Some(hash))
    }

    /// Fails unless all tables of a family are selected, and none of them catches up.
    fn settle(
        &mut self,
        table: &TableName,
        tables: &BTreeSet<TableName>,
        id: &TransactionId,
    ) -> Result<(), FollowError> {
        self.can_cascade(table, id)?;
        let case = self.destination_case();
        for member in tables {
            let source = self.selected_source(member, case);
            let Some(source) = source else {
                return Err(unselected(table, member, id));
            };
            self.refuse_rule(&source, id)?;
            if self.window(&source, id) != Window::Strict {
                return Err(other_point(table, std::slice::from_ref(&source), id));
            }
        }
        let families = self.families()?;
        if let Some(family) = families
            .of
            .get(table)
            .copied()
            .and_then(|index| families.families.get_mut(index))
        {
            family.settled = true;
        }
        Ok(())
    }

    /// Fails when a selected table is tied to one that is not: by its parent's changes alone that
    /// would not be seen. To be asked at the start, and after a statement has changed tables.
    pub(super) fn check_families(&mut self, id: &TransactionId) -> Result<(), FollowError> {
        if self.logs_cascades() {
            return Ok(());
        }
        let case = self.destination_case();
        let sets: Vec<_> = self
            .families()?
            .families
            .iter()
            .map(|family| family.tables.clone())
            .collect();
        for tables in sets {
            let ours = |table: &&TableName| self.selected_source(table, case).is_some();
            let Some(table) = tables.iter().find(ours) else {
                continue;
            };
            if let Some(member) = tables.iter().find(|table| !ours(table)) {
                return Err(unselected(table, member, id));
            }
            self.can_cascade(table, id)?;
            let sources: Vec<TableName> = tables
                .iter()
                .filter_map(|table| self.selected_source(table, case))
                .collect();
            let mut points = sources.iter().map(|source| self.copied_from(source));
            let first = points.next().flatten();
            if !points.all(|point| point == first) {
                return Err(other_point(table, &sources, id));
            }
            for source in &sources {
                self.refuse_rule(source, id)?;
            }
        }
        Ok(())
    }

    /// A row that a rule leaves out has children whose changes it can't leave out.
    fn refuse_rule(&self, source: &TableName, id: &TransactionId) -> Result<(), FollowError> {
        if !self.has_rule(source) {
            return Ok(());
        }
        Err(refused(
            id,
            &format!(
                "{source} has a rule, and foreign keys that cascade tie it to others or to itself: the source does not log \
                 what they change, so the rule can't be kept there; remove the rule, or drop the foreign keys"
            ),
        ))
    }

    fn can_cascade(&self, table: &TableName, id: &TransactionId) -> Result<(), FollowError> {
        if self.cascades_natively() {
            return Ok(());
        }
        Err(refused(
            id,
            &format!(
                "{table} has foreign keys that cascade, or is their parent; the source does not log what they change, and \
                 from MySQL 9.6 on a destination can't repeat it in all cases unless it is started with \
                 innodb_native_foreign_keys = ON"
            ),
        ))
    }

    fn selected_source(&self, destination: &TableName, case: NameCase) -> Option<TableName> {
        let source = self.mapping().source_of(destination, case)?;
        self.is_selected(&source).then_some(source)
    }
}

fn other_point(table: &TableName, members: &[TableName], id: &TransactionId) -> FollowError {
    let names: Vec<String> = members.iter().map(ToString::to_string).collect();
    refused(
        id,
        &format!(
            "foreign keys that cascade tie {table} to {}, and not all of them were copied at one point: what the source \
             does not log of them can't be told apart from what the copy holds; copy again under a new task name, \
             without DDL in the meantime",
            names.join(", ")
        ),
    )
}

fn unselected(table: &TableName, member: &TableName, id: &TransactionId) -> FollowError {
    refused(
        id,
        &format!(
            "at the destination foreign keys that cascade tie {table} to {member}, which this task does not write to, \
             and the source does not log what they change; select both, or drop the foreign keys"
        ),
    )
}
