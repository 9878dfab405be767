use drs_core::{ConflictPolicy, Mode, TaskBuilder};
use drs_testkit::{Installation, Server, Version, compare_tables};

use super::run::{catch_up, catch_up_counting, make, rows, task, within};
use crate::servers::{gtid97, plain97, run, session};

/// The present start point of a server, for a task in mode `incremental`.
fn start_point(server: &Server, gtid: bool) -> Mode {
    let status = rows(server, "SHOW BINARY LOG STATUS").remove(0);
    let fields: Vec<&str> = status.split('|').collect();
    let point = match gtid {
        true => format!("{}:{};{}", fields[0], fields[1], fields[4]),
        false => format!("{}:{}", fields[0], fields[1]),
    };
    Mode::Incremental {
        start_point: point.replace("\\n", "").parse().unwrap(),
    }
}

/// Two servers copy each other: what came from the one is not sent back to it.
#[test]
fn changes_do_not_run_in_circles() {
    let (a, b) = (gtid97(), plain97());
    make(a, b, &["circle"], &["circle"]);
    run(
        &mut within(a, "circle"),
        "CREATE TABLE parent (id INT PRIMARY KEY, n INT);
         CREATE TABLE child (id INT PRIMARY KEY, p INT,
           FOREIGN KEY (p) REFERENCES parent (id) ON DELETE CASCADE ON UPDATE CASCADE);
         CREATE TABLE keyless (n INT);
         INSERT INTO parent VALUES (1, 1), (2, 2), (3, 3);
         INSERT INTO child VALUES (1, 1), (2, 2), (3, 3)",
    );
    let strict = |builder: TaskBuilder| {
        builder
            .select("circle")
            .conflict(ConflictPolicy::ReportError)
    };
    let there = strict(task(a, b, "circle_there"));
    // The way back begins before the way there, so that it meets all that this one writes, the
    // copy's statements and rows too.
    let back = strict(task(b, a, "circle_back")).mode(start_point(b, false));
    catch_up(&there).unwrap();
    let echoed = catch_up_counting(&back).unwrap().transactions_echoed;
    assert!(echoed > 0);
    for round in 0..3 {
        run(
            &mut within(a, "circle"),
            &format!(
                "UPDATE parent SET n = n + 1;
                 UPDATE parent SET id = id + 10 WHERE id = {first};
                 INSERT INTO keyless (n) VALUES ({round}), ({round});
                 ALTER TABLE keyless ADD COLUMN a{round} INT DEFAULT {round};
                 CREATE TABLE made_{round} (id INT PRIMARY KEY);
                 INSERT INTO made_{round} VALUES (1);
                 DROP TABLE made_{round};
                 TRUNCATE TABLE keyless",
                first = round + 1,
            ),
        );
        run(
            &mut within(b, "circle"),
            &format!(
                "INSERT INTO parent VALUES ({}, 0);
                 INSERT INTO child VALUES ({0}, {0});
                 UPDATE parent SET n = n + 100 WHERE id = {0};
                 CREATE TABLE back_{round} (id INT PRIMARY KEY, word VARCHAR(9));
                 INSERT INTO back_{round} VALUES (1, 'b')",
                100 + round,
            ),
        );
        catch_up(&there).unwrap();
        catch_up(&back).unwrap();
        catch_up(&there).unwrap();
        catch_up(&back).unwrap();
        let different = compare_tables(&mut session(a), &mut session(b), "circle").unwrap();
        assert!(different.is_empty(), "{different:?}");
    }
    // Nothing is left to go round.
    for task in [&there, &back] {
        assert_eq!(catch_up_counting(task).unwrap().row_changes, 0);
    }
}

/// In a chain, what drs wrote to the server in the middle is passed on.
#[test]
fn a_chain_passes_on_what_came_from_elsewhere() {
    let installation = Installation::find_or_fetch(Version::MySql97).unwrap();
    let last = Server::builder(&installation)
        .in_memory(true)
        .server_id(976)
        .start()
        .unwrap();
    let (first, middle) = (gtid97(), plain97());
    make(first, middle, &["chain"], &["chain"]);
    run(
        &mut within(first, "chain"),
        "CREATE TABLE t (id INT PRIMARY KEY);
         INSERT INTO t VALUES (1)",
    );
    let one = task(first, middle, "chain_one").select("chain");
    let two = task(middle, &last, "chain_two").select("chain");
    catch_up(&one).unwrap();
    catch_up(&two).unwrap();
    run(
        &mut within(first, "chain"),
        "INSERT INTO t VALUES (2);
         ALTER TABLE t ADD COLUMN c INT DEFAULT 5",
    );
    catch_up(&one).unwrap();
    let progress = catch_up_counting(&two).unwrap();
    assert_eq!(progress.transactions_echoed, 0);
    assert_eq!(rows(&last, "SELECT * FROM chain.t"), ["1|5", "2|5"]);
}

/// The server writes `DROP TABLE` to its log in words of its own; a table that was dropped and made
/// again is not dropped by what comes back.
#[test]
fn a_table_that_was_dropped_and_made_again_stays() {
    let (a, b) = (gtid97(), plain97());
    make(a, b, &["circle_drop"], &["circle_drop"]);
    run(
        &mut within(a, "circle_drop"),
        "CREATE TABLE t (id INT PRIMARY KEY);
         CREATE TABLE u (id INT PRIMARY KEY);
         INSERT INTO t VALUES (1)",
    );
    let there = task(a, b, "circle_drop_there").select("circle_drop");
    let back = task(b, a, "circle_drop_back")
        .select("circle_drop")
        .mode(start_point(b, false));
    catch_up(&there).unwrap();
    catch_up(&back).unwrap();
    run(
        &mut within(a, "circle_drop"),
        "DROP TABLE t, u;
         CREATE TABLE t (id INT PRIMARY KEY, n INT);
         CREATE TABLE u (id INT PRIMARY KEY, n INT);
         INSERT INTO t VALUES (2, 2)",
    );
    catch_up(&there).unwrap();
    catch_up(&back).unwrap();
    catch_up(&there).unwrap();
    for server in [a, b] {
        assert_eq!(rows(server, "SELECT * FROM circle_drop.t"), ["2|2"]);
    }
    // One that a user of the other server drops is dropped.
    run(&mut within(b, "circle_drop"), "DROP TABLE u");
    catch_up(&back).unwrap();
    assert_eq!(rows(a, "SHOW TABLES IN circle_drop"), ["t"]);
}

/// The copy's own statements and rows are not sent back either, those of tables without a key and
/// of a copy that begins again included.
#[test]
fn a_copy_is_not_sent_back() {
    let (a, b) = (gtid97(), plain97());
    make(a, b, &["circle_copy"], &["circle_copy"]);
    run(
        &mut within(a, "circle_copy"),
        "CREATE TABLE keyless (n INT);
         INSERT INTO keyless VALUES (1), (1), (2);
         CREATE TABLE keyed (id INT PRIMARY KEY);
         INSERT INTO keyed VALUES (1)",
    );
    let there = task(a, b, "circle_copy_there").select("circle_copy");
    let back = task(b, a, "circle_copy_back")
        .select("circle_copy")
        .mode(start_point(b, false));
    for _ in 0..2 {
        catch_up(&there).unwrap();
        catch_up(&back).unwrap();
        for server in [a, b] {
            assert_eq!(
                rows(server, "SELECT * FROM circle_copy.keyless"),
                ["1", "1", "2"]
            );
            assert_eq!(rows(server, "SELECT * FROM circle_copy.keyed"), ["1"]);
        }
        // As a kill in the middle of the copy leaves it.
        run(
            &mut session(b),
            "UPDATE drs_meta.task SET copied = 0 WHERE name = 'circle_copy_there';
             UPDATE drs_meta.table_state SET phase = 'copying' WHERE task = 'circle_copy_there' AND tbl = 'keyless'",
        );
    }
}
