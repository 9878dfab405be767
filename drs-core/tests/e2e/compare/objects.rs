//! Objects, compared by what they mean.

use std::{collections::BTreeSet, sync::atomic::AtomicBool};

use drs_core::{
    Task, TaskBuilder,
    compare::{ObjectKind, ObjectResult, ObjectSummary, ObjectVerdict, compare_objects},
    open_destination, open_source,
};
use drs_testkit::Server;

use super::{
    changes,
    definitions::{COMMON, NEWER},
};
use crate::{
    follow::run::FollowTest,
    servers::{gtid97, plain56, plain97, run, session},
};

/// Every result, and the numbers.
fn compared(task: &Task) -> (Vec<ObjectResult>, ObjectSummary) {
    let (mut source, version) = open_source(task.source()).unwrap();
    let (mut destination, version_there) = open_destination(task.destination()).unwrap();
    let mut results = Vec::new();
    let summary = compare_objects(
        task,
        (&mut source, version),
        (&mut destination, version_there),
        &AtomicBool::new(false),
        &mut |result| results.push(result),
    )
    .unwrap();
    (results, summary)
}

/// What is not the same, a line each.
fn different(results: &[ObjectResult]) -> Vec<String> {
    let mut lines = Vec::new();
    for result in results {
        let name = result.source.as_ref().or(result.destination.as_ref());
        let name = name.map(ToString::to_string).unwrap_or_default();
        let name = name.rsplit('.').next().unwrap_or_default().to_owned();
        match &result.verdict {
            ObjectVerdict::Equal => assert_eq!(result.real().count(), 0),
            ObjectVerdict::Different => lines.extend(result.real().map(|found| {
                format!(
                    "{} {name}: {}: {} / {}",
                    result.kind, found.what, found.source, found.destination
                )
            })),
            other => lines.push(format!("{} {name}: {other:?}", result.kind)),
        }
    }
    lines
}

/// Without the triggers and events, which are never compared.
fn real(task: &TaskBuilder) -> Vec<String> {
    real_of(&task.clone().build().unwrap())
}

fn real_of(task: &Task) -> Vec<String> {
    let (mut results, _) = compared(task);
    results.retain(|result| !matches!(result.kind, ObjectKind::Trigger | ObjectKind::Event));
    different(&results)
}

fn rich(source: &'static Server, destination: &'static Server, name: &str) -> FollowTest {
    let test = FollowTest::new(source, destination, name, "");
    let mut conn = test.at_source();
    run(
        &mut conn,
        "ALTER DATABASE CHARACTER SET utf8 COLLATE utf8_general_ci",
    );
    run(&mut conn, COMMON.trim_start());
    if !std::ptr::eq(source, plain56()) {
        run(&mut conn, NEWER.trim_start());
    }
    test
}

#[test]
fn what_a_task_has_copied_is_equal() {
    for (source, destination) in [(gtid97(), plain97()), (plain56(), plain97())] {
        let test = rich(source, destination, "objects_null");
        let task = test.task().mode(drs_core::Mode::Full);
        let built = task.clone().build().unwrap();
        test.catch_up_watched(&built, &()).unwrap();
        let (results, summary) = compared(&built);
        let notes = |kind| results.iter().filter(|result| result.kind == kind).count();
        assert_eq!(
            (notes(ObjectKind::Trigger), notes(ObjectKind::Event)),
            (1, 1)
        );
        assert_eq!(real(&task), [""; 0]);
        assert!(summary.is_equal());
        for (kind, counts) in &summary.counts {
            if counts.not_compared == 0 {
                assert_eq!(counts.source, counts.destination, "{kind}");
            }
        }
        assert_eq!(summary.counts[&ObjectKind::Database].source, 1);
        assert!(summary.counts[&ObjectKind::Table].source >= 11);
        assert!(summary.counts[&ObjectKind::Index].source >= 13);
        // Names of accounts that do not exist there are told of.
        let nobody = results.iter().filter(|result| {
            result
                .differences
                .iter()
                .any(|found| found.what == "definer")
        });
        assert_eq!(nobody.count(), 2);
    }
}

#[test]
fn each_changed_property_is_found_and_named() {
    for (source, destination) in [(gtid97(), plain97()), (plain56(), plain97())] {
        let test = rich(source, destination, "objects_changed");
        let task = test.task().mode(drs_core::Mode::Full).build().unwrap();
        test.catch_up_watched(&task, &()).unwrap();
        let mut there = session(destination);
        run(&mut there, &format!("USE {}", test.name));
        run(&mut there, "CREATE USER IF NOT EXISTS 'drs_other'@'%'");
        run(&mut there, "SET foreign_key_checks = 0");
        if std::ptr::eq(source, plain56()) {
            // As the sessions that made the views there.
            run(&mut there, "SET NAMES utf8mb4 COLLATE utf8mb4_general_ci");
        }
        let mut changes = changes::COMMON.to_vec();
        if !std::ptr::eq(source, plain56()) {
            changes.extend(changes::NEWER);
        }
        let mut expected = BTreeSet::new();
        for some in changes.chunks(AT_A_TIME) {
            for (statement, names) in some {
                run(&mut there, statement);
                for name in *names {
                    let name = name.replace("DB", &test.name);
                    match name.strip_prefix('-') {
                        Some(gone) => assert!(expected.remove(gone), "{gone}"),
                        None => assert!(expected.insert(name), "{statement}"),
                    }
                }
            }
            let lines = real_of(&task);
            let found: BTreeSet<String> = lines.iter().map(|line| named(line)).collect();
            let unlike: Vec<_> = found.symmetric_difference(&expected).collect();
            assert!(unlike.is_empty(), "{unlike:?} after {some:?}\n{lines:#?}");
        }
    }
}

/// The changes between two comparisons.
const AT_A_TIME: usize = 12;

/// The object and the property of a line.
fn named(line: &str) -> String {
    let end = [": OnlyAt", " / "]
        .iter()
        .filter_map(|end| line.find(end))
        .min();
    let start = line.get(..end.unwrap_or(line.len())).unwrap_or(line);
    match line.contains(": OnlyAt") {
        true => start.to_owned(),
        // Without the source's value.
        false => start
            .rsplit_once(": ")
            .map_or(start, |(start, _)| start)
            .to_owned(),
    }
}

/// What a task's mapping, rules and settings make of the objects is no difference.
#[test]
fn only_what_the_task_should_have_made_is_expected() {
    let (source, destination) = (gtid97(), plain97());
    let test = FollowTest::new(
        source,
        destination,
        "objects_task",
        "CREATE TABLE parent (id INT PRIMARY KEY);
CREATE TABLE child (id INT PRIMARY KEY, p INT, secret INT, total INT, KEY by_total (total), KEY by_p (p),
  CONSTRAINT to_parent FOREIGN KEY (p) REFERENCES parent (id));
CREATE TABLE own (id INT PRIMARY KEY);
CREATE TABLE tmp_1 (id INT PRIMARY KEY)",
    );
    let (name, mapped, other) = (
        &test.name,
        format!("{}_eu", test.name),
        format!("{}_dw", test.name),
    );
    for database in [&mapped, &other] {
        run(
            &mut session(destination),
            &format!("DROP DATABASE IF EXISTS {database}"),
        );
    }
    let rule = drs_core::Rule::new(format!("{name}.child"))
        .exclude("secret")
        .rename("total", "amount")
        .add("origin", drs_core::AddedValue::DatabaseTable);
    let task = test
        .task()
        .mode(drs_core::Mode::Full)
        .exclude(format!("{name}.tmp_*"))
        .map(name.clone(), mapped.clone())
        .map(format!("{name}.own"), format!("{other}.its_own"))
        .rule(rule)
        .indexes(false);
    test.catch_up_watched(&task.clone().build().unwrap(), &())
        .unwrap();
    assert_eq!(real(&task), [""; 0]);

    let mut there = session(destination);
    let mut expected = BTreeSet::new();
    for (statement, names) in [
        ("ALTER TABLE EU.child ADD KEY by_origin (origin)", vec![]),
        (
            "ALTER TABLE EU.child MODIFY origin VARCHAR(10) CHARACTER SET latin1",
            vec!["table `child`: added columns"],
        ),
        (
            "ALTER TABLE EU.child DROP COLUMN amount",
            vec!["table `child`: column `amount`"],
        ),
        (
            "ALTER TABLE EU.child DROP FOREIGN KEY to_parent",
            vec!["table `child`: foreign key `to_parent`"],
        ),
        // Not the task's: an excluded name, and another database that only one table is mapped to.
        ("CREATE TABLE EU.tmp_2 (id INT)", vec![]),
        ("CREATE TABLE DW.more (id INT)", vec![]),
        ("CREATE TABLE EU.more (id INT)", vec!["table `more`"]),
        // Its name is another one's at the destination.
        ("CREATE TABLE EU.own (id INT)", vec![]),
        (
            "ALTER TABLE DW.its_own MODIFY id BIGINT",
            vec!["table `own`: column `id`: type"],
        ),
        ("DROP TABLE EU.parent", vec!["table `parent`"]),
    ] {
        run(
            &mut there,
            &statement.replace("EU", &mapped).replace("DW", &other),
        );
        expected.extend(names.into_iter().map(str::to_owned));
    }
    let lines = real(&task);
    let found: BTreeSet<String> = lines.iter().map(|line| named(line)).collect();
    assert_eq!(found, expected, "{lines:#?}");

    run(&mut there, &format!("DROP DATABASE {mapped}"));
    let found: BTreeSet<String> = real(&task).iter().map(|line| named(line)).collect();
    let gone = [
        format!("database `{name}`"),
        "table `child`".into(),
        "table `parent`".into(),
        "table `own`: column `id`: type".into(),
    ];
    assert_eq!(found, BTreeSet::from(gone));
    run(&mut session(source), &format!("DROP DATABASE {name}"));
    run(&mut there, &format!("CREATE DATABASE {mapped}"));
    assert_eq!(
        real(&task),
        [format!("database `{mapped}`: OnlyAtDestination")]
    );
}

/// The catalogue shows characters outside of the basic plane as `?`.
#[test]
fn characters_that_the_servers_hide_are_not_taken_for_equal() {
    for (source, destination) in [(gtid97(), plain97()), (plain56(), plain97())] {
        let test = FollowTest::new(
            source,
            destination,
            "objects_hidden",
            "CREATE TABLE t (a INT PRIMARY KEY, b VARCHAR(10) CHARACTER SET utf8mb4);
CREATE VIEW v AS SELECT 'x' AS a FROM t",
        );
        let programs = "CREATE PROCEDURE p() SELECT 'MARK', '?';
CREATE FUNCTION f() RETURNS VARCHAR(9) CHARACTER SET utf8mb4 DETERMINISTIC RETURN 'MARK';
ALTER VIEW v AS SELECT 'MARK' AS a FROM t;
ALTER TABLE t ALTER b SET DEFAULT 'MARK'";
        let smile = programs.replace("MARK", "\u{1f600}");
        let task = test.task().mode(drs_core::Mode::Full);
        test.catch_up_watched(&task.clone().build().unwrap(), &())
            .unwrap();
        let mut there = session(destination);
        run(&mut there, &format!("USE {}", test.name));
        run(&mut test.at_source(), &smile);
        run(&mut there, &smile);
        let properties = |lines: &[String]| -> BTreeSet<String> {
            let names = lines.iter().map(|line| named(line));
            // The servers' default collations are not the same.
            names.filter(|name| !name.contains("collation")).collect()
        };
        assert_eq!(properties(&real(&task)), BTreeSet::new());
        let other = programs.replace("MARK", "\u{1f601}");
        run(&mut there, "DROP PROCEDURE p;\nDROP FUNCTION f");
        run(&mut there, &other);
        let expected = [
            "function `f`: body",
            "procedure `p`: body",
            "table `t`: column `b`: default",
            "view `v`: definition",
        ];
        assert_eq!(
            properties(&real(&task)),
            BTreeSet::from(expected.map(str::to_owned))
        );
    }
    let test = FollowTest::new(gtid97(), plain97(), "objects_labels", "");
    run(
        &mut test.at_source(),
        "CREATE TABLE t (a INT PRIMARY KEY, e ENUM('?'))",
    );
    run(
        &mut session(plain97()),
        &format!(
            "CREATE DATABASE {0};\nCREATE TABLE {0}.t (a INT PRIMARY KEY, e ENUM('\u{1f600}'))",
            test.name
        ),
    );
    let lines = real(&test.task());
    let is_open = |line: &String| line.starts_with("table `t`: NotCompared");
    assert!(lines.len() == 1 && lines.iter().all(is_open), "{lines:?}");
}
