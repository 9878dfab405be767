//! The start point of an incremental task.

use drs_precheck::{Facts, Verdict};
use drs_testkit::{Server, Version};
use mysql::prelude::Queryable;

use crate::servers::{End, builder, destination97, expect, run, session, task_at};

const OBJECTS: &str = "include = [\"start_b\"]";

fn at(source: &Server, point: &str) -> drs_core::Task {
    let ends = (End::of(source), End::of(destination97()));
    task_at(ends.0, ends.1, point, OBJECTS)
}

fn verdict(source: &Server, point: &str, verdict: Verdict, says: &str) {
    let task = at(source, point);
    let objects = Facts::gather(&task);
    assert!(objects.source.binlog.files.is_ok());
    let checked = crate::servers::check(&task, "start-point");
    let text = format!("{:?}", checked.findings);
    assert_eq!(checked.verdict(), verdict, "{point}: {text}");
    assert!(text.contains(says), "{point}: {text}");
}

/// A server whose first log file is purged, and which has a row in its third.
fn prepared(version: Version, id: u32, gtid: bool) -> Server {
    let server = builder(version, id).gtid(gtid).start().unwrap();
    run(
        &mut session(&server),
        "CREATE DATABASE start_b;\nCREATE TABLE start_b.t (id INT PRIMARY KEY);\nFLUSH BINARY LOGS;\nFLUSH BINARY LOGS;\n\
         INSERT INTO start_b.t VALUES (1);\nPURGE BINARY LOGS TO 'binlog.000002'",
    );
    server
}

#[test]
fn start_points_by_position() {
    for (version, id) in [(Version::MySql97, 985), (Version::MySql56, 569)] {
        let server = &prepared(version, id, false);
        let events: Vec<mysql::Row> = session(server)
            .query("SHOW BINLOG EVENTS IN 'binlog.000003'")
            .unwrap();
        let mut last = 0;
        for mut event in events {
            let (at, kind, end): (u64, String, u64) = (
                event.take("Pos").unwrap(),
                event.take("Event_type").unwrap(),
                event.take("End_log_pos").unwrap(),
            );
            let point = format!("binlog.000003:{at}");
            match kind.as_str() {
                "Table_map" | "Write_rows" | "Write_rows_v1" | "Xid" => {
                    verdict(
                        server,
                        &point,
                        Verdict::Fail,
                        "in the middle of a transaction",
                    );
                }
                "Gtid" | "Anonymous_Gtid" | "Format_desc" | "Previous_gtids" => {
                    verdict(server, &point, Verdict::Pass, "is in the log");
                }
                _ => {}
            }
            let inside = format!("binlog.000003:{}", at + 1);
            verdict(server, &inside, Verdict::Fail, "no event of the log begins");
            last = end;
        }
        let end = format!("binlog.000003:{last}");
        verdict(server, &end, Verdict::Pass, "is in the log");
        let past = format!("binlog.000003:{}", last + 1);
        verdict(server, &past, Verdict::Fail, "behind the end");
        verdict(server, "binlog.000004:4", Verdict::Fail, "behind the end");
        verdict(
            server,
            "binlog.000002:100000",
            Verdict::Fail,
            "behind the end",
        );
        verdict(
            server,
            "binlog.000001:4",
            Verdict::Fail,
            "the oldest is binlog.000002",
        );
        verdict(server, "other.000002:4", Verdict::Fail, "");
        let task = at(
            server,
            "binlog.000002:4;11111111-1111-1111-1111-111111111111:1-20",
        );
        expect(&task, "start-point", Verdict::Fail, &[]);
    }
}

#[test]
fn start_points_by_gtid() {
    for (version, id) in [(Version::MySql97, 986), (Version::MySql56, 570)] {
        let server = &prepared(version, id, true);
        let mut conn = session(server);
        let uuid: String = conn.query_first("SELECT @@server_uuid").unwrap().unwrap();
        let set = |numbers: &str| format!("binlog.000003:4;{uuid}:{numbers}");
        // Two transactions are purged, and a third is there.
        let executed: String = conn
            .query_first("SELECT @@global.gtid_executed")
            .unwrap()
            .unwrap();
        let last: u64 = executed.rsplit('-').next().unwrap().parse().unwrap();
        verdict(
            server,
            &set(&format!("1-{last}")),
            Verdict::Pass,
            "in the log",
        );
        verdict(
            server,
            &set(&format!("1-{}", last - 1)),
            Verdict::Pass,
            "in the log",
        );
        verdict(server, &set("1"), Verdict::Fail, "purged them");
        verdict(
            server,
            &set(&format!("1-{}", last + 2)),
            Verdict::Fail,
            &format!("{uuid}:{}-{}", last + 1, last + 2),
        );
        verdict(
            server,
            "binlog.000003:4",
            Verdict::Confirm,
            "file:position;set",
        );
        verdict(
            server,
            &format!("binlog.000009:4;{uuid}:1-{last}"),
            Verdict::Fail,
            "behind the end",
        );
    }
}
