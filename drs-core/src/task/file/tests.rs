use super::*;
use crate::{Address, StartAt, TableName};

const FULL: &str = r#"
[task]
name = "orders-eu"
description = "the shop, to Europe"
mode = "incremental"
start_point = "binlog.000014:8937;ea352a82-e9a0-11ea-b650-fa163e1e82ed:1-5"
tags = { team = "shop", stage = "test" }

[source]
host = "db1.example.net"
port = 3307
user = "drs"
password = { env = "DRS_SOURCE_PASSWORD" }
tls = { mode = "required" }

[destination]
socket = "run/mysql.sock"
user = "drs"
password = { file = "secret" }

[objects]
include = ["shop", "crm.customers", "log_*.events"]
exclude = ["shop.tmp_*"]

[sync]
conflict = "overwrite"
filter_drop_database = false
indexes = false
lanes = 8
conflict_images = true

[copy]
sessions = 2
chunk_bytes = "1MiB"
binlog = false
flow_control = []

[compare]
start_at = "02:00"
sessions = 8
flow_control = [{ limit = "20MiB/s" }]
tables = ["shop.ord*"]
examples = 5
"#;

const SMALL: &str = r#"
[task]
name = "test"
[source]
host = "a"
user = "u"
[destination]
host = "b"
user = "u"
[objects]
include = ["shop"]
"#;

fn parse(text: &str) -> Result<Task, TaskError> {
    Task::from_toml(text, Path::new("/etc/drs"))
}

#[test]
fn reads_every_key() {
    let task = parse(FULL).unwrap();
    assert_eq!(task.name().as_str(), "orders-eu");
    assert_eq!(task.description().as_str(), "the shop, to Europe");
    assert_eq!(
        task.tags().iter().collect::<Vec<_>>(),
        [("stage", "test"), ("team", "shop")]
    );
    let Mode::Incremental { start_point } = task.mode() else {
        panic!("{:?}", task.mode())
    };
    assert_eq!(
        start_point.to_string(),
        "binlog.000014:8937;ea352a82-e9a0-11ea-b650-fa163e1e82ed:1-5"
    );
    assert_eq!(task.source().address().to_string(), "db1.example.net:3307");
    assert_eq!(
        task.source().password_origin(),
        &PasswordSource::Env("DRS_SOURCE_PASSWORD".to_owned())
    );
    assert_eq!(task.source().tls_settings().mode(), TlsMode::Required);
    assert_eq!(
        task.destination().address(),
        &Address::Socket("/etc/drs/run/mysql.sock".into())
    );
    assert_eq!(
        task.destination().password_origin(),
        &PasswordSource::File("/etc/drs/secret".into())
    );
    assert!(
        task.selection()
            .matches(&TableName::new("log_1", "events").unwrap())
    );
    assert!(
        !task
            .selection()
            .matches(&TableName::new("shop", "tmp_1").unwrap())
    );
    assert_eq!(task.conflict(), ConflictPolicy::Overwrite);
    assert!(task.conflict_images());
    assert!(!task.filter_drop_database() && !task.indexes() && !task.copy_binlog());
    assert_eq!(
        (
            task.lanes().get(),
            task.sessions().get(),
            task.chunk_bytes().get()
        ),
        (8, 2, 1 << 20)
    );
    let compare = task.compare();
    assert_eq!(compare.start_at, StartAt::Daily { minute: 120 });
    assert_eq!((compare.sessions.get(), compare.examples), (8, 5));
    assert_eq!(compare.flow_control.bytes_per_second_max(0), Some(20 << 20));
    let tables = compare.tables.as_ref().unwrap();
    assert!(tables.matches(&TableName::new("shop", "orders").unwrap()));
    assert!(!tables.matches(&TableName::new("shop", "items").unwrap()));
}

/// A time may stand there as TOML has it, and nothing selected is everything.
#[test]
fn reads_other_forms_of_comparisons() {
    for (lines, start_at) in [
        ("start_at = 2026-03-01T02:00:00Z", "2026-03-01T02:00:00Z"),
        (
            "start_at = 2026-03-01 02:00:00+02:00",
            "2026-03-01T00:00:00Z",
        ),
        ("start_at = \"now\"\ntables = []", "now"),
        ("", "now"),
    ] {
        let task = parse(&format!("{SMALL}[compare]\n{lines}\n")).unwrap();
        assert_eq!(task.compare().start_at.to_string(), start_at, "{lines}");
        assert_eq!(task.compare().tables, None, "{lines}");
    }
}

#[test]
fn defaults_are_the_builders() {
    let built = Task::builder(Endpoint::tcp("a", 3306, "u"), Endpoint::tcp("b", 3306, "u"))
        .name("test")
        .select("shop")
        .build()
        .unwrap();
    assert_eq!(parse(SMALL).unwrap(), built);
}

#[test]
fn errors_name_line_setting_and_what_is_right() {
    for (from, to, expected) in [
        (
            "lanes = 8",
            "lane = 8",
            "line 29: unknown key \"lane\" in [sync]; the nearest known key is \"lanes\"",
        ),
        (
            "lanes = 8",
            "sessions = 8",
            "line 29: unknown key \"sessions\" in [sync]; the nearest known key is \"sessions\" in [copy]",
        ),
        (
            "[sync]",
            "[synch]",
            "line 25: unknown key \"synch\" at the top level; the nearest known key is \"sync\"",
        ),
        (
            "{ env =",
            "{ environment =",
            "line 13: unknown key \"environment\" in [source.password]; the nearest known key is \"env\"",
        ),
        (
            "lanes = 8",
            "lanes = 0",
            "line 29: sync.lanes: 0 lanes are not possible; 1 to 64 are",
        ),
        (
            "lanes = 8",
            "lanes = -1",
            "line 29: sync.lanes: -1 is out of range",
        ),
        (
            "lanes = 8",
            "lanes = \"8\"",
            "line 29: sync.lanes: should be a number, and is of type string",
        ),
        (
            "lanes = 8",
            "lanes = 8\nlanes = 9",
            "line 30: duplicate key",
        ),
        ("lanes = 8", "lanes = ", "line 29: "),
        (
            "indexes = false",
            "indexes = 0",
            "line 28: sync.indexes: should be true or false, and is of type integer",
        ),
        (
            "\"overwrite\"",
            "\"merge\"",
            "line 26: sync.conflict: \"merge\" is no policy; ignore, report-error and overwrite are",
        ),
        (
            "name = \"orders-eu\"",
            "name = \"eu\"",
            "line 3: task.name: \"eu\" is no task name: 4 to 50",
        ),
        (
            "name = \"orders-eu\"\n",
            "",
            "task.name is missing: the destination keeps",
        ),
        (
            "\"the shop, to Europe\"",
            "\"a & b\"",
            "line 4: task.description: the character & can't be in it",
        ),
        (
            "\"incremental\"",
            "\"full\"",
            "line 6: task.start_point: it is for mode \"incremental\"",
        ),
        (
            "\"incremental\"",
            "\"both\"",
            "line 5: task.mode: \"both\" is no mode; full+incremental, full and incremental are",
        ),
        (
            "start_point = ",
            "#",
            "task.start_point is missing: mode \"incremental\" needs it; drs start-point prints",
        ),
        (
            "binlog.000014:8937",
            "binlog.000014",
            "line 6: task.start_point: ",
        ),
        (
            "port = 3307",
            "port = 0",
            "line 11: source.port: 0 is no port; 1 to 65535 are",
        ),
        (
            "port = 3307",
            "port = 65536",
            "line 11: source.port: 65536 is no port",
        ),
        (
            "host = \"db1.example.net\"",
            "",
            "source.host is missing (or socket)",
        ),
        (
            "port = 3307",
            "socket = \"x\"",
            "line 11: source.socket: give either host or socket",
        ),
        (
            "user = \"drs\"\npassword = { env",
            "password = { env",
            "source.user is missing",
        ),
        (
            "mode = \"required\"",
            "mode = \"on\"",
            "line 14: source.tls.mode: \"on\" is no mode; disabled, preferred",
        ),
        (
            "mode = \"required\"",
            "mode = \"verify-ca\"",
            "line 14: source.tls: tls mode verify-ca needs the CA's certificate",
        ),
        (
            "mode = \"required\"",
            "mode = \"verify-ca\", ca = \"none.pem\"",
            "line 14: source.tls: cannot read /etc/drs/none.pem",
        ),
        (
            "mode = \"required\"",
            "mode = \"required\", cert = \"c\"",
            "source.tls.key is missing: cert and key belong together",
        ),
        (
            "tls = {",
            "tls = \"x\" #",
            "line 14: source.tls: should be a table, and is of type string",
        ),
        (
            "{ file = \"secret\" }",
            "{ file = \"secret\" }\ntls = { mode = \"required\" }",
            "line 20: destination.tls: a connection by socket has no TLS",
        ),
        (
            "{ file = \"secret\" }",
            "{ }",
            "line 19: destination.password: give a string, { env = \"NAME\" } or { file",
        ),
        (
            "\"crm.customers\"",
            "\"mysql\"",
            "line 22: objects.include: \"mysql\" selects the system database",
        ),
        (
            "\"crm.customers\"",
            "5",
            "line 22: objects.include: should be an array of strings, and is of type integer",
        ),
        (
            "exclude = [\"shop.tmp_*\"]",
            "exclude = [\"a b\"]",
            "line 23: objects.exclude: \"a b\" selects nothing: names with spaces",
        ),
        (
            "exclude = [\"shop.tmp_*\"]",
            "file = \"x.csv\"",
            "line 23: objects.file: give either include or file",
        ),
        (
            "exclude = [\"shop.tmp_*\"]",
            "map = { other = \"x\" }",
            "line 23: objects.map: `other` is mapped and not selected",
        ),
        (
            "chunk_bytes = \"1MiB\"",
            "chunk_bytes = \"1\"",
            "line 34: copy.chunk_bytes: a chunk of 1 bytes is not possible",
        ),
        (
            "chunk_bytes = \"1MiB\"",
            "chunk_bytes = \"big\"",
            "line 34: copy.chunk_bytes: \"big\" is no size; write it as 16MiB",
        ),
        (
            "flow_control = []",
            "flow_control = [{ limit = \"20MiB/s\" }]",
            "line 36: copy.flow_control is not supported yet",
        ),
        (
            "flow_control = []",
            "flow_control = [{ limit = \"20MiB/s\" }, { window = \"08:00-09:00\", limit = \"1MiB/s\" }]",
            "line 36: copy.flow_control: two windows overlap at 08:00",
        ),
        (
            "start_at = \"02:00\"",
            "start_at = 2026-03-01T02:00:00",
            "line 39: compare.start_at: \"2026-03-01T02:00:00\" is no start; write a time with its offset",
        ),
        (
            "start_at = \"02:00\"",
            "start_at = 2",
            "line 39: compare.start_at: should be a string, and is of type integer",
        ),
        (
            "start_at = \"02:00\"",
            "begin_at = \"02:00\"",
            "line 39: unknown key \"begin_at\" in [compare]; the nearest known key is \"start_at\"",
        ),
        (
            "sessions = 8",
            "sessions = 65",
            "line 40: compare.sessions: 65 sessions are not possible; 1 to 64 are",
        ),
        (
            "[{ limit = \"20MiB/s\" }]",
            "[{ limit = \"20MiB\" }]",
            "line 41: compare.flow_control.limit: \"20MiB\" is no limit; write it as 20MiB/s",
        ),
        (
            "[\"shop.ord*\"]",
            "[\"mysql.user\"]",
            "line 42: compare.tables: \"mysql.user\" selects the system database",
        ),
        (
            "examples = 5",
            "examples = 1001",
            "line 43: compare.examples: 1001 are too many; 0 to 1000 are taken",
        ),
        (
            "flow_control = []",
            "[[rules]]\ntable = \"a.*\"",
            "line 37: rules.table: \"a.*\" is not one database.table",
        ),
        (
            "flow_control = []",
            "[[rules]]\ntable = \"a.b\"\nwhere = \"a = b\"",
            "line 38: rules.where: character 5: found \"b\", expected a literal",
        ),
        (
            "flow_control = []",
            "[[rules]]\ntable = \"a.b\"\ndml = [\"truncate\"]",
            "line 38: rules.dml: \"truncate\" is no kind of change",
        ),
        (
            "flow_control = []",
            "[[rules]]\ntable = \"a.b\"\n[[rules]]\ntable = \"a.b\"",
            "rules.table: `a`.`b` has two rules",
        ),
        (
            "flow_control = []",
            "[[rules]]\ntable = \"a.b\"\nadd = [{ column = \"c\", value = \"fixed\", text = \"x\", type = \"varchar(257)\" }]",
            "line 38: rules.add.type: it can be varchar(1) to varchar(256), int",
        ),
        (
            "flow_control = []",
            "[[rules]]\ntable = \"a.b\"\nadd = [{ column = \"c\", value = \"fixed\", text = \"abc\", type = \"varchar(2)\" }]",
            "line 38: rules.add: \"abc\" is no value of the type varchar(2)",
        ),
        (
            "flow_control = []",
            "[[rules]]\ntable = \"a.b\"\nadd = [{ column = \"c\", value = \"update_time\" }, { column = \"C\", value = \"create_time\" }]",
            "line 38: rules.add: \"C\" is added twice",
        ),
        (
            "flow_control = []",
            "[[rules]]\ntable = \"a.b\"\nwere = \"a = 1\"",
            "line 38: unknown key \"were\" in [rules]; the nearest known key is \"where\"",
        ),
    ] {
        assert!(FULL.contains(from), "{from}");
        let error = parse(&FULL.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{to}: {error}");
    }
    for (from, to, expected) in [
        (
            "[task]",
            "",
            "line 3: unknown key \"name\" at the top level; the nearest known key is \"name\" in [task]",
        ),
        (
            "[objects]\ninclude = [\"shop\"]",
            "",
            "objects is missing: name what to include",
        ),
        (
            "include = [\"shop\"]",
            "",
            "objects.include: no object is selected",
        ),
        (
            "host = \"b\"",
            "host = \"a\"",
            "line 7: destination: it is the source itself",
        ),
    ] {
        let error = parse(&SMALL.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{to}: {error}");
    }
}

/// Wherever the mistake is, the password beside it stays out of the message.
#[test]
fn no_error_tells_the_password() {
    for line in [
        "password = \"hunter2",
        "password = hunter2",
        "password = 'hunter2' 5",
        "password = [\"hunter2\"]",
        "password = { env = \"X\", file = \"y\", plain = \"hunter2\" }",
        "password = \"hunter2\"\npassword = \"hunter2\"",
        "password = \"\\hunter2\"",
        "passwort = \"hunter2\"",
    ] {
        let error = parse(&SMALL.replacen("user = \"u\"", &format!("user = \"u\"\n{line}"), 1))
            .unwrap_err();
        assert!(
            !format!("{error} {error:?}").contains("hunter2"),
            "{line}: {error}"
        );
    }
    let task =
        parse(&SMALL.replacen("user = \"u\"", "user = \"u\"\npassword = \"hunter2\"", 1)).unwrap();
    assert!(!format!("{task:?}").contains("hunter2"));
}

#[cfg(unix)]
#[test]
fn a_file_with_a_password_must_be_private() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("task.toml");
    let plain = SMALL.replacen("user = \"u\"", "user = \"u\"\npassword = \"hunter2\"", 1);
    let empty = SMALL.replacen("user = \"u\"", "user = \"u\"\npassword = \"\"", 1);
    for (text, mode, accepted) in [
        (&plain, 0o600, true),
        (&plain, 0o400, true),
        (&plain, 0o640, false),
        (&plain, 0o604, false),
        (&plain, 0o644, false),
        (&empty, 0o644, true),
        (&SMALL.to_owned(), 0o644, true),
    ] {
        let _ = std::fs::remove_file(&path);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        match Task::load(&path) {
            Ok(_) => assert!(accepted, "{mode:o}"),
            Err(error) => {
                assert!(!accepted, "{mode:o}: {error}");
                let expected = format!(
                    "others can read it (mode {mode:03o}); run: chmod 600 '{}'",
                    path.display()
                );
                assert!(error.to_string().ends_with(&expected), "{error}");
            }
        }
    }
    let missing = Task::load(&folder.path().join("none.toml"))
        .unwrap_err()
        .to_string();
    assert!(missing.starts_with("cannot read it: "), "{missing}");
}
