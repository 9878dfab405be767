//! Views, procedures and functions: created last, as they are at the source at that time, and
//! not followed. None of them holds data, so one that can't be created is told of and left out.

mod definer;

use std::sync::atomic::{AtomicBool, Ordering};

use definer::Definer;
use mysql::{Conn, Row, prelude::Queryable};

use super::{
    CopyError, CopyEvent, CopyObserver,
    error::{at_destination, at_source},
};
use crate::{
    checkpoint::CheckpointStore,
    dialect::ServerVersion,
    error,
    object::{DatabaseName, Mapping, Selection, TableName},
    sql,
};

/// What became of the views, procedures and functions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Programs {
    /// Those that are at the destination as they are at the source.
    pub(super) copied: u64,
    /// Those that are not.
    pub(super) left_out: u64,
}

/// Both servers, with sessions of their own.
pub(super) struct Sides {
    pub(super) source: (Conn, ServerVersion),
    pub(super) destination: (Conn, ServerVersion),
}

/// Creates the selection's views, and the procedures and functions of databases that are
/// selected as a whole. What has one of their names at the destination stays as it is.
pub(super) fn copy(
    mut sides: Sides,
    store: &mut CheckpointStore,
    selection: &Selection,
    mapping: Option<&Mapping>,
    stop: &AtomicBool,
    observer: &dyn CopyObserver,
) -> Result<Programs, CopyError> {
    let source = &mut sides.source.0;
    source
        .query_drop("SET SESSION character_set_results = utf8mb4")
        .map_err(at_source("setting up the session"))?;
    let is_mapped = |database: &DatabaseName| {
        mapping.is_some_and(|mapping| mapping.database(database) != *database)
    };
    let made = store.programs()?;
    let mut waiting = routines(source, selection)?;
    waiting.extend(views(source, selection)?);
    waiting.retain(|program| !is_mapped(&program.name.database));
    let mut programs = Programs::default();
    // Views stand on each other and on functions, in an order that only the server knows.
    loop {
        let before = waiting.len();
        let mut failed = Vec::new();
        let mut reasons = Vec::new();
        for program in waiting {
            if stop.load(Ordering::Relaxed) {
                return Err(CopyError::Stopped);
            }
            let is_made = made.contains(&(
                program.kind.as_str().to_owned(),
                program.name.database.as_str().to_owned(),
                program.name.table.clone(),
            ));
            match create(&mut sides, store, &program, is_made)? {
                Created::Done(findings) => {
                    programs.copied += 1;
                    for finding in findings {
                        tell(observer, &program, &finding);
                    }
                }
                Created::LeftOut(reason) => {
                    programs.left_out += 1;
                    tell(observer, &program, &reason);
                }
                Created::Failed(reason) => {
                    failed.push(program);
                    reasons.push(reason);
                }
            }
        }
        waiting = failed;
        if waiting.is_empty() || waiting.len() == before {
            for (program, reason) in waiting.iter().zip(&reasons) {
                programs.left_out += 1;
                tell(observer, program, &format!("not created: {reason}"));
            }
            return Ok(programs);
        }
    }
}

fn tell(observer: &dyn CopyObserver, program: &Program, finding: &str) {
    observer.copy_event(&CopyEvent::Program {
        kind: program.kind.as_str(),
        name: &program.name,
        finding,
    });
}

/// How one attempt ended.
enum Created {
    /// It is there; what is worth telling.
    Done(Vec<String>),
    /// It will not be there.
    LeftOut(String),
    /// It may be created once others are there.
    Failed(String),
}

struct Program {
    kind: Kind,
    name: TableName,
    /// The collation that its database had when a routine was made.
    database_collation: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    View,
    Procedure,
    Function,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Procedure => "procedure",
            Self::Function => "function",
        }
    }

    fn keyword(self) -> &'static str {
        match self {
            Self::View => "VIEW",
            Self::Procedure => "PROCEDURE",
            Self::Function => "FUNCTION",
        }
    }
}

fn views(source: &mut Conn, selection: &Selection) -> Result<Vec<Program>, CopyError> {
    let rows: Vec<(Vec<u8>, Vec<u8>)> = source
        .query("SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE TABLE_TYPE = 'VIEW' ORDER BY 1, 2")
        .map_err(at_source("listing the views"))?;
    let named = rows
        .into_iter()
        .filter_map(|(database, name)| table_name(&database, &name));
    Ok(named
        .filter(|name| selection.matches(name))
        .map(|name| Program {
            kind: Kind::View,
            name,
            database_collation: None,
        })
        .collect())
}

fn routines(source: &mut Conn, selection: &Selection) -> Result<Vec<Program>, CopyError> {
    // Functions first: a function or a view may stand on them.
    type Columns = (Vec<u8>, Vec<u8>, String, Option<String>);
    let rows: Vec<Columns> = source
        .query(
            "SELECT ROUTINE_SCHEMA, ROUTINE_NAME, ROUTINE_TYPE, DATABASE_COLLATION FROM information_schema.ROUTINES \
             WHERE ROUTINE_TYPE IN ('FUNCTION', 'PROCEDURE') ORDER BY ROUTINE_TYPE, 1, 2",
        )
        .map_err(at_source("listing the procedures and functions"))?;
    Ok(rows
        .into_iter()
        .filter_map(|(database, name, kind, database_collation)| {
            Some(Program {
                kind: match kind.as_str() {
                    "FUNCTION" => Kind::Function,
                    _ => Kind::Procedure,
                },
                name: table_name(&database, &name)?,
                database_collation,
            })
        })
        .filter(|program| selection.is_database_level(&program.name.database))
        .collect())
}

fn table_name(database: &[u8], name: &[u8]) -> Option<TableName> {
    TableName::new(
        std::str::from_utf8(database).ok()?,
        std::str::from_utf8(name).ok()?,
    )
    .ok()
}

/// A definition as `SHOW CREATE` prints it.
#[derive(Clone, PartialEq, Eq)]
struct Definition {
    text: String,
    sql_mode: String,
    character_set_client: String,
    collation_connection: String,
}

/// What `SHOW CREATE` says: `Err` with the reason when it can't be read.
fn show(
    conn: &mut Conn,
    program: &Program,
    failed: impl Fn(mysql::Error) -> CopyError,
) -> Result<Result<Option<Definition>, String>, CopyError> {
    let statement = format!(
        "SHOW CREATE {} {}",
        program.kind.keyword(),
        sql::table(&program.name)
    );
    let row: Result<Option<Row>, mysql::Error> = conn.query_first(statement);
    let mut row = match row {
        Ok(Some(row)) => row,
        Ok(None) => return Ok(Ok(None)),
        Err(error) if error::is_connection_lost(&error) => return Err(failed(error)),
        // ER_NO_SUCH_TABLE, ER_SP_DOES_NOT_EXIST, ER_BAD_DB_ERROR.
        Err(error) if matches!(error::server_code(&error), Some(1146 | 1305 | 1049)) => {
            return Ok(Ok(None));
        }
        Err(error) => return Ok(Err(error::redacted(&error))),
    };
    let mut text = |index: usize| {
        row.take::<Option<Vec<u8>>, _>(index)
            .flatten()
            .and_then(|bytes| String::from_utf8(bytes).ok())
    };
    // Views have no sql_mode.
    let (body, sql_mode, client) = match program.kind {
        Kind::View => (text(1), Some(String::new()), 2),
        Kind::Procedure | Kind::Function => (text(2), text(1), 3),
    };
    match (body, sql_mode, text(client), text(client + 1)) {
        (Some(text), Some(sql_mode), Some(character_set_client), Some(collation_connection)) => {
            Ok(Ok(Some(Definition {
                text,
                sql_mode,
                character_set_client,
                collation_connection,
            })))
        }
        _ => Ok(Err(
            "the account may not see its definition (it needs SELECT on mysql.proc before 8.0, SHOW_ROUTINE after)".into(),
        )),
    }
}

fn create(
    sides: &mut Sides,
    store: &mut CheckpointStore,
    program: &Program,
    is_made: bool,
) -> Result<Created, CopyError> {
    let (source, destination) = (&mut sides.source.0, &mut sides.destination.0);
    let reading = at_source(format!(
        "reading the {} {}",
        program.kind.as_str(),
        program.name
    ));
    let here = match show(source, program, reading)? {
        Ok(Some(here)) => here,
        // Dropped meanwhile.
        Ok(None) => return Ok(Created::Done(Vec::new())),
        Err(reason) => return Ok(Created::LeftOut(format!("not created: {reason}"))),
    };
    let doing = format!("creating the {} {}", program.kind.as_str(), program.name);
    let failed = at_destination(&doing);
    // Asked for apart, because SHOW CREATE VIEW first asks for the privilege to see it.
    let there = match program.kind {
        Kind::View => match table_type(destination, &program.name).map_err(&failed)? {
            None => Ok(None),
            Some(kind) if kind == "VIEW" => show(destination, program, at_destination(&doing))?,
            Some(_) => {
                return Ok(Created::LeftOut(
                    "not created: a table of its name is at the destination".into(),
                ));
            }
        },
        Kind::Procedure | Kind::Function => show(destination, program, at_destination(&doing))?,
    };
    match there {
        Ok(None) => {}
        // By an earlier run of this task; another version prints it in other words.
        Ok(Some(_)) if is_made => return Ok(Created::Done(Vec::new())),
        Ok(Some(there)) if is_same(&here, &there) => return Ok(Created::Done(Vec::new())),
        Ok(Some(_)) => {
            return Ok(Created::LeftOut(
                "left as it is at the destination, where its definition reads otherwise".into(),
            ));
        }
        Err(reason) => {
            return Ok(Created::LeftOut(format!(
                "left as it is at the destination, where it can't be read: {reason}"
            )));
        }
    }
    let Some(definer) = Definer::of(&here.text) else {
        return Ok(Created::LeftOut(
            "not created: its definer can't be read".into(),
        ));
    };
    store.add_program(program.kind.as_str(), &program.name)?;
    let mut findings = Vec::new();
    let session = Session::of(&here, sides.destination.1, &mut findings);
    if let Some(finding) = database_collation(destination, program).map_err(&failed)? {
        findings.push(finding);
    }
    let unknown = format!(
        "created with the task's account as its definer: {} does not exist at the destination, or may not be given",
        definer.account()
    );
    if definer.exists(destination) != Some(false) {
        match run(destination, program, &session, &here.text, &failed)? {
            // ER_SPECIFIC_ACCESS_DENIED_ERROR, ER_NO_SUCH_USER.
            Err((Some(1227 | 1449), _)) => {}
            Err((_, reason)) => return Ok(Created::Failed(reason)),
            Ok(true) => return Ok(Created::Done(findings)),
            // It has a definer that does not exist, and could not be used.
            Ok(false) => drop_program(destination, program).map_err(&failed)?,
        }
    }
    findings.push(unknown);
    let text = definer.replaced(&here.text);
    Ok(match run(destination, program, &session, &text, &failed)? {
        Ok(_) => Created::Done(findings),
        Err((_, reason)) => Created::Failed(reason),
    })
}

/// The same but for the definer, which may not exist at the destination.
fn is_same(here: &Definition, there: &Definition) -> bool {
    let without_definer = |text: &str| match Definer::of(text) {
        Some(definer) => definer.replaced(text),
        None => text.to_owned(),
    };
    without_definer(&here.text) == without_definer(&there.text)
}

fn table_type(destination: &mut Conn, name: &TableName) -> Result<Option<String>, mysql::Error> {
    destination.exec_first(
        "SELECT TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?",
        (name.database.as_str(), &name.table),
    )
}

/// Parameters without a character set have that of the database.
fn database_collation(
    destination: &mut Conn,
    program: &Program,
) -> Result<Option<String>, mysql::Error> {
    let Some(wanted) = &program.database_collation else {
        return Ok(None);
    };
    let there: Option<String> = destination.exec_first(
        "SELECT DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?",
        (program.name.database.as_str(),),
    )?;
    let plain = |name: &str| name.replacen("utf8mb3_", "utf8_", 1);
    Ok(there
        .filter(|there| plain(there) != plain(wanted))
        .map(|there| {
            format!(
                "its database had the collation {wanted} when it was made, and has {there} at the destination: parameters \
                 and variables without a character set have another one there"
            )
        }))
}

/// The session that a definition is created in.
struct Session {
    set: String,
}

impl Session {
    fn of(definition: &Definition, version: ServerVersion, findings: &mut Vec<String>) -> Self {
        let is_utf8 = definition.character_set_client.starts_with("utf8");
        let client = if is_utf8 || definition.text.is_ascii() {
            definition.character_set_client.as_str()
        } else {
            findings.push(format!(
                "its character_set_client is utf8mb4 instead of {}, because its text has other characters than ASCII",
                definition.character_set_client
            ));
            "utf8mb4"
        };
        let mode: Vec<&str> = definition
            .sql_mode
            .split(',')
            .filter(|mode| {
                !version.is_mysql_at_least(8, 0, 0) || !MODES_REMOVED_IN_8_0.contains(mode)
            })
            .collect();
        Self {
            set: format!(
                "SET SESSION sql_mode = '{}', collation_connection = {}, character_set_client = {client}",
                plain(&mode.join(",")),
                plain(&definition.collation_connection),
            ),
        }
    }
}

const MODES_REMOVED_IN_8_0: [&str; 11] = [
    "NO_AUTO_CREATE_USER",
    "POSTGRESQL",
    "ORACLE",
    "MSSQL",
    "DB2",
    "MAXDB",
    "NO_KEY_OPTIONS",
    "NO_TABLE_OPTIONS",
    "NO_FIELD_OPTIONS",
    "MYSQL323",
    "MYSQL40",
];

/// The server's own names of modes and collations, which hold nothing else.
fn plain(name: &str) -> String {
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | ',');
    name.chars().filter(is_plain).collect()
}

/// Runs the statement in its session: false when its definer does not exist.
fn run(
    destination: &mut Conn,
    program: &Program,
    session: &Session,
    text: &str,
    failed: &impl Fn(mysql::Error) -> CopyError,
) -> Result<Result<bool, (Option<u16>, String)>, CopyError> {
    const NO_SUCH_USER: u16 = 1449;
    let database = sql::identifier(program.name.database.as_str());
    let mut create = || -> Result<bool, mysql::Error> {
        destination.query_drop(format!("USE {database}"))?;
        destination.query_drop(&session.set)?;
        destination.query_drop(text)?;
        let warnings: Vec<(String, u16, String)> = destination.query("SHOW WARNINGS")?;
        Ok(!warnings.iter().any(|(_, code, _)| *code == NO_SUCH_USER))
    };
    let created = create();
    // What follows is in UTF-8 again.
    let reset = destination.query_drop("SET NAMES utf8mb4");
    match created {
        Err(error) if error::is_connection_lost(&error) => Err(failed(error)),
        Err(error) => {
            reset.map_err(failed)?;
            Ok(Err((error::server_code(&error), error::redacted(&error))))
        }
        Ok(known) => {
            reset.map_err(failed)?;
            Ok(Ok(known))
        }
    }
}

fn drop_program(destination: &mut Conn, program: &Program) -> Result<(), mysql::Error> {
    destination.query_drop(format!(
        "DROP {} IF EXISTS {}",
        program.kind.keyword(),
        sql::table(&program.name)
    ))
}
