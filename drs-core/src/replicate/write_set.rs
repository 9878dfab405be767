use std::hash::{BuildHasher, Hasher};

use drs_binlog::{RowImage, Value};
use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::schema::{Column, ColumnKind, KeyPart, TableSchema, UniqueKey};

/// What a transaction touches, as far as order matters: hashes of the unique key values
/// that its rows give up or take, and the tables it touches as a whole.
///
/// Two different values may share a hash; then their transactions keep the source's order
/// without need. Two values that the destination holds for equal never have different ones.
#[derive(Clone, Debug, Default)]
pub(crate) struct WriteSet {
    keys: Vec<u64>,
    /// Tables by a hash of their name; true when the whole table is taken.
    tables: Vec<(u64, bool)>,
}

impl WriteSet {
    /// Takes in one image of a row: every unique key's value in it.
    pub(crate) fn add_image(
        &mut self,
        schema: &TableSchema,
        table_hash: u64,
        image: &RowImage<'_, '_>,
    ) -> drs_binlog::Result<()> {
        for (number, key) in schema.unique_keys.iter().enumerate() {
            match key_hash(schema, key, table_hash ^ (number as u64 + 1), image)? {
                KeyHash::Value(hash) => self.keys.push(hash),
                KeyHash::NoConflict => {}
                KeyHash::WholeTable => self.add_table(table_hash, true),
            }
        }
        Ok(())
    }

    /// True when there are so many keys that taking whole tables is better.
    pub(crate) fn is_large(&self) -> bool {
        self.keys.len() >= KEYS_MAX
    }

    /// Takes in the hash of something else that keeps an order.
    pub(crate) fn add_key(&mut self, hash: u64) {
        self.keys.push(hash);
    }

    /// Takes in a table: the whole of it, or only that rows of it are touched.
    pub(crate) fn add_table(&mut self, table_hash: u64, whole: bool) {
        match self.tables.iter_mut().find(|(hash, _)| *hash == table_hash) {
            Some((_, taken)) => *taken |= whole,
            None => self.tables.push((table_hash, whole)),
        }
    }
}

/// Keys of one transaction that are told apart.
const KEYS_MAX: usize = 16 << 10;

/// True when a change under a partial row image gives up a unique value that the log does not
/// tell: that of a removed row, or the old one of a changed row. Who may take it next can't be
/// seen from the log.
pub(crate) fn hides_old_value(
    schema: &TableSchema,
    before: &RowImage<'_, '_>,
    after: Option<&RowImage<'_, '_>>,
) -> bool {
    if before.is_complete() {
        return false;
    }
    schema
        .unique_keys
        .iter()
        .flat_map(|key| &key.parts)
        .any(|part| {
            part.column.is_some_and(|column| {
                !before.present().is_set(column)
                    && after.is_none_or(|after| after.present().is_set(column))
            })
        })
}

/// True when the log does not tell a unique value that a new row takes: under
/// `binlog_row_image = MINIMAL` it leaves out the columns that the statement left out, and the row
/// has their defaults.
pub(crate) fn hides_new_value(schema: &TableSchema, new: &RowImage<'_, '_>) -> bool {
    !new.is_complete()
        && schema
            .unique_keys
            .iter()
            .flat_map(|key| &key.parts)
            .any(|part| {
                part.column
                    .is_some_and(|column| !new.present().is_set(column))
            })
}

/// A hash that stands for a table.
pub(crate) fn table_hash(schema: &TableSchema) -> u64 {
    FixedState::default().hash_one((schema.name.database.as_str(), schema.name.table.as_str()))
}

enum KeyHash {
    Value(u64),
    /// NULL in the key, or the image does not carry it: nothing is taken or given up.
    NoConflict,
    WholeTable,
}

fn key_hash(
    schema: &TableSchema,
    key: &UniqueKey,
    seed: u64,
    image: &RowImage<'_, '_>,
) -> drs_binlog::Result<KeyHash> {
    let mut hasher = FixedState::with_seed(seed).build_hasher();
    let mut found = 0;
    for part in &key.parts {
        let Some(ordinal) = part.column else {
            return Ok(KeyHash::WholeTable);
        };
        let Some(column) = schema.columns.get(ordinal) else {
            return Ok(KeyHash::WholeTable);
        };
        let Some(value) = image.value(ordinal)? else {
            continue;
        };
        if value.is_null() {
            return Ok(KeyHash::NoConflict);
        }
        found += 1;
        if !hash_value(&mut hasher, &value, column, part) {
            return Ok(KeyHash::WholeTable);
        }
    }
    Ok(match found {
        0 => KeyHash::NoConflict,
        n if n == key.parts.len() => KeyHash::Value(hasher.finish()),
        // A part is missing from a partial image: the value is not known.
        _ => KeyHash::WholeTable,
    })
}

/// Feeds a value so that all values the destination's key holds for equal feed the same;
/// false when that is not certain.
fn hash_value(
    hasher: &mut impl Hasher,
    value: &Value<'_>,
    column: &Column,
    part: &KeyPart,
) -> bool {
    match (value, column.kind) {
        (Value::Bytes(bytes), ColumnKind::Text) => hash_text(hasher, bytes, column, part),
        (Value::Bytes(bytes), ColumnKind::BinaryFixed) => {
            // The log leaves trailing zero bytes out.
            let end = bytes
                .iter()
                .rposition(|byte| *byte != 0)
                .map_or(0, |at| at + 1);
            let bytes = bytes.get(..end).unwrap_or_default();
            if part.prefix.is_some() {
                false
            } else {
                hash_bytes(hasher, bytes)
            }
        }
        (Value::Bytes(bytes), ColumnKind::Binary) => {
            let len = part
                .prefix
                .map_or(bytes.len(), |prefix| bytes.len().min(prefix as usize));
            hash_bytes(hasher, bytes.get(..len).unwrap_or_default())
        }
        // 0.0 and -0.0 are one value to a key.
        (Value::Float(number), _) => hash_float(hasher, f64::from(*number)),
        (Value::Double(number), _) => hash_float(hasher, *number),
        (Value::Geometry(_) | Value::Json(_) | Value::JsonDiff(_) | Value::Vector(_), _) => false,
        (value, _) => {
            let mut bytes = Vec::with_capacity(16);
            crate::apply::append_value(&mut bytes, value) && hash_bytes(hasher, &bytes)
        }
    }
}

fn hash_float(hasher: &mut impl Hasher, number: f64) -> bool {
    hasher.write_u64(if number == 0.0 { 0 } else { number.to_bits() });
    true
}

fn hash_bytes(hasher: &mut impl Hasher, bytes: &[u8]) -> bool {
    hasher.write_usize(bytes.len());
    hasher.write(bytes);
    true
}

/// Text is equal by its collation. Exact collations compare bytes; in the common
/// case-insensitive ones, printable ASCII is equal if it is so without letter case.
/// Everything else could be equal to something of other bytes.
fn hash_text(hasher: &mut impl Hasher, bytes: &[u8], column: &Column, part: &KeyPart) -> bool {
    let collation = column.collation.as_deref().unwrap_or_default();
    // Collations that pad compare as if trailing spaces were not there.
    let end = bytes
        .iter()
        .rposition(|byte| *byte != b' ')
        .map_or(0, |at| at + 1);
    let bytes = bytes.get(..end).unwrap_or_default();
    let printable = bytes.iter().all(|byte| (0x20..0x7f).contains(byte));
    if collation.ends_with("_bin") && part.prefix.is_none() {
        return is_ascii_compatible(collation) && hash_bytes(hasher, bytes);
    }
    if !printable || !(FOLDS_ASCII.contains(&collation) || collation.ends_with("_bin")) {
        return false;
    }
    if !is_ascii_compatible(collation) {
        return false;
    }
    let len = part
        .prefix
        .map_or(bytes.len(), |prefix| bytes.len().min(prefix as usize));
    let prefix = bytes.get(..len).unwrap_or_default();
    let end = prefix
        .iter()
        .rposition(|byte| *byte != b' ')
        .map_or(0, |at| at + 1);
    let folded = prefix.get(..end).unwrap_or_default().to_ascii_lowercase();
    hash_bytes(hasher, &folded)
}

/// In two- and four-byte character sets a space is not the byte 0x20.
fn is_ascii_compatible(collation: &str) -> bool {
    !(collation.starts_with("utf16")
        || collation.starts_with("ucs2")
        || collation.starts_with("utf32"))
}

/// Collations in which two texts of printable ASCII are equal only if they are so without
/// letter case. Language collations are left out: in some of them letters are equal (i and
/// y in Lithuanian, v and w in older Swedish ones).
const FOLDS_ASCII: [&str; 22] = [
    "utf8mb4_0900_ai_ci",
    "utf8mb4_0900_as_ci",
    "utf8mb4_0900_as_cs",
    "utf8mb4_general_ci",
    "utf8mb4_unicode_ci",
    "utf8mb4_unicode_520_ci",
    "utf8mb3_general_ci",
    "utf8mb3_unicode_ci",
    "utf8mb3_unicode_520_ci",
    "utf8_general_ci",
    "utf8_unicode_ci",
    "utf8_unicode_520_ci",
    "latin1_swedish_ci",
    "latin1_general_ci",
    "latin1_general_cs",
    "latin2_general_ci",
    "ascii_general_ci",
    "cp1251_general_ci",
    "cp1250_general_ci",
    "greek_general_ci",
    "hebrew_general_ci",
    "koi8r_general_ci",
];

/// Which batch holds what, of those that are not committed yet.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    /// The last batch that holds the key.
    keys: HashMap<u64, u64, foldhash::fast::FixedState>,
    tables: HashMap<u64, TableHolders, foldhash::fast::FixedState>,
    /// Entries of committed batches stay until there are this many.
    sweep_at: usize,
}

#[derive(Debug, Default)]
struct TableHolders {
    /// The last batch that took the whole table.
    whole: Option<u64>,
    /// The batches that touched rows of the table.
    rows: Vec<u64>,
}

impl InFlight {
    /// The batches that hold something of the write set, each once.
    pub(crate) fn holders(&self, set: &WriteSet, is_uncommitted: impl Fn(u64) -> bool) -> Vec<u64> {
        let mut found = Vec::new();
        let mut meet = |batch: u64| {
            if !found.contains(&batch) && is_uncommitted(batch) {
                found.push(batch);
            }
        };
        for key in &set.keys {
            self.keys.get(key).copied().into_iter().for_each(&mut meet);
        }
        for (hash, whole) in &set.tables {
            let Some(holders) = self.tables.get(hash) else {
                continue;
            };
            holders.whole.into_iter().for_each(&mut meet);
            if *whole {
                holders.rows.iter().copied().for_each(&mut meet);
            }
        }
        found
    }

    /// True when so many keys are held that more must wait for a commit. Batches before the
    /// `oldest` are committed.
    pub(crate) fn is_full(&mut self, oldest: u64) -> bool {
        if self.keys.len() >= HELD_KEYS_MAX {
            self.sweep(oldest);
        }
        self.keys.len() >= HELD_KEYS_MAX
    }

    /// Notes that a batch now holds the write set. Batches before the `oldest` are committed.
    pub(crate) fn hold(&mut self, set: &WriteSet, batch: u64, oldest: u64) {
        for key in &set.keys {
            self.keys.insert(*key, batch);
        }
        for (hash, whole) in &set.tables {
            let holders = self.tables.entry(*hash).or_default();
            if *whole {
                holders.whole = Some(batch);
            }
            if !holders.rows.contains(&batch) {
                holders.rows.retain(|other| *other >= oldest);
                holders.rows.push(batch);
            }
        }
        if self.keys.len() > self.sweep_at {
            self.sweep(oldest);
        }
    }

    /// Forgets the keys of committed batches.
    fn sweep(&mut self, oldest: u64) {
        self.keys.retain(|_, batch| *batch >= oldest);
        self.sweep_at = (self.keys.len() * 2).max(SWEEP_MIN);
    }
}

const SWEEP_MIN: usize = 1 << 14;
/// Keys that may be held at once: about 32 bytes each.
const HELD_KEYS_MAX: usize = 1 << 19;

#[cfg(test)]
mod tests {
    use super::*;

    fn set(keys: &[u64], tables: &[(u64, bool)]) -> WriteSet {
        WriteSet {
            keys: keys.to_vec(),
            tables: tables.to_vec(),
        }
    }

    #[test]
    fn the_last_batch_that_took_a_key_holds_it_until_it_is_committed() {
        let mut in_flight = InFlight::default();
        in_flight.hold(&set(&[1, 2], &[(9, false)]), 5, 5);
        in_flight.hold(&set(&[3], &[(9, false)]), 6, 5);
        in_flight.hold(&set(&[2], &[]), 7, 5);
        let cases = [
            (set(&[8], &[]), vec![]),
            (set(&[1], &[]), vec![5]),
            (set(&[2], &[]), vec![7]),
            (set(&[3, 8], &[(9, false)]), vec![6]),
            (set(&[1, 3], &[]), vec![5, 6]),
            (set(&[], &[(9, true)]), vec![5, 6]),
            (set(&[], &[(8, true)]), vec![]),
        ];
        for (set, holders) in cases {
            assert_eq!(in_flight.holders(&set, |_| true), holders, "{set:?}");
        }
        // Once 6 is committed, only 5 is left to wait for.
        let uncommitted = |batch| batch != 6;
        assert_eq!(in_flight.holders(&set(&[1, 3], &[]), uncommitted), [5]);
        in_flight.hold(&set(&[], &[(9, true)]), 8, 7);
        assert_eq!(
            in_flight.holders(&set(&[100], &[(9, false)]), |_| true),
            [8]
        );
        assert_eq!(in_flight.holders(&set(&[], &[(9, true)]), |_| true), [8]);
    }

    #[test]
    fn text_that_a_collation_holds_for_equal_hashes_the_same() {
        let hash = |text: &str, collation: &str| {
            let column = Column::text_for_tests(collation);
            let part = KeyPart {
                column: Some(0),
                prefix: None,
            };
            let mut hasher = FixedState::with_seed(1).build_hasher();
            hash_text(&mut hasher, text.as_bytes(), &column, &part).then(|| hasher.finish())
        };
        let ci = "utf8mb4_0900_ai_ci";
        assert_eq!(hash("Abc", ci), hash("aBC", ci));
        assert_eq!(hash("abc ", ci), hash("abc", ci));
        assert_ne!(hash("abc", ci), hash("abd", ci));
        assert_eq!(hash("é", ci), None, "é equals e there");
        assert_eq!(
            hash("a\u{1}", ci),
            None,
            "control characters are ignored there"
        );
        assert_ne!(hash("Abc", "utf8mb4_bin"), hash("abc", "utf8mb4_bin"));
        assert!(hash("é", "utf8mb4_bin").is_some());
        assert_eq!(hash("i", "utf8mb4_lithuanian_ci"), None);
    }
}
