//! Framing, control events, transactions, positions and GTID sets.
use std::collections::BTreeMap;

use drs_binlog::{EventSource, FileSource, fuzz};

use crate::{ROUNDS, run, stored};

/// Of each type that the stored logs hold, the first two events: type, flags and body.
fn events() -> Vec<Vec<u8>> {
    let mut events = BTreeMap::<_, Vec<_>>::new();
    for log in stored("log") {
        let mut source = FileSource::from_reader("log.000001", std::io::Cursor::new(log));
        while let Some(event) = source.next_event().unwrap() {
            let header = event.raw.header;
            let of_type = events.entry(header.event_type).or_default();
            if of_type.len() < 2 {
                let [low, high] = header.flags.to_le_bytes();
                of_type.push([&[header.event_type.0, low, high], event.raw.body].concat());
            }
        }
    }
    assert!(events.len() > 30);
    events.into_values().flatten().collect()
}

#[test]
fn bodies() {
    run(&events(), ROUNDS / 4, fuzz::fuzz_event);
}

#[test]
fn files() {
    run(&stored("log"), ROUNDS / 10, fuzz::fuzz_file);
}

#[test]
fn transactions() {
    // Types without bodies go far already: each byte pair is an event.
    let streams = [
        [33, 0, 2, 0, 19, 0, 30, 0, 16, 0],
        [162, 0, 19, 0, 30, 0, 40, 0, 4, 0],
    ];
    run(&streams.map(Vec::from), ROUNDS, fuzz::fuzz_transactions);
}

const UUID: &str = "ea352a82-e9a0-11ea-b650-fa163e1e82ed";

#[test]
fn gtid_sets() {
    let texts = [
        format!("{UUID}:1-5:7:9-9223372036854775806"),
        format!("{UUID}:1-5:tag:1-3, 8404bb4b-cc96-11ea-ae7f-fa163ead1b99:3-4"),
    ];
    let mut inputs: Vec<_> = texts.iter().map(|text| text.clone().into_bytes()).collect();
    inputs.extend(
        texts
            .iter()
            .map(|text| text.parse::<drs_binlog::GtidSet>().unwrap().encode()),
    );
    run(&inputs, ROUNDS, fuzz::fuzz_gtid_set);
}

#[test]
fn start_points() {
    let texts = [
        format!("mysql-bin.014734:8937;{UUID}:1-23377228"),
        "binlog.000001:4".into(),
    ];
    run(
        &texts.map(String::into_bytes),
        ROUNDS,
        fuzz::fuzz_start_point,
    );
}
