//! Parameters of the one server against those of the other.

use drs_core::{Role, Task};
use drs_precheck::{Remedy, Verdict};
use drs_testkit::Server;

use crate::servers::{
    End, destination97, expect, expect_in, odd97, own_pair, repair, report, run, session, source56,
    source97, task,
};

fn few(server: &Server) -> End<'_> {
    End {
        server,
        user: "few",
        password: "few-Pass-1",
    }
}

/// What can be set while the server runs: each finding's statements make it pass.
#[test]
fn statements_repair_settings() {
    let odd = odd97();
    run(
        &mut session(source97()),
        "CREATE DATABASE parameters_s;\nCREATE TABLE parameters_s.t (id INT PRIMARY KEY)",
    );
    let objects = "include = [\"parameters_s.*\"]";
    let odd_settings = [
        ("server-character-set", "character_set_server = latin1"),
        ("server-collation", "collation_server = latin1_bin"),
        (
            "transaction-isolation",
            "transaction_isolation = 'READ-COMMITTED'",
        ),
        ("group-concat-max-len", "group_concat_max_len = 77"),
        (
            "block-encryption-mode",
            "block_encryption_mode = 'aes-256-cbc'",
        ),
        ("default-storage-engine", "default_storage_engine = MEMORY"),
        ("default-table-encryption", "default_table_encryption = ON"),
        ("sql-mode", "sql_mode = 'ANSI'"),
        (
            "explicit-defaults-for-timestamp",
            "explicit_defaults_for_timestamp = OFF",
        ),
        ("destination-packet-size", "max_allowed_packet = 1048576"),
    ];
    let mut conn = session(&odd);
    for (_, setting) in odd_settings {
        run(&mut conn, &format!("SET GLOBAL {setting}"));
    }
    let task97 = task(
        End::of(source97()),
        End::of(&odd),
        "full+incremental",
        objects,
        "",
    );
    let confirmed = odd_settings.map(|(id, _)| (id, Verdict::Confirm));
    let failed = [("time-zone", Verdict::Fail)];
    repaired(
        &task97,
        &[&confirmed[..], &failed].concat(),
        source97(),
        &odd,
    );

    // An old source has other defaults.
    run(
        &mut session(source56()),
        "CREATE DATABASE parameters_s;\nCREATE TABLE parameters_s.t (id INT PRIMARY KEY)",
    );
    let task56 = task(
        End::of(source56()),
        End::of(&odd),
        "full+incremental",
        objects,
        "",
    );
    let old = [
        ("server-character-set", Verdict::Confirm),
        ("sql-mode", Verdict::Confirm),
        ("innodb-strict-mode", Verdict::Confirm),
        ("explicit-defaults-for-timestamp", Verdict::Confirm),
    ];
    repaired(&task56, &old, source56(), &odd);
    for server in [source97(), source56()] {
        run(&mut session(server), "DROP DATABASE parameters_s");
    }
}

/// What an account that may do little can't turn off in its sessions.
#[test]
fn an_account_that_may_not_set_variables() {
    let odd = odd97();
    run(
        &mut session(source97()),
        "CREATE DATABASE parameters_a;\nCREATE TABLE parameters_a.t (id INT PRIMARY KEY)",
    );
    run(
        &mut session(&odd),
        "SET GLOBAL explicit_defaults_for_timestamp = OFF",
    );
    let objects = "include = [\"parameters_a.*\"]";
    let full = "full+incremental";
    let id = "explicit-defaults-for-timestamp";
    let all = task(End::of(source97()), End::of(&odd), full, objects, "");
    expect(&all, id, Verdict::Confirm, &[]);
    let limited = task(End::of(source97()), few(&odd), full, objects, "");
    repaired(&limited, &[(id, Verdict::Fail)], source97(), &odd);
    run(&mut session(source97()), "DROP DATABASE parameters_a");
}

/// What is decided when the server is made or started.
#[test]
fn another_server_repairs_the_rest() {
    let odd = odd97();
    run(
        &mut session(source97()),
        "CREATE DATABASE parameters_r;\nCREATE TABLE parameters_r.Capital (id INT PRIMARY KEY) ENGINE = MyISAM;\n\
         CREATE TABLE parameters_r.capital (id INT PRIMARY KEY)",
    );
    let objects = "include = [\"parameters_r.*\"]";
    let to = |server| task(End::of(source97()), End::of(server), "full", objects, "");
    let (bad, good) = (report(&to(&odd)), report(&to(destination97())));
    for (id, verdict, objects) in [
        ("innodb-page-size", Verdict::Confirm, &[][..]),
        ("name-case", Verdict::Confirm, &["`parameters_r`.`Capital`"]),
        (
            "merged-tables",
            Verdict::Fail,
            &["`parameters_r`.`capital`: `parameters_r`.`Capital`, `parameters_r`.`capital`"],
        ),
        (
            "destination-storage-engines",
            Verdict::Fail,
            &["`parameters_r`.`Capital`"],
        ),
    ] {
        expect_in(&bad, id, verdict, objects);
        expect_in(&good, id, Verdict::Pass, &[]);
    }
    // The other way round: statements are repeated with the names that they were written with.
    let back = task(
        End::of(&odd),
        End::of(source97()),
        "full+incremental",
        objects,
        "",
    );
    expect(&back, "name-case", Verdict::Confirm, &[]);
    run(&mut session(source97()), "DROP DATABASE parameters_r");
}

/// MyISAM tables are selected, and the destination has the default mode.
#[test]
fn engine_substitution() {
    let odd = odd97();
    run(
        &mut session(source97()),
        "CREATE DATABASE parameters_m;\nCREATE TABLE parameters_m.t (id INT PRIMARY KEY) ENGINE = MyISAM",
    );
    run(
        &mut session(&odd),
        "SET GLOBAL sql_mode = 'NO_ENGINE_SUBSTITUTION,STRICT_TRANS_TABLES'",
    );
    let objects = "include = [\"parameters_m.*\"]";
    let task = task(End::of(source97()), End::of(&odd), "full", objects, "");
    let found = expect(
        &task,
        "engine-substitution",
        Verdict::Fail,
        &["`parameters_m`.`t`"],
    );
    repair(&found, source97(), &odd);
    expect(&task, "engine-substitution", Verdict::Pass, &[]);
    run(&mut session(source97()), "DROP DATABASE parameters_m");
}

/// Functions that a destination with a binary log does not take from everyone.
#[test]
fn function_creators() {
    let odd = odd97();
    run(
        &mut session(source97()),
        "CREATE DATABASE parameters_f;\nCREATE TABLE parameters_f.t (id INT PRIMARY KEY);\n\
         CREATE FUNCTION parameters_f.one() RETURNS INT DETERMINISTIC RETURN 1",
    );
    let objects = "include = [\"parameters_f\"]";
    let task = task(End::of(source97()), End::of(&odd), "full", objects, "");
    let id = "destination-function-creators";
    let found = expect(&task, id, Verdict::Confirm, &["`parameters_f`.`one`"]);
    repair(&found, source97(), &odd);
    expect(&task, id, Verdict::Pass, &[]);
    run(
        &mut session(&odd),
        "SET PERSIST log_bin_trust_function_creators = OFF",
    );
    run(&mut session(source97()), "DROP DATABASE parameters_f");
}

/// A destination before 5.7 takes it at its start only.
#[test]
fn explicit_defaults_of_an_old_destination() {
    let mut pair = own_pair();
    let id = "explicit-defaults-for-timestamp";
    let objects = "include = [\"parameters_o\"]";
    let to = |server: &Server, mode| task(End::of(source56()), End::of(server), mode, objects, "");
    let option = |value| format!("--explicit-defaults-for-timestamp={value}");
    pair.old.restart_with(option("ON")).unwrap();
    expect(&to(&pair.old, "full"), id, Verdict::Confirm, &[]);
    let followed = to(&pair.old, "full+incremental");
    let found = expect(&followed, id, Verdict::Fail, &[]);
    let advice = format!("start the destination with {}", option("OFF"));
    assert!(format!("{found:?}").contains(&advice), "{found:?}");
    pair.old.restart_with(option("OFF")).unwrap();
    expect(&to(&pair.old, "full"), id, Verdict::Pass, &[]);
    expect(&followed, id, Verdict::Pass, &[]);
}

/// A clock of its own is what no server of this machine has, but its sessions can be told another
/// time, which is that of the facts.
#[test]
fn clocks_that_differ() {
    let odd = odd97();
    let objects = "include = [\"parameters_c\"]";
    let set = |time: &str| {
        run(
            &mut session(&odd),
            &format!("SET GLOBAL init_connect = '{time}'"),
        );
    };
    let task = task(few(&odd), End::of(destination97()), "full", objects, "");
    set("SET timestamp = UNIX_TIMESTAMP() + 600");
    let found = expect(&task, "clocks", Verdict::Confirm, &[]);
    let ahead = "the clock of the source is 5";
    assert!(found.detail.contains(ahead), "{found:?}");
    assert!(format!("{found:?}").contains("NTP"), "{found:?}");
    set("");
    expect(&task, "clocks", Verdict::Pass, &[]);
}

/// Each of these checks comes to its verdict, and passes once its statements have run.
fn repaired(task: &Task, ids: &[(&str, Verdict)], source: &Server, destination: &Server) {
    let before = report(task);
    for (id, verdict) in ids {
        let finding = expect_in(&before, id, *verdict, &[]);
        let is_for_destination = |remedy: &Remedy| matches!(remedy, Remedy::Sql { role, .. } if *role == Role::Destination);
        assert!(
            finding.remedies.iter().any(is_for_destination),
            "{id}: {finding:?}"
        );
        repair(&finding, source, destination);
    }
    let after = report(task);
    for (id, _) in ids {
        expect_in(&after, id, Verdict::Pass, &[]);
    }
}
