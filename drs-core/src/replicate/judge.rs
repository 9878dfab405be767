//! What a statement of the log means for the destination, by its kind and names.

use super::{followed::Followed, route::database_name};
use crate::{
    checkpoint::TableChange,
    ddl::{ColumnSource, Names, ObjectKind, ObjectName, Repeat, Role, Statement, StatementKind},
    object::{Selection, TableName},
};

/// What is done with a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It changes nothing by itself, or nothing that is followed.
    Nothing,
    /// Not replicated by kind; counted.
    LeftOut(LeftOut),
    /// It is on a database as a whole, and runs at the destination.
    RunOnDatabase,
    /// It makes, changes or removes followed tables.
    Concerns(Concern),
    /// The task stops; why.
    Refuse(String),
}

/// Statements that are not replicated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LeftOut {
    View,
    Routine,
    Trigger,
    Event,
    Account,
    Maintenance,
    DropDatabase,
    Other,
}

/// What a statement does to followed tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Concern {
    /// The followed tables that it makes, changes or removes.
    pub(crate) tables: Vec<TableName>,
    /// What becomes of them, as far as it is more than a change of structure.
    pub(crate) changes: Vec<TableChange>,
    /// Why it can't be run at the destination. No matter where the copy holds its effect.
    pub(crate) obstacle: Option<String>,
    /// The statement for the followed tables alone; `None` when it names no others.
    pub(crate) part: Option<String>,
    /// The table whose definition it takes.
    pub(crate) like: Option<TableName>,
}

/// Decides what a statement of the log means for the destination.
pub(crate) fn judge(
    statement: &Statement,
    followed: &Followed,
    filter_drop_database: bool,
    behind_rows: bool,
) -> Verdict {
    let selection = followed.selection();
    match &statement.kind {
        StatementKind::RollbackTo(_) if behind_rows => Verdict::Refuse(
            "it rolls back to a savepoint after changing selected tables in the log: what is left of the changes can't be told"
                .into(),
        ),
        kind if kind.is_transaction_control() => Verdict::Nothing,
        StatementKind::Empty => Verdict::Nothing,
        StatementKind::Dml(kind) => judge_dml(statement, followed, &format!("{kind:?}").to_uppercase()),
        // Temporary tables belong to a session of the source; their rows are never in a row-format log.
        StatementKind::CreateTable { temporary: true, .. } | StatementKind::DropTable { temporary: true } => {
            Verdict::Nothing
        }
        kind if kind.is_table_ddl() => judge_table_ddl(statement, followed),
        kind if kind.is_database_ddl() => judge_database_ddl(statement, selection, filter_drop_database),
        StatementKind::Program(..) => judge_program(statement, selection),
        StatementKind::Account => Verdict::LeftOut(LeftOut::Account),
        StatementKind::Maintenance => judge_maintenance(statement, followed),
        StatementKind::Other(_) => Verdict::LeftOut(LeftOut::Other),
        StatementKind::Unknown { reason } => Verdict::Refuse(format!(
            "it holds a statement that drs does not recognise ({reason}), which may change a selected table"
        )),
        _ => Verdict::Refuse("it holds a statement of a kind that drs does not know".into()),
    }
}

fn judge_dml(statement: &Statement, followed: &Followed, kind: &str) -> Verdict {
    let touched: Vec<TableName> = statement
        .changed()
        .filter_map(table_of)
        .filter(|table| followed.contains(table))
        .collect();
    if statement.names != Names::Unknown && touched.is_empty() {
        return Verdict::Nothing;
    }
    let table = touched
        .first()
        .map_or_else(String::new, |table| format!(" on {table}"));
    Verdict::Refuse(format!(
        "it holds an {kind} statement{table} in statement format; set binlog_format=ROW at the source, \
         for sessions that are already connected too"
    ))
}

/// Views, routines, triggers and events are told of where something of their database is selected.
fn judge_program(statement: &Statement, selection: &Selection) -> Verdict {
    let kind = statement.objects.first().map(|object| object.kind);
    let is_elsewhere = |object: &ObjectName| {
        object
            .database
            .as_deref()
            .and_then(database_name)
            .is_some_and(|database| !selection.may_match_in(&database))
    };
    if !statement.objects.is_empty() && statement.objects.iter().all(is_elsewhere) {
        return Verdict::Nothing;
    }
    Verdict::LeftOut(match kind {
        Some(ObjectKind::View) => LeftOut::View,
        Some(ObjectKind::Procedure | ObjectKind::Function) => LeftOut::Routine,
        Some(ObjectKind::Trigger) => LeftOut::Trigger,
        Some(ObjectKind::Event) => LeftOut::Event,
        _ => LeftOut::Other,
    })
}

fn judge_maintenance(statement: &Statement, followed: &Followed) -> Verdict {
    let is_elsewhere =
        |object: &ObjectName| table_of(object).is_some_and(|table| !followed.contains(&table));
    if !statement.objects.is_empty() && statement.objects.iter().all(is_elsewhere) {
        return Verdict::Nothing;
    }
    Verdict::LeftOut(LeftOut::Maintenance)
}

fn judge_table_ddl(statement: &Statement, followed: &Followed) -> Verdict {
    if statement.names == Names::Unknown {
        return Verdict::Refuse("it holds a DDL statement whose tables can't be told".into());
    }
    let changed: Option<Vec<(Role, TableName)>> = statement
        .changed()
        .map(|object| Some((object.role, table_of(object)?)))
        .collect();
    let Some(changed) = changed else {
        return Verdict::Refuse(
            "it holds a DDL statement with a table name that can't be read".into(),
        );
    };
    let mut concern = match &statement.kind {
        StatementKind::DropTable { .. } => dropped(statement, &changed, followed),
        _ if statement.renames().next().is_some() => renamed(statement, &changed, followed),
        StatementKind::CreateTable { .. } => created(statement, changed, followed),
        _ => changed_together(changed, followed),
    };
    if concern.tables.is_empty() {
        return Verdict::Nothing;
    }
    if statement.leaves_out_code {
        concern.obstacle.get_or_insert(
            "a DDL statement has a version comment that the destination would leave out".into(),
        );
    }
    Verdict::Concerns(concern)
}

/// A table is dropped alone as well as with others.
fn dropped(statement: &Statement, changed: &[(Role, TableName)], followed: &Followed) -> Concern {
    let tables: Vec<TableName> = changed
        .iter()
        .map(|(_, table)| table)
        .filter(|table| followed.contains(table))
        .cloned()
        .collect();
    let part = (tables.len() < changed.len()).then(|| drop_statement(&tables, statement.repeat));
    Concern {
        changes: tables.iter().cloned().map(TableChange::Dropped).collect(),
        part,
        tables,
        ..Concern::default()
    }
}

/// `DROP TABLE` of these tables alone.
pub(super) fn drop_statement(tables: &[TableName], repeat: Repeat) -> String {
    let names: Vec<String> = tables.iter().map(ToString::to_string).collect();
    let keyword = match repeat {
        Repeat::Repeatable => "DROP TABLE IF EXISTS",
        _ => "DROP TABLE",
    };
    format!("{keyword} {}", names.join(", "))
}

fn created(statement: &Statement, changed: Vec<(Role, TableName)>, followed: &Followed) -> Concern {
    let (columns, start_transaction) = match &statement.kind {
        StatementKind::CreateTable {
            columns,
            start_transaction,
            ..
        } => (*columns, *start_transaction),
        _ => return Concern::default(),
    };
    let Some((_, table)) = changed
        .into_iter()
        .next()
        .filter(|(_, table)| followed.takes(table))
    else {
        return Concern::default();
    };
    let like = statement
        .objects
        .iter()
        .find(|object| object.role == Role::LikeSource)
        .and_then(table_of);
    let obstacle = if columns == ColumnSource::Query && start_transaction.is_none() {
        Some("CREATE TABLE … SELECT is in the log as one statement, which would read the destination's tables".into())
    } else {
        like.as_ref()
            .filter(|like| !followed.contains(like))
            .map(|like| format!("CREATE TABLE … LIKE names {like}, which is not selected"))
    };
    let is_new = statement.repeat != Repeat::Repeatable;
    // A companion that can't be followed from its first moment on is none. With IF NOT EXISTS
    // nothing tells whether it was there before.
    if !followed.selection().matches(&table) && (obstacle.is_some() || !is_new) {
        return Concern::default();
    }
    Concern {
        changes: is_new
            .then(|| TableChange::Created(table.clone()))
            .into_iter()
            .collect(),
        tables: vec![table],
        obstacle,
        part: None,
        like,
    }
}

/// Renames are judged by what they come to as a whole: a name that a table has only in between
/// does not matter.
fn renamed(statement: &Statement, changed: &[(Role, TableName)], followed: &Followed) -> Concern {
    let pairs: Vec<(TableName, TableName)> = changed
        .chunks_exact(2)
        .filter_map(|pair| match pair {
            [(Role::RenamedFrom, from), (Role::RenamedTo, to)] => Some((from.clone(), to.clone())),
            _ => None,
        })
        .collect();
    if pairs.len() * 2 != changed.len() {
        // ALTER TABLE … RENAME with an exchanged partition, which MySQL does not allow.
        let mut concern = changed_together(changed.to_vec(), followed);
        concern
            .obstacle
            .get_or_insert("its renames can't be told apart".into());
        return concern;
    }
    // The first name of each table, the present one, and the pairs that made it so.
    let mut chains: Vec<(TableName, TableName, Vec<usize>)> = Vec::new();
    for (index, (from, to)) in pairs.iter().enumerate() {
        match chains.iter_mut().find(|(_, now, _)| now == from) {
            Some((_, now, steps)) => {
                *now = to.clone();
                steps.push(index);
            }
            None => chains.push((from.clone(), to.clone(), vec![index])),
        }
    }
    let mut concern = Concern::default();
    let mut kept: Vec<usize> = Vec::new();
    for (from, to, steps) in chains {
        match (followed.contains(&from), followed.takes(&to)) {
            (false, false) => continue,
            // A companion's name is given to a table that is not followed.
            (false, true) if !followed.selection().matches(&to) => continue,
            (true, true) => kept.extend(steps),
            (true, false) => {
                concern.obstacle.get_or_insert_with(|| {
                    format!(
                        "it renames {from} to {to}, which is not selected: whether its changes are still wanted can't be \
                         told; begin a new task that selects what is wanted"
                    )
                });
            }
            (false, true) => {
                let hint = if super::followed::is_companion(&from, followed.selection()) {
                    "it was made before the task began to follow: begin a new task, which copies the table"
                } else {
                    "begin a new task, which copies it, or select both names from the start"
                };
                concern.obstacle.get_or_insert_with(|| {
                    format!("it gives the name of the selected table {to} to {from}, whose rows are not at the destination; {hint}")
                });
            }
        }
        let named = [
            followed.contains(&from).then_some(from),
            followed.takes(&to).then_some(to),
        ];
        for table in named.into_iter().flatten() {
            if !concern.tables.contains(&table) {
                concern.tables.push(table);
            }
        }
    }
    if concern.obstacle.is_none() {
        kept.sort_unstable();
        let kept: Vec<&(TableName, TableName)> =
            kept.iter().filter_map(|index| pairs.get(*index)).collect();
        if kept.len() < pairs.len() && !kept.is_empty() {
            let list: Vec<String> = kept
                .iter()
                .map(|(from, to)| format!("{from} TO {to}"))
                .collect();
            concern.part = Some(format!("RENAME TABLE {}", list.join(", ")));
        }
        concern.changes = kept
            .into_iter()
            .map(|(from, to)| TableChange::Renamed {
                from: from.clone(),
                to: to.clone(),
                is_companion: !followed.selection().matches(to),
            })
            .collect();
    }
    if statement.kind == StatementKind::AlterTable && concern.part.is_some() {
        concern
            .obstacle
            .get_or_insert("it alters and renames what can't be split".into());
    }
    concern
}

/// Tables that are changed by one statement and not apart from each other: an exchanged partition.
fn changed_together(changed: Vec<(Role, TableName)>, followed: &Followed) -> Concern {
    let (tables, others): (Vec<TableName>, Vec<TableName>) = changed
        .into_iter()
        .map(|(_, table)| table)
        .partition(|table| followed.contains(table));
    let obstacle = tables.first().zip(others.first()).map(|(table, other)| {
        format!(
            "a DDL statement changes {table} together with {other}, which is not selected; run its part by hand at the \
             destination, or select both"
        )
    });
    Concern {
        tables,
        obstacle,
        ..Concern::default()
    }
}

fn judge_database_ddl(
    statement: &Statement,
    selection: &Selection,
    filter_drop_database: bool,
) -> Verdict {
    let mut concerned = false;
    for object in statement.changed() {
        let Some(database) = database_name(&object.name) else {
            return Verdict::Refuse(
                "it holds a statement on a database whose name can't be read".into(),
            );
        };
        concerned |= selection.is_database_level(&database);
        if statement.kind == StatementKind::DropDatabase
            && !selection.is_database_level(&database)
            && selection.may_match_in(&database)
        {
            return if filter_drop_database {
                Verdict::LeftOut(LeftOut::DropDatabase)
            } else {
                Verdict::Refuse(format!(
                    "it drops the database {database}, of which only some tables are selected"
                ))
            };
        }
    }
    match (concerned, &statement.kind) {
        (false, _) => Verdict::Nothing,
        (true, StatementKind::DropDatabase) if filter_drop_database => {
            Verdict::LeftOut(LeftOut::DropDatabase)
        }
        (true, _) => Verdict::RunOnDatabase,
    }
}

pub(super) fn table_of(object: &ObjectName) -> Option<TableName> {
    TableName::new(object.database.as_deref()?, &object.name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        checkpoint::TableRecord,
        ddl::{LexContext, SqlMode, classify},
        dialect::{Flavor, ServerVersion},
    };

    /// A verdict in short: the tables, the statement for them alone, and the obstacle's first words.
    fn said(text: &str) -> String {
        let selection = Selection::new(&["d.a", "d.b", "e"], &[]).unwrap();
        let ghost = TableRecord::pending(TableName::new("d", "_b_gho").unwrap());
        let followed = Followed::new(selection, &[ghost]);
        let version = ServerVersion {
            flavor: Flavor::MySql,
            number: (9, 7, 0),
        };
        let context = LexContext::new(45, SqlMode(0), version, version, Some("d"));
        match judge(&classify(text.as_bytes(), &context), &followed, true, false) {
            Verdict::Concerns(concern) => {
                let tables: Vec<String> = concern.tables.iter().map(|t| t.table.clone()).collect();
                let mut said = tables.join(" ");
                if let Some(part) = concern.part {
                    said += &format!(" | {part}");
                }
                if let Some(obstacle) = concern.obstacle {
                    let words: Vec<&str> = obstacle.split(' ').take(4).collect();
                    said += &format!(" ! {}", words.join(" "));
                }
                said
            }
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn statements_on_some_of_the_tables() {
        for (text, expected) in [
            ("DROP TABLE a", "a"),
            ("DROP TABLE a, b", "a b"),
            ("DROP TABLE x, a, `y`", "a | DROP TABLE `d`.`a`"),
            (
                "DROP TABLE IF EXISTS x, e.t, a CASCADE",
                "t a | DROP TABLE IF EXISTS `e`.`t`, `d`.`a`",
            ),
            ("DROP TABLE x, y", "Nothing"),
            ("DROP TABLE _a_del", "Nothing"),
            ("DROP TABLE _b_gho", "_b_gho"),
            ("RENAME TABLE a TO b", "a b"),
            ("RENAME TABLE x TO y", "Nothing"),
            ("RENAME TABLE a TO x", "a ! it renames `d`.`a` to"),
            ("RENAME TABLE x TO a", "a ! it gives the name"),
            ("RENAME TABLE a TO x, b TO a, x TO b", "a b"),
            (
                "RENAME TABLE x TO y, a TO e.a, v TO x",
                "a a | RENAME TABLE `d`.`a` TO `e`.`a`",
            ),
            (
                "RENAME TABLE a TO tmp, x TO y, b TO a, tmp TO b",
                "a b | RENAME TABLE `d`.`a` TO `d`.`tmp`, `d`.`b` TO `d`.`a`, `d`.`tmp` TO `d`.`b`",
            ),
            ("RENAME TABLE b TO _b_del, _b_gho TO b", "b _b_del _b_gho"),
            (
                "RENAME TABLE a TO _a_del, _a_gho TO a",
                "a _a_del ! it gives the name",
            ),
            ("RENAME TABLE x TO _a_gho", "Nothing"),
            ("RENAME TABLE _b_gho TO _b_old", "_b_gho _b_old"),
            (
                "RENAME TABLE _b_gho TO x",
                "_b_gho ! it renames `d`.`_b_gho` to",
            ),
            ("ALTER TABLE a RENAME TO e.x, ADD c INT", "a x"),
            ("ALTER TABLE a RENAME x", "a ! it renames `d`.`a` to"),
            ("ALTER TABLE a EXCHANGE PARTITION p WITH TABLE b", "a b"),
            (
                "ALTER TABLE a EXCHANGE PARTITION p WITH TABLE x",
                "a ! a DDL statement changes",
            ),
            (
                "ALTER TABLE x EXCHANGE PARTITION p WITH TABLE a",
                "a ! a DDL statement changes",
            ),
            ("CREATE TABLE _a_new (id INT)", "_a_new"),
            ("CREATE TABLE IF NOT EXISTS _a_new (id INT)", "Nothing"),
            ("CREATE TABLE _a_gho LIKE a", "_a_gho"),
            ("CREATE TABLE _a_gho LIKE x", "Nothing"),
            ("CREATE TABLE _a_new SELECT * FROM x", "Nothing"),
            ("CREATE TABLE e.t LIKE x", "t ! CREATE TABLE … LIKE"),
            ("CREATE TABLE e.t SELECT 1", "t ! CREATE TABLE … SELECT"),
            ("CREATE TABLE e.t (a INT) START TRANSACTION", "t"),
            ("CREATE TABLE _x_gho LIKE a", "Nothing"),
            ("ALTER TABLE _b_gho ADD c INT", "_b_gho"),
            ("ALTER TABLE _a_gho ADD c INT", "Nothing"),
            ("CREATE VIEW e.v AS SELECT 1", "LeftOut(View)"),
            ("CREATE VIEW x.v AS SELECT 1", "Nothing"),
            ("DROP FUNCTION e.f", "LeftOut(Routine)"),
            (
                "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET @x = 1",
                "LeftOut(Trigger)",
            ),
            ("GRANT ALL ON *.* TO u", "LeftOut(Account)"),
            ("OPTIMIZE TABLE a, x", "LeftOut(Maintenance)"),
            ("OPTIMIZE TABLE x", "Nothing"),
            ("FLUSH TABLES", "LeftOut(Maintenance)"),
            ("DROP DATABASE e", "LeftOut(DropDatabase)"),
            ("DROP DATABASE x", "Nothing"),
            ("CREATE DATABASE e", "RunOnDatabase"),
        ] {
            assert_eq!(said(text), expected, "{text}");
        }
    }
}
