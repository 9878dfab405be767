use std::sync::atomic::{AtomicBool, Ordering};

use drs_core::{CopyError, TablePhase};
use drs_testkit::Server;
use mysql::prelude::Queryable;

use super::run::{CopyTest, Events, OnFirstPart};
use crate::servers::{gtid97, plain56, plain97, run};

type Start = fn() -> &'static Server;

const PAIRS: [(Start, Start); 3] = [(gtid97, plain97), (plain97, gtid97), (plain56, plain97)];

fn filled(name: &str, source: &'static Server, destination: &'static Server) -> CopyTest {
    let test = CopyTest::new(source, destination, name);
    run(
        &mut test.at_source(),
        "CREATE TABLE t (a INT, v CHAR(200), u INT, UNIQUE KEY (u), KEY by_a (a)) ENGINE = InnoDB;
INSERT INTO t VALUES (1, 'x', NULL), (1, 'x', NULL), (NULL, NULL, 5);
INSERT INTO t SELECT x.a, x.v, NULL FROM t x, t y, t z;
INSERT INTO t SELECT x.a, x.v, NULL FROM t x, t y, t z LIMIT 20000",
    );
    test
}

#[test]
fn equal_rows_come_over_as_often_as_they_are_there() {
    for (source, destination) in PAIRS {
        let mut test = filled("keyless", source(), destination());
        test.options.chunk_bytes = 10_000;
        let events = Events::default();
        test.copy_watched(&events, &AtomicBool::new(false)).unwrap();
        test.assert_equal();
        let parts = events
            .0
            .lock()
            .unwrap()
            .iter()
            .filter(|event| event.starts_with("Part"))
            .count();
        assert!(parts > 5, "{parts} transactions");
        let record = test.record("t");
        assert_eq!(record.phase, TablePhase::CatchingUp);
        let (from, until) = (record.from.unwrap(), record.until.unwrap());
        assert_eq!(from.position, until.position);
        assert_eq!(from.gtid_set.is_some(), source().server_id() == 971);
    }
}

#[test]
fn a_copy_that_was_cut_off_begins_again_from_empty() {
    for (source, destination) in PAIRS {
        let mut test = filled("cutoff", source(), destination());
        test.options.chunk_bytes = 10_000;
        let stop = AtomicBool::new(false);
        let stopped = test.copy_watched(
            &OnFirstPart::new(|| stop.store(true, Ordering::Relaxed)),
            &stop,
        );
        assert!(matches!(stopped, Err(CopyError::Stopped)), "{stopped:?}");
        let rows: u64 = test
            .at_destination()
            .query_first("SELECT COUNT(*) FROM t")
            .unwrap()
            .unwrap();
        assert!(rows > 0 && rows < 20_000, "{rows}");
        test.copy().unwrap();
        test.assert_equal();
    }
}

#[test]
fn a_table_that_is_there_is_refused() {
    let test = filled("keyless_there", gtid97(), plain97());
    run(
        &mut test.at_destination(),
        "CREATE TABLE t (a INT, v CHAR(200), u INT)",
    );
    for _ in 0..2 {
        assert!(matches!(test.copy(), Err(CopyError::KeylessExists { .. })));
    }
}

#[test]
fn a_small_myisam_table_is_read_under_its_lock() {
    for (source, destination) in [(plain56(), plain97()), (gtid97(), plain97())] {
        let test = CopyTest::new(source, destination, "locked");
        run(
            &mut test.at_source(),
            "CREATE TABLE keyless (a INT, b VARCHAR(10)) ENGINE = MyISAM;
INSERT INTO keyless VALUES (1, 'a'), (1, 'a'), (NULL, NULL);
CREATE TABLE keyed (a INT NOT NULL PRIMARY KEY, b VARCHAR(10)) ENGINE = MyISAM;
INSERT INTO keyed VALUES (1, 'a'), (2, 'a'), (3, NULL)",
        );
        test.copy().unwrap();
        test.assert_equal();
    }
}
