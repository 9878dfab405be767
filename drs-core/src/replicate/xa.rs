//! XA transactions: what is prepared at the source is kept at the destination until it ends.
//!
//! Nothing of a prepared transaction is visible at the source, and its end may come days later,
//! after restarts, or never. So its events are kept in `drs_meta.xa` by the transaction that
//! marks the prepare as done, and are applied, or only removed, by the one that marks its end.

use std::sync::Arc;

use drs_binlog::{
    EventHeader, EventType, FormatDescription, Position, Query, RawEvent, Rows, TableMap,
};
use hashbrown::HashMap;

use super::{
    EventArena, EventCollector, FollowError, TransactionEvents,
    arena::FrameReader,
    judge::Verdict,
    route::{RouteContext, Router, decode_error, refused, routed},
};
use crate::{
    apply::{RoutedTransaction, XaChange, XaStep},
    checkpoint::{CheckpointStore, TransactionId},
    ddl::Xid,
};

/// The XA transactions that are prepared at the source and not ended, as far as the stream is read.
pub(super) struct PreparedXa {
    task: Arc<str>,
    open: HashMap<Xid, Kept>,
    remembered_bytes: usize,
}

/// What is kept of a prepared transaction.
pub(super) enum Kept {
    /// It changed no selected table.
    Nothing,
    /// Its events are in `drs_meta.xa`.
    AtDestination,
    /// They are here too.
    Remembered(EventArena, Arc<FormatDescription>),
}

/// How a prepared transaction ended.
#[derive(Clone, Debug)]
pub(super) struct XaEnd {
    pub(super) xid: Xid,
    pub(super) commits: bool,
}

/// A prepared transaction of at most so many bytes is remembered, because it ends soon as a rule.
const REMEMBERED_BYTES_MAX: usize = 64 << 10;
/// What is remembered of all of them.
const REMEMBERED_BYTES_TOTAL_MAX: usize = 4 << 20;

impl PreparedXa {
    /// What the destination keeps.
    pub(super) fn load(store: &mut CheckpointStore) -> Result<Self, FollowError> {
        let open = store
            .prepared()?
            .into_iter()
            .map(|(xid, holds_rows)| match holds_rows {
                true => (xid, Kept::AtDestination),
                false => (xid, Kept::Nothing),
            })
            .collect();
        Ok(Self {
            task: store.task().into(),
            open,
            remembered_bytes: 0,
        })
    }

    /// A step of a transaction.
    pub(super) fn step(&self, xid: &Xid, change: XaChange) -> XaStep {
        XaStep {
            task: Arc::clone(&self.task),
            xid: xid.clone(),
            change,
        }
    }

    /// Notes that a transaction is prepared; an identifier that is taken is an error, since the
    /// end of its transaction is not in the log.
    pub(super) fn insert(
        &mut self,
        xid: Xid,
        kept: Kept,
        id: &TransactionId,
    ) -> Result<(), FollowError> {
        let kept = match kept {
            Kept::Remembered(events, format) => {
                let bytes = self.remembered_bytes + events.size();
                if events.size() > REMEMBERED_BYTES_MAX || bytes > REMEMBERED_BYTES_TOTAL_MAX {
                    Kept::AtDestination
                } else {
                    self.remembered_bytes = bytes;
                    Kept::Remembered(events, format)
                }
            }
            kept => kept,
        };
        match self.open.insert(xid, kept) {
            None => Ok(()),
            Some(_) => Err(refused(
                id,
                "it prepares an XA transaction whose identifier belongs to another one that is prepared: \
                 the end of that one is not in the log (sql_log_bin = 0?), so what became of it can't be told",
            )),
        }
    }

    /// Takes out a transaction that ends; `None` when its prepare was not seen.
    pub(super) fn remove(&mut self, xid: &Xid) -> Option<Kept> {
        let kept = self.open.remove(xid)?;
        if let Kept::Remembered(events, _) = &kept {
            self.remembered_bytes -= events.size();
        }
        Some(kept)
    }

    /// Reads back what the destination keeps of a transaction; its prepare must be committed there.
    pub(super) fn read(
        store: &mut CheckpointStore,
        xid: &Xid,
        memory_bytes_max: usize,
    ) -> Result<(TransactionEvents, Arc<FormatDescription>), FollowError> {
        let mut collector = EventCollector::new(memory_bytes_max);
        let mut frames = FrameReader::default();
        let mut format = None;
        for part in 0.. {
            let (data, last) = store.prepared_part(xid, part)?;
            frames.push(&data, |event| -> Result<(), FollowError> {
                let event = event.map_err(|e| unreadable(store, e))?;
                if event.header.event_type != EventType::FORMAT_DESCRIPTION {
                    return Ok(collector.push(&event)?);
                }
                let read = FormatDescription::parse(&event).map_err(|e| unreadable(store, e))?;
                format = Some(Arc::new(read));
                Ok(())
            })?;
            if last {
                break;
            }
        }
        match format {
            Some(format) if frames.is_at_end() => Ok((collector.finish()?, format)),
            _ => Err(unreadable(store, "its last event is cut off")),
        }
    }
}

fn unreadable(store: &CheckpointStore, reason: impl std::fmt::Display) -> FollowError {
    crate::checkpoint::CheckpointError::Unreadable {
        task: store.task().to_owned(),
        reason: format!("a prepared XA transaction in drs_meta.xa: {reason}"),
    }
    .into()
}

/// Picks the events of a prepared transaction that are kept; goes on over its parts.
#[derive(Debug, Default)]
pub(super) struct KeepFilter {
    /// By the log's table number, whether the table is selected.
    tables: HashMap<u64, bool>,
    keeps: bool,
}

impl KeepFilter {
    /// True when something was kept.
    pub(super) fn keeps(&self) -> bool {
        self.keeps
    }
}

impl Router {
    /// Picks the row events of selected tables, with their table maps, out of a prepared
    /// transaction or a part of it. What becomes of them is decided when it commits.
    pub(super) fn pick_prepared(
        &mut self,
        events: &EventArena,
        context: &RouteContext<'_>,
        filter: &mut KeepFilter,
    ) -> Result<EventArena, FollowError> {
        let decode = |source| decode_error(context.id, source);
        let mut kept = EventArena::default();
        let mut keep = |raw: &RawEvent<'_>, first: bool| {
            if first {
                kept.push(&RawEvent {
                    header: EventHeader {
                        event_type: EventType::FORMAT_DESCRIPTION,
                        flags: 0,
                        ..raw.header
                    },
                    body: &context.format.to_body(),
                });
            }
            kept.push(raw);
        };
        for index in 0..events.len() {
            let Some(raw) = events.event(index).map_err(decode)? else {
                continue;
            };
            match raw.header.event_type {
                EventType::TABLE_MAP => {
                    let map = TableMap::parse(&raw, context.format).map_err(decode)?;
                    let selected = self.selects(&map, context)?;
                    filter.tables.insert(map.table_id, selected);
                    if selected {
                        keep(&raw, !filter.keeps);
                        filter.keeps = true;
                    }
                }
                kind if kind.is_rows() => {
                    let rows = Rows::parse(&raw, context.format).map_err(decode)?;
                    match filter.tables.get(&rows.table_id) {
                        Some(true) => keep(&raw, false),
                        Some(false) => self.count_filtered(),
                        None if rows.table_id == Rows::DUMMY_TABLE_ID
                            && rows.image_bytes().is_empty() => {}
                        None => {
                            return Err(decode(
                                raw.reader()
                                    .malformed("no table map comes before the row event"),
                            ));
                        }
                    }
                }
                EventType::QUERY => {
                    let query = Query::parse(&raw).map_err(decode)?;
                    let timestamp_s = raw.header.timestamp;
                    self.judge_prepared(&query, timestamp_s, context, filter)?;
                }
                EventType::EXECUTE_LOAD_QUERY => {
                    let load = drs_binlog::ExecuteLoadQuery::parse(&raw).map_err(decode)?;
                    let timestamp_s = raw.header.timestamp;
                    self.judge_prepared(&load.query, timestamp_s, context, filter)?;
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
        Ok(kept)
    }

    fn judge_prepared(
        &mut self,
        query: &Query<'_>,
        timestamp_s: u32,
        context: &RouteContext<'_>,
        filter: &KeepFilter,
    ) -> Result<(), FollowError> {
        let (verdict, ..) = self.judge(query, timestamp_s, context, filter.keeps)?;
        match verdict {
            Verdict::Nothing => Ok(()),
            Verdict::LeftOut(kind) => {
                self.count_left_out(kind);
                Ok(())
            }
            Verdict::Refuse(reason) => Err(refused(context.id, &reason)),
            Verdict::RunOnDatabase | Verdict::Concerns(_) => Err(refused(
                context.id,
                "a DDL statement stands in an XA transaction",
            )),
        }
    }
}

/// A transaction that does nothing but a step of XA.
pub(super) fn only_step(
    seq: u64,
    id: &TransactionId,
    committed_at_us: u64,
    format: &Arc<FormatDescription>,
    step: XaStep,
) -> RoutedTransaction {
    let (id, format) = (id.clone(), Arc::clone(format));
    let nothing = EventArena::default();
    let mut only = routed(seq, id, committed_at_us, nothing, format, Vec::new());
    only.xa = Some(step);
    only
}

/// What the events of a prepared transaction are kept as.
pub(super) fn kept_change(
    events: &EventArena,
    parts_before: u32,
    last: bool,
    prepared_at: &Position,
) -> XaChange {
    let mut bytes = Vec::with_capacity(events.size() + events.len() * 4);
    events.write_frames(&mut bytes);
    XaChange::Keep {
        prepared_at: prepared_at.clone(),
        parts_before,
        events: bytes,
        last,
    }
}

/// A hash that stands for an XA transaction's identifier, which its prepare and its end share.
pub(super) fn xid_hash(xid: &Xid) -> u64 {
    use std::hash::BuildHasher;
    foldhash::fast::FixedState::with_seed(0x5841).hash_one(xid)
}

/// Why a transaction's end can't be followed that was prepared before the log is read from.
pub(super) fn unknown_xid(id: &TransactionId) -> FollowError {
    refused(
        id,
        "it commits an XA transaction that was prepared before the point where this task began to read the log, so \
         its changes are not known: they may be of selected tables; begin a new task at a point at which no XA \
         transaction is prepared (XA RECOVER)",
    )
}
