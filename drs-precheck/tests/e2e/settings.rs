//! Variables of the servers: each is set wrong, found, repaired by what the finding prints, and
//! found to be right.

use std::{sync::atomic::AtomicBool, time::Duration};

use drs_core::{MySqlDestination, Pipeline};
use drs_precheck::{Facts, Report, Verdict};
use drs_testkit::{Server, Version, deadline};

use crate::servers::{
    End, builder, destination97, expect, repair, run, session, source56, source97, task,
};

const OBJECTS: &str = "include = [\"settings_s\"]";

fn of(source: &Server, destination: &Server) -> drs_core::Task {
    let ends = (End::of(source), End::of(destination));
    task(ends.0, ends.1, "full+incremental", OBJECTS, "")
}

#[test]
fn settings_of_a_source() {
    let new = builder(Version::MySql97, 978).start().unwrap();
    let old = builder(Version::MySql56, 565).start().unwrap();
    for (server, wrong, id, verdict) in [
        (
            &new,
            "binlog_format = MIXED",
            "binlog-format",
            Verdict::Fail,
        ),
        (
            &old,
            "binlog_format = STATEMENT",
            "binlog-format",
            Verdict::Fail,
        ),
        (
            &new,
            "binlog_row_image = MINIMAL",
            "binlog-row-image",
            Verdict::Confirm,
        ),
        (
            &old,
            "binlog_row_image = NOBLOB",
            "binlog-row-image",
            Verdict::Confirm,
        ),
        (
            &new,
            "binlog_row_image = MINIMAL, binlog_row_value_options = PARTIAL_JSON",
            "binlog-row-value-options",
            Verdict::Confirm,
        ),
        (
            &new,
            "binlog_checksum = NONE",
            "binlog-checksum",
            Verdict::Confirm,
        ),
        (
            &old,
            "binlog_checksum = NONE",
            "binlog-checksum",
            Verdict::Confirm,
        ),
        (
            &new,
            "binlog_expire_logs_seconds = 3600",
            "log-retention",
            Verdict::Confirm,
        ),
        (
            &new,
            "binlog_expire_logs_seconds = 0",
            "log-retention",
            Verdict::Confirm,
        ),
        (
            &new,
            "binlog_expire_logs_auto_purge = OFF",
            "log-retention",
            Verdict::Confirm,
        ),
        (
            &old,
            "expire_logs_days = 0",
            "log-retention",
            Verdict::Confirm,
        ),
        (
            &old,
            "expire_logs_days = 1",
            "log-retention",
            Verdict::Confirm,
        ),
        (&new, "server_id = 0", "server-id", Verdict::Fail),
        (&old, "server_id = 1", "server-id", Verdict::Fail),
        (
            &new,
            "max_connections = 5",
            "source-sessions",
            Verdict::Fail,
        ),
        (
            &new,
            "max_connections = 9",
            "source-sessions",
            Verdict::Pass,
        ),
        (
            &new,
            "max_connections = 100000",
            "gtid-mode",
            Verdict::Confirm,
        ),
    ] {
        let destination = destination97();
        let task = of(server, destination);
        run(&mut session(server), &format!("SET GLOBAL {wrong}"));
        let finding = expect(&task, id, verdict, &[]);
        repair(&finding, server, destination);
        expect(&task, id, Verdict::Pass, &[]);
    }
    // Before 5.7 it takes a restart.
    let found = expect(
        &of(&old, destination97()),
        "gtid-mode",
        Verdict::Confirm,
        &[],
    );
    assert!(format!("{found:?}").contains("restart"), "{found:?}");
    run(
        &mut session(&new),
        "SET GLOBAL binlog_transaction_compression = ON",
    );
    let task = of(&new, destination97());
    let found = expect(&task, "binlog-compression", Verdict::Pass, &[]);
    assert!(found.detail.contains("unpacked"), "{found:?}");
    run(&mut session(&new), "SET GLOBAL server_id = 975");
    let found = expect(&task, "server-ids-differ", Verdict::Confirm, &[]);
    assert!(
        format!("{found:?}").contains("SET PERSIST server_id"),
        "{found:?}"
    );
}

#[test]
fn settings_of_a_destination() {
    let new = builder(Version::MySql97, 979).start().unwrap();
    let old = builder(Version::MySql56, 566).start().unwrap();
    for server in [&new, &old] {
        run(
            &mut session(server),
            "CREATE USER plain IDENTIFIED BY 'of-its-own';\nGRANT SELECT, INSERT, CREATE ON *.* TO plain",
        );
    }
    let id = "destination-read-only";
    for (server, wrong, user, verdict) in [
        (&new, "read_only = ON", Server::USER, Verdict::Confirm),
        (&new, "read_only = ON", "plain", Verdict::Fail),
        (&old, "read_only = ON", "plain", Verdict::Fail),
        (&new, "super_read_only = ON", Server::USER, Verdict::Fail),
        (&new, "offline_mode = ON", Server::USER, Verdict::Confirm),
    ] {
        let password = match user {
            "plain" => "of-its-own",
            _ => Server::PASSWORD,
        };
        let end = End {
            server,
            user,
            password,
        };
        let source = source56();
        let task = task(End::of(source), end, "full", OBJECTS, "");
        run(&mut session(server), &format!("SET GLOBAL {wrong}"));
        let finding = expect(&task, id, verdict, &[]);
        repair(&finding, source, server);
        expect(&task, id, Verdict::Pass, &[]);
    }
}

#[test]
fn a_source_without_a_log() {
    let server = builder(Version::MySql97, 980)
        .log_bin(false)
        .start()
        .unwrap();
    for mode in ["full", "full+incremental"] {
        let ends = (End::of(&server), End::of(destination97()));
        let task = task(ends.0, ends.1, mode, OBJECTS, "");
        expect(&task, "log-bin", Verdict::Fail, &[]);
        // It would not run.
        let end = Pipeline::new(&task, MySqlDestination::new(&task)).run(&AtomicBool::new(false));
        let error = end.unwrap_err().to_string();
        assert!(error.contains("binary log"), "{error}");
    }
}

/// Transactions that are open or prepared when a task would begin.
#[test]
fn transactions_at_the_source() {
    // The zone of the system must not count.
    let new = builder(Version::MySql97, 981)
        .system_time_zone("CET-1CEST,M3.5.0,M10.5.0/3")
        .start()
        .unwrap();
    let old = builder(Version::MySql56, 567)
        .system_time_zone("EST5")
        .start()
        .unwrap();
    for server in [&new, &old] {
        let task = of(server, destination97());
        expect(&task, "prepared-xa", Verdict::Pass, &[]);
        expect(&task, "long-transactions", Verdict::Pass, &[]);
        let mut conn = session(server);
        run(
            &mut conn,
            "CREATE DATABASE open_s;\nCREATE TABLE open_s.t (id INT PRIMARY KEY);\n\
             XA START 'one';\nINSERT INTO open_s.t VALUES (1);\nXA END 'one';\nXA PREPARE 'one'",
        );
        expect(&task, "prepared-xa", Verdict::Fail, &[]);
        run(&mut conn, "XA ROLLBACK 'one'");
        expect(&task, "prepared-xa", Verdict::Pass, &[]);
        run(&mut conn, "BEGIN;\nINSERT INTO open_s.t VALUES (2)");
        // The server renews what it tells of them after 0.1 s.
        let facts = deadline::poll(Duration::from_secs(30), || {
            let facts = Facts::gather(&task);
            let open = facts.source.activity.transactions.clone().unwrap();
            (!open.is_empty()).then_some(facts)
        });
        let mut facts = facts.unwrap();
        let open = facts.source.activity.transactions.as_mut().unwrap();
        assert!(open.len() == 1 && open[0].seconds < 60, "{open:?}");
        open[0].seconds += 60;
        let report = Report::of(&facts);
        let mut checked = report.checked.iter();
        let long = checked.find(|checked| checked.check.id == "long-transactions");
        assert_eq!(long.unwrap().verdict(), Verdict::Confirm);
    }
}

#[test]
fn the_healthy_pair_needs_no_repair() {
    let destination = destination97();
    for source in [source97(), source56()] {
        let task = of(source, destination);
        for id in [
            "source-connection",
            "destination-connection",
            "source-privileges",
            "destination-privileges",
            "checkpoint-privileges",
            "source-sessions",
            "destination-sessions",
            "replica-ids",
            "server-ids-differ",
            "server-uuids-differ",
            "source-replication",
            "destination-replication",
            "log-replica-updates",
        ] {
            expect(&task, id, Verdict::Pass, &[]);
        }
    }
}
