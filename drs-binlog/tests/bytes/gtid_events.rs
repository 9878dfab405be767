//! GTID events of every version, and GTID sets as events have them.
use drs_binlog::{Decoder, Event, EventType, GtidEvent, GtidSet, Reader, Result};

use crate::build::{Log, concat};

const UUID: [u8; 16] = [
    0xea, 0x35, 0x2a, 0x82, 0xe9, 0xa0, 0x11, 0xea, 0xb6, 0x50, 0xfa, 0x16, 0x3e, 0x1e, 0x82, 0xed,
];
const TEXT: &str = "ea352a82-e9a0-11ea-b650-fa163e1e82ed";

fn decode(kind: EventType, body: &[u8]) -> Result<GtidEvent> {
    let mut log = Log::new();
    log.push(kind, 0, body);
    let mut decoder = Decoder::new();
    decoder.raw(&log.bytes[log.events[0].clone()])?;
    let raw = decoder.raw(log.last())?;
    match decoder.decode(&raw)? {
        Event::Gtid(event) => Ok(event),
        other => panic!("{other:?}"),
    }
}

/// What each version added at the end, after what was there before.
fn versions() -> [Vec<u8>; 5] {
    let of_56 = concat(&[&[1], &UUID, &7_u64.to_le_bytes()]);
    let of_57 = concat(&[&of_56, &[2], &3_u64.to_le_bytes(), &4_u64.to_le_bytes()]);
    // 8.0.1: times, the transaction's length; 8.0.14: versions; later a ticket.
    let immediate = &(1_700_000_000_000_001_u64 | 1 << 55).to_le_bytes()[..7];
    let original = &1_600_000_000_000_000_u64.to_le_bytes()[..7];
    let of_801 = concat(&[&of_57, immediate, original, &[252, 0x10, 0x27]]);
    let of_8014 = concat(&[
        &of_801,
        &(90_700_u32 | 1 << 31).to_le_bytes(),
        &80_036_u32.to_le_bytes(),
    ]);
    let with_ticket = concat(&[&of_8014, &99_u64.to_le_bytes()]);
    [of_56, of_57, of_801, of_8014, with_ticket]
}

#[test]
fn each_version() {
    let gtid = Some(format!("{TEXT}:7").parse().unwrap());
    let of_56 = GtidEvent {
        gtid,
        flags: 1,
        ..GtidEvent::default()
    };
    let of_57 = GtidEvent {
        last_committed: 3,
        sequence_number: 4,
        ..of_56
    };
    let of_801 = GtidEvent {
        immediate_commit_timestamp: Some(1_700_000_000_000_001),
        original_commit_timestamp: Some(1_600_000_000_000_000),
        transaction_length: 10_000,
        ..of_57
    };
    let of_8014 = GtidEvent {
        immediate_server_version: Some(90_700),
        original_server_version: Some(80_036),
        ..of_801
    };
    let with_ticket = GtidEvent {
        commit_group_ticket: Some(99),
        ..of_8014
    };
    for (body, expected) in versions()
        .iter()
        .zip([of_56, of_57, of_801, of_8014, with_ticket])
    {
        assert_eq!(decode(EventType::GTID, body).unwrap(), expected);
        let anonymous = decode(EventType::ANONYMOUS_GTID, body).unwrap();
        assert_eq!(
            anonymous,
            GtidEvent {
                gtid: None,
                ..expected
            }
        );
    }
}

#[test]
fn each_cut_is_an_error_or_an_older_version() {
    let versions = versions();
    let lens: Vec<_> = versions.iter().map(Vec::len).collect();
    let newest = &versions[4];
    for len in 0..newest.len() {
        // MySQL 8.0.0 had the times alone.
        let is_version = lens.contains(&len) || len == lens[1] + 14;
        assert_eq!(
            decode(EventType::GTID, &newest[..len]).is_ok(),
            is_version,
            "{len}"
        );
    }
    assert!(decode(EventType::GTID, &concat(&[newest, &[0]])).is_err());
    let mut zero = versions[0].clone();
    zero[17] = 0;
    assert!(decode(EventType::GTID, &zero).is_err());
    assert!(decode(EventType::ANONYMOUS_GTID, &zero).is_ok());
}

/// An integer below 64, as MySQL's serialization library writes it.
fn small(n: u8) -> u8 {
    n << 1
}

/// The tagged form: its parts are counted in its size.
fn tagged(last_needed: u8, fields: &[u8]) -> Vec<u8> {
    let size = 3 + fields.len();
    let size = if size < 128 {
        vec![small(size as u8)]
    } else {
        panic!("{size}")
    };
    concat(&[&[small(1)], &size, &[small(last_needed)], fields])
}

fn tagged_gtid() -> Vec<u8> {
    // Each byte of the UUID is an integer; from 128 on it takes two bytes.
    let uuid = UUID.iter().flat_map(|b| match b {
        0..128 => vec![b << 1],
        _ => ((u16::from(*b) << 2) | 1).to_le_bytes().to_vec(),
    });
    let uuid: Vec<u8> = uuid.collect();
    concat(&[
        &[small(0), small(1), small(1)],
        &uuid,
        // Signed numbers have their sign below.
        &[small(2), small(14)],
        &[small(3), small(3), b't', b'a', b'g'],
        &[small(4), small(6)],
        &[small(5), small(8)],
        // All ones: eight bytes follow.
        &[small(6), 0xff],
        &1_700_000_000_000_001_u64.to_le_bytes(),
        &[small(9), small(63)],
    ])
}

#[test]
fn tagged_gtids() {
    let event = decode(EventType::GTID_TAGGED, &tagged(10, &tagged_gtid())).unwrap();
    let expected = GtidEvent {
        gtid: Some(format!("{TEXT}:tag:7").parse().unwrap()),
        flags: 1,
        last_committed: 3,
        sequence_number: 4,
        immediate_commit_timestamp: Some(1_700_000_000_000_001),
        original_commit_timestamp: Some(1_700_000_000_000_001),
        immediate_server_version: Some(63),
        original_server_version: Some(63),
        ..GtidEvent::default()
    };
    assert_eq!(event, expected);

    // A later version's field may be skipped, if the event says so.
    let later = concat(&[&tagged_gtid(), &[small(20), 1, 2, 3]]);
    assert_eq!(
        decode(EventType::GTID_TAGGED, &tagged(10, &later)).unwrap(),
        expected
    );
    assert!(decode(EventType::GTID_TAGGED, &tagged(20, &later)).is_err());

    let good = tagged(10, &tagged_gtid());
    for len in 0..good.len() {
        assert!(
            decode(EventType::GTID_TAGGED, &good[..len]).is_err(),
            "{len}"
        );
    }
    assert!(decode(EventType::GTID_TAGGED, &concat(&[&good, &[0]])).is_err());
    let negative = tagged_gtid()
        .iter()
        .map(|b| if *b == small(14) { small(15) } else { *b })
        .collect::<Vec<_>>();
    assert!(decode(EventType::GTID_TAGGED, &tagged(10, &negative)).is_err());
    let twice = concat(&[&tagged_gtid(), &[small(9), small(63)]]);
    assert!(decode(EventType::GTID_TAGGED, &tagged(10, &twice)).is_err());
}

#[test]
fn sets_round_trip() {
    let sets = [
        String::new(),
        format!("{TEXT}:1"),
        format!("{TEXT}:1-5:7:9-9223372036854775806"),
        format!("8404bb4b-cc96-11ea-ae7f-fa163ead1b99:3-4,{TEXT}:1-5:a:1-3:b_1:9"),
    ];
    for text in sets {
        let set: GtidSet = text.parse().unwrap();
        assert_eq!(set.to_string(), text);
        let bytes = set.encode();
        let decode =
            |bytes: &[u8]| GtidSet::decode(&mut Reader::new(bytes, 0, EventType::PREVIOUS_GTIDS));
        assert_eq!(decode(&bytes).unwrap(), set, "{text}");
        for len in 0..bytes.len() {
            assert!(decode(&bytes[..len]).is_err(), "{text}: {len}");
        }
        assert!(decode(&concat(&[&bytes, &[0]])).is_err());
    }
    // A count that is a lie costs nothing.
    let huge = u64::MAX.to_le_bytes();
    assert!(GtidSet::decode(&mut Reader::new(&huge, 0, EventType::PREVIOUS_GTIDS)).is_err());
}

#[test]
fn sets_parse_like_the_server() {
    let same = [
        (format!("{TEXT}:5:1-4"), format!("{TEXT}:1-5")),
        (
            format!(" {TEXT} : 1 - 3 ,\n{TEXT}:2-9\n"),
            format!("{TEXT}:1-9"),
        ),
        (format!(",,{TEXT}:3-1:7,"), format!("{TEXT}:7")),
        (
            TEXT.to_uppercase() + ":1-2:TAG:3",
            format!("{TEXT}:1-2:tag:3"),
        ),
        (
            format!("{TEXT}:tag:3:other:4:1,{TEXT}:9"),
            format!("{TEXT}:9:other:1:4:tag:3"),
        ),
        (format!("{TEXT}:3-0"), String::new()),
    ];
    for (text, expected) in same {
        assert_eq!(
            text.parse::<GtidSet>().unwrap().to_string(),
            expected,
            "{text:?}"
        );
    }
    for bad in [
        "x",
        ":1",
        TEXT,
        &format!("{TEXT}:"),
        &format!("{TEXT}:0"),
        &format!("{TEXT}:0-3"),
        &format!("{TEXT}:1-"),
        &format!("{TEXT}:-1"),
        &format!("{TEXT}:1-2-3"),
        &format!("{TEXT}:tag"),
        &format!("{TEXT}:a:b:1"),
        &format!("{TEXT}:9223372036854775807"),
        &format!("{TEXT}:1;{TEXT}:2"),
    ] {
        assert!(bad.parse::<GtidSet>().is_err(), "{bad:?}");
    }
}

/// All operations against sets of plain numbers.
#[test]
fn set_operations() {
    use std::collections::BTreeSet;
    let mut seed = 1_u64;
    let mut random = move |below: u64| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let gtid = |n: u64| {
        format!(
            "{TEXT}:{}{n}",
            if n.is_multiple_of(2) { "" } else { "tag:" }
        )
        .parse()
        .unwrap()
    };
    for _ in 0..500 {
        let mut numbers = || -> BTreeSet<u64> { (0..random(30)).map(|_| 1 + random(40)).collect() };
        let (a, b) = (numbers(), numbers());
        let set = |numbers: &BTreeSet<u64>| numbers.iter().map(|n| gtid(*n)).collect::<GtidSet>();
        let (set_a, set_b) = (set(&a), set(&b));
        let mut union = set_a.clone();
        union.union(&set_b);
        assert_eq!(union, set(&a.union(&b).copied().collect()));
        let mut left = set_a.clone();
        left.subtract(&set_b);
        assert_eq!(
            left,
            set(&a.difference(&b).copied().collect()),
            "{set_a} - {set_b}"
        );
        assert_eq!(set_a.is_subset(&set_b), a.is_subset(&b));
        assert!(set_a.contains_set(&left));
        assert_eq!(set_a.count(), a.len() as u128);
        assert_eq!(set_a.is_empty(), a.is_empty());
        assert!((1..=40).all(|n| set_a.contains(&gtid(n)) == a.contains(&n)));
        assert_eq!(set_a.to_string().parse::<GtidSet>().unwrap(), set_a);
        // Nothing is kept in two pieces.
        let pieces: Vec<_> = set_a.iter().collect();
        assert!(
            pieces
                .windows(2)
                .all(|p| (p[0].0, p[0].1) != (p[1].0, p[1].1) || p[0].2.last + 1 < p[1].2.first)
        );
    }
}
