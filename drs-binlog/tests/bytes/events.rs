//! Bodies of events.
use drs_binlog::{
    Decoder, Error, Event, EventHeader, EventType, Heartbeat, Incident, LoadBlock, Query, Result,
    StatusVars, UpdatedDatabases,
};

use crate::build::{Log, concat, query_with};

/// Decodes one event of this body, and hands it on.
fn decode<T>(
    kind: EventType,
    flags: u16,
    body: &[u8],
    look: impl FnOnce(Event<'_>) -> T,
) -> Result<T> {
    let mut log = Log::new();
    log.push(kind, flags, body);
    let mut decoder = Decoder::new();
    decoder.raw(&log.bytes[log.events[0].clone()])?;
    let raw = decoder.raw(log.last())?;
    decoder.decode(&raw).map(look)
}

/// Every shorter body is an error, and so is a longer one unless the end is a text.
fn is_exact(kind: EventType, body: &[u8], ends_with_text: bool) {
    for len in 0..body.len() {
        let cut = decode(kind, 0, &body[..len], |_| ());
        assert!(cut.is_err() || ends_with_text, "{kind}: {len} bytes");
    }
    let longer = concat(&[body, &[0]]);
    assert_eq!(
        decode(kind, 0, &longer, |_| ()).is_ok(),
        ends_with_text,
        "{kind}"
    );
}

#[test]
fn incident() {
    let body = concat(&[&1_u16.to_le_bytes(), &[4], b"lost"]);
    let is_right = decode(EventType::INCIDENT, 0, &body, |event| {
        matches!(
            event,
            Event::Incident(Incident {
                number: 1,
                message: b"lost"
            })
        )
    });
    assert!(is_right.unwrap());
    is_exact(EventType::INCIDENT, &body, false);
}

#[test]
fn heartbeats() {
    let is_right = decode(EventType::HEARTBEAT, 0, b"binlog.000001", |event| {
        matches!(
            event,
            Event::Heartbeat(Heartbeat {
                file: b"binlog.000001",
                offset_is_exact: false,
                ..
            })
        )
    });
    assert!(is_right.unwrap());

    let offset = 5_000_000_000_u64.to_le_bytes();
    // A field that is not known is skipped.
    let body = concat(&[
        &[1, 13],
        b"binlog.000001",
        &[9, 2, 1, 1],
        &[2, 9, 254],
        &offset,
        &[0],
    ]);
    let is_right = decode(EventType::HEARTBEAT_V2, 0, &body, |event| {
        matches!(
            event,
            Event::Heartbeat(Heartbeat {
                file: b"binlog.000001",
                offset: 5_000_000_000,
                offset_is_exact: true
            })
        )
    });
    assert!(is_right.unwrap());
    is_exact(EventType::HEARTBEAT_V2, &body, false);
    assert!(decode(EventType::HEARTBEAT_V2, 0, &[0], |_| ()).is_err());
}

#[test]
fn load_data_blocks() {
    let body = concat(&[&9_u32.to_le_bytes(), b"1\t2\n"]);
    let block = LoadBlock {
        file_id: 9,
        data: b"1\t2\n",
    };
    assert!(
        decode(
            EventType::APPEND_BLOCK,
            0,
            &body,
            |e| matches!(e, Event::AppendBlock(b) if b == block)
        )
        .unwrap()
    );
    let is_right = decode(EventType::DELETE_FILE, 0, &9_u32.to_le_bytes(), |e| {
        matches!(e, Event::DeleteFile(9))
    });
    assert!(is_right.unwrap());
    is_exact(EventType::DELETE_FILE, &9_u32.to_le_bytes(), false);
}

#[test]
fn view_change() {
    let mut view_id = [0; 40];
    view_id[..5].copy_from_slice(b"17:12");
    let body = concat(&[
        &view_id,
        &33_u64.to_le_bytes(),
        &2_u32.to_le_bytes(),
        &3_u16.to_le_bytes(),
        b"key",
        &5_u32.to_le_bytes(),
        b"value",
        &0_u16.to_le_bytes(),
        &0_u32.to_le_bytes(),
    ]);
    let expected: Vec<(&[u8], &[u8])> = vec![(b"key", b"value"), (b"", b"")];
    let is_right = decode(EventType::VIEW_CHANGE, 0, &body, |event| {
        let Event::ViewChange(view) = event else {
            panic!("{event:?}")
        };
        view.view_id == b"17:12"
            && view.sequence_number == 33
            && view.certification().collect::<Vec<_>>() == expected
    });
    assert!(is_right.unwrap());
    is_exact(EventType::VIEW_CHANGE, &body, false);
}

#[test]
fn transaction_context() {
    let body = concat(&[
        &[4],
        &77_u32.to_le_bytes(),
        &[1],
        &3_u32.to_le_bytes(),
        &2_u32.to_le_bytes(),
        &1_u32.to_le_bytes(),
        b"uuid",
        b"set",
        &2_u16.to_le_bytes(),
        b"w1",
        &2_u16.to_le_bytes(),
        b"w2",
        &1_u16.to_le_bytes(),
        b"r",
    ]);
    let written: Vec<&[u8]> = vec![b"w1", b"w2"];
    let is_right = decode(EventType::TRANSACTION_CONTEXT, 0, &body, |event| {
        let Event::TransactionContext(context) = event else {
            panic!("{event:?}")
        };
        context.server_uuid == b"uuid"
            && context.thread_id == 77
            && context.gtid_specified
            && context.snapshot_version == b"set"
            && context.write_set.iter().collect::<Vec<_>>() == written
            && context.read_set.iter().eq([b"r"])
    });
    assert!(is_right.unwrap());
    is_exact(EventType::TRANSACTION_CONTEXT, &body, false);
}

#[test]
fn unknown_events_need_the_flag() {
    for kind in [
        EventType(43),
        EventType(159),
        EventType(172),
        EventType(255),
    ] {
        let error = decode(kind, 0, b"anything", |_| ()).unwrap_err();
        assert!(matches!(error, Error::UnknownEvent { event_type } if event_type == kind));
        let skipped = decode(
            kind,
            EventHeader::IGNORABLE,
            b"anything",
            |e| matches!(e, Event::Ignorable(k) if k == kind),
        );
        assert!(skipped.unwrap());
    }
    assert!(
        decode(EventType::IGNORABLE, 0, b"", |e| matches!(
            e,
            Event::Ignorable(_)
        ))
        .unwrap()
    );
    // Known by name, of servers too old.
    for kind in [
        EventType::START_V3,
        EventType::LOAD,
        EventType::EXEC_LOAD,
        EventType::PRE_GA_WRITE_ROWS,
    ] {
        assert!(decode(kind, 0, &[0; 40], |_| ()).is_err(), "{kind}");
    }
}

#[test]
fn fixed_bodies_are_exact() {
    let user_var = concat(&[
        &1_u32.to_le_bytes(),
        b"v",
        &[0, 2],
        &63_u32.to_le_bytes(),
        &8_u32.to_le_bytes(),
        &[9; 8],
        &[1],
    ]);
    let xa = concat(&[
        &[1],
        &7_u32.to_le_bytes(),
        &2_u32.to_le_bytes(),
        &1_u32.to_le_bytes(),
        b"gtb",
    ]);
    let checkpoint = concat(&[&3_u32.to_le_bytes(), b"a.1"]);
    let list = concat(&[&1_u32.to_le_bytes(), &[5; 16]]);
    let cases: [(EventType, &[u8]); 8] = [
        (EventType::XID, &[1; 8]),
        (EventType::STOP, &[]),
        (EventType::INTVAR, &[1; 9]),
        (EventType::RAND, &[1; 16]),
        (EventType::XA_PREPARE, &xa),
        (EventType::MARIADB_BINLOG_CHECKPOINT, &checkpoint),
        (EventType::MARIADB_START_ENCRYPTION, &[1; 17]),
        (EventType::USER_VAR, &user_var),
    ];
    for (kind, body) in cases {
        decode(kind, 0, body, |_| ()).unwrap_or_else(|e| panic!("{e}"));
        // The flags at the end of a user variable are missing before 5.5.
        if kind != EventType::USER_VAR {
            is_exact(kind, body, false);
        }
    }
    decode(EventType::MARIADB_GTID_LIST, 0, &list, |_| ()).unwrap();
    assert!(decode(EventType::MARIADB_GTID_LIST, 0, &list[..19], |_| ()).is_err());
    for (kind, body) in [
        (EventType::INTVAR, &[3; 9][..]),
        (EventType::XA_PREPARE, &[2; 16]),
    ] {
        assert!(decode(kind, 0, body, |_| ()).is_err(), "{kind}");
    }
}

fn status_of<T>(status: &[u8], look: impl FnOnce(&StatusVars<'_>) -> T) -> Result<T> {
    decode(
        EventType::QUERY,
        0,
        &query_with(status, "SELECT 1"),
        |event| {
            let Event::Query(Query {
                status,
                query,
                schema,
                ..
            }) = event
            else {
                panic!("{event:?}")
            };
            assert_eq!((schema, query), (&b"db"[..], &b"SELECT 1"[..]));
            look(&status)
        },
    )
}

#[test]
fn status_variables() {
    let all = concat(&[
        &[0, 1, 0, 0, 0x04],
        &[1, 2, 0, 0, 0, 0, 0, 0, 0],
        &[6, 3, b's', b't', b'd'],
        &[3, 5, 0, 2, 0],
        &[4, 33, 0, 45, 0, 255, 0],
        &[5, 6, b'S', b'Y', b'S', b'T', b'E', b'M'],
        &[7, 4, 0],
        &[8, 8, 0],
        &[9, 1, 0, 0, 0, 0, 0, 0, 0],
        &[10, 1, 1, 0, 0],
        &[11, 1, b'u', 2, b'h', b'h'],
        &[12, 2, b'a', 0, b'b', b'c', 0],
        &[13, 0x40, 0x42, 0x0f],
        &[16, 1],
        &[17, 9, 0, 0, 0, 0, 0, 0, 0],
        &[18, 255, 0],
        &[19, 1],
        &[20, 0],
    ]);
    status_of(&all, |vars| {
        assert_eq!(vars.flags2, Some(StatusVars::NO_FOREIGN_KEY_CHECKS | 1));
        assert_eq!(vars.sql_mode, Some(2));
        assert_eq!(vars.catalog, Some(&b"std"[..]));
        assert_eq!(vars.auto_increment, Some((5, 2)));
        let charset = vars.charset.unwrap();
        assert_eq!(
            (charset.client, charset.connection, charset.server),
            (33, 45, 255)
        );
        assert_eq!(vars.time_zone, Some(&b"SYSTEM"[..]));
        assert_eq!(
            (vars.lc_time_names, vars.charset_database),
            (Some(4), Some(8))
        );
        assert_eq!(
            (vars.table_map_for_update, vars.master_data_written),
            (Some(1), Some(257))
        );
        let invoker = vars.invoker.unwrap();
        assert_eq!((invoker.user, invoker.host), (&b"u"[..], &b"hh"[..]));
        let Some(UpdatedDatabases::Names(names)) = vars.updated_databases else {
            panic!()
        };
        assert!(names.iter().eq([&b"a"[..], b"bc"]));
        assert_eq!(vars.microseconds, Some(1_000_000));
        assert_eq!(vars.explicit_defaults_for_timestamp, Some(true));
        assert_eq!(vars.ddl_xid, Some(9));
        assert_eq!(vars.default_collation_for_utf8mb4, Some(255));
        assert_eq!(vars.sql_require_primary_key, Some(true));
        assert_eq!(vars.default_table_encryption, Some(false));
        assert!(vars.is_complete());
    })
    .unwrap();

    let mariadb = [128, 1, 0, 0, 129, 7, 0, 0, 0, 0, 0, 0, 0];
    status_of(&mariadb, |vars| {
        assert_eq!((vars.microseconds, vars.mariadb_xid), (Some(1), Some(7)))
    })
    .unwrap();
    status_of(&[12, 254], |vars| {
        assert_eq!(vars.updated_databases, Some(UpdatedDatabases::TooMany))
    })
    .unwrap();
    status_of(&[12, 0], |vars| match vars.updated_databases {
        Some(UpdatedDatabases::Names(names)) => assert_eq!(names.iter().count(), 0),
        other => panic!("{other:?}"),
    })
    .unwrap();
    // One that is not known keeps what follows it from being read, and says so.
    status_of(&[0, 1, 0, 0, 0, 77, 1, 2, 3], |vars| {
        assert_eq!((vars.flags2, vars.unknown), (Some(1), &[77, 1, 2, 3][..]));
        assert!(!vars.is_complete());
    })
    .unwrap();
    for cut in [
        &[0, 1, 0][..],
        &[5, 9, b'x'],
        &[12, 1, b'a'],
        &[11, 1, b'u'],
    ] {
        assert!(status_of(cut, |_| ()).is_err(), "{cut:?}");
    }
}

#[test]
fn debug_shows_no_data() {
    let secret = "INSERT INTO t VALUES ('secret')";
    let shown = decode(EventType::QUERY, 0, &query_with(&[], secret), |event| {
        format!("{event:?}")
    });
    let rows_query = concat(&[&[0], secret.as_bytes()]);
    let shown_rows_query = decode(EventType::ROWS_QUERY, 0, &rows_query, |event| {
        format!("{event:?}")
    });
    let mut log = Log::new();
    log.push(EventType::QUERY, 0, secret.as_bytes());
    let mut decoder = Decoder::new();
    decoder.raw(&log.bytes[log.events[0].clone()]).unwrap();
    let raw = format!("{:?}", decoder.raw(log.last()).unwrap());
    for shown in [shown.unwrap(), shown_rows_query.unwrap(), raw] {
        // Neither as text nor as numbers.
        assert!(
            !shown.contains("secret") && !shown.contains("115, 101"),
            "{shown}"
        );
        assert!(shown.contains("bytes"), "{shown}");
    }
}
