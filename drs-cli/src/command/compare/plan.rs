//! What is to be compared, and how: the command line, then the task file.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use drs_core::{CompareSettings, FlowControl, Selection, Sessions, StartAt, compare::CompareLevel};

use super::wait::shown;
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
    /// The file that keeps what is done.
    pub(super) journal: Option<PathBuf>,
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
        if rows.is_none() && args.repair_sql.is_some() {
            let text = "--repair-sql is for rows: it goes with the levels count and values";
            return Err(CommandError::Usage(text.to_owned()));
        }
        if let Some(path) = &args.journal {
            check_journal(path)?;
        }
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
            journal: args.journal.clone(),
        })
    }

    /// What is to be told when an earlier run has left a journal.
    pub(super) fn goes_on_with(&self) -> Option<String> {
        let path = self.journal.as_deref()?;
        let metadata = std::fs::metadata(path).ok()?;
        let written = DateTime::<Utc>::from(metadata.modified().ok()?);
        (metadata.len() > 0).then(|| {
            format!(
                "goes on with the journal {}, last written at {} (UTC): what it holds of this comparison is not \
                 compared again",
                path.display(),
                shown(written)
            )
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

/// A journal that can't be read begins anew: no other file may be taken for one.
fn check_journal(path: &Path) -> Result<(), CommandError> {
    const START: &[u8] = b"{\"comparison\":";
    let Ok(file) = File::open(path) else {
        // It is made, or the comparison says why not.
        return Ok(());
    };
    let mut start = Vec::new();
    let read = file.take(START.len() as u64).read_to_end(&mut start);
    // A journal that was cut off in its first moment is empty.
    match read {
        Ok(_) if start.is_empty() || start == START => Ok(()),
        _ => Err(CommandError::Usage(format!(
            "{} is there, and is no journal of a comparison",
            path.display()
        ))),
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
    fn no_other_file_is_taken_for_a_journal() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("j");
        for (text, valid) in [
            (None, true),
            (Some(""), true),
            (Some("{\"comparison\":{\"task\":\"a\"}}\n"), true),
            (Some("my notes"), false),
            (Some("{\"comp"), false),
        ] {
            if let Some(text) = text {
                std::fs::write(&path, text).unwrap();
            }
            assert_eq!(check_journal(&path).is_ok(), valid, "{text:?}");
        }
        let options = "--level objects --repair-sql r.sql";
        assert!(plan(options, &CompareSettings::default()).is_err());
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
