use std::sync::{Arc, Mutex, PoisonError};

use hashbrown::HashMap;

use super::{FollowError, judge::table_of, statement::StatementJob};
use crate::{
    checkpoint::{CheckpointError, CheckpointStore, ColumnNamesChange},
    ddl::{self, LexContext, ObjectKind, Role, StatementKind},
    dialect::ServerVersion,
    object::{NameCase, TableName},
};

/// The names of the columns of the source's tables as of the stream's place, for logs that do not
/// tell them: as the copy saw them, or as the source has them when they are first needed, and
/// changed by each statement since.
pub(crate) struct ColumnNames {
    store: Arc<Mutex<CheckpointStore>>,
    /// How the source compares names.
    case: NameCase,
    destination: ServerVersion,
    tables: HashMap<TableName, Vec<String>>,
}

impl ColumnNames {
    /// Takes what the checkpoint knows.
    pub(crate) fn load(
        store: Arc<Mutex<CheckpointStore>>,
        case: NameCase,
        destination: ServerVersion,
    ) -> Result<Self, CheckpointError> {
        let known = store
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .column_names()?;
        Ok(Self {
            tables: known
                .into_iter()
                .map(|(table, names)| (table.folded(case), names))
                .collect(),
            store,
            case,
            destination,
        })
    }

    /// A table's columns, if they are known.
    pub(super) fn of(&self, table: &TableName) -> Option<&[String]> {
        self.tables.get(&table.folded(self.case)).map(Vec::as_slice)
    }

    /// Notes a table's columns, for the next run too.
    pub(super) fn note(&mut self, table: &TableName, names: &[String]) -> Result<(), FollowError> {
        if self.of(table) == Some(names) {
            return Ok(());
        }
        let table = table.folded(self.case);
        self.store
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .save_column_names(&[(table.clone(), Some(names.to_vec()))])?;
        self.tables.insert(table, names.to_vec());
        Ok(())
    }

    /// What a statement that has just run makes of what is known, to be written with its done mark;
    /// `made` is a table that it made, with its columns.
    pub(super) fn change(
        &mut self,
        job: &StatementJob,
        made: Option<(&TableName, Vec<String>)>,
    ) -> Vec<ColumnNamesChange> {
        let context = job.session.lex_context(self.destination);
        let mut changes = changes(job, &context, self.case, &self.tables);
        if let Some((table, names)) = made {
            let table = table.folded(self.case);
            changes.retain(|(other, _)| *other != table);
            changes.push((table, Some(names)));
        }
        for (table, names) in &changes {
            match names {
                Some(names) => _ = self.tables.insert(table.clone(), names.clone()),
                None => _ = self.tables.remove(table),
            }
        }
        changes
    }
}

fn changes(
    job: &StatementJob,
    context: &LexContext<'_>,
    case: NameCase,
    known: &HashMap<TableName, Vec<String>>,
) -> Vec<ColumnNamesChange> {
    let statement = &job.statement;
    let folded = |object| table_of(object).map(|table: TableName| table.folded(case));
    let mut now: HashMap<TableName, Option<Vec<String>>> = HashMap::new();
    match statement.kind {
        StatementKind::AlterTable => {
            let Some(table) = statement.objects.first().and_then(folded) else {
                return Vec::new();
            };
            let before = known.get(&table);
            let after = before.and_then(|before| ddl::columns_after(&job.text, context, before));
            now.insert(table, after);
        }
        StatementKind::CreateTable { .. } | StatementKind::DropTable { .. } => {
            for object in statement.changed() {
                now.extend(folded(object).map(|table| (table, None)));
            }
        }
        StatementKind::DropDatabase => {
            let databases = statement
                .changed()
                .filter(|object| {
                    object.kind == ObjectKind::Database && object.role == Role::Dropped
                })
                .filter_map(|object| super::route::database_name(&object.name))
                .map(|database| database.folded(case));
            for database in databases {
                let tables = known.keys().filter(|table| table.database == database);
                now.extend(tables.map(|table| (table.clone(), None)));
            }
        }
        _ => {}
    }
    for (from, to) in statement.renames() {
        if let (Some(from), Some(to)) = (folded(from), folded(to)) {
            let names = match now.remove(&from) {
                Some(names) => names,
                None => known.get(&from).cloned(),
            };
            now.insert(from, None);
            now.insert(to, names);
        }
    }
    now.into_iter()
        .filter(|(table, names)| known.get(table) != names.as_ref())
        .collect()
}
