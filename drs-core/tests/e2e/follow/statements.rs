//! Statements of every form, with rows before and behind them.

use drs_testkit::Server;

use super::run::FollowTest;
use crate::servers::{gtid97, plain56, plain97, run};

/// Columns that come, go and move between changes of rows.
const COLUMNS: &[&str] = &[
    "INSERT INTO t VALUES (1, 'one', 10)",
    "ALTER TABLE t ADD COLUMN f VARCHAR(10) DEFAULT 'f' FIRST",
    "INSERT INTO t VALUES ('x', 2, 'two', 20)",
    "ALTER TABLE t ADD COLUMN g INT NULL AFTER id",
    "UPDATE t SET g = n, w = CONCAT(w, '!') WHERE id = 1",
    "ALTER TABLE t CHANGE COLUMN w word VARCHAR(30)",
    "UPDATE t SET word = 'deux', n = 21 WHERE id = 2",
    "ALTER TABLE t MODIFY COLUMN n BIGINT FIRST, DROP COLUMN g",
    "INSERT INTO t (id, word, n, f) VALUES (3, 'three', 30, 'y')",
    "ALTER TABLE t DROP COLUMN f, ADD COLUMN f INT NOT NULL DEFAULT 5",
    "DELETE FROM t WHERE id = 2",
    "INSERT INTO t (id, word, n) VALUES (4, 'four', 40)",
];

const COLUMNS_97: &[&str] = &[
    "INSERT INTO t VALUES (1, 'one', 10)",
    "ALTER TABLE t ADD COLUMN f VARCHAR(10) DEFAULT 'f' FIRST, ALGORITHM = INSTANT",
    "INSERT INTO t VALUES ('x', 2, 'two', 20)",
    "ALTER TABLE t RENAME COLUMN w TO word, RENAME COLUMN n TO w",
    "UPDATE t SET word = 'deux', w = 21 WHERE id = 2",
    "ALTER TABLE t DROP COLUMN f, ALGORITHM = INSTANT",
    "INSERT INTO t VALUES (3, 'three', 30)",
    "ALTER TABLE t ADD COLUMN i INT INVISIBLE DEFAULT 7 AFTER id, ALGORITHM = INSTANT",
    "INSERT INTO t (id, word, w, i) VALUES (4, 'four', 40, 8)",
    "INSERT INTO t VALUES (5, 'five', 50)",
    "ALTER TABLE t ADD COLUMN v INT AS (w * 2) VIRTUAL AFTER id, ADD COLUMN s INT AS (w + i) STORED FIRST",
    "UPDATE t SET w = w + 1 WHERE id = 4",
    "ALTER TABLE t ALTER COLUMN i SET VISIBLE, RENAME INDEX by_w TO by_word",
    "DELETE FROM t WHERE id = 5",
];

/// Tables that are made of others, emptied and dropped.
const TABLES: &[&str] = &[
    "CREATE TABLE alike LIKE t",
    "INSERT INTO alike VALUES (1, 'one', 10)",
    "CREATE TABLE IF NOT EXISTS alike LIKE keyless",
    "CREATE TEMPORARY TABLE passing (id INT)",
    "INSERT INTO passing VALUES (1)",
    "ALTER TABLE passing ADD n INT",
    "DROP TEMPORARY TABLE passing",
    "TRUNCATE alike",
    "INSERT INTO alike VALUES (2, 'two', 20), (3, 'three', 30)",
    "INSERT INTO t SELECT * FROM alike",
    "TRUNCATE TABLE keyless",
    "INSERT INTO keyless VALUES (1, NULL), (1, NULL)",
    "DROP TABLE IF EXISTS never_there, alike",
    "CREATE TABLE alike (id INT) COMMENT 'another; one -- # /*'",
    "INSERT INTO alike VALUES (9)",
];

/// 8.0 logs the rows of such a table as rows.
const CREATE_SELECT_97: &[&str] = &[
    "INSERT INTO t VALUES (1, 'one', 10), (2, 'two', 20)",
    "CREATE TABLE chosen (id INT PRIMARY KEY, extra INT DEFAULT 3) AS SELECT id, w FROM t",
    "INSERT INTO chosen (id, w) VALUES (8, 'eight')",
    "CREATE TABLE kept SELECT * FROM chosen WHERE FALSE",
    "INSERT INTO kept SELECT * FROM chosen",
    "CREATE TABLE IF NOT EXISTS kept SELECT 1 AS id",
    "DROP TABLE chosen",
];

const PARTITIONS: &[&str] = &[
    "CREATE TABLE parts (id INT NOT NULL, d INT NOT NULL, PRIMARY KEY (id, d)) PARTITION BY RANGE (d) \
     (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (20))",
    "INSERT INTO parts VALUES (1, 1), (2, 2), (3, 11), (4, 12)",
    "CREATE TABLE single (id INT NOT NULL, d INT NOT NULL, PRIMARY KEY (id, d))",
    "INSERT INTO single VALUES (7, 7)",
    "ALTER TABLE parts EXCHANGE PARTITION p0 WITH TABLE single",
    "INSERT INTO single VALUES (9, 9)",
    "UPDATE parts SET id = id + 100 WHERE d = 7",
    "ALTER TABLE parts TRUNCATE PARTITION p1",
    "INSERT INTO parts VALUES (5, 13)",
    "ALTER TABLE parts ADD PARTITION (PARTITION p2 VALUES LESS THAN MAXVALUE)",
    "INSERT INTO parts VALUES (6, 99)",
    "ALTER TABLE parts REORGANIZE PARTITION p1, p2 INTO (PARTITION p1 VALUES LESS THAN (50), PARTITION p3 VALUES LESS THAN MAXVALUE)",
    "DELETE FROM parts WHERE id = 6",
    "ALTER TABLE parts DROP PARTITION p0",
    "INSERT INTO parts VALUES (8, 8)",
    "ALTER TABLE parts REBUILD PARTITION p1",
    "ALTER TABLE parts REMOVE PARTITIONING",
    "INSERT INTO parts VALUES (10, 10)",
];

/// Comments that are code, comments that are none, and names that need quotes.
const SPELLINGS: &[&str] = &[
    "/*!50003 CREATE TABLE */ /* a `comment` */ `odd ``name` (`select` INT PRIMARY KEY, `a.b` INT) -- at the end",
    "INSERT INTO `odd ``name` VALUES (1, 1)",
    "# a comment\n/*!40101 ALTER */ TABLE `odd ``name` /*!50003 ADD COLUMN `ü` VARCHAR(10) DEFAULT 'ü;''' */",
    "INSERT INTO `odd ``name` VALUES (2, 2, 'é')",
    "USE information_schema",
    "ALTER TABLE `DB`.`odd ``name` ADD INDEX `by.it` (`a.b`)",
    "RENAME TABLE `DB`.`odd ``name` TO DB . `表 2`",
    "USE DB",
    "SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT'",
    "ALTER TABLE \"表 2\" ADD COLUMN \"q\"\"q\" VARCHAR(10) DEFAULT '\\', ADD COLUMN \"from\" INT",
    "INSERT INTO \"表 2\" (\"select\", \"a.b\") VALUES (3, 3)",
    "SET sql_mode = ''",
    "SET NAMES latin1",
    "ALTER TABLE t ADD COLUMN l VARCHAR(10) CHARACTER SET latin1 COMMENT 'plain' DEFAULT 'x', RENAME AS t2",
    "SET NAMES utf8mb4",
    "INSERT INTO t2 VALUES (5, 'five', 50, 'ÿ')",
    "create\ttable`tight`(id int)",
    "INSERT INTO tight VALUES (1)",
    "ALTER TABLE tight ADD PRIMARY KEY(id)/**/",
    "UPDATE tight SET id = 2",
    "RENAME TABLE t2 TO t",
];

/// With a stop behind each statement, and in one run that sees all of them afterwards.
fn each_ends_equal(
    source: &'static Server,
    destination: &'static Server,
    lists: &[(&str, &[&str])],
) {
    for (name, steps) in lists {
        for stops in [false, true] {
            let name = format!("st_{name}{}", if stops { "_s" } else { "" });
            println!("{name}");
            let test = FollowTest::new(
                source,
                destination,
                &name,
                "CREATE TABLE t (id INT PRIMARY KEY, w VARCHAR(20), n INT, KEY by_w (w));
CREATE TABLE keyless (a INT, b INT);
INSERT INTO keyless VALUES (1, 1), (1, 1), (2, NULL);\n",
            );
            let catch_up = |step: &str| {
                let end = test.catch_up();
                end.unwrap_or_else(|error| panic!("{name}: {error}\n{step}"));
            };
            catch_up("");
            let mut conn = test.at_source();
            for step in *steps {
                run(&mut conn, &step.replace("DB", &test.name));
                if stops {
                    catch_up(step);
                }
            }
            catch_up("");
            test.assert_equal();
        }
    }
}

#[test]
fn statements_and_rows_end_equal() {
    each_ends_equal(
        gtid97(),
        plain97(),
        &[
            ("columns", COLUMNS),
            ("columns_97", COLUMNS_97),
            ("tables", TABLES),
            ("create_select", CREATE_SELECT_97),
            ("partitions", PARTITIONS),
            ("spellings", SPELLINGS),
        ],
    );
}

#[test]
fn statements_and_rows_end_equal_without_gtids() {
    each_ends_equal(
        plain97(),
        gtid97(),
        &[
            ("columns_97", COLUMNS_97),
            ("tables", TABLES),
            ("create_select", CREATE_SELECT_97),
        ],
    );
}

#[test]
fn statements_and_rows_end_equal_from_56() {
    each_ends_equal(
        plain56(),
        gtid97(),
        &[
            ("columns", COLUMNS),
            ("tables", TABLES),
            ("partitions", PARTITIONS),
            ("spellings", SPELLINGS),
        ],
    );
}
