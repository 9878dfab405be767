mod prepared;

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, never, select};
use drs_binlog::{Outcome, Position};

use super::{
    ByteBudget, Echoes, EventArena, FollowError, FollowProgress, OpenSource, ReaderSettings,
    RouterSettings, StatementRunner, TransactionEvents,
    lane::{LaneReport, LaneTask, LaneWork, LargeTransaction, LargeXa, run_lane},
    open_batches::{BatchLimits, OpenBatches, ReadyBatch},
    progress::Completion,
    reader::{Received, SourceTransaction, StreamReader},
    route::{Route, RouteContext, Router},
    statement::CopyAgain,
    turn::{Commits, Turn},
    write_set::WriteSet,
    xa::PreparedXa,
};
use crate::{
    apply::{Applier, Batch, RoutedTransaction, XaStep},
    checkpoint::{CheckpointStore, DoneSet, StreamPoint, TableRecord, TransactionId},
    object::TableName,
};

/// Everything that following depends on.
pub(crate) struct Follow {
    pub(crate) settings: FollowSettings,
    pub(crate) open: OpenSource,
    pub(crate) reader: ReaderSettings,
    pub(crate) router: RouterSettings,
    /// One for each lane.
    pub(crate) appliers: Vec<Box<dyn Applier>>,
    pub(crate) statements: StatementRunner,
    pub(crate) echoes: Echoes,
    pub(crate) store: Arc<Mutex<CheckpointStore>>,
}

/// Sizes and the end.
#[derive(Clone, Debug)]
pub(crate) struct FollowSettings {
    /// Event bytes in memory, over all threads.
    pub(crate) memory_bytes_max: u64,
    /// What was kept of a prepared transaction goes to a temporary file if it has more bytes.
    pub(crate) transaction_memory_bytes_max: usize,
    pub(crate) batches: BatchLimits,
    /// Transactions above the watermark: bounds what a checkpoint row holds.
    pub(crate) open_transactions_max: usize,
    /// Stop once everything up to here is at the destination.
    pub(crate) until: Option<Position>,
}

/// Why following ended without an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FollowEnd {
    /// The position asked for was reached.
    CaughtUp,
    /// A stop was asked for; everything in flight was committed.
    Stopped,
    /// These tables must be copied again, which the checkpoint says; then following goes on.
    CopyAgain {
        /// The statement that can't be reconciled with their copies.
        at: TransactionId,
        tables: Vec<TableName>,
    },
}

/// How often the checkpoint moves while only other tables change.
const IDLE_CHECKPOINT_PERIOD: Duration = Duration::from_secs(1);
/// How often the observer hears of progress.
const PROGRESS_PERIOD: Duration = Duration::from_millis(200);
/// Transactions read ahead of the scheduler; their bytes are bounded by the budget.
const READ_AHEAD: usize = 1024;

impl Follow {
    /// Follows the source from the checkpoint on, until a stop, the position asked for, or an error.
    ///
    /// Threads: one reader, one for each lane, and the caller's as scheduler; all have ended
    /// when this returns, and every batch handed to a lane has been committed or has failed.
    pub(crate) fn run(
        self,
        start: (StreamPoint, DoneSet),
        tables: &[TableRecord],
        before: Option<FollowProgress>,
        stop: &AtomicBool,
        observe: &mut dyn FnMut(&FollowProgress),
    ) -> Result<FollowEnd, FollowError> {
        let (point, done) = start;
        let before = before.unwrap_or_else(|| FollowProgress::new(point.position.clone()));
        let reader_stop = AtomicBool::new(false);
        let (received_in, received) = bounded(READ_AHEAD);
        let (reports_in, reports) = bounded(self.appliers.len() * 2);
        let mut router = Router::new(self.router, tables, &point.position);
        router.check_families(&TransactionId {
            end: point.position.clone(),
            gtid: None,
        })?;
        let router = Arc::new(Mutex::new(router));
        let prepared =
            PreparedXa::load(&mut self.store.lock().unwrap_or_else(PoisonError::into_inner))?;
        std::thread::scope(|scope| {
            let reader = StreamReader {
                open: self.open,
                settings: self.reader,
                budget: ByteBudget::new(self.settings.memory_bytes_max),
                out: received_in,
                stop: &reader_stop,
                point: point.clone(),
                until: self.settings.until.clone(),
            };
            scope.spawn(move || reader.run());
            let commits = Commits::default();
            let mut lanes = Vec::new();
            for (number, applier) in self.appliers.into_iter().enumerate() {
                let (work_in, work) = bounded(1);
                let reports_in: Sender<LaneReport> = reports_in.clone();
                let commits = commits.clone();
                scope.spawn(move || run_lane(number, applier, &work, &reports_in, &commits));
                lanes.push(Lane::new(work_in));
            }
            drop(reports_in);
            let batches = OpenBatches::new(self.settings.batches);
            let mut scheduler = Scheduler {
                settings: self.settings,
                statements: self.statements,
                echoes: self.echoes,
                store: self.store,
                router,
                lanes,
                reports,
                completion: Completion::new(point.clone()),
                checkpointed_seq: 0,
                checkpointed_at: Instant::now(),
                batches,
                commits,
                done,
                waiting: None,
                read_to_end: false,
                lane_failed: false,
                prepared,
                progress: FollowProgress {
                    position: point.position,
                    ..before.clone()
                },
                counted_before: before,
                copy_again: None,
                observed_at: Instant::now(),
                observe,
            };
            let end = scheduler.run(&received, stop);
            reader_stop.store(true, Ordering::Relaxed);
            scheduler.lanes.clear();
            drop(received);
            end
        })
    }
}

struct Lane {
    work: Sender<LaneWork>,
    /// What it is at.
    running: Option<Running>,
}

struct Running {
    batch: u64,
    /// Numbers and commit times of its transactions.
    sent: Vec<(u64, u64)>,
}

impl Lane {
    fn new(work: Sender<LaneWork>) -> Self {
        Self {
            work,
            running: None,
        }
    }

    fn start(&mut self, batch: u64, sent: Vec<(u64, u64)>, task: LaneTask) {
        self.running = Some(Running { batch, sent });
        // The channel has room, because the lane is idle; a lane that is gone has reported why.
        _ = self.work.send(LaneWork {
            number: batch,
            task,
        });
    }
}

/// What the scheduler has waited for.
enum Next {
    Report(LaneReport),
    Received(Received),
    Nothing,
}

/// A routed transaction that no batch can take yet.
struct Waiting {
    transaction: RoutedTransaction,
    write_set: WriteSet,
}

struct Scheduler<'a> {
    settings: FollowSettings,
    statements: StatementRunner,
    echoes: Echoes,
    store: Arc<Mutex<CheckpointStore>>,
    router: Arc<Mutex<Router>>,
    lanes: Vec<Lane>,
    reports: Receiver<LaneReport>,
    completion: Completion,
    checkpointed_seq: u64,
    checkpointed_at: Instant,
    batches: OpenBatches<RoutedTransaction>,
    commits: Commits,
    /// Committed above the watermark by the last run.
    done: DoneSet,
    waiting: Option<Waiting>,
    /// The reader has handed on everything up to the position asked for.
    read_to_end: bool,
    /// A lane has ended with an error: it will never report again.
    lane_failed: bool,
    prepared: PreparedXa,
    progress: FollowProgress,
    /// What following came to before tables were copied again.
    counted_before: FollowProgress,
    copy_again: Option<CopyAgain>,
    observed_at: Instant,
    observe: &'a mut dyn FnMut(&FollowProgress),
}

impl Scheduler<'_> {
    fn run(
        &mut self,
        received: &Receiver<Received>,
        stop: &AtomicBool,
    ) -> Result<FollowEnd, FollowError> {
        loop {
            if stop.load(Ordering::Relaxed) {
                self.finish()?;
                return Ok(FollowEnd::Stopped);
            }
            if let Some(until) = &self.settings.until
                && self.completion.watermark().point.position >= *until
            {
                self.finish()?;
                return Ok(FollowEnd::CaughtUp);
            }
            if let Some(again) = self.copy_again.take() {
                self.finish()?;
                self.statements.copy_again(&again)?;
                return Ok(FollowEnd::CopyAgain {
                    at: again.id,
                    tables: again.tables,
                });
            }
            self.place_waiting();
            let room = !self.read_to_end
                && self.waiting.is_none()
                && self.completion.open() < self.settings.open_transactions_max;
            // While there is more to read, batches are filled; else what is there goes out at once.
            self.dispatch(!room || received.is_empty());
            match self.next(room.then_some(received))? {
                Next::Report(report) => self.take_report(report)?,
                Next::Received(Received::Transaction(transaction)) => {
                    if let Err(error) = self.take_transaction(transaction) {
                        return Err(self.behind_what_came_before(error));
                    }
                }
                Next::Received(Received::Position(position)) => self.take_position(position),
                Next::Received(Received::End) => self.read_to_end = true,
                Next::Received(Received::Failed(error)) => {
                    // What was read before it is whole, and is committed first.
                    self.finish()?;
                    return Err(error);
                }
                Next::Nothing => {}
            }
            self.periodic()?;
        }
    }

    /// Waits a moment for a lane's report or, if there is room, for what the reader hands on.
    fn next(&self, received: Option<&Receiver<Received>>) -> Result<Next, FollowError> {
        const MOMENT: Duration = Duration::from_millis(50);
        let none = never();
        let is_idle = self.lanes.iter().all(|lane| lane.running.is_none());
        let next = match received {
            // No lane has anything to report. Waiting for two channels costs both sides more, and
            // this is where a single transaction is waited for.
            Some(received) if is_idle => received.recv_timeout(MOMENT).map(Next::Received),
            received => select! {
                recv(self.reports) -> report => report.map(Next::Report).map_err(Into::into),
                recv(received.unwrap_or(&none)) -> next => next.map(Next::Received).map_err(Into::into),
                default(MOMENT) => Ok(Next::Nothing),
            },
        };
        match next {
            Err(RecvTimeoutError::Timeout) => Ok(Next::Nothing),
            Err(RecvTimeoutError::Disconnected) => Err(FollowError::Thread),
            Ok(next) => Ok(next),
        }
    }

    /// Commits what was read before a transaction that stops the task, so that it stops exactly there.
    /// If that fails, it is what stops the task.
    fn behind_what_came_before(&mut self, error: FollowError) -> FollowError {
        match self.lane_failed {
            true => error,
            false => self.drain().err().unwrap_or(error),
        }
    }

    fn take_position(&mut self, position: Position) {
        let seq = self.completion.add(TransactionId {
            end: position,
            gtid: None,
        });
        self.completion.finish(seq);
    }

    fn take_transaction(&mut self, mut transaction: SourceTransaction) -> Result<(), FollowError> {
        let seq = self.completion.add(transaction.id.clone());
        if self.done.contains(&transaction.id) {
            self.completion.finish(seq);
            return Ok(());
        }
        if let Some(task) = &transaction.origin
            && self.echoes.is_from_destination(task, &transaction.id)?
        {
            self.echoed(seq);
            return Ok(());
        }
        self.announce_caught_up()?;
        if transaction.outcome == Outcome::XaPrepare {
            return self.take_prepared(seq, transaction);
        }
        let share = transaction.share.take();
        let arena = match transaction.events {
            TransactionEvents::Memory(arena) => arena,
            TransactionEvents::Spilled(events) => {
                let large = LargeTransaction {
                    seq,
                    id: transaction.id,
                    outcome: transaction.outcome,
                    committed_at_us: transaction.committed_at_us,
                    events,
                    format: transaction.format,
                    watermark: self.completion.watermark().clone(),
                    xa: LargeXa::None,
                    router: Arc::clone(&self.router),
                    routing: None,
                };
                return self.apply_large(large);
            }
        };
        let context = RouteContext {
            id: &transaction.id,
            outcome: transaction.outcome,
            format: &transaction.format,
        };
        let mut route = self.router().route(&arena, &context, 0)?;
        if let Some(end) = route.xa_end.take() {
            return self.take_xa_end(seq, &end, transaction.committed_at_us, &context);
        }
        if let Some(again) = route.copy_again {
            if let Some(task) = super::origin::statement_origin(&again.text)
                && self.echoes.is_from_destination(task, &transaction.id)?
            {
                self.echoed(seq);
                return Ok(());
            }
            // The transaction stays open; it comes again when following goes on.
            self.copy_again = Some(again);
            return Ok(());
        }
        if let Some(job) = route.statement.take() {
            if self.echoes.is_echo(&job)? {
                self.echoed(seq);
                return Ok(());
            }
            self.drain()?;
            self.statements.run(&job)?;
            let (rest, columns) = {
                let mut router = self.router();
                router.statement_ran(&job.changes);
                let columns = router.change_columns(&job)?;
                router.check_families(context.id)?;
                (router.route(&arena, &context, route.rest)?, columns)
            };
            self.progress.statements += 1;
            self.take_rows(
                seq,
                transaction.committed_at_us,
                &transaction.id,
                arena,
                &transaction.format,
                rest,
                None,
                None,
            )?;
            self.drain()?;
            let watermark = Arc::clone(&self.completion.watermark().point);
            return self.statements.finish(&watermark, &columns, &job.changes);
        }
        self.take_rows(
            seq,
            transaction.committed_at_us,
            &transaction.id,
            arena,
            &transaction.format,
            route,
            None,
            share,
        )
    }

    fn echoed(&mut self, seq: u64) {
        self.progress.transactions_echoed += 1;
        self.completion.finish(seq);
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of one transaction, taken apart by its caller"
    )]
    fn take_rows(
        &mut self,
        seq: u64,
        committed_at_us: u64,
        id: &TransactionId,
        events: EventArena,
        format: &Arc<drs_binlog::FormatDescription>,
        route: Route,
        xa: Option<XaStep>,
        share: Option<super::ByteShare>,
    ) -> Result<(), FollowError> {
        if route.statement.is_some() || route.copy_again.is_some() {
            return Err(FollowError::Refused {
                transaction: id.clone(),
                reason: "it holds more than one DDL statement".into(),
            });
        }
        if route.rows.is_empty() && xa.is_none() {
            self.progress.transactions_filtered += 1;
            self.completion.finish(seq);
            return Ok(());
        }
        let transaction = RoutedTransaction {
            seq,
            id: id.clone(),
            committed_at_us,
            events,
            format: Arc::clone(format),
            rows: route.rows,
            xa,
            _share: share,
        };
        self.waiting = Some(Waiting {
            transaction,
            write_set: route.write_set,
        });
        self.place_waiting();
        Ok(())
    }

    /// Puts the waiting transaction into a batch, if there is room.
    fn place_waiting(&mut self) {
        let Some(Waiting {
            transaction,
            write_set,
        }) = self.waiting.take()
        else {
            return;
        };
        let event_bytes = transaction.events.size();
        let placed = self.batches.place(transaction, event_bytes, write_set);
        self.waiting = placed.err().map(|(transaction, write_set)| Waiting {
            transaction,
            write_set,
        });
    }

    /// Hands batches to the lanes that are idle: those that are full, or, if `dry`, any.
    fn dispatch(&mut self, dry: bool) {
        for lane in &mut self.lanes {
            if lane.running.is_some() {
                continue;
            }
            let Some(ReadyBatch {
                number,
                transactions,
                after,
            }) = self.batches.take_ready(dry)
            else {
                return;
            };
            let watermark = self.completion.watermark().clone();
            let sent = transactions
                .iter()
                .map(|t| (t.seq, t.committed_at_us))
                .collect();
            self.checkpointed_seq = watermark.seq;
            self.checkpointed_at = Instant::now();
            let turn = self.commits.start(number, after);
            let batch = Batch {
                transactions,
                watermark,
                turn,
            };
            lane.start(number, sent, LaneTask::Batch(batch));
        }
    }

    fn take_report(&mut self, report: LaneReport) -> Result<(), FollowError> {
        let applied = report.result.inspect_err(|_| self.lane_failed = true)?;
        let running = self
            .lanes
            .get_mut(report.lane)
            .and_then(|lane| lane.running.take());
        let Some(Running { batch, sent }) = running else {
            return Ok(());
        };
        self.batches.commit(batch);
        for (seq, _) in &sent {
            self.completion.finish(*seq);
        }
        self.progress.transactions += applied.transactions;
        self.progress.row_changes += applied.row_changes;
        self.progress.conflicts += applied.conflicts;
        if let Some((_, committed_at_us)) = sent.last() {
            let now_us = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_micros() as u64);
            self.progress.lag_ms = now_us.saturating_sub(*committed_at_us) / 1000;
        }
        Ok(())
    }

    /// Waits until every lane is idle and nothing is left to place.
    fn drain(&mut self) -> Result<(), FollowError> {
        loop {
            self.place_waiting();
            self.dispatch(true);
            if self.waiting.is_none() && self.batches.is_idle() {
                return Ok(());
            }
            let report = self.reports.recv().map_err(|_| FollowError::Thread)?;
            self.take_report(report)?;
        }
    }

    /// Commits everything in flight, and the checkpoint behind it.
    fn finish(&mut self) -> Result<(), FollowError> {
        self.drain()?;
        self.checkpoint_idle()?;
        self.drain()?;
        self.announce_caught_up()?;
        self.report_progress();
        Ok(())
    }

    fn apply_large(&mut self, large: LargeTransaction) -> Result<(), FollowError> {
        self.drain()?;
        let (seq, committed_at_us) = (large.seq, large.committed_at_us);
        let large = LargeTransaction {
            watermark: self.completion.watermark().clone(),
            ..large
        };
        if let Some(lane) = self.lanes.first_mut() {
            let batch = self.batches.start_alone();
            let sent = vec![(seq, committed_at_us)];
            lane.start(batch, sent, LaneTask::Large(Box::new(large)));
        }
        self.drain()
    }

    /// Writes the watermark without data, so that a restart does not read all of it again.
    fn checkpoint_idle(&mut self) -> Result<(), FollowError> {
        let watermark = self.completion.watermark().clone();
        if watermark.seq == self.checkpointed_seq {
            return Ok(());
        }
        if let Some(lane) = self.lanes.first_mut()
            && lane.running.is_none()
        {
            self.checkpointed_seq = watermark.seq;
            self.checkpointed_at = Instant::now();
            let batch = Batch {
                transactions: Vec::new(),
                watermark,
                turn: Turn::default(),
            };
            let number = self.batches.start_alone();
            lane.start(number, Vec::new(), LaneTask::Batch(batch));
        }
        Ok(())
    }

    fn periodic(&mut self) -> Result<(), FollowError> {
        if self.checkpointed_at.elapsed() > IDLE_CHECKPOINT_PERIOD {
            if self.batches.is_idle() && self.waiting.is_none() {
                self.checkpoint_idle()?;
            }
            self.announce_caught_up()?;
        }
        if self.observed_at.elapsed() > PROGRESS_PERIOD {
            self.report_progress();
        }
        Ok(())
    }

    fn report_progress(&mut self) {
        self.observed_at = Instant::now();
        self.progress.position = self.completion.watermark().point.position.clone();
        let counts = self.router().counts();
        let before = &self.counted_before;
        self.progress.left_out = before.left_out.plus(&counts.left_out);
        self.progress.statements_left_out = self.progress.left_out.total();
        self.progress.row_changes_filtered =
            before.row_changes_filtered + counts.row_changes_filtered;
        self.progress.row_changes_left_out =
            before.row_changes_left_out + counts.row_changes_left_out;
        if self.completion.open() == 0 {
            self.progress.lag_ms = 0;
        }
        (self.observe)(&self.progress);
    }

    /// Marks tables as live once everything up to their `until` is committed.
    fn announce_caught_up(&self) -> Result<(), FollowError> {
        let position = self.completion.watermark().point.position.clone();
        let tables = {
            let mut router = self.router();
            if router.catching_up() == 0 {
                return Ok(());
            }
            router.caught_up(&position)
        };
        let unique: HashSet<_> = tables.iter().collect();
        if !unique.is_empty() {
            self.store
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .save_live(&tables)?;
        }
        Ok(())
    }

    fn router(&self) -> MutexGuard<'_, Router> {
        self.router.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
