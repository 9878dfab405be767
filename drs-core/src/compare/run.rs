use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use drs_binlog::Position;
use mysql::{Conn, prelude::Queryable};

use super::{
    CompareError, CompareLevel, CompareObserver, CompareProgress, TableResult, TableVerdict,
    board::{Board, OpenTable, Part, Waiting},
    error::query,
    journal::{Head, Journal},
    pair::{Pairing, TablePair, Unpaired},
    session::Session,
    settle::{Following, Reach},
};
use crate::{
    checkpoint::{TablePhase, status, status::TaskStatus},
    copy::{CopyRules, end_of_log, list_tables},
    dialect::ServerVersion,
    endpoint::Role,
    object::{Mapping, NameCase, Selection, TableName},
    pipeline::basis,
    rule::Asker,
    session,
    task::{FlowControl, Task},
};

/// Progress is told so far apart.
const PROGRESS_PERIOD: Duration = Duration::from_millis(200);

/// A wait that is longer is told of.
const MOMENT: Duration = Duration::from_secs(3);

/// How to compare.
#[derive(Clone, Debug)]
pub struct CompareOptions {
    /// How deep.
    pub level: CompareLevel,
    /// Connections to each of the servers; at least 1.
    pub sessions: u16,
    /// Which of the task's tables, by their names at the source; all of them when `None`.
    pub tables: Option<Selection>,
    /// Differences of a table that are described; the others are counted.
    pub examples_max: usize,
    /// How long the destination of a running task may take to pass a point of the source.
    pub wait_max: Duration,
    /// How fast rows are read at either side.
    pub flow_control: FlowControl,
    /// Tells the observer a statement for each row that differs ([`CompareObserver::repair`]).
    pub repairs: bool,
    /// Where to write what is done, so that the same comparison goes on there after it was cut off;
    /// the file goes when the comparison ends. It holds values of rows.
    pub journal: Option<PathBuf>,
}

impl Default for CompareOptions {
    fn default() -> Self {
        Self {
            level: CompareLevel::Values,
            sessions: 4,
            tables: None,
            examples_max: 20,
            wait_max: Duration::from_secs(60),
            flow_control: FlowControl::default(),
            repairs: false,
            journal: None,
        }
    }
}

/// What a comparison found out.
#[derive(Clone, Debug)]
pub struct CompareOutcome {
    /// Each table's result, by name.
    pub tables: Vec<TableResult>,
    /// Which servers were compared.
    pub servers: [ComparedServer; 2],
    /// True when a task followed the source meanwhile, and what differed was looked at again behind
    /// the source's point of then.
    pub is_live: bool,
    /// The end of the source's log before the first row was read, where it could be read.
    pub from: Option<Position>,
    /// The same after the last one.
    pub until: Option<Position>,
}

/// A server that was compared.
#[derive(Clone, Debug)]
pub struct ComparedServer {
    /// `@@server_uuid`.
    pub server_uuid: String,
    /// Its version.
    pub version: ServerVersion,
    /// Where it was reached.
    pub address: String,
}

impl CompareOutcome {
    /// True when every table was compared and is the same.
    pub fn is_equal(&self) -> bool {
        let is_equal = |table: &TableResult| table.verdict == TableVerdict::Equal;
        self.tables.iter().all(is_equal)
    }
}

/// Compares the rows of a task's tables on both sides. It writes nothing.
///
/// With the task's mapping and rules: what is compared is what the task should have brought. It
/// needs no checkpoint: two servers can be compared that no task has run between.
pub struct Comparison<'a> {
    task: &'a Task,
    options: CompareOptions,
    observer: &'a dyn CompareObserver,
}

impl<'a> Comparison<'a> {
    /// A comparison of all that the task selects.
    pub fn new(task: &'a Task) -> Self {
        Self {
            task,
            options: CompareOptions::default(),
            observer: &(),
        }
    }

    /// Says how to compare.
    #[must_use]
    pub fn options(mut self, options: CompareOptions) -> Self {
        self.options = options;
        self
    }

    /// Has somebody told how it goes.
    #[must_use]
    pub fn observer(mut self, observer: &'a dyn CompareObserver) -> Self {
        self.observer = observer;
        self
    }

    /// Compares. Differences are a result, and no error.
    ///
    /// # Errors
    /// [`CompareError::Stopped`] when `stop` was set, and whatever keeps all tables from being
    /// compared; what concerns a single table is its [`TableVerdict::NotCompared`].
    pub fn run(&self, stop: &AtomicBool) -> Result<CompareOutcome, CompareError> {
        let (mut source, version) = session::open_to_read(self.task.source(), Role::Source)?;
        let (mut destination, version_there) =
            session::open_to_read(self.task.destination(), Role::Destination)?;
        let uuids = [
            server_uuid(&mut source, Role::Source)?,
            server_uuid(&mut destination, Role::Destination)?,
        ];
        if uuids[0] == uuids[1] {
            return Err(CompareError::SameServer {
                server_uuid: uuids[0].clone(),
            });
        }
        let cases = [
            name_case(&mut source, Role::Source)?,
            name_case(&mut destination, Role::Destination)?,
        ];
        let selection = self.task.selection().clone().with_case(cases[0]);
        let mapping = self.task.mapping().clone().with_case(cases[0])?;
        let name = self.task.name().as_str();
        let status = status::read(&mut destination, name)?;
        if let Some(status) = &status
            && status.record.source_uuid != uuids[0]
        {
            return Err(CompareError::OtherSource {
                expected: status.record.source_uuid.clone(),
                found: uuids[0].clone(),
            });
        }
        let from = end_of_log(&mut source, version).ok();
        let following = self.following(
            &mut destination,
            status.as_ref(),
            (version, from.as_ref()),
            stop,
        )?;
        let waiting = self.waiting(
            [&mut source, &mut destination],
            (&selection, &mapping),
            cases[1],
            (name, &uuids[0], status.is_some()),
        )?;
        let (mut ready, early) = split(waiting, status.as_ref());
        let head = Head {
            task: name.to_owned(),
            level: self.options.level,
            settings: self.settings(),
            servers: uuids.clone(),
        };
        let (journal, before) = match &self.options.journal {
            None => (None, Vec::new()),
            Some(path) => {
                let (journal, done) = Journal::open(path, &head)?;
                (Some(journal), done)
            }
        };
        let before: Vec<TableResult> = before
            .into_iter()
            .filter(|result| {
                let is_same = |table: &Waiting| {
                    table.source == result.source && table.destination == result.destination
                };
                let place = ready.iter().position(is_same);
                place.map(|place| ready.remove(place)).is_some()
            })
            .collect();
        let asks = self.task.source().clone();
        let shared = Shared {
            task: self.task,
            options: &self.options,
            observer: self.observer,
            rules: CopyRules {
                rules: self.task.rules(),
                case: cases[0],
                asker: Asker::new(move || Ok(session::open_source(&asks)?.0)),
            },
            versions: [version, version_there],
            uuids: uuids.clone(),
            following,
            stop,
            failed: AtomicBool::new(false),
            progress: Progress::new(&ready, early.len() + before.len()),
            journal,
            board: Board::new(ready, usize::from(self.options.sessions.max(1))),
            results: Mutex::default(),
            free_at: Mutex::new(Instant::now()),
        };
        for (waiting, reason) in early {
            shared.not_compared(&waiting, reason);
        }
        for result in before {
            shared.told(result);
        }
        shared.run()?;
        if let Some(journal) = shared.journal {
            journal.remove()?;
        }
        let stands = |following: &Following<'_>| following.stands.load(Ordering::Relaxed);
        let is_live = shared.following.as_ref().is_some_and(|task| !stands(task));
        if shared.following.as_ref().is_some_and(stands) {
            self.observer.notice(
                "the task does not run (any more): what it has not applied yet counts as a difference",
            );
        }
        let mut tables = shared
            .results
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        tables.sort_by(|a, b| a.source.cmp(&b.source));
        let addresses = [self.task.source(), self.task.destination()];
        let server = |index: usize, version: ServerVersion| ComparedServer {
            server_uuid: uuids.get(index).cloned().unwrap_or_default(),
            version,
            address: addresses
                .get(index)
                .map(|endpoint| endpoint.address().to_string())
                .unwrap_or_default(),
        };
        Ok(CompareOutcome {
            tables,
            servers: [server(0, version), server(1, version_there)],
            is_live,
            from,
            until: end_of_log(&mut source, version).ok(),
        })
    }

    /// What a comparison that was cut off can only go on with.
    fn settings(&self) -> String {
        let mut lines = vec![basis(self.task)];
        for rule in self
            .task
            .rules()
            .iter()
            .filter(|rule| !rule.without.is_empty())
        {
            lines.push(format!("rule {} without {:?}", rule.table, rule.without));
        }
        for entry in self.options.tables.iter().flat_map(Selection::include) {
            lines.push(format!("tables {}", entry.as_str()));
        }
        lines.join("\n")
    }

    /// The task, if it follows the source right now.
    fn following<'b>(
        &'b self,
        destination: &mut Conn,
        status: Option<&TaskStatus>,
        (version, end): (ServerVersion, Option<&Position>),
        stop: &'b AtomicBool,
    ) -> Result<Option<Following<'b>>, CompareError> {
        if status.is_none() || !self.task.mode().follows() {
            return Ok(None);
        }
        let Some(end) = end else {
            self.observer.notice(
                "the end of the source's log can't be read (REPLICATION CLIENT is needed), so what the task has not \
                 applied yet counts as a difference",
            );
            return Ok(None);
        };
        let following = Following {
            task: self.task.name().as_str(),
            version,
            wait_max: self.options.wait_max,
            stop,
            stands: AtomicBool::new(false),
        };
        // A task that runs is there at once, or in a moment.
        let soon = MOMENT.min(self.options.wait_max);
        let mut reach = following.reaches(destination, end, soon)?;
        if reach != Reach::There && soon < self.options.wait_max {
            self.observer.notice(&format!(
                "waiting until the task has brought everything up to the source's {end}, for {} s at most",
                self.options.wait_max.as_secs()
            ));
            reach = following.reaches(destination, end, self.options.wait_max - soon)?;
        }
        let state = match reach {
            Reach::There => return Ok(Some(following)),
            Reach::Late => "it is behind",
            Reach::Stands => "it does not run",
        };
        self.observer.notice(&format!(
            "the task has not reached the source's {end} within {} s: {state}. What it has not applied yet counts as a \
             difference",
            self.options.wait_max.as_secs()
        ));
        Ok(None)
    }

    /// The tables to compare, the largest first.
    fn waiting(
        &self,
        [source, destination]: [&mut Conn; 2],
        (selection, mapping): (&Selection, &Mapping),
        case: NameCase,
        (task, source_uuid, has_begun): (&str, &str, bool),
    ) -> Result<Vec<Waiting>, CompareError> {
        let tables = list_tables(source, selection)?.tables;
        let writers = match has_begun {
            true => writers(destination, task, source_uuid)?,
            false => BTreeSet::new(),
        };
        let wanted = |name: &TableName| match &self.options.tables {
            Some(tables) => tables.clone().with_case(selection.case()).matches(name),
            None => true,
        };
        let mut waiting = Vec::new();
        for table in tables {
            if !wanted(&table.name) {
                continue;
            }
            let place = mapping.table(&table.name).folded(case);
            let is_shared = writers
                .iter()
                .any(|(there, from)| *there == place && from.as_ref() != Some(&table.name));
            waiting.push(Waiting {
                destination: mapping.table(&table.name),
                source: table.name,
                rows_estimate: table.rows_estimate,
                bytes_per_row: table.bytes_estimate / table.rows_estimate.max(1),
                is_shared,
            });
        }
        if waiting.is_empty() {
            return Err(CompareError::NothingSelected);
        }
        let size = |table: &Waiting| {
            table
                .rows_estimate
                .saturating_mul(table.bytes_per_row.max(1))
        };
        waiting.sort_by_key(|table| std::cmp::Reverse(size(table)));
        Ok(waiting)
    }
}

/// The tables that can be compared, and those whose copy is not finished, with that reason.
fn split(
    waiting: Vec<Waiting>,
    status: Option<&TaskStatus>,
) -> (Vec<Waiting>, Vec<(Waiting, String)>) {
    let (mut ready, mut early) = (Vec::new(), Vec::new());
    let unfinished: BTreeSet<&TableName> = status
        .iter()
        .flat_map(|status| &status.tables)
        .filter(|record| record.phase < TablePhase::CatchingUp)
        .map(|record| &record.table)
        .collect();
    for table in waiting {
        match unfinished.contains(&table.source) {
            true => early.push((table, "its copy is not finished".to_owned())),
            false => ready.push(table),
        }
    }
    (ready, early)
}

/// Who else writes to which tables of the destination: the table, and the table of this source that
/// the rows come from, if they come from this source.
fn writers(
    conn: &mut Conn,
    task: &str,
    source_uuid: &str,
) -> Result<BTreeSet<(TableName, Option<TableName>)>, CompareError> {
    type Row = (String, String, String, String, bool);
    let rows: Vec<Row> = conn
        .exec(
            "SELECT w.db, w.tbl, w.source_db, w.source_tbl, w.task = ? OR COALESCE(t.source_uuid = ?, 0) \
             FROM drs_meta.writer w LEFT JOIN drs_meta.task t ON t.name = w.task",
            (task, source_uuid),
        )
        .map_err(query(Role::Destination, "reading which tasks write to which tables"))?;
    Ok(rows
        .into_iter()
        .filter_map(
            |(database, table, source_database, source_table, is_same)| {
                let from = match is_same {
                    true => TableName::new(&source_database, &source_table).ok(),
                    false => None,
                };
                Some((TableName::new(&database, &table).ok()?, from))
            },
        )
        .collect())
}

fn server_uuid(conn: &mut Conn, role: Role) -> Result<String, CompareError> {
    let uuid: Option<String> = conn
        .query_first("SELECT @@global.server_uuid")
        .map_err(query(role, "reading server_uuid"))?;
    Ok(uuid.unwrap_or_default())
}

fn name_case(conn: &mut Conn, role: Role) -> Result<NameCase, CompareError> {
    let value: Option<u8> = conn
        .query_first("SELECT @@global.lower_case_table_names")
        .map_err(query(role, "reading lower_case_table_names"))?;
    Ok(match value {
        None | Some(0) => NameCase::Sensitive,
        Some(_) => NameCase::Insensitive,
    })
}

/// What all sessions share.
pub(super) struct Shared<'a> {
    task: &'a Task,
    pub(super) options: &'a CompareOptions,
    pub(super) observer: &'a dyn CompareObserver,
    rules: CopyRules<'a>,
    versions: [ServerVersion; 2],
    uuids: [String; 2],
    pub(super) following: Option<Following<'a>>,
    pub(super) stop: &'a AtomicBool,
    pub(super) failed: AtomicBool,
    pub(super) board: Board,
    progress: Progress,
    journal: Option<Journal>,
    results: Mutex<Vec<TableResult>>,
    /// When the flow limit lets the next rows be read.
    free_at: Mutex<Instant>,
}

impl Shared<'_> {
    fn run(&self) -> Result<(), CompareError> {
        thread::scope(|scope| {
            let sessions: Vec<_> = (0..self.options.sessions.max(1))
                .map(|_| {
                    scope.spawn(|| {
                        // Also when it panics: the others are to stop.
                        let failing = StopsOthers(&self.failed);
                        let result = Session::new(self).work();
                        if result.is_ok() {
                            std::mem::forget(failing);
                        }
                        result
                    })
                })
                .collect();
            let mut error = None;
            for session in sessions {
                match session.join() {
                    Ok(Ok(())) => {}
                    // The sessions that were told to stop are not the cause.
                    Ok(Err(CompareError::Stopped)) => {
                        error = error.or(Some(CompareError::Stopped));
                    }
                    Ok(Err(cause)) => match &error {
                        None | Some(CompareError::Stopped) => error = Some(cause),
                        Some(_) => {}
                    },
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            error.map_or(Ok(()), Err)
        })
    }

    /// Both connections, opened where there are none, to the servers that the comparison began with.
    pub(super) fn connected<'c>(
        &self,
        conns: &'c mut Option<[Conn; 2]>,
    ) -> Result<&'c mut [Conn; 2], CompareError> {
        if conns.is_none() {
            let open = |role: Role| -> Result<Conn, CompareError> {
                let endpoint = self.task.endpoint(role);
                let (mut conn, _) = session::open_to_read(endpoint, role)?;
                let expected = match role {
                    Role::Source => &self.uuids[0],
                    Role::Destination => &self.uuids[1],
                };
                session::same_server(&mut conn, role, expected)?;
                Ok(conn)
            };
            *conns = Some([open(Role::Source)?, open(Role::Destination)?]);
        }
        match conns {
            Some(conns) => Ok(conns),
            None => Err(CompareError::Stopped),
        }
    }

    /// The definitions of a table on both sides.
    pub(super) fn pair(
        &self,
        conns: [&mut Conn; 2],
        waiting: &Waiting,
    ) -> Result<Result<TablePair, Unpaired>, CompareError> {
        Pairing {
            level: self.options.level,
            rules: &self.rules,
            versions: self.versions,
            bytes_per_row: waiting.bytes_per_row,
            is_shared: waiting.is_shared,
            repairs: self.options.repairs,
            is_live: self.following.is_some(),
        }
        .pair(conns, &waiting.source, &waiting.destination)
    }

    /// Waits until so many more bytes may be read.
    pub(super) fn throttle(&self, bytes: u64) {
        if self.options.flow_control.is_empty() {
            return;
        }
        let minute = chrono::Utc::now().timestamp() / 60 % (24 * 60);
        let minute = usize::try_from(minute).unwrap_or(0);
        let Some(limit) = self.options.flow_control.bytes_per_second_max(minute) else {
            return;
        };
        let wait = {
            let mut free_at = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            let begin = (*free_at).max(now);
            let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(limit.max(1));
            *free_at = begin + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
            begin - now
        };
        let deadline = Instant::now() + wait;
        while Instant::now() < deadline && !self.stop.load(Ordering::Relaxed) {
            thread::sleep((deadline - Instant::now()).min(Duration::from_millis(100)));
        }
    }

    pub(super) fn progressed(&self, rows: u64) {
        self.progress.rows_done.fetch_add(rows, Ordering::Relaxed);
        self.progress.tell(self.observer, false);
    }

    /// Goes on with a table where a former run ended.
    pub(super) fn go_on(&self, open: &OpenTable) {
        let journal = self.journal.as_ref();
        if let Some(part) = journal.and_then(|journal| journal.part(&open.pair)) {
            self.progress
                .rows_done
                .fetch_add(part.counts.source, Ordering::Relaxed);
            open.go_on(part);
        }
    }

    /// Keeps how far a table is.
    pub(super) fn keep_part(&self, open: &OpenTable, part: &Part) -> Result<(), CompareError> {
        match &self.journal {
            Some(journal) => journal.keep_part(&open.pair, part),
            None => Ok(()),
        }
    }

    pub(super) fn not_compared(&self, waiting: &Waiting, reason: String) {
        self.unread(waiting, TableVerdict::NotCompared(reason), Vec::new());
    }

    /// The destination does not have a table.
    pub(super) fn absent(&self, waiting: &Waiting) {
        let structure = format!(
            "there is no table {} at the destination",
            waiting.destination
        );
        self.unread(waiting, TableVerdict::Different, vec![structure]);
    }

    fn unread(&self, waiting: &Waiting, verdict: TableVerdict, structure: Vec<String>) {
        self.told(TableResult {
            source: waiting.source.clone(),
            destination: waiting.destination.clone(),
            verdict,
            counts: super::RowCounts::default(),
            structure,
            notes: Vec::new(),
            examples: Vec::new(),
            duration: Duration::ZERO,
        });
    }

    /// The last session has left a table.
    pub(super) fn finished(&self, open: &OpenTable) -> Result<(), CompareError> {
        let pair = &open.pair;
        let mut tally = open.tally();
        let counts = tally.found.counts;
        let verdict = match tally.failure.take() {
            Some(reason) => TableVerdict::NotCompared(reason),
            None if counts.differences() > 0 || !pair.structure.is_empty() => {
                TableVerdict::Different
            }
            None if counts.unsettled > 0 => TableVerdict::Unsettled,
            None => TableVerdict::Equal,
        };
        let mut notes = pair.notes.clone();
        if pair.has_rows_of_others {
            notes.push(
                "others write to the same table of the destination, and no constant column of a rule tells whose a row is: \
                 rows there that are not the source's were not looked at"
                    .to_owned(),
            );
        }
        if counts.by_rule > 0 {
            notes.push(format!(
                "{} rows differ because the task's rule leaves out kinds of changes",
                counts.by_rule
            ));
        }
        let result = TableResult {
            source: pair.source.name.clone(),
            destination: pair.destination.name.clone(),
            verdict,
            counts,
            structure: pair.structure.clone(),
            notes,
            examples: std::mem::take(&mut tally.found.examples),
            duration: open.begun.elapsed(),
        };
        drop(tally);
        // What could not be compared may be another time.
        if let Some(journal) = &self.journal
            && !matches!(result.verdict, TableVerdict::NotCompared(_))
        {
            journal.keep_table(&result)?;
        }
        self.told(result);
        Ok(())
    }

    fn told(&self, result: TableResult) {
        self.progress.tables_done.fetch_add(1, Ordering::Relaxed);
        let differences = result.counts.differences();
        self.progress
            .differences
            .fetch_add(differences, Ordering::Relaxed);
        self.observer.table(&result);
        self.progress.tell(self.observer, true);
        self.results
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(result);
    }
}

/// Tells the other sessions to stop when it is dropped.
struct StopsOthers<'s>(&'s AtomicBool);

impl Drop for StopsOthers<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// How far all sessions are together.
struct Progress {
    tables_total: u64,
    rows_estimated: u64,
    tables_done: AtomicU64,
    rows_done: AtomicU64,
    differences: AtomicU64,
    begun: Instant,
    told: Mutex<Instant>,
}

impl Progress {
    fn new(ready: &[Waiting], early: usize) -> Self {
        Self {
            tables_total: (ready.len() + early) as u64,
            rows_estimated: ready.iter().map(|table| table.rows_estimate).sum(),
            tables_done: AtomicU64::new(0),
            rows_done: AtomicU64::new(0),
            differences: AtomicU64::new(0),
            begun: Instant::now(),
            told: Mutex::new(Instant::now()),
        }
    }

    fn tell(&self, observer: &dyn CompareObserver, at_once: bool) {
        {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            if !at_once && told.elapsed() < PROGRESS_PERIOD {
                return;
            }
            *told = Instant::now();
        }
        let rows_done = self.rows_done.load(Ordering::Relaxed);
        let rows_left = self.rows_estimated.saturating_sub(rows_done);
        let nanos = self.begun.elapsed().as_nanos() * u128::from(rows_left);
        observer.progress(&CompareProgress {
            tables_total: self.tables_total,
            tables_done: self.tables_done.load(Ordering::Relaxed),
            rows_done,
            rows_estimated: self.rows_estimated,
            differences: self.differences.load(Ordering::Relaxed),
            time_left: nanos
                .checked_div(u128::from(rows_done))
                .and_then(|nanos| u64::try_from(nanos).ok())
                .map(Duration::from_nanos),
        });
    }
}

/// Does both at a time: the servers do the work, each on its own.
pub(super) fn both<A: Send, B>(
    at_source: impl FnOnce() -> Result<A, CompareError> + Send,
    at_destination: impl FnOnce() -> Result<B, CompareError>,
) -> Result<(A, B), CompareError> {
    thread::scope(|scope| {
        let source = scope.spawn(at_source);
        let destination = at_destination();
        let source = match source.join() {
            Ok(source) => source,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        Ok((source?, destination?))
    })
}
