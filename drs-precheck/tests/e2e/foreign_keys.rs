//! Foreign keys.

use drs_precheck::Verdict;

use crate::servers::{
    End, Trial, destination97, expect, native97, repair, run, session, source56, source97, task,
};

const FAMILY: &str = "CREATE DATABASE IF NOT EXISTS fk_a;\n\
    CREATE TABLE fk_a.p (id INT PRIMARY KEY);\n\
    CREATE TABLE fk_a.c (id INT PRIMARY KEY, p INT, CONSTRAINT up FOREIGN KEY (p) REFERENCES fk_a.p (id) ON DELETE CASCADE)";

const DROP: &str = "ALTER TABLE fk_a.c DROP FOREIGN KEY up;\nDROP TABLE fk_a.c, fk_a.p";

/// Which tables are selected, and what two checks make of it.
const SELECTED: &[Trial] = &[
    Trial {
        check: "foreign-key-parents",
        verdict: Verdict::Confirm,
        mode: "full+incremental",
        create: FAMILY,
        task: "include = [\"fk_a.c\"]",
        names: &["`fk_a`.`c` -> `fk_a`.`p`"],
        mend: DROP,
    },
    Trial {
        check: "foreign-key-children",
        verdict: Verdict::Confirm,
        mode: "full+incremental",
        create: FAMILY,
        task: "include = [\"fk_a.p\"]",
        names: &["`fk_a`.`c` -> `fk_a`.`p`"],
        mend: DROP,
    },
];

const CASCADES: &[Trial] = &[
    Trial {
        check: "cascades",
        verdict: Verdict::Fail,
        mode: "full+incremental",
        create: FAMILY,
        task: "include = [\"fk_a\"]",
        names: &["`fk_a`.`c`", "`fk_a`.`p`"],
        mend: DROP,
    },
    Trial {
        check: "cascades",
        verdict: Verdict::Fail,
        mode: "full+incremental",
        create: FAMILY,
        task: "include = [\"fk_a.c\"]",
        names: &["`fk_a`.`p`"],
        mend: DROP,
    },
];

#[test]
fn from_97() {
    for trial in SELECTED {
        trial.run(source97(), destination97());
    }
    // The log holds what cascades.
    run(&mut session(source97()), FAMILY);
    let task = task(
        End::of(source97()),
        End::of(destination97()),
        "full+incremental",
        "include = [\"fk_a\"]",
        "",
    );
    expect(&task, "cascades", Verdict::Pass, &[]);
}

#[test]
fn from_56() {
    for trial in SELECTED.iter().chain(CASCADES) {
        trial.run(source56(), destination97());
    }
    run(&mut session(source56()), FAMILY);
    let to = |destination| {
        task(
            End::of(source56()),
            End::of(destination),
            "full+incremental",
            "include = [\"fk_a\"]",
            "",
        )
    };
    let names = ["`fk_a`.`c`", "`fk_a`.`p`"];
    let finding = expect(&to(destination97()), "cascades", Verdict::Fail, &names);
    assert!(
        format!("{finding:?}").contains("--innodb-native-foreign-keys=ON"),
        "{finding:?}"
    );
    expect(&to(native97()), "cascades", Verdict::Confirm, &names);
}

/// Changes global variables of a destination that only this test creates tables for.
#[test]
fn what_a_destination_refuses() {
    let (source, destination) = (source56(), native97());
    run(
        &mut session(source),
        "CREATE DATABASE fk_b;\nCREATE TABLE fk_b.p (id INT PRIMARY KEY, a INT, KEY (a));\n\
         CREATE TABLE fk_b.c (id INT PRIMARY KEY, a INT, FOREIGN KEY (a) REFERENCES fk_b.p (a))",
    );
    let task = task(
        End::of(source),
        End::of(destination),
        "full",
        "include = [\"fk_b\"]",
        "",
    );
    let names = ["`fk_b`.`c` -> `fk_b`.`p`"];
    let finding = expect(&task, "foreign-key-indexes", Verdict::Fail, &names);
    repair(&finding, source, destination);
    expect(&task, "foreign-key-indexes", Verdict::Pass, &[]);
}

/// A key that only a `DYNAMIC` table can have.
#[test]
fn keys_too_long_for_a_row_format() {
    let (source, destination) = (source97(), native97());
    run(
        &mut session(source),
        "CREATE DATABASE fk_c;\nCREATE TABLE fk_c.l (id INT PRIMARY KEY, a VARCHAR(255) CHARACTER SET utf8mb4, KEY wide (a))",
    );
    let task = task(
        End::of(source),
        End::of(destination),
        "full",
        "include = [\"fk_c\"]",
        "",
    );
    let finding = expect(
        &task,
        "key-lengths",
        Verdict::Fail,
        &["`fk_c`.`l` (`wide`)"],
    );
    repair(&finding, source, destination);
    expect(&task, "key-lengths", Verdict::Pass, &[]);
}
