//! Views, procedures and functions: created behind the copy of the tables.

use std::sync::{
    Mutex,
    atomic::{AtomicBool, Ordering},
};

use drs_core::{
    End, Endpoint, FollowProgress, MySqlDestination, Observer, Pipeline, StatementsLeftOut, Task,
};
use drs_testkit::Server;
use mysql::{Conn, Row, Value, prelude::Queryable};

use super::run::FollowTest;
use crate::servers::{gtid97, plain56, plain97, run, session};

/// Keeps the notices, and asks for a stop at the first one that holds a word.
#[derive(Default)]
struct Notices<'a> {
    said: Mutex<Vec<String>>,
    stop_at: Option<(&'a str, &'a AtomicBool)>,
    progress: Mutex<Option<FollowProgress>>,
}

impl Notices<'_> {
    fn with(&self, word: &str) -> Vec<String> {
        let said = self.said.lock().unwrap();
        said.iter()
            .filter(|text| text.contains(word))
            .cloned()
            .collect()
    }
}

impl Observer for Notices<'_> {
    fn notice(&self, text: &str) {
        if let Some((word, stop)) = self.stop_at
            && text.contains(word)
        {
            stop.store(true, Ordering::Relaxed);
        }
        self.said.lock().unwrap().push(text.to_owned());
    }

    fn following(&self, progress: &FollowProgress) {
        *self.progress.lock().unwrap() = Some(progress.clone());
    }
}

const PROGRAMS: &str = "CREATE TABLE t (id INT PRIMARY KEY, w VARCHAR(20) CHARACTER SET latin1);
INSERT INTO t VALUES (1, 'one'), (2, 'zwei'), (3, 'três');
CREATE VIEW z_base AS SELECT id, w FROM t WHERE id > 1;
CREATE VIEW m_middle AS SELECT z_base.id AS `odd ``name`, w FROM z_base;
CREATE VIEW a_top AS SELECT COUNT(*) AS n FROM m_middle;
CREATE FUNCTION twice(n INT) RETURNS INT DETERMINISTIC RETURN n * 2;
CREATE FUNCTION a_four(n INT) RETURNS INT DETERMINISTIC SQL SECURITY INVOKER RETURN twice(twice(n));
CREATE SQL SECURITY INVOKER VIEW b_calls AS SELECT a_four(id) AS f, 'é' AS e FROM t;
SET NAMES latin1;
SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES';
CREATE PROCEDURE \"quoted one\"(IN a VARCHAR(20), OUT b VARCHAR(40)) COMMENT 'with ''quotes''' BEGIN SELECT \"w\" || a || '\\' INTO b FROM \"t\" WHERE id = 1; END;
SET NAMES utf8mb4 COLLATE utf8mb4_bin;
SET sql_mode = '';
CREATE PROCEDURE plain_one() BEGIN SELECT 'naïve' AS word, COUNT(*) AS n FROM t; END;
CREATE DEFINER = 'nobody_here'@'%' VIEW of_nobody AS SELECT 1 AS one;
CREATE DEFINER = 'nobody_here'@'%' FUNCTION f_of_nobody() RETURNS INT DETERMINISTIC SQL SECURITY INVOKER RETURN 7;
CREATE DEFINER = 'drs_definer'@'%' VIEW of_somebody AS SELECT 2 AS two;
CREATE TABLE gone (id INT PRIMARY KEY);
CREATE VIEW broken AS SELECT id FROM gone;
DROP TABLE gone;
CREATE VIEW taken_by_table AS SELECT 3 AS three;
CREATE VIEW other_there AS SELECT 4 AS four;\n";

/// What of these is told, by a part of the notice.
const TOLD: [(&str, &str); 5] = [
    ("view `DB`.`broken`", "not created"),
    (
        "view `DB`.`taken_by_table`",
        "a table of its name is at the destination",
    ),
    (
        "view `DB`.`other_there`",
        "where its definition reads otherwise",
    ),
    (
        "view `DB`.`of_nobody`",
        "'nobody_here'@'%' does not exist at the destination",
    ),
    (
        "function `DB`.`f_of_nobody`",
        "'nobody_here'@'%' does not exist at the destination",
    ),
];

/// Everything that `SHOW CREATE` says of a program.
fn shown(conn: &mut Conn, database: &str, kind: &str, name: &str) -> Vec<String> {
    let row: Option<Row> = conn
        .query_first(format!("SHOW CREATE {kind} {database}.`{name}`"))
        .unwrap();
    row.unwrap()
        .unwrap()
        .into_iter()
        .map(|value| match value {
            Value::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            other => format!("{other:?}"),
        })
        .collect()
}

#[test]
fn programs_are_created_behind_the_tables() {
    for (source, destination) in [(gtid97(), plain97()), (plain56(), gtid97())] {
        let test = FollowTest::new(source, destination, "programs", "");
        run(
            &mut test.at_source(),
            "ALTER DATABASE CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        );
        let mut there = session(destination);
        for server in [source, destination] {
            let mut conn = session(server);
            _ = conn.query_drop("CREATE USER 'drs_definer'@'%' IDENTIFIED BY 'Drs-1234'");
        }
        run(&mut test.at_source(), PROGRAMS);
        run(
            &mut there,
            &format!(
                "CREATE DATABASE {0} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;\nCREATE TABLE {0}.taken_by_table (id INT PRIMARY KEY);\nCREATE VIEW {0}.other_there AS SELECT 5 AS five",
                test.name
            ),
        );
        // A stop between two of them, then the rest.
        let task = test.task().build().unwrap();
        let stop = AtomicBool::new(false);
        let first = Notices {
            stop_at: Some(("f_of_nobody", &stop)),
            ..Notices::default()
        };
        let end = Pipeline::new(&task, MySqlDestination::new(&task))
            .until_caught_up(true)
            .observer(&first)
            .run(&stop)
            .unwrap();
        assert_eq!(end.end, End::Stopped);
        let second = Notices::default();
        test.catch_up_watched(&task, &second).unwrap();
        for (name, reason) in TOLD {
            let name = name.replace("DB", &test.name);
            let mut told = first.with(&name);
            told.extend(second.with(&name));
            assert_eq!(told.len(), 1, "{name}: {told:?}");
            assert!(told.iter().all(|text| text.contains(reason)), "{told:?}");
        }
        let all: Vec<String> = second.with("views, procedures and functions");
        assert_eq!(
            all,
            [
                "11 views, procedures and functions are at the destination as they are now, 3 are not; they are not followed"
            ]
        );
        let mut here = session(source);
        if !std::ptr::eq(source, plain56()) {
            for (kind, name) in [
                ("VIEW", "z_base"),
                ("VIEW", "m_middle"),
                ("VIEW", "a_top"),
                ("VIEW", "b_calls"),
                ("VIEW", "of_somebody"),
                ("FUNCTION", "twice"),
                ("FUNCTION", "a_four"),
                ("PROCEDURE", "quoted one"),
                ("PROCEDURE", "plain_one"),
            ] {
                assert_eq!(
                    shown(&mut here, &test.name, kind, name),
                    shown(&mut there, &test.name, kind, name)
                );
            }
        }
        for conn in [&mut here, &mut there] {
            run(conn, &format!("USE {}", test.name));
            let words: Option<(String, u64)> = conn.query_first("CALL plain_one()").unwrap();
            assert_eq!(words, Some(("naïve".to_owned(), 3)));
            run(conn, "CALL `quoted one`('x', @b)");
            let b: Option<String> = conn.query_first("SELECT @b").unwrap();
            assert_eq!(b.as_deref(), Some("onex\\"));
            let sums: Option<(u64, u64, u64)> = conn
                .query_first(
                    "SELECT SUM(f), (SELECT n FROM a_top), (SELECT f_of_nobody()) FROM b_calls",
                )
                .unwrap();
            assert_eq!(sums, Some((24, 2, 7)));
        }
        assert!(
            shown(&mut there, &test.name, "VIEW", "of_nobody")[1]
                .contains("DEFINER=`root`@`localhost`")
        );
        let third = Notices::default();
        test.catch_up_watched(&task, &third).unwrap();
        assert!(third.with("view").is_empty(), "{:?}", third.said);
        run(&mut there, "DROP TABLE taken_by_table");
        test.assert_equal();
    }
}

/// Data need no privilege for views and routines.
#[test]
fn without_privileges_they_are_left_out_with_a_notice() {
    let test = FollowTest::new(
        gtid97(),
        plain97(),
        "unprivileged",
        "CREATE TABLE t (id INT PRIMARY KEY);
INSERT INTO t VALUES (1);
CREATE VIEW v AS SELECT id FROM t;
CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN 1;
CREATE PROCEDURE p() SELECT 1;\n",
    );
    let account = |server: &Server, name: &str, privileges: &str| {
        let name = format!("{}_{name}", test.name);
        run(
            &mut session(server),
            &format!(
                "DROP USER IF EXISTS '{name}'@'%';\nCREATE USER '{name}'@'%' IDENTIFIED BY 'of-its-own';\nGRANT {privileges} ON *.* TO '{name}'@'%'"
            ),
        );
        Endpoint::tcp("127.0.0.1", server.port(), name.as_str()).password("of-its-own")
    };
    let reads = "SELECT, LOCK TABLES, REPLICATION SLAVE, REPLICATION CLIENT";
    let writes = "SELECT, CREATE, DROP, DELETE, INSERT, UPDATE, ALTER, REFERENCES, INDEX, TRIGGER";
    for (number, (source, destination, definer)) in [
        (reads.to_owned(), writes.to_owned(), None),
        (format!("{reads}, SHOW VIEW"), writes.to_owned(), None),
        // All but the right to give another account as the definer.
        (
            format!("{reads}, SHOW VIEW, SHOW_ROUTINE"),
            format!("{writes}, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE"),
            Some("the task's account as its definer"),
        ),
    ]
    .into_iter()
    .enumerate()
    {
        run(
            &mut session(test.destination),
            &format!("DROP DATABASE IF EXISTS {}", test.name),
        );
        let task = Task::builder(
            account(test.source, "reads", &source),
            account(test.destination, "writes", &destination),
        )
        .name(format!("{}_{number}", test.name))
        .select(test.name.as_str())
        .build()
        .unwrap();
        let watch = Notices::default();
        test.catch_up_watched(&task, &watch).unwrap();
        test.assert_equal();
        let reason = definer.unwrap_or("not created");
        for name in ["view", "function", "procedure"] {
            let told = watch.with(&format!("{name} `{}`", test.name));
            // The server that logs functions takes them from few accounts.
            let is_told = told
                .iter()
                .any(|text| text.contains(reason) || text.contains("1419"));
            assert!(is_told, "{number} {name}: {:?}", watch.said);
        }
    }
}

/// Each kind is told of once, and all are counted.
#[test]
fn statements_that_are_not_replicated_are_counted_by_kind() {
    for (source, destination) in [(gtid97(), plain97()), (plain56(), gtid97())] {
        let test = FollowTest::new(
            source,
            destination,
            "left_out",
            "CREATE TABLE t (id INT PRIMARY KEY);\n",
        );
        test.catch_up().unwrap();
        run(
            &mut test.at_source(),
            "CREATE VIEW v AS SELECT 1;
DROP VIEW v;
CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN 1;
ALTER FUNCTION f COMMENT 'c';
DROP FUNCTION f;
CREATE PROCEDURE p() SELECT 1;
CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.id = NEW.id;
CREATE EVENT e ON SCHEDULE EVERY 1 YEAR DO SELECT 1;
CREATE USER 'drs_left_out'@'%' IDENTIFIED BY 'Drs-1234';
GRANT SELECT ON *.* TO 'drs_left_out'@'%';
DROP USER 'drs_left_out'@'%';
ANALYZE TABLE t;
OPTIMIZE TABLE t;
CREATE DATABASE IF NOT EXISTS drs_elsewhere;
CREATE VIEW drs_elsewhere.v AS SELECT 1;
DROP DATABASE drs_elsewhere;
INSERT INTO t VALUES (1)",
        );
        let watch = Notices::default();
        test.catch_up_watched(&test.task().build().unwrap(), &watch)
            .unwrap();
        let progress = watch.progress.lock().unwrap().clone().unwrap();
        let expected = StatementsLeftOut {
            views: 2,
            routines: 4,
            triggers: 1,
            events: 1,
            accounts: 3,
            maintenance: 2,
            ..StatementsLeftOut::default()
        };
        // Other tests' accounts and maintenance may be in the log as well.
        let counted = progress.left_out;
        assert!(
            counted.accounts >= 3 && counted.maintenance >= 2,
            "{counted:?}"
        );
        let counted = StatementsLeftOut {
            accounts: 3,
            maintenance: 2,
            ..counted
        };
        assert_eq!(counted, expected);
        assert_eq!(progress.statements_left_out, progress.left_out.total());
        for kind in [
            "views",
            "routines",
            "triggers",
            "events",
            "accounts",
            "maintenance",
        ] {
            assert_eq!(watch.with(&format!("left_out.{kind}")).len(), 1, "{kind}");
        }
        assert!(watch.with("left_out.others").is_empty());
        run(&mut test.at_source(), "DROP TRIGGER g");
        test.catch_up().unwrap();
        test.assert_equal();
    }
}
