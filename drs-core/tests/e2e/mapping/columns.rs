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
    // As in a task that did not copy the table.
    run(
        &mut session(destination),
        "DELETE FROM drs_meta.source_column WHERE task = 'names_gone'",
    );
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

/// A table that was made by hand has its columns in an order of its own.
#[test]
fn another_order_of_columns_is_found_by_name_or_stops_the_task() {
    let (source, destination) = (gtid97(), plain97());
    make(source, destination, &["other_order"], &["other_order"]);
    let mut here = within(source, "other_order");
    run(
        &mut here,
        "CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT);
         INSERT INTO t VALUES (1, 10, 100)",
    );
    run(&mut session(destination), "CREATE DATABASE other_order");
    run(
        &mut within(destination, "other_order"),
        "CREATE TABLE t (b INT, a INT, id INT PRIMARY KEY)",
    );
    let copied = task(source, destination, "other_order").select("other_order.t");
    catch_up(&copied).unwrap();
    run(&mut here, "INSERT INTO t VALUES (2, 20, 200)");
    catch_up(&copied).unwrap();
    assert_eq!(
        rows(destination, "SELECT id, a, b FROM other_order.t"),
        ["1|10|100", "2|20|200"]
    );
    let status = rows(source, "SHOW BINARY LOG STATUS").remove(0);
    let fields: Vec<&str> = status.split('|').collect();
    let point = format!("{}:{};{}", fields[0], fields[1], fields[4]).replace("\\n", "");
    let late = task(source, destination, "other_order_late")
        .select("other_order.t")
        .mode(drs_core::Mode::Incremental {
            start_point: point.parse().unwrap(),
        });
    run(
        &mut session(destination),
        "DELETE FROM drs_meta.writer WHERE task = 'other_order'",
    );
    run(&mut here, "INSERT INTO t VALUES (3, 30, 300)");
    let error = catch_up(&late).unwrap_err().to_string();
    assert!(error.contains("same columns in another order"), "{error}");
}

/// The names of the source's columns go with the stream, however far the source is ahead of it.
#[test]
fn columns_are_known_as_of_the_streams_place() {
    let (source, destination) = (plain56(), plain97());
    make(source, destination, &["names_then"], &["names_then"]);
    let mut here = within(source, "names_then");
    run(
        &mut here,
        "CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT);
         CREATE TABLE old (id INT PRIMARY KEY, a INT)",
    );
    let task = task(source, destination, "names_then").select("names_then");
    catch_up(&task).unwrap();
    run(
        &mut within(destination, "names_then"),
        "ALTER TABLE t ADD COLUMN own INT DEFAULT 9 FIRST;
         ALTER TABLE old ADD COLUMN own INT DEFAULT 9 FIRST",
    );
    run(
        &mut here,
        "INSERT INTO t VALUES (1, 10, 100);
         ALTER TABLE t CHANGE a x INT AFTER b, ADD COLUMN c INT DEFAULT 5 AFTER id, ADD KEY (c);
         INSERT INTO t VALUES (2, 20, 200, 2000);
         ALTER TABLE t DROP COLUMN b;
         INSERT INTO t VALUES (3, 30, 300);
         INSERT INTO old VALUES (1, 1);
         RENAME TABLE old TO new;
         ALTER TABLE new ADD COLUMN z INT FIRST;
         INSERT INTO new VALUES (7, 2, 2);
         CREATE TABLE made (q INT, p INT PRIMARY KEY);
         INSERT INTO made VALUES (1, 2);
         ALTER TABLE made MODIFY p INT FIRST;
         INSERT INTO made VALUES (3, 4);
         ALTER TABLE t RENAME TO last",
    );
    catch_up(&task).unwrap();
    assert_eq!(
        rows(destination, "SELECT id, c, x, own FROM names_then.last"),
        ["1|5|10|9", "2|20|2000|9", "3|30|300|9"]
    );
    assert_eq!(
        rows(destination, "SELECT z, id, a, own FROM names_then.new"),
        ["7|2|2|9", "NULL|1|1|9"]
    );
    assert_eq!(
        rows(destination, "SELECT p, q FROM names_then.made"),
        ["2|1", "3|4"]
    );
    assert_eq!(
        rows(
            destination,
            "SELECT tbl, REPLACE(names, CHAR(0), ',') FROM drs_meta.source_column WHERE task = 'names_then'"
        ),
        ["last|id,c,x", "made|p,q", "new|z,id,a"]
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
        .in_memory(true)
        .server_id(975)
        .option("--binlog-row-metadata=FULL")
        .start()
        .unwrap()
}
