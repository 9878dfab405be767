//! MySQL's operators and the words between expressions.

/// Words that are no operand of an operator: what follows begins anew.
pub(super) const KEYWORDS: &[&str] = &[
    "select",
    "distinct",
    "from",
    "where",
    "group",
    "by",
    "order",
    "having",
    "limit",
    "offset",
    "as",
    "on",
    "using",
    "join",
    "left",
    "right",
    "inner",
    "outer",
    "cross",
    "straight_join",
    "natural",
    "union",
    "all",
    "intersect",
    "except",
    "with",
    "rollup",
    "recursive",
    "case",
    "when",
    "then",
    "else",
    "end",
    "asc",
    "desc",
    "separator",
    "window",
    "partition",
    "over",
    "rows",
    "range",
    "unbounded",
    "preceding",
    "following",
    "current",
    "row",
    "lateral",
    "use",
    "force",
    "ignore",
    "index",
    "for",
    "values",
];

/// What an interval is counted in.
pub(super) const UNITS: [&str; 20] = [
    "microsecond",
    "second",
    "minute",
    "hour",
    "day",
    "week",
    "month",
    "quarter",
    "year",
    "second_microsecond",
    "minute_microsecond",
    "minute_second",
    "hour_microsecond",
    "hour_second",
    "hour_minute",
    "day_microsecond",
    "day_second",
    "day_minute",
    "day_hour",
    "year_month",
];

/// The infix operators by precedence, the loosest first.
pub(super) const OPERATORS: &[&[&str]] = &[
    &[":="],
    &["or", "||"],
    &["xor"],
    &["and", "&&"],
    // NOT stands here.
    &[],
    // BETWEEN.
    &[],
    &[
        "=", "<=>", ">=", ">", "<=", "<", "<>", "!=", "regexp", "rlike", "like", "in", "is",
        "between", "member", "not", "sounds",
    ],
    &["|"],
    &["&"],
    &["<<", ">>"],
    &["-", "+"],
    &["*", "/", "div", "%", "mod"],
    &["^"],
    // Signs.
    &[],
    &["collate"],
    &["->", "->>"],
];
/// The place of NOT among them.
pub(super) const NOT: usize = 4;
/// What binds tighter than a comparison.
pub(super) const BITS: usize = 7;
/// What binds tighter than all operators of two sides but the last.
pub(super) const SIGN: usize = 13;
