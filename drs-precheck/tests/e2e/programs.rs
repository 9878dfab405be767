//! Views, procedures and functions, triggers and events.

use drs_precheck::Verdict;

use crate::servers::{
    End, Trial, destination97, expect, run, session, side_by_side, source56, source97, task,
};

const TRIALS: &[Trial] = &[
    Trial {
        check: "mapped-programs",
        verdict: Verdict::Fail,
        mode: "full",
        create: "CREATE DATABASE pa;\nCREATE TABLE pa.t (id INT PRIMARY KEY);\nCREATE VIEW pa.v AS SELECT id FROM pa.t;\n\
                 CREATE PROCEDURE pa.p() SELECT 1",
        task: "include = [\"pa\"]\nmap = { pa = \"pa_eu\" }",
        names: &["view `pa`.`v`", "procedure `pa`.`p`"],
        mend: "DROP VIEW pa.v;\nDROP PROCEDURE pa.p",
    },
    Trial {
        check: "dependencies",
        verdict: Verdict::Fail,
        mode: "full",
        create: "CREATE DATABASE pb;\nCREATE TABLE pb.t (id INT PRIMARY KEY);\nCREATE TABLE pb.u (id INT PRIMARY KEY);\n\
                 CREATE VIEW pb.v AS SELECT t.id FROM pb.t JOIN pb.u ON t.id = u.id;\nCREATE VIEW pb.w AS SELECT id FROM pb.v",
        task: "include = [\"pb\"]\nexclude = [\"pb.u\", \"pb.v\"]",
        names: &["view `pb`.`w` -> `pb`.`v`"],
        mend: "CREATE OR REPLACE VIEW pb.w AS SELECT id FROM pb.t",
    },
    Trial {
        check: "dependencies",
        verdict: Verdict::Confirm,
        mode: "full",
        create: "CREATE DATABASE pc;\nCREATE PROCEDURE pc.p() BEGIN SELECT * FROM elsewhere.t; CALL elsewhere.q(); END",
        task: "include = [\"pc\"]",
        names: &[
            "procedure `pc`.`p` -> `elsewhere`.`q`",
            "procedure `pc`.`p` -> `elsewhere`.`t`",
        ],
        mend: "DROP PROCEDURE pc.p",
    },
    Trial {
        check: "definers",
        verdict: Verdict::Confirm,
        mode: "full",
        create: "CREATE DATABASE pd;\nCREATE DEFINER = `o'hara`@`10.%` PROCEDURE pd.p() SELECT 1",
        task: "include = [\"pd\"]",
        names: &["procedure `pd`.`p`"],
        mend: "",
    },
    Trial {
        check: "triggers",
        verdict: Verdict::Confirm,
        mode: "full+incremental",
        create: "CREATE DATABASE pe;\nCREATE TABLE pe.t (id INT PRIMARY KEY);\n\
                 CREATE TRIGGER pe.r AFTER DELETE ON pe.t FOR EACH ROW SET @a = 1",
        task: "include = [\"pe.t\"]",
        names: &["`pe`.`r` (AFTER DELETE on `pe`.`t`)"],
        mend: "DROP TRIGGER pe.r",
    },
    Trial {
        check: "events",
        verdict: Verdict::Confirm,
        mode: "incremental",
        create: "CREATE DATABASE pf;\nCREATE EVENT pf.e ON SCHEDULE EVERY 1 YEAR DISABLE DO SELECT 1",
        task: "include = [\"pf\"]",
        names: &["`pf`.`e` (disabled)"],
        mend: "DROP EVENT pf.e",
    },
];

#[test]
fn programs_from_97() {
    Trial::run_all(TRIALS, source97(), destination97());
}

#[test]
fn programs_from_56() {
    run(
        &mut session(destination97()),
        "DROP USER IF EXISTS `o'hara`@`10.%`",
    );
    Trial::run_all(
        TRIALS.iter().filter(|trial| trial.check != "definers"),
        source56(),
        destination97(),
    );
}

/// An account that may read tables, and not definitions.
#[test]
fn what_the_account_can_not_read() {
    let definitions = [
        (source97(), "GRANT SHOW_ROUTINE ON *.* TO reader@'%'"),
        (source56(), "GRANT SELECT ON mysql.proc TO reader@'%'"),
    ];
    side_by_side(&definitions, |&(source, definition)| {
        let mut root = session(source);
        run(
            &mut root,
            "CREATE DATABASE pr;\nCREATE TABLE pr.t (id INT PRIMARY KEY);\nCREATE VIEW pr.v AS SELECT id FROM pr.t;\n\
             CREATE FUNCTION pr.f() RETURNS INT DETERMINISTIC RETURN 1;\nCREATE USER reader@'%' IDENTIFIED BY 'x';\n\
             GRANT SELECT, EXECUTE ON pr.* TO reader@'%'",
        );
        let end = End {
            server: source,
            user: "reader",
            password: "x",
        };
        let task = task(
            end,
            End::of(destination97()),
            "full",
            "include = [\"pr\"]",
            "",
        );
        let id = "readable-definitions";
        expect(&task, id, Verdict::Fail, &["view `pr`.`v`"]);
        run(&mut root, "GRANT SHOW VIEW ON pr.* TO reader@'%'");
        expect(&task, id, Verdict::Fail, &["function `pr`.`f`"]);
        run(&mut root, definition);
        expect(&task, id, Verdict::Pass, &[]);
    });
}
