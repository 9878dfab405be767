//! Types of columns, and which of them a key can hold.

use drs_testkit::workload::Random;

use super::value::pick;

/// A type with all that decides its values.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    Int {
        bytes: u32,
        unsigned: bool,
    },
    Decimal {
        digits: u64,
        point: u64,
    },
    Float,
    Double,
    Bit(u64),
    Year,
    Date,
    Time(u64),
    DateTime(u64),
    Timestamp(u64),
    Text {
        name: String,
        charset: &'static str,
        collation: Option<&'static str>,
        long: bool,
    },
    Bytes {
        name: String,
        long: bool,
    },
    Enum(u64, &'static str),
    Set(u64),
    Json,
    Geometry(&'static str),
    Vector,
}

const CHARSETS: &[&str] = &[
    "latin1", "utf8mb4", "utf8mb4", "utf8mb4", "utf8", "gbk", "sjis", "cp932", "utf16", "utf32",
    "ucs2", "ascii", "big5", "euckr", "koi8r", "latin2", "cp1251", "ujis",
];
const COLLATIONS: &[&str] = &["utf8mb4_bin", "utf8mb4_general_ci", "utf8mb4_unicode_ci"];
const NEW_COLLATIONS: &[&str] = &[
    "utf8mb4_0900_ai_ci",
    "utf8mb4_0900_as_cs",
    "utf8mb4_0900_bin",
    "utf8mb4_bin",
    "utf8mb4_de_pb_0900_ai_ci",
];

impl Kind {
    pub(super) fn random(random: &mut Random, old: bool) -> Self {
        let kinds = if old { 24 } else { 29 };
        match random.below(kinds) {
            0..=3 => Self::integer(random),
            4 => {
                let digits = random.between(1, 65);
                let point = random.below(digits.min(30) + 1);
                Self::Decimal { digits, point }
            }
            5 => Self::Float,
            6 => Self::Double,
            7 => Self::Bit(random.between(1, 64)),
            8 => Self::Year,
            9 => Self::Date,
            10 => Self::Time(random.below(7)),
            11 => Self::DateTime(random.below(7)),
            12 => Self::Timestamp(random.below(7)),
            13..=16 => Self::varchar(random, old),
            17 => Self::text(random, old),
            18 => Self::Bytes {
                name: format!("BINARY({})", random.between(1, 40)),
                long: false,
            },
            19 => Self::Bytes {
                name: format!("VARBINARY({})", random.between(1, 300)),
                long: false,
            },
            20 => Self::Bytes {
                name: pick(random, &["TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB"]).into(),
                long: true,
            },
            21 | 22 => Self::Enum(
                random.between(1, 300),
                pick(random, &["latin1", "utf8mb4", "gbk"]),
            ),
            23 => Self::Set(random.between(1, 64)),
            24..=26 => Self::Json,
            27 => Self::Geometry(pick(
                random,
                &["GEOMETRY", "POINT", "POINT SRID 4326", "GEOMETRYCOLLECTION"],
            )),
            _ => Self::Vector,
        }
    }

    /// One that a key can hold whole.
    pub(super) fn for_key(random: &mut Random, old: bool) -> Self {
        loop {
            let kind = Self::random(random, old);
            if !kind.is_long() {
                return kind;
            }
        }
    }

    fn integer(random: &mut Random) -> Self {
        Self::Int {
            bytes: [1, 2, 3, 4, 4, 8, 8][random.below(7) as usize],
            unsigned: random.below(2) == 0,
        }
    }

    fn varchar(random: &mut Random, old: bool) -> Self {
        let name = pick(random, &["CHAR", "VARCHAR", "VARCHAR"]);
        let length = random.between(1, 40);
        Self::characters(random, old, format!("{name}({length})"), false)
    }

    fn text(random: &mut Random, old: bool) -> Self {
        let name = pick(random, &["TINYTEXT", "TEXT", "MEDIUMTEXT", "LONGTEXT"]);
        Self::characters(random, old, name.into(), true)
    }

    fn characters(random: &mut Random, old: bool, name: String, long: bool) -> Self {
        let charset = match pick(random, CHARSETS) {
            // 5.6 cuts what is too long in the middle of a character, and 9.7 refuses such text.
            "utf32" | "utf16" | "ucs2" if old && long => "utf8mb4",
            charset => charset,
        };
        let collations = if old { COLLATIONS } else { NEW_COLLATIONS };
        let collation = (charset == "utf8mb4").then(|| pick(random, collations));
        Self::Text {
            name,
            charset,
            collation,
            long,
        }
    }

    /// Whether a key can hold only a prefix of it, or nothing.
    pub(super) fn is_long(&self) -> bool {
        match self {
            Self::Text { long, .. } | Self::Bytes { long, .. } => *long,
            Self::Json | Self::Geometry(_) | Self::Vector => true,
            _ => false,
        }
    }

    /// Whether a key can hold a prefix of it.
    pub(super) fn has_prefixes(&self) -> bool {
        matches!(self, Self::Text { .. } | Self::Bytes { long: true, .. })
    }

    /// Whether its text is the same at all times: that of a CHAR depends on the `sql_mode`, and what
    /// is computed from it with it.
    pub(super) fn is_plain(&self) -> bool {
        match self {
            Self::Text { name, .. } => !name.starts_with("CHAR"),
            Self::Int { .. } | Self::Decimal { .. } | Self::Bytes { .. } | Self::Date => true,
            _ => false,
        }
    }

    pub(super) fn sql(&self) -> String {
        match self {
            Self::Int { bytes, unsigned } => {
                let name = match bytes {
                    1 => "TINYINT",
                    2 => "SMALLINT",
                    3 => "MEDIUMINT",
                    4 => "INT",
                    _ => "BIGINT",
                };
                format!("{name}{}", if *unsigned { " UNSIGNED" } else { "" })
            }
            Self::Decimal { digits, point } => format!("DECIMAL({digits},{point})"),
            Self::Float => "FLOAT".into(),
            Self::Double => "DOUBLE".into(),
            Self::Bit(bits) => format!("BIT({bits})"),
            Self::Year => "YEAR".into(),
            Self::Date => "DATE".into(),
            Self::Time(digits) => format!("TIME({digits})"),
            Self::DateTime(digits) => format!("DATETIME({digits})"),
            Self::Timestamp(digits) => format!("TIMESTAMP({digits})"),
            Self::Text {
                name,
                charset,
                collation,
                ..
            } => {
                let collation = collation.map(|name| format!(" COLLATE {name}"));
                format!(
                    "{name} CHARACTER SET {charset}{}",
                    collation.unwrap_or_default()
                )
            }
            Self::Bytes { name, .. } => name.clone(),
            Self::Enum(labels, charset) => {
                let labels: Vec<String> = (0..*labels).map(enum_label).collect();
                format!("ENUM({}) CHARACTER SET {charset}", labels.join(","))
            }
            Self::Set(labels) => {
                let labels: Vec<String> = (0..*labels).map(|n| format!("'s{n}'")).collect();
                format!("SET({}) CHARACTER SET utf8mb4", labels.join(","))
            }
            Self::Json => "JSON".into(),
            Self::Geometry(name) => (*name).into(),
            Self::Vector => "VECTOR(3)".into(),
        }
    }
}

/// Labels with what labels must not be mistaken for.
fn enum_label(number: u64) -> String {
    match number {
        0 => "'1'".into(),
        1 => "'0'".into(),
        2 => "'a,b'".into(),
        3 => "'it''s'".into(),
        4 => "''".into(),
        5 => "'é'".into(),
        n => format!("'label {n}'"),
    }
}
