//! The file of statements that would repair what differs.

use std::{
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use drs_core::compare::repair_preamble;
use tempfile::NamedTempFile;

use super::{file, report::Report, wait::stamp};
use crate::{exit::CommandError, render::printable};

/// Statements on their way to a file, which is there only when all of them are.
pub(super) struct Repairs {
    path: PathBuf,
    state: Mutex<State>,
}

struct State {
    writer: BufWriter<NamedTempFile>,
    statements: u64,
    failure: Option<io::Error>,
}

impl Repairs {
    /// Makes sure that the file can be written, and begins it.
    pub(super) fn create(path: &Path) -> Result<Self, CommandError> {
        let writer = BufWriter::new(file::beside(path)?);
        Ok(Self {
            path: path.to_owned(),
            state: Mutex::new(State {
                writer,
                statements: 0,
                failure: None,
            }),
        })
    }

    /// Takes a statement. Calls come from several threads.
    pub(super) fn take(&self, statement: &str) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.failure.is_some() {
            return;
        }
        // What they need to be read right comes before the first.
        let begin = match state.statements {
            0 => repair_preamble(),
            _ => String::new(),
        };
        state.statements += 1;
        let written = writeln!(state.writer, "{begin}{statement};");
        state.failure = written.err();
    }

    /// How many there are.
    pub(super) fn statements(&self) -> u64 {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.statements
    }

    /// Puts the file in its place.
    pub(super) fn finish(self, report: &Report) -> Result<(), CommandError> {
        let path = self.path;
        let mut state = self
            .state
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let result = match state.failure.take() {
            Some(error) => Err(error),
            None => write!(state.writer, "{}", ending(report, state.statements))
                .and_then(|()| {
                    state
                        .writer
                        .into_inner()
                        .map_err(io::IntoInnerError::into_error)
                })
                .and_then(|file| file::put(file, &path)),
        };
        result.map_err(|error| {
            CommandError::Failed(format!("cannot write {}: {error}", path.display()))
        })
    }
}

/// At the end, so that a file that was cut off can be told from a whole one.
fn ending(report: &Report, statements: u64) -> String {
    let [source, destination] = &report.servers;
    format!(
        "-- {statements} statements. They would make rows of {} the same as those of {},\n\
         -- as they were read between {} and {}.\n",
        printable(&destination.address),
        printable(&source.address),
        stamp(report.begun),
        stamp(report.ended)
    )
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{super::report::tests::hostile, *};

    #[test]
    fn statements_stand_in_a_file_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("repair.sql");
        let repairs = Repairs::create(&path).unwrap();
        repairs.take("DELETE FROM `a`.`b` WHERE id = 1");
        repairs.take("DELETE FROM `a`.`b` WHERE id = 2");
        assert!(!path.exists());
        repairs.finish(&hostile()).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let expected = format!(
            "{}DELETE FROM `a`.`b` WHERE id = 1;\nDELETE FROM `a`.`b` WHERE id = 2;\n\
             -- 2 statements. They would make rows of db:2 the same as those of db:1,\n\
             -- as they were read between 2026-03-01T02:00:00.000Z and 2026-03-01T02:00:02.500Z.\n",
            repair_preamble()
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn nothing_to_repair_is_no_statement() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("repair.sql");
        Repairs::create(&path).unwrap().finish(&hostile()).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("-- 0 statements."), "{text}");
    }
}
