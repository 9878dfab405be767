//! How much there is to copy and to follow, against disks, logs and rates.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use drs_precheck::Verdict;
use drs_testkit::{Server, deadline};

use crate::servers::{
    End, check, destination97, expect, expect_in, own_pair, report, run, session, source56,
    source97, task,
};

/// InnoDB tells sizes from its statistics, which can be written: in pages of 16 KiB.
fn pretend_size(server: &Server, database: &str, pages: u64) {
    run(
        &mut session(server),
        &format!(
            "UPDATE mysql.innodb_table_stats SET clustered_index_size = {pages} \
             WHERE database_name = '{database}' AND table_name = 't';\n\
             FLUSH TABLE {database}.t"
        ),
    );
}

#[test]
fn a_table_that_is_larger_than_the_disk() {
    let id = "destination-disk-space";
    for server in [source97(), source56()] {
        let mut conn = session(server);
        run(
            &mut conn,
            "CREATE DATABASE large_d;\nCREATE TABLE large_d.t (id INT PRIMARY KEY) STATS_PERSISTENT = 1, STATS_AUTO_RECALC = 0;\n\
             CREATE TABLE large_d.u (id INT PRIMARY KEY);\nANALYZE TABLE large_d.t",
        );
        let with = |objects| {
            let ends = (End::of(server), End::of(destination97()));
            task(ends.0, ends.1, "full", objects, "")
        };
        let all = with("include = [\"large_d\"]");
        expect(&all, id, Verdict::Pass, &[]);
        pretend_size(server, "large_d", 1 << 36);
        let found = expect(&all, id, Verdict::Fail, &[]);
        assert!(format!("{found:?}").contains("or select less"), "{found:?}");
        let less = with("include = [\"large_d\"]\nexclude = [\"large_d.t\"]");
        expect(&less, id, Verdict::Pass, &[]);
        run(&mut conn, "DROP DATABASE large_d");
    }
}

/// The copy would take longer than the log is kept.
#[test]
fn a_log_that_is_purged_before_it_is_read() {
    let pair = own_pair();
    let server = &pair.new;
    let mut conn = session(server);
    run(
        &mut conn,
        "CREATE DATABASE large_l;\nCREATE TABLE large_l.t (id INT PRIMARY KEY) STATS_PERSISTENT = 1, STATS_AUTO_RECALC = 0;\n\
         ANALYZE TABLE large_l.t;\nSET GLOBAL binlog_expire_logs_seconds = 259200",
    );
    // 1 TiB, at 10 MiB a second: more than a day. And 64 TiB.
    let task = task(
        End::of(server),
        End::of(destination97()),
        "full+incremental",
        "include = [\"large_l\"]",
        "",
    );
    pretend_size(server, "large_l", 1 << 26);
    expect(&task, "catch-up", Verdict::Pass, &[]);
    pretend_size(server, "large_l", 1 << 32);
    let found = report(&task);
    let catch_up = expect_in(&found, "catch-up", Verdict::Confirm, &[]);
    let advice = "keep the log for longer, see the check log-retention";
    assert!(format!("{catch_up:?}").contains(advice), "{catch_up:?}");
    run(
        &mut conn,
        "SET GLOBAL binlog_expire_logs_seconds = 31536000",
    );
    expect(&task, "catch-up", Verdict::Pass, &[]);
    run(
        &mut conn,
        "DROP DATABASE large_l;\nSET GLOBAL binlog_expire_logs_seconds = DEFAULT",
    );
}

/// While somebody writes as fast as he can, and after that: a quieter hour.
#[test]
fn a_source_that_writes_much() {
    let pair = own_pair();
    let server = &pair.new;
    run(
        &mut session(server),
        "CREATE DATABASE busy_c;\nCREATE TABLE busy_c.t (id INT PRIMARY KEY, b LONGBLOB);\nINSERT INTO busy_c.t VALUES (1, '')",
    );
    let task = task(
        End::of(server),
        End::of(destination97()),
        "full+incremental",
        "include = [\"busy_c\"]",
        "",
    );
    let id = "catch-up";
    let enough = AtomicBool::new(false);
    let reached = thread::scope(|scope| {
        scope.spawn(|| {
            let mut conn = session(server);
            while !enough.load(Ordering::Relaxed) {
                run(
                    &mut conn,
                    "UPDATE busy_c.t SET b = IF(b LIKE 'a%', REPEAT('b', 8388608), REPEAT('a', 8388608))",
                );
            }
        });
        let reached = deadline::poll(Duration::from_secs(60), || {
            let found = check(&task, id);
            (found.verdict() == Verdict::Confirm).then_some(found)
        });
        enough.store(true, Ordering::Relaxed);
        reached
    });
    let found = format!("{:?}", reached.unwrap());
    assert!(
        found.contains("begin in a quieter hour, or give the task more lanes"),
        "{found}"
    );
    expect(&task, id, Verdict::Pass, &[]);
    run(&mut session(server), "DROP DATABASE busy_c");
}
