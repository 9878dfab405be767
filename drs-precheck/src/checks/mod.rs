//! The checks, by what they look at.

mod account;
mod binlog;
mod catch_up;
mod collations;
mod connection;
mod copy_binlog;
mod databases;
mod destination;
mod foreign_keys;
mod identity;
mod name_case;
mod names;
mod parameters;
mod present;
mod privileges;
mod programs;
mod remedy;
mod replication;
mod resume_point;
mod retention;
mod row_formats;
mod rules;
mod scope;
mod selection;
mod session_privileges;
mod sessions;
mod sizes;
mod sql_mode;
mod start_point;
mod structures;
mod tables;
mod tasks;
#[cfg(test)]
mod tests;
mod time;
mod tls;
mod transactions;
mod versions;

use crate::Check;

/// All checks, in the order of the report within each group.
pub const CHECKS: &[&Check] = &[
    &connection::SOURCE_CONNECTION,
    &tls::SOURCE_TLS,
    &tls::SOURCE_CERTIFICATE,
    &tls::SOURCE_ACCOUNT_TLS,
    &versions::SOURCE_VERSION,
    &privileges::SOURCE_PRIVILEGES,
    &account::SOURCE_LIMITS,
    &account::SOURCE_LOCKOUT,
    &account::SOURCE_PASSWORD,
    &sessions::SOURCE_SESSIONS,
    &binlog::LOG_BIN,
    &binlog::BINLOG_FORMAT,
    &binlog::BINLOG_ROW_IMAGE,
    &binlog::BINLOG_ROW_VALUE_OPTIONS,
    &binlog::BINLOG_COMPRESSION,
    &binlog::BINLOG_CHECKSUM,
    &retention::LOG_RETENTION,
    &binlog::LOG_REPLICA_UPDATES,
    &replication::SOURCE_REPLICATION,
    &identity::SERVER_ID,
    &identity::GTID_MODE,
    &identity::REPLICA_IDS,
    &start_point::START_POINT,
    &transactions::LONG_TRANSACTIONS,
    &transactions::PREPARED_TRANSACTIONS,
    &connection::DESTINATION_CONNECTION,
    &tls::DESTINATION_TLS,
    &tls::DESTINATION_CERTIFICATE,
    &tls::DESTINATION_ACCOUNT_TLS,
    &versions::DESTINATION_VERSION,
    &privileges::DESTINATION_PRIVILEGES,
    &privileges::CHECKPOINT_PRIVILEGES,
    &privileges::INDEX_PRIVILEGE,
    &privileges::TRIGGER_PRIVILEGE,
    &session_privileges::PROGRAM_PRIVILEGES,
    &session_privileges::DEFINER_PRIVILEGE,
    &session_privileges::SESSION_PRIVILEGE,
    &copy_binlog::COPY_BINLOG,
    &account::DESTINATION_LIMITS,
    &account::DESTINATION_LOCKOUT,
    &account::DESTINATION_PASSWORD,
    &sessions::DESTINATION_SESSIONS,
    &replication::DESTINATION_WRITABLE,
    &replication::DESTINATION_REPLICATION,
    &sizes::PACKET_SIZE,
    &sizes::DISK_SPACE,
    &destination::LOCAL_INFILE,
    &destination::STORAGE_ENGINES,
    &destination::FUNCTION_CREATORS,
    &present::TRIGGERS,
    &present::FOREIGN_KEYS,
    &selection::SELECTION,
    &names::DATABASE_NAMES,
    &names::TABLE_NAMES,
    &names::MAPPED_NAMES,
    &tables::ENGINES,
    &tables::MYISAM_TABLES,
    &tables::TABLES_WITHOUT_KEY,
    &tables::COLUMN_TYPES,
    &tables::ENUM_LABELS,
    &tables::GENERATED_COLUMNS,
    &tables::EXPRESSION_KEYS,
    &tables::PARTITIONS,
    &collations::COLLATIONS,
    &collations::KEY_COLLATIONS,
    &row_formats::ROW_FORMATS,
    &row_formats::KEY_LENGTHS,
    &foreign_keys::FOREIGN_KEY_PARENTS,
    &foreign_keys::FOREIGN_KEY_CHILDREN,
    &foreign_keys::CASCADES,
    &foreign_keys::FOREIGN_KEY_INDEXES,
    &programs::MAPPED_PROGRAMS,
    &programs::DEPENDENCIES,
    &programs::DEFINERS,
    &programs::READABLE_DEFINITIONS,
    &programs::TRIGGERS,
    &programs::EVENTS,
    &rules::RULES,
    &versions::VERSION_ORDER,
    &identity::SERVER_IDS_DIFFER,
    &identity::SERVER_UUIDS_DIFFER,
    &parameters::SERVER_CHARACTER_SET,
    &parameters::SERVER_COLLATION,
    &databases::DATABASE_CHARACTER_SET,
    &time::TIME_ZONE,
    &time::CLOCKS,
    &sql_mode::SQL_MODE,
    &sql_mode::ENGINE_SUBSTITUTION,
    &name_case::NAME_CASE,
    &name_case::MERGED_TABLES,
    &parameters::TRANSACTION_ISOLATION,
    &parameters::GROUP_CONCAT_MAX_LEN,
    &parameters::EXPLICIT_DEFAULTS,
    &parameters::BLOCK_ENCRYPTION_MODE,
    &parameters::DEFAULT_STORAGE_ENGINE,
    &parameters::DEFAULT_TABLE_ENCRYPTION,
    &parameters::INNODB_STRICT_MODE,
    &parameters::INNODB_PAGE_SIZE,
    &structures::MISSING_TABLES,
    &structures::TABLE_STRUCTURES,
    &structures::EXTRA_COLUMNS,
    &present::EXISTING_ROWS,
    &present::KEYLESS_TABLES,
    &tasks::SHARED_TABLES,
    &tasks::SAME_OBJECTS,
    &tasks::TASK_SOURCE,
    &tasks::TASK_SETTINGS,
    &resume_point::RESUME_POINT,
    &catch_up::CATCH_UP,
];
