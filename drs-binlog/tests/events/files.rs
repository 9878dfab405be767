//! Files, read as they lie in the servers' data folders.
use std::collections::BTreeMap;

use drs_binlog::{
    Event, EventSource, EventType, FileSource, Outcome, PayloadUnpacker, Step, TransactionAssembler,
};

use drs_testkit::Version;

use crate::{Scene, scenes};

/// Counts of what a scene's files hold.
#[derive(Default)]
struct Seen {
    types: BTreeMap<EventType, usize>,
    nested: BTreeMap<EventType, usize>,
    outcomes: Vec<Outcome>,
}

fn read(scene: &Scene) -> Seen {
    let mut seen = Seen::default();
    let mut transactions = TransactionAssembler::new();
    let mut unpacker = PayloadUnpacker::new();
    let mut source = FileSource::open(&scene.files);
    while let Some(event) = source.next_event().unwrap() {
        let kind = event.raw.header.event_type;
        *seen.types.entry(kind).or_default() += 1;
        let decoded = event
            .decoder
            .decode(&event.raw)
            .unwrap_or_else(|e| panic!("{} {e}", event.end()));
        let mut step = transactions
            .step(&event.raw)
            .unwrap_or_else(|e| panic!("{} {e}", event.end()));
        if step == Step::Unpack {
            let Event::TransactionPayload(payload) = decoded else {
                panic!("{decoded:?}")
            };
            let mut events = payload.events(&mut unpacker, 1 << 20).unwrap();
            while let Some(bytes) = events.next_event().unwrap() {
                let raw = event.decoder.raw_nested(bytes).unwrap();
                event.decoder.decode(&raw).unwrap();
                *seen.nested.entry(raw.header.event_type).or_default() += 1;
                step = transactions.step_nested(&raw).unwrap();
            }
        }
        match step {
            Step::Ends(outcome) | Step::Whole(outcome) => {
                assert!(!transactions.is_open());
                seen.outcomes.push(outcome);
            }
            Step::Abandons | Step::Unpack => panic!("{} {step:?}", event.end()),
            Step::Starts | Step::Inside => assert!(transactions.is_open()),
            Step::Outside => {}
        }
    }
    assert!(!transactions.is_open());
    seen
}

/// What each kind of source must have shown, so that no event goes untested unnoticed.
fn expected(scene: &Scene) -> Vec<EventType> {
    let mut types = vec![
        EventType::FORMAT_DESCRIPTION,
        EventType::ROTATE,
        EventType::STOP,
        EventType::QUERY,
        EventType::XID,
        EventType::INTVAR,
        EventType::RAND,
        EventType::USER_VAR,
        EventType::BEGIN_LOAD_QUERY,
        EventType::EXECUTE_LOAD_QUERY,
        EventType::TABLE_MAP,
    ];
    if scene.version == Version::MariaDb1011 {
        types.extend([
            EventType::XA_PREPARE,
            EventType::WRITE_ROWS_V1,
            EventType::UPDATE_ROWS_V1,
            EventType::DELETE_ROWS_V1,
            EventType::MARIADB_ANNOTATE_ROWS,
            EventType::MARIADB_BINLOG_CHECKPOINT,
            EventType::MARIADB_GTID,
            EventType::MARIADB_GTID_LIST,
            EventType::MARIADB_QUERY_COMPRESSED,
            EventType::MARIADB_WRITE_ROWS_COMPRESSED_V1,
            EventType::MARIADB_UPDATE_ROWS_COMPRESSED_V1,
            EventType::MARIADB_DELETE_ROWS_COMPRESSED_V1,
        ]);
        return types;
    }
    types.extend([
        EventType::WRITE_ROWS,
        EventType::UPDATE_ROWS,
        EventType::DELETE_ROWS,
        EventType::ROWS_QUERY,
    ]);
    if scene.gtid {
        types.extend([EventType::GTID, EventType::PREVIOUS_GTIDS]);
    }
    if scene.version == Version::MySql97 {
        types.extend([
            EventType::PREVIOUS_GTIDS,
            EventType::XA_PREPARE,
            EventType::PARTIAL_UPDATE_ROWS,
            EventType::TRANSACTION_PAYLOAD,
            if scene.gtid {
                EventType::GTID_TAGGED
            } else {
                EventType::ANONYMOUS_GTID
            },
        ]);
    }
    types
}

#[test]
fn every_event_decodes() {
    for scene in scenes() {
        let seen = read(scene);
        for kind in expected(scene) {
            assert!(
                seen.types.contains_key(&kind),
                "{}: no {kind}",
                scene.version
            );
        }
        for outcome in [Outcome::Commit, Outcome::Statement] {
            assert!(
                seen.outcomes.contains(&outcome),
                "{}: no {outcome:?}",
                scene.version
            );
        }
        // MySQL 5.6 does not log a prepare.
        let prepares = scene.version != Version::MySql56;
        assert_eq!(seen.outcomes.contains(&Outcome::XaPrepare), prepares);
        let in_payload = [
            (EventType::QUERY, 1),
            (EventType::TABLE_MAP, 20),
            (EventType::WRITE_ROWS, 20),
            (EventType::XID, 1),
        ];
        let in_payload = match scene.version {
            Version::MySql97 => BTreeMap::from(in_payload),
            _ => BTreeMap::new(),
        };
        assert_eq!(seen.nested, in_payload);
    }
}
