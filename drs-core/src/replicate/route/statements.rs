//! What becomes of the statements of a transaction.

use drs_binlog::{Outcome, Query};

use super::{Route, RouteContext, Router, refused, xa_end};
use crate::{
    checkpoint::TableChange,
    ddl::{self, StatementKind},
    object::TableName,
    replicate::{
        FollowError,
        judge::{Concern, Verdict, table_of},
        meeting::{Meeting, meet},
        statement::{CopyAgain, StatementJob},
    },
};

impl Router {
    /// A statement on a table with a rule must leave it clear which rows the rule takes.
    fn check_rules(
        &mut self,
        statement: &ddl::Statement,
        tables: &[TableName],
        context: &RouteContext<'_>,
    ) -> Result<(), FollowError> {
        use ddl::StatementKind::{AlterTable, CreateTable, DropDatabase, DropTable, RenameTable};
        let on_columns = statement
            .objects
            .iter()
            .filter_map(table_of)
            .find(|table| self.settings.rules.changes_columns(table));
        if let Some(table) = on_columns
            && matches!(statement.kind, AlterTable | CreateTable { .. })
        {
            return Err(refused(
                context.id,
                &format!(
                    "a statement changes or repeats the structure of {table}, which has a rule on its columns: such statements \
                     can't be repeated at the destination; do there by hand what is right, and begin a new task behind it"
                ),
            ));
        }
        let Some(ruled) = tables
            .iter()
            .find(|table| self.settings.rules.of(table).is_some())
        else {
            return Ok(());
        };
        let moves_rows = matches!(statement.kind, RenameTable)
            || matches!(statement.kind, AlterTable)
                && (tables.len() > 1 || statement.renames().next().is_some());
        if moves_rows {
            return Err(refused(
                context.id,
                &format!(
                    "a statement moves rows between {ruled}, which has a rule, and another table: which of them belong at the \
                     destination can't be told; begin a new task behind it"
                ),
            ));
        }
        for table in tables {
            match statement.kind {
                DropTable { .. } | DropDatabase => self.settings.rules.forget(table)?,
                AlterTable => {
                    let name = self.settings.mapping.table(table);
                    let schema = self.definitions.table(&name, context.id)?;
                    self.settings
                        .rules
                        .before_statement(table, &schema, context.id)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn query(
        &mut self,
        query: &Query<'_>,
        timestamp_s: u32,
        context: &RouteContext<'_>,
        route: &mut Route,
    ) -> Result<(), FollowError> {
        if matches!(query.query, b"BEGIN" | b"COMMIT") {
            return Ok(());
        }
        let (verdict, session, statement) =
            self.judge(query, timestamp_s, context, self.applies())?;
        if context.outcome == Outcome::Statement
            && let StatementKind::Xa(action, xid) = &statement.kind
        {
            route.xa_end = xa_end(*action, xid, query, context)?;
            return Ok(());
        }
        let concern = match verdict {
            Verdict::Nothing => return Ok(()),
            Verdict::LeftOut(kind) => {
                self.count_left_out(kind);
                return Ok(());
            }
            Verdict::Refuse(reason) => {
                return Err(FollowError::Refused {
                    transaction: context.id.clone(),
                    reason,
                });
            }
            Verdict::RunOnDatabase => {
                self.refuse_dropped_copies(&statement, context)?;
                Concern::default()
            }
            Verdict::Concerns(concern) => {
                let window = |table: &TableName| self.window(table, context.id);
                match meet(&statement, concern, self.followed.selection(), window) {
                    Meeting::Held => return Ok(()),
                    Meeting::Run(concern) => concern,
                    Meeting::CopyAgain(tables) => {
                        route.copy_again = Some(CopyAgain {
                            id: context.id.clone(),
                            text: query.query.to_vec(),
                            tables,
                        });
                        return Ok(());
                    }
                    Meeting::Refuse(reason) => {
                        return Err(FollowError::Refused {
                            transaction: context.id.clone(),
                            reason,
                        });
                    }
                }
            }
        };
        if query.error_code != 0 {
            let reason = format!(
                "it failed at the source with error {} after changing something",
                query.error_code
            );
            return Err(FollowError::Refused {
                transaction: context.id.clone(),
                reason,
            });
        }
        if let Some((from, to)) = statement.renames().find(|(from, to)| {
            [from, to].into_iter().any(|object| {
                table_of(object).is_some_and(|table| self.settings.mapping.names_table(&table))
            })
        }) {
            let reason = format!(
                "it renames {} to {}, of which one is mapped by an entry of its own: what the other is at the destination \
                 can't be told; rename it by hand, and begin a new task",
                from.name, to.name
            );
            return Err(refused(context.id, &reason));
        }
        if self.applies() || route.statement.is_some() {
            return Err(refused(
                context.id,
                "a DDL statement stands behind row changes in one transaction",
            ));
        }
        self.check_rules(&statement, &concern.tables, context)?;
        let mut changes = concern.changes;
        if self.copies.len() == 0 {
            // Who made a selected table matters only where it may have to be copied again.
            let selection = self.followed.selection();
            changes.retain(
                |change| !matches!(change, TableChange::Created(table) if selection.matches(table)),
            );
        }
        let job = StatementJob {
            id: context.id.clone(),
            text: query.query.to_vec(),
            session,
            may_be_made: statement.kind == StatementKind::CreateDatabase && self.copies.len() > 0,
            statement,
            tables: concern.tables,
            changes,
        };
        route.statement = Some(match concern.part {
            Some(part) => job.with_text(&part, self.settings.destination),
            None => job,
        });
        Ok(())
    }

    /// A database that is dropped while copies of its tables are ahead of the log would take
    /// what they hold of later along.
    fn refuse_dropped_copies(
        &self,
        statement: &ddl::Statement,
        context: &RouteContext<'_>,
    ) -> Result<(), FollowError> {
        if statement.kind != StatementKind::DropDatabase {
            return Ok(());
        }
        for database in statement.changed() {
            if self.copies.any_ahead(&database.name, context.id) {
                return Err(refused(
                    context.id,
                    "it drops a database while the copies of its tables are ahead of it in the log; \
                     begin a new task",
                ));
            }
        }
        Ok(())
    }
}
