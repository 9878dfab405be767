//! What versions spell in other ways.

/// A column's or parameter's type by what it means: without the display width that newer versions
/// do not print.
///
/// The width of `zerofill` says how a number is shown, and `tinyint(1)` tells programs that it is
/// a truth value; so these two keep it.
pub(super) fn plain_type(column_type: &str) -> String {
    let lower = column_type.to_ascii_lowercase();
    let keeps_width = lower.contains("zerofill") || lower.starts_with("tinyint(1)");
    if keeps_width && !lower.starts_with("enum(") && !lower.starts_with("set(") {
        return lower;
    }
    crate::copy::plain_type(column_type)
}

/// A character set or collation; `utf8` is what older versions call `utf8mb3`.
pub(super) fn plain_charset(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    match lower.strip_prefix("utf8") {
        Some(rest) if rest.is_empty() || rest.starts_with('_') => format!("utf8mb3{rest}"),
        _ => lower,
    }
}

/// A text that newer servers print escaped once more than they mean it: expressions in
/// `information_schema`.
pub(super) fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('0') => out.push('\0'),
            Some('Z') => out.push('\u{1a}'),
            Some(c) => out.push(c),
            None => out.push('\\'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_two_versions_are_the_same_if_values_and_programs_take_them_so() {
        for (left, right, same) in [
            ("int(11)", "int", true),
            ("int(10) unsigned", "int unsigned", true),
            ("year(4)", "year", true),
            ("geometrycollection", "geomcollection", true),
            ("tinyint(4)", "tinyint", true),
            ("tinyint(1)", "tinyint", false),
            (
                "int(5) unsigned zerofill",
                "int(6) unsigned zerofill",
                false,
            ),
            ("int unsigned", "int", false),
            ("varchar(10)", "varchar(11)", false),
            ("enum('zerofill','A')", "enum('zerofill','a')", false),
        ] {
            assert_eq!(
                plain_type(left) == plain_type(right),
                same,
                "{left} {right}"
            );
        }
    }

    #[test]
    fn old_names_of_character_sets_are_the_new_ones() {
        assert_eq!(plain_charset("utf8_bin"), "utf8mb3_bin");
        assert_eq!(plain_charset("utf8"), "utf8mb3");
        assert_eq!(plain_charset("utf8mb4_bin"), "utf8mb4_bin");
        assert_eq!(plain_charset("utf8mb3_bin"), "utf8mb3_bin");
    }

    #[test]
    fn expressions_lose_one_escape() {
        assert_eq!(unescaped(r"_utf8mb4\'a\\\\b\\\'\'"), r"_utf8mb4'a\\b\''");
    }
}
