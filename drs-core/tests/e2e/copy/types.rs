use drs_testkit::Server;

use super::run::CopyTest;
use crate::servers::{gtid56, gtid97, odd97, plain56, plain97, run};

/// Every type that both 5.6 and 9.7 have, with its edges.
pub(crate) const TYPES: &str = r#"
CREATE TABLE numbers (id INT NOT NULL PRIMARY KEY, t TINYINT, tu TINYINT UNSIGNED, s SMALLINT, m MEDIUMINT UNSIGNED,
  b BIGINT, bu BIGINT UNSIGNED, z INT(8) UNSIGNED ZEROFILL, d DECIMAL(65,30), d0 DECIMAL(10,0), f FLOAT, g DOUBLE,
  fd FLOAT(7,3), gd DOUBLE(10,2), b1 BIT(1), b9 BIT(9), b64 BIT(64), y YEAR);
INSERT INTO numbers VALUES
 (0, -128, 255, -32768, 16777215, -9223372036854775808, 18446744073709551615, 42,
  99999999999999999999999999999999999.999999999999999999999999999999, -9999999999, 3.4028234663852886e38, 1.7976931348623157e308,
  1234.567, 12345678.91, b'1', b'100000001', 18446744073709551615, 1901),
 (1, 127, 128, 32767, 8592090, 9223372036854775807, 9223372036854775808, 0,
  -0.000000000000000000000000000001, 0, 1.401298464324817e-45, 5e-324, 0.1, -0.05, b'0', 255, 9223372036854775809, 0),
 (2, 0, 0, 0, 0, 0, 0, 99999999, 0, 1, -0e0, -0e0, -0e0, -0e0, 0, 0, 0, 2155),
 (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
 (-1, 1, 1, 1, 1, 1, 1, 1, 1.5, 1, 0.1, 0.1, 1.1, 1.25, 1, 1, 1, 2000),
 (4, 1, 1, 1, 1, 1, 1, 1, 1.5, 1, 16777217, 123456789.12345679, 9999.999, 99999999.99, 1, 1, 1, 2000),
 (5, 1, 1, 1, 1, 1, 1, 1, 1.5, 1, 1.17549435e-38, 0.30000000000000004, -1.005, 0.015, 1, 1, 1, 2000);
CREATE TABLE times (id INT NOT NULL PRIMARY KEY, d DATE, dt DATETIME, dt3 DATETIME(3), dt6 DATETIME(6), ts TIMESTAMP NULL,
  ts6 TIMESTAMP(6) NULL, upd TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, t TIME, t2 TIME(2), t6 TIME(6));
INSERT INTO times VALUES
 (1, '0000-00-00', '0000-00-00 00:00:00', '0000-00-00 00:00:00.000', '0000-00-00 00:00:00', '0000-00-00 00:00:00',
  '0000-00-00 00:00:00', '0000-00-00 00:00:00', '-838:59:59', '-00:00:00.01', '-00:00:00.000001'),
 (2, '2024-00-10', '2024-02-31 25:00:00', '9999-12-31 23:59:59.999', '1000-01-01 00:00:00.000001', '1970-01-01 00:00:01',
  '2038-01-19 03:14:07.999999', '2001-02-03 04:05:06', '838:59:59', '838:59:58.99', '00:00:00'),
 (3, '2024-02-31', '2024-00-00 10:11:12', NULL, NULL, NULL, NULL, '2024-03-31 02:30:00', NULL, NULL, NULL),
 (4, '9999-12-31', '2024-10-27 02:30:00', '2024-10-27 02:30:00.001', '2024-10-27 02:30:00.000001', '2024-10-27 01:30:00',
  '2024-10-27 00:30:00.5', '2024-10-27 00:30:00', '-01:02:03', '00:00:00.99', '-838:59:58.999999');
CREATE TABLE labels (id INT NOT NULL PRIMARY KEY, e ENUM('1','0','2') , n ENUM('a','b') NOT NULL, s SET('x','y','z'),
  big SET('a00','a01','a02','a03','a04','a05','a06','a07','a08','a09','a10','a11','a12','a13','a14','a15','a16','a17','a18','a19',
  'a20','a21','a22','a23','a24','a25','a26','a27','a28','a29','a30','a31','a32','a33','a34','a35','a36','a37','a38','a39',
  'a40','a41','a42','a43','a44','a45','a46','a47','a48','a49','a50','a51','a52','a53','a54','a55','a56','a57','a58','a59',
  'a60','a61','a62','a63'), bin ENUM('ä','b') CHARACTER SET latin1, binset SET('ü', 'v') CHARACTER SET binary);
CREATE TABLE odd_labels (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, e ENUM('a,b', 'it''s', '\\', '"', '', 'é') CHARACTER SET utf8mb4,
  s SET('it''s', '"', '\\', ' ', 'é') CHARACTER SET utf8mb4);
INSERT INTO odd_labels VALUES (0, 1, 31), (1, 2, 0), (2, 3, 4), (3, 4, 8), (4, 5, 2), (7, 6, 16), (8, 0, 1);
INSERT INTO labels VALUES (1, '1', 'a', 'x,z', 18446744073709551615, 'ä', 'ü'), (2, '0', 'b', '', 9223372036854775809, 'b', 'v'),
 (3, 'nothing', 'nothing', 'x', 0, 'nothing', ''), (4, NULL, 'a', NULL, NULL, NULL, NULL), (5, 2, 'b', 7, 1, 1, 3);
CREATE TABLE texts (id INT NOT NULL PRIMARY KEY, l1 VARCHAR(40) CHARACTER SET latin1, g VARCHAR(40) CHARACTER SET gbk,
  sj VARCHAR(40) CHARACTER SET sjis, u16 VARCHAR(40) CHARACTER SET utf16, u32 VARCHAR(40) CHARACTER SET utf32,
  u2 VARCHAR(40) CHARACTER SET ucs2, u3 VARCHAR(40) CHARACTER SET utf8, u4 VARCHAR(40) CHARACTER SET utf8mb4,
  c CHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, c16 CHAR(4) CHARACTER SET utf16, asc1 TEXT CHARACTER SET ascii, lt LONGTEXT, bn BINARY(4),
  vb VARBINARY(40), bl LONGBLOB, tb TINYBLOB);
INSERT INTO texts VALUES
 (1, x'808182ff5c', x'c4e3b4f3815c', x'835c83', _utf16 x'00410042d83dde00', _utf32 x'0001F600', _ucs2 x'00e9', 'é', '😀', 'a  ', _utf16 x'0041', 'a',
  'long', x'0001', x'0000', x'001a5c270a09220d', x'ff'),
 (2, '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', ''),
 (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
 (4, '\\N', 'NULL', '\\', '\n', '\t', '\'', '\\\\', 'a\\tb\tc\nd\re\0f\Zg"h''i', ' x', 'x ', '\\n', 'NULL', '\\N', '\\N', '\\N\n\t', '\\'),
 (5, 'a ', 'a', 'a', 'a', 'a', 'a', 'a ', 'a ', ' ', '    ', ' ', REPEAT('é€😀', 100000), x'00000000', x'20202000', REPEAT(x'00ff5c0a', 300000), x'00')
"#;

/// What 5.6 does not have.
pub(crate) const NEWER_TYPES: &str = r#"
CREATE TABLE documents (id INT NOT NULL PRIMARY KEY, j JSON, k JSON);
INSERT INTO documents VALUES
 (1, '{"a": 1, "b": [1.0, 1e0, {"c": 0.30000000000000004}], "": {"": ""}, "d": 123456789.12345679}', 'null'),
 (2, '18446744073709551615', '-9223372036854775808'), (3, '-0.0', '1e20'), (4, '"2024-01-01"', '[]'),
 (5, '"tab\\t newline\\n quote\\" backslash\\\\ é 😀 \\u0000"', '{}'), (6, NULL, 'true'),
 (7, JSON_OBJECT('big', REPEAT('x', 70000), 'list', JSON_ARRAY(1, 2, JSON_ARRAY())), '10000000000000000.0');
CREATE TABLE shapes (id INT NOT NULL PRIMARY KEY, p POINT, g GEOMETRY, s POINT SRID 4326);
INSERT INTO shapes VALUES (1, ST_GeomFromText('POINT(1 2)'), ST_GeomFromText('GEOMETRYCOLLECTION EMPTY'), ST_GeomFromText('POINT(52.5 13.4)', 4326)),
 (2, NULL, ST_GeomFromText('POLYGON((0 0,10 0,10 10,0 10,0 0))'), NULL),
 (3, ST_GeomFromText('POINT(1 2)', 3857), ST_GeomFromText('LINESTRING(1 2, -3 4)', 4326), ST_GeomFromText('POINT(-90 180)', 4326)),
 (4, ST_GeomFromText('POINT(-0.0 1e300)'), ST_GeomFromText('MULTIPOINT(1 2, 3 4)', 3857), NULL);
SET SESSION sql_generate_invisible_primary_key = ON;
CREATE TABLE hidden_key (a INT, w VARCHAR(20));
INSERT INTO hidden_key VALUES (1, 'x'), (1, 'x'), (NULL, NULL);
SET SESSION sql_generate_invisible_primary_key = OFF;
CREATE TABLE vectors (id INT NOT NULL PRIMARY KEY, v VECTOR(3));
INSERT INTO vectors VALUES (1, STRING_TO_VECTOR('[1, -0.0, 3.4e38]')), (2, NULL), (3, x'0000000000000000a0a0a0a0');
CREATE TABLE computed (a INT, v INT AS (a + 1) VIRTUAL, b INT INVISIBLE DEFAULT 7, s INT AS (a * 2) STORED, id INT NOT NULL PRIMARY KEY,
  u VARCHAR(36) DEFAULT (UUID()), UNIQUE KEY by_s (s), KEY by_expression ((a + b)), CHECK (a < 1000));
INSERT INTO computed (a, b, id) VALUES (1, 2, 1), (3, NULL, 2), (NULL, 5, 3);
CREATE TABLE collations (id INT NOT NULL PRIMARY KEY, a VARCHAR(10) COLLATE utf8mb4_0900_ai_ci, b VARCHAR(10) COLLATE utf8mb4_bin,
  c VARCHAR(10) CHARACTER SET utf8mb3, d VARCHAR(10) CHARACTER SET gb18030);
INSERT INTO collations VALUES (1, '😀', 'a ', 'é', '汉')
"#;

fn copies_exactly(source: &'static Server, destination: &'static Server, newer: bool) {
    let test = CopyTest::new(source, destination, "types");
    let mut conn = test.at_source();
    run(&mut conn, TYPES);
    if newer {
        run(&mut conn, NEWER_TYPES);
    }
    run(
        &mut conn,
        "CREATE TABLE keyless (n INT, f FLOAT, w VARCHAR(9));
         INSERT INTO keyless VALUES (1, 0.1, 'a '), (NULL, NULL, NULL), (1, 0.1, 'a '), (1, -0e0, '')",
    );
    let outcome = test.copy().unwrap();
    assert_eq!(outcome.conflicts, 0);
    test.assert_equal();
}

#[test]
fn every_type_by_load_data_from_97_to_97() {
    copies_exactly(gtid97(), plain97(), true);
}

#[test]
fn every_type_by_insert_from_97_to_97() {
    copies_exactly(plain97(), gtid97(), true);
}

#[test]
fn every_type_whatever_the_settings_of_either_side() {
    copies_exactly(odd97(), plain97(), true);
    copies_exactly(gtid97(), odd97(), true);
}

#[test]
fn every_type_by_load_data_from_56_to_97() {
    copies_exactly(plain56(), plain97(), false);
}

#[test]
fn every_type_by_insert_from_56_to_97() {
    copies_exactly(gtid56(), gtid97(), false);
}

#[test]
fn every_type_from_56_to_56_both_ways() {
    copies_exactly(gtid56(), plain56(), false);
    copies_exactly(plain56(), gtid56(), false);
}

#[test]
fn a_clock_of_its_own_at_either_side_changes_nothing() {
    let test = CopyTest::new(plain97(), gtid97(), "zones");
    let mut conn = test.at_source();
    run(
        &mut conn,
        "CREATE TABLE t (ts TIMESTAMP NOT NULL PRIMARY KEY, d DATETIME)",
    );
    run(
        &mut conn,
        "INSERT INTO t VALUES ('2024-10-27 00:30:00', '2024-10-27 02:30:00'), ('2024-10-27 01:30:00', '2024-10-27 02:30:00')",
    );
    test.copy().unwrap();
    test.assert_equal();
}

/// Servers show such a label with a `?` in its place.
#[test]
fn labels_that_definitions_do_not_show_stop_the_copy() {
    let test = CopyTest::new(gtid97(), plain97(), "unshown");
    let definition =
        "CREATE TABLE t (id INT PRIMARY KEY, e ENUM('a', 'é😀') CHARACTER SET utf8mb4)";
    let mut conn = test.at_source();
    run(
        &mut conn,
        &format!("{definition};\nINSERT INTO t VALUES (1, 2)"),
    );
    let error = test.copy().unwrap_err().to_string();
    assert!(error.starts_with("column e of"), "{error}");
    run(&mut test.at_destination(), definition);
    test.copy().unwrap();
    test.assert_equal();
}
