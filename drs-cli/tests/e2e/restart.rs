//! Servers that go away and come back, by themselves or not.

use drs_testkit::{
    Server, Version,
    workload::{Shop, Writers},
};

use crate::{
    program::{Program, catch_up},
    servers::{LIMIT, assert_equal, builder, run, start, wait_for_value},
    task::Task,
};

#[test]
fn with_gtid() {
    follow_through_restarts(Version::MySql97, true);
}

#[test]
fn by_position() {
    follow_through_restarts(Version::MySql97, false);
}

#[test]
fn from_5_6() {
    follow_through_restarts(Version::MySql56, false);
}

fn follow_through_restarts(version: Version, gtid: bool) {
    let source = start(builder(version).gtid(gtid).server_id(1));
    let destination = start(builder(Version::MySql97).gtid(gtid).server_id(2));
    let shop = Shop::new("shop", 80);
    let mut conn = source.conn().unwrap();
    shop.create(&mut conn).unwrap();
    run(&mut conn, &["CREATE TABLE marks (id INT PRIMARY KEY)"]);
    let writers = Writers::builder(source.tcp_opts(), &shop)
        .transactions_per_second(150)
        .reconnect(true)
        .start()
        .unwrap();
    let task = Task::new(&source, &destination, "shop").name("restarts");
    let mut program = Program::run(&task, &[]);
    program.wait_until_it_follows();

    type Outage = fn(&Server);
    let kill: Outage = |server| server.kill().unwrap();
    let stop: Outage = |server| server.stop().unwrap();
    for (number, (server, outage)) in [
        (&source, kill),
        (&destination, kill),
        (&source, stop),
        (&destination, stop),
    ]
    .into_iter()
    .enumerate()
    {
        outage(server);
        server.restart().unwrap();
        run(
            &mut source.conn().unwrap(),
            &[&format!("INSERT INTO shop.marks VALUES ({number})")],
        );
        let mut there = destination.conn().unwrap();
        wait_for_value(
            &mut there,
            "SELECT MAX(id) FROM shop.marks",
            &number.to_string(),
        );
        assert!(program.is_running(), "{:?}", program.last());
    }
    writers.stop().unwrap();
    assert_eq!(program.interrupt().code, Some(130));
    catch_up(&task);
    let mut there = destination.conn().unwrap();
    assert_eq!(shop.broken_rules(&mut there).unwrap(), Vec::<String>::new());
    assert_equal(&source, &destination, "shop");
}

/// The copy gets over it or stops; either way, it goes on where it was.
#[test]
fn a_server_killed_in_the_copy() {
    let source = start(builder(Version::MySql97).gtid(true).server_id(1));
    let destination = start(
        builder(Version::MySql97)
            .gtid(true)
            .server_id(2)
            .local_infile(true),
    );
    for (database, server) in [("copy_source", &source), ("copy_destination", &destination)] {
        let shop = Shop::new(database, 8_000);
        shop.create(&mut source.conn().unwrap()).unwrap();
        let task = Task::new(&source, &destination, database)
            .copy("sessions = 2\nchunk_bytes = \"64KiB\"");
        let mut program = Program::run(&task, &["--until-caught-up"]);
        program.wait_for("some rows are copied", |event| {
            (event["event"] == "copy" && event["rows_copied"].as_u64()? > 0).then_some(())
        });
        server.kill().unwrap();
        server.restart().unwrap();
        let ended = program.end(LIMIT);
        println!("{database}: {:?} {}", ended.code, ended.errors);
        assert!(matches!(ended.code, Some(0 | 3)), "{ended:?}");
        catch_up(&task);
        assert_equal(&source, &destination, database);
    }
}
