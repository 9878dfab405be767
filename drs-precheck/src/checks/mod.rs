//! The checks, by what they look at.

mod account;
mod binlog;
mod connection;
mod identity;
mod privileges;
mod remedy;
mod replication;
mod retention;
mod scope;
mod session_privileges;
mod sessions;
mod start_point;
#[cfg(test)]
mod tests;
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
    &account::DESTINATION_LIMITS,
    &account::DESTINATION_LOCKOUT,
    &account::DESTINATION_PASSWORD,
    &sessions::DESTINATION_SESSIONS,
    &replication::DESTINATION_WRITABLE,
    &replication::DESTINATION_REPLICATION,
    &versions::VERSION_ORDER,
    &identity::SERVER_IDS_DIFFER,
    &identity::SERVER_UUIDS_DIFFER,
];
