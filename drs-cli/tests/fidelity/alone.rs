//! Cases that take servers of their own, or more than a writer.

use drs_testkit::Version;
use mysql::prelude::Queryable;

use crate::{
    program::{Program, catch_up},
    run::pair_97,
    servers::{Pair, assert_equal, builder, in_new_database, run, start, value},
    task::Task,
};

#[test]
fn a_trigger_at_the_destination_runs() {
    let pair = pair_97();
    let database = "alone_trigger";
    let mut conn = in_new_database(pair.source, database);
    run(
        &mut conn,
        &[
            "CREATE TABLE t (id INT PRIMARY KEY, n INT)",
            "INSERT INTO t VALUES (1, 1)",
        ],
    );
    let task = Task::of(pair, database);
    catch_up(&task);
    let mut there = pair.destination.conn().unwrap();
    run(
        &mut there,
        &[
            "CREATE DATABASE alone_audit",
            "CREATE TABLE alone_audit.seen (id INT PRIMARY KEY)",
            "USE alone_trigger",
            "CREATE TRIGGER see AFTER INSERT ON t FOR EACH ROW INSERT INTO alone_audit.seen VALUES (NEW.id)",
        ],
    );
    run(
        &mut conn,
        &[
            "INSERT INTO t VALUES (2, 2), (3, 3)",
            "UPDATE t SET n = n + 1",
            "DELETE FROM t WHERE id = 3",
        ],
    );
    catch_up(&task);
    assert_equal(pair.source, pair.destination, database);
    let seen: Vec<u32> = there
        .query("SELECT id FROM alone_audit.seen ORDER BY id")
        .unwrap();
    assert!(seen.contains(&2), "{seen:?}");
}

#[test]
fn a_log_that_begins_anew_is_noticed() {
    for gtid in [true, false] {
        let source = start(builder(Version::MySql97).server_id(51).gtid(gtid));
        let database = format!("alone_reset_{gtid}");
        let mut conn = in_new_database(&source, &database);
        run(&mut conn, &["CREATE TABLE t (id INT PRIMARY KEY)"]);
        for id in 0..20 {
            run(&mut conn, &[&format!("INSERT INTO t VALUES ({id})")]);
        }
        let task = Task::new(&source, pair_97().destination, &database);
        catch_up(&task);
        run(
            &mut conn,
            &["RESET BINARY LOGS AND GTIDS", "INSERT INTO t VALUES (100)"],
        );
        let said = Program::run(&task, &["--until-caught-up"]).fail();
        println!("{said}");
        assert!(said.contains("it was reset"), "{said}");
    }
}

#[test]
fn a_source_may_get_gtids() {
    let source = start(builder(Version::MySql97).server_id(52));
    let database = "alone_gtids";
    let pair = pair_97();
    let mut conn = in_new_database(&source, database);
    run(
        &mut conn,
        &[
            "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, n INT)",
            "CREATE TABLE keyless (n INT)",
            "INSERT INTO t (n) VALUES (1)",
        ],
    );
    let task = Task::new(&source, pair.destination, database);
    catch_up(&task);
    for mode in [
        "enforce_gtid_consistency = ON",
        "gtid_mode = OFF_PERMISSIVE",
        "gtid_mode = ON_PERMISSIVE",
        "gtid_mode = ON",
    ] {
        run(
            &mut conn,
            &[
                &format!("SET GLOBAL {mode}"),
                "INSERT INTO t (n) VALUES (2), (3)",
                "UPDATE t SET n = n + 1",
                "INSERT INTO keyless VALUES (1), (1)",
            ],
        );
        if mode.ends_with("PERMISSIVE") {
            catch_up(&task);
        }
    }
    catch_up(&task);
    assert_equal(&source, pair.destination, database);
}

#[test]
fn the_checkpoint_moves_over_the_changes_of_others() {
    let Pair {
        source,
        destination,
    } = pair_97();
    let database = "alone_idle";
    let mut conn = in_new_database(source, database);
    run(&mut conn, &["CREATE TABLE t (id INT PRIMARY KEY)"]);
    let mut busy = in_new_database(source, "alone_busy");
    run(&mut busy, &["CREATE TABLE t (id INT PRIMARY KEY)"]);
    let task = Task::of(pair_97(), database);
    catch_up(&task);
    let mut there = destination.conn().unwrap();
    let mut position = || {
        let query = "SELECT MAX(CONCAT(file, LPAD(pos, 12, '0'))) FROM drs_meta.lane WHERE task = 'alone_idle'";
        value(&mut there, query).unwrap()
    };
    let before = position();
    for id in 0..50 {
        run(&mut busy, &[&format!("INSERT INTO t VALUES ({id})")]);
    }
    catch_up(&task);
    assert!(position() > before, "it stayed at {before}");
}
