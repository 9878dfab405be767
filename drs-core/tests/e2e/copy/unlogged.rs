//! A copy that the destination does not write to its own binary log.

use std::sync::atomic::AtomicBool;

use drs_core::{CopyError, Endpoint, FullCopy, open_destination, open_source};
use drs_testkit::Server;
use mysql::{Row, prelude::Queryable};

use super::run::{CopyTest, endpoint};
use crate::servers::{gtid56, gtid97, plain56, plain97, run, session};

/// What a server's log says of tables and statements of a database.
fn logged(server: &Server, database: &str) -> Vec<String> {
    let mut conn = session(server);
    let files: Vec<Row> = conn.query("SHOW BINARY LOGS").unwrap();
    let mut found = Vec::new();
    for file in files {
        let file: String = file.get(0).unwrap();
        let events: Vec<Row> = conn
            .query(format!("SHOW BINLOG EVENTS IN '{file}'"))
            .unwrap();
        found.extend(
            events
                .iter()
                .map(|event| event.get::<String, _>(5).unwrap())
                .filter(|info| {
                    info.contains(&format!("({database}."))
                        || info.contains(&format!("`{database}`; "))
                }),
        );
    }
    found
}

fn filled(name: &str, source: &'static Server, destination: &'static Server) -> CopyTest {
    let mut test = CopyTest::new(source, destination, name);
    run(
        &mut test.at_source(),
        "CREATE TABLE t (id INT PRIMARY KEY, n INT, KEY n (n));\n\
         INSERT INTO t VALUES (1, 10), (2, 20), (3, 30);\n\
         CREATE TABLE keyless (n INT);\n\
         INSERT INTO keyless VALUES (1), (1)",
    );
    test.options.binlog = false;
    test
}

#[test]
fn nothing_of_it_is_in_the_log() {
    for (source, destination) in [
        (plain97(), gtid97()),
        (gtid97(), plain97()),
        (gtid56(), plain56()),
    ] {
        let mut test = filled("unlogged", source, destination);
        let outcome = test.copy().unwrap();
        assert_eq!((outcome.tables, outcome.rows), (2, 5));
        test.assert_equal();
        assert_eq!(logged(destination, &test.name), Vec::<String>::new());
        // The same copy, logged, would have been seen.
        test = filled("logged", source, destination);
        test.options.binlog = true;
        test.copy().unwrap();
        let log = logged(destination, &test.name).join("\n");
        for part in ["CREATE TABLE", ".t)", ".keyless)"] {
            assert!(log.contains(part), "{part}: {log}");
        }
    }
}

#[test]
fn an_account_that_may_not_is_told_so() {
    let test = filled("unlogged_denied", plain97(), gtid97());
    let account = "drs_unlogged";
    run(
        &mut session(gtid97()),
        &format!(
            "DROP USER IF EXISTS '{account}'@'%';\n\
             CREATE USER '{account}'@'%' IDENTIFIED BY 'of-its-own';\n\
             GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX ON *.* TO '{account}'@'%'"
        ),
    );
    let from = endpoint(plain97());
    let to = Endpoint::tcp("127.0.0.1", gtid97().port(), account).password("of-its-own");
    let copy = || {
        let (source, destination) = (|| open_source(&from), || open_destination(&to));
        let mut store = test.claim();
        FullCopy::new(&source, &destination, test.options).run(
            &mut store,
            &AtomicBool::new(false),
            &(),
        )
    };
    let error = copy().unwrap_err();
    assert!(matches!(error, CopyError::BinlogDenied), "{error}");
    run(
        &mut session(gtid97()),
        &format!("GRANT SESSION_VARIABLES_ADMIN ON *.* TO '{account}'@'%'"),
    );
    assert_eq!(copy().unwrap().rows, 5);
    test.assert_equal();
}
