//! Damage of any kind is noticed.
use std::{fs, io::Cursor, path::Path};

use drs_binlog::{
    Error, Event, EventHeader, EventSource, EventType, FileSource, PayloadUnpacker, Result,
};

use crate::build::{Log, format_description, query};

/// Real logs of each kind of server, a few KB each.
const CORPUS: [&str; 3] = [
    "mysql-9.7.000002",
    "mysql-5.6.000002",
    "mariadb-10.11.000002",
];

fn corpus(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/log");
    fs::read(folder.join(name)).unwrap()
}

/// Reads and decodes all; how many events there are.
fn read(bytes: Vec<u8>) -> Result<usize> {
    let mut source = FileSource::from_reader("log.000001", Cursor::new(bytes));
    let mut unpacker = PayloadUnpacker::new();
    let mut count = 0;
    while let Some(event) = source.next_event()? {
        if let Event::TransactionPayload(payload) = event.decoder.decode(&event.raw)? {
            let mut events = payload.events(&mut unpacker, 1 << 20)?;
            while let Some(bytes) = events.next_event()? {
                event.decoder.decode(&event.decoder.raw_nested(bytes)?)?;
            }
        }
        count += 1;
    }
    Ok(count)
}

#[test]
fn every_flipped_bit_is_noticed() {
    // The "in use" flag of the first event is the one bit that no checksum covers.
    const IN_USE: (usize, u8) = (4 + 17, EventHeader::IN_USE as u8);
    for name in CORPUS {
        let good = corpus(name);
        assert!(read(good.clone()).unwrap() > 50);
        for at in 0..good.len() {
            for bit in (0..8).map(|n| 1 << n) {
                // All bits of the first events, one of each byte of the others.
                if at > 400 && bit != 1 << (at % 8) || (at, bit) == IN_USE {
                    continue;
                }
                let mut bad = good.clone();
                bad[at] ^= bit;
                assert!(read(bad).is_err(), "{name}: byte {at}, bit {bit:#x}");
            }
        }
    }
}

#[test]
fn every_cut_is_noticed() {
    for name in CORPUS {
        let good = corpus(name);
        let mut ends = vec![4];
        let mut source = FileSource::from_reader("log.000001", Cursor::new(good.clone()));
        while let Some(event) = source.next_event().unwrap() {
            ends.push(event.end_offset as usize);
        }
        for len in 0..good.len() {
            let read = read(good[..len].to_vec());
            assert_eq!(read.is_ok(), ends.contains(&len), "{name}: {len} bytes");
        }
    }
}

#[test]
fn the_error_names_the_event_and_where_it_begins() {
    let mut log = Log::new();
    log.push(EventType::QUERY, 0, &query("BEGIN"));
    let start = log.events[1].start;
    let last = log.bytes.len() - 5;
    log.bytes[last] ^= 1;
    let mut source = FileSource::from_reader("log.000001", Cursor::new(log.bytes));
    source.next_event().unwrap();
    let error = source.next_event().unwrap_err();
    assert!(
        matches!(
            error,
            Error::Checksum {
                event_type: EventType::QUERY,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(source.position().to_string(), format!("log.000001:{start}"));
}

#[test]
fn what_is_no_log_is_refused() {
    let mut no_format = vec![0xfe, b'b', b'i', b'n'];
    let mut log = Log::new();
    log.push(EventType::QUERY, 0, &query("BEGIN"));
    no_format.extend(log.last());
    for bytes in [
        Vec::new(),
        b"SELECT 1".to_vec(),
        b"\xfebi".to_vec(),
        no_format,
    ] {
        assert!(matches!(read(bytes), Err(Error::NotABinlog(_))));
    }
    // MariaDB encrypts all that follows this event.
    log.push(EventType::MARIADB_START_ENCRYPTION, 0, &[1; 17]);
    assert!(matches!(read(log.bytes), Err(Error::NotABinlog(_))));
}

#[test]
fn an_event_over_the_limit_is_refused_before_it_is_read() {
    let mut log = Log::new();
    log.push(EventType::QUERY, 0, &query(&"x".repeat(10_000)));
    let input = Cursor::new(log.bytes.clone());
    let mut source = FileSource::from_reader("log.000001", input).event_bytes_max(10_000);
    source.next_event().unwrap();
    let error = source.next_event().unwrap_err();
    assert!(
        matches!(
            error,
            Error::TooLarge {
                bytes_max: 10_000,
                ..
            }
        ),
        "{error}"
    );

    // A size that is a lie costs no memory: the end of the file comes first.
    let start = log.events[1].start;
    log.bytes[start + 9..start + 13].copy_from_slice(&(1_u32 << 30).to_le_bytes());
    assert!(matches!(read(log.bytes), Err(Error::Malformed { .. })));
}

#[test]
fn positions_that_do_not_follow_are_refused() {
    let mut log = Log::new();
    log.push(EventType::QUERY, 0, &query("BEGIN"));
    // The same event once more says again where it ended the first time.
    let again = log.last().to_vec();
    log.bytes.extend(again);
    assert!(matches!(
        read(log.bytes),
        Err(Error::Malformed {
            event_type: EventType::QUERY,
            ..
        })
    ));
}

#[test]
fn format_descriptions() {
    let read_one = |body: &[u8]| {
        let mut log = Log {
            bytes: vec![0xfe, b'b', b'i', b'n'],
            events: Vec::new(),
        };
        log.push(EventType::FORMAT_DESCRIPTION, 0, body);
        read(log.bytes)
    };
    for (version, types) in [("5.6.24", 35), ("9.7.0", 42), ("10.11.6-MariaDB", 171)] {
        read_one(&format_description(version, types, Some(1))).unwrap();
        read_one(&format_description(version, types, Some(0))).unwrap();
    }
    let mut old = Log {
        bytes: vec![0xfe, b'b', b'i', b'n'],
        events: Vec::new(),
    };
    old.push(
        EventType::FORMAT_DESCRIPTION,
        0,
        &format_description("5.5.62", 23, None),
    );
    // Such a server's list goes on to the event's end.
    assert_eq!(read(old.bytes).unwrap(), 1);

    let mut version_3 = format_description("9.7.0", 42, Some(1));
    version_3[0] = 3;
    let mut long_header = format_description("9.7.0", 42, Some(1));
    long_header[56] = 20;
    let bad = [
        version_3,
        long_header,
        format_description("9.7.0", 42, Some(2)),
        format_description("9.7.0", 10, Some(1)),
        // Without checksums there are no such types.
        format_description("5.5.62", 42, Some(1)),
    ];
    for body in bad {
        assert!(read_one(&body).is_err());
    }
}
