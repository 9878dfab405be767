//! Many tables: the number of questions does not grow with them.
//!
//! `DRS_TABLES=10000` measures how long that many take, see docs/campaigns.md.

use std::{
    thread,
    time::{Duration, Instant},
};

use drs_precheck::{Facts, Report};
use drs_testkit::{Server, Version, deadline};
use mysql::{Conn, prelude::Queryable};

use crate::servers::{End, builder, run, session, task};

#[test]
fn questions_do_not_grow_with_the_tables() {
    let many = std::env::var("DRS_TABLES").ok();
    let many: u32 = many.and_then(|many| many.parse().ok()).unwrap_or(300);
    let numbers = [10, many];
    let start = |version, id, step| {
        move || {
            let server = builder(version, id).start().unwrap();
            for tables in numbers {
                create(&server, tables, step);
            }
            server
        }
    };
    thread::scope(|scope| {
        // Half of the tables are at the destination already.
        let destination = scope.spawn(start(Version::MySql97, 981, 2));
        let sources = [
            scope.spawn(start(Version::MySql97, 982, 1)),
            scope.spawn(start(Version::MySql56, 568, 1)),
        ];
        let destination = destination.join().unwrap();
        for source in sources.map(|source| source.join().unwrap()) {
            measure(&source, &destination, numbers);
        }
    });
}

fn measure(source: &Server, destination: &Server, numbers: [u32; 2]) {
    let mut meters = [source, destination].map(Meter::of);
    let mut questions = Vec::new();
    for tables in numbers {
        let database = format!("many_{tables}");
        let task = task(
            End::of(source),
            End::of(destination),
            "full+incremental",
            &format!("include = [\"{database}\"]"),
            "",
        );
        let before = meters.each_mut().map(Meter::asked);
        let start = Instant::now();
        let facts = Facts::gather(&task);
        let gathered = start.elapsed();
        let report = Report::of(&facts);
        let all = start.elapsed();
        let after = meters.each_mut().map(Meter::asked);
        let found = facts.source.tables.tables.as_ref().unwrap().len();
        assert_eq!(found, tables as usize);
        assert!(report.checked.len() > 10);
        println!(
            "from {}: {tables} tables: {:.2} s, of which {:.2} s for the facts",
            source.release(),
            all.as_secs_f64(),
            gathered.as_secs_f64()
        );
        questions.push([after[0] - before[0], after[1] - before[1]]);
    }
    assert_eq!(questions[0], questions[1]);
}

/// A session that looks at how many statements a server has been asked.
struct Meter {
    conn: Conn,
    /// Those of its own while it waited.
    own: u64,
}

impl Meter {
    fn of(server: &Server) -> Self {
        Self {
            conn: server.conn().unwrap(),
            own: 0,
        }
    }

    /// So many without its own waiting, once all other sessions have ended: an end is a question too.
    fn asked(&mut self) -> u64 {
        deadline::until(Duration::from_secs(30), "no other sessions", || {
            self.own += 1;
            (self.status("Threads_connected") == 1).then_some(())
        });
        self.status("Questions") - self.own
    }

    fn status(&mut self, name: &str) -> u64 {
        let row: Option<(String, u64)> = self
            .conn
            .query_first(format!("SHOW GLOBAL STATUS LIKE '{name}'"))
            .unwrap();
        row.unwrap().1
    }
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
