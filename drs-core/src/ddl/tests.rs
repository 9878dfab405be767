//! Statements in all their forms, and what they are taken for.
use proptest::prelude::*;

use super::*;
use crate::dialect::{Flavor, ServerVersion};

const MYSQL_9_7: ServerVersion = ServerVersion {
    flavor: Flavor::MySql,
    number: (9, 7, 4),
};
const MYSQL_5_6: ServerVersion = ServerVersion {
    flavor: Flavor::MySql,
    number: (5, 6, 24),
};
const MARIADB: ServerVersion = ServerVersion {
    flavor: Flavor::MariaDb,
    number: (10, 11, 18),
};

const UTF8MB4: u16 = 255;
const LATIN1: u16 = 8;
const SJIS: u16 = 13;
const GBK: u16 = 28;
const SWE7: u16 = 10;
const UCS2: u16 = 35;

fn context(collation: u16, sql_mode: SqlMode, version: ServerVersion) -> LexContext<'static> {
    LexContext::new(collation, sql_mode, version, version, Some("d"))
}

fn read(sql: &[u8]) -> Statement {
    classify(sql, &context(UTF8MB4, SqlMode::default(), MYSQL_9_7))
}

/// One line for a statement: kind, then `role:database.name` (the default database in parentheses), names, repeat.
fn line(sql: &[u8], statement: &Statement) -> String {
    let mut line = match &statement.kind {
        StatementKind::CreateTable {
            temporary,
            columns,
            start_transaction,
        } => {
            let suffix =
                start_transaction.map(|span| String::from_utf8_lossy(span.of(sql)).into_owned());
            format!(
                "CreateTable {columns:?}{}{}",
                if *temporary { " temporary" } else { "" },
                suffix.map(|s| format!(" [{s}]")).unwrap_or_default()
            )
        }
        StatementKind::DropTable { temporary: true } => "DropTable temporary".to_owned(),
        StatementKind::DropTable { temporary: false } => "DropTable".to_owned(),
        StatementKind::Program(action, kind) => format!("{action:?} {kind:?}"),
        StatementKind::Dml(kind) => format!("{kind:?}"),
        StatementKind::Unknown { .. } => "Unknown".to_owned(),
        kind => format!("{kind:?}"),
    };
    for object in &statement.objects {
        let database = match (&object.database, object.database_span) {
            _ if object.kind == ObjectKind::Database => String::new(),
            (None, _) => "-.".to_owned(),
            (Some(database), None) => format!("({database})."),
            (Some(database), Some(_)) => format!("{database}."),
        };
        line.push_str(&format!(" {:?}:{database}{}", object.role, object.name));
    }
    let has_ddl_rules = !matches!(
        statement.kind,
        StatementKind::Unknown { .. }
            | StatementKind::Account
            | StatementKind::Other(_)
            | StatementKind::Empty
    ) && !statement.kind.is_transaction_control();
    if has_ddl_rules {
        line.push_str(&format!(" | {:?} {:?}", statement.names, statement.repeat));
    }
    line
}

fn check(cases: &[(&str, &str)], context: &LexContext<'_>) {
    for (sql, expected) in cases {
        let statement = classify(sql.as_bytes(), context);
        assert_eq!(
            line(sql.as_bytes(), &statement),
            *expected,
            "{sql}\n{:?}",
            statement.kind
        );
        check_spans(sql.as_bytes(), &statement);
    }
}

/// Each span holds the name that was read from it.
fn check_spans(sql: &[u8], statement: &Statement) {
    for object in &statement.objects {
        for (name, span) in [
            (&object.name, Some(object.name_span)),
            (
                object.database.as_ref().unwrap_or(&object.name),
                object.database_span,
            ),
        ] {
            let Some(span) = span.filter(|span| span.start < span.end) else {
                continue;
            };
            let text = String::from_utf8_lossy(span.of(sql)).into_owned();
            let inner = match text.chars().next() {
                Some('`') => text[1..text.len() - 1].replace("``", "`"),
                Some('"') => text[1..text.len() - 1].replace("\"\"", "\""),
                _ => text,
            };
            assert_eq!(&inner, name);
        }
    }
}

#[test]
fn statements_of_all_kinds() {
    let unescape = |text: &str| text.replace("\\n", "\n").replace("\\t", "\t");
    let cases: Vec<_> = include_str!("cases.txt")
        .lines()
        .filter_map(|line| line.split_once(" => "))
        .map(|(sql, expected)| (unescape(sql), unescape(expected)))
        .collect();
    assert!(cases.len() > 200);
    let cases: Vec<_> = cases
        .iter()
        .map(|(sql, expected)| (sql.as_str(), expected.as_str()))
        .collect();
    check(&cases, &context(UTF8MB4, SqlMode::default(), MYSQL_9_7));
}

#[test]
fn xa_statements_carry_their_identifier() {
    let xid = |gtrid: &[u8], bqual: &[u8], format_id| Xid {
        gtrid: gtrid.into(),
        bqual: bqual.into(),
        format_id,
    };
    for (sql, action, expected) in [
        (
            "XA START X'61',X'62',7",
            XaAction::Start,
            xid(b"a", b"b", 7),
        ),
        ("XA BEGIN 'a' RESUME", XaAction::Start, xid(b"a", b"", 1)),
        ("XA END X'61',X'',1", XaAction::End, xid(b"a", b"", 1)),
        (
            "xa end 'a' suspend for migrate",
            XaAction::End,
            xid(b"a", b"", 1),
        ),
        (
            "XA PREPARE X'0aFF',X'00',4294967295",
            XaAction::Prepare,
            xid(b"\x0a\xff", b"\0", u32::MAX),
        ),
        (
            "XA COMMIT X'61',X'62',1",
            XaAction::Commit,
            xid(b"a", b"b", 1),
        ),
        (
            "XA COMMIT X'61',X'62',0x10 ONE PHASE",
            XaAction::CommitOnePhase,
            xid(b"a", b"b", 16),
        ),
        (
            "XA ROLLBACK 0x616, 'it''s \\n'",
            XaAction::Rollback,
            xid(b"\x06\x16", b"it's \n", 1),
        ),
    ] {
        assert_eq!(
            read(sql.as_bytes()).kind,
            StatementKind::Xa(action, expected),
            "{sql}"
        );
    }
    let long = format!("XA COMMIT '{}'", "x".repeat(65));
    for sql in [
        "XA COMMIT",
        "XA COMMIT a",
        "XA COMMIT X'61',X'62',-1",
        "XA COMMIT X'6",
        "XA COMMIT 'a' 'b'",
        &long,
    ] {
        assert!(
            matches!(read(sql.as_bytes()).kind, StatementKind::Unknown { .. }),
            "{sql}"
        );
    }
}

#[test]
fn accounts_and_maintenance_name_no_objects() {
    for sql in [
        "CREATE USER 'u'@'%' IDENTIFIED WITH 'caching_sha2_password' AS '$A$005$'",
        "ALTER USER u ACCOUNT LOCK",
        "DROP USER IF EXISTS u",
        "RENAME USER a TO b",
        "CREATE ROLE r",
        "DROP ROLE r",
        "GRANT ALL ON *.* TO u",
        "REVOKE r FROM u",
        "SET PASSWORD FOR 'a'@'b'='x'",
        "SET DEFAULT ROLE ALL TO u",
        "SET ROLE NONE",
    ] {
        assert_eq!(read(sql.as_bytes()).kind, StatementKind::Account, "{sql}");
    }

    for sql in [
        "FLUSH PRIVILEGES",
        "FLUSH LOGS",
        "PURGE BINARY LOGS TO 'x'",
        "CACHE INDEX t IN hot",
        "RESET BINARY LOGS AND GTIDS",
    ] {
        assert_eq!(
            read(sql.as_bytes()).kind,
            StatementKind::Maintenance,
            "{sql}"
        );
    }
}

#[test]
fn comments_and_code_for_some_servers() {
    let t = "DropTable Dropped:(d).t | All Visible";
    let t_u = "DropTable Dropped:(d).t Dropped:(d).u | All Visible";
    // The source, the destination, and whether they differ about what is code.
    let cases: &[(&str, ServerVersion, ServerVersion, &str, bool)] = &[
        ("/*!50003 DROP TABLE t */", MYSQL_9_7, MYSQL_9_7, t, false),
        (
            "/* a */ -- b\n# c\nDROP/**/TABLE/*!t*/",
            MYSQL_9_7,
            MYSQL_9_7,
            t,
            false,
        ),
        ("--\tx\nDROP TABLE t", MYSQL_9_7, MYSQL_9_7, t, false),
        (
            "/*!50003 DROP /* nested */ TABLE t */ ;",
            MYSQL_9_7,
            MYSQL_9_7,
            t,
            false,
        ),
        (
            "DROP TABLE t /*!80000 , u */",
            MYSQL_5_6,
            MYSQL_5_6,
            t,
            false,
        ),
        (
            "DROP TABLE t /*!80000 , u */",
            MYSQL_9_7,
            MYSQL_9_7,
            t_u,
            false,
        ),
        (
            "DROP TABLE t /*!99999 /* , */ u */",
            MYSQL_9_7,
            MYSQL_9_7,
            t,
            false,
        ),
        (
            "DROP TABLE t /* 99999 (* x *) , u */",
            MYSQL_9_7,
            MYSQL_9_7,
            t,
            false,
        ),
        (
            "DROP TABLE t /*!100000 , u */",
            MYSQL_9_7,
            MYSQL_9_7,
            t,
            false,
        ),
        (
            "DROP TABLE t /*!100000 , u */",
            MARIADB,
            MARIADB,
            t_u,
            false,
        ),
        (
            "DROP TABLE t /*M!100000 , u */",
            MARIADB,
            MARIADB,
            t_u,
            false,
        ),
        (
            "DROP TABLE t /*M!100000 , u */",
            MYSQL_9_7,
            MYSQL_9_7,
            t,
            false,
        ),
        ("DROP TABLE t /*!50701 , u */", MARIADB, MARIADB, t, false),
        (
            "DROP TABLE t /*!506241 */",
            MYSQL_5_6,
            MYSQL_5_6,
            "Unknown",
            false,
        ),
        ("DROP TABLE t /*+ hint */", MYSQL_9_7, MYSQL_9_7, t, false),
        (
            "DROP TABLE t /*!50003 , u",
            MYSQL_9_7,
            MYSQL_9_7,
            "Unknown",
            false,
        ),
        (
            "DROP TABLE t /* , u",
            MYSQL_9_7,
            MYSQL_9_7,
            "Unknown",
            false,
        ),
        ("DROP TABLE t */", MYSQL_9_7, MYSQL_9_7, "Unknown", false),
        ("DROP TABLE t --u", MYSQL_9_7, MYSQL_9_7, "Unknown", false),
        (
            "DROP TABLE t /*!80000 , u */",
            MYSQL_9_7,
            MYSQL_5_6,
            t_u,
            true,
        ),
        (
            "DROP TABLE t /*!50003 , u */",
            MYSQL_5_6,
            MYSQL_9_7,
            t_u,
            false,
        ),
        ("DROP TABLE t /*! , u */", MYSQL_5_6, MYSQL_9_7, t_u, false),
        (
            "DROP TABLE t /*!80000 , u */",
            MYSQL_5_6,
            MYSQL_9_7,
            t,
            true,
        ),
        (
            "DROP TABLE t /*!506240 , u */",
            MYSQL_9_7,
            MYSQL_5_6,
            t,
            true,
        ),
        (
            "DROP TABLE t /*M!100000 , u */",
            MARIADB,
            MYSQL_9_7,
            t_u,
            true,
        ),
        (
            "DROP TABLE t /*!50701 , u */",
            MYSQL_9_7,
            MARIADB,
            t_u,
            true,
        ),
        ("DROP TABLE t /* x */", MARIADB, MYSQL_9_7, t, false),
    ];
    for (sql, source, destination, expected, differ) in cases {
        let context = LexContext::new(
            UTF8MB4,
            SqlMode::default(),
            *source,
            *destination,
            Some("d"),
        );
        let statement = classify(sql.as_bytes(), &context);
        assert_eq!(line(sql.as_bytes(), &statement), *expected, "{sql}");
        assert_eq!(statement.leaves_out_code, *differ, "{sql}");
    }
}

#[test]
fn the_session_decides_what_quotes_mean() {
    let both = SqlMode(SqlMode::ANSI_QUOTES.0 | SqlMode::NO_BACKSLASH_ESCAPES.0);
    let cases: &[(&str, SqlMode, &str)] = &[
        ("DROP TABLE \"t\"", SqlMode::default(), "Unknown"),
        (
            "DROP TABLE \"a\"\"b\".\"c\\\"",
            SqlMode::ANSI_QUOTES,
            "DropTable Dropped:a\"b.c\\ | All Visible",
        ),
        (
            "CREATE TABLE t (a INT COMMENT 'it\\'s, REFERENCES x')",
            SqlMode::default(),
            "CreateTable Listed Created:(d).t | All Visible",
        ),
        (
            "CREATE TABLE t (a INT COMMENT 'x\\', b INT REFERENCES x)",
            SqlMode::NO_BACKSLASH_ESCAPES,
            "CreateTable Listed Created:(d).t Referenced:(d).x | All Visible",
        ),
        (
            "CREATE TABLE t (a INT COMMENT 'x\\', b INT REFERENCES x)",
            SqlMode::default(),
            "Unknown",
        ),
        (
            "ALTER TABLE \"t\" RENAME \"u\"",
            both,
            "AlterTable RenamedFrom:(d).t RenamedTo:(d).u | All Visible",
        ),
    ];
    for (sql, sql_mode, expected) in cases {
        let statement = classify(sql.as_bytes(), &context(UTF8MB4, *sql_mode, MYSQL_9_7));
        assert_eq!(line(sql.as_bytes(), &statement), *expected, "{sql}");
    }
}

#[test]
fn the_character_set_decides_what_a_byte_means() {
    let cases: &[(u16, &[u8], &str)] = &[
        (
            LATIN1,
            b"DROP TABLE \xe9t\xe9",
            "DropTable Dropped:(d).été | All Visible",
        ),
        (
            LATIN1,
            b"DROP TABLE\xa0t",
            "DropTable Dropped:(d).t | All Visible",
        ),
        (LATIN1, b"DROP TABLE t\xaa", "Unknown"),
        (UTF8MB4, b"DROP TABLE \xe9t", "Unknown"),
        (UTF8MB4, "DROP TABLE `😀`".as_bytes(), "Unknown"),
        // The second byte of these characters is a backslash or a backquote.
        (
            SJIS,
            b"CREATE TABLE t (a INT COMMENT '\x83\x5c')",
            "CreateTable Listed Created:(d).t | All Visible",
        ),
        (
            LATIN1,
            b"CREATE TABLE t (a INT COMMENT '\x83\x5c')",
            "Unknown",
        ),
        (
            GBK,
            b"CREATE TABLE t (`\xbf\x60` INT)",
            "CreateTable Listed Created:(d).t | All Visible",
        ),
        // A backslash takes one byte with it, so that the next one is a backslash again.
        (
            SJIS,
            b"CREATE TABLE t (a INT COMMENT '\\\x83\x5c')",
            "Unknown",
        ),
        (
            SJIS,
            b"CREATE TABLE t (a INT COMMENT '\\\x83\x5c'')",
            "CreateTable Listed Created:(d).t | All Visible",
        ),
        // A name that would have to be converted by tables this crate has not.
        (SJIS, b"DROP TABLE `\x83\x5c`", "Unknown"),
        (
            SJIS,
            b"DROP TABLE `t`",
            "DropTable Dropped:(d).t | All Visible",
        ),
        (SWE7, b"DROP TABLE `t`", "Unknown"),
        (
            SWE7,
            b"DROP TABLE t",
            "DropTable Dropped:(d).t | All Visible",
        ),
        (UCS2, b"BEGIN", "Begin"),
        (UCS2, b"DROP TABLE `t`", "Unknown"),
        (60000, b"DROP TABLE `t`", "Unknown"),
    ];
    for (collation, sql, expected) in cases {
        let statement = classify(sql, &context(*collation, SqlMode::default(), MYSQL_9_7));
        assert_eq!(
            line(sql, &statement),
            *expected,
            "{collation} {}",
            String::from_utf8_lossy(sql)
        );
    }
}

#[test]
fn without_a_default_database_names_have_none() {
    let context = LexContext::new(UTF8MB4, SqlMode::default(), MYSQL_9_7, MYSQL_9_7, Some(""));
    check(
        &[
            (
                "DROP TABLE t, e.u",
                "DropTable Dropped:-.t Dropped:e.u | All Visible",
            ),
            ("ALTER DATABASE DEFAULT CHARACTER SET latin1", "Unknown"),
        ],
        &context,
    );
}

#[test]
fn tokens_are_the_servers() {
    let kinds = |sql: &str| {
        let mut lexer = Lexer::new(
            sql.as_bytes(),
            context(UTF8MB4, SqlMode::default(), MYSQL_9_7).rules,
        );
        std::iter::from_fn(|| Some(lexer.token()).filter(|token| token.kind != TokenKind::End))
            .filter(|token| token.kind != TokenKind::Space)
            .map(|token| {
                format!(
                    "{:?}={}",
                    token.kind,
                    String::from_utf8_lossy(token.span.of(sql.as_bytes()))
                )
            })
            .collect::<Vec<_>>()
            .join(" ")
    };
    for (sql, expected) in [
        (
            "1 1.5 .5 1e5 1E-5 1e 1ea",
            "Number=1 Number=1.5 Number=.5 Number=1e5 Number=1E-5 Word=1e Word=1ea",
        ),
        (
            "0x1F 0x 0xg X'1f' 0b01 0b2 b'1' N'x'",
            "Hex=0x1F Word=0x Word=0xg Hex=X'1f' Bits=0b01 Word=0b2 Bits=b'1' Text=N'x'",
        ),
        (
            "a.1b `a`.1 a . b",
            "Word=a Punct(46)=. Name=1b Quoted=`a` Number=.1 Word=a Punct(46)=. Word=b",
        ),
        (
            "@a.b @`x` @@global.y u@h-1",
            "Punct(64)=@ Host=a.b Punct(64)=@ Quoted=`x` Punct(64)=@ Punct(64)=@ Name=global Punct(46)=. Name=y Word=u Punct(64)=@ Host=h Punct(45)=- Number=1",
        ),
        (
            "_utf8mb4'x' 'a''b' \"c\"",
            "Word=_utf8mb4 Text='x' Text='a''b' Text=\"c\"",
        ),
        (
            "a--b a-- b",
            "Word=a Punct(45)=- Punct(45)=- Word=b Word=a Comment=-- b",
        ),
        (
            "$a $$x'$$ $t$ $x$ $t$",
            "Word=$a Text=$$x'$$ Text=$t$ $x$ $t$",
        ),
        (
            "a /*! b */ c*/",
            "Word=a CodeOpen=/*! Word=b CodeClose=*/ Word=c Punct(42)=* Punct(47)=/",
        ),
        ("x'1g'", "Unterminated=x'1g'"),
    ] {
        assert_eq!(kinds(sql), expected, "{sql}");
    }
}

#[test]
fn renames_are_pairs_in_order() {
    let statement = read(b"RENAME TABLE a TO b, c TO d");
    let pairs: Vec<_> = statement
        .renames()
        .map(|(from, to)| (from.name.as_str(), to.name.as_str()))
        .collect();
    assert_eq!(pairs, [("a", "b"), ("c", "d")]);
    assert_eq!(read(b"CREATE TABLE t LIKE s").changed().count(), 1);
}

/// Pieces of statements, so that random ones get past the first word.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        proptest::sample::select(vec![
            &b"CREATE "[..],
            b"ALTER ",
            b"DROP ",
            b"TABLE ",
            b"RENAME ",
            b"TO ",
            b"t ",
            b"`a``b`",
            b".",
            b",",
            b"(",
            b")",
            b"'",
            b"\\",
            b"\"",
            b"/*!50003 ",
            b"*/",
            b"/*",
            b"-- ",
            b"#",
            b"@",
            b"$$",
            b";",
            b"REFERENCES ",
            b"UNION ",
            b"ADD ",
            b"CHANGE ",
            b"XA COMMIT ",
            b"X'61'",
            b"\x83\x5c",
            b"\xe9",
            b"0x",
            b"1e",
            b" ",
            b"DEFINER=",
            b"TRIGGER ",
            b"ON ",
            b"INDEX ",
            b"LIKE ",
            b"SELECT ",
            b"EVENT ",
            b"LOAD DATA ",
        ])
        .prop_map(<[u8]>::to_vec),
        proptest::collection::vec(any::<u8>(), 1..4),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_bytes_are_tokens_without_gaps(
        sql in prop_oneof![pieces(), proptest::collection::vec(any::<u8>(), 0..200)],
        collation in proptest::sample::select(vec![UTF8MB4, LATIN1, SJIS, GBK, 1, 12, 19, 24, 63, 248, 11, SWE7]),
        mode in proptest::sample::select(vec![0, 4, 1 << 20, 4 | 1 << 20]),
        version in proptest::sample::select(vec![MYSQL_5_6, MYSQL_9_7, MARIADB]),
    ) {
        let context = context(collation, SqlMode(mode), version);
        let mut lexer = Lexer::new(&sql, context.rules);
        let mut at = 0;
        loop {
            let token = lexer.token();
            prop_assert_eq!(token.span.start, at);
            prop_assert!(token.span.end > at || token.kind == TokenKind::End || token.kind == TokenKind::Unterminated);
            at = token.span.end;
            if token.kind == TokenKind::End {
                break;
            }
        }
        prop_assert_eq!(at, sql.len());
        let statement = classify(&sql, &context);
        for object in &statement.objects {
            prop_assert!(object.name_span.end <= sql.len());
            prop_assert!(object.name_span.start <= object.name_span.end);
        }
    }

    #[test]
    fn a_quoted_name_is_read_back(name in "[^\u{0}\u{10000}-\u{10ffff}]{1,20}", database in "[a-z.` ]{1,8}") {
        let quote = |name: &str| format!("`{}`", name.replace('`', "``"));
        let sql = format!("TRUNCATE TABLE {}.{}", quote(&database), quote(&name));
        let statement = read(sql.as_bytes());
        let object = &statement.objects[0];
        prop_assert_eq!(&object.name, &name);
        prop_assert_eq!(object.database.as_deref(), Some(database.as_str()));
        let written = quote(&name);
        prop_assert_eq!(object.name_span.of(sql.as_bytes()), written.as_bytes());
    }
}
