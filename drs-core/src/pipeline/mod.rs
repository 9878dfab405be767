//! A task from its start to its end: copy, then follow.

mod basis;
mod connections;
mod copying;
mod error;
mod families;
mod source;
mod time_zone;

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError, atomic::AtomicBool},
};

use drs_binlog::Position;
use mysql::{Conn, prelude::Queryable};

pub(crate) use basis::basis;
use basis::{refuse_changed, refuse_deselected, refuse_merged};
pub use connections::replica_server_id;
use connections::{open_source, read_source};
use copying::CopyTally;
pub use error::PipelineError;
use source::SourceFacts;
pub use time_zone::TimeZoneEffect;

use crate::{
    apply::{ConflictHandling, LaneSettings},
    checkpoint::{CheckpointStore, StreamPoint, TableRecord, TaskRecord},
    copy::{Copy, CopyError, CopyOptions, CopyRules},
    destination::{Destination, Lane},
    dialect::{Flavor, ServerVersion},
    endpoint::Role,
    object::{Mapping, NameCase, Selection, TableName},
    observe::Observer,
    replicate::{
        BatchLimits, ColumnNames, Echoes, Follow, FollowEnd, FollowProgress, FollowSettings,
        ReaderSettings, RouterSettings, RuleBook, Sharing, StatementRunner,
    },
    rule::{Asker, RuleVerdict},
    session::{self, SessionError},
    task::{Mode, Task},
};

/// Runs one task.
///
/// ```no_run
/// use std::sync::atomic::AtomicBool;
/// use drs_core::{Endpoint, MySqlDestination, Pipeline, Task};
///
/// let source = Endpoint::tcp("source.example", 3306, "drs").password("secret");
/// let destination = Endpoint::tcp("destination.example", 3306, "drs").password("secret");
/// let task = Task::builder(source, destination).name("orders-eu").select("shop.*").build()?;
/// let stop = AtomicBool::new(false);
/// let outcome = Pipeline::new(&task, MySqlDestination::new(&task)).run(&stop)?;
/// println!("{} row changes applied", outcome.follow.map_or(0, |follow| follow.row_changes));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Pipeline<'a> {
    task: &'a Task,
    destination: Arc<dyn Destination>,
    observer: &'a dyn Observer,
    until_caught_up: bool,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Why it ended.
    pub end: End,
    /// What following came to, if the run came so far.
    pub follow: Option<FollowProgress>,
}

/// Why a run ended without an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// A task in mode "full" has copied everything.
    Copied,
    /// The destination has everything that the source had when the run began to follow.
    CaughtUp,
    /// A stop was asked for, and everything in flight is committed or will be done again.
    Stopped,
}

/// Event bytes in memory over all threads of a run.
const EVENT_MEMORY_BYTES_MAX: u64 = 64 << 20;
/// A source transaction larger than this goes through a temporary file.
const TRANSACTION_MEMORY_BYTES_MAX: usize = 4 << 20;
/// Event bytes in one batch.
const BATCH_BYTES_MAX: usize = 16 << 20;
/// Event bytes in the batches of all lanes: a lane needs several times its batch's bytes to
/// write it as SQL, most of all for tiny rows.
const BATCHES_BYTES_MAX: usize = 64 << 20;
/// Source transactions in one batch.
const BATCH_TRANSACTIONS_MAX: usize = 8000;
/// Source transactions above the watermark.
const OPEN_TRANSACTIONS_MAX: usize = 32 << 10;
/// SQL text in one packet to the destination: three quarters of what MySQL 5.6 takes by default.
pub(crate) const PACKET_BYTES_MAX: usize = 3 << 20;
/// Without an event for so long, the source sends a heartbeat.
const HEARTBEAT_MS: u64 = 500;

/// How large the batches of so many lanes get, and how many are filled at once.
pub(crate) fn batch_limits(lanes: usize) -> BatchLimits {
    BatchLimits {
        bytes_max: BATCH_BYTES_MAX.min(BATCHES_BYTES_MAX / lanes.max(1)),
        transactions_max: BATCH_TRANSACTIONS_MAX,
        open_max: lanes,
    }
}

impl<'a> Pipeline<'a> {
    /// A run of this task, watched by nobody.
    pub fn new(task: &'a Task, destination: impl Destination + 'static) -> Self {
        Self {
            task,
            destination: Arc::new(destination),
            observer: &(),
            until_caught_up: false,
        }
    }

    /// Tells an observer how the run goes.
    #[must_use]
    pub fn observer(mut self, observer: &'a dyn Observer) -> Self {
        self.observer = observer;
        self
    }

    /// Stops once the destination has everything that the source has when following begins.
    #[must_use]
    pub fn until_caught_up(mut self, until_caught_up: bool) -> Self {
        self.until_caught_up = until_caught_up;
        self
    }

    /// Runs until the task's end, an error, or `stop`. Run again, it goes on where it was.
    ///
    /// `stop` may be set from any thread; the run then commits what is in flight and ends
    /// within a second or so, once the servers answer.
    pub fn run(&self, stop: &AtomicBool) -> Result<Outcome, PipelineError> {
        let (mut source, version) = session::open_source(self.task.source())?;
        let mut facts = SourceFacts::gather(&mut source, version)?;
        facts.check(self.task)?;
        let objects = Objects {
            selection: self.task.selection().clone().with_case(facts.name_case),
            mapping: self.task.mapping().clone().with_case(facts.name_case)?,
        };
        let (mut conn, destination) = self.destination.open()?;
        let server_uuid = source::refuse_same_server(&mut conn, &facts)?;
        check_destination(&mut conn, destination, version, self.observer)?;
        let (case, packet_bytes_max) = destination_settings(&mut conn)?;
        let cascades_natively = families::cascades_natively(&mut conn, destination)?;
        if self.task.mode().follows() {
            facts.defaults.system_time_zone =
                time_zone::of_source_at_destination(&mut source, &mut conn)?;
        }
        source::refuse_programs(&mut source, &objects)?;
        let lanes = u16::try_from(self.task.lanes().get()).unwrap_or(u16::MAX - 1);
        let reopen = Arc::clone(&self.destination);
        let reconnect = move || Ok(session::patiently(|| reopen.open())?.0);
        let store =
            CheckpointStore::claim(conn, self.task.name().as_str(), lanes)?.reconnecting(reconnect);
        let store = Arc::new(Mutex::new(store));
        let lock = || store.lock().unwrap_or_else(PoisonError::into_inner);

        self.families(&mut source, &facts, &objects, cascades_natively)?;
        let known = lock().task_record()?;
        let record = match &known {
            Some(record) if record.source_uuid != facts.server_uuid => {
                return Err(PipelineError::OtherSource {
                    expected: record.source_uuid.clone(),
                    found: facts.server_uuid,
                });
            }
            Some(record) => {
                refuse_deselected(&lock().tables()?, &objects.selection)?;
                refuse_changed(&record.basis, &basis(self.task))?;
                record.clone()
            }
            None => {
                if self.task.mode().follows() && !facts.logs_cascades {
                    let mut there = self.destination.open()?.0;
                    let (cases, copies) = ((facts.name_case, case), self.task.mode().copies());
                    families::refuse_other(&mut source, &mut there, &objects, cases, copies)?;
                }
                self.begin(&mut source, &facts, &objects, &mut lock(), (lanes, case))?
            }
        };
        self.observer.started(known.is_some(), &record.start);

        let mut copied = record.copied;
        let mut before = None;
        let mut restarts = Restarts::default();
        loop {
            if self.task.mode().copies() && !copied {
                // A connection of hours ago may be gone by then.
                let families = self.families(&mut source, &facts, &objects, cascades_natively)?;
                drop(source);
                if !self.copy(&facts, &objects, families, &mut lock(), case, stop)? {
                    return Ok(Outcome {
                        end: End::Stopped,
                        follow: before,
                    });
                }
                (source, _) = self.open_same_source(&facts)?;
            }
            if !self.task.mode().follows() {
                return Ok(Outcome {
                    end: End::Copied,
                    follow: None,
                });
            }
            let states = lock().lanes()?;
            if let Some(states) = states.filter(|_| known.is_some()) {
                source::refuse_shorter_log(&mut source, version, &states.watermark)?;
            }
            let until = match self.until_caught_up {
                true => Some(crate::copy::end_of_log(&mut source, version)?),
                false => None,
            };
            let run = FollowRun {
                destination: DestinationFacts {
                    version: destination,
                    case,
                    packet_bytes_max,
                    server_uuid: server_uuid.clone(),
                    cascades_natively,
                },
                until,
                before,
            };
            let (end, progress) = self.follow(&facts, &objects, &store, run, stop)?;
            let end = match end {
                FollowEnd::CaughtUp => End::CaughtUp,
                FollowEnd::Stopped => End::Stopped,
                FollowEnd::CopyAgain { at, tables } => {
                    restarts.add(&tables)?;
                    self.observer.notice(&format!(
                        "the statement at {at} and the copies of these tables can't be reconciled, so they are copied \
                         again from empty: {}",
                        error::list(&tables)
                    ));
                    before = progress;
                    copied = false;
                    continue;
                }
            };
            return Ok(Outcome {
                end,
                follow: progress,
            });
        }
    }

    /// The families of tables that cascading foreign keys make at a source that does not log what
    /// they change; fails where they can't be copied and followed.
    fn families(
        &self,
        source: &mut Conn,
        facts: &SourceFacts,
        objects: &Objects,
        cascades_natively: bool,
    ) -> Result<Vec<BTreeSet<TableName>>, PipelineError> {
        if !self.task.mode().follows() || facts.logs_cascades {
            return Ok(Vec::new());
        }
        let families = families::of_source(source, facts, objects)?;
        let has_rule = |table: &&TableName| self.task.rules().of(table, facts.name_case).is_some();
        if let Some(table) = families.iter().flatten().find(has_rule) {
            return Err(PipelineError::RuledCascades {
                table: table.clone(),
            });
        }
        if !cascades_natively && !families.is_empty() {
            let tables = families.into_iter().flatten().collect();
            return Err(PipelineError::DestinationCascades { tables });
        }
        Ok(families)
    }

    /// The first start: the point where the stream begins, and the tables to copy.
    fn begin(
        &self,
        source: &mut Conn,
        facts: &SourceFacts,
        objects: &Objects,
        store: &mut CheckpointStore,
        (lanes, case): (u16, NameCase),
    ) -> Result<TaskRecord, PipelineError> {
        let mut start = match self.task.mode() {
            Mode::Incremental { start_point } => StreamPoint {
                position: start_point.position.clone(),
                gtid_set: start_point.gtid_set.clone().map(Arc::new),
            },
            Mode::Full | Mode::FullAndIncremental if facts.uses_gtid => {
                crate::copy::visible_gtid_point(source, facts.version)?
            }
            Mode::Full | Mode::FullAndIncremental => StreamPoint {
                position: crate::copy::end_of_log(source, facts.version)?,
                gtid_set: None,
            },
        };
        if start.gtid_set.is_some() {
            if !facts.uses_gtid {
                return Err(PipelineError::NoGtid);
            }
            // A transaction before the log's end may be on its way into the set. The set decides
            // where the stream begins; the position must not claim more than it.
            start.position.offset = Position::FIRST_OFFSET;
        }
        // By GTIDs the server would not notice, and the task would think that it had caught up.
        if crate::copy::end_of_log(source, facts.version).is_ok_and(|end| start.position > end) {
            return Err(PipelineError::Source(format!(
                "its binary log does not reach the start point {} yet",
                start.position
            )));
        }
        self.check_rules(source)?;
        let copies = self.task.mode().copies();
        if copies && self.task.mode().follows() {
            source::wait_for_prepared(source, self.observer)?;
        }
        let tables = if copies {
            self.tables_to_copy(source, objects, case)?
        } else {
            Vec::new()
        };
        let record = TaskRecord {
            source_uuid: facts.server_uuid.clone(),
            basis: basis(self.task),
            start,
            copied: !copies,
        };
        store.begin(&record, lanes, &tables)?;
        Ok(record)
    }

    /// Holds the rules against the source's tables.
    fn check_rules(&self, source: &mut Conn) -> Result<(), PipelineError> {
        for finding in crate::rule::verify(self.task, source)? {
            match finding.verdict {
                RuleVerdict::Good { .. } => {}
                RuleVerdict::Note(note) => self
                    .observer
                    .notice(&format!("the rule of {}: {note}", finding.table)),
                RuleVerdict::Refused(reason) => {
                    return Err(PipelineError::Rule {
                        table: finding.table,
                        reason,
                    });
                }
            }
        }
        Ok(())
    }

    fn tables_to_copy(
        &self,
        source: &mut Conn,
        objects: &Objects,
        case: NameCase,
    ) -> Result<Vec<TableRecord>, PipelineError> {
        let selection = &objects.selection;
        let listing = crate::copy::list_tables(source, selection)?;
        let left_out = listing.left_out;
        if left_out.triggers + left_out.events > 0 {
            self.observer.notice(&format!(
                "not copied, of what the account can see: {} triggers, {} events",
                left_out.triggers, left_out.events
            ));
        }
        let names: Vec<_> = listing
            .tables
            .iter()
            .map(|table| table.name.clone())
            .collect();
        refuse_merged(&names, &objects.mapping, case)?;
        for entry in selection.entries_without_match(&names) {
            self.observer.notice(&format!(
                "the entry {entry:?} of objects.include selects no table that there is now"
            ));
        }
        Ok(listing
            .tables
            .into_iter()
            .map(|table| TableRecord::pending(table.name))
            .collect())
    }

    fn open_same_source(&self, facts: &SourceFacts) -> Result<(Conn, ServerVersion), SessionError> {
        let (mut conn, version) = session::open_source(self.task.source())?;
        session::same_server(&mut conn, Role::Source, &facts.server_uuid)?;
        Ok((conn, version))
    }

    /// Copies what is not copied yet; false when it was stopped.
    fn copy(
        &self,
        facts: &SourceFacts,
        objects: &Objects,
        families: Vec<BTreeSet<TableName>>,
        store: &mut CheckpointStore,
        case: NameCase,
        stop: &AtomicBool,
    ) -> Result<bool, PipelineError> {
        let tables = store.tables()?;
        let written: Vec<_> = tables
            .iter()
            .map(|record| (record.table.clone(), objects.mapping.table(&record.table)))
            .collect();
        store.add_writer(&written, case)?;
        let options = CopyOptions {
            sessions: u16::try_from(self.task.sessions().get()).unwrap_or(u16::MAX),
            chunk_bytes: self.task.chunk_bytes().get(),
            indexes: self.task.indexes(),
            follow: self.task.mode().follows(),
            binlog: self.task.copy_binlog(),
        };
        let source = || self.open_same_source(facts);
        let destination = || self.destination.open();
        crate::copy::ensure_databases(
            &mut source()?.0,
            &mut destination()?.0,
            &objects.selection,
            &objects.mapping,
            self.task.name().as_str(),
        )?;
        let tally = CopyTally::new(self.observer);
        let (endpoint, server_uuid) = (self.task.source().clone(), facts.server_uuid.clone());
        let rules = CopyRules {
            rules: self.task.rules(),
            case: facts.name_case,
            asker: Asker::new(move || {
                let (mut conn, _) = session::open_source(&endpoint)?;
                session::same_server(&mut conn, Role::Source, &server_uuid)?;
                Ok(conn)
            }),
        };
        let copy = Copy::new(&source, &destination, options)
            .mapping(&objects.mapping)
            .rules(&rules)
            .destination_case(case)
            .programs(&objects.selection)
            .families(families, facts.name_case);
        match copy.run(store, stop, &tally) {
            Ok(outcome) => {
                if outcome.programs + outcome.programs_left_out > 0 {
                    self.observer.notice(&format!(
                        "{} views, procedures and functions are at the destination as they are now, {} are not; they are \
                         not followed",
                        outcome.programs, outcome.programs_left_out
                    ));
                }
                Ok(true)
            }
            Err(CopyError::Stopped) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn follow(
        &self,
        facts: &SourceFacts,
        objects: &Objects,
        store: &Arc<Mutex<CheckpointStore>>,
        run: FollowRun,
        stop: &AtomicBool,
    ) -> Result<(FollowEnd, Option<FollowProgress>), PipelineError> {
        let FollowRun {
            destination,
            until,
            before,
        } = run;
        let (states, tables, epoch) = {
            let mut store = store.lock().unwrap_or_else(PoisonError::into_inner);
            (store.lanes()?, store.tables()?, store.epoch())
        };
        let states = states.ok_or(PipelineError::NoLanes)?;
        let name = self.task.name().as_str().to_owned();
        let (reads, plain) = (Arc::clone(&self.destination), Arc::clone(&self.destination));
        let asks = Arc::clone(&self.destination);
        let settings = LaneSettings {
            task: name.clone(),
            epoch,
            version: destination.version,
            conflicts: ConflictHandling {
                task: name,
                policy: self.task.conflict(),
                images: self.task.conflict_images(),
            },
            packet_bytes_max: destination.packet_bytes_max,
        };
        let lane = |record| Lane {
            settings: settings.clone(),
            record,
        };
        let follow = Follow {
            settings: FollowSettings {
                memory_bytes_max: EVENT_MEMORY_BYTES_MAX,
                transaction_memory_bytes_max: TRANSACTION_MEMORY_BYTES_MAX,
                batches: batch_limits(states.records.len()),
                open_transactions_max: OPEN_TRANSACTIONS_MAX,
                until,
            },
            open: open_source(
                self.task.source().clone(),
                replica_server_id(self.task),
                facts.server_uuid.clone(),
            ),
            reader: ReaderSettings {
                transaction_memory_bytes_max: TRANSACTION_MEMORY_BYTES_MAX,
                event_bytes_max: session::PACKET_BYTES_MAX,
            },
            router: RouterSettings {
                selection: objects.selection.clone(),
                mapping: objects.mapping.clone(),
                filter_drop_database: self.task.filter_drop_database(),
                source: facts.defaults.clone(),
                logs_cascades: facts.logs_cascades,
                cascades_natively: destination.cascades_natively,
                destination: destination.version,
                connect: Arc::new(move || Ok(session::patiently(|| reads.open())?.0)),
                connect_source: read_source(self.task.source().clone(), facts.server_uuid.clone()),
                sharing: Sharing::new(Arc::clone(store), destination.case),
                rules: RuleBook::new(
                    self.task.rules().clone(),
                    facts.name_case,
                    Asker::new(move || Ok(asks.open()?.0)),
                    Arc::clone(store),
                    destination.version,
                ),
                column_names: ColumnNames::load(
                    Arc::clone(store),
                    facts.name_case,
                    destination.version,
                )?,
            },
            appliers: states
                .records
                .into_iter()
                .map(|record| self.destination.applier(lane(record)))
                .collect(),
            statements: StatementRunner {
                connect: Arc::new(move || session::patiently(|| plain.open_plain())),
                store: Arc::clone(store),
                version: destination.version,
                mapping: objects.mapping.clone(),
                case: destination.case,
            },
            echoes: Echoes::new(
                read_source(self.task.source().clone(), facts.server_uuid.clone()),
                destination.server_uuid,
            ),
            store: Arc::clone(store),
        };
        let mut last = before.clone();
        let end = follow.run(
            (states.watermark, states.done),
            &tables,
            before,
            stop,
            &mut |progress| {
                self.tell_left_out(last.as_ref(), progress);
                self.observer.following(progress);
                last = Some(progress.clone());
            },
        )?;
        Ok((end, last))
    }

    /// Tells once of each kind of statement that is not replicated.
    fn tell_left_out(&self, before: Option<&FollowProgress>, now: &FollowProgress) {
        let before = before.map(|before| before.left_out).unwrap_or_default();
        let kinds = before.by_kind().into_iter().zip(now.left_out.by_kind());
        for ((kind, before), (_, now)) in kinds {
            if before == 0 && now > 0 {
                self.observer.notice(&format!(
                    "the source's log has statements that are not replicated, counted as left_out.{kind}"
                ));
            }
        }
    }
}

/// What following depends on besides the task.
struct FollowRun {
    destination: DestinationFacts,
    until: Option<Position>,
    /// What it came to in this run before tables were copied again.
    before: Option<FollowProgress>,
}

/// How often tables had to be copied again in this run.
#[derive(Default)]
struct Restarts(HashMap<TableName, u32>);

impl Restarts {
    fn add(&mut self, tables: &[TableName]) -> Result<(), CopyError> {
        const RESTARTS_MAX: u32 = 5;
        for table in tables {
            let restarts = self.0.entry(table.clone()).or_default();
            *restarts += 1;
            if *restarts > RESTARTS_MAX {
                return Err(CopyError::Restless {
                    table: table.clone(),
                });
            }
        }
        Ok(())
    }
}

/// What a task works on, with names as the source compares them.
struct Objects {
    selection: Selection,
    mapping: Mapping,
}

/// What a run must know of the destination.
#[derive(Clone)]
struct DestinationFacts {
    version: ServerVersion,
    /// How it compares names.
    case: NameCase,
    /// SQL text in one packet.
    packet_bytes_max: usize,
    server_uuid: String,
    /// What foreign keys cascade to is carried out as by a source before 9.6.
    cascades_natively: bool,
}

/// How the destination compares names, and how much SQL text it gets at once.
fn destination_settings(conn: &mut Conn) -> Result<(NameCase, usize), PipelineError> {
    let values: Option<(u8, usize)> = conn
        .query_first("SELECT @@global.lower_case_table_names, @@session.max_allowed_packet")
        .map_err(|source| SessionError::Setup {
            role: Role::Destination,
            source,
        })?;
    let (case, takes_bytes) = values.unwrap_or_default();
    // A row that is larger than this goes by itself, and needs room above it.
    let packet_bytes_max = PACKET_BYTES_MAX.min(takes_bytes / 4 * 3);
    Ok((
        NameCase::from_lower_case_table_names(case),
        packet_bytes_max,
    ))
}

/// Fails for a destination that is not supported, and warns of one whose triggers can't be seen.
fn check_destination(
    conn: &mut Conn,
    version: ServerVersion,
    source: ServerVersion,
    observer: &dyn Observer,
) -> Result<(), PipelineError> {
    if version.flavor == Flavor::MariaDb {
        return Err(PipelineError::Destination(format!(
            "it is {version}, which is not supported as a destination yet"
        )));
    }
    let release = |version: ServerVersion| (version.number.0, version.number.1);
    if release(version) < release(source) {
        return Err(PipelineError::Destination(format!(
            "it is {version}, and the source is {source}: from a newer version to an older one is not supported"
        )));
    }
    let sees_triggers: Option<bool> = conn
        .query_first(
            "SELECT EXISTS (SELECT 1 FROM information_schema.USER_PRIVILEGES WHERE PRIVILEGE_TYPE = 'TRIGGER') \
             OR EXISTS (SELECT 1 FROM information_schema.SCHEMA_PRIVILEGES WHERE PRIVILEGE_TYPE = 'TRIGGER') \
             OR EXISTS (SELECT 1 FROM information_schema.TABLE_PRIVILEGES WHERE PRIVILEGE_TYPE = 'TRIGGER')",
        )
        .map_err(|source| SessionError::Setup {
            role: Role::Destination,
            source,
        })?;
    if sees_triggers != Some(true) {
        observer.notice(
            "the destination's account has no TRIGGER privilege: if selected tables have triggers there, they are \
             not seen, and run for the net effect of several changes instead of for each",
        );
    }
    Ok(())
}
