//! Statements that change definitions, while the task follows.

use std::{thread, time::Duration};

use drs_testkit::workload::{Random, Shop};
use mysql::{Conn, prelude::Queryable};

use crate::{
    program::{Program, catch_up},
    servers::{self, Pair, assert_equal, in_new_database, run},
    task::Task,
};

/// Each statement comes with changes of rows before and behind it.
const STATEMENTS: [&str; 31] = [
    "CREATE TABLE made (id INT PRIMARY KEY AUTO_INCREMENT, word VARCHAR(40) DEFAULT 'é')",
    "INSERT INTO made (word) VALUES ('one'), ('two'), (DEFAULT)",
    "ALTER TABLE made ADD COLUMN n INT NOT NULL DEFAULT 7 FIRST",
    "UPDATE made SET n = n + id",
    "ALTER TABLE made ADD COLUMN size DECIMAL(10,3), ADD COLUMN at DATETIME(3), ADD INDEX (n)",
    "INSERT INTO made (word, size, at) VALUES ('three', 1.5, '2024-02-29 12:00:00.125')",
    "CREATE INDEX by_word ON made (word, n)",
    "CREATE UNIQUE INDEX one_of ON made (id, word)",
    "UPDATE made SET size = id / 3 WHERE size IS NULL",
    "ALTER TABLE made MODIFY word VARCHAR(60) CHARACTER SET latin1",
    "INSERT INTO made (word) VALUES ('naïve')",
    "ALTER TABLE made CHANGE size width DECIMAL(20,4) AFTER id, DROP COLUMN at",
    "INSERT INTO made (word, width) VALUES ('four', 12.3456)",
    "DROP INDEX by_word ON made",
    "CREATE TABLE alike LIKE made",
    "INSERT INTO alike SELECT * FROM made",
    "RENAME TABLE made TO renamed",
    "UPDATE renamed SET n = -n",
    "ALTER TABLE alike RENAME TO made",
    "DELETE FROM made WHERE id = 1",
    "RENAME TABLE made TO between_names, renamed TO made, between_names TO renamed",
    "INSERT INTO made (word) VALUES ('after the swap')",
    "TRUNCATE TABLE renamed",
    "INSERT INTO renamed (word) VALUES ('after it was emptied')",
    "ALTER TABLE made CONVERT TO CHARACTER SET utf8mb4",
    "INSERT INTO made (word) VALUES ('𝄞')",
    "ALTER TABLE made DROP PRIMARY KEY, DROP INDEX one_of, MODIFY id INT",
    "INSERT INTO made SELECT * FROM made",
    "UPDATE made SET n = 1 WHERE word = 'two' LIMIT 1",
    "DROP TABLE renamed",
    "INSERT INTO made (id, word) VALUES (99, 'the last')",
];

#[test]
fn every_kind_of_statement() {
    for (database, pair) in [
        ("ddl_gtid", servers::gtid()),
        ("ddl_position", servers::by_position()),
        ("ddl_56", servers::from_56()),
        ("ddl_to_56", servers::to_56()),
    ] {
        let mut conn = in_new_database(pair.source, database);
        run(
            &mut conn,
            &["CREATE TABLE beside (id INT PRIMARY KEY, n INT)"],
        );
        let task = Task::of(pair, database);
        let mut program = Program::run(&task, &[]);
        program.wait_until_it_follows();
        for (number, statement) in STATEMENTS.iter().enumerate() {
            run(
                &mut conn,
                &[
                    &format!("INSERT INTO beside VALUES ({number}, 0)"),
                    "UPDATE beside SET n = n + 1",
                    statement,
                    "UPDATE beside SET n = n + 1",
                ],
            );
        }
        let mut there = pair.destination.conn().unwrap();
        servers::wait_for_value(
            &mut there,
            &format!("SELECT SUM(n) FROM {database}.beside"),
            &servers::value(&mut conn, "SELECT SUM(n) FROM beside").unwrap(),
        );
        assert_eq!(program.interrupt().code, Some(130));
        assert_equal(pair.source, pair.destination, database);
    }
}

/// Only some of the tables are selected; the others' statements are not run.
#[test]
fn of_the_selected_tables_only() {
    let pair = servers::gtid();
    let database = "ddl_selected";
    let mut conn = in_new_database(pair.source, database);
    run(
        &mut conn,
        &[
            "CREATE TABLE taken_1 (id INT PRIMARY KEY)",
            "CREATE TABLE left_1 (id INT PRIMARY KEY)",
        ],
    );
    let task = Task::of(pair, database).include("[\"ddl_selected.taken_*\"]");
    catch_up(&task);
    run(
        &mut conn,
        &[
            "ALTER TABLE left_1 ADD COLUMN n INT",
            "INSERT INTO left_1 VALUES (1, 1)",
            "CREATE TABLE left_2 (id INT PRIMARY KEY)",
            "DROP TABLE left_2",
            "CREATE TABLE taken_2 (id INT PRIMARY KEY)",
            "INSERT INTO taken_2 VALUES (1)",
            "ALTER TABLE taken_1 ADD COLUMN n INT",
            "INSERT INTO taken_1 VALUES (1, 1)",
        ],
    );
    catch_up(&task);
    run(&mut conn, &["DROP TABLE left_1"]);
    assert_equal(pair.source, pair.destination, database);
}

/// While the copy is interrupted: what is copied half is of another definition then, or gone.
#[test]
fn between_two_runs_of_the_copy() {
    for (database, pair) in [
        ("ddl_copy_gtid", servers::gtid()),
        ("ddl_copy_56", servers::from_56()),
        ("ddl_copy_to_56", servers::to_56()),
    ] {
        let mut conn = pair.source.conn().unwrap();
        Shop::new(database, 4_000).create(&mut conn).unwrap();
        let task = Task::of(pair, database).copy("sessions = 4\nchunk_bytes = \"64KiB\"");
        let mut program = Program::run(&task, &[]);
        program.wait_for("some rows are copied", |event| {
            (event["event"] == "copy" && event["rows_copied"].as_u64()? > 0).then_some(())
        });
        assert_eq!(program.interrupt().code, Some(130));
        run(
            &mut conn,
            &[
                &format!("USE {database}"),
                "UPDATE customers SET visits = visits + 1",
                "CREATE INDEX by_visits ON customers (visits)",
                "UPDATE products SET stock = stock + 1 WHERE id % 3 = 0",
                "ALTER TABLE products ADD COLUMN more INT NOT NULL DEFAULT 7 FIRST",
                "UPDATE products SET stock = stock + 1 WHERE id % 2 = 0",
                "TRUNCATE TABLE reviews",
                "INSERT INTO reviews SELECT id, 1, 5, 'first', NULL, NOW() FROM products LIMIT 20",
                "DELETE FROM payments LIMIT 100",
                "DROP TABLE payments",
                "CREATE TABLE payments (id INT PRIMARY KEY)",
                "INSERT INTO payments VALUES (1)",
                "UPDATE order_items SET quantity = quantity + 1 WHERE order_id % 7 = 0",
            ],
        );
        catch_up(&task);
        assert_equal(pair.source, pair.destination, database);
    }
}

/// The copy of a table that gets another name can't be followed under the new one: it is made
/// again, also when the program is killed as soon as it has said so.
#[test]
fn a_new_name_before_the_copy_is_done() {
    for (database, pair) in [
        ("ddl_renamed_gtid", servers::gtid()),
        ("ddl_renamed_56", servers::from_56()),
    ] {
        let mut conn = pair.source.conn().unwrap();
        Shop::new(database, 4_000).create(&mut conn).unwrap();
        let task = Task::of(pair, database).copy("sessions = 1\nchunk_bytes = \"64KiB\"");
        let mut program = Program::run(&task, &[]);
        program.wait_for("some rows are copied", |event| {
            (event["event"] == "copy" && event["rows_copied"].as_u64()? > 0).then_some(())
        });
        assert_eq!(program.interrupt().code, Some(130));
        run(
            &mut conn,
            &[
                &format!("USE {database}"),
                "RENAME TABLE order_items TO items",
                "UPDATE items SET quantity = quantity + 1 WHERE order_id % 7 = 0",
            ],
        );
        let mut program = Program::run(&task, &[]);
        // That is when it meets the statement.
        program.wait_until_it_follows();
        program.kill();
        run(
            &mut conn,
            &["UPDATE items SET quantity = quantity + 1 WHERE order_id % 5 = 0"],
        );
        catch_up(&task);
        assert_equal(pair.source, pair.destination, database);
    }
}

/// Killed within moments of a statement, again and again: it is run once.
#[test]
fn killed_around_a_statement() {
    for (database, pair, seed) in [
        ("ddl_kill_gtid", servers::gtid(), 1),
        ("ddl_kill_56", servers::from_56(), 2),
        ("ddl_kill_to_56", servers::to_56(), 3),
    ] {
        kill_around_statements(database, pair, seed);
    }
}

fn kill_around_statements(database: &str, pair: Pair, seed: u64) {
    let kills: u64 = std::env::var("DRS_KILLS").map_or(8, |kills| kills.parse().unwrap());
    let mut conn = in_new_database(pair.source, database);
    run(
        &mut conn,
        &[
            "CREATE TABLE counted (id INT PRIMARY KEY, n INT NOT NULL)",
            "INSERT INTO counted VALUES (1, 0), (2, 0), (3, 0)",
            "CREATE TABLE log (word VARCHAR(40))",
            "CREATE TABLE emptied (id INT PRIMARY KEY AUTO_INCREMENT, n INT)",
        ],
    );
    let task = Task::of(pair, database);
    catch_up(&task);
    let mut random = Random::new(seed);
    println!("{database}: seed {seed}");
    for number in 0..kills {
        let mut program = Program::run(&task, &[]);
        program.wait_until_it_follows();
        let statement = change(&mut conn, number);
        let delay = Duration::from_millis(random.below(60));
        thread::sleep(delay);
        let ended = program.kill();
        assert_eq!(ended.code, None, "{statement}, {delay:?}: {}", ended.errors);
    }
    catch_up(&task);
    assert_equal(pair.source, pair.destination, database);
}

/// One statement that changes definitions, with counters before and behind it.
fn change(conn: &mut Conn, number: u64) -> String {
    let statement = match number % 8 {
        0 => {
            format!("ALTER TABLE counted ADD COLUMN c{number} INT NOT NULL DEFAULT {number} FIRST")
        }
        1 => "TRUNCATE TABLE emptied".to_owned(),
        2 => format!("CREATE TABLE made_{number} (id INT PRIMARY KEY) COMMENT 'made'"),
        3 => format!("CREATE INDEX i{number} ON counted (n, id)"),
        4 => format!("RENAME TABLE made_{} TO renamed_{number}", number - 2),
        5 => format!("DROP TABLE renamed_{}", number - 1),
        6 => format!("ALTER TABLE log ADD COLUMN c{number} INT DEFAULT {number}"),
        _ => format!(
            "ALTER TABLE counted DROP COLUMN c{}, DROP INDEX i{}",
            number - 7,
            number - 4
        ),
    };
    let count = |conn: &mut Conn| {
        for statement in [
            "UPDATE counted SET n = n + 1".to_owned(),
            format!("INSERT INTO log (word) VALUES ('before or behind {number}')"),
            format!("INSERT INTO emptied (n) VALUES ({number}), ({number})"),
        ] {
            conn.query_drop(statement).unwrap();
        }
    };
    count(conn);
    run(conn, &[&statement]);
    count(conn);
    statement
}
