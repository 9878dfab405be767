use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use drs_core::{
    CheckpointError, CheckpointStore, CopyError, CopyEvent, CopyObserver, TablePhase,
    open_destination,
};
use drs_testkit::{Server, deadline};
use mysql::prelude::Queryable;

use super::run::{CopyTest, Events, OnFirstPart, endpoint};
use crate::servers::{gtid97, plain56, plain97, run, session};

fn filled(name: &str, source: &'static Server, destination: &'static Server) -> CopyTest {
    let mut test = CopyTest::new(source, destination, name);
    test.options.chunk_bytes = 20_000;
    run(
        &mut test.at_source(),
        "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, v VARCHAR(100), KEY by_v (v)) ENGINE = InnoDB;
INSERT INTO t VALUES (0, 'a'), (1, 'b'), (2, 'c'), (3, 'd'), (4, 'e'), (5, 'f'), (6, 'g'), (7, 'h'), (8, 'i'), (9, 'j');
INSERT INTO t SELECT a.id + 10 * b.id + 100 * c.id + 1000 * d.id + 10, REPEAT('v', 80) FROM t a, t b, t c, t d",
    );
    test
}

/// Asks to stop after so many parts.
struct StopAfter<'a>(&'a AtomicBool, std::sync::atomic::AtomicU32);

impl CopyObserver for StopAfter<'_> {
    fn copy_event(&self, event: &CopyEvent<'_>) {
        if matches!(event, CopyEvent::Part { .. }) && self.1.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

#[test]
fn a_stopped_copy_goes_on_where_it_ended() {
    for (source, destination) in [
        (gtid97(), plain97()),
        (plain97(), gtid97()),
        (plain56(), plain97()),
    ] {
        let test = filled("resume", source, destination);
        let mut runs = 0;
        let outcome = loop {
            let stop = AtomicBool::new(false);
            match test.copy_watched(&StopAfter(&stop, 9.into()), &stop) {
                Ok(outcome) => break outcome,
                Err(CopyError::Stopped) => runs += 1,
                Err(error) => panic!("{error}"),
            }
        };
        assert!(runs > 3, "stopped {runs} times");
        assert_eq!(outcome.conflicts, 0);
        test.assert_equal();
        let record = test.record("t");
        assert_eq!(
            (record.phase, record.rows_copied),
            (TablePhase::CatchingUp, 10_010)
        );
        assert!(record.from.unwrap().position <= record.until.unwrap().position);
        // Nothing is left to do.
        assert_eq!(test.copy().unwrap().rows, 0);
    }
}

#[test]
fn a_chunk_without_its_mark_is_copied_again() {
    let test = filled("unmarked", gtid97(), plain97());
    let stop = AtomicBool::new(false);
    let stopped = test.copy_watched(&StopAfter(&stop, 5.into()), &stop);
    assert!(matches!(stopped, Err(CopyError::Stopped)), "{stopped:?}");
    run(
        &mut session(plain97()),
        &format!(
            "UPDATE drs_meta.chunk SET done = 0 WHERE task = '{}' AND number = 1",
            test.name
        ),
    );
    let outcome = test.copy().unwrap();
    assert!(outcome.conflicts > 0, "the rows of the chunk were there");
    test.assert_equal();
}

#[test]
fn rows_that_are_there_are_kept_and_counted() {
    for (source, destination) in [
        (gtid97(), plain97()),
        (plain97(), gtid97()),
        (gtid97(), plain56()),
    ] {
        let test = CopyTest::new(source, destination, "kept");
        let table = "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, u INT, v VARCHAR(20) CHARACTER SET latin1, UNIQUE KEY (u)) ENGINE = InnoDB CHARACTER SET latin1";
        run(
            &mut test.at_source(),
            &format!(
                "{table};\nINSERT INTO t VALUES (1, 1, 'source'), (2, 2, 'source'), (3, 3, 'source'), (4, 4, 'source')"
            ),
        );
        run(
            &mut test.at_destination(),
            &format!("{table};\nINSERT INTO t VALUES (2, 20, 'there'), (9, 3, 'there')"),
        );
        let outcome = test.copy().unwrap();
        assert_eq!((outcome.rows, outcome.conflicts), (4, 2));
        let rows: Vec<(u32, u32, String)> = test
            .at_destination()
            .query("SELECT * FROM t ORDER BY id")
            .unwrap();
        let expected = [
            (1, 1, "source"),
            (2, 20, "there"),
            (4, 4, "source"),
            (9, 3, "there"),
        ];
        assert_eq!(rows, expected.map(|(id, u, v)| (id, u, v.to_owned())));
        assert!(!test.record("t").created_by_task);
        let ledger: Vec<(Option<String>, Option<String>, u64)> = test
            .at_destination()
            .query(format!(
                "SELECT key_name, destination_key, row_count FROM drs_meta.conflict WHERE task = '{}' \
                 AND kind = 'duplicate_in_copy' AND policy = 'ignore' AND file IS NOT NULL ORDER BY id",
                test.name
            ))
            .unwrap();
        let named = |key: &str, row: &str| (Some(key.to_owned()), Some(row.to_owned()), 1);
        if destination.release().to_string().contains("5.6") {
            assert_eq!(ledger, [(None, None, 2)]);
        } else {
            let expected = [
                named("PRIMARY", r#"{"PRIMARY": "2"}"#),
                named("u", r#"{"u": "3"}"#),
            ];
            assert_eq!(ledger, expected);
        }
    }
}

#[test]
fn a_table_that_is_altered_while_it_is_read_begins_again() {
    let test = filled("altered", gtid97(), plain97());
    let observer = OnFirstPart::new(|| {
        run(
            &mut test.at_source(),
            "ALTER TABLE t ADD COLUMN later INT NOT NULL DEFAULT 5 FIRST;\nUPDATE t SET later = id",
        );
    });
    test.copy_watched(&observer, &AtomicBool::new(false))
        .unwrap();
    test.assert_equal();
    assert_eq!(test.record("t").rows_copied, 10_010);
}

#[test]
fn a_table_that_is_dropped_before_its_turn_is_done() {
    let test = filled("dropped", plain97(), gtid97());
    drop(test.claim());
    run(&mut test.at_source(), "DROP TABLE t");
    test.copy().unwrap();
    let record = test.record("t");
    assert_eq!(
        (record.phase, record.rows_copied),
        (TablePhase::CatchingUp, 0)
    );
    assert_eq!(record.from, record.until);
}

/// Without GTIDs a position says nothing of what is visible: the copy must wait for writers.
#[test]
fn a_table_is_begun_with_when_its_writers_have_ended() {
    for (source, destination) in [(plain97(), gtid97()), (plain56(), plain97())] {
        let test = CopyTest::new(source, destination, "writers");
        run(
            &mut test.at_source(),
            "CREATE TABLE t (id INT NOT NULL PRIMARY KEY) ENGINE = InnoDB;\nCREATE TABLE keyless (id INT) ENGINE = InnoDB",
        );
        let mut writers: Vec<_> = (0..2).map(|_| test.at_source()).collect();
        run(&mut writers[0], "BEGIN;\nINSERT INTO t VALUES (1)");
        run(&mut writers[1], "BEGIN;\nINSERT INTO keyless VALUES (1)");
        let events = Events::default();
        thread::scope(|scope| {
            let copy = scope.spawn(|| test.copy_watched(&events, &AtomicBool::new(false)));
            deadline::until(
                Duration::from_secs(60),
                "both tables are waited for",
                || {
                    let events = events.0.lock().unwrap();
                    ["`t`", "`keyless`"]
                        .iter()
                        .all(|table| {
                            events
                                .iter()
                                .any(|event| event.starts_with("Waiting") && event.contains(table))
                        })
                        .then_some(())
                },
            );
            for writer in &mut writers {
                run(writer, "COMMIT");
            }
            copy.join().unwrap().unwrap();
        });
        test.assert_equal();
        assert_eq!(test.record("t").rows_copied, 1);
    }
}

#[test]
fn a_process_whose_task_was_taken_over_writes_no_more() {
    let test = filled("fenced", gtid97(), plain97());
    let observer = OnFirstPart::new(|| {
        let (conn, _) = open_destination(&endpoint(test.destination)).unwrap();
        CheckpointStore::claim(conn, &test.name, 1).unwrap();
    });
    let result = test.copy_watched(&observer, &AtomicBool::new(false));
    assert!(
        matches!(
            result,
            Err(CopyError::Checkpoint(CheckpointError::Fenced { .. }))
        ),
        "{result:?}"
    );
    test.copy().unwrap();
    test.assert_equal();
}

#[test]
fn lost_connections_are_opened_again() {
    let test = filled("lost", plain97(), gtid97());
    let kill = || {
        for server in [test.source, test.destination] {
            let mut conn = session(server);
            let marks = [format!("%{}%", test.name), "%drs_meta%".to_owned()];
            let ids: Vec<u64> = conn
                .exec(
                    "SELECT ID FROM information_schema.PROCESSLIST WHERE INFO LIKE ? AND ID <> CONNECTION_ID()",
                    (&marks[0],),
                )
                .unwrap();
            for id in ids {
                // It may have ended by itself.
                _ = conn.query_drop(format!("KILL {id}"));
            }
        }
    };
    struct KillOften<F: Fn() + Sync>(F, std::sync::atomic::AtomicU32);
    impl<F: Fn() + Sync> CopyObserver for KillOften<F> {
        fn copy_event(&self, event: &CopyEvent<'_>) {
            if matches!(event, CopyEvent::Part { .. })
                && self.1.fetch_add(1, Ordering::Relaxed) % 7 == 3
            {
                (self.0)();
            }
        }
    }
    let outcome = test
        .copy_watched(&KillOften(kill, 0.into()), &AtomicBool::new(false))
        .unwrap();
    assert_eq!(outcome.conflicts, 0);
    test.assert_equal();
}
