mod compare;
mod rules;

use std::{collections::HashMap, io::Read, path::Path};

use drs_binlog::StartPoint;
use toml::de::DeTable;

use super::{
    ConflictPolicy, FlowControl, FlowLimit, Mode, Task, TaskBuilder, TaskError, object_file,
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
    // A misspelt key explains more than the key that is then missing.
    for table in [
        "task",
        "source",
        "destination",
        "objects",
        "sync",
        "copy",
        "compare",
    ] {
        root.table(table)?;
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
    for check in task.strings("confirm")? {
        builder = builder.confirm(check);
    }

    let objects = root
        .table("objects")?
        .ok_or_else(|| root.missing("objects", ": name what to include"))?;
    lines.note(&objects, &["include", "exclude", "map"]);
    if let Some(file) = objects.string("file")? {
        if objects.has("include") {
            return Err(objects.refuse("file", "give either include or file"));
        }
        let path = folder.join(file);
        let entries = object_file::read(&path)
            .map_err(|error| objects.refuse("file", format!("{}: {error}", path.display())))?;
        for entry in entries {
            if let Some(mapped) = entry.mapped {
                builder = builder.map(entry.source.as_str(), mapped);
            }
            builder = builder.select(entry.source);
        }
    }
    for (source, destination) in objects.labels("map")? {
        builder = builder.map(source, destination);
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
    if let Some(table) = root.table("compare")? {
        builder = builder.compare(compare::read(&table)?);
    }
    rules::read(root, builder)
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
    if let Some(keep) = sync.boolean("conflict_images")? {
        builder = builder.conflict_images(keep);
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
    if let Some(write) = copy.boolean("binlog")? {
        builder = builder.copy_binlog(write);
    }
    if !flow_control(copy)?.is_empty() {
        return Err(unsupported(copy, "flow_control"));
    }
    Ok(builder)
}

/// Reads the limits under `flow_control`.
fn flow_control(table: &TomlTable<'_>) -> Result<FlowControl, TaskError> {
    let mut limits = Vec::new();
    for limited in table.tables("flow_control", &["window", "limit"])? {
        let limit = limited
            .string("limit")?
            .ok_or_else(|| limited.missing("limit", ": write it as 20MiB/s"))?;
        let key = if limited.has("window") {
            "window"
        } else {
            "limit"
        };
        limits.push(
            FlowLimit::parse(limited.string("window")?, limit)
                .map_err(|error| limited.refuse(key, error))?,
        );
    }
    FlowControl::new(limits).map_err(|error| table.refuse("flow_control", error))
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
mod tests;
