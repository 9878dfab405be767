//! What limits accounts, and encryption.

use drs_precheck::Verdict;

use crate::servers::{End, destination97, expect, repair, run, session, source56, source97, task};

#[test]
fn limits_of_accounts() {
    let destination = destination97();
    let objects = "include = [\"limits_a\"]";
    for (server, user, limits, id, verdict) in [
        (
            source97(),
            "hourly97",
            "ALTER USER hourly97 WITH MAX_UPDATES_PER_HOUR 1000 MAX_CONNECTIONS_PER_HOUR 50",
            "source-account-limits",
            Verdict::Fail,
        ),
        (
            source56(),
            "hourly56",
            "GRANT USAGE ON *.* TO hourly56 WITH MAX_QUERIES_PER_HOUR 5000",
            "source-account-limits",
            Verdict::Fail,
        ),
        (
            source97(),
            "few97",
            "ALTER USER few97 WITH MAX_USER_CONNECTIONS 5",
            "source-sessions",
            Verdict::Fail,
        ),
        (
            source56(),
            "few56",
            "GRANT USAGE ON *.* TO few56 WITH MAX_USER_CONNECTIONS 5",
            "source-sessions",
            Verdict::Fail,
        ),
        (
            source97(),
            "locked97",
            "ALTER USER locked97 FAILED_LOGIN_ATTEMPTS 3 PASSWORD_LOCK_TIME 1",
            "source-account-lockout",
            Verdict::Confirm,
        ),
        (
            source97(),
            "expires97",
            "GRANT SELECT ON *.* TO expires97;\nALTER USER expires97 PASSWORD EXPIRE INTERVAL 10 DAY",
            "source-account-password",
            Verdict::Confirm,
        ),
        // Without SELECT on mysql.user it can't be told how old the password is.
        (
            source97(),
            "unseen97",
            "ALTER USER unseen97 PASSWORD EXPIRE INTERVAL 10 DAY",
            "source-account-password",
            Verdict::Unknown,
        ),
    ] {
        let mut conn = session(server);
        run(
            &mut conn,
            &format!("CREATE USER {user} IDENTIFIED BY 'of-its-own'"),
        );
        run(&mut conn, limits);
        let end = End {
            server,
            user,
            password: "of-its-own",
        };
        let task = task(end, End::of(destination), "full+incremental", objects, "");
        let finding = expect(&task, id, verdict, &[]);
        if verdict != Verdict::Unknown {
            repair(&finding, server, destination);
            expect(&task, id, Verdict::Pass, &[]);
        }
        run(&mut conn, &format!("DROP USER {user}"));
    }
}

#[test]
fn sessions_that_are_refused() {
    let good = End::of(destination97());
    let wrong = End {
        password: "not-this",
        ..good
    };
    let objects = "include = [\"refused_a\"]";
    let old = End::of(source56());
    let tls = "[source.tls]\nmode = \"required\"";
    for (task, id, says) in [
        (
            task(End::of(source97()), wrong, "full", objects, ""),
            "destination-connection",
            "check destination.user",
        ),
        (
            task(old, good, "full", objects, tls),
            "source-connection",
            "5.6.46",
        ),
    ] {
        let found = format!("{:?}", expect(&task, id, Verdict::Fail, &[]));
        assert!(found.contains(says), "{found}");
        assert!(!found.contains("not-this"), "{found}");
        // All else that has to do with that server is unknown.
        expect(&task, "version-order", Verdict::Unknown, &[]);
    }
}

#[test]
fn encryption() {
    let destination = destination97();
    let objects = "include = [\"tls_a\"]";
    let of = |server| {
        let ends = (End::of(server), End::of(destination));
        task(ends.0, ends.1, "full+incremental", objects, "")
    };
    expect(&of(source97()), "source-tls", Verdict::Pass, &[]);
    expect(&of(source97()), "source-certificate", Verdict::Pass, &[]);
    expect(
        &of(source97()),
        "destination-certificate",
        Verdict::Pass,
        &[],
    );
    // MySQL 5.6.24 has TLS 1.0.
    let found = expect(&of(source56()), "source-tls", Verdict::Confirm, &[]);
    assert!(format!("{found:?}").contains("5.6.46"), "{found:?}");

    let mut conn = session(source97());
    run(
        &mut conn,
        "CREATE USER secure97 IDENTIFIED BY 'of-its-own' REQUIRE SSL",
    );
    let end = End {
        server: source97(),
        user: "secure97",
        password: "of-its-own",
    };
    let with = |tls: &str| {
        let text = format!("[source.tls]\nmode = \"{tls}\"");
        task(
            end,
            End::of(destination),
            "full+incremental",
            objects,
            &text,
        )
    };
    expect(
        &with("preferred"),
        "source-account-tls",
        Verdict::Confirm,
        &[],
    );
    expect(&with("required"), "source-account-tls", Verdict::Pass, &[]);
    expect(&with("disabled"), "source-connection", Verdict::Fail, &[]);
    run(&mut conn, "DROP USER secure97");
}
