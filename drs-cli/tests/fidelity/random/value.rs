//! Values of each type, as SQL: edges more often than not.

use std::fmt::Write as _;

use drs_testkit::workload::Random;

use super::column::Kind;

/// One of several.
pub(super) fn pick<T: Copy>(random: &mut Random, of: &[T]) -> T {
    of[random.below(of.len() as u64) as usize]
}

/// An expression for a value of the type. What the server makes of it depends on the session.
pub(super) fn value(kind: &Kind, random: &mut Random) -> String {
    match kind {
        Kind::Int { bytes, unsigned } => integer(*bytes, *unsigned, random),
        Kind::Decimal { digits, point } => decimal(*digits, *point, random),
        Kind::Float => match random.below(4) {
            0 => pick(
                random,
                &[
                    "3.4028234663852886e38",
                    "-3.4028234663852886e38",
                    "1.401298464324817e-45",
                    "-0e0",
                    "0",
                    "1.17549435e-38",
                    "0.1",
                    "16777217",
                ],
            )
            .into(),
            _ => format!("{:e}", f32::from_bits(random.number() as u32 & 0xff7f_ffff))
                .replace("inf", "1")
                .replace("NaN", "1"),
        },
        Kind::Double => match random.below(4) {
            0 => pick(
                random,
                &[
                    "1.7976931348623157e308",
                    "-1.7976931348623157e308",
                    "5e-324",
                    "-0e0",
                    "0",
                    "2.2250738585072014e-308",
                    "0.1e0 + 0.2e0",
                ],
            )
            .into(),
            _ => format!("{:e}", f64::from_bits(random.number() & !(1 << 62))),
        },
        Kind::Bit(bits) => {
            let all = u64::MAX >> (64 - bits);
            match random.below(4) {
                0 => "0".into(),
                1 => all.to_string(),
                _ => (random.number() & all).to_string(),
            }
        }
        Kind::Year => pick(
            random,
            &[
                "0", "'0000'", "1901", "2155", "2000", "1970", "'69'", "2024",
            ],
        )
        .into(),
        Kind::Date => date(random),
        Kind::Time(_) => match random.below(3) {
            0 => pick(
                random,
                &[
                    "'-838:59:59'",
                    "'838:59:59'",
                    "0",
                    "'-00:00:00.000001'",
                    "'-00:00:00.01'",
                    "'838:59:58.999999'",
                    "'00:00:00.999999'",
                ],
            )
            .into(),
            _ => format!(
                "'{}{}:{:02}:{:02}.{:06}'",
                pick(random, &["", "-"]),
                random.below(839),
                random.below(60),
                random.below(60),
                random.below(1_000_000)
            ),
        },
        Kind::DateTime(_) => match random.below(4) {
            0 => pick(
                random,
                &[
                    "0",
                    "'9999-12-31 23:59:59.999999'",
                    "'1000-01-01'",
                    "'0000-00-00 00:00:00'",
                    "'2024-00-00 01:02:03.000004'",
                    "'2024-02-31 00:00:00'",
                ],
            )
            .into(),
            _ => format!(
                "'{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}'",
                random.between(1, 9998),
                random.between(1, 12),
                random.between(1, 28),
                random.below(24),
                random.below(60),
                random.below(60),
                random.below(1_000_000)
            ),
        },
        Kind::Timestamp(_) => match random.below(4) {
            0 => pick(
                random,
                &[
                    "0",
                    "'1970-01-02 00:00:01'",
                    "'2038-01-18 03:14:07.999999'",
                    "'2024-03-31 02:30:00'",
                    "'2024-10-27 02:30:00.5'",
                    "NOW(6)",
                ],
            )
            .into(),
            _ => format!(
                "FROM_UNIXTIME({}.{:06})",
                random.between(1, i32::MAX as u64),
                random.below(1_000_000)
            ),
        },
        Kind::Text { charset, long, .. } => text(charset, *long, random),
        Kind::Bytes { long, .. } => {
            let length = length(*long, random);
            format!("x'{}'", hex(length, random))
        }
        Kind::Enum(labels, _) => random.below(labels + 1).to_string(),
        Kind::Set(labels) => {
            let all = u64::MAX >> (64 - labels);
            match random.below(4) {
                0 => "''".into(),
                1 => all.to_string(),
                _ => (random.number() & all).to_string(),
            }
        }
        Kind::Json => json_value(random),
        Kind::Geometry(name) => geometry(name, random),
        Kind::Vector => format!(
            "STRING_TO_VECTOR('[{}, {}, {}]')",
            random.below(1000),
            pick(random, &["-0.0", "0.1", "-1.5"]),
            random.below(9)
        ),
    }
}

fn integer(bytes: u32, unsigned: bool, random: &mut Random) -> String {
    let bits = bytes * 8;
    let all = u64::MAX >> (64 - bits);
    match (random.below(4), unsigned) {
        (0, _) => "0".into(),
        // Small ones, which meet each other.
        (1, _) => random.below(100).to_string(),
        (2, true) => pick(random, &[all, all - 1, all / 2, all / 2 + 1]).to_string(),
        (_, true) => (random.number() & all).to_string(),
        (2, false) => {
            let most = (all / 2) as i64;
            pick(random, &[most, -most - 1, -1, 1]).to_string()
        }
        (_, false) => {
            let unused = 64 - bits;
            ((random.number() << unused) as i64 >> unused).to_string()
        }
    }
}

fn decimal(digits: u64, point: u64, random: &mut Random) -> String {
    let sign = pick(random, &["", "-"]);
    let whole = digits - point;
    let nines = random.below(4) == 0;
    let mut digit = |text: &mut String| {
        let digit = if nines { 9 } else { random.below(10) };
        let _ = write!(text, "{digit}");
    };
    let mut text = String::from(sign);
    text.push('0');
    (0..whole).for_each(|_| digit(&mut text));
    if point > 0 {
        text.push('.');
        (0..point).for_each(|_| digit(&mut text));
    }
    text
}

fn date(random: &mut Random) -> String {
    match random.below(4) {
        0 => pick(
            random,
            &[
                "0",
                "'0000-00-00'",
                "'2024-00-10'",
                "'2024-02-31'",
                "'9999-12-31'",
                "'1000-01-01'",
                "'0000-01-01'",
            ],
        )
        .into(),
        _ => format!(
            "'{:04}-{:02}-{:02}'",
            random.between(1, 9999),
            random.between(1, 12),
            random.between(1, 28)
        ),
    }
}

fn length(long: bool, random: &mut Random) -> u64 {
    match random.below(8) {
        0 => 0,
        1 if long => random.below(20_000),
        2 | 3 => random.below(30),
        _ => random.below(4),
    }
}

fn hex(length: u64, random: &mut Random) -> String {
    let mut text = String::new();
    for _ in 0..length {
        let byte = match random.below(3) {
            0 => pick(
                random,
                &[0x00, 0x0a, 0x09, 0x1a, 0x20, 0x22, 0x27, 0x5c, 0xff, 0x0d],
            ),
            _ => random.below(256),
        };
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn text(charset: &str, long: bool, random: &mut Random) -> String {
    const WORDS: &[&str] = &[
        "",
        "a",
        "A",
        "a ",
        "A  ",
        " a",
        "é",
        "e",
        "ß",
        "ss",
        "\\N",
        "NULL",
        "'",
        "\"",
        "\\",
        "\t",
        "\n",
        "\0",
        "\u{1a}",
        "😀",
        "日本",
        "Привет",
        "ﬃ",
        "İ",
        "i",
        "%",
        "_",
        "`",
        "ÿ",
        "\u{301}e",
        "zz",
        "Zz",
    ];
    match random.below(12) {
        // Bytes as they are, for what the character set has no word for. (Of other character sets,
        // 5.6 stores bytes that 9.7 refuses, which stops a task.)
        0 if charset == "latin1" || charset.starts_with("utf8") => {
            let length = length(long, random);
            format!("_{charset} x'{}'", hex(length, random))
        }
        1 => {
            let times = length(long, random).max(1);
            format!("REPEAT('{}', {times})", pick(random, &["x", "long ", "1"]))
        }
        _ => {
            let mut word = String::new();
            for _ in 0..random.between(1, 3) {
                word.push_str(pick(random, WORDS));
            }
            let bytes: String = word.bytes().map(|byte| format!("{byte:02x}")).collect();
            format!("_utf8mb4 x'{bytes}'")
        }
    }
}

fn json_value(random: &mut Random) -> String {
    match random.below(5) {
        0 => "'null'".into(),
        // What JSON text has no word for.
        1 => {
            let words = [
                "1.10",
                "-99999999999999999999999999999999999.999999999999999999999999999999",
                "DATE'2024-02-29'",
                "TIME'-12:34:56.000001'",
                "TIMESTAMP'2024-02-29 12:34:56.789'",
                "x'00ff5c27'",
                "CAST(1 AS UNSIGNED)",
                "POINT(1, 2)",
            ];
            let (one, other) = (pick(random, &words), pick(random, &words));
            format!("JSON_OBJECT('a', {one}, 'b', JSON_ARRAY({other}, {one}))")
        }
        2 => format!(
            "CONCAT('{{\"pad\": \"', REPEAT('x', {}), '\", \"n\": {}}}')",
            random.below(200),
            random.below(9)
        ),
        _ => format!("'{}'", json(3, random)),
    }
}

fn json(depth: u64, random: &mut Random) -> String {
    let kinds = if depth == 0 { 6 } else { 9 };
    match random.below(kinds) {
        0 => pick(random, &["null", "true", "false"]).into(),
        1 => integer(8, true, random),
        2 => integer(8, false, random),
        3 => pick(
            random,
            &[
                "1.0",
                "-0.0",
                "0.30000000000000004",
                "1e308",
                "5e-324",
                "123456789.12345679",
                "18446744073709551616",
            ],
        )
        .into(),
        4 => pick(
            random,
            &[
                "\"\"",
                "\"2024-01-01\"",
                "\"é 😀\"",
                "\"1\"",
                "\"base64:type15:AA==\"",
            ],
        )
        .into(),
        5 => format!("\"{}\"", "y".repeat(random.below(300) as usize)),
        6 | 7 => {
            let entries: Vec<String> = (0..random.below(4))
                .map(|_| json(depth - 1, random))
                .collect();
            format!("[{}]", entries.join(","))
        }
        _ => {
            let entries: Vec<String> = (0..random.below(4))
                .map(|_| {
                    format!(
                        "\"{}\":{}",
                        pick(random, &["", "a", "b", "c", "key é"]),
                        json(depth - 1, random)
                    )
                })
                .collect();
            format!("{{{}}}", entries.join(","))
        }
    }
}

fn geometry(name: &str, random: &mut Random) -> String {
    let (x, y) = (random.below(80), random.below(80));
    let point = format!("POINT({x} {y})");
    let srid = if name.ends_with("4326") {
        4326
    } else {
        pick(random, &[0, 0, 4326, 3857])
    };
    let shape = match (name, random.below(3)) {
        ("GEOMETRYCOLLECTION", 0) => "GEOMETRYCOLLECTION EMPTY".into(),
        ("GEOMETRYCOLLECTION", _) => format!("GEOMETRYCOLLECTION({point}, LINESTRING(0 0, {x} 1))"),
        ("GEOMETRY", 0) => format!("MULTIPOINT(({x} {y}), (1 1))"),
        ("GEOMETRY", 1) => "POLYGON((0 0, 10 0, 10 10, 0 10, 0 0))".into(),
        _ => point,
    };
    format!("ST_GeomFromText('{shape}', {srid})")
}
