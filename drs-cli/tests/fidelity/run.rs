//! The cases are run: those that come out equal all together in two tasks, those that stop each in a
//! task of its own.

use std::{
    env,
    panic::{self, AssertUnwindSafe},
    sync::OnceLock,
    thread,
    time::Duration,
};

use drs_testkit::{Server, Version, compare_tables, workload::Random};
use mysql::{Conn, Row, prelude::Queryable};

use crate::{
    case::{Case, Outcome, statements},
    cases,
    program::Program,
    servers::{self, LIMIT, Pair, builder, start},
    task::Task,
};

/// How often the program is killed while it follows all cases together.
const KILLS: usize = 12;
/// Summer time in Berlin and in New York, without files.
const BERLIN: &str = "CET-1CEST,M3.5.0,M10.5.0/3";
const NEW_YORK: &str = "EST5EDT,M3.2.0,M11.1.0";

#[test]
fn from_97() {
    check(pair_97(), "97", false);
}

#[test]
fn from_56() {
    check(pair_56(), "56", true);
}

/// From 9.7 to 9.7, with GTIDs. Both keep other clocks than their clients, and what the destination
/// takes for SQL unless told otherwise is another language.
pub(crate) fn pair_97() -> Pair {
    static SERVERS: OnceLock<[Server; 2]> = OnceLock::new();
    let [source, destination] = SERVERS.get_or_init(|| {
        [
            start(
                wide(Version::MySql97, 41)
                    .gtid(true)
                    .system_time_zone(BERLIN)
                    .option("--sql-mode=NO_BACKSLASH_ESCAPES")
                    .option("--character-set-server=latin1"),
            ),
            start(
                wide(Version::MySql97, 42)
                    .gtid(true)
                    .local_infile(true)
                    .system_time_zone(NEW_YORK)
                    .option(
                        "--sql-mode=ANSI,NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH,TRADITIONAL",
                    ),
            ),
        ]
    });
    Pair {
        source,
        destination,
    }
}

/// From 5.6 to 9.7, without GTIDs and without `LOAD DATA LOCAL`. The destination is as strict as a new
/// server is.
pub(crate) fn pair_56() -> Pair {
    static SERVERS: OnceLock<[Server; 2]> = OnceLock::new();
    let [source, destination] = SERVERS.get_or_init(|| {
        [
            start(
                wide(Version::MySql56, 43)
                    .system_time_zone(BERLIN)
                    .option("--innodb-log-file-size=256M")
                    .option("--character-set-server=latin1"),
            ),
            start(
                wide(Version::MySql97, 44)
                    .system_time_zone(NEW_YORK)
                    // As an old source cascades.
                    .option("--innodb-native-foreign-keys=ON"),
            ),
        ]
    });
    Pair {
        source,
        destination,
    }
}

fn wide(version: Version, id: u32) -> drs_testkit::ServerBuilder {
    builder(version)
        .server_id(id)
        .buffer_pool_mib(128)
        .option("--max-allowed-packet=256M")
}

/// Runs all cases from this source, and fails with all that went wrong.
fn check(pair: Pair, label: &str, from_56: bool) {
    let only: Option<u8> = env::var("DRS_FIDELITY")
        .ok()
        .map(|trap| trap.parse().unwrap());
    let mut problems = Vec::new();
    let mut equal = Vec::new();
    let cases = cases::all();
    for case in cases
        .iter()
        .filter(|case| only.is_none_or(|trap| trap == case.trap))
    {
        let (copy, follow) = case.outcomes(from_56);
        for (way, outcome) in [
            (Way::Copy, copy),
            (Way::Follow, follow),
            (Way::Kill, if case.killed { follow } else { Outcome::No }),
        ] {
            match outcome {
                Outcome::Equal => equal.push((case, way)),
                Outcome::Stops(text) => {
                    let one = [(case, way)];
                    let run = Run::new(pair, "stop", &one);
                    if let Err(problem) = attempt(|| run.must_stop(text)) {
                        problems.push(format!("{} {way:?} from {label}: {problem}", case.id()));
                    }
                }
                Outcome::No => {}
            }
        }
    }
    let together = Run::new(pair, "all", &equal);
    let result = attempt(|| together.must_be_equal());
    match result {
        Ok(found) => problems.extend(found),
        // Who is to blame?
        Err(problem) => {
            problems.push(format!("together from {label}: {problem}"));
            for (case, way) in equal {
                let one = [(case, way)];
                let alone = Run::new(pair, "alone", &one);
                match attempt(|| alone.must_be_equal()) {
                    Ok(found) => problems.extend(found),
                    Err(problem) => {
                        problems.push(format!("{} {way:?} from {label}: {problem}", case.id()));
                    }
                }
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
}

/// What a panic says, as an error.
pub(crate) fn attempt<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    panic::catch_unwind(AssertUnwindSafe(run)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_default()
    })
}

/// How a case's changes come to the destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Copy,
    Follow,
    Kill,
}

/// Some cases under some tasks' care.
struct Run<'a> {
    pair: Pair,
    name: &'static str,
    cases: &'a [(&'a Case, Way)],
}

impl<'a> Run<'a> {
    fn new(pair: Pair, name: &'static str, cases: &'a [(&'a Case, Way)]) -> Self {
        Self { pair, name, cases }
    }

    fn database(&self, case: &Case, way: Way) -> String {
        let way = match way {
            Way::Copy => "copy",
            Way::Follow => "follow",
            Way::Kill => "kill",
        };
        format!("{}_{way}_{}", self.name, case.id())
    }

    fn of(&self, way: Way) -> impl Iterator<Item = &'a Case> {
        let cases = self.cases.iter().filter(move |(_, other)| *other == way);
        cases.map(|(case, _)| *case)
    }

    /// What a task selects: the cases' databases, and those that they make beside them.
    fn include(&self, ways: &[Way]) -> String {
        let cases = self.cases.iter().filter(|(_, way)| ways.contains(way));
        let databases: Vec<String> = cases
            .map(|(case, way)| {
                let database = self.database(case, *way);
                let makes_another =
                    case.setup.contains("{db}_b") || case.changes.contains("{db}_b");
                match makes_another {
                    true => format!("\"{database}\", \"{database}_b\""),
                    false => format!("\"{database}\""),
                }
            })
            .collect();
        format!("[{}]", databases.join(", "))
    }

    /// Makes all databases as they are before the copy. `Copy`'s have their changes, too.
    fn set_up(&self) {
        for (case, way) in self.cases {
            let database = self.database(case, *way);
            let mut conn = self.pair.source.conn().unwrap();
            for name in [&database, &format!("{database}_b")] {
                run(&mut conn, &format!("DROP DATABASE IF EXISTS {name}"));
                let mut there = self.pair.destination.conn().unwrap();
                run(&mut there, &format!("DROP DATABASE IF EXISTS {name}"));
            }
            run(
                &mut conn,
                &format!("CREATE DATABASE {database} DEFAULT CHARACTER SET utf8mb4"),
            );
            let mut conn = self.writer(case, *way);
            self.write(&mut conn, case, *way, statements(case.setup));
            if *way == Way::Copy {
                self.write(&mut conn, case, *way, statements(case.changes));
            }
        }
    }

    /// A session with the settings that the case wants.
    fn writer(&self, case: &Case, way: Way) -> Conn {
        let mut conn = self.pair.source.conn().unwrap();
        run(&mut conn, "SET NAMES utf8mb4");
        run(
            &mut conn,
            "SET sql_mode = 'ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00'",
        );
        run(&mut conn, &format!("USE {}", self.database(case, way)));
        for setting in statements(case.session) {
            run(&mut conn, setting);
        }
        conn
    }

    fn write<'s>(
        &self,
        conn: &mut Conn,
        case: &Case,
        way: Way,
        statements: impl Iterator<Item = &'s str>,
    ) {
        let database = self.database(case, way);
        for statement in statements {
            run(conn, &statement.replace("{db}", &database));
        }
    }

    /// One task for the copy and for following, one that is killed again and again. Returns what is
    /// different afterwards.
    fn must_be_equal(&self) -> Vec<String> {
        self.set_up();
        let name = self.name;
        let task = Task::of(self.pair, &format!("{name}_calm"))
            .include(&self.include(&[Way::Copy, Way::Follow]));
        let killed =
            Task::of(self.pair, &format!("{name}_kill")).include(&self.include(&[Way::Kill]));
        self.forget();
        if self.cases.iter().any(|(_, way)| *way != Way::Kill) {
            catch_up(&task);
            for case in self.of(Way::Follow) {
                let mut conn = self.writer(case, Way::Follow);
                self.write(&mut conn, case, Way::Follow, statements(case.changes));
            }
            catch_up(&task);
        }
        let cases: Vec<&Case> = self.of(Way::Kill).collect();
        if !cases.is_empty() {
            catch_up(&killed);
            self.change_under_kills(&killed, &cases);
            catch_up(&killed);
        }
        let cases = self.cases.iter();
        cases
            .filter_map(|(case, way)| self.difference(case, *way))
            .collect()
    }

    /// Each case's changes come in two halves, in two runs of the program that end by a kill while
    /// it is at them.
    fn change_under_kills(&self, task: &Task, cases: &[&Case]) {
        let mut random = Random::new(1);
        let rounds = KILLS.min(cases.len());
        let mut second_halves: Vec<(Conn, &Case)> = Vec::new();
        for round in 0..=rounds {
            let mut program = Program::run(task, &[]);
            program.wait_until_it_follows();
            let first_halves = cases.iter().skip(round).step_by(rounds);
            let first_halves: Vec<&Case> = match round < rounds {
                true => first_halves.copied().collect(),
                false => Vec::new(),
            };
            for (mut conn, case) in std::mem::take(&mut second_halves) {
                let all: Vec<&str> = statements(case.changes).collect();
                let second = all[all.len() / 2..].iter().copied();
                self.write(&mut conn, case, Way::Kill, second);
            }
            for case in first_halves {
                let mut conn = self.writer(case, Way::Kill);
                let all: Vec<&str> = statements(case.changes).collect();
                let first = all[..all.len() / 2].iter().copied();
                self.write(&mut conn, case, Way::Kill, first);
                second_halves.push((conn, case));
            }
            thread::sleep(Duration::from_millis(random.below(150)));
            let ended = program.kill();
            assert_eq!(ended.code, None, "{}", ended.errors);
        }
    }

    /// The task of a single case ends with an error that says this, and does so again.
    fn must_stop(&self, text: &str) {
        self.set_up();
        let (case, way) = self.cases[0];
        let database = self.database(case, way);
        let task = Task::of(self.pair, &database).include(&self.include(&[way]));
        self.forget();
        if way != Way::Copy {
            catch_up(&task);
            let mut conn = self.writer(case, way);
            self.write(&mut conn, case, way, statements(case.changes));
        }
        if way == Way::Kill {
            let mut program = Program::run(&task, &[]);
            thread::sleep(Duration::from_millis(100));
            let _ = program.is_running();
            program.kill();
        }
        for _ in 0..2 {
            let ended = Program::run(&task, &["--until-caught-up"]).end(LIMIT);
            assert_eq!(ended.code, Some(3), "it must stop: {}", ended.errors);
            assert!(
                ended.errors.contains(text),
                "no {text:?} in: {}",
                ended.errors
            );
        }
    }

    /// Earlier runs of the same name left their progress behind.
    fn forget(&self) {
        let mut conn = self.pair.destination.conn().unwrap();
        let tables: Vec<String> = conn
            .query("SELECT table_name FROM information_schema.columns WHERE table_schema = 'drs_meta' AND column_name = 'task'")
            .unwrap();
        let (mut names, own) = (Vec::new(), self.name);
        names.extend([format!("{own}_calm"), format!("{own}_kill")]);
        names.extend(
            self.cases
                .iter()
                .map(|(case, way)| self.database(case, *way)),
        );
        for name in names {
            for table in &tables {
                run(
                    &mut conn,
                    &format!("DELETE FROM drs_meta.{table} WHERE task = '{name}'"),
                );
            }
            if !tables.is_empty() {
                run(
                    &mut conn,
                    &format!("DELETE FROM drs_meta.task WHERE name = '{name}'"),
                );
            }
        }
    }

    fn difference(&self, case: &Case, way: Way) -> Option<String> {
        let database = self.database(case, way);
        let (mut source, mut destination) = (
            self.pair.source.conn().unwrap(),
            self.pair.destination.conn().unwrap(),
        );
        let mut found: Vec<String> = compare_tables(&mut source, &mut destination, &database)
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect();
        for query in case.queries {
            let query = query.replace("{db}", &database);
            let [left, right] = [&mut source, &mut destination].map(|conn| {
                let rows: Result<Vec<Row>, _> = conn.query(&query);
                format!("{rows:?}")
            });
            if left != right || left.starts_with("Err") {
                found.push(format!(
                    "{query}: {left} at the source, {right} at the destination"
                ));
            }
        }
        (!found.is_empty()).then(|| format!("{database}: {}\n{}", case.title, found.join("\n")))
    }
}

#[track_caller]
fn catch_up(task: &Task) {
    let ended = Program::run(task, &["--until-caught-up"]).end(servers::LIMIT * 2);
    assert_eq!(ended.code, Some(0), "{}", ended.errors);
}

#[track_caller]
fn run(conn: &mut Conn, statement: &str) {
    if let Err(error) = conn.query_drop(statement) {
        panic!("{statement}: {error}");
    }
}
