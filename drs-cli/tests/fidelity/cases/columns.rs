//! Columns that are computed, hidden, or filled by themselves; definitions.

use crate::case::{CASE, Case, From};

pub(super) const CASES: &[Case] = &[
    Case {
        trap: 33,
        peer: &["14"],
        title: "stored and virtual generated columns, in a unique key, and before other columns",
        from: From::Only97,
        setup: "
CREATE TABLE t (a INT, v INT AS (a + 1) VIRTUAL, b INT, s INT AS (a * 2) STORED, id INT PRIMARY KEY, w VARCHAR(20), x VARCHAR(40) AS (CONCAT(w, '-', b)) STORED, UNIQUE (s), KEY (v));
INSERT INTO t (a, b, id, w) VALUES (1, 10, 1, 'one'), (2, 20, 2, 'two'), (3, 30, 3, NULL);
CREATE TABLE keyless (v INT AS (n + 1) VIRTUAL, n INT, s INT AS (n * 2) STORED);
INSERT INTO keyless (n) VALUES (1), (1), (2);
",
        changes: "
INSERT INTO t (a, b, id, w) VALUES (4, 40, 4, 'four');
UPDATE t SET a = a + 10, b = b + 1 WHERE id < 3;
UPDATE t SET w = 'three' WHERE id = 3;
DELETE FROM t WHERE id = 4;
UPDATE keyless SET n = 5 LIMIT 1;
DELETE FROM keyless WHERE n = 2;
ALTER TABLE t ADD COLUMN g INT AS (b - a) STORED AFTER a;
INSERT INTO t (a, b, id, w) VALUES (7, 70, 7, 'seven');
",
        ..CASE
    },
    Case {
        trap: 34,
        peer: &["right-invisible"],
        title: "invisible columns, and the primary key that the server makes by itself",
        from: From::Only97,
        session: "SET sql_generate_invisible_primary_key = ON",
        setup: "
CREATE TABLE t (n INT, word VARCHAR(20));
INSERT INTO t VALUES (1, 'one'), (1, 'one'), (2, 'two');
CREATE TABLE i (id INT PRIMARY KEY, hidden INT INVISIBLE DEFAULT 7, n INT);
INSERT INTO i VALUES (1, 1), (2, 2);
INSERT INTO i (id, hidden, n) VALUES (3, 33, 3);
",
        changes: "
INSERT INTO t VALUES (3, 'three');
UPDATE t SET word = 'uno' WHERE n = 1 LIMIT 1;
DELETE FROM t WHERE n = 2;
UPDATE i SET hidden = hidden + 1;
INSERT INTO i VALUES (4, 4);
CREATE TABLE made (n INT);
INSERT INTO made VALUES (1), (1);
ALTER TABLE i ALTER COLUMN hidden SET VISIBLE;
INSERT INTO i VALUES (5, 55, 5);
",
        queries: &["SELECT my_row_id, n, word FROM {db}.t ORDER BY my_row_id"],
        ..CASE
    },
    Case {
        trap: 37,
        title: "functional, multi-valued and prefix unique keys: who may take which value, and when",
        from: From::Only97,
        setup: "
CREATE TABLE f (id INT PRIMARY KEY, a VARCHAR(20), UNIQUE KEY u ((LOWER(a))));
INSERT INTO f VALUES (1, 'A'), (2, 'b'), (3, 'C');
CREATE TABLE p (id INT PRIMARY KEY, t TEXT, b BLOB, UNIQUE KEY (t(3)), UNIQUE KEY (b(2)));
INSERT INTO p VALUES (1, 'abcdef', 'ab1'), (2, 'abd', 'ac'), (3, 'x', 'x');
CREATE TABLE m (id INT PRIMARY KEY, j JSON, KEY mv ((CAST(j->'$.n' AS UNSIGNED ARRAY))));
INSERT INTO m VALUES (1, '{\"n\": [1, 2]}'), (2, '{\"n\": [2, 3]}'), (3, '{}');
",
        changes: "
DELETE FROM f WHERE id = 1;
INSERT INTO f VALUES (4, 'a');
UPDATE f SET a = 'D' WHERE id = 2;
INSERT INTO f VALUES (5, 'B');
UPDATE p SET t = 'zzz' WHERE id = 1;
INSERT INTO p VALUES (4, 'abc again', 'zz');
UPDATE p SET b = 'q' WHERE id = 2;
INSERT INTO p VALUES (5, 'y', 'ac again');
UPDATE m SET j = JSON_SET(j, '$.n[0]', 9) WHERE id = 1;
DELETE FROM m WHERE id = 2;
INSERT INTO m VALUES (2, '{\"n\": [9]}');
",
        ..CASE
    },
    Case {
        trap: 38,
        title: "defaults that are computed: the source's value",
        from: From::Only97,
        setup: "
CREATE TABLE t (id INT PRIMARY KEY, u VARCHAR(36) DEFAULT (UUID()), r DOUBLE DEFAULT (RAND()), j JSON DEFAULT (JSON_ARRAY(1, 2)), n INT DEFAULT (1 + 1), b BINARY(16) DEFAULT (UUID_TO_BIN(UUID())));
INSERT INTO t (id) VALUES (1), (2);
",
        changes: "
INSERT INTO t (id) VALUES (3), (4);
INSERT INTO t (id, u) VALUES (5, 'given');
UPDATE t SET u = DEFAULT, r = DEFAULT WHERE id = 1;
REPLACE INTO t (id) VALUES (2);
SET binlog_row_image = 'MINIMAL';
INSERT INTO t (id) VALUES (6);
",
        ..CASE
    },
    Case {
        trap: 80,
        peer: &["right-structure"],
        title: "CHECK constraints, partitions, row formats, counters, descending and invisible keys, collations and comments in definitions",
        from: From::Only97,
        setup: "
CREATE TABLE t (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, a INT CHECK (a < 100), b INT, v VARCHAR(20) COLLATE utf8mb4_bin, w VARCHAR(20) CHARACTER SET latin1, CONSTRAINT soft CHECK (b > 0) NOT ENFORCED, KEY d (a DESC, b), KEY i (b) INVISIBLE, KEY pre (v(5)), KEY fx ((a + b)), FULLTEXT KEY ft (v)) AUTO_INCREMENT = 500 ROW_FORMAT = DYNAMIC COMMENT = 'it''s; a `comment`' CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;
INSERT INTO t (a, b, v, w) VALUES (1, -1, 'x', 'y'), (2, 2, 'X', 'é');
CREATE TABLE p (d DATE NOT NULL, n INT, PRIMARY KEY (d)) PARTITION BY RANGE (YEAR(d)) (PARTITION p0 VALUES LESS THAN (2000), PARTITION p1 VALUES LESS THAN (2024), PARTITION pm VALUES LESS THAN MAXVALUE);
INSERT INTO p VALUES ('1999-12-31', 1), ('2023-06-01', 2), ('2024-01-01', 3);
CREATE TABLE c (id INT PRIMARY KEY, t INT, CONSTRAINT fk FOREIGN KEY (t) REFERENCES z (id));
",
        session: "SET foreign_key_checks = 0",
        changes: "
CREATE TABLE z (id INT PRIMARY KEY);
INSERT INTO z VALUES (1), (2);
INSERT INTO c VALUES (1, 1);
UPDATE t SET b = -5 WHERE id = 500;
INSERT INTO t (a, b) VALUES (5, 5);
INSERT INTO p VALUES ('2010-10-10', 4);
DELETE FROM p WHERE d = '1999-12-31';
ALTER TABLE t ADD CONSTRAINT c2 CHECK (b <> 7), ALTER INDEX i VISIBLE;
",
        ..CASE
    },
    Case {
        trap: 80,
        part: "b",
        title: "tables and columns that inherit their character set, from a server with other defaults",
        setup: "
CREATE TABLE a (id INT PRIMARY KEY, v VARCHAR(20));
CREATE TABLE b (id INT PRIMARY KEY, v VARCHAR(20), w VARCHAR(20) COLLATE utf8mb4_bin) CHARSET = latin1;
CREATE TABLE c (id INT PRIMARY KEY, v VARCHAR(20)) CHARSET = utf8;
INSERT INTO a VALUES (1, 'é');
INSERT INTO b VALUES (1, 'é', 'é');
INSERT INTO c VALUES (1, 'é');
",
        changes: "
SET collation_database = 'latin1_bin';
CREATE TABLE d (id INT PRIMARY KEY, v VARCHAR(20));
INSERT INTO d VALUES (1, 'é');
SET character_set_server = 'gbk';
ALTER TABLE a ADD COLUMN w VARCHAR(20) DEFAULT 'é';
INSERT INTO a VALUES (2, 'x', 'y');
ALTER TABLE c CONVERT TO CHARACTER SET utf8mb4;
ALTER TABLE b ADD COLUMN x VARCHAR(20) CHARACTER SET utf8mb4;
INSERT INTO b VALUES (2, 'ü', 'ü', '😀');
",
        queries: &["SELECT table_name AS t, column_name AS c, REPLACE(character_set_name, 'utf8mb3', 'utf8') AS n FROM information_schema.columns WHERE table_schema = '{db}' AND character_set_name IS NOT NULL ORDER BY table_name, ordinal_position"],
        ..CASE
    },
    Case {
        trap: 0,
        peer: &["right-triggers"],
        title: "triggers at the source, whose changes are in the log and which the destination does not get",
        setup: "
CREATE TABLE t (id INT PRIMARY KEY, n INT);
CREATE TABLE audit (id INT PRIMARY KEY AUTO_INCREMENT, word VARCHAR(40));
CREATE TRIGGER after_insert AFTER INSERT ON t FOR EACH ROW INSERT INTO audit (word) VALUES (CONCAT('new ', NEW.id));
CREATE TRIGGER after_update AFTER UPDATE ON t FOR EACH ROW INSERT INTO audit (word) VALUES (CONCAT('changed ', NEW.id));
INSERT INTO t VALUES (1, 1), (2, 2);
",
        changes: "
INSERT INTO t VALUES (3, 3);
UPDATE t SET n = n + 1;
DELETE FROM t WHERE id = 1;
",
        ..CASE
    },
];
