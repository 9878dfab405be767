//! Encryption of the sessions, and certificates.

use std::{fs, process::Command};

use drs_core::Task;
use drs_precheck::{Remedy, Report, Verdict};
use drs_testkit::Server;

use crate::servers::{
    End, destination97, expect, expect_in, odd97, report, run, session, source56, source97, task,
};

fn of(source: End, destination: End, tls: &str) -> Task {
    task(source, destination, "full", "include = [\"tls_a\"]", tls)
}

#[test]
fn sessions_are_encrypted() {
    let (new, old) = (End::of(source97()), End::of(source56()));
    let there = End::of(destination97());
    let report97 = report(&of(new, there, ""));
    for id in [
        "source-tls",
        "destination-tls",
        "source-certificate",
        "destination-certificate",
    ] {
        expect_in(&report97, id, Verdict::Pass, &[]);
    }
    // MySQL 5.6.24 has TLS 1.0.
    for (id, source, destination, disabled) in [
        ("source-tls", old, there, "[source.tls]"),
        ("destination-tls", new, old, "[destination.tls]"),
    ] {
        let found = expect(&of(source, destination, ""), id, Verdict::Confirm, &[]);
        assert!(format!("{found:?}").contains("5.6.46"), "{found:?}");
        let disabled = format!("{disabled}\nmode = \"disabled\"");
        expect(&of(source, destination, &disabled), id, Verdict::Pass, &[]);
    }
}

/// The account can't be used without TLS.
#[test]
fn accounts_that_require_tls() {
    for (account_id, connection_id, table, server) in [
        (
            "source-account-tls",
            "source-connection",
            "source.tls",
            source97(),
        ),
        (
            "destination-account-tls",
            "destination-connection",
            "destination.tls",
            destination97(),
        ),
    ] {
        let mut conn = session(server);
        run(
            &mut conn,
            "CREATE USER secure97 IDENTIFIED BY 'of-its-own' REQUIRE SSL",
        );
        let end = End {
            server,
            user: "secure97",
            password: "of-its-own",
        };
        let with = |mode: &str| {
            let tls = format!("[{table}]\nmode = \"{mode}\"");
            match table.starts_with("source") {
                true => of(end, End::of(destination97()), &tls),
                false => of(End::of(source97()), end, &tls),
            }
        };
        let found = expect(&with("preferred"), account_id, Verdict::Confirm, &[]);
        let advice = format!("set {table}.mode to required");
        assert!(format!("{found:?}").contains(&advice), "{found:?}");
        expect(&with("required"), account_id, Verdict::Pass, &[]);
        expect(&with("disabled"), connection_id, Verdict::Fail, &[]);
        run(&mut conn, "DROP USER secure97");
    }
}

/// The files are set in place, then the server reads them, as the finding says.
#[test]
fn certificates_that_end_soon() {
    let odd = odd97();
    let file = odd.data_dir().join("server-cert.pem");
    let long = fs::read(&file).unwrap();
    let reports = || -> [(&str, Report); 2] {
        let end = End::of(&odd);
        [
            (
                "source-certificate",
                report(&of(end, End::of(destination97()), "")),
            ),
            (
                "destination-certificate",
                report(&of(End::of(source97()), end, "")),
            ),
        ]
    };
    let reload = "ALTER INSTANCE RELOAD TLS";
    fs::write(&file, certificate_for_days(&odd, 5)).unwrap();
    run(&mut session(&odd), reload);
    for (id, report) in reports() {
        let found = expect_in(&report, id, Verdict::Confirm, &[]);
        let says =
            |remedy: &Remedy| matches!(remedy, Remedy::Advice(advice) if advice.contains(reload));
        assert!(found.remedies.iter().any(says), "{found:?}");
    }
    fs::write(&file, long).unwrap();
    run(&mut session(&odd), reload);
    for (id, report) in reports() {
        expect_in(&report, id, Verdict::Pass, &[]);
    }
}

/// A certificate of the server's key that ends in so many days.
fn certificate_for_days(server: &Server, days: u32) -> Vec<u8> {
    let program = server.installation().command("openssl");
    let made = program
        .unwrap_or_else(|_| Command::new("openssl"))
        .current_dir(server.data_dir())
        .args(["req", "-x509", "-sha256", "-key", "server-key.pem"])
        .args(["-subj", "/CN=localhost", "-days", &days.to_string()])
        .env("OPENSSL_CONF", "/dev/null")
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    made.stdout
}
