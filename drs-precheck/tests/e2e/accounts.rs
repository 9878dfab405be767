//! What limits accounts, and how they are refused.

use drs_precheck::Verdict;
use drs_testkit::Server;

use crate::servers::{
    End, destination97, expect, expect_in, repair, report, run, session, side_by_side, source56,
    source97, task,
};

/// An account of a server with a limit, and the check that finds it.
struct Limited {
    server: fn() -> &'static Server,
    user: &'static str,
    limits: &'static str,
    id: &'static str,
    verdict: Verdict,
}

const LIMITED: &[Limited] = &[
    Limited {
        server: source97,
        user: "hourly97",
        limits: "ALTER USER hourly97 WITH MAX_UPDATES_PER_HOUR 1000 MAX_CONNECTIONS_PER_HOUR 50",
        id: "source-account-limits",
        verdict: Verdict::Fail,
    },
    Limited {
        server: source56,
        user: "hourly56",
        limits: "GRANT USAGE ON *.* TO hourly56 WITH MAX_QUERIES_PER_HOUR 5000",
        id: "source-account-limits",
        verdict: Verdict::Fail,
    },
    Limited {
        server: source97,
        user: "few97",
        limits: "ALTER USER few97 WITH MAX_USER_CONNECTIONS 5",
        id: "source-sessions",
        verdict: Verdict::Fail,
    },
    Limited {
        server: source56,
        user: "few56",
        limits: "GRANT USAGE ON *.* TO few56 WITH MAX_USER_CONNECTIONS 5",
        id: "source-sessions",
        verdict: Verdict::Fail,
    },
    Limited {
        server: source97,
        user: "locked97",
        limits: "ALTER USER locked97 FAILED_LOGIN_ATTEMPTS 3 PASSWORD_LOCK_TIME 1",
        id: "source-account-lockout",
        verdict: Verdict::Confirm,
    },
    Limited {
        server: source97,
        user: "expires97",
        limits: "GRANT SELECT ON *.* TO expires97;\nALTER USER expires97 PASSWORD EXPIRE INTERVAL 10 DAY",
        id: "source-account-password",
        verdict: Verdict::Confirm,
    },
    // Without SELECT on mysql.user it can't be told how old the password is.
    Limited {
        server: source97,
        user: "unseen97",
        limits: "ALTER USER unseen97 PASSWORD EXPIRE INTERVAL 10 DAY",
        id: "source-account-password",
        verdict: Verdict::Unknown,
    },
    Limited {
        server: destination97,
        user: "hourly97",
        limits: "ALTER USER hourly97 WITH MAX_QUERIES_PER_HOUR 100000",
        id: "destination-account-limits",
        verdict: Verdict::Fail,
    },
    Limited {
        server: source56,
        user: "hourly_d56",
        limits: "GRANT USAGE ON *.* TO hourly_d56 WITH MAX_UPDATES_PER_HOUR 5000",
        id: "destination-account-limits",
        verdict: Verdict::Fail,
    },
    Limited {
        server: destination97,
        user: "few97",
        limits: "ALTER USER few97 WITH MAX_USER_CONNECTIONS 5",
        id: "destination-sessions",
        verdict: Verdict::Fail,
    },
    Limited {
        server: destination97,
        user: "locked97",
        limits: "ALTER USER locked97 FAILED_LOGIN_ATTEMPTS 3 PASSWORD_LOCK_TIME UNBOUNDED",
        id: "destination-account-lockout",
        verdict: Verdict::Confirm,
    },
    Limited {
        server: destination97,
        user: "expires97",
        limits: "GRANT SELECT ON *.* TO expires97;\nALTER USER expires97 PASSWORD EXPIRE INTERVAL 10 DAY",
        id: "destination-account-password",
        verdict: Verdict::Confirm,
    },
];

#[test]
fn limits_of_accounts() {
    side_by_side(LIMITED, |limited| {
        let server = (limited.server)();
        let mut conn = session(server);
        let user = limited.user;
        run(
            &mut conn,
            &format!("CREATE USER {user} IDENTIFIED BY 'of-its-own'"),
        );
        run(&mut conn, limited.limits);
        let end = End {
            server,
            user,
            password: "of-its-own",
        };
        let (source, destination, ends) = match limited.id.starts_with("source") {
            true => (server, destination97(), (end, End::of(destination97()))),
            false => (source97(), server, (End::of(source97()), end)),
        };
        let objects = "include = [\"limits_a\"]";
        let task = task(ends.0, ends.1, "full+incremental", objects, "");
        let finding = expect(&task, limited.id, limited.verdict, &[]);
        if limited.verdict != Verdict::Unknown {
            repair(&finding, source, destination);
            expect(&task, limited.id, Verdict::Pass, &[]);
        }
        run(&mut conn, &format!("DROP USER {user}"));
    });
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
        let report = report(&task);
        let found = format!("{:?}", expect_in(&report, id, Verdict::Fail, &[]));
        assert!(found.contains(says), "{found}");
        assert!(!found.contains("not-this"), "{found}");
        // All else that has to do with that server is unknown.
        expect_in(&report, "version-order", Verdict::Unknown, &[]);
    }
}
