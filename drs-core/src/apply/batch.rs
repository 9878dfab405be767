use std::sync::Arc;

use drs_binlog::{FormatDescription, Rows, RowsKind};
use hashbrown::HashMap;

use super::{
    TablePlan, XaStep,
    net_change::{Change, FoldError, TableNet},
    packet::{Expectation, Packet, ending_in_commit},
    statements::{
        StatementWriter, delete_statement, insert_statement, lacks_old_document,
        lenient_statements, same_key, update_statement,
    },
};
use crate::{
    checkpoint::{StreamPoint, TransactionId},
    dialect::ServerVersion,
    object::TableName,
    replicate::{ByteShare, EventArena, Turn},
    schema::TableSchema,
    sql::{self, LiteralError},
};

/// Whole source transactions that one lane commits together.
#[derive(Debug)]
pub struct Batch {
    /// In the source's order.
    pub(crate) transactions: Vec<RoutedTransaction>,
    /// Everything at or before this point is at the destination already.
    pub(crate) watermark: Watermark,
    /// Comes when the batches that hold some of its rows are committed.
    pub(crate) turn: Turn,
}

/// A point of the stream with its place in the order of this run.
#[derive(Clone, Debug)]
pub(crate) struct Watermark {
    /// All transactions up to this number are done.
    pub(crate) seq: u64,
    pub(crate) point: Arc<StreamPoint>,
}

/// A source transaction, or a part of a large one, with its row events routed to tables.
#[derive(Debug)]
pub(crate) struct RoutedTransaction {
    /// Its place in the source's order, counted from the start of this run.
    pub(crate) seq: u64,
    pub(crate) id: TransactionId,
    /// When the source committed it, in microseconds since 1970; 0 when not known.
    pub(crate) committed_at_us: u64,
    pub(crate) events: EventArena,
    pub(crate) format: Arc<FormatDescription>,
    pub(crate) rows: Vec<RoutedRows>,
    /// A step of XA that goes with it.
    pub(crate) xa: Option<XaStep>,
    /// Held until the transaction is applied.
    pub(crate) _share: Option<ByteShare>,
}

/// A row event of a selected table.
#[derive(Clone, Debug)]
pub(crate) struct RoutedRows {
    /// Its index in the transaction's events.
    pub(crate) event: usize,
    pub(crate) plan: Arc<TablePlan>,
    /// True while the table catches up with its copy.
    pub(crate) lenient: bool,
}

/// Why a batch has no statements.
#[derive(Debug)]
pub(crate) enum BuildError {
    /// It must be applied change by change, so that the policy meets the row.
    Contradiction,
    /// A value cannot be written.
    Literal(TableName, LiteralError),
    /// A partial image while its table catches up (see [`super::ApplyError`]).
    PartialWhileCatchingUp(TableName),
}

struct TableWork<'a> {
    schema: &'a TableSchema,
    lenient: bool,
    ordered: bool,
}

impl<'a> TableWork<'a> {
    /// Folds the table's changes; `None` for a table whose changes are made one by one.
    fn net(&self) -> Option<TableNet<'a>> {
        let key = self.schema.row_key().filter(|_| !self.ordered)?;
        Some(TableNet::new(key, self.lenient))
    }
}

struct ParsedRows<'a> {
    table: usize,
    rows: Rows<'a>,
    plan: &'a TablePlan,
}

/// Writes the statements of transactions: net changes for the tables that can be folded,
/// single changes in order for the others.
///
/// Returns the packets and the number of row changes of the source that they stand for.
pub(crate) fn build(
    transactions: &[RoutedTransaction],
    writer: &mut StatementWriter,
) -> Result<u64, BuildError> {
    for step in transactions.iter().filter_map(|it| it.xa.as_ref()) {
        step.for_each_statement(|statement, affected_rows| {
            writer.push(statement, Expectation::own(affected_rows));
            Ok::<_, BuildError>(())
        })?;
    }
    let (tables, parsed) = parse(transactions)?;
    let mut nets: Vec<Option<TableNet<'_>>> = tables.iter().map(TableWork::net).collect();
    let (mut changes, mut folded) = (0, 0);
    let mut checks = false;
    for ParsedRows {
        table: index,
        rows,
        plan,
    } in &parsed
    {
        let Some(table) = tables.get(*index) else {
            continue;
        };
        let literal = |error: LiteralError| BuildError::Literal(table.schema.name.clone(), error);
        // A family's changes are made one by one, in the order of the log.
        set_checks(writer, &mut checks, plan.cascades(rows));
        for change in rows.changes(&plan.columns) {
            let change = change.map_err(|e| literal(e.into()))?;
            let Some(change) = plan.change(&change).map_err(literal)? else {
                continue;
            };
            changes += 1;
            match nets.get_mut(*index).and_then(Option::as_mut) {
                Some(net) => {
                    net.fold(change).map_err(|error| match error {
                        FoldError::Contradiction => BuildError::Contradiction,
                        FoldError::Decode(error) => literal(error.into()),
                    })?;
                    folded += 1;
                }
                None if table.lenient => push_single_lenient(writer, table.schema, &change)?,
                None => {
                    let statement = single_statement(table.schema, &change).map_err(literal)?;
                    writer.push(&statement, expect(table.schema, Some(1)));
                }
            }
            if folded == FOLDED_CHANGES_MAX {
                set_checks(writer, &mut checks, false);
                write_nets(&tables, &mut nets, writer)?;
                folded = 0;
            }
        }
    }
    set_checks(writer, &mut checks, false);
    write_nets(&tables, &mut nets, writer)?;
    Ok(changes)
}

/// Makes the session check foreign keys from here on, or no more.
fn set_checks(writer: &mut StatementWriter, checks: &mut bool, wanted: bool) {
    if *checks != wanted {
        *checks = wanted;
        writer.push(sql::foreign_key_checks(wanted), Expectation::success());
    }
}

/// Row changes that are folded together: small rows take many times their own size meanwhile.
///
/// The statements may be cut anywhere: the state after each single change is one that the
/// source was in too, and all of a batch is one transaction.
const FOLDED_CHANGES_MAX: usize = 40_000;

/// Writes what is folded so far, and begins anew.
fn write_nets<'a>(
    tables: &[TableWork<'a>],
    nets: &mut [Option<TableNet<'a>>],
    writer: &mut StatementWriter,
) -> Result<(), BuildError> {
    for (table, net) in tables.iter().zip(nets) {
        let (Some(changes), Some(key)) = (net.take(), table.schema.row_key()) else {
            continue;
        };
        if table.lenient {
            writer.push_lenient(table.schema, key, changes.into_changes())
        } else {
            writer.push_net(table.schema, key, changes.into_changes())
        }
        .map_err(|error| BuildError::Literal(table.schema.name.clone(), error))?;
        *net = table.net();
    }
    Ok(())
}

/// The packets of one batch, its checkpoint and its COMMIT included.
pub(crate) fn packets(
    transactions: &[RoutedTransaction],
    lane_update: &str,
    version: ServerVersion,
    packet_bytes_max: usize,
) -> Result<(Vec<Packet>, u64), BuildError> {
    let mut writer = StatementWriter::new(version, packet_bytes_max);
    writer.push("BEGIN", Expectation::success());
    // First, so that the lane's row is locked as long as anything of the batch may still happen: who
    // asks whether a batch was committed waits for that.
    writer.push(lane_update, Expectation::own(Some(1)));
    let changes = build(transactions, &mut writer)?;
    Ok((ending_in_commit(writer.finish(), packet_bytes_max), changes))
}

/// The statement that makes one change and affects one row.
pub(crate) fn single_statement(
    schema: &TableSchema,
    change: &Change<'_>,
) -> Result<String, LiteralError> {
    match change {
        Change::Insert(after) => insert_statement(schema, "INSERT INTO ", None, after),
        Change::Delete(before) => delete_statement(schema, before),
        Change::Update(before, after) => update_statement(schema, before, after),
    }
}

/// Adds the statements that make one change to a table that is catching up.
fn push_single_lenient(
    writer: &mut StatementWriter,
    schema: &TableSchema,
    change: &Change<'_>,
) -> Result<(), BuildError> {
    let mut push_all = |statements: Result<Vec<String>, LiteralError>| -> Result<(), BuildError> {
        let statements = statements.map_err(|e| BuildError::Literal(schema.name.clone(), e))?;
        for statement in statements {
            writer.push(&statement, expect(schema, None));
        }
        Ok(())
    };
    let one = |statement: Result<String, LiteralError>| statement.map(|statement| vec![statement]);
    match change {
        Change::Insert(after) => push_all(lenient_statements(schema, None, after)),
        Change::Delete(before) => push_all(one(delete_statement(schema, before))),
        Change::Update(before, after) if after.is_complete() => {
            let literal = |e| BuildError::Literal(schema.name.clone(), e);
            // The key may have changed, so the old row goes and the new one comes.
            if !same_key(schema, before, after).map_err(literal)? {
                push_all(one(delete_statement(schema, before)))?;
            }
            push_all(lenient_statements(schema, Some(before), after))
        }
        Change::Update(before, after) => {
            // A REPLACE may have displaced the row by another unique key, and a partial image
            // can't bring it back: what is missing could be a row that is lost. A change of a JSON
            // document may be in the copy already.
            let literal = |e: drs_binlog::Error| BuildError::Literal(schema.name.clone(), e.into());
            if schema.has_other_unique_keys()
                || lacks_old_document(before, after).map_err(literal)?
            {
                return Err(BuildError::PartialWhileCatchingUp(schema.name.clone()));
            }
            push_all(one(update_statement(schema, before, after)))
        }
    }
}

fn expect(schema: &TableSchema, affected_rows: Option<u64>) -> Expectation {
    Expectation::data(schema.name.clone(), affected_rows)
}

fn parse(
    transactions: &[RoutedTransaction],
) -> Result<(Vec<TableWork<'_>>, Vec<ParsedRows<'_>>), BuildError> {
    let mut tables: Vec<TableWork<'_>> = Vec::new();
    let mut index_of: HashMap<*const TableSchema, usize> = HashMap::new();
    let mut by_name: HashMap<&TableName, usize> = HashMap::new();
    let mut parsed = Vec::new();
    for transaction in transactions {
        for routed in &transaction.rows {
            let plan = &*routed.plan;
            let schema = &*plan.schema;
            let failed =
                |error: drs_binlog::Error| BuildError::Literal(schema.name.clone(), error.into());
            let Some(raw) = transaction.events.event(routed.event).map_err(failed)? else {
                continue;
            };
            let rows = Rows::parse(&raw, &transaction.format).map_err(failed)?;
            let index = *index_of
                .entry(Arc::as_ptr(&plan.schema))
                .or_insert_with(|| {
                    tables.push(TableWork {
                        schema,
                        lenient: false,
                        ordered: plan.is_ordered(),
                    });
                    tables.len() - 1
                });
            // Seen with its columns in two ways: only in order do its changes stay in order.
            let first = *by_name.entry(&schema.name).or_insert(index);
            if first != index {
                for index in [first, index] {
                    if let Some(table) = tables.get_mut(index) {
                        table.ordered |= plan.is_ordered();
                        table.ordered = true;
                    }
                }
            }
            if let Some(table) = tables.get_mut(index) {
                table.lenient |= routed.lenient;
                table.ordered |= is_partial(&rows);
            }
            parsed.push(ParsedRows {
                table: index,
                rows,
                plan,
            });
        }
    }
    Ok((tables, parsed))
}

/// True when the new images lack columns, so that they can't be folded.
fn is_partial(rows: &Rows<'_>) -> bool {
    rows.kind == RowsKind::PartialUpdate
        || rows
            .after_columns()
            .is_some_and(|present| present.count() != rows.column_count())
}
