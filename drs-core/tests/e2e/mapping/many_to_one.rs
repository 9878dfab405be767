use drs_core::ConflictPolicy;
use drs_testkit::Server;

use super::run::{catch_up, make, rows, task, within};
use crate::servers::{gtid56, gtid97, plain56, plain97, run, session};

/// Two sources of one table, each with a task of its own.
struct TwoSources {
    first: &'static Server,
    second: &'static Server,
    destination: &'static Server,
    database: String,
}

impl TwoSources {
    fn new(name: &str, table: &str) -> Self {
        let two = Self {
            first: gtid97(),
            second: plain56(),
            destination: plain97(),
            database: name.to_owned(),
        };
        for source in [two.first, two.second] {
            make(source, two.destination, &[name], &[name]);
            run(&mut within(source, name), table);
        }
        two
    }

    fn task(&self, source: &'static Server) -> drs_core::TaskBuilder {
        let id = source.server_id();
        task(source, self.destination, &format!("{}_{id}", self.database))
            .select(&*self.database)
            .conflict(ConflictPolicy::Overwrite)
    }

    fn at(&self, source: &Server, script: &str) {
        run(&mut within(source, &self.database), script);
    }
}

#[test]
fn two_tasks_fill_one_table_and_both_add_the_same_columns() {
    let two = TwoSources::new(
        "many_rows",
        "CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT)",
    );
    two.at(two.first, "INSERT INTO t VALUES (1, 10, 100), (3, 30, 300)");
    two.at(
        two.second,
        "INSERT INTO t VALUES (2, 20, 200), (4, 40, 400)",
    );
    let (first, second) = (two.task(two.first), two.task(two.second));
    catch_up(&first).unwrap();
    catch_up(&second).unwrap();
    two.at(
        two.first,
        "UPDATE t SET a = 11 WHERE id = 1;
         INSERT INTO t VALUES (5, 50, 500)",
    );
    two.at(
        two.second,
        "DELETE FROM t WHERE id = 4;
         INSERT INTO t VALUES (6, 60, 600)",
    );
    catch_up(&first).unwrap();
    catch_up(&second).unwrap();
    // One source gets two columns in the middle; the other goes on without them.
    two.at(
        two.first,
        "ALTER TABLE t ADD COLUMN x INT DEFAULT 1 AFTER id, ADD COLUMN y INT DEFAULT 2 AFTER x;
         INSERT INTO t VALUES (7, 71, 72, 70, 700)",
    );
    catch_up(&first).unwrap();
    two.at(
        two.second,
        "INSERT INTO t VALUES (8, 80, 800);
         UPDATE t SET b = 222 WHERE id = 2",
    );
    catch_up(&second).unwrap();
    // Then the other gets them too, in another order.
    two.at(
        two.second,
        "ALTER TABLE t ADD COLUMN y INT DEFAULT 2;
         ALTER TABLE t ADD COLUMN x INT DEFAULT 1;
         INSERT INTO t VALUES (10, 100, 1000, 92, 91);
         UPDATE t SET x = 5 WHERE id = 2",
    );
    catch_up(&second).unwrap();
    two.at(two.first, "UPDATE t SET a = 12 WHERE id = 1");
    catch_up(&first).unwrap();
    assert_eq!(
        rows(two.destination, "SELECT id, a, b, x, y FROM many_rows.t"),
        [
            "10|100|1000|91|92",
            "1|12|100|1|2",
            "2|20|222|5|2",
            "3|30|300|1|2",
            "5|50|500|1|2",
            "6|60|600|1|2",
            "7|70|700|71|72",
            "8|80|800|1|2",
        ]
    );
}

#[test]
fn only_added_columns_are_replicated_to_a_shared_table() {
    for (number, statement) in [
        "DROP TABLE t",
        "TRUNCATE TABLE t",
        "ALTER TABLE t DROP COLUMN a",
        "ALTER TABLE t MODIFY a BIGINT",
        "ALTER TABLE t ADD COLUMN c INT, ADD KEY (c)",
        "ALTER TABLE t ADD COLUMN c INT UNIQUE",
        "CREATE INDEX i ON t (a)",
        "RENAME TABLE t TO u",
        "DROP DATABASE many_ddl",
    ]
    .into_iter()
    .enumerate()
    {
        let two = TwoSources::new("many_ddl", "CREATE TABLE t (id INT PRIMARY KEY, a INT)");
        let named = |source: &'static Server| {
            two.task(source)
                .name(format!("many_ddl_{number}_{}", source.server_id()))
                .filter_drop_database(false)
        };
        let (first, second) = (named(two.first), named(two.second));
        two.at(two.second, "INSERT INTO t VALUES (1, 1)");
        catch_up(&first).unwrap();
        catch_up(&second).unwrap();
        two.at(two.first, statement);
        let error = catch_up(&first).unwrap_err().to_string();
        assert!(
            error.contains("in another way than by adding columns")
                && error.contains("562") | error.contains("561"),
            "{statement}: {error}"
        );
        assert_eq!(rows(two.destination, "SELECT * FROM many_ddl.t"), ["1|1"]);
        run(
            &mut session(two.destination),
            "DELETE FROM drs_meta.writer WHERE db = 'many_ddl'",
        );
    }
}

/// A new task on the same table of the same server takes an old one's place.
#[test]
fn a_successor_is_not_another_source() {
    let two = TwoSources::new("many_next", "CREATE TABLE t (a INT)");
    let first = two.task(two.first).name("many_next_old");
    catch_up(&first).unwrap();
    let status = rows(two.first, "SHOW BINARY LOG STATUS").remove(0);
    let fields: Vec<&str> = status.split('|').collect();
    let point = format!("{}:{};{}", fields[0], fields[1], fields[4]).replace("\\n", "");
    let next = two
        .task(two.first)
        .name("many_next_new")
        .mode(drs_core::Mode::Incremental {
            start_point: point.parse().unwrap(),
        });
    two.at(
        two.first,
        "INSERT INTO t VALUES (1), (1);
         TRUNCATE t;
         INSERT INTO t VALUES (2)",
    );
    catch_up(&next).unwrap();
    assert_eq!(rows(two.destination, "SELECT a FROM many_next.t"), ["2"]);
}

/// Nothing tells whose rows are whose.
#[test]
fn a_shared_table_needs_a_key() {
    let two = TwoSources::new("many_keyless", "CREATE TABLE t (a INT)");
    let (first, second) = (two.task(two.first), two.task(two.second));
    catch_up(&first).unwrap();
    let error = catch_up(&second).unwrap_err().to_string();
    assert!(error.contains("no key") || error.contains("key"), "{error}");
    let start = rows(gtid56(), "SHOW MASTER STATUS").remove(0);
    let (file, rest) = start.split_once('|').unwrap();
    let (offset, rest) = rest.split_once('|').unwrap();
    let set = rest.rsplit('|').next().unwrap();
    make(gtid56(), two.destination, &["many_keyless"], &[]);
    run(
        &mut within(gtid56(), "many_keyless"),
        "CREATE TABLE t (a INT)",
    );
    let late = task(gtid56(), two.destination, "many_keyless_late")
        .select("many_keyless.t")
        .mode(drs_core::Mode::Incremental {
            start_point: format!("{file}:{offset};{set}").parse().unwrap(),
        });
    run(
        &mut within(gtid56(), "many_keyless"),
        "INSERT INTO t VALUES (1)",
    );
    let error = catch_up(&late).unwrap_err().to_string();
    assert!(
        error.contains("another way than by adding columns")
            || error.contains("has no primary key"),
        "{error}"
    );
}

/// A task that was given up and replaced by one on another server still counts, until it is forgotten.
#[test]
fn a_task_that_is_no_more_is_forgotten_as_the_message_says() {
    let two = TwoSources::new("many_gone", "CREATE TABLE t (a INT)");
    two.at(two.second, "INSERT INTO t VALUES (1)");
    catch_up(&two.task(two.first).name("many_gone_old")).unwrap();
    run(&mut session(two.destination), "DROP DATABASE many_gone");
    let new = two.task(two.second).name("many_gone_new");
    catch_up(&new).unwrap();
    two.at(two.second, "UPDATE t SET a = 2 WHERE a = 1");
    let error = catch_up(&new).unwrap_err().to_string();
    assert!(
        error.contains("the task many_gone_old writes to it too")
            && error.contains("DELETE FROM drs_meta.writer WHERE task ="),
        "{error}"
    );
    run(
        &mut session(two.destination),
        "DELETE FROM drs_meta.writer WHERE task = 'many_gone_old'",
    );
    catch_up(&new).unwrap();
    assert_eq!(rows(two.destination, "SELECT a FROM many_gone.t"), ["2"]);
}

/// A copy that has to begin again does not take away what another task has brought.
#[test]
fn a_copy_that_begins_again_keeps_the_others_rows() {
    for (number, change) in ["ALTER TABLE t COMMENT = 'other'", "DROP TABLE t"]
        .into_iter()
        .enumerate()
    {
        let two = TwoSources::new("many_again", "CREATE TABLE t (id INT PRIMARY KEY, a INT)");
        let named = |source: &'static Server| {
            two.task(source)
                .name(format!("many_again_{number}_{}", source.server_id()))
        };
        let (first, second) = (named(two.first), named(two.second));
        two.at(two.first, "INSERT INTO t VALUES (1, 1)");
        two.at(two.second, "INSERT INTO t VALUES (2, 2)");
        catch_up(&first).unwrap();
        catch_up(&second).unwrap();
        // As a kill in the middle of the first one's copy leaves it.
        run(
            &mut session(two.destination),
            &format!(
                "UPDATE drs_meta.task SET copied = 0 WHERE name LIKE 'many_again_{number}_97%';
                 UPDATE drs_meta.table_state SET phase = 'copying' WHERE task LIKE 'many_again_{number}_97%'"
            ),
        );
        two.at(two.first, change);
        let error = catch_up(&first).map_err(|error| error.to_string());
        assert_eq!(
            rows(two.destination, "SELECT * FROM many_again.t WHERE id = 2"),
            ["2|2"],
            "{error:?}"
        );
        let error = error.unwrap_err();
        assert!(
            error.contains("many_again_") && error.contains("writes to it"),
            "{error}"
        );
        run(
            &mut session(two.destination),
            "DELETE FROM drs_meta.writer WHERE db = 'many_again'",
        );
    }
}
