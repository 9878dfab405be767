//! The binary as a user or a script meets it: exit codes, output, messages.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output, Stdio},
    sync::OnceLock,
};

use drs_testkit::{Installation, Server, Version};
use mysql::prelude::Queryable;
use tempfile::TempDir;

fn drs(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_drs"))
        .args(arguments)
        .env_remove("DRS_LOG")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// A source with GTIDs and some tables.
fn source() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let mysql = Installation::find_or_fetch(Version::MySql97).unwrap();
        let server = Server::builder(&mysql)
            .in_memory(true)
            .gtid(true)
            .start()
            .unwrap();
        let mut conn = server.conn().unwrap();
        for statement in [
            "CREATE DATABASE shop",
            "CREATE DATABASE `odd.name`",
            "CREATE TABLE shop.orders (id INT PRIMARY KEY)",
            "CREATE TABLE shop.tmp_orders (id INT PRIMARY KEY)",
            "CREATE TABLE shop.log (line TEXT) ENGINE = MyISAM",
            "CREATE TABLE `odd.name`.`a``b` (id INT PRIMARY KEY)",
            "CREATE VIEW shop.all_orders AS SELECT * FROM shop.orders",
            "INSERT INTO shop.orders VALUES (1), (2), (3)",
            "ANALYZE TABLE shop.orders, shop.log, `odd.name`.`a``b`",
        ] {
            conn.query_drop(statement).unwrap();
        }
        server
    })
}

/// A task file in a folder of its own, private to its owner.
fn task_file(text: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("task.toml");
    std::fs::write(&path, text).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    let name = path.to_str().unwrap().to_owned();
    (folder, name)
}

fn task_on(server: &Server, password: &str, include: &str) -> (TempDir, String) {
    task_file(&format!(
        "[task]\nname = \"test\"\n\
         [source]\nhost = \"{}\"\nport = {}\nuser = \"{}\"\n{password}\n\
         [destination]\nhost = \"nowhere.invalid\"\nuser = \"drs\"\n\
         [objects]\ninclude = {include}\nexclude = [\"shop.tmp_*\"]\n",
        Server::HOST,
        server.port(),
        Server::USER,
    ))
}

fn password() -> String {
    format!("password = \"{}\"", Server::PASSWORD)
}

#[test]
fn usage_errors_exit_with_2() {
    for arguments in [
        &[][..],
        &["run"],
        &["fly"],
        &["run", "t.toml", "--lanes", "65"],
        &["status", "t", "u"],
    ] {
        let output = drs(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(
            output.stdout.is_empty() && !output.stderr.is_empty(),
            "{arguments:?}"
        );
    }
    for arguments in [&["--help"][..], &["--version"], &["binlog", "--help"]] {
        let output = drs(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(!output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn task_file_errors_exit_with_2_and_name_file_and_line() {
    let (_folder, path) = task_file("[task]\nnam = \"x\"\n");
    for command in ["start-point", "objects"] {
        let output = drs(&[command, &path]);
        assert_eq!(output.status.code(), Some(2), "{command}");
        let expected = format!(
            "drs: {path}: line 2: unknown key \"nam\" in [task]; the nearest known key is \"name\"\n"
        );
        assert_eq!(text(&output.stderr), expected);

        let output = drs(&[command, &path, "--json"]);
        let error: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
        assert_eq!(error["exit_code"], 2);
    }
    let output = drs(&["objects", "/nonexistent/task.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).starts_with("drs: /nonexistent/task.toml: cannot read it: "));
}

/// The destination's host does not exist: a check fails, the task does not start, and what does not
/// depend on it passes.
#[test]
fn checks_are_printed_and_keep_a_task_from_starting() {
    let (_folder, path) = task_on(source(), &password(), "[\"shop\"]");
    let nowhere = "host = \"nowhere.invalid\"\n";
    let task = fs::read_to_string(&path).unwrap();
    let task = task.replace(nowhere, &format!("{nowhere}password = \"none\"\n"));
    fs::write(&path, task).unwrap();
    let output = drs(&["check", &path]);
    assert_eq!(output.status.code(), Some(1));
    let printed = text(&output.stdout);
    for part in [
        "  fail     the destination answers, and takes the account  [destination-connection]\n",
        "  ok       the source is a MySQL that is supported  [source-version]\n",
        "failed: the task may not start\n",
    ] {
        assert!(printed.contains(part), "{part} is not in:\n{printed}");
    }
    // What needs that server is told once a group, not once a check.
    let reason = "\n           there is no connection to the destination\n";
    let told = printed.matches(reason).count();
    assert!((1..=3).contains(&told), "{told} times in:\n{printed}");
    assert!(printed.contains(" more]\n"), "{printed}");

    let output = drs(&["check", &path, "--json"]);
    let objects: Vec<serde_json::Value> = text(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let failed = objects
        .iter()
        .find(|object| object["check"] == "destination-connection")
        .unwrap();
    assert_eq!(failed["verdict"], "fail");
    assert_eq!(failed["group"], "destination");
    assert!(failed["remedies"][0]["advice"].is_string());
    assert_eq!(objects.last().unwrap()["may_start"], false);

    let output = drs(&["check", &path, "--only", "source-version"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).starts_with("source\n  ok       "));

    let output = drs(&["run", &path]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("[destination-connection]"));

    for option in ["--confirm", "--only"] {
        let output = drs(&["check", &path, option, "source-versoin"]);
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains("the nearest is source-version"));
    }
}

#[test]
fn a_password_must_come_from_somewhere() {
    let (_folder, path) = task_on(source(), "", "[\"shop\"]");
    let output = drs(&["objects", &path]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr)
            .contains("source.password is missing, and there is no terminal to ask at")
    );

    let (_folder, path) = task_on(
        source(),
        "password = { env = \"DRS_TEST_PASSWORD\" }",
        "[\"shop\"]",
    );
    assert_eq!(drs(&["objects", &path]).status.code(), Some(2));
    let output = Command::new(env!("CARGO_BIN_EXE_drs"))
        .args(["objects", &path])
        .env("DRS_TEST_PASSWORD", Server::PASSWORD)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

#[test]
fn a_refused_login_exits_with_3() {
    let (_folder, path) = task_on(source(), "password = \"wrong-one\"", "[\"shop\"]");
    let output = drs(&["start-point", &path, "-vv"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("refused the login of user \"drs\" (error 1045)"));
    assert!(!text(&output.stderr).contains("wrong-one"));
}

#[test]
fn objects_lists_the_tables_selected() {
    let (_folder, path) = task_on(source(), &password(), "[\"shop\", \"`odd.name`\", \"crm\"]");
    let output = drs(&["objects", &path]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(
        text(&output.stdout),
        "source             destination        engine  rows (estimate)\n\
         `odd.name`.`a``b`  `odd.name`.`a``b`  InnoDB                0\n\
         `shop`.`log`       `shop`.`log`       MyISAM                0\n\
         `shop`.`orders`    `shop`.`orders`    InnoDB                3\n\
         3 tables selected\n"
    );
    assert!(text(&output.stderr).contains("the entry \"crm\" of objects.include selects no table"));

    let output = drs(&["objects", &path, "--json", "-q"]);
    let lines: Vec<serde_json::Value> = text(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(
        lines[2],
        serde_json::json!({
            "database": "shop", "table": "orders",
            "destination_database": "shop", "destination_table": "orders",
            "engine": "InnoDB", "rows_estimate": 3,
        })
    );
    assert!(output.stderr.is_empty());
}

/// What is written is what an object file takes, other names included.
#[test]
fn objects_are_exported_as_an_object_file() {
    let (folder, path) = task_on(
        source(),
        &password(),
        "[\"shop\", \"`odd.name`\"]\nmap = { shop = \"shop_eu\" }",
    );
    let file = folder.path().join("tables.csv");
    let output = drs(&[
        "objects",
        &path,
        "--export",
        file.to_str().unwrap(),
        "--json",
        "-q",
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("\"destination_database\":\"shop_eu\""));
    assert_eq!(
        std::fs::read_to_string(&file).unwrap(),
        "source,mapped\n\
         `odd.name`.`a``b`,\n\
         `shop`.`log`,`shop_eu`.`log`\n\
         `shop`.`orders`,`shop_eu`.`orders`\n"
    );
    let missing = folder.path().join("no/such/folder.csv");
    let output = drs(&["objects", &path, "--export", missing.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(3));
}

#[test]
fn start_point_is_what_a_task_file_takes() {
    let (_folder, path) = task_on(source(), &password(), "[\"shop\"]");
    let output = drs(&["start-point", &path]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let line = text(&output.stdout).trim_end();

    let mut conn = source().conn().unwrap();
    let row: mysql::Row = conn.query_first("SHOW BINARY LOG STATUS").unwrap().unwrap();
    let (file, position): (String, u64) = (row.get("File").unwrap(), row.get("Position").unwrap());
    let set: String = row.get("Executed_Gtid_Set").unwrap();
    assert_eq!(line, format!("{file}:{position};{set}"));
    assert_eq!(
        line.parse::<drs_binlog::StartPoint>().unwrap().to_string(),
        line
    );

    let json: serde_json::Value =
        serde_json::from_slice(&drs(&["start-point", &path, "--json"]).stdout).unwrap();
    assert_eq!(json["start_point"], line);
    assert_eq!(json["position"], position);
}

#[test]
fn start_point_of_other_sources() {
    for (version, gtid, log_bin) in [
        (Version::MySql56, true, true),
        (Version::MySql56, false, true),
        (Version::MySql97, false, true),
        (Version::MySql97, false, false),
    ] {
        let installation = Installation::find_or_fetch(version).unwrap();
        let server = Server::builder(&installation)
            .in_memory(true)
            .gtid(gtid)
            .log_bin(log_bin)
            .start()
            .unwrap();
        let (_folder, path) = task_on(&server, &password(), "[\"shop\"]");
        let output = drs(&["start-point", &path]);
        if !log_bin {
            assert_eq!(output.status.code(), Some(3));
            assert!(text(&output.stderr).starts_with("drs: the source keeps no binary log"));
            continue;
        }
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let line = text(&output.stdout).trim_end();
        assert_eq!(line.contains(';'), gtid, "{line}");
        line.parse::<drs_binlog::StartPoint>().unwrap();
        let output = drs(&["objects", &path]);
        assert_eq!(
            text(&output.stdout),
            "0 tables selected\n",
            "{}",
            text(&output.stderr)
        );
    }
}
