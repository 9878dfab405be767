//! The servers' own streams, against their files.
use std::{fs, path::Path, time::Duration};

use drs_binlog::{
    DumpRequest, DumpSource, DumpStart, Error, Event, EventSource, EventType, FileSource, Gtid,
    GtidSet, LogFile, Position, Step, TransactionAssembler,
};
use drs_testkit::{Server, Version, deadline};
use mysql::{OptsBuilder, prelude::Queryable};

use crate::{Scene, scenes};

/// An event of the log, for comparing.
#[derive(Clone, Debug, PartialEq)]
struct Logged {
    end: Position,
    kind: EventType,
    bytes: Vec<u8>,
}

fn open(server: &Server, start: DumpStart, server_id: u32, non_blocking: bool) -> DumpSource {
    try_open(server, start, server_id, non_blocking).unwrap()
}

fn try_open(
    server: &Server,
    start: DumpStart,
    server_id: u32,
    non_blocking: bool,
) -> Result<DumpSource, Error> {
    let request = DumpRequest {
        server_id,
        start,
        heartbeat_ms: 50,
        non_blocking,
    };
    DumpSource::open(connect(server), &request)
}

fn connect(server: &Server) -> mysql::Conn {
    let options = OptsBuilder::from_opts(server.opts()).max_allowed_packet(Some(1 << 30));
    mysql::Conn::new(options).unwrap()
}

/// All events that lie in files, up to the end of the scene's.
fn logged(source: &mut dyn EventSource, scene: &Scene) -> Vec<Logged> {
    let last = LogFile::new(
        scene
            .files
            .last()
            .and_then(|f| f.file_name())
            .unwrap()
            .to_str()
            .unwrap(),
    );
    let mut events = Vec::new();
    while let Some(event) = source.next_event().unwrap_or_else(|e| panic!("{e}")) {
        if *event.file > last {
            break;
        }
        let kind = event.raw.header.event_type;
        // MariaDB sends these only to replicas that ask for them, with a flag
        // that the client library doesn't pass on. Nothing is lost: they are comments.
        if event.in_file && kind != EventType::MARIADB_ANNOTATE_ROWS {
            let bytes = event.bytes.to_vec();
            events.push(Logged {
                end: event.end(),
                kind,
                bytes,
            });
        }
        assert_eq!(
            event.end().to_string(),
            format!("{}:{}", event.file, event.end_offset)
        );
    }
    events
}

fn first_position(scene: &Scene) -> Position {
    let name = scene.files[0].file_name().unwrap().to_str().unwrap();
    Position::new(LogFile::new(name), Position::FIRST_OFFSET)
}

#[test]
fn a_stream_is_the_files() {
    for scene in scenes() {
        let files = logged(&mut FileSource::open(&scene.files), scene);
        let mut source = open(
            &scene.server,
            DumpStart::Position(first_position(scene)),
            1001,
            true,
        );
        let stream = logged(&mut source, scene);
        assert!(files.len() > 50);
        assert_eq!(stream.len(), files.len(), "{}", scene.version);
        for (stream, file) in stream.iter().zip(&files) {
            assert_eq!(stream, file, "{}", scene.version);
        }
    }
}

#[test]
fn a_stream_begins_at_every_transaction() {
    for scene in scenes() {
        let files = logged(&mut FileSource::open(&scene.files), scene);
        let mut source = FileSource::open(&scene.files);
        let mut transactions = TransactionAssembler::new();
        let mut ends = Vec::new();
        while let Some(event) = source.next_event().unwrap() {
            let step = transactions.step(&event.raw).unwrap();
            if step == Step::Unpack {
                transactions.skip_payload();
            }
            if matches!(step, Step::Ends(_) | Step::Whole(_) | Step::Unpack) {
                ends.push(event.end());
            }
        }
        assert!(ends.len() > 10);
        for start in ends.into_iter().step_by(4) {
            let expected: Vec<_> = files.iter().filter(|e| e.end > start).cloned().collect();
            let mut source = open(
                &scene.server,
                DumpStart::Position(start.clone()),
                1002,
                true,
            );
            assert_eq!(source.position(), start);
            let stream = logged(&mut source, scene);
            assert_eq!(stream, expected, "{} from {start}", scene.version);
        }
    }
}

/// The transactions' GTIDs in the scene's files, in order.
fn gtids(scene: &Scene) -> Vec<Gtid> {
    let mut source = FileSource::open(&scene.files);
    let mut gtids = Vec::new();
    while let Some(event) = source.next_event().unwrap() {
        if let Event::Gtid(event) = event.decoder.decode(&event.raw).unwrap() {
            gtids.extend(event.gtid);
        }
    }
    gtids
}

#[test]
fn a_stream_by_gtids_leaves_out_what_is_there() {
    for scene in scenes().filter(|scene| scene.gtid) {
        let all = gtids(scene);
        let files = logged(&mut FileSource::open(&scene.files), scene);
        // With holes, and with the tagged one alone.
        let sets: [Vec<Gtid>; 4] = [
            Vec::new(),
            all[..5].to_vec(),
            all.iter().copied().step_by(2).collect(),
            all.iter()
                .copied()
                .filter(|gtid| !gtid.tag.is_empty())
                .collect(),
        ];
        for done in sets {
            let set: GtidSet = done.iter().copied().collect();
            let mut source = open(&scene.server, DumpStart::Gtid(set.clone()), 1003, true);
            let mut left: Vec<Gtid> = Vec::new();
            while let Some(event) = source.next_event().unwrap() {
                if let Event::Gtid(gtid) = event.decoder.decode(&event.raw).unwrap() {
                    // Another test may write to the server meanwhile.
                    left.extend(gtid.gtid.filter(|gtid| all.contains(gtid)));
                }
                let kind = event.raw.header.event_type;
                // In this kind of stream the server changes the start time in the format description.
                let compare = event.in_file && kind != EventType::FORMAT_DESCRIPTION;
                if compare && files.iter().any(|e| e.end.file == *event.file) {
                    let (end, bytes) = (event.end(), event.bytes.to_vec());
                    assert!(
                        files.contains(&Logged { end, kind, bytes }),
                        "{kind} at {}",
                        event.end()
                    );
                }
            }
            let expected: Vec<_> = all.iter().copied().filter(|g| !set.contains(g)).collect();
            assert_eq!(left, expected, "{} after {set}", scene.version);
        }
    }
}

#[test]
fn the_server_says_what_the_set_is() {
    for scene in scenes().filter(|scene| scene.gtid) {
        let set: GtidSet = gtids(scene).into_iter().collect();
        let mut conn = scene.server.conn().unwrap();
        let executed: String = conn
            .query_first("SELECT @@GLOBAL.gtid_executed")
            .unwrap()
            .unwrap();
        let parsed: GtidSet = executed.parse().unwrap();
        assert_eq!(format!("{parsed:#}"), executed);
        assert!(parsed.contains_set(&set));
        // PREVIOUS_GTIDS of the file after the scene's is what they all hold.
        let next = scene.server.binlog_files().unwrap().pop().unwrap();
        let mut source = FileSource::open([next]);
        let previous = loop {
            let event = source.next_event().unwrap().unwrap();
            if let Event::PreviousGtids(set) = event.decoder.decode(&event.raw).unwrap() {
                break set;
            }
        };
        assert_eq!(previous, set);
        // The server's own functions agree on what is left, and what is a part of what.
        let parts: GtidSet = gtids(scene).into_iter().step_by(3).collect();
        let mut left = set.clone();
        left.subtract(&parts);
        let sql = format!(
            "SELECT GTID_SUBTRACT('{set}', '{parts}'), GTID_SUBSET('{parts}', '{set}'), GTID_SUBSET('{set}', '{parts}')"
        );
        let (subtracted, is_part, is_whole): (String, bool, bool) =
            conn.query_first(sql).unwrap().unwrap();
        assert_eq!(format!("{left:#}"), subtracted);
        assert_eq!(
            (parts.is_subset(&set), set.is_subset(&parts)),
            (is_part, is_whole)
        );
        left.union(&parts);
        assert_eq!(left, set);
    }
}

#[test]
fn an_idle_source_sends_heartbeats_and_then_events() {
    for scene in scenes() {
        let mut starts = vec![DumpStart::Position(first_position(scene))];
        if scene.gtid {
            starts.push(DumpStart::Gtid(GtidSet::new()));
        }
        for (n, start) in starts.into_iter().enumerate() {
            let by_gtid = matches!(start, DumpStart::Gtid(_));
            let mut source = open(&scene.server, start, 1010 + n as u32, false);
            let kind = loop {
                let event = source.next_event().unwrap().unwrap();
                if let Event::Heartbeat(heartbeat) = event.decoder.decode(&event.raw).unwrap() {
                    assert!(!event.in_file);
                    assert_eq!(heartbeat.file, event.file.as_str().as_bytes());
                    let size = fs::metadata(scene.server.data_dir().join(event.file.as_str()))
                        .unwrap()
                        .len();
                    assert!(heartbeat.offset <= size);
                    break event.raw.header.event_type;
                }
            };
            let version_2 = by_gtid && scene.version == Version::MySql97;
            let expected = if version_2 {
                EventType::HEARTBEAT_V2
            } else {
                EventType::HEARTBEAT
            };
            assert_eq!(kind, expected, "{}", scene.version);
        }
    }
}

#[test]
fn a_stream_goes_on_when_the_log_does() {
    for scene in scenes() {
        let mut conn = scene.server.conn().unwrap();
        conn.query_drop("CREATE DATABASE IF NOT EXISTS later")
            .unwrap();
        let replica = connect(&scene.server);
        let id = replica.connection_id();
        let request = DumpRequest {
            server_id: 1020,
            start: DumpStart::Position(first_position(scene)),
            heartbeat_ms: 50,
            non_blocking: false,
        };
        let mut source = DumpSource::open(replica, &request).unwrap();
        conn.query_drop("DROP DATABASE later").unwrap();
        let end = deadline::until(Duration::from_secs(20), "the statement", || {
            let event = source.next_event().unwrap().unwrap();
            match event.decoder.decode(&event.raw).unwrap() {
                Event::Query(query) if query.query == b"DROP DATABASE later" => Some(event.end()),
                _ => None,
            }
        });
        assert_eq!(source.position(), end);
        // Once the server is told to end the stream, that is an error, not the log's end.
        conn.query_drop(format!("KILL {id}")).unwrap();
        let error = loop {
            match source.next_event() {
                Ok(event) => assert!(event.is_some(), "the end of the log"),
                Err(error) => break error,
            }
        };
        assert!(
            matches!(error, Error::Connection(_) | Error::Server { .. }),
            "{error}"
        );
        assert!(source.next_event().is_err(), "the error is final");
    }
}

#[test]
fn a_new_stream_ends_the_old_one_of_the_same_replica() {
    for scene in scenes() {
        let start = || DumpStart::Position(first_position(scene));
        let mut old = open(&scene.server, start(), 1040, false);
        old.next_event().unwrap();
        let mut new = open(&scene.server, start(), 1040, false);
        new.next_event().unwrap();
        let error = deadline::until(Duration::from_secs(20), "the end of the old one", || {
            old.next_event().err()
        });
        assert!(
            matches!(error, Error::Connection(_) | Error::Server { .. }),
            "{}: {error}",
            scene.version
        );
        new.next_event().unwrap();
    }
}

#[test]
fn what_is_not_there_is_error_1236() {
    for scene in scenes() {
        let mut starts = vec![
            DumpStart::Position("binlog.000099:4".parse().unwrap()),
            DumpStart::Position("binlog.000001:4000000".parse().unwrap()),
        ];
        if scene.gtid {
            // More than the source has executed under its own UUID.
            let foreign = Gtid {
                number: 1000,
                ..gtids(scene)[0]
            };
            starts.push(DumpStart::Gtid([foreign].into_iter().collect()));
        }
        for start in starts {
            let text = format!("{} {start:?}", scene.version);
            let opened = try_open(&scene.server, start, 1030, false);
            let error = opened.and_then(|mut source| {
                loop {
                    if source.next_event()?.is_none() {
                        panic!("{text}: the end of the log");
                    }
                }
            });
            let error = match error {
                Ok(()) => panic!("{text}: no error"),
                Err(error) => error,
            };
            assert!(
                matches!(error, Error::Server { code: 1236, .. }),
                "{text}: {error}"
            );
        }
    }
}

#[test]
fn a_missing_file_is_an_error_that_names_it() {
    let mut source = FileSource::open([Path::new("/nonexistent/binlog.000007")]);
    assert!(matches!(source.next_event(), Err(Error::Io(_))));
    assert_eq!(source.position().file.as_str(), "binlog.000007");
}
