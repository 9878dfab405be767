//! Names of databases, tables and views.

use drs_precheck::Verdict;

use crate::servers::{Trial, destination97, source56, source97};

const TRIALS: &[Trial] = &[
    Trial {
        check: "database-names",
        verdict: Verdict::Fail,
        mode: "full",
        create: "CREATE DATABASE `na_größe`;\nCREATE DATABASE na_plain;\nCREATE TABLE na_plain.t (id INT PRIMARY KEY)",
        task: "include = [\"na_*\"]",
        names: &["`na_größe`"],
        mend: "DROP DATABASE `na_größe`",
    },
    Trial {
        check: "database-names",
        verdict: Verdict::Confirm,
        mode: "full",
        create: "CREATE DATABASE `ns a`;\nCREATE TABLE `ns a`.t (id INT PRIMARY KEY)",
        task: "include = [\"ns*\"]",
        names: &["`ns a`"],
        mend: "DROP DATABASE `ns a`",
    },
    Trial {
        check: "table-names",
        verdict: Verdict::Fail,
        mode: "full",
        create: "CREATE DATABASE nt;\nCREATE TABLE nt.`it's` (id INT PRIMARY KEY);\nCREATE VIEW nt.`v'` AS SELECT 1 AS a",
        task: "include = [\"nt\"]",
        names: &["`nt`.`it's`", "`nt`.`v'`"],
        mend: "RENAME TABLE nt.`it's` TO nt.its, nt.`v'` TO nt.v",
    },
    Trial {
        check: "mapped-names",
        verdict: Verdict::Fail,
        mode: "full",
        create: "CREATE DATABASE nm;\nCREATE TABLE nm.`a-12345678901234567890123456789012345678901` (id INT PRIMARY KEY)",
        task: "include = [\"nm\"]\nmap = { nm = \"nm_eu\" }",
        names: &["`nm`.`a-12345678901234567890123456789012345678901`"],
        mend: "RENAME TABLE nm.`a-12345678901234567890123456789012345678901` TO nm.a",
    },
];

/// A newer server does not create such a database.
const RESERVED: &[Trial] = &[Trial {
    check: "database-names",
    verdict: Verdict::Fail,
    mode: "full",
    create: "CREATE DATABASE ib_logfile7;\nCREATE TABLE ib_logfile7.t (id INT PRIMARY KEY)",
    task: "include = [\"ib_log*\"]",
    names: &["`ib_logfile7`"],
    mend: "DROP DATABASE ib_logfile7",
}];

#[test]
fn names_from_97() {
    Trial::run_all(TRIALS, source97(), destination97());
}

#[test]
fn names_from_56() {
    Trial::run_all(TRIALS.iter().chain(RESERVED), source56(), destination97());
}
