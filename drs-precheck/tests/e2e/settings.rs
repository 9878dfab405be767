//! Variables of the servers: each is set wrong, found, repaired by what the finding prints, and
//! found to be right.

use std::{sync::atomic::AtomicBool, time::Duration};

use drs_core::{MySqlDestination, Pipeline};
use drs_precheck::{Facts, Report, Verdict};
use drs_testkit::{Server, deadline};

use crate::servers::{
    End, checked, destination97, expect, expect_in, own_pair, repair, report, run, session,
    side_by_side, source56, task, unlogged97,
};

const OBJECTS: &str = "include = [\"settings_s\"]";

fn of(source: &Server, destination: &Server) -> drs_core::Task {
    let ends = (End::of(source), End::of(destination));
    task(ends.0, ends.1, "full+incremental", OBJECTS, "")
}

/// What is set wrong at a source, and the check that finds it.
type Wrong = (&'static str, &'static str, Verdict);

/// Of a new server, some at a time.
const NEW: &[&[Wrong]] = &[
    &[
        ("binlog_format = MIXED", "binlog-format", Verdict::Fail),
        (
            "binlog_row_image = MINIMAL",
            "binlog-row-image",
            Verdict::Confirm,
        ),
        (
            "binlog_checksum = NONE",
            "binlog-checksum",
            Verdict::Confirm,
        ),
        (
            "binlog_expire_logs_seconds = 3600",
            "log-retention",
            Verdict::Confirm,
        ),
        ("server_id = 0", "server-id", Verdict::Fail),
        ("max_connections = 5", "source-sessions", Verdict::Fail),
    ],
    &[
        (
            "binlog_row_image = MINIMAL, binlog_row_value_options = PARTIAL_JSON",
            "binlog-row-value-options",
            Verdict::Confirm,
        ),
        (
            "binlog_expire_logs_seconds = 0",
            "log-retention",
            Verdict::Confirm,
        ),
        ("max_connections = 9", "source-sessions", Verdict::Pass),
    ],
    &[
        (
            "binlog_expire_logs_auto_purge = OFF",
            "log-retention",
            Verdict::Confirm,
        ),
        ("max_connections = 100000", "gtid-mode", Verdict::Confirm),
    ],
];

/// Of an old one.
const OLD: &[&[Wrong]] = &[
    &[
        ("binlog_format = STATEMENT", "binlog-format", Verdict::Fail),
        (
            "binlog_row_image = NOBLOB",
            "binlog-row-image",
            Verdict::Confirm,
        ),
        (
            "binlog_checksum = NONE",
            "binlog-checksum",
            Verdict::Confirm,
        ),
        ("expire_logs_days = 0", "log-retention", Verdict::Confirm),
        ("server_id = 1", "server-id", Verdict::Fail),
    ],
    &[("expire_logs_days = 1", "log-retention", Verdict::Confirm)],
];

#[test]
fn settings_of_a_source() {
    let pair = own_pair();
    let (new, old) = (&pair.new, &pair.old);
    side_by_side(&[(new, NEW), (old, OLD)], |(server, rounds)| {
        let task = of(server, destination97());
        for wrong in *rounds {
            for (setting, ..) in *wrong {
                run(&mut session(server), &format!("SET GLOBAL {setting}"));
            }
            let before = report(&task);
            for (_, id, verdict) in *wrong {
                let finding = expect_in(&before, id, *verdict, &[]);
                repair(&finding, server, destination97());
            }
            let after = report(&task);
            for (_, id, _) in *wrong {
                expect_in(&after, id, Verdict::Pass, &[]);
            }
        }
    });
    // Before 5.7 it takes a restart.
    let found = expect(
        &of(old, destination97()),
        "gtid-mode",
        Verdict::Confirm,
        &[],
    );
    assert!(format!("{found:?}").contains("restart"), "{found:?}");
    run(
        &mut session(new),
        "SET GLOBAL binlog_transaction_compression = ON;\nSET GLOBAL server_id = 975",
    );
    let task = of(new, destination97());
    let found = report(&task);
    let compression = expect_in(&found, "binlog-compression", Verdict::Pass, &[]);
    assert!(compression.detail.contains("unpacked"), "{compression:?}");
    // The statement is for the destination, which others use.
    let id = "server-ids-differ";
    let ids = expect_in(&found, id, Verdict::Confirm, &[]);
    assert!(
        format!("{ids:?}").contains("SET PERSIST server_id"),
        "{ids:?}"
    );
    run(
        &mut session(new),
        "SET GLOBAL server_id = 978;\nSET GLOBAL binlog_transaction_compression = OFF",
    );
    expect(&task, id, Verdict::Pass, &[]);
    for mode in ["ON_PERMISSIVE", "OFF_PERMISSIVE", "OFF"] {
        run(&mut session(new), &format!("SET GLOBAL gtid_mode = {mode}"));
    }
}

/// A replica with the id that the task would have, by the source's own setting.
#[test]
fn the_id_of_the_task_is_taken() {
    let pair = own_pair();
    for server in [&pair.new, &pair.old] {
        let task = of(server, destination97());
        let id = drs_core::replica_server_id(&task);
        run(
            &mut session(server),
            &format!("SET GLOBAL server_id = {id}"),
        );
        let finding = expect(&task, "replica-ids", Verdict::Confirm, &[]);
        repair(&finding, server, destination97());
        expect(&task, "replica-ids", Verdict::Pass, &[]);
        let own = server.server_id();
        run(
            &mut session(server),
            &format!("SET GLOBAL server_id = {own}"),
        );
    }
}

#[test]
fn settings_of_a_destination() {
    let pair = own_pair();
    let (new, old) = (&pair.new, &pair.old);
    for server in [new, old] {
        run(
            &mut session(server),
            "CREATE USER plain IDENTIFIED BY 'of-its-own';\nGRANT SELECT, INSERT, CREATE ON *.* TO plain",
        );
    }
    let id = "destination-read-only";
    for (server, wrong, user, id, verdict) in [
        (new, "read_only = ON", Server::USER, id, Verdict::Confirm),
        (new, "read_only = ON", "plain", id, Verdict::Fail),
        (old, "read_only = ON", "plain", id, Verdict::Fail),
        (new, "super_read_only = ON", Server::USER, id, Verdict::Fail),
        (new, "offline_mode = ON", Server::USER, id, Verdict::Confirm),
        (
            new,
            "max_connections = 5",
            Server::USER,
            "destination-sessions",
            Verdict::Fail,
        ),
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
    let server = unlogged97();
    for mode in ["full", "full+incremental"] {
        let ends = (End::of(server), End::of(destination97()));
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
    // The zone of their systems must not count.
    let pair = own_pair();
    side_by_side(&[&pair.new, &pair.old], |server| {
        let task = of(server, destination97());
        let before = report(&task);
        expect_in(&before, "prepared-xa", Verdict::Pass, &[]);
        expect_in(&before, "long-transactions", Verdict::Pass, &[]);
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
        let long = checked(&report, "long-transactions");
        assert_eq!(long.verdict(), Verdict::Confirm);
        // They have ended.
        run(&mut conn, "ROLLBACK;\nDROP DATABASE open_s");
        let ended = deadline::poll(Duration::from_secs(30), || {
            let facts = Facts::gather(&task);
            facts
                .source
                .activity
                .transactions
                .unwrap()
                .is_empty()
                .then_some(())
        });
        assert!(ended.is_some());
    });
}
