//! Rows that are larger than the destination takes in one statement.

use drs_testkit::{Installation, Server, Version};
use mysql::prelude::Queryable;

use super::run::FollowTest;
use crate::servers::{gtid97, run, session};

const TABLES: &str = "CREATE TABLE texts (id INT, part INT, t LONGTEXT, PRIMARY KEY (id, part));
    CREATE TABLE documents (id INT PRIMARY KEY, j JSON);
    CREATE TABLE keyless (b LONGBLOB);\n";

fn small_destination() -> &'static Server {
    static SERVER: std::sync::OnceLock<Server> = std::sync::OnceLock::new();
    SERVER.get_or_init(|| {
        let installation = Installation::find_or_fetch(Version::MySql97).unwrap();
        Server::builder(&installation)
            .in_memory(true)
            .server_id(974)
            .option("--max-allowed-packet=1M")
            .start()
            .unwrap()
    })
}

/// The task stops at once, and says which table and which size; with a larger one it goes on.
#[test]
fn a_row_larger_than_max_allowed_packet_stops_the_task_until_it_is_raised() {
    let cases = [
        (
            "copied",
            "INSERT INTO texts VALUES (1, 1, 'a'), (1, 2, REPEAT('é', 1500000))",
            "texts` (key: id, part)",
        ),
        (
            "document",
            "INSERT INTO documents VALUES (1, JSON_ARRAY(REPEAT('x', 2000000)))",
            "documents` (key: id)",
        ),
        (
            "typed",
            "INSERT INTO documents VALUES (1, JSON_ARRAY(CAST(1 AS UNSIGNED), REPEAT('x', 2000000)))",
            "documents` (key: id)",
        ),
        (
            "keyless",
            "INSERT INTO keyless VALUES (REPEAT('x', 2000000))",
            "keyless` (key: none)",
        ),
    ];
    let destination = small_destination();
    for (way, local_infile) in [("insert", "OFF"), ("load", "ON")] {
        for (name, statement, expected) in cases {
            for followed in [false, true] {
                let mut admin = session(destination);
                run(
                    &mut admin,
                    &format!(
                        "SET GLOBAL max_allowed_packet = 1048576, local_infile = {local_infile}"
                    ),
                );
                let what = format!("{name} by {way}, followed: {followed}");
                let test = FollowTest::new(
                    gtid97(),
                    destination,
                    &format!("large_{name}_{way}_{followed}"),
                    TABLES,
                );
                if followed {
                    test.catch_up().unwrap();
                }
                run(&mut test.at_source(), statement);
                match test.catch_up() {
                    Ok(_) => assert!(!followed && way == "load", "{what}"),
                    Err(error) => {
                        let error = error.to_string();
                        // Where the server itself finds a document too large it names the table only.
                        let (table, _) = expected.split_once(' ').unwrap();
                        let named = error.contains(expected)
                            || (way == "load" && !followed && error.contains(table));
                        assert!(
                            named && error.contains("max_allowed_packet"),
                            "{what}: {error}"
                        );
                        assert!(!error.contains("xxx"), "{what}");
                    }
                }
                admin
                    .query_drop("SET GLOBAL max_allowed_packet = 16777216")
                    .unwrap();
                test.catch_up()
                    .unwrap_or_else(|error| panic!("{what}: {error}"));
                test.assert_equal();
            }
        }
    }
}
