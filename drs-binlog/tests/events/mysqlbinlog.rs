//! The server's own program on the same files, as the oracle.
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use drs_binlog::{Event, EventSource, EventType, FileSource, MariaDbEvent};
use drs_testkit::{Installation, Version};

use crate::scenes;

/// One event as the program prints it, in a line like
/// `#261123  2:36:31 server id 1  end_log_pos 235 CRC32 0x316c5823  GTID  last_committed=0 ...`.
#[derive(Debug)]
struct Printed {
    crc32: u32,
    text: String,
}

/// The offsets after `# at`, and the events by where they end.
fn print(file: &Path, mariadb: bool) -> (BTreeSet<u64>, BTreeMap<u64, Printed>) {
    // The newest program reads the files of all versions of MySQL.
    let version = if mariadb {
        Version::MariaDb1011
    } else {
        Version::MySql97
    };
    let installation = Installation::find_or_fetch(version).unwrap();
    let mut command = installation.command("mysqlbinlog").unwrap();
    let output = command
        .args(["-vv", "--base64-output=decode-rows"])
        .arg(file)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let (mut starts, mut ends) = (BTreeSet::new(), BTreeMap::new());
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        if let Some(offset) = line.strip_prefix("# at ") {
            starts.insert(offset.parse().unwrap());
        }
        let Some((_, rest)) = line.split_once(" end_log_pos ") else {
            continue;
        };
        let (end, rest) = rest.split_once(" CRC32 0x").unwrap();
        let (crc32, text) = rest.split_at(8);
        let printed = Printed {
            crc32: u32::from_str_radix(crc32, 16).unwrap(),
            text: text.trim().to_owned(),
        };
        // What lies in a compressed transaction repeats its offset.
        ends.entry(end.trim().parse().unwrap()).or_insert(printed);
    }
    (starts, ends)
}

/// How the program calls an event.
fn printed_name(kind: EventType) -> &'static str {
    match kind {
        EventType::FORMAT_DESCRIPTION => "Start:",
        EventType::PREVIOUS_GTIDS => "Previous-GTIDs",
        EventType::GTID | EventType::GTID_TAGGED | EventType::MARIADB_GTID => "GTID",
        EventType::ANONYMOUS_GTID => "Anonymous_GTID",
        EventType::RAND => "Rand",
        EventType::XA_PREPARE => "XA PREPARE",
        EventType::WRITE_ROWS_V1 => "Write_rows",
        EventType::UPDATE_ROWS_V1 => "Update_rows",
        EventType::DELETE_ROWS_V1 => "Delete_rows",
        EventType::TRANSACTION_PAYLOAD => "Transaction_Payload",
        // Its name is on a line of its own.
        EventType::BEGIN_LOAD_QUERY => "",
        EventType::MARIADB_BINLOG_CHECKPOINT => "Binlog checkpoint",
        EventType::MARIADB_GTID_LIST => "Gtid list",
        EventType::MARIADB_WRITE_ROWS_COMPRESSED_V1 => "Write_compressed_rows",
        EventType::MARIADB_UPDATE_ROWS_COMPRESSED_V1 => "Update_compressed_rows",
        EventType::MARIADB_DELETE_ROWS_COMPRESSED_V1 => "Delete_compressed_rows",
        kind => kind.name().unwrap(),
    }
}

/// What the program prints of an event's content, where it fits on the line.
fn printed_content(event: &Event<'_>) -> Vec<String> {
    match event {
        Event::FormatDescription(format) => vec![format!("server v {} ", format.server_version)],
        Event::Rotate(rotate) => {
            vec![format!(
                "{}  pos: {}",
                String::from_utf8_lossy(rotate.file),
                rotate.offset
            )]
        }
        Event::Gtid(gtid) => {
            let mut content = Vec::new();
            // MySQL 5.6 has neither.
            if let Some(immediate) = gtid.immediate_commit_timestamp {
                content.push(format!("last_committed={}\t", gtid.last_committed));
                content.push(format!("sequence_number={}\t", gtid.sequence_number));
                content.push(format!("immediate_commit_timestamp={immediate}\t"));
                content.push(format!(
                    "original_committed_timestamp={}\t",
                    gtid.original_commit_timestamp.unwrap()
                ));
                content.push(format!("transaction_length={}", gtid.transaction_length));
                content.push(format!(
                    "rbr_only={}",
                    if gtid.flags & 1 == 0 { "yes" } else { "no" }
                ));
            }
            content
        }
        Event::Query(query) => vec![
            format!("thread_id={}", query.thread_id),
            format!("exec_time={}", query.exec_time_s),
            format!("error_code={}", query.error_code),
        ],
        Event::Xid(xid) => vec![format!("Xid = {xid}")],
        Event::TableMap(map) => {
            let name = |bytes| String::from_utf8_lossy(bytes).into_owned();
            vec![format!(
                "`{}`.`{}` mapped to number {}",
                name(map.database),
                name(map.table),
                map.table_id
            )]
        }
        Event::Rows(rows) => vec![format!("table id {}", rows.table_id)],
        Event::TransactionPayload(payload) => vec![
            format!("payload_size={}", payload.payload.len()),
            format!("uncompressed_size={}", payload.uncompressed_size.unwrap()),
        ],
        Event::MariaDb(MariaDbEvent::Gtid(gtid)) => vec![format!("GTID {}", gtid.gtid)],
        Event::MariaDb(MariaDbEvent::BinlogCheckpoint(file)) => {
            vec![String::from_utf8_lossy(file).into_owned()]
        }
        Event::MariaDb(MariaDbEvent::GtidList(list)) => {
            list.iter().map(|gtid| gtid.to_string()).collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn mysqlbinlog_agrees() {
    for scene in scenes() {
        for file in &scene.files {
            let (starts, mut ends) = print(file, scene.version == Version::MariaDb1011);
            let mut own_starts = BTreeSet::new();
            let mut source = FileSource::open([file]);
            let mut last_end = 0;
            while let Some(event) = source.next_event().unwrap() {
                let (kind, end) = (event.raw.header.event_type, event.end_offset);
                own_starts.insert(event.start_offset().unwrap());
                last_end = end;
                let printed = ends
                    .remove(&end)
                    .unwrap_or_else(|| panic!("{kind} at {end} is not printed"));
                let crc32 = event
                    .bytes
                    .last_chunk()
                    .copied()
                    .map(u32::from_le_bytes)
                    .unwrap();
                assert_eq!(crc32, printed.crc32, "{kind} at {end}");
                let name = printed_name(kind);
                // MariaDB writes the commit of its XA transactions in another case.
                let text = printed.text.replace("XID =", "Xid =");
                assert!(
                    text.starts_with(name) || kind == EventType::XA_PREPARE,
                    "{kind} at {end}: {printed:?}"
                );
                for content in printed_content(&event.decoder.decode(&event.raw).unwrap()) {
                    assert!(
                        text.contains(&content),
                        "{kind} at {end}: {content:?} in {text:?}"
                    );
                }
            }
            assert!(ends.is_empty(), "printed and not read: {ends:?}");
            // The end of a file may be printed as the start of what follows.
            own_starts.insert(last_end);
            assert!(starts.is_subset(&own_starts));
            own_starts.remove(&last_end);
            assert!(
                own_starts.is_subset(&starts),
                "{:?}",
                own_starts.difference(&starts)
            );
        }
    }
}
