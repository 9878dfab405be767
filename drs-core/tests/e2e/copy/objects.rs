use std::sync::OnceLock;

use drs_core::{CopyError, LeftOut};
use drs_testkit::{Installation, Server, Version};
use mysql::{Conn, prelude::Queryable};

use super::run::CopyTest;
use crate::servers::{gtid56, gtid97, plain56, plain97, run};

fn keys(conn: &mut Conn, table: &str) -> Vec<String> {
    let mut keys: Vec<String> = conn
        .exec(
            "SELECT DISTINCT INDEX_NAME FROM information_schema.STATISTICS \
             WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?",
            (table,),
        )
        .unwrap();
    keys.sort();
    keys
}

const WITH_KEYS: &str = "CREATE TABLE parent (id INT NOT NULL PRIMARY KEY) ENGINE = InnoDB;
INSERT INTO parent VALUES (1), (2);
CREATE TABLE child (id INT NOT NULL AUTO_INCREMENT, p INT, t VARCHAR(50), `odd ``,)( key` INT COMMENT 'KEY `no` (`p`),\n)',
  PRIMARY KEY (p, id), UNIQUE KEY u (t(10), id), KEY auto (id), KEY by_parent (p, t), KEY by_text (t) COMMENT 'a, (b', KEY `odd ``, (` (`odd ``,)( key`),
  FULLTEXT KEY words (t), FULLTEXT KEY more_words (t),
  CONSTRAINT to_parent FOREIGN KEY (p) REFERENCES parent (id)) ENGINE = InnoDB AUTO_INCREMENT = 500;
INSERT INTO child VALUES (1, 1, 'one', 1), (2, 2, 'two', 2)";

#[test]
fn keys_come_after_the_rows() {
    for (source, destination) in [(gtid97(), plain97()), (plain56(), plain97())] {
        let mut test = CopyTest::new(source, destination, "indexes");
        run(&mut test.at_source(), WITH_KEYS);
        test.copy().unwrap();
        test.assert_equal();
        let all = [
            "PRIMARY",
            "auto",
            "by_parent",
            "by_text",
            "more_words",
            "odd `, (",
            "u",
            "words",
        ];
        assert_eq!(keys(&mut test.at_destination(), "child"), all);
        let next: u64 = test
            .at_destination()
            .query_first("SELECT AUTO_INCREMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'child'")
            .unwrap()
            .unwrap();
        assert_eq!(next, 500);

        test.name.push_str("_none");
        let mut conn = test.at_source_fresh();
        run(&mut conn, WITH_KEYS);
        test.options.indexes = false;
        test.copy().unwrap();
        test.assert_equal();
        assert_eq!(
            keys(&mut test.at_destination(), "child"),
            ["PRIMARY", "auto", "by_parent", "u"]
        );
    }
}

/// 5.6 leaves out the collation of `utf8mb4` where it is its own default, which 9.7's is not.
#[test]
fn default_collations_stay_what_they_were() {
    for destination in [plain97(), gtid56()] {
        let test = CopyTest::new(plain56(), destination, "collation");
        run(
            &mut test.at_source(),
            "CREATE TABLE a (id INT NOT NULL PRIMARY KEY, t VARCHAR(10), l VARCHAR(10) CHARACTER SET latin1) CHARACTER SET utf8mb4;
CREATE TABLE b (id INT NOT NULL PRIMARY KEY, t VARCHAR(10) CHARACTER SET utf8mb4 COMMENT 'CHARACTER SET utf8mb4', u VARCHAR(10)) CHARACTER SET utf8;
CREATE TABLE c (id INT NOT NULL PRIMARY KEY, t VARCHAR(10), e ENUM('a') CHARACTER SET utf8mb4) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
INSERT INTO a VALUES (1, 'é', 'é')",
        );
        test.copy().unwrap();
        test.assert_equal();
        let collations = |mut conn: Conn| -> Vec<String> {
            conn.query(
                "SELECT CONCAT_WS(' ', TABLE_NAME, COLUMN_NAME, REPLACE(COLLATION_NAME, 'utf8mb3', 'utf8')) FROM information_schema.COLUMNS \
                 WHERE TABLE_SCHEMA = DATABASE() UNION ALL \
                 SELECT CONCAT_WS(' ', TABLE_NAME, REPLACE(TABLE_COLLATION, 'utf8mb3', 'utf8')) FROM information_schema.TABLES \
                 WHERE TABLE_SCHEMA = DATABASE() ORDER BY 1",
            )
            .unwrap()
        };
        assert_eq!(
            collations(test.at_source()),
            collations(test.at_destination())
        );
    }
}

#[test]
fn a_table_with_another_definition_is_refused() {
    let source = "id INT UNSIGNED NOT NULL PRIMARY KEY, v VARCHAR(10), w INT NULL, UNIQUE KEY (w)";
    for (destination, message) in [
        (
            "id INT UNSIGNED NOT NULL PRIMARY KEY, v VARCHAR(9), w INT NULL, UNIQUE KEY (w)",
            "column v is varchar(10) at the source and varchar(9)",
        ),
        (
            "id INT NOT NULL PRIMARY KEY, v VARCHAR(10), w INT NULL, UNIQUE KEY (w)",
            "column id is int unsigned at the source and int at",
        ),
        (
            "id INT UNSIGNED NOT NULL PRIMARY KEY, v VARCHAR(10), w INT NOT NULL, UNIQUE KEY (w)",
            "column w may be NULL at the source only",
        ),
        (
            "id INT UNSIGNED NOT NULL PRIMARY KEY, v VARCHAR(10), w INT NULL",
            "the unique key (w) is missing",
        ),
        (
            "id INT UNSIGNED NOT NULL PRIMARY KEY, v VARCHAR(10), w INT NULL, UNIQUE KEY (w), UNIQUE KEY (v)",
            "the unique key (v) is at the destination only",
        ),
        (
            "id INT UNSIGNED NOT NULL PRIMARY KEY, v VARCHAR(10) COLLATE utf8mb4_bin, w INT NULL, UNIQUE KEY (w)",
            "the collation of column v is",
        ),
        (
            "id INT UNSIGNED NOT NULL PRIMARY KEY, v VARCHAR(10), w INT NULL, x INT NOT NULL, UNIQUE KEY (w)",
            "column x is at the destination only",
        ),
    ] {
        let test = CopyTest::new(gtid97(), plain97(), "different");
        run(
            &mut test.at_source(),
            &format!("CREATE TABLE t ({source}) CHARACTER SET utf8mb4"),
        );
        run(
            &mut test.at_destination(),
            &format!("CREATE TABLE t ({destination}) CHARACTER SET utf8mb4"),
        );
        for (table, column) in [("table_state", "task"), ("task", "name")] {
            // There is no checkpoint before the first task.
            _ = test.at_destination().query_drop(format!(
                "DELETE FROM drs_meta.{table} WHERE {column} = '{}'",
                test.name
            ));
        }
        match test.copy() {
            Err(error @ CopyError::Different { .. }) => {
                assert!(error.to_string().contains(message), "{error}")
            }
            other => panic!("{message}: {other:?}"),
        }
    }
}

#[test]
fn the_listing_says_what_is_left_out() {
    let test = CopyTest::new(gtid97(), plain97(), "listing");
    run(
        &mut test.at_source(),
        "CREATE TABLE parent (id INT NOT NULL PRIMARY KEY);
CREATE TABLE child (id INT NOT NULL PRIMARY KEY, FOREIGN KEY (id) REFERENCES parent (id) ON DELETE CASCADE);
CREATE TABLE calm (id INT NOT NULL PRIMARY KEY, FOREIGN KEY (id) REFERENCES parent (id) ON DELETE RESTRICT);
CREATE VIEW v AS SELECT 1;
CREATE PROCEDURE p() SELECT 1;
CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN 1;
CREATE TRIGGER tr BEFORE INSERT ON parent FOR EACH ROW SET NEW.id = NEW.id;
CREATE EVENT e ON SCHEDULE EVERY 1 YEAR DO SELECT 1",
    );
    let listing = test.list().unwrap();
    let names: Vec<_> = listing
        .tables
        .iter()
        .map(|table| table.name.table.as_str())
        .collect();
    assert_eq!(names, ["calm", "child", "parent"]);
    assert_eq!(
        listing.left_out,
        LeftOut {
            views: 1,
            routines: 2,
            triggers: 1,
            events: 1
        }
    );

    run(
        &mut test.at_source(),
        "CREATE TABLE heap (id INT NOT NULL PRIMARY KEY) ENGINE = MEMORY",
    );
    let error = test.list().unwrap_err().to_string();
    assert!(error.contains("heap` (MEMORY)"), "{error}");
}

#[test]
fn names_may_hold_anything() {
    let test = CopyTest::new(plain97(), gtid97(), "names");
    run(
        &mut test.at_source(),
        "CREATE TABLE `a.b c``d'e\"f#g@h表` (`i``d ,(` INT NOT NULL PRIMARY KEY, `select` INT, `v.'` ENUM('a''b', 'c,d') DEFAULT 'c,d', KEY `k``,(` (`select`));
INSERT INTO `a.b c``d'e\"f#g@h表` VALUES (1, 2, 1), (2, 3, 0)",
    );
    test.copy().unwrap();
    let rows = |mut conn: Conn| -> Vec<(u32, u32, u32)> {
        conn.query("SELECT `i``d ,(`, `select`, `v.'` + 0 FROM `a.b c``d'e\"f#g@h表` ORDER BY 1")
            .unwrap()
    };
    assert_eq!(rows(test.at_destination()), [(1, 2, 1), (2, 3, 0)]);
}

/// More rows, and more ENUM values with index 0, than one LOAD DATA takes.
#[test]
fn many_warnings_are_all_read() {
    for (source, destination) in [(gtid97(), plain97()), (plain97(), gtid97())] {
        let mut test = CopyTest::new(source, destination, "warnings");
        test.options.chunk_bytes = 64 << 20;
        run(
            &mut test.at_source(),
            "CREATE TABLE t (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, e ENUM('a','b'));
INSERT INTO t (e) VALUES (0), (0), (1), (0), (0), (0), (0), (0), (0), (0);
INSERT INTO t (e) SELECT x.e FROM t x, t y, t z;
INSERT INTO t (e) SELECT x.e FROM t x, (SELECT 1 FROM t LIMIT 80) y",
        );
        test.copy().unwrap();
        test.assert_equal();
        // Every row is a duplicate now.
        run(
            &mut test.at_destination(),
            &format!(
                "DELETE FROM drs_meta.chunk WHERE task = '{0}';\nUPDATE drs_meta.table_state SET phase = 'copying' WHERE task = '{0}'",
                test.name
            ),
        );
        let outcome = test.copy().unwrap();
        assert_eq!(outcome.rows, outcome.conflicts);
        let ledger = drs_core::conflicts::count(&mut test.at_destination(), &test.name).unwrap();
        assert_eq!(ledger, outcome.conflicts);
        assert!(outcome.rows > 80_000);
        test.assert_equal();
    }
}

#[test]
fn a_row_that_fits_into_no_statement_stops_the_copy() {
    static SMALL: OnceLock<Server> = OnceLock::new();
    let small = SMALL.get_or_init(|| {
        let mysql = Installation::find_or_fetch(Version::MySql97).unwrap();
        Server::builder(&mysql)
            .in_memory(true)
            .server_id(973)
            .option("--max-allowed-packet=1M")
            .start()
            .unwrap()
    });
    let test = CopyTest::new(gtid97(), small, "packet");
    run(
        &mut test.at_source(),
        "CREATE TABLE t (id INT NOT NULL, part INT NOT NULL, b LONGBLOB, PRIMARY KEY (id, part));
INSERT INTO t VALUES (1, 1, REPEAT('x', 400000)), (2, 1, REPEAT('x', 400000)), (3, 1, REPEAT('x', 10))",
    );
    test.copy().unwrap();
    test.assert_equal();
    let test = CopyTest::new(gtid97(), small, "packets");
    run(
        &mut test.at_source(),
        "CREATE TABLE t (id INT NOT NULL, part INT NOT NULL, b LONGBLOB, PRIMARY KEY (id, part));
INSERT INTO t VALUES (1, 1, REPEAT('x', 600000))",
    );
    let error = test.copy().unwrap_err();
    assert!(
        matches!(
            error,
            CopyError::RowTooLarge {
                bytes_max: 1_048_576,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(
        error
            .to_string()
            .contains("(key: id, part) needs a statement of 1200"),
        "{error}"
    );
}
