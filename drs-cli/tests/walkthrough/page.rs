//! A page's fenced blocks.

/// A page of documentation whose blocks are steps.
pub(crate) struct Page {
    pub(crate) name: &'static str,
    pub(crate) steps: Vec<Step>,
}

/// One block.
pub(crate) struct Step {
    /// Its first line's number.
    pub(crate) line: usize,
    pub(crate) kind: Kind,
    pub(crate) text: String,
}

/// What a block is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Source,
    Destination,
    Rows,
    File(String),
    Console,
}

impl Page {
    pub(crate) fn parse(name: &'static str, text: &str) -> Self {
        let mut steps = Vec::new();
        let mut lines = text.lines().enumerate();
        while let Some((number, line)) = lines.next() {
            let Some(label) = line.strip_prefix("```") else {
                continue;
            };
            let body: Vec<&str> = lines
                .by_ref()
                .map(|(_, line)| line)
                .take_while(|line| !line.starts_with("```"))
                .collect();
            let kind = match label.split_whitespace().collect::<Vec<_>>().as_slice() {
                ["sql", "source"] => Kind::Source,
                ["sql", "destination"] => Kind::Destination,
                ["text"] => Kind::Rows,
                ["toml" | "csv", file] => Kind::File((*file).to_owned()),
                ["console"] => Kind::Console,
                // Anything else is shown to the reader only.
                _ => continue,
            };
            steps.push(Step {
                line: number + 1,
                kind,
                text: body.join("\n"),
            });
        }
        assert!(
            steps.iter().any(|step| step.kind == Kind::Rows),
            "{name} shows no rows: nothing would be tested"
        );
        Self { name, steps }
    }
}
