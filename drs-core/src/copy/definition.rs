use mysql::{Conn, Row, prelude::Queryable};

use super::{CopyError, error::at_source};
use crate::{
    error::server_code,
    object::{DatabaseName, Mapping, TableName},
    sql,
};

/// A table's definition as `SHOW CREATE TABLE` prints it, taken apart as far as the copy needs.
///
/// The statement is a list in parentheses, one entry a line, then the table's options. Names
/// and texts in it may hold anything, so it is cut at commas that stand outside of quotes and
/// of inner parentheses, never at line ends.
#[derive(Clone, Debug)]
pub(super) struct Definition {
    /// Columns, keys, constraints: each as printed, without the comma after it.
    items: Vec<String>,
    /// What follows the closing parenthesis, without the counter.
    options: String,
    /// The next AUTO_INCREMENT value. It moves with the rows, and is no part of what the table is.
    counter: Option<u64>,
}

impl PartialEq for Definition {
    fn eq(&self, other: &Self) -> bool {
        self.items == other.items && self.options == other.options
    }
}

impl Definition {
    /// Reads a table's definition at the source; `None` when the table is not there.
    pub(super) fn load(conn: &mut Conn, table: &TableName) -> Result<Option<Self>, CopyError> {
        let row: Result<Option<Row>, _> =
            conn.query_first(format!("SHOW CREATE TABLE {}", sql::table(table)));
        let row = match row {
            // ER_NO_SUCH_TABLE, ER_BAD_DB_ERROR.
            Err(error) if matches!(server_code(&error), Some(1146 | 1049)) => return Ok(None),
            row => row.map_err(at_source(format!("reading the definition of {table}")))?,
        };
        let text: Option<Vec<u8>> = row.and_then(|mut row| row.take(1));
        let unreadable = |reason| CopyError::Definition {
            table: table.clone(),
            reason,
        };
        let text = text.ok_or_else(|| unreadable("the server printed none"))?;
        let text = String::from_utf8(text).map_err(|_| unreadable("it is not UTF-8"))?;
        Self::parse(&text).map(Some).map_err(unreadable)
    }

    /// Columns, keys, constraints: each as printed.
    pub(super) fn items(&self) -> impl Iterator<Item = &str> {
        self.items.iter().map(String::as_str)
    }

    /// The same with other items.
    pub(super) fn with_items(&self, items: Vec<String>) -> Self {
        Self {
            items,
            ..self.clone()
        }
    }

    /// True when the rows are divided into partitions.
    pub(super) fn is_partitioned(&self) -> bool {
        contains_outside(&self.options, "PARTITION BY")
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        let open = find_outside(text, 0, b'(').ok_or("it has no list of columns")?;
        let mut items = Vec::new();
        let mut start = open + 1;
        let mut depth = 0_u32;
        let mut at = start;
        let bytes = text.as_bytes();
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'\'' | b'"' | b'`' => {
                    at = skip_quoted(bytes, at);
                    continue;
                }
                b'(' => depth += 1,
                b')' if depth > 0 => depth -= 1,
                b',' | b')' if depth == 0 => {
                    let item = text
                        .get(start..at)
                        .ok_or("a quote in it does not end")?
                        .trim();
                    if item.is_empty() {
                        return Err("an entry of it is empty");
                    }
                    items.push(item.to_owned());
                    start = at + 1;
                    if *byte == b')' {
                        let (options, counter) =
                            split_counter(text.get(start..).unwrap_or_default().trim());
                        return Ok(Self {
                            items,
                            options,
                            counter,
                        });
                    }
                }
                _ => {}
            }
            at += 1;
        }
        Err("its list of columns does not end")
    }

    /// A number that is another one for another definition, the same in every run.
    pub(super) fn digest(&self) -> u64 {
        let texts = self.items.iter().chain(std::iter::once(&self.options));
        let bytes = texts.flat_map(|text| text.bytes().chain(std::iter::once(0)));
        fnv(bytes)
    }

    /// The statement that creates the table in the session's database, without the keys that
    /// [`Self::later_keys`] names.
    pub(super) fn create_statement(&self, table: &str, with_all_keys: bool) -> String {
        let later = if with_all_keys {
            Vec::new()
        } else {
            self.later_keys()
        };
        let items: Vec<&str> = self
            .items
            .iter()
            .map(String::as_str)
            .filter(|item| !later.contains(item))
            .collect();
        let counter = self
            .counter
            .map(|next| format!("AUTO_INCREMENT={next} "))
            .unwrap_or_default();
        format!(
            "CREATE TABLE {} (\n  {}\n) {counter}{}",
            sql::identifier(table),
            items.join(",\n  "),
            self.options
        )
    }

    /// The keys that can be added after the rows: those that are not unique, and that neither
    /// AUTO_INCREMENT nor a foreign key of the table needs.
    pub(super) fn later_keys(&self) -> Vec<&str> {
        let needed: Vec<&str> = self
            .items
            .iter()
            .filter_map(|item| needed_column(item))
            .collect();
        let is_later = |item: &&String| {
            if item.starts_with("FULLTEXT KEY ") || item.starts_with("SPATIAL KEY ") {
                return true;
            }
            item.starts_with("KEY ")
                && !first_parenthesis(item)
                    .and_then(leading_name)
                    .is_some_and(|name| needed.contains(&name))
        };
        self.items
            .iter()
            .filter(is_later)
            .map(String::as_str)
            .collect()
    }

    /// The same definition with the destination's names of the tables that its foreign keys name.
    pub(super) fn with_parents(&self, database: &DatabaseName, mapping: &Mapping) -> Self {
        let items = self
            .items
            .iter()
            .map(|item| with_parent(item, database, mapping).unwrap_or_else(|| item.clone()))
            .collect();
        Self {
            items,
            ..self.clone()
        }
    }

    /// The same definition with `COLLATE` wherever `utf8mb4` stands without one.
    ///
    /// Such a place means the server's own default, which is not the same in all versions.
    pub(super) fn with_utf8mb4_collation(&self, collation: &str) -> Self {
        let items = self
            .items
            .iter()
            .map(|item| add_collation(item, "CHARACTER SET utf8mb4", " COLLATE ", collation))
            .collect();
        let options = add_collation(&self.options, "CHARSET=utf8mb4", " COLLATE=", collation);
        Self {
            items,
            options,
            counter: self.counter,
        }
    }
}

/// A foreign key's entry with the parent's name at the destination; `None` for every other entry.
fn with_parent(item: &str, database: &DatabaseName, mapping: &Mapping) -> Option<String> {
    const WORD: &str = " REFERENCES ";
    if !item.starts_with("CONSTRAINT ") && !item.starts_with("FOREIGN KEY ") {
        return None;
    }
    position_outside(item, "FOREIGN KEY ")?;
    let start = position_outside(item, WORD)? + WORD.len();
    let name_at = |at: usize| -> Option<(String, usize)> {
        let end = skip_quoted(item.as_bytes(), at);
        let inner = item.get(at + 1..end.checked_sub(1)?)?;
        item.get(at..)?
            .starts_with('`')
            .then(|| (inner.replace("``", "`"), end))
    };
    let (first, mut end) = name_at(start)?;
    let parent = if item.get(end..)?.starts_with('.') {
        let (table, behind) = name_at(end + 1)?;
        end = behind;
        TableName::new(&first, &table).ok()?
    } else {
        database.table(&first).ok()?
    };
    Some(format!(
        "{}{}{}",
        item.get(..start)?,
        sql::table(&mapping.table(&parent)),
        item.get(end..)?
    ))
}

/// The FNV-1a hash: the same on every machine and in every version of this program.
pub(super) fn fnv(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The name of a key's entry, unquoted.
pub(super) fn key_name(item: &str) -> Option<String> {
    let open = find_outside_quotes_start(item)?;
    let end = skip_quoted(item.as_bytes(), open);
    Some(item.get(open + 1..end.checked_sub(1)?)?.replace("``", "`"))
}

fn find_outside_quotes_start(item: &str) -> Option<usize> {
    item.bytes().position(|byte| byte == b'`')
}

/// The quoted name of a column that a key must exist for: the AUTO_INCREMENT column, or the
/// first one of a foreign key.
fn needed_column(item: &str) -> Option<&str> {
    if item.starts_with('`') {
        return contains_outside(item, "AUTO_INCREMENT")
            .then(|| leading_name(item))
            .flatten();
    }
    if item.starts_with("CONSTRAINT ") || item.starts_with("FOREIGN KEY ") {
        let at = position_outside(item, "FOREIGN KEY ")?;
        return first_parenthesis(item.get(at..)?).and_then(leading_name);
    }
    None
}

/// What follows the first parenthesis outside of quotes.
fn first_parenthesis(item: &str) -> Option<&str> {
    find_outside(item, 0, b'(').and_then(|at| item.get(at + 1..))
}

/// The quoted name that a text begins with.
fn leading_name(text: &str) -> Option<&str> {
    text.starts_with('`')
        .then(|| text.get(..skip_quoted(text.as_bytes(), 0)))
        .flatten()
}

fn add_collation(text: &str, place: &str, keyword: &str, collation: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = position_outside(rest, place) {
        let (before, after) = rest.split_at(at + place.len());
        out.push_str(before);
        if !after.starts_with(keyword)
            && !after.starts_with(|c: char| c.is_alphanumeric() || c == '_')
        {
            out.push_str(keyword);
            out.push_str(collation);
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

fn split_counter(options: &str) -> (String, Option<u64>) {
    const OPTION: &str = "AUTO_INCREMENT=";
    let Some(at) = position_outside(options, OPTION) else {
        return (options.to_owned(), None);
    };
    let (before, after) = options.split_at(at);
    let value = after.get(OPTION.len()..).unwrap_or_default();
    let rest = value.trim_start_matches(|c: char| c.is_ascii_digit());
    let counter = value
        .strip_suffix(rest)
        .and_then(|digits| digits.parse().ok());
    (format!("{}{}", before.trim_end(), rest), counter)
}

fn contains_outside(text: &str, word: &str) -> bool {
    position_outside(text, word).is_some()
}

/// Where `word` stands outside of quotes.
fn position_outside(text: &str, word: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if matches!(byte, b'\'' | b'"' | b'`') {
            at = skip_quoted(bytes, at);
            continue;
        }
        if bytes
            .get(at..)
            .is_some_and(|rest| rest.starts_with(word.as_bytes()))
        {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// Where `wanted` stands outside of quotes.
pub(super) fn find_outside(text: &str, from: usize, wanted: u8) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = from;
    while let Some(byte) = bytes.get(at) {
        if matches!(byte, b'\'' | b'"' | b'`') {
            at = skip_quoted(bytes, at);
        } else if *byte == wanted {
            return Some(at);
        } else {
            at += 1;
        }
    }
    None
}

/// The place after the quoted text that begins at `open`, or the end of the text.
pub(super) fn skip_quoted(bytes: &[u8], open: usize) -> usize {
    let quote = bytes.get(open).copied().unwrap_or(b'\'');
    let mut at = open + 1;
    while let Some(byte) = bytes.get(at) {
        if *byte == quote {
            if bytes.get(at + 1) != Some(&quote) {
                return at + 1;
            }
            at += 1;
        } else if *byte == b'\\' && quote != b'`' {
            at += 1;
        }
        at += 1;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "CREATE TABLE `odd ``(` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `a),(` varchar(10) CHARACTER SET utf8mb4 DEFAULT 'it''s, \\'KEY' COMMENT 'KEY `x` (`id`),\\n) ENGINE',
  `n` int(11) AS ((`id` + 1)) STORED,
  `p` int(11) DEFAULT NULL,
  `auto` varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT 'AUTO_INCREMENT',
  PRIMARY KEY (`n`,`id`),
  UNIQUE KEY `u` (`a),(`(5)),
  KEY `by id` (`id`,`p`),
  KEY `by_p` (`p`),
  KEY `by ``n` (`n`) USING BTREE COMMENT 'c, d',
  KEY `by_expr` (((`n` + 1))),
  FULLTEXT KEY `ft` (`auto`),
  CONSTRAINT `fk` FOREIGN KEY (`p`, `n`) REFERENCES `other` (`id`, `n`) ON DELETE CASCADE
) ENGINE=InnoDB AUTO_INCREMENT=17 DEFAULT CHARSET=utf8mb4 COMMENT='CHARSET=utf8mb4 AUTO_INCREMENT=1'
/*!50100 PARTITION BY RANGE (n)
(PARTITION p0 VALUES LESS THAN (10) ENGINE = InnoDB) */";

    #[test]
    fn a_definition_is_taken_apart() {
        let definition = Definition::parse(SAMPLE).unwrap();
        assert_eq!(definition.items.len(), 13);
        assert_eq!(
            definition.later_keys(),
            [
                "KEY `by ``n` (`n`) USING BTREE COMMENT 'c, d'",
                "KEY `by_expr` (((`n` + 1)))",
                "FULLTEXT KEY `ft` (`auto`)"
            ]
        );
        let names: Vec<_> = definition
            .later_keys()
            .into_iter()
            .filter_map(key_name)
            .collect();
        assert_eq!(names, ["by `n", "by_expr", "ft"]);
        let statement = definition.create_statement("odd `(", false);
        assert!(
            statement
                .starts_with("CREATE TABLE `odd ``(` (\n  `id` int(11) NOT NULL AUTO_INCREMENT,")
        );
        assert!(!statement.contains("`ft`"), "{statement}");
        assert!(statement.contains(") AUTO_INCREMENT=17 ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='CHARSET=utf8mb4 AUTO_INCREMENT=1'"));
        assert!(definition.create_statement("t", true).contains("`ft`"));
    }

    #[test]
    fn the_collation_is_spelled_out_where_it_is_left_out() {
        let definition = Definition::parse(SAMPLE)
            .unwrap()
            .with_utf8mb4_collation("utf8mb4_general_ci");
        let statement = definition.create_statement("t", true);
        assert_eq!(
            statement.matches("COLLATE utf8mb4_general_ci").count(),
            1,
            "{statement}"
        );
        assert!(statement.contains(
            "DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci COMMENT='CHARSET=utf8mb4 AUTO"
        ));
        let again = definition.with_utf8mb4_collation("utf8mb4_unicode_ci");
        assert_eq!(again, definition);
    }

    #[test]
    fn foreign_keys_name_the_parents_of_the_destination() {
        let mapping = Mapping::new(&[("shop", "eu"), ("crm.c", "dw.`d``e`")]).unwrap();
        let database = DatabaseName::new("shop").unwrap();
        for (item, expected) in [
            (
                "CONSTRAINT `a REFERENCES b` FOREIGN KEY (`x`) REFERENCES `p``q` (`y`) ON DELETE CASCADE",
                "CONSTRAINT `a REFERENCES b` FOREIGN KEY (`x`) REFERENCES `eu`.`p``q` (`y`) ON DELETE CASCADE",
            ),
            (
                "CONSTRAINT `k` FOREIGN KEY (`x`) REFERENCES `crm`.`c` (`y`)",
                "CONSTRAINT `k` FOREIGN KEY (`x`) REFERENCES `dw`.`d``e` (`y`)",
            ),
            (
                "`c` int COMMENT ' REFERENCES `p`'",
                "`c` int COMMENT ' REFERENCES `p`'",
            ),
            (
                "CONSTRAINT `k` CHECK ((`a` > 1))",
                "CONSTRAINT `k` CHECK ((`a` > 1))",
            ),
        ] {
            let found = with_parent(item, &database, &mapping).unwrap_or_else(|| item.to_owned());
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn the_counter_is_no_part_of_it() {
        let other = SAMPLE.replace("AUTO_INCREMENT=17 ", "AUTO_INCREMENT=170 ");
        assert_eq!(Definition::parse(&other), Definition::parse(SAMPLE));
        assert_eq!(
            Definition::parse(&SAMPLE.replace("AUTO_INCREMENT=17 ", "")),
            Definition::parse(SAMPLE)
        );
        assert_ne!(
            Definition::parse(&SAMPLE.replace("`by_p`", "`by_q`")),
            Definition::parse(SAMPLE)
        );
    }

    #[test]
    fn what_is_no_definition_is_refused() {
        for text in [
            "",
            "CREATE TABLE t",
            "CREATE TABLE t (`a` int",
            "CREATE TABLE t (,)",
            "CREATE TABLE t ('a",
        ] {
            assert!(Definition::parse(text).is_err(), "{text}");
        }
    }
}
