use std::fmt::{self, Write};

use crate::sql;

/// A condition on one row, as a rule's `where` says it.
///
/// Prints as text that parses to the same condition again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// All of them.
    And(Vec<Self>),
    /// At least one of them.
    Or(Vec<Self>),
    /// The opposite; of unknown, unknown.
    Not(Box<Self>),
    /// `column = literal` and the like.
    Compare {
        /// The column.
        column: String,
        /// How.
        operator: Operator,
        /// With what.
        literal: Literal,
    },
    /// `column IN (literal, …)`.
    In {
        /// The column.
        column: String,
        /// `NOT IN`.
        negated: bool,
        /// The list; not empty.
        literals: Vec<Literal>,
    },
    /// `column BETWEEN low AND high`.
    Between {
        /// The column.
        column: String,
        /// `NOT BETWEEN`.
        negated: bool,
        /// The lower end, which belongs to the range.
        low: Literal,
        /// The upper end, which belongs to the range.
        high: Literal,
    },
    /// `column LIKE pattern`.
    Like {
        /// The column.
        column: String,
        /// `NOT LIKE`.
        negated: bool,
        /// The pattern: `%` and `_` match.
        pattern: String,
        /// Takes `%`, `_` and itself as they are.
        escape: char,
    },
    /// `column IS NULL`.
    IsNull {
        /// The column.
        column: String,
        /// `IS NOT NULL`.
        negated: bool,
    },
    /// `TRUE`, `FALSE`, or `NULL` for unknown.
    Constant(Option<bool>),
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `=`
    Equal,
    /// `<=>`: like `=`, but NULL equals NULL and nothing else.
    NullSafeEqual,
    /// `<>` or `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// A value that stands in a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Literal {
    /// An integer: digits, with `-` in front if it is negative.
    Integer(String),
    /// A number with a point, as it was written.
    Decimal(String),
    /// A number with an exponent, as it was written.
    Float(String),
    /// `'text'` or `"text"`.
    Text(String),
    /// `x'4D'` or `0x4D`.
    Bytes(Vec<u8>),
    /// `DATE '2026-01-31'`.
    Date(String),
    /// `TIME '10:11:12'`.
    Time(String),
    /// `TIMESTAMP '2026-01-31 10:11:12'`.
    Timestamp(String),
    /// `TRUE` or `FALSE`: 1 or 0.
    Boolean(bool),
    /// `NULL`: equal to nothing.
    Null,
}

/// The character that takes `%` and `_` as they are when no other is given.
pub(super) const DEFAULT_ESCAPE: char = '\\';

impl Operator {
    /// As SQL writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NullSafeEqual => "<=>",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// The operator with its sides swapped.
    pub(super) fn swapped(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            same => same,
        }
    }

    /// What the operator says of two values that are neither NULL.
    pub(super) fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal | Self::NullSafeEqual => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }

    /// True for those that ask only whether two values are equal.
    pub(super) fn is_equality(self) -> bool {
        matches!(self, Self::Equal | Self::NullSafeEqual | Self::NotEqual)
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let not = |negated: &bool| if *negated { "NOT " } else { "" };
        match self {
            Self::And(parts) => join(f, parts, " AND "),
            Self::Or(parts) => join(f, parts, " OR "),
            Self::Not(inner) => write!(f, "NOT ({inner})"),
            Self::Compare {
                column,
                operator,
                literal,
            } => write!(
                f,
                "{} {} {literal}",
                sql::identifier(column),
                operator.as_str()
            ),
            Self::In {
                column,
                negated,
                literals,
            } => {
                write!(f, "{} {}IN (", sql::identifier(column), not(negated))?;
                for (index, literal) in literals.iter().enumerate() {
                    if index > 0 {
                        f.write_str(", ")?;
                    }
                    literal.fmt(f)?;
                }
                f.write_char(')')
            }
            Self::Between {
                column,
                negated,
                low,
                high,
            } => write!(
                f,
                "{} {}BETWEEN {low} AND {high}",
                sql::identifier(column),
                not(negated)
            ),
            Self::Like {
                column,
                negated,
                pattern,
                escape,
            } => {
                let (column, pattern) = (sql::identifier(column), quoted(pattern));
                write!(f, "{column} {}LIKE {pattern}", not(negated))?;
                if *escape != DEFAULT_ESCAPE {
                    write!(f, " ESCAPE {}", quoted(&escape.to_string()))?;
                }
                Ok(())
            }
            Self::IsNull { column, negated } => {
                write!(f, "{} IS {}NULL", sql::identifier(column), not(negated))
            }
            Self::Constant(Some(true)) => f.write_str("TRUE"),
            Self::Constant(Some(false)) => f.write_str("FALSE"),
            Self::Constant(None) => f.write_str("NULL"),
        }
    }
}

fn join(f: &mut fmt::Formatter<'_>, parts: &[Expression], between: &str) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(between)?;
        }
        match part {
            Expression::And(_) | Expression::Or(_) => write!(f, "({part})")?,
            _ => write!(f, "{part}")?,
        }
    }
    Ok(())
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(text) | Self::Decimal(text) | Self::Float(text) => f.write_str(text),
            Self::Text(text) => f.write_str(&quoted(text)),
            Self::Bytes(bytes) => {
                f.write_str("x'")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
                f.write_char('\'')
            }
            Self::Date(text) => write!(f, "DATE {}", quoted(text)),
            Self::Time(text) => write!(f, "TIME {}", quoted(text)),
            Self::Timestamp(text) => write!(f, "TIMESTAMP {}", quoted(text)),
            Self::Boolean(true) => f.write_str("TRUE"),
            Self::Boolean(false) => f.write_str("FALSE"),
            Self::Null => f.write_str("NULL"),
        }
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::new();
    sql::write_text(&mut out, text);
    out
}
