//! Integers, bits, and numbers with a point.

use crate::case::{CASE, Case};

pub(super) const CASES: &[Case] = &[
    Case {
        trap: 1,
        peer: &["right-integers"],
        title: "every width of integer with and without sign, at its edges, as value and as key",
        setup: "
CREATE TABLE t (id INT PRIMARY KEY, a TINYINT UNSIGNED, b SMALLINT UNSIGNED, c MEDIUMINT UNSIGNED, d INT UNSIGNED, e BIGINT UNSIGNED, f TINYINT, g SMALLINT, h MEDIUMINT, i INT, j BIGINT);
INSERT INTO t VALUES (1, 255, 65535, 16777215, 4294967295, 18446744073709551615, -128, -32768, -8388608, -2147483648, -9223372036854775808), (2, 128, 32768, 8388608, 2147483648, 9223372036854775808, 127, 32767, 8388607, 2147483647, 9223372036854775807), (3, 0, 0, 8592090, 0, 0, 0, 0, 0, 0, 0);
CREATE TABLE k (a TINYINT UNSIGNED, b SMALLINT UNSIGNED, c MEDIUMINT UNSIGNED, d INT UNSIGNED, e BIGINT UNSIGNED, f BIGINT, n INT, PRIMARY KEY (a, b, c, d, e, f));
INSERT INTO k SELECT a, b, c, d, e, j, id FROM t;
CREATE TABLE u (id BIGINT UNSIGNED PRIMARY KEY, n INT);
INSERT INTO u VALUES (0, 0), (1, 1), (9223372036854775807, 2), (9223372036854775808, 3), (18446744073709551614, 4), (18446744073709551615, 5);
",
        changes: "
INSERT INTO t SELECT id + 10, a, b, c, d, e, f, g, h, i, j FROM t;
UPDATE t SET a = 255 - a, b = 65535 - b, c = 16777215 - c, d = 4294967295 - d, e = 18446744073709551615 - e WHERE id > 10;
UPDATE t SET f = -1 - f, g = -1 - g, h = -1 - h, i = -1 - i, j = -1 - j WHERE id > 10;
DELETE FROM t WHERE id = 1;
UPDATE k SET n = n + 1;
DELETE FROM k WHERE c = 8388608;
UPDATE k SET c = 8592091, e = 9223372036854775809 WHERE c = 8592090;
UPDATE u SET n = n + 100;
DELETE FROM u WHERE id = 9223372036854775808;
UPDATE u SET id = 9223372036854775808 WHERE id = 18446744073709551615;
",
        ..CASE
    },
    Case {
        trap: 2,
        peer: &["right-bit"],
        title: "BIT of 1, 7, 9, 33 and 64 bits, also as a key",
        setup: "
CREATE TABLE t (id INT PRIMARY KEY, a BIT(1), b BIT(7), c BIT(9), d BIT(33), e BIT(64));
INSERT INTO t VALUES (1, b'1', b'1111111', b'100000001', 8589934591, 18446744073709551615), (2, 0, 0, 0, 0, 0), (3, NULL, NULL, NULL, NULL, NULL), (4, 1, 64, 256, 4294967296, 9223372036854775808);
CREATE TABLE k (b BIT(64) PRIMARY KEY, n INT);
INSERT INTO k VALUES (0, 0), (1, 1), (9223372036854775808, 2), (18446744073709551615, 3);
",
        changes: "
INSERT INTO t SELECT id + 10, a, b, c, d, e FROM t;
UPDATE t SET a = 1 - a, b = ~b & 127, c = ~c & 511, d = ~d & 8589934591, e = ~e WHERE id > 10;
UPDATE k SET n = n + 1;
UPDATE k SET b = 7 WHERE b = 18446744073709551615;
DELETE FROM k WHERE b = 9223372036854775808;
",
        ..CASE
    },
    Case {
        trap: 3,
        title: "a FLOAT key of 0.1: its rows are found",
        setup: "
CREATE TABLE t (f FLOAT PRIMARY KEY, n INT);
INSERT INTO t VALUES (0.1, 1), (0.2, 2), (0.3, 3), (16777217, 4), (1e-45, 5);
CREATE TABLE d (d DOUBLE, f FLOAT, n INT, PRIMARY KEY (d, f));
INSERT INTO d VALUES (0.1, 0.1, 1), (0.1 + 0.2e0, 0.7, 2), (5e-324, 3.4e38, 3);
CREATE TABLE keyless (f FLOAT, d DOUBLE, n INT);
INSERT INTO keyless VALUES (0.1, 0.1, 1), (0.1, 0.1, 1), (NULL, 0.2, 2), (0.3, NULL, 3);
",
        changes: "
UPDATE t SET n = n + 10;
DELETE FROM t WHERE n = 12;
UPDATE t SET f = 0.4 WHERE n = 13;
INSERT INTO t VALUES (0.5, 50), (0.6, 60);
UPDATE d SET n = n + 1;
DELETE FROM d WHERE n = 4;
UPDATE d SET d = d * 3, f = f / 3;
UPDATE keyless SET n = n + 10 LIMIT 1;
UPDATE keyless SET d = d / 3, f = f / 3 WHERE n < 10;
DELETE FROM keyless WHERE n = 3;
",
        ..CASE
    },
    Case {
        trap: 4,
        peer: &["right-floats"],
        title: "FLOAT and DOUBLE at their edges, -0.0 and denormal numbers",
        setup: "
CREATE TABLE t (id INT PRIMARY KEY, f FLOAT, d DOUBLE, p FLOAT(7,3), q DOUBLE(10,2), u DOUBLE UNSIGNED);
INSERT INTO t VALUES (1, 3.4028234663852886e38, 1.7976931348623157e308, 9999.999, 99999999.99, 1e308), (2, -0e0, -0e0, -0e0, -0e0, 0), (3, 1.401298464324817e-45, 5e-324, 0.001, 0.01, 5e-324), (4, -3.4028234663852886e38, -1.7976931348623157e308, -9999.999, -99999999.99, 1), (5, 1.17549435e-38, 2.2250738585072014e-308, 0, 0, 0), (6, NULL, NULL, NULL, NULL, NULL), (7, 16777217, 9007199254740993, 0.1, 0.015, 0.1);
",
        changes: "
INSERT INTO t SELECT id + 10, f, d, p, q, u FROM t;
UPDATE t SET f = -f, d = -d WHERE id > 10;
UPDATE t SET f = 0.1, d = 0.1e0 + 0.2e0 WHERE id = 1;
UPDATE t SET f = -0e0, d = -0e0 WHERE id = 3;
UPDATE t SET f = 0, d = 0 WHERE id = 2;
",
        ..CASE
    },
    Case {
        trap: 5,
        peer: &["right-decimal"],
        title: "DECIMAL of all sizes at its edges",
        setup: "
CREATE TABLE t (id INT PRIMARY KEY, a DECIMAL(65,30), b DECIMAL(65,0), c DECIMAL(30,30), d DECIMAL(10,2) UNSIGNED, e DECIMAL(1,1), f DECIMAL(9,9), g DECIMAL(18,9) ZEROFILL);
INSERT INTO t VALUES (1, 99999999999999999999999999999999999.999999999999999999999999999999, 99999999999999999999999999999999999999999999999999999999999999999, 0.999999999999999999999999999999, 99999999.99, 0.9, 0.999999999, 999999999.999999999), (2, -99999999999999999999999999999999999.999999999999999999999999999999, -99999999999999999999999999999999999999999999999999999999999999999, -0.999999999999999999999999999999, 0, -0.9, -0.000000001, 0), (3, -0.000000000000000000000000000001, -1, -0.000000000000000000000000000001, 0.01, 0.1, 0.1, 0.000000001), (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL), (5, 0, 0, 0, 0, 0, 0, 0);
CREATE TABLE k (d DECIMAL(30,10) PRIMARY KEY, n INT);
INSERT INTO k VALUES (-1.5, 1), (0, 2), (0.0000000001, 3), (12345678901234567890.1234567891, 4);
",
        changes: "
INSERT INTO t SELECT id + 10, a, b, c, d, e, f, g FROM t;
UPDATE t SET a = -a, b = -b, c = -c, e = -e, f = -f WHERE id > 10;
UPDATE k SET n = n + 1;
UPDATE k SET d = -d;
DELETE FROM k WHERE n = 4;
",
        ..CASE
    },
    Case {
        trap: 6,
        peer: &["8"],
        title: "0 in an AUTO_INCREMENT column stays 0",
        setup: "
CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, word VARCHAR(20));
INSERT INTO t VALUES (0, 'zero'), (5, 'five');
CREATE TABLE s (id BIGINT UNSIGNED AUTO_INCREMENT, n INT, KEY (id));
INSERT INTO s VALUES (0, 1), (0, 1), (3, 3);
CREATE TABLE e (id INT PRIMARY KEY AUTO_INCREMENT, word VARCHAR(20)) AUTO_INCREMENT = 1000;
",
        changes: "
UPDATE t SET word = 'nought' WHERE id = 0;
DELETE FROM t WHERE id = 0;
INSERT INTO t VALUES (0, 'again');
INSERT INTO s VALUES (0, 2);
INSERT INTO e VALUES (0, 'zero');
SET sql_mode = '';
INSERT INTO e (word) VALUES ('the next');
UPDATE t SET id = 0, word = 'moved' WHERE id = 0;
",
        ..CASE
    },
];
