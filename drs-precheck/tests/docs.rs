//! `docs/prechecks.md`, rendered from the table of checks: what is written there is what is checked.

use std::{env, fmt::Write as _, fs, path::Path};

use drs_precheck::{CHECKS, Group, Verdict};

#[test]
fn the_page_says_what_is_checked() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/prechecks.md");
    let page = page();
    if env::var_os("DRS_WRITE_DOCS").is_some() {
        fs::write(&path, page).unwrap();
        return;
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/prechecks.md is not what the table of checks says: run this test with DRS_WRITE_DOCS=1"
    );
}

fn page() -> String {
    let mut page = String::from(INTRODUCTION);
    for group in Group::ALL {
        writeln!(page, "\n## {}\n", heading(group)).unwrap();
        for check in CHECKS.iter().filter(|check| check.group == group) {
            let verdicts: Vec<&str> = Verdict::ALL
                .into_iter()
                .filter(|verdict| *verdict == Verdict::Unknown || check.verdicts.contains(verdict))
                .map(Verdict::as_str)
                .collect();
            writeln!(
                page,
                "### `{}`\n\n{}.\n\n- **Why**: {}.\n- **Verdicts**: {}.\n- **What to do**: {}.\n- **Rule**: {}.\n",
                check.id,
                capital(check.title),
                check.why,
                verdicts.join(", "),
                check.remedy,
                check.rule,
            )
            .unwrap();
        }
    }
    page.truncate(page.trim_end().len());
    page.push('\n');
    page
}

fn heading(group: Group) -> &'static str {
    match group {
        Group::Source => "The source",
        Group::Destination => "The destination",
        Group::Objects => "The objects",
        Group::Both => "One against the other",
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

const INTRODUCTION: &str = "\
# Prechecks

This page is written by `DRS_WRITE_DOCS=1 cargo test -p drs-precheck --test docs` from the table of checks.

`drs check TASK.toml` asks both servers a fixed list of questions, changes nothing there, and says what it found: one \
line for each check, and under what does not pass the objects, what to run to mend it, and how to accept it. It ends \
with 1 when something failed or is to be confirmed and was not. `--json` prints one object for each finding, `--fix-sql` \
only the statements that would repair what SQL can repair, by server. `drs run` does the same before it starts, prints \
only what does not pass, and does not start a task that may not; `--no-check` leaves it out. \
A task that has begun goes on with what was to be confirmed, and `drs run` does not look at its objects again: the log \
tells what became of them.

*DRS manual* stands for Huawei Cloud's page \"From MySQL to MySQL\" (drs_03_1118), whose rules many of the checks \
carry out; *failed check items* for its pages on checks that fail; *MySQL manual* for the reference manual of MySQL.

| verdict | |
|---|---|
| `pass` | nothing stands in the way |
| `confirm` | look at it; accept it with `--confirm ID`, or with `confirm = [\"ID\"]` under `[task]` in the task file |
| `unknown` | it could not be checked, and the reason is said; it is never counted as passed, and does not keep a task from starting |
| `fail` | the task must not start |

Every check is `unknown` when a server does not tell what it looks at, for instance because the account may not ask.
";
