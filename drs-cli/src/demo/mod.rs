//! The main job on throwaway servers: copy, follow, be killed and resume, and prove that both sides
//! are equal, while people keep using the source.

mod interrupt;
mod report;
mod run;
mod screen;
mod servers;
mod watch;

use std::{path::Path, time::Instant};

use drs_binlog::Position;
use drs_core::{
    Task,
    compare::{CompareError, Comparison},
};
use drs_testkit::{
    TableComparison, compare_all_tables,
    workload::{Shop, WriteCounts, Writers},
};
use mysql::{Conn, Row, prelude::Queryable};
use serde_json::json;

use crate::{
    args::DemoArgs,
    exit::{CommandError, Exit},
    render::{Output, grouped},
};
use interrupt::Interrupt;
use report::Report;
use run::{Progress, Run};
use screen::Screen;
use servers::Servers;

const DATABASE: &str = "shop";
const WRITERS: u16 = 3;
/// Enough to keep everything moving, and little enough for a laptop's two servers.
const TRANSACTIONS_PER_SECOND: u32 = 300;
/// Transactions that a run has applied when it may be killed, or when enough has been seen.
const TRANSACTIONS_SEEN: u64 = 1_000;
/// Looks at the destination's books while changes are applied to it.
const LOOKS: u32 = 3;

/// Why the demo ends early.
enum Ending {
    Interrupted,
    Failed(String),
}

impl<E: std::error::Error> From<E> for Ending {
    fn from(error: E) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Carries the command out.
pub(crate) fn execute(args: &DemoArgs, out: &mut Output) -> Result<Exit, CommandError> {
    let interrupt = Interrupt::listen()?;
    let mut screen = Screen::new(out);
    let result = Demo::begin(&mut screen, &interrupt).and_then(|mut demo| {
        let report = demo.play()?;
        screen_report(demo.screen, &report)?;
        if args.keep {
            let servers = demo.servers;
            servers.keep(demo.screen)?;
        }
        Ok(report.is_equal())
    });
    screen.clear();
    match result {
        Ok(true) => Ok(Exit::Done),
        Ok(false) => Ok(Exit::Differs),
        Err(Ending::Interrupted) => {
            screen.step("interrupted: everything is stopped and removed", json!({}))?;
            Ok(Exit::Interrupted)
        }
        Err(Ending::Failed(reason)) => Err(CommandError::Failed(reason)),
    }
}

fn screen_report(screen: &mut Screen<'_>, report: &Report) -> Result<(), Ending> {
    screen.clear();
    Ok(report.print(screen.out())?)
}

/// The demo as it goes: what there is, and what has been measured.
struct Demo<'a, 'out> {
    screen: &'a mut Screen<'out>,
    interrupt: &'a Interrupt,
    // The writers end before their server does.
    writers: Option<Writers>,
    written: WriteCounts,
    servers: Servers,
    shop: Shop,
    /// Rows that earlier runs have copied.
    rows_before: u64,
    report: Report,
}

impl<'a, 'out> Demo<'a, 'out> {
    fn begin(screen: &'a mut Screen<'out>, interrupt: &'a Interrupt) -> Result<Self, Ending> {
        screen.busy("looking for MySQL; if there is none, it is fetched once (some 100 MB)")?;
        let installation = drs_testkit::Installation::find_or_fetch(drs_testkit::Version::MySql97)?;
        let release = installation.release();
        screen.step(
            &format!("{release}, from {}", installation.basedir().display()),
            json!({ "mysql": release.to_string() }),
        )?;
        interrupt.check()?;
        screen.busy("starting a source and a destination")?;
        let servers = Servers::start(&installation)?;
        screen.step(
            &format!(
                "a source listens on port {}, a destination on port {}",
                servers.source.port(),
                servers.destination.port()
            ),
            json!({ "source_port": servers.source.port(), "destination_port": servers.destination.port() }),
        )?;
        interrupt.check()?;
        let shop = Shop::new(DATABASE, Shop::ORDERS);
        screen.busy("opening a shop at the source")?;
        let rows = shop.create(&mut servers.source.conn()?)?;
        screen.step(
            &format!(
                "the source has a shop of {} tables and {} rows, one table without a primary key",
                Shop::tables().len(),
                grouped(rows)
            ),
            json!({ "tables": Shop::tables().len(), "rows": rows }),
        )?;
        let report = Report {
            rows_loaded: rows,
            ..Report::default()
        };
        Ok(Self {
            screen,
            interrupt,
            writers: None,
            written: WriteCounts::default(),
            servers,
            shop,
            rows_before: 0,
            report,
        })
    }

    fn play(&mut self) -> Result<Report, Ending> {
        let writers = Writers::builder(self.servers.source.tcp_opts(), &self.shop)
            .threads(WRITERS)
            .transactions_per_second(TRANSACTIONS_PER_SECOND)
            .start()?;
        self.writers = Some(writers);
        self.screen.step(
            &format!("{WRITERS} people begin to use it: orders, payments, transfers, reviews, corrections"),
            json!({ "writers": WRITERS }),
        )?;
        self.check()?;
        self.be_killed_in_the_copy()?;
        self.be_killed_while_following()?;
        self.follow_and_stop()?;
        self.catch_up()?;
        self.compare_as_a_user_does()?;
        self.compare()?;
        self.report.written = self.written;
        Ok(std::mem::take(&mut self.report))
    }

    fn check(&mut self) -> Result<(), Ending> {
        self.screen.busy("checking both servers")?;
        let task = Task::load(&self.servers.task_file)?;
        let mut report = drs_precheck::Report::of(&drs_precheck::Facts::gather(&task));
        report.accept(task.confirmed().iter().map(String::as_str));
        if let Some(checked) = report
            .checked
            .iter()
            .find(|checked| checked.stands_in_the_way())
        {
            let details: Vec<&str> = checked
                .findings
                .iter()
                .map(|finding| finding.detail.as_str())
                .collect();
            return Err(Ending::Failed(format!(
                "the check {} does not pass: {}",
                checked.check.id,
                details.join("; ")
            )));
        }
        let checks = report.checked.len();
        let passed = report.count(drs_precheck::Verdict::Pass);
        self.screen.step(
            &format!("{checks} checks before the start: {passed} pass, the others are accepted in the task file"),
            json!({ "checks": checks, "checks_passed": passed }),
        )?;
        Ok(())
    }

    fn be_killed_in_the_copy(&mut self) -> Result<(), Ending> {
        let mut run = self.start_run(&[])?;
        let enough = self.report.rows_loaded / 8;
        let began = Instant::now();
        self.watch(&mut run, "copy a part", |progress| {
            progress.rows_copied >= enough || progress.follows()
        })?;
        let progress = run.kill()?;
        self.report.copy_time += began.elapsed();
        if progress.follows() {
            return Err(Ending::Failed(
                "the copy was over before it could be killed, so a part was not shown".into(),
            ));
        }
        let rows = progress.rows_copied;
        self.rows_before = rows;
        self.report.kills += 1;
        self.screen.step(
            &format!("kill -9 in the copy, with {} rows there", grouped(rows)),
            json!({ "killed": "in the copy", "rows_copied": rows }),
        )?;
        Ok(())
    }

    fn be_killed_while_following(&mut self) -> Result<(), Ending> {
        let mut run = self.start_run(&[])?;
        let began = Instant::now();
        self.watch(&mut run, "finish the copy", Progress::follows)?;
        self.report.copy_time += began.elapsed();
        self.screen.step(
            &format!(
                "the copy is complete after {:.1} s of copying; now it follows",
                self.report.copy_time.as_secs_f64()
            ),
            json!({ "copy_seconds": self.report.copy_time.as_secs_f64() }),
        )?;
        self.watch(&mut run, "apply some transactions", |progress| {
            progress.transactions >= TRANSACTIONS_SEEN
        })?;
        let applied = run.kill()?.transactions;
        self.report.kills += 1;
        self.screen.step(
            &format!(
                "kill -9 while following, after {} transactions",
                grouped(applied)
            ),
            json!({ "killed": "while following", "transactions": applied }),
        )?;
        Ok(())
    }

    /// Follows until it keeps up, looks at the destination's books, and sends Ctrl-C.
    fn follow_and_stop(&mut self) -> Result<(), Ending> {
        let now = self.source_position()?;
        let mut run = self.start_run(&[])?;
        // From this position on every table is live, and whole transactions are all there is.
        self.watch(&mut run, "come to where the source was", |progress| {
            progress
                .position
                .as_ref()
                .is_some_and(|position| *position >= now)
        })?;
        let mut lag_ms = 0;
        let mut destination = self.servers.destination.conn()?;
        for _ in 0..LOOKS {
            let seen = run.progress().transactions;
            let broken = self.shop.broken_rules(&mut destination)?;
            if let Some(broken) = broken.first() {
                return Err(Ending::Failed(format!(
                    "in the middle of following, the destination's books do not balance: {broken}"
                )));
            }
            self.watch(&mut run, "apply more transactions", |progress| {
                lag_ms = progress.lag_ms.max(lag_ms);
                progress.transactions > seen
            })?;
        }
        self.screen.step(
            &format!("looked at the destination {LOOKS} times while it changes: its books balance each time"),
            json!({ "looks": LOOKS }),
        )?;
        self.watch(&mut run, "apply some transactions", |progress| {
            lag_ms = progress.lag_ms.max(lag_ms);
            progress.transactions >= TRANSACTIONS_SEEN
        })?;
        self.report.lag_ms_max = lag_ms;
        self.stop_writers()?;
        run.interrupt()?;
        let status = self.wait(&mut run)?;
        if status != Some(i32::from(Exit::Interrupted as u8)) {
            return Err(run.trouble("did not end in order on Ctrl-C"));
        }
        let applied = run.progress().transactions;
        self.screen.step(
            &format!(
                "Ctrl-C: drs finishes what is in flight and ends, after {} transactions",
                grouped(applied)
            ),
            json!({ "interrupted": true, "transactions": applied }),
        )?;
        Ok(())
    }

    fn catch_up(&mut self) -> Result<(), Ending> {
        let mut run = self.start_run(&["--until-caught-up"])?;
        match self.wait(&mut run)? {
            Some(0) => {}
            _ => return Err(run.trouble("failed")),
        }
        self.screen.step(
            "the destination has everything that the source has",
            json!({ "caught_up": true, "transactions": run.progress().transactions }),
        )?;
        Ok(())
    }

    /// Compares as `drs compare` does.
    fn compare_as_a_user_does(&mut self) -> Result<(), Ending> {
        self.screen.busy("comparing both sides with drs compare")?;
        let task = Task::load(&self.servers.task_file)?;
        let outcome = match Comparison::new(&task).run(self.interrupt.asked()) {
            Err(CompareError::Stopped) => return Err(Ending::Interrupted),
            outcome => outcome?,
        };
        let rows: u64 = outcome.tables.iter().map(|table| table.counts.source).sum();
        let differences: u64 = outcome
            .tables
            .iter()
            .map(|table| table.counts.differences())
            .sum();
        self.report.compares_equal = outcome.is_equal();
        let verdict = match outcome.is_equal() {
            true => "equal".to_owned(),
            false => format!("DIFFERENT, {} rows differ", grouped(differences)),
        };
        self.screen.step(
            &format!(
                "drs compare: every column of {} rows in {} tables: {verdict}",
                grouped(rows),
                outcome.tables.len()
            ),
            json!({ "compare_rows": rows, "compare_equal": outcome.is_equal() }),
        )?;
        Ok(())
    }

    /// Compares in another way than drs does, so that no mistake of its own can hide.
    fn compare(&mut self) -> Result<(), Ending> {
        self.screen
            .busy("comparing both sides once more, by other means: every byte of every row")?;
        let mut source = self.servers.source.conn()?;
        let mut destination = self.servers.destination.conn()?;
        let tables: Vec<TableComparison> =
            compare_all_tables(&mut source, &mut destination, DATABASE, |_| ())?;
        self.interrupt.check()?;
        self.report.broken_rules = self.shop.broken_rules(&mut destination)?;
        self.report.tables = tables;
        self.report.seconds = self.screen.elapsed().as_secs_f64();
        Ok(())
    }

    fn stop_writers(&mut self) -> Result<(), Ending> {
        if let Some(writers) = self.writers.take() {
            self.written = writers.stop()?;
            self.screen.step(
                &format!(
                    "people go home, after {} transactions with {} row changes",
                    grouped(self.written.transactions),
                    grouped(self.written.row_changes)
                ),
                json!({ "transactions_written": self.written.transactions, "row_changes_written": self.written.row_changes }),
            )?;
        }
        Ok(())
    }

    fn start_run(&mut self, options: &[&str]) -> Result<Run, Ending> {
        let run = Run::start(&self.servers.task_file, options)?;
        let command = ["drs run task.toml"].iter().chain(options).copied();
        let command = command.collect::<Vec<_>>().join(" ");
        self.screen
            .step(&format!("$ {command}"), json!({ "command": command }))?;
        Ok(run)
    }

    fn source_position(&self) -> Result<Position, Ending> {
        let mut conn: Conn = self.servers.source.conn()?;
        let row: Option<Row> = match conn.query_first("SHOW BINARY LOG STATUS") {
            Ok(row) => row,
            // Before MySQL 8.2.
            Err(_) => conn.query_first("SHOW MASTER STATUS")?,
        };
        let place = row.and_then(|row| Some((row.get::<String, _>(0)?, row.get::<u64, _>(1)?)));
        let (file, offset) =
            place.ok_or_else(|| Ending::Failed("the source keeps no binary log".into()))?;
        Ok(format!("{file}:{offset}").parse()?)
    }
}

/// How a path is written in a command line.
fn shown(path: &Path) -> String {
    path.display().to_string()
}
