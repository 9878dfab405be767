//! Foreign keys.

use drs_precheck::Verdict;

use crate::servers::{
    End, Trial, destination97, expect, native97, repair, run, session, source56, source97, task,
};

/// A database with a parent and a child.
macro_rules! family {
    ($database:literal) => {
        concat!(
            "CREATE DATABASE ",
            $database,
            ";\nUSE ",
            $database,
            ";\nCREATE TABLE p (id INT PRIMARY KEY);\n\
             CREATE TABLE c (id INT PRIMARY KEY, p INT, CONSTRAINT up FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE)"
        )
    };
}

const DROP: &str = "ALTER TABLE c DROP FOREIGN KEY up;\nDROP TABLE c, p";

/// Which tables are selected, and what two checks make of it.
const SELECTED: &[Trial] = &[
    Trial {
        check: "foreign-key-parents",
        verdict: Verdict::Confirm,
        mode: "full+incremental",
        create: family!("fk_a"),
        task: "include = [\"fk_a.c\"]",
        names: &["`fk_a`.`c` -> `fk_a`.`p`"],
        mend: DROP,
    },
    Trial {
        check: "foreign-key-children",
        verdict: Verdict::Confirm,
        mode: "full+incremental",
        create: family!("fk_d"),
        task: "include = [\"fk_d.p\"]",
        names: &["`fk_d`.`c` -> `fk_d`.`p`"],
        mend: DROP,
    },
];

const CASCADES: &[Trial] = &[
    Trial {
        check: "cascades",
        verdict: Verdict::Fail,
        mode: "full+incremental",
        create: family!("fk_e"),
        task: "include = [\"fk_e\"]",
        names: &["`fk_e`.`c` -> `fk_e`.`p`"],
        mend: DROP,
    },
    Trial {
        check: "cascades",
        verdict: Verdict::Fail,
        mode: "full+incremental",
        create: family!("fk_f"),
        task: "include = [\"fk_f.c\"]",
        names: &["`fk_f`.`p`"],
        mend: DROP,
    },
];

#[test]
fn from_97() {
    Trial::run_all(SELECTED, source97(), destination97());
    // The log holds what cascades.
    run(&mut session(source97()), family!("fk_g"));
    let task = task(
        End::of(source97()),
        End::of(destination97()),
        "full+incremental",
        "include = [\"fk_g\"]",
        "",
    );
    expect(&task, "cascades", Verdict::Pass, &[]);
}

#[test]
fn from_56() {
    let trials = SELECTED.iter().chain(CASCADES);
    Trial::run_all(trials, source56(), destination97());
    run(&mut session(source56()), family!("fk_g"));
    let to = |destination| {
        task(
            End::of(source56()),
            End::of(destination),
            "full+incremental",
            "include = [\"fk_g\"]",
            "",
        )
    };
    let names = ["`fk_g`.`c`", "`fk_g`.`p`"];
    let tie = ["`fk_g`.`c` -> `fk_g`.`p`"];
    let finding = expect(&to(destination97()), "cascades", Verdict::Fail, &tie);
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
