//! Transactions, and how the source writes them to its log.

use crate::case::{CASE, Case, From};

const IMAGES_SETUP: &str = "
CREATE TABLE t (id INT PRIMARY KEY, a INT, b TEXT, c BLOB, d VARCHAR(20) NOT NULL DEFAULT 'given', e DATETIME(3) NULL);
INSERT INTO t VALUES (1, 1, 'one', x'01', 'd', NULL), (2, 2, 'two', NULL, 'd', '2024-01-01 00:00:00'), (3, NULL, NULL, x'00', 'd', NULL);
CREATE TABLE u (id INT PRIMARY KEY, a INT, b TEXT, UNIQUE (a));
INSERT INTO u VALUES (1, 1, 'one'), (2, 2, 'two'), (3, NULL, NULL);
CREATE TABLE keyless (a INT, b TEXT, c BLOB);
INSERT INTO keyless VALUES (1, 'one', x'01'), (1, 'one', x'01'), (NULL, NULL, NULL);
";

const IMAGES_CHANGES: &str = "
INSERT INTO t (id, a) VALUES (4, 4);
INSERT INTO t VALUES (5, 5, 'five', x'05', 'e', '2024-01-01 00:00:00.001');
UPDATE t SET a = 10 WHERE id = 1;
UPDATE t SET b = 'changed' WHERE id = 2;
UPDATE t SET b = NULL, c = NULL WHERE id = 1;
UPDATE t SET id = 30 WHERE id = 3;
UPDATE t SET a = a + 1;
DELETE FROM t WHERE id = 5;
UPDATE u SET a = a + 10 ORDER BY a DESC;
UPDATE u SET b = 'changed' WHERE id = 3;
UPDATE u SET a = 1 WHERE id = 3;
DELETE FROM u WHERE id = 2;
INSERT INTO u (id) VALUES (4);
UPDATE keyless SET b = 'changed' WHERE a = 1 LIMIT 1;
DELETE FROM keyless WHERE b = 'one';
INSERT INTO keyless (a) VALUES (2);
UPDATE keyless SET c = x'ff' WHERE a IS NULL;
";

pub(super) const CASES: &[Case] = &[
    Case {
        trap: 54,
        peer: &["right-savepoints"],
        title: "ROLLBACK TO SAVEPOINT",
        setup: "
CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, n INT);
INSERT INTO t (n) VALUES (1), (2);
",
        changes: "
BEGIN;
INSERT INTO t (n) VALUES (3);
SAVEPOINT one;
INSERT INTO t (n) VALUES (4);
UPDATE t SET n = n + 100;
SAVEPOINT `two 2`;
DELETE FROM t;
ROLLBACK TO SAVEPOINT `two 2`;
ROLLBACK TO one;
INSERT INTO t (n) VALUES (5);
RELEASE SAVEPOINT one;
COMMIT;
BEGIN;
DELETE FROM t;
ROLLBACK;
",
        ..CASE
    },
    Case {
        trap: 54,
        part: "b",
        title: "a transaction that wrote to a table without transactions, and is rolled back",
        from: From::Only56,
        setup: "
CREATE TABLE t (id INT PRIMARY KEY, n INT);
CREATE TABLE m (id INT PRIMARY KEY, n INT) ENGINE = MyISAM;
INSERT INTO t VALUES (1, 1);
INSERT INTO m VALUES (1, 1);
",
        changes: "
BEGIN;
INSERT INTO t VALUES (2, 2);
INSERT INTO m VALUES (2, 2);
INSERT INTO t VALUES (3, 3);
ROLLBACK;
INSERT INTO t VALUES (4, 4);
",
        follow: crate::case::Outcome::Stops("MyISAM"),
        note: "to follow, a table must have transactions at the destination",
        ..CASE
    },
    Case {
        trap: 57,
        peer: &["right-compression"],
        title: "compressed transactions",
        from: From::Only97,
        session: "SET binlog_transaction_compression = ON",
        setup: "
CREATE TABLE t (id INT PRIMARY KEY, x TEXT, n INT);
INSERT INTO t VALUES (1, REPEAT('compress ', 1000), 1), (2, '', 2);
",
        changes: "
INSERT INTO t VALUES (3, REPEAT('more ', 5000), 3), (4, NULL, 4);
UPDATE t SET n = n + 1;
BEGIN;
UPDATE t SET x = CONCAT(x, x) WHERE id = 1;
DELETE FROM t WHERE id = 2;
SAVEPOINT s;
DELETE FROM t;
ROLLBACK TO s;
COMMIT;
SET binlog_transaction_compression_level_zstd = 20;
INSERT INTO t VALUES (5, REPEAT('again ', 10000), 5);
ALTER TABLE t ADD COLUMN m INT NOT NULL DEFAULT 7;
INSERT INTO t VALUES (6, 'six', 6, 6);
",
        ..CASE
    },
    Case {
        trap: 59,
        peer: &["19"],
        title: "`binlog_row_image = MINIMAL`",
        session: "SET binlog_row_image = 'MINIMAL'",
        setup: IMAGES_SETUP,
        changes: IMAGES_CHANGES,
        ..CASE
    },
    Case {
        trap: 59,
        part: "b",
        peer: &["2"],
        title: "`binlog_row_image = NOBLOB`",
        session: "SET binlog_row_image = 'NOBLOB'",
        setup: IMAGES_SETUP,
        changes: IMAGES_CHANGES,
        ..CASE
    },
    Case {
        trap: 59,
        part: "c",
        title: "minimal images of rows whose columns a lax session left out",
        session: "SET sql_mode = '', binlog_row_image = 'MINIMAL'",
        setup: "
CREATE TABLE t (id INT PRIMARY KEY, a INT NOT NULL, b TEXT NOT NULL, c DATETIME NOT NULL, e ENUM('x', 'y') NOT NULL, s SET('p') NOT NULL, f DOUBLE NOT NULL, g VARBINARY(5) NOT NULL, h BINARY(3) NOT NULL, i TIME(2) NOT NULL, y YEAR NOT NULL, bits BIT(3) NOT NULL, d DECIMAL(5,2) NOT NULL, n INT DEFAULT 5, w TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);
INSERT INTO t (id) VALUES (1);
",
        changes: "
INSERT INTO t (id) VALUES (2), (3);
INSERT INTO t (id, b) VALUES (4, 'four');
UPDATE t SET n = 6 WHERE id = 2;
REPLACE INTO t (id, a) VALUES (3, 7);
DELETE FROM t WHERE id = 1;
",
        ..CASE
    },
    Case {
        trap: 59,
        part: "e",
        title: "minimal images of a table with several keys that could be the primary one",
        session: "SET binlog_row_image = 'MINIMAL'",
        setup: "
CREATE TABLE t (a INT NOT NULL, b TIME(2) NOT NULL, c DATE NOT NULL, d TEXT, UNIQUE KEY maybe (d(9)), UNIQUE KEY z (b, a), UNIQUE KEY a (c));
INSERT INTO t VALUES (1, '01:00:00', '2024-01-01', 'one'), (2, '02:00:00', '2024-01-02', 'two'), (3, '03:00:00', '2024-01-03', 'three'), (4, '04:00:00', '2024-01-04', NULL);
",
        changes: "
UPDATE t SET d = 'uno' WHERE a = 1;
UPDATE t SET a = 20, d = 'due' WHERE a = 2;
DELETE FROM t WHERE a = 3;
INSERT INTO t VALUES (5, '05:00:00', '2024-01-03', 'five');
ALTER TABLE t ADD UNIQUE KEY aa (a), ADD UNIQUE KEY bb (b);
UPDATE t SET a = 6 WHERE a = 5;
DELETE FROM t WHERE a = 4;
",
        ..CASE
    },
    Case {
        trap: 59,
        part: "f",
        title: "minimal images of new rows whose key is a default, behind a slow transaction",
        session: "SET sql_mode = '', binlog_row_image = 'MINIMAL'",
        setup: "
CREATE TABLE t (k INT NOT NULL, a INT, PRIMARY KEY (k));
INSERT INTO t (a) VALUES (1);
INSERT INTO t VALUES (7, 7);
CREATE TABLE ten (n INT PRIMARY KEY);
INSERT INTO ten VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
CREATE TABLE slow (n INT PRIMARY KEY, s CHAR(200));
",
        changes: "
BEGIN;
INSERT INTO slow SELECT a.n * 1000 + b.n * 100 + c.n * 10 + d.n, 'slow' FROM ten a, ten b, ten c, ten d;
UPDATE t SET a = 8 WHERE k = 7;
COMMIT;
BEGIN;
UPDATE t SET a = 9 WHERE k = 7;
DELETE FROM t WHERE k = 0;
COMMIT;
INSERT INTO t (a) VALUES (3);
UPDATE t SET k = 1 WHERE k = 0;
INSERT INTO t (a) VALUES (4);
",
        ..CASE
    },
    Case {
        trap: 59,
        part: "d",
        title: "`binlog_row_metadata = FULL`",
        from: From::Only97,
        setup: IMAGES_SETUP,
        changes: "
SET GLOBAL binlog_row_metadata = 'FULL';
INSERT INTO t (id, a) VALUES (4, 4);
UPDATE t SET a = 10, b = 'b' WHERE id = 1;
DELETE FROM t WHERE id = 2;
UPDATE u SET a = a + 10 ORDER BY a DESC;
DELETE FROM keyless LIMIT 1;
SET GLOBAL binlog_row_metadata = 'MINIMAL';
INSERT INTO t (id, a) VALUES (6, 6);
",
        ..CASE
    },
    Case {
        trap: 63,
        title: "transactions with tagged GTIDs",
        from: From::Only97,
        session: "SET gtid_next = 'AUTOMATIC:shop'",
        setup: "
CREATE TABLE t (id INT PRIMARY KEY, n INT);
INSERT INTO t VALUES (1, 1);
",
        changes: "
INSERT INTO t VALUES (2, 2);
UPDATE t SET n = n + 1;
ALTER TABLE t ADD COLUMN m INT;
INSERT INTO t VALUES (3, 3, 3);
",
        ..CASE
    },
    Case {
        trap: 56,
        peer: &["right-large-rows"],
        title: "row events over 16 MiB, which travel in several packets",
        setup: "
CREATE TABLE t (id INT PRIMARY KEY, b LONGBLOB);
INSERT INTO t VALUES (1, REPEAT('x', 17000000)), (2, '');
",
        changes: "
UPDATE t SET b = REPEAT('y', 16777215 - 20) WHERE id = 2;
UPDATE t SET b = CONCAT(b, 'z') WHERE id = 1;
INSERT INTO t VALUES (3, REPEAT(x'00', 16777216));
UPDATE t SET id = 4 WHERE id = 3;
DELETE FROM t WHERE id = 1;
",
        note: "scaled down: the events are of 34 MB, not of 1 GiB",
        ..CASE
    },
];
