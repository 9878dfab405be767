//! Expressions and the queries of views, in one form whatever the server that printed them.
//!
//! Servers print what they parsed: with more or fewer parentheses, `isnull(a)` or `a is null`,
//! `MOD` or `%`. The text is read with the precedence of MySQL's operators and written again with
//! all parentheses. What is no operator stays where it is, so nothing is lost of a text that is
//! not understood in full.

use std::iter::Peekable;
use std::vec::IntoIter;

use super::tokens::{Token, tokens};

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
    let read = || {
        let mut reader = Reader {
            tokens: tokens(text)?.into_iter().peekable(),
            names,
            depth: 0,
        };
        let nodes = reader.sequence()?;
        reader.tokens.peek().is_none().then(|| written(&nodes))
    };
    // Not an expression as it is known here: the text itself, but for white space.
    read().unwrap_or_else(|| text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// More parentheses in one another than this are not followed.
const DEPTH_MAX: u32 = 120;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    /// A name, a literal or a keyword.
    Atom(String),
    /// An operator with its operands.
    Operator(String, Vec<Self>),
    /// A function with what stands in its parentheses.
    Call(String, Vec<Self>),
    /// What stands in parentheses and is more than one expression.
    List(Vec<Self>),
}

impl Node {
    fn is(&self, atom: &str) -> bool {
        matches!(self, Self::Atom(text) if text == atom)
    }

    fn not(self) -> Self {
        Self::Operator("not".to_owned(), vec![self.truth()])
    }

    /// The same where only its truth matters: newer servers write `0 <> a` for `a` there.
    fn truth(self) -> Self {
        match self {
            Self::Operator(sign, mut operands)
                if sign == "<>"
                    && operands.len() == 2
                    && operands.first().is_some_and(|first| first.is("0")) =>
            {
                operands.pop().unwrap_or(Self::List(Vec::new()))
            }
            other => other,
        }
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Atom(text) => out.push_str(text),
            Self::Operator(sign, operands) => {
                out.push('(');
                if operands.len() == 1 {
                    out.push_str(sign);
                    out.push(' ');
                }
                for (index, operand) in operands.iter().enumerate() {
                    if index > 0 {
                        out.push(' ');
                        out.push_str(sign);
                        out.push(' ');
                    }
                    operand.write(out);
                }
                out.push(')');
            }
            Self::Call(name, inner) => {
                out.push_str(name);
                out.push('(');
                out.push_str(&written(inner));
                out.push(')');
            }
            Self::List(inner) => {
                out.push('(');
                out.push_str(&written(inner));
                out.push(')');
            }
        }
    }
}

fn written(nodes: &[Node]) -> String {
    let mut out = String::new();
    for (index, node) in nodes.iter().enumerate() {
        if index > 0 {
            out.push(' ');
        }
        node.write(&mut out);
    }
    out
}

/// Words that are no operand of an operator: what follows begins anew.
const KEYWORDS: &[&str] = &[
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
const UNITS: [&str; 20] = [
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
const OPERATORS: &[&[&str]] = &[
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
const NOT: usize = 4;
const BITS: usize = 7;
const SIGN: usize = 13;

struct Reader<'a> {
    tokens: Peekable<IntoIter<Token>>,
    names: &'a dyn Names,
    depth: u32,
}

impl Reader<'_> {
    /// Up to a closing parenthesis or the end.
    fn sequence(&mut self) -> Option<Vec<Node>> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return None;
        }
        let mut nodes: Vec<Node> = Vec::new();
        while !matches!(self.tokens.peek(), None | Some(Token::Close)) {
            let node = self.expression(0)?;
            let is_condition = ["where", "having", "on"]
                .iter()
                .any(|word| nodes.last().is_some_and(|last| last.is(word)));
            nodes.push(match is_condition || is_searched(&nodes) {
                true => node.truth(),
                false => node,
            });
        }
        self.depth -= 1;
        Some(nodes)
    }

    fn expression(&mut self, loosest: usize) -> Option<Node> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return None;
        }
        let mut node = self.operand()?;
        let ends =
            matches!(&node, Node::Atom(text) if text == "," || KEYWORDS.contains(&text.as_str()));
        while let Some((sign, precedence)) =
            self.operator().filter(|found| !ends && found.1 >= loosest)
        {
            self.tokens.next();
            node = self.operation(node, sign, precedence)?;
        }
        self.depth -= 1;
        Some(node)
    }

    /// The operator that comes next.
    fn operator(&mut self) -> Option<(String, usize)> {
        let sign = match self.tokens.peek()? {
            Token::Word(word) => word.as_str(),
            Token::Sign(sign) => sign,
            _ => return None,
        };
        let precedence = OPERATORS.iter().position(|level| level.contains(&sign))?;
        Some((sign.to_owned(), precedence))
    }

    fn operation(&mut self, left: Node, sign: String, precedence: usize) -> Option<Node> {
        let two = |sign: &str, left, right| Node::Operator(sign.to_owned(), vec![left, right]);
        Some(match sign.as_str() {
            "not" => {
                let (sign, precedence) = self.operator()?;
                self.tokens.next();
                self.operation(left, sign, precedence)?.not()
            }
            "is" => {
                let negated = self.word_is("not");
                let Token::Word(what) = self.tokens.next()? else {
                    return None;
                };
                let is = Node::Operator(format!("is {what}"), vec![left]);
                if negated { is.not() } else { is }
            }
            "between" => {
                let low = self.expression(BITS)?;
                self.word_is("and").then_some(())?;
                let high = self.expression(BITS)?;
                Node::Operator("between".to_owned(), vec![left, low, high])
            }
            "like" => {
                let pattern = self.expression(BITS)?;
                let mut operands = vec![left, pattern];
                if self.word_is("escape") {
                    operands.push(self.expression(BITS)?);
                }
                Node::Operator(sign, operands)
            }
            "regexp" | "rlike" => {
                let pattern = self.expression(BITS)?;
                Node::Call(
                    "regexp_like".to_owned(),
                    vec![left, Node::Atom(",".to_owned()), pattern],
                )
            }
            "member" => {
                self.word_is("of").then_some(())?;
                two("member of", left, self.expression(BITS)?)
            }
            "sounds" => {
                self.word_is("like").then_some(())?;
                two("sounds like", left, self.expression(BITS)?)
            }
            "or" | "||" => chain("or", left.truth(), self.expression(precedence + 1)?.truth()),
            "and" | "&&" => chain(
                "and",
                left.truth(),
                self.expression(precedence + 1)?.truth(),
            ),
            "xor" => two(
                "xor",
                left.truth(),
                self.expression(precedence + 1)?.truth(),
            ),
            "=" if left.is("0") => self.expression(precedence + 1)?.not(),
            "!=" => two("<>", left, self.expression(precedence + 1)?),
            "mod" => two("%", left, self.expression(precedence + 1)?),
            _ => two(&sign, left, self.expression(precedence + 1)?),
        })
    }

    /// Takes a word, if it is the next token.
    fn word_is(&mut self, word: &str) -> bool {
        let is_next = matches!(self.tokens.peek(), Some(Token::Word(next)) if next == word);
        if is_next {
            self.tokens.next();
        }
        is_next
    }

    fn operand(&mut self) -> Option<Node> {
        Some(match self.tokens.next()? {
            Token::Open => match <[Node; 1]>::try_from(self.closed()?) {
                Ok([node]) => node,
                Err(nodes) => Node::List(nodes),
            },
            Token::Close => return None,
            Token::Name(name) => self.name(name)?,
            Token::Text(text) => Node::Atom(literal(&text)),
            Token::Number(digits) => Node::Atom(digits),
            Token::Sign("!") => self.expression(SIGN)?.not(),
            Token::Sign(sign @ ("-" | "+" | "~")) => {
                Node::Operator(sign.to_owned(), vec![self.expression(SIGN)?])
            }
            Token::Sign(sign) => Node::Atom(sign.to_owned()),
            Token::Word(word) => self.word(word)?,
        })
    }

    /// What stands between the parenthesis that was read and the one that closes it.
    fn closed(&mut self) -> Option<Vec<Node>> {
        let nodes = self.sequence()?;
        matches!(self.tokens.next()?, Token::Close).then_some(nodes)
    }

    fn name(&mut self, first: String) -> Option<Node> {
        let mut parts = vec![first];
        while matches!(self.tokens.peek(), Some(Token::Sign("."))) {
            self.tokens.next();
            match self.tokens.next()? {
                Token::Name(name) | Token::Word(name) => parts.push(name),
                Token::Sign("*") => parts.push("*".to_owned()),
                _ => return None,
            }
        }
        // A function of a database.
        if matches!(self.tokens.peek(), Some(Token::Open)) && parts.len() == 2 {
            self.tokens.next();
            let name = quoted_name(&self.names.name(parts));
            return Some(Node::Call(name, self.closed()?));
        }
        Some(Node::Atom(quoted_name(&self.names.name(parts))))
    }

    fn word(&mut self, word: String) -> Option<Node> {
        if word == "not" {
            return Some(self.expression(NOT)?.not());
        }
        if word == "interval" {
            let amount = self.expression(SIGN)?;
            let is_unit =
                |unit: &&str| self.tokens.peek() == Some(&Token::Word((*unit).to_owned()));
            let Some(unit) = UNITS.iter().copied().find(is_unit) else {
                // The function of this name.
                return Some(Node::Call(word, vec![amount]));
            };
            self.tokens.next();
            return Some(Node::Operator(
                word,
                vec![amount, Node::Atom(unit.to_owned())],
            ));
        }
        if let Some(Token::Text(_)) = self.tokens.peek() {
            let Some(Token::Text(text)) = self.tokens.next() else {
                return None;
            };
            // The introducers that say no more than that it is text.
            return Some(match word.as_str() {
                "_utf8mb4" | "_utf8mb3" | "_utf8" => Node::Atom(literal(&text)),
                _ => Node::Atom(format!("{word}{}", literal(&text))),
            });
        }
        if word == "binary"
            && !matches!(self.tokens.peek(), None | Some(Token::Close | Token::Open))
        {
            // Newer servers print the cast that it is.
            let mut inner = vec![self.expression(SIGN)?];
            inner.extend(
                ["as", "`char`", "`charset`", "`binary`"].map(|word| Node::Atom(word.to_owned())),
            );
            return Some(Node::Call("cast".to_owned(), inner));
        }
        let takes = matches!(self.tokens.peek(), Some(Token::Open));
        if takes
            && (!KEYWORDS.contains(&word.as_str())
                || matches!(word.as_str(), "left" | "right" | "values"))
        {
            self.tokens.next();
            return Some(called(word, self.closed()?));
        }
        if KEYWORDS.contains(&word.as_str()) {
            return Some(Node::Atom(word));
        }
        if matches!(self.tokens.peek(), Some(Token::Sign("."))) {
            return self.name(word);
        }
        Some(Node::Atom(match word.as_str() {
            "null" | "maxvalue" => word,
            // Older servers print the numbers that they are.
            "true" => "1".to_owned(),
            "false" => "0".to_owned(),
            // A name that a user wrote without quotes; or a unit, a type or a character set, which stand
            // where no name can.
            _ => crate::sql::identifier(&super::spelling::plain_charset(&word)),
        }))
    }
}

/// True behind the `when` of a `case` without a value of its own.
fn is_searched(nodes: &[Node]) -> bool {
    let is_at = |at: Option<usize>, word: &str| {
        at.and_then(|at| nodes.get(at))
            .is_some_and(|node| node.is(word))
    };
    let start = nodes.iter().rposition(|node| node.is("case"));
    nodes.last().is_some_and(|last| last.is("when")) && is_at(start.map(|at| at + 1), "when")
}

fn called(name: String, mut inner: Vec<Node>) -> Node {
    if name == "isnull" && inner.len() == 1 {
        return Node::Operator("is null".to_owned(), inner);
    }
    if name == "if" && !inner.is_empty() {
        let condition = inner.remove(0).truth();
        inner.insert(0, condition);
    }
    Node::Call(name, inner)
}

/// AND and OR of three are printed without inner parentheses.
fn chain(sign: &str, left: Node, right: Node) -> Node {
    let mut operands = Vec::new();
    for side in [left, right] {
        match side {
            Node::Operator(inner, more) if inner == sign => operands.extend(more),
            other => operands.push(other),
        }
    }
    Node::Operator(sign.to_owned(), operands)
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn quoted_name(parts: &[String]) -> String {
    let quoted: Vec<String> = parts
        .iter()
        .map(|part| crate::sql::identifier(part))
        .collect();
    quoted.join(".")
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
