use drs_binlog::QueryCharset;

use super::*;

const MYSQL_9_7: ServerVersion = version(Flavor::MySql, 9, 7, 4);
const MYSQL_5_7: ServerVersion = version(Flavor::MySql, 5, 7, 44);
const MYSQL_5_6: ServerVersion = version(Flavor::MySql, 5, 6, 24);
const MARIADB: ServerVersion = version(Flavor::MariaDb, 10, 11, 18);

const fn version(flavor: Flavor, major: u16, minor: u16, patch: u16) -> ServerVersion {
    ServerVersion {
        flavor,
        number: (major, minor, patch),
    }
}

fn source(version: ServerVersion) -> SourceDefaults {
    let explicit = (version == MYSQL_5_6).then_some(false);
    SourceDefaults {
        version,
        explicit_defaults_for_timestamp: explicit,
        system_time_zone: None,
    }
}

fn session_9_7() -> DestinationSession {
    DestinationSession::from_variables(
        MYSQL_9_7,
        [
            ("explicit_defaults_for_timestamp", "ON"),
            ("default_collation_for_utf8mb4", "utf8mb4_0900_ai_ci"),
            ("sql_require_primary_key", "OFF"),
            ("sql_generate_invisible_primary_key", "OFF"),
            ("default_table_encryption", "OFF"),
        ],
    )
}

fn session_5_6() -> DestinationSession {
    DestinationSession::from_variables(MYSQL_5_6, [("explicit_defaults_for_timestamp", "OFF")])
}

fn status() -> StatusVars<'static> {
    StatusVars {
        flags2: Some(0),
        sql_mode: Some(1 << 30),
        charset: Some(QueryCharset {
            client: 33,
            connection: 33,
            server: 8,
        }),
        ..StatusVars::default()
    }
}

fn context(
    status: StatusVars<'_>,
    source: &SourceDefaults,
) -> Result<SessionContext, ContextError> {
    let query = Query {
        thread_id: 1,
        exec_time_s: 0,
        error_code: 0,
        status,
        schema: "dé".as_bytes(),
        query: b"",
    };
    SessionContext::of_query(&query, 1_700_000_000, source)
}

#[test]
fn everything_an_event_carries_is_set() {
    let status = StatusVars {
        flags2: Some(StatusVars::NO_FOREIGN_KEY_CHECKS | StatusVars::RELAXED_UNIQUE_CHECKS),
        auto_increment: Some((2, 1)),
        time_zone: Some(b"Europe/Berlin"),
        lc_time_names: Some(4),
        charset_database: Some(47),
        microseconds: Some(123),
        explicit_defaults_for_timestamp: Some(false),
        default_collation_for_utf8mb4: Some(45),
        default_table_encryption: Some(true),
        ..status()
    };
    let context = context(status, &source(MYSQL_9_7)).unwrap();
    assert_eq!(context.default_database.as_deref(), Some("dé"));
    assert_eq!(
        context.set_statement(&session_9_7()).unwrap(),
        "SET @@session.timestamp = 1700000000.000123, @@session.sql_mode = 1073741824, \
        @@session.foreign_key_checks = 0, @@session.unique_checks = 0, @@session.sql_auto_is_null = 0, \
        @@session.auto_increment_increment = 2, @@session.auto_increment_offset = 1, \
        @@session.lc_time_names = 4, @@session.time_zone = 'Europe/Berlin', \
        @@session.explicit_defaults_for_timestamp = 0, @@session.default_collation_for_utf8mb4 = 45, \
        @@session.default_table_encryption = 1, @@session.collation_server = 8, \
        @@session.collation_database = 47, @@session.collation_connection = 33, \
        @@session.character_set_client = 33"
    );
}

#[test]
fn what_is_there_already_is_not_set() {
    let status = StatusVars {
        explicit_defaults_for_timestamp: Some(true),
        default_collation_for_utf8mb4: Some(255),
        default_table_encryption: Some(false),
        ..status()
    };
    let set = context(status, &source(MYSQL_9_7))
        .unwrap()
        .set_statement(&session_9_7())
        .unwrap();
    for variable in [
        "explicit_defaults",
        "default_collation",
        "encryption",
        "primary_key",
        "time_zone",
    ] {
        assert!(!set.contains(variable), "{set}");
    }
}

#[test]
fn an_old_source_on_a_new_destination_keeps_its_defaults() {
    let set = context(status(), &source(MYSQL_5_6))
        .unwrap()
        .set_statement(&session_9_7())
        .unwrap();
    assert!(
        set.contains("@@session.explicit_defaults_for_timestamp = 0"),
        "{set}"
    );
    assert!(
        set.contains("@@session.default_collation_for_utf8mb4 = 45"),
        "{set}"
    );
}

#[test]
fn a_destination_must_not_add_or_demand_keys_of_its_own() {
    let session = DestinationSession {
        sql_require_primary_key: Some(true),
        sql_generate_invisible_primary_key: Some(true),
        ..session_9_7()
    };
    let set = context(status(), &source(MYSQL_9_7))
        .unwrap()
        .set_statement(&session)
        .unwrap();
    assert!(
        set.contains("@@session.sql_require_primary_key = 0"),
        "{set}"
    );
    assert!(
        set.contains("@@session.sql_generate_invisible_primary_key = 0"),
        "{set}"
    );
}

#[test]
fn bits_of_sql_mode_follow_the_version() {
    let all_5_6 = 0xffff_ffff & !0x10;
    let session = |version| DestinationSession {
        version,
        ..session_9_7()
    };
    for (mode, from, to, expected) in [
        (1 << 28 | 1 << 30, MYSQL_5_6, MYSQL_9_7, Some(1 << 30)),
        (all_5_6, MYSQL_5_6, MYSQL_9_7, Some(0xeffc_00ef)),
        (all_5_6, MYSQL_5_6, MYSQL_5_6, Some(all_5_6)),
        (1 << 32, MYSQL_9_7, MYSQL_9_7, Some(1 << 32)),
        (1 << 32, MYSQL_9_7, MYSQL_5_7, None),
        (1 << 33, MYSQL_9_7, MYSQL_9_7, Some(1 << 33)),
        (1 << 33, MYSQL_9_7, MYSQL_5_7, None),
        (1 << 34, MYSQL_9_7, MYSQL_9_7, None),
        (1 << 21, MARIADB, MYSQL_9_7, Some(1 << 21)),
        (1 << 32, MARIADB, MYSQL_9_7, None),
        (1 << 9, MARIADB, MYSQL_9_7, None),
    ] {
        let status = StatusVars {
            sql_mode: Some(mode),
            ..status()
        };
        let source = SourceDefaults {
            explicit_defaults_for_timestamp: None,
            ..source(from)
        };
        let set = context(status, &source)
            .unwrap()
            .set_statement(&session(to));
        match expected {
            Some(bits) => {
                let set = set.unwrap();
                assert!(
                    set.contains(&format!("@@session.sql_mode = {bits},")),
                    "{mode:#x} {set}"
                );
            }
            None => assert!(
                matches!(
                    set,
                    Err(ContextError::CannotReproduce {
                        variable: "sql_mode",
                        ..
                    })
                ),
                "{mode:#x} {set:?}"
            ),
        }
    }
}

#[test]
fn what_cannot_be_reproduced_is_named() {
    let cases = [
        (
            StatusVars {
                explicit_defaults_for_timestamp: Some(true),
                ..status()
            },
            "explicit_defaults_for_timestamp",
        ),
        (
            StatusVars {
                default_collation_for_utf8mb4: Some(255),
                ..status()
            },
            "default_collation_for_utf8mb4",
        ),
        (
            StatusVars {
                default_table_encryption: Some(true),
                ..status()
            },
            "default_table_encryption",
        ),
        (
            StatusVars {
                charset: Some(QueryCharset {
                    client: 45,
                    connection: 255,
                    server: 8,
                }),
                ..status()
            },
            "collation_connection",
        ),
        (
            StatusVars {
                charset: Some(QueryCharset {
                    client: 35,
                    connection: 33,
                    server: 8,
                }),
                ..status()
            },
            "character_set_client",
        ),
    ];
    for (mut status, expected) in cases {
        status.default_collation_for_utf8mb4 = status.default_collation_for_utf8mb4.or(Some(45));
        let set = context(status, &source(MYSQL_9_7))
            .unwrap()
            .set_statement(&session_5_6());
        assert!(
            matches!(set, Err(ContextError::CannotReproduce { variable, .. }) if variable == expected),
            "{expected} {set:?}"
        );
    }
}

#[test]
fn an_event_without_what_is_needed_is_refused() {
    for (status, expected) in [
        (
            StatusVars {
                flags2: None,
                ..status()
            },
            ContextError::Missing {
                variable: "foreign_key_checks",
            },
        ),
        (
            StatusVars {
                charset: None,
                ..status()
            },
            ContextError::Missing {
                variable: "character_set_client",
            },
        ),
        (
            StatusVars {
                sql_mode: None,
                ..status()
            },
            ContextError::Missing {
                variable: "sql_mode",
            },
        ),
    ] {
        assert_eq!(context(status, &source(MYSQL_9_7)), Err(expected));
    }
}

#[test]
fn the_sources_system_time_zone_has_to_be_told() {
    let source = SourceDefaults {
        system_time_zone: Some("+02:00".to_owned()),
        ..source(MYSQL_9_7)
    };
    let status = StatusVars {
        time_zone: Some(b"SYSTEM"),
        ..status()
    };
    let set = context(status, &source)
        .unwrap()
        .set_statement(&session_9_7())
        .unwrap();
    assert!(set.contains("@@session.time_zone = '+02:00'"), "{set}");
}

#[test]
fn what_only_running_it_needs_is_refused_then() {
    for (status, expected) in [
        (
            StatusVars {
                unknown: &[99, 1],
                ..status()
            },
            cannot("status variable", "number 99".to_owned()),
        ),
        (
            StatusVars {
                time_zone: Some(b"SYSTEM"),
                ..status()
            },
            ContextError::NoSuchTimeZone,
        ),
        (
            StatusVars {
                time_zone: Some(b"x' y"),
                ..status()
            },
            cannot("time_zone", "x' y".to_owned()),
        ),
    ] {
        let context = context(status, &source(MYSQL_9_7)).unwrap();
        assert_eq!(context.set_statement(&session_9_7()), Err(expected));
    }
}
