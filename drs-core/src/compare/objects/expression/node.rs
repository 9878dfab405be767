//! An expression that was read, and its one form.

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
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
    pub(super) fn is(&self, atom: &str) -> bool {
        matches!(self, Self::Atom(text) if text == atom)
    }

    pub(super) fn not(self) -> Self {
        Self::Operator("not".to_owned(), vec![self.truth()])
    }

    /// The same where only its truth matters: newer servers write `0 <> a` for `a` there.
    pub(super) fn truth(self) -> Self {
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

pub(super) fn written(nodes: &[Node]) -> String {
    let mut out = String::new();
    for (index, node) in nodes.iter().enumerate() {
        if index > 0 {
            out.push(' ');
        }
        node.write(&mut out);
    }
    out
}
