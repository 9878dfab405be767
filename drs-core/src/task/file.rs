use std::{collections::HashMap, io::Read, path::Path};

use drs_binlog::StartPoint;
use toml::de::DeTable;

use super::{
    ConflictPolicy, FlowControl, FlowLimit, Mode, Task, TaskBuilder, TaskError,
    toml_table::{TomlTable, line_at},
    value::bytes,
};
use crate::{Endpoint, PasswordSource, Role, Tls, TlsMode};

/// The largest task file taken, in bytes.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// MySQL's port.
const DEFAULT_PORT: u64 = 3306;

impl Task {
    /// Reads a task file.
    ///
    /// Paths in it are relative to its folder. A file with a password in it must not be readable
    /// by anybody but its owner.
    pub fn load(path: &Path) -> Result<Self, TaskError> {
        let file = std::fs::File::open(path).map_err(TaskError::Read)?;
        let metadata = file.metadata().map_err(TaskError::Read)?;
        let mut text = String::new();
        let read = file
            .take(FILE_BYTES_MAX + 1)
            .read_to_string(&mut text)
            .map_err(TaskError::Read)?;
        if read as u64 > FILE_BYTES_MAX {
            return Err(TaskError::Read(std::io::Error::other(
                "it is too long to be a task file",
            )));
        }
        let task = Self::from_toml(&text, path.parent().unwrap_or(Path::new(".")))?;
        let holds_password = [Role::Source, Role::Destination].into_iter().any(|role| {
            matches!(task.endpoint(role).password_origin(), PasswordSource::Plain(password) if !password.is_empty())
        });
        if holds_password {
            check_private(path, &metadata)?;
        }
        Ok(task)
    }

    /// Reads the text of a task file; paths in it are relative to `folder`.
    pub fn from_toml(text: &str, folder: &Path) -> Result<Self, TaskError> {
        let document = DeTable::parse(text).map_err(|error| TaskError::Syntax {
            line: error.span().map(|span| line_at(text, span.start)),
            reason: error.message().to_owned(),
        })?;
        let root = TomlTable::root(text, document.get_ref())?;
        let mut lines = Lines::default();
        let builder = read(&root, folder, &mut lines)?;
        builder
            .build()
            .map_err(|error| error.with_line(|key| lines.0.get(key).copied()))
    }
}

/// The lines of the settings that were there, to be named when the whole does not fit together.
#[derive(Default)]
struct Lines(HashMap<String, usize>);

impl Lines {
    fn note(&mut self, table: &TomlTable<'_>, keys: &[&str]) {
        for key in keys {
            if let Some(line) = table.line(key) {
                self.0.insert(table.path(key), line);
            }
        }
    }
}

fn read(root: &TomlTable<'_>, folder: &Path, lines: &mut Lines) -> Result<TaskBuilder, TaskError> {
    if root.has("rules") {
        return Err(unsupported(root, "rules"));
    }
    lines.note(root, &["source", "destination"]);
    let source = endpoint(root, Role::Source, folder)?;
    let destination = endpoint(root, Role::Destination, folder)?;
    let mut builder = Task::builder(source, destination);

    let task = root
        .table("task")?
        .ok_or_else(|| root.missing("task", ": a task file begins with it"))?;
    lines.note(&task, &["name", "description", "tags"]);
    let name = task.string("name")?;
    builder = builder.name(name.ok_or_else(|| {
        task.missing("name", ": the destination keeps the task's progress by it")
    })?);
    builder = builder.description(task.string("description")?.unwrap_or_default());
    for (key, value) in task.labels("tags")? {
        builder = builder.tag(key, value);
    }
    builder = builder.mode(mode(&task)?);

    let objects = root
        .table("objects")?
        .ok_or_else(|| root.missing("objects", ": name what to include"))?;
    lines.note(&objects, &["include", "exclude"]);
    for key in ["file", "map"] {
        if objects.has(key) {
            return Err(unsupported(&objects, key));
        }
    }
    for entry in objects.strings("include")? {
        builder = builder.select(entry);
    }
    for entry in objects.strings("exclude")? {
        builder = builder.exclude(entry);
    }
    if let Some(sync) = root.table("sync")? {
        builder = read_sync(&sync, builder, lines)?;
    }
    if let Some(copy) = root.table("copy")? {
        builder = read_copy(&copy, builder, lines)?;
    }
    Ok(builder)
}

fn read_sync(
    sync: &TomlTable<'_>,
    mut builder: TaskBuilder,
    lines: &mut Lines,
) -> Result<TaskBuilder, TaskError> {
    lines.note(sync, &["conflict", "lanes"]);
    if let Some(text) = sync.string("conflict")? {
        let policy = ConflictPolicy::ALL
            .into_iter()
            .find(|policy| policy.as_str() == text);
        builder = builder.conflict(policy.ok_or_else(|| {
            sync.refuse(
                "conflict",
                format!("{text:?} is no policy; ignore, report-error and overwrite are"),
            )
        })?);
    }
    if let Some(filter) = sync.boolean("filter_drop_database")? {
        builder = builder.filter_drop_database(filter);
    }
    if let Some(build) = sync.boolean("indexes")? {
        builder = builder.indexes(build);
    }
    if let Some(lanes) = sync.integer("lanes")? {
        builder = builder.lanes(lanes);
    }
    Ok(builder)
}

fn read_copy(
    copy: &TomlTable<'_>,
    mut builder: TaskBuilder,
    lines: &mut Lines,
) -> Result<TaskBuilder, TaskError> {
    lines.note(copy, &["sessions", "chunk_bytes"]);
    if let Some(sessions) = copy.integer("sessions")? {
        builder = builder.sessions(sessions);
    }
    if copy.is_string("chunk_bytes") {
        let text = copy.string("chunk_bytes")?.unwrap_or_default();
        builder =
            builder.chunk_bytes(bytes(text).map_err(|error| copy.refuse("chunk_bytes", error))?);
    } else if let Some(number) = copy.integer("chunk_bytes")? {
        builder = builder.chunk_bytes(number);
    }
    let mut limits = Vec::new();
    for table in copy.tables("flow_control", &["window", "limit"])? {
        let limit = table
            .string("limit")?
            .ok_or_else(|| table.missing("limit", ": write it as 20MiB/s"))?;
        let key = if table.has("window") {
            "window"
        } else {
            "limit"
        };
        limits.push(
            FlowLimit::parse(table.string("window")?, limit)
                .map_err(|error| table.refuse(key, error))?,
        );
    }
    let flow_control =
        FlowControl::new(limits).map_err(|error| copy.refuse("flow_control", error))?;
    if !flow_control.is_empty() {
        return Err(unsupported(copy, "flow_control"));
    }
    Ok(builder)
}

fn mode(task: &TomlTable<'_>) -> Result<Mode, TaskError> {
    let start_point = task.string("start_point")?;
    let unused = |mode| match start_point {
        None => Ok(mode),
        Some(_) => Err(task.refuse(
            "start_point",
            "it is for mode \"incremental\"; the other modes find their own",
        )),
    };
    match task.string("mode")?.unwrap_or("full+incremental") {
        "full+incremental" => unused(Mode::FullAndIncremental),
        "full" => unused(Mode::Full),
        "incremental" => match start_point {
            None => Err(task.missing(
                "start_point",
                ": mode \"incremental\" needs it; drs start-point prints the present one",
            )),
            Some(text) => text
                .parse::<StartPoint>()
                .map(|start_point| Mode::Incremental { start_point })
                .map_err(|error| task.refuse("start_point", error)),
        },
        other => Err(task.refuse(
            "mode",
            format!("{other:?} is no mode; full+incremental, full and incremental are"),
        )),
    }
}

fn endpoint(root: &TomlTable<'_>, role: Role, folder: &Path) -> Result<Endpoint, TaskError> {
    let table = root
        .table(role.as_str())?
        .ok_or_else(|| root.missing(role.as_str(), ": say where the server is"))?;
    let user = table
        .string("user")?
        .ok_or_else(|| table.missing("user", ""))?;
    let endpoint = match (table.string("host")?, table.string("socket")?) {
        (Some(_), Some(_)) => return Err(table.refuse("socket", "give either host or socket")),
        (None, None) => return Err(table.missing("host", " (or socket)")),
        (Some(""), None) => return Err(table.refuse("host", "it is empty")),
        (None, Some(path)) => {
            if table.has("port") {
                return Err(table.refuse("port", "a socket has no port"));
            }
            Endpoint::socket(folder.join(path), user)
        }
        (Some(host), None) => {
            let port = table.integer("port")?.unwrap_or(DEFAULT_PORT);
            match u16::try_from(port) {
                Ok(port @ 1..) => Endpoint::tcp(host, port, user),
                _ => return Err(table.refuse("port", format!("{port} is no port; 1 to 65535 are"))),
            }
        }
    };
    let endpoint = endpoint.password_source(password(&table, folder)?);
    match tls(&table, folder)? {
        None => Ok(endpoint),
        Some(tls) if table.has("socket") && tls.mode() != TlsMode::Disabled => {
            Err(table.refuse("tls", "a connection by socket has no TLS; drop it"))
        }
        Some(tls) => Ok(endpoint.tls(tls)),
    }
}

fn password(table: &TomlTable<'_>, folder: &Path) -> Result<PasswordSource, TaskError> {
    if !table.has("password") {
        return Ok(PasswordSource::Absent);
    }
    if table.is_string("password") {
        return Ok(PasswordSource::Plain(
            table.string("password")?.unwrap_or_default().into(),
        ));
    }
    let Some(source) = table.table("password")? else {
        return Ok(PasswordSource::Absent);
    };
    match (source.string("env")?, source.string("file")?) {
        (Some(name), None) => Ok(PasswordSource::Env(name.to_owned())),
        (None, Some(path)) => Ok(PasswordSource::File(folder.join(path))),
        _ => Err(table.refuse(
            "password",
            "give a string, { env = \"NAME\" } or { file = \"PATH\" }",
        )),
    }
}

fn tls(table: &TomlTable<'_>, folder: &Path) -> Result<Option<Tls>, TaskError> {
    let Some(settings) = table.table("tls")? else {
        return Ok(None);
    };
    let text = settings
        .string("mode")?
        .ok_or_else(|| settings.missing("mode", ""))?;
    let mode = TlsMode::ALL.into_iter().find(|mode| mode.as_str() == text).ok_or_else(|| {
        settings.refuse(
            "mode",
            format!("{text:?} is no mode; disabled, preferred, required, verify-ca and verify-identity are"),
        )
    })?;
    let file = |key| {
        settings
            .string(key)
            .map(|path| path.map(|path| folder.join(path)))
    };
    let identity = match (file("cert")?, file("key")?) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        (Some(_), None) => return Err(settings.missing("key", ": cert and key belong together")),
        (None, Some(_)) => return Err(settings.missing("cert", ": cert and key belong together")),
    };
    Tls::new(mode, file("ca")?, identity)
        .map(Some)
        .map_err(|error| table.refuse("tls", error))
}

fn unsupported(table: &TomlTable<'_>, key: &str) -> TaskError {
    TaskError::NotSupportedYet {
        line: table.line(key),
        setting: table.path(key),
    }
}

#[cfg(unix)]
fn check_private(path: &Path, metadata: &std::fs::Metadata) -> Result<(), TaskError> {
    use std::os::unix::fs::MetadataExt;
    let mode = metadata.mode() & 0o777;
    if mode & 0o077 == 0 {
        Ok(())
    } else {
        Err(TaskError::NotPrivate {
            path: path.to_owned(),
            mode,
        })
    }
}

#[cfg(not(unix))]
fn check_private(_path: &Path, _metadata: &std::fs::Metadata) -> Result<(), TaskError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Address, TableName};

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

[copy]
sessions = 2
chunk_bytes = "1MiB"
flow_control = []
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
        assert!(!task.filter_drop_database() && !task.indexes());
        assert_eq!(
            (
                task.lanes().get(),
                task.sessions().get(),
                task.chunk_bytes().get()
            ),
            (8, 2, 1 << 20)
        );
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
                "\"overwrite\"",
                "\"ignore\"",
                "line 26: sync.conflict = \"ignore\" is not supported yet",
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
                "line 23: objects.file is not supported yet",
            ),
            (
                "exclude = [\"shop.tmp_*\"]",
                "map = { shop = \"x\" }",
                "line 23: objects.map is not supported yet",
            ),
            (
                "chunk_bytes = \"1MiB\"",
                "chunk_bytes = \"1\"",
                "line 33: copy.chunk_bytes: a chunk of 1 bytes is not possible",
            ),
            (
                "chunk_bytes = \"1MiB\"",
                "chunk_bytes = \"big\"",
                "line 33: copy.chunk_bytes: \"big\" is no size; write it as 16MiB",
            ),
            (
                "flow_control = []",
                "flow_control = [{ limit = \"20MiB/s\" }]",
                "line 34: copy.flow_control is not supported yet",
            ),
            (
                "flow_control = []",
                "flow_control = [{ limit = \"20MiB/s\" }, { window = \"08:00-09:00\", limit = \"1MiB/s\" }]",
                "line 34: copy.flow_control: two windows overlap at 08:00",
            ),
            (
                "flow_control = []",
                "[[rules]]\ntable = \"a.b\"",
                "line 34: rules is not supported yet",
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
            parse(&SMALL.replacen("user = \"u\"", "user = \"u\"\npassword = \"hunter2\"", 1))
                .unwrap();
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
}
