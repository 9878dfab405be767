//! Keys: what they compare, and in which order they change hands.

use crate::case::{CASE, Case, From};

pub(super) const CASES: &[Case] = &[
    Case {
        trap: 39,
        peer: &["right-key-case"],
        title: "keys that differ in case, accent or trailing blanks only, and change between such",
        setup: "
CREATE TABLE ci (k VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci PRIMARY KEY, n INT);
INSERT INTO ci VALUES ('a', 1), ('e', 2), ('ss', 3);
CREATE TABLE bin (k VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY, n INT);
INSERT INTO bin VALUES ('a', 1), ('A', 2), ('e', 3), ('é', 4), ('ß', 5), ('ss', 6);
CREATE TABLE l1 (k CHAR(10) CHARACTER SET latin1 PRIMARY KEY, u VARCHAR(10) CHARACTER SET latin1, UNIQUE (u));
INSERT INTO l1 VALUES ('a', 'a'), ('ß', 'ss');
",
        changes: "
UPDATE ci SET k = 'A' WHERE k = 'a';
UPDATE ci SET k = 'É' WHERE k = 'e';
UPDATE ci SET k = 'A ' WHERE k = 'a';
DELETE FROM ci WHERE k = 'ss';
INSERT INTO ci VALUES ('SS', 4);
UPDATE bin SET n = n + 10;
DELETE FROM bin WHERE k = 'a';
INSERT INTO bin VALUES ('b', 20), ('B', 21);
UPDATE bin SET k = 'a' WHERE k = 'A';
UPDATE bin SET k = 'A' WHERE k = 'é';
UPDATE l1 SET k = 'A', u = 'A ' WHERE k = 'a';
UPDATE l1 SET u = 'x' WHERE u = 'ss';
INSERT INTO l1 VALUES ('c', 'SS');
",
        ..CASE
    },
    Case {
        trap: 39,
        part: "b",
        title: "the same in the newest collations, which do not pad",
        from: From::Only97,
        setup: "
CREATE TABLE t (k VARCHAR(20) COLLATE utf8mb4_0900_ai_ci PRIMARY KEY, u VARCHAR(20) COLLATE utf8mb4_0900_as_cs, n INT, UNIQUE (u));
INSERT INTO t VALUES ('a', 'a', 1), ('a ', 'A', 2), ('e', 'é', 3), ('ss', 'ß', 4);
",
        changes: "
UPDATE t SET n = n + 10;
DELETE FROM t WHERE k = 'a';
INSERT INTO t VALUES ('Á', 'b', 5);
UPDATE t SET k = 'ẞ' WHERE k = 'ss';
UPDATE t SET u = 'a' WHERE n = 12;
UPDATE t SET u = 'A', k = 'É' WHERE n = 13;
DELETE FROM t WHERE k = 'a ';
",
        ..CASE
    },
    Case {
        trap: 40,
        title: "two rows swap their unique values through a third",
        setup: "
CREATE TABLE t (id INT PRIMARY KEY, u VARCHAR(10), n INT, UNIQUE (u));
INSERT INTO t VALUES (1, 'x', 1), (2, 'y', 2), (3, 'z', 3);
",
        changes: "
BEGIN;
UPDATE t SET u = 'temp' WHERE id = 1;
UPDATE t SET u = 'x' WHERE id = 2;
UPDATE t SET u = 'y' WHERE id = 1;
COMMIT;
UPDATE t SET u = NULL WHERE id = 3;
UPDATE t SET u = 'z' WHERE id = 1;
UPDATE t SET u = 'y' WHERE id = 3;
",
        ..CASE
    },
    Case {
        trap: 41,
        peer: &["right-key-updates"],
        title: "keys that shift in a chain, swap, and change to and fro",
        setup: "
CREATE TABLE t (id INT PRIMARY KEY, n INT);
INSERT INTO t VALUES (1, 1), (2, 2), (3, 3), (4, 4), (5, 5);
CREATE TABLE c (a INT, b VARCHAR(10), n INT, PRIMARY KEY (a, b));
INSERT INTO c VALUES (1, 'x', 1), (2, 'x', 2), (3, 'x', 3);
",
        changes: "
UPDATE t SET id = id + 1 ORDER BY id DESC;
UPDATE t SET id = id - 1 ORDER BY id;
BEGIN;
UPDATE t SET id = 0 WHERE id = 1;
UPDATE t SET id = 1 WHERE id = 2;
UPDATE t SET id = 2 WHERE id = 0;
COMMIT;
UPDATE c SET a = a + 1 ORDER BY a DESC;
UPDATE c SET b = 'y', a = a - 1 WHERE n = 2;
UPDATE t SET id = -id;
",
        ..CASE
    },
    Case {
        trap: 42,
        peer: &["right-unique-shifts"],
        title: "a key deleted and inserted again with another unique value, three rows that rotate theirs, a shift of all",
        setup: "
CREATE TABLE t (id INT PRIMARY KEY, u INT, v INT, UNIQUE (u), UNIQUE (v));
INSERT INTO t VALUES (1, 1, 1), (2, 2, 2), (3, 3, 3), (4, 4, 4);
",
        changes: "
BEGIN;
DELETE FROM t WHERE id = 1;
INSERT INTO t VALUES (1, 10, 10);
UPDATE t SET u = -1 WHERE id = 2;
UPDATE t SET u = 2 WHERE id = 3;
UPDATE t SET u = 3 WHERE id = 4;
UPDATE t SET u = 4 WHERE id = 2;
COMMIT;
UPDATE t SET v = v + 1 ORDER BY v DESC;
BEGIN;
DELETE FROM t WHERE id = 2;
UPDATE t SET id = 2 WHERE id = 3;
INSERT INTO t VALUES (3, 4, 100);
COMMIT;
REPLACE INTO t VALUES (9, 2, 100);
INSERT INTO t VALUES (11, 10, 11) ON DUPLICATE KEY UPDATE v = 12;
",
        ..CASE
    },
    Case {
        trap: 43,
        title: "a key given up and taken again in transactions of their own",
        setup: "
CREATE TABLE t (id INT PRIMARY KEY, n INT);
INSERT INTO t VALUES (1, 1);
",
        changes: "
UPDATE t SET id = 2 WHERE id = 1;
INSERT INTO t VALUES (1, 10);
UPDATE t SET id = 3 WHERE id = 2;
INSERT INTO t VALUES (2, 20);
DELETE FROM t WHERE id = 1;
INSERT INTO t VALUES (1, 11);
DELETE FROM t WHERE id = 1;
UPDATE t SET id = 1 WHERE id = 3;
INSERT INTO t VALUES (3, 30);
",
        ..CASE
    },
    Case {
        trap: 44,
        title: "composite keys that begin with the lowest values, and many rows of one first column",
        setup: "
CREATE TABLE t (a VARCHAR(10), b INT, c VARCHAR(200), PRIMARY KEY (a, b));
INSERT INTO t VALUES ('', 0, 'lowest'), ('', 1, 'x'), ('a', 0, 'x'), ('a', -2147483648, 'y');
CREATE TABLE digits (n INT PRIMARY KEY);
INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
INSERT INTO t SELECT 'same', x.n * 1000 + y.n * 100 + z.n * 10 + w.n, REPEAT('pad ', 20) FROM digits x, digits y, digits z, digits w;
",
        changes: "
DELETE FROM t WHERE a = '' AND b = 0;
INSERT INTO t VALUES ('', 0, 'again'), ('', -1, 'lower');
UPDATE t SET c = 'changed' WHERE a = 'same' AND b % 100 = 0;
UPDATE t SET b = b + 100000 WHERE a = 'same' AND b % 50 = 0;
",
        queries: &["SELECT COUNT(*), SUM(b) FROM {db}.t"],
        ..CASE
    },
    Case {
        trap: 45,
        peer: &["right-number-keys"],
        title: "keys of every kind that a copy is cut by: text by its collation, UUID, BINARY, DECIMAL, DOUBLE, negative numbers, ENUM and SET",
        setup: "
CREATE TABLE digits (n INT PRIMARY KEY);
INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
CREATE TABLE a (k VARCHAR(40) CHARACTER SET latin1 COLLATE latin1_swedish_ci PRIMARY KEY, pad VARCHAR(200));
INSERT INTO a SELECT CONCAT(CHAR(65 + x.n), y.n, CHAR(228 USING latin1), z.n), REPEAT('p', 150) FROM digits x, digits y, digits z;
CREATE TABLE b (k CHAR(36) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci PRIMARY KEY, pad VARCHAR(200));
INSERT INTO b SELECT LEFT(SHA2(x.n * 100 + y.n * 10 + z.n, 224), 32), REPEAT('p', 150) FROM digits x, digits y, digits z;
CREATE TABLE c (k BINARY(16) PRIMARY KEY, pad VARCHAR(200));
INSERT INTO c SELECT UNHEX(LEFT(SHA2(x.n * 100 + y.n * 10 + z.n, 224), 32)), REPEAT('p', 150) FROM digits x, digits y, digits z;
CREATE TABLE d (k DECIMAL(30,10) PRIMARY KEY, pad VARCHAR(200));
INSERT INTO d SELECT (x.n * 100 + y.n * 10 + z.n - 500) * 1.0000000001, REPEAT('p', 150) FROM digits x, digits y, digits z;
CREATE TABLE e (k BIGINT PRIMARY KEY, pad VARCHAR(200));
INSERT INTO e SELECT (x.n * 100 + y.n * 10 + z.n - 500) * 18014398509481984, REPEAT('p', 150) FROM digits x, digits y, digits z;
CREATE TABLE f (k DOUBLE PRIMARY KEY, pad VARCHAR(200));
INSERT INTO f SELECT (x.n * 100 + y.n * 10 + z.n - 500) / 7e0, REPEAT('p', 150) FROM digits x, digits y, digits z;
CREATE TABLE g (k ENUM('z', 'y', 'x', 'w'), s SET('d', 'c', 'b', 'a'), n INT, pad VARCHAR(200), PRIMARY KEY (k, s, n));
INSERT INTO g SELECT 1 + x.n % 4, y.n, z.n + 10 * x.n, REPEAT('p', 150) FROM digits x, digits y, digits z;
",
        changes: "
UPDATE a SET pad = 'changed' WHERE k LIKE '%5';
DELETE FROM a WHERE k LIKE '%7';
UPDATE b SET k = REVERSE(k) WHERE k LIKE 'a%';
DELETE FROM b WHERE k LIKE '7%';
UPDATE c SET k = UNHEX(REVERSE(HEX(k))) WHERE HEX(k) LIKE 'A%';
DELETE FROM c WHERE HEX(k) LIKE '7%';
UPDATE d SET k = -1000 - k WHERE k > 400;
DELETE FROM d WHERE k BETWEEN -10 AND 10;
DELETE FROM e WHERE k BETWEEN -100000000000000000 AND 100000000000000000;
UPDATE f SET pad = 'changed' WHERE k > 50;
DELETE FROM f WHERE k < -60;
UPDATE g SET pad = 'changed' WHERE k = 'y';
DELETE FROM g WHERE k = 'x' AND s LIKE '%c%';
UPDATE g SET k = 'x' WHERE k = 'w' AND n < 50;
",
        ..CASE
    },
    Case {
        trap: 46,
        peer: &["right-keyless"],
        title: "a table without a key: of three alike rows one is deleted, one changed",
        setup: "
CREATE TABLE t (n INT, word VARCHAR(20));
INSERT INTO t VALUES (1, 'same'), (1, 'same'), (1, 'same'), (2, 'other');
",
        changes: "
DELETE FROM t WHERE n = 1 LIMIT 1;
UPDATE t SET word = 'changed' WHERE n = 1 LIMIT 1;
INSERT INTO t VALUES (1, 'same'), (1, 'same');
DELETE FROM t WHERE word = 'same' LIMIT 2;
UPDATE t SET n = n + 1;
",
        ..CASE
    },
    Case {
        trap: 47,
        title: "rows without a key that hold NULL, FLOAT, BLOB and times are found",
        setup: "
CREATE TABLE t (f FLOAT, d DOUBLE, b BLOB, x TEXT, c DECIMAL(20,5), ts TIMESTAMP NULL, t TIME, bits BIT(5), y YEAR, v VARCHAR(10) CHARACTER SET latin1, n INT);
INSERT INTO t VALUES (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1), (0.1, 0.1, x'00ff', 'Text', 1.5, '2024-01-01 00:00:00', '-01:00:00', 3, 2024, x'e9', 2), (0.1, 0.1, x'00ff', 'text', 1.5, 0, '-01:00:00', 3, 0, 'e', 3), (-0e0, -0e0, '', '', 0, NULL, 0, 0, NULL, '', 4);
INSERT INTO t SELECT * FROM t;
",
        changes: "
UPDATE t SET n = n + 10 LIMIT 3;
DELETE FROM t WHERE n = 1;
DELETE FROM t WHERE n = 3 LIMIT 1;
UPDATE t SET x = 'TEXT' WHERE n = 2;
UPDATE t SET f = NULL, d = NULL WHERE n = 4;
DELETE FROM t WHERE n = 12;
",
        ..CASE
    },
    Case {
        trap: 48,
        peer: &["5"],
        title: "a unique key with NULL in many rows, as the only key",
        setup: "
CREATE TABLE t (u INT, n INT, UNIQUE (u));
INSERT INTO t VALUES (NULL, 1), (NULL, 1), (NULL, 2), (1, 3), (2, 4);
CREATE TABLE c (a INT, b INT, n INT, UNIQUE (a, b));
INSERT INTO c VALUES (1, NULL, 1), (1, NULL, 1), (NULL, NULL, 2), (1, 1, 3);
CREATE TABLE p (id INT PRIMARY KEY, u INT, UNIQUE (u));
INSERT INTO p VALUES (1, NULL), (2, NULL), (3, 3);
",
        changes: "
DELETE FROM t WHERE n = 1 LIMIT 1;
UPDATE t SET n = 20 WHERE u IS NULL LIMIT 1;
INSERT INTO t VALUES (NULL, 5), (NULL, 5), (3, 6);
UPDATE t SET u = NULL WHERE u = 1;
UPDATE t SET u = 1 WHERE n = 5 LIMIT 1;
UPDATE c SET n = 10 WHERE n = 1 LIMIT 1;
DELETE FROM c WHERE n = 1;
UPDATE c SET b = NULL WHERE b = 1;
UPDATE p SET u = NULL WHERE id = 3;
UPDATE p SET u = 3 WHERE id = 1;
",
        ..CASE
    },
    Case {
        trap: 49,
        peer: &["right-cascades"],
        title: "ON DELETE CASCADE and SET NULL, ON UPDATE CASCADE, in a chain of three",
        setup: "
CREATE TABLE a (id INT PRIMARY KEY, n INT);
CREATE TABLE b (id INT PRIMARY KEY, a INT, FOREIGN KEY (a) REFERENCES a (id) ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE c (id INT PRIMARY KEY, b INT, FOREIGN KEY (b) REFERENCES b (id) ON DELETE SET NULL ON UPDATE CASCADE);
INSERT INTO a VALUES (1, 1), (2, 2), (3, 3);
INSERT INTO b VALUES (10, 1), (11, 1), (20, 2), (30, 3);
INSERT INTO c VALUES (100, 10), (101, 11), (200, 20), (300, 30);
",
        changes: "
DELETE FROM a WHERE id = 1;
UPDATE a SET id = 22 WHERE id = 2;
UPDATE b SET id = 33 WHERE id = 30;
INSERT INTO b VALUES (40, 22);
UPDATE c SET b = 40 WHERE id = 100;
DELETE FROM b WHERE id = 40;
DELETE FROM a WHERE id = 3;
",
        ..CASE
    },
    Case {
        trap: 50,
        title: "a table that refers to itself, and parents and children in one transaction",
        setup: "
CREATE TABLE s (id INT PRIMARY KEY, up INT, FOREIGN KEY (up) REFERENCES s (id));
INSERT INTO s VALUES (1, NULL), (2, 1), (3, 2);
CREATE TABLE parent (id INT PRIMARY KEY);
CREATE TABLE child (id INT PRIMARY KEY, p INT NOT NULL, FOREIGN KEY (p) REFERENCES parent (id));
",
        changes: "
INSERT INTO s VALUES (4, 3), (5, 4);
UPDATE s SET up = 1 WHERE id = 5;
DELETE FROM s WHERE id = 4;
BEGIN;
INSERT INTO parent VALUES (1), (2);
INSERT INTO child VALUES (10, 1), (20, 2);
COMMIT;
INSERT INTO parent VALUES (3);
INSERT INTO child VALUES (30, 3);
BEGIN;
DELETE FROM child WHERE p = 1;
DELETE FROM parent WHERE id = 1;
COMMIT;
UPDATE child SET p = 3 WHERE id = 20;
DELETE FROM parent WHERE id = 2;
",
        ..CASE
    },
];
