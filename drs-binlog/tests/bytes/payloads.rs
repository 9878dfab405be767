//! Compressed transactions.
use drs_binlog::{Decoder, Error, Event, EventType, PayloadUnpacker, Result};

use crate::build::{Log, concat, nested, query};

fn events() -> Vec<u8> {
    concat(&[
        &nested(EventType::QUERY, &query("BEGIN")),
        &nested(EventType::ROWS_QUERY, &[b'x'; 5000]),
        &nested(EventType::XID, &[1; 8]),
    ])
}

fn packed(n: usize) -> Vec<u8> {
    concat(&[&[254], &(n as u64).to_le_bytes()])
}

/// A payload event's body: its fields, a mark, the content.
fn body(compression: u8, uncompressed: usize, size: usize, content: &[u8]) -> Vec<u8> {
    let compression = if compression == 255 {
        vec![2, 3, 252, 255, 0]
    } else {
        vec![2, 1, compression]
    };
    concat(&[
        &compression,
        &[3, 9],
        &packed(uncompressed),
        &[1, 9],
        &packed(size),
        &[0],
        content,
    ])
}

/// Unpacks all events of a payload event with this body; their types and sizes.
fn unpack(body: &[u8], event_bytes_max: usize) -> Result<Vec<(EventType, usize)>> {
    unpack_with(&mut PayloadUnpacker::new(), body, event_bytes_max)
}

fn unpack_with(
    unpacker: &mut PayloadUnpacker,
    body: &[u8],
    event_bytes_max: usize,
) -> Result<Vec<(EventType, usize)>> {
    let mut log = Log::new();
    log.push(EventType::TRANSACTION_PAYLOAD, 0, body);
    let mut decoder = Decoder::new();
    decoder.raw(&log.bytes[log.events[0].clone()])?;
    let raw = decoder.raw(log.last())?;
    let Event::TransactionPayload(payload) = decoder.decode(&raw)? else {
        panic!()
    };
    let mut events = payload.events(unpacker, event_bytes_max)?;
    let mut seen = Vec::new();
    while let Some(bytes) = events.next_event()? {
        let raw = decoder.raw_nested(bytes)?;
        decoder.decode(&raw)?;
        seen.push((raw.header.event_type, bytes.len()));
    }
    Ok(seen)
}

#[test]
fn both_compressions() {
    let plain = events();
    let zstd = zstd::encode_all(&plain[..], 3).unwrap();
    let expected = vec![
        (EventType::QUERY, 40),
        (EventType::ROWS_QUERY, 5019),
        (EventType::XID, 27),
    ];
    assert_eq!(
        unpack(&body(0, plain.len(), zstd.len(), &zstd), 1 << 20).unwrap(),
        expected
    );
    assert_eq!(
        unpack(&body(255, plain.len(), plain.len(), &plain), 1 << 20).unwrap(),
        expected
    );
    // A field that a later version adds is skipped.
    let later = concat(&[&[7, 2, 1, 1], &body(0, plain.len(), zstd.len(), &zstd)]);
    assert_eq!(unpack(&later, 1 << 20).unwrap(), expected);
}

#[test]
fn a_payload_of_the_highest_level_unpacks() {
    let plain = concat(&[&events(), &nested(EventType::ROWS_QUERY, &vec![7; 1 << 20])]);
    let zstd = zstd::encode_all(&plain[..], 22).unwrap();
    assert_eq!(
        unpack(&body(0, plain.len(), zstd.len(), &zstd), 2 << 20)
            .unwrap()
            .len(),
        4
    );
}

#[test]
fn damaged_payloads_are_refused() {
    let plain = events();
    let zstd = zstd::encode_all(&plain[..], 3).unwrap();
    let mut noise = zstd.clone();
    noise[0] ^= 1;
    let cut = &zstd[..zstd.len() - 3];
    let cut_event = &plain[..plain.len() - 1];
    let format = nested(EventType::FORMAT_DESCRIPTION, &[0; 60]);
    let again = nested(EventType::TRANSACTION_PAYLOAD, &[0]);
    let bad = [
        body(0, plain.len(), noise.len(), &noise),
        body(0, plain.len(), cut.len(), cut),
        body(0, plain.len() + 1, zstd.len(), &zstd),
        body(0, plain.len(), zstd.len() + 1, &zstd),
        body(7, plain.len(), plain.len(), &plain),
        body(255, cut_event.len(), cut_event.len(), cut_event),
        body(255, 5, 5, &plain[..5]),
        body(255, format.len(), format.len(), &format),
        body(255, again.len(), again.len(), &again),
        // No compression is named.
        concat(&[&[3, 9], &packed(plain.len()), &[0], &plain]),
        vec![2, 1, 0],
    ];
    let good = body(0, plain.len(), zstd.len(), &zstd);
    let mut unpacker = PayloadUnpacker::new();
    for (n, body) in bad.iter().enumerate() {
        assert!(unpack(body, 1 << 20).is_err(), "{n}");
        // What a damaged one leaves behind does not reach the next one.
        assert!(unpack_with(&mut unpacker, body, 1 << 20).is_err(), "{n}");
        assert_eq!(unpack_with(&mut unpacker, &good, 1 << 20).unwrap().len(), 3);
    }
}

#[test]
fn an_event_over_the_limit_is_refused() {
    let plain = events();
    let zstd = zstd::encode_all(&plain[..], 3).unwrap();
    let error = unpack(&body(0, plain.len(), zstd.len(), &zstd), 5000).unwrap_err();
    assert!(
        matches!(
            error,
            Error::TooLarge {
                bytes: 5019,
                bytes_max: 5000,
                ..
            }
        ),
        "{error}"
    );
}
