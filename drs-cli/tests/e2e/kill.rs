//! The program is killed with -9 at random moments while the source is written to, and nothing is
//! lost or done twice.
//!
//! The shop's rules tell a lost change from a repeated one at any time; afterwards both sides are
//! compared byte for byte. Half of the kills come while it copies, half while it follows, some of
//! them within moments of a DDL statement.

use std::{env, thread, time::Duration};

use drs_testkit::{
    deadline,
    workload::{Random, Shop, Writers},
};
use mysql::{Conn, prelude::Queryable};

use crate::{
    program::{Program, catch_up, is},
    servers::{self, LIMIT, Pair, assert_equal, run, value},
    task::Task,
};

/// Kills in one campaign; each campaign has a database, a task and a seed of its own.
const KILLS: u64 = 6;
/// With this many orders, a copy in small chunks takes a second or two.
const ORDERS: u32 = 4_000;

#[test]
fn with_gtid() {
    campaigns("kill_gtid", servers::gtid());
}

#[test]
fn from_5_6_by_position() {
    campaigns("kill_56", servers::from_56());
}

/// One campaign, or as many as are needed for `DRS_KILLS`.
fn campaigns(name: &str, pair: Pair) {
    let kills = number("DRS_KILLS").unwrap_or(KILLS);
    let first_seed = number("DRS_SEED").unwrap_or(1);
    for (number, seed) in (0..kills.div_ceil(KILLS)).zip(first_seed..) {
        let campaign = Campaign {
            pair,
            shop: Shop::new(format!("{name}_{number}"), ORDERS),
            lanes: [4, 1, 8][seed as usize % 3],
            seed,
        };
        campaign.run();
    }
}

/// A number from the environment.
pub(crate) fn number(variable: &str) -> Option<u64> {
    env::var(variable)
        .ok()
        .map(|text| text.parse().unwrap_or_else(|_| panic!("{variable}={text}")))
}

struct Campaign {
    pair: Pair,
    shop: Shop,
    lanes: u8,
    seed: u64,
}

impl Campaign {
    fn run(&self) {
        let database = self.shop.database();
        println!("{database}: seed {}, {} lanes", self.seed, self.lanes);
        let Pair {
            source,
            destination,
        } = self.pair;
        let mut conn = source.conn().unwrap();
        self.shop.create(&mut conn).unwrap();
        let mut side = SideShow::new(conn, database);
        let writers = Writers::builder(source.tcp_opts(), &self.shop)
            .seed(self.seed)
            .transactions_per_second(150)
            .start()
            .unwrap();
        let task = Task::of(self.pair, database)
            .sync(&format!("lanes = {}", self.lanes))
            .copy("sessions = 2\nchunk_bytes = \"64KiB\"");

        let mut random = Random::new(self.seed);
        let mut there = destination.conn().unwrap();
        let (mut in_copy, mut following) = (0, 0);
        while in_copy + following < KILLS {
            let copies = in_copy < KILLS / 2 && self.is_copying(&mut there);
            let (program, moment) = match copies {
                true => self.kill_in_copy(&task, &mut random, &mut side, in_copy),
                false => self.kill_while_following(&task, &mut random, &mut side),
            };
            let ended = program.kill();
            assert_eq!(
                ended.code, None,
                "it must end by the kill: {}",
                ended.errors
            );
            match self.is_copying(&mut there) {
                true => in_copy += 1,
                false => following += 1,
            }
            println!("{database}: killed {moment}; {in_copy} in the copy, {following} following");
            // Whatever it came to, it came to whole transactions.
            if self.is_live(&mut there) {
                let broken = self.shop.broken_rules(&mut there).unwrap();
                assert_eq!(broken, Vec::<String>::new());
            }
            assert!(writers.are_writing(), "{:?}", writers.stop());
            side.go_on(&mut random);
        }
        assert!(in_copy > 0 && following > 0, "{in_copy} and {following}");
        let counts = writers.stop().unwrap();
        println!("{database}: {counts:?}");
        assert!(counts.transactions > 100, "{counts:?}");

        catch_up(&task);
        assert_eq!(
            self.shop.broken_rules(&mut there).unwrap(),
            Vec::<String>::new()
        );
        assert_equal(source, destination, database);
        for server in [source, destination] {
            run(
                &mut server.conn().unwrap(),
                &[&format!("DROP DATABASE {database}")],
            );
        }
    }

    /// True until the checkpoint says that everything is copied.
    fn is_copying(&self, destination: &mut Conn) -> bool {
        let name = self.shop.database();
        let query = format!("SELECT copied FROM drs_meta.task WHERE name = '{name}'");
        value(destination, &query).as_deref() != Some("1")
    }

    /// True once no table is catching up with its copy any more.
    fn is_live(&self, destination: &mut Conn) -> bool {
        let name = self.shop.database();
        let query = format!(
            "SELECT COUNT(*) FROM drs_meta.table_state WHERE task = '{name}' AND phase <> 'live'"
        );
        !self.is_copying(destination) && value(destination, &query).as_deref() == Some("0")
    }

    fn kill_in_copy(
        &self,
        task: &Task,
        random: &mut Random,
        side: &mut SideShow,
        before: u64,
    ) -> (Program, String) {
        let mut program = Program::run(task, &[]);
        // The first one must come in the copy on the fastest machine, too.
        let longest = if before == 0 { 20 } else { 500 };
        let delay = Duration::from_millis(random.below(longest));
        // Rarely before its first word.
        if random.below(8) != 0 {
            program.wait_for("it copies", |event| is(event, "copy").then_some(()));
        }
        thread::sleep(delay);
        if before == 0 || random.below(3) != 0 {
            return (program, format!("{delay:?} into the copy"));
        }
        let statement = side.change_definitions(random);
        let after = Duration::from_millis(random.below(300));
        thread::sleep(after);
        (program, format!("{after:?} after {statement}"))
    }

    fn kill_while_following(
        &self,
        task: &Task,
        random: &mut Random,
        side: &mut SideShow,
    ) -> (Program, String) {
        let mut program = Program::run(task, &[]);
        program.wait_until_it_follows();
        let delay = Duration::from_millis(random.below(1_000));
        thread::sleep(delay);
        if random.below(2) == 0 {
            return (program, format!("{delay:?} into following"));
        }
        let statement = side.change_definitions(random);
        let after = Duration::from_millis(random.below(120));
        thread::sleep(after);
        (program, format!("{after:?} after {statement}"))
    }
}

/// What the shop's people don't do: statements over several tables, emptying, and DDL.
struct SideShow {
    conn: Conn,
    tables: u64,
    columns: u64,
}

impl SideShow {
    fn new(mut conn: Conn, database: &str) -> Self {
        run(
            &mut conn,
            &[
                &format!("USE {database}"),
                "CREATE TABLE side (id INT PRIMARY KEY AUTO_INCREMENT, n INT NOT NULL, word VARCHAR(40), UNIQUE (word))",
                "CREATE TABLE emptied (n INT, word VARCHAR(40)) CHARSET utf8mb4",
                "CREATE TABLE passing (id INT PRIMARY KEY AUTO_INCREMENT, n INT)",
                "INSERT INTO passing (n) SELECT stock FROM products",
                "INSERT INTO side (n, word) VALUES (1, 'one'), (2, 'two'), (3, 'three')",
                "INSERT INTO emptied VALUES (1, 'one'), (1, 'one'), (NULL, NULL), (NULL, NULL)",
            ],
        );
        Self {
            conn,
            tables: 0,
            columns: 0,
        }
    }

    /// Rows of several tables by one statement, and equal rows of a table without a key.
    fn go_on(&mut self, random: &mut Random) {
        let n = random.below(1_000_000);
        run(
            &mut self.conn,
            &[
                &format!(
                    "INSERT IGNORE INTO side (n, word) VALUES ({n}, '{n}'), ({n}, '{n}'), (0, NULL)"
                ),
                &format!("INSERT INTO emptied SELECT {n}, 'x' FROM side LIMIT 3"),
                "INSERT INTO emptied SELECT * FROM emptied ORDER BY n, word LIMIT 2",
                "UPDATE side JOIN emptied ON emptied.n = side.n SET side.n = side.n + 1, emptied.word = side.id",
                &format!("INSERT INTO passing (n) VALUES ({n}), ({n}), (NULL)"),
                "UPDATE passing SET n = n + 1 ORDER BY id DESC LIMIT 2",
                "UPDATE side SET id = id + 1000 ORDER BY id DESC LIMIT 2",
                "DELETE side, emptied FROM side JOIN emptied ON emptied.word = side.id WHERE side.id % 3 = 0",
                "UPDATE emptied SET word = 'y' WHERE word = 'x' LIMIT 1",
                "DELETE FROM emptied WHERE word IS NULL LIMIT 1",
            ],
        );
    }

    /// A statement may wait for a row of a writer who waits for the table, which 5.6 does not notice.
    fn run_in_time(&mut self, statement: &str) {
        run(
            &mut self.conn,
            &["SET SESSION innodb_lock_wait_timeout = 1"],
        );
        deadline::until(LIMIT, statement, || match self.conn.query_drop(statement) {
            Ok(()) => Some(()),
            Err(mysql::Error::MySqlError(error)) if [1205, 1213].contains(&error.code) => None,
            Err(error) => panic!("{statement}: {error}"),
        });
    }

    /// One DDL statement, with changes right before and behind it. Returns the statement.
    fn change_definitions(&mut self, random: &mut Random) -> String {
        self.columns += 1;
        let number = self.columns;
        let statement = match random.below(8) {
            0 => format!(
                "ALTER TABLE tills ADD COLUMN c{number} INT NOT NULL DEFAULT {number} FIRST"
            ),
            1 => format!(
                "ALTER TABLE audit_log ADD COLUMN c{number} VARCHAR(20) DEFAULT 'é{number}'"
            ),
            2 => format!("CREATE INDEX i{number} ON customers (visits, id)"),
            3 => {
                self.tables += 1;
                format!(
                    "CREATE TABLE t{} (id INT PRIMARY KEY, word TEXT)",
                    self.tables
                )
            }
            4 if self.tables > 0 => {
                let table = self.tables;
                self.tables -= 1;
                format!("DROP TABLE t{table}")
            }
            5 => "TRUNCATE TABLE emptied".to_owned(),
            6 => "TRUNCATE TABLE passing".to_owned(),
            _ => format!(
                "ALTER TABLE side MODIFY word VARCHAR({}) CHARSET utf8mb4",
                40 + number
            ),
        };
        self.go_on(random);
        self.run_in_time(&statement);
        if self.tables > 0 {
            run(
                &mut self.conn,
                &[&format!(
                    "REPLACE INTO t{} VALUES ({number}, 'behind it')",
                    self.tables
                )],
            );
        }
        self.go_on(random);
        statement
    }
}
