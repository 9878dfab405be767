//! Where transactions begin and end, in every kind of stream.
use drs_binlog::{Decoder, EventHeader, EventType, Outcome, RawEvent, Step, TransactionAssembler};

use crate::build::{nested, query};

/// An event for each word: a type, or a statement in quotes.
fn event(word: &str) -> Vec<u8> {
    let gtid = |flags: u8| [&[7, 0, 0, 0, 0, 0, 0, 0][..], &[0; 4], &[flags], &[0; 6]].concat();
    match word {
        "gtid" => nested(EventType::GTID, &[1; 25]),
        "anonymous" => nested(EventType::ANONYMOUS_GTID, &[1; 25]),
        "tagged" => nested(EventType::GTID_TAGGED, &[]),
        "maria" => nested(EventType::MARIADB_GTID, &gtid(12)),
        "maria-alone" => nested(EventType::MARIADB_GTID, &gtid(41)),
        "map" => nested(EventType::TABLE_MAP, &[]),
        "rows" => nested(EventType::WRITE_ROWS, &[]),
        "rows-query" => nested(EventType::ROWS_QUERY, &[]),
        "annotate" => nested(EventType::MARIADB_ANNOTATE_ROWS, &[]),
        "intvar" => nested(EventType::INTVAR, &[]),
        "load-begin" => nested(EventType::BEGIN_LOAD_QUERY, &[]),
        "load" => nested(EventType::EXECUTE_LOAD_QUERY, &[]),
        "xid" => nested(EventType::XID, &[1; 8]),
        "xa-prepare" => nested(EventType::XA_PREPARE, &[0; 13]),
        "xa-one-phase" => nested(EventType::XA_PREPARE, &[[1].as_slice(), &[0; 12]].concat()),
        "payload" => nested(EventType::TRANSACTION_PAYLOAD, &[]),
        "incident" => nested(EventType::INCIDENT, &[]),
        "view" => nested(EventType::VIEW_CHANGE, &[]),
        "context" => nested(EventType::TRANSACTION_CONTEXT, &[]),
        "heartbeat" => nested(EventType::HEARTBEAT, &[]),
        "rotate" => nested(EventType::ROTATE, &[]),
        "format" => nested(EventType::FORMAT_DESCRIPTION, &[]),
        "stop" => nested(EventType::STOP, &[]),
        "previous" => nested(EventType::PREVIOUS_GTIDS, &[]),
        "list" => nested(EventType::MARIADB_GTID_LIST, &[]),
        "unknown" => nested(EventType(200), &[]),
        "ignorable" => {
            let mut bytes = nested(EventType(200), &[]);
            bytes[17] = EventHeader::IGNORABLE as u8;
            bytes
        }
        statement => nested(EventType::QUERY, &query(statement)),
    }
}

fn raw(bytes: &[u8]) -> RawEvent<'_> {
    RawEvent {
        header: EventHeader::parse(bytes).unwrap(),
        body: &bytes[EventHeader::LEN..],
    }
}

fn short(step: Step) -> &'static str {
    match step {
        Step::Outside => ".",
        Step::Starts => "S",
        Step::Inside => "i",
        Step::Ends(Outcome::Commit) => "C",
        Step::Ends(Outcome::Rollback) => "R",
        Step::Ends(Outcome::Statement) => "E",
        Step::Ends(Outcome::XaPrepare) => "P",
        Step::Ends(Outcome::Incident) => "!",
        Step::Whole(Outcome::Statement) => "W",
        Step::Whole(_) => "w",
        Step::Unpack => "U",
        Step::Abandons => "A",
    }
}

/// The steps of a stream of `words`, a letter each, up to the first error (`x`).
fn steps(words: &[&str]) -> String {
    let mut assembler = TransactionAssembler::new();
    let mut steps = String::new();
    for word in words {
        match assembler.step(&raw(&event(word))) {
            Ok(step) => steps += short(step),
            Err(_) => return steps + "x",
        }
    }
    steps
}

#[test]
fn streams() {
    let table: &[(&[&str], &str)] = &[
        // MySQL with GTIDs, tagged or anonymous ones.
        (
            &[
                "format",
                "previous",
                "gtid",
                "BEGIN",
                "map",
                "rows",
                "xid",
                "gtid",
                "CREATE TABLE t (a INT)",
            ],
            "..SiiiCSE",
        ),
        (
            &["tagged", "BEGIN", "map", "rows", "rows", "COMMIT"],
            "SiiiiC",
        ),
        (
            &[
                "anonymous",
                "BEGIN",
                "rows-query",
                "map",
                "rows",
                "ROLLBACK",
            ],
            "SiiiiR",
        ),
        (&["gtid", "BEGIN", "COMMIT"], "SiC"),
        // Without BEGIN.
        (&["gtid", "map", "rows", "xid"], "SiiC"),
        // Words that only look like an end.
        (
            &[
                "gtid",
                "BEGIN",
                "SAVEPOINT a",
                "map",
                "rows",
                "ROLLBACK TO a",
                "COMMIT AND CHAIN",
                "xid",
            ],
            "SiiiiiiC",
        ),
        (
            &[
                "gtid",
                "BEGIN",
                "CREATE TABLE t (a INT) START TRANSACTION",
                "map",
                "rows",
                "xid",
            ],
            "SiiiiC",
        ),
        // MySQL 5.6 without GTIDs.
        (
            &[
                "format",
                "BEGIN",
                "map",
                "rows",
                "xid",
                "DROP TABLE t",
                "BEGIN",
                "COMMIT",
            ],
            ".SiiCWSC",
        ),
        (&["intvar", "CREATE TABLE t AS SELECT rand()"], "SE"),
        (
            &["BEGIN", "intvar", "INSERT INTO t VALUES (NULL)", "xid"],
            "SiiC",
        ),
        (&["load-begin", "load"], "SE"),
        (&["gtid", "BEGIN", "load-begin", "load", "xid"], "SiiiC"),
        // XA.
        (
            &[
                "gtid",
                "XA START X'01',X'',1",
                "map",
                "rows",
                "XA END X'01',X'',1",
                "xa-prepare",
                "gtid",
                "XA COMMIT X'01',X'',1",
            ],
            "SiiiiPSE",
        ),
        (
            &[
                "XA START X'01',X'',1",
                "map",
                "rows",
                "XA END X'01',X'',1",
                "xa-one-phase",
            ],
            "SiiiC",
        ),
        // MariaDB.
        (
            &[
                "format",
                "list",
                "maria",
                "annotate",
                "map",
                "rows",
                "xid",
                "maria-alone",
                "DROP TABLE t",
            ],
            "..SiiiCSE",
        ),
        (
            &["maria-alone", "intvar", "INSERT INTO plain VALUES (NULL)"],
            "SiE",
        ),
        (&["maria", "map", "rows", "COMMIT"], "SiiC"),
        // Group replication.
        (&["context", "gtid", "BEGIN", "view", "COMMIT"], ".SiiC"),
        // Events that belong to nothing, also in the middle.
        (
            &[
                "heartbeat",
                "gtid",
                "heartbeat",
                "BEGIN",
                "heartbeat",
                "ignorable",
                "xid",
                "ignorable",
                "stop",
                "rotate",
            ],
            ".S.i.iC...",
        ),
        // The server crashed inside a transaction.
        (
            &[
                "gtid", "BEGIN", "map", "rotate", "format", "gtid", "BEGIN", "xid",
            ],
            "SiiA.SiC",
        ),
        (&["BEGIN", "format"], "SA"),
        (&["gtid", "stop"], "SA"),
        (&["maria", "rows", "format"], "SiA"),
        // Lost events.
        (&["gtid", "incident", "incident"], "S!w"),
        // What can't be.
        (&["rows"], "x"),
        (&["map"], "x"),
        (&["xid"], "x"),
        (&["COMMIT"], "x"),
        (&["ROLLBACK"], "x"),
        (&["xa-prepare"], "x"),
        (&["payload"], "x"),
        (&["BEGIN", "payload"], "Sx"),
        (&["gtid", "gtid"], "Sx"),
        (&["gtid", "BEGIN", "BEGIN"], "Six"),
        (&["BEGIN", "gtid"], "Sx"),
        (&["intvar", "rows"], "Sx"),
        (&["unknown"], "x"),
        (&["BEGIN", "unknown"], "Sx"),
    ];
    for (words, expected) in table {
        assert_eq!(&steps(words), expected, "{words:?}");
    }
}

#[test]
fn compressed_transactions() {
    let mut assembler = TransactionAssembler::new();
    let outer = |assembler: &mut TransactionAssembler, word| assembler.step(&raw(&event(word)));
    let nested =
        |assembler: &mut TransactionAssembler, word| assembler.step_nested(&raw(&event(word)));
    for _ in 0..2 {
        assert_eq!(outer(&mut assembler, "gtid").unwrap(), Step::Starts);
        assert_eq!(outer(&mut assembler, "payload").unwrap(), Step::Unpack);
        for word in ["BEGIN", "map", "rows"] {
            assert_eq!(nested(&mut assembler, word).unwrap(), Step::Inside);
        }
        assert_eq!(
            nested(&mut assembler, "xid").unwrap(),
            Step::Ends(Outcome::Commit)
        );
        assert!(!assembler.is_open());
        assert!(nested(&mut assembler, "rows").is_err());
    }
    // Without a look at what is inside.
    outer(&mut assembler, "gtid").unwrap();
    outer(&mut assembler, "payload").unwrap();
    assert!(outer(&mut assembler.clone(), "gtid").is_err());
    assert!(outer(&mut assembler.clone(), "rotate").is_err());
    for word in ["gtid", "payload", "format", "maria-alone"] {
        assert!(nested(&mut assembler.clone(), word).is_err(), "{word}");
    }
    assembler.skip_payload();
    assert_eq!(outer(&mut assembler, "gtid").unwrap(), Step::Starts);
}

#[test]
fn nested_events_have_no_checksum() {
    let decoder = Decoder::new();
    let bytes = event("xid");
    assert_eq!(decoder.raw_nested(&bytes).unwrap().body.len(), 8);
    assert!(decoder.raw_nested(&bytes[..26]).is_err());
}
