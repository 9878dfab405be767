//! `docs/fidelity.md`, rendered from the table: what is written there is what the tests hold.

use std::{collections::BTreeSet, env, fmt::Write as _, fs, path::PathBuf};

use crate::{
    case::{Case, From, Outcome},
    cases,
    elsewhere::{Elsewhere, TESTS},
};

/// How many traps there are, and how many things that a peer got wrong.
const TRAPS: u8 = 82;
const PEER_WRONG: u8 = 23;
/// What a peer got right, and drs must, too.
const PEER_RIGHT: &[&str] = &[
    "integers",
    "decimal",
    "floats",
    "bit",
    "time",
    "year",
    "enum-set",
    "charsets",
    "datetime",
    "geometry",
    "invisible",
    "keyless",
    "key-updates",
    "unique-shifts",
    "cascades",
    "compression",
    "savepoints",
    "key-case",
    "time-keys",
    "number-keys",
    "large-rows",
    "alter",
    "triggers",
    "widened-key",
    "visibility",
    "structure",
];

#[test]
fn the_page_says_what_the_tests_hold() {
    let path = root().join("docs/fidelity.md");
    let page = page();
    if env::var_os("DRS_WRITE_DOCS").is_some() {
        fs::write(&path, page).unwrap();
        return;
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/fidelity.md is not what the table of cases says: run this test with DRS_WRITE_DOCS=1"
    );
}

#[test]
fn every_trap_has_a_test() {
    let cases = cases::all();
    let mut traps: BTreeSet<u8> = cases.iter().map(|case| case.trap).collect();
    traps.extend(TESTS.iter().map(|test| test.trap));
    let missing: Vec<u8> = (1..=TRAPS).filter(|trap| !traps.contains(trap)).collect();
    assert_eq!(missing, Vec::<u8>::new(), "traps without a test");

    let mut peer: BTreeSet<&str> = cases.iter().flat_map(|case| case.peer).copied().collect();
    peer.extend(TESTS.iter().flat_map(|test| test.peer));
    let wanted = (1..=PEER_WRONG).map(|number| number.to_string());
    let right = PEER_RIGHT.iter().map(|name| format!("right-{name}"));
    let missing: Vec<String> = wanted
        .chain(right)
        .filter(|item| !peer.contains(item.as_str()))
        .collect();
    assert_eq!(
        missing,
        Vec::<String>::new(),
        "a peer's cases without a test"
    );

    let ids: BTreeSet<String> = cases.iter().map(Case::id).collect();
    assert_eq!(ids.len(), cases.len(), "two cases of one name");
}

#[test]
fn the_tests_elsewhere_are_there() {
    for Elsewhere { trap, tests, .. } in TESTS {
        for (file, name) in *tests {
            let text = fs::read_to_string(root().join(file)).unwrap_or_default();
            let is_test = text
                .split("#[test]")
                .skip(1)
                .any(|after| after.trim_start().starts_with(&format!("fn {name}(")));
            assert!(is_test, "trap {trap}: no test {name} in {file}");
        }
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn page() -> String {
    let mut page = String::from(
        "# Fidelity\n\n\
         What becomes of the values and sequences on which tools of this kind went wrong. This page is \
         rendered from the tests: each row is run on real servers, and the page is compared with the table \
         of cases in `drs-cli/tests/fidelity`.\n\n\
         `equal` means the same stored bytes in every column, the same type of every value inside a JSON \
         document, the same SRID, and between servers of one release the same `SHOW CREATE TABLE`. Each case \
         is tried three ways: through the copy, through the log, and through the log with `kill -9` in \
         between. `stops` means that the task ends with an error that names the place, and does so again \
         when it is started again. `-` means that the server has no such thing.\n\n\
         The destination is a 9.7. From 9.7 the tests use GTIDs, `LOAD DATA LOCAL`, and servers with other \
         time zones, character sets and SQL modes than their clients; from 5.6 positions and `INSERT`.\n\n\
         | trap | what | from 9.7 | from 5.6 |\n|---|---|---|---|\n",
    );
    for case in cases::all() {
        let number = match case.trap {
            0 => String::new(),
            trap => trap.to_string(),
        };
        let mut what = case.title.to_owned();
        if !case.note.is_empty() {
            _ = write!(what, " ({})", case.note);
        }
        _ = writeln!(
            page,
            "| {number} | {} | {} | {} |",
            escaped(&what),
            outcome(&case, false),
            outcome(&case, true)
        );
    }
    page.push_str(
        "\n## Tests of their own\n\nWhat takes more than rows and statements: kills at every step, positions, \
         servers that are restarted, damaged logs. Each of these tests is in `cargo test --workspace`.\n\n\
         | trap | what | outcome | tests |\n|---|---|---|---|\n",
    );
    let mut tests: Vec<&Elsewhere> = TESTS.iter().collect();
    tests.sort_by_key(|test| test.trap);
    for test in tests {
        let names: Vec<String> = test
            .tests
            .iter()
            .map(|(file, name)| format!("`{name}` in `{file}`"))
            .collect();
        let number = match test.trap {
            0 => String::new(),
            trap => trap.to_string(),
        };
        _ = writeln!(
            page,
            "| {number} | {} | {} | {} |",
            escaped(test.title),
            escaped(test.outcome),
            names.join(", ")
        );
    }
    page
}

fn outcome(case: &Case, from_56: bool) -> String {
    let (copy, follow) = case.outcomes(from_56);
    if copy == follow || matches!((case.from, from_56), (From::Only97, true)) {
        return word(copy);
    }
    format!("copy: {}; log: {}", word(copy), word(follow))
}

fn word(outcome: Outcome) -> String {
    match outcome {
        Outcome::Equal => "equal".into(),
        Outcome::Stops(text) => format!("stops (“{}”)", escaped(text)),
        Outcome::No => "-".into(),
    }
}

fn escaped(text: &str) -> String {
    text.replace('|', "\\|")
}
