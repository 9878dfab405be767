//! Two sources whose databases get other names, and share one table at the destination, while both
//! tasks are killed with -9 again and again.

use std::{thread, time::Duration};

use drs_testkit::{
    digest_table,
    workload::{Random, Shop, Writers},
};

use crate::{
    program::{Program, catch_up, is},
    servers::{self, Pair, run, value},
    task::Task,
};

const ORDERS: u32 = 600;
const ROUNDS: u64 = 3;

struct Side {
    pair: Pair,
    shop: Shop,
    mapped: Shop,
    task: Task,
    /// Which ids of the shared table are this side's: those that leave this rest by two.
    rest: u64,
}

impl Side {
    fn new(pair: Pair, rest: u64) -> Self {
        let name = format!("mapped_{rest}");
        let shop = Shop::new(&*name, ORDERS);
        let mut conn = pair.source.conn().unwrap();
        shop.create(&mut conn).unwrap();
        run(
            &mut conn,
            &[
                &format!("USE {name}"),
                "CREATE TABLE shared (id INT PRIMARY KEY, n INT NOT NULL, word VARCHAR(20))",
                &format!("INSERT INTO shared SELECT id * 2 + {rest}, id, 'first' FROM orders"),
            ],
        );
        let objects = format!(
            "[\"{name}\"]\nmap = {{ {name} = \"there_{rest}\", \"{name}.shared\" = \"mapped_all.shared\" }}"
        );
        Self {
            pair,
            mapped: Shop::new(format!("there_{rest}"), ORDERS),
            task: Task::of(pair, &name)
                .include(&objects)
                .sync("lanes = 4")
                .copy("sessions = 2\nchunk_bytes = \"64KiB\""),
            shop,
            rest,
        }
    }

    /// Starts the program, writes to the shared table, and kills it: as soon as it follows, or
    /// wherever it is.
    fn kill_once(&self, random: &mut Random, follows: bool) {
        let mut program = Program::run(&self.task, &[]);
        if follows {
            program.wait_for("it follows", |event| is(event, "follow").then_some(()));
        }
        let mut conn = self.pair.source.conn().unwrap();
        let id = random.below(1_000_000) * 2 + self.rest;
        run(
            &mut conn,
            &[
                &format!("USE {}", self.shop.database()),
                &format!("REPLACE INTO shared (id, n, word) VALUES ({id}, 1, 'one')"),
                "UPDATE shared SET n = n + 1 ORDER BY id LIMIT 50",
                "DELETE FROM shared ORDER BY id DESC LIMIT 1",
            ],
        );
        thread::sleep(Duration::from_millis(random.below(400)));
        let ended = program.kill();
        assert_eq!(ended.code, None, "{}", ended.errors);
    }
}

#[test]
fn two_mapped_sources_share_a_table_over_kills() {
    let sides = [
        Side::new(servers::gtid(), 0),
        Side::new(servers::by_position(), 1),
    ];
    let mut random = Random::new(77);
    let writers: Vec<_> = sides
        .iter()
        .map(|side| {
            Writers::builder(side.pair.source.tcp_opts(), &side.shop)
                .transactions_per_second(60)
                .start()
                .unwrap()
        })
        .collect();
    for side in &sides {
        side.kill_once(&mut random, false);
    }
    for round in 0..ROUNDS {
        for side in &sides {
            // A copy that begins after its source's table changed finds the shared one without
            // the change, and stops: both copies end before the first statement.
            let follows = round == 0 || random.below(2) == 0;
            side.kill_once(&mut random, follows);
        }
        let mut conn = sides[0].pair.source.conn().unwrap();
        run(
            &mut conn,
            &[&format!(
                "ALTER TABLE mapped_0.shared ADD COLUMN c{round} INT DEFAULT {round}"
            )],
        );
        let mut conn = sides[1].pair.source.conn().unwrap();
        run(
            &mut conn,
            &[&format!(
                "ALTER TABLE mapped_1.shared ADD COLUMN c{round} INT DEFAULT {round} FIRST"
            )],
        );
    }
    for writers in writers {
        writers.stop().unwrap();
    }
    for side in &sides {
        catch_up(&side.task);
    }
    let mut there = sides[0].pair.destination.conn().unwrap();
    let mut rows = 0;
    for side in &sides {
        let mut here = side.pair.source.conn().unwrap();
        assert_eq!(
            side.mapped.broken_rules(&mut there).unwrap(),
            Vec::<String>::new()
        );
        for table in Shop::tables() {
            let source = digest_table(&mut here, side.shop.database(), table).unwrap();
            let destination = digest_table(&mut there, side.mapped.database(), table).unwrap();
            assert!(source.is_some(), "{table}");
            assert_eq!(source, destination, "{table}");
        }
        let sums = |database: &str, rest: u64| {
            format!(
                "SELECT CONCAT_WS(' ', COUNT(*), SUM(id), SUM(n), SUM(CRC32(word)), SUM(c0), SUM(c2)) \
                 FROM {database}.shared WHERE id % 2 = {rest}"
            )
        };
        let source = value(&mut here, &sums(side.shop.database(), side.rest));
        assert!(source.is_some());
        assert_eq!(source, value(&mut there, &sums("mapped_all", side.rest)));
        let count: u64 = value(
            &mut here,
            &format!("SELECT COUNT(*) FROM {}.shared", side.shop.database()),
        )
        .unwrap()
        .parse()
        .unwrap();
        rows += count;
    }
    assert_eq!(
        value(&mut there, "SELECT COUNT(*) FROM mapped_all.shared"),
        Some(rows.to_string())
    );
    for name in ["mapped_0", "mapped_1", "there_0", "there_1", "mapped_all"] {
        assert!(
            value(&mut there, &format!("SHOW TABLES IN {name}")).is_some()
                == !name.starts_with("mapped_0") & !name.starts_with("mapped_1"),
            "{name}"
        );
    }
}
