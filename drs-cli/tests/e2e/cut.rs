//! The connections to the destination break while batches are under way, and nothing is lost or done
//! twice. What a batch's packet says may be carried out by a server that nobody listens to any more.

use std::{thread, time::Duration};

use drs_testkit::{
    DelayProxy, Server,
    workload::{Random, Shop, Writers},
};
use mysql::prelude::Queryable;

use crate::{
    kill::number,
    program::{Program, catch_up},
    servers::{self, Pair, assert_equal, run, wait_for_value},
    task::Task,
};

/// Each of them cuts all of the program's connections to the destination; `DRS_CUTS` says another
/// number.
const CUTS: u64 = 15;

#[test]
fn one_lane_with_gtid() {
    follow_through_cuts("cut_gtid_1", servers::gtid(), 1);
}

#[test]
fn lanes_with_gtid() {
    follow_through_cuts("cut_gtid_4", servers::gtid(), 4);
}

#[test]
fn lanes_from_5_6() {
    follow_through_cuts("cut_56_4", servers::from_56(), 4);
}

fn follow_through_cuts(name: &str, pair: Pair, lanes: u32) {
    let Pair {
        source,
        destination,
    } = pair;
    let shop = Shop::new(name, 80);
    let mut conn = source.conn().unwrap();
    shop.create(&mut conn).unwrap();
    conn.query_drop(format!("USE {name}")).unwrap();
    run(
        &mut conn,
        &[
            "CREATE TABLE marks (id INT PRIMARY KEY)",
            // Applied change by change; done twice, there would be more of them.
            "CREATE TABLE keyless (n INT, word VARCHAR(20))",
        ],
    );
    let writers = Writers::builder(source.tcp_opts(), &shop)
        .transactions_per_second(200)
        .start()
        .unwrap();
    let target = ([127, 0, 0, 1], destination.port()).into();
    let proxy = DelayProxy::start(target, Duration::from_micros(500)).unwrap();
    let task = Task::of(pair, name)
        .destination(&format!(
            "host = \"{}\"\nport = {}\nuser = \"{}\"\npassword = \"{}\"",
            Server::HOST,
            proxy.port(),
            Server::USER,
            Server::PASSWORD
        ))
        .sync(&format!("lanes = {lanes}"));
    let mut program = Program::run(&task, &[]);
    program.wait_until_it_follows();
    let mut there = destination.conn().unwrap();
    let mut random = Random::new(u64::from(lanes));
    for number in 0..number("DRS_CUTS").unwrap_or(CUTS) {
        // A batch of many statements, so that most cuts come while one is under way.
        conn.query_drop("BEGIN").unwrap();
        for n in 0..40 {
            conn.query_drop(format!("INSERT INTO keyless VALUES ({n}, 'the same')"))
                .unwrap();
        }
        conn.query_drop(format!("INSERT INTO marks VALUES ({number})"))
            .unwrap();
        conn.query_drop("COMMIT").unwrap();
        // The random moment of the cut, not a wait for something.
        thread::sleep(Duration::from_micros(random.below(12_000)));
        proxy.cut();
        wait_for_value(
            &mut there,
            &format!("SELECT MAX(id) FROM {name}.marks"),
            &number.to_string(),
        );
        assert!(program.is_running(), "{:?}", program.last());
    }
    writers.stop().unwrap();
    assert_eq!(program.interrupt().code, Some(130));
    catch_up(&task);
    assert_eq!(shop.broken_rules(&mut there).unwrap(), Vec::<String>::new());
    assert_equal(source, destination, name);
}
