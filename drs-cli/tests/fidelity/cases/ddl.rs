//! Statements that change definitions, and names.

use crate::case::{CASE, Case, From, Outcome};

pub(super) const CASES: &[Case] = &[
    Case {
        trap: 72,
        peer: &["4", "right-alter"],
        title: "columns added first, in the middle and last, dropped, renamed and changed, between changes of rows",
        setup: "
CREATE TABLE t (id INT PRIMARY KEY, a INT, b VARCHAR(20), c INT);
INSERT INTO t VALUES (1, 1, 'one', 11), (2, 2, 'two', 22);
",
        changes: "
INSERT INTO t VALUES (3, 3, 'three', 33);
ALTER TABLE t ADD COLUMN f VARCHAR(10) DEFAULT 'f' FIRST;
INSERT INTO t VALUES ('new', 4, 4, 'four', 44);
UPDATE t SET a = a + 1;
ALTER TABLE t DROP COLUMN a;
UPDATE t SET b = CONCAT(b, '!') WHERE id < 3;
ALTER TABLE t ADD COLUMN m INT NOT NULL DEFAULT 5 AFTER id, ADD COLUMN z DATETIME(3) NULL;
INSERT INTO t VALUES ('y', 5, 6, 'five', 55, '2024-01-01 00:00:00.123');
ALTER TABLE t CHANGE b bb VARCHAR(40) CHARACTER SET utf8mb4, MODIFY c BIGINT UNSIGNED;
UPDATE t SET bb = 'long enough to need the new length', c = 18446744073709551615 WHERE id = 5;
ALTER TABLE t MODIFY z DATETIME(3) NULL FIRST;
DELETE FROM t WHERE id = 1;
INSERT INTO t VALUES (NULL, 'x', 6, 7, 'six', 66);
CREATE INDEX by_bb ON t (bb);
DROP INDEX by_bb ON t;
",
        ..CASE
    },
    Case {
        trap: 72,
        part: "b",
        title: "the same by ALGORITHM = INSTANT, and RENAME COLUMN",
        from: From::Only97,
        setup: "
CREATE TABLE t (id INT PRIMARY KEY, a INT, b VARCHAR(20), c INT);
INSERT INTO t VALUES (1, 1, 'one', 11), (2, 2, 'two', 22);
",
        changes: "
ALTER TABLE t ADD COLUMN f INT DEFAULT 7 FIRST, ALGORITHM = INSTANT;
INSERT INTO t VALUES (8, 3, 3, 'three', 33);
ALTER TABLE t DROP COLUMN a, ALGORITHM = INSTANT;
UPDATE t SET c = c + 1;
ALTER TABLE t RENAME COLUMN b TO c, RENAME COLUMN c TO b;
INSERT INTO t VALUES (9, 4, 'four', 44);
UPDATE t SET b = 0 WHERE id = 1;
ALTER TABLE t ADD COLUMN v INT AS (b * 2) VIRTUAL, ALGORITHM = INSTANT;
DELETE FROM t WHERE id = 2;
INSERT INTO t (id, b) VALUES (5, 5);
",
        ..CASE
    },
    Case {
        trap: 72,
        part: "c",
        peer: &["right-widened-key"],
        title: "a key that becomes wider, another key, and none",
        setup: "
CREATE TABLE t (id INT PRIMARY KEY, n INT NOT NULL);
INSERT INTO t VALUES (1, 10), (2, 20), (-1, 30);
",
        changes: "
UPDATE t SET n = n + 1 WHERE id = -1;
ALTER TABLE t MODIFY id BIGINT;
INSERT INTO t VALUES (9223372036854775807, 40);
UPDATE t SET n = n + 1 WHERE id = -1;
ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (n, id);
UPDATE t SET id = 5 WHERE n = 20;
ALTER TABLE t DROP PRIMARY KEY;
INSERT INTO t VALUES (5, 20);
DELETE FROM t WHERE id = 5 LIMIT 1;
ALTER TABLE t ADD UNIQUE KEY u (n);
UPDATE t SET n = n + 100;
",
        ..CASE
    },
    Case {
        trap: 72,
        part: "d",
        title: "columns of one type that swap their names and places behind changes that are not applied yet",
        setup: "
CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT, c INT);
INSERT INTO t VALUES (1, 10, 20, 30), (2, 11, 21, 31);
",
        changes: "
UPDATE t SET a = a + 100 WHERE id = 1;
INSERT INTO t VALUES (3, 12, 22, 32);
ALTER TABLE t CHANGE a b INT, CHANGE b a INT;
UPDATE t SET a = a + 1000;
INSERT INTO t (id, a, b) VALUES (4, 1, 2);
ALTER TABLE t MODIFY c INT FIRST;
UPDATE t SET c = c + 5;
ALTER TABLE t DROP COLUMN a;
INSERT INTO t (id, b, c) VALUES (5, 6, 7);
",
        killed: false,
        note: "not with `kill -9`: where the swap itself is cut off, the task stops, since nothing shows whether it took effect",
        ..CASE
    },
    Case {
        trap: 73,
        title: "the online schema change tools' swap: a copy beside the table, and both renamed in one statement",
        setup: "
CREATE TABLE a (id INT PRIMARY KEY, n INT);
INSERT INTO a VALUES (1, 1), (2, 2);
",
        changes: "
CREATE TABLE _a_gho LIKE a;
ALTER TABLE _a_gho ADD COLUMN m INT NOT NULL DEFAULT 3;
INSERT INTO _a_gho (id, n) SELECT id, n FROM a;
INSERT INTO a VALUES (3, 3);
INSERT INTO _a_gho (id, n) VALUES (3, 3);
RENAME TABLE a TO _a_del, _a_gho TO a;
INSERT INTO a VALUES (4, 4, 4);
UPDATE a SET n = n + 1;
DROP TABLE _a_del;
DELETE FROM a WHERE id = 1;
",
        note: "with the whole database selected",
        ..CASE
    },
    Case {
        trap: 74,
        peer: &["20"],
        title: "CREATE LIKE, TRUNCATE, a DROP of several tables, temporary tables, a table made, used and renamed at once",
        setup: "
CREATE TABLE a (id INT PRIMARY KEY AUTO_INCREMENT, n INT, KEY (n));
INSERT INTO a (n) VALUES (1), (2);
CREATE TABLE b (id INT PRIMARY KEY);
CREATE TABLE c (id INT PRIMARY KEY);
",
        changes: "
CREATE TABLE made LIKE a;
INSERT INTO made SELECT * FROM a;
TRUNCATE TABLE a;
INSERT INTO a (n) VALUES (10);
CREATE TEMPORARY TABLE temporary_one (id INT);
INSERT INTO temporary_one VALUES (1), (2);
INSERT INTO made (n) SELECT id + 100 FROM temporary_one;
DROP TEMPORARY TABLE temporary_one;
DROP TABLE b, c;
DROP TABLE IF EXISTS b, not_there;
CREATE TABLE quick (id INT PRIMARY KEY);
INSERT INTO quick VALUES (1);
RENAME TABLE quick TO quicker;
INSERT INTO quicker VALUES (2);
CREATE TABLE IF NOT EXISTS quicker (id INT PRIMARY KEY);
ALTER TABLE quicker RENAME TO quickest;
UPDATE quickest SET id = id + 10;
",
        ..CASE
    },
    Case {
        trap: 74,
        part: "b",
        title: "CREATE TABLE … SELECT",
        setup: "
CREATE TABLE a (id INT PRIMARY KEY, n INT);
INSERT INTO a VALUES (1, 1), (2, 2);
",
        changes: "
CREATE TABLE b AS SELECT * FROM a;
INSERT INTO b VALUES (3, 3);
CREATE TABLE c (id INT PRIMARY KEY, more INT DEFAULT 5) SELECT id FROM a;
UPDATE c SET more = 6 WHERE id = 1;
",
        ..CASE
    },
    Case {
        trap: 75,
        title: "statements inside comments, behind comments, with odd quotes, and from another database",
        setup: "
CREATE TABLE `a``b` (id INT PRIMARY KEY, n INT);
INSERT INTO `a``b` VALUES (1, 1);
CREATE DATABASE {db}_b DEFAULT CHARACTER SET latin1;
CREATE TABLE {db}_b.x (id INT PRIMARY KEY, v VARCHAR(10));
",
        changes: "
/*!50003 ALTER TABLE `a``b` ADD COLUMN c INT */;
/* a comment; */ ALTER /* here, too */ TABLE `{db}`.`a``b` -- and here
 ADD COLUMN `d;e` INT DEFAULT 4;
INSERT INTO `a``b` VALUES (2, 2, 2, 2);
USE {db}_b;
ALTER TABLE {db}.`a``b` ADD COLUMN f INT;
CREATE TABLE made (id INT PRIMARY KEY, v VARCHAR(10) DEFAULT 'é');
INSERT INTO made (id) VALUES (1);
ALTER TABLE x ADD COLUMN w VARCHAR(10);
INSERT INTO x VALUES (1, 'é', 'ü');
# a comment of the old kind
CREATE TABLE {db}.second (id INT PRIMARY KEY);
INSERT INTO {db}.second VALUES (1);
USE {db};
CREATE TABLE /*!32302 IF NOT EXISTS */ third (id INT PRIMARY KEY) /*!50100 ENGINE = InnoDB */;
INSERT INTO third VALUES (1);
DROP TABLE {db}_b.x;
",
        queries: &[
            "SELECT * FROM {db}_b.made",
            "SELECT table_name AS t FROM information_schema.tables WHERE table_schema = '{db}_b' ORDER BY table_name",
        ],
        ..CASE
    },
    Case {
        trap: 77,
        peer: &["23"],
        title: "names with a dot, blanks, quotes, backquotes, other scripts, `#`, `@`, of 64 characters, and reserved words",
        setup: "
CREATE TABLE `a.b c'd\"e``f#g@h` (`select` INT, `a``b` INT, `ключ` VARCHAR(10), `c d.e` INT, PRIMARY KEY (`select`), UNIQUE KEY `k``ey` (`a``b`));
INSERT INTO `a.b c'd\"e``f#g@h` VALUES (1, 1, 'x', 1), (2, 2, 'y', 2);
CREATE TABLE `日本語` (`漢字` INT PRIMARY KEY, `%s` INT, `$1` INT, `?` INT);
INSERT INTO `日本語` VALUES (1, 1, 1, 1);
CREATE TABLE `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa` (`bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb` INT PRIMARY KEY);
INSERT INTO `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa` VALUES (1);
CREATE TABLE `table` (`key` INT, `group` INT, `new_row` INT, PRIMARY KEY (`key`));
INSERT INTO `table` VALUES (1, 1, 1), (2, 2, 2);
CREATE TABLE `\\` (`'` INT PRIMARY KEY, `\\n` INT);
INSERT INTO `\\` VALUES (1, 1);
",
        changes: "
UPDATE `a.b c'd\"e``f#g@h` SET `a``b` = `a``b` + 10, `c d.e` = 7;
DELETE FROM `a.b c'd\"e``f#g@h` WHERE `select` = 2;
INSERT INTO `日本語` VALUES (2, 2, 2, 2);
UPDATE `日本語` SET `?` = 9, `%s` = 8;
UPDATE `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa` SET `bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb` = 2;
UPDATE `table` SET `group` = 3, `new_row` = 4;
DELETE FROM `table` WHERE `key` = 2;
UPDATE `\\` SET `\\n` = 5;
ALTER TABLE `a.b c'd\"e``f#g@h` ADD COLUMN `x;y``z` INT COMMENT 'it''s; `odd`';
INSERT INTO `a.b c'd\"e``f#g@h` VALUES (3, 3, 'z', 3, 3);
RENAME TABLE `日本語` TO `ру.с ский`;
INSERT INTO `ру.с ский` VALUES (3, 3, 3, 3);
",
        ..CASE
    },
    Case {
        trap: 79,
        title: "partitions: truncated, dropped, added and reorganised",
        setup: "
CREATE TABLE p (id INT NOT NULL, n INT, PRIMARY KEY (id)) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (20), PARTITION p2 VALUES LESS THAN (30));
INSERT INTO p VALUES (1, 1), (2, 2), (11, 11), (12, 12), (21, 21);
",
        changes: "
INSERT INTO p VALUES (3, 3);
ALTER TABLE p TRUNCATE PARTITION p1;
INSERT INTO p VALUES (13, 13);
ALTER TABLE p ADD PARTITION (PARTITION p3 VALUES LESS THAN (40));
INSERT INTO p VALUES (31, 31);
ALTER TABLE p DROP PARTITION p2;
ALTER TABLE p REORGANIZE PARTITION p3 INTO (PARTITION a VALUES LESS THAN (35), PARTITION b VALUES LESS THAN (50));
UPDATE p SET n = n + 1;
UPDATE p SET id = 45 WHERE id = 31;
ALTER TABLE p REMOVE PARTITIONING;
DELETE FROM p WHERE id = 1;
",
        ..CASE
    },
    Case {
        trap: 79,
        part: "b",
        title: "EXCHANGE PARTITION",
        setup: "
CREATE TABLE p (id INT NOT NULL, n INT, PRIMARY KEY (id)) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (20));
INSERT INTO p VALUES (1, 1), (11, 11), (12, 12);
CREATE TABLE x (id INT NOT NULL, n INT, PRIMARY KEY (id));
INSERT INTO x VALUES (15, 150), (16, 160);
",
        changes: "
UPDATE x SET n = n + 1;
ALTER TABLE p EXCHANGE PARTITION p1 WITH TABLE x;
INSERT INTO x VALUES (13, 13);
DELETE FROM p WHERE id = 15;
",
        ..CASE
    },
    Case {
        trap: 58,
        title: "a change in statement format",
        setup: "
CREATE TABLE t (id INT PRIMARY KEY, n INT);
INSERT INTO t VALUES (1, 1), (2, 2);
",
        changes: "
SET binlog_format = 'STATEMENT';
SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ;
UPDATE t SET n = n + 1;
",
        follow: Outcome::Stops("statement"),
        ..CASE
    },
];
