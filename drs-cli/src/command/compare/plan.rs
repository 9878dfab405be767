//! What is to be compared, and how: the command line, then the task file.

use drs_core::{CompareSettings, FlowControl, Selection, Sessions, StartAt, compare::CompareLevel};

use crate::{
    args::{CompareArgs, Level},
    exit::CommandError,
};

/// What a comparison does.
pub(super) struct Plan {
    pub(super) objects: bool,
    /// How deep rows are compared, if they are.
    pub(super) rows: Option<CompareLevel>,
    pub(super) tables: Option<Selection>,
    pub(super) sessions: Sessions,
    pub(super) flow_control: FlowControl,
    pub(super) examples: u64,
    pub(super) wait_s: u64,
    pub(super) start_at: StartAt,
}

impl Plan {
    /// What the command line says is stronger than what the task file says.
    pub(super) fn new(args: &CompareArgs, file: &CompareSettings) -> Result<Self, CommandError> {
        let wants = |level: Level| args.level.contains(&level);
        let rows = if args.level.is_empty() || wants(Level::Values) {
            Some(CompareLevel::Values)
        } else if wants(Level::Count) {
            Some(CompareLevel::Count)
        } else {
            None
        };
        let tables = match args.tables.is_empty() {
            true => file.tables.clone(),
            false => Some(
                Selection::new(&args.tables, &[])
                    .map_err(|error| CommandError::Usage(format!("--tables: {error}")))?,
            ),
        };
        let flow_control = match args.flow_limit {
            None => file.flow_control.clone(),
            Some(limit) => FlowControl::new(vec![limit])
                .map_err(|error| CommandError::Usage(format!("--flow-limit: {error}")))?,
        };
        Ok(Self {
            objects: args.level.is_empty() || wants(Level::Objects),
            rows,
            tables,
            sessions: args.sessions.unwrap_or(file.sessions),
            flow_control,
            examples: args.examples.unwrap_or(file.examples),
            wait_s: args.wait,
            start_at: args.start_at.unwrap_or(file.start_at),
        })
    }

    /// What is compared, in words that reports keep.
    pub(super) fn levels(&self) -> Vec<&'static str> {
        let rows = self.rows.map(|level| match level {
            CompareLevel::Count => "count",
            CompareLevel::Values => "values",
        });
        self.objects
            .then_some("objects")
            .into_iter()
            .chain(rows)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Args, Command};

    fn plan(options: &str, file: &CompareSettings) -> Result<Plan, CommandError> {
        let words = ["drs", "compare", "t.toml"].into_iter();
        let args = Args::try_parse_from(words.chain(options.split_whitespace())).unwrap();
        let Command::Compare(args) = args.command else {
            panic!("{options}")
        };
        Plan::new(&args, file)
    }

    #[test]
    fn levels_are_what_is_asked_for() {
        let file = CompareSettings::default();
        for (options, expected) in [
            ("", &["objects", "values"][..]),
            ("--level objects", &["objects"]),
            ("--level count", &["count"]),
            ("--level values", &["values"]),
            ("--level count --level objects", &["objects", "count"]),
            // Who compares values counts.
            ("--level count --level values", &["values"]),
        ] {
            assert_eq!(
                plan(options, &file).unwrap().levels(),
                expected,
                "{options}"
            );
        }
    }

    #[test]
    fn the_command_line_is_stronger_than_the_file() {
        let file = CompareSettings {
            start_at: "02:00".parse().unwrap(),
            sessions: Sessions::new(8).unwrap(),
            flow_control: FlowControl::default(),
            tables: Some(Selection::new(&["a"], &[]).unwrap()),
            examples: 5,
        };
        let from_file = plan("", &file).unwrap();
        assert_eq!(from_file.start_at, file.start_at);
        assert_eq!((from_file.sessions.get(), from_file.examples), (8, 5));
        assert_eq!(from_file.tables, file.tables);
        let options = "--start-at now --sessions 2 --examples 0 --tables b --flow-limit 1MiB/s";
        let given = plan(options, &file).unwrap();
        assert_eq!(given.start_at, StartAt::Now);
        assert_eq!((given.sessions.get(), given.examples), (2, 0));
        assert_eq!(given.tables, Some(Selection::new(&["b"], &[]).unwrap()));
        assert_eq!(given.flow_control.bytes_per_second_max(0), Some(1 << 20));
        let error = plan("--tables mysql", &file).err().unwrap().to_string();
        assert!(
            error.starts_with("--tables: \"mysql\" selects the system"),
            "{error}"
        );
    }
}
