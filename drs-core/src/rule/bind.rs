//! From a condition's text to one that is bound to a table's columns: what the server would
//! decide by its own conversions, or approximately, is refused here.

use super::{
    Expression, Literal, Operator,
    asker::{AskError, Asker},
    filter::{Filter, Node, Test, label_holds},
    moment,
    number::Number,
    text::{TextOperator, TextTest},
};
use crate::{
    schema::{Column, ColumnKind},
    sql,
};

/// Why a rule does not go with the table.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// The table has no such column.
    #[error("there is no column {column}")]
    NoColumn {
        /// The name, quoted.
        column: String,
    },
    /// The column can't be used so.
    #[error("column {column}: {reason}")]
    Column {
        /// The name, quoted.
        column: String,
        /// Why not, and what to do.
        reason: String,
    },
    /// A server was asked, in vain.
    #[error(transparent)]
    Ask(#[from] AskError),
}

impl Filter {
    /// Binds a condition to a table's columns.
    ///
    /// `asker` leads to the server whose names of character sets and collations these are.
    pub(crate) fn bind(
        expression: &Expression,
        columns: &[Column],
        asker: &Asker,
    ) -> Result<Self, BindError> {
        let node = Binder { columns, asker }.node(expression)?;
        Ok(Self { node })
    }
}

pub(super) fn refused(column: &str, reason: impl Into<String>) -> BindError {
    BindError::Column {
        column: sql::identifier(column),
        reason: reason.into(),
    }
}

/// The index of a column, whose letter case does not count.
pub(super) fn position(columns: &[Column], name: &str) -> Result<usize, BindError> {
    let lower = name.to_lowercase();
    columns
        .iter()
        .position(|column| column.name.to_lowercase() == lower)
        .ok_or_else(|| BindError::NoColumn {
            column: sql::identifier(name),
        })
}

struct Binder<'a> {
    columns: &'a [Column],
    asker: &'a Asker,
}

impl<'a> Binder<'a> {
    fn node(&self, expression: &Expression) -> Result<Node, BindError> {
        let all = |parts: &[Expression]| -> Result<Vec<Node>, BindError> {
            parts.iter().map(|part| self.node(part)).collect()
        };
        let negate = |negated: bool, node: Node| match negated {
            true => Node::Not(Box::new(node)),
            false => node,
        };
        Ok(match expression {
            Expression::And(parts) => Node::All(all(parts)?),
            Expression::Or(parts) => Node::Any(all(parts)?),
            Expression::Not(inner) => Node::Not(Box::new(self.node(inner)?)),
            Expression::Constant(value) => Node::Constant(*value),
            Expression::Compare {
                column,
                operator,
                literal,
            } => self.compare(column, *operator, literal)?,
            Expression::In {
                column,
                negated,
                literals,
            } => {
                let each = literals
                    .iter()
                    .map(|literal| self.compare(column, Operator::Equal, literal));
                negate(*negated, Node::Any(each.collect::<Result<_, _>>()?))
            }
            Expression::Between {
                column,
                negated,
                low,
                high,
            } => {
                let low = self.compare(column, Operator::GreaterOrEqual, low)?;
                let high = self.compare(column, Operator::LessOrEqual, high)?;
                negate(*negated, Node::All(vec![low, high]))
            }
            Expression::Like {
                column,
                negated,
                pattern,
                escape,
            } => negate(*negated, self.like(column, pattern, *escape)?),
            Expression::IsNull { column, negated } => {
                let (ordinal, _) = self.column(column)?;
                negate(*negated, Node::IsNull(ordinal))
            }
        })
    }

    fn column(&self, name: &str) -> Result<(usize, &'a Column), BindError> {
        let ordinal = position(self.columns, name)?;
        let column = self
            .columns
            .get(ordinal)
            .ok_or_else(|| BindError::NoColumn {
                column: sql::identifier(name),
            })?;
        if column.generated {
            return Err(refused(
                &column.name,
                "it is generated; use the columns that it is computed from",
            ));
        }
        let base = base(column);
        if base.ends_with("text") || base.ends_with("blob") {
            return Err(refused(
                &column.name,
                format!("rows can't be filtered by a {base}"),
            ));
        }
        match column.kind {
            ColumnKind::Json | ColumnKind::Geometry | ColumnKind::Vector => Err(refused(
                &column.name,
                format!("rows can't be filtered by a {base}"),
            )),
            _ => Ok((ordinal, column)),
        }
    }

    fn compare(
        &self,
        name: &str,
        operator: Operator,
        literal: &Literal,
    ) -> Result<Node, BindError> {
        let (ordinal, column) = self.column(name)?;
        if *literal == Literal::Null {
            return Ok(match operator {
                Operator::NullSafeEqual => Node::IsNull(ordinal),
                _ => Node::Unknown,
            });
        }
        let no = |reason: String| refused(&column.name, reason);
        let base = base(column);
        let test = match column.kind {
            ColumnKind::Int | ColumnKind::Bit | ColumnKind::Year => {
                let number = integer(literal).ok_or_else(|| {
                    no(format!(
                        "it is {base}; compare it with an integer, without quotes"
                    ))
                })?;
                if column.kind == ColumnKind::Year && !(1901..=2155).contains(&number) {
                    return Err(no(
                        "it is year; compare it with a year from 1901 to 2155".to_owned()
                    ));
                }
                if column.kind == ColumnKind::Bit && number < 0 {
                    return Err(no("a bit value is never below 0".to_owned()));
                }
                Test::Integer(operator, number)
            }
            ColumnKind::Decimal => {
                let number = match literal {
                    Literal::Integer(text) | Literal::Decimal(text) => Number::parse(text),
                    _ => None,
                };
                Test::Decimal(
                    operator,
                    number.ok_or_else(|| {
                        no("it is decimal; compare it with a number of at most 65 digits, 30 of them behind the point, without quotes and exponent".to_owned())
                    })?,
                )
            }
            ColumnKind::Float | ColumnKind::Double => {
                Test::Double(operator, double(column, literal)?)
            }
            ColumnKind::Date => {
                let text = match literal {
                    Literal::Date(text) | Literal::Text(text) => text,
                    _ => "",
                };
                let date = moment::parse_date(text).ok_or_else(|| {
                    no("it is date; compare it with a date like '2026-01-31'".to_owned())
                })?;
                Test::Date(operator, date.text().to_string(), moment::date(&date))
            }
            ColumnKind::DateTime | ColumnKind::Timestamp => {
                let text = match literal {
                    Literal::Date(text) | Literal::Timestamp(text) | Literal::Text(text) => text,
                    _ => "",
                };
                let at = moment::parse_date_time(text).ok_or_else(|| {
                    no(format!(
                        "it is {base}; compare it with a time like '2026-01-31 10:11:12'"
                    ))
                })?;
                fits(column, at.fsp)?;
                let packed = moment::date_time(&at);
                // The server compares TIMESTAMPs with other times in ways of its own.
                if column.kind == ColumnKind::Timestamp && !moment::is_timestamp(packed) {
                    return Err(no(
                        "no TIMESTAMP is there; 1970-01-01 00:00:01 to 2038-01-19 03:14:07 are"
                            .to_owned(),
                    ));
                }
                Test::DateTime(operator, at.text().to_string(), packed)
            }
            ColumnKind::Time => {
                let text = match literal {
                    Literal::Time(text) | Literal::Text(text) => text,
                    _ => "",
                };
                let time = moment::parse_time(text).ok_or_else(|| {
                    no("it is time; compare it with a time like '10:11:12'".to_owned())
                })?;
                fits(column, time.fsp)?;
                Test::Time(operator, time.text().to_string(), moment::time(&time))
            }
            ColumnKind::Binary | ColumnKind::BinaryFixed => {
                let bytes = match literal {
                    Literal::Bytes(bytes) => bytes.clone(),
                    Literal::Text(text) => text.clone().into_bytes(),
                    _ => {
                        return Err(no(format!(
                            "it is {base}; compare it with x'…' or with a text in quotes"
                        )));
                    }
                };
                if let Some(len) = padded_len(column).filter(|len| *len != bytes.len()) {
                    return Err(no(format!(
                        "its values have {len} bytes, and the literal has {}",
                        bytes.len()
                    )));
                }
                Test::Bytes(operator, bytes)
            }
            ColumnKind::Text | ColumnKind::Enum | ColumnKind::Set => {
                let Literal::Text(text) = literal else {
                    return Err(no(format!(
                        "it is {base}; compare it with a text in quotes"
                    )));
                };
                let how = TextOperator::Compare(operator);
                if base == "char" && text.ends_with(' ') {
                    return Err(no("its values have no spaces at their end".to_owned()));
                }
                self.text(column, how, text)?
            }
            ColumnKind::Json | ColumnKind::Geometry | ColumnKind::Vector => {
                return Err(no(format!("rows can't be filtered by a {base}")));
            }
        };
        Ok(Node::Test(ordinal, test))
    }

    fn like(&self, name: &str, pattern: &str, escape: char) -> Result<Node, BindError> {
        let (ordinal, column) = self.column(name)?;
        let escape = u8::try_from(escape)
            .map_err(|_| refused(&column.name, "the escape character is not ASCII"))?;
        let test = match column.kind {
            ColumnKind::Text | ColumnKind::Enum | ColumnKind::Set => {
                self.text(column, TextOperator::Like { escape }, pattern)?
            }
            ColumnKind::Binary | ColumnKind::BinaryFixed => {
                Test::BytesLike(pattern.as_bytes().to_vec(), escape, padded_len(column))
            }
            _ => {
                let reason = format!("LIKE is for texts, and it is {}", base(column));
                return Err(refused(&column.name, reason));
            }
        };
        Ok(Node::Test(ordinal, test))
    }

    fn text(&self, column: &Column, how: TextOperator, text: &str) -> Result<Test, BindError> {
        let no = |reason: &str| refused(&column.name, reason);
        let (Some(charset), Some(collation)) = (&column.charset, &column.collation) else {
            return Err(no("its character set is not known"));
        };
        let is_plain = |name: &str| {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        if !is_plain(charset) || !is_plain(collation) {
            return Err(no("the name of its collation is not one of MySQL's"));
        }
        let literal = self.in_charset(column, charset, text)?;
        let test = TextTest::new(charset, collation, how, literal);
        // That the server knows the collation and takes the literal shows now, not in the
        // middle of the log.
        self.asker.ask(&test.question_of_label(""))?;
        Ok(match column.kind {
            ColumnKind::Enum => {
                let labels = labels(column)?;
                let mut answers = vec![label_holds(&test, "", self.asker)?];
                for label in &labels {
                    answers.push(label_holds(&test, label, self.asker)?);
                }
                Test::Enum(test, answers)
            }
            ColumnKind::Set => Test::Set(test, labels(column)?),
            _ => Test::Text(test),
        })
    }

    /// The literal's bytes in the column's character set, which must have all its characters.
    fn in_charset(&self, column: &Column, charset: &str, text: &str) -> Result<Vec<u8>, BindError> {
        if charset == "utf8mb4" || (text.is_ascii() && is_ascii_compatible(charset)) {
            return Ok(text.as_bytes().to_vec());
        }
        let mut hex = String::new();
        sql::write_hex(&mut hex, text.as_bytes());
        let converted = self
            .asker
            .bytes(&format!(
                "SELECT CAST(CONVERT(_utf8mb4 {hex} USING {charset}) AS BINARY)"
            ))?
            .unwrap_or_default();
        let mut back = String::new();
        sql::write_hex(&mut back, &converted);
        let back = self.asker.bytes(&format!(
            "SELECT CAST(CONVERT(_{charset} {back} USING utf8mb4) AS BINARY)"
        ))?;
        if back.as_deref() != Some(text.as_bytes()) {
            return Err(refused(
                &column.name,
                format!("the literal has a character that {charset} does not have"),
            ));
        }
        Ok(converted)
    }
}

fn integer(literal: &Literal) -> Option<i128> {
    match literal {
        Literal::Boolean(value) => Some(i128::from(*value)),
        Literal::Integer(text) => text
            .parse()
            .ok()
            .filter(|number| (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(number)),
        _ => None,
    }
}

fn double(column: &Column, literal: &Literal) -> Result<f64, BindError> {
    let no = |reason: &str| refused(&column.name, reason);
    let (Literal::Integer(text) | Literal::Decimal(text) | Literal::Float(text)) = literal else {
        return Err(no(
            "it is a floating point number; compare it with a number, without quotes",
        ));
    };
    if column.column_type.contains(',') {
        return Err(no(
            "a floating point column with a fixed number of digits compares approximately",
        ));
    }
    let number: f64 = text
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite())
        .ok_or_else(|| no("the literal is out of range"))?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "to see whether something is lost"
    )]
    let as_float = f64::from(number as f32);
    if column.kind == ColumnKind::Float && as_float != number {
        return Err(no(
            "no FLOAT is exactly this literal; take one that is, like 0.5, or make the column DECIMAL",
        ));
    }
    Ok(number)
}

/// A literal finer than the column is rounded by some servers.
fn fits(column: &Column, fsp: u8) -> Result<(), BindError> {
    let digits = column
        .column_type
        .split_once('(')
        .and_then(|(_, rest)| rest.split_once(')'))
        .map_or(Some(0), |(digits, _)| digits.parse().ok());
    if digits.is_some_and(|digits: u8| fsp <= digits) {
        return Ok(());
    }
    Err(refused(
        &column.name,
        format!(
            "it is {}; the literal has more digits of a second",
            column.column_type
        ),
    ))
}

/// The type's name alone.
fn base(column: &Column) -> String {
    column
        .column_type
        .to_ascii_lowercase()
        .split([' ', '('])
        .next()
        .unwrap_or_default()
        .to_owned()
}

fn padded_len(column: &Column) -> Option<usize> {
    if column.kind != ColumnKind::BinaryFixed {
        return None;
    }
    column.bytes_max.and_then(|len| usize::try_from(len).ok())
}

fn is_ascii_compatible(charset: &str) -> bool {
    !["ucs2", "utf16", "utf32"]
        .iter()
        .any(|wide| charset.starts_with(wide))
}

/// The labels of an ENUM or a SET, from its type's text.
fn labels(column: &Column) -> Result<Vec<String>, BindError> {
    let no = || refused(&column.name, "its labels can't be told apart here");
    let mut chars = column.column_type.split_once('(').ok_or_else(no)?.1.chars();
    let mut labels = Vec::new();
    loop {
        if chars.next() != Some('\'') {
            return Err(no());
        }
        let mut label = String::new();
        let next = loop {
            match chars.next().ok_or_else(no)? {
                '\'' => match chars.next() {
                    Some('\'') => label.push('\''),
                    next => break next,
                },
                '\\' => label.push(match chars.next().ok_or_else(no)? {
                    'n' => '\n',
                    'r' => '\r',
                    '0' => '\0',
                    other => other,
                }),
                // What the server's dictionary can't hold is shown so.
                '?' => return Err(no()),
                c => label.push(c),
            }
        };
        labels.push(label);
        match next {
            Some(',') => {}
            Some(')') if chars.as_str().is_empty() => return Ok(labels),
            _ => return Err(no()),
        }
    }
}
