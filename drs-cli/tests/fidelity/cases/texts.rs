//! Texts, bytes, labels, and the settings under which they are written.

use crate::case::{CASE, Case, From};

pub(super) const CASES: &[Case] = &[
    Case {
        trap: 14,
        peer: &["10"],
        title: "the ENUM value '' of index 0, which a lax session stores for a label that is none",
        session: "SET sql_mode = ''",
        setup: "
CREATE TABLE t (id INT PRIMARY KEY, e ENUM('a', 'b') NOT NULL, f ENUM('', 'x'), s SET('p', 'q'));
INSERT INTO t VALUES (1, 'none', 'none', 'none'), (2, 'a', '', 'p'), (3, 0, 0, 0), (4, 'b', NULL, NULL);
CREATE TABLE keyless (e ENUM('a', 'b'), n INT);
INSERT INTO keyless VALUES (0, 1), (0, 1), (0, 2), (NULL, 3);
",
        changes: "
INSERT INTO t SELECT id + 10, e, f, s FROM t;
UPDATE t SET e = 'nothing', f = 'nothing' WHERE id = 2;
UPDATE t SET s = 'p,q' WHERE id = 11;
DELETE FROM keyless WHERE n = 1 LIMIT 1;
UPDATE keyless SET e = 'b' WHERE n = 2;
UPDATE keyless SET e = 0 WHERE n = 3;
",
        queries: &["SELECT id, e + 0, f + 0, e IS NULL, f IS NULL FROM {db}.t ORDER BY id"],
        ..CASE
    },
    Case {
        trap: 15,
        peer: &["right-enum-set"],
        title: "ENUM labels that look like numbers",
        setup: "
CREATE TABLE t (id INT PRIMARY KEY, e ENUM('1', '0', '2'), s SET('2', '1'));
INSERT INTO t VALUES (1, '1', '1'), (2, '0', '2'), (3, '2', '1,2'), (4, 1, 1);
CREATE TABLE k (e ENUM('1', '0', '2'), s SET('2', '1'), n INT, PRIMARY KEY (e, s));
INSERT INTO k VALUES ('1', '1', 1), ('0', '2', 2), ('2', '1,2', 3), ('1', '', 4);
",
        changes: "
INSERT INTO t SELECT id + 10, e, s FROM t;
UPDATE t SET e = '0', s = '2' WHERE id = 1;
UPDATE k SET n = n + 1;
DELETE FROM k WHERE n IN (3, 5);
UPDATE k SET e = '0' WHERE n = 2;
",
        ..CASE
    },
    Case {
        trap: 15,
        part: "b",
        peer: &["15"],
        title: "ENUM and SET labels with commas, quotes, backslashes and blanks",
        setup: r#"
CREATE TABLE t (id INT PRIMARY KEY, e ENUM('a,b', 'it''s', 'say "x"', 'back\\slash', ' lead', 'tab	', '`'), s SET('it''s', 'b"', 'c\\'));
INSERT INTO t VALUES (1, 'a,b', 'it''s'), (2, 'it''s', 'b"'), (3, 'say "x"', 'c\\'), (4, 'back\\slash', 'it''s,b"'), (5, ' lead', ''), (6, '`', 7);
"#,
        changes: r#"
INSERT INTO t SELECT id + 10, e, s FROM t;
UPDATE t SET e = 'it''s', s = 'c\\' WHERE id IN (1, 11);
ALTER TABLE t ADD COLUMN f ENUM('x,y', 'it''s') NOT NULL DEFAULT 'it''s';
DELETE FROM t WHERE id = 3;
"#,
        ..CASE
    },
    Case {
        trap: 16,
        title: "an ENUM whose labels change places between two inserts",
        setup: "
CREATE TABLE t (id INT PRIMARY KEY, e ENUM('a', 'b', 'c'));
INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c');
",
        changes: "
INSERT INTO t VALUES (4, 'a'), (5, 'c');
ALTER TABLE t MODIFY e ENUM('c', 'b', 'a', 'd');
INSERT INTO t VALUES (6, 'a'), (7, 'c'), (8, 'd');
UPDATE t SET e = 'c' WHERE e = 'a';
",
        queries: &["SELECT id, CAST(e AS CHAR) FROM {db}.t ORDER BY id"],
        ..CASE
    },
    Case {
        trap: 17,
        title: "a SET of 64 members, all on and none",
        setup: "
CREATE TABLE t (id INT PRIMARY KEY, s SET('00','01','02','03','04','05','06','07','08','09','10','11','12','13','14','15','16','17','18','19','20','21','22','23','24','25','26','27','28','29','30','31','32','33','34','35','36','37','38','39','40','41','42','43','44','45','46','47','48','49','50','51','52','53','54','55','56','57','58','59','60','61','62','63'));
INSERT INTO t VALUES (1, 18446744073709551615), (2, ''), (3, 9223372036854775808), (4, NULL), (5, 1);
CREATE TABLE keyless AS SELECT s, id AS n FROM t;
",
        changes: "
INSERT INTO t SELECT id + 10, s FROM t;
UPDATE t SET s = s ^ 18446744073709551615 WHERE id > 10;
UPDATE t SET s = 9223372036854775809 WHERE id = 2;
UPDATE keyless SET n = n + 1;
DELETE FROM keyless WHERE n = 2;
",
        ..CASE
    },
    Case {
        trap: 18,
        title: "BINARY keys that end in zero bytes, which the log leaves out",
        setup: "
CREATE TABLE t (id BINARY(16) PRIMARY KEY, n INT);
INSERT INTO t VALUES (x'00000000000000000000000000000000', 0), (x'0102030405060708090a0b0c0d0e0f00', 1), (x'01', 2), (x'20', 3), (x'ffffffffffffffffffffffffffffffff', 5);
CREATE TABLE c (a BINARY(3), b VARBINARY(3), n INT, PRIMARY KEY (a, b));
INSERT INTO c VALUES (x'', x'', 1), (x'', x'00', 2), (x'00', x'0000', 3), (x'20', x'20', 4);
CREATE TABLE keyless (b BINARY(4), v VARBINARY(4), n INT);
INSERT INTO keyless VALUES (x'00', x'00', 1), (x'2020', x'2020', 2), (x'', x'', 3);
",
        changes: "
UPDATE t SET n = n + 10;
DELETE FROM t WHERE n IN (10, 12);
UPDATE t SET id = x'ff00' WHERE n = 11;
INSERT INTO t VALUES (x'', 20);
UPDATE c SET n = n + 10;
DELETE FROM c WHERE n IN (11, 12);
UPDATE keyless SET n = n + 10;
DELETE FROM keyless WHERE n = 11;
",
        ..CASE
    },
    Case {
        trap: 19,
        title: "trailing blanks in CHAR, VARCHAR and TEXT",
        setup: "
CREATE TABLE t (id INT PRIMARY KEY, c CHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, v VARCHAR(10) CHARACTER SET utf8mb4, x TEXT, b VARBINARY(10));
INSERT INTO t VALUES (1, 'a  ', 'a ', 'a ', 'a '), (2, '   ', '   ', '   ', '   '), (3, '', '', '', ''), (4, ' a', ' a ', ' a', ' a');
CREATE TABLE keyless (v VARCHAR(10), c CHAR(4), n INT);
INSERT INTO keyless VALUES ('a', 'a', 1), ('a ', 'a ', 2), ('a  ', 'a  ', 3);
",
        changes: "
INSERT INTO t SELECT id + 10, c, v, x, b FROM t;
UPDATE t SET v = CONCAT(v, ' '), x = CONCAT(x, ' '), b = CONCAT(b, ' ');
UPDATE keyless SET n = n + 10 WHERE LENGTH(v) = 2;
DELETE FROM keyless WHERE LENGTH(v) = 3;
SET sql_mode = 'PAD_CHAR_TO_FULL_LENGTH';
UPDATE t SET c = CONCAT(c, 'x') WHERE id = 3;
UPDATE keyless SET n = n + 1;
",
        ..CASE
    },
    Case {
        trap: 20,
        peer: &["right-charsets"],
        title: "latin1's upper half, gbk, sjis with the byte 0x5C, utf16, utf32, ucs2 and others in one table, as keys too",
        setup: "
CREATE TABLE t (id INT PRIMARY KEY, l VARCHAR(40) CHARACTER SET latin1, g VARCHAR(40) CHARACTER SET gbk, s VARCHAR(40) CHARACTER SET sjis, u16 VARCHAR(40) CHARACTER SET utf16, u32 VARCHAR(40) CHARACTER SET utf32, u2 VARCHAR(40) CHARACTER SET ucs2, b5 VARCHAR(40) CHARACTER SET big5, k VARCHAR(40) CHARACTER SET koi8r, e VARCHAR(40) CHARACTER SET euckr, c9 TEXT CHARACTER SET cp932, u TEXT CHARACTER SET ujis, a CHAR(4) CHARACTER SET ascii);
INSERT INTO t VALUES (1, x'808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f', x'c4e3b4f3815c', x'835c835c', _utf16 x'00410042d83dde00', _utf32 x'0001F600', _ucs2 x'00e9', x'a440a15c', x'c1c2', x'b0a1', x'835c', x'a4a2', 'a'), (2, '', '', '', '', '', '', '', '', '', '', '', ''), (3, x'5c27', x'5c27', x'5c27', _utf16 x'005c0027', _utf32 x'0000005c', _ucs2 x'005c', x'5c', x'5c', x'5c', x'5c', x'5c', x'5c'), (4, 'ÿ ', '你', '本', '😀 ', '😀 ', 'é ', '中', 'Я', '한', '本', '本', NULL);
CREATE TABLE k (g VARCHAR(20) CHARACTER SET gbk, l VARCHAR(20) CHARACTER SET latin1, s VARCHAR(20) CHARACTER SET sjis, n INT, PRIMARY KEY (g, l), UNIQUE (s));
INSERT INTO k VALUES (x'815c', x'81', x'835c', 1), (x'c4e3', x'5c', x'5c', 2), ('a', 'a', 'a', 3), ('', '', '', 4);
CREATE TABLE w (u VARCHAR(20) CHARACTER SET utf16 PRIMARY KEY, v VARCHAR(20) CHARACTER SET utf32, n INT, UNIQUE (v));
INSERT INTO w VALUES ('a', 'a', 1), ('é', 'é', 2), ('😀', '😀', 3), (' ', ' ', 4);
",
        changes: "
INSERT INTO t SELECT id + 10, l, g, s, u16, u32, u2, b5, k, e, c9, u, a FROM t;
UPDATE t SET l = CONCAT(l, x'81'), g = CONCAT(g, 'a'), s = CONCAT(s, x'5c'), u16 = CONCAT(u16, 'é'), u32 = CONCAT(u32, 'x'), c9 = CONCAT(c9, x'835c') WHERE id > 10;
UPDATE k SET n = n + 10;
DELETE FROM k WHERE n = 11;
UPDATE k SET g = CONCAT(g, 'x'), s = CONCAT(s, 'y') WHERE n = 12;
UPDATE w SET n = n + 10;
DELETE FROM w WHERE n = 13;
UPDATE w SET u = CONCAT(u, 'x') WHERE n = 12;
",
        ..CASE
    },
    Case {
        trap: 21,
        title: "an emoji through a session of another character set, in a column of the newest collation",
        from: From::Only97,
        session: "SET NAMES utf8mb3",
        setup: "
CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci, w VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_as_cs, UNIQUE (v));
INSERT INTO t VALUES (1, _utf8mb4 x'F09F9880', _utf8mb4 x'F09F9880'), (2, 'é', 'é');
",
        changes: "
INSERT INTO t VALUES (3, _utf8mb4 x'F09F9881', 'x');
UPDATE t SET w = _utf8mb4 x'F09F9882' WHERE id = 2;
SET NAMES latin1;
INSERT INTO t VALUES (4, _latin1 x'e9e9', 'y');
ALTER TABLE t ADD COLUMN z VARCHAR(5) DEFAULT _utf8mb4 x'F09F9880' COMMENT 'comment';
INSERT INTO t (id, v) VALUES (5, 'five');
",
        ..CASE
    },
    Case {
        trap: 22,
        title: "ENUM and SET labels in a binary character set, and in latin1",
        setup: "
CREATE TABLE t (id INT PRIMARY KEY, e ENUM('ä', 'b') CHARACTER SET latin1, s SET('ü', 'v') CHARACTER SET binary, g ENUM('你', '好') CHARACTER SET gbk);
INSERT INTO t VALUES (1, 'ä', 'ü', '你'), (2, 'b', 'v', '好'), (3, NULL, 3, NULL);
",
        changes: "
INSERT INTO t SELECT id + 10, e, s, g FROM t;
UPDATE t SET e = 'ä', s = 2, g = '你' WHERE id > 10;
DELETE FROM t WHERE id = 1;
",
        ..CASE
    },
    Case {
        trap: 23,
        title: "NULL, '', 'NULL', \\N, backslashes, 0x00 and 0x1A, through LOAD DATA and INSERT",
        setup: r#"
CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(40), x TEXT, b BLOB, vb VARBINARY(40));
INSERT INTO t VALUES (1, NULL, NULL, NULL, NULL), (2, '', '', '', ''), (3, 'NULL', 'NULL', 'NULL', 'NULL'), (4, '\\N', '\\N', '\\N', '\\N'), (5, '\\', '\\', '\\', '\\'), (6, '\0', '\0', x'00', x'00'), (7, '\Z', '\Z', x'1a', x'1a'), (8, 'a\tb\nc\rd', 'a\tb\nc\rd', x'090a0d', x'090a0d'), (9, '\'\'', '""', '``', '\\\\'), (10, 'a\\tb', '\\0', '\\', '\n');
CREATE TABLE keyless AS SELECT v, x, b, id AS n FROM t;
"#,
        changes: r#"
INSERT INTO t SELECT id + 100, v, x, b, vb FROM t;
UPDATE t SET v = CONCAT(v, '\\'), x = CONCAT('\0', x), b = CONCAT(b, x'1a5c27') WHERE id > 100;
UPDATE keyless SET n = n + 1;
DELETE FROM keyless WHERE n IN (3, 5, 7);
UPDATE keyless SET v = NULL WHERE n = 4;
"#,
        ..CASE
    },
    Case {
        trap: 24,
        title: "a writer with NO_BACKSLASH_ESCAPES and ANSI_QUOTES, to a destination with other modes",
        session: "SET sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES'",
        setup: r#"
CREATE TABLE "t" ("id" INT PRIMARY KEY, "select" VARCHAR(40) DEFAULT 'back\slash', "b" BLOB);
INSERT INTO "t" VALUES (1, 'a\', 'b\n'), (2, '\\', '\'), (3, '"', '''');
"#,
        changes: r#"
INSERT INTO "t" ("id", "b") VALUES (4, '\0'), (5, '\Z');
UPDATE "t" SET "select" = 'it''s\' WHERE "id" = 1;
ALTER TABLE "t" ADD COLUMN "c""d" VARCHAR(20) DEFAULT '\' COMMENT 'a\';
INSERT INTO "t" ("id") VALUES (6);
CREATE TABLE "made" ("id" INT PRIMARY KEY, "v" VARCHAR(10) DEFAULT '\n') COMMENT = 'x\';
INSERT INTO "made" ("id") VALUES (1);
DELETE FROM "t" WHERE "id" = 2;
"#,
        ..CASE
    },
];
