//! The servers' versions.

use drs_core::{Endpoint, Task};
use drs_precheck::Verdict;
use drs_testkit::{Server, Version};

use crate::servers::{End, Trial, builder, destination97, expect, source56, source97, task};

#[test]
fn mariadb_is_recognised_and_refused() {
    let mariadb = builder(Version::MariaDb1011, 101).start().unwrap();
    let objects = "include = [\"maria_v\"]";
    let of = |source, destination| {
        let ends = (End::of(source), End::of(destination));
        task(ends.0, ends.1, "full+incremental", objects, "")
    };
    for (task, id) in [
        (of(&mariadb, destination97()), "source-version"),
        (of(source97(), &mariadb), "destination-version"),
    ] {
        let found = expect(&task, id, Verdict::Fail, &[]);
        assert!(found.detail.contains("MariaDB 10.11"), "{found:?}");
        expect(&task, "version-order", Verdict::Fail, &[]);
    }
    // It has types that no MySQL has.
    let types = Trial {
        check: "column-types",
        verdict: Verdict::Fail,
        mode: "full",
        create: "CREATE DATABASE maria_t;\nCREATE TABLE maria_t.t (id INT PRIMARY KEY, a INET6, b UUID)",
        task: "include = [\"maria_t\"]",
        names: &["`maria_t`.`t` (`a`): inet6", "`maria_t`.`t` (`b`): uuid"],
        mend: "ALTER TABLE maria_t.t MODIFY a VARBINARY(16), MODIFY b CHAR(36)",
    };
    types.run(&mariadb, destination97());
}

#[test]
fn from_older_to_newer_and_not_back() {
    let objects = "include = [\"order_v\"]";
    let of = |source, destination| {
        let ends = (End::of(source), End::of(destination));
        task(ends.0, ends.1, "full", objects, "")
    };
    for (source, destination, verdict) in [
        (source56(), destination97(), Verdict::Pass),
        (source97(), destination97(), Verdict::Pass),
        (source97(), source56(), Verdict::Fail),
    ] {
        let task = of(source, destination);
        expect(&task, "version-order", verdict, &[]);
        expect(&task, "source-version", Verdict::Pass, &[]);
        expect(&task, "destination-version", Verdict::Pass, &[]);
    }
    let server = source97();
    let end = |host| Endpoint::tcp(host, server.port(), Server::USER).password(Server::PASSWORD);
    let itself = Task::builder(end("127.0.0.1"), end("localhost"))
        .name("to-itself")
        .select("order_v")
        .build()
        .unwrap();
    expect(&itself, "server-uuids-differ", Verdict::Fail, &[]);
    expect(&itself, "server-ids-differ", Verdict::Confirm, &[]);
}
