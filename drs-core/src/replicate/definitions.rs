use std::sync::Arc;

use drs_binlog::TableColumns;
use hashbrown::HashMap;
use mysql::{Conn, prelude::Queryable};

use super::{FollowError, family::Families};
use crate::{
    apply::{PlanError, Projection, TablePlan, project},
    checkpoint::TransactionId,
    endpoint::Role,
    foreign_key::{self, ForeignKey},
    object::{NameCase, TableName},
    rule::Added,
    schema::{SchemaError, TableSchema},
    session::SessionError,
};

/// Opens a session that reads table definitions.
pub(crate) type ConnectToRead = Arc<dyn Fn() -> Result<Conn, SessionError> + Send + Sync>;

/// The destination's tables as of the stream's place: read when first needed, forgotten with
/// every DDL.
pub(crate) struct Definitions {
    destination: Reader,
    source: Reader,
    tables: HashMap<TableName, Arc<TableSchema>>,
    /// The destination's tables in the column order of the source's log.
    projected: HashMap<(TableName, Projection), Arc<TableSchema>>,
    charsets: Option<Arc<HashMap<u32, String>>>,
    collations: Option<HashMap<u32, String>>,
    families: Option<Families>,
}

impl Definitions {
    pub(crate) fn new(destination: ConnectToRead, source: ConnectToRead) -> Self {
        Self {
            destination: Reader::new(destination),
            source: Reader::new(source),
            tables: HashMap::new(),
            projected: HashMap::new(),
            charsets: None,
            collations: None,
            families: None,
        }
    }

    /// Forgets all tables: a DDL has run.
    pub(super) fn forget(&mut self) {
        self.tables.clear();
        self.projected.clear();
        self.families = None;
    }

    /// A table's definition at the destination; one that does not exist is an error that names the
    /// transaction.
    pub(crate) fn table(
        &mut self,
        name: &TableName,
        transaction: &TransactionId,
    ) -> Result<Arc<TableSchema>, FollowError> {
        if let Some(schema) = self.tables.get(name) {
            return Ok(Arc::clone(schema));
        }
        let Some(schema) = self.destination.load(name)? else {
            return Err(FollowError::MissingTable {
                table: name.clone(),
                transaction: transaction.clone(),
            });
        };
        let schema = Arc::new(schema);
        self.tables.insert(name.clone(), Arc::clone(&schema));
        Ok(schema)
    }

    /// The names of the columns of a table map by the source's present definition.
    pub(super) fn present_names(
        &mut self,
        source: &TableName,
        columns: &TableColumns,
    ) -> Result<Result<Vec<String>, PlanError>, FollowError> {
        let Some(schema) = self.source.load(source)? else {
            return Ok(Err(PlanError::NamesUnknown));
        };
        Ok(TablePlan::names_by_definition(&schema.columns, columns))
    }

    /// The destination's table in the log's column order; the same one for the same projection, by
    /// which its changes are known to belong together.
    pub(crate) fn projected(
        &mut self,
        source: &TableName,
        destination: &Arc<TableSchema>,
        projection: Projection,
        added: Added,
    ) -> Arc<TableSchema> {
        let is_whole = projection.len() == destination.columns.len();
        let is_whole = is_whole && added.is_empty();
        if is_whole && projection.iter().enumerate().all(|(i, to)| *to == Some(i)) {
            return Arc::clone(destination);
        }
        let key = (source.clone(), projection);
        if let Some(schema) = self.projected.get(&key) {
            return Arc::clone(schema);
        }
        let schema = Arc::new(project(destination, &key.1, added));
        self.projected.insert(key, Arc::clone(&schema));
        schema
    }

    /// A table's present definition at the source.
    pub(super) fn source_table(
        &mut self,
        name: &TableName,
    ) -> Result<Option<TableSchema>, FollowError> {
        self.source.load(name)
    }

    /// The name that the destination has for a collation of this number.
    pub(super) fn collation(&mut self, number: u32) -> Result<Option<String>, FollowError> {
        if self.collations.is_none() {
            let rows = self.destination.numbered(
                "SELECT ID, COLLATION_NAME FROM information_schema.COLLATIONS WHERE ID IS NOT NULL",
            )?;
            self.collations = Some(rows);
        }
        let known = self.collations.as_ref();
        Ok(known.and_then(|known| known.get(&number).cloned()))
    }

    /// The families that cascading foreign keys make at the destination.
    pub(super) fn families(&mut self, case: NameCase) -> Result<&mut Families, FollowError> {
        if self.families.is_none() {
            let mut conn = (self.destination.connect)()?;
            let mut keys = ForeignKey::load(&mut conn).map_err(|source| SessionError::Setup {
                role: Role::Destination,
                source,
            })?;
            for key in &mut keys {
                key.child = key.child.folded(case);
                key.parent = key.parent.folded(case);
            }
            self.families = Some(Families::new(foreign_key::families(&keys)));
        }
        Ok(self.families.get_or_insert_default())
    }

    /// The character set of each collation's number, read once: both servers number them alike.
    pub(crate) fn charsets(&mut self) -> Result<Arc<HashMap<u32, String>>, FollowError> {
        if let Some(charsets) = &self.charsets {
            return Ok(Arc::clone(charsets));
        }
        let charsets = Arc::new(self.destination.numbered(
            "SELECT ID, CHARACTER_SET_NAME FROM information_schema.COLLATIONS \
             WHERE CHARACTER_SET_NAME IS NOT NULL AND ID IS NOT NULL",
        )?);
        self.charsets = Some(Arc::clone(&charsets));
        Ok(charsets)
    }
}

/// The names of a table map's columns, where the log has them (`binlog_row_metadata = FULL`).
pub(super) fn logged_names(columns: &TableColumns) -> Option<Vec<String>> {
    columns
        .columns()
        .iter()
        .map(|column| column.name.as_deref().map(str::to_owned))
        .collect()
}

/// Reads definitions on a connection that may be gone by the next time.
struct Reader {
    connect: ConnectToRead,
    conn: Option<Conn>,
}

impl Reader {
    fn new(connect: ConnectToRead) -> Self {
        Self {
            connect,
            conn: None,
        }
    }

    fn load(&mut self, name: &TableName) -> Result<Option<TableSchema>, FollowError> {
        self.read(
            |conn| TableSchema::load(conn, name),
            |error| matches!(error, SchemaError::UnknownType { .. }),
        )
    }

    /// Names by number, as a query of both gives them.
    fn numbered(&mut self, query: &str) -> Result<HashMap<u32, String>, FollowError> {
        let rows: Vec<(u32, String)> = self.read(
            |conn| {
                conn.query(query).map_err(|source| SessionError::Setup {
                    role: Role::Destination,
                    source,
                })
            },
            |_| false,
        )?;
        Ok(rows.into_iter().collect())
    }

    /// One attempt on the connection at hand, one on a new one if the first was not the data's fault.
    fn read<T, E: Into<FollowError>>(
        &mut self,
        read: impl Fn(&mut Conn) -> Result<T, E>,
        is_final: impl Fn(&E) -> bool,
    ) -> Result<T, FollowError> {
        let mut fresh = self.conn.is_none();
        loop {
            let mut conn = match self.conn.take() {
                Some(conn) => conn,
                None => (self.connect)()?,
            };
            match read(&mut conn) {
                Ok(value) => {
                    self.conn = Some(conn);
                    return Ok(value);
                }
                Err(error) if fresh || is_final(&error) => return Err(error.into()),
                Err(_) => fresh = true,
            }
        }
    }
}
