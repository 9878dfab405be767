use std::sync::Arc;

use hashbrown::HashMap;
use mysql::{Conn, prelude::Queryable};

use super::FollowError;
use crate::{
    checkpoint::TransactionId, endpoint::Role, object::TableName, schema::TableSchema,
    session::SessionError,
};

/// Opens a session at the destination that reads table definitions.
pub(crate) type ConnectToRead = Arc<dyn Fn() -> Result<Conn, SessionError> + Send + Sync>;

/// The destination's tables as of the stream's place: read when first needed, forgotten with
/// every DDL.
pub(super) struct Definitions {
    connect: ConnectToRead,
    conn: Option<Conn>,
    tables: HashMap<TableName, Arc<TableSchema>>,
    charsets: Option<Arc<HashMap<u32, String>>>,
}

impl Definitions {
    pub(super) fn new(connect: ConnectToRead) -> Self {
        Self {
            connect,
            conn: None,
            tables: HashMap::new(),
            charsets: None,
        }
    }

    /// Forgets all tables: a DDL has run.
    pub(super) fn forget(&mut self) {
        self.tables.clear();
    }

    /// A table's definition; one that does not exist is an error that names the transaction.
    pub(super) fn table(
        &mut self,
        name: &TableName,
        transaction: &TransactionId,
    ) -> Result<Arc<TableSchema>, FollowError> {
        if let Some(schema) = self.tables.get(name) {
            return Ok(Arc::clone(schema));
        }
        // One attempt on the connection at hand, one on a new one.
        let mut fresh = self.conn.is_none();
        let schema = loop {
            let mut conn = match self.conn.take() {
                Some(conn) => conn,
                None => (self.connect)()?,
            };
            match TableSchema::load(&mut conn, name) {
                Ok(schema) => {
                    self.conn = Some(conn);
                    break schema;
                }
                Err(error) if fresh => return Err(error.into()),
                Err(_) => fresh = true,
            }
        };
        let Some(schema) = schema else {
            return Err(FollowError::MissingTable {
                table: name.clone(),
                transaction: transaction.clone(),
            });
        };
        let schema = Arc::new(schema);
        self.tables.insert(name.clone(), Arc::clone(&schema));
        Ok(schema)
    }

    /// The character set of each collation's number, read once: both servers number them alike.
    pub(super) fn charsets(&mut self) -> Result<Arc<HashMap<u32, String>>, FollowError> {
        if let Some(charsets) = &self.charsets {
            return Ok(Arc::clone(charsets));
        }
        let mut conn = (self.connect)()?;
        let rows: Vec<(u32, String)> = conn
            .query(
                "SELECT ID, CHARACTER_SET_NAME FROM information_schema.COLLATIONS \
                 WHERE CHARACTER_SET_NAME IS NOT NULL AND ID IS NOT NULL",
            )
            .map_err(|source| SessionError::Setup {
                role: Role::Destination,
                source,
            })?;
        let charsets = Arc::new(rows.into_iter().collect());
        self.charsets = Some(Arc::clone(&charsets));
        Ok(charsets)
    }
}
