//! Dates and times.

use crate::case::{CASE, Case, From, Outcome};

pub(super) const CASES: &[Case] = &[
    Case {
        trap: 7,
        peer: &["right-time"],
        title: "TIME below zero, with fractions, and at its edges",
        setup: "
CREATE TABLE t (id INT PRIMARY KEY, a TIME, b TIME(1), c TIME(2), d TIME(3), e TIME(4), f TIME(5), g TIME(6));
INSERT INTO t VALUES (1, '-838:59:59', '-838:59:58.9', '-00:00:00.01', '-00:00:00.001', '-00:00:00.0001', '-00:00:00.00001', '-00:00:00.000001'), (2, '838:59:59', '838:59:58.9', '00:00:00.01', '00:00:00.001', '00:00:00.0001', '00:00:00.00001', '00:00:00.000001'), (3, 0, 0, 0, 0, 0, 0, 0), (4, '-01:00:00', '-00:59:59.9', '-00:00:01.00', '-00:00:00.999', '-10:00:00', '-838:59:58.99999', '-838:59:58.999999');
CREATE TABLE k (t TIME(6) PRIMARY KEY, n INT);
INSERT INTO k VALUES ('-00:00:00.000001', 1), ('00:00:00.000001', 2), ('-838:59:59', 3), ('00:00:00', 4);
",
        changes: "
INSERT INTO t SELECT id + 10, a, b, c, d, e, f, g FROM t;
UPDATE t SET a = '-00:00:01', b = '-00:00:00.1', c = '-00:00:00.99', g = '-00:00:59.999999' WHERE id = 13;
UPDATE k SET n = n + 1;
UPDATE k SET t = '-00:00:00.000002' WHERE n = 2;
DELETE FROM k WHERE n = 4;
",
        ..CASE
    },
    Case {
        trap: 8,
        peer: &["9", "17"],
        title: "zero dates and dates with a zero in them, to a strict destination",
        session: "SET sql_mode = ''",
        setup: "
CREATE TABLE t (id INT PRIMARY KEY, d DATE NOT NULL, dn DATE, dt DATETIME NOT NULL, dtn DATETIME(6), ts TIMESTAMP NULL, tz TIMESTAMP NOT NULL DEFAULT '0000-00-00 00:00:00');
INSERT INTO t VALUES (1, '0000-00-00', '0000-00-00', '0000-00-00 00:00:00', '0000-00-00 00:00:00', '0000-00-00 00:00:00', '0000-00-00 00:00:00'), (2, '2024-00-10', '2024-00-00', '2024-00-10 10:11:12', '2024-10-00 01:02:03.4', NULL, '2024-01-01 00:00:00'), (3, '0000-01-01', '0000-00-31', '0000-01-01 00:00:00', NULL, '1970-01-01 00:00:01', 0);
SET sql_mode = 'ALLOW_INVALID_DATES';
INSERT INTO t VALUES (4, '2024-02-31', '2023-02-29', '2024-02-31 23:59:59', '2024-11-31 00:00:00.000001', NULL, 0);
CREATE TABLE k (d DATE, dt DATETIME, n INT, PRIMARY KEY (d, dt));
INSERT INTO k VALUES (0, 0, 1), ('2024-00-10', '2024-02-31', 2);
",
        changes: "
INSERT INTO t SELECT id + 10, d, dn, dt, dtn, ts, tz FROM t;
UPDATE t SET d = '2024-02-30', dn = NULL, dt = 0, dtn = '0000-00-00 00:00:00', ts = 0, tz = 0 WHERE id = 12;
UPDATE t SET dn = 0 WHERE id = 11;
UPDATE k SET n = n + 1;
UPDATE k SET d = '2024-10-00' WHERE n = 3;
DELETE FROM k WHERE n = 2;
",
        ..CASE
    },
    Case {
        trap: 9,
        title: "the first TIMESTAMP and the zero one stay apart, the last one too",
        setup: "
CREATE TABLE t (id INT PRIMARY KEY, ts TIMESTAMP NULL, ts6 TIMESTAMP(6) NULL, UNIQUE (ts));
INSERT INTO t VALUES (1, '1970-01-01 00:00:01', '1970-01-01 00:00:01.000000'), (2, 0, 0), (3, '2038-01-19 03:14:07', '2038-01-19 03:14:07.999999'), (4, NULL, NULL);
",
        changes: "
UPDATE t SET ts6 = '1970-01-01 00:00:01.000001' WHERE ts = 0;
UPDATE t SET ts6 = 0 WHERE id = 1;
DELETE FROM t WHERE id = 2;
INSERT INTO t VALUES (5, 0, '1970-01-01 00:00:01');
",
        ..CASE
    },
    Case {
        trap: 10,
        peer: &["18", "right-year"],
        title: "YEAR 0000, 1901 and 2155",
        setup: "
CREATE TABLE t (id INT PRIMARY KEY, y YEAR, z YEAR NOT NULL);
INSERT INTO t VALUES (1, 0, '0000'), (2, 1901, 2155), (3, NULL, 2000), (4, '00', '69'), (5, 1970, 1970);
CREATE TABLE k (y YEAR PRIMARY KEY, n INT);
INSERT INTO k VALUES ('0000', 1), (1901, 2), (2155, 3), (2000, 4);
",
        changes: "
INSERT INTO t SELECT id + 10, z, IFNULL(y, 0) FROM t;
UPDATE t SET y = '0000' WHERE id = 2;
UPDATE k SET n = n + 1;
DELETE FROM k WHERE y = '0000';
UPDATE k SET y = '0000' WHERE y = 2000;
",
        ..CASE
    },
    Case {
        trap: 11,
        title: "TIMESTAMP around both changes of the clocks, written in the server's own zone (Berlin) and read back in New York's",
        session: "SET time_zone = 'SYSTEM'",
        setup: "
CREATE TABLE t (id INT PRIMARY KEY, ts TIMESTAMP NULL, dt DATETIME);
INSERT INTO t VALUES (1, '2024-03-31 01:59:59', '2024-03-31 02:30:00'), (2, '2024-03-31 03:00:00', '2024-03-31 02:30:00'), (3, '2024-10-27 02:30:00', '2024-10-27 02:30:00');
SET time_zone = '+00:00';
INSERT INTO t VALUES (4, '2024-10-27 00:30:00', NULL), (5, '2024-10-27 01:30:00', NULL), (6, '2024-11-03 05:30:00', NULL), (7, '2024-11-03 06:30:00', NULL), (8, '2024-03-10 06:59:59', NULL), (9, '2024-03-10 07:00:00', NULL);
CREATE TABLE k (ts TIMESTAMP(3) NOT NULL DEFAULT '2000-01-01 00:00:00', n INT, PRIMARY KEY (ts));
INSERT INTO k SELECT ts, id FROM t WHERE id > 3;
SET time_zone = 'SYSTEM';
",
        changes: "
INSERT INTO t SELECT id + 20, ts, dt FROM t;
UPDATE t SET ts = '2024-10-27 02:30:01' WHERE id = 23;
UPDATE t SET dt = ts;
UPDATE k SET n = n + 10;
DELETE FROM k WHERE n IN (14, 16);
SET time_zone = '+01:00';
CREATE TABLE d (id INT PRIMARY KEY, ts TIMESTAMP NOT NULL DEFAULT '2024-10-27 01:30:00');
INSERT INTO d (id) VALUES (1);
SET time_zone = '-05:00';
ALTER TABLE d ADD COLUMN u TIMESTAMP NOT NULL DEFAULT '2024-07-01 00:00:00';
INSERT INTO d (id) VALUES (2);
",
        queries: &["SELECT id, UNIX_TIMESTAMP(ts) FROM {db}.t ORDER BY id"],
        ..CASE
    },
    Case {
        trap: 11,
        part: "b",
        title: "a statement that reads a time in the server's own zone, which is no zone of the destination's",
        session: "SET time_zone = 'SYSTEM'",
        setup: "
CREATE TABLE t (id INT PRIMARY KEY, n INT);
INSERT INTO t VALUES (1, 1);
",
        changes: "
ALTER TABLE t ADD COLUMN ts TIMESTAMP NOT NULL DEFAULT '2024-10-27 01:30:00';
INSERT INTO t (id, n) VALUES (2, 2);
",
        follow: Outcome::Stops("time_zone = SYSTEM"),
        ..CASE
    },
    Case {
        trap: 12,
        title: "ON UPDATE CURRENT_TIMESTAMP: the source's value, not the destination's clock",
        session: "SET timestamp = 1500000000",
        setup: "
CREATE TABLE t (id INT PRIMARY KEY, n INT, ts TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, dt DATETIME(6) DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6));
INSERT INTO t (id, n) VALUES (1, 1), (2, 2), (3, 3), (4, 4);
",
        changes: "
SET timestamp = 1500003600;
UPDATE t SET n = n + 1 WHERE id < 3;
UPDATE t SET n = n + 1, ts = ts, dt = dt WHERE id = 3;
UPDATE t SET n = n + 1, ts = '1999-12-31 23:59:59', dt = NULL WHERE id = 4;
INSERT INTO t (id, n) VALUES (5, 5) ON DUPLICATE KEY UPDATE n = 6;
INSERT INTO t (id, n) VALUES (5, 5) ON DUPLICATE KEY UPDATE n = 6;
ALTER TABLE t ADD COLUMN more TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP;
INSERT INTO t (id, n) VALUES (6, 6);
",
        note: "a column added with DEFAULT CURRENT_TIMESTAMP gets the statement's own time at the source",
        ..CASE
    },
    Case {
        trap: 13,
        peer: &["right-datetime"],
        title: "DATETIME and TIMESTAMP with 0 to 6 digits of a second",
        setup: "
CREATE TABLE t (id INT PRIMARY KEY, a DATETIME(0), b DATETIME(1), c DATETIME(2), d DATETIME(3), e DATETIME(4), f DATETIME(5), g DATETIME(6), h TIMESTAMP(1) NULL, i TIMESTAMP(3) NULL, j TIMESTAMP(5) NULL, k TIMESTAMP(6) NULL);
INSERT INTO t VALUES (1, '9999-12-31 23:59:59', '9999-12-31 23:59:59.9', '9999-12-31 23:59:59.99', '9999-12-31 23:59:59.999', '9999-12-31 23:59:59.9999', '9999-12-31 23:59:59.99999', '9999-12-31 23:59:59.999999', '2038-01-19 03:14:07.9', '2038-01-19 03:14:07.999', '2038-01-19 03:14:07.99999', '2038-01-19 03:14:07.999999'), (2, '1000-01-01', '1000-01-01 00:00:00.1', '1000-01-01 00:00:00.01', '1000-01-01 00:00:00.001', '1000-01-01 00:00:00.0001', '1000-01-01 00:00:00.00001', '1000-01-01 00:00:00.000001', '1970-01-01 00:00:01.1', '1970-01-01 00:00:01.001', '1970-01-01 00:00:01.00001', '1970-01-01 00:00:01.000001'), (3, '0001-01-01', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE k (d DATETIME(6), t TIMESTAMP(6), n INT, PRIMARY KEY (d, t));
INSERT INTO k VALUES ('2024-01-01 00:00:00.000001', '2024-01-01 00:00:00.000001', 1), ('2024-01-01 00:00:00.000002', '2024-01-01 00:00:00.000002', 2);
",
        changes: "
INSERT INTO t SELECT id + 10, a, b, c, d, e, f, g, h, i, j, k FROM t;
UPDATE t SET a = '2024-02-29 12:00:00', g = '2024-02-29 12:00:00.000001', k = '2024-02-29 12:00:00.100000' WHERE id = 12;
UPDATE k SET n = n + 1;
UPDATE k SET d = '2023-01-01 00:00:00.000003' WHERE n = 3;
DELETE FROM k WHERE n = 2;
",
        ..CASE
    },
    Case {
        trap: 0,
        peer: &["right-time-keys"],
        title: "DATE, DATETIME, TIMESTAMP and TIME as keys",
        from: From::Both,
        setup: "
CREATE TABLE a (k DATE PRIMARY KEY, n INT);
INSERT INTO a VALUES ('1000-01-01', 1), ('2024-02-29', 2), ('9999-12-31', 3);
CREATE TABLE b (k DATETIME(3) PRIMARY KEY, n INT);
INSERT INTO b VALUES ('1000-01-01', 1), ('2024-02-29 00:00:00.001', 2), ('9999-12-31 23:59:59.999', 3);
CREATE TABLE c (k TIMESTAMP PRIMARY KEY, n INT);
INSERT INTO c VALUES ('1970-01-01 00:00:01', 1), ('2024-02-29 00:00:00', 2), ('2038-01-19 03:14:07', 3);
CREATE TABLE d (k TIME PRIMARY KEY, n INT);
INSERT INTO d VALUES ('-838:59:59', 1), ('00:00:00', 2), ('838:59:59', 3);
",
        changes: "
UPDATE a SET k = k - INTERVAL 1 DAY WHERE n > 1;
DELETE FROM a WHERE n = 1;
UPDATE b SET k = k - INTERVAL 1 SECOND WHERE n > 1;
DELETE FROM b WHERE n = 1;
UPDATE c SET k = k - INTERVAL 1 SECOND WHERE n > 1;
DELETE FROM c WHERE n = 1;
UPDATE d SET k = '-00:00:01' WHERE n > 2;
DELETE FROM d WHERE n = 1;
",
        ..CASE
    },
];
