//! JSON, spatial values and vectors.

use crate::case::{CASE, Case, From, Outcome};

pub(super) const CASES: &[Case] = &[
    Case {
        trap: 26,
        peer: &["11"],
        title: "JSON numbers: 1 and 1.0 and 1e0, all of BIGINT UNSIGNED, every digit of a double",
        from: From::Only97,
        setup: r#"
CREATE TABLE t (id INT PRIMARY KEY, j JSON);
INSERT INTO t VALUES (1, '1'), (2, '1.0'), (3, '1e0'), (4, '18446744073709551615'), (5, '-9223372036854775808'), (6, '18446744073709551616'), (7, '0.30000000000000004'), (8, '123456789.12345679'), (9, '-0.0'), (10, '1e308'), (11, '5e-324'), (12, '[1.0, 2.5, 100.0, 1, {"a": 1.0}]'), (13, 'null'), (14, NULL), (15, 'true'), (16, '-1'), (17, '32768'), (18, '65536'), (19, '2147483648'), (20, '4294967296');
"#,
        changes: r#"
INSERT INTO t SELECT id + 100, j FROM t;
UPDATE t SET j = JSON_ARRAY(j, 1, 1e0, 18446744073709551615) WHERE id > 100;
UPDATE t SET j = '[1.0, 1]' WHERE id = 1;
UPDATE t SET j = '0.1' WHERE id = 2;
"#,
        queries: &["SELECT id, JSON_TYPE(j), CAST(j AS CHAR) FROM {db}.t ORDER BY id"],
        ..CASE
    },
    Case {
        trap: 26,
        part: "b",
        title: "a DECIMAL inside a JSON document, of 65 digits too",
        from: From::Only97,
        setup: r#"
CREATE TABLE t (id INT PRIMARY KEY, j JSON);
"#,
        changes: r#"
INSERT INTO t VALUES (1, JSON_ARRAY(1.10, 99999999999999999999999999999999999.999999999999999999999999999999)), (2, JSON_OBJECT('d', -0.000000000000000000000000000001)), (3, CAST(1.5 AS JSON));
UPDATE t SET j = JSON_OBJECT('d', 2.50, 'e', 2.5e0) WHERE id = 2;
"#,
        ..CASE
    },
    Case {
        trap: 27,
        title: "DATE, DATETIME, TIME(6), BLOB and BIT inside a JSON document",
        from: From::Only97,
        setup: "
CREATE TABLE t (id INT PRIMARY KEY, j JSON);
",
        changes: r#"
INSERT INTO t VALUES (1, CAST(TIMESTAMP'2024-02-29 12:34:56.789' AS JSON)), (2, CAST(DATE'2024-02-29' AS JSON)), (3, CAST(TIME'-12:34:56.000001' AS JSON)), (4, CAST(x'00ff' AS JSON)), (5, JSON_OBJECT('ts', TIMESTAMP'2024-02-29 12:34:56', 'b', x'00ff5c27', 'l', JSON_ARRAY(DATE'0001-01-01', TIME'838:59:59')));
CREATE TABLE b (id INT PRIMARY KEY, bits BIT(9), blb BLOB, y YEAR, j JSON);
INSERT INTO b (id, bits, blb, y) VALUES (1, b'101', x'00ff', 2024);
UPDATE b SET j = JSON_OBJECT('bits', bits, 'blb', blb, 'y', y);
UPDATE t SET j = JSON_ARRAY(j, j) WHERE id < 5;
DELETE FROM t WHERE id = 2;
"#,
        ..CASE
    },
    Case {
        trap: 28,
        title: "JSON with duplicate and empty keys, escapes, and more than 64 KiB",
        from: From::Only97,
        setup: r#"
CREATE TABLE t (id INT PRIMARY KEY, j JSON);
INSERT INTO t VALUES (1, '{"a": 1, "a": 2, "": 3, "": {"": ""}}'), (2, '"\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u0000 \\u001a é \\ud83d\\ude00"'), (3, JSON_OBJECT('big', REPEAT('x', 70000), 'list', JSON_ARRAY(1, 2, JSON_ARRAY()))), (4, CONCAT('[', REPEAT('1,', 40000), '2]')), (5, '{}'), (6, '[]'), (7, '[[[[[[{"a":{"b":[]}}]]]]]]'), (8, '""'), (9, JSON_OBJECT(REPEAT('k', 60000), 1)), (10, '{"key with space": 1, "ключ": "значение", "quote\\"": "\\u0027"}');
"#,
        changes: r#"
INSERT INTO t SELECT id + 100, j FROM t;
UPDATE t SET j = JSON_SET(j, '$.more', REPEAT('y', 70000)) WHERE id = 1;
UPDATE t SET j = JSON_OBJECT('a', j, 'b', j) WHERE id > 100;
"#,
        ..CASE
    },
    Case {
        trap: 29,
        peer: &["1"],
        title: "partial JSON updates: SET, REPLACE and REMOVE, several at once, in arrays, beside other columns",
        from: From::Only97,
        session: "SET binlog_row_value_options = 'PARTIAL_JSON'",
        setup: r#"
CREATE TABLE t (id INT PRIMARY KEY, n INT, j JSON, k JSON, b TEXT);
INSERT INTO t VALUES (1, 1, CONCAT('{"a": 1, "b": [1, 2, 3], "pad": "', REPEAT('x', 500), '"}'), CONCAT('[1, {"a": "b"}, "', REPEAT('y', 500), '"]'), 'text'), (2, 2, '{"a": {"b": {"c": 1}}, "d": "long enough to matter here", "e": null}', '{}', NULL), (3, 3, NULL, '[]', '');
"#,
        changes: r#"
UPDATE t SET j = JSON_SET(j, '$.a', 2) WHERE id = 1;
UPDATE t SET j = JSON_REPLACE(j, '$.b[1]', 'two', '$.a', 1e0), n = n + 1 WHERE id = 1;
UPDATE t SET j = JSON_REMOVE(j, '$.b[0]'), k = JSON_SET(k, '$[1].a', JSON_ARRAY(1, 2)) WHERE id = 1;
UPDATE t SET j = JSON_SET(j, '$.a.b.d', JSON_OBJECT('x', 1)), b = 'other' WHERE id = 2;
UPDATE t SET n = n + 1;
UPDATE t SET k = JSON_ARRAY(1) WHERE id = 3;
INSERT INTO t VALUES (4, 4, '{}', '[]', 'new');
DELETE FROM t WHERE id = 2;
"#,
        ..CASE
    },
    Case {
        trap: 29,
        part: "b",
        title: "partial JSON updates in compressed transactions, with minimal row images",
        from: From::Only97,
        session: "SET binlog_row_value_options = 'PARTIAL_JSON', binlog_row_image = 'MINIMAL', binlog_transaction_compression = ON",
        setup: r#"
CREATE TABLE t (id INT PRIMARY KEY, n INT, j JSON);
INSERT INTO t VALUES (1, 1, CONCAT('{"a": 1, "pad": "', REPEAT('x', 500), '"}')), (2, 2, CONCAT('{"a": 1, "pad": "', REPEAT('x', 500), '"}'));
"#,
        changes: r#"
UPDATE t SET j = JSON_SET(j, '$.a', 2);
UPDATE t SET j = JSON_SET(j, '$.b', '$.c'), n = 7;
UPDATE t SET j = JSON_REMOVE(j, '$.a') WHERE id = 2;
"#,
        ..CASE
    },
    Case {
        trap: 30,
        peer: &["6"],
        title: "rows with JSON of a table without a key are found",
        from: From::Only97,
        setup: r#"
CREATE TABLE t (j JSON, n INT);
INSERT INTO t VALUES ('{"a": [1, 1.0, "1"]}', 1), ('{"a": [1, 1.0, "1"]}', 1), (NULL, 2), ('null', 3), ('1', 4), ('1.0', 5), ('"1"', 6);
"#,
        changes: r#"
UPDATE t SET n = 10 WHERE n = 1 LIMIT 1;
DELETE FROM t WHERE n = 3;
UPDATE t SET j = JSON_ARRAY(j) WHERE n > 2;
DELETE FROM t WHERE n = 1;
UPDATE t SET n = 20 WHERE n = 2;
UPDATE t SET j = NULL WHERE n = 5;
"#,
        ..CASE
    },
    Case {
        trap: 31,
        peer: &["7", "16", "right-geometry"],
        title: "POINT with SRID 4326, 3857 and 0, in columns with and without SRID, and empty collections",
        from: From::Only97,
        setup: "
CREATE TABLE t (id INT PRIMARY KEY, g GEOMETRY, p POINT, s POINT SRID 4326, c GEOMETRYCOLLECTION);
INSERT INTO t VALUES (1, ST_GeomFromText('POINT(1 2)', 4326), ST_GeomFromText('POINT(1 2)', 0), ST_GeomFromText('POINT(52.5 13.4)', 4326), ST_GeomFromText('GEOMETRYCOLLECTION EMPTY')), (2, ST_GeomFromText('POINT(1 2)', 3857), ST_GeomFromText('POINT(10 20)', 3857), NULL, ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 2), LINESTRING(0 0, 1 1))', 4326)), (3, ST_GeomFromText('POLYGON((0 0, 10 0, 10 10, 0 10, 0 0), (1 1, 2 1, 2 2, 1 1))'), NULL, NULL, NULL);
CREATE TABLE i (id INT PRIMARY KEY, s POINT NOT NULL SRID 4326, SPATIAL KEY (s));
INSERT INTO i SELECT id, s FROM t WHERE s IS NOT NULL;
",
        changes: "
INSERT INTO t SELECT id + 10, g, p, s, c FROM t;
UPDATE t SET g = ST_GeomFromText('MULTIPOINT((1 2), (3 4))', 4326), s = ST_GeomFromText('POINT(-33.9 151.2)', 4326) WHERE id > 10;
UPDATE t SET p = ST_GeomFromText('POINT(2 1)', 4326) WHERE id = 1;
INSERT INTO i VALUES (2, ST_GeomFromText('POINT(1 2)', 4326)), (3, ST_GeomFromText('POINT(2 1)', 4326));
DELETE FROM i WHERE id = 1;
",
        queries: &["SELECT id, ST_SRID(g), HEX(ST_AsBinary(g)), ST_SRID(p), HEX(ST_AsBinary(p)), ST_SRID(s), HEX(ST_AsBinary(s)), HEX(ST_AsBinary(c)) FROM {db}.t ORDER BY id"],
        ..CASE
    },
    Case {
        trap: 31,
        part: "b",
        title: "geometry of an old source",
        from: From::Only56,
        setup: "
CREATE TABLE t (id INT PRIMARY KEY, g GEOMETRY, p POINT);
INSERT INTO t VALUES (1, GeomFromText('POINT(1 2)'), GeomFromText('POINT(1 2)')), (2, GeomFromText('LINESTRING(0 0, 1 1)'), NULL), (3, GeomFromText('POLYGON((0 0, 10 0, 10 10, 0 10, 0 0))'), NULL);
",
        changes: "
INSERT INTO t SELECT id + 10, g, p FROM t;
UPDATE t SET p = GeomFromText('POINT(2 1)') WHERE id > 10;
DELETE FROM t WHERE id = 2;
",
        ..CASE
    },
    Case {
        trap: 32,
        peer: &["13"],
        title: "VECTOR",
        from: From::Only97,
        setup: "
CREATE TABLE t (id INT PRIMARY KEY, v VECTOR(3), w VECTOR);
INSERT INTO t VALUES (1, STRING_TO_VECTOR('[1, -0.0, 3.4e38]'), STRING_TO_VECTOR('[1]')), (2, NULL, NULL), (3, x'0000000000000000a0a0a0a0', x'ffff7f7f');
",
        changes: "
INSERT INTO t SELECT id + 10, v, w FROM t;
UPDATE t SET v = STRING_TO_VECTOR('[-1.5, 2, 3]') WHERE id > 10;
UPDATE t SET w = NULL WHERE id = 1;
DELETE FROM t WHERE id = 3;
",
        note: "a destination without VECTOR is older than the source, and so refused",
        ..CASE
    },
    Case {
        trap: 32,
        part: "b",
        title: "the empty vector that a lax session stores for NULL in a NOT NULL column",
        from: From::Only97,
        setup: "
CREATE TABLE t (id INT PRIMARY KEY, v VECTOR(3) NOT NULL);
",
        changes: "
INSERT IGNORE INTO t VALUES (1, NULL), (2, NULL);
",
        copy: Outcome::Stops("6136"),
        follow: Outcome::Stops("6136"),
        note: "no session can write it as a value",
        ..CASE
    },
];
