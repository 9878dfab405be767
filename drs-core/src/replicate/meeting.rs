//! How a statement on tables and the copies of these tables meet.

use super::{
    copy_windows::Window,
    judge::{Concern, drop_statement},
};
use crate::{
    checkpoint::TableChange,
    ddl::{Repeat, Statement, StatementKind},
    object::{Selection, TableName},
};

/// What is done with a statement, given where the copies of its tables stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meeting {
    /// The copies hold its effect.
    Held,
    /// It runs.
    Run(Concern),
    /// The copies of these tables can't be told to be of before it or of after it, or it changes
    /// tables whose copies hold it together with others.
    CopyAgain(Vec<TableName>),
    /// The task stops.
    Refuse(String),
}

/// Decides what is done with a statement.
pub(super) fn meet(
    statement: &Statement,
    mut concern: Concern,
    selection: &Selection,
    window: impl Fn(&TableName) -> Window,
) -> Meeting {
    let is_held = |table: &&TableName| window(table) == Window::InCopy;
    let is_strict = |table: &&TableName| window(table) == Window::Strict;
    if statement.kind == (StatementKind::DropTable { temporary: false }) {
        let all = concern.tables.len();
        concern.tables.retain(|table| !is_held(&table));
        if concern.tables.is_empty() {
            return Meeting::Held;
        }
        if concern.tables.len() < all {
            concern.part = Some(drop_statement(&concern.tables, statement.repeat));
            let dropped = concern.tables.iter().cloned();
            concern.changes = dropped.map(TableChange::Dropped).collect();
        }
    }
    // A companion is there for a selected table's sake: where the statement changes both, the
    // selected table's copy decides.
    let (selected, companions): (Vec<TableName>, Vec<TableName>) = concern
        .tables
        .iter()
        .cloned()
        .partition(|table| selection.matches(table));
    let deciding = if selected.is_empty() {
        &companions
    } else {
        &selected
    };
    if deciding.iter().all(|table| is_held(&table)) {
        return drop_orphans(statement, companions, is_held);
    }
    let is_settled = deciding.iter().all(|table| is_strict(&table));
    let takes_held_definition = concern.like.as_ref().is_some_and(|like| is_held(&like));
    if takes_held_definition || !(is_settled || is_safe(statement, &concern)) {
        let again = deciding.iter().filter(|table| !is_held(table));
        return Meeting::CopyAgain(again.cloned().collect());
    }
    match concern.obstacle.take() {
        Some(obstacle) => Meeting::Refuse(obstacle),
        None => Meeting::Run(concern),
    }
}

/// Statements that are right whatever was copied: rows that a table has after it was emptied or
/// dropped come later in the log, too; and one that creates a table unless it exists does
/// nothing here, because only a table that exists can be catching up.
fn is_safe(statement: &Statement, concern: &Concern) -> bool {
    match statement.kind {
        StatementKind::DropTable { .. } | StatementKind::TruncateTable => true,
        StatementKind::CreateTable { .. } => {
            statement.repeat == Repeat::Repeatable && concern.obstacle.is_none()
        }
        _ => false,
    }
}

/// The copies hold what the statement did to the selected tables. Companions that it renamed
/// are left without a use.
fn drop_orphans(
    statement: &Statement,
    mut companions: Vec<TableName>,
    is_held: impl Fn(&&TableName) -> bool,
) -> Meeting {
    let is_renamed = |table: &TableName| {
        statement
            .renames()
            .any(|(from, _)| super::judge::table_of(from).as_ref() == Some(table))
    };
    companions.retain(|table| is_renamed(table) && !is_held(&table));
    if companions.is_empty() {
        return Meeting::Held;
    }
    Meeting::Run(Concern {
        part: Some(drop_statement(&companions, Repeat::Repeatable)),
        changes: companions
            .iter()
            .cloned()
            .map(TableChange::Dropped)
            .collect(),
        tables: companions,
        ..Concern::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        checkpoint::TableRecord,
        ddl::{LexContext, SqlMode, classify},
        dialect::{Flavor, ServerVersion},
        replicate::{
            followed::Followed,
            judge::{Verdict, judge},
        },
    };

    /// Tables that begin with `c` are in the copy, those with `l` catch up, others are live.
    #[test]
    fn statements_and_copies() {
        let selection = Selection::new(&["d"], &["d._*"]).unwrap();
        let ghosts = ["_c_gho", "_l_gho", "_s_gho"]
            .map(|name| TableRecord::pending(TableName::new("d", name).unwrap()));
        let followed = Followed::new(selection.clone(), &ghosts);
        let version = ServerVersion {
            flavor: Flavor::MySql,
            number: (9, 7, 0),
        };
        let context = LexContext::new(45, SqlMode(0), version, version, Some("d"));
        let window = |table: &TableName| match table.table.as_bytes().first() {
            Some(b'c') => Window::InCopy,
            Some(b'l') => Window::Lenient,
            _ => Window::Strict,
        };
        for (text, expected) in [
            ("ALTER TABLE c ADD x INT", "held"),
            ("ALTER TABLE l ADD x INT", "again l"),
            ("ALTER TABLE s ADD x INT", "run s"),
            ("TRUNCATE l", "run l"),
            ("TRUNCATE c", "held"),
            ("DROP TABLE l", "run l"),
            ("DROP TABLE c, l, s", "run l s: DROP TABLE `d`.`l`, `d`.`s`"),
            ("DROP TABLE c", "held"),
            ("CREATE TABLE IF NOT EXISTS l (id INT)", "run l"),
            ("CREATE TABLE l (id INT)", "again l"),
            ("CREATE TABLE s LIKE l", "run s"),
            ("CREATE TABLE s LIKE c", "again s"),
            ("CREATE TABLE s SELECT 1", "refuse"),
            ("CREATE TABLE c SELECT 1", "held"),
            ("CREATE TABLE l SELECT 1", "again l"),
            ("RENAME TABLE c TO s", "again s"),
            ("RENAME TABLE c TO c2", "held"),
            ("RENAME TABLE l TO s, c TO l", "again l s"),
            ("ALTER TABLE c EXCHANGE PARTITION p WITH TABLE s", "again s"),
            (
                "RENAME TABLE s TO _s_del, _s_gho TO s",
                "run s _s_del _s_gho",
            ),
            ("RENAME TABLE l TO _l_del, _l_gho TO l", "again l"),
            (
                "RENAME TABLE c TO _c_del, _c_gho TO c",
                "run _c_gho: DROP TABLE IF EXISTS `d`.`_c_gho`",
            ),
            ("RENAME TABLE c TO _c_del, _c_new TO c", "held"),
            ("RENAME TABLE s TO _s_old, _s_new TO s", "refuse"),
        ] {
            let statement = classify(text.as_bytes(), &context);
            let Verdict::Concerns(concern) = judge(&statement, &followed, true, false) else {
                panic!("{text}");
            };
            let names = |tables: Vec<TableName>| {
                let names: Vec<String> = tables.into_iter().map(|table| table.table).collect();
                names.join(" ")
            };
            let said = match meet(&statement, concern, &selection, window) {
                Meeting::Held => "held".to_owned(),
                Meeting::Refuse(_) => "refuse".to_owned(),
                Meeting::CopyAgain(tables) => format!("again {}", names(tables)),
                Meeting::Run(concern) => {
                    let part = concern
                        .part
                        .map_or_else(String::new, |part| format!(": {part}"));
                    format!("run {}{part}", names(concern.tables))
                }
            };
            assert_eq!(said, expected, "{text}");
        }
    }
}
