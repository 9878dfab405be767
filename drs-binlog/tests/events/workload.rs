//! Statements that make a server log every kind of event that it can be made to log.
use std::{fs, path::PathBuf};

use drs_testkit::{Server, Version};
use mysql::{Conn, prelude::Queryable};

/// Runs everything that this version knows in a database of that name, and
/// goes over to a new file. Returns the files that are complete then.
pub(crate) fn run(server: &Server, database: &str, gtid: bool) -> Vec<PathBuf> {
    let version = server.installation().version();
    let mut conn = server.conn().unwrap();
    let mut run = |sql: &str| execute(&mut conn, sql);
    run(&format!(
        "CREATE DATABASE {database} DEFAULT CHARACTER SET utf8"
    ));
    run(&format!("USE {database}"));
    run("CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, n INT, s VARCHAR(2000)) ENGINE=InnoDB");
    run("CREATE TABLE plain (id INT, s TEXT) ENGINE=MyISAM");

    // Transactions of rows, one of them with a savepoint.
    run("INSERT INTO t (n, s) VALUES (1, 'one'), (2, 'two'), (3, NULL)");
    run("DELETE FROM t WHERE id = 2");
    run("BEGIN");
    run("UPDATE t SET n = n + 10 WHERE id < 3");
    run("SAVEPOINT half");
    run("DELETE FROM t WHERE id = 3");
    if !gtid {
        run("INSERT INTO plain VALUES (0, 'not transactional')");
    }
    run("ROLLBACK TO half");
    run("COMMIT");
    if !gtid {
        run("BEGIN");
        run("INSERT INTO plain VALUES (1, 'stays')");
        run("INSERT INTO t (n) VALUES (99)");
        run("INSERT INTO plain VALUES (2, 'stays too')");
        run("ROLLBACK");
    }
    run("INSERT INTO plain VALUES (3, 'alone')");

    // Statements, and what they need.
    run(
        "SET SESSION binlog_format = STATEMENT, @v = 'text', @u = 18446744073709551615, @d = 1.50, @n = NULL, @r = 1e0",
    );
    run("INSERT INTO t (n, s) VALUES (4, @v), (5, @u), (6, @d), (7, @n), (8, @r)");
    run("INSERT INTO t (n, s) VALUES (RAND() * 100, LAST_INSERT_ID())");
    run("INSERT INTO plain VALUES (1, RAND())");
    // A path from the data folder on, so that the log looks the same wherever the server is.
    let data = format!("{database}.load");
    let path = server.data_dir().join(&data);
    fs::write(path, "100\tloaded\n101\tloaded too\n").unwrap();
    run(&format!(
        "LOAD DATA INFILE './{data}' IGNORE INTO TABLE t (n, s)"
    ));
    run("SET SESSION binlog_format = ROW");

    // DDL with much of a session.
    run(
        "SET SESSION auto_increment_increment = 5, auto_increment_offset = 2, time_zone = '+03:00', lc_time_names = 'de_DE', foreign_key_checks = 0",
    );
    match gtid && version == Version::MySql56 {
        true => run("CREATE TABLE dated (d DATETIME)"),
        false => run("CREATE TABLE dated AS SELECT now() AS d"),
    }
    run("CREATE DEFINER = CURRENT_USER PROCEDURE p() SELECT 1");
    run(
        "SET SESSION auto_increment_increment = 1, auto_increment_offset = 1, foreign_key_checks = 1",
    );
    run("TRUNCATE TABLE dated");
    run("DROP TABLE dated");

    if version != Version::MySql56 {
        // Prepared, committed later; and committed in one phase.
        run(&format!("XA START '{database}','branch',7"));
        run("INSERT INTO t (n) VALUES (200)");
        run(&format!("XA END '{database}','branch',7"));
        run(&format!("XA PREPARE '{database}','branch',7"));
        run(&format!("XA COMMIT '{database}','branch',7"));
    }
    run(&format!("XA START '{database}2'"));
    run("INSERT INTO t (n) VALUES (201)");
    run(&format!("XA END '{database}2'"));
    run(&format!("XA COMMIT '{database}2' ONE PHASE"));

    match version {
        Version::MySql97 => mysql_97(&mut run, gtid),
        Version::MySql56 => {
            run("SET SESSION binlog_rows_query_log_events = ON");
            run("INSERT INTO t (n) VALUES (300)");
            run("SET SESSION binlog_rows_query_log_events = OFF, binlog_row_image = MINIMAL");
            run("UPDATE t SET n = 301 WHERE n = 300");
            run("SET SESSION binlog_row_image = FULL");
        }
        Version::MariaDb1011 => {
            run("SET GLOBAL log_bin_compress = ON, log_bin_compress_min_len = 10");
            run("INSERT INTO t (n, s) VALUES (400, repeat('compressed', 100))");
            run("UPDATE t SET s = repeat('more', 100) WHERE n = 400");
            run("DELETE FROM t WHERE n = 400");
            run(
                "CREATE TABLE long_text (id INT COMMENT 'a comment that makes the statement long enough to be worth it')",
            );
            run("SET GLOBAL log_bin_compress = OFF");
        }
        other => panic!("no statements for {other}"),
    }
    run("FLUSH LOGS");
    let mut files = server.binlog_files().unwrap();
    files.pop();
    files
}

pub(crate) fn execute(conn: &mut Conn, sql: &str) {
    if let Err(error) = conn.query_drop(sql) {
        panic!("{error}\nin {sql}");
    }
}

fn mysql_97(run: &mut dyn FnMut(&str), gtid: bool) {
    run("SET SESSION binlog_rows_query_log_events = ON");
    run("INSERT INTO t (n) VALUES (300)");
    run("SET SESSION binlog_rows_query_log_events = OFF, binlog_row_image = MINIMAL");
    run("UPDATE t SET n = 301 WHERE n = 300");
    run("SET SESSION binlog_row_image = FULL");

    run("CREATE TABLE doc (id INT PRIMARY KEY, j JSON)");
    run("INSERT INTO doc VALUES (1, JSON_OBJECT('a', repeat('x', 100), 'b', 2))");
    run("SET SESSION binlog_row_value_options = PARTIAL_JSON");
    run("UPDATE doc SET j = JSON_SET(j, '$.b', 3) WHERE id = 1");
    run("SET SESSION binlog_row_value_options = ''");

    run("SET SESSION binlog_transaction_compression = ON");
    run("BEGIN");
    for n in 0..20 {
        run(&format!(
            "INSERT INTO t (n, s) VALUES ({n}, repeat('c', 1000))"
        ));
    }
    run("COMMIT");
    run("SET SESSION binlog_transaction_compression = OFF");

    if gtid {
        run("SET SESSION gtid_next = 'AUTOMATIC:a_tag'");
        run("INSERT INTO t (n) VALUES (500)");
        run("SET SESSION gtid_next = 'AUTOMATIC'");
    }
}
