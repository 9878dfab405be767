//! The shop, the people who use it, and the comparison, on real servers.

use std::time::{Duration, Instant};

use drs_testkit::{
    Installation, Server, Version, compare_all_tables, compare_tables, deadline,
    workload::{Shop, Writers},
};
use mysql::{Conn, prelude::Queryable};

const LIMIT: Duration = Duration::from_secs(120);

fn server(version: Version) -> Server {
    let installation =
        Installation::find_or_fetch(version).unwrap_or_else(|error| panic!("{error}"));
    Server::builder(&installation)
        .in_memory(true)
        .gtid(true)
        .start()
        .unwrap()
}

#[test]
fn the_shop_keeps_its_rules_while_it_is_used() {
    for version in [Version::MySql97, Version::MySql56] {
        let server = server(version);
        let shop = Shop::new("shop", 2_000);
        let rows = shop.create(&mut server.conn().unwrap()).unwrap();
        assert!((9_000..12_000).contains(&rows), "{rows} rows");

        let writers = Writers::builder(server.tcp_opts(), &shop)
            .seed(7)
            .start()
            .unwrap();
        let mut conn = server.conn().unwrap();
        let mut looks = 0;
        deadline::until(LIMIT, "a thousand transactions", || {
            looks += 1;
            assert_eq!(
                shop.broken_rules(&mut conn).unwrap(),
                Vec::<String>::new(),
                "{version}"
            );
            (!writers.are_writing() || writers.counts().transactions >= 1_000).then_some(())
        });
        let counts = writers.stop().unwrap();
        assert!(counts.transactions >= 1_000 && looks > 1);
        assert!(counts.row_changes > counts.transactions);
        assert!(
            counts.rolled_back * 4 < counts.transactions,
            "most of the work must be done: {counts:?}"
        );
        // Whatever it is, it is equal to itself, on both versions.
        let mut other = server.conn().unwrap();
        assert_eq!(
            compare_tables(&mut conn, &mut other, "shop").unwrap(),
            Vec::new()
        );
    }
}

#[test]
fn writers_wait_for_a_server_that_is_away() {
    let server = server(Version::MySql97);
    let shop = Shop::new("shop", 80);
    shop.create(&mut server.conn().unwrap()).unwrap();
    let writers = Writers::builder(server.tcp_opts(), &shop)
        .reconnect(true)
        .start()
        .unwrap();
    let written = |more: u64| {
        let before = writers.counts().transactions;
        deadline::until(LIMIT, "more transactions", || {
            (writers.counts().transactions >= before + more).then_some(())
        });
    };
    written(20);
    server.kill().unwrap();
    server.restart().unwrap();
    written(20);
    writers.stop().unwrap();
}

#[test]
fn any_difference_is_found() {
    let (left, right) = (server(Version::MySql97), server(Version::MySql97));
    let shop = Shop::new("shop", 400);
    let (mut source, mut destination) = (left.conn().unwrap(), right.conn().unwrap());
    shop.create(&mut source).unwrap();
    shop.create(&mut destination).unwrap();
    let mut seen = Vec::new();
    let tables = compare_all_tables(&mut source, &mut destination, "shop", |table| {
        seen.push(table.table.clone());
    })
    .unwrap();
    assert_eq!(tables.len(), Shop::tables().len());
    assert!(
        tables.iter().all(drs_testkit::TableComparison::is_equal),
        "{tables:?}"
    );
    assert_eq!(seen.len(), tables.len());

    destination.query_drop("CREATE DATABASE aside").unwrap();
    for table in ["customers", "products", "audit_log"] {
        destination
            .query_drop(format!(
                "CREATE TABLE aside.{table} AS SELECT * FROM shop.{table}"
            ))
            .unwrap();
    }
    // A change at the destination, the table it is in, a part of what is said.
    let data = [
        (
            "UPDATE customers SET balance = balance + 0.01 WHERE id = 7",
            "customers",
            "1 rows only at the source",
        ),
        (
            "UPDATE customers SET name = 'zoë' WHERE id = 8",
            "customers",
            "name='zoë'",
        ),
        (
            "UPDATE customers SET birthday = NULL WHERE id = 8",
            "customers",
            "birthday=NULL",
        ),
        (
            "UPDATE customers SET avatar = '' WHERE id = 8",
            "customers",
            "avatar=''",
        ),
        (
            "UPDATE customers SET changed_at = changed_at + INTERVAL 1 MICROSECOND WHERE id = 8",
            "customers",
            "1 rows only",
        ),
        (
            "UPDATE products SET rating = rating * (1 + 3e-16) WHERE id = 9",
            "products",
            "1 rows only",
        ),
        (
            "UPDATE products SET weight = weight * 1.0000001 WHERE id = 9",
            "products",
            "1 rows only",
        ),
        (
            "UPDATE products SET attributes = JSON_SET(attributes, '$.sizes[2]', '') WHERE id = 9",
            "products",
            "1 rows only",
        ),
        (
            "INSERT INTO audit_log SELECT * FROM audit_log WHERE subject = 1 LIMIT 1",
            "audit_log",
            "101 at the destination",
        ),
        // As many rows, and each of them one of the source's, but not as often.
        (
            "UPDATE audit_log SET at = '2024-06-01 00:00:01', subject = 1, detail = 'page 1 👀' WHERE subject = 2",
            "audit_log",
            "2 rows only at the source",
        ),
    ];
    for (change, table, said) in data {
        destination
            .query_drop("SET foreign_key_checks = 0")
            .unwrap();
        destination.query_drop("USE shop").unwrap();
        destination.query_drop(change).unwrap();
        assert_different(&mut source, &mut destination, change, table, said);
        destination
            .query_drop(format!("DELETE FROM {table}"))
            .unwrap();
        destination
            .query_drop(format!("INSERT INTO {table} SELECT * FROM aside.{table}"))
            .unwrap();
    }
    // The same with a way back, of an empty table's definition.
    let definitions = [
        (
            "ALTER TABLE tills ADD KEY more (sales)",
            "defined at the source",
            "ALTER TABLE tills DROP KEY more",
        ),
        (
            "ALTER TABLE tills MODIFY sales BIGINT NOT NULL",
            "defined at the source",
            "ALTER TABLE tills MODIFY sales BIGINT UNSIGNED NOT NULL DEFAULT 0",
        ),
        (
            "ALTER TABLE tills RENAME COLUMN sales TO sold",
            "columns id smallint, sales bigint",
            "ALTER TABLE tills RENAME COLUMN sold TO sales",
        ),
        (
            "DROP TABLE tills",
            "not at the destination",
            "SET @done = 1",
        ),
    ];
    for (change, said, undo) in definitions {
        destination.query_drop(change).unwrap();
        assert_different(&mut source, &mut destination, change, "tills", said);
        destination.query_drop(undo).unwrap();
    }
}

fn assert_different(
    source: &mut Conn,
    destination: &mut Conn,
    change: &str,
    table: &str,
    said: &str,
) {
    let different = compare_tables(source, destination, "shop").unwrap();
    let text = different
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n");
    assert_eq!(different.len(), 1, "{change}: {text}");
    assert_eq!(different[0].table, table, "{change}");
    assert!(text.contains(said), "{change}: {text}");
}

#[test]
fn a_big_shop_is_created_in_seconds() {
    let server = server(Version::MySql97);
    let shop = Shop::new("shop", Shop::ORDERS);
    let start = Instant::now();
    let rows = shop.create(&mut server.conn().unwrap()).unwrap();
    println!("{rows} rows in {:.1?}", start.elapsed());
    assert!((200_000..230_000).contains(&rows), "{rows} rows");
    let start = Instant::now();
    let equal = compare_tables(
        &mut server.conn().unwrap(),
        &mut server.conn().unwrap(),
        "shop",
    );
    println!("compared in {:.1?}", start.elapsed());
    assert_eq!(equal.unwrap(), Vec::new());
}
