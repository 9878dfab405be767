use drs_core::{ConflictPolicy, conflicts};
use drs_testkit::Server;

use super::{
    cases::{CASES, Case},
    ledger::{entries, rows},
};
use crate::{
    follow::run::FollowTest,
    servers::{gtid56, gtid97, plain56, plain97, run, session},
};

fn pairs() -> [(&'static Server, &'static Server, u64); 4] {
    [
        (gtid97(), plain97(), 1),
        (gtid97(), plain97(), 8),
        (plain56(), gtid97(), 4),
        (gtid56(), plain56(), 4),
    ]
}

/// A database with a table for each case, on both sides and not the same any more.
struct Scene {
    test: FollowTest,
    cases: Vec<&'static Case>,
}

impl Scene {
    fn new(source: &'static Server, destination: &'static Server, name: &str) -> Self {
        let cases: Vec<_> = CASES
            .iter()
            .filter(|case| !case.new || !source.release().to_string().contains("5.6"))
            .collect();
        let tables: Vec<String> = cases.iter().map(|case| named(case, case.table)).collect();
        let test = FollowTest::new(source, destination, name, &tables.join(";\n"));
        run(
            &mut test.at_source(),
            "CREATE TABLE other (id INT AUTO_INCREMENT PRIMARY KEY)",
        );
        test.catch_up().unwrap();
        let scene = Self { test, cases };
        let mut there = session(destination);
        run(&mut there, &format!("USE {}", scene.test.name));
        for case in &scene.cases {
            for statement in case.there {
                run(&mut there, &named(case, statement));
            }
        }
        scene
    }

    /// What the source does for one case, between transactions that fit.
    fn act(&self, case: &Case) {
        let mut here = self.test.at_source();
        for statement in case.here {
            run(&mut here, "INSERT INTO other VALUES ()");
            run(
                &mut here,
                &format!(
                    "BEGIN;\nINSERT INTO other VALUES ();\n{};\nCOMMIT",
                    named(case, statement)
                ),
            );
        }
    }
}

fn named(case: &Case, statement: &str) -> String {
    statement.replace("{t}", case.name)
}

/// Lanes write in an order of their own.
fn sorted(mut entries: Vec<String>) -> Vec<String> {
    entries.sort();
    entries
}

fn texts(entries: &[&str]) -> Vec<String> {
    entries.iter().map(ToString::to_string).collect()
}

/// All cases in the batches of one run.
#[test]
fn ignore_keeps_the_destinations_rows() {
    for (source, destination, lanes) in pairs() {
        let scene = Scene::new(source, destination, &format!("conflict_ignore_{lanes}"));
        scene.cases.iter().for_each(|case| scene.act(case));
        let test = &scene.test;
        let task = test.task().conflict(ConflictPolicy::Ignore).lanes(lanes);
        let outcome = test.catch_up_watched(&task.build().unwrap(), &()).unwrap();
        let mut there = session(destination);
        let mut count = 0;
        for case in &scene.cases {
            assert_eq!(
                rows(&mut there, &format!("{}.{}", test.name, case.name)),
                case.ignored,
                "{} from {} with {lanes} lanes",
                case.name,
                source.release()
            );
            assert_eq!(
                sorted(entries(&mut there, &test.name, case.name)),
                sorted(texts(case.ignored_ledger)),
                "{}",
                case.name
            );
            count += case.ignored_ledger.len() as u64;
        }
        assert_eq!(outcome.follow.unwrap().conflicts, count);
        assert_eq!(conflicts::count(&mut there, &test.name).unwrap(), count);
    }
}

#[test]
fn overwrite_makes_the_rows_the_sources() {
    for (source, destination, lanes) in pairs() {
        let scene = Scene::new(source, destination, &format!("conflict_overwrite_{lanes}"));
        scene.cases.iter().for_each(|case| scene.act(case));
        let test = &scene.test;
        let task = test.task().conflict(ConflictPolicy::Overwrite).lanes(lanes);
        let outcome = test.catch_up_watched(&task.build().unwrap(), &()).unwrap();
        let mut there = session(destination);
        let mut count = 0;
        for case in &scene.cases {
            let expected = case.overwritten_ledger.unwrap_or(case.ignored_ledger);
            assert_eq!(
                sorted(entries(&mut there, &test.name, case.name)),
                sorted(texts(expected)),
                "{} from {} with {lanes} lanes",
                case.name,
                source.release()
            );
            count += expected.len() as u64;
            if !case.strangers.is_empty() {
                let table = format!("{}.{}", test.name, case.name);
                run(
                    &mut there,
                    &format!("DELETE FROM {table} WHERE {}", case.strangers),
                );
            }
        }
        assert_eq!(outcome.follow.unwrap().conflicts, count);
        test.assert_equal();
    }
}

#[test]
fn report_error_stops_before_the_transaction() {
    for (source, destination, lanes) in [(gtid97(), plain97(), 4), (plain56(), gtid97(), 1)] {
        let scene = Scene::new(source, destination, "conflict_report");
        let test = &scene.test;
        let mut there = session(destination);
        for case in scene
            .cases
            .iter()
            .filter(|case| !case.ignored_ledger.is_empty())
        {
            let before = rows(&mut there, &format!("{}.{}", test.name, case.name));
            scene.act(case);
            let task = test.task().lanes(lanes).build().unwrap();
            let error = test.catch_up_watched(&task, &()).unwrap_err().to_string();
            let named = error.contains(&format!("`{}`.`{}`", test.name, case.name));
            assert!(
                named && error.contains("conflict"),
                "{}: {error}",
                case.name
            );
            for value in ["theirs", "ours", "nine"] {
                assert!(!error.contains(value), "{}: {error}", case.name);
            }
            assert_eq!(
                rows(&mut there, &format!("{}.{}", test.name, case.name)),
                before,
                "{}",
                case.name
            );
            assert_eq!(entries(&mut there, &test.name, case.name), [""; 0]);
            // On to the next one.
            let task = test.task().conflict(ConflictPolicy::Overwrite);
            test.catch_up_watched(&task.build().unwrap(), &()).unwrap();
        }
    }
}
