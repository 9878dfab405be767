//! Ctrl-C ends a run in order, and the next run goes on.

use drs_testkit::workload::{Shop, Writers};

use crate::{
    program::{Program, catch_up},
    servers::{self, Pair, assert_equal, in_new_database, run, wait_for_value},
    task::Task,
};

#[test]
fn while_it_follows() {
    for (database, pair) in [
        ("interrupt_gtid", servers::gtid()),
        ("interrupt_position", servers::by_position()),
        ("interrupt_56", servers::from_56()),
        ("interrupt_to_56", servers::to_56()),
    ] {
        let shop = Shop::new(database, 80);
        shop.create(&mut pair.source.conn().unwrap()).unwrap();
        let writers = Writers::builder(pair.source.tcp_opts(), &shop)
            .transactions_per_second(200)
            .start()
            .unwrap();
        let task = Task::of(pair, database);
        for _ in 0..2 {
            let mut program = Program::run(&task, &[]);
            program.wait_for("something is applied", |event| {
                (event["row_changes"].as_u64()? > 20).then_some(())
            });
            // Before that, the copies of the tables stand at different points.
            let mut there = pair.destination.conn().unwrap();
            let behind = format!(
                "SELECT COUNT(*) FROM drs_meta.table_state WHERE task = '{database}' AND phase <> 'live'"
            );
            wait_for_value(&mut there, &behind, "0");
            let ended = program.interrupt();
            assert_eq!(ended.code, Some(130), "{}", ended.errors);
            // What it had begun is there as a whole.
            assert_eq!(shop.broken_rules(&mut there).unwrap(), Vec::<String>::new());
        }
        writers.stop().unwrap();
        catch_up(&task);
        assert_equal(pair.source, pair.destination, database);
    }
}

#[test]
fn while_it_copies() {
    let pair = servers::gtid();
    let database = "interrupt_copy";
    let shop = Shop::new(database, 8_000);
    let rows = shop.create(&mut pair.source.conn().unwrap()).unwrap();
    let task = Task::of(pair, database).copy("sessions = 1\nchunk_bytes = \"64KiB\"");
    let mut program = Program::run(&task, &[]);
    program.wait_for("some rows are copied", |event| {
        (event["event"] == "copy" && event["rows_copied"].as_u64()? > 0).then_some(())
    });
    let first = program.interrupt();
    assert_eq!(first.code, Some(130), "{}", first.errors);

    let second = catch_up(&task);
    assert_equal(pair.source, pair.destination, database);
    // A keyless table, or one cut off before its first chunk was done, begins again.
    let copied = second.number("done", "rows_copied");
    assert!(
        copied < rows,
        "{copied} rows of {rows} were copied after the interruption"
    );
}

/// The state of a run that has nothing to do is as good as any other.
#[test]
fn while_nothing_happens() {
    let pair = servers::by_position();
    let mut conn = in_new_database(pair.source, "interrupt_idle");
    run(&mut conn, &["CREATE TABLE t (id INT PRIMARY KEY)"]);
    let task = Task::of(pair, "interrupt_idle");
    for number in 1..=3 {
        let mut program = Program::run(&task, &[]);
        program.wait_until_it_follows();
        run(&mut conn, &[&format!("INSERT INTO t VALUES ({number})")]);
        let mut there = pair.destination.conn().unwrap();
        wait_for_value(
            &mut there,
            "SELECT COUNT(*) FROM interrupt_idle.t",
            &number.to_string(),
        );
        assert_eq!(program.interrupt().code, Some(130));
    }
}

/// A second process takes a task over; the first one stops without writing more.
#[test]
fn a_second_run_fences_the_first() {
    let pair @ Pair { source, .. } = servers::gtid();
    let mut conn = in_new_database(source, "fenced");
    run(&mut conn, &["CREATE TABLE t (id INT PRIMARY KEY)"]);
    let task = Task::of(pair, "fenced");
    let mut first = Program::run(&task, &[]);
    first.wait_until_it_follows();
    let mut second = Program::run(&task, &[]);
    second.wait_until_it_follows();
    run(&mut conn, &["INSERT INTO t VALUES (1)"]);
    let said = first.fail();
    // Who tells it first: the destination, or the source, which takes both for one replica.
    assert!(
        said.contains("taken over task fenced")
            || said.contains("another process has begun to run this task"),
        "{said}"
    );
    let mut there = pair.destination.conn().unwrap();
    wait_for_value(&mut there, "SELECT COUNT(*) FROM fenced.t", "1");
    run(&mut conn, &["INSERT INTO t VALUES (2)"]);
    wait_for_value(&mut there, "SELECT COUNT(*) FROM fenced.t", "2");
    assert_eq!(second.interrupt().code, Some(130));
}
