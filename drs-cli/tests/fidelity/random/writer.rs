//! A session that writes invented transactions, and changes definitions now and then.

use std::{sync::atomic::Ordering, thread, time::Duration};

use drs_testkit::workload::Random;
use mysql::{Conn, prelude::Queryable};

use super::{
    World,
    column::Kind,
    table::{Column, Table},
    value::{pick, value},
};
use crate::servers::{Pair, run};

/// Rows in a table before the copy.
const ROWS: u64 = 120;
/// Transactions between two changes of the session's settings.
const TRANSACTIONS_A_SESSION: u64 = 15;

pub(super) struct Writer {
    conn: Conn,
    random: Random,
    number: u64,
    counts: Counts,
}

/// What one writer did.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) transactions: u64,
    pub(super) statements: u64,
    pub(super) rows: u64,
}

const SQL_MODES: &[&str] = &[
    "",
    "",
    "ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO",
    "NO_BACKSLASH_ESCAPES,ANSI_QUOTES",
    "PAD_CHAR_TO_FULL_LENGTH,PIPES_AS_CONCAT",
    "STRICT_ALL_TABLES",
];

impl Writer {
    pub(super) fn new(pair: &Pair, database: &str, seed: u64, number: u64) -> Self {
        let mut conn = pair.source.conn().unwrap();
        run(
            &mut conn,
            &[
                &format!("USE {database}"),
                "SET NAMES utf8mb4",
                "SET sql_mode = ''",
                "SET innodb_lock_wait_timeout = 2",
                "SET lock_wait_timeout = 5",
            ],
        );
        Self {
            conn,
            random: Random::new(seed.wrapping_mul(1_000).wrapping_add(number)),
            number,
            counts: Counts::default(),
        }
    }

    /// What is there before the copy.
    pub(super) fn fill(&mut self, world: &World) {
        let tables = world.tables.read().unwrap();
        for table in tables.iter() {
            for _ in 0..ROWS / 4 {
                let statement = self.insert("INSERT IGNORE", table, 4);
                self.run(world, &statement);
            }
        }
    }

    pub(super) fn write_until_stopped(&mut self, world: &World) -> Counts {
        while !world.stop.load(Ordering::Relaxed) {
            if self
                .counts
                .transactions
                .is_multiple_of(TRANSACTIONS_A_SESSION)
            {
                self.change_session(world);
            }
            if self.number == 1 && world.live.load(Ordering::Relaxed) && self.random.below(40) == 0
            {
                self.change_definition(world);
            }
            self.transaction(world);
            thread::sleep(Duration::from_millis(self.random.below(4)));
        }
        self.counts
    }

    fn change_session(&mut self, world: &World) {
        let mode = pick(&mut self.random, SQL_MODES);
        let zone = pick(&mut self.random, &["+00:00", "-11:30", "SYSTEM", "+13:00"]);
        // Partial images of a table that catches up with its copy stop the task, if it has several
        // unique keys.
        let image = match world.live.load(Ordering::Relaxed) {
            true => pick(&mut self.random, &["FULL", "FULL", "MINIMAL", "NOBLOB"]),
            false => "FULL",
        };
        let mut settings = vec![
            format!("SET sql_mode = '{mode}'"),
            format!("SET time_zone = '{zone}'"),
            format!("SET binlog_row_image = '{image}'"),
        ];
        if !world.old {
            let compression = pick(&mut self.random, &["ON", "OFF", "OFF"]);
            let partial = pick(&mut self.random, &["PARTIAL_JSON", ""]);
            settings.push(format!("SET binlog_row_value_options = '{partial}'"));
            settings.push(format!(
                "SET binlog_transaction_compression = {compression}"
            ));
        }
        for setting in settings {
            run(&mut self.conn, &[&setting]);
        }
    }

    fn transaction(&mut self, world: &World) {
        let tables = world.tables.read().unwrap();
        self.run(world, "BEGIN");
        let mut savepoint = false;
        for _ in 0..self.random.between(1, 6) {
            match self.random.below(12) {
                0 => {
                    self.run(world, "SAVEPOINT s");
                    savepoint = true;
                }
                1 if savepoint => {
                    // It is gone if a deadlock rolled everything back.
                    self.run(world, "ROLLBACK TO SAVEPOINT s");
                }
                _ => {
                    let at = self.random.below(tables.len() as u64) as usize;
                    let statement = self.statement(&tables[at]);
                    self.run(world, &statement);
                }
            }
        }
        let end = if self.random.below(10) == 0 {
            "ROLLBACK"
        } else {
            "COMMIT"
        };
        if self.run(world, end) {
            world.committed.fetch_add(1, Ordering::Relaxed);
        }
        self.counts.transactions += 1;
    }

    /// Runs a statement; what the server refuses is no change.
    fn run(&mut self, world: &World, statement: &str) -> bool {
        self.counts.statements += 1;
        match self.conn.query_drop(statement) {
            Ok(()) => {
                self.counts.rows += self.conn.affected_rows();
                true
            }
            Err(mysql::Error::MySqlError(error)) => {
                world.refused.fetch_add(1, Ordering::Relaxed);
                // A writer that makes no SQL would make no test either.
                assert_ne!(error.code, 1064, "{error}: {statement}");
                false
            }
            Err(error) => panic!("{statement}: {error}"),
        }
    }

    fn statement(&mut self, table: &Table) -> String {
        let name = &table.name;
        match self.random.below(20) {
            0..=4 => self.insert("INSERT IGNORE", table, 3),
            5 => self.insert("INSERT", table, 1),
            6 | 7 => self.insert("REPLACE", table, 2),
            8 => {
                let insert = self.insert("INSERT", table, 2);
                let set = self.assignments(table);
                format!("{insert} ON DUPLICATE KEY UPDATE {set}")
            }
            9 if !table.has_key() => {
                let columns = names(&table.writable());
                format!(
                    "INSERT INTO {name} ({columns}) SELECT {columns} FROM {name} ORDER BY RAND() LIMIT 3"
                )
            }
            10..=15 => {
                let set = self.assignments(table);
                let ignore = pick(&mut self.random, &["", "IGNORE"]);
                let limit = self.random.between(1, 6);
                format!("UPDATE {ignore} {name} SET {set} WHERE RAND() < 0.3 LIMIT {limit}")
            }
            16 => {
                let set = self.assignments(table);
                format!("UPDATE IGNORE {name} SET {set} ORDER BY RAND() LIMIT 40")
            }
            17 => format!(
                "DELETE FROM {name} WHERE RAND() < 0.5 LIMIT {}",
                self.random.between(1, 30)
            ),
            _ => format!(
                "DELETE FROM {name} WHERE RAND() < 0.5 LIMIT {}",
                self.random.between(1, 3)
            ),
        }
    }

    fn insert(&mut self, verb: &str, table: &Table, rows: u64) -> String {
        let mut columns = table.writable();
        // Some are left to their defaults.
        if columns.len() > 1 && self.random.below(3) == 0 {
            let at = self.random.below(columns.len() as u64) as usize;
            columns.remove(at);
        }
        let rows: Vec<String> = (0..rows)
            .map(|_| {
                let values: Vec<String> = columns.iter().map(|column| self.value(column)).collect();
                format!("({})", values.join(", "))
            })
            .collect();
        format!(
            "{verb} INTO {} ({}) VALUES {}",
            table.name,
            names(&columns),
            rows.join(", ")
        )
    }

    fn assignments(&mut self, table: &Table) -> String {
        let columns = table.writable();
        let mut set = Vec::new();
        for _ in 0..self.random.between(1, 3) {
            let column = columns[self.random.below(columns.len() as u64) as usize];
            let name = &column.name;
            set.push(match (&column.kind, self.random.below(6)) {
                (Kind::Int { .. }, 0 | 1) => format!("{name} = {name} + 1"),
                (Kind::Int { .. }, 2) => format!("{name} = {name} - 1"),
                (Kind::Text { .. }, 0) => format!("{name} = UPPER({name})"),
                (Kind::Text { .. } | Kind::Bytes { .. }, 1) => {
                    format!("{name} = CONCAT({name}, ' ')")
                }
                (Kind::Json, 0..=2) => {
                    let path = pick(&mut self.random, &["$.a", "$.n", "$[0]", "$.b.c", "$.pad"]);
                    let function = pick(&mut self.random, &["JSON_SET", "JSON_REPLACE"]);
                    format!(
                        "{name} = {function}({name}, '{path}', {})",
                        self.random.below(9)
                    )
                }
                (Kind::Json, 3) => format!("{name} = JSON_REMOVE({name}, '$.a', '$.n')"),
                (Kind::Bit(_), 0) => format!("{name} = {name} ^ 1"),
                _ => format!("{name} = {}", self.value(column)),
            });
        }
        set.join(", ")
    }

    fn value(&mut self, column: &Column) -> String {
        match self.random.below(8) {
            0 if !column.attributes.contains("NOT NULL") => "NULL".into(),
            _ => value(&column.kind, &mut self.random),
        }
    }

    fn change_definition(&mut self, world: &World) {
        // The servers' own zones differ, so a definition that depends on SYSTEM stops the task.
        let zone = pick(&mut self.random, &["+00:00", "-11:30", "+13:00"]);
        run(&mut self.conn, &[&format!("SET time_zone = '{zone}'")]);
        let mut tables = world.tables.write().unwrap();
        let at = self.random.below(tables.len() as u64) as usize;
        let number = world.definitions.load(Ordering::Relaxed);
        let table = &mut tables[at];
        let name = table.name.clone();
        let columns: Vec<String> = table
            .columns
            .iter()
            .map(|column| column.name.clone())
            .collect();
        let place = match self.random.below(3) {
            0 => "FIRST".to_owned(),
            1 => String::new(),
            _ => format!(
                "AFTER {}",
                columns[self.random.below(columns.len() as u64) as usize]
            ),
        };
        let (statement, changed): (String, Option<Table>) = match self.random.below(7) {
            0 | 1 => {
                let column = Column::random(format!("a{number}"), &mut self.random, world.old);
                let statement = format!(
                    "ALTER TABLE {name} ADD COLUMN {} {place}",
                    column.definition()
                );
                let mut changed = table.clone();
                // The order is the server's business: the writers name their columns.
                changed.columns.push(column);
                (statement, Some(changed))
            }
            2 => {
                let free: Vec<usize> = (0..columns.len())
                    .filter(|at| !table.columns[*at].is_needed)
                    .collect();
                if free.is_empty() || columns.len() < 3 {
                    return;
                }
                let mut changed = table.clone();
                let column = changed.columns.remove(pick(&mut self.random, &free));
                if changed.writable().is_empty() {
                    return;
                }
                (
                    format!("ALTER TABLE {name} DROP COLUMN {}", column.name),
                    Some(changed),
                )
            }
            3 => (format!("TRUNCATE TABLE {name}"), None),
            4 => {
                let mut changed = table.clone();
                changed.name = format!("r{number}");
                (
                    format!("RENAME TABLE {name} TO {}", changed.name),
                    Some(changed),
                )
            }
            5 => {
                let column = Column::random(format!("b{number}"), &mut self.random, world.old);
                let old = columns[self.random.below(columns.len() as u64) as usize].clone();
                let mut changed = table.clone();
                let Some(of) = changed.columns.iter_mut().find(|column| column.name == old) else {
                    return;
                };
                if of.is_needed || of.is_generated {
                    return;
                }
                of.name = column.name;
                let statement = format!("ALTER TABLE {name} CHANGE {old} {}", of.definition());
                (statement, Some(changed))
            }
            _ => {
                let table = Table::random(&format!("n{number}"), &mut self.random, world.old);
                if self.run(world, &table.definition()) {
                    world.definitions.fetch_add(1, Ordering::Relaxed);
                    tables.push(table);
                }
                return;
            }
        };
        if self.run(world, &statement) {
            world.definitions.fetch_add(1, Ordering::Relaxed);
            if let Some(changed) = changed {
                tables[at] = changed;
            }
        }
    }
}

fn names(columns: &[&Column]) -> String {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    names.join(", ")
}
