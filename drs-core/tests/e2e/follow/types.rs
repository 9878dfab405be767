//! Every type by the log: as values and as keys, in tables with a key and in tables without one.

use drs_testkit::Server;
use mysql::{Conn, prelude::Queryable};

use super::run::FollowTest;
use crate::{
    copy::{
        keys::{NUMBERS, TABLES},
        types::{NEWER_TYPES, TYPES},
    },
    servers::{gtid56, gtid97, odd97, plain56, plain97, run},
};

fn every_type(source: &'static Server, destination: &'static Server, newer: bool) {
    every_type_with(source, destination, newer, "");
}

/// `image` is the source session's `binlog_row_image`, if it is not the server's.
fn every_type_with(
    source: &'static Server,
    destination: &'static Server,
    newer: bool,
    image: &str,
) {
    let name = format!("types_followed_{}", image.to_lowercase());
    let test = FollowTest::new(source, destination, &name, "\n");
    test.catch_up().unwrap();
    let mut conn = test.at_source();
    if !image.is_empty() {
        run(
            &mut conn,
            &format!("SET SESSION binlog_row_image = '{image}'"),
        );
    }
    run(&mut conn, TYPES);
    if newer {
        run(&mut conn, NEWER_TYPES);
    }
    let tables = table_names(&mut conn);
    test.catch_up().unwrap();
    test.assert_equal();

    for table in &tables {
        if table == "hidden_key" {
            run(
                &mut conn,
                "UPDATE hidden_key SET w = 'y' WHERE a = 1 LIMIT 1;\nDELETE FROM hidden_key WHERE a IS NULL",
            );
            continue;
        }
        // Its key draws values by itself, and can't be dropped alone.
        if table == "odd_labels" {
            run(&mut conn, "ALTER TABLE odd_labels MODIFY id INT NOT NULL");
        }
        run(&mut conn, &format!("ALTER TABLE {table} ADD mark INT"));
        let columns = written_columns(&mut conn, table);
        // With both images of all columns in one statement this row is beyond 5.6's max_allowed_packet.
        let small = if table == "texts" {
            "WHERE id <> 5"
        } else {
            ""
        };
        run(
            &mut conn,
            &format!(
                "UPDATE {table} SET mark = id;
                 UPDATE {table} SET id = id + 100 WHERE mark % 2 = 0;
                 DELETE FROM {table} WHERE mark = 2;
                 CREATE TABLE keyless_{table} LIKE {table};
                 ALTER TABLE keyless_{table} DROP PRIMARY KEY;
                 INSERT INTO keyless_{table} ({columns}) SELECT {columns} FROM {table} {small}"
            ),
        );
        // A unique key over a generated column allows each row once.
        if table != "computed" {
            run(
                &mut conn,
                &format!(
                    "INSERT INTO keyless_{table} ({columns}) SELECT {columns} FROM {table} {small}"
                ),
            );
        }
        run(
            &mut conn,
            &format!(
                "UPDATE keyless_{table} SET mark = -1 LIMIT 4;
                 UPDATE keyless_{table} SET id = 3 WHERE mark <> -1 LIMIT 3;
                 DELETE FROM keyless_{table} WHERE mark <> -1 LIMIT 2"
            ),
        );
    }
    test.catch_up().unwrap();
    test.assert_equal();
}

#[test]
fn every_type_from_97_to_97() {
    every_type(gtid97(), plain97(), true);
}

#[test]
fn every_type_with_minimal_images() {
    every_type_with(gtid97(), plain97(), true, "MINIMAL");
    every_type_with(plain56(), plain97(), false, "MINIMAL");
}

#[test]
fn every_type_with_images_without_blobs() {
    every_type_with(plain97(), gtid97(), true, "NOBLOB");
    every_type_with(gtid56(), gtid97(), false, "NOBLOB");
}

#[test]
fn every_type_whatever_the_destinations_settings() {
    every_type(plain97(), odd97(), true);
}

#[test]
fn every_type_whatever_the_sources_settings() {
    every_type(odd97(), plain97(), true);
}

#[test]
fn every_type_from_56_to_97() {
    every_type(plain56(), gtid97(), false);
}

#[test]
fn every_type_from_56_to_56() {
    every_type(gtid56(), plain56(), false);
}

/// A row is found again by a key of any type, alone and among others.
fn every_key(source: &'static Server, destination: &'static Server) {
    let test = FollowTest::new(source, destination, "keys_followed", "\n");
    test.catch_up().unwrap();
    let mut conn = test.at_source();
    run(&mut conn, NUMBERS);
    for (name, columns, fill) in TABLES {
        run(
            &mut conn,
            &format!(
                "CREATE TABLE {name} ({columns}) ENGINE = InnoDB;\nINSERT INTO {name} {fill};\nALTER TABLE {name} ADD m INT"
            ),
        );
    }
    test.catch_up().unwrap();
    for (name, ..) in TABLES {
        run(
            &mut conn,
            &format!(
                "UPDATE {name} SET m = 1;
                 DELETE FROM {name} LIMIT 7"
            ),
        );
    }
    test.catch_up().unwrap();
    test.assert_equal();
    // One at a time, so that no list hides a single row.
    for (name, ..) in TABLES {
        run(
            &mut conn,
            &format!(
                "BEGIN;
                 UPDATE {name} SET m = 2 LIMIT 1;
                 COMMIT;
                 DELETE FROM {name} LIMIT 1"
            ),
        );
        test.catch_up().unwrap();
    }
    test.assert_equal();
}

#[test]
fn every_key_from_97_to_97() {
    every_key(gtid97(), plain97());
}

#[test]
fn every_key_from_56_to_97() {
    every_key(plain56(), plain97());
}

fn table_names(conn: &mut Conn) -> Vec<String> {
    conn.query("SELECT CAST(TABLE_NAME AS CHAR) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()")
        .unwrap()
}

fn written_columns(conn: &mut Conn, table: &str) -> String {
    let names: Vec<String> = conn
        .exec(
            "SELECT CAST(COLUMN_NAME AS CHAR) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() \
             AND TABLE_NAME = ? AND EXTRA NOT LIKE '%GENERATED' ORDER BY ORDINAL_POSITION",
            (table,),
        )
        .unwrap();
    names.join(", ")
}
