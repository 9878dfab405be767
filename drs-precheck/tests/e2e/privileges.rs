//! What accounts may do.

use drs_core::{DatabaseName, Role, TableName, Task};
use drs_precheck::{Facts, Report, Verdict};
use drs_testkit::Server;
use mysql::{Conn, OptsBuilder, prelude::Queryable};

use crate::servers::{
    End, check, checked, destination97, expect, expect_in, odd97, repair, report, run, session,
    side_by_side, source56, source97, task, unlogged97,
};

const PASSWORD: &str = "of-its-own";

/// A new account without a privilege, the same at both servers.
fn create(servers: &[&Server], user: &str) {
    for server in servers {
        let mut conn = session(server);
        run(
            &mut conn,
            &format!("CREATE USER '{user}'@'%' IDENTIFIED BY '{PASSWORD}'"),
        );
    }
}

fn end<'a>(server: &'a Server, user: &'a str) -> End<'a> {
    End {
        server,
        user,
        password: PASSWORD,
    }
}

fn login(server: &Server, user: &str) -> Conn {
    let opts = OptsBuilder::from_opts(server.tcp_opts())
        .user(Some(user))
        .pass(Some(PASSWORD));
    Conn::new(opts).unwrap()
}

/// Runs all statements that a check prints, and sees it pass.
fn grant_until_it_passes(task: &Task, id: &str, source: &Server, destination: &Server) {
    // A grant may let it see that another one is missing.
    for _ in 0..3 {
        for finding in &check(task, id).findings {
            if finding.verdict != Verdict::Pass {
                repair(finding, source, destination);
            }
        }
    }
    expect(task, id, Verdict::Pass, &[]);
}

/// It ends cleanly, and says what fails and what could not be seen.
#[test]
fn an_account_that_may_do_nothing() {
    let sources = [(source97(), "nothing97"), (source56(), "nothing56")];
    side_by_side(&sources, |&(source, user)| {
        let destination = destination97();
        create(&[source, destination], user);
        let task = task(
            end(source, user),
            end(destination, user),
            "full+incremental",
            "include = [\"nothing_p\"]",
            "",
        );
        let report = Report::of(&Facts::gather(&task));
        let ids = |verdict: Verdict| -> Vec<&str> {
            let checked = report.checked.iter();
            let checked = checked.filter(|checked| checked.verdict() == verdict);
            checked.map(|checked| checked.check.id).collect()
        };
        let (failed, unknown) = (ids(Verdict::Fail), ids(Verdict::Unknown));
        for id in [
            "source-privileges",
            "destination-privileges",
            "checkpoint-privileges",
        ] {
            assert!(failed.contains(&id), "{id}: {failed:?}");
        }
        assert!(unknown.contains(&"long-transactions"), "{unknown:?}");
        for checked in &report.checked {
            for finding in &checked.findings {
                assert!(!finding.detail.is_empty(), "{checked:?}");
            }
        }
        assert!(!report.allows_start());
    });
}

/// The statements that the findings print are what the account needs.
#[test]
fn what_is_missing_is_printed_as_grants() {
    let sources = [(source97(), "missing97"), (source56(), "missing56")];
    side_by_side(&sources, |&(source, user)| {
        let destination = destination97();
        create(&[source, destination], user);
        run(
            &mut session(source),
            &format!("CREATE DATABASE {user}_p;\nCREATE TABLE {user}_p.t (id INT PRIMARY KEY)"),
        );
        for (objects, source_objects, destination_objects) in [
            (
                format!("include = [\"{user}_p.t\"]\nmap = {{ \"{user}_p.t\" = \"to_{user}.u\" }}"),
                [format!("`{user}_p`.`t`")],
                format!("`to_{user}`.*"),
            ),
            (
                format!("include = [\"{user}_p\"]"),
                [format!("`{user}_p`.*")],
                format!("`{user}_p`.*"),
            ),
        ] {
            let task = task(
                end(source, user),
                end(destination, user),
                "full+incremental",
                &objects,
                "",
            );
            let before = report(&task);
            let found = &checked(&before, "source-privileges").findings;
            let objects: Vec<&String> = found.iter().flat_map(|found| &found.objects).collect();
            assert!(objects.contains(&&source_objects[0]), "{found:?}");
            for finding in found {
                repair(finding, source, destination);
            }
            let readable = report(&task);
            expect_in(&readable, "source-privileges", Verdict::Pass, &[]);
            expect_in(
                &readable,
                "destination-privileges",
                Verdict::Fail,
                &[&destination_objects],
            );
            let ids = [
                "destination-privileges",
                "checkpoint-privileges",
                "index-privilege",
                "trigger-privilege",
            ];
            for finding in ids.iter().flat_map(|id| &checked(&readable, id).findings) {
                repair(finding, source, destination);
            }
            let writable = report(&task);
            for id in ids {
                expect_in(&writable, id, Verdict::Pass, &[]);
            }
        }
        run(
            &mut session(source),
            &format!("DROP DATABASE {user}_p;\nDROP USER '{user}'@'%'"),
        );
        run(
            &mut session(destination),
            &format!("DROP USER '{user}'@'%'"),
        );
    });
}

/// A grant on a database takes the place of one with wildcards, whose privileges it must keep.
#[test]
fn grants_beside_one_with_wildcards() {
    let sources = [(source97(), "wild97"), (source56(), "wild56")];
    side_by_side(&sources, |&(source, user)| {
        create(&[source], user);
        run(
            &mut session(source),
            &format!(
                "CREATE DATABASE {user}_p;\nGRANT SELECT, SHOW VIEW, INSERT ON `{user}%`.* TO '{user}'@'%'"
            ),
        );
        let task = task(
            end(source, user),
            End::of(destination97()),
            "full+incremental",
            &format!("include = [\"{user}_p\"]"),
            "",
        );
        grant_until_it_passes(&task, "source-privileges", source, destination97());
        run(&mut login(source, user), &format!("USE {user}_p"));
        run(
            &mut session(source),
            &format!("DROP DATABASE {user}_p;\nDROP USER '{user}'@'%'"),
        );
    });
}

/// A role counts when it is active.
#[test]
fn privileges_of_a_role() {
    let (source, destination) = (source97(), destination97());
    create(&[source], "actor97");
    run(
        &mut session(source),
        "CREATE DATABASE role_p;\nCREATE ROLE reader97;\nGRANT reader97 TO actor97;\n\
         GRANT SELECT, SHOW VIEW, EVENT, LOCK TABLES, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO reader97",
    );
    let task = task(
        end(source, "actor97"),
        End::of(destination),
        "full+incremental",
        "include = [\"role_p\"]",
        "",
    );
    let findings = check(&task, "source-privileges").findings;
    let text = format!("{findings:?}");
    assert!(
        text.contains("SET DEFAULT ROLE ALL TO `actor97`@`%` (now inactive: `reader97`@`%`)"),
        "{text}"
    );
    run(
        &mut session(source),
        "SET DEFAULT ROLE ALL TO `actor97`@`%`",
    );
    expect(&task, "source-privileges", Verdict::Pass, &[]);
    run(
        &mut session(source),
        "DROP USER actor97;\nDROP ROLE reader97;\nDROP DATABASE role_p",
    );
}

/// Views, routines and the sessions' settings.
#[test]
fn privileges_that_not_every_task_needs() {
    let source = source97();
    let destination = &*odd97();
    create(&[destination], "programmer");
    run(
        &mut session(source),
        "CREATE DATABASE programs_p;\nCREATE VIEW programs_p.v AS SELECT 1 AS a;\n\
         CREATE PROCEDURE programs_p.p() SELECT 1",
    );
    run(
        &mut session(destination),
        "SET GLOBAL sql_generate_invisible_primary_key = ON, sql_require_primary_key = ON",
    );
    let task = task(
        End::of(source),
        end(destination, "programmer"),
        "full",
        "include = [\"programs_p\"]",
        "",
    );
    expect(
        &task,
        "program-privileges",
        Verdict::Confirm,
        &["`programs_p`.*"],
    );
    grant_until_it_passes(&task, "program-privileges", source, destination);
    expect(
        &task,
        "definer-privilege",
        Verdict::Confirm,
        &["`root`@`localhost`"],
    );
    grant_until_it_passes(&task, "definer-privilege", source, destination);
    expect(&task, "session-privilege", Verdict::Fail, &[]);
    run(
        &mut session(destination),
        "SET GLOBAL sql_generate_invisible_primary_key = OFF",
    );
    expect(&task, "session-privilege", Verdict::Confirm, &[]);
    grant_until_it_passes(&task, "session-privilege", source, destination);
    run(
        &mut session(destination),
        "SET GLOBAL sql_require_primary_key = OFF",
    );
    run(&mut session(source), "DROP DATABASE programs_p");
}

/// A copy that is kept out of the destination's log, and who would miss it there.
#[test]
fn a_copy_outside_of_the_binary_log() {
    let (source, destination) = (source97(), destination97());
    create(&[destination], "unlogger");
    let task = task(
        End::of(source),
        end(destination, "unlogger"),
        "full",
        "include = [\"unlogged_p\"]",
        "[copy]\nbinlog = false",
    );
    let finding = expect(&task, "copy-binlog", Verdict::Fail, &[]);
    repair(&finding, source, destination);
    let finding = expect(&task, "copy-binlog", Verdict::Confirm, &[]);
    assert!(finding.detail.contains("not known"), "{finding:?}");
    run(
        &mut session(destination),
        "GRANT REPLICATION SLAVE ON *.* TO unlogger",
    );
    expect(&task, "copy-binlog", Verdict::Pass, &[]);
    run(&mut session(destination), "DROP USER unlogger");
}

/// What is read from `SHOW GRANTS` is what the server allows.
#[test]
fn grants_are_read_as_the_server_takes_them() {
    let own = unlogged97();
    let cases: &[(&str, &[&str])] = &[
        (
            "w1",
            &[
                "SELECT ON `xx_`.*",
                "INSERT ON `x\\_b`.*",
                "UPDATE ON `x%`.*",
            ],
        ),
        ("w2", &["UPDATE ON `x%`.*", "SELECT ON `%b`.*"]),
        ("w3", &["ALL ON `x\\_b`.*", "SELECT (a) ON x_b.t"]),
        (
            "w4",
            &["SELECT (a, `b)c`), INSERT ON x_b.t", "DELETE ON *.*"],
        ),
        ("w5", &["SELECT ON `o ON dd``x`.`t,TO`", "UPDATE ON `o%`.*"]),
        ("w6", &["ALL ON *.*"]),
    ];
    side_by_side(&[source97(), source56(), own], |&server| {
        let mut conn = session(server);
        let is_new = server.release().is_mysql_since(8, 0);
        let is_own = std::ptr::eq(server, own);
        run(
            &mut conn,
            "CREATE DATABASE x_b;\nCREATE TABLE x_b.t (a INT, `b)c` INT, c INT);\nCREATE DATABASE xxb;\nCREATE TABLE xxb.t (a INT);\n\
             CREATE DATABASE `o ON dd``x`;\nCREATE TABLE `o ON dd``x`.`t,TO` (a INT)",
        );
        if is_new {
            run(
                &mut conn,
                "CREATE ROLE w_role;\nGRANT SELECT, DELETE ON `%b`.* TO w_role",
            );
        }
        for (user, grants) in cases {
            create(&[server], user);
            for grant in *grants {
                run(&mut conn, &format!("GRANT {grant} TO '{user}'@'%'"));
            }
        }
        for with_role in [false, true] {
            if with_role && !is_new {
                continue;
            }
            if is_own {
                run(&mut conn, "REVOKE IF EXISTS DELETE ON xxb.* FROM w4, w6");
            }
            side_by_side(cases, |&(user, _)| {
                if with_role {
                    run(
                        &mut session(server),
                        &format!(
                            "GRANT w_role TO '{user}'@'%';\nSET DEFAULT ROLE ALL TO '{user}'@'%'"
                        ),
                    );
                }
                compare(server, user);
            });
        }
        run(
            &mut conn,
            "DROP DATABASE x_b;\nDROP DATABASE xxb;\nDROP DATABASE `o ON dd``x`",
        );
        for (user, _) in cases {
            run(&mut conn, &format!("DROP USER '{user}'@'%'"));
        }
        if is_new {
            run(&mut conn, "DROP ROLE w_role");
        }
    });
}

fn compare(server: &Server, user: &str) {
    let task = task(
        end(server, user),
        End::of(destination97()),
        "full",
        "include = [\"x_b\"]",
        "",
    );
    let facts = Facts::gather(&task);
    let grants = facts.side(Role::Source).account.grants.as_ref().unwrap();
    let mut conn = login(server, user);
    for (database, table) in [("x_b", "t"), ("xxb", "t"), ("o ON dd`x", "t,TO")] {
        let table = TableName::new(database, table).unwrap();
        for (privilege, statement) in [
            ("SELECT", format!("SELECT * FROM {table} LIMIT 0")),
            ("INSERT", format!("INSERT INTO {table} VALUES ()")),
            ("UPDATE", format!("UPDATE {table} SET a = 1 WHERE 1 = 0")),
            ("DELETE", format!("DELETE FROM {table} LIMIT 0")),
        ] {
            // An UPDATE with a WHERE that reads no column needs nothing else.
            let allowed = conn.query_drop(&statement);
            assert_eq!(
                grants.has_on_table(&table, privilege),
                allowed.is_ok(),
                "{user} {privilege} {table} {:?}: {allowed:?} {grants:?}",
                server.release()
            );
        }
    }
    let database = DatabaseName::new("x_b").unwrap();
    let locks = conn.query_drop("LOCK TABLES x_b.t READ").is_ok();
    let told = ["LOCK TABLES", "SELECT"]
        .iter()
        .all(|privilege| grants.has_on_database(&database, privilege));
    assert_eq!(told, locks, "{user} {grants:?}");
}
