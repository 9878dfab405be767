//! The servers that the tests of this binary share: a start costs seconds. Each test uses databases
//! and accounts of its own, and changes global variables only of a server that it has to itself.

use std::{
    path::Path,
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use drs_core::{Role, Task};
use drs_precheck::{Checked, Facts, Finding, Remedy, Report, Verdict};
use drs_testkit::{Installation, Server, ServerBuilder, Version};
use mysql::{Conn, prelude::Queryable};

/// A server of this version, to be started with more options.
pub(crate) fn builder(version: Version, id: u32) -> ServerBuilder {
    let installation = Installation::find_or_fetch(version).unwrap();
    Server::builder(&installation)
        .server_id(id)
        .local_infile(true)
        .buffer_pool_mib(64)
}

/// The source of most tests: MySQL 9.7.
pub(crate) fn source97() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| builder(Version::MySql97, 974).start().unwrap())
}

/// The destination of most tests: MySQL 9.7.
pub(crate) fn destination97() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| builder(Version::MySql97, 975).start().unwrap())
}

/// An old source: MySQL 5.6.
pub(crate) fn source56() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| builder(Version::MySql56, 564).start().unwrap())
}

/// A MySQL 9.7 whose InnoDB carries out foreign keys itself, as it did before 9.6, and whose tables
/// are `COMPACT` without a format of their own.
pub(crate) fn native97() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        builder(Version::MySql97, 976)
            .option("--innodb-native-foreign-keys=ON")
            .option("--innodb-default-row-format=COMPACT")
            .start()
            .unwrap()
    })
}

/// A MySQL 9.7 without a binary log, where privileges can be taken away in part.
pub(crate) fn unlogged97() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        builder(Version::MySql97, 980)
            .log_bin(false)
            .option("--partial-revokes=ON")
            .start()
            .unwrap()
    })
}

/// A destination for one test at a time, whose settings each of them changes: in Berlin's time, with
/// names in small letters, and small pages.
pub(crate) fn odd97() -> MutexGuard<'static, Server> {
    static SERVER: OnceLock<Mutex<Server>> = OnceLock::new();
    let start = || {
        let server = builder(Version::MySql97, 977)
            .initial_option("--lower-case-table-names=1")
            .initial_option("--innodb-page-size=8K")
            .option("--disabled-storage-engines=MyISAM")
            .system_time_zone(BERLIN)
            .start()
            .unwrap();
        run(
            &mut session(&server),
            "CREATE USER few@'%' IDENTIFIED BY 'few-Pass-1';\nGRANT SELECT, CREATE, INSERT ON *.* TO few@'%'",
        );
        Mutex::new(server)
    };
    let server = SERVER.get_or_init(start);
    server.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A new and an old server whose settings change.
pub(crate) struct Pair {
    pub(crate) new: Server,
    pub(crate) old: Server,
}

/// Sources for one test at a time, whose settings each of them changes. The zone of their systems
/// is not UTC, a replica would not log what it replicates, and the old one has explicit defaults.
pub(crate) fn own_pair() -> MutexGuard<'static, Pair> {
    static PAIR: OnceLock<Mutex<Pair>> = OnceLock::new();
    let start = || {
        Mutex::new(Pair {
            new: builder(Version::MySql97, 978)
                .system_time_zone(BERLIN)
                .option("--log-replica-updates=OFF")
                .start()
                .unwrap(),
            old: builder(Version::MySql56, 565)
                .system_time_zone("EST5")
                .option("--explicit-defaults-for-timestamp=ON")
                .start()
                .unwrap(),
        })
    };
    let pair = PAIR.get_or_init(start);
    pair.lock().unwrap_or_else(PoisonError::into_inner)
}

const BERLIN: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

/// Runs cases side by side, some at a time: a check that looks at the log's growth takes a second,
/// most of which goes into waiting.
pub(crate) fn side_by_side<T: Sync>(cases: &[T], run: impl Fn(&T) + Sync) {
    const AT_A_TIME: usize = 4;
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            run(case);
        }
    };
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME.min(cases.len()) {
            scope.spawn(work);
        }
    });
}

/// A server of a task, with the account that it uses there.
#[derive(Clone, Copy)]
pub(crate) struct End<'a> {
    pub(crate) server: &'a Server,
    pub(crate) user: &'a str,
    pub(crate) password: &'a str,
}

impl<'a> End<'a> {
    /// With the account that may do everything.
    pub(crate) fn of(server: &'a Server) -> Self {
        Self {
            server,
            user: Server::USER,
            password: Server::PASSWORD,
        }
    }

    fn lines(self) -> String {
        format!(
            "host = \"127.0.0.1\"\nport = {}\nuser = \"{}\"\npassword = \"{}\"\n",
            self.server.port(),
            self.user,
            self.password
        )
    }
}

/// A task between two servers: its mode, the lines of `[objects]`, and more lines of a task file.
pub(crate) fn task(source: End, destination: End, mode: &str, objects: &str, more: &str) -> Task {
    let start = match mode {
        "incremental" => "start_point = \"binlog.000001:4\"\n",
        _ => "",
    };
    let text = format!(
        "[task]\nname = \"check-me\"\nmode = \"{mode}\"\n{start}[source]\n{}[destination]\n{}[objects]\n{objects}\n{more}\n",
        source.lines(),
        destination.lines()
    );
    Task::from_toml(&text, Path::new(".")).unwrap()
}

/// An incremental task from this point.
pub(crate) fn task_at(source: End, destination: End, point: &str, objects: &str) -> Task {
    let text = format!(
        "[task]\nname = \"check-me\"\nmode = \"incremental\"\nstart_point = \"{point}\"\n[source]\n{}[destination]\n{}[objects]\n{objects}\n",
        source.lines(),
        destination.lines()
    );
    Task::from_toml(&text, Path::new(".")).unwrap()
}

/// What all checks of a task come to.
pub(crate) fn report(task: &Task) -> Report {
    Report::of(&Facts::gather(task))
}

/// What one check came to.
pub(crate) fn checked<'a>(report: &'a Report, id: &str) -> &'a Checked {
    let mut checked = report.checked.iter();
    checked
        .find(|checked| checked.check.id == id)
        .unwrap_or_else(|| panic!("no check is called {id}"))
}

/// The same of one task alone.
pub(crate) fn check(task: &Task, id: &str) -> Checked {
    let mut found = report(task).checked;
    found.retain(|checked| checked.check.id == id);
    found
        .pop()
        .unwrap_or_else(|| panic!("no check is called {id}"))
}

/// The gravest finding of a check, which must come to this verdict and be about these objects.
pub(crate) fn expect(task: &Task, id: &str, verdict: Verdict, objects: &[&str]) -> Finding {
    expect_in(&report(task), id, verdict, objects)
}

/// The same of a report: asking both servers takes a while.
pub(crate) fn expect_in(report: &Report, id: &str, verdict: Verdict, objects: &[&str]) -> Finding {
    let checked = checked(report, id);
    assert_eq!(checked.verdict(), verdict, "{id}: {:?}", checked.findings);
    let finding = &checked.findings[0];
    if verdict != Verdict::Pass {
        assert_eq!(finding.objects, objects, "{id}: {finding:?}");
    }
    finding.clone()
}

/// Runs the statements that a finding prints, at the servers that they are for.
pub(crate) fn repair(finding: &Finding, source: &Server, destination: &Server) {
    for remedy in &finding.remedies {
        if let Remedy::Sql { role, statement } = remedy {
            let server = match role {
                Role::Source => source,
                Role::Destination => destination,
            };
            run(&mut session(server), statement);
        }
    }
}

/// A session of the account that may do everything, with a lax `sql_mode`.
pub(crate) fn session(server: &Server) -> Conn {
    let mut conn = server.conn().unwrap();
    run(&mut conn, "SET NAMES utf8mb4");
    run(&mut conn, "SET sql_mode = 'ALLOW_INVALID_DATES'");
    conn
}

/// Runs statements that end in `;` at a line's end.
pub(crate) fn run(conn: &mut Conn, script: &str) {
    for statement in script.split(";\n") {
        if !statement.trim().is_empty() {
            conn.query_drop(statement)
                .unwrap_or_else(|error| panic!("{error}\n{statement}"));
        }
    }
}

/// Objects at a source, what a check makes of them, and what is done about it.
pub(crate) struct Trial {
    /// The check.
    pub(crate) check: &'static str,
    /// What it comes to.
    pub(crate) verdict: Verdict,
    /// The task's mode.
    pub(crate) mode: &'static str,
    /// Made at the source; databases `a_…` to `z_…` of the test's own.
    pub(crate) create: &'static str,
    /// The lines of `[objects]` and what follows them.
    pub(crate) task: &'static str,
    /// The objects that it names.
    pub(crate) names: &'static [&'static str],
    /// What is done at the source about it, besides the statements that the finding prints.
    pub(crate) mend: &'static str,
}

impl Trial {
    /// Runs trials whose databases are not the same.
    pub(crate) fn run_all<'a>(
        trials: impl IntoIterator<Item = &'a Self>,
        source: &Server,
        destination: &Server,
    ) {
        let trials: Vec<&Self> = trials.into_iter().collect();
        side_by_side(&trials, |trial| trial.run(source, destination));
    }

    /// Sees the finding, does what it says, and sees it pass.
    pub(crate) fn run(&self, source: &Server, destination: &Server) {
        let mut conn = session(source);
        run(&mut conn, self.create);
        let task = task(
            End::of(source),
            End::of(destination),
            self.mode,
            self.task,
            "",
        );
        let finding = expect(&task, self.check, self.verdict, self.names);
        let is_pass = finding.verdict == Verdict::Pass;
        assert!(is_pass || !finding.remedies.is_empty(), "{finding:?}");
        repair(&finding, source, destination);
        run(&mut conn, self.mend);
        expect(&task, self.check, Verdict::Pass, &[]);
    }
}
