//! Row images: which columns they have, and the events that carry them.
use drs_binlog::{RowsKind, Value};

use crate::{
    log::{Scene, for_each_table_map, values},
    mariadb, mariadb_with_old_temporal_formats, mysql_56, mysql_56_alone, mysql_97,
};

/// `kind before -> after`, each image as `ordinal=value` pairs.
fn changes(scene: &Scene, table: &str) -> Vec<String> {
    let mut seen = Vec::new();
    scene.changes(table, |_, logged| {
        let image = |image: Option<_>| {
            image.map(|image| {
                let pairs: Vec<_> = values(&image)
                    .iter()
                    .map(|(ordinal, value)| format!("{ordinal}={value}"))
                    .collect();
                pairs.join(" ")
            })
        };
        let (before, after) = (image(logged.before), image(logged.after));
        seen.push(match (logged.kind(), before, after) {
            (RowsKind::Insert, None, Some(after)) => format!("insert {after}"),
            (RowsKind::Update, Some(before), Some(after)) => format!("update {before} -> {after}"),
            (RowsKind::Delete, Some(before), None) => format!("delete {before}"),
            (kind, before, after) => format!("{kind:?} {before:?} {after:?}"),
        });
    });
    seen
}

#[test]
fn minimal_images_have_only_what_changed() {
    for server in [mysql_97(), mysql_56(), mariadb()] {
        let mut scene = Scene::new(server, "images_minimal");
        scene.run("SET SESSION binlog_row_image = 'MINIMAL'");
        scene.run("CREATE TABLE t (a INT, b INT NULL, c VARCHAR(9), d INT, e INT, f INT, g INT, h INT, id INT PRIMARY KEY, j TEXT)");
        scene.run("INSERT INTO t (id, b, c) VALUES (1, NULL, 'x')");
        scene.run("UPDATE t SET h = 8, a = NULL, j = 'j' WHERE id = 1");
        scene.run("UPDATE t SET h = NULL, c = 'y' WHERE id = 1");
        scene.run("DELETE FROM t");
        assert_eq!(
            changes(&scene, "t"),
            [
                "insert 1=NULL 2='x' 8=1",
                "update 8=1 -> 0=NULL 7=8 9='j'",
                "update 8=1 -> 2='y' 7=NULL",
                "delete 8=1",
            ]
        );
    }
}

#[test]
fn noblob_images_leave_out_blobs() {
    for server in [mysql_97(), mysql_56(), mariadb()] {
        let mut scene = Scene::new(server, "images_noblob");
        scene.run("SET SESSION binlog_row_image = 'NOBLOB'");
        scene.run("CREATE TABLE t (id INT PRIMARY KEY, b BLOB, n INT)");
        scene.run("INSERT INTO t VALUES (1, 'blob', 1)");
        scene.run("UPDATE t SET n = 2");
        scene.run("UPDATE t SET b = 'other'");
        scene.run("DELETE FROM t");
        assert_eq!(
            changes(&scene, "t"),
            [
                "insert 0=1 1='blob' 2=1",
                "update 0=1 2=1 -> 0=1 2=2",
                "update 0=1 2=2 -> 0=1 1='other' 2=2",
                "delete 0=1 2=2",
            ]
        );
    }
}

/// Found on MySQL: a row event without a single byte of rows that stands for one row.
#[test]
fn a_row_of_no_columns_is_a_row() {
    for server in [mysql_97(), mysql_56(), mariadb()] {
        let mut scene = Scene::new(server, "images_empty");
        scene.run("SET SESSION binlog_row_image = 'MINIMAL'");
        scene.run("CREATE TABLE t (a INT, b INT)");
        scene.run("INSERT INTO t () VALUES ()");
        scene.run("BEGIN");
        scene.run("INSERT INTO t () VALUES ()");
        scene.run("INSERT INTO t () VALUES ()");
        scene.run("COMMIT");
        // MySQL refuses two in one statement; were that to change, one event could mean any number of rows.
        let two = mysql::prelude::Queryable::query_drop(
            &mut scene.conn,
            "INSERT INTO t () VALUES (), ()",
        );
        let rows: usize = scene.column("SELECT COUNT(*) FROM t")[0]
            .as_ref()
            .unwrap()
            .parse()
            .unwrap();
        assert_eq!(rows, if two.is_ok() { 5 } else { 3 });
        let row = if server.release().mariadb {
            "insert 0=NULL 1=NULL"
        } else {
            "insert "
        };
        assert_eq!(
            changes(&scene, "t"),
            vec![row; rows],
            "{:?}",
            server.release()
        );
    }
}

#[test]
fn many_columns_and_many_nulls() {
    let mut scene = Scene::new(mysql_97(), "images_wide");
    let columns: Vec<_> = (0..1000).map(|n| format!("c{n} SMALLINT NULL")).collect();
    scene.run(&format!(
        "CREATE TABLE t (id INT PRIMARY KEY, {})",
        columns.join(", ")
    ));
    let odd: Vec<_> = (0..1000)
        .map(|n| {
            if n % 3 == 0 {
                "NULL".to_owned()
            } else {
                n.to_string()
            }
        })
        .collect();
    scene.run(&format!("INSERT INTO t VALUES (1, {})", odd.join(", ")));
    let mut seen = 0;
    scene.changes("t", |_, logged| {
        let image = logged.after.unwrap();
        for (ordinal, value) in values(&image).into_iter().skip(1) {
            let n = ordinal as i64 - 1;
            assert_eq!(value.as_signed(), Some(n).filter(|n| n % 3 != 0));
            seen += 1;
        }
    });
    assert_eq!(seen, 1000);
}

#[test]
fn many_rows_of_one_event() {
    for server in [mysql_97(), mysql_56(), mariadb()] {
        let mut scene = Scene::new(server, "images_many");
        scene.run("CREATE TABLE t (id INT PRIMARY KEY, c VARCHAR(300))");
        let rows: Vec<_> = (0..5000)
            .map(|n| format!("({n}, REPEAT('x', {}))", n % 301))
            .collect();
        scene.run(&format!("INSERT INTO t VALUES {}", rows.join(",")));
        let mut next = 0;
        scene.changes("t", |_, logged| {
            let values = values(&logged.after.unwrap());
            assert_eq!(values[0].1.as_signed(), Some(next));
            assert_eq!(
                values[1].1.as_bytes().map(<[u8]>::len),
                Some(next as usize % 301)
            );
            next += 1;
        });
        assert_eq!(next, 5000);
    }
}

#[test]
fn partitions_are_named() {
    let mut scene = Scene::new(mysql_97(), "images_partition");
    scene.run("CREATE TABLE t (id INT PRIMARY KEY, n INT) PARTITION BY RANGE (id) (PARTITION a VALUES LESS THAN (10), PARTITION b VALUES LESS THAN (20))");
    scene.run("INSERT INTO t VALUES (1, 1), (11, 1)");
    scene.run("UPDATE t SET id = 12 WHERE id = 1");
    scene.run("DELETE FROM t WHERE id = 11");
    let mut seen = Vec::new();
    scene.changes("t", |_, logged| {
        let extra = logged.rows.extra;
        assert_eq!((extra.ndb, extra.unknown), (None, &[][..]));
        seen.push((logged.kind(), extra.source_partition, extra.partition));
    });
    assert_eq!(
        seen,
        [
            (RowsKind::Insert, None, Some(0)),
            (RowsKind::Insert, None, Some(1)),
            (RowsKind::Update, Some(0), Some(1)),
            (RowsKind::Delete, None, Some(1)),
        ]
    );
}

#[test]
fn version_1_events() {
    let mut scene = Scene::new(mysql_56_alone(), "images_v1");
    scene.run("CREATE TABLE t (id INT PRIMARY KEY, c VARCHAR(9))");
    scene.run("SET GLOBAL log_bin_use_v1_row_events = 1");
    let mut other = scene.server.conn().unwrap();
    for sql in [
        "USE images_v1",
        "INSERT INTO t VALUES (1, 'a'), (2, NULL)",
        "UPDATE t SET c = 'b' ORDER BY id",
        "DELETE FROM t ORDER BY id",
    ] {
        mysql::prelude::Queryable::query_drop(&mut other, sql).unwrap();
    }
    assert_eq!(
        changes(&scene, "t"),
        [
            "insert 0=1 1='a'",
            "insert 0=2 1=NULL",
            "update 0=1 1='a' -> 0=1 1='b'",
            "update 0=2 1=NULL -> 0=2 1='b'",
            "delete 0=1 1='b'",
            "delete 0=2 1='b'",
        ]
    );
}

#[test]
fn mariadb_compressed_events() {
    let mut scene = Scene::new(mariadb(), "images_compressed");
    scene.run("CREATE TABLE t (id INT PRIMARY KEY, c TEXT)");
    scene.run("SET @old = @@GLOBAL.log_bin_compress");
    scene.run("SET GLOBAL log_bin_compress = 1");
    scene.run("INSERT INTO t VALUES (1, REPEAT('a', 5000)), (2, REPEAT('b', 300))");
    scene.run("UPDATE t SET c = REPEAT('c', 400) ORDER BY id");
    scene.run("DELETE FROM t ORDER BY id");
    scene.run("SET GLOBAL log_bin_compress = @old");
    let lens: Vec<_> = {
        let mut lens = Vec::new();
        scene.changes("t", |_, logged| {
            let len = |image: Option<drs_binlog::RowImage<'_, '_>>| {
                image
                    .and_then(|image| image.value(1).unwrap())
                    .and_then(|value| value.as_bytes().map(<[u8]>::len))
            };
            lens.push((logged.compressed, len(logged.before), len(logged.after)));
        });
        lens
    };
    assert_eq!(
        lens,
        [
            (true, None, Some(5000)),
            (true, None, Some(300)),
            (true, Some(5000), Some(400)),
            (true, Some(300), Some(400)),
            (true, Some(400), None),
            (true, Some(400), None),
        ]
    );
}

#[test]
fn mariadb_compressed_columns() {
    let mut scene = Scene::new(mariadb(), "images_columns");
    scene.run("SET NAMES utf8mb4");
    for wrap in [0, 1] {
        scene.run(&format!(
            "SET SESSION sql_log_bin = 1, GLOBAL column_compression_zlib_wrap = {wrap}"
        ));
        let table = format!("t{wrap}");
        scene.run(&format!("CREATE TABLE {table} (id INT PRIMARY KEY, a TEXT COMPRESSED, b VARCHAR(2000) COMPRESSED, c VARBINARY(100) COMPRESSED, d LONGBLOB COMPRESSED, tail INT)"));
        scene.run(&format!(
            "SET SESSION column_compression_zlib_wrap = {wrap}"
        ));
        scene.run(&format!("INSERT INTO {table} VALUES (1, REPEAT('é', 5000), REPEAT('b', 2000), 'short', REPEAT(x'00ff', 40000), 7), (2, '', NULL, '', 'd', 8)"));
        let expected = scene.column(&format!("SELECT CONCAT_WS('|', HEX(a), IFNULL(HEX(b), 'NULL'), HEX(c), HEX(d), tail) FROM {table} ORDER BY id"));
        let mut seen = Vec::new();
        scene.changes(&table, |_, logged| {
            let texts: Vec<_> = values(&logged.after.unwrap())
                .into_iter()
                .skip(1)
                .map(|(_, value)| match value {
                    Value::Compressed(stored) => {
                        let mut out = Vec::new();
                        stored.inflate(1 << 20, &mut out).unwrap();
                        assert_eq!(stored.content_len(), Ok(out.len()));
                        out.iter().map(|byte| format!("{byte:02X}")).collect()
                    }
                    value => value.to_string(),
                })
                .collect();
            seen.push(Some(texts.join("|")));
        });
        assert_eq!(seen, expected);
    }
}

#[test]
fn mariadb_old_temporal_formats() {
    let mut scene = Scene::new(mariadb_with_old_temporal_formats(), "images_old");
    scene.run("CREATE TABLE t (id INT PRIMARY KEY, a TIME, b DATETIME, c TIMESTAMP NULL, d DATE, tail INT)");
    for (id, row) in [
        "'-838:59:59', '9999-12-31 23:59:59', '2038-01-19 03:14:07', '9999-12-31'",
        "'838:59:59', '0000-00-00 00:00:00', '0000-00-00 00:00:00', '0000-00-00'",
        "'-00:00:01', '2024-02-00 12:34:56', '1970-01-01 00:00:01', '2024-00-00'",
        "'00:00:00', NULL, NULL, '1000-01-01'",
    ]
    .iter()
    .enumerate()
    {
        scene.run(&format!("INSERT INTO t VALUES ({id}, {row}, 7)"));
    }
    let expected = scene.column("SELECT CONCAT_WS('|', id, a, IFNULL(b, 'NULL'), IFNULL(c, 'NULL'), d, tail) FROM t ORDER BY id");
    let mut seen = Vec::new();
    scene.changes("t", |columns, logged| {
        use drs_binlog::ColumnType;
        let types: Vec<_> = columns
            .columns()
            .iter()
            .map(|column| column.column_type)
            .collect();
        assert_eq!(
            types[1..5],
            [
                ColumnType::TimeOld,
                ColumnType::DateTimeOld,
                ColumnType::TimestampOld,
                ColumnType::Date
            ]
        );
        let texts: Vec<_> = values(&logged.after.unwrap())
            .iter()
            .map(|(_, value)| value.to_string())
            .collect();
        seen.push(Some(texts.join("|")));
    });
    assert_eq!(seen, expected);
}

/// Rows with such columns can be read wrongly without any sign of it, so the table is refused.
#[test]
fn mariadb_old_fractions_are_refused() {
    let mut scene = Scene::new(mariadb_with_old_temporal_formats(), "images_hires");
    for (table, column) in [
        ("a", "TIME(3)"),
        ("b", "DATETIME(6)"),
        ("c", "TIMESTAMP(2) NULL"),
        ("d", "TIMESTAMP NULL"),
    ] {
        scene.run(&format!("CREATE TABLE {table} (c {column})"));
        scene.run(&format!(
            "INSERT INTO {table} VALUES ('2024-01-02 03:04:05.67')"
        ));
    }
    let mut refused = 0;
    for path in scene.server.binlog_files().unwrap() {
        for_each_table_map(&std::fs::read(path).unwrap(), |map| {
            if map.database == b"images_hires" {
                let error = map.compile().unwrap_err().to_string();
                assert!(error.contains("mysql56_temporal_format"), "{error}");
                refused += 1;
            }
        });
    }
    assert_eq!(refused, 4);
}
