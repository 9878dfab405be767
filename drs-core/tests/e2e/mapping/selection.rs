use drs_testkit::{Installation, Server, Version};

use super::run::{catch_up, make, rows, task, within};
use crate::servers::{gtid97, plain97, run};

/// A database that is selected as a whole takes in what is made there later; single tables do not,
/// and a pattern takes what it matches.
#[test]
fn tables_made_later_belong_to_the_entries_that_match_them() {
    for (name, include, exclude, expected) in [
        (
            "later_db",
            "later_db",
            None,
            &["a", "a_new", "b", "b_new"][..],
        ),
        (
            "later_all",
            "later_all.*",
            Some("later_all.b*"),
            &["a", "a_new"],
        ),
        ("later_one", "later_one.a", None, &["a"]),
        ("later_some", "later_some.?_*", None, &["a_new", "b_new"]),
    ] {
        let (source, destination) = (gtid97(), plain97());
        make(source, destination, &[name], &[name]);
        let mut here = within(source, name);
        run(
            &mut here,
            "CREATE TABLE a (id INT PRIMARY KEY);
             CREATE TABLE b (id INT PRIMARY KEY);
             INSERT INTO a VALUES (1);
             INSERT INTO b VALUES (1)",
        );
        let mut task = task(source, destination, name).select(include);
        if let Some(exclude) = exclude {
            task = task.exclude(exclude);
        }
        catch_up(&task).unwrap();
        run(
            &mut here,
            "CREATE TABLE a_new (id INT PRIMARY KEY);
             CREATE TABLE b_new (id INT PRIMARY KEY);
             INSERT INTO a_new VALUES (2);
             INSERT INTO b_new VALUES (2);
             INSERT INTO a VALUES (2);
             INSERT INTO b VALUES (2)",
        );
        // A task on some tables makes their database only with its first one.
        run(
            &mut within(destination, "mysql"),
            &format!("CREATE DATABASE IF NOT EXISTS {name}"),
        );
        catch_up(&task).unwrap();
        assert_eq!(
            rows(destination, &format!("SHOW TABLES IN {name}")),
            expected,
            "{include}"
        );
        for table in expected {
            assert_eq!(
                rows(source, &format!("SELECT * FROM {name}.{table}")),
                rows(destination, &format!("SELECT * FROM {name}.{table}")),
            );
        }
    }
}

/// Where the source does not tell cases apart, neither does the task.
#[test]
fn names_compare_as_the_source_compares_them() {
    let installation = Installation::find_or_fetch(Version::MySql97).unwrap();
    let lower = Server::builder(&installation)
        .in_memory(true)
        .server_id(977)
        .initial_option("--lower-case-table-names=1")
        .start()
        .unwrap();
    let destination = plain97();
    for (source, name, expected) in [
        (&lower, "case_lower", &["orders", "tmp_1"][..]),
        (gtid97(), "case_exact", &["Tmp_1"]),
    ] {
        make(source, destination, &[name], &[name]);
        let mut here = within(source, name);
        run(
            &mut here,
            "CREATE TABLE Orders (id INT PRIMARY KEY);
             CREATE TABLE Tmp_1 (id INT PRIMARY KEY);
             INSERT INTO Orders VALUES (1)",
        );
        let task = task(source, destination, name)
            .select(format!("{name}.orders"))
            .select(format!("{name}.Tmp_*"));
        catch_up(&task).unwrap();
        run(
            &mut here,
            "INSERT INTO Orders VALUES (2);
             INSERT INTO Tmp_1 VALUES (3)",
        );
        catch_up(&task).unwrap();
        assert_eq!(
            rows(destination, &format!("SHOW TABLES IN {name}")),
            expected
        );
    }
    assert_eq!(
        rows(destination, "SELECT * FROM case_lower.orders"),
        ["1", "2"]
    );
}
