use std::sync::Mutex;

use drs_core::{
    AddedValue, ConflictPolicy, CopyProgress, FixedType, Observer, PipelineError, Rule,
    TaskBuilder, TimeType,
};
use drs_testkit::Server;
use mysql::{Conn, Row, prelude::Queryable};

use crate::{
    follow::run::FollowTest,
    servers::{gtid97, plain56, plain97, run, session},
};

fn fixed(text: &str, column_type: FixedType) -> AddedValue {
    AddedValue::Fixed {
        text: text.to_owned(),
        column_type,
    }
}

/// A rule with one column of each kind.
fn all_kinds(table: &str) -> Rule {
    Rule::new(table)
        .add("site", fixed(r"it's \é", FixedType::VarChar(20)))
        .add("number", fixed("-7", FixedType::Int))
        .add("since", fixed("2020-02-29T01:02:03.5", FixedType::DateTime))
        .add("stamp", fixed("2020-02-29", FixedType::Timestamp))
        .add("origin", AddedValue::DatabaseTable)
        .add("created", AddedValue::CreateTime(TimeType::DateTime))
        .add("updated", AddedValue::UpdateTime(TimeType::Timestamp))
        .add("updated_ms", AddedValue::UpdateTime(TimeType::BigInt))
}

fn rows(conn: &mut Conn, query: &str) -> Vec<String> {
    let rows: Vec<Row> = conn.query(query).unwrap();
    let mut rows: Vec<String> = rows
        .into_iter()
        .map(|row| format!("{:?}", row.unwrap()))
        .collect();
    rows.sort();
    rows
}

/// The destination's present time.
fn now(server: &Server) -> String {
    let time: Option<String> = session(server)
        .query_first("SELECT UTC_TIMESTAMP(6)")
        .unwrap();
    time.unwrap()
}

fn count(server: &Server, query: &str) -> u64 {
    session(server).query_first(query).unwrap().unwrap()
}

const TABLES: &str = "CREATE TABLE keyed (id INT AUTO_INCREMENT PRIMARY KEY, a INT, s VARCHAR(20)) CHARACTER SET utf8;
 CREATE TABLE two_keys (id INT PRIMARY KEY, u INT UNIQUE, e ENUM('x', 'y'));
 CREATE TABLE two_parts (a INT, b VARCHAR(9), c INT, PRIMARY KEY (a, b)) CHARACTER SET latin1;
 CREATE TABLE keyless (a INT, b INT);
 INSERT INTO keyed VALUES (1, 1, 'one'), (2, 2, 'two'), (3, 3, NULL);
 INSERT INTO two_keys VALUES (1, 10, 'x'), (2, 20, 'y'), (3, NULL, NULL);
 INSERT INTO two_parts VALUES (1, 'a', 1), (1, 'b', 2), (2, 'a', 3);
 INSERT INTO keyless VALUES (1, 1), (1, 1), (2, 2);\n";

const CHANGES: &str = "UPDATE keyed SET a = 100 WHERE id = 2;
 UPDATE keyed SET id = 30 WHERE id = 3;
 DELETE FROM keyed WHERE id = 1;
 INSERT INTO keyed VALUES (4, 4, 'four'), (5, 5, 'five');
 UPDATE keyed SET s = 'x' WHERE id = 4;
 DELETE FROM keyed WHERE id = 5;
 UPDATE two_keys SET u = 21 WHERE id = 2;
 UPDATE two_keys SET u = 20, e = 'x' WHERE id = 3;
 DELETE FROM two_keys WHERE id = 1;
 INSERT INTO two_keys VALUES (1, 11, 'y');
 UPDATE two_parts SET c = 20 WHERE a = 1;
 DELETE FROM two_parts WHERE a = 2;
 INSERT INTO two_parts VALUES (3, 'c', 4);
 UPDATE keyless SET b = 5 WHERE a = 1 LIMIT 1;
 DELETE FROM keyless WHERE a = 2;
 INSERT INTO keyless VALUES (9, NULL)";

/// The columns of the source, and what is added, are right in every table.
fn check(test: &FollowTest, from: &str, to: &str, when: &str) {
    let name = &test.name;
    for (table, list) in [
        ("keyed", "id, a, s"),
        ("two_keys", "id, u, e"),
        ("two_parts", "a, b, c"),
        ("keyless", "a, b"),
    ] {
        let query = format!("SELECT {list} FROM {name}.{table}");
        assert_eq!(
            rows(&mut session(test.destination), &query),
            rows(&mut session(test.source), &query),
            "{table} {when}"
        );
        let wrong = format!(
            "SELECT COUNT(*) FROM {name}.{table} WHERE NOT (site <=> 'it''s \\\\é' AND number <=> -7 AND since <=> \
             '2020-02-29 01:02:03.500000' AND stamp <=> '2020-02-29 00:00:00' AND origin <=> '{name}@{table}' AND \
             created BETWEEN '{from}' AND '{to}' AND updated BETWEEN created AND '{to}' AND \
             updated_ms BETWEEN FLOOR(UNIX_TIMESTAMP(updated) * 1000) AND UNIX_TIMESTAMP(updated) * 1000 + 1)"
        );
        let mut conn = session(test.destination);
        run(&mut conn, "SET NAMES utf8mb4;\nSET time_zone = '+00:00'");
        let wrong: Option<Option<u64>> = conn.query_first(wrong).unwrap();
        assert_eq!(wrong, Some(Some(0)), "{table} {when}");
    }
}

#[test]
fn columns_are_added() {
    // The first and the last take LOAD DATA, the second one does not.
    for (source, destination) in [
        (gtid97(), plain97()),
        (plain97(), gtid97()),
        (plain56(), plain97()),
    ] {
        let test = FollowTest::new(source, destination, "added", TABLES);
        let name = &test.name;
        let task = ["keyed", "two_keys", "two_parts", "keyless"]
            .iter()
            .fold(test.task(), |task, table| {
                task.rule(all_kinds(&format!("{name}.{table}")))
            })
            .build()
            .unwrap();
        let begin = now(destination);
        test.catch_up_watched(&task, &()).unwrap();
        let copied = now(destination);
        check(&test, &begin, &copied, "after the copy");
        run(&mut test.at_source(), CHANGES);
        test.catch_up_watched(&task, &()).unwrap();
        let followed = now(destination);
        check(&test, &begin, &followed, "after following");
        for (table, kept, is_new) in [
            ("keyed", "id IN (2, 30)", "id = 4"),
            ("two_keys", "id IN (2, 3)", "id = 1"),
            ("two_parts", "a = 1", "a = 3"),
            ("keyless", "b = 5", "a = 9"),
        ] {
            let of = |condition: &str| {
                count(
                    destination,
                    &format!("SELECT COUNT(*) FROM {name}.{table} WHERE {condition}"),
                )
            };
            let kept_rows = of(kept);
            assert!(kept_rows > 0);
            assert_eq!(
                of(&format!(
                    "{kept} AND created < '{copied}' AND CONVERT_TZ(updated, @@time_zone, '+00:00') > '{copied}'"
                )),
                kept_rows,
                "{table}: an update keeps the time of creation"
            );
            assert!(
                of(&format!("{is_new} AND created > '{copied}'")) > 0,
                "{table}"
            );
        }
        let untouched = format!(
            "SELECT COUNT(*) FROM {name}.keyless WHERE a = 1 AND b = 1 AND CONVERT_TZ(updated, @@time_zone, '+00:00') < '{copied}'"
        );
        assert_eq!(count(destination, &untouched), 1);
    }
}

/// Two sources' tables of equal keys in one table, told apart by a column that the rules add.
struct TwoOrigins {
    first: &'static Server,
    second: &'static Server,
    destination: &'static Server,
    name: String,
}

impl TwoOrigins {
    fn new(name: &str, columns: &str, keys: &str, destination_keys: &str) -> Self {
        let two = Self {
            first: gtid97(),
            second: plain56(),
            destination: plain97(),
            name: name.to_owned(),
        };
        run(
            &mut session(two.destination),
            &format!(
                "DROP DATABASE IF EXISTS {name};
                 CREATE DATABASE {name};
                 CREATE TABLE {name}.t ({columns}, origin VARCHAR(60) CHARACTER SET utf8mb4 NOT NULL, {destination_keys})
                   CHARACTER SET latin1"
            ),
        );
        for (server, letter) in [(two.first, 'a'), (two.second, 'b')] {
            run(
                &mut session(server),
                &format!(
                    "DROP DATABASE IF EXISTS {name}_{letter};
                     CREATE DATABASE {name}_{letter};
                     CREATE TABLE {name}_{letter}.t ({columns}, {keys}) CHARACTER SET latin1"
                ),
            );
        }
        two
    }

    fn at(&self, letter: char, script: &str) {
        let mut conn = session(if letter == 'a' {
            self.first
        } else {
            self.second
        });
        run(&mut conn, &format!("USE {}_{letter}", self.name));
        run(&mut conn, script);
    }

    fn task(&self, letter: char, policy: ConflictPolicy) -> TaskBuilder {
        let source = if letter == 'a' {
            self.first
        } else {
            self.second
        };
        let database = format!("{}_{letter}", self.name);
        drs_core::Task::builder(
            crate::follow::run::endpoint(source),
            crate::follow::run::endpoint(self.destination),
        )
        .name(&*database)
        .select(&*database)
        .map(&*database, &*self.name)
        .rule(Rule::new(format!("{database}.t")).add("origin", AddedValue::DatabaseTable))
        .conflict(policy)
    }

    /// Each source's rows are there under its name, and no others.
    fn check(&self, list: &str, when: &str) {
        let mut all = 0;
        for (server, letter) in [(self.first, 'a'), (self.second, 'b')] {
            let name = format!("{}_{letter}", self.name);
            let here = rows(
                &mut session(server),
                &format!("SELECT {list} FROM {name}.t"),
            );
            let there = format!(
                "SELECT {list} FROM {}.t WHERE origin = '{name}@t'",
                self.name
            );
            assert_eq!(
                rows(&mut session(self.destination), &there),
                here,
                "{letter} {when}"
            );
            all += here.len() as u64;
        }
        let query = format!("SELECT COUNT(*) FROM {}.t", self.name);
        assert_eq!(count(self.destination, &query), all, "{when}");
    }
}

fn catch_up(task: &TaskBuilder) -> Result<(), PipelineError> {
    let task = task.clone().build().unwrap();
    drs_core::Pipeline::new(&task, drs_core::MySqlDestination::new(&task))
        .until_caught_up(true)
        .run(&std::sync::atomic::AtomicBool::new(false))
        .map(drop)
}

#[test]
fn two_tasks_never_touch_each_others_rows() {
    for (policy, kind, here, there) in [
        (
            ConflictPolicy::ReportError,
            "wide",
            "PRIMARY KEY (id, s)",
            "PRIMARY KEY (origin, id, s)",
        ),
        (
            ConflictPolicy::Ignore,
            "more",
            "PRIMARY KEY (id), UNIQUE (u)",
            "PRIMARY KEY (origin, id), UNIQUE (u, origin)",
        ),
        (
            ConflictPolicy::Overwrite,
            "one",
            "PRIMARY KEY (id)",
            "PRIMARY KEY (id, origin)",
        ),
        (
            ConflictPolicy::Overwrite,
            "both",
            "PRIMARY KEY (id), UNIQUE (u)",
            "PRIMARY KEY (id, origin), UNIQUE (origin, u)",
        ),
    ] {
        let when = &format!("{policy:?} {kind}");
        let two = TwoOrigins::new(
            &format!("added_{kind}"),
            "id INT, u INT, s VARCHAR(9)",
            here,
            there,
        );
        for letter in ['a', 'b'] {
            two.at(
                letter,
                &format!("INSERT INTO t VALUES (1, 1, '{letter}'), (2, 2, 'x'), (3, NULL, 'x')"),
            );
        }
        let (a, b) = (two.task('a', policy), two.task('b', policy));
        catch_up(&a).unwrap();
        catch_up(&b).unwrap();
        two.check("id, u, s", when);
        two.at(
            'a',
            "UPDATE t SET u = 20 WHERE id = 2;
                 UPDATE t SET id = 9 WHERE id = 3;
                 DELETE FROM t WHERE id = 1;
                 INSERT INTO t VALUES (4, 4, 'a'), (5, 1, 'a');
                 DELETE FROM t WHERE id = 4",
        );
        two.at(
            'b',
            "INSERT INTO t VALUES (4, 4, 'b'), (9, 9, 'b');
                 UPDATE t SET s = 'changed' WHERE id = 1",
        );
        catch_up(&b).unwrap();
        catch_up(&a).unwrap();
        two.check("id, u, s", when);
        // Rows of its own that it does not expect are met by its policy, and by that alone.
        if policy == ConflictPolicy::ReportError {
            continue;
        }
        run(
                &mut session(two.destination),
                &format!(
                    "INSERT INTO {0}.t VALUES (50, 50, 'mine', '{0}_a@t'), (51, 50, 'other', '{0}_b@t');
                     DELETE FROM {0}.t WHERE id = 5 AND origin = '{0}_a@t'",
                    two.name
                ),
            );
        two.at(
            'a',
            "INSERT INTO t VALUES (50, 51, 'mine');
                 UPDATE t SET u = 50 WHERE id = 9;
                 UPDATE t SET u = 7 WHERE id = 5",
        );
        two.at('b', "INSERT INTO t VALUES (51, 50, 'other')");
        catch_up(&a).unwrap();
        catch_up(&b).unwrap();
        let others = format!(
            "SELECT COUNT(*) FROM {0}.t WHERE origin = '{0}_b@t' AND id IN (1, 2, 3, 4, 9, 51)",
            two.name
        );
        assert_eq!(count(two.destination, &others), 6, "{when}");
        if policy == ConflictPolicy::Overwrite {
            two.check("id, u, s", when);
        }
    }
}

#[test]
fn a_row_of_another_source_in_the_way_stops_the_task() {
    for (number, policy) in [
        ConflictPolicy::ReportError,
        ConflictPolicy::Ignore,
        ConflictPolicy::Overwrite,
    ]
    .into_iter()
    .enumerate()
    {
        // The key does not hold the origin: equal ids meet.
        let two = TwoOrigins::new(
            &format!("added_meet_{number}"),
            "id INT, u INT",
            "PRIMARY KEY (id)",
            "PRIMARY KEY (id)",
        );
        two.at('a', "INSERT INTO t VALUES (1, 1), (2, 2)");
        two.at('b', "INSERT INTO t VALUES (11, 1), (12, 2)");
        let (a, b) = (two.task('a', policy), two.task('b', policy));
        catch_up(&a).unwrap();
        catch_up(&b).unwrap();
        two.at(
            'a',
            "UPDATE t SET u = 5 WHERE id = 1;
             DELETE FROM t WHERE id = 2;
             INSERT INTO t VALUES (3, 3)",
        );
        catch_up(&a).unwrap();
        two.check("id, u", "before they meet");
        two.at('b', "INSERT INTO t VALUES (3, 33)");
        let error = catch_up(&b).unwrap_err().to_string();
        assert!(
            error.contains("already holds") || error.contains("by the columns that the rule adds"),
            "{policy:?}: {error}"
        );
        let kept = format!("SELECT u FROM {}.t WHERE id = 3", two.name);
        assert_eq!(count(two.destination, &kept), 3, "{policy:?}");
    }
}

/// Writes to the source in the middle of its copy.
struct DuringCopy(Mutex<Conn>, Mutex<Option<&'static str>>);

impl Observer for DuringCopy {
    fn copying(&self, progress: &CopyProgress) {
        if progress.rows_copied > 0
            && let Some(script) = self.1.lock().unwrap().take()
        {
            run(&mut self.0.lock().unwrap(), script);
        }
    }
}

const WHILE_COPYING: &str = "UPDATE t SET s = 'y' WHERE id % 3 = 0;
 DELETE FROM t WHERE id % 7 = 0;
 UPDATE t SET u = -u WHERE id % 5 = 0;
 UPDATE t SET id = id + 10000 WHERE id % 11 = 0";

/// Behind the copy the log may repeat what the rows show already.
#[test]
fn changes_during_the_copy_are_taken_once() {
    for (number, keys) in [
        "PRIMARY KEY (origin, id), UNIQUE (origin, u)",
        "PRIMARY KEY (id), UNIQUE (u)",
        "PRIMARY KEY (id)",
    ]
    .into_iter()
    .enumerate()
    {
        let here = if keys.contains("UNIQUE") {
            "PRIMARY KEY (id), UNIQUE (u)"
        } else {
            "PRIMARY KEY (id)"
        };
        let two = TwoOrigins::new(
            &format!("added_busy_{number}"),
            "id INT, u INT, s VARCHAR(200)",
            here,
            keys,
        );
        two.at(
            'a',
            "INSERT INTO t WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
               SELECT i, i, REPEAT('x', 150) FROM n;
             INSERT INTO t SELECT id + 1000, u + 1000, s FROM t;
             INSERT INTO t SELECT id + 2000, u + 2000, s FROM t;
             INSERT INTO t SELECT id + 4000, u + 4000, s FROM t;
             ANALYZE TABLE t",
        );
        let task = two
            .task('a', ConflictPolicy::ReportError)
            .chunk_bytes(64 << 10)
            .build()
            .unwrap();
        let mut conn = session(two.first);
        run(&mut conn, &format!("USE {}_a", two.name));
        let during = DuringCopy(Mutex::new(conn), Mutex::new(Some(WHILE_COPYING)));
        drs_core::Pipeline::new(&task, drs_core::MySqlDestination::new(&task))
            .until_caught_up(true)
            .observer(&during)
            .run(&std::sync::atomic::AtomicBool::new(false))
            .unwrap();
        assert!(during.1.lock().unwrap().is_none(), "the script was not run");
        two.check("id, u, s", keys);
    }
}

#[test]
fn what_can_not_be_added_is_refused() {
    let test = FollowTest::new(
        gtid97(),
        plain97(),
        "added_refused",
        "CREATE TABLE t (id INT PRIMARY KEY, a INT);
         INSERT INTO t VALUES (1, 1);\n",
    );
    let name = &test.name;
    let rule = || Rule::new(format!("{name}.t"));
    for (number, (there, rule, reason)) in [
        (
            "",
            rule().add("A", AddedValue::DatabaseTable),
            "a column of this name already",
        ),
        (
            "",
            rule().rename("a", "b").add("b", AddedValue::DatabaseTable),
            "a column of this name already",
        ),
        (
            "",
            rule().exclude("a").add("a", AddedValue::DatabaseTable),
            "a column of this name already",
        ),
        (
            "c INT",
            rule().add("d", AddedValue::DatabaseTable),
            "column d, which the rule adds, is missing",
        ),
        (
            "c VARCHAR(5) CHARACTER SET utf8mb4",
            rule().add("c", AddedValue::DatabaseTable),
            "column c, which the rule adds, is varchar(5)",
        ),
        (
            "c VARCHAR(9) CHARACTER SET latin1",
            rule().add("c", fixed("é", FixedType::VarChar(9))),
            "varchar(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin is needed",
        ),
        (
            "c DATETIME",
            rule().add("c", AddedValue::CreateTime(TimeType::DateTime)),
            "column c, which the rule adds, is datetime at",
        ),
        (
            "c INT UNSIGNED",
            rule().add("c", fixed("-1", FixedType::Int)),
            "column c, which the rule adds, is int unsigned",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let mut conn = session(test.destination);
        run(&mut conn, &format!("DROP DATABASE IF EXISTS {name}"));
        if !there.is_empty() {
            let statement = format!(
                "CREATE DATABASE {name};\nCREATE TABLE {name}.t (id INT PRIMARY KEY, a INT, {there})"
            );
            run(&mut conn, &statement);
        }
        let task = test
            .task()
            .name(format!("{name}_{number}"))
            .rule(rule)
            .build()
            .unwrap();
        let error = test.catch_up_watched(&task, &()).unwrap_err().to_string();
        assert!(error.contains(reason), "{reason}: {error}");
    }
}

#[test]
fn structure_changes_of_a_table_with_added_columns_stop_the_task() {
    let test = FollowTest::new(
        gtid97(),
        plain97(),
        "added_alter",
        "CREATE TABLE t (id INT PRIMARY KEY, a INT);
         INSERT INTO t VALUES (1, 1);\n",
    );
    let rule = Rule::new(format!("{}.t", test.name)).add("o", AddedValue::DatabaseTable);
    let task = test.task().rule(rule).build().unwrap();
    test.catch_up_watched(&task, &()).unwrap();
    run(
        &mut test.at_source(),
        "TRUNCATE TABLE t;\nINSERT INTO t VALUES (2, 2);\nCREATE INDEX i ON t (a);\nINSERT INTO t VALUES (3, 3)",
    );
    test.catch_up_watched(&task, &()).unwrap();
    let query = format!("SELECT COUNT(*) FROM {0}.t WHERE o = '{0}@t'", test.name);
    assert_eq!(count(test.destination, &query), 2);
    run(&mut test.at_source(), "ALTER TABLE t ADD COLUMN b INT");
    let error = test.catch_up_watched(&task, &()).unwrap_err().to_string();
    assert!(error.contains("rule on its columns"), "{error}");
}
