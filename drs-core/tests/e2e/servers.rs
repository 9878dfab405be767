//! The servers that all tests of this binary share; each test uses databases of its own.

use std::sync::OnceLock;

use drs_testkit::{Installation, Server, Version};
use mysql::{Conn, prelude::Queryable};

pub(crate) fn start(version: Version, id: u32, gtid: bool, local_infile: bool) -> Server {
    let installation = Installation::find_or_fetch(version).unwrap();
    Server::builder(&installation)
        .in_memory(true)
        .server_id(id)
        .gtid(gtid)
        .local_infile(local_infile)
        .buffer_pool_mib(96)
        // A task by GTID has the source read its last file from the beginning.
        .option("--max-binlog-size=4M")
        .start()
        .unwrap()
}

/// MySQL 9.7 with GTIDs, which takes no LOAD DATA LOCAL.
pub(crate) fn gtid97() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| start(Version::MySql97, 971, true, false))
}

/// MySQL 9.7 without GTIDs, which takes LOAD DATA LOCAL.
pub(crate) fn plain97() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| start(Version::MySql97, 972, false, true))
}

/// MySQL 9.7 with about every setting that new sessions take over at another value than usual.
pub(crate) fn odd97() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let server = start(Version::MySql97, 973, true, true);
        let mut conn = server.conn().unwrap();
        for setting in ODD_SETTINGS {
            conn.query_drop(format!("SET GLOBAL {setting}"))
                .unwrap_or_else(|error| panic!("{error}: {setting}"));
        }
        server
    })
}

const ODD_SETTINGS: &[&str] = &[
    "time_zone = '-05:00'",
    "explicit_defaults_for_timestamp = OFF",
    "character_set_server = latin1",
    "character_set_client = latin1",
    "character_set_results = latin1",
    "collation_connection = latin1_german2_ci",
    "default_collation_for_utf8mb4 = utf8mb4_general_ci",
    "autocommit = OFF",
    "completion_type = CHAIN",
    "transaction_isolation = 'SERIALIZABLE'",
    "transaction_read_only = ON",
    "sql_generate_invisible_primary_key = ON",
    "sql_require_primary_key = ON",
    "show_gipk_in_create_table_and_information_schema = OFF",
    "show_create_table_verbosity = ON",
    "sql_quote_show_create = OFF",
    "sql_auto_is_null = ON",
    "sql_safe_updates = ON",
    "sql_select_limit = 1",
    "sql_big_selects = OFF",
    "max_join_size = 1",
    "max_error_count = 0",
    "group_concat_max_len = 4",
    "div_precision_increment = 0",
    "default_week_format = 3",
    "lc_time_names = 'de_DE'",
    "foreign_key_checks = OFF",
    "unique_checks = OFF",
    "innodb_default_row_format = COMPACT",
    "auto_increment_increment = 7",
    "auto_increment_offset = 3",
    "binlog_rows_query_log_events = ON",
    "binlog_row_metadata = FULL",
    "sql_mode = 'ANSI,NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH,TRADITIONAL,NO_UNSIGNED_SUBTRACTION,HIGH_NOT_PRECEDENCE,TIME_TRUNCATE_FRACTIONAL'",
];

/// MySQL 9.7 whose InnoDB carries out foreign keys itself, as it did before 9.6.
pub(crate) fn native97() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let installation = Installation::find_or_fetch(Version::MySql97).unwrap();
        Server::builder(&installation)
            .in_memory(true)
            .server_id(975)
            .gtid(false)
            .local_infile(true)
            .buffer_pool_mib(96)
            .option("--innodb-native-foreign-keys=ON")
            .start()
            .unwrap()
    })
}

/// MySQL 5.6 without GTIDs, which takes LOAD DATA LOCAL.
pub(crate) fn plain56() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| start(Version::MySql56, 561, false, true))
}

/// MySQL 5.6 with GTIDs, which takes no LOAD DATA LOCAL.
pub(crate) fn gtid56() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| start(Version::MySql56, 562, true, false))
}

/// A session of root's with a lax `sql_mode`, in UTC.
pub(crate) fn session(server: &Server) -> Conn {
    let mut conn = server.conn().unwrap();
    for statement in [
        "SET NAMES utf8mb4",
        "SET sql_mode = 'ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO'",
        "SET time_zone = '+00:00', autocommit = 1, completion_type = 0, sql_auto_is_null = 0",
        "SET sql_safe_updates = 0, sql_big_selects = 1, sql_select_limit = 18446744073709551615, sql_quote_show_create = 1",
        "SET SESSION TRANSACTION READ WRITE",
    ] {
        conn.query_drop(statement).unwrap();
    }
    if conn.server_version() > (8, 0, 30) {
        conn.query_drop("SET sql_require_primary_key = 0, sql_generate_invisible_primary_key = 0, show_create_table_verbosity = 0, show_gipk_in_create_table_and_information_schema = 1")
            .unwrap();
    }
    conn
}

/// Runs statements that end in `;` at a line's end.
pub(crate) fn run(conn: &mut Conn, script: &str) {
    for statement in script.split(";\n") {
        if !statement.trim().is_empty() {
            conn.query_drop(statement)
                .unwrap_or_else(|error| panic!("{error}\n{statement}"));
        }
    }
}
