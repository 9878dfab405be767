//! Invented tables, invented transactions: written while the program copies, follows, and is killed.
//!
//! A round is one database with a seed of its own. `DRS_RANDOM_SECONDS` says for how long rounds are
//! played (each test), `DRS_RANDOM_SEED` with which seed they begin, `DRS_RANDOM_ROUND_SECONDS` how
//! long the writers of one round write.

mod column;
mod table;
mod value;
mod writer;

use std::{
    env,
    sync::{
        RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use drs_testkit::{deadline, workload::Random};
use mysql::{Conn, prelude::Queryable};

use self::{
    table::Table,
    writer::{Counts, Writer},
};
use crate::{
    program::Program,
    run::{attempt, pair_56, pair_97},
    servers::{LIMIT, Pair, assert_equal, run, value},
    task::Task,
};

/// For how long a test plays rounds.
const SECONDS: u64 = 10;
/// How long the writers of one round write.
const ROUND_SECONDS: u64 = 6;
/// The program is killed so often before it may end its copy in peace.
const KILLS_IN_COPY: u64 = 2;
/// Sessions that write at the same time.
const WRITERS: u64 = 2;

#[test]
fn from_97() {
    rounds("random_97", pair_97(), false);
}

#[test]
fn from_56() {
    rounds("random_56", pair_56(), true);
}

fn rounds(name: &str, pair: Pair, old: bool) {
    let limit = Duration::from_secs(number("DRS_RANDOM_SECONDS").unwrap_or(SECONDS));
    let first = number("DRS_RANDOM_SEED").unwrap_or(1);
    let begun = Instant::now();
    for seed in first.. {
        let round = Round {
            pair,
            name: format!("{name}_{seed}"),
            seed,
            old,
        };
        round.play();
        if begun.elapsed() >= limit {
            break;
        }
    }
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text}")))
}

/// What the writers of a round share.
struct World {
    /// Read while a transaction runs, written while a definition changes.
    tables: RwLock<Vec<Table>>,
    old: bool,
    /// All tables are past their copy: definitions may change, and images may be partial.
    live: AtomicBool,
    stop: AtomicBool,
    committed: AtomicU64,
    refused: AtomicU64,
    definitions: AtomicU64,
}

struct Round {
    pair: Pair,
    name: String,
    seed: u64,
    old: bool,
}

impl Round {
    fn play(&self) {
        // Seen with the failure, if there is one.
        println!("{}: DRS_RANDOM_SEED={}", self.name, self.seed);
        let mut random = Random::new(self.seed);
        let mut conn = self.pair.source.conn().unwrap();
        run(
            &mut conn,
            &[
                &format!("DROP DATABASE IF EXISTS {}", self.name),
                &format!("CREATE DATABASE {} CHARACTER SET utf8mb4", self.name),
                &format!("USE {}", self.name),
                "SET NAMES utf8mb4",
                "SET sql_mode = ''",
            ],
        );
        let world = World {
            tables: RwLock::new(self.create_tables(&mut conn, &mut random)),
            old: self.old,
            live: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            committed: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            definitions: AtomicU64::new(0),
        };
        let writer = |number| Writer::new(&self.pair, &self.name, self.seed, number);
        let mut first = writer(0);
        first.fill(&world);
        let task = Task::of(self.pair, &self.name)
            .sync(&format!("lanes = {}", [1, 4, 8][random.below(3) as usize]))
            .copy("sessions = 2\nchunk_bytes = \"64KiB\"");
        let counts = thread::scope(|scope| {
            let writers: Vec<_> = (0..WRITERS)
                .map(|number| writer(number + 1))
                .map(|mut writer| {
                    let world = &world;
                    scope.spawn(move || writer.write_until_stopped(world))
                })
                .collect();
            // A panic in here must not leave the writers writing.
            let _stop = StopAtEnd(&world.stop);
            let kills = self.run_and_kill(&task, &world, &mut random);
            world.stop.store(true, Ordering::Relaxed);
            let counts: Vec<Counts> = writers
                .into_iter()
                .map(|writer| writer.join().unwrap())
                .collect();
            (kills, counts)
        });
        let ended = Program::run(&task, &["--until-caught-up"]).end(LIMIT * 3);
        if ended.code != Some(0) {
            self.fail(&ended.errors);
        }
        println!(
            "{}: {} kills, {} transactions, {} statements refused, {} definitions changed, {:?}",
            self.name,
            counts.0,
            world.committed.load(Ordering::Relaxed),
            world.refused.load(Ordering::Relaxed),
            world.definitions.load(Ordering::Relaxed),
            counts.1,
        );
        assert!(world.committed.load(Ordering::Relaxed) > 20);
        let equal = attempt(|| assert_equal(self.pair.source, self.pair.destination, &self.name));
        if let Err(difference) = equal {
            self.fail(&difference);
        }
        for server in [self.pair.source, self.pair.destination] {
            run(
                &mut server.conn().unwrap(),
                &[&format!("DROP DATABASE {}", self.name)],
            );
        }
    }

    /// Ends the test; with `DRS_RANDOM_HOLD_SECONDS`, only after one could look at the servers.
    fn fail(&self, problem: &str) -> ! {
        if let Some(seconds) = number("DRS_RANDOM_HOLD_SECONDS") {
            eprintln!(
                "{}: {problem}\nthe source listens at {:?}, the destination at {:?}",
                self.name,
                self.pair.source.socket(),
                self.pair.destination.socket()
            );
            thread::sleep(Duration::from_secs(seconds));
        }
        panic!("{}: DRS_RANDOM_SEED={}: {problem}", self.name, self.seed);
    }

    /// Tables that the server takes: what is invented is not always allowed.
    fn create_tables(&self, conn: &mut Conn, random: &mut Random) -> Vec<Table> {
        let mut tables = Vec::new();
        let (mut refused, mut last) = (0, String::new());
        while tables.len() < 7 {
            let table = Table::random(&format!("t{}", tables.len()), random, self.old);
            match conn.query_drop(table.definition()) {
                Ok(()) => {
                    println!("{}", table.definition());
                    tables.push(table);
                }
                Err(error) => {
                    refused += 1;
                    last = format!("{error}: {}", table.definition());
                }
            }
            assert!(refused < 60, "too many are refused: {last}");
        }
        tables
    }

    /// Runs the program, and kills it at random moments, until the round's time is over. Returns how
    /// often.
    fn run_and_kill(&self, task: &Task, world: &World, random: &mut Random) -> u64 {
        let limit =
            Duration::from_secs(number("DRS_RANDOM_ROUND_SECONDS").unwrap_or(ROUND_SECONDS));
        let begun = Instant::now();
        let mut there = self.pair.destination.conn().unwrap();
        let mut kills = 0;
        let mut live_since: Option<Instant> = None;
        // On a slow machine the copy alone takes longer than a round: half of it is for what follows.
        while begun.elapsed() < limit || live_since.is_none_or(|since| since.elapsed() < limit / 2)
        {
            let mut program = Program::run(task, &[]);
            if kills == KILLS_IN_COPY && !self.is_live(&mut there) {
                let live = deadline::poll(LIMIT, || {
                    (!program.is_running() || self.is_live(&mut there)).then_some(())
                });
                assert!(live.is_some(), "seed {}: it does not catch up", self.seed);
            } else {
                thread::sleep(Duration::from_millis(random.between(50, 1_500)));
            }
            let ended = program.kill();
            if ended.code.is_some() {
                world.stop.store(true, Ordering::Relaxed);
                self.fail(&ended.errors);
            }
            kills += 1;
            if self.is_live(&mut there) {
                world.live.store(true, Ordering::Relaxed);
                live_since.get_or_insert_with(Instant::now);
            }
        }
        kills
    }

    fn is_live(&self, there: &mut Conn) -> bool {
        let name = &self.name;
        let copied = format!("SELECT copied FROM drs_meta.task WHERE name = '{name}'");
        let behind = format!(
            "SELECT COUNT(*) FROM drs_meta.table_state WHERE task = '{name}' AND phase <> 'live'"
        );
        value(there, &copied).as_deref() == Some("1")
            && value(there, &behind).as_deref() == Some("0")
    }
}

struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
