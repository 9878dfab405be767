//! Rows at the destination that are not what the source's changes take them to be.

use drs_testkit::deadline;
use mysql::Conn;

use crate::{
    program::{Program, catch_up, is},
    servers::{self, assert_equal, in_new_database, run},
    task::Task,
};

/// What is done to the destination's table, and what to the source's, so that it meets a conflict.
const CASES: [(&str, &str, &str, &str); 4] = [
    (
        "insert",
        "INSERT INTO t VALUES (9, 'in the way', 'nine')",
        "INSERT INTO t VALUES (9, 'new', 'nine')",
        "PRIMARY",
    ),
    (
        "unique",
        "INSERT INTO t VALUES (8, 'in the way', 'nine')",
        "INSERT INTO t VALUES (9, 'new', 'nine')",
        "word",
    ),
    (
        "update",
        "DELETE FROM t WHERE id = 1",
        "UPDATE t SET note = 'changed' WHERE id = 1",
        "does not exist",
    ),
    (
        "delete",
        "DELETE FROM t WHERE id = 1",
        "DELETE FROM t WHERE id = 1",
        "does not exist",
    ),
];

fn case_kind(case: &str) -> &'static str {
    match case {
        "update" => "missing_on_update",
        "delete" => "missing_on_delete",
        _ => "duplicate_on_insert",
    }
}

#[test]
fn report_error_stops_and_overwrite_repairs() {
    for (pair, gtid, lanes) in [
        (servers::gtid(), true, 1),
        (servers::gtid(), true, 8),
        (servers::by_position(), false, 4),
        (servers::to_56(), true, 2),
    ] {
        for (case, there, here, reason) in CASES {
            let database = format!("conflict_{case}_{lanes}");
            let mut conn = in_new_database(pair.source, &database);
            run(
                &mut conn,
                &[
                    "CREATE TABLE t (id INT PRIMARY KEY, note TEXT, word VARCHAR(40) UNIQUE)",
                    "CREATE TABLE other (id INT PRIMARY KEY)",
                    "INSERT INTO t VALUES (1, 'old', 'one'), (2, 'old', 'two')",
                ],
            );
            let task = Task::of(pair, &database).sync(&format!("lanes = {lanes}"));
            catch_up(&task);
            let mut destination = pair.destination.conn().unwrap();
            run(&mut destination, &[&format!("USE {database}"), there]);
            // The conflict's transaction is whole or not there.
            run(
                &mut conn,
                &[
                    "INSERT INTO other VALUES (1)",
                    "BEGIN",
                    "INSERT INTO other VALUES (2)",
                    here,
                    "COMMIT",
                    "INSERT INTO other VALUES (3)",
                ],
            );
            // Again and again, until somebody does something about it.
            for _ in 0..2 {
                let said = Program::run(&task, &["--until-caught-up"]).fail();
                let named = format!("`{database}`.`t`");
                assert!(
                    said.contains(&named)
                        && said.contains(reason)
                        && said.contains("binlog.0")
                        && said.contains("GTID") == gtid,
                    "{case}: {said}"
                );
                for value in ["in the way", "nine", "changed"] {
                    assert!(!said.contains(value), "{case}: a row's value in {said}");
                }
                let query = format!("SELECT COUNT(*) FROM {database}.other WHERE id = 2");
                assert_eq!(
                    servers::value(&mut destination, &query).as_deref(),
                    Some("0"),
                    "{case}"
                );
            }
            let task = task.sync(&format!("lanes = {lanes}\nconflict = \"overwrite\""));
            let ended = catch_up(&task);
            assert!(ended.number("done", "conflicts") > 0, "{case}: {ended:?}");
            assert_equal(pair.source, pair.destination, &database);
            let path = task.path();
            let path = path.to_str().unwrap();
            let listed = Program::start(&["conflicts", path, "--since", "1d"]).succeed();
            assert_eq!(
                listed.number("total", "conflicts"),
                ended.number("done", "conflicts")
            );
            let entry = listed.events.iter().find(|event| is(event, "conflict"));
            let entry = entry.unwrap_or_else(|| panic!("{case}: {listed:?}"));
            assert!(
                entry["table"] == format!("`{database}`.`t`")
                    && entry["policy"] == "overwrite"
                    && entry["kind"]
                        .as_str()
                        .is_some_and(|kind| kind.contains(case_kind(case)))
                    && entry["position"]
                        .as_str()
                        .is_some_and(|at| at.starts_with("binlog.0"))
                    && entry["gtid"].is_string() == gtid
                    && entry["source_key"]["id"].is_u64()
                    && entry["source_after"].is_null(),
                "{case}: {entry}"
            );
            let later = Program::start(&["conflicts", path, "--since", "2999-01-01"]).succeed();
            assert_eq!(later.number("total", "conflicts"), 0);
            let status = Program::start(&["status", path]).succeed();
            assert_eq!(
                status.events[0]["conflicts"].as_u64(),
                Some(ended.number("done", "conflicts"))
            );
        }
    }
}

/// Changes of each table in the campaign below; every second one meets a conflict.
const CHANGES: u64 = 1200;

/// The program is killed in the copy of a table half of which is there, and while it follows
/// changes half of which do not fit: each conflict is in the ledger once.
#[test]
fn the_ledger_is_exact_over_kills() {
    for (pair, policy, lanes) in [
        (servers::gtid(), "ignore", 4),
        (servers::gtid(), "overwrite", 1),
        (servers::from_56(), "overwrite", 8),
        (servers::to_56(), "ignore", 2),
    ] {
        let database = format!("conflict_kill_{policy}_{lanes}");
        let tables = [
            "CREATE TABLE copied (id INT PRIMARY KEY, pad CHAR(200) NOT NULL DEFAULT 'x') CHARACTER SET latin1",
            "CREATE TABLE keyed (id INT PRIMARY KEY, note VARCHAR(20)) CHARACTER SET latin1",
        ];
        let mut here = in_new_database(pair.source, &database);
        run(&mut here, &tables);
        run(
            &mut here,
            &["CREATE TABLE keyless (id INT, note VARCHAR(20))"],
        );
        let mut there = in_new_database(pair.destination, &database);
        run(&mut there, &tables);
        let values = |step: usize, row: fn(u64) -> String| {
            let rows: Vec<String> = (step as u64..=CHANGES).step_by(step).map(row).collect();
            rows.join(",")
        };
        let copied = |step| {
            format!(
                "INSERT INTO copied (id) VALUES {}",
                values(step, |id| format!("({id})"))
            )
        };
        let keyless = values(1, |id| format!("({id}, 'old')"));
        run(
            &mut here,
            &[&copied(1), &format!("INSERT INTO keyless VALUES {keyless}")],
        );
        run(&mut there, &[&copied(2)]);
        let task = Task::of(pair, &database)
            .sync(&format!("lanes = {lanes}\nconflict = \"{policy}\""))
            .copy("sessions = 2\nchunk_bytes = \"64KiB\"");
        let ledger = |kind: &str| {
            format!(
                "SELECT SUM(row_count) FROM drs_meta.conflict WHERE task = '{database}' AND kind = '{kind}'"
            )
        };
        let kills = kill_at(&task, &mut there, &ledger("duplicate_in_copy"), &[60, 200]);
        catch_up(&task);
        let half = (CHANGES / 2).to_string();
        assert_eq!(
            servers::value(&mut there, &ledger("duplicate_in_copy")),
            Some(half.clone())
        );

        let theirs = values(2, |id| format!("({id}, 'theirs')"));
        run(
            &mut there,
            &[
                &format!("INSERT INTO keyed VALUES {theirs}"),
                "DELETE FROM keyless WHERE id % 2 = 0",
            ],
        );
        for id in 1..=CHANGES {
            run(
                &mut here,
                &[
                    &format!("INSERT INTO keyed VALUES ({id}, 'ours')"),
                    &format!("DELETE FROM keyless WHERE id = {id}"),
                ],
            );
        }
        let inserts = ledger("duplicate_on_insert");
        let kills = kills + kill_at(&task, &mut there, &inserts, &[50, 150, 300, 450]);
        catch_up(&task);
        for kind in ["duplicate_on_insert", "missing_on_delete"] {
            let distinct = ledger(kind).replace("SUM(row_count)", "COUNT(DISTINCT source_key)");
            for query in [ledger(kind), distinct] {
                let found = servers::value(&mut there, &query);
                assert_eq!(
                    found,
                    Some(half.clone()),
                    "{database}: {kind} after {kills} kills"
                );
            }
        }
        assert!(kills > 1, "{database}: only {kills} kills came in time");
        let kept = "SELECT COUNT(*) FROM keyed WHERE note = 'theirs'";
        match policy {
            "ignore" => assert_eq!(servers::value(&mut there, kept), Some(half)),
            _ => assert_equal(pair.source, pair.destination, &database),
        }
    }
}

/// Kills the program each time that a query gives at least so many; returns how often it came in
/// time.
fn kill_at(task: &Task, conn: &mut Conn, query: &str, counts: &[u64]) -> u64 {
    let mut kills = 0;
    for count in counts {
        let mut program = Program::run(task, &["--until-caught-up"]);
        let reached = deadline::poll(servers::LIMIT, || {
            let now = servers::value(conn, query).and_then(|number| number.parse::<u64>().ok());
            (now >= Some(*count) || !program.is_running()).then_some(())
        });
        assert!(reached.is_some(), "waited in vain for {count} of {query}");
        kills += u64::from(program.kill().code.is_none());
    }
    kills
}
