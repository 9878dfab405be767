//! Tables of the same name at the destination.

use drs_precheck::Verdict;
use drs_testkit::Server;

use crate::servers::{
    End, checked, destination97, expect, repair, report, run, session, side_by_side, source56,
    source97, task,
};

/// A database of both servers, what is wrong with it, and what repairs it.
struct Case {
    check: &'static str,
    verdict: Verdict,
    mode: &'static str,
    more: &'static str,
    source: &'static str,
    destination: &'static str,
    object: &'static str,
    /// Run at the destination, besides the finding's own statements.
    remedy: &'static str,
}

const CASES: &[Case] = &[
    Case {
        check: "database-character-set",
        verdict: Verdict::Fail,
        mode: "full",
        more: "",
        source: "CREATE TABLE t (id INT PRIMARY KEY);\nALTER DATABASE structures CHARACTER SET utf8 COLLATE utf8_bin",
        destination: "ALTER DATABASE structures CHARACTER SET latin1",
        object: "`structures`: utf8mb3 (utf8mb3_bin) at the source, latin1 (latin1_swedish_ci) at the destination",
        remedy: "",
    },
    Case {
        check: "table-structures",
        verdict: Verdict::Fail,
        mode: "full",
        more: "",
        source: "CREATE TABLE t (id INT UNSIGNED PRIMARY KEY, a VARCHAR(10) CHARACTER SET latin1, b INT, UNIQUE KEY (a))",
        destination: "CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(20) CHARACTER SET utf8mb4, b INT NOT NULL)",
        object: "`structures`.`t`: column id is int unsigned at the source and int at the destination; column a is varchar(10) \
             at the source and varchar(20) at the destination; the collation of column a is latin1_swedish_ci at the source \
             and utf8mb4_0900_ai_ci at the destination; column b may be NULL at the source only; the unique key (a) is \
             missing",
        remedy: "DROP TABLE t",
    },
    Case {
        check: "table-structures",
        verdict: Verdict::Fail,
        mode: "full+incremental",
        more: "",
        source: "CREATE TABLE t (id INT PRIMARY KEY)",
        destination: "CREATE VIEW t AS SELECT 1 AS id",
        object: "`structures`.`t`: it is a view at the destination",
        remedy: "DROP VIEW t",
    },
    Case {
        check: "table-structures",
        verdict: Verdict::Fail,
        mode: "full",
        more: "[[rules]]\ntable = \"structures.t\"\ncolumns = { exclude = [\"b\"], rename = { a = \"z\" } }",
        source: "CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT)",
        destination: "CREATE TABLE t (id INT PRIMARY KEY, a INT)",
        object: "`structures`.`t`: column z is missing",
        remedy: "ALTER TABLE t CHANGE a z INT",
    },
    Case {
        check: "extra-columns",
        verdict: Verdict::Fail,
        mode: "full",
        more: "",
        source: "CREATE TABLE t (id INT PRIMARY KEY)",
        destination: "CREATE TABLE t (id INT PRIMARY KEY, more INT NOT NULL)",
        object: "`structures`.`t`: column more",
        remedy: "ALTER TABLE t ALTER COLUMN more SET DEFAULT 0",
    },
    Case {
        check: "extra-columns",
        verdict: Verdict::Fail,
        mode: "full",
        more: "",
        source: "CREATE TABLE t (id INT PRIMARY KEY)",
        destination: "CREATE TABLE t (id INT PRIMARY KEY, more INT NOT NULL DEFAULT 7, UNIQUE KEY once (more))",
        object: "`structures`.`t`: key once",
        remedy: "ALTER TABLE t DROP KEY once",
    },
    Case {
        check: "missing-tables",
        verdict: Verdict::Fail,
        mode: "incremental",
        more: "",
        source: "CREATE TABLE t (id INT PRIMARY KEY)",
        destination: "",
        object: "`structures`.`t`",
        remedy: "CREATE TABLE t (id INT PRIMARY KEY)",
    },
    Case {
        check: "existing-rows",
        verdict: Verdict::Confirm,
        mode: "full",
        more: "",
        source: "CREATE TABLE t (id INT PRIMARY KEY)",
        destination: "CREATE TABLE t (id INT PRIMARY KEY);\nINSERT INTO t VALUES (1), (2)",
        object: "`structures`.`t`",
        remedy: "TRUNCATE TABLE t",
    },
    Case {
        check: "keyless-tables-present",
        verdict: Verdict::Fail,
        mode: "full+incremental",
        more: "",
        source: "CREATE TABLE t (id INT)",
        destination: "CREATE TABLE t (id INT)",
        object: "`structures`.`t`",
        remedy: "DROP TABLE t",
    },
    Case {
        check: "destination-triggers",
        verdict: Verdict::Confirm,
        mode: "full",
        more: "",
        source: "CREATE TABLE t (id INT PRIMARY KEY)",
        destination: "CREATE TABLE t (id INT PRIMARY KEY);\nCREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW SET @x = 1",
        object: "`structures`.`r` on `structures`.`t` (BEFORE INSERT)",
        remedy: "DROP TRIGGER r",
    },
    Case {
        check: "destination-foreign-keys",
        verdict: Verdict::Confirm,
        mode: "full",
        more: "",
        source: "CREATE TABLE t (id INT PRIMARY KEY)",
        destination: "CREATE TABLE t (id INT PRIMARY KEY);\n\
                      CREATE TABLE own (id INT PRIMARY KEY, t INT, CONSTRAINT tie FOREIGN KEY (t) REFERENCES t (id))",
        object: "tie of `structures`.`own` to `structures`.`t`",
        remedy: "DROP TABLE own",
    },
];

/// From both versions of a source: the findings are there, and gone with their remedies.
#[test]
fn each_difference_is_found_and_repaired() {
    for source in [source97(), source56()] {
        let modes = ["full", "full+incremental", "incremental"];
        side_by_side(&modes, |&mode| {
            let numbered = CASES.iter().enumerate();
            let cases: Vec<_> = numbered.filter(|(_, case)| case.mode == mode).collect();
            differences_in(source, mode, &cases);
        });
    }
}

/// One task on the tables of all these cases.
fn differences_in(source: &Server, mode: &str, cases: &[(usize, &Case)]) {
    let destination = destination97();
    let is_old = std::ptr::eq(source, source56());
    // Each case has a database of its own, which its texts call `structures`.
    let name = |number: usize| format!("structures_{number:02}");
    let own = |number: usize, text: &str| {
        let text = text.replace("structures", &name(number));
        match is_old {
            true => text.replace("utf8mb3", "utf8"),
            false => text,
        }
    };
    let (mut here, mut there) = (session(source), session(destination));
    for (number, case) in cases {
        for (conn, script) in [(&mut here, case.source), (&mut there, case.destination)] {
            let database = name(*number);
            run(
                conn,
                &format!("CREATE DATABASE {database} CHARACTER SET utf8mb4;\nUSE {database}"),
            );
            run(conn, &own(*number, script));
        }
    }
    let include: Vec<String> = cases
        .iter()
        .map(|(number, _)| format!("\"{}.t\"", name(*number)))
        .collect();
    let rules: Vec<String> = cases
        .iter()
        .map(|(number, case)| own(*number, case.more))
        .collect();
    let task = task(
        End::of(source),
        End::of(destination),
        mode,
        &format!("include = [{}]", include.join(", ")),
        &rules.join("\n"),
    );
    let found = report(&task);
    for (number, case) in cases {
        let checked = checked(&found, case.check);
        assert_eq!(checked.verdict(), case.verdict, "{checked:?}");
        let expected = own(*number, case.object);
        let finding = checked
            .findings
            .iter()
            .find(|finding| finding.objects.contains(&expected))
            .unwrap_or_else(|| panic!("{expected}: {checked:?}"));
        repair(finding, source, destination);
        run(
            &mut there,
            &format!("USE {};\n{}", name(*number), case.remedy),
        );
    }
    let found = report(&task);
    for (number, case) in cases {
        let checked = checked(&found, case.check);
        assert_eq!(checked.verdict(), Verdict::Pass, "{checked:?}");
        for conn in [&mut here, &mut there] {
            run(conn, &format!("DROP DATABASE {}", name(*number)));
        }
    }
}

/// A source that does not log what cascades: its families must not be there, and alike where they are.
#[test]
fn cascades_of_an_old_source() {
    let (source, destination) = (source56(), destination97());
    let (mut here, mut there) = (session(source), session(destination));
    let tables = "CREATE DATABASE structures_k;\nUSE structures_k;\nCREATE TABLE p (id INT PRIMARY KEY);\n\
                  CREATE TABLE c (id INT PRIMARY KEY, p INT, CONSTRAINT tie FOREIGN KEY (p) REFERENCES p (id) ON DELETE";
    run(&mut here, &format!("{tables} CASCADE)"));
    run(&mut there, &format!("{tables} SET NULL)"));
    let id = "destination-foreign-keys";
    let objects = "include = [\"structures_k.*\"]";
    let ends = (End::of(source), End::of(destination));
    let incremental = task(ends.0, ends.1, "incremental", objects, "");
    expect(&incremental, id, Verdict::Fail, &["`structures_k`.`c`"]);
    run(
        &mut there,
        "ALTER TABLE c DROP FOREIGN KEY tie;\nALTER TABLE c ADD FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE",
    );
    expect(&incremental, id, Verdict::Pass, &[]);
    let copied = task(ends.0, ends.1, "full+incremental", objects, "");
    let both = ["`structures_k`.`c`", "`structures_k`.`p`"];
    expect(&copied, id, Verdict::Fail, &both);
    run(&mut there, "DROP TABLE c;\nDROP TABLE p");
    expect(&copied, id, Verdict::Pass, &[]);
    for conn in [&mut here, &mut there] {
        run(conn, "DROP DATABASE structures_k");
    }
}
