//! Changes that the source logged as statements.

use std::sync::OnceLock;

use drs_testkit::{Installation, Server, Version};
use mysql::{LocalInfileHandler, prelude::Queryable};

use super::run::FollowTest;
use crate::servers::{gtid97, run};

/// A source of its own: a statement whose tables can't be told stops every task that reads it.
fn source(version: Version, id: u32) -> Server {
    let installation = Installation::find_or_fetch(version).unwrap();
    Server::builder(&installation)
        .in_memory(true)
        .server_id(id)
        .local_infile(true)
        .start()
        .unwrap()
}

/// In which format, which statement, and what the error calls it.
const CASES: &[(&str, &str, &str)] = &[
    (
        "STATEMENT",
        "INSERT INTO t VALUES (9, 9)",
        "INSERT statement on `DB`.`t`",
    ),
    (
        "MIXED",
        "INSERT INTO t VALUES (9, 9)",
        "INSERT statement on `DB`.`t`",
    ),
    (
        "STATEMENT",
        "INSERT INTO t SELECT id + 10, n FROM other",
        "INSERT statement on `DB`.`t`",
    ),
    (
        "STATEMENT",
        "REPLACE INTO t VALUES (1, 9)",
        "REPLACE statement on `DB`.`t`",
    ),
    (
        "MIXED",
        "UPDATE t SET n = 5 WHERE id = 1",
        "UPDATE statement on `DB`.`t`",
    ),
    (
        "STATEMENT",
        "UPDATE other JOIN t ON t.id = other.id SET t.n = 8",
        "UPDATE statement in statement format",
    ),
    (
        "STATEMENT",
        "DELETE FROM t WHERE id = 1",
        "DELETE statement on `DB`.`t`",
    ),
    (
        "STATEMENT",
        "DELETE t FROM t JOIN other ON t.id = other.id",
        "DELETE statement in statement format",
    ),
    (
        "STATEMENT",
        "BEGIN;\nINSERT INTO other VALUES (7, 7);\nUPDATE t SET n = 5;\nCOMMIT",
        "UPDATE statement on `DB`.`t`",
    ),
    (
        "STATEMENT",
        "DO changes(4)",
        "SELECT statement in statement format",
    ),
    (
        "STATEMENT",
        "LOAD DATA LOCAL INFILE 'rows' INTO TABLE t",
        "LOAD statement on `DB`.`t`",
    ),
];

fn each_stops_the_task(source: &'static Server, destination: &'static Server) {
    for (number, (format, script, said)) in CASES.iter().enumerate() {
        let test = FollowTest::new(
            source,
            destination,
            &format!("format_{number}"),
            "CREATE TABLE t (id INT PRIMARY KEY, n INT);
CREATE TABLE other (id INT PRIMARY KEY, n INT);
INSERT INTO t VALUES (1, 1), (2, 2);
INSERT INTO other VALUES (1, 1), (2, 2);
CREATE FUNCTION changes(i INT) RETURNS INT DETERMINISTIC MODIFIES SQL DATA BEGIN INSERT INTO t VALUES (i, i); RETURN 1; END;\n",
        );
        let task = test.task_of_none().select(format!("{}.t", test.name));
        let task = task.build().unwrap();
        test.catch_up_watched(&task, &()).unwrap();
        let mut conn = test.at_source();
        conn.set_local_infile_handler(Some(LocalInfileHandler::new(|_, stream| {
            std::io::Write::write_all(stream, b"20\t20\n")
        })));
        // Statements on other tables alone are no matter.
        run(
            &mut conn,
            &format!("SET SESSION binlog_format = {format};\nINSERT INTO other VALUES (50, 1)"),
        );
        test.catch_up_watched(&task, &()).unwrap();
        run(&mut conn, script);
        let before: Option<u64> = conn.query_first("SELECT COUNT(*) FROM t").unwrap();
        assert!(before.is_some());
        let said = said.replace("DB", &test.name);
        for _ in 0..2 {
            let error = test.catch_up_watched(&task, &()).unwrap_err().to_string();
            assert!(
                error.contains(&said) && error.contains("binlog.0"),
                "{format} {script}: {error}"
            );
        }
    }
}

#[test]
fn a_statement_on_a_selected_table_stops_the_task() {
    static SOURCE: OnceLock<Server> = OnceLock::new();
    let source = SOURCE.get_or_init(|| source(Version::MySql97, 974));
    each_stops_the_task(source, gtid97());
}

#[test]
fn a_statement_on_a_selected_table_stops_the_task_from_56() {
    static SOURCE: OnceLock<Server> = OnceLock::new();
    let source = SOURCE.get_or_init(|| source(Version::MySql56, 564));
    each_stops_the_task(source, gtid97());
}
