//! Comparisons of what a task with a mapping, rules or several sources should have brought, and of
//! nothing else.

use std::{sync::atomic::AtomicBool, time::Duration};

use drs_core::{
    AddedValue, DmlKind, Rule, TaskBuilder,
    compare::{CompareOptions, CompareOutcome, Comparison, TableVerdict},
};
use drs_testkit::Server;

use crate::{
    mapping::run::{catch_up, make, task, within},
    servers::{gtid97, plain56, plain97, run, session},
};

fn compare(task: &TaskBuilder) -> CompareOutcome {
    let options = CompareOptions {
        wait_max: Duration::from_secs(2),
        ..CompareOptions::default()
    };
    Comparison::new(&task.clone().build().unwrap())
        .options(options)
        .run(&AtomicBool::new(false))
        .unwrap()
}

/// Each table's name at the source, its verdict in a word, and how many rows are missing, extra,
/// different, and explained by the rule.
fn results(outcome: &CompareOutcome) -> Vec<(String, &'static str, [u64; 4])> {
    outcome
        .tables
        .iter()
        .map(|result| {
            let verdict = match result.verdict {
                TableVerdict::Equal => "equal",
                TableVerdict::Different => "different",
                TableVerdict::Unsettled => "unsettled",
                TableVerdict::NotCompared(_) => "not compared",
            };
            let counts = result.counts;
            (
                result.source.table.clone(),
                verdict,
                [
                    counts.missing,
                    counts.extra,
                    counts.different,
                    counts.by_rule,
                ],
            )
        })
        .collect()
}

fn expected(results: &[(&str, &'static str, [u64; 4])]) -> Vec<(String, &'static str, [u64; 4])> {
    results
        .iter()
        .map(|(table, verdict, counts)| ((*table).to_owned(), *verdict, *counts))
        .collect()
}

#[test]
fn mapping_and_rules_from_97() {
    mapping_and_rules(gtid97(), plain97(), "compare_mapped");
}

#[test]
fn mapping_and_rules_from_56() {
    mapping_and_rules(plain56(), gtid97(), "compare_mapped_56");
}

fn mapping_and_rules(source: &'static Server, destination: &'static Server, name: &str) {
    let there = format!("{name}_there");
    make(source, destination, &[name], &[&there]);
    run(
        &mut within(source, name),
        "CREATE TABLE filtered (id INT PRIMARY KEY, region VARCHAR(5), v INT);
         INSERT INTO filtered VALUES (1, 'EU', 1), (2, 'US', 2), (3, 'EU', 3), (4, NULL, 4);
         CREATE TABLE columns (id INT PRIMARY KEY, card VARCHAR(20), cust INT, note TEXT);
         INSERT INTO columns VALUES (1, '4711', 1, 'a'), (2, '4712', 2, 'b');
         CREATE TABLE kept (id INT PRIMARY KEY, v INT);
         INSERT INTO kept VALUES (1, 1), (2, 2);
         CREATE TABLE renamed (id INT PRIMARY KEY, v INT);
         INSERT INTO renamed VALUES (1, 1)",
    );
    let table = |table: &str| format!("{name}.{table}");
    let task = task(source, destination, name)
        .select(name)
        .map(name, there.as_str())
        .map(table("renamed"), format!("{there}.other"))
        .rule(Rule::new(table("filtered")).filter("region = 'EU'"))
        .rule(
            Rule::new(table("columns"))
                .exclude("card")
                .rename("cust", "customer")
                .add("origin", AddedValue::DatabaseTable),
        )
        .rule(Rule::new(table("kept")).without(DmlKind::Delete));
    catch_up(&task).unwrap();
    run(
        &mut within(source, name),
        "DELETE FROM kept WHERE id = 2;
         UPDATE filtered SET region = 'US' WHERE id = 3;
         INSERT INTO filtered VALUES (5, 'EU', 5)",
    );
    catch_up(&task).unwrap();
    let outcome = compare(&task);
    assert_eq!(
        results(&outcome),
        expected(&[
            ("columns", "equal", [0; 4]),
            ("filtered", "equal", [0; 4]),
            ("kept", "equal", [0, 0, 0, 1]),
            ("renamed", "equal", [0; 4]),
        ]),
        "{:#?}",
        outcome.tables
    );

    run(
        &mut within(destination, &there),
        "INSERT INTO filtered VALUES (2, 'US', 2);
         UPDATE columns SET customer = 9, note = 'x' WHERE id = 2;
         UPDATE kept SET v = 9 WHERE id = 1;
         DELETE FROM other",
    );
    let outcome = compare(&task);
    assert_eq!(
        results(&outcome),
        expected(&[
            ("columns", "different", [0, 0, 1, 0]),
            ("filtered", "different", [0, 1, 0, 0]),
            ("kept", "different", [0, 0, 1, 1]),
            ("renamed", "different", [1, 0, 0, 0]),
        ]),
        "{:#?}",
        outcome.tables
    );
    let differing: Vec<&str> = outcome.tables[0].examples[0]
        .columns
        .iter()
        .map(|column| column.column.as_str())
        .collect();
    assert_eq!(differing, ["cust", "note"]);
    assert_eq!(outcome.tables[3].destination.table, "other");
}

#[test]
fn several_tables_in_one() {
    let (source, destination, name) = (gtid97(), plain97(), "compare_many");
    make(source, destination, &[name], &[name]);
    run(
        &mut within(source, name),
        "CREATE TABLE a (id INT PRIMARY KEY, v INT);
         CREATE TABLE b (id INT PRIMARY KEY, v INT);
         CREATE TABLE c (id INT PRIMARY KEY, v INT);
         CREATE TABLE d (id INT PRIMARY KEY, v INT);
         INSERT INTO a VALUES (1, 1), (2, 2);
         INSERT INTO b VALUES (11, 1), (12, 2);
         INSERT INTO c VALUES (1, 1), (2, 2);
         INSERT INTO d VALUES (1, 1), (2, 5)",
    );
    run(
        &mut session(destination),
        "CREATE DATABASE compare_many;\nCREATE TABLE compare_many.marked (id INT, v INT, origin VARCHAR(255) NOT NULL, PRIMARY KEY (origin, id))",
    );
    let tasks: Vec<TaskBuilder> = [
        ("a", "plain"),
        ("b", "plain"),
        ("c", "marked"),
        ("d", "marked"),
    ]
    .into_iter()
    .map(|(table, there)| {
        let (table, there) = (format!("{name}.{table}"), format!("{name}.{there}"));
        let task = task(source, destination, &table.replace('.', "_"))
            .select(&table)
            .map(&table, &there);
        match there.ends_with("marked") {
            true => task.rule(Rule::new(table).add("origin", AddedValue::DatabaseTable)),
            false => task,
        }
    })
    .collect();
    for task in &tasks {
        catch_up(task).unwrap();
    }
    let compare_all = || -> Vec<_> {
        let outcomes = tasks.iter().map(compare);
        outcomes.flat_map(|outcome| results(&outcome)).collect()
    };
    let equal = |table| (table, "equal", [0; 4]);
    assert_eq!(
        compare_all(),
        expected(&[equal("a"), equal("b"), equal("c"), equal("d")])
    );

    run(
        &mut session(destination),
        "UPDATE compare_many.plain SET v = 7 WHERE id = 12;
         DELETE FROM compare_many.plain WHERE id = 1;
         INSERT INTO compare_many.plain VALUES (100, 1);
         UPDATE compare_many.marked SET v = 7 WHERE id = 2 AND origin = 'compare_many@c';
         INSERT INTO compare_many.marked VALUES (9, 9, 'compare_many@d'), (9, 9, 'elsewhere@e')",
    );
    assert_eq!(
        compare_all(),
        expected(&[
            ("a", "different", [1, 0, 0, 0]),
            ("b", "different", [0, 0, 1, 0]),
            ("c", "different", [0, 0, 1, 0]),
            ("d", "different", [0, 1, 0, 0]),
        ])
    );
}
