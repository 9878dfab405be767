//! Accounts and passwords.

use crate::{
    program::Program,
    servers::{self, in_new_database, run},
    task::{Task, endpoint_as},
};

#[test]
fn a_password_in_a_file_that_others_can_read_is_refused() {
    let pair = servers::gtid();
    let task = Task::of(pair, "login_file");
    for permissions in [0o640, 0o604, 0o644] {
        let ended = Program::run_file(&task.write(permissions), &[]).end(servers::LIMIT);
        assert_eq!(ended.code, Some(2), "{permissions:o}");
        assert!(ended.errors.contains("chmod 600"), "{}", ended.errors);
    }
}

/// The accounts lock at the second wrong password, so a right one works only if it was one.
#[test]
fn a_wrong_password_is_given_once_only() {
    let pair = servers::gtid();
    in_new_database(pair.source, "login_wrong");
    for (side, server) in [("source", pair.source), ("destination", pair.destination)] {
        let user = format!("wary_{side}");
        run(
            &mut server.conn().unwrap(),
            &[
                &format!(
                    "CREATE USER {user}@'%' IDENTIFIED BY 'right-one' FAILED_LOGIN_ATTEMPTS 2 PASSWORD_LOCK_TIME 1"
                ),
                &format!("GRANT ALL ON *.* TO {user}@'%'"),
            ],
        );
        let with = |password: &str| {
            let keys = endpoint_as(server, &user, password);
            match side {
                "source" => Task::of(pair, "login_wrong").source(&keys),
                _ => Task::of(pair, "login_wrong").destination(&keys),
            }
        };
        let said = Program::run(&with("wrong-one"), &[]).fail();
        assert!(
            said.contains(side) && said.contains(&user) && said.contains("1045"),
            "{said}"
        );
        assert!(!said.contains("wrong-one"), "{said}");
        Program::run(&with("right-one"), &["--until-caught-up"]).succeed();
    }
}

/// The same in the middle of following: the account changes, and the connections break.
#[test]
fn a_login_that_is_refused_later_is_not_retried() {
    let pair = servers::gtid();
    let mut conn = in_new_database(pair.source, "login_later");
    run(
        &mut conn,
        &[
            "CREATE TABLE t (id INT PRIMARY KEY)",
            "CREATE USER later@'%' IDENTIFIED BY 'right-one' FAILED_LOGIN_ATTEMPTS 2 PASSWORD_LOCK_TIME 1",
            "GRANT ALL ON *.* TO later@'%'",
        ],
    );
    let task =
        Task::of(pair, "login_later").source(&endpoint_as(pair.source, "later", "right-one"));
    let mut program = Program::run(&task, &[]);
    program.wait_until_it_follows();
    run(
        &mut conn,
        &["ALTER USER later@'%' IDENTIFIED BY 'other-one'"],
    );
    kill_connections(&mut conn, "later");
    let said = program.fail();
    assert!(said.contains("1045"), "{said}");

    let task = task.source(&endpoint_as(pair.source, "later", "other-one"));
    Program::run(&task, &["--until-caught-up"]).succeed();
}

fn kill_connections(conn: &mut mysql::Conn, user: &str) {
    use mysql::prelude::Queryable;

    let ids: Vec<u64> = conn
        .query(format!(
            "SELECT id FROM information_schema.processlist WHERE user = '{user}'"
        ))
        .unwrap();
    assert!(!ids.is_empty());
    for id in ids {
        // It may have gone by itself.
        let _ = conn.query_drop(format!("KILL {id}"));
    }
}
