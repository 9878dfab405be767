use std::fmt;

/// The type byte of an event's header.
///
/// Every byte is a valid value, because a log may hold types that this crate
/// does not know; the known ones are the constants. `Display` and `Debug`
/// print MySQL's name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventType(pub u8);

macro_rules! event_types {
    ($($(#[$doc:meta])* $name:ident = $byte:literal, $text:literal;)*) => {
        impl EventType {
            $($(#[$doc])* pub const $name: Self = Self($byte);)*

            /// Every type that this crate knows by name.
            pub const NAMED: &'static [Self] = &[$(Self($byte)),*];

            /// MySQL's (or MariaDB's) name of the type, if it is a known one.
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($byte => Some($text),)*
                    _ => None,
                }
            }
        }
    };
}

event_types! {
    /// No event: the type of something whose header could not be read.
    UNKNOWN = 0, "Unknown";
    /// The first event of logs before MySQL 5.0; refused.
    START_V3 = 1, "Start_v3";
    /// A statement, `BEGIN` and `COMMIT` among them.
    QUERY = 2, "Query";
    /// The server shut down.
    STOP = 3, "Stop";
    /// The log goes on in another file.
    ROTATE = 4, "Rotate";
    /// `LAST_INSERT_ID` or `INSERT_ID` of the statement that follows.
    INTVAR = 5, "Intvar";
    /// LOAD DATA of MySQL 3.23; refused.
    LOAD = 6, "Load";
    /// Never written.
    SLAVE = 7, "Slave";
    /// LOAD DATA of MySQL 4; refused.
    CREATE_FILE = 8, "Create_file";
    /// A further block of a LOAD DATA file.
    APPEND_BLOCK = 9, "Append_block";
    /// LOAD DATA of MySQL 4; refused.
    EXEC_LOAD = 10, "Exec_load";
    /// The file of a LOAD DATA that failed is to be removed.
    DELETE_FILE = 11, "Delete_file";
    /// LOAD DATA of MySQL 4; refused.
    NEW_LOAD = 12, "New_load";
    /// The seeds of `RAND()` for the statement that follows.
    RAND = 13, "RAND";
    /// A user variable used by the statement that follows.
    USER_VAR = 14, "User_var";
    /// How the events after it are laid out; the first of every file.
    FORMAT_DESCRIPTION = 15, "Format_desc";
    /// The commit of a transaction in a transactional engine.
    XID = 16, "Xid";
    /// The first block of a LOAD DATA file.
    BEGIN_LOAD_QUERY = 17, "Begin_load_query";
    /// The statement of a LOAD DATA whose file came before.
    EXECUTE_LOAD_QUERY = 18, "Execute_load_query";
    /// The table that the row events after it refer to.
    TABLE_MAP = 19, "Table_map";
    /// Rows of MySQL 5.1 before its release; refused.
    PRE_GA_WRITE_ROWS = 20, "Write_rows_event_old";
    /// Rows of MySQL 5.1 before its release; refused.
    PRE_GA_UPDATE_ROWS = 21, "Update_rows_event_old";
    /// Rows of MySQL 5.1 before its release; refused.
    PRE_GA_DELETE_ROWS = 22, "Delete_rows_event_old";
    /// Inserted rows, version 1 (MySQL 5.1, 5.5; MariaDB).
    WRITE_ROWS_V1 = 23, "Write_rows_v1";
    /// Updated rows, version 1.
    UPDATE_ROWS_V1 = 24, "Update_rows_v1";
    /// Deleted rows, version 1.
    DELETE_ROWS_V1 = 25, "Delete_rows_v1";
    /// Something happened at the source that the log does not hold.
    INCIDENT = 26, "Incident";
    /// Sent by an idle source.
    HEARTBEAT = 27, "Heartbeat";
    /// A placeholder that any reader may skip.
    IGNORABLE = 28, "Ignorable";
    /// The text of the statement that the row events after it come from.
    ROWS_QUERY = 29, "Rows_query";
    /// Inserted rows, version 2 (MySQL 5.6 and later).
    WRITE_ROWS = 30, "Write_rows";
    /// Updated rows, version 2.
    UPDATE_ROWS = 31, "Update_rows";
    /// Deleted rows, version 2.
    DELETE_ROWS = 32, "Delete_rows";
    /// The GTID of the transaction that follows.
    GTID = 33, "Gtid";
    /// Takes the place of a GTID where the source gives none.
    ANONYMOUS_GTID = 34, "Anonymous_Gtid";
    /// All GTIDs in the files before this one.
    PREVIOUS_GTIDS = 35, "Previous_gtids";
    /// Group replication's certification data.
    TRANSACTION_CONTEXT = 36, "Transaction_context";
    /// Group replication's change of members.
    VIEW_CHANGE = 37, "View_change";
    /// The prepare (or the one-phase commit) of an XA transaction.
    XA_PREPARE = 38, "XA_prepare";
    /// Updated rows of which JSON columns may hold only what changed.
    PARTIAL_UPDATE_ROWS = 39, "Update_rows_partial";
    /// A whole transaction, compressed.
    TRANSACTION_PAYLOAD = 40, "Transaction_payload";
    /// Sent by an idle source, with a 64-bit position.
    HEARTBEAT_V2 = 41, "Heartbeat_v2";
    /// A GTID with a tag (MySQL 8.3 and later).
    GTID_TAGGED = 42, "Gtid_tagged";
    /// MariaDB: the text of the statement that the row events come from.
    MARIADB_ANNOTATE_ROWS = 160, "Annotate_rows";
    /// MariaDB: the oldest file that crash recovery needs.
    MARIADB_BINLOG_CHECKPOINT = 161, "Binlog_checkpoint";
    /// MariaDB: the GTID that begins a transaction.
    MARIADB_GTID = 162, "MariaDB_Gtid";
    /// MariaDB: the last GTID of each server and domain in the files before.
    MARIADB_GTID_LIST = 163, "Gtid_list";
    /// MariaDB: the rest of the file is encrypted.
    MARIADB_START_ENCRYPTION = 164, "Start_encryption";
    /// MariaDB: a statement whose text is compressed.
    MARIADB_QUERY_COMPRESSED = 165, "Query_compressed";
    /// MariaDB: inserted rows, version 1, compressed.
    MARIADB_WRITE_ROWS_COMPRESSED_V1 = 166, "Write_rows_compressed_v1";
    /// MariaDB: updated rows, version 1, compressed.
    MARIADB_UPDATE_ROWS_COMPRESSED_V1 = 167, "Update_rows_compressed_v1";
    /// MariaDB: deleted rows, version 1, compressed.
    MARIADB_DELETE_ROWS_COMPRESSED_V1 = 168, "Delete_rows_compressed_v1";
    /// MariaDB: inserted rows, version 2, compressed.
    MARIADB_WRITE_ROWS_COMPRESSED = 169, "Write_rows_compressed";
    /// MariaDB: updated rows, version 2, compressed.
    MARIADB_UPDATE_ROWS_COMPRESSED = 170, "Update_rows_compressed";
    /// MariaDB: deleted rows, version 2, compressed.
    MARIADB_DELETE_ROWS_COMPRESSED = 171, "Delete_rows_compressed";
}

impl EventType {
    /// True for the types that carry row changes, of any version or server.
    pub fn is_rows(self) -> bool {
        matches!(self.0, 20..=25 | 30..=32 | 39 | 166..=171)
    }

    /// True for the types that only MariaDB writes.
    pub fn is_mariadb(self) -> bool {
        matches!(self.0, 160..=171)
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => write!(f, "event type {}", self.0),
        }
    }
}

impl fmt::Debug for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(EventType::QUERY.to_string(), "Query");
        assert_eq!(EventType(99).to_string(), "event type 99");
        for kind in EventType::NAMED {
            assert!(kind.name().is_some());
            assert_eq!(
                EventType::NAMED
                    .iter()
                    .filter(|k| k.name() == kind.name())
                    .count(),
                1,
                "{kind}"
            );
        }
    }
}
