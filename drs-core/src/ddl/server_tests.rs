//! What real servers say: which tables a statement changes, and which sessions they can be given.
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use drs_binlog::{Query, QueryCharset, StatusVars};
use drs_testkit::{Installation, Server, Version};
use mysql::{Conn, prelude::Queryable};

use super::*;
use crate::dialect::ServerVersion;

fn server(version: Version) -> &'static Server {
    static SERVERS: [OnceLock<Server>; 3] = [const { OnceLock::new() }; 3];
    let slot = [Version::MySql97, Version::MySql56, Version::MariaDb1011]
        .iter()
        .position(|known| *known == version);
    SERVERS[slot.unwrap()].get_or_init(|| {
        let installation = Installation::find_or_fetch(version).unwrap();
        Server::builder(&installation)
            .in_memory(true)
            .start()
            .unwrap()
    })
}

fn on_each_server(test: impl Fn(&mut Conn, ServerVersion)) {
    for version in [Version::MySql97, Version::MySql56] {
        let mut conn = server(version).conn().unwrap();
        let version = ServerVersion::of(&mut conn).unwrap();
        test(&mut conn, version);
    }
}

/// Another connection to the server of this one's version.
fn fresh(version: ServerVersion) -> Conn {
    let is_old = !version.is_mysql_at_least(5, 7, 0);
    server(if is_old {
        Version::MySql56
    } else {
        Version::MySql97
    })
    .conn()
    .unwrap()
}

/// `SHOW CREATE TABLE` of every table of the test's databases.
fn tables(conn: &mut Conn, prefix: &str) -> BTreeMap<String, String> {
    let list =
        "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema LIKE ?";
    let names: Vec<(String, String)> = conn.exec(list, (format!("{prefix}%"),)).unwrap();
    let mut tables = BTreeMap::new();
    for (database, table) in names {
        let show = format!(
            "SHOW CREATE TABLE `{database}`.`{}`",
            table.replace('`', "``")
        );
        let row: mysql::Row = conn.query_first(show).unwrap().unwrap();
        tables.insert(format!("{database}.{table}"), row.get(1).unwrap());
    }
    tables
}

/// Statements that run one after the other; `$` stands for the test's databases `$d` (the default) and `$e`.
const SCRIPT: &[&str] = &[
    "CREATE TABLE p (id INT PRIMARY KEY) ENGINE=InnoDB",
    "CREATE TABLE $e.p (id INT PRIMARY KEY) ENGINE=InnoDB",
    "CREATE TABLE IF NOT EXISTS `a``b .c` (a INT, KEY (a)) COMMENT 'REFERENCES x, `y` '",
    "CREATE TABLE $e.1c (a INT, FOREIGN KEY f (a) REFERENCES p (id)) ENGINE=InnoDB",
    "CREATE TABLE 日本 LIKE `a``b .c`",
    "CREATE TABLE l (LIKE $e.1c)",
    "/*!50003 CREATE TABLE v (a INT, b INT) /* inner */ PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN (5)) */",
    "CREATE TABLE x (a INT, b INT)",
    "CREATE TABLE s SELECT 1 AS one",
    "ALTER TABLE v ADD PARTITION (PARTITION p1 VALUES LESS THAN (9))",
    "ALTER TABLE v COALESCE PARTITION 1",
    "ALTER TABLE v EXCHANGE PARTITION p0 WITH TABLE x",
    "ALTER TABLE x ADD COLUMN (c INT, d DECIMAL(5,2)), ADD INDEX (c)",
    "ALTER TABLE x CHANGE a aa INT, CHANGE b a INT",
    "ALTER TABLE x DROP COLUMN d, RENAME AS $e.y",
    "ALTER TABLE $e.y RENAME = x",
    "ALTER TABLE $e.y ENGINE=InnoDB RENAME x",
    "ALTER TABLE l ADD CONSTRAINT g FOREIGN KEY (a) REFERENCES p (id), RENAME TO $e.l",
    "CREATE UNIQUE INDEX i USING BTREE ON x (a)",
    "DROP INDEX i ON x",
    "ALTER TABLE x ADD PRIMARY KEY (c)",
    "DROP INDEX `PRIMARY` ON x",
    "RENAME TABLE x TO _x_del, s TO x",
    "RENAME TABLE x TO y, _x_del TO x, y TO _x_del",
    "RENAME TABLE 日本 TO $e.`日 本`, `a``b .c` TO 日本",
    "CREATE TABLE m1 (a INT) ENGINE=MyISAM",
    "CREATE TABLE m (a INT) ENGINE=MERGE UNION=(m1)",
    "ALTER TABLE m UNION=(m1, $d.m1)",
    "CREATE TEMPORARY TABLE tmp (a INT)",
    "DROP TEMPORARY TABLE tmp",
    "CREATE VIEW w AS SELECT * FROM x",
    "CREATE OR REPLACE ALGORITHM=MERGE DEFINER=CURRENT_USER SQL SECURITY INVOKER VIEW $e.w AS SELECT 1",
    "ALTER VIEW w AS SELECT 2",
    "RENAME TABLE w TO w2",
    "DROP VIEW w2, $e.w",
    "CREATE TRIGGER tr BEFORE INSERT ON x FOR EACH ROW SET @a = 1",
    "DROP TRIGGER tr",
    "CREATE PROCEDURE pr() BEGIN DROP TABLE x; END",
    "TRUNCATE x",
    "OPTIMIZE TABLE x",
    "ALTER DATABASE DEFAULT CHARACTER SET utf8",
    "ALTER DATABASE charset utf8",
    "DROP TABLES IF EXISTS m, $e.`日 本`, nothing",
    "DROP TABLE $e.l CASCADE",
    "DROP DATABASE $e",
];

#[test]
fn the_tables_that_change_are_the_ones_named() {
    on_each_server(|conn, version| {
        let prefix = "ddl_named_";
        let default = format!("{prefix}d");
        for database in ["d", "e"] {
            conn.query_drop(format!("CREATE DATABASE `{prefix}{database}`"))
                .unwrap();
        }
        conn.query_drop(format!("USE `{default}`")).unwrap();
        for statement in SCRIPT {
            let sql = statement.replace('$', prefix);
            let context = LexContext::new(45, SqlMode::default(), version, version, Some(&default));
            let classified = classify(sql.as_bytes(), &context);
            let before = tables(conn, prefix);
            let outcome = conn.query_drop(&sql);
            let after = tables(conn, prefix);
            let Err(error) = outcome else {
                check_change(&sql, &classified, &before, &after);
                continue;
            };
            // What a server refuses never is in its log; the other way round nothing is promised.
            assert_eq!(before, after, "{sql}: {error}");
        }
    });
}

fn check_change(
    sql: &str,
    statement: &Statement,
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
) {
    assert!(
        !matches!(statement.kind, StatementKind::Unknown { .. }),
        "{sql}: {:?}",
        statement.kind
    );
    let changed: BTreeSet<&String> = before
        .keys()
        .chain(after.keys())
        .filter(|table| before.get(*table) != after.get(*table))
        .collect();
    let dropped_database = statement
        .objects
        .iter()
        .find(|object| object.kind == ObjectKind::Database);
    let named: BTreeSet<String> = statement
        .changed()
        .filter_map(|object| Some(format!("{}.{}", object.database.as_ref()?, object.name)))
        .collect();
    for table in &changed {
        let in_database = dropped_database
            .is_some_and(|database| table.starts_with(&format!("{}.", database.name)));
        // A trigger, or a child's constraint, may show in another table than the one that is named.
        assert!(
            in_database || named.contains(*table),
            "{sql} changed {table}, named are {named:?}"
        );
    }
    let is_seen = statement.repeat == Repeat::Visible
        && statement.kind.is_table_ddl()
        && !matches!(
            statement.kind,
            StatementKind::CreateTable {
                temporary: true,
                ..
            } | StatementKind::DropTable { temporary: true }
        );
    assert!(!is_seen || !changed.is_empty(), "{sql} should show");
}

#[test]
fn a_session_is_what_was_asked_for() {
    on_each_server(|conn, version| {
        let rows: Vec<(String, String)> = conn.query(DestinationSession::VARIABLES).unwrap();
        let variables = rows
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let session = DestinationSession::from_variables(version, variables);
        let source = SourceDefaults {
            version,
            explicit_defaults_for_timestamp: None,
            system_time_zone: None,
        };
        for (client, connection, server, name) in [
            (8, 48, 47, "latin1"),
            (33, 33, 8, "utf8"),
            (13, 88, 11, "sjis"),
            (45, 46, 63, "utf8mb4"),
            (63, 63, 63, "binary"),
        ] {
            let status = StatusVars {
                flags2: Some(StatusVars::NO_FOREIGN_KEY_CHECKS),
                sql_mode: Some(SqlMode::ANSI_QUOTES.0 | 1 << 21 | 1 << 28),
                charset: Some(QueryCharset {
                    client,
                    connection,
                    server,
                }),
                auto_increment: Some((5, 3)),
                lc_time_names: Some(4),
                time_zone: Some(b"+03:30"),
                microseconds: Some(7),
                charset_database: Some(server),
                default_collation_for_utf8mb4: Some(45),
                ..StatusVars::default()
            };
            let query = Query {
                thread_id: 1,
                exec_time_s: 0,
                error_code: 0,
                status,
                schema: b"",
                query: b"",
            };
            let context = SessionContext::of_query(&query, 1_700_000_000, &source).unwrap();
            let mut conn = fresh(version);
            conn.query_drop(context.set_statement(&session).unwrap())
                .unwrap();
            let id = |variable: &str| {
                format!(
                    "(SELECT id FROM information_schema.collations WHERE collation_name = @@{variable})"
                )
            };
            let select = format!(
                "SELECT CONCAT_WS(' ', REPLACE(@@character_set_client, 'utf8mb3', 'utf8'), {}, {}, @@foreign_key_checks, \
                @@unique_checks, @@auto_increment_increment, @@auto_increment_offset, @@lc_time_names, \
                @@time_zone, @@timestamp, @@sql_mode)",
                id("collation_connection"),
                id("collation_server"),
            );
            let read: String = conn.query_first(select).unwrap().unwrap();
            let mode = if version.is_mysql_at_least(8, 0, 0) {
                ""
            } else {
                ",NO_AUTO_CREATE_USER"
            };
            assert_eq!(
                read,
                format!(
                    "{name} {connection} {server} 0 1 5 3 de_DE +03:30 1700000000.000007 \
                    ANSI_QUOTES,STRICT_TRANS_TABLES{mode}"
                )
            );
        }
    });
}

#[test]
fn character_sets_are_the_servers() {
    for version in [Version::MySql97, Version::MySql56, Version::MariaDb1011] {
        let mut conn = server(version).conn().unwrap();
        // MariaDB has collations that fit several character sets, each pair with an id in this view.
        let view = match version {
            Version::MariaDb1011 => "collation_character_set_applicability",
            _ => "collations",
        };
        let select = format!("SELECT id, character_set_name FROM information_schema.{view}");
        let rows: Vec<(Option<u16>, Option<String>)> = conn.query(select).unwrap();
        for (id, name) in rows {
            let (Some(id), Some(name)) = (id, name) else {
                continue;
            };
            let expected = charset_named(&name);
            let read = ClientCharset::of_collation(id);
            let is_left_out = version == Version::MariaDb1011 && read == ClientCharset::Unsupported;
            assert!(read == expected || is_left_out, "{id} {name}: {read:?}");
            assert!(
                !is_left_out || expected != ClientCharset::Utf8,
                "{id} {name}"
            );
        }
    }
}

fn charset_named(name: &str) -> ClientCharset {
    match name {
        "utf8" | "utf8mb3" | "utf8mb4" => ClientCharset::Utf8,
        "ascii" => ClientCharset::Ascii,
        "latin1" => ClientCharset::Latin1,
        "binary" => ClientCharset::Binary,
        "big5" => ClientCharset::Big5,
        "sjis" | "cp932" => ClientCharset::Sjis,
        "gbk" => ClientCharset::Gbk,
        "gb2312" => ClientCharset::Gb2312,
        "gb18030" => ClientCharset::Gb18030,
        "euckr" => ClientCharset::EucKr,
        "ujis" | "eucjpms" => ClientCharset::Ujis,
        "swe7" | "ucs2" | "utf16" | "utf16le" | "utf32" => ClientCharset::Unsupported,
        _ => ClientCharset::SingleByte,
    }
}

#[test]
fn a_statement_in_any_character_set_can_be_sent() {
    // 0xbf5c is one character of GBK, whose second byte is a backslash; 0xe9 is a letter of latin1.
    let cases: [(u16, &[u8], &str); 2] =
        [(28, b"\xb0\xa1\xbf\x5c", "啊縗"), (8, b"caf\xe9", "café")];
    on_each_server(|conn, version| {
        conn.query_drop("CREATE DATABASE ddl_sent").unwrap();
        for (collation, comment, expected) in cases {
            let mut conn = fresh(version);
            let sql = [b"CREATE TABLE ddl_sent.t (a INT COMMENT '", comment, b"')"].concat();
            conn.query_drop(format!(
                "SET character_set_client = {collation}, collation_connection = {collation}"
            ))
            .unwrap();
            for statement in as_prepared(&sql) {
                conn.query_drop(statement).unwrap();
            }
            let mut conn = fresh(version);
            let select = "SELECT column_comment FROM information_schema.columns WHERE table_schema = 'ddl_sent'";
            let read: Option<String> = conn.query_first(select).unwrap();
            assert_eq!(read.as_deref(), Some(expected));
            conn.query_drop("DROP TABLE ddl_sent.t").unwrap();
        }
    });
}

/// Where strings, names and comments end is what the server says.
///
/// A row of nothing but strings is one string to the server, and one name after it an alias;
/// anything else that the pieces below can make up is an error.
#[test]
fn quotes_and_comments_end_where_the_servers_do() {
    const PIECES: &[&[u8]] = &[
        b"'",
        b"'",
        b"'",
        b"\"",
        b"`",
        b"\\",
        b"/*",
        b"*/",
        b"/*!50003 ",
        b"/*!99999 ",
        b" ",
        b"-- ",
        b"#",
        b"\n",
        b"a",
        b"\x83\x5c",
        b"\xbf\x5c",
        b"\xbf",
        b"\xc3\xa9",
        b"\x81\x60",
    ];
    on_each_server(|_, version| {
        let mut conn = fresh(version);
        let mut random: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut below = |n: usize| {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) as usize % n
        };
        let mut accepted = 0;
        for round in 0..4_000 {
            let collation = [45, 8, 13, 28][round % 4];
            let mode = SqlMode([0, 4, 1 << 20, 4 | 1 << 20][round / 4 % 4]);
            let mut sql = b"SELECT 'x' ".to_vec();
            for _ in 0..=below(9) {
                sql.extend_from_slice(PIECES[below(PIECES.len())]);
            }
            let hex: String = sql.iter().map(|byte| format!("{byte:02x}")).collect();
            conn.query_drop(format!(
                "SET character_set_client = {collation}, collation_connection = {collation}, sql_mode = {}",
                mode.0
            ))
            .unwrap();
            conn.query_drop(format!("SET @statement = X'{hex}'"))
                .unwrap();
            let outcome = conn.query_drop("PREPARE s FROM @statement");
            let rules = LexContext::new(collation, mode, version, version, None).rules;
            let Some(expected) = is_row_of_strings(&sql, rules) else {
                continue;
            };
            let text = String::from_utf8_lossy(&sql);
            assert_eq!(
                outcome.is_ok(),
                expected,
                "{collation} {mode:?} {text:?} {hex} {outcome:?}"
            );
            accepted += usize::from(expected);
        }
        assert!(accepted > 400, "{accepted}");
    });
}

/// `None` if there are operators, which may make an expression, or bytes that servers differ about.
fn is_row_of_strings(sql: &[u8], rules: LexRules) -> Option<bool> {
    let mut lexer = Lexer::new(sql, rules);
    let mut kinds = Vec::new();
    while kinds.last() != Some(&TokenKind::End) {
        kinds.push(lexer.token().kind);
    }
    if kinds
        .iter()
        .any(|kind| matches!(kind, TokenKind::Punct(_) | TokenKind::Invalid))
    {
        return None;
    }
    kinds.retain(|kind| {
        use TokenKind::{CodeClose, CodeOpen, Comment, SkippedCode, Space};
        !matches!(kind, Space | Comment | SkippedCode | CodeOpen | CodeClose)
    });
    let strings = kinds
        .iter()
        .skip(1)
        .take_while(|kind| **kind == TokenKind::Text)
        .count();
    let rest = kinds.get(1 + strings..).unwrap_or_default();
    Some(matches!(
        rest,
        [TokenKind::End] | [TokenKind::Word | TokenKind::Quoted, TokenKind::End]
    ))
}

/// What `ALTER TABLE` leaves of a table's columns, as the server has them afterwards.
#[test]
fn columns_after_a_statement_are_the_servers() {
    const STATEMENTS: [&str; 23] = [
        "ADD COLUMN a INT",
        "ADD b INT FIRST, ADD COLUMN (c INT, d INT COMMENT 'x, FIRST'), ADD KEY (b)",
        "CHANGE a A2 BIGINT AFTER c",
        "MODIFY COLUMN b BIGINT AFTER d, ENGINE=InnoDB",
        "DROP c",
        "DROP COLUMN d, ADD COLUMN e ENUM('a,', 'AFTER id') NOT NULL DEFAULT 'a,' AFTER id",
        "ADD f INT, DROP b, ADD g INT AFTER f",
        "CHANGE f f2 INT FIRST, ADD COLUMN h INT AFTER f2",
        "ADD UNIQUE KEY u (h), ADD CONSTRAINT k UNIQUE (g), ALTER COLUMN g SET DEFAULT 3",
        "DROP KEY u, DROP INDEX k, COMMENT='DROP h, ADD x INT'",
        "ADD `odd , name` INT AFTER `A2`, CHANGE COLUMN `e` `first` INT",
        "MODIFY g INT NOT NULL DEFAULT 7 FIRST, MODIFY h INT FIRST",
        "DROP PRIMARY KEY, ADD PRIMARY KEY (id, g), ORDER BY id",
        "ADD COLUMN i INT NULL FIRST, DROP `odd , name`, RENAME TO alter_columns.u",
        "RENAME TO alter_columns.t, CHANGE i `after` INT AFTER g",
        "CONVERT TO CHARACTER SET utf8, ADD j VARCHAR(3) DEFAULT ')' AFTER `after`",
        // Names that change hands within one statement.
        "ADD x INT, ADD y INT, ADD z INT",
        "CHANGE x y INT, CHANGE y x INT",
        "CHANGE x y INT, CHANGE y z INT, CHANGE z x INT",
        "DROP x, CHANGE y x INT, ADD y INT AFTER x",
        "CHANGE x z INT FIRST, CHANGE z x INT AFTER y",
        "CHANGE x y INT AFTER z, CHANGE y x INT FIRST, ADD w INT AFTER y",
        "MODIFY y INT FIRST, ADD v INT FIRST, DROP w, ADD w INT",
    ];
    on_each_server(|conn, version| {
        conn.query_drop("DROP DATABASE IF EXISTS alter_columns")
            .unwrap();
        conn.query_drop("CREATE DATABASE alter_columns").unwrap();
        conn.query_drop("CREATE TABLE alter_columns.t (id INT PRIMARY KEY)")
            .unwrap();
        let context = LexContext::new(255, SqlMode::default(), version, version, None);
        let mut columns = vec!["id".to_owned()];
        let mut table = "t";
        for change in STATEMENTS {
            let statement = format!("ALTER TABLE alter_columns.{table} {change}");
            conn.query_drop(&statement).unwrap();
            table = if change.contains("alter_columns.u") {
                "u"
            } else {
                "t"
            };
            columns = columns_after(statement.as_bytes(), &context, &columns).unwrap();
            let there: Vec<String> = conn
                .exec(
                    "SELECT COLUMN_NAME FROM information_schema.COLUMNS \
                     WHERE TABLE_SCHEMA = 'alter_columns' ORDER BY ORDINAL_POSITION",
                    (),
                )
                .unwrap();
            assert_eq!(columns, there, "{version}: {statement}");
        }
    });
}
