//! Many tables: the number of questions does not grow with them.
//!
//! `DRS_TABLES=10000` measures how long that many take, see docs/campaigns.md.

use std::time::Instant;

use drs_precheck::{Facts, Report};
use drs_testkit::{Server, Version};
use mysql::prelude::Queryable;

use crate::servers::{End, builder, run, session, task};

#[test]
fn questions_do_not_grow_with_the_tables_from_97() {
    measure(Version::MySql97, 981);
}

#[test]
fn questions_do_not_grow_with_the_tables_from_56() {
    measure(Version::MySql56, 568);
}

fn measure(version: Version, id: u32) {
    let source = builder(version, id).start().unwrap();
    let destination = builder(Version::MySql97, id + 1).start().unwrap();
    let many = std::env::var("DRS_TABLES").ok();
    let many: u32 = many.and_then(|many| many.parse().ok()).unwrap_or(300);
    let mut questions = Vec::new();
    for tables in [10, many] {
        // Half of the tables are at the destination already.
        create(&source, tables, 1);
        create(&destination, tables, 2);
        let database = format!("many_{tables}");
        let task = task(
            End::of(&source),
            End::of(&destination),
            "full+incremental",
            &format!("include = [\"{database}\"]"),
            "",
        );
        let before = [asked(&source), asked(&destination)];
        let start = Instant::now();
        let facts = Facts::gather(&task);
        let gathered = start.elapsed();
        let report = Report::of(&facts);
        let all = start.elapsed();
        let after = [asked(&source), asked(&destination)];
        let found = facts.source.tables.tables.as_ref().unwrap().len();
        assert_eq!(found, tables as usize);
        assert!(report.checked.len() > 10);
        println!(
            "{version:?}: {tables} tables: {:.2} s, of which {:.2} s for the facts",
            all.as_secs_f64(),
            gathered.as_secs_f64()
        );
        questions.push([after[0] - before[0], after[1] - before[1]]);
    }
    assert_eq!(questions[0], questions[1]);
}

/// How many statements the server has been asked, this one included.
fn asked(server: &Server) -> u64 {
    let row: Option<(String, u64)> = server
        .conn()
        .unwrap()
        .query_first("SHOW GLOBAL STATUS LIKE 'Questions'")
        .unwrap();
    row.unwrap().1
}

/// Tables with keys, text and foreign keys, every so many of them.
fn create(server: &Server, tables: u32, step: usize) {
    let mut conn = session(server);
    let database = format!("many_{tables}");
    run(
        &mut conn,
        &format!("SET SESSION sql_log_bin = 0;\nCREATE DATABASE {database};\nUSE {database}"),
    );
    for number in (0..tables).step_by(step) {
        let parent = match number % 10 {
            8 => format!(", FOREIGN KEY (p) REFERENCES t{} (id)", number - 2),
            _ => String::new(),
        };
        conn.query_drop(format!(
            "CREATE TABLE t{number} (id INT PRIMARY KEY, p INT, a VARCHAR(30), b DATETIME, UNIQUE (a), KEY (p){parent})"
        ))
        .unwrap();
    }
}
