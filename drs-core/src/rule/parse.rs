use super::{
    Expression, Literal, Operator,
    expression::DEFAULT_ESCAPE,
    lexer::{Token, tokens},
};

/// The longest condition, in characters: the limit of the service that `drs` stands in for.
pub const WHERE_CHARS_MAX: usize = 512;

/// What is wrong with a condition's text, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("character {position}: {reason}")]
pub struct ParseError {
    /// The number of the first character that is wrong, from 1.
    pub position: usize,
    /// What was found, and what is right.
    pub reason: String,
}

impl ParseError {
    pub(super) fn new(position: usize, reason: impl Into<String>) -> Self {
        Self {
            position,
            reason: reason.into(),
        }
    }
}

impl std::str::FromStr for Expression {
    type Err = ParseError;

    /// Reads what would stand behind WHERE.
    ///
    /// A column is compared with a literal; `AND`, `OR`, `NOT` and brackets combine. Everything
    /// else is an error: what is not understood can't mean the same in the copy and in the log.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        if text.chars().count() > WHERE_CHARS_MAX {
            return Err(ParseError::new(
                WHERE_CHARS_MAX + 1,
                format!("a condition has at most {WHERE_CHARS_MAX} characters"),
            ));
        }
        let mut parser = Parser {
            tokens: tokens(text)?,
            at: 0,
        };
        let expression = parser.any()?;
        match parser.peek() {
            Token::End => Ok(expression),
            _ => Err(parser.unexpected("AND, OR or the end")),
        }
    }
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    at: usize,
}

impl Parser {
    fn any(&mut self) -> Result<Expression, ParseError> {
        let mut parts = vec![self.all()?];
        while self.takes_word("OR") {
            parts.push(self.all()?);
        }
        Ok(match parts.len() {
            1 => parts.swap_remove(0),
            _ => Expression::Or(parts),
        })
    }

    fn all(&mut self) -> Result<Expression, ParseError> {
        let mut parts = vec![self.negation()?];
        while self.takes_word("AND") {
            parts.push(self.negation()?);
        }
        Ok(match parts.len() {
            1 => parts.swap_remove(0),
            _ => Expression::And(parts),
        })
    }

    fn negation(&mut self) -> Result<Expression, ParseError> {
        if self.takes_word("NOT") {
            return Ok(Expression::Not(Box::new(self.negation()?)));
        }
        if self.takes_sign("(") {
            let inner = self.any()?;
            if !self.takes_sign(")") {
                return Err(self.unexpected("AND, OR or )"));
            }
            return Ok(inner);
        }
        self.predicate()
    }

    fn predicate(&mut self) -> Result<Expression, ParseError> {
        let at = self.at;
        if let Some(literal) = self.literal()? {
            return match (self.operator(), literal) {
                (Some(operator), literal) => {
                    let column = self.column("a column to compare the literal with")?;
                    Ok(Expression::Compare {
                        column,
                        operator: operator.swapped(),
                        literal,
                    })
                }
                (None, Literal::Boolean(value)) => Ok(Expression::Constant(Some(value))),
                (None, Literal::Null) => Ok(Expression::Constant(None)),
                (None, _) => {
                    if matches!(self.peek(), Token::End) {
                        self.at = at;
                        return Err(self.error("a literal alone is no condition"));
                    }
                    Err(self.unexpected("a comparison"))
                }
            };
        }
        let column = self.column("a column, a literal, NOT or (")?;
        if let Some(operator) = self.operator() {
            let literal = self.value()?;
            return Ok(Expression::Compare {
                column,
                operator,
                literal,
            });
        }
        if self.takes_word("IS") {
            let negated = self.takes_word("NOT");
            if !self.takes_word("NULL") {
                return Err(self.unexpected("NULL (IS TRUE and the like can't be used)"));
            }
            return Ok(Expression::IsNull { column, negated });
        }
        let negated = self.takes_word("NOT");
        if self.takes_word("IN") {
            return self.list(column, negated);
        }
        if self.takes_word("BETWEEN") {
            let low = self.value()?;
            if !self.takes_word("AND") {
                return Err(self.unexpected("AND and the upper end"));
            }
            let high = self.value()?;
            return Ok(Expression::Between {
                column,
                negated,
                low,
                high,
            });
        }
        if self.takes_word("LIKE") {
            return self.like(column, negated);
        }
        Err(self.unexpected("a comparison, IS, IN, BETWEEN or LIKE"))
    }

    fn list(&mut self, column: String, negated: bool) -> Result<Expression, ParseError> {
        if !self.takes_sign("(") {
            return Err(self.unexpected("( and a list of literals"));
        }
        let mut literals = vec![self.value()?];
        while self.takes_sign(",") {
            literals.push(self.value()?);
        }
        if !self.takes_sign(")") {
            return Err(self.unexpected(", or )"));
        }
        Ok(Expression::In {
            column,
            negated,
            literals,
        })
    }

    fn like(&mut self, column: String, negated: bool) -> Result<Expression, ParseError> {
        let at = self.at;
        let Token::Text(pattern) = self.peek().clone() else {
            return Err(self.unexpected("a text in quotes"));
        };
        self.at += 1;
        let mut escape = DEFAULT_ESCAPE;
        if self.takes_word("ESCAPE") {
            let one = match self.peek() {
                Token::Text(text) => {
                    let mut chars = text.chars();
                    chars.next().filter(|_| chars.next().is_none())
                }
                _ => None,
            };
            match one {
                Some(c) if c.is_ascii_graphic() && c != '%' && c != '_' => escape = c,
                _ => {
                    return Err(self.error(
                        "ESCAPE takes one printable ASCII character in quotes, and neither % nor _",
                    ));
                }
            }
            self.at += 1;
        }
        let mut chars = pattern.chars();
        while let Some(c) = chars.next() {
            if c == escape && chars.next().is_none() {
                self.at = at;
                return Err(self.error("the pattern ends with its escape character"));
            }
        }
        Ok(Expression::Like {
            column,
            negated,
            pattern,
            escape,
        })
    }

    fn operator(&mut self) -> Option<Operator> {
        let Token::Sign(sign) = self.peek() else {
            return None;
        };
        let operator = match sign.as_str() {
            "=" => Operator::Equal,
            "<=>" => Operator::NullSafeEqual,
            "<>" | "!=" => Operator::NotEqual,
            "<" => Operator::Less,
            "<=" => Operator::LessOrEqual,
            ">" => Operator::Greater,
            ">=" => Operator::GreaterOrEqual,
            _ => return None,
        };
        self.at += 1;
        Some(operator)
    }

    fn value(&mut self) -> Result<Literal, ParseError> {
        match self.literal()? {
            Some(literal) => Ok(literal),
            None => Err(self.unexpected("a literal")),
        }
    }

    /// A literal, if one is next.
    fn literal(&mut self) -> Result<Option<Literal>, ParseError> {
        let sign = match self.peek() {
            Token::Sign(sign) if sign == "-" || sign == "+" => sign.clone(),
            _ => String::new(),
        };
        let signed = usize::from(!sign.is_empty());
        let minus = if sign == "-" { "-" } else { "" };
        let literal = match self.token(signed) {
            Token::Integer(text) => Literal::Integer(format!("{minus}{text}")),
            Token::Decimal(text) => Literal::Decimal(format!("{minus}{text}")),
            Token::Float(text) => Literal::Float(format!("{minus}{text}")),
            _ if signed > 0 => {
                self.at += 1;
                return Err(self.unexpected("a number behind the sign"));
            }
            Token::Text(text) => Literal::Text(text.clone()),
            Token::Bytes(bytes) => Literal::Bytes(bytes.clone()),
            Token::Word(word) => {
                type Kind = (&'static str, fn(String) -> Literal);
                let kinds: [Kind; 3] = [
                    ("DATE", Literal::Date),
                    ("TIME", Literal::Time),
                    ("TIMESTAMP", Literal::Timestamp),
                ];
                let kind = kinds
                    .into_iter()
                    .find(|(name, _)| word.eq_ignore_ascii_case(name));
                if let (Some((_, kind)), Token::Text(text)) = (kind, self.token(1)) {
                    let literal = kind(text.clone());
                    self.at += 2;
                    return Ok(Some(literal));
                }
                if word.eq_ignore_ascii_case("TRUE") {
                    Literal::Boolean(true)
                } else if word.eq_ignore_ascii_case("FALSE") {
                    Literal::Boolean(false)
                } else if word.eq_ignore_ascii_case("NULL") {
                    Literal::Null
                } else {
                    return Ok(None);
                }
            }
            _ => return Ok(None),
        };
        self.at += 1 + signed;
        Ok(Some(literal))
    }

    fn column(&mut self, expected: &str) -> Result<String, ParseError> {
        let name = match self.peek() {
            Token::Quoted(name) => name.clone(),
            Token::Word(name) if !is_keyword(name) => name.clone(),
            _ => return Err(self.unexpected(expected)),
        };
        self.at += 1;
        match self.peek() {
            Token::Sign(sign) if sign == "(" => Err(self.error("functions can't be used")),
            Token::Sign(sign) if sign == "." => {
                Err(self.error("give the column's name alone, without its table's"))
            }
            _ => Ok(name),
        }
    }

    fn peek(&self) -> &Token {
        self.token(0)
    }

    fn token(&self, ahead: usize) -> &Token {
        self.tokens
            .get(self.at + ahead)
            .map_or(&Token::End, |(_, token)| token)
    }

    fn takes_word(&mut self, keyword: &str) -> bool {
        let found = matches!(self.peek(), Token::Word(word) if word.eq_ignore_ascii_case(keyword));
        self.at += usize::from(found);
        found
    }

    fn takes_sign(&mut self, expected: &str) -> bool {
        let found = matches!(self.peek(), Token::Sign(sign) if sign == expected);
        self.at += usize::from(found);
        found
    }

    fn error(&self, reason: impl Into<String>) -> ParseError {
        let end = self.tokens.last();
        let position = self.tokens.get(self.at).or(end).map_or(1, |(at, _)| *at);
        ParseError::new(position, reason)
    }

    fn unexpected(&self, expected: &str) -> ParseError {
        let found = match self.peek() {
            Token::Word(word) if word.eq_ignore_ascii_case("SELECT") => {
                return self.error("subqueries can't be used");
            }
            Token::Word(word) if word.eq_ignore_ascii_case("XOR") => {
                return self.error("XOR can't be used");
            }
            Token::Word(word) => format!("{word:?}"),
            Token::Quoted(name) => sql_name(name),
            Token::Text(_) => "a text".to_owned(),
            Token::Bytes(_) => "a hexadecimal literal".to_owned(),
            Token::Integer(_) | Token::Decimal(_) | Token::Float(_) => "a number".to_owned(),
            Token::End => "the end".to_owned(),
            Token::Sign(sign) => match sign.as_str() {
                "&&" => return self.error("&& can't be used; write AND"),
                "||" => return self.error("|| can't be used; write OR"),
                "!" => return self.error("! can't be used; write NOT"),
                "+" | "-" | "*" | "/" | "%" | "&" | "|" | "^" | "~" => {
                    return self.error(format!("arithmetic can't be used: {sign}"));
                }
                "@" | ":=" => return self.error("variables can't be used"),
                "#" | "/*" => return self.error("comments can't be used"),
                ";" => return self.error("a condition has no ; and is one condition"),
                sign => format!("{sign:?}"),
            },
        };
        self.error(format!("found {found}, expected {expected}"))
    }
}

fn sql_name(name: &str) -> String {
    crate::sql::identifier(name)
}

/// The words that can't be a column's name without backquotes here.
fn is_keyword(word: &str) -> bool {
    const KEYWORDS: [&str; 16] = [
        "AND", "OR", "NOT", "IN", "BETWEEN", "LIKE", "IS", "NULL", "TRUE", "FALSE", "XOR",
        "SELECT", "EXISTS", "CASE", "INTERVAL", "BINARY",
    ];
    KEYWORDS
        .iter()
        .any(|keyword| word.eq_ignore_ascii_case(keyword))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_conditions() {
        // Text, and how the condition is printed.
        for (text, printed) in [
            ("region = 'EU'", "`region` = 'EU'"),
            ("a=1 and b<>2 or c!=3", "(`a` = 1 AND `b` <> 2) OR `c` <> 3"),
            ("a=1 and (b=2 or c=3)", "`a` = 1 AND (`b` = 2 OR `c` = 3)"),
            ("not a = 1 and b = 2", "NOT (`a` = 1) AND `b` = 2"),
            ("NOT (a = 1 AND b = 2)", "NOT (`a` = 1 AND `b` = 2)"),
            ("3 >= a", "`a` <= 3"),
            ("a <=> NULL", "`a` <=> NULL"),
            ("a in (1, -2, +3)", "`a` IN (1, -2, 3)"),
            ("a NOT IN ('x')", "`a` NOT IN ('x')"),
            (
                "a between -1 and 2.50 or b is not null",
                "`a` BETWEEN -1 AND 2.50 OR `b` IS NOT NULL",
            ),
            (
                "sid > 3 and sname like \"G %\"",
                "`sid` > 3 AND `sname` LIKE 'G %'",
            ),
            ("a LIKE '5|%' ESCAPE '|'", "`a` LIKE '5|%' ESCAPE '|'"),
            (r"a LIKE '5\%'", r"`a` LIKE '5\\%'"),
            ("`odd``name` IS NULL", "`odd``name` IS NULL"),
            ("date >= DATE '2026-01-31'", "`date` >= DATE '2026-01-31'"),
            (
                "t < timestamp'2026-01-31 00:00:00'",
                "`t` < TIMESTAMP '2026-01-31 00:00:00'",
            ),
            ("b = x'4d' OR b = 0x4D0a", "`b` = x'4d' OR `b` = x'4d0a'"),
            ("a = 'it''s \\\\ \\n'", "`a` = 'it''s \\\\ \n'"),
            (
                "a = 1e3 or a = .5 or a = 1.",
                "`a` = 1e3 OR `a` = .5 OR `a` = 1.",
            ),
            ("TRUE or null", "TRUE OR NULL"),
            ("größe = 1", "`größe` = 1"),
        ] {
            let expression: Expression = text.parse().unwrap();
            assert_eq!(expression.to_string(), printed, "{text}");
            assert_eq!(
                printed.parse::<Expression>().as_ref(),
                Ok(&expression),
                "{text}"
            );
        }
    }

    fn literal() -> impl Strategy<Value = Literal> {
        prop_oneof![
            "-?[0-9]{1,20}".prop_map(Literal::Integer),
            "-?[0-9]{0,5}\\.[0-9]{1,5}".prop_map(Literal::Decimal),
            "-?[0-9]{1,3}(\\.[0-9]{0,3})?e[+-]?[0-9]{1,3}".prop_map(Literal::Float),
            ".{0,12}".prop_map(Literal::Text),
            prop::collection::vec(any::<u8>(), 0..8).prop_map(Literal::Bytes),
            ".{0,12}".prop_map(Literal::Date),
            ".{0,12}".prop_map(Literal::Time),
            ".{0,12}".prop_map(Literal::Timestamp),
            any::<bool>().prop_map(Literal::Boolean),
            Just(Literal::Null),
        ]
    }

    fn expression() -> impl Strategy<Value = Expression> {
        let column = ".{1,8}";
        let operator = prop::sample::select(vec![
            Operator::Equal,
            Operator::NullSafeEqual,
            Operator::NotEqual,
            Operator::Less,
            Operator::LessOrEqual,
            Operator::Greater,
            Operator::GreaterOrEqual,
        ]);
        let leaf = prop_oneof![
            (column, operator, literal()).prop_map(|(column, operator, literal)| {
                Expression::Compare {
                    column,
                    operator,
                    literal,
                }
            }),
            (
                column,
                any::<bool>(),
                prop::collection::vec(literal(), 1..4)
            )
                .prop_map(|(column, negated, literals)| Expression::In {
                    column,
                    negated,
                    literals
                }),
            (column, any::<bool>(), literal(), literal()).prop_map(
                |(column, negated, low, high)| {
                    Expression::Between {
                        column,
                        negated,
                        low,
                        high,
                    }
                }
            ),
            (
                column,
                any::<bool>(),
                "[a-z%_']{0,8}",
                prop::sample::select(vec!['\\', '|', '\''])
            )
                .prop_map(|(column, negated, pattern, escape)| Expression::Like {
                    column,
                    negated,
                    pattern: pattern.replace(escape, ""),
                    escape
                }),
            (column, any::<bool>())
                .prop_map(|(column, negated)| Expression::IsNull { column, negated }),
            any::<Option<bool>>().prop_map(Expression::Constant),
        ];
        leaf.prop_recursive(4, 12, 3, |inner| {
            let parts = prop::collection::vec(inner.clone(), 2..4);
            prop_oneof![
                parts.clone().prop_map(Expression::And),
                parts.prop_map(Expression::Or),
                inner.prop_map(|inner| Expression::Not(Box::new(inner))),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_the_same(expression in expression()) {
            let text = expression.to_string();
            if text.chars().count() <= WHERE_CHARS_MAX {
                prop_assert_eq!(text.parse::<Expression>(), Ok(expression), "{}", text);
            }
        }

        #[test]
        fn never_panics(text in "\\PC{0,60}|([ab`'\"().,=<>!%-]|AND|OR|NOT|IN|BETWEEN|LIKE|ESCAPE|IS|NULL|DATE|0x|[ 0-9e\\\\]){0,60}") {
            if let Err(error) = text.parse::<Expression>() {
                prop_assert!((1..=text.chars().count() + 1).contains(&error.position), "{}", error);
            }
        }
    }

    #[test]
    fn says_where_and_what_is_wrong() {
        let long = format!("a = '{}'", "x".repeat(WHERE_CHARS_MAX));
        for (text, position, reason) in [
            ("", 1, "found the end, expected a column"),
            ("a", 2, "found the end, expected a comparison"),
            ("a =", 4, "found the end, expected a literal"),
            ("a = b", 5, "found \"b\", expected a literal"),
            ("5", 1, "a literal alone is no condition"),
            ("5 = 5", 5, "found a number, expected a column"),
            ("a = 1 b", 7, "found \"b\", expected AND, OR or the end"),
            ("a = 1 + 2", 7, "arithmetic can't be used: +"),
            ("ö = 1 && b = 2", 7, "&& can't be used"),
            ("lower(a) = 'x'", 6, "functions can't be used"),
            ("t.a = 1", 2, "give the column's name alone"),
            ("@a = 1", 1, "variables can't be used"),
            ("a IN (SELECT 1)", 7, "subqueries can't be used"),
            ("a = 1; drop table t", 6, "a condition has no ;"),
            ("a = 1 -- x", 7, "arithmetic"),
            ("a = 1 /* x */", 7, "comments"),
            ("a = 'x", 5, "this text has no end"),
            ("`a = 1", 1, "this name has no end"),
            ("a = x'4'", 5, "a hexadecimal literal"),
            ("(a = 1", 7, "found the end, expected AND, OR or )"),
            ("a IN ()", 7, "found \")\", expected a literal"),
            ("a LIKE 'x|' ESCAPE '|'", 8, "the pattern ends with"),
            ("a LIKE 'x' ESCAPE 'ab'", 19, "ESCAPE takes one"),
            ("a IS TRUE", 6, "found \"TRUE\", expected NULL"),
            ("a = 1 = 2", 7, "found \"=\", expected AND"),
            ("a = - b", 7, "found \"b\", expected a number"),
            ("a = 1x", 5, "this is neither a number nor a name"),
            ("a = 'x' 'y'", 9, "found a text"),
            (&long, 513, "a condition has at most 512"),
        ] {
            let error = text.parse::<Expression>().unwrap_err();
            assert_eq!(error.position, position, "{text}: {error}");
            assert!(error.reason.starts_with(reason), "{text}: {error}");
        }
    }
}
