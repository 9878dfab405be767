//! What is selected.

use drs_core::Role;
use drs_precheck::{Facts, Verdict};

use crate::servers::{End, Trial, destination97, run, session, source56, source97, task};

const TRIALS: &[Trial] = &[
    Trial {
        check: "selection",
        verdict: Verdict::Fail,
        mode: "full",
        create: "CREATE DATABASE oa;\nCREATE TABLE oa.t (id INT PRIMARY KEY)",
        task: "include = [\"oa\", \"oa.order\"]",
        names: &["oa.order"],
        mend: "CREATE TABLE oa.`order` (id INT PRIMARY KEY)",
    },
    Trial {
        check: "selection",
        verdict: Verdict::Confirm,
        mode: "full+incremental",
        create: "CREATE DATABASE ob;\nCREATE TABLE ob.t (id INT PRIMARY KEY)",
        task: "include = [\"ob\", \"ob2.log_*\"]",
        names: &["ob2.log_*"],
        mend: "CREATE DATABASE ob2;\nCREATE TABLE ob2.log_1 (id INT PRIMARY KEY)",
    },
    Trial {
        check: "selection",
        verdict: Verdict::Fail,
        mode: "full",
        create: "",
        task: "include = [\"oc.*\"]",
        names: &["oc.*"],
        mend: "CREATE DATABASE oc;\nCREATE TABLE oc.t (id INT PRIMARY KEY)",
    },
    Trial {
        check: "engines",
        verdict: Verdict::Fail,
        mode: "full",
        create: "CREATE DATABASE od;\nCREATE TABLE od.t (id INT PRIMARY KEY) ENGINE = MEMORY",
        task: "include = [\"od\"]",
        names: &["`od`.`t` (MEMORY)"],
        mend: "",
    },
    Trial {
        check: "myisam-tables",
        verdict: Verdict::Confirm,
        mode: "full+incremental",
        create: "CREATE DATABASE oe;\nCREATE TABLE oe.t (id INT PRIMARY KEY) ENGINE = MyISAM",
        task: "include = [\"oe\"]",
        names: &["`oe`.`t`"],
        mend: "",
    },
    Trial {
        check: "tables-without-key",
        verdict: Verdict::Confirm,
        mode: "full",
        create: "CREATE DATABASE of_;\nCREATE TABLE of_.t (id INT);\nCREATE TABLE of_.u (id INT, UNIQUE (id));\n\
                 CREATE TABLE of_.v (id INT NOT NULL, UNIQUE (id));\nCREATE TABLE of_.w (a VARCHAR(9) NOT NULL, UNIQUE (a(4)))",
        task: "include = [\"of_\"]",
        names: &["`of_`.`t`", "`of_`.`u`", "`of_`.`w`"],
        mend: "ALTER TABLE of_.t ADD PRIMARY KEY (id);\nALTER TABLE of_.u ADD PRIMARY KEY (id);\nALTER TABLE of_.w ADD PRIMARY KEY (a)",
    },
    Trial {
        check: "enum-labels",
        verdict: Verdict::Fail,
        mode: "full",
        create: "CREATE DATABASE og;\nCREATE TABLE og.t (id INT PRIMARY KEY, e ENUM('a', 'b?') CHARACTER SET utf8mb4)",
        task: "include = [\"og\"]",
        names: &["`og`.`t` (`e`)"],
        mend: "ALTER TABLE og.t MODIFY e ENUM('a', 'b') CHARACTER SET utf8mb4",
    },
];

/// Rules of the task.
const RULES: &[Trial] = &[
    Trial {
        check: "rules",
        verdict: Verdict::Fail,
        mode: "full+incremental",
        create: "CREATE DATABASE ra;\nCREATE TABLE ra.t (id INT PRIMARY KEY)",
        task: "include = [\"ra\"]\n[[rules]]\ntable = \"ra.t\"\ncolumns = { exclude = [\"card\"] }",
        names: &[],
        mend: "ALTER TABLE ra.t ADD COLUMN card VARCHAR(20)",
    },
    Trial {
        check: "rules",
        verdict: Verdict::Fail,
        mode: "full",
        create: "CREATE DATABASE rb;\nCREATE TABLE rb.t (id INT PRIMARY KEY, area TEXT)",
        task: "include = [\"rb\"]\n[[rules]]\ntable = \"rb.t\"\nwhere = \"region = 'EU'\"",
        names: &[],
        mend: "ALTER TABLE rb.t CHANGE area region VARCHAR(10)",
    },
    Trial {
        check: "rules",
        verdict: Verdict::Confirm,
        mode: "full+incremental",
        create: "CREATE DATABASE rc;\nCREATE TABLE rc.t (id INT PRIMARY KEY)",
        task: "include = [\"rc\"]\n[[rules]]\ntable = \"rc.u\"\nwhere = \"id > 5\"",
        names: &[],
        mend: "CREATE TABLE rc.u (id INT PRIMARY KEY)",
    },
];

/// What an old destination does not have.
const COLLATIONS: &[Trial] = &[
    Trial {
        check: "collations",
        verdict: Verdict::Fail,
        mode: "full",
        create: "CREATE DATABASE oh COLLATE utf8mb4_0900_bin;\n\
                 CREATE TABLE oh.t (id INT PRIMARY KEY, a VARCHAR(10) COLLATE utf8mb4_bin) COLLATE utf8mb4_0900_as_ci;\n\
                 CREATE TABLE oh.u (id INT PRIMARY KEY, a VARCHAR(10) COLLATE utf8mb4_0900_ai_ci) COLLATE utf8mb4_bin",
        task: "include = [\"oh\"]",
        names: &[
            "`oh`: utf8mb4_0900_bin",
            "`oh`.`t`: utf8mb4_0900_as_ci",
            "`oh`.`u` (`a`): utf8mb4_0900_ai_ci",
        ],
        mend: "ALTER DATABASE oh COLLATE utf8mb4_bin;\nALTER TABLE oh.t CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;\n\
               ALTER TABLE oh.u CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    },
    Trial {
        check: "key-collations",
        verdict: Verdict::Fail,
        mode: "full+incremental",
        create: "CREATE DATABASE oi;\nCREATE TABLE oi.t (id INT PRIMARY KEY, a VARCHAR(10) COLLATE utf8mb4_0900_ai_ci, \
                 b VARCHAR(10) COLLATE utf8mb4_0900_ai_ci, c VARCHAR(10) COLLATE utf8mb4_0900_ai_ci, UNIQUE (a), KEY (b))",
        task: "include = [\"oi\"]",
        names: &["`oi`.`t` (`a`): utf8mb4_0900_ai_ci"],
        mend: "ALTER TABLE oi.t CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
    },
];

/// What only a new source has.
const NEW: &[Trial] = &[
    Trial {
        check: "generated-columns",
        verdict: Verdict::Confirm,
        mode: "full",
        create: "CREATE DATABASE on_;\nCREATE TABLE on_.t (id INT PRIMARY KEY, c CHAR(5), g VARCHAR(9) AS (CONCAT(c, 'x')) STORED, i INT INVISIBLE)",
        task: "include = [\"on_\"]",
        names: &["`on_`.`t` (`g`)"],
        mend: "ALTER TABLE on_.t DROP COLUMN g",
    },
    Trial {
        check: "expression-keys",
        verdict: Verdict::Confirm,
        mode: "full+incremental",
        create: "CREATE DATABASE oo;\nCREATE TABLE oo.t (id INT PRIMARY KEY, v INT AS (id + 1) VIRTUAL, UNIQUE f ((id * 2)), UNIQUE v (v))",
        task: "include = [\"oo\"]\n[sync]\nconflict = \"overwrite\"",
        names: &["`oo`.`t` (`f`)", "`oo`.`t` (`v`)"],
        mend: "ALTER TABLE oo.t DROP KEY f, DROP KEY v",
    },
];

/// What only an old source has.
const OLD: &[Trial] = &[
    Trial {
        check: "partitions",
        verdict: Verdict::Fail,
        mode: "full",
        create: "CREATE DATABASE oq;\nCREATE TABLE oq.t (id INT PRIMARY KEY) ENGINE = MyISAM PARTITION BY HASH (id) PARTITIONS 2",
        task: "include = [\"oq\"]",
        names: &["`oq`.`t`"],
        mend: "",
    },
    Trial {
        check: "row-formats",
        verdict: Verdict::Fail,
        mode: "full",
        create: "CREATE DATABASE or_;\nCREATE TABLE or_.t (id INT PRIMARY KEY) ROW_FORMAT = FIXED",
        task: "include = [\"or_\"]",
        names: &["`or_`.`t` (row_format=FIXED)"],
        mend: "",
    },
];

#[test]
fn objects_from_97() {
    let trials = TRIALS.iter().chain(NEW).chain(RULES);
    Trial::run_all(trials, source97(), destination97());
    Trial::run_all(COLLATIONS, source97(), source56());
}

#[test]
fn objects_from_56() {
    let trials = TRIALS.iter().chain(OLD).chain(RULES);
    Trial::run_all(trials, source56(), destination97());
}

/// Every fact about objects can be had from both versions.
#[test]
fn the_facts_of_objects() {
    for server in [source97(), source56()] {
        let mut conn = session(server);
        run(
            &mut conn,
            "CREATE DATABASE facts_o;\nCREATE TABLE facts_o.t (id INT PRIMARY KEY, n VARCHAR(10), KEY (n(4)));\n\
             CREATE TABLE facts_o.c (id INT PRIMARY KEY, t INT, FOREIGN KEY (t) REFERENCES facts_o.t (id) ON DELETE CASCADE);\n\
             CREATE VIEW facts_o.v AS SELECT t.id FROM facts_o.t JOIN facts_o.c ON c.t = t.id;\n\
             CREATE PROCEDURE facts_o.p() SELECT * FROM elsewhere.t;\n\
             CREATE TRIGGER facts_o.r BEFORE INSERT ON facts_o.t FOR EACH ROW SET NEW.n = '';\n\
             CREATE EVENT facts_o.e ON SCHEDULE EVERY 1 YEAR DO SELECT 1;\n",
        );
        let task = task(
            End::of(server),
            End::of(destination97()),
            "full",
            "include = [\"facts_o\"]",
            "",
        );
        let facts = Facts::gather(&task);
        let side = facts.side(Role::Source);
        let keys = side.tables.foreign_keys.as_ref().unwrap();
        assert!(
            keys[0].cascades() && keys[0].on_delete == "CASCADE",
            "{keys:?}"
        );
        let views = side.programs.views.as_ref().unwrap();
        let names: Vec<String> = views[0]
            .uses
            .tables
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(names, ["`facts_o`.`c`", "`facts_o`.`t`"]);
        assert!(views[0].is_readable);
        let routines = side.programs.routines.as_ref().unwrap();
        let names: Vec<String> = routines[0]
            .uses
            .tables
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(names, ["`elsewhere`.`t`"]);
        let triggers = side.programs.triggers.as_ref().unwrap();
        assert_eq!(triggers[0].when, "BEFORE INSERT");
        assert!(side.programs.events.as_ref().unwrap()[0].is_enabled);
        let accounts = side.programs.accounts.as_ref().unwrap();
        assert!(accounts.contains(&views[0].definer), "{accounts:?}");
        assert!(side.collations.as_ref().unwrap().has("utf8_general_ci"));
        assert_eq!(facts.rules, Ok(Vec::new()));
        run(&mut conn, "DROP DATABASE facts_o");
    }
}
