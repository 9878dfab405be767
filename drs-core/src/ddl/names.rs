//! Other names in a statement's text.
use super::statement::{ObjectName, Statement};

/// A statement with other names for its objects; what stands between them stays as it is.
///
/// `name` gives the text, quoted, that takes the place of an object's name and of the database
/// before it; `None` leaves both.
pub(crate) fn with_names(
    sql: &[u8],
    statement: &Statement,
    name: impl Fn(&ObjectName) -> Option<String>,
) -> Vec<u8> {
    let mut places: Vec<(usize, usize, String)> = statement
        .objects
        .iter()
        .filter_map(|object| {
            let start = object.database_span.unwrap_or(object.name_span).start;
            name(object).map(|name| (start, object.name_span.end, name))
        })
        .collect();
    places.sort();
    let mut out = Vec::with_capacity(sql.len() + 64);
    let mut at = 0;
    for (start, end, name) in places {
        if start < at {
            continue;
        }
        out.extend_from_slice(sql.get(at..start).unwrap_or_default());
        // A name that was left out has no place of its own between two words.
        let is_left_out = start == end;
        out.extend_from_slice(if is_left_out { b" " } else { b"" });
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(if is_left_out { b" " } else { b"" });
        at = end;
    }
    out.extend_from_slice(sql.get(at..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ServerVersion,
        ddl::{LexContext, ObjectKind, SqlMode, classify},
        sql,
    };

    #[test]
    fn names_are_put_in_their_places_and_nothing_else_changes() {
        let version = ServerVersion::parse("9.7.0").unwrap();
        let context = LexContext::new(255, SqlMode::default(), version, version, Some("d"));
        for (text, expected) in [
            (
                "CREATE TABLE t (a INT COMMENT 'd.t')",
                "CREATE TABLE `x`.`t` (a INT COMMENT 'd.t')",
            ),
            (
                "ALTER TABLE `d` . t ADD FOREIGN KEY (p) REFERENCES q (id), RENAME TO d.`u`",
                "ALTER TABLE `x`.`t` ADD FOREIGN KEY (p) REFERENCES `x`.`q` (id), RENAME TO `x`.`u`",
            ),
            (
                "rename table a to b, e.c to b2",
                "rename table `x`.`a` to `x`.`b`, e.c to `x`.`b2`",
            ),
            ("DROP TABLE /*d.t*/ a,e.b", "DROP TABLE /*d.t*/ `x`.`a`,e.b"),
            (
                "CREATE TABLE t LIKE d.s",
                "CREATE TABLE `x`.`t` LIKE `x`.`s`",
            ),
            (
                "CREATE TABLE t (a INT, CHECK (t.a > 1))",
                "CREATE TABLE `x`.`t` (a INT, CHECK (`x`.`t`.a > 1))",
            ),
            ("DROP DATABASE IF EXISTS d", "DROP DATABASE IF EXISTS `x`"),
            (
                "ALTER DATABASE CHARACTER SET utf8mb4",
                "ALTER DATABASE `x` CHARACTER SET utf8mb4",
            ),
            (
                "CREATE UNIQUE INDEX i ON t (a)",
                "CREATE UNIQUE INDEX i ON `x`.`t` (a)",
            ),
        ] {
            let statement = classify(text.as_bytes(), &context);
            let renamed = with_names(text.as_bytes(), &statement, |object| {
                let database = object.database.as_deref()?;
                (database == "d").then(|| match object.kind {
                    ObjectKind::Database => "`x`".to_owned(),
                    _ => format!("`x`.{}", sql::identifier(&object.name)),
                })
            });
            assert_eq!(
                String::from_utf8_lossy(&renamed).replace("  ", " "),
                expected
            );
        }
    }
}
