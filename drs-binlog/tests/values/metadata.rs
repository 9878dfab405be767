//! A table map's metadata against the table that it was written for.
use std::sync::{Mutex, MutexGuard, PoisonError};

use drs_binlog::{ColumnType, KeyPart, TableColumns};
use drs_testkit::Server;

use crate::{log::Scene, mariadb, mysql_56, mysql_97};

/// Held by each test that needs `binlog_row_metadata` one way or the other: it is global to a server.
static ROW_METADATA: Mutex<()> = Mutex::new(());

fn row_metadata() -> MutexGuard<'static, ()> {
    ROW_METADATA.lock().unwrap_or_else(PoisonError::into_inner)
}

fn compiled(scene: &Scene, table: &str) -> TableColumns {
    let mut found = None;
    scene.changes(table, |columns, _| found = Some(columns.clone()));
    found.unwrap()
}

const TABLE: &str = "CREATE TABLE t (
    n1 INT UNSIGNED, y YEAR, n2 INT, d DECIMAL(5,2) UNSIGNED, f DOUBLE UNSIGNED, n3 TINYINT, b BIT(3),
    n4 BIGINT UNSIGNED, n5 MEDIUMINT UNSIGNED, n6 SMALLINT,
    c1 CHAR(5) CHARACTER SET latin1, c2 VARCHAR(5) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, c3 TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    c4 BLOB, c5 VARBINARY(5) NOT NULL, c6 LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    e1 ENUM('a','b''b','é') CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, s1 SET('x','y') CHARACTER SET latin1, e2 ENUM('') CHARACTER SET latin1,
    g1 GEOMETRY, g2 POINT, g3 POLYGON, last INT NOT NULL, PRIMARY KEY (last, c2(3)))";

/// What the log must say with all metadata on, column by column: unsigned, collation, labels, geometry type.
fn check_full(server: &'static Server, database: &str) {
    let _alone = row_metadata();
    let mut scene = Scene::new(server, database);
    scene.run("SET NAMES utf8mb4");
    scene.run("SET GLOBAL binlog_row_metadata = 'FULL'");
    scene.run(TABLE);
    scene.run("INSERT INTO t (c2, c5, last) VALUES ('k', '', 1)");
    scene.run("SET GLOBAL binlog_row_metadata = DEFAULT");
    let columns = compiled(&scene, "t");

    let names = scene.column("SELECT column_name FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 't' ORDER BY ordinal_position");
    let types = scene.column("SELECT column_type FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 't' ORDER BY ordinal_position");
    let nullable = scene.column("SELECT is_nullable FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 't' ORDER BY ordinal_position");
    let collations = scene.column("SELECT IFNULL((SELECT id FROM information_schema.collations x WHERE x.collation_name = c.collation_name), IF(data_type IN ('blob', 'varbinary'), 63, NULL)) FROM information_schema.columns c WHERE table_schema = DATABASE() AND table_name = 't' ORDER BY ordinal_position");
    assert_eq!(columns.len(), names.len());
    for (ordinal, column) in columns.columns().iter().enumerate() {
        let column_type = types[ordinal].as_deref().unwrap();
        let name = names[ordinal].as_deref();
        assert_eq!(column.name.as_deref(), name);
        assert_eq!(
            column.nullable,
            nullable[ordinal].as_deref() == Some("YES"),
            "{name:?}"
        );
        // MariaDB gives a GEOMETRY column the collation `binary`.
        let is_geometry = name.is_some_and(|name| name.starts_with('g'));
        let binary = (server.release().mariadb && is_geometry).then(|| "63".to_owned());
        let collation = collations[ordinal].clone().or(binary);
        assert_eq!(
            column.collation.map(|id| id.to_string()),
            collation,
            "{name:?}"
        );
        let is_number = ["int", "decimal", "double"]
            .iter()
            .any(|word| column_type.contains(word))
            && !column_type.contains("point");
        if is_number {
            assert_eq!(
                column.unsigned,
                Some(column_type.contains("unsigned")),
                "{name:?}"
            );
        }
        let labels: Option<&[&str]> = match name {
            Some("e1") => Some(&["a", "b'b", "é"]),
            Some("s1") => Some(&["x", "y"]),
            Some("e2") => Some(&[""]),
            _ => None,
        };
        let decoded = column.labels.as_ref().map(|labels| {
            labels
                .iter()
                .map(|label| std::str::from_utf8(label).unwrap())
                .collect::<Vec<_>>()
        });
        assert_eq!(decoded.as_deref(), labels);
        let geometry = match name {
            Some("g1") => Some(0),
            Some("g2") => Some(1),
            Some("g3") => Some(3),
            _ => None,
        };
        assert_eq!(column.geometry_type, geometry);
    }
    assert_eq!(
        columns.primary_key(),
        Some(
            &[
                KeyPart {
                    column: 22,
                    prefix: None
                },
                KeyPart {
                    column: 11,
                    prefix: Some(3)
                }
            ][..]
        )
    );
}

#[test]
fn mysql_97_full() {
    check_full(mysql_97(), "metadata_full");
}

#[test]
fn mariadb_full() {
    check_full(mariadb(), "metadata_full");
}

/// Columns that have no collation stand between those that have one.
#[test]
fn collations_skip_json_and_geometry() {
    let _alone = row_metadata();
    for metadata in ["MINIMAL", "FULL"] {
        let mut scene = Scene::new(mysql_97(), &format!("metadata_skip_{metadata}"));
        scene.run(&format!("SET GLOBAL binlog_row_metadata = '{metadata}'"));
        scene.run(
            "CREATE TABLE t (v VECTOR(5), a VARCHAR(9) CHARACTER SET latin1, j JSON, b TEXT CHARACTER SET ascii, g GEOMETRY,
             c BLOB, w VECTOR(2), d CHAR(3) CHARACTER SET ascii, n INT, e ENUM('a') CHARACTER SET greek, f VARCHAR(2) CHARACTER SET greek)",
        );
        scene.run("INSERT INTO t (n) VALUES (1)");
        scene.run("SET GLOBAL binlog_row_metadata = DEFAULT");
        let columns = compiled(&scene, "t");
        let collations: Vec<_> = columns
            .columns()
            .iter()
            .map(|column| column.collation)
            .collect();
        let greek_of_enum = (metadata == "FULL").then_some(25);
        let expected = [
            Some(63),
            Some(8),
            None,
            Some(11),
            None,
            Some(63),
            Some(63),
            Some(11),
            None,
            greek_of_enum,
            Some(25),
        ];
        assert_eq!(collations, expected, "{metadata}");
    }
}

/// MariaDB counts other types among those with a collation than MySQL does.
#[test]
fn collations_of_mariadb() {
    let _alone = row_metadata();
    for metadata in ["MINIMAL", "FULL"] {
        let mut scene = Scene::new(mariadb(), &format!("metadata_skip_{metadata}"));
        scene.run(&format!("SET GLOBAL binlog_row_metadata = '{metadata}'"));
        scene.run(
            "CREATE TABLE t (id INT, a VARCHAR(3) CHARACTER SET latin1, u UUID, b CHAR(3) CHARACTER SET greek, i INET6,
             c TEXT CHARACTER SET cp1250, g GEOMETRY, d VARCHAR(3) CHARACTER SET ascii, bt BIT(3),
             z VARCHAR(200) COMPRESSED CHARACTER SET hebrew, y TEXT COMPRESSED CHARACTER SET tis620, e VARCHAR(3) CHARACTER SET greek)",
        );
        scene.run("INSERT INTO t (id) VALUES (1)");
        scene.run("SET GLOBAL binlog_row_metadata = DEFAULT");
        let columns = compiled(&scene, "t");
        let collations: Vec<_> = columns
            .columns()
            .iter()
            .map(|column| column.collation.unwrap_or(0))
            .collect();
        assert_eq!(
            collations,
            [0, 8, 63, 25, 63, 26, 63, 11, 0, 16, 18, 25],
            "{metadata}"
        );
    }
}

#[test]
fn visibility_and_dimensions() {
    let _alone = row_metadata();
    let mut scene = Scene::new(mysql_97(), "metadata_new");
    scene.run("SET GLOBAL binlog_row_metadata = 'FULL'");
    scene.run("CREATE TABLE t (a INT INVISIBLE, v VECTOR(5), b INT, w VECTOR, PRIMARY KEY (b))");
    scene.run("INSERT INTO t (b) VALUES (1)");
    scene.run("SET GLOBAL binlog_row_metadata = DEFAULT");
    let columns = compiled(&scene, "t");
    let seen: Vec<_> = columns
        .columns()
        .iter()
        .map(|column| (column.visible, column.dimensions))
        .collect();
    assert_eq!(
        seen,
        [
            (Some(false), None),
            (Some(true), Some(5)),
            (Some(true), None),
            (Some(true), Some(2048))
        ]
    );
    assert_eq!(
        columns.primary_key(),
        Some(
            &[KeyPart {
                column: 2,
                prefix: None
            }][..]
        )
    );
}

#[test]
fn minimal_metadata_has_sign_and_collations() {
    let _alone = row_metadata();
    let mut scene = Scene::new(mysql_97(), "metadata_minimal");
    scene.run(TABLE);
    scene.run("INSERT INTO t (c2, c5, last) VALUES ('k', '', 1)");
    let columns = compiled(&scene, "t");
    let first = &columns.columns()[0];
    assert_eq!((first.unsigned, first.name.as_deref()), (Some(true), None));
    assert_eq!(columns.columns()[2].unsigned, Some(false));
    assert_eq!(columns.columns()[14].collation, Some(63));
    assert_eq!(columns.primary_key(), None);
}

#[test]
fn no_metadata_at_all() {
    let _alone = row_metadata();
    for server in [mysql_56(), mariadb()] {
        let mut scene = Scene::new(server, "metadata_none");
        scene.run(TABLE);
        scene.run("INSERT INTO t (c2, c5, last) VALUES ('k', '', 1)");
        let columns = compiled(&scene, "t");
        assert!(
            columns
                .columns()
                .iter()
                .all(|column| column.unsigned.is_none()
                    && column.collation.is_none()
                    && column.name.is_none())
        );
        assert_eq!(
            columns.columns()[10].column_type,
            ColumnType::String { max_bytes: 5 }
        );
    }
}

/// Columns that only an index has are not in the log, or the table is refused.
#[test]
fn functional_and_multi_valued_indexes() {
    let mut scene = Scene::new(mysql_97(), "metadata_indexes");
    scene.run("CREATE TABLE t (id INT PRIMARY KEY, j JSON, n INT, g INT AS (n + 1) VIRTUAL, s INT AS (n + 2) STORED, INDEX ((n + 3)), INDEX ((CAST(j->'$.a' AS UNSIGNED ARRAY))))");
    scene.run("INSERT INTO t (id, j, n) VALUES (1, '{\"a\": [1, 2]}', 5)");
    assert_eq!(compiled(&scene, "t").len(), 5);
}
