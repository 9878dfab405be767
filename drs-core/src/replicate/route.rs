mod plans;
mod statements;

use std::sync::Arc;

use drs_binlog::{
    Error, EventType, ExecuteLoadQuery, FormatDescription, Outcome, Position, Query, RawEvent,
    Rows, TableMap,
};
use hashbrown::HashMap;

use super::{
    EventArena, FollowError,
    column_names::ColumnNames,
    copy_windows::{CopyWindows, Window},
    definitions::{ConnectToRead, Definitions},
    family::Families,
    followed::Followed,
    judge::{LeftOut, Verdict, judge},
    progress::StatementsLeftOut,
    rules::RuleBook,
    sharing::Sharing,
    statement::{CopyAgain, StatementJob},
    write_set::{self, WriteSet},
    xa::XaEnd,
};
use crate::{
    apply::{ApplyError, RoutedRows, RoutedTransaction, Ruled, TablePlan},
    checkpoint::{ColumnNamesChange, StreamPoint, TableChange, TableRecord, TransactionId},
    ddl::{self, SessionContext, SourceDefaults},
    dialect::ServerVersion,
    object::{DatabaseName, Mapping, NameCase, Selection, TableName},
    sql::LiteralError,
};

/// What routing depends on.
pub(crate) struct RouterSettings {
    pub(crate) selection: Selection,
    pub(crate) mapping: Mapping,
    pub(crate) filter_drop_database: bool,
    pub(crate) source: SourceDefaults,
    /// What foreign keys cascade to is in the source's log.
    pub(crate) logs_cascades: bool,
    /// The destination can carry it out itself.
    pub(crate) cascades_natively: bool,
    pub(crate) destination: ServerVersion,
    /// Opens a session at the destination that reads table definitions.
    pub(crate) connect: ConnectToRead,
    /// The same at the source.
    pub(crate) connect_source: ConnectToRead,
    /// Who else writes to the destination's tables.
    pub(crate) sharing: Sharing,
    pub(crate) rules: RuleBook,
    pub(crate) column_names: ColumnNames,
}

/// Says for each event of a transaction whether and how it concerns the destination.
///
/// The destination's tables are the schema as of the stream's place, because DDL is a
/// barrier: definitions are read when first needed and forgotten with every DDL.
pub(crate) struct Router {
    settings: RouterSettings,
    followed: Followed,
    definitions: Definitions,
    /// By the log's table number, with the bytes of the table map it stands for.
    maps: HashMap<u64, CachedMap>,
    copies: CopyWindows,
    counts: RouteCounts,
    current: Option<Current>,
}

/// What the parts of the transaction under way have come to so far: a large one comes in several.
struct Current {
    id: TransactionId,
    /// Rows of it are to be applied.
    applies: bool,
}

/// Table maps that are remembered: a source gives a table a new number each time it opens it.
const MAPS_MAX: usize = 16 << 10;

/// What was seen and not applied.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RouteCounts {
    /// Statements that are not replicated by kind.
    pub(crate) left_out: StatementsLeftOut,
    /// Row events that the copy already holds.
    pub(crate) row_events_in_copy: u64,
    /// Row events of tables that are not selected.
    pub(crate) row_events_filtered: u64,
    /// Row changes outside of a rule's condition.
    pub(crate) row_changes_filtered: u64,
    /// Row changes of a kind that a rule leaves out.
    pub(crate) row_changes_left_out: u64,
}

struct CachedMap {
    body: Vec<u8>,
    rows: MappedRows,
}

/// What becomes of the row events behind a table map.
enum MappedRows {
    /// The table is not selected.
    Filtered,
    /// The copy holds them. The table as it was then may be another than the one that was copied.
    InCopy,
    Applied(Arc<TablePlan>),
}

/// What a transaction, or a part of one, comes to.
#[derive(Debug, Default)]
pub(crate) struct Route {
    pub(crate) rows: Vec<RoutedRows>,
    pub(crate) write_set: WriteSet,
    /// A statement to run behind a barrier. What follows it is not routed yet.
    pub(crate) statement: Option<StatementJob>,
    /// The transaction is the end of one that was prepared.
    pub(super) xa_end: Option<XaEnd>,
    /// Tables that must be copied again before the transaction can be gone past.
    pub(crate) copy_again: Option<CopyAgain>,
    /// The index of the first event that is not routed yet.
    pub(crate) rest: usize,
}

/// What is common to all events of a transaction.
pub(crate) struct RouteContext<'a> {
    pub(crate) id: &'a TransactionId,
    pub(crate) outcome: Outcome,
    pub(crate) format: &'a FormatDescription,
}

impl Router {
    pub(crate) fn new(settings: RouterSettings, tables: &[TableRecord], start: &Position) -> Self {
        Self {
            definitions: Definitions::new(
                Arc::clone(&settings.connect),
                Arc::clone(&settings.connect_source),
            ),
            maps: HashMap::new(),
            copies: CopyWindows::new(tables, settings.selection.case(), start),
            counts: RouteCounts::default(),
            current: None,
            followed: Followed::new(settings.selection.clone(), tables),
            settings,
        }
    }

    pub(crate) fn counts(&self) -> RouteCounts {
        self.counts
    }

    /// Takes over what a statement has done: it has run.
    pub(crate) fn statement_ran(&mut self, changes: &[TableChange]) {
        self.maps.clear();
        self.definitions.forget();
        self.settings.sharing.forget();
        self.followed.take(changes);
        for change in changes {
            if let TableChange::Dropped(table) = change {
                self.copies.forget(table);
            }
        }
    }

    /// What a statement that has just run makes of the columns' names.
    pub(crate) fn change_columns(
        &mut self,
        job: &StatementJob,
    ) -> Result<Vec<ColumnNamesChange>, FollowError> {
        // What has just been made here is what was made there.
        let is_new = matches!(job.statement.kind, ddl::StatementKind::CreateTable { .. })
            && job.statement.repeat == ddl::Repeat::Visible;
        let made = match job.tables.first().filter(|_| is_new) {
            Some(table) => {
                let name = self.settings.mapping.table(table);
                let names = self.definitions.table(&name, &job.id)?.column_names();
                Some((table, names))
            }
            None => None,
        };
        Ok(self.settings.column_names.change(job, made))
    }

    /// The tables whose copies the stream has passed at this point; they are strict from now on.
    pub(crate) fn caught_up(&mut self, point: &Position) -> Vec<TableName> {
        self.copies.take_passed(point)
    }

    /// True when a transaction is in the copies of all selected tables that there were before them.
    pub(super) fn copies_hold(&self, id: &TransactionId) -> bool {
        self.copies.all_hold(id)
    }

    /// True when the table of a table map is selected.
    pub(super) fn selects(
        &self,
        map: &TableMap<'_>,
        context: &RouteContext<'_>,
    ) -> Result<bool, FollowError> {
        Ok(self.selected(map, context)?.is_some())
    }

    pub(super) fn count_filtered(&mut self) {
        self.counts.row_events_filtered += 1;
    }

    pub(super) fn count_left_out(&mut self, kind: LeftOut) {
        self.counts.left_out.add(kind);
    }

    /// Tables that still catch up.
    pub(crate) fn catching_up(&self) -> usize {
        self.copies.len()
    }

    /// Routes the events of a transaction, or of a part of one, from an index on; it stops behind
    /// a statement that is to run, because what follows needs the definitions as of then.
    pub(crate) fn route(
        &mut self,
        events: &EventArena,
        context: &RouteContext<'_>,
        start: usize,
    ) -> Result<Route, FollowError> {
        self.begin_or_go_on(context.id);
        let mut route = Route::default();
        for index in start..events.len() {
            if route.statement.is_some() || route.copy_again.is_some() {
                break;
            }
            route.rest = index + 1;
            let decode = |source| decode_error(context.id, source);
            let Some(raw) = events.event(index).map_err(decode)? else {
                continue;
            };
            match raw.header.event_type {
                EventType::TABLE_MAP => self.table_map(&raw, context)?,
                kind if kind.is_rows() => self.rows(index, &raw, context, &mut route)?,
                EventType::QUERY => {
                    let query = Query::parse(&raw).map_err(decode)?;
                    self.query(&query, raw.header.timestamp, context, &mut route)?;
                }
                EventType::EXECUTE_LOAD_QUERY => {
                    let query = ExecuteLoadQuery::parse(&raw).map_err(decode)?;
                    self.query(&query.query, raw.header.timestamp, context, &mut route)?;
                }
                EventType::MARIADB_QUERY_COMPRESSED => {
                    return Err(refused(
                        context.id,
                        "compressed statements of MariaDB are not supported as a source",
                    ));
                }
                // These belong to statements or say nothing of tables.
                _ => {}
            }
        }
        match context.outcome {
            Outcome::Commit | Outcome::Statement => {}
            Outcome::Rollback if route.rows.is_empty() => {}
            Outcome::Rollback => {
                return Err(refused(
                    context.id,
                    "it was rolled back at the source after changing selected tables, a part of which has no transactions \
                     (MyISAM): what is left of it can't be told from the log",
                ));
            }
            // Its events are kept, and routed when it commits.
            Outcome::XaPrepare => {}
            Outcome::Incident => {
                return Err(refused(
                    context.id,
                    "the source reports that events are missing from its log (INCIDENT)",
                ));
            }
        }
        Ok(route)
    }

    /// Notes which transaction the events that follow are of.
    fn begin_or_go_on(&mut self, id: &TransactionId) {
        if self
            .current
            .as_ref()
            .is_some_and(|current| current.id == *id)
        {
            return;
        }
        self.current = Some(Current {
            id: id.clone(),
            applies: false,
        });
        if self.maps.len() > MAPS_MAX {
            // A transaction's row events follow table maps of its own.
            self.maps.clear();
        }
    }

    fn applies(&self) -> bool {
        self.current.as_ref().is_some_and(|current| current.applies)
    }

    fn table_map(
        &mut self,
        raw: &RawEvent<'_>,
        context: &RouteContext<'_>,
    ) -> Result<(), FollowError> {
        let decode = |source| decode_error(context.id, source);
        let map = TableMap::parse(raw, context.format).map_err(decode)?;
        if self.maps.get(&map.table_id).is_some_and(|cached| {
            cached.body == raw.body && !matches!(cached.rows, MappedRows::InCopy)
        }) {
            return Ok(());
        }
        let rows = match self.selected(&map, context)? {
            None => MappedRows::Filtered,
            Some(name) if self.window(&name, context.id) == Window::InCopy => MappedRows::InCopy,
            Some(name) => {
                let columns = map.compile().map_err(decode)?;
                MappedRows::Applied(Arc::new(self.plan(name, columns, context)?))
            }
        };
        self.maps.insert(
            map.table_id,
            CachedMap {
                body: raw.body.to_vec(),
                rows,
            },
        );
        Ok(())
    }

    fn selected(
        &self,
        map: &TableMap<'_>,
        context: &RouteContext<'_>,
    ) -> Result<Option<TableName>, FollowError> {
        let name = match (
            std::str::from_utf8(map.database),
            std::str::from_utf8(map.table),
        ) {
            (Ok(database), Ok(table)) => TableName::new(database, table).ok(),
            _ => None,
        };
        let Some(name) = name else {
            return Err(refused(context.id, "a table map has a name that is none"));
        };
        Ok(self.followed.contains(&name).then_some(name))
    }

    fn rows(
        &mut self,
        index: usize,
        raw: &RawEvent<'_>,
        context: &RouteContext<'_>,
        route: &mut Route,
    ) -> Result<(), FollowError> {
        let decode = |source| decode_error(context.id, source);
        let rows = Rows::parse(raw, context.format).map_err(decode)?;
        let Some(cached) = self.maps.get(&rows.table_id) else {
            if rows.table_id == Rows::DUMMY_TABLE_ID && rows.image_bytes().is_empty() {
                return Ok(());
            }
            return Err(decode(
                raw.reader()
                    .malformed("no table map comes before the row event"),
            ));
        };
        let plan = match &cached.rows {
            MappedRows::Filtered => {
                self.counts.row_events_filtered += 1;
                return Ok(());
            }
            MappedRows::InCopy => None,
            MappedRows::Applied(plan) => Some(Arc::clone(plan)),
        };
        let Some(plan) = plan else {
            self.counts.row_events_in_copy += 1;
            return Ok(());
        };
        let lenient = match self.window(&plan.source, context.id) {
            Window::InCopy => {
                self.counts.row_events_in_copy += 1;
                return Ok(());
            }
            Window::Lenient => true,
            Window::Strict => false,
        };
        // Where the source marks the event, what foreign keys cascaded to has events of its own.
        let logs_cascades = self.logs_cascades() && rows.flags & Rows::SQL_FOREIGN_KEYS != 0;
        let plan = match logs_cascades {
            true => plan,
            false => self.in_family(rows.table_id, plan, context)?,
        };
        let value = |source| ApplyError::Value {
            table: plan.source.clone(),
            transaction: context.id.clone(),
            source,
        };
        if plan.rule.is_some() && !self.count_ruled(&plan, &rows).map_err(value)? {
            return Ok(());
        }
        if let Some(current) = &mut self.current {
            current.applies = true;
        }
        add_write_set(&mut route.write_set, &plan, &rows).map_err(value)?;
        route.rows.push(RoutedRows {
            event: index,
            plan,
            lenient,
        });
        Ok(())
    }

    /// Counts the changes that a rule takes none of; true when others are left.
    fn count_ruled(&mut self, plan: &TablePlan, rows: &Rows<'_>) -> Result<bool, LiteralError> {
        let mut applies = false;
        for change in rows.changes(&plan.columns) {
            match plan.ruled(&change?)? {
                Some(Ruled::Filtered) => self.counts.row_changes_filtered += 1,
                Some(Ruled::LeftOut) => self.counts.row_changes_left_out += 1,
                Some(Ruled::Applied(_)) => applies = true,
                None => {}
            }
        }
        Ok(applies)
    }

    /// The plan of a table with the family it belongs to, if it does.
    fn in_family(
        &mut self,
        table_id: u64,
        plan: Arc<TablePlan>,
        context: &RouteContext<'_>,
    ) -> Result<Arc<TablePlan>, FollowError> {
        let family = self.family(&plan.schema.name, context.id)?;
        if family == plan.family {
            return Ok(plan);
        }
        let plan = Arc::new(TablePlan {
            family,
            ..(*plan).clone()
        });
        if let Some(cached) = self.maps.get_mut(&table_id) {
            cached.rows = MappedRows::Applied(Arc::clone(&plan));
        }
        Ok(plan)
    }

    pub(super) fn families(&mut self) -> Result<&mut Families, FollowError> {
        let case = self.destination_case();
        self.definitions.families(case)
    }

    pub(super) fn destination_case(&self) -> NameCase {
        self.settings.sharing.case()
    }

    pub(super) fn mapping(&self) -> &Mapping {
        &self.settings.mapping
    }

    pub(super) fn is_selected(&self, source: &TableName) -> bool {
        self.followed.contains(source)
    }

    /// The point that a table's copy stands for, while its stream has not passed the copy's end.
    pub(super) fn copied_from(&self, source: &TableName) -> Option<StreamPoint> {
        self.copies.from(source).cloned()
    }

    pub(super) fn has_rule(&self, source: &TableName) -> bool {
        self.settings.rules.of(source).is_some()
    }

    pub(super) fn cascades_natively(&self) -> bool {
        self.settings.cascades_natively
    }

    pub(super) fn logs_cascades(&self) -> bool {
        self.settings.logs_cascades
    }

    pub(super) fn window(&self, table: &TableName, id: &TransactionId) -> Window {
        self.copies.of(table, id)
    }

    /// Classifies a statement, and says what is done with it.
    pub(super) fn judge(
        &self,
        query: &Query<'_>,
        timestamp_s: u32,
        context: &RouteContext<'_>,
        behind_rows: bool,
    ) -> Result<(Verdict, SessionContext, ddl::Statement), FollowError> {
        let session = SessionContext::of_query(query, timestamp_s, &self.settings.source).map_err(
            |source| FollowError::Context {
                transaction: context.id.clone(),
                source,
            },
        )?;
        let statement = ddl::classify(query.query, &session.lex_context(self.settings.destination));
        let verdict = judge(
            &statement,
            &self.followed,
            self.settings.filter_drop_database,
            behind_rows,
        );
        Ok((verdict, session, statement))
    }
}

/// A routed transaction or part, from its events and their route.
pub(crate) fn routed(
    seq: u64,
    id: TransactionId,
    committed_at_us: u64,
    events: EventArena,
    format: Arc<FormatDescription>,
    rows: Vec<RoutedRows>,
) -> RoutedTransaction {
    RoutedTransaction {
        seq,
        id,
        committed_at_us,
        events,
        format,
        rows,
        xa: None,
        _share: None,
    }
}

/// What an XA statement ends that is a transaction of its own in the log.
fn xa_end(
    action: ddl::XaAction,
    xid: &ddl::Xid,
    query: &Query<'_>,
    context: &RouteContext<'_>,
) -> Result<Option<XaEnd>, FollowError> {
    let commits = match action {
        ddl::XaAction::Commit | ddl::XaAction::CommitOnePhase => true,
        ddl::XaAction::Rollback => false,
        ddl::XaAction::Start | ddl::XaAction::End | ddl::XaAction::Prepare => return Ok(None),
    };
    if query.error_code != 0 {
        let reason = format!(
            "an XA transaction ended with error {} at the source, so what became of it can't be told",
            query.error_code
        );
        return Err(refused(context.id, &reason));
    }
    Ok(Some(XaEnd {
        xid: xid.clone(),
        commits,
    }))
}

/// Takes in everything that a row event's changes touch.
pub(crate) fn add_write_set(
    set: &mut WriteSet,
    plan: &TablePlan,
    rows: &Rows<'_>,
) -> Result<(), LiteralError> {
    let schema = &*plan.schema;
    let table = write_set::table_hash(schema);
    if let Some(family) = plan.family {
        set.add_table(family, true);
    }
    // Changes that are found by their values, or that set off others, keep the table's order.
    let whole = plan.is_ordered();
    set.add_table(table, whole);
    if whole {
        return Ok(());
    }
    for change in rows.changes(&plan.columns) {
        if set.is_large() {
            set.add_table(table, true);
            return Ok(());
        }
        let Some(change) = plan.change(&change?)? else {
            continue;
        };
        let hides_value = match (change.before(), change.after()) {
            (Some(before), after) => write_set::hides_old_value(schema, before, after),
            (None, Some(new)) => write_set::hides_new_value(schema, new),
            (None, None) => false,
        };
        if hides_value {
            set.add_table(table, true);
        }
        for image in [change.before(), change.after()].into_iter().flatten() {
            set.add_image(schema, table, image)?;
        }
    }
    Ok(())
}

pub(super) fn decode_error(id: &TransactionId, source: Error) -> FollowError {
    FollowError::Decode {
        transaction: id.clone(),
        source,
    }
}

pub(super) fn refused(id: &TransactionId, reason: &str) -> FollowError {
    FollowError::Refused {
        transaction: id.clone(),
        reason: reason.into(),
    }
}

/// The database of a name, when it can be one.
pub(crate) fn database_name(name: &str) -> Option<DatabaseName> {
    DatabaseName::new(name).ok()
}
