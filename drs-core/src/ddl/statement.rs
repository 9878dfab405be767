//! What a statement is and which objects it names.
use super::lexer::Span;

/// A statement of the binary log, classified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// What it does.
    pub kind: StatementKind,
    /// The objects it names, in the order of the text.
    pub objects: Vec<ObjectName>,
    /// How much of what it touches `objects` tells.
    pub names: Names,
    /// What a restart can know about a statement that may or may not have run.
    pub repeat: Repeat,
    /// The statement carries `/*!NNNNN ... */` which the source ran and the destination leaves out, or the reverse.
    ///
    /// It is classified by what the source ran.
    pub leaves_out_code: bool,
}

impl Statement {
    /// Old and new name of each rename, in the order in which they happen.
    pub fn renames(&self) -> impl Iterator<Item = (&ObjectName, &ObjectName)> {
        let from = self
            .objects
            .iter()
            .filter(|object| object.role == Role::RenamedFrom);
        let to = self
            .objects
            .iter()
            .filter(|object| object.role == Role::RenamedTo);
        from.zip(to)
    }

    /// The objects that the statement makes, changes or removes; the others it only refers to.
    pub fn changed(&self) -> impl Iterator<Item = &ObjectName> {
        self.objects.iter().filter(|object| object.role.is_change())
    }
}

/// What a statement does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StatementKind {
    /// White space and comments only.
    Empty,
    /// `BEGIN`, `START TRANSACTION`.
    Begin,
    /// `COMMIT`.
    Commit,
    /// `ROLLBACK` of the whole transaction.
    Rollback,
    /// `SAVEPOINT`, with its name.
    Savepoint(String),
    /// `ROLLBACK TO`, with the savepoint's name.
    RollbackTo(String),
    /// `RELEASE SAVEPOINT`, with its name.
    ReleaseSavepoint(String),
    /// One of the `XA` statements.
    Xa(XaAction, Xid),
    /// A statement that changes rows, logged as text.
    Dml(DmlKind),
    /// `CREATE TABLE`.
    CreateTable {
        /// A temporary table.
        temporary: bool,
        /// Where its columns come from.
        columns: ColumnSource,
        /// The `START TRANSACTION` at the end, if there: the rows of a `CREATE TABLE ... SELECT` follow as row events.
        ///
        /// A destination that runs the statement on its own must be sent it without these bytes.
        start_transaction: Option<Span>,
    },
    /// `ALTER TABLE`.
    AlterTable,
    /// `DROP TABLE`.
    DropTable {
        /// `DROP TEMPORARY TABLE`.
        temporary: bool,
    },
    /// `RENAME TABLE`.
    RenameTable,
    /// `TRUNCATE TABLE`.
    TruncateTable,
    /// `CREATE INDEX`.
    CreateIndex,
    /// `DROP INDEX`.
    DropIndex,
    /// `CREATE DATABASE`.
    CreateDatabase,
    /// `ALTER DATABASE`.
    AlterDatabase,
    /// `DROP DATABASE`.
    DropDatabase,
    /// A statement on a view, routine, trigger, event or the like; `objects` says which.
    Program(Action, ObjectKind),
    /// Accounts, roles and privileges.
    Account,
    /// `ANALYZE`, `OPTIMIZE`, `FLUSH` and the like: no change of data or structure.
    Maintenance,
    /// Recognised, of the server and not of any table: tablespaces, servers, plugins, `SET`, ... The first words.
    Other(String),
    /// Not recognised: it may do anything to any object.
    Unknown {
        /// What stood in the way.
        reason: &'static str,
    },
}

impl StatementKind {
    /// True for statements on tables and their indexes.
    pub fn is_table_ddl(&self) -> bool {
        matches!(
            self,
            Self::CreateTable { .. }
                | Self::AlterTable
                | Self::DropTable { .. }
                | Self::RenameTable
                | Self::TruncateTable
                | Self::CreateIndex
                | Self::DropIndex
        )
    }

    /// True for statements on a database as a whole.
    pub fn is_database_ddl(&self) -> bool {
        matches!(
            self,
            Self::CreateDatabase | Self::AlterDatabase | Self::DropDatabase
        )
    }

    /// True for what steers transactions and changes nothing by itself.
    pub fn is_transaction_control(&self) -> bool {
        matches!(
            self,
            Self::Begin
                | Self::Commit
                | Self::Rollback
                | Self::Savepoint(_)
                | Self::RollbackTo(_)
                | Self::ReleaseSavepoint(_)
                | Self::Xa(..)
        )
    }
}

/// The step of an `XA` statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XaAction {
    /// `XA START` or `XA BEGIN`.
    Start,
    /// `XA END`.
    End,
    /// `XA PREPARE`.
    Prepare,
    /// `XA COMMIT` of a prepared transaction.
    Commit,
    /// `XA COMMIT ... ONE PHASE`.
    CommitOnePhase,
    /// `XA ROLLBACK`.
    Rollback,
}

/// The identifier of an XA transaction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Xid {
    /// The global transaction's part, at most 64 bytes.
    pub gtrid: Vec<u8>,
    /// The branch qualifier, at most 64 bytes.
    pub bqual: Vec<u8>,
    /// The format, 1 when none is given.
    pub format_id: u32,
}

/// A statement that changes rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DmlKind {
    /// `INSERT`.
    Insert,
    /// `REPLACE`.
    Replace,
    /// `UPDATE`.
    Update,
    /// `DELETE`.
    Delete,
    /// `LOAD DATA` and `LOAD XML`.
    Load,
    /// `CALL`.
    Call,
    /// `DO`.
    Do,
    /// `SELECT`, `WITH`, `TABLE`, `VALUES`: logged when a function in it changes rows.
    Select,
}

/// Where the columns of a new table come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnSource {
    /// The statement lists them.
    Listed,
    /// `LIKE` another table.
    Like,
    /// A query, which fills the table too.
    Query,
}

/// What happens to a view, routine, trigger or event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// `CREATE`, also with `OR REPLACE`.
    Create,
    /// `ALTER`.
    Alter,
    /// `DROP`.
    Drop,
}

/// How much of what a statement touches its object list tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Names {
    /// Every object of the statement is listed.
    All,
    /// Every object that it makes, changes or removes is listed; it may read others.
    ///
    /// Rows that triggers or stored functions change in its course do not count.
    Changed,
    /// It may touch objects that are not listed.
    Unknown,
}

/// What a restart can know about a statement that was begun and not marked done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// To run it again gives the same result, also if it ran already.
    Repeatable,
    /// If an object of it exists, or reads in `SHOW CREATE`, otherwise than before, it ran.
    /// If all are as before, to run it (again) does no harm, as nothing else follows it.
    Visible,
    /// Nothing shows whether it ran, and to run it twice would be wrong.
    Ambiguous,
}

/// What sort of object a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ObjectKind {
    /// A table; in `RENAME TABLE` it may be a view.
    Table,
    /// A database.
    Database,
    /// A view.
    View,
    /// A stored procedure.
    Procedure,
    /// A stored function, or a loadable one in `DROP FUNCTION`.
    Function,
    /// A loadable function (`CREATE FUNCTION ... SONAME`); belongs to no database.
    LoadableFunction,
    /// A trigger. Its database is its table's.
    Trigger,
    /// An event of the scheduler.
    Event,
    /// A MariaDB sequence; shares the name space of tables.
    Sequence,
    /// A MariaDB package or its body.
    Package,
    /// A library of MySQL 9.
    Library,
}

/// What the statement does with the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Made.
    Created,
    /// Changed in structure.
    Altered,
    /// Removed.
    Dropped,
    /// Emptied.
    Truncated,
    /// The old name of a rename; the table may be altered in the same statement.
    RenamedFrom,
    /// The new name of the rename whose old name is the last one before.
    RenamedTo,
    /// The table that a partition is exchanged with: its rows change.
    Exchanged,
    /// Its rows are changed.
    Written,
    /// The parent of a foreign key.
    Referenced,
    /// Its structure is copied.
    LikeSource,
    /// A member of a `MERGE` table's `UNION`.
    UnionMember,
    /// The table a trigger is on.
    TriggerTable,
    /// The qualifier of a column name.
    Qualifier,
    /// A table of a maintenance statement.
    Maintained,
}

impl Role {
    /// True if the object itself is made, changed or removed.
    pub fn is_change(self) -> bool {
        matches!(
            self,
            Self::Created
                | Self::Altered
                | Self::Dropped
                | Self::Truncated
                | Self::RenamedFrom
                | Self::RenamedTo
                | Self::Exchanged
                | Self::Written
        )
    }
}

/// An object's name in a statement, and where it stands there.
///
/// Names are as written: the server folds their case by its `lower_case_table_names`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectName {
    /// The sort of object.
    pub kind: ObjectKind,
    /// What is done with it.
    pub role: Role,
    /// Its database: as written, else the session's default; `None` without either.
    pub database: Option<String>,
    /// Where the database is written, quotes included; `None` if it is the default.
    pub database_span: Option<Span>,
    /// Its name, unquoted. For a database, the database's name again.
    pub name: String,
    /// Where the name is written, quotes included; empty for a database that is not named but meant.
    pub name_span: Span,
}
