use drs_testkit::{Installation, Server, Version};
use mysql::prelude::Queryable;

use super::run::{catch_up, make, rows, task, within};
use crate::servers::{gtid97, plain56, plain97, run, session};

/// The destination's own columns keep their values, whatever the source does to the row.
#[test]
fn columns_that_only_the_destination_has_keep_their_values() {
    let full = full_metadata();
    for (source, metadata) in [
        (gtid97(), "MINIMAL"),
        (&full, "FULL"),
        (plain56(), "MINIMAL"),
    ] {
        let destination = plain97();
        let name = format!(
            "more_columns_{}_{}",
            source.server_id(),
            metadata.to_lowercase()
        );
        make(source, destination, &[&name], &[&name]);
        let mut here = within(source, &name);
        run(
            &mut here,
            "CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT, u INT, UNIQUE KEY (u));
             CREATE TABLE keyless (a INT, b INT);
             INSERT INTO t VALUES (1, 1, 1, 1), (2, 2, 2, 2), (3, 3, 3, 3), (4, 4, 4, 4)",
        );
        run(
            &mut session(destination),
            &format!("CREATE DATABASE {name}"),
        );
        run(
            &mut within(destination, &name),
            "CREATE TABLE t (id INT PRIMARY KEY, mark VARCHAR(9) DEFAULT 'none', b INT, a INT, u INT,
               g INT AS (a + 1), seen DATETIME NULL, UNIQUE KEY (u));
             INSERT INTO t (id, a, b, u, mark) VALUES (2, 20, 20, 20, 'kept')",
        );
        let task = task(source, destination, &name)
            .select(format!("{name}.t"))
            .conflict(drs_core::ConflictPolicy::Overwrite);
        catch_up(&task).unwrap();
        run(
            &mut within(destination, &name),
            "UPDATE t SET mark = CONCAT('m', id), seen = '2024-01-01'",
        );
        run(
            &mut here,
            "UPDATE t SET a = 10 WHERE id = 1;
             UPDATE t SET a = 22 WHERE id = 2;
             UPDATE t SET id = 30 WHERE id = 3;
             UPDATE t SET u = 100 - u WHERE id IN (1, 2);
             DELETE FROM t WHERE id = 4;
             INSERT INTO t VALUES (5, 5, 55, 5)",
        );
        catch_up(&task).unwrap();
        let shown = rows(
            destination,
            &format!("SELECT id, a, b, u, mark, g FROM {name}.t"),
        );
        assert_eq!(
            shown,
            [
                "1|10|1|99|m1|11",
                // The copy keeps a row that is there already; the log's change is the source's.
                "2|22|2|98|m2|23",
                "30|3|3|3|m3|4",
                "5|5|55|5|none|6",
            ],
            "{metadata}"
        );
    }
}

/// Without names in the log, the source's present definition must be the one of the rows.
#[test]
fn columns_whose_names_are_not_known_stop_the_task() {
    let (source, destination) = (gtid97(), plain97());
    make(source, destination, &["names_gone"], &["names_gone"]);
    let mut here = within(source, "names_gone");
    run(&mut here, "CREATE TABLE t (id INT PRIMARY KEY, a INT)");
    let task = task(source, destination, "names_gone").select("names_gone.t");
    catch_up(&task).unwrap();
    run(
        &mut within(destination, "names_gone"),
        "ALTER TABLE t ADD COLUMN own INT FIRST",
    );
    run(
        &mut here,
        "INSERT INTO t VALUES (1, 1);
         ALTER TABLE t ADD COLUMN c INT",
    );
    let error = catch_up(&task).unwrap_err().to_string();
    assert!(error.contains("binlog_row_metadata=FULL"), "{error}");
    here.query_drop("ALTER TABLE t DROP COLUMN c").unwrap();
    // The definition is again the one that the first row was written with.
    catch_up(&task).unwrap();
    assert_eq!(
        rows(destination, "SELECT id, a, own FROM names_gone.t"),
        ["1|1|NULL"]
    );
}

/// A column that takes no default can't be left out.
#[test]
fn a_column_without_a_default_is_refused_by_the_copy() {
    let (source, destination) = (gtid97(), plain97());
    make(source, destination, &["no_default"], &["no_default"]);
    run(
        &mut within(source, "no_default"),
        "CREATE TABLE t (id INT PRIMARY KEY, a INT)",
    );
    run(&mut session(destination), "CREATE DATABASE no_default");
    run(
        &mut within(destination, "no_default"),
        "CREATE TABLE t (id INT PRIMARY KEY, a INT, must INT NOT NULL)",
    );
    let task = task(source, destination, "no_default").select("no_default.t");
    let error = catch_up(&task).unwrap_err().to_string();
    assert!(
        error.contains("must") && error.contains("no default"),
        "{error}"
    );
}

/// A source whose log tells the names of columns.
fn full_metadata() -> Server {
    let installation = Installation::find_or_fetch(Version::MySql97).unwrap();
    Server::builder(&installation)
        .server_id(975)
        .option("--binlog-row-metadata=FULL")
        .start()
        .unwrap()
}
