//! Tasks without a copy, from a start point on.

use std::process::Command;

use drs_testkit::{Server, Version};

use crate::{
    program::{Program, catch_up},
    servers::{self, Pair, assert_equal, builder, in_new_database, run, start},
    task::Task,
};

/// What `drs start-point` prints.
fn start_point(task: &Task) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_drs"))
        .args(["start-point", task.path().to_str().unwrap()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

const TABLES: [&str; 2] = [
    "CREATE TABLE t (id INT PRIMARY KEY, n INT NOT NULL)",
    "CREATE TABLE keyless (id INT, word VARCHAR(20))",
];

#[test]
fn from_a_position_and_from_a_gtid_set() {
    for (database, pair, gtid) in [
        ("incremental_gtid", servers::gtid(), true),
        ("incremental_position", servers::by_position(), false),
        ("incremental_56", servers::from_56(), false),
        ("incremental_to_56", servers::to_56(), true),
    ] {
        let mut conn = in_new_database(pair.source, database);
        let mut there = in_new_database(pair.destination, database);
        for conn in [&mut conn, &mut there] {
            run(conn, &TABLES);
            run(
                conn,
                &[
                    "INSERT INTO t VALUES (1, 0)",
                    "INSERT INTO keyless VALUES (1, 'one'), (1, 'one')",
                ],
            );
        }
        let point = start_point(&Task::of(pair, database));
        assert_eq!(point.contains(';'), gtid, "{point}");
        let change = |conn: &mut mysql::Conn, number: u32| {
            run(
                conn,
                &[
                    // Not twice, and not without the row before the start point.
                    "UPDATE t SET n = n + 1",
                    &format!("INSERT INTO t VALUES ({number}0, 0)"),
                    &format!("INSERT INTO keyless VALUES ({number}, 'more')"),
                    "DELETE FROM keyless WHERE word = 'one' LIMIT 1",
                ],
            );
        };
        change(&mut conn, 2);
        let task = Task::of(pair, database).incremental(&point);
        let ended = catch_up(&task);
        assert_eq!(ended.number("done", "rows_copied"), 0);
        assert_equal(pair.source, pair.destination, database);
        // From the checkpoint: the start point counts the first time only.
        change(&mut conn, 3);
        catch_up(&task);
        assert_equal(pair.source, pair.destination, database);
        if gtid {
            // The position alone will do there, too.
            let position = point.split(';').next().unwrap();
            let again = format!("{database}_again");
            run(
                &mut there,
                &[
                    "TRUNCATE TABLE t",
                    "TRUNCATE TABLE keyless",
                    "INSERT INTO t VALUES (1, 0)",
                    "INSERT INTO keyless VALUES (1, 'one'), (1, 'one')",
                ],
            );
            catch_up(&Task::of(pair, database).name(&again).incremental(position));
            assert_equal(pair.source, pair.destination, database);
        }
    }
}

#[test]
fn a_gtid_set_needs_a_source_with_gtids() {
    let Pair {
        source,
        destination,
    } = servers::by_position();
    in_new_database(source, "incremental_no_gtid");
    let task = Task::new(source, destination, "incremental_no_gtid")
        .incremental("binlog.000001:4;3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5");
    let said = Program::run(&task, &[]).fail();
    assert!(said.contains("gtid_mode"), "{said}");
}

/// The source has thrown away what is needed: final, and it says what is missing.
#[test]
fn a_purged_start_point_is_final() {
    for gtid in [true, false] {
        let source = start(builder(Version::MySql97).gtid(gtid).server_id(1));
        let destination = start(builder(Version::MySql97).server_id(2));
        let mut conn = in_new_database(&source, "purged");
        run(&mut conn, &TABLES);
        let task = Task::new(&source, &destination, "purged");
        catch_up(&task);
        let point = start_point(&task);
        run(&mut conn, &["INSERT INTO t VALUES (1, 1)"]);
        purge(&source, &mut conn);

        let later = Task::new(&source, &destination, "purged")
            .name("purged-later")
            .incremental(&point);
        for task in [&task, &later] {
            let said = Program::run(task, &["--until-caught-up"]).fail();
            let missing = match gtid {
                true => servers::value(&mut conn, "SELECT @@server_uuid").unwrap(),
                false => point.split(':').next().unwrap().to_owned(),
            };
            assert!(
                said.contains(&missing) && said.contains("purged"),
                "{missing}: {said}"
            );
        }
    }
}

fn purge(source: &Server, conn: &mut mysql::Conn) {
    run(conn, &["FLUSH BINARY LOGS", "FLUSH BINARY LOGS"]);
    let files = source.binlog_files().unwrap();
    let last = files.last().unwrap().file_name().unwrap().to_str().unwrap();
    run(conn, &[&format!("PURGE BINARY LOGS TO '{last}'")]);
}
