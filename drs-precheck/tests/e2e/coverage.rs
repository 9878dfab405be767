//! Each check has a test here, on real servers, that finds what it looks for.

use std::{fs, path::Path};

use drs_precheck::CHECKS;

/// Checks that no setting, grant or object of a server brings to another verdict, and why.
const UNTRIGGERED: &[(&str, &str)] = &[(
    "destination-local-infile",
    "it passes with either setting, and only says how rows are copied",
)];

/// Files that only say what passes, or nothing of a check.
const WITHOUT_FINDINGS: &[&str] = &["coverage.rs", "healthy.rs", "main.rs", "servers.rs"];

#[test]
fn each_check_is_seen_to_find_something() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e");
    let mut tests = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if !WITHOUT_FINDINGS.contains(&name) {
            tests += &fs::read_to_string(&path).unwrap();
        }
    }
    for check in CHECKS {
        let is_tested = tests.contains(&format!("\"{}\"", check.id));
        let reason = UNTRIGGERED.iter().find(|(id, _)| *id == check.id);
        assert!(
            is_tested != reason.is_some(),
            "{}: it needs a test here that sees its finding and its remedy, or a reason why there is none, and not both",
            check.id
        );
    }
    for (id, _) in UNTRIGGERED {
        assert!(CHECKS.iter().any(|check| check.id == *id), "{id}");
    }
}
