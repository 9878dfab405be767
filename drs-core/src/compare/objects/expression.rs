//! Expressions and the queries of views, in one form whatever the server that printed them.
//!
//! Servers print what they parsed: with more or fewer parentheses, `isnull(a)` or `a is null`,
//! `MOD` or `%`. The text is read with the precedence of MySQL's operators and written again with
//! all parentheses. What is no operator stays where it is, so nothing is lost of a text that is
//! not understood in full.

mod node;
mod reader;
mod words;

use node::written;
use reader::Reader;

use super::tokens::tokens;

/// How the names in a text are taken.
pub(super) trait Names {
    /// A name of one to three parts as it is compared.
    fn name(&self, parts: Vec<String>) -> Vec<String>;
}

/// The columns of one table, whose case does not count.
pub(super) struct ColumnNames;

impl Names for ColumnNames {
    fn name(&self, parts: Vec<String>) -> Vec<String> {
        // Some versions name the table too.
        let last = parts.last().map(|name| name.to_lowercase());
        last.into_iter().collect()
    }
}

/// The one form of a text. Two texts with one form mean the same; two forms may do so too.
pub(super) fn canonical(text: &str, names: &dyn Names) -> String {
    let read = || Reader::new(tokens(text)?, names).whole();
    match read() {
        Some(nodes) => written(&nodes),
        // Not an expression as it is known here: the text itself, but for white space.
        None => text.split_whitespace().collect::<Vec<_>>().join(" "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(left: &str, right: &str) -> bool {
        canonical(left, &ColumnNames) == canonical(right, &ColumnNames)
    }

    #[test]
    fn the_same_in_other_words() {
        for (left, right) in [
            ("(`a` + 1)", "a+1"),
            ("((`a` * 2) + `b`)", "`a`*2+`b`"),
            ("(`id` % 7)", "id MOD 7"),
            ("TO_DAYS(d)", "to_days(`d`)"),
            ("concat(`q`,_utf8mb4'x')", "CONCAT(`q`, 'x')"),
            ("'it''s'", r"'it\'s'"),
            ("x'FF'", "0xff"),
            (
                "((`a` = 1) and (`b` = 2) and `c`)",
                "`a` = 1 AND (`b` = 2 AND `c`)",
            ),
            ("(`a` <> 1)", "`a` != 1"),
            ("isnull(`a`)", "(`a` is null)"),
            ("(`a` is not null)", "not(isnull(`a`))"),
            ("(not(`a`))", "(0 = `a`)"),
            ("(`a` and `b`)", "((0 <> `a`) and (0 <> `b`))"),
            (
                "(case when `a` then 1 end)",
                "(case when (0 <> `a`) then 1 end)",
            ),
            ("(`a` not like 'x')", "(not((`a` like 'x')))"),
            ("(`a` regexp 'x')", "regexp_like(`a`,'x')"),
            ("(`a` between 1 and (2 + 3))", "`a` BETWEEN 1 AND 2 + 3"),
            (
                "cast(`a` as char charset utf8)",
                "cast(`a` as char charset utf8mb3)",
            ),
            ("(`a` collate utf8_bin)", "`a` collate utf8mb3_bin"),
            ("`db`.`t`.`A`", "`a`"),
            (
                "('2020-01-01' + interval `a` day)",
                "'2020-01-01' + INTERVAL a DAY",
            ),
            (
                "(`d` + interval (`a` + 1) day)",
                "`d` + INTERVAL (a + 1) DAY",
            ),
            ("-(`a`)", "-`a`"),
            ("true", "1"),
            ("('a',1),('b',NULL)", "('a', 1), ('b', null)"),
            (
                "json_extract(`j`,_utf8mb4'$.a')",
                "json_extract(`j`, '$.a')",
            ),
        ] {
            assert!(
                same(left, right),
                "{left} -> {} / {right} -> {}",
                canonical(left, &ColumnNames),
                canonical(right, &ColumnNames)
            );
        }
    }

    #[test]
    fn other_meanings_have_other_forms() {
        for (left, right) in [
            ("(`a` + 1) * 2", "`a` + 1 * 2"),
            ("`a` - (`b` - `c`)", "`a` - `b` - `c`"),
            ("`a` or `b` and `c`", "(`a` or `b`) and `c`"),
            ("not `a` = `b`", "(not `a`) = `b`"),
            ("`a` = 1", "`a` = '1'"),
            ("'a'", "'A'"),
            ("'a'", "`a`"),
            ("_latin1'a'", "'a'"),
            ("'50%'", r"'50\%'"),
            ("`a` like 'x' escape '|'", "`a` like 'x'"),
            ("`a` in (1,2)", "`a` in (2,1)"),
            ("`a` is null", "`a` is not null"),
            ("(0 <> `a`)", "`a`"),
            (
                "(case `a` when (0 <> `b`) then 1 end)",
                "(case `a` when `b` then 1 end)",
            ),
            ("`a` between 1 and 2", "`a` between 2 and 1"),
            ("count(distinct `a`)", "count(`a`)"),
            ("`a` order by `b` desc", "`a` order by `b`"),
            ("left(`a`,1)", "right(`a`,1)"),
            ("null", "`null`"),
            ("-`a` ^ 2", "-(`a` ^ 2)"),
            ("(1, 2)", "(1), (2)"),
            ("f(1)", "`f` (1)"),
        ] {
            assert!(
                !same(left, right),
                "{left} / {right}: {}",
                canonical(left, &ColumnNames)
            );
        }
    }

    #[test]
    fn what_is_not_understood_is_compared_as_it_stands() {
        for text in ["(`a`", "`a`)", "'a", "a ? b", ""] {
            assert_eq!(canonical(text, &ColumnNames), text);
        }
        let deep = format!("{}1{}", "(".repeat(5000), ")".repeat(5000));
        assert_eq!(canonical(&deep, &ColumnNames), deep);
        assert!(!same("a ? b", "a ? c"));
    }
}
