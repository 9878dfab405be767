//! The start point of an incremental task.

use std::thread;

use drs_core::Task;
use drs_precheck::Verdict;
use drs_testkit::{Server, Version};
use mysql::prelude::Queryable;

use crate::servers::{
    End, builder, check, destination97, expect, run, session, side_by_side, task_at,
};

/// A start point, and what is made of it.
struct Point {
    at: String,
    verdict: Verdict,
    says: String,
}

fn point(at: impl Into<String>, verdict: Verdict, says: impl Into<String>) -> Point {
    Point {
        at: at.into(),
        verdict,
        says: says.into(),
    }
}

fn at(source: &Server, point: &str) -> Task {
    let ends = (End::of(source), End::of(destination97()));
    task_at(ends.0, ends.1, point, "include = [\"start_b\"]")
}

fn look_at(source: &Server, points: &[Point]) {
    side_by_side(points, |point| {
        let checked = check(&at(source, &point.at), "start-point");
        let text = format!("{:?}", checked.findings);
        assert_eq!(checked.verdict(), point.verdict, "{}: {text}", point.at);
        assert!(text.contains(&point.says), "{}: {text}", point.at);
    });
}

/// Looks at both versions at the same time.
fn with_both(ids: [u32; 2], gtid: bool, look: fn(&Server)) {
    thread::scope(|scope| {
        for (version, id) in [Version::MySql97, Version::MySql56].into_iter().zip(ids) {
            scope.spawn(move || look(&prepared(version, id, gtid)));
        }
    });
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
    with_both([985, 569], false, |server| {
        let events: Vec<mysql::Row> = session(server)
            .query("SHOW BINLOG EVENTS IN 'binlog.000003'")
            .unwrap();
        let mut points = Vec::new();
        let mut last = 0;
        for mut event in events {
            let (at, kind, end): (u64, String, u64) = (
                event.take("Pos").unwrap(),
                event.take("Event_type").unwrap(),
                event.take("End_log_pos").unwrap(),
            );
            let begins = match kind.as_str() {
                "Table_map" | "Write_rows" | "Write_rows_v1" | "Xid" => {
                    Some((Verdict::Fail, "in the middle of a transaction"))
                }
                "Gtid" | "Anonymous_Gtid" | "Format_desc" | "Previous_gtids" => {
                    Some((Verdict::Pass, "is in the log"))
                }
                _ => None,
            };
            points.extend(
                begins.map(|(verdict, says)| point(format!("binlog.000003:{at}"), verdict, says)),
            );
            points.push(point(
                format!("binlog.000003:{}", at + 1),
                Verdict::Fail,
                "no event of the log begins",
            ));
            last = end;
        }
        let fail = |at: String, says: &str| point(at, Verdict::Fail, says);
        points.extend([
            point(
                format!("binlog.000003:{last}"),
                Verdict::Pass,
                "is in the log",
            ),
            fail(format!("binlog.000003:{}", last + 1), "behind the end"),
            fail("binlog.000004:4".to_owned(), "behind the end"),
            fail("binlog.000002:100000".to_owned(), "behind the end"),
            fail("binlog.000001:4".to_owned(), "the oldest is binlog.000002"),
            fail("other.000002:4".to_owned(), ""),
        ]);
        look_at(server, &points);
        let task = at(
            server,
            "binlog.000002:4;11111111-1111-1111-1111-111111111111:1-20",
        );
        expect(&task, "start-point", Verdict::Fail, &[]);
    });
}

#[test]
fn start_points_by_gtid() {
    with_both([986, 570], true, |server| {
        let mut conn = session(server);
        let uuid: String = conn.query_first("SELECT @@server_uuid").unwrap().unwrap();
        let set = |numbers: String| format!("binlog.000003:4;{uuid}:{numbers}");
        // Two transactions are purged, and a third is there.
        let executed: String = conn
            .query_first("SELECT @@global.gtid_executed")
            .unwrap()
            .unwrap();
        let last: u64 = executed.rsplit('-').next().unwrap().parse().unwrap();
        look_at(
            server,
            &[
                point(set(format!("1-{last}")), Verdict::Pass, "in the log"),
                point(set(format!("1-{}", last - 1)), Verdict::Pass, "in the log"),
                point(set("1".to_owned()), Verdict::Fail, "purged them"),
                point(
                    set(format!("1-{}", last + 2)),
                    Verdict::Fail,
                    format!("{uuid}:{}-{}", last + 1, last + 2),
                ),
                point("binlog.000003:4", Verdict::Confirm, "file:position;set"),
                point(
                    format!("binlog.000009:4;{uuid}:1-{last}"),
                    Verdict::Fail,
                    "behind the end",
                ),
            ],
        );
    });
}
