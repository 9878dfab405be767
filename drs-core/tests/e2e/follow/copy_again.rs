//! Statements on tables while they are copied.

use std::sync::{
    Mutex,
    atomic::{AtomicBool, Ordering},
};

use drs_core::{
    CopyProgress, End, MySqlDestination, Observer, Outcome, Pipeline, PipelineError, StreamPoint,
};
use drs_testkit::{Server, compare_tables};
use mysql::Conn;

use super::run::FollowTest;
use crate::servers::{gtid56, gtid97, plain56, plain97, run, session};

/// Runs a script at the source once the copy's first rows are committed, and keeps the notices.
struct DuringCopy<'a> {
    conn: Mutex<Conn>,
    script: Mutex<Option<&'a str>>,
    notices: Mutex<Vec<String>>,
    /// Set by a notice that tables are copied again.
    stop: Option<&'a AtomicBool>,
}

impl<'a> DuringCopy<'a> {
    fn new(test: &FollowTest, script: &'a str, stop: Option<&'a AtomicBool>) -> Self {
        Self {
            conn: Mutex::new(test.at_source()),
            script: Mutex::new(Some(script)),
            notices: Mutex::default(),
            stop,
        }
    }

    fn copied_again(&self) -> Vec<String> {
        let notices = self.notices.lock().unwrap();
        let again = |text: &&String| text.contains("copied again");
        notices.iter().filter(again).cloned().collect()
    }
}

impl Observer for DuringCopy<'_> {
    fn copying(&self, progress: &CopyProgress) {
        if progress.rows_copied > 0
            && let Some(script) = self.script.lock().unwrap().take()
        {
            run(&mut self.conn.lock().unwrap(), script);
        }
    }

    fn notice(&self, text: &str) {
        if text.contains("copied again")
            && let Some(stop) = self.stop
        {
            stop.store(true, Ordering::Relaxed);
        }
        self.notices.lock().unwrap().push(text.to_owned());
    }
}

/// `big` is the largest table, so that it is copied first, in many parts, and the script comes
/// between them; `small` and `parts` are copied behind it.
const TABLES: &str = "CREATE TABLE big (id INT PRIMARY KEY, t VARCHAR(200), KEY (t))
  PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (1000), PARTITION p1 VALUES LESS THAN MAXVALUE);
CREATE TABLE small (id INT PRIMARY KEY, t VARCHAR(200), KEY (t));
CREATE TABLE keyless (id INT, t VARCHAR(200));
INSERT INTO small VALUES (1, 'one'), (2, 'two'), (5000, 'three');
INSERT INTO keyless SELECT * FROM small;
INSERT INTO big WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT i, REPEAT('x', 150) FROM n;
INSERT INTO big SELECT id + 1000, t FROM big;
INSERT INTO big SELECT id + 2000, t FROM big;
INSERT INTO big SELECT id + 4000, t FROM big;
ANALYZE TABLE big, small, keyless;\n";

/// The same without a common table expression and without partitions, for 5.6.
const TABLES_56: &str = "CREATE TABLE big (id INT PRIMARY KEY, t VARCHAR(200), KEY (t));
CREATE TABLE small (id INT PRIMARY KEY, t VARCHAR(200), KEY (t));
CREATE TABLE keyless (id INT, t VARCHAR(200));
INSERT INTO small VALUES (1, 'one'), (2, 'two'), (5000, 'three');
INSERT INTO keyless SELECT * FROM small;
SET @n := 0;
INSERT INTO big SELECT @n := @n + 1, REPEAT('x', 150) FROM information_schema.COLUMNS LIMIT 1000;
INSERT INTO big SELECT id + 1000, t FROM big;
INSERT INTO big SELECT id + 2000, t FROM big;
INSERT INTO big SELECT id + 4000, t FROM big;
ANALYZE TABLE big, small, keyless;\n";

/// What happens during the copy, and the tables that are copied again for it.
const CASES: &[(&str, &str, &str)] = &[
    (
        "truncate",
        "TRUNCATE big;\nINSERT INTO big VALUES (1, 'new')",
        "",
    ),
    (
        "drop_create",
        "DROP TABLE small;\nCREATE TABLE small (id INT PRIMARY KEY);\nINSERT INTO small VALUES (7)",
        "",
    ),
    (
        "drop_create_big",
        "CREATE TABLE other LIKE big;\nDROP TABLE big;\nRENAME TABLE other TO big;\nINSERT INTO big VALUES (1, 'new')",
        "",
    ),
    ("drop_several", "DROP TABLE small, keyless", ""),
    (
        "if_not_exists",
        "CREATE TABLE IF NOT EXISTS big (id INT);\nUPDATE big SET t = 'y' WHERE id % 7 = 0",
        "",
    ),
    (
        "swap",
        "ALTER TABLE big REMOVE PARTITIONING;\nINSERT INTO small VALUES (6, 'six');
RENAME TABLE big TO x, small TO big, x TO small;\nDELETE FROM small WHERE id % 2 = 0",
        "",
    ),
    (
        "new_name",
        "RENAME TABLE big TO large;\nUPDATE large SET t = 'y' WHERE id % 3 = 0",
        "`large`",
    ),
    (
        "new_name_small",
        "RENAME TABLE small TO tiny, keyless TO small;\nINSERT INTO tiny VALUES (9, 'nine');\nINSERT INTO small VALUES (9, 'nine')",
        "`tiny`",
    ),
    (
        "truncate_partition",
        "ALTER TABLE big TRUNCATE PARTITION p0;\nINSERT INTO big VALUES (1, 'new')",
        "`big`",
    ),
    (
        "exchange_partition",
        "DELETE FROM small WHERE id > 1000;\nALTER TABLE big EXCHANGE PARTITION p0 WITH TABLE small;\nDELETE FROM big WHERE id = 1",
        "`big`",
    ),
    (
        "like_what_was_copied_later",
        "CREATE TABLE alike LIKE small;\nINSERT INTO alike SELECT * FROM small;\nALTER TABLE small ADD COLUMN n INT NOT NULL DEFAULT 3 FIRST;\nINSERT INTO alike VALUES (8, 'eight')",
        "`alike`",
    ),
    (
        "several",
        "ALTER TABLE big TRUNCATE PARTITION p0;\nRENAME TABLE small TO tiny;\nALTER TABLE big TRUNCATE PARTITION p1;\nINSERT INTO big VALUES (3, 'three');
ALTER TABLE keyless ADD COLUMN n INT;\nRENAME TABLE tiny TO tinier;\nINSERT INTO tinier VALUES (10, 'ten')",
        "`big`, `tinier`, `tiny`",
    ),
];

const CASES_56: &[(&str, &str, &str)] = &[
    (
        "swap",
        "RENAME TABLE big TO x, small TO big, x TO small;\nDELETE FROM small WHERE id % 2 = 0",
        "`big`",
    ),
    (
        "new_name",
        "RENAME TABLE big TO large;\nUPDATE large SET t = 'y' WHERE id % 3 = 0",
        "`large`",
    ),
    (
        "create_select",
        "CREATE TABLE made AS SELECT * FROM small;\nINSERT INTO made VALUES (9, 'nine')",
        "",
    ),
];

fn catch_up(
    test: &FollowTest,
    observer: &DuringCopy<'_>,
    stop: &AtomicBool,
) -> Result<Outcome, PipelineError> {
    let task = test
        .task()
        .sessions(1)
        .chunk_bytes(64 << 10)
        .build()
        .unwrap();
    Pipeline::new(&task, MySqlDestination::new(&task))
        .until_caught_up(true)
        .observer(observer)
        .run(stop)
}

/// With a stop each time when the checkpoint says that tables are copied again, and in one run.
fn tables_end_equal(
    source: &'static Server,
    destination: &'static Server,
    tables: &str,
    cases: &[(&str, &str, &str)],
) {
    for (name, script, again) in cases {
        for stops in [true, false] {
            if stops && again.is_empty() {
                continue;
            }
            let name = format!("again_{name}{}", if stops { "_s" } else { "" });
            println!("{name}");
            let test = FollowTest::new(source, destination, &name, tables);
            let mut script = *script;
            let mut said = Vec::new();
            loop {
                let stop = AtomicBool::new(false);
                let observer = DuringCopy::new(&test, script, stops.then_some(&stop));
                let end = catch_up(&test, &observer, &stop);
                said.extend(observer.copied_again());
                match end.unwrap_or_else(|error| panic!("{name}: {error}")).end {
                    End::Stopped => script = "DO 0",
                    _ => break,
                }
            }
            test.assert_equal();
            let mut named: Vec<String> = said
                .iter()
                .flat_map(|text| text.rsplit(": ").next().unwrap().split(", "))
                .map(|table| table.split('.').next_back().unwrap().to_owned())
                .collect();
            named.sort();
            named.dedup();
            assert_eq!(named.join(", "), *again, "{name}: {said:?}");
            run(
                &mut test.at_source(),
                "CREATE TABLE behind (id INT PRIMARY KEY)",
            );
            test.catch_up().unwrap();
            test.assert_equal();
        }
    }
}

#[test]
fn a_statement_meets_the_copies_of_its_tables() {
    tables_end_equal(gtid97(), plain97(), TABLES, CASES);
}

#[test]
fn a_statement_meets_the_copies_of_its_tables_without_gtids() {
    tables_end_equal(plain97(), gtid97(), TABLES, CASES);
}

#[test]
fn a_statement_meets_the_copies_of_its_tables_from_56() {
    tables_end_equal(plain56(), gtid97(), TABLES_56, CASES_56);
    // With GTIDs, 5.6 does not allow the last one.
    let cases = CASES_56.split_last().map_or(CASES_56, |(_, cases)| cases);
    tables_end_equal(gtid56(), plain97(), TABLES_56, cases);
}

/// Makes a database between the start point and the copy.
struct MakesDatabase(Mutex<Conn>, String);

impl Observer for MakesDatabase {
    fn started(&self, resumed: bool, _: &StreamPoint) {
        if !resumed {
            run(&mut self.0.lock().unwrap(), &self.1);
        }
    }
}

/// The copy makes the databases that there are, and the log has the statement for one of them.
#[test]
fn a_database_made_just_before_the_copy_is_made_once() {
    for (source, destination) in [(gtid97(), plain97()), (plain56(), gtid97())] {
        let test = FollowTest::new(
            source,
            destination,
            "made_db",
            "CREATE TABLE t (id INT PRIMARY KEY);\nINSERT INTO t VALUES (1);\n",
        );
        let more = format!("{}_more", test.name);
        for server in [source, destination] {
            run(
                &mut session(server),
                &format!("DROP DATABASE IF EXISTS {more}"),
            );
        }
        let script = format!(
            "CREATE DATABASE {more} CHARACTER SET latin1;\nCREATE TABLE {more}.t (w VARCHAR(5));\nINSERT INTO {more}.t VALUES ('é')"
        );
        let observer = MakesDatabase(Mutex::new(test.at_source()), script);
        let task = test.task().select(more.as_str()).build().unwrap();
        test.catch_up_watched(&task, &observer).unwrap();
        test.assert_equal();
        let different =
            compare_tables(&mut session(source), &mut session(destination), &more).unwrap();
        assert!(different.is_empty(), "{different:?}");
    }
}

/// What the destination had before is never dropped.
#[test]
fn a_table_that_the_task_did_not_create_stops_it() {
    let test = FollowTest::new(plain97(), gtid97(), "again_kept", TABLES);
    let mut there = session(test.destination);
    run(
        &mut there,
        &format!(
            "CREATE DATABASE {0};\nCREATE TABLE {0}.big (id INT PRIMARY KEY, t VARCHAR(200), KEY (t))",
            test.name
        ),
    );
    let observer = DuringCopy::new(&test, "ALTER TABLE big TRUNCATE PARTITION p0", None);
    let stop = AtomicBool::new(false);
    for _ in 0..2 {
        let error = catch_up(&test, &observer, &stop).unwrap_err().to_string();
        assert!(
            error.contains("`big` was changed while the table was being copied")
                && error.contains("did not create the table"),
            "{error}"
        );
    }
}
