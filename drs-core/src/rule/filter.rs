use drs_binlog::Value;

use super::{
    Operator,
    asker::{AskError, Asker},
    moment,
    number::Number,
    text::{TextTest, like_bytes},
};
use crate::{schema::Column, sql};

/// A condition bound to a table's columns: what it says of a row is what the server would say.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    pub(super) node: Node,
}

#[derive(Clone, Debug)]
pub(super) enum Node {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Constant(Option<bool>),
    IsNull(usize),
    /// A comparison with NULL that is not `<=>`: unknown, whatever the row.
    Unknown,
    Test(usize, Test),
}

/// A test of one column's value.
#[derive(Clone, Debug)]
pub(super) enum Test {
    Integer(Operator, i128),
    Decimal(Operator, Number),
    Double(Operator, f64),
    /// The literal's text, and it as a number that orders.
    Date(Operator, String, i64),
    DateTime(Operator, String, i64),
    Time(Operator, String, i64),
    Bytes(Operator, Vec<u8>),
    /// A pattern, its escape character, and the length that a value is padded to.
    BytesLike(Vec<u8>, u8, Option<usize>),
    Text(TextTest),
    /// What is true of each label's text, beginning with the empty text of number 0.
    Enum(TextTest, Vec<bool>),
    Set(TextTest, Vec<String>),
}

/// What a condition says of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Truth {
    True,
    False,
    Unknown,
    /// It depends on this column, which the image does not carry.
    Missing(usize),
}

/// Why a row can't be told to be in or out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FilterError {
    /// A value's bytes are malformed.
    #[error(transparent)]
    Decode(#[from] drs_binlog::Error),
    /// A server was asked, in vain.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// A value is not of its column's kind.
    #[error("a value of column number {0} is not of the kind that the rule was made for")]
    Kind(usize),
}

impl Filter {
    /// What the condition says of a row; `value` gives a column's value, if it is known.
    ///
    /// Nothing is allocated, and nobody is asked, for what is certain.
    pub(crate) fn of<'v>(
        &self,
        columns: &[Column],
        asker: &Asker,
        value: &dyn Fn(usize) -> drs_binlog::Result<Option<Value<'v>>>,
    ) -> Result<Truth, FilterError> {
        Row {
            columns,
            asker,
            value,
        }
        .truth(&self.node)
    }

    /// The condition as SQL; `columns` are those that it was bound to.
    pub(crate) fn sql(&self, columns: &[Column]) -> String {
        let mut out = String::new();
        write_node(&mut out, &self.node, columns);
        out
    }

    /// The columns that the condition depends on.
    pub(crate) fn columns(&self) -> Vec<usize> {
        let mut found = Vec::new();
        collect(&self.node, &mut found);
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// A condition in a form from which the server makes no range of an index: there it would find
/// other rows for some conditions (LIKE on a collation that pads).
pub(crate) fn opaque(condition: &str) -> String {
    format!("IF({condition}, 1, 0) = 1")
}

impl std::ops::Not for Truth {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            same => same,
        }
    }
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}

struct Row<'r, 'v> {
    columns: &'r [Column],
    asker: &'r Asker,
    value: &'r dyn Fn(usize) -> drs_binlog::Result<Option<Value<'v>>>,
}

impl Row<'_, '_> {
    fn truth(&self, node: &Node) -> Result<Truth, FilterError> {
        match node {
            Node::All(parts) => self.combine(parts, Truth::True, Truth::False),
            Node::Any(parts) => self.combine(parts, Truth::False, Truth::True),
            Node::Not(inner) => Ok(!self.truth(inner)?),
            Node::Constant(Some(value)) => Ok((*value).into()),
            Node::Constant(None) | Node::Unknown => Ok(Truth::Unknown),
            Node::IsNull(column) => Ok(match (self.value)(*column)? {
                None => Truth::Missing(*column),
                Some(value) => value.is_null().into(),
            }),
            Node::Test(column, test) => match (self.value)(*column)? {
                None => Ok(Truth::Missing(*column)),
                Some(value) if value.is_null() => Ok(if test.is_null_safe() {
                    Truth::False
                } else {
                    Truth::Unknown
                }),
                Some(value) => self.test(*column, test, &value).map(Truth::from),
            },
        }
    }

    /// The first `decisive` part decides; then what is not known counts.
    fn combine(
        &self,
        parts: &[Node],
        neutral: Truth,
        decisive: Truth,
    ) -> Result<Truth, FilterError> {
        let mut result = neutral;
        for part in parts {
            let truth = self.truth(part)?;
            match (truth, result) {
                (truth, _) if truth == decisive => return Ok(decisive),
                (Truth::Missing(_), _) => result = truth,
                (Truth::Unknown, result_so_far) if result_so_far == neutral => result = truth,
                _ => {}
            }
        }
        Ok(result)
    }

    fn test(&self, ordinal: usize, test: &Test, value: &Value<'_>) -> Result<bool, FilterError> {
        let other_kind = || FilterError::Kind(ordinal);
        let column = self.columns.get(ordinal).ok_or_else(other_kind)?;
        Ok(match (test, value) {
            (Test::Integer(operator, literal), value) => {
                let number = match value {
                    Value::Bit(_) => value.as_bits().map(i128::from),
                    Value::Year(year) => Some(i128::from(*year)),
                    _ if column.unsigned => value.as_unsigned().map(i128::from),
                    _ => value.as_signed().map(i128::from),
                };
                operator.holds(number.ok_or_else(other_kind)?.cmp(literal))
            }
            (Test::Decimal(operator, literal), Value::Decimal(number)) => {
                operator.holds(literal.order_of(number.text().as_bytes()))
            }
            (Test::Double(operator, literal), value) => {
                let number = match value {
                    Value::Float(number) => f64::from(*number),
                    Value::Double(number) => *number,
                    _ => return Err(other_kind()),
                };
                operator.holds(number.partial_cmp(literal).ok_or_else(other_kind)?)
            }
            (Test::Date(operator, _, literal), Value::Date(date)) => {
                operator.holds(moment::date(date).cmp(literal))
            }
            (Test::DateTime(operator, _, literal), value) => {
                let at = match value {
                    Value::DateTime(at) => moment::date_time(at),
                    Value::Timestamp(at) if at.is_zero() => 0,
                    Value::Timestamp(at) => moment::date_time(&at.utc()),
                    _ => return Err(other_kind()),
                };
                operator.holds(at.cmp(literal))
            }
            (Test::Time(operator, _, literal), Value::Time(time)) => {
                operator.holds(moment::time(time).cmp(literal))
            }
            (Test::Bytes(operator, literal), Value::Bytes(bytes)) => {
                operator.holds(order_padded(bytes, literal, column))
            }
            (Test::BytesLike(pattern, escape, None), Value::Bytes(bytes)) => {
                like_bytes(bytes, pattern, *escape)
            }
            (Test::BytesLike(pattern, escape, Some(len)), Value::Bytes(bytes)) => {
                let mut padded = bytes.to_vec();
                padded.resize((*len).max(bytes.len()), 0);
                like_bytes(&padded, pattern, *escape)
            }
            (Test::Text(test), Value::Bytes(bytes)) => match test.certain(bytes) {
                Some(answer) => answer,
                None => self.asker.ask(&test.question(bytes))?,
            },
            (Test::Enum(_, answers), Value::Enum(number)) => {
                *answers.get(usize::from(*number)).ok_or_else(other_kind)?
            }
            (Test::Set(test, labels), Value::Set(bits)) => {
                let mut text = String::new();
                let chosen = labels
                    .iter()
                    .take(64)
                    .enumerate()
                    .filter(|(bit, _)| bits >> bit & 1 == 1);
                for (count, (_, label)) in chosen.enumerate() {
                    if count > 0 {
                        text.push(',');
                    }
                    text.push_str(label);
                }
                label_holds(test, &text, self.asker)?
            }
            _ => return Err(other_kind()),
        })
    }
}

/// What is true of a label, given as UTF-8.
pub(super) fn label_holds(test: &TextTest, label: &str, asker: &Asker) -> Result<bool, AskError> {
    let certain = if label.is_ascii() {
        test.certain(label.as_bytes())
    } else {
        None
    };
    match certain {
        Some(answer) => Ok(answer),
        None => asker.ask(&test.question_of_label(label)),
    }
}

/// BINARY lies in the log without its trailing zero bytes.
fn order_padded(bytes: &[u8], literal: &[u8], column: &Column) -> std::cmp::Ordering {
    if column.kind != crate::schema::ColumnKind::BinaryFixed {
        return bytes.cmp(literal);
    }
    let shared = bytes.len().min(literal.len());
    let (head, tail) = literal.split_at(shared);
    let zeros = tail.iter().find(|byte| **byte != 0);
    bytes
        .get(..shared)
        .unwrap_or_default()
        .cmp(head)
        .then_with(|| match zeros {
            Some(_) => std::cmp::Ordering::Less,
            None if bytes.len() > literal.len() => std::cmp::Ordering::Greater,
            None => std::cmp::Ordering::Equal,
        })
}

impl Test {
    fn operator(&self) -> Option<Operator> {
        use super::text::TextOperator;
        match self {
            Self::Integer(operator, _)
            | Self::Decimal(operator, _)
            | Self::Double(operator, _)
            | Self::Date(operator, ..)
            | Self::DateTime(operator, ..)
            | Self::Time(operator, ..)
            | Self::Bytes(operator, _) => Some(*operator),
            Self::BytesLike(..) => None,
            Self::Text(test) | Self::Enum(test, _) | Self::Set(test, _) => match test.how {
                TextOperator::Compare(operator) => Some(operator),
                TextOperator::Like { .. } => None,
            },
        }
    }

    fn is_null_safe(&self) -> bool {
        self.operator() == Some(Operator::NullSafeEqual)
    }
}

fn collect(node: &Node, found: &mut Vec<usize>) {
    match node {
        Node::All(parts) | Node::Any(parts) => parts.iter().for_each(|part| collect(part, found)),
        Node::Not(inner) => collect(inner, found),
        Node::Constant(_) | Node::Unknown => {}
        Node::IsNull(column) | Node::Test(column, _) => found.push(*column),
    }
}

fn write_node(out: &mut String, node: &Node, columns: &[Column]) {
    let name = |ordinal: usize| {
        columns
            .get(ordinal)
            .map_or("", |column| column.name.as_str())
    };
    match node {
        Node::All(parts) => write_joined(out, parts, " AND ", columns),
        Node::Any(parts) => write_joined(out, parts, " OR ", columns),
        Node::Not(inner) => {
            out.push_str("NOT (");
            write_node(out, inner, columns);
            out.push(')');
        }
        Node::Constant(Some(true)) => out.push_str("TRUE"),
        Node::Constant(Some(false)) => out.push_str("FALSE"),
        Node::Constant(None) | Node::Unknown => out.push_str("NULL"),
        // For a DATE that can't be NULL the server would take the zero date for it.
        Node::IsNull(ordinal) if columns.get(*ordinal).is_some_and(|column| !column.nullable) => {
            out.push_str("FALSE");
        }
        Node::IsNull(ordinal) => {
            sql::write_identifier(out, name(*ordinal));
            out.push_str(" IS NULL");
        }
        Node::Test(ordinal, test) => write_test(out, name(*ordinal), test),
    }
}

fn write_joined(out: &mut String, parts: &[Node], between: &str, columns: &[Column]) {
    out.push('(');
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            out.push_str(between);
        }
        write_node(out, part, columns);
    }
    out.push(')');
}

fn write_test(out: &mut String, column: &str, test: &Test) {
    match test {
        Test::Text(text) | Test::Enum(text, _) | Test::Set(text, _) => {
            return text.write_sql(out, column);
        }
        _ => sql::write_identifier(out, column),
    }
    out.push(' ');
    out.push_str(test.operator().map_or("LIKE", Operator::as_str));
    out.push(' ');
    match test {
        Test::Integer(_, literal) => out.push_str(&literal.to_string()),
        Test::Decimal(_, literal) => out.push_str(literal.as_str()),
        Test::Double(_, literal) => out.push_str(&format!("{literal:e}")),
        Test::Date(_, text, _) => write_moment(out, "DATE", text),
        Test::DateTime(_, text, _) => write_moment(out, "TIMESTAMP", text),
        Test::Time(_, text, _) => write_moment(out, "TIME", text),
        Test::Bytes(_, bytes) => write_binary(out, bytes),
        Test::BytesLike(pattern, escape, _) => {
            write_binary(out, pattern);
            out.push_str(" ESCAPE ");
            sql::write_text(out, char::from(*escape).encode_utf8(&mut [0; 4]));
        }
        Test::Text(_) | Test::Enum(..) | Test::Set(..) => {}
    }
}

fn write_moment(out: &mut String, kind: &str, text: &str) {
    out.push_str(kind);
    sql::write_text(out, text);
}

fn write_binary(out: &mut String, bytes: &[u8]) {
    out.push_str("_binary ");
    sql::write_hex(out, bytes);
}
