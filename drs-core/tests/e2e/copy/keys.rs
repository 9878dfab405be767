use drs_testkit::Server;
use mysql::prelude::Queryable;

use super::run::CopyTest;
use crate::servers::{gtid97, plain56, plain97, run};

/// Numbers 0 to 999, to make rows from.
pub(crate) const NUMBERS: &str = "CREATE TABLE digits (d INT NOT NULL PRIMARY KEY);
INSERT INTO digits VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9);
CREATE TABLE n (n INT NOT NULL PRIMARY KEY);
INSERT INTO n SELECT a.d + 10 * b.d + 100 * c.d FROM digits a, digits b, digits c";

/// A table each: name, columns and key, and the SELECT that fills it.
pub(crate) const TABLES: &[(&str, &str, &str)] = &[
    (
        "negative",
        "id BIGINT NOT NULL PRIMARY KEY, v INT",
        "SELECT n * 7 - 3000, n FROM n",
    ),
    (
        "large",
        "id BIGINT UNSIGNED NOT NULL PRIMARY KEY",
        "SELECT 18446744073709551615 - n * 3 FROM n",
    ),
    (
        "composite",
        "a INT NOT NULL, b VARCHAR(20) CHARACTER SET latin1 NOT NULL, c INT NOT NULL, PRIMARY KEY (a, b, c)",
        "SELECT n DIV 300, IF(n % 3 = 0, '', CONCAT('k', n DIV 10)), n FROM n",
    ),
    (
        "latin1",
        "k VARCHAR(30) CHARACTER SET latin1 COLLATE latin1_swedish_ci NOT NULL PRIMARY KEY",
        "SELECT CONCAT(CONVERT(CHAR(65 + n % 60 USING latin1) USING utf8), n) FROM n",
    ),
    (
        "utf16",
        "k VARCHAR(30) CHARACTER SET utf16 NOT NULL PRIMARY KEY",
        "SELECT CONCAT(IF(n % 2, 'é', 'Z'), n) FROM n",
    ),
    (
        "uuid",
        "k CHAR(36) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL PRIMARY KEY",
        "SELECT CONCAT(LEFT(SHA2(n, 256), 30), 'a ') FROM n",
    ),
    (
        "bytes",
        "k BINARY(16) NOT NULL PRIMARY KEY",
        "SELECT UNHEX(CONCAT(LEFT(SHA2(n, 256), 28), '0000')) FROM n",
    ),
    (
        "varbytes",
        "k VARBINARY(40) NOT NULL PRIMARY KEY",
        "SELECT CONCAT(CHAR(n % 256), n) FROM n",
    ),
    (
        "decimals",
        "k DECIMAL(20,10) NOT NULL PRIMARY KEY",
        "SELECT (n - 500) * 1.0000000003 FROM n",
    ),
    (
        "floats",
        "k FLOAT NOT NULL PRIMARY KEY",
        "SELECT (n - 500) / 10 FROM n",
    ),
    (
        "doubles",
        "k DOUBLE NOT NULL PRIMARY KEY",
        "SELECT (n - 500) * 1e-310 FROM n",
    ),
    (
        "dates",
        "k DATE NOT NULL PRIMARY KEY",
        "SELECT IF(n = 0, '0000-00-00', IF(n = 1, '2024-02-31', DATE('2020-01-01') + INTERVAL n DAY)) FROM n",
    ),
    (
        "datetimes",
        "k DATETIME(6) NOT NULL PRIMARY KEY",
        "SELECT TIMESTAMP('2020-01-01') + INTERVAL n * 7 MICROSECOND FROM n",
    ),
    (
        "timestamps",
        "k TIMESTAMP(3) NOT NULL DEFAULT '2000-01-01' PRIMARY KEY",
        "SELECT IF(n = 0, 0, FROM_UNIXTIME(1729987200 + n * 10 + 0.125)) FROM n",
    ),
    (
        "spans",
        "k TIME(2) NOT NULL PRIMARY KEY",
        "SELECT SEC_TO_TIME((n - 500) * 3 + 0.25) FROM n",
    ),
    (
        "years",
        "k YEAR NOT NULL, n INT NOT NULL, PRIMARY KEY (k, n)",
        "SELECT IF(n % 10 = 0, 0, 1901 + n DIV 4), n FROM n",
    ),
    (
        "bits",
        "k BIT(64) NOT NULL PRIMARY KEY",
        "SELECT CAST(n AS UNSIGNED) + 9223372036854775300 FROM n",
    ),
    (
        "enums",
        "e ENUM('z','y','x') NOT NULL, s SET('a','b','c') NOT NULL, n INT NOT NULL, PRIMARY KEY (e, s, n)",
        "SELECT 1 + n % 3, n % 8, n FROM n",
    ),
    (
        "widest",
        "k SET('a00','a01','a02','a03','a04','a05','a06','a07','a08','a09','a10','a11','a12','a13','a14','a15','a16','a17','a18','a19','a20','a21','a22','a23','a24','a25','a26','a27','a28','a29','a30','a31','a32','a33','a34','a35','a36','a37','a38','a39','a40','a41','a42','a43','a44','a45','a46','a47','a48','a49','a50','a51','a52','a53','a54','a55','a56','a57','a58','a59','a60','a61','a62','a63') NOT NULL PRIMARY KEY",
        "SELECT (n * 1000) | IF(n % 2, 0, 9223372036854775808) FROM n",
    ),
    (
        "second",
        "a INT NULL, b INT NOT NULL, c VARCHAR(5) NOT NULL, UNIQUE KEY nullable (a), UNIQUE KEY prefixed (c(2), b), UNIQUE KEY whole (b)",
        "SELECT IF(n % 2, NULL, n), n, 'abc' FROM n",
    ),
    (
        "one",
        "id INT NOT NULL PRIMARY KEY",
        "SELECT n FROM n WHERE n = 5",
    ),
    (
        "nothing",
        "id INT NOT NULL PRIMARY KEY",
        "SELECT n FROM n WHERE n < 0",
    ),
];

fn copies_in_small_chunks(source: &'static Server, destination: &'static Server) {
    let mut test = CopyTest::new(source, destination, "keys");
    // No row is so small that a chunk takes more than a tenth of a table.
    test.options.chunk_bytes = 600;
    let mut conn = test.at_source();
    run(&mut conn, NUMBERS);
    for (name, columns, fill) in TABLES {
        run(
            &mut conn,
            &format!("CREATE TABLE {name} ({columns}) ENGINE = InnoDB;\nINSERT INTO {name} {fill}"),
        );
    }
    let outcome = test.copy().unwrap();
    test.assert_equal();
    let expected: u64 = conn
        .query_first::<u64, _>(
            TABLES
                .iter()
                .map(|(name, ..)| format!("(SELECT COUNT(*) FROM {name})"))
                .collect::<Vec<_>>()
                .join(" + ")
                .replacen('(', "SELECT (", 1),
        )
        .unwrap()
        .unwrap()
        + 1010;
    assert_eq!(
        (outcome.rows, outcome.conflicts),
        (expected, 0),
        "no row twice, none missed"
    );
    for (name, ..) in TABLES
        .iter()
        .filter(|(name, ..)| !matches!(*name, "one" | "nothing"))
    {
        assert!(test.chunks(name) >= 5, "{name}: {}", test.chunks(name));
    }
}

#[test]
fn every_kind_of_key_at_97() {
    copies_in_small_chunks(gtid97(), plain97());
}

#[test]
fn every_kind_of_key_at_56() {
    copies_in_small_chunks(plain56(), plain97());
}

#[test]
fn keys_of_collations_that_newer_servers_have() {
    let mut test = CopyTest::new(plain97(), gtid97(), "collations");
    test.options.chunk_bytes = 300;
    let mut conn = test.at_source();
    run(&mut conn, NUMBERS);
    run(
        &mut conn,
        "CREATE TABLE ai (k VARCHAR(20) COLLATE utf8mb4_0900_ai_ci NOT NULL PRIMARY KEY);
INSERT INTO ai SELECT CONCAT(ELT(1 + n % 6, 'a', 'é', 'ß', 'Z', '😀', ''), n) FROM n;
CREATE TABLE descending (a INT NOT NULL, b INT NOT NULL, PRIMARY KEY (a DESC, b));
INSERT INTO descending SELECT n DIV 10, n FROM n;
CREATE TABLE computed (a INT NOT NULL, g INT AS (a * 2) STORED NOT NULL, PRIMARY KEY (g));
INSERT INTO computed (a) SELECT n FROM n;
SET sql_generate_invisible_primary_key = ON;
CREATE TABLE hidden (a INT);
SET sql_generate_invisible_primary_key = OFF;
INSERT INTO hidden SELECT n FROM n;
INSERT INTO hidden SELECT n FROM n",
    );
    test.copy().unwrap();
    test.assert_equal();
    for table in ["ai", "descending", "computed", "hidden"] {
        assert!(test.chunks(table) > 5, "{table}");
    }
}

#[test]
fn parts_of_a_composite_key_are_read_through_the_key() {
    for server in [plain56(), plain97()] {
        let test = CopyTest::new(server, gtid97(), "plans");
        let mut conn = test.at_source();
        run(&mut conn, NUMBERS);
        run(
            &mut conn,
            "CREATE TABLE t (a INT NOT NULL, b INT NOT NULL, v CHAR(200), PRIMARY KEY (a, b)) ENGINE = InnoDB;
INSERT INTO t SELECT x.n DIV 100, x.n * 10 + y.d, 'v' FROM n x, digits y",
        );
        let handlers = |conn: &mut mysql::Conn| -> u64 {
            let (_, value): (String, u64) = conn
                .query_first("SHOW SESSION STATUS LIKE 'Handler_read_next'")
                .unwrap()
                .unwrap();
            value
        };
        let before = handlers(&mut conn);
        let rows: u64 = conn
            .query_first(
                "SELECT COUNT(v) FROM t FORCE INDEX (PRIMARY) \
                 WHERE (`a` > 3 OR (`a` = 3 AND (`b` > 3500))) AND (`a` < 4 OR (`a` = 4 AND (`b` <= 4100)))",
            )
            .unwrap()
            .unwrap();
        assert_eq!(rows, 600);
        assert!(handlers(&mut conn) - before < 1000);
    }
}
