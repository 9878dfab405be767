//! Reads tokens with the precedence of MySQL's operators.

use std::{iter::Peekable, vec::IntoIter};

use super::{
    Names,
    node::Node,
    words::{BITS, KEYWORDS, NOT, OPERATORS, SIGN, UNITS},
};
use crate::{
    compare::objects::{spelling, tokens::Token},
    sql,
};

/// More parentheses in one another than this are not followed.
const DEPTH_MAX: u32 = 120;

pub(super) struct Reader<'a> {
    tokens: Peekable<IntoIter<Token>>,
    names: &'a dyn Names,
    depth: u32,
}

impl<'a> Reader<'a> {
    pub(super) fn new(tokens: Vec<Token>, names: &'a dyn Names) -> Self {
        Self {
            tokens: tokens.into_iter().peekable(),
            names,
            depth: 0,
        }
    }

    /// All of it.
    pub(super) fn whole(mut self) -> Option<Vec<Node>> {
        let nodes = self.sequence()?;
        self.tokens.peek().is_none().then_some(nodes)
    }

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
            _ => sql::identifier(&spelling::plain_charset(&word)),
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
    let quoted: Vec<String> = parts.iter().map(|part| sql::identifier(part)).collect();
    quoted.join(".")
}
