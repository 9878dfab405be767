//! Servers that are replicas.

use drs_precheck::Verdict;
use drs_testkit::{Server, Version, deadline};
use mysql::Conn;
use std::time::Duration;

use crate::servers::{
    End, builder, check, destination97, expect, own_pair, repair, run, session, source97, task,
};

fn of(source: &Server, destination: &Server) -> drs_core::Task {
    let ends = (End::of(source), End::of(destination));
    let objects = "include = [\"replica_r\"]";
    task(ends.0, ends.1, "full+incremental", objects, "")
}

fn wait_for(task: &drs_core::Task, id: &str, verdict: Verdict) {
    let limit = Duration::from_secs(30);
    let reached = deadline::poll(limit, || {
        (check(task, id).verdict() == verdict).then_some(())
    });
    assert!(reached.is_some(), "{:?}", check(task, id).findings);
}

#[test]
fn a_replica() {
    let source = builder(Version::MySql97, 982)
        .gtid(true)
        .option("--performance-schema=ON")
        .option("--report-host=127.0.0.1")
        .start()
        .unwrap();
    let replica = builder(Version::MySql97, 983).gtid(true).start().unwrap();
    let mut conn = session(&replica);
    run(
        &mut conn,
        &format!(
            "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = {}, SOURCE_USER = '{}', \
             SOURCE_PASSWORD = '{}', GET_SOURCE_PUBLIC_KEY = 1, SOURCE_AUTO_POSITION = 1, SOURCE_CONNECT_RETRY = 1",
            source.port(),
            Server::USER,
            Server::PASSWORD
        ),
    );
    let name = format!("from 127.0.0.1:{}", source.port());
    let to_replica = of(source97(), &replica);
    let from_replica = of(&replica, destination97());
    let finding = expect(
        &to_replica,
        "destination-replication",
        Verdict::Confirm,
        &[&name],
    );
    expect(
        &from_replica,
        "source-replication",
        Verdict::Confirm,
        &[&name],
    );
    repair(&finding, source97(), &replica);
    wait_for(&to_replica, "destination-replication", Verdict::Pass);
    expect(&from_replica, "source-replication", Verdict::Pass, &[]);
    expect(
        &of(&source, destination97()),
        "replica-ids",
        Verdict::Pass,
        &[],
    );
    // From its own source.
    wait_for(
        &of(&source, &replica),
        "destination-replication",
        Verdict::Fail,
    );
    // It fails.
    run(&mut conn, "SET sql_log_bin = 0;\nCREATE DATABASE twice_r");
    run(&mut session(&source), "CREATE DATABASE twice_r");
    wait_for(&to_replica, "destination-replication", Verdict::Fail);
    expect(
        &from_replica,
        "source-replication",
        Verdict::Confirm,
        &[&name],
    );
    run(&mut conn, "DROP DATABASE twice_r;\nSTART REPLICA");
    wait_for(&to_replica, "destination-replication", Verdict::Pass);
    // It has the id that a task would have.
    let task = of(&source, destination97());
    let own = drs_core::replica_server_id(&task);
    let set_id = |conn: &mut Conn, id: u32| {
        run(
            conn,
            &format!("STOP REPLICA;\nSET GLOBAL server_id = {id};\nSTART REPLICA"),
        );
    };
    set_id(&mut conn, own);
    wait_for(&task, "replica-ids", Verdict::Confirm);
    let found = expect(&task, "replica-ids", Verdict::Confirm, &[""]);
    assert!(
        format!("{found:?}").contains("give that server another server_id"),
        "{found:?}"
    );
    set_id(&mut conn, replica.server_id());
    wait_for(&task, "replica-ids", Verdict::Pass);
    run(&mut conn, "STOP REPLICA;\nRESET REPLICA ALL");
    expect(&to_replica, "destination-replication", Verdict::Pass, &[]);
    a_group_of_one(&source);
}

/// A group whose only member leaves it, and comes back.
fn a_group_of_one(server: &Server) {
    let mut conn = session(server);
    let (to, from) = (of(source97(), server), of(server, destination97()));
    let id = "destination-replication";
    run(
        &mut conn,
        "INSTALL PLUGIN group_replication SONAME 'group_replication.so'",
    );
    expect(&to, id, Verdict::Pass, &[]);
    run(
        &mut conn,
        &format!(
            "SET GLOBAL group_replication_group_name = '6472732d-0000-4000-8000-000000000001';\n\
             SET GLOBAL group_replication_communication_stack = 'MYSQL';\n\
             SET GLOBAL group_replication_local_address = '127.0.0.1:{}';\n\
             SET GLOBAL group_replication_bootstrap_group = ON",
            server.port()
        ),
    );
    let start = format!(
        "START GROUP_REPLICATION USER = '{}', PASSWORD = '{}'",
        Server::USER,
        Server::PASSWORD
    );
    run(&mut conn, &start);
    wait_for(&to, id, Verdict::Pass);
    expect(&from, "source-replication", Verdict::Pass, &[]);
    run(&mut conn, "STOP GROUP_REPLICATION");
    let found = expect(&to, id, Verdict::Fail, &["127.0.0.1 (OFFLINE)"]);
    assert!(
        format!("{found:?}").contains("bring them back"),
        "{found:?}"
    );
    run(&mut conn, &start);
    wait_for(&to, id, Verdict::Pass);
}

/// A replica that does not log what it replicates, which is what 5.6 does by default.
#[test]
fn a_replica_that_logs_nothing() {
    let pair = own_pair();
    for (server, change, reset) in [
        (
            &pair.old,
            "CHANGE MASTER TO MASTER_HOST = 'nowhere.invalid', MASTER_PORT = 3307",
            "RESET SLAVE ALL",
        ),
        (
            &pair.new,
            "CHANGE REPLICATION SOURCE TO SOURCE_HOST = 'nowhere.invalid', SOURCE_PORT = 3307",
            "RESET REPLICA ALL",
        ),
    ] {
        let task = of(server, destination97());
        expect(&task, "log-replica-updates", Verdict::Pass, &[]);
        run(&mut session(server), change);
        expect(
            &task,
            "log-replica-updates",
            Verdict::Fail,
            &["nowhere.invalid:3307"],
        );
        run(&mut session(server), reset);
        expect(&task, "log-replica-updates", Verdict::Pass, &[]);
    }
}
