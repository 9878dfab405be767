//! Objects, compared by what they mean.

use std::sync::atomic::AtomicBool;

use drs_core::{
    Task, TaskBuilder,
    compare::{ObjectKind, ObjectResult, ObjectSummary, ObjectVerdict, compare_objects},
    open_destination, open_source,
};
use drs_testkit::Server;

use super::definitions::{COMMON, NEWER};
use crate::{
    follow::run::FollowTest,
    servers::{gtid97, plain56, plain97, run},
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
    let (mut results, _) = compared(&task.clone().build().unwrap());
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
